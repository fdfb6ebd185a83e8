//! Any bytes as a text with leaked tokens and keys: whole, in small pieces, and far behind the
//! beginning, where the window has moved. It is the same tokens and keys each time, and nothing that
//! a message could show of them is odd.

#![no_main]

use std::io::{Cursor, Read};

use ably_revoke_token::request::leaked_tokens::capability::Capability;
use ably_revoke_token::request::leaked_tokens::{Found, Reading, Token, find};
use libfuzzer_sys::fuzz_target;

/// 2026-11-23.
const NOW_MS: i64 = 1_795_392_000_000;
/// Where the window moves for the first time.
const BORDER: usize = (768 << 10) - (3 * (64 << 10) + 64);

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
    let read = |reader: &mut dyn Read| {
        find(reader, Reading { now_ms: NOW_MS, keeps_tokens: true, keys: &[] }).unwrap()
    };
    let whole = read(&mut &text[..]);
    assert_eq!(names(&whole), names(&read(&mut Dripping(text, step))));
    let before = BORDER.saturating_sub(text.len() * step / 256);
    let moved = read(&mut Cursor::new(vec![b' '; before]).chain(text));
    // A text that is a key as a whole is known as one whatever its secret.
    if whole.diagnosis.is_none() {
        assert_eq!(names(&whole), names(&moved));
    }
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let is_key_name = |name: &str| {
        let is_id = |id: &str| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        name.split_once('.').is_some_and(|(app, key)| is_id(app) && is_id(key))
    };
    for token in &whole.tokens {
        assert!((1..=lines).contains(&token.line) && is_key_name(&token.key_name));
        assert!(token.targets() != (None, None));
        assert!(token.claims.ended_ms(NOW_MS).is_none());
    }
    assert!(whole.keys.iter().all(|key| is_key_name(&key.key_name)));
    let _ = Capability::of(&whole.tokens).shortened();
});

/// What names all that was found.
fn names(found: &Found) -> Vec<String> {
    let token = |token: &Token| format!("{} {} {}", token.line, token.fingerprint, token.key_name);
    let others = found.helpless.iter().chain(&found.uncertain);
    let others = others.map(|(it, why)| format!("{} {why}", token(it)));
    let keys = found.keys.iter().map(|key| format!("{} {}", key.line, key.key_name));
    let counts = format!("{} {}", found.expired, found.not_ably);
    found.tokens.iter().map(token).chain(others).chain(keys).chain([counts]).collect()
}
