//! The help text, made from the table of options; and what it shares with the man page.

use std::fmt::Write;

use crate::cli::flags::{FLAGS, Group};
use crate::error::Exit;
use crate::text::put;
use crate::wrap::broken;

/// `ably-revoke-token 0.1.0 (x86_64-unknown-linux-musl)`.
pub fn version() -> String {
    format!("{} {} ({})\n", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), target())
}

/// The target triple of this build. Only Linux is shipped, so the libc is all that varies.
fn target() -> String {
    let libc = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    format!("{}-unknown-linux-{libc}", std::env::consts::ARCH)
}

const WIDTH: usize = 80;
const INDENT: usize = 6;

/// The whole help text, with a line end at its end.
pub fn text() -> String {
    let mut out = String::from(
        "Revoke Ably tokens by client ID or revocation key.\n\
         \n\
         Usage: ably auth revoke-token [options]\n",
    );
    for group in Group::ALL {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n{}:\n", group.title());
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            let _ = writeln!(out, "  {}", flag.usage());
            let env = flag.env.map(|name| format!(" [{name}]")).unwrap_or_default();
            wrap(&mut out, &format!("{}{env}", flag.help), INDENT);
        }
    }
    section(&mut out, "Environment", ENVIRONMENT);
    section(&mut out, "Files", FILES);
    let exit_codes = exit_codes();
    let rows: Vec<(&str, &str)> =
        exit_codes.iter().map(|(code, what)| (code.as_str(), *what)).collect();
    section(&mut out, "Exit codes", &rows);
    out.push_str("\nExamples:\n");
    for (what, options) in EXAMPLES {
        put(&mut out, &["  ", what, ":\n    ", COMMAND, options, "\n"]);
    }
    out
}

/// Terms in a column, and beside them what they mean.
fn section(out: &mut String, title: &str, rows: &[(&str, &str)]) {
    let width = rows.iter().map(|(term, _)| term.len()).max().unwrap_or(0);
    let _ = write!(out, "\n{title}:\n");
    for (term, meaning) in rows {
        let _ = writeln!(out, "  {term:width$}  {meaning}");
    }
}

/// What each exit code means.
pub fn exit_codes() -> Vec<(String, &'static str)> {
    Exit::ALL.map(|exit| (exit.code().to_string(), exit.meaning())).to_vec()
}

/// The variables that stand in for no option.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("ABLY_ACCESS_TOKEN", "access token for the Control API"),
    ("ABLY_CONTROL_HOST", "host of the Control API"),
    ("ABLY_CLI_CONFIG_DIR", "folder of the Ably CLI's configuration"),
    ("HTTPS_PROXY", "proxy, before ALL_PROXY; HTTP_PROXY is never used"),
    ("ALL_PROXY", "proxy where HTTPS_PROXY is not set"),
    ("NO_PROXY", "hosts, domains, IPs and CIDRs reached without a proxy"),
    ("NO_COLOR", "no colours and no symbols, unless it is empty"),
];

/// The files that are read without being named.
pub const FILES: &[(&str, &str)] =
    &[("~/.ably/config", "the Ably CLI's configuration; read, never written")];

/// What one would do, and the options for it.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("All tokens of a client, after a question", "--client-id alice"),
    ("From a script", "--client-id alice --force --json"),
    (
        "A group of JWTs, with time for their clients to renew",
        "--revocation-key group1 --allow-reauth-margin",
    ),
    (
        "Many targets, and a file of what is left over",
        "--targets-file all.txt --unrevoked-to left.txt",
    ),
    ("Every token in a leaked log, and proof that it is dead", "--from-token access.log --verify"),
    (
        "After a key rotation, with every key in a file",
        "--client-id alice --all-keys --api-key-file keys.txt",
    ),
    ("Before the incident, to know that it would work", "--check"),
    ("For the record", "--client-id alice --record log.jsonl --reason INC-7"),
];

/// What stands before the options of an example.
pub const COMMAND: &str = "ably auth revoke-token ";

/// Adds text in lines of at most 80 characters, each indented by this much.
pub(crate) fn wrap(out: &mut String, text: &str, indent: usize) {
    broken(out, &format!("{:indent$}{text}\n", ""), WIDTH, indent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_listed_within_the_width() {
        let help = text();
        for flag in FLAGS {
            assert!(help.contains(&flag.usage()), "{}", flag.long);
        }
        assert!(help.lines().all(|line| line.chars().count() <= WIDTH), "{help}");
    }
}
