//! Runs with many targets: what is given, what is told, what is left over, and what was received.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use miniserde::json::Value;

use super::*;

pub const BATCH: usize = 100;

/// The left-over file in a test's folder.
pub const LEFT: &str = "left.txt";

/// Within what time a signal ends a run: a second, and what a busy machine needs besides.
pub const SOON: Duration = Duration::from_secs(1 + 2);

/// Ably's clock in answers that are made here.
pub const NOW: u64 = 1_795_428_000_000;

/// `clientId:user0` and so on.
pub fn users(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("clientId:user{n}")).collect()
}

pub fn targets_file(folder: &Folder, targets: &[String]) -> PathBuf {
    folder.write("targets.txt", targets.join("\n") + "\n")
}

/// The tool with a targets file, against a stand-in.
pub fn from_file(server: &Ably, file: &Path) -> Program {
    forced().arg("--targets-file").arg(file).against(server)
}

/// The tool with `users(count)` and a left-over file in this folder.
pub fn keeping(server: &Ably, folder: &Folder, count: usize) -> Program {
    let program = from_file(server, &targets_file(folder, &users(count)));
    program.arg("--unrevoked-to").arg(folder.file(LEFT))
}

/// The tool with targets from standard input, as the `"$@"` of a line of shell.
pub fn in_shell(line: &str) -> Program {
    Program::at("/bin/sh").args(["-c", line, "sh"]).wrapping(forced()).args(["--targets-file", "-"])
}

/// Everything that a stand-in was asked to revoke, in order.
pub fn received(server: &Ably) -> Vec<String> {
    let requests = server.revocation_requests();
    requests.iter().flat_map(Seen::targets).collect()
}

/// Everything that a stand-in did revoke, in order.
pub fn revoked(server: &Ably) -> Vec<String> {
    let all = server.revoked();
    all.into_iter().map(|one| one.target).collect()
}

/// Whether a request is the batch that begins with this target of `users`.
pub fn begins(seen: &Seen, number: usize) -> bool {
    seen.targets().first() == Some(&format!("clientId:user{number}"))
}

/// How many targets were revoked, refused, are unknown and were not sent.
pub type Tally = [usize; 4];

/// Where a word stands in a tally.
fn slot(word: &str) -> usize {
    let words = [REVOKED, REFUSED, UNKNOWN, NOT_SENT];
    let slot = words.iter().position(|known| *known == word.replace(' ', "-"));
    slot.unwrap_or_else(|| panic!("what is {word:?}?"))
}

pub fn tally<'a>(words: impl IntoIterator<Item = &'a str>) -> Tally {
    words.into_iter().fold([0; 4], |mut tally, word| {
        tally[slot(word)] += 1;
        tally
    })
}

/// What the text for people tells, and of how many requests:
/// `250 targets: 150 revoked, 100 unknown, in 3 requests`.
pub fn told(run: &Run) -> (Tally, usize) {
    let mut lines = run.stderr.lines();
    let line = lines.find(|line| line.contains(" targets: ") && line.contains(", in "));
    let line = line.unwrap_or_else(|| panic!("no accounts\n{run}"));
    let (total, rest) = line.split_once(" targets: ").unwrap();
    let (counts, requests) = rest.rsplit_once(", in ").unwrap();
    let mut tally = [0; 4];
    for part in counts.split(", ") {
        let (count, word) = part.split_once(' ').unwrap();
        tally[slot(word)] = count.parse().unwrap();
    }
    run.check(total.parse() == Ok(tally.iter().sum::<usize>()), "the counts add up");
    let requests = requests.split(' ').next().unwrap();
    (tally, requests.parse().unwrap())
}

/// What the JSON records tell of each target. Each stands in one record alone, and the status
/// comes last.
pub fn outcomes(run: &Run) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let records = run.json();
    for record in &records {
        assert_eq!(text(record, "command"), "auth:revoke-token");
        let mut enter = |target: &str, word: &str| {
            let first = all.insert(target.to_owned(), word.to_owned()).is_none();
            run.check(first, &format!("{target} should be told once"));
        };
        match text(record, "type") {
            "result" => {
                let response = get(record, "revocation.response");
                let results = list(response, "results");
                for result in &results {
                    let confirmed = has(result, "issuedBefore") && has(result, "appliesAt");
                    run.check(confirmed != has(result, "error"), "it should be one or the other");
                    enter(text(result, "target"), if confirmed { REVOKED } else { REFUSED });
                }
                let refused = results.iter().filter(|result| has(result, "error")).count();
                let counts = ["successCount", "failureCount"].map(|one| number(response, one));
                assert_eq!(counts, [results.len() - refused, refused].map(|n| n as u64), "{run}");
            }
            "error" => {
                run.check(!flag(record, "success"), "an error is no success");
                run.check(!text(record, "error.message").is_empty(), "an error needs words");
                for target in list(record, "error.targets") {
                    let Value::String(target) = target else { panic!("no string\n{run}") };
                    enter(target, text(record, "error.outcome"));
                }
            }
            "log" | "status" => {}
            other => panic!("a record of type {other}\n{run}"),
        }
    }
    run.check(text(records.last().unwrap(), "type") == "status", "the status should come last");
    all
}

/// How many targets met which end by the JSON records, and which they call revoked.
pub fn recorded(run: &Run) -> (Tally, HashSet<String>) {
    let all = outcomes(run);
    let tally = tally(all.values().map(String::as_str));
    let confirmed = all.into_iter().filter(|(_, word)| word == REVOKED);
    (tally, confirmed.map(|(target, _)| target).collect())
}

/// A left-over file: each target with the reason above it.
pub fn left_over(path: &Path) -> Vec<(String, String)> {
    let content = fs::read_to_string(path).unwrap();
    assert!(content.is_empty() || content.ends_with('\n'), "{content:?}");
    let lines: Vec<&str> = content.lines().collect();
    let pairs = lines.chunks(2).map(|pair| {
        let reason = pair[0].strip_prefix("# ");
        let reason = reason.unwrap_or_else(|| panic!("no reason: {pair:?}"));
        (reason.to_owned(), pair[1].to_owned())
    });
    pairs.collect()
}

/// The targets of a left-over file.
pub fn left_targets(path: &Path) -> Vec<String> {
    let pairs = left_over(path).into_iter();
    pairs.map(|(_, target)| target).collect()
}

/// Whether nothing is in the folder but what a test put there and the left-over file.
pub fn is_tidy(folder: &Folder) -> bool {
    let mut names = folder.names().into_iter();
    names.all(|name| name == "targets.txt" || name == LEFT)
}

/// Runs a case for people and for scripts, each against a stand-in of its own, and compares all
/// that is told of it with these ends (revoked, refused, unknown, not sent) of as many `users`.
#[track_caller]
pub fn ends(server: &dyn Fn() -> Ably, options: &[&str], expected: Tally, code: i32) {
    agrees(server, options, expected.iter().sum(), |run, found| {
        assert_eq!(found, expected, "{run}");
        run.exits(code);
    });
}

/// The same with so many `users`, whatever their ends are: all that is told agrees, and nothing is
/// called revoked that is not.
#[track_caller]
pub fn agrees(
    server: &dyn Fn() -> Ably,
    options: &[&str],
    count: usize,
    check: impl Fn(&Run, Tally),
) {
    let targets = users(count);
    for json in [false, true] {
        let (server, folder) = (server(), Folder::new());
        let program = keeping(&server, &folder, targets.len()).args(options);
        let run = program.args(json.then_some("--json")).run();
        run.hides_the_key();
        let pairs = left_over(&folder.file(LEFT));
        let reasons = pairs.iter().map(|(reason, _)| reason.split_once(": ").unwrap());
        run.check(reasons.clone().all(|(_, why)| !why.is_empty()), "a reason");
        let mut left = tally(reasons.map(|(word, _)| word));
        left[0] = targets.len() - pairs.len();
        let [revoked_ones, _, unknown, _] = left;
        let code = match (revoked_ones == targets.len(), revoked_ones, unknown) {
            (true, ..) => 0,
            (_, 1.., _) => 3,
            (_, _, 1..) => 5,
            _ => 1,
        };
        check(run.exits(code), left);
        let left_tally = left;
        let left: HashSet<String> = pairs.into_iter().map(|(_, target)| target).collect();
        if json {
            let (told, confirmed) = recorded(&run);
            assert_eq!(told, left_tally, "in the records\n{run}");
            run.check(confirmed.is_disjoint(&left), "nothing left over is revoked");
            assert_eq!(number(&run.record("status"), "exitCode"), code as u64);
        } else {
            assert_eq!(told(&run).0, left_tally, "{run}");
            run.prints_nothing();
        }
        let done: HashSet<String> = revoked(&server).into_iter().collect();
        for target in targets.iter().filter(|target| !left.contains(*target)) {
            run.check(done.contains(target), &format!("{target} is revoked"));
        }
        assert!(is_tidy(&folder), "{:?}", folder.names());
    }
}

/// Stand-ins that give the second batch of `users` this answer, at each try.
pub fn second(answer: Answer) -> impl Fn() -> Ably {
    move || {
        let answer = answer.clone();
        Ably::deciding(move |seen| match begins(seen, BATCH) {
            true => answer.clone(),
            false => Answer::Faithful,
        })
    }
}

/// Stand-ins that give the second batch of `users` this answer once.
pub fn second_once(answer: Answer) -> impl Fn() -> Ably {
    move || {
        let (answer, tries) = (answer.clone(), AtomicUsize::new(0));
        Ably::deciding(move |seen| {
            match begins(seen, BATCH) && tries.fetch_add(1, Ordering::SeqCst) == 0 {
                true => answer.clone(),
                false => Answer::Faithful,
            }
        })
    }
}

/// A stand-in that does what the batch with this number, from 0, asks for, but holds the answer.
pub fn holding(batch: usize) -> Ably {
    Ably::deciding(move |seen| match begins(seen, batch * BATCH) {
        true => Answer::Faithful.held(),
        false => Answer::Faithful,
    })
}

/// A run of `users(450)` whose third request is under way, with a left-over file.
pub fn under_way(prepare: impl FnOnce(Program) -> Program) -> (Ably, Folder, Running) {
    let (server, folder) = (holding(2), Folder::new());
    let running = prepare(keeping(&server, &folder, 450)).spawn();
    server.wait_for_requests(3);
    (server, folder, running)
}

/// Sends a signal, which has to end the run soon.
#[track_caller]
pub fn ends_soon(running: Running, signal: &str) -> Run {
    let start = Instant::now();
    running.signal(signal);
    let run = running.wait();
    assert!(start.elapsed() < SOON, "{:?}\n{run}", start.elapsed());
    run
}

/// A pipe that is full and that nobody reads: the program stands still at its first word.
pub struct FullPipe {
    pub folder: Folder,
    pub _both_ends: fs::File,
}

impl FullPipe {
    pub fn new() -> FullPipe {
        let folder = Folder::new();
        let path = folder.file("full");
        make_fifo(&path);
        let mut both_ends = fs::File::options().read(true).write(true).open(path).unwrap();
        both_ends.write_all(&[b'.'; 64 * 1024]).unwrap();
        FullPipe { folder, _both_ends: both_ends }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.file("full")
    }
}

/// A file system of 64 KiB, unmounted on drop.
pub struct SmallDisk {
    pub folder: Folder,
}

impl SmallDisk {
    /// `None` where this user may not mount one.
    pub fn mount() -> Option<SmallDisk> {
        let folder = Folder::new();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(folder.path());
        let mounted = mount.output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: this user may not mount a file system");
            return None;
        }
        Some(SmallDisk { folder })
    }

    /// Leaves no room: this file takes it.
    pub fn fill(&self) -> PathBuf {
        let filler = self.folder.file("filler");
        // More than there is room for.
        assert!(fs::write(&filler, vec![b'.'; 128 * 1024]).is_err());
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

pub fn make_fifo(path: &Path) {
    let made = Command::new("/usr/bin/mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

/// What a terminal shows in the end: lines written over, and cleared.
pub fn rendered(screen: &str) -> String {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let mut column = 0;
    let mut rest = screen.chars().peekable();
    while let Some(c) = rest.next() {
        let line = lines.last_mut().unwrap();
        match c {
            '\r' => column = 0,
            '\n' => {
                lines.push(Vec::new());
                column = 0;
            }
            '\u{1b}' => {
                let part = |c: &char| !c.is_ascii_alphabetic();
                while rest.next_if(part).is_some() {}
                match rest.next() {
                    Some('K') => line.truncate(column),
                    Some('m') => {}
                    other => panic!("an escape {other:?} in {screen:?}"),
                }
            }
            c => {
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    let lines = lines.iter().map(|line| line.iter().collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}
