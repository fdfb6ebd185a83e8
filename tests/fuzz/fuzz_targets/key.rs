//! Any text as an API key: refused in words without a part of it, or good for a header.

#![no_main]

use ably_revoke_token::api_key::ApiKey;
use ably_revoke_token::revoke::client;
use ably_revoke_token::secret::redactor::Redactor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let key = match ApiKey::parse(text) {
        Ok(key) => key,
        Err(problem) => {
            assert!(!problem.contains(char::is_control));
            return;
        }
    };
    let (app, id) = key.name().split_once('.').expect("a key name has a dot");
    assert!(!app.is_empty() && !id.is_empty() && app == key.app_id());
    assert!(!key.name().contains(|c: char| c == ':' || c.is_whitespace() || c.is_control()));
    let secret = text
        .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
        .split_once(':')
        .map_or("", |(_, secret)| secret);
    assert!(!secret.is_empty());
    assert_eq!(format!("{key:?}"), format!("ApiKey({:?})", key.name()));
    assert!(client::path(&key).bytes().all(|byte| byte.is_ascii_graphic()));
    let redactor = Redactor::default();
    key.hide(&redactor);
    // A shorter one is a word, and stays where it is a part of others.
    if secret.len() >= 8 && !secret.contains(char::is_whitespace) {
        let echoed = format!("{}:{secret}", key.name());
        // The words that stand in its place may be the secret's own.
        assert!(!redactor.clean(&echoed).replace("[secret]", "\n").contains(secret));
    }
});
