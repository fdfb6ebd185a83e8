//! What people read, on stderr.

use std::fmt::Write;

use crate::error::{AblyError, Error, Problem};
use crate::json::Layout;
use crate::keys::shapes::Credential;
use crate::plan::{Job, Plan};
use crate::report::Ending;
use crate::request::leaked::Leaked;
use crate::request::targets::{self, Kind, Targets};
use crate::revoke::client::{self, BATCH};
use crate::revoke::outcome::{Confirmation, Outcome};
use crate::revoke::run::Batch;
use crate::revoke::summary::{Failure, NAMED, Summary};
use crate::revoke::verify::Verdict;
use crate::terminal::output::{Colour, Output, columns};
use crate::text::{Safe, count, excerpt};
use crate::time::shown;
use crate::wrap::unbroken;

const HINT: &str =
    "the auth server must answer 403 to this client; otherwise it will simply issue a new token";

/// What is to be shown of a target: its kind in words and its value, escaped and in one piece.
fn named(specifier: &str) -> String {
    match Kind::split(specifier) {
        Some((kind, value)) if targets::is_doubtful(value) => {
            unbroken(&format!("{} \"{}\"", kind.noun(), Safe(&excerpt(value))))
        }
        Some((kind, value)) => unbroken(&format!("{} {}", kind.noun(), Safe(&excerpt(value)))),
        None => unbroken(&format!("target {}", Safe(&excerpt(specifier)))),
    }
}

/// What is doubtful about the targets themselves, or nothing.
fn doubts(targets: &Targets) -> String {
    let mut doubtful = targets
        .iter()
        .filter(|target| Kind::split(target).is_some_and(|(_, value)| targets::is_doubtful(value)));
    let Some(first) = doubtful.next() else {
        return String::new();
    };
    let more = match doubtful.count() {
        0 => String::new(),
        more => format!(" and {}", count(more, "more target")),
    };
    format!(
        "warning: white space at an end, or another target after a comma: {}{more}; \
         Ably cannot tell that this names nobody\n",
        named(first)
    )
}

/// What comes before the question: what will be revoked, in which app, with which key.
pub(super) fn question(plan: &Plan) -> String {
    let mut text = String::new();
    for jobs in plan.jobs.chunk_by(Job::shares_targets) {
        text.push_str(&of_jobs(jobs));
    }
    text.push_str(&token_facts(plan));
    if plan.verify {
        text.push_str("Afterwards Ably is asked with the token itself whether it is rejected\n");
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "warning: {}", Safe(warning));
    }
    if !plan.endpoint.is_default() {
        let _ = writeln!(text, "Endpoint {}", Safe(&plan.endpoint.to_string()));
    }
    if let Some(ms) = plan.terms.issued_before {
        let _ = writeln!(text, "Only tokens issued before {}", shown(ms));
    }
    if plan.terms.margin {
        text.push_str("Connected clients have 30 seconds to obtain new tokens\n");
    }
    text
}

/// The targets of jobs that share them, and the keys of these jobs.
fn of_jobs(jobs: &[Job]) -> String {
    let mut text = String::new();
    let Some(targets) = jobs.first().map(|job| &job.targets) else {
        return text;
    };
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "This revokes the tokens of {}:", by_kind(targets));
    for target in targets.iter().take(NAMED) {
        let _ = writeln!(text, "  {}", named(target));
    }
    if targets.len() > NAMED {
        let _ = writeln!(text, "  and {} more", targets.len() - NAMED);
    }
    if targets.duplicates() > 0 {
        let repeated = count(targets.duplicates(), "repeated target");
        let _ = writeln!(text, "{repeated} left out");
    }
    text.push_str(&doubts(targets));
    if let [job] = jobs {
        let _ = writeln!(text, "With {}", key_shown(&job.credential));
        return text;
    }
    let _ = writeln!(text, "With each of {}:", count(jobs.len(), "key"));
    for job in jobs {
        let _ = writeln!(text, "  {}", key_shown(&job.credential));
    }
    text
}

/// `3 client IDs and 1 channel`.
fn by_kind(targets: &Targets) -> String {
    let counts = targets.counts_by_kind();
    let counts = counts.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| count(*n, kind.noun()));
    counts.collect::<Vec<_>>().join(" and ")
}

/// Tells an error that ended the run before its first revocation.
pub(super) fn error(output: &Output, error: &Error) {
    match error {
        Error::Input(problem) => say_problem(output, "", problem, None),
        Error::Lookup(lookup) => say_problem(output, "", &lookup.problem, lookup.error.as_ref()),
        Error::Declined(problem) => output.say(&format!("{}\n", problem.message)),
        Error::Signal(_) => {}
    }
}

/// Shows what would be sent.
pub(super) fn dry_run(output: &Output, plan: &Plan) {
    output.say(&token_facts(plan));
    for job in &plan.jobs {
        let (host, path) = (plan.hosts.preferred(), client::path(&job.credential.key));
        output.say(&format!(
            "Dry run: nothing was sent{}. The real run would send {} to\n  POST https://{host}{path}\n\
             with {}, the first with this body:\n",
            read_first(plan),
            count(job.targets.len().div_ceil(BATCH), "request"),
            key_shown(&job.credential),
        ));
        let body = client::first_body(&job.targets, plan.terms);
        let layout = Layout { pretty: true, colour: false };
        output.say_as_it_is(&format!("{}\n", body.write(layout)));
    }
}

/// What is known of the leaked token, line by line.
fn token_facts(plan: &Plan) -> String {
    let text = plan.token.as_ref().map(Leaked::facts).unwrap_or_default();
    text.lines().map(|line| format!("{}\n", Safe(line))).collect()
}

/// What even a dry run asks for.
pub(super) fn read_first(plan: &Plan) -> &'static str {
    match (plan.asked_control, plan.asked_clock) {
        (true, true) => "; only the Control API was asked for app and key, and Ably for the time",
        (true, false) => "; only the Control API was asked for app and key",
        (false, true) => "; only Ably was asked for the time",
        (false, false) => "",
    }
}

/// What is doubtful about the targets or the leaked token, where no question shows it.
pub(super) fn warning(output: &Output, plan: &Plan) {
    for jobs in plan.jobs.chunk_by(Job::shares_targets) {
        output.say(&jobs.first().map(|job| doubts(&job.targets)).unwrap_or_default());
    }
    for warning in &plan.warnings {
        output.say(&format!("warning: {}\n", Safe(warning)));
    }
    if let Some(warning) = plan.token.as_ref().and_then(Leaked::warning) {
        output.say(&format!("warning: {warning}\n"));
    }
}

/// Tells that the target is revoked, before the token is asked with.
pub(super) fn before_proof(output: &Output, plan: &Plan, batch: &Batch<'_>) {
    let mut summary = Summary::default();
    summary.add(batch);
    if let Some((target, times)) = &summary.confirmed {
        output.say(&confirmation(plan, &summary, target, *times));
        output.say("asking Ably whether it still accepts the token\n");
    }
}

/// What became of the leaked token itself.
fn verdict(output: &Output, verdict: &Verdict) {
    match doubt(verdict) {
        Some(problem) => say_problem(output, "", &problem, None),
        None => {
            let symbol = output.symbol(Colour::Good, "✓");
            output.say(&format!("{symbol}{}\n", Safe(&verdict.described())));
        }
    }
}

/// What a token that is not known to be dead calls for.
pub(super) fn doubt(verdict: &Verdict) -> Option<Problem> {
    let remedy = match verdict {
        Verdict::Revoked | Verdict::Dead(_) => return None,
        Verdict::Accepted => {
            "the token still works: run the same command again in a minute; \
             if it works then, too, revoke its API key in the dashboard"
        }
        Verdict::NotKnown(_) => {
            "the revocation itself was accepted: run the same command to ask once more"
        }
    };
    Some(Problem::new(verdict.described(), remedy))
}

/// The end of a run: the counts first, then what failed and why, last what to do next.
pub(super) fn end(output: &Output, plan: &Plan, summary: &Summary, ending: &Ending) {
    tell_counts(output, plan, summary, ending);
    failures(output, plan, summary);
    if let Some(reached) = &summary.verdict {
        verdict(output, reached);
    }
    problem(output, ending.resume.as_ref().err());
    problem(output, ending.unrecorded.as_ref());
    next_step(output, summary, ending);
}

fn tell_counts(output: &Output, plan: &Plan, summary: &Summary, ending: &Ending) {
    if plan.revocations() > 1 {
        output.say(&format!("{}\n", totals(plan, summary)));
    }
    // Where there is a verdict, this was told before it.
    if let (Some((target, times)), None) = (&summary.confirmed, &summary.verdict) {
        let text = confirmation(plan, summary, target, *times);
        output.say(&match text.strip_prefix("revoked:").filter(|_| ending.succeeded) {
            Some(rest) => {
                let word = output.painted(Colour::Good, "revoked:");
                format!("{}{word}{rest}", output.symbol(Colour::Good, "✓"))
            }
            None => text,
        });
    }
}

fn failures(output: &Output, plan: &Plan, summary: &Summary) {
    let only = plan.only_target();
    let with = |job| plan.key_among(job).map(|key| format!(" with key {key}")).unwrap_or_default();
    for Failure { job, whom, outcome } in &summary.whole {
        let whom = only.map_or_else(|| count(*whom, "target"), named);
        say_failure(output, outcome, &(whom + &with(*job)));
    }
    for Failure { job, whom, outcome } in &summary.named {
        say_failure(output, outcome, &(named(whom) + &with(*job)));
    }
    if summary.otherwise > 0 {
        let whom = count(summary.otherwise, &format!("more {}", plan.unit()));
        output.say(&format!("and {whom} in requests that failed with other errors\n"));
    }
    let unnamed = summary.refused_alone.saturating_sub(summary.named.len());
    if unnamed > 0 {
        output.say(&format!("and {unnamed} more refused\n"));
    }
}

/// What is left to do: about the auth server, or about the targets left over.
fn next_step(output: &Output, summary: &Summary, ending: &Ending) {
    if ending.succeeded {
        output.say(&format!("hint: {HINT}\n"));
        return;
    }
    let tally = summary.tally;
    let left = tally.total() - tally.revoked;
    if left == 0 {
        return;
    }
    if let Ok(Some(resume)) = &ending.resume {
        let key = if resume.lacks_key { ", with the API key as before" } else { "" };
        output.say(&format!(
            "next: {} holds the {} not known to be revoked; go on from it{key}:\n",
            unbroken(&Safe(&resume.file).to_string()),
            count(resume.targets, "target"),
        ));
        output.say_as_it_is(&resume.lines(columns()));
    } else if ending.interrupted || tally.total() > 1 {
        let first = if ending.interrupted { "" } else { "deal with the errors above, then " };
        output.say(&format!("next: {first}run the same command again: revoking twice is safe\n"));
    }
}

fn confirmation(plan: &Plan, summary: &Summary, target: &str, times: Confirmation) -> String {
    let whom = match summary.tally.revoked {
        1 => named(target),
        many => match plan.only_target() {
            Some(only) => format!("{} with {}", named(only), count(many, "key")),
            None => count(many, plan.unit()),
        },
    };
    let margin = if plan.terms.margin { ", 30 seconds of reauth margin included" } else { "" };
    let (before, from) = (shown(times.issued_before), shown(times.applies_at));
    let when = match summary.requests {
        1 if before == from => {
            format!("tokens issued before {before} are refused from that time on{margin}")
        }
        1 => format!("tokens issued before {before} are refused from {from} on{margin}"),
        _ => format!("in force for the last of them from {from} on{margin}"),
    };
    format!(
        "revoked: Ably accepted the revocation for {whom}\n  {when}\n  {}\n",
        keys_shown(plan, summary)
    )
}

/// The keys with which something was confirmed.
fn keys_shown(plan: &Plan, summary: &Summary) -> String {
    let jobs = plan.jobs.iter().zip(&summary.confirmed_of).filter(|(_, n)| **n > 0);
    jobs.map(|(job, _)| key_shown(&job.credential)).collect::<Vec<_>>().join("\n  ")
}

/// App and key with the key's source; the app's name in one piece.
fn key_shown(credential: &Credential) -> String {
    let described = Safe(&credential.to_string()).to_string();
    match &credential.app.name {
        Some(name) => {
            let name = Safe(name).to_string();
            described.replacen(&name, &unbroken(&name), 1)
        }
        None => described,
    }
}

fn totals(plan: &Plan, summary: &Summary) -> String {
    let tally = summary.tally;
    let requests = count(summary.requests, "request");
    let targets = count(tally.total(), plan.unit());
    format!("{targets}: {}, in {requests}", tally.described())
}

fn say_failure(output: &Output, outcome: &Outcome, whom: &str) {
    let Some(cause) = outcome.cause() else {
        return;
    };
    let what = match outcome {
        Outcome::Refused(cause) if cause.is_of_ably() => {
            format!("Ably refused to revoke the tokens of {whom}: ")
        }
        Outcome::Refused(_) => format!("the tokens of {whom} were not revoked: "),
        Outcome::Unknown(_) => format!("it is unknown whether Ably revoked the tokens of {whom}: "),
        _ => format!("nothing was sent for {whom}: "),
    };
    say_problem(output, &what, &cause.problem, cause.error.as_ref());
    if let (Outcome::Unknown(_), Some(info)) = (outcome, &cause.error) {
        let ids = [("server", &info.server_id), ("edge", &info.edge_id)];
        for (name, id) in ids.iter().filter_map(|(name, id)| Some((name, id.as_ref()?))) {
            output.say(&format!("  for Ably's support: {name} ID {}\n", Safe(id)));
        }
    }
}

/// Tells a problem that says nothing of a target, where there is one.
pub(super) fn problem(output: &Output, problem: Option<&Problem>) {
    problem.into_iter().for_each(|problem| say_problem(output, "", problem, None));
}

fn say_problem(output: &Output, what: &str, problem: &Problem, info: Option<&AblyError>) {
    let mut text = output.symbol(Colour::Bad, "✗");
    text.push_str(&output.painted(Colour::Bad, "error:"));
    let _ = writeln!(text, " {what}{}", Safe(&problem.message));
    if !problem.remedy.is_empty() {
        let _ = writeln!(text, "  {}", Safe(&problem.remedy));
    }
    if let Some(href) = info.and_then(|info| info.href.as_deref()) {
        let _ = writeln!(text, "  see {}", Safe(href));
    }
    output.say(&text);
}
