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
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let mut hidden = Terminal::start(wrapped(&unshare).towards(&server));
        hidden.expect("Ably API key");
        hidden.expect_hidden();
        hidden.send_signal_to_child(signal);
        hidden.finish().exits(code).restores();
    }
}

/// A shell that tells of a job that was stopped and lets it go on. dash does not repair a terminal.
const STOPPED: [&str; 4] = ["/bin/dash", "-c", r#"set -m; "$@"; echo stopped; fg"#, "dash"];

#[test]
fn a_question_that_was_suspended_is_repeated() {
    let server = Ably::start();
    let mut terminal = Terminal::start(wrapped(&STOPPED).against(&server));
    terminal.answer("[y/N] ", "\u{1a}");
    terminal.expect("stopped");
    terminal.answer("[y/N] ", "y\r");
    terminal.finish().exits(0).restores();

    let mut terminal = Terminal::start(wrapped(&STOPPED).towards(&server));
    terminal.at_the_prompt(format!("{KEY}\r"));
    terminal.answer("[y/N] ", "\u{1a}");
    terminal.expect("stopped");
    terminal.answer("[y/N] ", "y\r");
    terminal.finish().exits(0).restores().hides_the_key();
}

#[test]
fn ctrl_z_and_ctrl_backslash_do_nothing_at_the_hidden_prompt() {
    let server = Ably::start();
    let (half, rest) = KEY.split_at(KEY.len() / 2);
    let mut terminal = Terminal::start(alice().towards(&server));
    terminal.at_the_prompt(format!("{half}\u{1a}\u{1c}{rest}\r"));
    terminal.answer("[y/N] ", "y\r");
    terminal.finish().exits(0).restores().hides_the_key();
}

/// As a shell does that stopped it and was told `fg`.
#[test]
fn a_hidden_prompt_that_goes_on_in_a_terminal_that_shows_it_hides_it_again() {
    let server = Ably::start();
    let mut terminal = Terminal::start(revoke_alice().towards(&server));
    terminal.expect("Ably API key");
    terminal.expect_hidden();
    terminal.send_signal("STOP");
    terminal.set_usual_modes();
    terminal.send_signal("CONT");
    terminal.expect_hidden();
    terminal.send(format!("{KEY}\r"));
    terminal.finish().exits(0).restores().hides_the_key();
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
