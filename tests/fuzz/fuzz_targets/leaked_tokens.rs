//! Any bytes as a text with leaked tokens, read whole and in small pieces: the same tokens, each of
//! which stands in the text, and nothing that a message could show of them.

#![no_main]

use std::io::Read;

use ably_revoke_token::request::leaked_tokens::{Found, find};
use libfuzzer_sys::fuzz_target;

/// 2026-11-23.
const NOW_MS: i64 = 1_795_392_000_000;

/// Gives a few bytes at a time.
struct Dripping<'a>(&'a [u8], usize);

impl Read for Dripping<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let n = room.len().min(self.1);
        self.0.read(&mut room[..n])
    }
}

fuzz_target!(|data: &[u8]| {
    let (step, text) = data.split_first().map_or((1, data), |(n, text)| (usize::from(*n) + 1, text));
    let whole = find(text, NOW_MS).unwrap();
    let dripped = find(Dripping(text, step), NOW_MS).unwrap();
    assert_eq!(names(&whole), names(&dripped));
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    for token in &whole.tokens {
        assert!((1..=lines).contains(&token.line));
        let (app, key) = token.key_name.split_once('.').unwrap();
        let is_id = |id: &str| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        assert!(is_id(app) && is_id(key) && app == token.app_id());
        assert!(token.expires_at.is_none_or(|end| end.saturating_mul(1000) > NOW_MS));
    }
});

fn names(found: &Found) -> Vec<(u64, String)> {
    found.tokens.iter().map(|token| (token.line, token.fingerprint.to_string())).collect()
}
