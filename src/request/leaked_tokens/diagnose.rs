//! What a text without a JWT is, where it is one thing as a whole: a file of the wrong kind, or the
//! wrong secret.

use std::fmt;

use zeroize::Zeroizing;

use super::keys::is_likely_name;
use crate::request::irrevocable::OTHER_TARGET;
use crate::secret::jwt::{LIMIT, scan};
use crate::secret::shape::{inner, is_id, unwrapped};

/// What a text is instead of one with tokens.
#[derive(Debug, PartialEq, Eq)]
pub enum Diagnosis {
    Empty,
    /// The command that undoes it, such as `zcat`.
    Compressed(&'static str),
    /// As PowerShell's `>` writes it.
    Utf16,
    /// As it stands or in base64; its name.
    ApiKey(String),
    /// The ID of its app, which may be shown.
    OpaqueToken(String),
    EncryptedJwt,
    BrokenToken,
}

impl fmt::Display for Diagnosis {
    /// As a sentence's end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Compressed(_) => "is compressed",
            Self::Utf16 => "is UTF-16, not UTF-8",
            Self::ApiKey(_) => "is an API key, not a token",
            Self::EncryptedJwt => "is an encrypted JWT (five parts), which cannot be decoded",
            Self::BrokenToken => "holds a token that is broken over several lines",
            Self::OpaqueToken(app) => {
                return write!(f, "is an opaque Ably token of app {app}, which cannot be decoded");
            }
        })
    }
}

impl Diagnosis {
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty => {
                "give the whole token, as header.payload.signature, on one line".to_owned()
            }
            Self::Compressed(tool) => format!(
                "unpack it first: {tool} FILE | ably auth revoke-token --from-token - --force"
            ),
            Self::Utf16 => "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)".to_owned(),
            Self::ApiKey(_) => "to use it here, give it with --api-key-file".to_owned(),
            Self::BrokenToken => "join its lines to one".to_owned(),
            Self::OpaqueToken(_) | Self::EncryptedJwt => {
                format!("{OTHER_TARGET}, or revoke its API key in Ably's dashboard")
            }
        }
    }
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
pub(super) fn of(text: &[u8], is_whole: bool) -> Option<Diagnosis> {
    if let Some((_, tool)) = COMPRESSED.iter().find(|(magic, _)| text.starts_with(magic)) {
        return Some(Diagnosis::Compressed(tool));
    }
    let is_utf_16 = |pair: &[u8; 2]| (pair[0] == 0) != (pair[1] == 0);
    let pairs = text.as_chunks::<2>().0.get(..8);
    if text.starts_with(b"\xff\xfe")
        || text.starts_with(b"\xfe\xff")
        || pairs.is_some_and(|pairs| pairs.iter().all(is_utf_16))
    {
        return Some(Diagnosis::Utf16);
    }
    let text = str::from_utf8(text).ok().filter(|text| is_whole && text.len() <= 2 * LIMIT)?;
    let bare = unwrapped(text);
    if bare.is_empty() {
        return Some(Diagnosis::Empty);
    }
    secret(bare).or_else(|| secret(&inner(bare)?)).or_else(|| broken(bare))
}

fn secret(text: &str) -> Option<Diagnosis> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    if let Some((name, _)) =
        text.split_once(':').filter(|(name, rest)| is_likely_name(name) && !rest.is_empty())
    {
        return Some(Diagnosis::ApiKey(name.to_owned()));
    }
    let is_base64 = |part: &str| part.is_empty() || is_id(part);
    if text.starts_with("ey") && text.split('.').count() == 5 && text.split('.').all(is_base64) {
        return Some(Diagnosis::EncryptedJwt);
    }
    let (app, opaque) = text.split_once('.')?;
    // What is too long for an app's ID may be a secret.
    let is_app = (4..=12).contains(&app.len()) && is_id(app) && !app.starts_with("ey");
    (is_app && opaque.len() >= SHORTEST_OPAQUE && opaque.split('.').all(is_base64))
        .then(|| Diagnosis::OpaqueToken(app.to_owned()))
}

/// As mail programs and terminals break long lines.
fn broken(text: &str) -> Option<Diagnosis> {
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    joined.extend(text.split_whitespace());
    let mut is_one = false;
    scan(joined.as_bytes(), 0..joined.len(), &mut |spot, _| {
        let is_all = |raw: &str| raw.trim_end_matches('.') == joined.trim_end_matches('.');
        is_one |= spot.read().is_some_and(|jwt| is_all(jwt.raw().expose()));
    });
    is_one.then_some(Diagnosis::BrokenToken)
}
