//! Times as Ably has them, in Unix milliseconds: this machine's clock, and how they are shown.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Fewer milliseconds than this are a time in 2001 or before, most likely meant as seconds.
pub const PLAUSIBLE_MS: i64 = 1_000_000_000_000;

/// This machine's time in Unix milliseconds. It may be wrong, so none of it is ever sent.
pub fn now_ms() -> i64 {
    millis(SystemTime::now())
}

/// A time in Unix milliseconds; what is before 1970 is 1970.
pub fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A time in Unix milliseconds as RFC 3339 in UTC; the bare number where no calendar reaches it.
pub fn shown(ms: i64) -> String {
    /// The end of the year 9999, the last that RFC 3339 can write.
    const LAST_MS: u64 = 253_402_300_799_999;
    match u64::try_from(ms) {
        Ok(since) if since <= LAST_MS => {
            humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(since)).to_string()
        }
        _ => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_can_be_shown() {
        assert_eq!(shown(1_795_428_000_607), "2026-11-23T10:00:00.607Z");
        for ms in [i64::MIN, -1, i64::MAX, 253_402_300_800_000] {
            assert_eq!(shown(ms), format!("{ms} ms"));
        }
    }
}
