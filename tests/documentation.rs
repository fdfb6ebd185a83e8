//! The README against the program.

use crate::support::ably;

const README: &str = include_str!("../README.md");

/// The option column of the README's tables: what stands in backticks at the start of a row.
fn documented() -> Vec<String> {
    let mut options: Vec<String> = README
        .lines()
        .filter_map(|line| line.strip_prefix("| `-"))
        .filter_map(|row| row.split_once('`'))
        .map(|(option, _)| format!("-{}", option.replace("\\|", "|")))
        .collect();
    options.sort();
    options
}

#[test]
fn the_readme_lists_exactly_the_options_of_help() {
    let help = ably(["--help"]).run();
    let mut told: Vec<String> = help
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  -"))
        .map(|option| format!("-{option}"))
        .collect();
    told.sort();
    assert!(!told.is_empty());
    assert_eq!(documented(), told);
}

#[test]
fn the_readme_shows_every_example_of_ablys_page() {
    for example in [
        "ably auth revoke-token --client-id \"userClientId\"\n",
        "ably auth revoke-token --client-id \"userClientId\" --force\n",
        "ably auth revoke-token --revocation-key group1\n",
        "ably auth revoke-token --client-id \"userClientId\" --allow-reauth-margin\n",
        "ably auth revoke-token --client-id \"userClientId\" --json --force\n",
    ] {
        assert!(README.contains(example), "{example}");
    }
}
