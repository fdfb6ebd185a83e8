//! Judges an answer target by target. A status of 201 says nothing: only a result for that very
//! target, without an error and with both times, makes it revoked.

use std::sync::Arc;

use miniserde::json::Value;

use crate::error::{AblyError, Problem};
use crate::json::{millis, string};
use crate::net::remedy;
use crate::net::response::{Body, PARTLY_FAILED, Response, Word, error_code};
use crate::plan::Terms;
use crate::revoke::confirmed::all_confirmed;
use crate::revoke::outcome::{Cause, Confirmation, Outcome, Scope};
use crate::text::excerpt;

/// The first of the codes with which Ably says that it failed itself.
const INTERNAL: i64 = 50000;
/// What Ably answers to an `issuedBefore` that it does not take is not documented: either of these.
const BAD_REQUEST: i64 = 40000;
const BAD_TIME: i64 = 40003;

/// What became of each target of one request, in the order asked.
pub fn judge(response: &Response, targets: &[&str], terms: Terms) -> Vec<Outcome> {
    if let (Body::Text(text), true) = (&response.body, is_success(response.status))
        && let Some(outcomes) = all_confirmed(text, targets)
    {
        return outcomes;
    }
    let parsed = response.body.json();
    let results = parsed.as_ref().ok().and_then(|value| results(value, response.status));
    let Some(mut results) = results else {
        let cause = Arc::new(whole_cause(response, &parsed, terms));
        // A rate limit that is all there was: no try before it left anything open.
        let refused = match response.word() {
            Word::Definite => is_refusal(response.status),
            word => word == Word::RateLimited,
        };
        let whole = if refused { Outcome::Refused(cause) } else { Outcome::Unknown(cause) };
        return vec![whole; targets.len()];
    };
    results.sort_unstable_by_key(|result| result.target);
    let lacking = lacking(&response.host);
    targets
        .iter()
        .map(|target| {
            of_target(target, &results, response, terms)
                .unwrap_or_else(|| Outcome::Unknown(Arc::clone(&lacking)))
        })
        .collect()
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
            let partly = error_code(value) == Some(PARTLY_FAILED);
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
    response: &Response,
    terms: Terms,
) -> Option<Outcome> {
    let first = sorted.partition_point(|result| result.target < target);
    let mut own = sorted
        .iter()
        .skip(first)
        .take_while(|result| result.target == target)
        .map(|result| of_result(result, response, terms));
    let first = own.next()?;
    let contradicted = own.any(|other| other.word() != first.word());
    Some(if contradicted {
        Outcome::Unknown(Cause::of_request(Problem::new(
            format!("{} gave results for it that contradict each other", response.host),
            remedy::AGAIN,
        )))
    } else {
        first
    })
}

fn of_result(result: &Listed<'_>, response: &Response, terms: Terms) -> Outcome {
    if let Some(error) = result.error {
        let error = response.error_of(error, None);
        let message = error.described().unwrap_or_else(|| "no reason given".to_owned());
        // From there on Ably speaks of itself: what it did before is not known.
        let failed_inside = error.code.is_some_and(|code| code >= INTERNAL);
        let (remedy, scope) = match failed_inside {
            true => (remedy::AGAIN.to_owned(), Scope::Request),
            false => (of_refusal(&error, error.status.unwrap_or(0), terms), Scope::Target),
        };
        let problem = Problem::new(message, remedy);
        let cause = Arc::new(Cause { problem, error: Some(error), scope });
        return match failed_inside {
            true => Outcome::Unknown(cause),
            false => Outcome::Refused(cause),
        };
    }
    match (result.issued_before, result.applies_at) {
        (Some(issued_before), Some(applies_at)) => {
            Outcome::Revoked(Confirmation { issued_before, applies_at })
        }
        _ => Outcome::Unknown(Cause::of_request(Problem::new(
            format!("the result of {} lacks the time from which it applies", response.host),
            remedy::AGAIN,
        ))),
    }
}

fn lacking(host: &str) -> Arc<Cause> {
    let message = format!("the answer of {host} holds no result for it");
    Cause::of_request(Problem::new(message, remedy::AGAIN))
}

/// Why a request without results failed: Ably's error, or what the answer was instead.
fn whole_cause(response: &Response, parsed: &Result<Value, &'static str>, terms: Terms) -> Cause {
    let Response { host, status, .. } = response;
    let error = response.error_in(parsed.as_ref().ok());
    // Without a code it is not Ably that speaks.
    let words = error.described().filter(|_| error.code.is_some());
    let refused =
        is_refusal(*status) && matches!(response.word(), Word::Definite | Word::RateLimited);
    let redirect = if (300..400).contains(status) { " (a redirect, never followed)" } else { "" };
    let mut message = match (words, &error.message, parsed) {
        (Some(words), ..) if refused => words,
        (Some(words), ..) => format!("{host} answered {status}{redirect}: {words}"),
        (None, Some(message), _) => {
            format!("the server at {host} answered {status}{redirect}: {}", excerpt(message))
        }
        (None, None, Ok(_)) => {
            format!("the server at {host} answered {status}{redirect} without a result")
        }
        (None, None, Err(what)) => {
            let body = response.shown_body(what);
            format!("the server at {host} answered {status}{redirect} with {body}")
        }
    };
    if let Some(gave_up) = &response.gave_up {
        message.push_str("; ");
        message.push_str(gave_up);
    }
    let remedy = match remedy::of(error.code) {
        _ if refused => of_refusal(&error, *status, terms),
        "" => remedy::AGAIN.to_owned(),
        known => format!("{known}; then {}", remedy::AGAIN),
    };
    let error = (error != AblyError::default()).then_some(error);
    Cause { problem: Problem::new(message, remedy), error, scope: Scope::Request }
}

/// The remedy for a refusal. With a time in it a bad request is most likely one about that time.
fn of_refusal(error: &AblyError, status: u16, terms: Terms) -> String {
    match error.code {
        Some(BAD_REQUEST) if terms.issued_before.is_some() => remedy::of(Some(BAD_TIME)).to_owned(),
        _ => remedy::of_refusal(error, status),
    }
}
