//! Judges an answer target by target. A status of 201 says nothing: only a result for that very
//! target, without an error and with both times, makes it revoked.

use std::rc::Rc;

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
    let parsed = parse(&reply.body);
    let results = parsed
        .as_ref()
        .ok()
        .and_then(|value| results(value, reply.status));
    let failure = Rc::new(whole_failure(reply, &parsed, host, gave_up, scrubber));
    let Some(results) = results else {
        let refused = is_refusal(reply.status);
        let whole = if refused {
            Outcome::Refused(failure)
        } else {
            Outcome::Unknown(failure)
        };
        return vec![whole; targets.len()];
    };
    let lacking = Rc::new(lacking(host));
    let mut by_target: Vec<(&str, &Object)> = results
        .iter()
        .filter_map(|result| match result {
            Value::Object(object) => Some((string(object, "target")?, object)),
            _ => None,
        })
        .collect();
    by_target.sort_by_key(|(target, _)| *target);
    targets
        .iter()
        .map(|target| {
            of_target(target, &by_target, scrubber, host)
                .unwrap_or_else(|| Outcome::Unknown(Rc::clone(&lacking)))
        })
        .collect()
}

/// The results of an answer, in whichever of its forms: the batch result and the bare array with
/// a 2xx, `batchResponse` beside error 40020 with a 4xx.
fn results(value: &Value, status: u16) -> Option<&[Value]> {
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
    Some(list)
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
    by_target: &[(&str, &Object)],
    scrubber: &Scrubber,
    host: &str,
) -> Option<Outcome> {
    let first = by_target.partition_point(|(known, _)| *known < target);
    let mut own = by_target
        .iter()
        .skip(first)
        .take_while(|(known, _)| *known == target)
        .map(|(_, result)| of_result(result, scrubber, host));
    let first = own.next()?;
    let contradicted = own.any(|other| other.word() != first.word());
    Some(if contradicted {
        Outcome::Unknown(Rc::new(Failure {
            problem: Problem::new(
                format!("{host} gave results for it that contradict each other"),
                remedy::AGAIN,
            ),
            info: None,
            scope: Scope::Request,
        }))
    } else {
        first
    })
}

fn of_result(result: &Object, scrubber: &Scrubber, host: &str) -> Outcome {
    match result.get("error") {
        None | Some(Value::Null) => {}
        Some(error) => {
            let info = error_info(error, None, scrubber);
            let message = described(&info).unwrap_or_else(|| "no reason given".to_owned());
            return Outcome::Refused(Rc::new(Failure {
                problem: Problem::new(message, remedy::of(info.code)),
                info: Some(info),
                scope: Scope::Target,
            }));
        }
    }
    match (millis(result, "issuedBefore"), millis(result, "appliesAt")) {
        (Some(issued_before), Some(applies_at)) => Outcome::Revoked(Confirmation {
            issued_before,
            applies_at,
        }),
        _ => Outcome::Unknown(Rc::new(Failure {
            problem: Problem::new(
                format!("the result of {host} lacks the time from which it applies"),
                remedy::AGAIN,
            ),
            info: None,
            scope: Scope::Request,
        })),
    }
}

fn lacking(host: &str) -> Failure {
    Failure {
        problem: Problem::new(
            format!("the answer of {host} holds no result for it"),
            remedy::AGAIN,
        ),
        info: None,
        scope: Scope::Request,
    }
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
        (None, Err(what)) => format!(
            "{host} answered {status} with {what}{}",
            shown(&reply.body, scrubber)
        ),
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
    Failure {
        problem: Problem::new(message, remedy),
        info,
        scope: Scope::Request,
    }
}

/// Ably's error of a whole answer: from the body, else from the headers.
pub fn reply_error(reply: &Reply, body: Option<&Value>, scrubber: &Scrubber) -> ErrorInfo {
    let in_body = match body {
        Some(Value::Object(object)) => object
            .get("error")
            .filter(|error| matches!(error, Value::Object(_))),
        _ => None,
    };
    let header_code = reply
        .error_code
        .as_ref()
        .and_then(|code| code.trim().parse().ok());
    let mut info = match in_body {
        Some(error) => error_info(error, Some(reply.status), scrubber),
        None => ErrorInfo::default(),
    };
    info.code = info.code.or(header_code);
    if info.message.is_none() {
        info.message = reply
            .error_message
            .as_ref()
            .map(|text| scrubber.clean(text).into_owned());
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
        return ErrorInfo {
            message,
            status,
            ..ErrorInfo::default()
        };
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
    let message = info
        .message
        .as_deref()
        .map(|text| excerpt(text).trim_end_matches('.').to_owned());
    match (message, info.code) {
        (Some(message), Some(code)) => Some(format!("{message} (code {code})")),
        (Some(message), None) => Some(message),
        (None, Some(code)) => Some(format!("code {code}")),
        (None, None) => None,
    }
}

/// Reads a body as JSON, or says what it is instead. One that repeats a field is none: which of
/// the two holds is anyone's guess.
pub fn parse(body: &Body) -> Result<Value, &'static str> {
    let text = match body {
        Body::Text(text) if text.trim().is_empty() => return Err("an empty body"),
        Body::Text(text) => text,
        Body::Binary(_) => return Err("a body that is not text"),
        Body::TooLong => return Err(TOO_LONG),
        Body::Broken => return Err("a body that breaks off"),
    };
    match repeated_names(text, DEPTH_LIMIT) {
        None => Err("a body nested too deep to be Ably's"),
        Some(repeated) if !repeated.is_empty() => Err("a body that repeats a field"),
        Some(_) => json::from_str(text).map_err(|_| "a body that is not JSON"),
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
        Value::Object(object) => millis(object, name),
        _ => None,
    }
}

/// A number as an integer; `1636022994797.0` is one too. Beyond 2^53 there is no time to mean.
fn millis(object: &Object, name: &str) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match object.get(name) {
        Some(Value::Number(Number::U64(n))) => i64::try_from(*n).ok(),
        Some(Value::Number(Number::I64(n))) => Some(*n),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within the range where f64 is exact"
        )]
        Some(Value::Number(Number::F64(n))) if n.abs() <= EXACT => Some(*n as i64),
        _ => None,
    }
}
