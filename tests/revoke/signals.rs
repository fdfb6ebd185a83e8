//! Signals in the middle of a run: it ends in good order, and no target is lost.

use std::collections::HashSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::*;

/// What the last line's command would revoke: pasted into a shell, with nobody at the other end,
/// it leaves over all that it was given.
#[track_caller]
fn command_to_go_on(run: &Run) -> Vec<String> {
    let command = run.stderr.trim_end().lines().last().unwrap().trim();
    let rest = command.strip_prefix("ably auth revoke-token ").unwrap_or_else(|| panic!("{run}"));
    let line = format!("shift 6; exec \"$ably\" auth revoke-token {rest} \"$@\"");
    let folder = Folder::new();
    let pasted = in_shell(&format!("ably=$1; {line}")).args(["--connect-to", "127.0.0.1:1"]);
    pasted.arg("--unrevoked-to").arg(folder.file(LEFT)).keyed().run().exits(1);
    left_targets(&folder.file(LEFT))
}

/// Waits until this no longer holds, for as long as a busy machine may need.
fn while_it_lasts(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while holds() && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_signal_ends_the_run_in_good_order_though_the_server_hangs() {
    for (name, signal, json) in
        [("INT", 2, false), ("TERM", 15, true), ("HUP", 1, false), ("HUP", 1, true)]
    {
        let options = json.then_some("--json");
        let (server, folder, running) = under_way(|program| program.args(options));
        let run = ends_soon(running, name);
        run.dies_of(signal).hides_the_key();
        assert_eq!(received(&server), users(300), "no new request\n{run}");
        let expected = [200, 0, 100, 150];
        if json {
            assert_eq!(recorded(&run).0, expected, "{run}");
            let status = run.record("status");
            assert_eq!(text(&status, "status"), "interrupted");
            assert_eq!(number(&status, "exitCode"), 128 + signal as u64);
        } else {
            assert_eq!(told(&run), (expected, 3));
            run.says(&format!("interrupted (SIG{name})")).never_says("hint:");
            assert_eq!(command_to_go_on(&run), users(450)[200..], "{run}");
        }
        let left = left_over(&folder.file(LEFT));
        let targets: Vec<&String> = left.iter().map(|(_, target)| target).collect();
        assert!(targets.into_iter().eq(&users(450)[200..]), "{run}");
        assert!(left[0].0.starts_with("unknown: "), "{}", left[0].0);
        assert!(left[100].0.starts_with("not-sent: "), "{}", left[100].0);
        assert!(is_tidy(&folder), "{:?}", folder.names());
    }
}

#[test]
fn a_signal_ends_a_wait_and_what_was_answered_stands() {
    let limit = Answer::error(429, 42910, "slow down").header("retry-after", "20");
    let (server, folder) = (second(limit)(), Folder::new());
    let running = keeping(&server, &folder, 450).spawn();
    server.wait_for_requests(2);
    thread::sleep(Duration::from_millis(200));
    let run = ends_soon(running, "INT");
    run.dies_of(2);
    assert_eq!(told(&run).0, [100, 100, 0, 250]);
    assert_eq!(left_targets(&folder.file(LEFT)), users(450)[100..]);
}

#[test]
fn a_signal_ends_the_wait_for_a_connection() {
    let (server, folder) = (Ably::receiving(|_| Door::Silent), Folder::new());
    let running = keeping(&server, &folder, 250).spawn();
    while_it_lasts(|| server.connections() == 0);
    let run = ends_soon(running, "TERM");
    run.dies_of(15);
    assert_eq!(told(&run).0, [0, 0, 0, 250]);
    assert_eq!(left_targets(&folder.file(LEFT)), users(250));
}

#[test]
fn ctrl_c_in_a_terminal_leaves_no_remains_of_the_progress() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.decide(|seen| match begins(seen, 400) {
        true => Answer::Faithful.held(),
        false => Answer::Faithful.after(Duration::from_millis(120)),
    });
    let mut terminal = Terminal::start(keeping(&server, &folder, 800));
    terminal.expect("300 of 800 targets");
    server.wait_for_requests(5);
    terminal.send("\u{3}");
    let end = terminal.finish();
    end.dies_of(2);
    let shown = rendered(&end.screen);
    assert!(!shown.contains(" of 800 targets"), "{shown}");
    let accounts = "800 targets: 400 revoked, 100 unknown, 300 not sent, in 5 requests";
    assert!(shown.contains(accounts), "{shown}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let full = FullPipe::new();
    let (server, folder, running) = under_way(|program| program.stderr_to(full.path()));
    running.signal("INT");
    // With the file, nothing is left but to tell its accounts, and there it stands still.
    while_it_lasts(|| left_targets(&folder.file(LEFT)).len() == 450);
    ends_soon(running, "TERM").dies_of(15);
    let left: HashSet<String> = left_targets(&folder.file(LEFT)).into_iter().collect();
    assert!(users(450)[200..].iter().all(|target| left.contains(target)));
    assert_eq!(received(&server), users(300));
}

/// Nobody may be reading: a pager that waits, a terminal that was stopped.
#[test]
fn the_first_signal_ends_a_run_whose_output_nobody_reads() {
    let full = FullPipe::new();
    let (_server, folder, running) = under_way(|program| program.stderr_to(full.path()));
    ends_soon(running, "INT").dies_of(2);
    assert_eq!(left_targets(&folder.file(LEFT)), users(450)[200..]);

    let (server, folder) = (Ably::start(), Folder::new());
    let program = keeping(&server, &folder, 450).arg("--json").stdout_to(full.path());
    let running = program.spawn();
    server.wait_for_requests(1);
    ends_soon(running, "TERM").dies_of(15);
    let left = left_targets(&folder.file(LEFT));
    assert!(users(450)[100..].iter().all(|target| left.contains(target)), "{}", left.len());
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for (name, trap) in [("INT", "INT"), ("HUP", "HUP")] {
        let (server, folder) = (holding(1), Folder::new());
        targets_file(&folder, &users(150));
        let line = format!(r#"trap "" {trap}; exec "$@" < targets.txt"#);
        let running = in_shell(&line).cwd(folder.path()).against(&server).spawn();
        server.wait_for_requests(2);
        running.signal(name);
        server.release();
        running.wait().exits(0);
    }
}

#[test]
fn killed_in_the_middle_the_file_loses_no_target() {
    let (server, folder, running) = under_way(|program| program);
    running.signal("KILL");
    running.wait().dies_of(9);
    let left = folder.file(LEFT);
    assert_eq!(left_targets(&left), users(450), "all, as before the start");
    assert_eq!(received(&server), users(300));
    assert_eq!(revoked(&server), users(300));
    // It goes on from there.
    let (server, rest) = (Ably::start(), folder.file("rest.txt"));
    let again = from_file(&server, &left).arg("--unrevoked-to").arg(&rest);
    again.run().exits(0);
    assert_eq!(revoked(&server), users(450));
    assert_eq!(fs::read(&rest).unwrap(), b"");
}

/// Before the file is there nothing is sent, and from then on no target is lost.
#[test]
fn killed_at_any_moment_the_file_loses_no_target() {
    let targets = users(3000);
    for delay in [1, 2, 4, 7, 11, 16, 24, 40, 80, 160] {
        let (server, folder) = (Ably::start(), Folder::new());
        let running = keeping(&server, &folder, 3000).spawn();
        thread::sleep(Duration::from_millis(delay));
        running.signal("KILL");
        running.wait();
        let left = folder.file(LEFT);
        if left.exists() {
            let left: HashSet<String> = left_targets(&left).into_iter().collect();
            let done: HashSet<String> = revoked(&server).into_iter().collect();
            for target in &targets {
                assert!(left.contains(target) || done.contains(target), "{target}");
            }
        } else {
            assert_eq!(server.request_count(), 0, "after {delay} ms");
        }
        if server.connections() == 0 {
            server.expect_nothing();
        }
    }
}

/// What is told is what the stand-in saw, and the file is exactly the rest.
#[test]
fn interrupted_at_any_moment_everything_agrees() {
    let targets = users(3000);
    for delay in [2, 5, 9, 14, 20, 30, 45, 70, 110, 160, 250] {
        let (server, folder) = (Ably::start(), Folder::new());
        let running = keeping(&server, &folder, 3000).arg("--json").spawn();
        thread::sleep(Duration::from_millis(delay));
        running.signal("INT");
        let run = running.wait();
        assert!(is_tidy(&folder), "after {delay} ms: {:?}", folder.names());
        if server.connections() == 0 {
            server.expect_nothing();
        }
        let (tally, confirmed) = recorded(&run);
        // On a busy machine the signal may come before there is a run.
        if run.stdout.is_empty() || tally == [0; 4] {
            assert_eq!(server.request_count(), 0, "after {delay} ms\n{run}");
            continue;
        }
        assert_eq!(tally.iter().sum::<usize>(), 3000, "after {delay} ms\n{run}");
        let rest = targets.iter().filter(|target| !confirmed.contains(*target));
        let left = left_targets(&folder.file(LEFT));
        assert!(left.iter().eq(rest), "after {delay} ms\n{run}");
        let done: HashSet<String> = revoked(&server).into_iter().collect();
        assert!(confirmed.is_subset(&done), "after {delay} ms\n{run}");
        assert!(done.len() <= tally[0] + tally[2], "{run}");
    }
}

#[test]
fn a_signal_while_the_file_is_first_written_leaves_nothing_beside_it() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let running = keeping(&server, &folder, 400_000).spawn();
    while_it_lasts(|| is_tidy(&folder) && !folder.file(LEFT).exists());
    running.signal("INT");
    // How soon is not asked: 400,000 lines take a debug build, or a busy machine, their time.
    running.wait().dies_of(2);
    assert!(is_tidy(&folder), "{:?}", folder.names());
    if folder.file(LEFT).exists() {
        assert_eq!(left_targets(&folder.file(LEFT)).len(), 400_000);
    }
}

/// Scripts wait for the status of every run, wherever a signal meets it.
#[test]
fn a_signal_before_the_first_request_is_told_in_the_status_too() {
    let status = |run: &Run| {
        run.dies_of(2).says_nothing();
        let status = run.record("status");
        assert_eq!((text(&status, "status"), number(&status, "exitCode")), ("interrupted", 130));
    };
    let reading = Ably::unreached();
    for options in [["--targets-file", "-"], ["--from-token", "-"]] {
        let program = forced().args(options).arg("--json").against(&reading).stdin_open();
        let mut running = program.spawn();
        running.write("clientId:alice\n");
        // It has read what there is, and waits for more.
        let pid = running.pid();
        while_it_lasts(|| !is_waiting(pid));
        running.signal("INT");
        status(&running.wait());
    }
    let asking = Ably::deciding(|_| Answer::HangBeforeHeaders);
    let base = || forced().args(["--client-id", "alice", "--json"]).towards(&asking);
    let control = base().control(&asking, TOKEN);
    let clock = base().keyed().args(["--issued-before", "10m"]);
    for (n, program) in [control, clock].into_iter().enumerate() {
        let running = program.spawn();
        asking.wait_for_requests(n + 1);
        status(&ends_soon(running, "INT"));
    }
}

/// Whether a process has its handlers and sleeps, as it does while it waits for input.
fn is_waiting(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("");
    let caught = u64::from_str_radix(field("SigCgt:").trim(), 16).unwrap_or(0);
    field("State:").trim().starts_with('S') && caught & 0b10 != 0
}
