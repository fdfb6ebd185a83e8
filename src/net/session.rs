//! One service as one credential sees it: its hosts and the `Authorization` header, the one place
//! where a secret is read to be sent. Texts in its answers are redacted with all secrets of the run.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::net::HEAD_LIMIT;
use crate::net::endpoint::Hosts;
use crate::net::http::Http;
use crate::secret::Secret;

/// The rest of a request head, in bytes: mostly the path, with a key name in it.
const OTHERWISE: usize = 4 << 10;

/// What the sessions of a run share.
pub type Net<'a> = &'a Http<'a>;

/// In whose name a service is asked.
#[derive(Debug, Clone, Copy)]
pub enum Credential<'a> {
    None,
    /// Basic auth.
    Key(&'a ApiKey),
    /// Of the Control API: bearer auth.
    AccessToken(&'a Secret),
    /// An Ably token: bearer auth, in base64.
    Token(&'a Secret),
}

impl Credential<'_> {
    /// The `Authorization` header, marked sensitive. The error is that no header can hold it.
    fn header(self) -> Result<Option<HeaderValue>, ureq::http::Error> {
        let encoded = |scheme: &str, text: &str| {
            let mut header = Zeroizing::new(scheme.to_owned());
            BASE64_STANDARD.encode_string(text, &mut header);
            header
        };
        let text = match self {
            Self::None => return Ok(None),
            Self::Key(key) => encoded("Basic ", key.expose()),
            Self::AccessToken(token) => Zeroizing::new(format!("Bearer {}", token.expose())),
            Self::Token(token) => encoded("Bearer ", token.expose()),
        };
        let mut header = HeaderValue::from_str(&text)?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

/// One service as one credential sees it.
#[derive(Debug)]
pub struct Session<'a> {
    pub net: Net<'a>,
    pub hosts: Hosts,
    pub(super) authorization: Option<HeaderValue>,
}

impl<'a> Session<'a> {
    /// The error says why no header can hold the credential, as the rest of a sentence.
    pub fn new(
        net: Net<'a>,
        hosts: Hosts,
        credential: Credential<'_>,
    ) -> Result<Self, &'static str> {
        let authorization =
            credential.header().map_err(|_| "has characters that no header can hold")?;
        if authorization.as_ref().is_some_and(|header| header.len() + OTHERWISE > HEAD_LIMIT) {
            return Err("is too long to be sent: a request's head holds 64 KiB");
        }
        Ok(Self { net, hosts, authorization })
    }
}
