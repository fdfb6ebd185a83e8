//! What a JWT says of itself, and why it may not be acted on. No message holds any value of it.

use std::fmt;

use memchr::memmem;

use crate::json::document::{Document, Value};
use crate::request::target::is_foreign;
use crate::secret::jwt::{Jwt, object};
use crate::secret::parts::{decode, is_key_name};
use crate::secret::shape::holds_token;

const KEY_NAME: &str = "kid";
/// What the names of Ably's own claims begin with.
const ABLYS: &str = "x-ably-";
const EMBEDDED: &str = "x-ably-token";
const CLIENT_ID: &str = "x-ably-clientId";
const REVOCATION_KEY: &str = "x-ably-revocation-key";

/// What a JWT is, and what can be done about it.
pub(super) struct Judged {
    pub(super) origin: Origin,
    /// Empty if none can be told.
    pub(super) key_name: String,
    pub(super) claims: Claims,
    /// Why it cannot be revoked by itself.
    pub(super) why: Option<Why>,
}

#[derive(PartialEq, Eq)]
pub(super) enum Origin {
    Ablys,
    /// It names a key, but no claim is one of Ably's own.
    Uncertain,
    Foreign,
}

/// What a token says of itself, as far as that can be read.
#[derive(Debug, Default)]
pub struct Claims {
    /// The client that it was issued to (`x-ably-clientId`); `*` is any.
    pub client_id: Option<Box<str>>,
    /// Its group for revocation (`x-ably-revocation-key`).
    pub revocation_key: Option<Box<str>>,
    /// When it was issued, in Unix seconds (`iat`).
    pub issued_at: Option<i64>,
    /// When it expires, in Unix seconds (`exp`).
    pub expires_at: Option<i64>,
    /// What it may do (`x-ably-capability`): JSON in a string. Empty if it is no string.
    pub capability: Option<Box<str>>,
}

/// Why a token cannot be revoked by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    NoClaim,
    AnyClient,
    /// A claim, and what is wrong with it.
    Claim(&'static str, &'static str),
    /// A JWT, or the secret of a key at hand.
    HoldsSecret,
    Embedded,
    Cut,
}

/// Readers differ in which of two claims they believe.
const TWICE: &str = "comes more than once";

impl fmt::Display for Why {
    /// As a sentence's end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoClaim => "has neither a client ID nor a revocation key",
            Self::AnyClient => "is for any client ID (*) and has no revocation key",
            Self::Claim(claim, flaw) => return write!(f, "is doubtful: its {claim} {flaw}"),
            Self::HoldsSecret => "is doubtful: a claim of it holds a key or a token",
            Self::Embedded => {
                "is doubtful: it only carries an Ably token (x-ably-token), which cannot be decoded"
            }
            Self::Cut => {
                "is doubtful: its payload cannot be decoded: it was cut off, broken over lines, or \
                 longer than 64 KiB"
            }
        })
    }
}

impl Claims {
    /// What can be revoked: the client ID, unless that is `*`, and the revocation key.
    pub(super) fn targets(&self) -> (Option<&str>, Option<&str>) {
        let client_id = self.client_id.as_deref().filter(|id| *id != "*");
        (client_id, self.revocation_key.as_deref())
    }

    /// `issued_at` in Unix milliseconds.
    pub fn issued_ms(&self) -> Option<i64> {
        self.issued_at.map(|at| at.saturating_mul(1000))
    }

    /// `expires_at` in Unix milliseconds.
    pub fn expires_ms(&self) -> Option<i64> {
        self.expires_at.map(|at| at.saturating_mul(1000))
    }

    /// When it expired, if it did, by a clock. Both in Unix milliseconds.
    pub fn ended_ms(&self, now_ms: i64) -> Option<i64> {
        self.expires_ms().filter(|end| *end <= now_ms)
    }

    /// Leaves out what would show a secret that they hold.
    pub fn forget_targets(&mut self) {
        (self.client_id, self.revocation_key) = (None, None);
    }

    /// Why none of them can be revoked.
    fn why_not(&self) -> Option<Why> {
        let (client_id, revocation_key) = self.targets();
        if client_id.or(revocation_key).is_none() {
            return Some(if self.client_id.is_some() { Why::AnyClient } else { Why::NoClaim });
        }
        let values = [(CLIENT_ID, client_id), (REVOCATION_KEY, revocation_key)];
        values.into_iter().find_map(|(claim, value)| match value? {
            value if holds_token(value) => Some(Why::HoldsSecret),
            value if value.contains(is_foreign) => {
                Some(Why::Claim(claim, "holds a line break or a control character"))
            }
            _ => None,
        })
    }
}

impl Jwt<'_> {
    /// What it is; `None` if it is no JWT after all.
    pub(super) fn judge(&self) -> Option<Judged> {
        // Every encrypted JWT has `enc` (RFC 7516, 4.1.2).
        let header = object(&self.header_json).filter(|header| !has(header, "enc"))?;
        let kid = text(&header, KEY_NAME);
        let key_name = kid.ok().flatten().filter(|name| is_key_name(name));
        let payload = Some(self.payload).filter(|_| !self.is_too_long());
        let payload = payload.and_then(decode).and_then(|json| object(&json)).ok_or(Why::Cut);
        if payload.is_err() && key_name.is_none() {
            return None;
        }
        let is_embedded =
            has(&header, EMBEDDED) || payload.as_ref().is_ok_and(|part| has(part, EMBEDDED));
        let has_own = match &payload {
            Ok(part) => fields(part).any(|(name, _)| name.starts_with(ABLYS)),
            Err(_) => self.begins_like_ablys(),
        };
        let may_name_one = key_name.is_some() || kid == Err(Why::Claim(KEY_NAME, TWICE));
        let origin = match &key_name {
            _ if is_embedded || has_own && may_name_one => Origin::Ablys,
            Some(_) => Origin::Uncertain,
            None => Origin::Foreign,
        };
        let (mut claims, doubt) = payload.as_ref().map(claims).unwrap_or_default();
        let why = is_embedded.then_some(Why::Embedded).or(kid.err()).or(payload.err()).or(doubt);
        let why = why.or_else(|| claims.why_not());
        if why == Some(Why::HoldsSecret) {
            claims.forget_targets();
        }
        Some(Judged { origin, key_name: key_name.unwrap_or_default().to_owned(), claims, why })
    }

    /// Whether what can be decoded of a payload has a claim of Ably's.
    fn begins_like_ablys(&self) -> bool {
        let (whole_groups, _) = self.payload.as_chunks::<4>();
        let start = decode(whole_groups.as_flattened());
        start.is_some_and(|start| memmem::find(&start, ABLYS.as_bytes()).is_some())
    }
}

/// What a payload says, and the first claim of it that cannot be believed.
fn claims(payload: &Document) -> (Claims, Option<Why>) {
    let mut doubt = None;
    let claims = Claims {
        client_id: believed(text(payload, CLIENT_ID), &mut doubt).map(Box::from),
        revocation_key: believed(text(payload, REVOCATION_KEY), &mut doubt).map(Box::from),
        issued_at: believed(time(payload, "iat"), &mut doubt),
        expires_at: believed(time(payload, "exp"), &mut doubt),
        capability: match value(payload, "x-ably-capability") {
            Ok(capability) => capability.map(|it| it.as_text().unwrap_or_default().into()),
            Err(_) => Some("".into()),
        },
    };
    (claims, doubt)
}

fn believed<T>(claim: Result<Option<T>, Why>, doubt: &mut Option<Why>) -> Option<T> {
    claim.unwrap_or_else(|why| {
        doubt.get_or_insert(why);
        None
    })
}

fn fields(part: &Document) -> impl Iterator<Item = (&str, Value<'_>)> {
    part.root().fields().into_iter().flatten()
}

fn value<'a>(part: &'a Document, claim: &'static str) -> Result<Option<Value<'a>>, Why> {
    let mut own = fields(part).filter(|(name, _)| *name == claim).map(|(_, value)| value);
    match (own.next(), own.next()) {
        (value, None) => Ok(value),
        _ => Err(Why::Claim(claim, TWICE)),
    }
}

fn has(part: &Document, claim: &str) -> bool {
    fields(part).any(|(name, _)| name == claim)
}

/// A text; an empty one counts as absent.
fn text<'a>(part: &'a Document, claim: &'static str) -> Result<Option<&'a str>, Why> {
    let Some(value) = value(part, claim)? else { return Ok(None) };
    let text = value.as_text().ok_or(Why::Claim(claim, "is not a string"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Unix seconds, fractions rounded down (RFC 7519 allows them). What is too far away for an `i64` is
/// as far as that goes.
fn time(part: &Document, claim: &'static str) -> Result<Option<i64>, Why> {
    let time = value(part, claim)?.map(Value::as_nearest_integer);
    time.map(|time| time.ok_or(Why::Claim(claim, "is not a time in Unix seconds"))).transpose()
}
