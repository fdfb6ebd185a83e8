//! The records that scripts read. The fields are fixed; see "JSON" in the README.

use std::rc::Rc;

use rustix::process::getuid;
use rustix::system::uname;

use crate::environment::Environment;
use crate::error::{AblyError, Error, Problem};
use crate::json::{Fields, Json};
use crate::plan::{Job, Plan};
use crate::report::human;
use crate::report::resume::Resume;
use crate::request::leaked::Leaked;
use crate::request::settings::Recording;
use crate::revoke::client;
use crate::revoke::outcome::{Cause, Outcome};
use crate::revoke::run::Batch;
use crate::revoke::summary::Summary;
use crate::revoke::verify::Verdict;
use crate::secret::redactor::Redactor;
use crate::terminal::output::Record;
use crate::text::count;

/// The first record in the file of `--record`: who does what, where from, and why.
pub(super) fn run(
    plan: &Plan,
    recording: &Recording,
    env: Environment,
    redactor: &Redactor,
) -> Record {
    let clean = |text: &str| redactor.clean(text).into_owned();
    let host = uname();
    let uid = getuid().as_raw();
    // By sudo it is still this person who does it.
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| env.raw(name));
    let user = user.map_or_else(|| uid.to_string(), |user| clean(&user.to_string_lossy()));
    let fields = Fields::new()
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("host", clean(&host.nodename().to_string_lossy()))
        .with("user", user)
        .with("uid", i64::from(uid));
    let fields = match plan.jobs.as_slice() {
        [job] => key(fields, job),
        several => {
            let keys = several.iter().map(|job| key(Fields::new(), job).done());
            fields.with("keys", keys.collect::<Vec<_>>())
        }
    };
    let fields = fields
        .with("endpoint", plan.endpoint.to_string())
        .with("targets", plan.revocations())
        .maybe("reason", recording.reason.as_deref().map(clean));
    Record::new("run", fields)
}

/// Which key of which app, and where it came from.
fn key(fields: Fields, job: &Job) -> Fields {
    let credential = &job.credential;
    fields
        .with("app", credential.app.id.as_str())
        .with("keyName", credential.key.name())
        .with("keySource", credential.source.as_str())
}

/// An error that ended the run before its first revocation.
pub(super) fn error(error: &Error) -> Vec<Record> {
    let not_sent = Struck { outcome: Some("not-sent"), ..Struck::default() };
    match error {
        Error::Input(problem) | Error::Declined(problem) => {
            vec![error_record(problem, None, not_sent)]
        }
        Error::Lookup(lookup) => {
            let targets: Vec<&str> = lookup.targets.iter().map(String::as_str).collect();
            let struck = Struck { targets: &targets, ..not_sent };
            vec![error_record(&lookup.problem, lookup.error.as_ref(), struck)]
        }
        Error::Signal(_) => Vec::new(),
    }
}

/// The closing record: every run of the command ends with it.
pub(super) fn status(exit_code: i32, interrupted: bool) -> Record {
    let status = if interrupted { "interrupted" } else { "completed" };
    let fields = Fields::new().with("status", status).with("exitCode", i64::from(exit_code));
    Record::new("status", fields)
}

/// What would be sent.
pub(super) fn dry_run(plan: &Plan) -> Vec<Record> {
    let record = |job: &Job| {
        let (host, path) = (plan.hosts.preferred(), client::path(&job.credential.key));
        let request = Fields::new()
            .with("method", "POST")
            .with("url", format!("https://{host}{path}"))
            .with("body", client::first_body(&job.targets, plan.terms))
            .with("keyName", job.credential.key.name());
        let fields = Fields::new()
            .with("success", true)
            .with("dryRun", true)
            .with("message", format!("nothing was sent{}", human::read_first(plan)))
            .with("request", request.done())
            .maybe("token", plan.token.as_ref().map(Leaked::json));
        Record::new("result", fields)
    };
    plan.jobs.iter().map(record).collect()
}

/// The outcomes of one batch: what has a result, and what has none.
pub(super) fn batch(plan: &Plan, batch: &Batch<'_>, verdict: Option<&Verdict>) -> Vec<Record> {
    let has_results = batch.outcomes.iter().any(Outcome::has_result);
    let mut records: Vec<Record> =
        has_results.then(|| result_record(plan, batch, verdict)).into_iter().collect();
    let key_name = plan.key_among(batch.number);
    // As the full CLI has it: whoever looks for errors alone finds the only target's here too.
    if let (Some(target), [outcome @ Outcome::Refused(cause)]) =
        (plan.only_target(), batch.outcomes.as_slice())
        && outcome.has_result()
    {
        let (target, outcome) = (Some(target), Some(outcome.word()));
        let struck = Struck { target, outcome, targets: &[], key_name };
        records.push(error_record(&cause.problem, cause.error.as_ref(), struck));
    }
    for (cause, word, affected) in grouped(batch) {
        let struck = Struck { outcome: Some(word), targets: &affected, key_name, target: None };
        records.push(error_record(&cause.problem, cause.error.as_ref(), struck));
    }
    records
}

/// What the end of a run adds to its records.
pub(super) fn end(summary: &Summary, resume: &Result<Option<Resume>, Problem>) -> Vec<Record> {
    let doubt = summary.verdict.as_ref().and_then(human::doubt);
    doubt.iter().chain(resume.as_ref().err()).map(problem).collect()
}

/// A problem that says nothing of a target.
pub(super) fn problem(problem: &Problem) -> Record {
    error_record(problem, None, Struck::default())
}

fn result_record(plan: &Plan, batch: &Batch<'_>, verdict: Option<&Verdict>) -> Record {
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
    let revocation = Fields::new()
        .with("allowReauthMargin", plan.terms.margin)
        .with("message", message)
        .maybe("target", plan.only_target());
    let revocation = key(revocation, batch.job)
        .maybe("token", plan.token.as_ref().map(Leaked::json))
        .maybe("verified", verdict.map(|verdict| *verdict == Verdict::Revoked))
        .maybe("verification", verdict.map(Verdict::described))
        .with("response", response.done());
    let fields = Fields::new().with("success", success).with("revocation", revocation.done());
    Record::new("result", fields)
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

/// Whom an error struck, and how.
#[derive(Clone, Copy, Default)]
struct Struck<'a> {
    /// The only target, where its `result` comes before the error.
    target: Option<&'a str>,
    outcome: Option<&'static str>,
    /// Those that are in no result.
    targets: &'a [&'a str],
    /// The key, where there are several.
    key_name: Option<&'a str>,
}

fn error_record(problem: &Problem, info: Option<&AblyError>, struck: Struck<'_>) -> Record {
    let targets: Vec<Json> = struck.targets.iter().copied().map(Json::from).collect();
    let mut error = Fields::new().with("message", problem.message.as_str());
    if let Some(info) = info {
        error = ably_fields(error, info);
    }
    let hint = Some(problem.remedy.as_str()).filter(|remedy| !remedy.is_empty());
    let targets = (!targets.is_empty()).then_some(targets);
    // Scripts look for these two beside `success` and inside `error` alike.
    let ends = |fields: Fields| {
        let fields = fields.maybe("keyName", struck.key_name).maybe("outcome", struck.outcome);
        fields.maybe("targets", targets.clone())
    };
    let error = ends(error.maybe("hint", hint));
    let fields = Fields::new().with("success", false).maybe("target", struck.target);
    Record::new("error", ends(fields.with("error", error.done())))
}
