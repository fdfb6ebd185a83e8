//! What scripts read: NDJSON on stdout. The fields are fixed; see "JSON" in the README.

use std::rc::Rc;

use crate::error::{AblyError, Error, Problem};
use crate::json::{Fields, Json};
use crate::plan::Plan;
use crate::report::{Ending, human};
use crate::request::leaked::Leaked;
use crate::revoke::client;
use crate::revoke::outcome::{Cause, Outcome};
use crate::revoke::run::Batch;
use crate::revoke::summary::Summary;
use crate::revoke::verify::Verdict;
use crate::terminal::output::Output;
use crate::text::count;

/// An error that ended the run before its first revocation, and the end of the stream.
pub(super) fn error(output: &Output, error: &Error) {
    let not_sent = Affected { outcome: Some("not-sent"), ..Affected::default() };
    match error {
        Error::Input(problem) | Error::Declined(problem) => {
            error_record(output, problem, None, not_sent);
        }
        Error::Lookup(lookup) => {
            let targets: Vec<&str> = lookup.targets.iter().map(String::as_str).collect();
            let affected = Affected { targets: &targets, ..not_sent };
            error_record(output, &lookup.problem, lookup.error.as_ref(), affected);
        }
        Error::Signal(_) => {}
    }
    status(output, error.exit_code(), matches!(error, Error::Signal(_)));
}

/// The closing record: every run of the command ends with it.
pub(super) fn status(output: &Output, exit_code: i32, interrupted: bool) {
    let status = if interrupted { "interrupted" } else { "completed" };
    output.record("status", |fields| {
        fields.with("status", status).with("exitCode", i64::from(exit_code))
    });
}

/// What would be sent.
pub(super) fn dry_run(output: &Output, plan: &Plan) {
    for job in &plan.jobs {
        let (host, path) = (plan.hosts.preferred(), client::path(&job.credential.key));
        let request = Fields::new()
            .with("method", "POST")
            .with("url", format!("https://{host}{path}"))
            .with("body", client::first_body(&job.targets, plan.terms))
            .with("keyName", job.credential.key.name());
        output.record("result", |fields| {
            fields
                .with("success", true)
                .with("dryRun", true)
                .with("message", format!("nothing was sent{}", human::read_first(plan)))
                .with("request", request.done())
                .maybe("token", plan.token.as_ref().map(Leaked::json))
        });
    }
}

/// The outcomes of one batch: what has a result, and what has none.
pub(super) fn batch(output: &Output, plan: &Plan, batch: &Batch<'_>, verdict: Option<&Verdict>) {
    if batch.outcomes.iter().any(Outcome::has_result) {
        result_record(output, plan, batch, verdict);
    }
    for (cause, word, affected) in grouped(batch) {
        let affected = Affected {
            outcome: Some(word),
            targets: &affected,
            key_name: plan.key_among(batch.number),
        };
        error_record(output, &cause.problem, cause.error.as_ref(), affected);
    }
}

/// What the end of a run adds to its records.
pub(super) fn end(output: &Output, summary: &Summary, ending: &Ending) {
    let doubt = summary.verdict.as_ref().and_then(human::doubt);
    for problem in doubt.iter().chain(ending.resume.as_ref().err()) {
        error_record(output, problem, None, Affected::default());
    }
}

fn result_record(output: &Output, plan: &Plan, batch: &Batch<'_>, verdict: Option<&Verdict>) {
    let outcomes = &batch.outcomes;
    let confirmed =
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Revoked(_))).count();
    let results: Vec<Json> =
        batch.each().filter_map(|(target, outcome)| result(target, outcome)).collect();
    let failed = results.len() - confirmed;
    let success = confirmed == outcomes.len();
    let message = if success {
        format!("Ably accepted the revocation of {}", count(confirmed, "target"))
    } else {
        format!(
            "Ably accepted the revocation of {confirmed} of {}",
            count(outcomes.len(), "target")
        )
    };
    let response = Fields::new()
        .with("successCount", confirmed)
        .with("failureCount", failed)
        .with("results", results);
    let credential = &batch.job.credential;
    let revocation = Fields::new()
        .with("allowReauthMargin", plan.terms.margin)
        .with("message", message)
        .maybe("target", plan.only_target())
        .with("app", credential.app.id.as_str())
        .with("keyName", credential.key.name())
        .with("keySource", credential.source.as_str())
        .maybe("token", plan.token.as_ref().map(Leaked::json))
        .maybe("verified", verdict.map(|verdict| *verdict == Verdict::Revoked))
        .maybe("verification", verdict.map(Verdict::described))
        .with("response", response.done());
    output.record("result", |fields| {
        fields.with("success", success).with("revocation", revocation.done())
    });
}

/// A target's result as Ably's batch result has it; `None` where Ably gave none.
fn result(target: &str, outcome: &Outcome) -> Option<Json> {
    let fields = Fields::new().with("target", target);
    match outcome {
        Outcome::Revoked(times) => Some(
            fields
                .with("issuedBefore", times.issued_before)
                .with("appliesAt", times.applies_at)
                .done(),
        ),
        _ if outcome.has_result() => {
            let info = outcome.cause().and_then(|cause| cause.error.clone()).unwrap_or_default();
            let error = ably_fields(Fields::new().maybe("message", info.message.clone()), &info);
            Some(fields.with("error", error.done()).done())
        }
        _ => None,
    }
}

fn ably_fields(fields: Fields, info: &AblyError) -> Fields {
    fields
        .maybe("code", info.code)
        .maybe("statusCode", info.status.map(i64::from))
        .maybe("href", info.href.clone())
        .maybe("serverId", info.server_id.clone())
        .maybe("edgeId", info.edge_id.clone())
}

/// The failures that are no result of their own, each with the targets it struck.
fn grouped<'p>(batch: &Batch<'p>) -> Vec<(Rc<Cause>, &'static str, Vec<&'p str>)> {
    let mut groups: Vec<(Rc<Cause>, &'static str, Vec<&'p str>)> = Vec::new();
    for (target, outcome) in batch.each().filter(|(_, outcome)| !outcome.has_result()) {
        let Some(cause) = outcome.cause() else {
            continue;
        };
        match groups.iter_mut().find(|(known, ..)| Rc::ptr_eq(known, cause)) {
            Some((.., affected)) => affected.push(target),
            None => groups.push((Rc::clone(cause), outcome.word(), vec![target])),
        }
    }
    groups
}

/// Whom an error struck, as far as it struck any.
#[derive(Clone, Copy, Default)]
struct Affected<'a> {
    outcome: Option<&'static str>,
    targets: &'a [&'a str],
    /// The key, where there are several.
    key_name: Option<&'a str>,
}

fn error_record(
    output: &Output,
    problem: &Problem,
    info: Option<&AblyError>,
    Affected { outcome, targets, key_name }: Affected<'_>,
) {
    let targets: Vec<Json> = targets.iter().copied().map(Json::from).collect();
    let mut error = Fields::new().with("message", problem.message.as_str());
    if let Some(info) = info {
        error = ably_fields(error, info);
    }
    let hint = Some(problem.remedy.as_str()).filter(|remedy| !remedy.is_empty());
    let targets = (!targets.is_empty()).then_some(targets);
    // Scripts look for these two beside `success` and inside `error` alike.
    let ends = |fields: Fields| {
        let fields = fields.maybe("keyName", key_name).maybe("outcome", outcome);
        fields.maybe("targets", targets.clone())
    };
    let error = ends(error.maybe("hint", hint));
    output
        .record("error", |fields| ends(fields.with("success", false).with("error", error.done())));
}
