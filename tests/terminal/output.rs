//! Streams that fail, colours, symbols, the width of a line.

use std::time::Duration;

use crate::support::*;

#[test]
fn colour_only_where_a_terminal_shows_it_and_none_is_not_asked_for() {
    let server = Ably::start();
    let on_screen = |program| {
        let end = Terminal::start(program).finish();
        assert_eq!(end.code, Some(0));
        end.screen.contains('\u{1b}')
    };
    assert!(on_screen(revoke_alice().against(&server)));
    assert!(on_screen(revoke_alice().against(&server).env("NO_COLOR", "")));
    assert!(!on_screen(revoke_alice().against(&server).env("NO_COLOR", "1")));
    assert!(!on_screen(revoke_alice().against(&server).env("TERM", "dumb")));
    assert!(!on_screen(revoke_alice().against(&server).env_remove("TERM")));
    assert!(on_screen(revoke_alice().against(&server).arg("--pretty-json")));
    assert!(!on_screen(revoke_alice().against(&server).arg("--json")));
    let run = revoke_alice().against(&server).run();
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('✓'), "{}", run.stderr);
}

#[test]
fn a_terminal_that_cannot_rewrite_a_line_is_never_told_to() {
    let server = Ably::deciding(|_| Answer::Faithful.after(Duration::from_millis(60)));
    let folder = Folder::new();
    let rewrites = |program| {
        let end = Terminal::start(program).finish();
        end.exits(0).screen.contains("\r\u{1b}[K")
    };
    let program = || keeping(&server, &folder, 500);
    assert!(rewrites(program().env("NO_COLOR", "1")), "that says nothing of lines");
    assert!(!rewrites(program().env("TERM", "dumb")));
    assert!(!rewrites(program().env_remove("TERM")));
}

#[test]
fn without_a_file_to_open_it_still_says_why_it_ends() {
    let limited = || Program::at("/usr/bin/prlimit").arg("--nofile=0").keyed();
    let revoke = || revoke_alice().args(["--endpoint", "localhost:1"]);
    let run = limited().wrapping(revoke()).run();
    run.check(run.code.is_some_and(|code| code > 0), "should fail").says("error: ");
    let json = limited().wrapping(revoke().arg("--json")).run();
    json.says_nothing().record("error");
    limited().wrapping(ably(["--help"])).run().exits(0).prints("Usage: ");
}

#[test]
fn a_full_disk_behind_stdout_makes_a_0_a_6() {
    let server = Ably::start();
    let run = revoke_alice().against(&server).arg("--json").stdout_to("/dev/full").run();
    run.exits(6).says("stdout could not be written");
    revoke_alice().against(&server).stderr_to("/dev/full").run().exits(0);
    server.refuse("clientId:bob", 40121, 400, "no");
    let program = alice().args(["--client-id", "bob", "--force", "--json"]).against(&server);
    program.stdout_to("/dev/full").run().exits(3);
    ably(["--help"]).stdout_to("/dev/full").run().exits(6);
}

#[test]
fn the_left_over_file_is_no_stream_at_the_same_time() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let file = folder.file("o");
    let program = || revoke_alice().against(&server).arg("--unrevoked-to").arg(&file);
    program().arg("--json").stdout_to(&file).run().exits(2);
    assert!(folder.read("o").contains("standard output"), "{}", folder.read("o"));
    program().stderr_to(&file).run().exits(2);
    assert!(folder.read("o").contains("standard error"), "{}", folder.read("o"));
}

#[test]
fn a_symbol_only_in_a_utf_8_locale() {
    let server = Ably::start();
    for (locale, shows) in [("C.UTF-8", true), ("POSIX", false)] {
        let end = Terminal::start(revoke_alice().against(&server).env("LC_ALL", locale)).finish();
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
        terminal.answer("[y/N] ", "y\r");
        let end = terminal.finish();
        end.exits(3).shows("client ID a b c").never_shows("hint:");
        let joined = end.screen.split_whitespace().collect::<Vec<_>>().join(" ");
        let time = joined.find("issued before").map(|at| &joined[at..]).unwrap();
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
fn closed_pipes_stop_nothing() {
    for json in [false, true] {
        let (server, folder) = (Ably::start(), Folder::new());
        server.refuse("clientId:user3", 40121, 400, "no");
        let program = keeping(&server, &folder, 450).args(json.then_some("--json")).stdout_broken();
        program.stderr_broken().run().exits(3);
        assert_eq!(received(&server), users(450));
        assert_eq!(left_targets(&folder.file(LEFT)), ["clientId:user3"]);
    }
}

#[test]
fn a_reader_that_leaves_in_the_middle_stops_nothing() {
    let (server, folder) = (Ably::start(), Folder::new());
    targets_file(&folder, &users(2000));
    let program = in_shell(r#"{ "$@" < targets.txt; echo "$?" > code; } | head -n 1"#);
    let run = program.arg("--json").cwd(folder.path()).against(&server).run();
    run.exits(0);
    assert_eq!(run.stdout.lines().count(), 1, "{run}");
    assert_eq!(folder.read("code"), "0\n");
    assert_eq!(received(&server), users(2000));
}
