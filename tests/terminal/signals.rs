//! Signals at the question and at the hidden prompt.

use std::process::Command;

use crate::support::*;

#[test]
fn ctrl_c_at_the_question_sends_nothing_and_dies_of_sigint() {
    let server = Ably::unreached();
    let mut terminal = Terminal::start(alice().against(&server));
    terminal.answer("[y/N] ", "\u{3}");
    terminal.finish().dies_of(2).restores();
}

#[test]
fn ctrl_c_at_the_question_still_kills_after_the_hidden_prompt() {
    let server = Ably::unreached();
    let mut terminal = Terminal::start(alice().towards(&server));
    terminal.at_the_prompt(format!("{KEY}\r"));
    terminal.answer("[y/N] ", "\u{3}");
    terminal.finish().dies_of(2);
}

/// The tool as the `"$@"` of another program.
fn wrapped(wrapper: &[&str]) -> Program {
    Program::at(wrapper[0]).args(&wrapper[1..]).wrapping(alice())
}

#[test]
fn as_process_1_of_a_container_every_prompt_ends_by_a_signal_all_the_same() {
    let unshare = ["/usr/bin/unshare", "--user", "--map-root-user", "--pid", "--fork"];
    let may = Command::new(unshare[0]).args(&unshare[1..]).arg("/bin/true").output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user may not make a PID namespace with unshare");
        return;
    }
    let server = Ably::unreached();
    let mut question = Terminal::start(wrapped(&unshare).against(&server));
    question.answer("[y/N] ", "\u{3}");
    question.finish().exits(130).restores();
    let mut hidden = Terminal::start(wrapped(&unshare).towards(&server));
    hidden.at_the_prompt("\u{3}");
    hidden.finish().exits(130).restores();
}

#[test]
fn a_prompt_that_was_suspended_is_repeated() {
    let server = Ably::start();
    let shell = ["/bin/sh", "-c", r#"set -m; "$@"; echo stopped; fg"#, "sh"];
    let mut terminal = Terminal::start(wrapped(&shell).towards(&server));
    terminal.at_the_prompt("half\u{1a}");
    terminal.expect("stopped");
    terminal.at_the_prompt(format!("{KEY}\r"));
    terminal.answer("[y/N] ", "y\r");
    terminal.finish().exits(0).restores().hides_the_key();

    let mut terminal = Terminal::start(wrapped(&shell).against(&server));
    terminal.answer("[y/N] ", "\u{1a}");
    terminal.expect("stopped");
    terminal.answer("[y/N] ", "y\r");
    terminal.finish().exits(0).restores();
}

#[test]
fn signals_at_the_prompt_restore_the_terminal_first() {
    let server = Ably::unreached();
    for (signal, send) in [(2, "typed"), (2, "INT"), (15, "TERM"), (1, "HUP")] {
        let mut terminal = Terminal::start(revoke_alice().towards(&server));
        terminal.expect("Ably API key");
        terminal.expect_hidden();
        match send {
            "typed" => terminal.send("\u{3}"),
            name => terminal.send_signal(name),
        }
        terminal.finish().dies_of(signal).restores();
    }
}

#[test]
fn no_key_at_the_prompt_is_exit_2() {
    let server = Ably::unreached();
    for typed in ["\r", "\u{4}"] {
        let mut terminal = Terminal::start(revoke_alice().towards(&server));
        terminal.at_the_prompt(typed);
        terminal.finish().exits(2).restores();
    }
}
