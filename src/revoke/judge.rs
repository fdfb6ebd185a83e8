//! Judges an answer target by target. A status of 201 says nothing: only a result for that very
//! target, without an error and with both times, makes it revoked.

use std::sync::Arc;

use crate::error::{AblyError, Problem};
use crate::json::document::Value;
use crate::net::answer::{Answer, Finality, PARTLY_FAILED};
use crate::net::remedy;
use crate::plan::Terms;
use crate::revoke::outcome::{Cause, Confirmation, Outcome, Scope};
use crate::text::excerpt;

/// The first of the codes with which Ably says that it failed itself.
const INTERNAL: i64 = 50000;
/// What Ably answers to an `issuedBefore` that it does not take is not documented: either of these.
const BAD_REQUEST: i64 = 40000;
const BAD_TIME: i64 = 40003;

/// What became of each target of one request, in the order asked.
pub fn judge(answer: &Answer, targets: &[&str], terms: Terms) -> Vec<Outcome> {
    let Some(results) = results(answer) else {
        let cause = Arc::new(whole_cause(answer, terms));
        let whole =
            if is_refused(answer) { Outcome::Refused(cause) } else { Outcome::Unknown(cause) };
        return vec![whole; targets.len()];
    };
    // What has no target is no result.
    let mut results: Vec<_> = results.filter_map(|it| Some((it.text("target")?, it))).collect();
    // Ably gives them in the order asked, each once.
    let in_order = results.iter().map(|(target, _)| target).eq(targets);
    if !in_order {
        results.sort_unstable_by_key(|(target, _)| *target);
    }
    let flaw = |flaw: &str| unknown(format!("the answer of {} {flaw}", answer.host));
    // One for all, as they share one record.
    let lacking = flaw("holds no result for it");
    let outcome = |(at, target): (usize, &&str)| {
        let sorted = || results.partition_point(|(own, _)| own < target);
        let first = if in_order { at } else { sorted() };
        let own = results.iter().skip(first).take_while(|(own, _)| own == target);
        let mut outcomes = own.map(|(_, result)| of_result(*result, answer, terms));
        match outcomes.next() {
            None => lacking.clone(),
            Some(first) if outcomes.all(|other| other.word() == first.word()) => first,
            Some(_) => flaw("holds results for it that contradict each other"),
        }
    };
    targets.iter().enumerate().map(outcome).collect()
}

/// The results of an answer in any of its forms: a batch result or a bare array with a 2xx,
/// `batchResponse` beside error 40020 with a 4xx.
fn results(answer: &Answer) -> Option<impl Iterator<Item = Value<'_>>> {
    let body = answer.body.as_ref().ok()?.root();
    let list = |name| body.get(name).and_then(Value::items);
    let is_partial = answer.error.code == Some(PARTLY_FAILED);
    if answer.is_success() && (body.items().is_some() || list("results").is_some()) {
        body.items().or_else(|| list("results"))
    } else {
        list("batchResponse").filter(|_| is_partial && (answer.is_success() || is_4xx(answer)))
    }
}

fn is_4xx(answer: &Answer) -> bool {
    (400..500).contains(&answer.status)
}

/// Whether the whole request was refused. A rate limit counts: it is reported only if no earlier try
/// left anything open.
fn is_refused(answer: &Answer) -> bool {
    is_4xx(answer) && matches!(answer.finality, Finality::Final | Finality::RateLimited)
}

fn of_result(result: Value<'_>, answer: &Answer, terms: Terms) -> Outcome {
    if let Some(error) = result.get("error") {
        let error = answer.error_of(error);
        let message = error.described().unwrap_or_else(|| "no reason given".to_owned());
        // Ably failed, and may have revoked before it did.
        let has_failed = error.code.is_some_and(|code| code >= INTERNAL);
        let (scope, remedy) = match has_failed {
            true => (Scope::Request, remedy::AGAIN.to_owned()),
            false => (Scope::Target, of_refusal(&error, error.status.unwrap_or(0), terms)),
        };
        let problem = Problem::new(message, remedy);
        let cause = Arc::new(Cause { problem, error: Some(error), scope });
        return if has_failed { Outcome::Unknown(cause) } else { Outcome::Refused(cause) };
    }
    match (result.integer("issuedBefore"), result.integer("appliesAt")) {
        (Some(issued_before), Some(applies_at)) => {
            Outcome::Revoked(Confirmation { issued_before, applies_at })
        }
        _ => {
            let host = &answer.host;
            unknown(format!("the result of {host} lacks the time from which it applies"))
        }
    }
}

fn unknown(message: String) -> Outcome {
    Outcome::Unknown(Cause::of_request(Problem::new(message, remedy::AGAIN)))
}

/// Why a request without results failed: Ably's error, or what the answer was instead.
fn whole_cause(answer: &Answer, terms: Terms) -> Cause {
    let Answer { host, status, error, .. } = answer;
    let refused = is_refused(answer);
    let redirect = if (300..400).contains(status) { " (a redirect, never followed)" } else { "" };
    // Ably's errors have a code.
    let mut message = match (error.described().filter(|_| error.code.is_some()), refused) {
        (Some(words), true) => words,
        (Some(words), false) => format!("{host} answered {status}{redirect}: {words}"),
        (None, _) => {
            let what = match (&error.message, &answer.body) {
                (Some(message), _) => format!(": {}", excerpt(message)),
                (None, Ok(_)) => " without a result".to_owned(),
                (None, Err(body)) => format!(" with {}", body.shown),
            };
            format!("the server at {host} answered {status}{redirect}{what}")
        }
    };
    if let Some(gave_up) = &answer.gave_up {
        message = format!("{message}; {gave_up}");
    }
    let remedy = match refused {
        true => of_refusal(error, *status, terms),
        false if answer.is_foreign() => remedy::FOREIGN.to_owned(),
        false => remedy::then_again(remedy::of(error.code)),
    };
    let error = (*error != AblyError::default()).then(|| error.clone());
    Cause { problem: Problem::new(message, remedy), error, scope: Scope::Request }
}

/// The remedy for a refusal. With a time in it a bad request is most likely one about that time.
fn of_refusal(error: &AblyError, status: u16, terms: Terms) -> String {
    match error.code {
        Some(BAD_REQUEST) if terms.issued_before.is_some() => remedy::of(Some(BAD_TIME)).to_owned(),
        _ => remedy::of_refusal(error, status),
    }
}
