//! An HTTP answer, parsed once when it is read: its body, Ably's error, and whether it settles the
//! request. Callers read fields; nobody looks at the bytes again.

use std::borrow::Cow;
use std::io::Read;

use crate::error::AblyError;
use crate::json::document::{Document, Value};
use crate::secret::redactor::Redactor;
use crate::text::excerpt;

/// In bytes, as `Flaw::TooLong` says. A batch result of 100 targets has about 20 KiB.
const BODY_LIMIT: u64 = 4 << 20;
/// The code of a batch of which some failed, in answers without `X-Ably-Version`.
pub(crate) const PARTLY_FAILED: i64 = 40020;

#[derive(Debug)]
pub struct Answer {
    pub host: String,
    pub status: u16,
    pub body: Result<Document, Unreadable>,
    /// Ably's error of the whole answer, from the body or the headers.
    pub error: AblyError,
    pub finality: Finality,
    /// Why no further try was made, where one was called for.
    pub gave_up: Option<String>,
    pub retry_after: Option<String>,
    /// For answers that come in pages.
    pub link: Option<String>,
    /// The edge answered, not Ably.
    pub from_cloudfront: bool,
    redactor: Redactor,
}

/// Whether an answer settles its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finality {
    Final,
    /// It holds for one host only, such as an edge, a host that is down, or one that has no place for
    /// the app (40330 to 40332): ask the next (RSC15l).
    HostOnly,
    /// It is about the connection or the time it took: ask the same host again.
    Retry,
    /// Ask again later.
    RateLimited,
    /// It settles nothing, and asking again would not help.
    Unclear,
}

/// A body that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub flaw: Flaw,
    /// With its beginning on one line, or the title of a web page.
    pub shown: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    Empty,
    WebPage,
    NotJson,
    /// It begins like JSON, so it may be a part of an answer.
    BadJson,
    /// An object has two fields of one name, and parsers differ in which they believe.
    Repeats,
    TooLong,
    /// The connection broke before its end.
    Broken,
}

impl Flaw {
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "an empty body",
            Self::WebPage => "a web page",
            Self::NotJson | Self::BadJson => "a body that is not JSON",
            Self::Repeats => "a body that repeats a field",
            Self::TooLong => "a body of more than 4 MiB",
            Self::Broken => "a body that breaks off",
        }
    }
}

impl Answer {
    /// Reads an answer to its end. A 4xx stands even where its body breaks off; any other broken
    /// answer is an error.
    pub(super) fn read(
        response: ureq::http::Response<ureq::Body>,
        host: &str,
        redactor: Redactor,
    ) -> Result<Self, ureq::Error> {
        let (head, mut body) = response.into_parts();
        // In one allocation if its length is announced.
        let announced = body.content_length().unwrap_or(0).min(BODY_LIMIT);
        let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or(0) + 1);
        let read = body.with_config().limit(BODY_LIMIT).reader().read_to_end(&mut bytes);
        let body = match read.map_err(ureq::Error::from) {
            Ok(_) => Ok(bytes),
            Err(ureq::Error::BodyExceedsLimit(_)) => Err(Flaw::TooLong),
            Err(_) if head.status.is_client_error() => Err(Flaw::Broken),
            // ureq reports the limit of the whole exchange, but it is the body that is late.
            Err(ureq::Error::Timeout(_)) => {
                return Err(ureq::Error::Timeout(ureq::Timeout::RecvBody));
            }
            Err(error) => return Err(error),
        };
        // The lines of `Link` make one list (RFC 9110, 5.3); of others the first counts.
        let header = |name: &str| {
            let most = if name == "link" { usize::MAX } else { 1 };
            let lines = head.headers.get_all(name).iter().take(most);
            let lines: Vec<_> = lines.map(|it| String::from_utf8_lossy(it.as_bytes())).collect();
            (!lines.is_empty()).then(|| lines.join(", "))
        };
        Ok(Self::new(host, head.status.as_u16(), header, body, redactor))
    }

    /// `header` returns a header by its name in lower case.
    pub fn new(
        host: &str,
        status: u16,
        header: impl Fn(&str) -> Option<String>,
        body: Result<Vec<u8>, Flaw>,
        redactor: Redactor,
    ) -> Self {
        let body = match body {
            Ok(bytes) => parse(&bytes, &redactor),
            Err(flaw) => Err(Unreadable { flaw, shown: flaw.words().to_owned() }),
        };
        let clean = |name| header(name).map(|text| redactor.clean(&text).into_owned());
        let in_body = body.as_ref().ok().and_then(|body| body.root().get("error"));
        let mut error = in_body.map(|error| ably_error(error, &redactor)).unwrap_or_default();
        let header_code = header("x-ably-errorcode").and_then(|code| code.trim().parse().ok());
        let is_partial = [error.code, header_code].contains(&Some(PARTLY_FAILED));
        error.code = error.code.or(header_code);
        error.message = error.message.or_else(|| clean("x-ably-errormessage"));
        if error != AblyError::default() || status >= 400 {
            error.status = error.status.or(Some(status));
        }
        error.server_id = clean("x-ably-serverid");
        error.edge_id = clean("x-amz-cf-id");
        let from_cloudfront =
            header("server").is_some_and(|server| server.eq_ignore_ascii_case("cloudfront"));
        let finality = match status {
            429 => Finality::RateLimited,
            500..=504 => Finality::HostOnly,
            400.. if from_cloudfront => Finality::HostOnly,
            408 | 421 | 425 => Finality::Retry,
            400 if !is_whole_refusal(&body, is_partial, header_code) => Finality::Unclear,
            400..=499 if matches!(error.code, Some(40330..=40332)) => Finality::HostOnly,
            200..=299 | 400..=499 => Finality::Final,
            _ => Finality::Unclear,
        };
        Self {
            host: host.to_owned(),
            status,
            body,
            error,
            finality,
            gave_up: None,
            retry_after: header("retry-after"),
            link: header("link"),
            from_cloudfront,
            redactor,
        }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether something on the way answered in Ably's place, such as a proxy or a sign-in page.
    pub fn is_foreign(&self) -> bool {
        let page = matches!(&self.body, Err(Unreadable { flaw: Flaw::WebPage, .. }));
        let redirect = (300..400).contains(&self.status);
        let is_of_ably = self.error.code.is_some() || self.from_cloudfront;
        !is_of_ably && self.status < 500 && (page || redirect)
    }

    /// The error of a single target.
    pub fn error_of(&self, error: Value<'_>) -> AblyError {
        ably_error(error, &self.redactor)
    }

    /// Redacts a text of the answer.
    pub fn clean(&self, text: &str) -> String {
        self.redactor.clean(text).into_owned()
    }
}

fn ably_error(error: Value<'_>, redactor: &Redactor) -> AblyError {
    let clean = |text: &str| redactor.clean(text).into_owned();
    AblyError {
        code: error.integer("code"),
        status: error.integer("statusCode").and_then(|status| u16::try_from(status).ok()),
        message: error.text("message").or(error.as_text()).map(clean),
        href: error.text("href").map(clean),
        ..AblyError::default()
    }
}

/// Whether a 400 refuses the whole request. It may also wrap a partial success, so one that cannot be
/// read settles nothing. A web page settles it: Ably sends none.
fn is_whole_refusal(
    body: &Result<Document, Unreadable>,
    is_partial: bool,
    header_code: Option<i64>,
) -> bool {
    match body.as_ref().map(Document::root) {
        Ok(body) if body.get("results").is_some() => false,
        Ok(body) if is_partial => body.get("batchResponse").and_then(Value::items).is_some(),
        Ok(body) => body.items().is_none(),
        Err(_) if is_partial => false,
        // There is no more to read than the code in the header.
        Err(Unreadable { flaw: Flaw::Empty, .. }) => header_code.is_some(),
        Err(unreadable) => matches!(unreadable.flaw, Flaw::WebPage | Flaw::NotJson),
    }
}

fn parse(bytes: &[u8], redactor: &Redactor) -> Result<Document, Unreadable> {
    // What is valid is told faster than what is not.
    let text = str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim();
    let begins =
        |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let flaw = match Document::read(text) {
        Some(document) if !document.repeats => return Ok(document),
        Some(_) => Flaw::Repeats,
        None if text.is_empty() => Flaw::Empty,
        None if begins("<!doctype") || begins("<html") => Flaw::WebPage,
        None if text.starts_with(['{', '[']) => Flaw::BadJson,
        None => Flaw::NotJson,
    };
    let text = redactor.clean(text);
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let shown = match (flaw, title) {
        (Flaw::Empty, _) | (Flaw::WebPage, None) => flaw.words().to_owned(),
        (Flaw::WebPage, Some((title, _))) => {
            format!("{}, \"{}\"", flaw.words(), excerpt(&one_line(title)))
        }
        _ => format!("{}: {}", flaw.words(), excerpt(&one_line(&text))),
    };
    Err(Unreadable { flaw, shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let header = |name: &str| {
            headers.iter().find(|(own, _)| *own == name).map(|(_, text)| (*text).to_owned())
        };
        Answer::new("host", status, header, Ok(body.to_vec()), Redactor::default())
    }

    #[test]
    fn a_status_says_what_is_settled() {
        use Finality::{Final, HostOnly, RateLimited, Retry, Unclear};
        let edge = [("server", "CloudFront")];
        for (status, plain, of_the_edge) in [
            (201, Final, Final),
            (302, Unclear, Unclear),
            (401, Final, HostOnly),
            (408, Retry, HostOnly),
            (421, Retry, HostOnly),
            (425, Retry, HostOnly),
            (429, RateLimited, RateLimited),
            (500, HostOnly, HostOnly),
            (504, HostOnly, HostOnly),
            (505, Unclear, HostOnly),
        ] {
            assert_eq!(answer(status, &[], b"").finality, plain, "{status}");
            assert_eq!(answer(status, &edge, b"").finality, of_the_edge, "{status}");
        }
        for code in ["40330", "40331", "40332"] {
            assert_eq!(answer(403, &[("x-ably-errorcode", code)], b"").finality, HostOnly);
        }
        assert_eq!(answer(403, &[("x-ably-errorcode", "40333")], b"").finality, Final);
    }

    #[test]
    fn a_400_settles_a_request_only_where_it_can_be_no_partial_success() {
        let partly = r#"{"error":{"code":40020},"batchResponse":[]}"#;
        let marked = format!("\u{feff}{partly}");
        for (code, body, is_final) in [
            (None, r#"{"error":{"code":40000}}"#, true),
            (None, "{}", true),
            (None, "<!DOCTYPE html>", true),
            (None, "Bad Request", true),
            (None, partly, true),
            (None, &marked, true),
            (Some("40020"), r#"{"batchResponse":[]}"#, true),
            (Some("40005"), " ", true),
            (None, "", false),
            (Some("40020"), "", false),
            (Some("40020"), "Bad Request", false),
            (Some("40020"), r#"{"error":{"code":40000}}"#, false),
            (None, r#"{"error":{"code":40020}}"#, false),
            (None, r#"{"error":{"code":40020},"batchResponse":{}}"#, false),
            (None, r#"{"results":[],"error":{"code":40000}}"#, false),
            (None, "[]", false),
            (None, r#"{"error":{"code":40000}"#, false),
            (None, r#"{"error":{"code":40000,"code":1}}"#, false),
        ] {
            let headers = code.map(|code| ("x-ably-errorcode", code));
            let answer = answer(400, headers.as_slice(), body.as_bytes());
            assert_eq!(answer.finality == Finality::Final, is_final, "{code:?} {body}");
        }
        let unread = Answer::new("host", 400, |_| None, Err(Flaw::Broken), Redactor::default());
        assert_eq!(unread.finality, Finality::Unclear);
    }

    #[test]
    fn an_error_is_ablys_by_its_body_and_else_by_its_headers() {
        let headers = [
            ("x-ably-errorcode", " 40300 "),
            ("x-ably-errormessage", "Of the header."),
            ("x-ably-serverid", "frontend.7"),
        ];
        let body = br#"{"error":{"code":40101,"statusCode":401,"href":"https://x"}}"#;
        let error = answer(403, &headers, body).error;
        assert_eq!((error.code, error.status), (Some(40101), Some(401)));
        assert_eq!(error.message.as_deref(), Some("Of the header."));
        assert_eq!(error.href.as_deref(), Some("https://x"));
        let error = answer(403, &headers, b"<html>").error;
        assert_eq!((error.code, error.status), (Some(40300), Some(403)));
        assert_eq!(error.server_id.as_deref(), Some("frontend.7"));
        assert_eq!(answer(201, &[], b"{}").error, AblyError::default());
    }

    #[test]
    fn a_body_that_is_something_else_is_told_by_its_beginning() {
        for (body, told) in [
            (&b" \r\n"[..], "an empty body"),
            (b"\xff\xfe", "not JSON"),
            (b"a\n b", "not JSON: a b"),
            (b"{\"a\"", "not JSON: {"),
            (br#"{"a":1,"a":2}"#, "repeats a field"),
            (b"<HTML><title>\n No\n way</title>", "a web page, \"No way\""),
            (b"<!doctype html>", "a web page"),
        ] {
            let told_body = answer(403, &[], body).body.unwrap_err().shown;
            assert!(told_body.contains(told), "{told_body}");
        }
    }

    #[test]
    fn what_is_not_ablys_is_known_by_its_form_and_the_lack_of_a_code() {
        let (page, code) = (&b"<html>"[..], [("x-ably-errorcode", "40101")]);
        for (status, headers, body, is_foreign) in [
            (200, &[][..], page, true),
            (403, &[], page, true),
            (302, &[], b"", true),
            (403, &code, page, false),
            (403, &[("server", "CloudFront")], page, false),
            (502, &[], page, false),
            (403, &[], b"{}", false),
        ] {
            assert_eq!(answer(status, headers, body).is_foreign(), is_foreign, "{status}");
        }
    }
}
