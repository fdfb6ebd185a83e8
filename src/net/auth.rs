//! Authorization headers: the one place where a secret is read to be sent.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::net::HEAD_LIMIT;
use crate::secret::Secret;

/// What a request head has besides its credentials, in bytes: mostly the path, with a key name in it.
const OTHERWISE: usize = 4 << 10;

/// The basic authorization header for a key, marked sensitive.
///
/// # Errors
/// The key holds characters that no header can.
pub(super) fn basic(key: &ApiKey) -> Result<HeaderValue, ureq::http::Error> {
    header("Basic ", key.expose().as_bytes())
}

/// The bearer authorization header for an access token of the Control API, marked sensitive.
///
/// # Errors
/// The token holds characters that no header can.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, ureq::http::Error> {
    sensitive(&Zeroizing::new(format!("Bearer {}", token.expose())))
}

/// The bearer authorization header for an Ably token, which is base64 once more, marked sensitive.
///
/// # Errors
/// Base64 always fits into a header; this is for the compiler.
pub(super) fn token(token: &Secret) -> Result<HeaderValue, ureq::http::Error> {
    header("Bearer ", token.expose().as_bytes())
}

fn header(scheme: &str, credentials: &[u8]) -> Result<HeaderValue, ureq::http::Error> {
    let mut text = Zeroizing::new(scheme.to_owned());
    BASE64_STANDARD.encode_string(credentials, &mut text);
    sensitive(&text)
}

fn sensitive(text: &str) -> Result<HeaderValue, ureq::http::Error> {
    let mut header = HeaderValue::from_str(text)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Whether a request with these credentials can be sent, with the longest path that is used.
pub(super) fn fits(authorization: &HeaderValue) -> bool {
    authorization.len() + OTHERWISE <= HEAD_LIMIT
}
