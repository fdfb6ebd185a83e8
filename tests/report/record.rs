//! The lasting account of a run: what is in it, and from when on.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

use miniserde::json::{self, Value};

use crate::support::*;

/// The record of `--json` that a record in the file is.
fn unstamped(record: Value) -> String {
    let Value::Object(mut object) = record else { panic!("no object") };
    object.remove("timestamp");
    object.remove("run");
    json::to_string(&object)
}

#[test]
fn the_first_record_says_who_does_what_where_and_why() {
    let (server, folder) = (Ably::start(), Folder::new());
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let uid =
        fs::metadata("/proc/self").map(|it| std::os::unix::fs::MetadataExt::uid(&it)).unwrap();
    let nobody = uid.to_string();
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], &nobody),
        (&[("LOGNAME", "bob")], "bob"),
        (&[("LOGNAME", "bob"), ("USER", "alice")], "alice"),
        (&[("USER", "root"), ("SUDO_USER", "carol")], "carol"),
    ];
    for (variables, user) in cases {
        let program = revoke_alice().args(["--client-id", "bob", "--reason", "INC-1"]);
        let program = program.against(&server).recording(&folder);
        let program =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        program.run().exits(0);
        let records = whole(&folder.file(RECORD));
        let run = by_run(records).into_values().find(|run| text(&run[0], "user") == user).unwrap();
        assert_eq!(kinds(&run), ["run", "result", "status"]);
        for (field, value) in [
            ("version", env!("CARGO_PKG_VERSION")),
            ("host", host.trim()),
            ("app", "APP1"),
            ("keyName", "APP1.key1"),
            ("keySource", "ABLY_API_KEY"),
            ("endpoint", &server.endpoint()),
            ("reason", "INC-1"),
        ] {
            assert_eq!(text(&run[0], field), value);
        }
        assert_eq!(number(&run[0], "uid"), u64::from(uid));
        assert_eq!(number(&run[0], "targets"), 2);
    }
    assert_eq!(by_run(whole(&folder.file(RECORD))).len(), cases.len(), "appended");
}

/// Revoked, refused, failed, not sent: each is there as on stdout.
#[test]
fn the_others_are_those_of_json() {
    for options in [&["--json"][..], &["--pretty-json"], &["--json", "--verbose"]] {
        let (server, folder) = (second(Answer::error(401, 40101, "no"))(), Folder::new());
        server.refuse("clientId:user3", 40121, 400, "no");
        let run = keeping(&server, &folder, 250).args(options).recording(&folder).run();
        run.exits(3);
        let mut kept = whole(&folder.file(RECORD));
        assert_eq!(kinds(&kept), ["run", "result", "error", "error", "status"]);
        assert!(!has(&kept.remove(0), "reason"));
        let kept: Vec<String> = kept.into_iter().map(unstamped).collect();
        let shown = if options[0] == "--json" { run.json() } else { run.pretty_json() };
        let shown = shown.into_iter().filter(|record| text(record, "type") != "log");
        assert_eq!(kept, shown.map(|record| json::to_string(&record)).collect::<Vec<_>>());
    }
}

#[test]
fn what_people_are_told_does_not_change() {
    for (refused, code) in [(false, 0), (true, 3)] {
        let (server, folder) = (Ably::start(), Folder::new());
        server.set_clock_ms(NOW);
        if refused {
            server.refuse("clientId:user3", 40121, 400, "no");
        }
        let file = targets_file(&folder, &users(150));
        let plain = from_file(&server, &file).run();
        let recorded = from_file(&server, &file).recording(&folder).run();
        recorded.exits(code).prints_nothing();
        assert_eq!(plain.stderr, recorded.stderr);
    }
}

/// The stand-in looks into the file at each request.
#[test]
fn each_requests_records_are_there_before_the_next_request() {
    let folder = Folder::new();
    let file = folder.file(RECORD);
    let server = Ably::deciding(move |seen| {
        let records = lines(&file);
        let expected = users(seen.index * BATCH).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(told_revoked(&records).into_iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(kinds(&records)[0], "run");
        Answer::Faithful
    });
    let run = keeping(&server, &folder, 950).recording(&folder).run();
    run.exits(0);
    assert_eq!(told_revoked(&whole(&folder.file(RECORD))).len(), 950);
}

/// On disk, not in the kernel's memory alone.
/// A connection that hangs keeps none of the others out of the record.
#[test]
fn with_several_connections_each_keeps_its_own_record() {
    let (server, folder) = (holding(0), Folder::new());
    let file = targets_file(&folder, &users(2000));
    let program = from_file(&server, &file).args(["--parallel", "4"]).recording(&folder);
    let running = program.spawn();
    server.wait_for_requests(20);
    running.signal("KILL");
    running.wait();
    let told = told_revoked(&whole(&folder.file(RECORD)));
    // Each connection may have been at its last one.
    assert!(told.len() >= 2000 - 4 * BATCH, "{} of 2000", told.len());
}

#[test]
fn each_requests_records_are_synced_before_the_next_request() {
    let Some(strace) = strace() else { return };
    let (server, folder) = (Ably::start(), Folder::new());
    let log = folder.file("strace");
    let program = strace.args(["-f", "-s", "9", "-e", "trace=write,fdatasync", "-o"]).arg(&log);
    let program = program.wrapping(forced()).arg("--targets-file");
    let program = program.arg(targets_file(&folder, &users(450))).against(&server);
    program.recording(&folder).run().exits(0);
    let log = folder.read("strace");
    let calls = log.lines().filter_map(|line| {
        let written = line.contains(r#""{\"type\":"#);
        let synced = line.contains("fdatasync(") && line.ends_with("= 0");
        if written { Some("written") } else { synced.then_some("synced") }
    });
    // The run, five requests, the status.
    assert_eq!(calls.collect::<Vec<_>>(), ["written", "synced"].repeat(7), "{log}");
}

#[test]
fn a_declined_run_and_a_dry_run_leave_a_record() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let program = || alice().against(&server).recording(&folder);
    let run = || by_run(whole(&folder.file(RECORD))).into_values();
    program().stdin("n\n").run().exits(4);
    let declined = run().next().unwrap();
    assert_eq!(kinds(&declined), ["run", "error", "status"]);
    assert_eq!(text(&declined[1], "outcome"), NOT_SENT);
    assert_eq!(number(&declined[2], "exitCode"), 4);
    for json in [None, Some("--json")] {
        fs::remove_file(folder.file(RECORD)).unwrap();
        program().arg("--dry-run").args(json).run().exits(0);
        let dry = run().next().unwrap();
        assert_eq!(kinds(&dry), ["run", "result", "status"]);
        assert!(flag(&dry[1], "dryRun") && !has(&dry[1], "revocation"));
    }
}

#[test]
fn its_status_knows_of_a_full_disk_behind_stdout() {
    let (server, folder) = (Ably::start(), Folder::new());
    let program = revoke_alice().against(&server).arg("--json").recording(&folder);
    program.stdout_to("/dev/full").run().exits(6);
    assert_eq!(number(whole(&folder.file(RECORD)).last().unwrap(), "exitCode"), 6);
}

/// What had no plan yet leaves none.
#[test]
fn a_run_that_never_knew_its_key_leaves_no_record() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let program = || revoke_alice().towards(&server).recording(&folder);
    program().run().exits(2).says("no API key");
    program().env("ABLY_API_KEY", "nonsense").run().exits(2);
    program().keyed().args(["--app", "APP2"]).run().exits(2);
    program().keyed().args(["--timeout", "0"]).run().exits(2);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_run_that_ends_before_its_first_request_is_recorded_to_its_end() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (server, folder) = (Ably::unreached(), Folder::new());
    let file = targets_file(&folder, &users(3000));
    let program = from_file(&server, &file).recording(&folder);
    program.arg("--unrevoked-to").arg(disk.folder.file(LEFT)).run().exits(2);
    let records = whole(&folder.file(RECORD));
    assert_eq!(kinds(&records), ["run", "error", "status"]);
    assert!(text(&records[1], "error.message").contains("--unrevoked-to"));
    assert_eq!(number(&records[2], "exitCode"), 2);
}

#[test]
fn a_signal_at_the_question_is_recorded() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let mut terminal = Terminal::start(alice().against(&server).recording(&folder));
    terminal.answer("[y/N] ", "\u{3}");
    terminal.finish().dies_of(2).restores();
    let records = whole(&folder.file(RECORD));
    assert_eq!(kinds(&records), ["run", "status"]);
    assert_eq!(text(&records[1], "status"), "interrupted");
    assert_eq!(number(&records[1], "exitCode"), 130);
}

#[test]
fn a_signal_in_the_middle_is_recorded_with_all_targets() {
    for (name, signal, json) in [("INT", 2, None), ("TERM", 15, Some("--json")), ("HUP", 1, None)] {
        let kept = Folder::new();
        let (_server, _folder, running) = under_way(|program| program.args(json).recording(&kept));
        ends_soon(running, name).dies_of(signal);
        let records = whole(&kept.file(RECORD));
        let told = told_of(&records);
        assert_eq!(tally(told.values().map(String::as_str)), [200, 0, 100, 150]);
        let status = records.last().unwrap();
        assert_eq!(text(status, "status"), "interrupted");
        assert_eq!(number(status, "exitCode"), 128 + signal as u64);
    }
}

/// Every line is a record, and what was answered before the last request is there.
#[test]
fn killed_at_any_moment_it_holds_every_request_before_the_last() {
    for delay in [1, 3, 6, 10, 15, 22, 30, 40, 55, 75, 100, 140, 200] {
        let (server, folder) = (Ably::start(), Folder::new());
        let running = keeping(&server, &folder, 5000).recording(&folder).spawn();
        thread::sleep(Duration::from_millis(delay));
        running.signal("KILL");
        running.wait();
        if server.connections() == 0 {
            server.expect_nothing();
        }
        let asked = server.request_count();
        let file = folder.file(RECORD);
        let records = if file.exists() { lines(&file) } else { Vec::new() };
        let told: BTreeSet<String> = told_revoked(&records).into_iter().collect();
        let before_the_last = users(asked.saturating_sub(1) * BATCH);
        assert!(before_the_last.iter().all(|target| told.contains(target)), "after {delay} ms");
        // The next run's records parse, whatever this one left behind.
        let server = Ably::start();
        let again = from_file(&server, &folder.file("targets.txt")).recording(&folder);
        again.run().exits(0);
        let content = folder.read(RECORD);
        let torn = content.lines().filter(|line| json::from_str::<Value>(line).is_err()).count();
        assert!(torn <= 1, "{torn} after {delay} ms");
        assert!(content.ends_with("\"exitCode\":0}\n"));
    }
}

/// A proof may take long: the revocation is on disk before it.
#[test]
fn killed_during_the_proof_it_holds_the_revocation() {
    let folder = Folder::new();
    let server = Ably::deciding(|seen| match seen.revokes() {
        true => Answer::Faithful,
        false => Answer::Faithful.held(),
    });
    let token = for_alice();
    server.add_token(Token::new(&token).client_id("alice"));
    let program = || leaked(&token).against(&server).args(["--force", "--verify"]);
    let running = program().recording(&folder).spawn();
    server.wait_for_requests(2);
    running.signal("KILL");
    running.wait();
    let records = whole(&folder.file(RECORD));
    assert_eq!(kinds(&records), ["run", "result"]);
    assert_eq!(told_revoked(&records), ["clientId:alice"]);
    server.release();
    fs::remove_file(folder.file(RECORD)).unwrap();
    program().recording(&folder).run().exits(0);
    let records = whole(&folder.file(RECORD));
    assert_eq!(kinds(&records), ["run", "result", "result", "result", "status"]);
    assert!(has(&records[1], "revocation") && has(&records[2], "found"));
    assert!(flag(&records[3], "verification.verified"));
}

#[test]
fn any_reason_is_kept_without_loss() {
    let (server, folder) = (Ably::start(), Folder::new());
    let reason = "line 1\nline 2\r\n\u{1b}[2J\u{202e}\u{85}\u{7f}\u{2028}\"\\ caf\u{e9}\t\u{1}";
    let program = revoke_alice().against(&server).recording(&folder);
    program.arg(format!("--reason={reason}")).run().exits(0);
    let content = folder.read(RECORD);
    assert_eq!(content.lines().count(), 3, "{content:?}");
    assert!(!content.contains(['\u{1b}', '\u{202e}', '\u{85}', '\u{7f}', '\u{2028}']));
    assert_eq!(text(&whole(&folder.file(RECORD))[0], "reason"), reason);
}

#[test]
fn a_run_that_leaves_targets_over_goes_on_with_the_same_record() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.refuse("clientId:user1", 40121, 400, "no");
    let program = keeping(&server, &folder, 3).recording(&folder);
    let run = program.args(["--reason", "it's why"]).run();
    let record = folder.file(RECORD);
    run.exits(3).says(&format!("--record {} --reason 'it'\\''s why'", record.display()));
}

#[test]
fn no_secret_is_in_it() {
    let access = "acc3ss-m4rker-t0ken";
    let told = format!("{KEY} {PASSWORD} {access}");
    each(&echoes(), |(place, echo)| {
        let (place, echo, told, folder) = (*place, *echo, told.clone(), Folder::new());
        let server = Ably::deciding(move |_| echo(&told));
        let proxy = Proxy::to(server.address());
        let program = revoke_alice().against(&server).recording(&folder).through(&proxy);
        let program = program.args(["--timeout", "1.2", "--verbose"]);
        let program = program.env("ABLY_ACCESS_TOKEN", access).env("USER", PASSWORD);
        let mut run = program.arg(format!("--reason=by {access}, {PASSWORD}")).run();
        run.check(run.code != Some(0), place);
        run.stdout = folder.read(RECORD);
        run.prints("[secret]").hides_the_key().hides(PASSWORD).hides(access);
    });
    // Of the key that serves, whatever its form and wherever it comes from.
    let (server, folder) = (Ably::unreached(), Folder::new());
    let config = "[current]\naccount = \"a\"\n[accounts.a]\ncurrentAppId = \"APP1\"\n\
        [accounts.a.apps.APP1]\napiKey = \"APP1.key1:shorter-one\"\n";
    let program = revoke_alice().towards(&server).config(config).recording(&folder);
    let run = program.args(["--reason", "it was shorter-one"]).run();
    run.exits(2).says("--reason is given an API key").never_says("shorter-one");
    assert_eq!(folder.names(), [""; 0]);
}

/// The man page's recipes for the record.
fn queries() -> Vec<String> {
    let man = ably(["--generate", "man"]).run().stdout.replace("\\-", "-").replace("\\e", "\\");
    let blocks = man.split(".EX\n").skip(1).map(|block| block.split(".EE").next().unwrap());
    blocks.filter(|block| block.starts_with("jq ")).map(str::to_owned).collect()
}

#[test]
fn the_man_pages_questions_have_the_right_answers() {
    if installed("/usr/bin/jq").is_none() {
        return;
    }
    let (server, folder) = (Ably::start(), Folder::new());
    server.refuse("clientId:user1", 40121, 400, "no");
    server.refuse("clientId:user2", 40121, 400, "no");
    let (file, record) = (targets_file(&folder, &users(4)), folder.file("revocations.jsonl"));
    let old = r#"{"type":"run","timestamp":"2020-01-01T00:00:00.000Z","run":"0","user":"eve"}
{"type":"result","timestamp":"2020-01-01T00:00:00.000Z","run":"0","revocation":{"response":{"results":[{"target":"clientId:old","appliesAt":1}]}}}
{"type":"error","timestamp":"2020-01-01T00:00:00.000Z","run":"0","outcome":"unknown","targets":["clientId:lost","clientId:user0"]}
{"type":"result","timestamp":"2020-0"#;
    fs::write(&record, old).unwrap();
    let program = |options: [&str; 2]| {
        let program = from_file(&server, &file).args(options).env("USER", "alice");
        program.arg("--record").arg(&record)
    };
    program(["--reason", "INC-1"]).run().exits(3);
    program(["--dry-run", "-v"]).run().exits(0);
    let another = Ably::start();
    let bob = forced().args(["--client-id", "user2"]).against(&another).env("USER", "bob");
    bob.arg("--record").arg(&record).run().exits(0);
    let queries = queries();
    let [who, never] = queries.as_slice() else { panic!("{queries:?}") };
    let ask = |query: &str| {
        let run = Program::at("/bin/sh").args(["-ec", query]).cwd(folder.path()).run();
        run.exits(0).says_nothing();
        run.stdout.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let told = |line: &String| ["who", "target"].map(|name| text(&parse(line), name).to_owned());
    let told: Vec<String> = ask(who).iter().map(|line| told(line).join(" ")).collect();
    let by_time = ["alice clientId:user0", "alice clientId:user3", "bob clientId:user2"];
    assert_eq!(told, by_time);
    assert!(ask(who).iter().any(|line| line.contains(r#""why":"INC-1""#)));
    assert_eq!(ask(never), ["clientId:lost", "clientId:user1"]);
}
