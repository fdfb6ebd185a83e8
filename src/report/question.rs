//! What people read before anything is sent: the question, a dry run in its place, warnings.

use std::fmt::Write;

use crate::json::Layout;
use crate::plan::{Job, Plan};
use crate::report::human::{key_shown, named};
use crate::request::leaked::Leaked;
use crate::request::leaked_tokens::Token;
use crate::request::target::{Doubt, Kind};
use crate::request::targets::Targets;
use crate::revoke::client;
use crate::revoke::summary::NAMED;
use crate::terminal::output::Output;
use crate::text::{Safe, count};
use crate::time::{now_ms, shown};
use crate::wrap::unbroken;

/// What comes before the question: what will be revoked, in which app, with which key.
pub(super) fn question(plan: &Plan) -> String {
    let mut text = found(plan);
    let (at_hand, missing): (Vec<&Job>, Vec<&Job>) =
        plan.jobs.iter().partition(|job| job.at_hand.is_some());
    for jobs in at_hand.chunk_by(|a, b| a.shares_targets(b)) {
        text.push_str(&of_jobs(plan, jobs));
    }
    text.push_str(&irrevocable(plan, &missing));
    // Writing to a String cannot fail, here and below.
    if plan.settings.verify {
        let _ = writeln!(text, "Afterwards Ably is asked with {} rejected", tokens_are(plan));
    }
    text.push_str(&warnings(plan));
    for endpoint in plan.endpoints().into_iter().filter(|endpoint| !endpoint.is_default()) {
        let of = |job: &&Job| job.at_hand.as_ref().is_some_and(|one| one.endpoint == *endpoint);
        let keys: Vec<&str> =
            plan.jobs.iter().filter(of).map(|job| job.key_name.as_str()).collect();
        let whose = match plan.endpoints().len() {
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

fn tokens_are(plan: &Plan) -> &'static str {
    match plan.leaked.as_ref().and_then(Leaked::only) {
        Some(_) => "the token itself whether it is",
        None => "each token itself whether it is",
    }
}

/// The targets of jobs that share them, and the keys of these jobs.
fn of_jobs(plan: &Plan, jobs: &[&Job]) -> String {
    let mut text = String::new();
    let Some(targets) = jobs.first().map(|job| &job.targets) else {
        return text;
    };
    let _ = writeln!(text, "This revokes the tokens of {}:", by_kind(targets));
    for (at, target) in targets.iter().enumerate().take(NAMED) {
        let _ = writeln!(text, "  {}{}", named(target), line_of(plan, jobs, at));
    }
    if targets.len() > NAMED {
        let _ = writeln!(text, "  and {} more", targets.len() - NAMED);
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
    let Some(leaked) = plan.leaked.as_ref().filter(|leaked| leaked.only().is_none()) else {
        return String::new();
    };
    let is_one = |job: usize| {
        let job = plan.jobs.get(job).zip(jobs.first());
        job.is_some_and(|(job, own)| job.key_name == own.key_name)
    };
    let mut own = leaked.places().filter(|(_, job, place)| *place == at && is_one(*job));
    match (own.next(), own.count()) {
        (None, _) => String::new(),
        (Some((token, ..)), 0) => format!(" (line {})", token.line),
        (Some((token, ..)), more) => {
            format!(" (line {} and {})", token.line, count(more, "more token"))
        }
    }
}

/// `3 client IDs and 1 channel`.
fn by_kind(targets: &Targets) -> String {
    let counts = targets.counts_by_kind();
    let counts = counts.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| count(*n, kind.noun()));
    counts.collect::<Vec<_>>().join(" and ")
}

/// What is doubtful about targets, tokens and keys, a sentence each.
pub(super) fn warnings_of(plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    for job in plan.jobs.chunk_by(Job::shares_targets).filter_map(<[Job]>::first) {
        let targets = &job.targets;
        for doubt in Doubt::ALL {
            let Some((first, n)) = targets.doubtful(doubt) else { continue };
            let line = targets.line(first).map(|line| format!(" in line {line}"));
            warnings.push(format!(
                "{} {doubt}, the first{} is {}: Ably cannot tell that this names nobody",
                count(n, "target"),
                line.unwrap_or_default(),
                named(targets.get(first)),
            ));
        }
    }
    warnings.extend(plan.leaked.as_ref().and_then(long_life));
    warnings.extend(plan.warnings.iter().map(|warning| Safe(warning).to_string()));
    warnings
}

/// The same for people.
pub(super) fn warnings(plan: &Plan) -> String {
    warnings_of(plan).iter().map(|warning| format!("warning: {warning}\n")).collect()
}

/// What the text of `--from-token` holds: of one token what it says of itself, of several how many.
fn found(plan: &Plan) -> String {
    let Some(leaked) = &plan.leaked else {
        return String::new();
    };
    if let Some(token) = leaked.only() {
        let text = facts(leaked, token);
        return text.lines().map(|line| format!("{}\n", Safe(line))).collect();
    }
    let all = leaked.found.tokens.len() + leaked.found.helpless.len();
    let source = unbroken(&Safe(&leaked.source).to_string());
    let keys = count(plan.jobs.len(), "key");
    let mut text = format!("Found in {source}: {} of {keys}", count(all, "token"));
    let left_out = [
        (leaked.found.expired, "expired"),
        (leaked.other_apps, "of other apps"),
        (leaked.found.not_ably, "not Ably's"),
    ];
    let mut separator = "; left out: ";
    for (n, what) in left_out.into_iter().filter(|(n, _)| *n > 0) {
        let _ = write!(text, "{separator}{n} {what}");
        separator = ", ";
    }
    text.push_str("\nTheir signatures were not verified\n");
    text
}

/// What the operator is to know of one token, one fact a line.
fn facts(leaked: &Leaked, token: &Token) -> String {
    let claim = match leaked.target(token).0 {
        Kind::RevocationKey => "x-ably-revocation-key",
        _ => "x-ably-clientId",
    };
    let millis = |seconds: i64| seconds.saturating_mul(1000);
    let time = |seconds: Option<i64>| {
        seconds.map_or_else(|| "at a time it does not say".to_owned(), |at| shown(millis(at)))
    };
    let left = token.claims.expires_at.map(|end| end.saturating_sub(now_ms() / 1000));
    let left = left.map(|left| format!(" ({left} s left)")).unwrap_or_default();
    format!(
        "The leaked token names its target in {claim}, was signed with key {},\n\
         issued {} and expires {}{left}; its signature was not verified\n",
        token.key_name,
        time(token.claims.issued_at),
        time(token.claims.expires_at),
    )
}

/// What is doubtful about tokens that live long.
pub(super) fn long_life(leaked: &Leaked) -> Option<String> {
    let now = now_ms();
    let long =
        leaked.found.tokens.iter().filter(|token| token.lives_longer_than_an_hour(now)).count();
    let who = match (long, leaked.only()) {
        (0, _) => return None,
        (_, Some(_)) => "the token claims a life of over an hour, which Ably does not allow where \
                         tokens can be revoked: it"
            .to_owned(),
        (long, None) => format!(
            "{} of the tokens {} a life of over an hour, which Ably does not allow where tokens can \
             be revoked: they",
            long,
            if long == 1 { "claims" } else { "claim" }
        ),
    };
    Some(format!(
        "{who} may stay valid; check with --verify, and if Ably still accepts one, revoke its API key \
         in the dashboard"
    ))
}

/// What cannot be revoked, and will be counted as not sent.
fn irrevocable(plan: &Plan, missing: &[&Job]) -> String {
    let mut text = String::new();
    if missing.is_empty() && plan.helpless().is_empty() {
        return text;
    }
    text.push_str("Cannot be revoked, and will be counted as not sent:\n");
    for job in missing {
        let key = &job.key_name;
        let _ = writeln!(text, "  {} of key {key}, which is not at hand", by_kind(&job.targets));
    }
    for (token, why) in plan.helpless().iter().take(NAMED) {
        let key = &token.key_name;
        let key = if key.is_empty() { String::new() } else { format!(", key {key},") };
        let _ = writeln!(text, "  the token in line {}{key} {why}", token.line);
    }
    if plan.helpless().len() > NAMED {
        let _ = writeln!(text, "  and {} more", count(plan.helpless().len() - NAMED, "token"));
    }
    text
}

/// Shows what would be sent.
pub(super) fn dry_run(output: &Output, plan: &Plan) {
    output.say(&found(plan));
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
        let layout = Layout { pretty: true, colour: false };
        output.say_as_it_is(&format!("{}\n", body.write(layout)));
    }
    let missing: Vec<&Job> = plan.jobs.iter().filter(|job| job.at_hand.is_none()).collect();
    output.say(&irrevocable(plan, &missing));
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
