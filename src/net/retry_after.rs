//! How long to wait before another try: as the answer's `Retry-After` asks, or longer each time.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer waits are cut to this, in seconds (136 years), so that adding one to a clock is safe.
const LONGEST: u64 = u32::MAX as u64;
/// The longest wait that is not asked for, in milliseconds.
const LONGEST_BACKOFF: u64 = 30_000;
const SECONDS_A_DAY: u64 = 24 * 60 * 60;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const LONG_DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The wait that a `Retry-After` asks for: seconds, or a date in any of the three forms that a
/// recipient must know (RFC 9110, 5.6.7 and 10.2.3). A date in the past is no wait at all; a wait
/// beyond all measure is cut to 136 years. `None` for anything else.
pub fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse().unwrap_or(LONGEST);
        return Some(Duration::from_secs(seconds.min(LONGEST)));
    }
    let date = date(value, now)?;
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

/// A number nobody can foresee, for jitter and shuffling: std seeds its hash maps from the system.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn date(value: &str, now: SystemTime) -> Option<SystemTime> {
    let mut words = value.split_ascii_whitespace();
    let first = words.next()?;
    let (year, month, day, clock) = if let Some(name) = first.strip_suffix(',') {
        if DAYS.contains(&name) {
            // Sun, 06 Nov 1994 08:49:37 GMT
            let (day, month, year) = (words.next()?, words.next()?, words.next()?);
            (digits(year, 4)?, month, digits(day, 2)?, words.next()?)
        } else {
            // Sunday, 06-Nov-94 08:49:37 GMT
            LONG_DAYS.contains(&name).then_some(())?;
            let mut parts = words.next()?.split('-');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            parts.next().is_none().then_some(())?;
            (century(digits(year, 2)?, now), month, digits(day, 2)?, words.next()?)
        }
    } else {
        // Sun Nov  6 08:49:37 1994
        DAYS.contains(&first).then_some(())?;
        let (month, day, clock) = (words.next()?, words.next()?, words.next()?);
        let day = digits(day, day.len().clamp(1, 2))?;
        (digits(words.next()?, 4)?, month, day, clock)
    };
    let zone = if first.ends_with(',') { Some("GMT") } else { None };
    (words.next() == zone && words.next().is_none()).then_some(())?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    instant(year, month, day, clock)
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// The year that two digits mean: one that seems more than 50 years ahead is in the past.
fn century(two: u64, now: SystemTime) -> u64 {
    let days = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / SECONDS_A_DAY;
    // Right to within days, which is all that a rule of 50 years needs.
    let this = 1970 + days * 400 / 146_097;
    let year = this - this % 100 + two;
    if year > this + 50 { year - 100 } else { year }
}

fn instant(year: u64, month: u64, day: u64, clock: &str) -> Option<SystemTime> {
    let mut parts = clock.split(':');
    let mut next = |limit: u64| digits(parts.next()?, 2).filter(|value| *value <= limit);
    // 60 is a leap second.
    let (hour, minute, second) = (next(23)?, next(59)?, next(60)?);
    (parts.next().is_none() && (1..=month_days(year, month)).contains(&day)).then_some(())?;
    // A date before 1970 is as past as one in 1970.
    let days = days_from_year_0(year, month, day).saturating_sub(days_from_year_0(1970, 1, 1));
    let seconds = days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn month_days(year: u64, month: u64) -> u64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_from_year_0(year: u64, month: u64, day: u64) -> u64 {
    let before = year.saturating_sub(1);
    let leaps = before / 4 - before / 100 + before / 400;
    let months: u64 = (1..month).map(|month| month_days(year, month)).sum();
    year * 365 + leaps + months + day
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn all_three_forms_of_a_date_and_seconds_are_read() {
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
            ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
            ("Mon, 07 Nov 1994 08:49:27 GMT", 86_400),
        ] {
            assert_eq!(seconds(value, RFC_EXAMPLE - 10), Some(wait), "{value}");
        }
    }

    #[test]
    fn leap_days_and_centuries_are_counted() {
        // 29 Feb 2024, 1 Mar 2100 (no leap year), as `date -u -d … +%s` has them.
        assert_eq!(seconds("Thu, 29 Feb 2024 00:00:00 GMT", 0), Some(1_709_164_800));
        assert_eq!(seconds("Mon, 01 Mar 2100 00:00:00 GMT", 0), Some(4_107_542_400));
        assert_eq!(seconds("Wed, 29 Feb 2023 00:00:00 GMT", 0), None);
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:60 GMT", 946_684_790), Some(10));
    }

    #[test]
    fn two_digits_of_a_year_mean_the_nearer_century() {
        let now = 1_795_453_744; // 2026
        assert_eq!(seconds("Sunday, 06-Nov-94 08:49:37 GMT", now), Some(0));
        let soon = seconds("Sunday, 01-Jan-40 00:00:00 GMT", now);
        assert_eq!(soon, Some(2_208_988_800 - now));
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
            "Sun, 06 Nov 1994 08:49:37 GMT x",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
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
