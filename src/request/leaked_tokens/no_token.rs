//! What a text without a JWT is, where it is one thing as a whole: a file of the wrong kind, or the
//! wrong secret.

use zeroize::Zeroizing;

use super::base64url::{decoded, length};
use super::finder::Finder;
use super::jwt::{LIMIT, is_id, is_key_name};

/// What a text is instead of one with tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// Nothing but white space.
    Empty,
    /// Compressed; the command that undoes it, such as `zcat`.
    Compressed(&'static str),
    /// UTF-16, as PowerShell's `>` writes it.
    Utf16,
    /// An API key, as it stands or in base64.
    ApiKey,
    /// An opaque token; the ID of its app, which may be shown.
    OpaqueToken(String),
    /// An encrypted JWT (five parts).
    EncryptedJwt,
    /// One JWT with line breaks or white space in it.
    BrokenToken,
}

/// What compressed files begin with.
const COMPRESSED: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "zcat"),
    (b"\x28\xb5\x2f\xfd", "zstdcat"),
    (b"\xfd7zXZ\0", "xzcat"),
    (b"BZh", "bzcat"),
    (b"PK\x03\x04", "unzip -p"),
];
/// The shortest opaque part of an Ably token.
const SHORTEST_OPAQUE: usize = 24;

/// What a text is, by its beginning or, if that is all of it, by the whole. Of use only if no JWT
/// was found in it.
pub(super) fn of(text: &[u8], is_whole: bool) -> Option<Instead> {
    if let Some((_, tool)) = COMPRESSED.iter().find(|(magic, _)| text.starts_with(magic)) {
        return Some(Instead::Compressed(tool));
    }
    let is_utf_16 = |pair: &[u8; 2]| (pair[0] == 0) != (pair[1] == 0);
    let pairs = text.as_chunks::<2>().0.get(..8);
    if text.starts_with(b"\xff\xfe")
        || text.starts_with(b"\xfe\xff")
        || pairs.is_some_and(|pairs| pairs.iter().all(is_utf_16))
    {
        return Some(Instead::Utf16);
    }
    let text = str::from_utf8(text).ok().filter(|text| is_whole && text.len() <= 2 * LIMIT)?;
    let bare = unwrapped(text);
    if bare.is_empty() {
        return Some(Instead::Empty);
    }
    one(bare).or_else(|| inner(bare.trim_end_matches('='))).or_else(|| broken(bare))
}

/// Takes off what a secret is pasted with.
fn unwrapped(text: &str) -> &str {
    let is_around =
        |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '`' | ',' | ';');
    let mut text = text.trim_matches(is_around);
    for word in ["authorization:", "bearer ", "basic "] {
        let start = text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word));
        text = start.and_then(|_| text.get(word.len()..)).unwrap_or(text).trim_matches(is_around);
    }
    text
}

fn one(text: &str) -> Option<Instead> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    if text.split_once(':').is_some_and(|(name, secret)| is_key_name(name) && !secret.is_empty()) {
        return Some(Instead::ApiKey);
    }
    let is_base64 = |part: &str| length(part.as_bytes()) == part.len();
    if text.starts_with("ey") && text.split('.').count() == 5 && text.split('.').all(is_base64) {
        return Some(Instead::EncryptedJwt);
    }
    let (app, opaque) = text.split_once('.')?;
    // What is too long for an app's ID may be a secret.
    let is_app = (4..=12).contains(&app.len()) && is_id(app) && !app.starts_with("ey");
    (is_app && opaque.len() >= SHORTEST_OPAQUE && opaque.split('.').all(is_base64))
        .then(|| Instead::OpaqueToken(app.to_owned()))
}

/// What is one in base64.
fn inner(text: &str) -> Option<Instead> {
    let is_base64 = length(text.as_bytes()) == text.len();
    let inner: Zeroizing<Vec<u8>> = Zeroizing::new(decoded(text.as_bytes()).collect());
    str::from_utf8(&inner).ok().filter(|_| is_base64).and_then(one)
}

/// As mail programs and terminals break long lines.
fn broken(text: &str) -> Option<Instead> {
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    joined.extend(text.split_whitespace());
    let mut is_one = false;
    let all = joined.len();
    Finder::new().scan(joined.as_bytes(), true, &mut |jwt, at| {
        is_one |= at == 0 && (jwt.signed.len() + 1 + jwt.signature.len()).abs_diff(all) <= 1;
        true
    });
    is_one.then_some(Instead::BrokenToken)
}
