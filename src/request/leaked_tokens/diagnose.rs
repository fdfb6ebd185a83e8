//! What a text without a JWT is, where it is one thing as a whole: a file of the wrong kind, or the
//! wrong secret.

use crate::error::Problem;
use crate::request::leaked_tokens::keys::is_likely_name;
use crate::request::leaked_tokens::{LeakedKey, OTHER_TARGET};
use crate::secret::shape::{inner, opaque_app, unwrapped};

/// The longest text that is looked at as a whole, in bytes.
const LONGEST: usize = 4096;

/// What a text is, as a sentence's end, by its beginning or, if that is all of it, by the whole. Of
/// use only if no JWT was found in it. What it is as a whole may be a key in a form that is none
/// among other text.
pub(super) fn of(text: &[u8], is_whole: bool, keys: &mut Vec<LeakedKey>) -> Option<Problem> {
    // Compressed text and UTF-16 are never long without one.
    let is_binary = |byte: &u8| byte.is_ascii_control() && !b"\t\n\x0b\x0c\r\x1b".contains(byte);
    if text.iter().take(LONGEST).any(is_binary) {
        let make = "unpack it first (zcat FILE | ably auth revoke-token --from-token - --force); if \
                    it is UTF-16, save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)";
        return Some(Problem::new("is compressed, or no plain text for another reason", make));
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
    let app = opaque_app(text)?;
    let what = format!("is an opaque Ably token of app {app}, which cannot be decoded");
    let otherwise = format!("{OTHER_TARGET}, or revoke its API key in Ably's dashboard");
    Some(Problem::new(what, otherwise))
}
