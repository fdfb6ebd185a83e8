//! An HTTP answer as far as anyone here reads it.

use std::io::Read;

use ureq::http::{HeaderMap, Response};

/// The longest body that is read, in bytes. A batch result of 100 targets has about 20 KiB.
pub const BODY_LIMIT: u64 = 4 << 20;

/// A status, the headers that matter, and the body.
#[derive(Debug)]
pub struct Reply {
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
    /// Whether the answer is CloudFront's own rather than Ably's.
    pub from_cloudfront: bool,
    /// The body.
    pub body: Body,
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

impl Reply {
    /// Reads the body and takes the headers over. A 4xx stands even where its body breaks off;
    /// any other broken answer is an error.
    pub fn read(response: Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let (head, mut body) = response.into_parts();
        let body = match whole(&mut body) {
            Ok(bytes) => match String::from_utf8(bytes) {
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
            status: head.status.as_u16(),
            retry_after: header("retry-after"),
            error_code: header("x-ably-errorcode"),
            error_message: header("x-ably-errormessage"),
            link: list_of(&head.headers, "link"),
            from_cloudfront: header("server")
                .is_some_and(|server| server.eq_ignore_ascii_case("cloudfront")),
            body,
        })
    }

    /// Whether the next host may do better (RSC15l).
    pub fn calls_for_fallback(&self) -> bool {
        (500..=504).contains(&self.status) || (self.status >= 400 && self.from_cloudfront)
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
