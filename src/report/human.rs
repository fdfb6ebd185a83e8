//! What people read, on stderr.

use std::time::Duration;

use crate::error::{Error, Exit, Problem};
use crate::plan::{Job, Plan};
use crate::report::Ending;
use crate::report::leak;
use crate::report::resume::Resume;
use crate::report::words::{key_shown, named, problem, ready, say_problem};
use crate::request::settings::Mode;
use crate::revoke::outcome::Outcome;
use crate::revoke::summary::{Failure, Summary};
use crate::terminal::output::{Colour, Output, columns};
use crate::text::{Safe, count, listed};
use crate::time::shown;
use crate::wrap::unbroken;

/// A run of more requests and more time than this is told what would make it faster.
const LONG_RUN: usize = 10;
const LONG: Duration = Duration::from_secs(5);
const HINT: &str =
    "the auth server must answer 403 to this client; otherwise it will simply issue a new token";

pub(super) fn error(output: &Output, error: &Error) {
    match error.exit {
        Exit::Signal(_) => {}
        Exit::NotConfirmed => output.say(&format!("{}\n", error.problem.message)),
        _ => say_problem(output, "", &error.problem, error.ably.as_deref()),
    }
}

/// Tells what is revoked, before Ably is asked with the tokens.
pub(super) fn before_proof(output: &Output, plan: &Plan, summary: &Summary) {
    let only = plan.only_token().and_then(|_| confirmation(plan, summary, "revoked:"));
    if let Some(confirmation) = only {
        output.say(&confirmation);
        output.say("asking Ably whether it still accepts the token\n");
    } else {
        output.say(&format!("{}\n", totals(plan, summary)));
        output.say("asking Ably with each token until it is rejected\n");
    }
}

/// The end of a run: the counts first, then what failed and why, last what to do next.
pub(super) fn end(output: &Output, plan: &Plan, summary: &Summary, ending: &Ending) {
    if plan.settings.is_check() {
        return check_end(output, plan, summary, ending);
    }
    if plan.settings.mode == Mode::Ask {
        output.say(&leak::leaked_keys(plan));
    }
    tell_counts(output, plan, summary, ending);
    failures(output, plan, summary);
    irrevocable(output, plan);
    leak::proofs(output, plan, &summary.proofs);
    problem(output, ending.resume.as_ref().err());
    problem(output, ending.unrecorded.as_ref());
    if plan.settings.parallel == 1 && summary.requests > LONG_RUN && ending.took > LONG {
        output.say("hint: with --parallel 8, say, such a run takes a fraction of the time\n");
    }
    next_step(output, plan, summary, ending);
}

fn check_end(output: &Output, plan: &Plan, summary: &Summary, ending: &Ending) {
    for (job, _) in plan.jobs.iter().zip(&summary.confirmed_of).filter(|(_, n)| **n > 0) {
        output.say(&format!("{} {}\n", head(output, ending, "ready:"), ready(job)));
    }
    let named = summary.named.iter().map(|it| (it.job, &it.outcome));
    for (job, outcome) in named.chain(summary.whole.iter().map(|it| (it.job, &it.outcome))) {
        let Some(job) = plan.jobs.get(job) else { continue };
        let key = &job.key_name;
        let what = match outcome {
            Outcome::Refused(_) => format!("key {key} cannot revoke tokens: "),
            Outcome::Unknown(_) => format!("whether key {key} can revoke tokens is unknown: "),
            _ => format!("key {key} could not be checked: "),
        };
        tell_cause(output, &what, outcome);
        say_key(output, job, outcome);
    }
    problem(output, ending.unrecorded.as_ref());
}

/// Which key was refused, and where it came from: a stale one may be the reason.
fn say_key(output: &Output, job: &Job, outcome: &Outcome) {
    if let (Outcome::Refused(_), Some(key)) = (outcome, job.key()) {
        output.say(&format!("  the key was {} from {}\n", key.name(), Safe(&key.source)));
    }
}

/// The word that success begins with, after a run that is one in green.
fn head(output: &Output, ending: &Ending, word: &str) -> String {
    match ending.succeeded {
        true => {
            format!("{}{}", output.symbol(Colour::Good, "✓"), output.painted(Colour::Good, word))
        }
        false => word.to_owned(),
    }
}

fn tell_counts(output: &Output, plan: &Plan, summary: &Summary, ending: &Ending) {
    if plan.revocations() > 1 && summary.proofs.is_empty() {
        output.say(&format!("{}\n", totals(plan, summary)));
    }
    // Where the only token was asked with, this was told before.
    if summary.proofs.is_empty() || plan.only_token().is_none() {
        let confirmation = confirmation(plan, summary, &head(output, ending, "revoked:"));
        output.say(&confirmation.unwrap_or_default());
    }
}

fn failures(output: &Output, plan: &Plan, summary: &Summary) {
    let only = plan.only_target();
    let with = |job| plan.key_among(job).map(|key| format!(" with key {key}")).unwrap_or_default();
    for Failure { job, targets, outcome } in &summary.whole {
        let whom = only.map_or_else(|| count(*targets, "target"), named);
        say_failure(output, outcome, &(whom + &with(*job)));
        plan.jobs.get(*job).into_iter().for_each(|job| say_key(output, job, outcome));
    }
    for of_job in summary.named.chunk_by(|one, other| one.job == other.job) {
        for Failure { job, targets, outcome } in of_job {
            say_failure(output, outcome, &(named(targets) + &with(*job)));
        }
        if let Some(Failure { job, outcome, .. }) = of_job.first() {
            plan.jobs.get(*job).into_iter().for_each(|job| say_key(output, job, outcome));
        }
    }
    if summary.other_failures > 0 {
        let whom = count(summary.other_failures, &format!("more {}", plan.unit()));
        output.say(&format!("and {whom} in requests that failed with other errors\n"));
    }
    let unnamed = summary.refused_alone.saturating_sub(summary.named.len());
    if unnamed > 0 {
        output.say(&format!("and {unnamed} more refused\n"));
    }
}

fn irrevocable(output: &Output, plan: &Plan) {
    let (tokens, text) = (plan.irrevocable(), leak::irrevocable(plan));
    if tokens > 0 {
        let what = format!("nothing was sent for {}:", count(tokens, "token"));
        say_problem(output, &what, &Problem::new("", ""), None);
        output.say(&text);
    }
}

/// What is left to do: about the auth server, or about the targets left over.
fn next_step(output: &Output, plan: &Plan, summary: &Summary, ending: &Ending) {
    if ending.succeeded {
        if !plan.other_keys.is_empty() {
            let keys = listed(&plan.other_keys);
            output.say(&format!(
                "hint: tokens that other keys of the app issued live on ({}): --all-keys revokes with \
                 every key\n",
                Safe(&keys)
            ));
        }
        output.say(&format!("hint: {HINT}\n"));
        return;
    }
    let tally = summary.tally;
    let interrupted = matches!(ending.exit, Exit::Signal(_));
    if tally.total() == tally.revoked {
        return;
    }
    let Ok(Some(Resume { file, targets, command, give_again })) = &ending.resume else {
        if interrupted || tally.total() > 1 {
            let first = if interrupted { "" } else { "deal with the errors above, then " };
            let again = "run the same command again: revoking twice is safe";
            output.say(&format!("next: {first}{again}\n"));
        }
        return;
    };
    let Some(command) = command else { return };
    let file = unbroken(&Safe(file).to_string());
    let held = format!("{file} holds the {} not known to be revoked", count(*targets, "target"));
    let goes_on = match plan.leaked {
        Some(_) => "the same command goes on, since revoking twice is safe",
        None => "go on from it",
    };
    let again = match give_again.as_slice() {
        [] => String::new(),
        what => format!(", with {} given again", what.join(" and ")),
    };
    output.say(&format!("next: {held}; {goes_on}{again}:\n"));
    output.say_as_it_is(&Resume::lines(command, columns()));
}

/// That Ably accepted it, with no more than that: from when on which tokens are refused, and that it
/// is the tokens of these keys. `head` is the word that it begins with.
fn confirmation(plan: &Plan, summary: &Summary, head: &str) -> Option<String> {
    let (target, confirmed) = summary.confirmed.as_ref()?;
    let whom = match (summary.tally.revoked, plan.only_target()) {
        (1, _) => format!("the revocation for {}", named(target)),
        (many, Some(only)) => {
            format!("the revocation for {} with {}", named(only), count(many, "key"))
        }
        (many, None) if plan.unit() == "target" => {
            format!("the revocation for {}", count(many, "target"))
        }
        (many, None) => count(many, plan.unit()),
    };
    let jobs = plan.jobs.iter().zip(&summary.confirmed_of).filter(|(_, n)| **n > 0);
    let jobs: Vec<&Job> = jobs.map(|(job, _)| job).collect();
    let issuer = match jobs.as_slice() {
        [job] => format!("key {}", job.key_name),
        _ => "these keys".to_owned(),
    };
    let (before, from) = (shown(confirmed.issued_before), shown(confirmed.applies_at));
    let from = if before == from { "that time" } else { &from };
    let margin = if plan.terms.margin { ", 30 seconds of reauth margin included" } else { "" };
    let keys: String = jobs.iter().map(|job| format!("  {}\n", key_shown(job))).collect();
    Some(format!(
        "{head} Ably accepted {whom}\n  tokens that {issuer} issued before {before} are refused from \
         {from} on{margin}\n{keys}"
    ))
}

fn totals(plan: &Plan, summary: &Summary) -> String {
    let tally = summary.tally;
    let requests = count(summary.requests, "request");
    let targets = count(tally.total(), plan.unit());
    format!("{targets}: {}, in {requests}", tally.described())
}

fn say_failure(output: &Output, outcome: &Outcome, whom: &str) {
    let what = match outcome {
        Outcome::Refused(cause) if cause.is_of_ably() => {
            format!("Ably refused to revoke the tokens of {whom}: ")
        }
        Outcome::Refused(_) => format!("the tokens of {whom} were not revoked: "),
        Outcome::Unknown(_) => format!("it is unknown whether Ably revoked the tokens of {whom}: "),
        _ => format!("nothing was sent for {whom}: "),
    };
    tell_cause(output, &what, outcome);
}

/// Why something is not revoked, behind words that say what.
fn tell_cause(output: &Output, what: &str, outcome: &Outcome) {
    let Some(cause) = outcome.cause() else {
        return;
    };
    say_problem(output, what, &cause.problem, cause.error.as_ref());
    if let (Outcome::Unknown(_), Some(info)) = (outcome, &cause.error) {
        let ids = [("server", &info.server_id), ("edge", &info.edge_id)];
        for (name, id) in ids.iter().filter_map(|(name, id)| Some((name, id.as_ref()?))) {
            output.say(&format!("  for Ably's support: {name} ID {}\n", Safe(id)));
        }
    }
}
