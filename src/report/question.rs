//! What people read before anything is sent: the question, a dry run in its place, warnings.

use std::fmt::Write;

use crate::json::Layout;
use crate::plan::{Job, Plan};
use crate::report::leak;
use crate::report::words::{by_kind, key_shown, named};
use crate::request::settings::Mode;
use crate::request::target::LIKE_A_SECRET;
use crate::revoke::client;
use crate::terminal::output::Output;
use crate::text::{Safe, TOLD, count};
use crate::time::shown;

/// What comes before the question: what will be revoked, in which app, with which key.
pub(super) fn question(plan: &Plan) -> String {
    let mut text = warnings(plan);
    text.push_str(&plan.leaked.as_ref().map(leak::asked_about).unwrap_or_default());
    let at_hand: Vec<&Job> = plan.jobs.iter().filter(|job| job.at_hand.is_some()).collect();
    for jobs in at_hand.chunk_by(|a, b| a.shares_targets(b)) {
        text.push_str(&of_jobs(plan, jobs));
    }
    text.push_str(&irrevocable(plan));
    // Writing to a String cannot fail, here and below.
    if plan.settings.verify {
        let which = if plan.only_token().is_some() { "the" } else { "each" };
        let _ = writeln!(
            text,
            "Afterwards Ably is asked with {which} token itself whether it is rejected"
        );
    }
    let endpoints = plan.endpoints();
    for endpoint in endpoints.iter().filter(|endpoint| !endpoint.is_default()) {
        let of = |job: &&Job| job.at_hand.as_ref().is_some_and(|one| one.endpoint == **endpoint);
        let keys: Vec<&str> =
            plan.jobs.iter().filter(of).map(|job| job.key_name.as_str()).collect();
        let whose = match endpoints.len() {
            1 => String::new(),
            _ => format!(" for key {}", keys.join(", ")),
        };
        let _ = writeln!(text, "Endpoint {}{whose}", Safe(&endpoint.to_string()));
    }
    if let Some(ms) = plan.terms.issued_before {
        let _ = writeln!(text, "Only tokens issued before {}", shown(ms));
    }
    if plan.terms.margin {
        text.push_str("Connected clients have 30 seconds to obtain new tokens\n");
    }
    text
}

/// What is to be known where no question says it: warnings, and what was found.
pub(super) fn beforehand(plan: &Plan) -> String {
    let told = if plan.settings.mode == Mode::DryRun { leak::asked_about } else { leak::found };
    warnings(plan) + &plan.leaked.as_ref().map(told).unwrap_or_default()
}

/// The API keys that leaked, then what is doubtful.
fn warnings(plan: &Plan) -> String {
    let doubts = doubts(plan).into_iter().map(|doubt| format!("warning: {doubt}\n"));
    leak::leaked_keys(plan) + &doubts.collect::<String>()
}

/// What cannot be revoked, and will be counted as not sent.
fn irrevocable(plan: &Plan) -> String {
    match leak::irrevocable(plan) {
        text if text.is_empty() => text,
        text => format!("Cannot be revoked, and will be counted as not sent:\n{text}"),
    }
}

/// The targets of jobs that share them, and the keys of these jobs.
fn of_jobs(plan: &Plan, jobs: &[&Job]) -> String {
    let mut text = String::new();
    let Some(targets) = jobs.first().map(|job| &job.targets) else {
        return text;
    };
    let _ = writeln!(text, "This revokes the tokens of {}:", by_kind(targets));
    for (at, target) in targets.iter().enumerate().take(TOLD) {
        let _ = writeln!(text, "  {}{}", named(target), line_of(plan, jobs, at));
    }
    if targets.len() > TOLD {
        let _ = writeln!(text, "  and {} more", targets.len() - TOLD);
    }
    if targets.duplicates() > 0 {
        let repeated = count(targets.duplicates(), "repeated target");
        let _ = writeln!(text, "{repeated} left out");
    }
    match jobs {
        [job] => {
            let _ = writeln!(text, "With {}", key_shown(job));
        }
        jobs => {
            let _ = writeln!(text, "With each of {}:", count(jobs.len(), "key"));
            for job in jobs {
                let _ = writeln!(text, "  {}", key_shown(job));
            }
        }
    }
    text
}

/// Where the tokens of a target first stand, if there are several.
fn line_of(plan: &Plan, jobs: &[&Job], at: usize) -> String {
    let (Some(leaked), [job, ..], None) = (&plan.leaked, jobs, plan.only_token()) else {
        return String::new();
    };
    let mut own = leaked.of_job(&job.tokens).filter(|(_, _, place)| *place == at);
    match (own.next(), own.count()) {
        (None, _) => String::new(),
        (Some((_, token, _)), 0) => format!(" (line {})", token.line),
        (Some((_, token, _)), more) => {
            format!(" (line {} and {})", token.line, count(more, "more token"))
        }
    }
}

/// What is doubtful about targets, tokens and keys, a sentence each.
pub(super) fn doubts(plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    for job in plan.jobs.chunk_by(Job::shares_targets).filter_map(<[Job]>::first) {
        let targets = &job.targets;
        for (doubt, first, n) in targets.doubts() {
            // What looks like a secret is not repeated.
            let value = (doubt != LIKE_A_SECRET).then(|| named(targets.get(first)));
            let line = targets.line(first).map(|line| format!("line {line}"));
            let which: Vec<String> = value.into_iter().chain(line).collect();
            let which = match (which.join(", "), n) {
                (which, _) if which.is_empty() => which,
                (which, 1) => format!(" ({which})"),
                (which, _) => format!(" (the first: {which})"),
            };
            let n = count(n, "target");
            warnings.push(format!("{n} {doubt}{which}: Ably cannot tell that this names nobody"));
        }
    }
    warnings.extend(plan.leaked.as_ref().and_then(leak::long_life));
    warnings.extend(plan.warnings.iter().map(|warning| Safe(warning).to_string()));
    warnings
}

pub(super) fn dry_run(output: &Output, plan: &Plan) {
    for job in &plan.jobs {
        let Some(at_hand) = &job.at_hand else { continue };
        let (host, path) = (at_hand.hosts.preferred(), client::path(&at_hand.key.api_key));
        output.say(&format!(
            "Dry run: nothing was sent{}. The real run would revoke the tokens of {} with {} to\n  \
             POST https://{host}{path}\nwith {}, the first with this body:\n",
            read_first(plan),
            by_kind(&job.targets),
            count(job.targets.batches().count(), "request"),
            key_shown(job),
        ));
        let body = client::first_body(&job.targets, plan.terms);
        output.say_as_it_is(&format!("{}\n", body.write(Layout::Pretty)));
    }
    output.say(&irrevocable(plan));
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
