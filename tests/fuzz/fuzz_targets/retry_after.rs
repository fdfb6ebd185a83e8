//! Any `Retry-After` at any time: the wait can be added to a clock, and waiting it out ends it.

#![no_main]

use std::time::{Duration, Instant, UNIX_EPOCH};

use ably_revoke_token::net::retry_after;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, &str)| {
    let (seconds, value) = input;
    let now = UNIX_EPOCH + Duration::from_secs(seconds % (1 << 40));
    if let Some(wait) = retry_after::parse(value, now) {
        assert!(wait <= Duration::from_secs(u32::MAX.into()));
        assert!(Instant::now().checked_add(wait).is_some());
        let digits = value.trim_matches([' ', '\t']).bytes().all(|byte| byte.is_ascii_digit());
        let ends = wait < Duration::from_secs(u32::MAX.into());
        if !digits && ends {
            // Two digits of a year may mean another century by then.
            let left = retry_after::parse(value, now + wait);
            assert!(left == Some(Duration::ZERO) || value.contains('-'), "{value:?}: {left:?}");
        }
    }
});
