//! An HTTP answer as far as anyone here reads it.

use std::io::Read;

use miniserde::json::{self, Value};
use ureq::http::HeaderMap;

use crate::json::integer;
use crate::json::scan::repeated_names;
use crate::secret::redactor::Redactor;

/// The longest body that is read, in bytes. A batch result of 100 targets has about 20 KiB.
pub const BODY_LIMIT: u64 = 4 << 20;
const TOO_LONG: &str = "a body of more than 4 MiB";
const _: () = assert!(BODY_LIMIT == 4 << 20, "TOO_LONG names it");
/// Deeper nesting than this is not an answer of Ably's; a batch result has five levels.
const DEPTH_LIMIT: usize = 16;
/// The code of a batch of which some failed, in answers without `X-Ably-Version`.
pub const PARTLY_FAILED: i64 = 40020;
/// Errors of one host, which has no place for the app or the request.
const PLACEMENT: std::ops::RangeInclusive<i64> = 40330..=40332;

/// A status, the headers that matter, and the body.
#[derive(Debug)]
pub struct Response {
    /// The host that gave it.
    pub host: String,
    /// Why no further try was made, where one was called for.
    pub gave_up: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// `X-Ably-ErrorCode`.
    pub error_code: Option<String>,
    /// `X-Ably-ErrorMessage`.
    pub error_message: Option<String>,
    /// `Link`, for answers that come in pages.
    pub link: Option<String>,
    /// The server that answered, for Ably's support (`X-Ably-Serverid`).
    pub server_id: Option<String>,
    /// The request as the edge knows it (`X-Amz-Cf-Id`).
    pub edge_id: Option<String>,
    /// Whether the answer is CloudFront's own rather than Ably's.
    pub from_cloudfront: bool,
    /// The body, as it came: nothing of it may be shown.
    pub body: Body,
    pub(super) redactor: Redactor,
}

/// A body, or what kept it from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// UTF-8 text.
    Text(String),
    /// Bytes that are no UTF-8, with replacement characters.
    Binary(String),
    /// Longer than `BODY_LIMIT`.
    TooLong,
    /// The connection broke before its end. Only where the status alone is definite (4xx).
    Broken,
}

impl Response {
    /// An answer without the headers that matter.
    pub fn new(host: &str, status: u16, body: Body, redactor: Redactor) -> Self {
        Self {
            host: host.to_owned(),
            gave_up: None,
            status,
            retry_after: None,
            error_code: None,
            error_message: None,
            link: None,
            server_id: None,
            edge_id: None,
            from_cloudfront: false,
            body,
            redactor,
        }
    }

    /// Reads the body and takes the headers over. A 4xx stands even where its body breaks off;
    /// any other broken answer is an error.
    pub(super) fn read(
        response: ureq::http::Response<ureq::Body>,
        host: &str,
        redactor: Redactor,
    ) -> Result<Self, ureq::Error> {
        let (head, mut body) = response.into_parts();
        let body = match whole(&mut body) {
            Ok(bytes) => match String::from_utf8(without_mark(bytes)) {
                Ok(text) => Body::Text(text),
                Err(bad) => Body::Binary(String::from_utf8_lossy(bad.as_bytes()).into_owned()),
            },
            Err(ureq::Error::BodyExceedsLimit(_)) => Body::TooLong,
            Err(_) if head.status.is_client_error() => Body::Broken,
            // ureq names the whole exchange; by now it is the body that did not come in time.
            Err(ureq::Error::Timeout(_)) => {
                return Err(ureq::Error::Timeout(ureq::Timeout::RecvBody));
            }
            Err(error) => return Err(error),
        };
        let header = |name| text_of(&head.headers, name);
        Ok(Self {
            retry_after: header("retry-after"),
            error_code: header("x-ably-errorcode"),
            error_message: header("x-ably-errormessage"),
            link: list_of(&head.headers, "link"),
            server_id: header("x-ably-serverid"),
            edge_id: header("x-amz-cf-id"),
            from_cloudfront: header("server")
                .is_some_and(|server| server.eq_ignore_ascii_case("cloudfront")),
            ..Self::new(host, head.status.as_u16(), body, redactor)
        })
    }

    /// What it says of the request that it answers.
    pub fn word(&self) -> Word {
        let placed = || self.code().is_some_and(|code| PLACEMENT.contains(&code));
        match self.status {
            429 => Word::RateLimited,
            500..=504 => Word::OfThisHost,
            400.. if self.from_cloudfront => Word::OfThisHost,
            408 | 421 | 425 => Word::None,
            200..=299 => Word::Definite,
            400 if !self.is_whole_refusal() => Word::Doubtful,
            400..=499 if placed() => Word::OfThisHost,
            400..=499 => Word::Definite,
            _ => Word::Doubtful,
        }
    }

    /// Ably's error code.
    fn code(&self) -> Option<i64> {
        let body = || self.body.json().ok().and_then(|body| error_code(&body));
        self.header_code().or_else(body)
    }

    /// The same as the headers alone have it.
    pub(super) fn header_code(&self) -> Option<i64> {
        self.error_code.as_ref()?.trim().parse().ok()
    }

    /// Whether a 400 refuses the whole request. It may also wrap a partial success, so one that
    /// cannot be read says nothing. A web page can be read: it is not Ably's.
    fn is_whole_refusal(&self) -> bool {
        match (self.body.json(), &self.body) {
            (Ok(Value::Object(body)), _) if body.contains_key("results") => false,
            (Ok(body), _) if error_code(&body).or(self.header_code()) == Some(PARTLY_FAILED) => {
                matches!(&body, Value::Object(body) if matches!(body.get("batchResponse"), Some(Value::Array(_))))
            }
            (Ok(body), _) => !matches!(body, Value::Array(_)),
            (Err(_), Body::Text(_)) if self.header_code() == Some(PARTLY_FAILED) => false,
            // Read whole: there is nothing but the code in the header.
            (Err(_), Body::Text(text)) if text.trim().is_empty() => self.header_code().is_some(),
            (Err(_), Body::Text(text)) => !text.trim_start().starts_with(['{', '[']),
            (Err(_), _) => false,
        }
    }
}

/// What an answer says of the request that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It settles it.
    Definite,
    /// It speaks for one host alone, an edge or one that is down: ask the next (RSC15l).
    OfThisHost,
    /// It is about the connection or the time it took: ask again.
    None,
    /// Ask again later.
    RateLimited,
    /// Nobody knows, and asking again will not tell.
    Doubtful,
}

/// The code of the error that a body holds.
pub fn error_code(body: &Value) -> Option<i64> {
    match body {
        Value::Object(body) => integer(body.get("error")?, "code"),
        _ => None,
    }
}

impl Body {
    /// Reads it as JSON, or says what it is instead.
    pub fn json(&self) -> Result<Value, &'static str> {
        json::from_str(self.text()?).map_err(|_| "a body that is not JSON")
    }

    /// The text of a body that can be read. One that repeats a field cannot: which of the two holds is
    /// anyone's guess.
    pub fn text(&self) -> Result<&str, &'static str> {
        let text = match self {
            Body::Text(text) if text.trim().is_empty() => return Err("an empty body"),
            Body::Text(text) => text,
            Body::Binary(_) => return Err("a body that is not text"),
            Body::TooLong => return Err(TOO_LONG),
            Body::Broken => return Err("a body that breaks off"),
        };
        match repeated_names(text, DEPTH_LIMIT) {
            None => Err("a body nested too deep, or with too many fields, to be Ably's"),
            Some(repeated) if !repeated.is_empty() => Err("a body that repeats a field"),
            Some(_) => Ok(text),
        }
    }
}

/// The body's bytes, in one allocation where their number is announced.
fn whole(body: &mut ureq::Body) -> Result<Vec<u8>, ureq::Error> {
    let announced = body.content_length().unwrap_or(0).min(BODY_LIMIT);
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or(0) + 1);
    let mut reader = body.with_config().limit(BODY_LIMIT).reader();
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A byte order mark says nothing of the body behind it.
fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..3);
    }
    bytes
}

/// A header whose lines count as one list (RFC 9110, 5.3).
fn list_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
