//! The command that goes on where a run ended. It is the very command with the left-over file in place
//! of its targets; values are as they were given. No option that holds a key is in it. After leaked
//! tokens it is the same command: a left-over file does not know which key a target needs.

use std::ffi::OsStr;
use std::path::Path;

use crate::cli::flags::{Id, long};
use crate::cli::parse::Args;
use crate::file;
use crate::plan::{Job, Plan};
use crate::revoke::summary::Summary;
use crate::text::shell_word;
use crate::time::shown;
use crate::wrap::width;

/// Stands in place of a value that holds the secret of a key at hand.
const SECRET: &str = "[secret]";

/// How to go on from a left-over file.
#[derive(Debug)]
pub struct Resume {
    pub file: String,
    pub targets: usize,
    /// The command in parts that belong together: an option with its value, say. `None` where no
    /// command can revoke what is left.
    pub command: Option<Vec<String>>,
    /// What the command lacks, or reads from a stream that is gone: `the API key`.
    pub give_again: Vec<&'static str>,
}

impl Resume {
    /// For the left-over file of a run; `None` where none was asked for.
    pub fn of(args: &Args, plan: &Plan, summary: &Summary, targets: usize) -> Option<Self> {
        let file = args.all(Id::UnrevokedTo).next()?;
        let mut give_again = Vec::new();
        if args.has(Id::ApiKey) {
            give_again.push("the API key");
        }
        let is_leak = plan.leaked.is_some();
        let is_target = |id| {
            matches!(id, Id::ClientId | Id::RevocationKey | Id::Channel | Id::TargetsFile)
                && !is_leak
        };
        let mut command = vec!["ably auth revoke-token".to_owned()];
        if !is_leak {
            command.push(option(plan, Id::TargetsFile, file));
        }
        for (id, value) in args.iter().filter(|(id, _)| !is_target(*id)) {
            let is_stream = value == file::STDIN || file::is_stream(Path::new(value));
            match id {
                Id::ApiKey => continue,
                Id::UnrevokedTo if !is_leak => continue,
                // An age would by then count back from a later time.
                Id::IssuedBefore => {
                    let at = plan.terms.issued_before.map(shown);
                    command.extend(at.map(|at| option(plan, id, OsStr::new(&at))));
                    continue;
                }
                Id::ApiKeyFile | Id::FromToken | Id::CaFile if is_stream => {
                    give_again.push(long(id));
                }
                _ => {}
            }
            command.push(option(plan, id, value));
        }
        let can_go_on = can_be_revoked(plan, summary) > 0;
        Some(Self {
            file: file.to_string_lossy().into_owned(),
            targets,
            command: can_go_on.then_some(command),
            give_again,
        })
    }

    /// The command within so many columns, where a shell can still read it.
    pub fn lines(command: &[String], columns: Option<usize>) -> String {
        let mut text = String::from("  ");
        let mut at = 2;
        for (i, part) in command.iter().enumerate() {
            // Two columns are for the backslash.
            let wide = width(part) + 2;
            if i > 0 && columns.is_some_and(|columns| at + 1 + wide > columns) {
                text.push_str(" \\\n    ");
                at = 4;
            } else if i > 0 {
                text.push(' ');
                at += 1;
            }
            text.push_str(part);
            at += wide - 2;
        }
        text + "\n"
    }
}

/// How many revocations are left that the same keys may bring about.
fn can_be_revoked(plan: &Plan, summary: &Summary) -> usize {
    let of_job = |job: &Job| if job.at_hand.is_some() { job.targets.len() } else { 0 };
    plan.jobs.iter().map(of_job).sum::<usize>() - summary.tally.revoked
}

fn option(plan: &Plan, id: Id, value: &OsStr) -> String {
    let text = value.to_string_lossy();
    let holds_secret = |job: &Job| job.key().is_some_and(|key| key.api_key.is_in(&text));
    let option = long(id);
    if value.is_empty() {
        return option.to_owned();
    }
    if plan.jobs.iter().any(holds_secret) {
        return format!("{option} {SECRET}");
    }
    let separator = if text.starts_with('-') && text != file::STDIN { '=' } else { ' ' };
    format!("{option}{separator}{}", shell_word(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_command_is_as_wide_as_it_may_be() {
        let command = ["aaaa", "bb", "cc"].map(str::to_owned);
        for (columns, lines) in [
            (14, "  aaaa bb cc\n"),
            (13, "  aaaa bb \\\n    cc\n"),
            (11, "  aaaa bb \\\n    cc\n"),
            (10, "  aaaa \\\n    bb \\\n    cc\n"),
            (8, "  aaaa \\\n    bb \\\n    cc\n"),
        ] {
            assert_eq!(Resume::lines(&command, Some(columns)), lines, "{columns}");
        }
    }

    #[test]
    fn a_long_command_goes_on_behind_a_backslash() {
        let command =
            ["ably auth revoke-token", "--targets-file left", "--force"].map(str::to_owned);
        let lines = |columns| Resume::lines(&command, columns);
        assert_eq!(lines(None), "  ably auth revoke-token --targets-file left --force\n");
        assert_eq!(
            lines(Some(40)),
            "  ably auth revoke-token \\\n    --targets-file left --force\n"
        );
    }
}
