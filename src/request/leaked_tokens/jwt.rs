//! A JWT's parts, and what they say. No message holds any value.

use zeroize::Zeroizing;

use super::base64url::decode;
use crate::json::document::{Document, Value};

/// Ably's own limit is lower. In bytes.
pub(super) const LIMIT: usize = 64 << 10;
const KEY_NAME: &str = "kid";
/// Every encrypted JWT has it (RFC 7516, 4.1.2).
const ENCRYPTED: &str = "enc";
const EMBEDDED: &str = "x-ably-token";
const CLIENT_ID: &str = "x-ably-clientId";
const REVOCATION_KEY: &str = "x-ably-revocation-key";
const ISSUED_AT: &str = "iat";
const EXPIRES_AT: &str = "exp";
const CUT_OFF: &str = "its payload cannot be decoded: it was cut off, or broken over lines";
const WRAPPER: &str = "it only carries an Ably token (x-ably-token), which cannot be decoded";

/// What a header says.
pub(super) struct Header {
    /// The Ably key that signed the token, if it is one's name.
    key_name: Option<String>,
    /// Why no key can be told.
    doubt: Option<String>,
    is_wrapper: bool,
}

/// A JWT where it stands.
pub(super) struct Jwt<'a> {
    pub(super) header: &'a Header,
    pub(super) payload: &'a [u8],
    /// `header.payload`, or the first `LIMIT` bytes of it.
    pub(super) signed: &'a [u8],
    /// Empty if it was cut off.
    pub(super) signature: &'a [u8],
    pub(super) is_too_long: bool,
}

/// What a JWT is.
pub(super) enum Verdict {
    /// A token of an Ably key.
    Ably(Claims),
    /// Another's.
    Foreign,
    /// For Ably, but not to be acted on.
    Doubtful { key_name: Option<String>, why: String },
}

/// What a token says of itself.
pub(super) struct Claims {
    pub(super) key_name: String,
    pub(super) client_id: Option<String>,
    pub(super) revocation_key: Option<String>,
    pub(super) issued_at: Option<i64>,
    pub(super) expires_at: Option<i64>,
}

impl Header {
    /// Decodes the header of a JWT that is not encrypted.
    pub(super) fn decode(text: &[u8]) -> Option<Self> {
        let part = Part::decode(text).filter(|part| !part.has(ENCRYPTED))?;
        // What is not a string is not of Ably's, what comes twice may be.
        let doubt = part.is_repeated(KEY_NAME).then(|| part.value(KEY_NAME).err()).flatten();
        let key_name = part.text(KEY_NAME).ok().flatten().filter(|name| is_key_name(name));
        Some(Self { key_name, doubt, is_wrapper: part.has(EMBEDDED) })
    }
}

impl Jwt<'_> {
    /// `header.payload.signature`.
    pub(super) fn raw(&self) -> Zeroizing<String> {
        let parts = [self.signed, b".", self.signature];
        // With room for all of it from the start, so that no copy is left behind.
        let length = parts.iter().map(|part| part.len()).sum();
        let mut raw = Zeroizing::new(String::with_capacity(length));
        raw.extend(parts.iter().filter_map(|part| str::from_utf8(part).ok()));
        raw
    }

    /// What it is; `None` if it is no JWT after all.
    pub(super) fn judge(&self) -> Option<Verdict> {
        let key_name = self.header.key_name.clone();
        let payload = if self.is_too_long { None } else { Part::decode(self.payload) };
        let is_wrapper = |part: &Part| self.header.is_wrapper || part.has(EMBEDDED);
        let why = match (&payload, &key_name, &self.header.doubt) {
            (None, None, _) => return None,
            (None, Some(_), _) if self.is_too_long => "it is longer than 64 KiB".to_owned(),
            (None, Some(_), _) => CUT_OFF.to_owned(),
            (Some(payload), ..) if is_wrapper(payload) => WRAPPER.to_owned(),
            (Some(_), None, Some(doubt)) => doubt.clone(),
            (Some(_), None, None) => return Some(Verdict::Foreign),
            (Some(payload), Some(key_name), _) => match claims(payload, key_name) {
                Ok(claims) => return Some(Verdict::Ably(claims)),
                Err(why) => why,
            },
        };
        Some(Verdict::Doubtful { key_name, why })
    }
}

fn claims(payload: &Part, key_name: &str) -> Result<Claims, String> {
    Ok(Claims {
        client_id: payload.text(CLIENT_ID)?,
        revocation_key: payload.text(REVOCATION_KEY)?,
        issued_at: payload.time(ISSUED_AT)?,
        expires_at: payload.time(EXPIRES_AT)?,
        key_name: key_name.to_owned(),
    })
}

/// Whether a text is the name of an Ably key, `appId.keyId`.
pub(super) fn is_key_name(text: &str) -> bool {
    text.split_once('.').is_some_and(|(app, key)| is_id(app) && is_id(key))
}

/// Whether a text may be the ID of an app or a key.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// One of the two JSON objects of a JWT.
struct Part(Document);

impl Part {
    fn decode(text: &[u8]) -> Option<Self> {
        let document = Document::read(str::from_utf8(&decode(text)?).ok()?)?;
        let is_object = document.root().fields().is_some();
        is_object.then_some(Self(document))
    }

    /// Readers differ in which of two they believe, so Ably's may be the other.
    fn is_repeated(&self, claim: &str) -> bool {
        let fields = self.0.root().fields().into_iter().flatten();
        fields.filter(|(name, _)| *name == claim).count() > 1
    }

    fn has(&self, claim: &str) -> bool {
        !matches!(self.value(claim), Ok(None))
    }

    fn value(&self, claim: &str) -> Result<Option<Value<'_>>, String> {
        if self.is_repeated(claim) {
            return Err(format!("it holds {claim} more than once"));
        }
        Ok(self.0.root().get(claim))
    }

    /// A text; an empty one counts as absent.
    fn text(&self, claim: &str) -> Result<Option<String>, String> {
        match self.value(claim)?.map(Value::as_text) {
            None => Ok(None),
            Some(Some(text)) => Ok((!text.is_empty()).then(|| text.to_owned())),
            Some(None) => Err(format!("its {claim} is not a string")),
        }
    }

    /// Unix seconds, fractions rounded down (RFC 7519 allows them). What is too far away for an
    /// `i64` is as far as that goes.
    fn time(&self, claim: &str) -> Result<Option<i64>, String> {
        match self.value(claim)?.map(Value::as_nearest_integer) {
            None => Ok(None),
            Some(Some(time)) => Ok(Some(time)),
            Some(None) => Err(format!("its {claim} is not a time in Unix seconds")),
        }
    }
}
