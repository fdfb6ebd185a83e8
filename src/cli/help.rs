//! The help text, made from the table of options; and what it shares with the man page.

use crate::cli::flags::FLAGS;
use crate::wrap::broken;

/// What stands before the options of an example.
pub(super) const COMMAND: &str = "ably auth revoke-token";
const WIDTH: usize = 80;
const INDENT: usize = 6;

/// The whole help text, with a line end at its end.
pub(super) fn text() -> String {
    let mut out = format!(
        "Revoke Ably tokens by client ID or revocation key.\n\nUsage: {COMMAND} [options]\n"
    );
    for group in FLAGS.chunk_by(|a, b| a.group == b.group) {
        let title = group.first().map_or("", |flag| flag.group);
        out.push_str(&format!("\n{title}:\n"));
        for flag in group {
            let env = flag.env.map(|name| format!(" [{name}]")).unwrap_or_default();
            let help = wrap(&format!("{}{env}", flag.help), INDENT);
            out.push_str(&format!("  {}\n{help}", flag.usage()));
        }
    }
    section(&mut out, "Environment", ENVIRONMENT);
    section(&mut out, "Files", FILES);
    section(&mut out, "Exit codes", EXIT_CODES);
    out.push_str("\nExamples:\n");
    for (what, options) in EXAMPLES {
        out.push_str(&format!("  {what}:\n    {COMMAND} {options}\n"));
    }
    out
}

/// Terms in a column, and beside them what they mean.
fn section(out: &mut String, title: &str, rows: &[(&str, &str)]) {
    let width = rows.iter().map(|(term, _)| term.len()).max().unwrap_or(0);
    out.push_str(&format!("\n{title}:\n"));
    for (term, meaning) in rows {
        out.push_str(&format!("  {:width$}  {meaning}\n", term));
    }
}

/// Text in lines of at most 80 characters, each indented by this much.
pub(super) fn wrap(text: &str, indent: usize) -> String {
    broken(&format!("{:indent$}{text}\n", ""), WIDTH, indent)
}

/// What `Exit` stands for.
pub(super) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "every target revoked; or help, version, a dry run"),
    ("1", "no target revoked, and that is certain"),
    ("2", "a usage, file, configuration or credential problem here; nothing was sent"),
    ("3", "some targets revoked, others not"),
    ("4", "not confirmed; nothing was sent"),
    ("5", "some unknown and none revoked, or --verify found no proof; run it again"),
    ("6", "every target revoked, but stdout or the record could not be written"),
    ("129", "ended by SIGHUP"),
    ("130", "ended by SIGINT"),
    ("143", "ended by SIGTERM"),
];

/// The variables that stand in for no option.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    ("ABLY_ACCESS_TOKEN", "access token for the Control API"),
    ("ABLY_CONTROL_HOST", "host of the Control API"),
    ("ABLY_CLI_CONFIG_DIR", "folder of the Ably CLI's configuration"),
    ("HTTPS_PROXY", "proxy, before ALL_PROXY; HTTP_PROXY is never used"),
    ("ALL_PROXY", "proxy where HTTPS_PROXY is not set"),
    ("NO_PROXY", "hosts, domains, IPs and CIDRs reached without a proxy"),
    ("NO_COLOR", "no colours and no symbols, unless it is empty"),
];

/// The files that are read without being named.
pub(super) const FILES: &[(&str, &str)] =
    &[("~/.ably/config", "the Ably CLI's configuration; read, never written")];

/// What one would do, and the options for it.
#[rustfmt::skip] // a table: one row a line
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("All tokens of a client, after a question", "--client-id alice"),
    ("From a script", "--client-id alice --force --json"),
    ("A group of JWTs, with time for their clients to renew", "--revocation-key group1 --allow-reauth-margin"),
    ("Many targets, and a file of what is left over", "--targets-file all.txt --unrevoked-to left.txt"),
    ("Every token in a leaked log, and proof that it is dead", "--from-token access.log --verify"),
    ("After a key rotation, with every key in a file", "--client-id alice --all-keys --api-key-file keys.txt"),
    ("Before the incident, to know that it would work", "--check"),
    ("For the record", "--client-id alice --record log.jsonl --reason INC-7"),
];

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
