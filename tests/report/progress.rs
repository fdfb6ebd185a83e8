//! What is told while a run goes on, and of each request.

use std::time::Duration;

use crate::support::*;

#[test]
fn a_short_run_in_a_pipe_shows_no_progress() {
    let (server, folder) = (Ably::start(), Folder::new());
    let run = keeping(&server, &folder, 1000).run();
    run.exits(0).never_says("of 1000 targets").never_says("\u{1b}").never_says("\r");
}

#[test]
fn a_long_run_in_a_pipe_says_now_and_then_where_it_is() {
    let server = Ably::deciding(|_| Answer::Faithful.after(Duration::from_millis(3600)));
    let folder = Folder::new();
    let run = keeping(&server, &folder, 400).run();
    run.exits(0).says("300 of 400 targets: 300 revoked\n").never_says("\r");
    assert_eq!(run.stderr.matches(" of 400 targets").count(), 1, "{run}");
}

#[test]
fn progress_in_a_terminal_is_one_line_that_goes_away() {
    let server = Ably::deciding(|_| Answer::Faithful.after(Duration::from_millis(60)));
    server.refuse("clientId:user3", 40121, 400, "no");
    let folder = Folder::new();
    let end = Terminal::start(keeping(&server, &folder, 1000)).finish();
    end.exits(3).shows(" of 1000 targets: ").shows(" revoked, 1 refused");
    let shown = rendered(&end.screen);
    assert!(!shown.contains(" of 1000 targets"), "{shown}");
    let accounts = "1000 targets: 999 revoked, 1 refused, in 10 requests\n";
    assert!(shown.starts_with(accounts), "{shown:?}");
}

/// A firewall that drops everything would leave the screen empty.
#[test]
fn a_terminal_is_told_what_is_waited_for() {
    let server = Ably::deciding(|_| Answer::Faithful.held());
    let mut terminal = Terminal::start(revoke_alice().against(&server));
    terminal.expect(&format!("waiting for an answer of {}", server.endpoint()));
    server.release();
    let end = terminal.finish();
    end.exits(0);
    let shown = rendered(&end.screen);
    assert!(!shown.contains("waiting"), "it goes away: {shown}");
    // Where no line can be taken away, nothing is said.
    let server = Ably::deciding(|_| Answer::Faithful.after(Duration::from_millis(2500)));
    for (name, value) in [("TERM", "dumb"), ("TERM", "")] {
        let program = revoke_alice().against(&server).env(name, value);
        let end = Terminal::start(program).finish();
        end.exits(0).never_shows("waiting").never_shows("\r\x1b[K");
    }
    revoke_alice().against(&server).run().exits(0).never_says("waiting");
}

#[test]
fn json_in_a_terminal_has_no_progress_in_it() {
    let server = Ably::deciding(|_| Answer::Faithful.after(Duration::from_millis(60)));
    let folder = Folder::new();
    let end = Terminal::start(keeping(&server, &folder, 500).arg("--json")).finish();
    end.exits(0);
    assert!(!end.screen.contains(" of 500"), "{}", end.screen);
    assert!(end.screen.lines().all(|line| line.starts_with('{')));
}

#[test]
fn each_request_is_recorded_as_it_happens() {
    let (server, folder) = (holding(1), Folder::new());
    server.refuse("clientId:user5", 40121, 400, "no");
    let running = keeping(&server, &folder, 250).arg("--json").spawn();
    running.wait_for_stdout("\n");
    server.wait_for_requests(2);
    let first = running.stdout();
    assert_eq!(first.lines().count(), 1, "{first}");
    let first = parse(&first);
    assert_eq!(text(&first, "type"), "result");
    assert!(!flag(&first, "success"), "one was refused");
    assert_eq!(number(&first, "revocation.response.successCount"), 99);
    assert!(!has(&first, "revocation.target"), "there are several");
    server.release();
    let run = running.wait();
    run.exits(3).says_nothing();
    let records = run.json();
    let kinds: Vec<&str> = records.iter().map(|one| text(one, "type")).collect();
    assert_eq!(kinds, ["result", "result", "result", "status"]);
    assert!(flag(&records[1], "success"));
    assert_eq!(recorded(&run).0, [249, 1, 0, 0]);
}

#[test]
fn verbose_tells_each_try_and_no_secret() {
    let server = second(Answer::error(503, 50300, "busy"))();
    let folder = Folder::new();
    let run = keeping(&server, &folder, 250).arg("--verbose").run();
    run.exits(3).hides_the_key();
    let tries = run.stderr.matches("status 503 after").count();
    assert_eq!(tries + 2, server.request_count(), "{run}");
}

#[test]
fn pretty_json_is_the_same_indented_by_two() {
    let server = Ably::start();
    let run = revoke_alice().against(&server).arg("--pretty-json").run();
    run.exits(0);
    assert!(run.stdout.starts_with("{\n  \"type\": \"result\",\n"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "no colour in a pipe");
    let records = run.pretty_json();
    assert_eq!(text(&records[0], "revocation.target"), "clientId:alice");
    assert_eq!(number(&records[1], "exitCode"), 0);
}

#[test]
fn verbose_tells_key_host_and_tries() {
    let server = Ably::start();
    let run = revoke_alice().against(&server).arg("--verbose").run();
    run.exits(0).says("[auth] app APP1, key APP1.key1 from ABLY_API_KEY").says("[http]");
    run.says("status 201 after").hides_the_key();
    let run = revoke_alice().against(&server).args(["-v", "--json"]).run();
    run.exits(0).hides_the_key();
    let records = run.json();
    let logs: Vec<_> = records.iter().filter(|record| text(record, "type") == "log").collect();
    assert!(!logs.is_empty());
    for log in logs {
        for field in ["component", "event", "message", "timestamp"] {
            assert!(has(log, field), "{field}");
        }
    }
    assert_eq!(run.stderr, "");
}
