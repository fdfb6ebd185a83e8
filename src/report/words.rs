//! Words that several reports share: how a target, a key, a problem is shown.

use std::fmt::Write;

use crate::api_key::app_of;
use crate::error::{AblyError, Problem};
use crate::plan::Job;
use crate::request::target::{Kind, LIKE_A_SECRET, doubt};
use crate::request::targets::Targets;
use crate::terminal::output::{Colour, Output};
use crate::text::{Safe, count, excerpt};
use crate::wrap::unbroken;

/// What is to be shown of a target: its kind in words and its value, escaped and in one piece.
pub(super) fn named(specifier: &str) -> String {
    match Kind::split(specifier) {
        Some((kind, value)) if doubt(value, true).is_some_and(|it| it != LIKE_A_SECRET) => {
            let value = excerpt(value).replace('"', "\\\"");
            unbroken(&format!("{} \"{}\"", kind.noun(), Safe(&value)))
        }
        Some((kind, value)) => unbroken(&format!("{} {}", kind.noun(), Safe(&excerpt(value)))),
        None => unbroken(&format!("target {}", Safe(&excerpt(specifier)))),
    }
}

/// `3 client IDs and 1 channel`.
pub(super) fn by_kind(targets: &Targets) -> String {
    let counts = targets.counts_by_kind();
    let counts = counts.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| count(*n, kind.noun()));
    counts.collect::<Vec<_>>().join(" and ")
}

pub(super) fn ready(job: &Job) -> String {
    format!("key {} can revoke tokens in app {}", job.key_name, app_of(&job.key_name))
}

/// App and key with the key's source; the app's name in one piece.
pub(super) fn key_shown(job: &Job) -> String {
    let Some(key) = job.key() else {
        return format!("key {}, which is not at hand", job.key_name);
    };
    let app = unbroken(&Safe(&key.app.to_string()).to_string());
    format!("app {app}, key {} from {}", key.name(), Safe(&key.source))
}

pub(super) fn problem(output: &Output, problem: Option<&Problem>) {
    problem.into_iter().for_each(|problem| say_problem(output, "", problem, None));
}

pub(super) fn say_problem(
    output: &Output,
    what: &str,
    problem: &Problem,
    info: Option<&AblyError>,
) {
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
