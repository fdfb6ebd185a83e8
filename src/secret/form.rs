//! What has the form of a secret. It may be typed or pasted anywhere, so every text that the
//! operator gives passes here before it is shown or sent.

use std::fmt;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The shortest secret of a key that is told from an ordinary name by its form alone, in bytes.
const KEY_SECRET: usize = 16;
/// So much of what may be one is enough to judge by, in characters: a text may be long and hold many.
const SECRET_CHARS: usize = 256;
/// The shortest ID of an app or a key in that case.
const ID: usize = 4;
/// The shortest opaque part of an Ably token.
const OPAQUE: usize = 24;
/// The shortest header of a JWT.
const JWT_HEADER: usize = 8;

/// What a text is or holds, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `appId.keyId:secret`.
    ApiKey,
    /// A JWT.
    Token,
}

impl Form {
    /// Where such a secret belongs.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::ApiKey => "give the key with ABLY_API_KEY or --api-key-file",
            Self::Token => {
                "to revoke a leaked token, give it with --from-token FILE (- is standard input)"
            }
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKey => "an API key",
            Self::Token => "a token",
        })
    }
}

/// A text that the operator gave, for messages: not shown where it may be a secret. Not yet escaped
/// for a terminal.
pub struct Typed<'a>(pub &'a str);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if may_be_secret(self.0) {
            return f.write_str("(not shown: it looks like a key or a token)");
        }
        f.write_str(self.0)
    }
}

/// Whether a text holds what can hardly be anything but an API key or a JWT: as it stands or in
/// base64, in quotes, after `Bearer` or a name, anywhere in a path.
pub fn secret_form(text: &str) -> Option<Form> {
    if text.len() < 2 * ID + KEY_SECRET / 2 {
        return None;
    }
    // Every form but base64 has a dot, and base64 has none.
    match text.as_bytes().contains(&b'.') {
        true => plain_form(text),
        false => plain_form(&inner(unwrapped(text))?),
    }
}

/// Whether a text may be a secret: enough not to show it, not enough to refuse it.
pub fn may_be_secret(text: &str) -> bool {
    let bare = unwrapped(text);
    let is_opaque = |part: &str| {
        part.len() >= OPAQUE
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=+".contains(&byte))
    };
    let is_token =
        || bare.split_once('.').is_some_and(|(app, rest)| app.len() <= 10 && is_opaque(rest));
    let is_key =
        || key_names(bare).any(|(app, id, secret)| app > 0 && id > 0 && !secret.is_empty());
    secret_form(text).is_some()
        || !bare.contains('/') && (bare.starts_with("eyJ") || is_token() || is_key())
}

fn plain_form(text: &str) -> Option<Form> {
    let is_key = |(app, id, secret): (usize, usize, &str)| {
        app >= ID && id >= ID && secret.len() >= KEY_SECRET && is_random(secret)
    };
    if key_names(text).any(is_key) {
        return Some(Form::ApiKey);
    }
    let mut end = 0;
    let mut is_jwt = |at: usize| {
        if at >= end {
            end = at + run(text.get(at..).unwrap_or_default().bytes());
        }
        let rest = text.get(end..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        end - at >= JWT_HEADER && run(rest.bytes().take(1)) > 0
    };
    // A search for one byte costs a fraction of one for three.
    let mut ends = text.match_indices('J').filter_map(|(at, _)| at.checked_sub(2));
    ends.any(|at| text.get(at..).is_some_and(|text| text.starts_with("ey")) && is_jwt(at))
        .then_some(Form::Token)
}

/// What stands around each colon like a key: the lengths of app ID and key ID, and the secret.
fn key_names(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    text.match_indices(':').filter_map(move |(at, _)| {
        let (name, secret) = (text.get(..at)?, text.get(at + 1..)?);
        let id = run(name.bytes().rev());
        let app = name.get(..name.len() - id)?.strip_suffix('.')?;
        let ends = |(n, (_, c)): &(usize, (usize, char))| {
            *n == SECRET_CHARS || c.is_whitespace() || matches!(c, '"' | '\'' | '`')
        };
        let end = secret.char_indices().enumerate().find(ends);
        let end = end.map_or(secret.len(), |(_, (end, _))| end);
        Some((run(app.bytes().rev()), id, secret.get(..end)?))
    })
}

/// How many bytes from the beginning may stand in an ID.
fn run(bytes: impl Iterator<Item = u8>) -> usize {
    bytes.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count()
}

/// Whether a text was drawn and not thought of: letters and digits mixed within a word. A UUID is
/// an ID that clients may well have.
fn is_random(text: &str) -> bool {
    let is_uuid = || {
        let lengths = text.split('-').map(str::len);
        lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    };
    let mixed = |word: &str| {
        word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let upper = || {
        text.bytes().any(|byte| byte.is_ascii_uppercase())
            && text.bytes().any(|byte| byte.is_ascii_lowercase())
            && !text.contains([':', '.', '/', ' '])
            && text.len() >= 2 * KEY_SECRET
    };
    (text.split(['-', '_', ':', '.', '/']).any(mixed) || upper()) && !is_uuid()
}

/// Takes off what a secret is pasted with.
fn unwrapped(mut text: &str) -> &str {
    loop {
        let before = text.len();
        text = text.trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '`' | ',' | ';')
        });
        for word in ["authorization:", "bearer ", "basic "] {
            let start = text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word));
            text = start.and_then(|_| text.get(word.len()..)).unwrap_or(text);
        }
        if text.len() == before {
            return text;
        }
    }
}

/// What a text says in base64, if it begins there like a key or a JWT.
fn inner(text: &str) -> Option<Zeroizing<String>> {
    let text = text.trim_end_matches('=');
    let engine = match text.contains(['-', '_']) {
        true => BASE64_URL_SAFE_NO_PAD,
        false => BASE64_STANDARD_NO_PAD,
    };
    // Nearly no name gets beyond its first three bytes.
    let start =
        text.bytes().take(4).try_fold(0u32, |bits, byte| Some(bits << 6 | sextet(byte)?))?;
    let [_, start @ ..] = start.to_be_bytes();
    if run(start.into_iter().filter(|byte| *byte != b'.')) < 2 {
        return None;
    }
    let bytes = Zeroizing::new(engine.decode(text).ok()?);
    str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// What a digit of base64 stands for, in either alphabet.
fn sextet(digit: u8) -> Option<u32> {
    Some(
        match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        }
        .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IkEuYiJ9.eyJhIjoxfQ.c2ln";
    const KEY: &str = "APP1.key1:s3cr3t-marker-9f2c";

    #[test]
    fn keys_and_tokens_are_known_whatever_they_are_pasted_with() {
        let base64 = |text: &str| BASE64_STANDARD_NO_PAD.encode(text);
        for (secret, form) in [(KEY, Form::ApiKey), (JWT, Form::Token)] {
            for text in [
                secret.to_owned(),
                format!(" {secret}\r\n"),
                format!("\"{secret}\""),
                format!("'Bearer {secret}'"),
                format!("Authorization: Bearer {secret}"),
                format!("ABLY_API_KEY={secret}"),
                format!("./folder/{secret}"),
                format!("https://h/?key={secret}"),
                base64(secret),
                format!("Basic {}==", base64(secret)),
            ] {
                assert_eq!(secret_form(&text), Some(form), "{text}");
                assert!(!Typed(&text).to_string().contains(secret.get(..12).unwrap()), "{text}");
            }
        }
        let real = "xVLyHw.1a-Bc_:AbCdEfGhIjKlMnOpQrStUvWxYzabcdefghijklmnopq";
        assert_eq!(secret_form(real), Some(Form::ApiKey));
    }

    #[test]
    fn ordinary_names_are_no_secrets() {
        for name in [
            "alice",
            "news.sports:football-championship-2026",
            "chat.room:1234567890123456",
            "first.last:550e8400-e29b-41d4-a716-446655440000",
            "user@example.com",
            "550e8400-e29b-41d4-a716-446655440000",
            "urn:ably:client:0123456789abcdef0123456789abcdef",
            "eyJhbGciOiJIUzI1NiJ9",
            "http://[::1]:8080/abcdefghijklmnopq1",
        ] {
            assert_eq!(secret_form(name), None, "{name}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown_but_files_are() {
        for secret in
            ["APP1.key1:s3cret", "eyJhbGciOi.J9.c2ln", "xVLyHw.Dx0123456789abcdefghijklmn", "a.b:c"]
        {
            assert!(!Typed(secret).to_string().contains(secret), "{secret}");
        }
        for file in
            ["key", "/run/secrets/app.key:1", "incident-2026-11-23.client-ids-production.txt"]
        {
            assert_eq!(Typed(file).to_string(), file);
        }
    }
}
