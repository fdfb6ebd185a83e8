//! What looks like a secret, or holds one for certain: for the guards around what an operator types,
//! and for messages that repeat it.

#![expect(clippy::indexing_slicing, reason = "every position was found in the text it is used on")]

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::jwt;
use crate::secret::parts::{decode, decoded, is_id, is_id_byte, key_name_at_end};

/// The shortest secret that is told from an ordinary name by its form, in bytes.
pub(crate) const SHORT_SECRET: usize = 16;
/// The length of a secret as Ably makes them today.
pub(crate) const SECRET: usize = 43;
/// So much of what may be a secret is enough to judge by: a text may hold many.
const JUDGED: usize = 256;
/// Shorter than any JWT in base64, and longer than most names.
const SHORT: usize = 40;
/// The shortest opaque part of an Ably token.
const OPAQUE: usize = 24;
/// So often take the letters of a file's name turns that nobody thought of.
const TURNS: usize = 5;

/// A text that the operator gave, for messages: not shown where it looks like a secret. Not yet
/// escaped for a terminal.
pub struct Typed<'a>(pub &'a str);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match looks_like_secret(self.0) {
            true => "(not shown: it looks like a key or a token)",
            false => self.0,
        })
    }
}

/// Whether a text holds a JWT whose header has an `alg`, as it stands or in base64. No API key is as
/// certain: client IDs may have the same form.
pub fn holds_token(text: &str) -> bool {
    jwt::is_in(text.as_bytes())
}

/// Whether a text looks like a key or a token: enough to warn of it and not to repeat it in a
/// message, not enough to refuse it.
pub fn looks_like_secret(text: &str) -> bool {
    let bare = unwrapped(text);
    // Nearly no name gets beyond this. A key has a colon or a blank, as it stands or escaped, and a JWT
    // begins with `ey` or `ew`, which is `ZX` in base64.
    let (bytes, mut before) = (bare.as_bytes(), 0);
    let is_plain = |byte: &u8| {
        let begins = matches!((before, *byte), (b'e', b'y' | b'w') | (b'Z', b'X'));
        before = *byte;
        !begins && matches!(byte, b'!'..=b'~') && !matches!(byte, b':' | b'%' | b'\\' | b'/')
    };
    let may_stand = bytes.len() >= SHORT || !bytes.iter().all(is_plain);
    let is_key = || secrets(bare).any(|(sign, secret)| sign == ":" && !secret.is_empty());
    let stands = || {
        // A path has slashes, and may well be called like a key.
        !bare.contains('/') && (bare.starts_with("eyJ") || is_key())
            || holds_token(text)
            || holds_key(bare)
    };
    let is_inside = || inner(bare).is_some_and(|inner| holds_key(&inner));
    opaque_app(bare).is_some() || may_stand && stands() || bytes.len() > SHORT_SECRET && is_inside()
}

/// The app of an opaque Ably token, `appId.…`.
pub(crate) fn opaque_app(text: &str) -> Option<&str> {
    let (app, rest) = text.split_once('.')?;
    let is_digit = |byte| is_id_byte(byte) || b"=+".contains(&byte);
    let is_opaque = rest.len() >= OPAQUE && rest.bytes().all(is_digit);
    // What is too long for an app's ID may be a secret.
    (is_opaque && is_id(app) && app.len() <= 10).then_some(app)
}

/// Whether a path may hold a secret, typed in its place.
pub fn path_may_hold_secret(path: &str) -> bool {
    let path = path.replace("%3A", ":").replace("%3a", ":");
    let name = path.rsplit('/').next().unwrap_or(&path);
    looks_like_secret(&path)
        || name == path && secrets(&path).any(|(_, secret)| !secret.is_empty())
        || path.split(|c: char| !c.is_ascii() || !is_id_byte(c as u8)).any(is_secret)
        || !name.contains('.') && name.len() >= SHORT_SECRET && is_drawn(name)
}

/// Whether a text has the form of a secret as Ably makes them: with small letters, capitals and digits.
pub(crate) fn is_secret(text: &str) -> bool {
    let has = |class: fn(&u8) -> bool| text.as_bytes().iter().any(class);
    text.len() == SECRET
        && is_id(text)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
}

/// Whether a text holds what can hardly be anything but an API key, wherever it stands.
fn holds_key(text: &str) -> bool {
    secrets(text).any(|(_, secret)| secret.len() >= SHORT_SECRET && is_random(secret))
}

/// What follows the name of a key, up to white space or a quotation mark, and the sign between them: a
/// colon or a blank.
fn secrets(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let signs = text.match_indices(|c: char| c == ':' || c.is_whitespace());
    signs.filter_map(|(at, sign)| {
        key_name_at_end(&text.as_bytes()[..at])?;
        let rest = &text[at + sign.len()..];
        let rest = &rest[..rest.floor_char_boundary(JUDGED)];
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`');
        Some((sign, rest.split(ends).next()?))
    })
}

/// Whether a text was drawn and not thought of: letters and digits mixed within a word. A UUID is
/// an ID that clients may well have.
pub(crate) fn is_random(text: &str) -> bool {
    let is_uuid = text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_mixed = |word: &str| {
        word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_alphabetic())
    };
    !is_uuid && text.split(|c: char| !c.is_alphanumeric()).any(is_mixed)
}

/// The same of the name of a file, which may well have a number or a date in it: small letters,
/// capitals and digits take turns.
fn is_drawn(name: &str) -> bool {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        byte => 4 * u8::from(byte.is_ascii_digit()),
    };
    let turns = name.as_bytes().windows(2).map(|two| (class(two[0]), class(two[1])));
    is_random(name) && turns.filter(|(a, b)| a != b && *a * *b > 0).count() >= TURNS
}

/// Takes off what a secret is pasted with.
pub(crate) fn unwrapped(mut text: &str) -> &str {
    loop {
        let before = text.len();
        text = text.trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '`' | ',' | ';')
        });
        for word in ["authorization:", "bearer ", "basic "] {
            let start = text.get(..word.len());
            if start.is_some_and(|start| start.eq_ignore_ascii_case(word)) {
                text = &text[word.len()..];
            }
        }
        if text.len() == before {
            return text;
        }
    }
}

/// What a text that is base64 says, if that begins like a key or a token.
pub(crate) fn inner(base64: &str) -> Option<Zeroizing<String>> {
    let base64 = base64.trim_end_matches('=').as_bytes();
    // Nearly no name gets beyond this.
    let start = decoded(base64).take(6).filter(|byte| is_id_byte(*byte) || b".:".contains(byte));
    let bytes = if start.count() == 6 { decode(base64)? } else { return None };
    str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IkEuYiJ9.eyJhIjoxfQ.c2ln";
    const KEY: &str = "APP1.key1:s3cr3t-marker-9f2c";
    const FULL: &str = "xVLyHw.1a-Bc_:AbCdEfGhIjKlMnOpQrStUvWxYz0bcdefghijklmnopq";

    fn part(text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    /// What people paste a secret with.
    fn pasted(secret: &str) -> Vec<String> {
        let base64 = BASE64_STANDARD.encode(secret);
        vec![
            secret.to_owned(),
            format!(" {secret}\r\n"),
            format!("\"{secret}\""),
            format!("'Bearer {secret}'"),
            format!("Authorization: Bearer {secret}"),
            format!("ABLY_API_KEY={secret}"),
            format!("./folder/{secret}"),
            format!("https://h/?key={secret}"),
            format!("Basic {base64}"),
            base64,
        ]
    }

    #[test]
    fn a_jwt_is_certain_whatever_it_is_pasted_with_and_a_key_only_looks_like_one() {
        for (secret, is_token) in [(KEY, false), (FULL, false), (JWT, true)] {
            for text in pasted(secret) {
                assert_eq!(holds_token(&text), is_token, "{text}");
                assert!(looks_like_secret(&text), "{text}");
                assert!(!Typed(&text).to_string().contains(&secret[..12]), "{text}");
            }
        }
    }

    #[test]
    fn a_jwt_has_two_objects_and_an_alg() {
        let (header, payload) = (part("{\"alg\":\"none\"}"), part("{}"));
        for (text, is_one) in [
            (format!("{header}.{payload}"), true),
            (format!("{header}.{payload}.x"), true),
            (format!("xyz{header}%2e{payload}"), true),
            (format!("{header}\\u002E{payload}\""), true),
            (format!("{}.{}", part("{ \n\"alg\": {\"a\": \"}\"} }\t"), part(" {}")), true),
            (format!("{header}.{}", part("[]")), false),
            (format!("{header}.{}", part("{")), false),
            (format!("{}.{payload}", part("{\"kid\":1}")), false),
            (format!("{}.{payload}", part("[{\"alg\":1}]")), false),
            (format!("{header}:{payload}"), false),
            ("eyJpZCI6MTIzfQ.web".into(), false),
        ] {
            assert_eq!(holds_token(&text), is_one, "{text}");
        }
    }

    #[test]
    fn ordinary_names_are_no_secrets() {
        for name in [
            "alice",
            "chat.room",
            "user@example.com",
            "550e8400-e29b-41d4-a716-446655440000",
            "urn:ably:client:0123456789abcdef0123456789abcdef",
            "http://[::1]:8080/abcdefghijklmnopq1",
            "INC.42 leaked by mail",
            "12.30:45/x",
        ] {
            assert!(!looks_like_secret(name), "{name}");
        }
    }

    #[test]
    fn what_a_client_may_be_called_is_never_certain() {
        for (name, looks) in [
            ("com.example.mobile:ios-0123456789abcdef", true),
            ("device.v2alpha:AA:BB:CC:DD:EE:0F", true),
            ("device.v2:AA:BB", true),
            ("lobby/app.room:s3cr3t-marker-9f2c", true),
            ("lobby/app.room:a-room-without-a-digit", false),
            (" 'eyJpZCI6MTIzfQ'", true),
            ("lobby/app.room:x1y2z3", false),
            ("lobby/app.room:x1y2z3 and-more-than-x1y2z3", false),
            ("lobby/app.room s3cr3t-marker-9f2c", true),
            ("lobby/app.room:0123456789abcdef", true),
            ("lobby/app.room:550e8400-e29b-41d4-a716-446655440000", false),
            ("lobby/app.room:550e8400-e29b-41d4-a716-s3cr3tmarker", true),
            ("mailto.alice:alice@example.com/device-a1", true),
            ("eyJpZCI6MTIzfQ.web", true),
            ("first.last:550e8400-e29b-41d4-a716-446655440000", true),
            ("AbCdEfGhIjKlMnOpQrStUvWxYz0bcdefghijklmnopq", false),
        ] {
            assert_eq!((holds_token(name), looks_like_secret(name)), (false, looks), "{name}");
        }
    }

    #[test]
    fn a_path_is_shown_unless_a_secret_was_typed_in_its_place() {
        let secret = &FULL[14..];
        let escaped = FULL.replace(':', "%3A");
        for path in [
            KEY,
            FULL,
            secret,
            &escaped,
            &format!("./{escaped}"),
            &format!("/run/secrets/{secret}"),
            &format!("./{secret}.txt"),
            "s3cr3t-marker-9f2c",
            "/absent/s3cr3t-marker-9f2c",
            "APP1.key1 s3cr3t-marker-9f2c",
            "APP1.key1 s3cret",
            "APP1.key1%3as3cret",
            "./APP1.key1%3As3cr3t-marker-9f2c",
            "a.b:c",
            "xVLyHw.Dx0123456789abcdefghijklmn",
            "x2Yz9AbC4dEf7Gh1",
            JWT,
        ] {
            assert!(path_may_hold_secret(path), "{path}");
        }
        for path in [
            "key",
            "./keys/app.key:1",
            "/run/secrets/app.key:1",
            "/run/secrets/ably",
            "app.key",
            "incident-2026-11-23.client-ids-production.txt",
            "/var/log/nginx/access.log-20261123",
            "ably-prod-key-v2-20261123",
            "backup-20261123T100000Z",
            "/dev/fd/63",
            "/tmp/tmp.X8s9d7F6g5/key",
            "/var/lib/kubelet/pods/550e8400-e29b-41d4-a716-446655440000/volumes/key",
            "550e8400-e29b-41d4-a716-446655440000",
            "/home/alice/My Keys.old/ably key",
            "C:\\keys\\ably.txt",
            "prod.ably/v2.pem",
            "x2Yz9AbC4dE",
            "x2Yz9AbC4dEf7Gh1.pem",
        ] {
            assert!(!path_may_hold_secret(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"([a-z.:%/\\ "'=]|eyJ|ZXlK|u002e|%2E|\PC){0,60}"#) {
            let _ = (holds_token(&text), looks_like_secret(&text), path_may_hold_secret(&text));
        }
    }
}
