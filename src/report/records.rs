//! The records that scripts read. The fields are fixed; see "JSON" in the man page.

use std::ops::Range;
use std::slice;
use std::sync::Arc;

use rustix::process::getuid;
use rustix::system::uname;

use crate::environment::Environment;
use crate::error::{AblyError, Error, Exit, Problem};
use crate::json::{Fields, Json};
use crate::plan::{Job, Plan};
use crate::report::resume::Resume;
use crate::report::{leak, question, words};
use crate::request::irrevocable::{self, described};
use crate::request::leaked::Leaked;
use crate::request::leaked_tokens::{Token, Why};
use crate::revoke::client;
use crate::revoke::outcome::Outcome;
use crate::revoke::proof::{Proof, Verdict};
use crate::revoke::run::{Batch, not_at_hand};
use crate::revoke::summary::Summary;
use crate::secret::redactor::Redactor;
use crate::terminal::output::Record;
use crate::text::count;

/// The first record in the file of `--record`: who does what, where from, and why.
pub(super) fn run(plan: &Plan, env: Environment, redactor: &Redactor) -> Record {
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
    let endpoints: Vec<String> = plan.endpoints().iter().map(ToString::to_string).collect();
    let fields = fields
        .with("endpoint", endpoints.join(", "))
        .with("targets", plan.revocations())
        .maybe("reason", plan.settings.reason.as_deref().map(clean));
    Record::new("run", fields)
}

/// Which key of which app, and where it came from.
fn key(fields: Fields, job: &Job) -> Fields {
    fields
        .maybe("app", job.key().map(|key| key.app.id.as_str()))
        .with("keyName", job.key_name.as_str())
        .maybe("keySource", job.key().map(|key| key.source.as_str()))
}

/// An error that ended the run before its first revocation.
pub(super) fn error(error: &Error) -> Vec<Record> {
    if let Exit::Signal(_) = error.exit {
        return Vec::new();
    }
    let targets = list(error.targets.iter().map(String::as_str));
    let affected = Fields::new().with("outcome", "not-sent").maybe("targets", targets);
    let tokens = (!error.tokens.is_empty()).then(|| error.tokens.clone());
    let tokens = Fields::new().maybe("tokens", tokens);
    vec![error_record(&error.problem, error.ably.as_deref(), affected, tokens)]
}

/// The closing record: every run of the command ends with it.
pub(super) fn status(exit: Exit) -> Record {
    let interrupted = matches!(exit, Exit::Signal(_));
    let status = if interrupted { "interrupted" } else { "completed" };
    let fields = Fields::new().with("status", status).with("exitCode", i64::from(exit.code()));
    Record::new("status", fields)
}

/// What is to be known before anything is sent: API keys that leaked, and what is doubtful.
pub(super) fn beforehand(plan: &Plan) -> Vec<Record> {
    let mut records = Vec::new();
    if let Some(leaked) = &plan.leaked {
        for key in &leaked.found.keys {
            let Some(warning) = irrevocable::key_warning(leaked, slice::from_ref(key)) else {
                continue;
            };
            let fields = Fields::new()
                .with("message", warning.message)
                .with("line", i64::try_from(key.line).unwrap_or(i64::MAX))
                .with("keyName", key.key_name.as_str())
                .with("hint", warning.remedy);
            records.push(Record::new("warning", fields));
        }
    }
    let doubt = |text: String| Record::new("warning", Fields::new().with("message", text));
    records.extend(question::doubts(plan).into_iter().map(doubt));
    records
}

/// What a text of leaked tokens holds, what was left out, and what the tokens of each key could do.
fn found(leaked: &Leaked) -> Record {
    let issuers = leaked.issuers();
    let found = Fields::new()
        .with("tokens", leaked.len())
        .with("keys", issuers.len())
        .with("expired", leaked.found.expired)
        .with("otherApps", leaked.other_apps)
        .with("notAbly", leaked.found.not_ably);
    let issuer = |(key_name, tokens): (&str, Vec<&Token>)| {
        let fields = Fields::new().with("keyName", key_name).with("tokens", tokens.len());
        fields.maybe("capability", irrevocable::capability(&tokens)).done()
    };
    let issuers: Vec<Json> = issuers.into_iter().map(issuer).collect();
    let fields = Fields::new().with("success", true).with("found", found.done());
    Record::new("result", fields.with("keys", issuers))
}

pub(super) fn dry_run(plan: &Plan) -> Vec<Record> {
    let record = |job: &Job| {
        let at_hand = job.at_hand.as_ref()?;
        let (host, path) = (at_hand.hosts.preferred(), client::path(&at_hand.key.api_key));
        let request = Fields::new()
            .with("method", "POST")
            .with("url", format!("https://{host}{path}"))
            .with("body", client::first_body(&job.targets, plan.terms))
            .with("keyName", job.key_name.as_str());
        let fields = Fields::new()
            .with("success", true)
            .with("dryRun", true)
            .with("message", format!("nothing was sent{}", question::read_first(plan)))
            .with("request", request.done())
            .maybe("token", only_token(plan));
        Some(Record::new("result", fields))
    };
    let mut records: Vec<Record> = plan.jobs.iter().filter_map(record).collect();
    records.extend(plan.missing().map(|job| missing(plan, job, 0..job.targets.len())));
    records.extend(plan.helpless().iter().map(helpless));
    records.extend(plan.leaked.as_ref().map(found));
    records
}

/// The outcomes of one batch: what has a result, and what has none.
pub(super) fn batch(plan: &Plan, batch: &Batch<'_>, proofs: &[Proof]) -> Vec<Record> {
    if plan.settings.is_check() {
        return check(plan, batch);
    }
    // The only token's proof stands with its revocation, too.
    let verdict = only_token(plan).and(proofs.first()).map(|proof| &proof.verdict);
    if batch.job.at_hand.is_none() {
        return vec![missing(plan, batch.job, batch.range.clone())];
    }
    let mut records = Vec::new();
    if batch.outcomes.iter().any(Outcome::has_result) {
        records.push(result_record(plan, batch, verdict));
    }
    // As the full CLI has it: whoever looks for errors alone finds the only target's here too.
    if let (Some(target), [outcome @ Outcome::Refused(cause)]) =
        (plan.only_target(), batch.outcomes.as_slice())
        && outcome.has_result()
    {
        let beside = Fields::new().with("target", target);
        let affected = affected(plan, batch, outcome);
        records.push(error_record(&cause.problem, cause.error.as_ref(), affected, beside));
    }
    // The failures that are no result of their own, each with the targets that it affects.
    let failed: Vec<_> = batch.each().filter(|(_, outcome)| !outcome.has_result()).collect();
    let cause = |outcome: &Outcome| outcome.cause().map(Arc::as_ptr);
    for group in failed.chunk_by(|(_, one), (_, other)| cause(one) == cause(other)) {
        let [(_, outcome), ..] = group else { continue };
        let Some(cause) = outcome.cause() else { continue };
        let affected = affected(plan, batch, outcome);
        let affected = affected.maybe("targets", list(group.iter().map(|(target, _)| *target)));
        records.push(error_record(&cause.problem, cause.error.as_ref(), affected, Fields::new()));
    }
    records
}

/// Whether a key can revoke (`--check`), and if not, why.
fn check(plan: &Plan, batch: &Batch<'_>) -> Vec<Record> {
    let ready = batch.is_revoked();
    let fields = Fields::new().with("success", ready).with("check", true);
    let fields = key(fields, batch.job).with("ready", ready);
    let message = if ready { words::ready(batch.job) } else { "not ready".to_owned() };
    let mut records = vec![Record::new("result", fields.with("message", message))];
    for outcome in &batch.outcomes {
        if let Some(cause) = outcome.cause() {
            let affected = affected(plan, batch, outcome);
            records.push(error_record(
                &cause.problem,
                cause.error.as_ref(),
                affected,
                Fields::new(),
            ));
        }
    }
    records
}

/// What the end of a run adds to its records.
pub(super) fn end(
    plan: &Plan,
    summary: &Summary,
    resume: &Result<Option<Resume>, Problem>,
) -> Vec<Record> {
    let mut records: Vec<Record> = plan.leaked.iter().map(found).collect();
    records.extend(plan.helpless().iter().map(helpless));
    records.extend(summary.proofs.iter().filter_map(|proof| verification(plan, proof)));
    let doubt = plan.leaked.as_ref().and_then(|leaked| leak::doubt(leaked, &summary.proofs));
    records.extend(doubt.as_ref().map(problem));
    records.extend(resume.as_ref().err().map(problem));
    records
}

fn verification(plan: &Plan, proof: &Proof) -> Option<Record> {
    let token = plan.leaked.as_ref()?.found.tokens.get(proof.token)?;
    let verification = described(token)
        .with("verified", proof.verdict == Verdict::Revoked)
        .maybe("code", proof.code)
        .with("message", proof.verdict.described());
    let fields = Fields::new().with("success", proof.verdict.is_dead());
    Some(Record::new("result", fields.with("verification", verification.done())))
}

/// Targets of a job whose key is not at hand, and the tokens that they came from.
fn missing(plan: &Plan, job: &Job, range: Range<usize>) -> Record {
    let tokens = plan.leaked.iter().flat_map(|leaked| leaked.of_job(&job.tokens));
    let tokens = tokens.filter(|(.., place)| range.contains(place));
    let tokens: Vec<Json> = tokens.map(|(_, token, _)| described(token).done()).collect();
    let affected = Fields::new().with("keyName", job.key_name.as_str()).with("outcome", "not-sent");
    let affected = affected.maybe("targets", list(job.targets.range(range)));
    let beside = Fields::new().with("tokens", tokens);
    error_record(&not_at_hand(&job.key_name), None, affected, beside)
}

fn helpless((token, why): &(Token, Why)) -> Record {
    let error = Fields::new()
        .with("message", format!("the token in line {} {why}", token.line))
        .with("hint", irrevocable::remedy(why, [token]))
        .with("outcome", "not-sent");
    let fields = Fields::new().with("success", false).with("error", error.done());
    Record::new("error", fields.with("outcome", "not-sent").with("token", described(token).done()))
}

fn only_token(plan: &Plan) -> Option<Json> {
    let warning = plan.leaked.as_ref().and_then(leak::long_life);
    Some(described(plan.only_token()?).maybe("warning", warning).done())
}

/// A problem that says nothing of a target.
pub(super) fn problem(problem: &Problem) -> Record {
    error_record(problem, None, Fields::new(), Fields::new())
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
        .maybe("token", only_token(plan))
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

/// What became of the targets of a batch. The key is told where there are several, and where it may be
/// the reason.
fn affected(plan: &Plan, batch: &Batch<'_>, outcome: &Outcome) -> Fields {
    let key = batch.job.key().filter(|_| matches!(outcome, Outcome::Refused(_)));
    Fields::new()
        .maybe("keyName", key.map(|key| key.name()).or(plan.key_among(batch.number)))
        .maybe("keySource", key.map(|key| key.source.as_str()))
        .with("outcome", outcome.word())
}

fn list<'a>(targets: impl Iterator<Item = &'a str>) -> Option<Vec<Json>> {
    Some(targets.map(Json::from).collect()).filter(|it: &Vec<Json>| !it.is_empty())
}

/// An error. Scripts look for what it affects inside `error` and `beside` it alike.
fn error_record(
    problem: &Problem,
    info: Option<&AblyError>,
    affected: Fields,
    beside: Fields,
) -> Record {
    let mut error = Fields::new().with("message", problem.message.as_str());
    if let Some(info) = info {
        error = ably_fields(error, info);
    }
    let hint = Some(problem.remedy.as_str()).filter(|remedy| !remedy.is_empty());
    let error = error.maybe("hint", hint).and(&affected);
    let fields = Fields::new().with("success", false).with("error", error.done());
    Record::new("error", fields.and(&affected).and(&beside))
}
