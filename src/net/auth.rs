//! Authorization headers, and the redactor that knows them. Nothing else reads a secret.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::api_key::{ApiKey, QUOTES};
use crate::secret::Secret;
use crate::secret::redactor::Redactor;

/// The basic authorization header for a key, marked sensitive.
///
/// # Errors
/// The key holds characters that no header can.
pub fn basic(key: &ApiKey) -> Result<HeaderValue, ureq::http::Error> {
    header("Basic ", key.expose().as_bytes())
}

/// The bearer authorization header for an access token of the Control API, marked sensitive.
///
/// # Errors
/// The token holds characters that no header can.
pub fn bearer(token: &Secret) -> Result<HeaderValue, ureq::http::Error> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut header = HeaderValue::from_str(&text)?;
    header.set_sensitive(true);
    Ok(header)
}

/// The bearer authorization header for an Ably token, which is base64 once more, marked sensitive.
///
/// # Errors
/// Base64 always fits into a header; this is for the compiler.
pub fn token(token: &Secret) -> Result<HeaderValue, ureq::http::Error> {
    header("Bearer ", token.expose().as_bytes())
}

fn header(scheme: &str, credentials: &[u8]) -> Result<HeaderValue, ureq::http::Error> {
    let mut text = Zeroizing::new(scheme.to_owned());
    BASE64_STANDARD.encode_string(credentials, &mut text);
    let mut header = HeaderValue::from_str(&text)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Makes the redactor take a key out of texts: its secret, and all of it as a header has it. Its
/// name may be shown.
pub fn conceal(key: &ApiKey, redactor: &Redactor) {
    redactor.add(key.secret());
    redactor.add_base64(key.expose());
}

/// Makes the redactor take a token out of texts, in base64 too.
pub fn conceal_token(token: &Secret, redactor: &Redactor) {
    redactor.add(token.expose());
}

/// Makes the redactor take what was given as a key out of texts, even where it is none: what may be
/// shown of a key is its name, and of another text nothing.
pub fn conceal_given(text: &str, redactor: &Redactor) {
    match (ApiKey::parse(text), text.split_once([':', '='])) {
        (Ok(key), _) => conceal(&key, redactor),
        (Err(_), Some((_, secret))) => conceal_given(secret, redactor),
        (Err(_), None) => {
            redactor.add(text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c)))
        }
    }
}
