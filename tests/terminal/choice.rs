//! The numbered choice of what is left open.

use crate::support::*;

#[test]
fn a_numbered_choice_leads_to_app_and_key() {
    let server = serving(with_keys(three()).app("APP2", "Bar", vec![]));
    let mut terminal = Terminal::start(ask(&server, &[]));
    terminal.expect("There are 2 apps:");
    terminal.expect("1. APP1 (Shop)");
    terminal.expect("2. APP2 (Bar)");
    terminal.answer("Which one? [1-2] ", "1\r");
    terminal.expect("API keys of app APP1 (Shop):");
    terminal.expect("1. key-a (Root)");
    terminal.expect("2. key-b (Twin)");
    terminal.expect("3. key-c (Twin, tokens not revocable)");
    terminal.answer("Which one? [1-3] ", " 2 \r");
    terminal.expect("key APP1.key-b from Control API");
    terminal.answer("[y/N] ", "y\r");
    terminal.finish().exits(0).never_shows("m4rker");
    assert_eq!(server.revocation_requests()[0].path, "/keys/APP1.key-b/revokeTokens");
}

#[test]
fn anything_but_a_number_of_the_list_chooses_nothing() {
    for typed in
        ["0\r", "4\r", "\r", "\u{4}", "one\r", "-1\r", "1.0\r", "1 2\r", "y\r", "١\r", "1,2\r"]
    {
        let server = serving(with_keys(three()));
        let mut terminal = Terminal::start(ask(&server, &["--app", "APP1"]));
        terminal.answer("Which one? [1-3] ", typed);
        let end = terminal.finish();
        end.exits(4).restores().shows("nothing was sent").never_shows("m4rker");
        end.never_shows("[y/N]");
        end.check(end.screen.matches("Which one?").count() == 1, "should ask once");
        assert!(server.revocation_requests().is_empty(), "{typed:?}");
    }
}

#[test]
fn ctrl_c_at_the_choice_dies_of_sigint() {
    let server = serving(with_keys(three()));
    let mut terminal = Terminal::start(ask(&server, &["--app", "APP1"]));
    terminal.answer("Which one? [1-3] ", "\u{3}");
    terminal.finish().dies_of(2).restores();
    assert!(server.revocation_requests().is_empty());
}

#[test]
fn no_choice_is_offered_where_nobody_is_to_be_asked() {
    let candidates = ["key-a (Root)", "key-b (Twin)"];
    for options in [&["--force"][..], &["--dry-run"], &["--force", "--dry-run"]] {
        let server = serving(with_keys(three()));
        let end = Terminal::start(ask(&server, &["--app", "APP1"]).args(options)).finish();
        end.exits(2).never_shows("Which one?").shows(candidates[0]).shows(candidates[1]);
    }
    let server = serving(with_keys(three()));
    for options in [&["--json", "--force"][..], &["--json", "--dry-run"]] {
        let end =
            Terminal::start(ask(&server, &["--app", "APP1"]).args(options).stdout_piped()).finish();
        end.exits(2).check(
            end.screen.is_empty() && candidates.iter().all(|one| end.stdout.contains(one)),
            "should list the candidates in JSON alone",
        );
    }
    // Stdin or stderr is no terminal.
    let run = ask(&server, &["--app", "APP1"]).stdin("1\ny\n").run();
    refused(&run, &server, 2, &candidates);
    let end = Terminal::start(ask(&server, &["--app", "APP1"]).stdin("1\ny\n")).finish();
    end.exits(2).never_shows("Which one?").shows(candidates[0]);
    assert!(server.revocation_requests().is_empty());
}

#[test]
fn a_stored_key_is_chosen_in_the_same_way() {
    let config = account(&format!(
        "[accounts.work.apps.APP1]\napiKey = '{KEY1}'\nappName = 'Shop'\n[accounts.work.apps.APP2]\napiKey = 'APP2.x:m4rker'"
    ));
    let server = serving(one_key());
    let mut terminal = Terminal::start(alice().towards(&server).config(&config));
    terminal.expect("2. APP2");
    terminal.answer("Which one? [1-2] ", "1\r");
    terminal.expect("key APP1.key-a from configuration (account work)");
    terminal.answer("[y/N] ", "y\r");
    terminal.finish().exits(0).never_shows("m4rker");
}

#[test]
fn everything_is_checked_before_a_choice_is_asked_for() {
    let server = Ably::unreached();
    let token = with(BOTH);
    for (arguments, told) in [
        (["--timeout", "nonsense"], "--timeout"),
        (["--endpoint", "https://x"], "--endpoint"),
        (["--api-key-file", "/absent/key"], "--api-key-file"),
        (["--api-key", "APP1.key1"], "--api-key"),
        (["--ca-file", "/absent/ca"], "--ca-file"),
        (["--unrevoked-to", "/absent/left"], "--unrevoked-to"),
        (["--issued-before", "yesterday"], "--issued-before"),
    ] {
        let mut program = leaked(&token).env("ABLY_ENDPOINT", server.endpoint()).args(arguments);
        if !arguments[0].starts_with("--api-key") {
            program = program.keyed();
        }
        Terminal::start(program).finish().exits(2).shows(told).never_shows("Which one?");
    }
    for (name, value) in [("ABLY_API_KEY", "APP1.key1"), ("HTTPS_PROXY", "ftp://x"), ("HOME", "")] {
        let program = leaked(&token).towards(&server);
        program.home().write(".ably/config", "not TOML");
        let program = if name == "HOME" { program } else { program.env(name, value) };
        Terminal::start(program).finish().exits(2).never_shows("Which one?");
    }
}

#[test]
fn without_by_both_claims_are_a_numbered_choice_on_a_terminal() {
    let token = with(BOTH);
    for (typed, target) in [("1", "clientId:alice"), ("2", "revocationKey:g1")] {
        let server = Ably::start();
        let mut terminal = Terminal::start(leaked(&token).against(&server));
        terminal.expect("1. client ID alice");
        terminal.expect("2. revocation key g1");
        terminal.answer("[1-2] ", format!("{typed}\r"));
        terminal.answer("[y/N] ", "y\r");
        let end = terminal.finish();
        end.exits(0).hides_the_key().restores();
        on_screen_hides(&end, &token);
        assert_eq!(server.revoked()[0].target, target);
    }
}

#[test]
fn elsewhere_both_claims_are_an_error_that_names_by() {
    let server = Ably::unreached();
    let token = with(BOTH);
    for extra in [&[][..], &["--force"], &["--dry-run"], &["--force", "--json"]] {
        let run = leaked(&token).against(&server).args(extra).stdin("1\ny\n").run();
        run.exits(2);
        run.check((run.stdout.clone() + &run.stderr).contains("--by"), "should name --by");
        hides(&run, &token);
    }
    for extra in [&["--force"][..], &["--force", "--json"], &["--dry-run"]] {
        let end = Terminal::start(leaked(&token).against(&server).args(extra)).finish();
        end.exits(2).shows("--by");
        on_screen_hides(&end, &token);
    }
}
