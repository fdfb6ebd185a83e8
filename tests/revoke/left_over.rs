//! The left-over file.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::*;

#[test]
fn a_left_over_file_is_fed_back_until_nothing_is_left() {
    let folder = Folder::new();
    let targets = users(650);
    let mut input = targets_file(&folder, &targets);
    // Which batch meets what.
    let rounds: [(usize, Answer, i32); 4] = [
        (2, Answer::error(401, 40101, "no"), 3),
        (1, Answer::Reset, 3),
        (0, Answer::plain(201, "{}"), 5),
        (0, Answer::Faithful, 0),
    ];
    let mut done: HashSet<String> = HashSet::new();
    for (round, (at, answer, code)) in rounds.into_iter().enumerate() {
        let batches: Mutex<Vec<Vec<String>>> = Mutex::default();
        let server = Ably::deciding(move |seen| {
            let mut batches = batches.lock().unwrap();
            // Several tries at one batch count once.
            if batches.last() != Some(&seen.targets()) {
                batches.push(seen.targets());
            }
            if batches.len() == at + 1 { answer.clone() } else { Answer::Faithful }
        });
        if round == 0 {
            server.refuse("clientId:user3", 40121, 400, "no");
        }
        let output = folder.file(&format!("left{round}.txt"));
        let program = from_file(&server, &input).arg("--unrevoked-to").arg(&output);
        let run = program.run();
        run.exits(code);
        done.extend(revoked(&server));
        let left: HashSet<String> = left_targets(&output).into_iter().collect();
        let mut all = targets.iter();
        let kept = all.all(|target| left.contains(target) || done.contains(target));
        run.check(kept, "no target is lost");
        assert_eq!(left.is_empty(), code == 0, "{run}");
        input = output;
    }
    assert_eq!(done, targets.into_iter().collect());
    assert_eq!(fs::read(input).unwrap(), b"");
}

#[test]
fn reasons_from_ably_cannot_break_the_format() {
    let (server, folder) = (Ably::start(), Folder::new());
    let message = "no\nclientId:evil\r\n\u{1b}[2J\u{202e}\u{2028}clientId:evil2";
    server.refuse("clientId:user1", 40121, 400, message);
    keeping(&server, &folder, 3).run().exits(3);
    assert_eq!(left_targets(&folder.file(LEFT)), ["clientId:user1"]);
    let content = folder.read(LEFT);
    let harmless = content.chars().all(|c| c == '\n' || !c.is_control());
    assert!(harmless, "{content:?}");
    assert!(content.starts_with("# refused: "), "one key needs no name: {content:?}");
}

#[test]
fn the_secret_is_in_no_left_over_file() {
    let (server, folder) = (Ably::deciding(|_| Answer::EchoAuthorization), Folder::new());
    keeping(&server, &folder, 250).run().exits(1).hides_the_key();
    let content = folder.read(LEFT);
    assert!(!content.contains(SECRET), "{content}");
}

#[test]
fn targets_from_options_are_left_over_too() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.refuse("channel:b", 40121, 400, "no");
    let run = |options: [&str; 4]| {
        let program = forced().args(options).args(["--unrevoked-to", LEFT]).cwd(folder.path());
        program.against(&server).run()
    };
    run(["--channel", "a", "--channel", "b"]).exits(3);
    assert_eq!(left_targets(&folder.file(LEFT)), ["channel:b"]);
    for id in ["a\nclientId:b", "a\rb", "a\u{2028}b"] {
        let broken = run(["--client-id", id, "--client-id", "c"]);
        broken.exits(2).says("--unrevoked-to").says("line break");
    }
    assert_eq!(received(&server), ["channel:a", "channel:b"]);
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let file = targets_file(&folder, &users(3));
    fs::create_dir(folder.file("folder")).unwrap();
    folder.write("file", "x");
    symlink("loop", folder.file("loop")).unwrap();
    symlink("nowhere", folder.file("dangling")).unwrap();
    make_fifo(&folder.file("fifo"));
    let names = folder.names();
    #[rustfmt::skip]
    let inside = ["folder", "folder/..", "missing/left.txt", "file/left.txt", "fifo", &"x".repeat(300), "loop", "dangling"];
    let outside = ["/dev/null", "/proc/left.txt", "/", ""].map(PathBuf::from);
    for path in inside.iter().map(|name| folder.file(name)).chain(outside) {
        for json in [false, true] {
            let program = from_file(&server, &file).arg("--unrevoked-to").arg(&path);
            let run = program.args(json.then_some("--json")).run();
            run.exits(2);
            let stream = if json { &run.stdout } else { &run.stderr };
            run.check(stream.contains("--unrevoked-to"), "naming the option");
        }
    }
    assert_eq!(folder.names(), names);
}

#[test]
fn the_targets_file_itself_is_refused_by_whatever_name() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let file = targets_file(&folder, &users(3));
    let before = fs::read(&file).unwrap();
    fs::create_dir(folder.file("folder")).unwrap();
    symlink("targets.txt", folder.file("symlink")).unwrap();
    symlink("symlink", folder.file("symlink2")).unwrap();
    symlink(".", folder.file("here")).unwrap();
    fs::hard_link(&file, folder.file("hardlink")).unwrap();
    #[rustfmt::skip]
    let paths = ["targets.txt", "./targets.txt", "folder/../targets.txt", "here/targets.txt", "symlink", "symlink2", "hardlink"];
    for path in paths {
        let tool = forced().cwd(folder.path()).against(&server);
        let run = tool.args(["--targets-file", path, "--unrevoked-to", "targets.txt"]).run();
        run.exits(2).says("is the same file as --targets-file");
        let absolute = folder.file(path);
        let run = from_file(&server, &file).arg("--unrevoked-to").arg(absolute).run();
        run.exits(2).says("is the same file as --targets-file");
        // As the shell opens it.
        let program = in_shell(r#"exec "$@" < targets.txt"#).args(["--unrevoked-to", path]);
        let run = program.cwd(folder.path()).against(&server).run();
        run.exits(2).says("is the same file as --targets-file");
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

/// A list of targets would take the key's place.
#[test]
fn the_file_of_the_key_is_not_written_over() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let file = targets_file(&folder, &users(3));
    let key = folder.write("key", KEY);
    let program = || {
        let program = forced().arg("--targets-file").arg(&file);
        program.arg("--unrevoked-to").arg(&key).towards(&server)
    };
    program().arg("--api-key-file").arg(&key).run().exits(2).says("--unrevoked-to");
    program().env("ABLY_API_KEY_FILE", &key).run().exits(2).says("--unrevoked-to");
    assert_eq!(fs::read_to_string(&key).unwrap(), KEY);
}

#[test]
fn a_link_as_the_options_file_stays_one() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.refuse("clientId:user1", 40121, 400, "no");
    let there = folder.write("elsewhere/there.txt", "old\n");
    symlink("elsewhere/there.txt", folder.file(LEFT)).unwrap();
    let run = keeping(&server, &folder, 3).run();
    run.exits(3);
    run.check(folder.file(LEFT).is_symlink(), "it is still a link");
    assert_eq!(left_targets(&there), ["clientId:user1"]);
    let beside = fs::read_dir(folder.file("elsewhere")).unwrap();
    assert_eq!(beside.count(), 1, "nothing is left beside it");
}

/// Client IDs may be people's names: what was closed to others stays so.
#[test]
fn an_older_left_over_file_is_replaced_and_keeps_its_mode() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.refuse("clientId:user1", 40121, 400, "no");
    let left = folder.write(LEFT, "# old\nclientId:old\n".repeat(1000));
    fs::set_permissions(&left, fs::Permissions::from_mode(0o600)).unwrap();
    keeping(&server, &folder, 3).run().exits(3);
    assert_eq!(left_targets(&left), ["clientId:user1"]);
    assert_eq!(fs::metadata(&left).unwrap().mode() & 0o777, 0o600);
}

/// A file that happens to be named like one of its own, and the longest name there is.
#[test]
fn the_left_over_file_harms_no_other_and_may_have_any_name() {
    let (server, folder) = (Ably::start(), Folder::new());
    targets_file(&folder, &users(3));
    let long = "l".repeat(255);
    for name in [LEFT, &long] {
        let line = format!(r#"echo mine > .{LEFT}.$$; echo $$ > pid; exec "$@" < targets.txt"#);
        let program = in_shell(&line).args(["--unrevoked-to", name]).cwd(folder.path());
        program.against(&server).run().exits(0);
        let others = format!(".{LEFT}.{}", folder.read("pid").trim());
        assert_eq!(folder.read(&others), "mine\n");
        fs::remove_file(folder.file(&others)).unwrap();
    }
    assert_eq!(folder.names(), [LEFT, &long, "pid", "targets.txt"]);
}

/// A run with its left-over file on such a disk.
fn on(disk: &SmallDisk, server: &Ably, file: &Path, json: bool) -> Program {
    let program = from_file(server, file).arg("--unrevoked-to").arg(disk.folder.file(LEFT));
    program.args(json.then_some("--json"))
}

#[test]
fn a_disk_that_is_full_at_the_start_sends_nothing() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (server, folder) = (Ably::unreached(), Folder::new());
    let file = targets_file(&folder, &users(3000));
    let run = on(&disk, &server, &file, false).run();
    run.exits(2).says("--unrevoked-to").says("no space left on device");
    let run = on(&disk, &server, &file, true).run();
    run.exits(2);
    assert_eq!(text(&run.record("error"), "outcome"), "not-sent");
    assert_eq!(disk.folder.names(), Vec::<String>::new());
}

#[test]
fn a_disk_that_gets_full_keeps_the_file_with_all_targets() {
    let Some(disk) = SmallDisk::mount() else { return };
    for json in [false, true] {
        let (server, folder) = (holding(1), Folder::new());
        server.refuse("clientId:user3", 40121, 400, "no");
        let file = targets_file(&folder, &users(250));
        let running = on(&disk, &server, &file, json).spawn();
        server.wait_for_requests(2);
        let filler = disk.fill();
        server.release();
        let run = running.wait();
        run.exits(3);
        let stream = if json { &run.stdout } else { &run.stderr };
        run.check(stream.contains("--unrevoked-to"), "naming the option");
        assert_eq!(left_targets(&disk.folder.file(LEFT)), users(250));
        assert_eq!(disk.folder.names(), ["filler", LEFT]);
        if json {
            assert_eq!(number(&run.record("status"), "exitCode"), 3);
        } else {
            assert_eq!(told(&run).0, [249, 1, 0, 0]);
        }
        fs::remove_file(filler).unwrap();
    }
}

/// The same without a disk of its own: a limit on the size of files.
#[test]
fn a_file_that_cannot_grow_keeps_the_one_with_all_targets() {
    let (server, folder) = (Ably::start(), Folder::new());
    for target in users(250) {
        server.refuse(&target, 40121, 400, &"long ".repeat(50));
    }
    targets_file(&folder, &users(250));
    let program = in_shell(r#"ulimit -f 40; exec "$@" < targets.txt"#);
    let run = program.args(["--unrevoked-to", LEFT]).cwd(folder.path()).against(&server).run();
    run.exits(1).says("--unrevoked-to").says("those that were revoked too");
    assert_eq!(left_targets(&folder.file(LEFT)), users(250));
    assert!(is_tidy(&folder), "{:?}", folder.names());
}

/// It still lists them all, though all were revoked.
#[test]
fn a_file_that_cannot_be_replaced_is_told_of() {
    let (server, folder) = (holding(1), Folder::new());
    let running = keeping(&server, &folder, 250).spawn();
    server.wait_for_requests(2);
    let (left, kept) = (folder.file(LEFT), folder.file("kept"));
    fs::rename(&left, &kept).unwrap();
    fs::create_dir(&left).unwrap();
    server.release();
    let run = running.wait();
    run.says("--unrevoked-to").says("250 revoked");
    assert_eq!(left_targets(&kept), users(250));
    assert_eq!(folder.names(), ["kept", LEFT, "targets.txt"]);
}
