//! How long to wait before another try: as the answer's `Retry-After` asks, or longer each time.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime};

/// Longer waits are cut to this, in seconds (136 years), so that adding one to a clock is safe.
const LONGEST: u64 = u32::MAX as u64;
/// The longest wait that is not asked for, in milliseconds.
const LONGEST_BACKOFF: u64 = 30_000;

/// The wait that a `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3). A date in the past
/// is no wait at all; a wait beyond all measure is cut to 136 years. `None` for anything else.
pub fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse().unwrap_or(LONGEST);
        return Some(Duration::from_secs(seconds.min(LONGEST)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let wait = date.duration_since(now).unwrap_or_default();
    Some(wait.min(Duration::from_secs(LONGEST)))
}

/// The wait before try number `attempt` (from 0) where nobody says how long: 1 s, 2 s, 4 s and so
/// on up to 30 s, of which a random part between 0.8 and 1 is taken, as Ably's RTB1b does it.
pub fn backoff(attempt: u32, random: u64) -> Duration {
    let whole = 1_u64
        .checked_shl(attempt)
        .and_then(|seconds| seconds.checked_mul(1000))
        .map_or(LONGEST_BACKOFF, |ms| ms.clamp(1000, LONGEST_BACKOFF));
    let jitter = whole / 5;
    Duration::from_millis(whole - jitter + random % (jitter + 1))
}

/// A random number for jitter and shuffling: std seeds its hash maps from the system.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn seconds(value: &str, now: u64) -> Option<u64> {
        parse(value, at(now)).map(|wait| wait.as_secs())
    }

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const RFC_EXAMPLE: u64 = 784_111_777;

    #[test]
    fn seconds_and_dates_are_read() {
        for (value, wait) in [
            ("0", 0),
            ("120", 120),
            (" 7\t", 7),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 10),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 10),
            ("Sun Nov  6 08:49:37 1994", 10),
            ("Sun Nov 06 08:49:37 1994", 10),
            ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Mon, 07 Nov 1994 08:49:27 GMT", 86_400),
        ] {
            assert_eq!(seconds(value, RFC_EXAMPLE - 10), Some(wait), "{value}");
        }
    }

    #[test]
    fn anything_else_is_no_answer() {
        for value in [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "1 2",
            "soon",
            "NaN",
            "Sun",
            "Sun,",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Mon, 01 Jan 0001 00:00:00 GMT",
        ] {
            assert_eq!(seconds(value, RFC_EXAMPLE), None, "{value:?}");
        }
    }

    #[test]
    fn a_wait_beyond_all_measure_is_cut_so_that_clocks_can_add_it() {
        for value in
            ["99999999999999999999999999", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"]
        {
            let wait = parse(value, at(0)).unwrap();
            assert_eq!(wait.as_secs(), LONGEST, "{value}");
            assert!(std::time::Instant::now().checked_add(wait).is_some());
        }
    }

    #[test]
    fn backoff_doubles_up_to_its_limit_with_a_fifth_of_jitter() {
        for (attempt, longest) in
            [(0, 1000), (1, 2000), (4, 16_000), (5, 30_000), (63, 30_000), (u32::MAX, 30_000)]
        {
            assert_eq!(backoff(attempt, 0).as_millis(), longest * 4 / 5);
            assert_eq!(backoff(attempt, (longest as u64) / 5).as_millis(), longest);
        }
        assert_ne!((random(), random()), (random(), random()));
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(value in "\\PC*", now in 0_u64..1 << 40) {
            let _ = parse(&value, at(now));
        }

        #[test]
        fn no_near_date_makes_it_panic(
            value in "(Sun,?|Sunday,) [0-9]{1,2}[ -](Nov|Feb)[ -][0-9]{1,5} [0-9]{2}:[0-9]{2}:[0-9]{2} (GMT)?",
            before in 0_u64..1 << 40,
        ) {
            let _ = parse(&value, UNIX_EPOCH - Duration::from_secs(before));
        }

        #[test]
        fn a_wait_stays_within_its_bounds(attempt: u32, random: u64) {
            let wait = backoff(attempt, random).as_millis();
            prop_assert!((800..=30_000).contains(&wait));
        }
    }
}
