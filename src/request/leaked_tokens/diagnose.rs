//! What a text without a JWT is, where it is one thing as a whole: a file of the wrong kind, or the
//! wrong secret.

use crate::error::Problem;
use crate::request::leaked_tokens::keys::is_likely_name;
use crate::request::leaked_tokens::{LeakedKey, OTHER_TARGET};
use crate::secret::parts::is_id;
use crate::secret::shape::{inner, unwrapped};

/// What compressed files begin with, and the commands that undo it.
const COMPRESSED: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "zcat"),
    (b"\x28\xb5\x2f\xfd", "zstdcat"),
    (b"\xfd7zXZ\0", "xzcat"),
    (b"BZh", "bzcat"),
    (b"PK\x03\x04", "unzip -p"),
];
/// The longest text that is looked at as a whole, in bytes.
const LONGEST: usize = 4096;
/// The shortest opaque part of an Ably token.
const SHORTEST_OPAQUE: usize = 24;

/// What a text is, as a sentence's end, by its beginning or, if that is all of it, by the whole. Of
/// use only if no JWT was found in it. What it is as a whole may be a key in a form that is none
/// among other text.
pub(super) fn of(text: &[u8], is_whole: bool, keys: &mut Vec<LeakedKey>) -> Option<Problem> {
    if let Some((_, tool)) = COMPRESSED.iter().find(|(magic, _)| text.starts_with(magic)) {
        let unpack =
            format!("unpack it first: {tool} FILE | ably auth revoke-token --from-token - --force");
        return Some(Problem::new("is compressed", unpack));
    }
    let is_utf_16 = |pair: &[u8; 2]| (pair[0] == 0) != (pair[1] == 0);
    let is_marked = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
    let pairs = text.as_chunks::<2>().0.get(..8);
    if is_marked || pairs.is_some_and(|pairs| pairs.iter().all(is_utf_16)) {
        let save = "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)";
        return Some(Problem::new("is UTF-16, not UTF-8", save));
    }
    let text = str::from_utf8(text).ok().filter(|text| is_whole && text.len() <= LONGEST)?;
    let bare = unwrapped(text);
    if bare.is_empty() {
        let give = "give the whole token, as header.payload.signature, on one line";
        return Some(Problem::new("is empty", give));
    }
    secret(bare, keys).or_else(|| secret(&inner(bare)?, keys))
}

fn secret(text: &str, keys: &mut Vec<LeakedKey>) -> Option<Problem> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    if let Some((name, secret)) = text.split_once(':')
        && is_likely_name(name)
        && !secret.is_empty()
    {
        if keys.is_empty() {
            keys.push(LeakedKey { line: 1, key_name: name.to_owned() });
        }
        return Some(Problem::new("is an API key, not a token", ""));
    }
    let (app, opaque) = text.split_once('.')?;
    // What is too long for an app's ID may be a secret.
    let is_app = (4..=12).contains(&app.len()) && is_id(app) && !app.starts_with("ey");
    let is_base64 = |part: &str| part.is_empty() || is_id(part);
    (is_app && opaque.len() >= SHORTEST_OPAQUE && opaque.split('.').all(is_base64)).then(|| {
        let what = format!("is an opaque Ably token of app {app}, which cannot be decoded");
        Problem::new(what, format!("{OTHER_TARGET}, or revoke its API key in Ably's dashboard"))
    })
}
