//! Judges an answer target by target. A status of 201 says nothing: only a result for that very
//! target, without an error and with both times, makes it revoked.

use std::rc::Rc;

use miniserde::Deserialize;
use miniserde::json::{self, Number, Object, Value};

use crate::error::{ErrorInfo, Problem};
use crate::net::reply::{BODY_LIMIT, Body, Reply};
use crate::outcome::{Confirmation, Failure, Outcome, Scope};
use crate::remedy;
use crate::scan::repeated_names;
use crate::secret::Scrubber;
use crate::text::excerpt;

/// Deeper nesting than this is not an answer of Ably's; a batch result has five levels.
const DEPTH_LIMIT: usize = 16;
const TOO_LONG: &str = "a body of more than 4 MiB";
const _: () = assert!(BODY_LIMIT == 4 << 20, "TOO_LONG names it");
/// The code of a batch of which some failed, in answers without `X-Ably-Version`.
const PARTLY_FAILED: i64 = 40020;

/// What became of each target of one request, in the order asked.
///
/// `gave_up` is why no further try was made, where one was called for.
pub fn judge(
    reply: &Reply,
    host: &str,
    gave_up: Option<&str>,
    targets: &[&str],
    scrubber: &Scrubber,
) -> Vec<Outcome> {
    let text = checked(&reply.body);
    let succeeded = text.ok().filter(|_| is_success(reply.status));
    if let Some(outcomes) = succeeded.and_then(|text| all_confirmed(text, targets)) {
        return outcomes;
    }
    let parsed = parsed(text);
    let results = parsed.as_ref().ok().and_then(|value| results(value, reply.status));
    let Some(mut results) = results else {
        let failure = Rc::new(whole_failure(reply, &parsed, host, gave_up, scrubber));
        let whole = if is_refusal(reply.status) {
            Outcome::Refused(failure)
        } else {
            Outcome::Unknown(failure)
        };
        return vec![whole; targets.len()];
    };
    results.sort_by_key(|result| result.target);
    let lacking = lacking(host);
    targets
        .iter()
        .map(|target| {
            of_target(target, &results, scrubber, host)
                .unwrap_or_else(|| Outcome::Unknown(Rc::clone(&lacking)))
        })
        .collect()
}

/// A batch result in which every target was confirmed: what most answers are. Read by type, since
/// that takes a fraction of the time and memory that a tree of values does.
#[derive(Deserialize)]
struct AllConfirmed {
    results: Vec<Confirmed>,
}

#[derive(Deserialize)]
struct Confirmed {
    target: String,
    /// Boxed, since it is never there: with one, the answer is of another form.
    error: Option<Box<Value>>,
    #[serde(rename = "issuedBefore")]
    issued_before: u64,
    #[serde(rename = "appliesAt")]
    applies_at: u64,
}

/// The outcomes of an answer that confirms exactly these targets, in this order. Targets are
/// unique, so there is nothing more to look for in it.
fn all_confirmed(text: &str, targets: &[&str]) -> Option<Vec<Outcome>> {
    let AllConfirmed { results } = json::from_str(text).ok()?;
    if results.len() != targets.len() {
        return None;
    }
    let mut outcomes = Vec::with_capacity(targets.len());
    for (result, target) in results.iter().zip(targets) {
        if result.target != **target || result.error.is_some() {
            return None;
        }
        outcomes.push(Outcome::Revoked(Confirmation {
            issued_before: i64::try_from(result.issued_before).ok()?,
            applies_at: i64::try_from(result.applies_at).ok()?,
        }));
    }
    Some(outcomes)
}

/// A result with what it says of its target; `null` is as good as absent.
struct Listed<'a> {
    target: &'a str,
    error: Option<&'a Value>,
    issued_before: Option<i64>,
    applies_at: Option<i64>,
}

/// The results of an answer, in whichever of its forms: the batch result and the bare array with
/// a 2xx, `batchResponse` beside error 40020 with a 4xx. What has no target is no result.
fn results(value: &Value, status: u16) -> Option<Vec<Listed<'_>>> {
    let list = match value {
        Value::Array(list) if is_success(status) => list,
        Value::Object(object) => {
            let partly =
                object.get("error").and_then(|error| integer(error, "code")) == Some(PARTLY_FAILED);
            let batch = is_success(status) || is_refusal(status);
            match (object.get("results"), object.get("batchResponse")) {
                (Some(Value::Array(list)), _) if is_success(status) => list,
                (_, Some(Value::Array(list))) if partly && batch => list,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(list.iter().filter_map(listed).collect())
}

fn listed(result: &Value) -> Option<Listed<'_>> {
    let Value::Object(object) = result else {
        return None;
    };
    let time = |name| object.get(name).and_then(millis);
    Some(Listed {
        target: string(object, "target")?,
        error: object.get("error").filter(|error| !matches!(error, Value::Null)),
        issued_before: time("issuedBefore"),
        applies_at: time("appliesAt"),
    })
}

fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status)
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// One target's outcome by its results; `None` where there is none for it. Results that
/// contradict each other leave it unknown.
fn of_target(
    target: &str,
    sorted: &[Listed<'_>],
    scrubber: &Scrubber,
    host: &str,
) -> Option<Outcome> {
    let first = sorted.partition_point(|result| result.target < target);
    let mut own = sorted
        .iter()
        .skip(first)
        .take_while(|result| result.target == target)
        .map(|result| of_result(result, scrubber, host));
    let first = own.next()?;
    let contradicted = own.any(|other| other.word() != first.word());
    Some(if contradicted {
        Outcome::Unknown(Failure::of_request(Problem::new(
            format!("{host} gave results for it that contradict each other"),
            remedy::AGAIN,
        )))
    } else {
        first
    })
}

fn of_result(result: &Listed<'_>, scrubber: &Scrubber, host: &str) -> Outcome {
    if let Some(error) = result.error {
        let info = error_info(error, None, scrubber);
        let message = described(&info).unwrap_or_else(|| "no reason given".to_owned());
        return Outcome::Refused(Rc::new(Failure {
            problem: Problem::new(message, remedy::of(info.code)),
            info: Some(info),
            scope: Scope::Target,
        }));
    }
    match (result.issued_before, result.applies_at) {
        (Some(issued_before), Some(applies_at)) => {
            Outcome::Revoked(Confirmation { issued_before, applies_at })
        }
        _ => Outcome::Unknown(Failure::of_request(Problem::new(
            format!("the result of {host} lacks the time from which it applies"),
            remedy::AGAIN,
        ))),
    }
}

fn lacking(host: &str) -> Rc<Failure> {
    let message = format!("the answer of {host} holds no result for it");
    Failure::of_request(Problem::new(message, remedy::AGAIN))
}

/// Why a request without results failed: Ably's error, or what the answer was instead.
fn whole_failure(
    reply: &Reply,
    parsed: &Result<Value, &'static str>,
    host: &str,
    gave_up: Option<&str>,
    scrubber: &Scrubber,
) -> Failure {
    let info = reply_error(reply, parsed.as_ref().ok(), scrubber);
    let status = reply.status;
    let mut message = match (described(&info), parsed) {
        (words, _) if (300..400).contains(&status) => {
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            format!(
                "{host} answered with a redirect (status {status}), which is never followed{words}"
            )
        }
        (Some(words), _) if is_refusal(status) => words,
        (Some(words), _) => format!("{host} answered {status}: {words}"),
        (None, Ok(_)) => format!("{host} answered {status} without a result"),
        (None, Err(what)) => {
            format!("{host} answered {status} with {what}{}", shown(&reply.body, scrubber))
        }
    };
    if let Some(gave_up) = gave_up {
        message.push_str("; ");
        message.push_str(gave_up);
    }
    let remedy = match remedy::of(info.code) {
        "" if is_refusal(status) => remedy::of_status(status),
        "" => remedy::AGAIN,
        known => known,
    };
    let info = (info != ErrorInfo::default()).then_some(info);
    Failure { problem: Problem::new(message, remedy), info, scope: Scope::Request }
}

/// Ably's error of a whole answer: from the body, else from the headers.
pub fn reply_error(reply: &Reply, body: Option<&Value>, scrubber: &Scrubber) -> ErrorInfo {
    let in_body = match body {
        Some(Value::Object(object)) => {
            object.get("error").filter(|error| matches!(error, Value::Object(_)))
        }
        _ => None,
    };
    let header_code = reply.error_code.as_ref().and_then(|code| code.trim().parse().ok());
    let mut info = match in_body {
        Some(error) => error_info(error, Some(reply.status), scrubber),
        None => ErrorInfo::default(),
    };
    info.code = info.code.or(header_code);
    if info.message.is_none() {
        info.message = reply.error_message.as_ref().map(|text| scrubber.clean(text).into_owned());
    }
    if info != ErrorInfo::default() || reply.status >= 400 {
        info.status = info.status.or(Some(reply.status));
    }
    info
}

/// Ably's error object.
fn error_info(error: &Value, status: Option<u16>, scrubber: &Scrubber) -> ErrorInfo {
    let Value::Object(object) = error else {
        let message = match error {
            Value::String(text) => Some(scrubber.clean(text).into_owned()),
            _ => None,
        };
        return ErrorInfo { message, status, ..ErrorInfo::default() };
    };
    let text = |name| string(object, name).map(|text| scrubber.clean(text).into_owned());
    let code = integer(error, "code");
    ErrorInfo {
        code,
        status: integer(error, "statusCode")
            .and_then(|status| u16::try_from(status).ok())
            .or(status),
        message: text("message"),
        href: text("href"),
    }
}

/// Ably's message and code as one phrase; `None` where it gave neither.
pub fn described(info: &ErrorInfo) -> Option<String> {
    let message =
        info.message.as_deref().map(|text| excerpt(text).trim_end_matches('.').to_owned());
    match (message, info.code) {
        (Some(message), Some(code)) => Some(format!("{message} (code {code})")),
        (Some(message), None) => Some(message),
        (None, Some(code)) => Some(format!("code {code}")),
        (None, None) => None,
    }
}

/// Reads a body as JSON, or says what it is instead.
pub fn parse(body: &Body) -> Result<Value, &'static str> {
    parsed(checked(body))
}

fn parsed(text: Result<&str, &'static str>) -> Result<Value, &'static str> {
    json::from_str(text?).map_err(|_| "a body that is not JSON")
}

/// The text of a body that can be read. One that repeats a field cannot: which of the two holds is
/// anyone's guess.
fn checked(body: &Body) -> Result<&str, &'static str> {
    let text = match body {
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

fn shown(body: &Body, scrubber: &Scrubber) -> String {
    match body {
        Body::Text(text) | Body::Binary(text) if !text.trim().is_empty() => {
            format!(": {}", excerpt(scrubber.clean(text).trim()))
        }
        _ => String::new(),
    }
}

/// A string field of an object.
pub fn string<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    match object.get(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// An integer field of a value that is an object.
fn integer(value: &Value, name: &str) -> Option<i64> {
    match value {
        Value::Object(object) => object.get(name).and_then(millis),
        _ => None,
    }
}

/// A number as an integer; `1636022994797.0` is one too. Beyond 2^53 there is no time to mean.
fn millis(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(Number::U64(n)) => i64::try_from(*n).ok(),
        Value::Number(Number::I64(n)) => Some(*n),
        #[expect(clippy::cast_possible_truncation, reason = "within the range where f64 is exact")]
        Value::Number(Number::F64(n)) if n.abs() <= EXACT => Some(*n as i64),
        _ => None,
    }
}
