//! Text for people, JSON for scripts, and streams that fail.

use crate::support::{Ably, Folder, Terminal, ably, flag, has, number, text};

const REVOKE: [&str; 5] = ["auth", "revoke-token", "--client-id", "alice", "--force"];

#[test]
fn pretty_json_is_the_same_indented_by_two() {
    let server = Ably::start();
    let run = ably(REVOKE).against(&server).arg("--pretty-json").run();
    run.exits(0);
    assert!(run.stdout.starts_with("{\n  \"type\": \"result\",\n"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "no colour in a pipe");
    let records = run.pretty_json();
    assert_eq!(text(&records[0], "revocation.target"), "clientId:alice");
    assert_eq!(number(&records[1], "exitCode"), 0);
}

#[test]
fn colour_only_where_a_terminal_shows_it_and_none_is_not_asked_for() {
    let server = Ably::start();
    let on_screen = |program| {
        let end = Terminal::start(program).finish();
        assert_eq!(end.code, Some(0));
        end.screen.contains('\u{1b}')
    };
    assert!(on_screen(ably(REVOKE).against(&server)));
    assert!(on_screen(ably(REVOKE).against(&server).env("NO_COLOR", "")));
    assert!(!on_screen(ably(REVOKE).against(&server).env("NO_COLOR", "1")));
    assert!(!on_screen(ably(REVOKE).against(&server).env("TERM", "dumb")));
    assert!(!on_screen(ably(REVOKE).against(&server).env_remove("TERM")));
    assert!(on_screen(ably(REVOKE).against(&server).arg("--pretty-json")));
    assert!(!on_screen(ably(REVOKE).against(&server).arg("--json")));
    let run = ably(REVOKE).against(&server).run();
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('✓'), "{}", run.stderr);
}

#[test]
fn verbose_tells_key_host_and_tries() {
    let server = Ably::start();
    let run = ably(REVOKE).against(&server).arg("--verbose").run();
    run.exits(0)
        .says("[auth] app APP1, key APP1.key1 from ABLY_API_KEY")
        .says("[http]")
        .says("status 201 after")
        .hides_the_key();
    let run = ably(REVOKE).against(&server).args(["-v", "--json"]).run();
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

#[test]
fn a_closed_pipe_changes_nothing() {
    let server = Ably::start();
    ably(REVOKE).against(&server).stderr_broken().run().exits(0);
    ably(REVOKE).against(&server).arg("--json").stdout_broken().run().exits(0);
    assert_eq!(server.revoked().len(), 2);
}

#[test]
fn a_full_disk_behind_stdout_makes_a_0_a_1() {
    let server = Ably::start();
    ably(REVOKE)
        .against(&server)
        .arg("--json")
        .stdout_to("/dev/full")
        .run()
        .exits(1)
        .says("stdout could not be written");
    ably(REVOKE).against(&server).stderr_to("/dev/full").run().exits(0);
    server.refuse("clientId:bob", 40121, 400, "no");
    ably([
        "auth",
        "revoke-token",
        "--client-id",
        "alice",
        "--client-id",
        "bob",
        "--force",
        "--json",
    ])
    .against(&server)
    .stdout_to("/dev/full")
    .run()
    .exits(3);
    ably(["--help"]).stdout_to("/dev/full").run().exits(1);
}

#[test]
fn the_left_over_file_is_no_stream_at_the_same_time() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let file = folder.file("o");
    let program = || ably(REVOKE).against(&server).arg("--unrevoked-to").arg(&file);
    program().arg("--json").stdout_to(&file).run().exits(2);
    assert!(folder.read("o").contains("standard output"), "{}", folder.read("o"));
    program().stderr_to(&file).run().exits(2);
    assert!(folder.read("o").contains("standard error"), "{}", folder.read("o"));
}

#[test]
fn json_is_lossless_and_harmless() {
    let server = Ably::start();
    let id = "a\u{1b}[2J\u{202e}\u{9b}\"b";
    let run = ably(["auth", "revoke-token", "--force", "--json", "--client-id", id])
        .against(&server)
        .run();
    run.exits(0);
    assert!(run.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", run.stdout);
    assert!(!run.stdout.contains('\u{202e}'));
    let result = run.record("result");
    assert!(flag(&result, "success"));
    assert_eq!(text(&result, "revocation.target"), format!("clientId:{id}"));
}

#[test]
fn a_symbol_only_in_a_utf_8_locale() {
    let server = Ably::start();
    for (locale, shows) in [("C.UTF-8", true), ("POSIX", false)] {
        let end = Terminal::start(ably(REVOKE).against(&server).env("LC_ALL", locale)).finish();
        end.exits(0).shows("revoked:");
        assert_eq!(end.screen.contains('✓'), shows, "{}", end.screen);
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_name_is_broken() {
    let server = Ably::start();
    server.refuse("clientId:a b c", 40121, 400, "this app has no revocable tokens at all");
    for columns in [40, 80, 200] {
        let revoke = ["auth", "revoke-token", "--client-id", "alice", "--client-id", "a b c"];
        let mut terminal = Terminal::of_width(columns, ably(revoke).against(&server));
        terminal.expect("[y/N] ");
        terminal.send("y\r");
        let end = terminal.finish();
        end.exits(3).shows("client ID a b c").never_shows("hint:");
        let time = end.screen.find("tokens issued before").map(|at| &end.screen[at..]).unwrap();
        assert_eq!(time.matches("Z ").count(), 1, "the same time is told once: {time}");
        for line in end.screen.lines().filter(|line| !line.contains("--ca-file")) {
            let shown = line.replace("\x1b[31m", "").replace("\x1b[0m", "");
            assert!(shown.trim_end().chars().count() <= columns.into(), "{columns}: {shown:?}");
        }
        let last = end.screen.trim_end().rsplit("next: ").next().unwrap();
        let words: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "deal with the errors above, then run the same command again: revoking twice is safe"
        );
    }
}

#[test]
fn a_target_that_is_most_likely_a_slip_is_quoted_and_warned_of() {
    let server = Ably::start();
    for id in ["alice ", "alice,clientId:bob"] {
        let quoted = format!("client ID \"{id}\"");
        let revoke = |more: &[&str]| {
            ably(["auth", "revoke-token", "--client-id", id]).args(more).against(&server).run()
        };
        revoke(&[]).exits(4).says("warning: ").says(&quoted);
        revoke(&["--force"]).exits(0).says("warning: ").says(&quoted);
        revoke(&["--dry-run"]).exits(0).says("warning: ").says(&quoted);
    }
}
