//! What has the shape of a secret: base64 and the names of Ably's keys; JWTs are in `jwt.rs`. The
//! finder of leaked tokens, the guards around what an operator types, the redactor and the reader of
//! API keys all ask here, so that they agree on what a key and a token look like.

#![expect(clippy::indexing_slicing, reason = "every position was found in the text it is used on")]

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::jwt;

/// The shortest secret that is told from an ordinary name by its form, in bytes.
pub(crate) const SHORT_SECRET: usize = 16;
/// The length of a secret as Ably makes them today.
pub(crate) const SECRET: usize = 43;
/// So much of what may be a secret is enough to judge by: a text may hold many.
const JUDGED: usize = 256;
/// The shortest opaque part of an Ably token.
const OPAQUE: usize = 24;
/// How often a sign may be escaped over and over, as in `%25252E`.
const LAYERS: usize = 8;
/// So often take the letters of a file's name turns that nobody thought of.
const TURNS: usize = 5;
const NOT_A_DIGIT: u8 = u8::MAX;

/// What a text is or holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    ApiKey,
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

/// A text that the operator gave, for messages: not shown where it looks like a secret. Not yet
/// escaped for a terminal.
pub struct Typed<'a>(pub &'a str);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if looks_like_secret(self.0) {
            return f.write_str("(not shown: it looks like a key or a token)");
        }
        f.write_str(self.0)
    }
}

/// The secret that a text holds for certain: a JWT whose header has an `alg`, as it stands or in
/// base64. An API key cannot be told by its form: client IDs may have the same.
pub fn certain(text: &str) -> Option<Form> {
    jwt::is_in(text.as_bytes()).then_some(Form::Token)
}

/// Whether a text looks like a key or a token: enough to warn of it and not to repeat it in a
/// message, not enough to refuse it.
pub fn looks_like_secret(text: &str) -> bool {
    let bare = unwrapped(text);
    let is_opaque = |part: &str| {
        part.len() >= OPAQUE && part.bytes().all(|byte| is_id_byte(byte) || b"=+".contains(&byte))
    };
    let is_token = bare.starts_with("eyJ")
        || bare.split_once('.').is_some_and(|(app, rest)| app.len() <= 10 && is_opaque(rest));
    let is_key = || secrets(bare).any(|(sign, secret)| sign == ":" && !secret.is_empty());
    // A path has slashes, and may well be called like a key.
    !bare.contains('/') && (is_token || is_key())
        || certain(text).is_some()
        || holds_key(bare)
        || inner(bare).is_some_and(|inner| holds_key(&inner))
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

/// Where the name of a key begins that a text ends with: `appId.keyId`.
pub(crate) fn key_name_at_end(text: &[u8]) -> Option<usize> {
    let id = text.len() - run_back(text);
    let app = text[..id].strip_suffix(b".")?;
    (id < text.len() && run_back(app) > 0).then(|| app.len() - run_back(app))
}

/// Whether a text is the name of a key, `appId.keyId`.
pub(crate) fn is_key_name(text: &str) -> bool {
    key_name_at_end(text.as_bytes()) == Some(0)
}

/// Whether a text may be the ID of an app or a key, or base64url.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && run(text.as_bytes()) == text.len()
}

/// How many bytes at a text's beginning may stand in an ID, or in base64url.
pub(crate) fn run(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_id_byte(**byte)).count()
}

/// The same at its end.
pub(crate) fn run_back(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| is_id_byte(**byte)).count()
}

#[inline]
pub(crate) fn is_id_byte(byte: u8) -> bool {
    DIGITS[usize::from(byte)] < 64
}

/// The length of a sign that a text begins with: as it stands, percent-encoded, or in JSON's escapes.
pub(crate) fn sign(text: &[u8], sign: u8) -> Option<usize> {
    let is_at = |at: usize| text.get(at..at + 2).and_then(hex) == Some(sign);
    let times = |what: &[u8]| {
        text[1..].chunks(what.len()).take(LAYERS).take_while(|chunk| *chunk == what).count()
    };
    match text.first()? {
        own if *own == sign => Some(1),
        b'%' => Some(1 + 2 * times(b"25")).filter(|at| is_at(*at)).map(|at| at + 2),
        b'\\' => Some(1 + times(b"\\"))
            .filter(|at| text[*at..].starts_with(b"u00") && is_at(at + 3))
            .map(|at| at + 5),
        _ => None,
    }
}

/// The length of a sign that a text ends with, in the same forms.
pub(crate) fn sign_at_end(text: &[u8], own: u8) -> Option<usize> {
    if text.last_chunk::<2>().and_then(|two| hex(two)) != Some(own) {
        return (text.last() == Some(&own)).then_some(1);
    }
    let mut lengths = (1..=text.len().min(5 + 2 * LAYERS)).rev();
    lengths.find(|n| sign(&text[text.len() - n..], own) == Some(*n))
}

/// What two hexadecimal digits stand for.
pub(crate) fn hex(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|two| !two.starts_with('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Decodes base64 of either alphabet, without padding. Spare bits are let pass, as they come with
/// tokens in practice.
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // With room from the start, so that no copy is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    bytes.extend(decoded(text));
    (bytes.len() == text.len() * 3 / 4 && text.len() % 4 != 1).then_some(bytes)
}

/// What the beginning of a text stands for, up to where it is no base64 of either alphabet.
pub(crate) fn decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let (mut bits, mut held) = (0u32, 0);
    let digits = text.iter().map(|byte| DIGITS[usize::from(*byte)]);
    digits.take_while(|digit| *digit != NOT_A_DIGIT).filter_map(move |digit| {
        bits = bits << 6 | u32::from(digit & 63);
        held += 6;
        held = if held < 8 { return None } else { held - 8 };
        Some((bits >> held) as u8)
    })
}

/// What each byte stands for in base64, with 64 more for the two digits that base64url writes
/// otherwise.
static DIGITS: [u8; 256] = {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/";
    let mut table = [NOT_A_DIGIT; 256];
    let mut at = 0;
    while at < digits.len() {
        table[digits[at] as usize] = if at < 64 { at as u8 } else { at as u8 + 62 };
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
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
        for (secret, form) in [(KEY, None), (FULL, None), (JWT, Some(Form::Token))] {
            for text in pasted(secret) {
                assert_eq!(certain(&text), form, "{text}");
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
            assert_eq!(certain(&text).is_some(), is_one, "{text}");
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
            ("mailto.alice:alice@example.com/device-a1", true),
            ("eyJpZCI6MTIzfQ.web", true),
            ("first.last:550e8400-e29b-41d4-a716-446655440000", true),
            ("AbCdEfGhIjKlMnOpQrStUvWxYz0bcdefghijklmnopq", false),
        ] {
            assert_eq!((certain(name), looks_like_secret(name)), (None, looks), "{name}");
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
        ] {
            assert!(!path_may_hold_secret(path), "{path}");
        }
    }

    #[test]
    fn signs_are_known_in_their_escapes() {
        for (text, length) in [
            (".x", Some(1)),
            ("%2E", Some(3)),
            ("%252ex", Some(5)),
            ("\\u002E", Some(6)),
            ("\\\\\\u002e", Some(8)),
            ("%2F", None),
            ("%+e", None),
            ("%2", None),
            ("\\u02e", None),
            ("", None),
        ] {
            assert_eq!(sign(text.as_bytes(), b'.'), length, "{text}");
        }
    }

    #[test]
    fn base64_is_decoded_whole_or_not_at_all() {
        for (text, bytes) in [
            ("", Some("")),
            ("YQ", Some("a")),
            ("YR", Some("a")),
            ("YWI", Some("ab")),
            ("YWJj", Some("abc")),
            ("YWJjZ", None),
            ("YWJj=", None),
            ("YW.j", None),
            ("fn5-fn5+", Some("~~~~~~")),
        ] {
            let decoded = decode(text.as_bytes());
            assert_eq!(decoded.as_deref().map(Vec::as_slice), bytes.map(str::as_bytes), "{text}");
        }
    }

    proptest! {
        #[test]
        fn decoding_agrees_with_the_crate(bytes: Vec<u8>) {
            for text in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
                prop_assert_eq!(&*decode(text.as_bytes()).unwrap(), &bytes);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"([a-z.:%/\\ "'=]|eyJ|ZXlK|u002e|%2E|\PC){0,60}"#) {
            let _ = (certain(&text), looks_like_secret(&text), path_may_hold_secret(&text));
        }
    }
}
