//! The question before anything is sent, and the dry run in its place.

use crate::support::*;

#[test]
fn anything_but_yes_sends_nothing() {
    let server = Ably::unreached();
    for answer in ["", "\n", "n\n", "no\n", "yess\n", "ja\n", "y es\n", "\u{0}y\n"] {
        let run = alice().against(&server).stdin(answer).run();
        run.exits(4).says("not confirmed: nothing was sent");
        assert_eq!(run.stderr.matches("[y/N]").count(), 1, "it never asks twice");
    }
    alice().against(&server).run().exits(4);
    alice().against(&server).stdin(vec![b'y'; 1 << 20]).run().exits(4);
    alice().against(&server).stdin(b"\xffy\n").run().exits(4);
    let long = format!("y{}but not this\n", " ".repeat(1023));
    alice().against(&server).stdin(long).run().exits(4);
}

#[test]
fn a_run_that_nobody_can_answer_is_told_of_force() {
    let server = Ably::unreached();
    for program in [alice(), alice().stdin("")] {
        program.against(&server).run().exits(4).says("nothing was sent").says("--force");
    }
    for answer in ["n\n", "\n", "n", " "] {
        alice().against(&server).stdin(answer).run().exits(4).never_says("--force");
    }
    let mut terminal = Terminal::start(alice().against(&server));
    terminal.answer("[y/N] ", "\u{4}");
    terminal.finish().exits(4).shows("nothing was sent").never_shows("--force");
}

#[test]
fn yes_in_any_case_goes_on() {
    let server = Ably::start();
    for answer in ["y\n", "Y\n", "yes\n", "YES\r\n", " Yes \n", "y", "y\nn\n"] {
        alice().against(&server).stdin(answer).run().exits(0);
    }
    let endless = Program::at("/bin/sh").args(["-c", r#"yes | "$@""#, "sh"]);
    endless.wrapping(alice().towards(&server)).keyed().run().exits(0);
}

#[test]
fn it_names_what_how_with_which_key_and_where() {
    let server = Ably::unreached();
    let run = alice()
        .against(&server)
        .args(["--allow-reauth-margin", "--issued-before", "2026-11-23T10:00:00Z"])
        .run();
    run.exits(4).says("the tokens of 1 client ID:").says("client ID alice");
    run.says("app APP1, key APP1.key1 from ABLY_API_KEY");
    run.says(&format!("Endpoint {}", server.endpoint())).says("30 seconds");
    run.says("issued before 2026-11-23T10:00:00.000Z");
}

#[test]
fn after_ctrl_d_the_message_has_a_line_of_its_own() {
    let server = Ably::unreached();
    let mut terminal = Terminal::start(alice().against(&server));
    terminal.answer("[y/N] ", "\u{4}");
    terminal.finish().exits(4).shows("[y/N] \r\n");
}

#[test]
fn a_dry_run_sends_nothing_and_cannot_be_taken_for_the_real_one() {
    let server = Ably::unreached();
    let run = alice().against(&server).args(["--dry-run", "--allow-reauth-margin"]).run();
    run.exits(0).says("Dry run: nothing was sent");
    run.says(&format!("POST https://{}/keys/APP1.key1/revokeTokens", server.endpoint()));
    run.says("\"clientId:alice\"").says("APP1.key1").never_says("revoked").never_says("[y/N]");
    run.hides_the_key();
    let run = alice().against(&server).args(["--dry-run", "--json"]).run();
    run.exits(0).hides_the_key();
    let record = run.record("result");
    assert!(flag(&record, "dryRun"));
    assert_eq!(text(&record, "request.method"), "POST");
    assert_eq!(text(&record, "request.keyName"), "APP1.key1");
    assert_eq!(text(&record, "request.body.targets.0"), "clientId:alice");
    assert!(!has(&record, "revocation"));
}

#[test]
fn the_question_counts_by_type_and_names_ten() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let mut targets = users(1200);
    targets.push("revocationKey:one".to_owned());
    targets.extend(["channel:a".to_owned(), "channel:b".to_owned()]);
    targets.push("clientId:user5".to_owned());
    let program = command().arg("--targets-file").arg(targets_file(&folder, &targets));
    let program = program.arg("--unrevoked-to").arg(folder.file(LEFT)).against(&server);
    let run = program.stdin("n\n").run();
    run.exits(4).says("1200 client IDs").says("1 revocation key ").says("2 channels");
    run.says("client ID user0\n").says("client ID user9\n").says("and 1193 more");
    run.says("1 repeated target left out").never_says("user10");
    assert_eq!(folder.names(), ["targets.txt"], "no file on declining");
}

#[test]
fn a_dry_run_counts_the_requests_and_shows_the_first() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let program = || keeping(&server, &folder, 1050).arg("--dry-run");
    let run = program().run();
    run.exits(0).says("11 requests").says("\"clientId:user0\"").says("\"clientId:user99\"");
    run.never_says("\"clientId:user100\"").prints_nothing();
    let run = program().arg("--json").run();
    run.exits(0);
    let record = run.record("result");
    assert!(flag(&record, "dryRun"));
    assert_eq!(list(&record, "request.body.targets").len(), BATCH);
    keeping(&server, &folder, 3).arg("--nonsense").run().exits(2);
    assert_eq!(folder.names(), ["targets.txt"], "no file in any of these");
}

#[test]
fn a_dry_run_asks_nothing_and_checks_everything_that_the_real_one_does() {
    let server = Ably::unreached();
    let end = Terminal::start(alice().towards(&server).arg("--dry-run")).finish();
    end.exits(2).shows("no API key");
    alice().against(&server).args(["--dry-run", "--app", "APP2"]).run().exits(2);
}
