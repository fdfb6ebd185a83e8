//! The question before anything is sent.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Ably, KEY, Modes, Program, Terminal, ably};

const REVOKE: [&str; 4] = ["auth", "revoke-token", "--client-id", "alice"];

#[test]
fn anything_but_yes_sends_nothing() {
    let server = Ably::start();
    server.expect_nothing();
    for answer in ["", "\n", "n\n", "no\n", "yess\n", "ja\n", "y es\n", "\u{0}y\n"] {
        let run = ably(REVOKE).against(&server).stdin(answer).run();
        run.exits(4).says("not confirmed: nothing was sent");
        assert_eq!(run.stderr.matches("[y/N]").count(), 1, "it never asks twice");
    }
    ably(REVOKE).against(&server).run().exits(4);
    ably(REVOKE).against(&server).stdin(vec![b'y'; 1 << 20]).run().exits(4);
    ably(REVOKE).against(&server).stdin(b"\xffy\n").run().exits(4);
    let long = format!("y{}but not this\n", " ".repeat(1023));
    ably(REVOKE).against(&server).stdin(long).run().exits(4);
}

#[test]
fn yes_in_any_case_goes_on() {
    let server = Ably::start();
    for answer in ["y\n", "Y\n", "yes\n", "YES\r\n", " Yes \n", "y", "y\nn\n"] {
        ably(REVOKE).against(&server).stdin(answer).run().exits(0);
    }
}

#[test]
fn it_names_what_how_with_which_key_and_where() {
    let server = Ably::start();
    server.expect_nothing();
    let run = ably(REVOKE)
        .against(&server)
        .args(["--allow-reauth-margin", "--issued-before", "2026-11-23T10:00:00Z"])
        .run();
    run.exits(4)
        .says("the tokens of 1 client ID:")
        .says("client ID alice")
        .says("app APP1, key APP1.key1 from ABLY_API_KEY")
        .says(&format!("Endpoint {}", server.endpoint()))
        .says("30 seconds")
        .says("issued before 2026-11-23T10:00:00.000Z");
    let many = (0..12).flat_map(|n| ["--client-id".to_owned(), format!("user{n}")]);
    let run = ably(["auth", "revoke-token"]).args(many).against(&server).run();
    run.exits(4)
        .says("the tokens of 12 client IDs:")
        .says("client ID user9\n")
        .says("and 2 more")
        .never_says("user10");
}

#[test]
fn hostile_values_are_shown_escaped() {
    let server = Ably::start();
    server.expect_nothing();
    let run = ably(["auth", "revoke-token", "--client-id", "a\u{1b}[2J\u{202e}b\n"])
        .against(&server)
        .run();
    run.exits(4).says("client ID \"a\\u{1b}[2J\\u{202e}b\\n\"");
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\u{202e}'));
}

#[test]
fn ctrl_c_at_the_question_sends_nothing_and_dies_of_sigint() {
    let server = Ably::start();
    server.expect_nothing();
    let mut terminal = Terminal::start(ably(REVOKE).against(&server));
    terminal.expect("[y/N] ");
    terminal.send("\u{3}");
    let end = terminal.finish();
    assert_eq!(end.signal, Some(2), "{end:?}");
    assert_eq!(end.modes, Modes::USUAL);
}

#[test]
fn ctrl_c_at_the_question_still_kills_after_the_hidden_prompt() {
    let server = Ably::start();
    server.expect_nothing();
    let mut terminal = Terminal::start(ably(REVOKE).towards(&server));
    terminal.expect("Ably API key");
    terminal.expect_hidden();
    terminal.send(format!("{KEY}\r"));
    terminal.expect("[y/N] ");
    terminal.send("\u{3}");
    assert_eq!(terminal.finish().signal, Some(2));
}

/// The tool as the `"$@"` of another program.
fn wrapped(wrapper: &[&str]) -> Program {
    let binary = std::env::var_os("ABLY_BIN").unwrap_or(env!("CARGO_BIN_EXE_ably").into());
    Program::at(wrapper[0])
        .args(&wrapper[1..])
        .arg(std::path::absolute(PathBuf::from(binary)).unwrap())
        .args(REVOKE)
}

#[test]
fn as_process_1_of_a_container_every_prompt_ends_by_a_signal_all_the_same() {
    let unshare = ["/usr/bin/unshare", "--user", "--map-root-user", "--pid", "--fork"];
    let may = Command::new(unshare[0]).args(&unshare[1..]).arg("/bin/true").output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user may not make a PID namespace with unshare");
        return;
    }
    let server = Ably::start();
    server.expect_nothing();
    let mut question = Terminal::start(wrapped(&unshare).against(&server));
    question.expect("[y/N] ");
    question.send("\u{3}");
    question.finish().exits(130).restores();
    let mut hidden = Terminal::start(wrapped(&unshare).towards(&server));
    hidden.expect("Ably API key");
    hidden.expect_hidden();
    hidden.send("\u{3}");
    hidden.finish().exits(130).restores();
}

#[test]
fn a_prompt_that_was_suspended_is_repeated() {
    let server = Ably::start();
    let shell = ["/bin/sh", "-c", r#"set -m; "$@"; echo stopped; fg"#, "sh"];
    let mut terminal = Terminal::start(wrapped(&shell).towards(&server));
    terminal.expect("Ably API key");
    terminal.expect_hidden();
    terminal.send("half\u{1a}");
    terminal.expect("stopped");
    terminal.expect("Ably API key");
    terminal.expect_hidden();
    terminal.send(format!("{KEY}\r"));
    terminal.expect("[y/N] ");
    terminal.send("y\r");
    terminal.finish().exits(0).restores().hides_the_key();

    let mut terminal = Terminal::start(wrapped(&shell).against(&server));
    terminal.expect("[y/N] ");
    terminal.send("\u{1a}");
    terminal.expect("stopped");
    terminal.expect("[y/N] ");
    terminal.send("y\r");
    terminal.finish().exits(0).restores();
}

#[test]
fn after_ctrl_d_the_message_has_a_line_of_its_own() {
    let server = Ably::start();
    server.expect_nothing();
    let mut terminal = Terminal::start(ably(REVOKE).against(&server));
    terminal.expect("[y/N] ");
    terminal.send("\u{4}");
    terminal.finish().exits(4).shows("[y/N] \r\n");
}

#[test]
fn a_dry_run_sends_nothing_and_cannot_be_taken_for_the_real_one() {
    let server = Ably::start();
    server.expect_nothing();
    let run = ably(REVOKE).against(&server).args(["--dry-run", "--allow-reauth-margin"]).run();
    run.exits(0)
        .says("Dry run: nothing was sent")
        .says(&format!("POST https://{}/keys/APP1.key1/revokeTokens", server.endpoint()))
        .says("\"clientId:alice\"")
        .says("APP1.key1")
        .never_says("revoked")
        .never_says("[y/N]")
        .hides_the_key();
    let run = ably(REVOKE).against(&server).args(["--dry-run", "--json"]).run();
    run.exits(0).hides_the_key();
    let record = run.record("result");
    assert!(crate::support::flag(&record, "dryRun"));
    assert_eq!(crate::support::text(&record, "request.method"), "POST");
    assert_eq!(crate::support::text(&record, "request.keyName"), "APP1.key1");
    assert_eq!(crate::support::text(&record, "request.body.targets.0"), "clientId:alice");
    assert!(!crate::support::has(&record, "revocation"));
}

#[test]
fn a_dry_run_checks_everything_that_the_real_one_does() {
    let server = Ably::start();
    server.expect_nothing();
    ably(REVOKE).towards(&server).arg("--dry-run").run().exits(2).says("no API key");
    ably(REVOKE).against(&server).args(["--dry-run", "--app", "APP2"]).run().exits(2);
}
