//! Authorization headers, and the scrubber that knows them. Nothing else reads a secret.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::key::ApiKey;
use crate::secret::{Scrubber, Secret};

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

/// Makes the scrubber take a token out of texts: whole, each part alone, and in base64.
pub fn conceal_token(token: &Secret, scrubber: &mut Scrubber) {
    let whole = token.expose();
    scrubber.add(whole);
    whole.split('.').for_each(|part| scrubber.add(part));
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(whole));
    scrubber.add(encoded.trim_end_matches('='));
}

fn header(scheme: &str, credentials: &[u8]) -> Result<HeaderValue, ureq::http::Error> {
    let mut text = Zeroizing::new(scheme.to_owned());
    BASE64_STANDARD.encode_string(credentials, &mut text);
    let mut header = HeaderValue::from_str(&text)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Makes the scrubber take a key out of texts: whole, its secret alone, and as a header has it.
pub fn conceal(key: &ApiKey, scrubber: &mut Scrubber) {
    let whole = key.expose();
    scrubber.add(whole);
    scrubber.add(whole.split_once(':').map_or("", |(_, secret)| secret));
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(whole));
    scrubber.add(encoded.trim_end_matches('='));
}
