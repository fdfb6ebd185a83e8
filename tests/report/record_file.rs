//! The file of `--record`: which may be one, who may write it, and what happens where that fails.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::support::*;

fn mode(folder: &Folder) -> u32 {
    fs::metadata(folder.file(RECORD)).unwrap().mode() & 0o7777
}

#[test]
fn a_new_file_is_closed_to_others_and_an_old_one_keeps_its_mode() {
    let (server, folder) = (Ably::start(), Folder::new());
    targets_file(&folder, &users(3));
    let program = || in_shell(r#"umask 000; exec "$@" < targets.txt"#).cwd(folder.path());
    program().against(&server).recording(&folder).run().exits(0);
    assert_eq!(mode(&folder), 0o600);
    fs::set_permissions(folder.file(RECORD), fs::Permissions::from_mode(0o664)).unwrap();
    program().against(&server).recording(&folder).run().exits(0);
    assert_eq!(mode(&folder), 0o664);
    assert_eq!(by_run(whole(&folder.file(RECORD))).len(), 2);
}

#[test]
fn it_is_appended_to_behind_a_link_too_and_a_half_line_is_ended_first() {
    let (server, folder) = (Ably::start(), Folder::new());
    for (before, expected) in [("", ""), ("{\"a\":1}\n", "{\"a\":1}\n"), ("{\"hal", "{\"hal\n")] {
        let there = folder.write("elsewhere/there", before);
        let _ = symlink("elsewhere/there", folder.file(RECORD));
        revoke_alice().against(&server).recording(&folder).run().exits(0);
        assert!(folder.file(RECORD).is_symlink());
        let content = fs::read_to_string(&there).unwrap();
        let own = content.strip_prefix(expected).unwrap_or_else(|| panic!("{content}"));
        assert_eq!(own.lines().count(), 3);
        own.lines().for_each(|line| assert!(has(&parse(line), "run")));
    }
}

#[test]
fn a_file_that_cannot_be_one_is_refused_before_anything_is_sent_or_asked() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    fs::create_dir(folder.file("folder")).unwrap();
    folder.write("file", "x");
    symlink("loop", folder.file("loop")).unwrap();
    symlink("nowhere", folder.file("dangling")).unwrap();
    make_fifo(&folder.file("fifo"));
    let names = folder.names();
    #[rustfmt::skip]
    let inside = ["folder", "folder/..", "missing/record", "file/record", "fifo", &"x".repeat(300), "loop", "dangling"];
    let outside =
        ["/dev/null", "/dev/full", "/dev/stdout", "/proc/record", "/proc/version", "/", ""];
    let outside = outside.map(PathBuf::from);
    for path in inside.iter().map(|name| folder.file(name)).chain(outside) {
        for json in [None, Some("--json")] {
            let run = revoke_alice().against(&server).arg("--record").arg(&path).args(json).run();
            run.exits(2);
            let stream = if json.is_some() { &run.stdout } else { &run.stderr };
            run.check(stream.contains("--record"), "naming the option");
        }
        // No question first, be it for the key. That nothing can be made in /proc, only trying tells.
        if path.starts_with("/proc") {
            continue;
        }
        let mut terminal = Terminal::start(alice().towards(&server).arg("--record").arg(&path));
        terminal.expect("--record");
        terminal.finish().exits(2).never_shows("API key").never_shows("[y/N]");
    }
    assert_eq!(folder.names(), names);
    assert_eq!(folder.read("file"), "x");
}

#[test]
fn what_this_user_may_not_write_is_refused() {
    let Some(setpriv) = installed("/usr/bin/setpriv") else { return };
    let (server, folder) = (Ably::unreached(), Folder::new());
    fs::copy(binary(), folder.file("ably")).unwrap();
    fs::copy(server.ca_file(), folder.file("ca.pem")).unwrap();
    folder.write("mine", "");
    fs::set_permissions(folder.file("mine"), fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let user = ["--reuid=61234", "--regid=61234", "--clear-groups"];
    let may = std::process::Command::new("/usr/bin/setpriv").args(user).arg("/bin/true").status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this user may not become another");
        return server.expect_nothing();
    }
    for name in ["mine", "new"] {
        let program = installed("/usr/bin/setpriv").unwrap().args(user).arg(folder.file("ably"));
        let program = program.args(["auth", "revoke-token", "--client-id", "alice", "--force"]);
        let program = program.args(["--endpoint", &server.endpoint()]).keyed();
        let program = program.arg("--ca-file").arg(folder.file("ca.pem"));
        let run = program.arg("--record").arg(folder.file(name)).run();
        run.exits(2).says("--record").says("permission denied");
    }
    drop(setpriv);
    assert_eq!(folder.names(), ["ably", "ca.pem", "mine"]);
}

#[test]
fn no_other_file_of_the_run_is_written_into() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let targets = targets_file(&folder, &users(3));
    let (key, token) = (folder.write("key", KEY), folder.write("token", for_alice()));
    let ca = folder.write("ca.pem", fs::read(server.ca_file()).unwrap());
    symlink("targets.txt", folder.file("link")).unwrap();
    symlink(".", folder.file("here")).unwrap();
    let endpoint = server.endpoint();
    let refused = |program: Program, record: &str, named_by: &str| {
        let program = program.args(["--force", "--endpoint", &endpoint, "--record", record]);
        let run = program.cwd(folder.path()).run();
        run.exits(2).says("--record").says(&format!("is the same file as {named_by}"));
    };
    let with_ca = || command().arg("--ca-file").arg(&ca).keyed();
    for record in ["targets.txt", "./targets.txt", "link", "here/targets.txt"] {
        refused(with_ca().arg("--targets-file").arg(&targets), record, "--targets-file");
    }
    refused(with_ca().arg("--from-token").arg(&token), "token", "--from-token");
    refused(with_ca().args(["--client-id", "a"]), "ca.pem", "--ca-file");
    let by_file = || command().args(["--client-id", "a"]).trusting(&server);
    refused(by_file().arg("--api-key-file").arg(&key), "key", "--api-key-file");
    refused(by_file().env("ABLY_API_KEY_FILE", &key), "key", "ABLY_API_KEY_FILE");
    let configured = by_file().keyed().config("");
    let config = configured.home().file(".ably/config");
    refused(configured, config.to_str().unwrap(), "the Ably CLI's configuration");
    // Neither is there yet.
    for left in ["left.txt", "./left.txt", "here/left.txt"] {
        let program = with_ca().args(["--client-id", "a", "--unrevoked-to", left]);
        refused(program, "left.txt", "--unrevoked-to");
    }
    let program = in_shell(r#"exec "$@" < targets.txt"#).args(["--record", "targets.txt"]);
    let run = program.cwd(folder.path()).against(&server).run();
    run.exits(2).says("is the same file as --targets-file");
    assert_eq!(folder.names(), ["ca.pem", "here", "key", "link", "targets.txt", "token"]);
    assert_eq!(folder.read("key"), KEY);
}

#[test]
fn it_is_no_stream_at_the_same_time() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let file = folder.file("o");
    let program = || revoke_alice().against(&server).arg("--record").arg(&file);
    program().arg("--json").stdout_to(&file).run().exits(2);
    assert!(folder.read("o").contains("standard output"), "{}", folder.read("o"));
    program().stderr_to(&file).run().exits(2);
    assert!(folder.read("o").contains("standard error"), "{}", folder.read("o"));
}

#[test]
fn a_disk_that_is_full_at_the_start_sends_nothing() {
    let Some(disk) = SmallDisk::mount() else { return };
    disk.fill();
    let server = Ably::unreached();
    let run = revoke_alice().against(&server).recording(&disk.folder).run();
    run.exits(2).says("--record").says("no space left on device");
    let run = revoke_alice().against(&server).recording(&disk.folder).arg("--json").run();
    run.exits(2);
    assert_eq!(text(&run.record("error"), "outcome"), NOT_SENT);
    assert!(whole(&disk.folder.file(RECORD)).is_empty());
}

/// Told once, the run goes on, and of its codes only 0 changes.
#[test]
fn a_disk_that_gets_full_is_told_once_and_makes_a_0_a_6() {
    let Some(disk) = SmallDisk::mount() else { return };
    for (refused, json, code) in
        [(false, false, 6), (false, true, 6), (true, false, 3), (true, true, 3)]
    {
        let (server, folder) = (holding(1), Folder::new());
        if refused {
            server.refuse("clientId:user3", 40121, 400, "no");
        }
        let file = targets_file(&folder, &users(450));
        let program = from_file(&server, &file).recording(&disk.folder);
        let running = program.args(json.then_some("--json")).spawn();
        server.wait_for_requests(2);
        let filler = disk.fill();
        server.release();
        let run = running.wait();
        run.exits(code).never_says("hint:");
        let told = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(told.matches("the record is incomplete").count(), 1, "{run}");
        assert_eq!(received(&server), users(450), "the run goes on");
        if json {
            assert_eq!(number(&run.record("status"), "exitCode"), code as u64);
        } else {
            run.says("no space left on device").prints_nothing();
        }
        let records = whole(&disk.folder.file(RECORD));
        assert_eq!(kinds(&records), ["run", "result"], "what was there before, and no half line");
        fs::remove_file(filler).unwrap();
        fs::remove_file(disk.folder.file(RECORD)).unwrap();
    }
}

/// The same without a disk of its own: a limit on the size of files.
#[test]
fn a_file_that_cannot_grow_keeps_whole_lines() {
    let (server, folder) = (Ably::start(), Folder::new());
    targets_file(&folder, &users(450));
    let program = in_shell(r#"ulimit -f 40; exec "$@" < targets.txt"#).cwd(folder.path());
    let run = program.against(&server).recording(&folder).run();
    run.exits(6).says("the record is incomplete").says("450 revoked").never_says("hint:");
    let records = whole(&folder.file(RECORD));
    assert!(records.len() > 1 && kinds(&records).last() == Some(&"result"), "{run}");
    // Of a run that ends otherwise the code stays.
    let line = format!("ulimit -f {}; exec \"$@\" < targets.txt", 20);
    let declined = Program::at("/bin/sh").args(["-c", &line, "sh"]).wrapping(command());
    let declined = declined.args(["--targets-file", "targets.txt"]).cwd(folder.path());
    declined.against(&server).recording(&folder).run().exits(2).says("file too large");
}

#[test]
fn two_runs_at_once_keep_each_record_whole() {
    // None goes on before all have begun.
    let first = |seen: &Seen| seen.targets().first().is_some_and(|target| target.ends_with("#0"));
    let server = Ably::deciding(move |seen| match first(seen) {
        true => Answer::Faithful.held(),
        false => Answer::Faithful,
    });
    let folder = Folder::new();
    let programs = ["a", "b", "c"].map(|name| {
        let targets: Vec<String> = (0..2000).map(|n| format!("clientId:{name}#{n}")).collect();
        let file = folder.write(&format!("{name}.txt"), targets.join("\n"));
        from_file(&server, &file).args(["--reason", name]).recording(&folder)
    });
    let running = programs.map(Program::spawn);
    server.wait_for_requests(3);
    server.release();
    running.into_iter().for_each(|running| {
        running.wait().exits(0);
    });
    let records = whole(&folder.file(RECORD));
    let order: Vec<&str> = records.iter().map(|record| text(record, "run")).collect();
    let turns = order.windows(2).filter(|two| two[0] != two[1]).count();
    assert!(turns > 3, "they should have met");
    let runs = by_run(whole(&folder.file(RECORD)));
    let reasons: BTreeSet<&str> = runs.values().map(|run| text(&run[0], "reason")).collect();
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    for run in runs.values() {
        let told = told_revoked(run);
        assert_eq!(told.len(), 2000);
        assert!(told.iter().all(|target| target[9..].starts_with(text(&run[0], "reason"))));
        assert_eq!(kinds(run).last(), Some(&"status"));
    }
}

/// A lock that somebody else holds.
fn locked(folder: &Folder) -> File {
    let file = File::options().append(true).create(true).open(folder.file(RECORD)).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn a_lock_is_waited_for_but_not_for_ever() {
    let (server, folder) = (Ably::start(), Folder::new());
    let lock = locked(&folder);
    let running = revoke_alice().against(&server).recording(&folder).spawn();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(server.request_count(), 0);
    drop(lock);
    running.wait().exits(0);
    let server = Ably::unreached();
    let _lock = locked(&folder);
    let run = revoke_alice().against(&server).recording(&folder).run();
    run.exits(2).says("--record").says("another program holds its lock");
}

#[test]
fn a_signal_ends_the_wait_for_a_lock() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let lock = locked(&folder);
    let running = revoke_alice().against(&server).recording(&folder).spawn();
    thread::sleep(Duration::from_millis(500));
    ends_soon(running, "INT").dies_of(2);
    drop(lock);
    // In the middle of a run, too.
    let kept = Folder::new();
    let (_server, folder, running) = under_way(|program| program.recording(&kept));
    let _lock = locked(&kept);
    let run = ends_soon(running, "TERM");
    run.dies_of(15).says("the record is incomplete").says("another program holds its lock");
    assert_eq!(left_targets(&folder.file(LEFT)), users(450)[200..]);
}
