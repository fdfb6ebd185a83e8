//! What is told: the plan before, the outcomes after, errors at any time; for people on stderr
//! or as JSON on stdout. Only here is an outcome put into words.

use std::fmt::Write;
use std::rc::Rc;

use crate::error::{Error, ErrorInfo, Problem};
use crate::json::{Fields, Json, Layout};
use crate::plan::Facts;
use crate::report::resume::Resume;
use crate::request::issued_before::IssuedBefore;
use crate::request::leaked::Leaked;
use crate::request::targets::{self, Kind, Targets};
use crate::revoke::client::BATCH;
use crate::revoke::outcome::{Confirmation, Failure, Outcome};
use crate::revoke::summary::{Accounts, NAMED};
use crate::revoke::verify::Verdict;
use crate::terminal::output::{Colour, Output, status_fields};
use crate::terminal::wrap::{columns, unbroken};
use crate::text::{Safe, count, excerpt};
use crate::time::shown;

const HINT: &str =
    "the auth server must answer 403 to this client; otherwise it will simply issue a new token";

/// What is to be shown of a target: its kind in words and its value, escaped and in one piece.
pub fn named(specifier: &str) -> String {
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

/// The question's preamble: what will be revoked, in which app, with which key.
pub fn plan(facts: &Facts, targets: &Targets) -> String {
    let mut text = format!("This revokes the tokens of {}:\n", by_kind(targets));
    for target in targets.iter().take(NAMED) {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(text, "  {}", named(target));
    }
    if facts.total > NAMED {
        let _ = writeln!(text, "  and {} more", facts.total - NAMED);
    }
    if targets.duplicates() > 0 {
        let repeated = count(targets.duplicates(), "repeated target");
        let _ = writeln!(text, "{repeated} left out");
    }
    text.push_str(&token_facts(facts));
    if facts.verifies {
        text.push_str("Afterwards Ably is asked with the token itself whether it is rejected\n");
    }
    text.push_str(&doubts(targets));
    let _ = writeln!(text, "With {}", key_shown(facts));
    if let Some(endpoint) = &facts.endpoint {
        let _ = writeln!(text, "Endpoint {}", Safe(endpoint));
    }
    match facts.issued_before {
        Some(IssuedBefore::At(ms)) => {
            let _ = writeln!(text, "Only tokens issued before {}", shown(ms));
        }
        Some(IssuedBefore::Age(age)) => {
            let _ = writeln!(
                text,
                "Only tokens that are older than {}",
                humantime::format_duration(age)
            );
        }
        None => {}
    }
    if facts.margin {
        text.push_str("Connected clients have 30 seconds to obtain new tokens\n");
    }
    text
}

/// `3 client IDs and 1 channel`.
fn by_kind(targets: &Targets) -> String {
    let counts = targets.counts_by_kind();
    let counts = counts.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| count(*n, kind.noun()));
    counts.collect::<Vec<_>>().join(" and ")
}

/// Tells a problem that changes nothing about the outcomes.
pub fn problem(output: &Output, problem: &Problem) {
    if output.is_json() {
        error_record(output, problem, None, None, &[]);
    } else {
        say_problem(output, "", problem, None);
    }
}

/// Tells an error that ended the run before its first request, and closes the JSON stream.
/// `targets` are those that are not revoked for it.
pub fn error(output: &Output, error: &Error, targets: Option<&Targets>) {
    let none = Problem::new("", "");
    let (problem, info) = match error {
        Error::Input(problem) | Error::Declined(problem) => (problem, None),
        Error::Lookup(problem, info) => (problem, info.as_deref()),
        Error::Signal(_) => (&none, None),
    };
    if output.is_json() {
        if !problem.message.is_empty() {
            let affected = targets.filter(|_| matches!(error, Error::Lookup(..)));
            let affected: Vec<&str> = affected.iter().flat_map(|targets| targets.iter()).collect();
            error_record(output, problem, info, Some("not-sent"), &affected);
        }
        status(output, error.exit_code(), matches!(error, Error::Signal(_)));
    } else if let Error::Declined(problem) = error {
        output.say(&format!("{}\n", problem.message));
    } else if !problem.message.is_empty() {
        say_problem(output, "", problem, info);
    }
}

/// Shows what would be sent.
pub fn dry_run(output: &Output, facts: &Facts, url: &str, body: &Json) {
    if output.is_json() {
        let request = Fields::new()
            .with("method", "POST")
            .with("url", url)
            .with("body", body.clone())
            .with("keyName", facts.key_name.as_str());
        output.record("result", |fields| {
            fields
                .with("success", true)
                .with("dryRun", true)
                .with("message", format!("nothing was sent{}", read_first(facts)))
                .with("request", request.done())
                .maybe("token", facts.token.as_ref().map(|(_, json)| json.clone()))
        });
        return;
    }
    let layout = Layout { pretty: true, colour: false };
    output.say(&format!(
        "{}Dry run: nothing was sent{}. The real run would send {} to\n  POST {url}\n\
         with {}, the first with this body:\n",
        token_facts(facts),
        read_first(facts),
        count(facts.total.div_ceil(BATCH), "request"),
        key_shown(facts),
    ));
    output.say_as_it_is(&format!("{}\n", body.write(layout)));
}

/// What is known of the leaked token, line by line.
fn token_facts(facts: &Facts) -> String {
    let lines = facts.token.iter().flat_map(|(text, _)| text.lines());
    lines.map(|line| format!("{}\n", Safe(line))).collect()
}

/// What even a dry run asks for.
fn read_first(facts: &Facts) -> &'static str {
    match (facts.asked_control, matches!(facts.issued_before, Some(IssuedBefore::Age(_)))) {
        (true, true) => "; only the Control API was asked for app and key, and Ably for the time",
        (true, false) => "; only the Control API was asked for app and key",
        (false, true) => "; only Ably was asked for the time",
        (false, false) => "",
    }
}

/// Says on stderr that stdout lacks something: its exit code alone would say something else.
pub fn stdout_failed(output: &Output) {
    output.say(
        "error: stdout could not be written, so what it shows is incomplete\n  \
         make room on its disk; exit code 0 became 1\n",
    );
}

/// The closing JSON record.
pub fn status(output: &Output, exit_code: i32, interrupted: bool) {
    output.record("status", |fields| status_fields(fields, exit_code, interrupted));
}

/// Tells the outcomes of one request as they come: in JSON at once, for people only the failures
/// that are to be named.
pub fn batch(output: &Output, facts: &Facts, targets: &[&str], outcomes: &[Outcome]) {
    if !output.is_json() {
        return;
    }
    if outcomes.iter().any(Outcome::has_result) {
        result_record(output, facts, targets, outcomes);
    }
    for (failure, word, affected) in grouped(targets, outcomes) {
        error_record(output, &failure.problem, failure.info.as_ref(), Some(word), &affected);
    }
}

fn result_record(output: &Output, facts: &Facts, targets: &[&str], outcomes: &[Outcome]) {
    let confirmed =
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Revoked(_))).count();
    let results: Vec<Json> = targets
        .iter()
        .zip(outcomes)
        .filter_map(|(target, outcome)| result(target, outcome))
        .collect();
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
        .with("allowReauthMargin", facts.margin)
        .with("message", message)
        .maybe("target", targets.first().filter(|_| facts.total == 1).copied())
        .with("app", facts.app.as_str())
        .with("keyName", facts.key_name.as_str())
        .with("keySource", facts.key_source.as_str())
        .maybe("token", facts.token.as_ref().map(|(_, json)| json.clone()))
        .maybe("verified", facts.verdict.as_ref().map(|verdict| *verdict == Verdict::Revoked))
        .maybe("verification", facts.verdict.as_ref().map(Verdict::described))
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
            let info =
                outcome.failure().and_then(|failure| failure.info.clone()).unwrap_or_default();
            let error = ably_fields(Fields::new().maybe("message", info.message.clone()), &info);
            Some(fields.with("error", error.done()).done())
        }
        _ => None,
    }
}

fn ably_fields(fields: Fields, info: &ErrorInfo) -> Fields {
    fields
        .maybe("code", info.code)
        .maybe("statusCode", info.status.map(i64::from))
        .maybe("href", info.href.clone())
        .maybe("serverId", info.server_id.clone())
        .maybe("edgeId", info.edge_id.clone())
}

/// The failures that are no result of their own, each with the targets it struck.
fn grouped<'a>(
    targets: &[&'a str],
    outcomes: &[Outcome],
) -> Vec<(Rc<Failure>, &'static str, Vec<&'a str>)> {
    let mut groups: Vec<(Rc<Failure>, &'static str, Vec<&'a str>)> = Vec::new();
    for (target, outcome) in
        targets.iter().zip(outcomes).filter(|(_, outcome)| !outcome.has_result())
    {
        let Some(failure) = outcome.failure() else {
            continue;
        };
        match groups.iter_mut().find(|(known, ..)| Rc::ptr_eq(known, failure)) {
            Some((.., affected)) => affected.push(target),
            None => groups.push((Rc::clone(failure), outcome.word(), vec![target])),
        }
    }
    groups
}

fn error_record(
    output: &Output,
    problem: &Problem,
    info: Option<&ErrorInfo>,
    outcome: Option<&'static str>,
    targets: &[&str],
) {
    let targets: Vec<Json> = targets.iter().copied().map(Json::from).collect();
    let mut error = Fields::new().with("message", problem.message.as_str());
    if let Some(info) = info {
        error = ably_fields(error, info);
    }
    let hint = Some(problem.remedy.as_str()).filter(|remedy| !remedy.is_empty());
    let targets = (!targets.is_empty()).then_some(targets);
    // Scripts look for these two beside `success` and inside `error` alike.
    let ends = |fields: Fields| fields.maybe("outcome", outcome).maybe("targets", targets.clone());
    let error = ends(error.maybe("hint", hint));
    output
        .record("error", |fields| ends(fields.with("success", false).with("error", error.done())));
}

/// What is doubtful about a leaked token or the targets, where no question shows it. JSON has it
/// in the record.
pub fn warning(output: &Output, leaked: Option<&Leaked>, targets: &Targets) {
    if !output.is_json() {
        output.say(&doubts(targets));
    }
    if let Some(warning) = leaked.and_then(Leaked::warning).filter(|_| !output.is_json()) {
        output.say(&format!("warning: {warning}\n"));
    }
}

/// Tells people that the target is revoked, before the token is asked with: that takes long.
pub fn before_proof(output: &Output, facts: &Facts, targets: &[&str], outcomes: &[Outcome]) {
    let mut accounts = Accounts { requests: 1, ..Accounts::default() };
    accounts.enter(targets, outcomes);
    if let Some((target, times)) = accounts.confirmed.as_ref().filter(|_| !output.is_json()) {
        output.say(&confirmation(facts, &accounts, target, *times));
        output.say("asking Ably whether it still accepts the token\n");
    }
}

/// What became of the leaked token itself.
fn verdict(output: &Output, verdict: &Verdict) {
    if verdict.is_dead() {
        let symbol = output.symbol(Colour::Good, "✓");
        output.say(&format!("{symbol}{}\n", Safe(&verdict.described())));
        return;
    }
    let remedy = match verdict {
        Verdict::Accepted => {
            "the token still works: run the same command again in a minute; \
             if it works then, too, revoke its API key in the dashboard"
        }
        _ => "the revocation itself was accepted: run the same command to ask once more",
    };
    problem(output, &Problem::new(verdict.described(), remedy));
}

/// How a run ended, beside its accounts.
#[derive(Debug)]
pub struct Ending {
    /// Whether its exit code is 0.
    pub succeeded: bool,
    /// Whether a signal ended it.
    pub interrupted: bool,
    /// How to go on from the left-over file, where there is one; or why it was not written.
    pub resume: Result<Option<Resume>, Problem>,
}

/// The end of a run: for people all of it, as JSON what is not in a record yet. The last lines say
/// how it ended: the success, or what to do next.
pub fn end(
    output: &Output,
    facts: &Facts,
    accounts: &Accounts,
    targets: &Targets,
    ending: &Ending,
) {
    if !output.is_json() {
        tell_accounts(output, facts, accounts, ending);
        failures(output, facts, accounts, targets);
    }
    match &facts.verdict {
        Some(reached) if !output.is_json() || !reached.is_dead() => verdict(output, reached),
        _ => {}
    }
    if let Err(problem) = &ending.resume {
        self::problem(output, problem);
    }
    if !output.is_json() {
        next_step(output, accounts, ending);
    }
}

fn tell_accounts(output: &Output, facts: &Facts, accounts: &Accounts, ending: &Ending) {
    if facts.total > 1 {
        output.say(&format!("{}\n", totals(accounts)));
    }
    // Where there is a verdict, this was told before it.
    if let (Some((target, times)), None) = (&accounts.confirmed, &facts.verdict) {
        let text = confirmation(facts, accounts, target, *times);
        output.say(&match text.strip_prefix("revoked:").filter(|_| ending.succeeded) {
            Some(rest) => {
                let word = output.painted(Colour::Good, "revoked:");
                format!("{}{word}{rest}", output.symbol(Colour::Good, "✓"))
            }
            None => text,
        });
    }
}

fn failures(output: &Output, facts: &Facts, accounts: &Accounts, targets: &Targets) {
    let only = (facts.total == 1).then(|| targets.get(0));
    for (outcome, struck) in &accounts.whole {
        let whom = only.map_or_else(|| count(*struck, "target"), named);
        say_failure(output, outcome, &whom);
    }
    for (target, outcome) in &accounts.named {
        say_failure(output, outcome, &named(target));
    }
    if accounts.otherwise > 0 {
        let whom = count(accounts.otherwise, "more target");
        output.say(&format!("and {whom} in requests that failed with other errors\n"));
    }
    let unnamed = accounts.refused_alone.saturating_sub(accounts.named.len());
    if unnamed > 0 {
        output.say(&format!("and {unnamed} more refused\n"));
    }
}

/// What is left to do: about the auth server, or about the targets left over.
fn next_step(output: &Output, accounts: &Accounts, ending: &Ending) {
    if ending.succeeded {
        output.say(&format!("hint: {HINT}\n"));
        return;
    }
    let tally = accounts.tally;
    let left = tally.total() - tally.revoked;
    if left == 0 {
        return;
    }
    if let Ok(Some(resume)) = &ending.resume {
        let key = if resume.lacks_key { ", with the API key as before" } else { "" };
        output.say(&format!(
            "next: {} holds the {} not known to be revoked; go on from it{key}:\n",
            unbroken(&Safe(&resume.file).to_string()),
            count(left, "target"),
        ));
        output.say_as_it_is(&resume.lines(columns()));
    } else if ending.interrupted || tally.total() > 1 {
        let first = if ending.interrupted { "" } else { "deal with the errors above, then " };
        output.say(&format!("next: {first}run the same command again: revoking twice is safe\n"));
    }
}

fn confirmation(facts: &Facts, accounts: &Accounts, target: &str, times: Confirmation) -> String {
    let whom = match accounts.tally.revoked {
        1 => named(target),
        many => count(many, "target"),
    };
    let margin = if facts.margin { ", 30 seconds of reauth margin included" } else { "" };
    let (before, from) = (shown(times.issued_before), shown(times.applies_at));
    let when = match accounts.requests {
        1 if before == from => {
            format!("tokens issued before {before} are refused from that time on{margin}")
        }
        1 => format!("tokens issued before {before} are refused from {from} on{margin}"),
        _ => format!("in force for the last of them from {from} on{margin}"),
    };
    format!("revoked: Ably accepted the revocation for {whom}\n  {when}\n  {}\n", key_shown(facts),)
}

/// App and key with the key's source; the app's name in one piece.
fn key_shown(facts: &Facts) -> String {
    let described = Safe(&facts.key_described()).to_string();
    match &facts.app_name {
        Some(name) => {
            let name = Safe(name).to_string();
            described.replacen(&name, &unbroken(&name), 1)
        }
        None => described,
    }
}

fn totals(accounts: &Accounts) -> String {
    let tally = accounts.tally;
    let requests = count(accounts.requests, "request");
    let targets = count(tally.total(), "target");
    format!("{targets}: {}, in {requests}", tally.described())
}

fn say_failure(output: &Output, outcome: &Outcome, whom: &str) {
    let Some(failure) = outcome.failure() else {
        return;
    };
    let what = match outcome {
        Outcome::Refused(failure) if failure.is_of_ably() => {
            format!("Ably refused to revoke the tokens of {whom}: ")
        }
        Outcome::Refused(_) => format!("the tokens of {whom} were not revoked: "),
        Outcome::Unknown(_) => format!("it is unknown whether Ably revoked the tokens of {whom}: "),
        _ => format!("nothing was sent for {whom}: "),
    };
    say_problem(output, &what, &failure.problem, failure.info.as_ref());
    if let (Outcome::Unknown(_), Some(info)) = (outcome, &failure.info) {
        let ids = [("server", &info.server_id), ("edge", &info.edge_id)];
        for (name, id) in ids.iter().filter_map(|(name, id)| Some((name, id.as_ref()?))) {
            output.say(&format!("  for Ably's support: {name} ID {}\n", Safe(id)));
        }
    }
}

fn say_problem(output: &Output, what: &str, problem: &Problem, info: Option<&ErrorInfo>) {
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
