//! `--issued-before`: which tokens are old enough to be revoked.

use std::time::Duration;

use crate::error::Problem;
use crate::time::{PLAUSIBLE_MS, millis};

/// Ably accepts a time of at most this age.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// A point in time, or an age that counts back from Ably's clock: this machine's may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuedBefore {
    /// Unix milliseconds.
    At(i64),
    /// So long before Ably's now.
    Age(Duration),
}

impl IssuedBefore {
    /// Reads Unix milliseconds, RFC 3339 in UTC, or an age such as `10m`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(ms) if ms >= PLAUSIBLE_MS => Ok(Self::At(ms)),
                _ => Err(unusable("is not a Unix time in milliseconds")),
            };
        }
        if text.contains('T') {
            let time = humantime::parse_rfc3339(text)
                .map_err(|_| unusable("is not an RFC 3339 time in UTC"))?;
            return Ok(Self::At(millis(time)));
        }
        match humantime::parse_duration(text) {
            Ok(age) if age <= MAX_AGE => Ok(Self::Age(age)),
            Ok(_) => Err(unusable("is more than an hour ago, which Ably rejects")),
            Err(_) => Err(unusable("is neither a time nor an age")),
        }
    }
}

fn unusable(what: &str) -> Problem {
    Problem::new(
        format!("invalid --issued-before: it {what}"),
        "give Unix milliseconds, RFC 3339 in UTC (2026-11-23T10:00:00Z), or an age of at most 1h (10m)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_are_read() {
        let at = IssuedBefore::At(1_795_428_000_000);
        assert_eq!(IssuedBefore::parse("1795428000000"), Ok(at));
        assert_eq!(IssuedBefore::parse("2026-11-23T10:00:00Z"), Ok(at));
        assert_eq!(IssuedBefore::parse("10m"), Ok(IssuedBefore::Age(Duration::from_secs(600))));
        assert_eq!(IssuedBefore::parse("1h"), Ok(IssuedBefore::Age(Duration::from_secs(3600))));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        for bad in [
            "",
            "1795428000",
            "99999999999999999999",
            "2h",
            "yesterday",
            "-5m",
            "10",
            "2026-11-23T10:00:00",
            "2026-11-23T10:00:00+01:00",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(IssuedBefore::parse(bad).is_err(), "{bad}");
        }
    }
}
