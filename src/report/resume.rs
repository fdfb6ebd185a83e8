//! The command that goes on where a run ended: the left-over file, and how the operator reached
//! Ably. No option that holds a key is in it.

use std::path::Path;

use crate::cli::flags::{self, Id};
use crate::cli::parse::Args;
use crate::file;
use crate::plan::Plan;
use crate::text::quoted;
use crate::time::shown;
use crate::wrap::width;

/// What is repeated as it was given.
const REPEATED: [Id; 13] = [
    Id::App,
    Id::ApiKeyFile,
    Id::Key,
    Id::AllKeys,
    Id::AllowReauthMargin,
    Id::Parallel,
    Id::Force,
    Id::Endpoint,
    Id::ConnectTo,
    Id::CaFile,
    Id::Timeout,
    Id::Record,
    Id::Reason,
];

/// How to go on from a left-over file.
#[derive(Debug)]
pub struct Resume {
    /// The left-over file, as the operator named it.
    pub file: String,
    /// How many targets it holds.
    pub targets: usize,
    /// The command in parts that belong together: an option with its value, say.
    pub command: Vec<String>,
    /// Whether the API key was an argument, which the command lacks.
    pub lacks_key: bool,
}

impl Resume {
    /// For the left-over file of a run; `None` where none was asked for.
    pub fn of(args: &Args, plan: &Plan, targets: usize) -> Option<Self> {
        let file = args.all(Id::UnrevokedTo).next().map(|path| file::shown(Path::new(path)))?;
        let signer = match plan.jobs.as_slice() {
            [job] if plan.leaked.is_some() => Some(job.key_name.as_str()),
            _ => None,
        };
        let dash = if file.starts_with('-') { "./" } else { "" };
        let mut command = vec![
            "ably auth revoke-token".to_owned(),
            format!("--targets-file {}", quoted(&format!("{dash}{file}"))),
        ];
        if let Some((app, _)) = signer.and_then(|name| name.split_once('.')) {
            let key = quoted(signer.unwrap_or_default());
            command.push(format!("--app {} --key {key}", quoted(app)));
        }
        for (id, value) in args.of(&REPEATED) {
            let option = match value.is_empty() {
                true => flags::long(id).to_owned(),
                false => format!("{} {}", flags::long(id), quoted(&file::shown(Path::new(value)))),
            };
            if !(command.contains(&option) || signer.is_some() && id == Id::App) {
                command.push(option);
            }
        }
        if let Some(ms) = plan.terms.issued_before {
            // An age would by then count back from a later time.
            command.push(format!("--issued-before {}", quoted(&shown(ms))));
        }
        Some(Self { file, targets, command, lacks_key: args.has(Id::ApiKey) })
    }

    /// The command within so many columns, where a shell can still read it.
    pub fn lines(&self, columns: Option<usize>) -> String {
        let mut text = String::from("  ");
        let mut at = 2;
        for (i, part) in self.command.iter().enumerate() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_change_it() {
        for (word, shown) in [
            ("left.txt", "left.txt"),
            ("my file", "'my file'"),
            ("it's", "'it'\\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }

    #[test]
    fn a_long_command_goes_on_behind_a_backslash() {
        let command = ["ably auth revoke-token", "--targets-file left", "--force"];
        let resume = Resume {
            file: "left".to_owned(),
            targets: 1,
            command: command.map(str::to_owned).to_vec(),
            lacks_key: false,
        };
        assert_eq!(resume.lines(None), "  ably auth revoke-token --targets-file left --force\n");
        assert_eq!(
            resume.lines(Some(40)),
            "  ably auth revoke-token \\\n    --targets-file left --force\n"
        );
    }
}
