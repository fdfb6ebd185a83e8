//! Many targets: batches, what stops a run and what does not, signals in the middle, the left-over
//! file. Whatever breaks, the accounts add up, and three witnesses agree: what the program tells,
//! the left-over file, and what the stand-in received.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use miniserde::json::Value;

use crate::support::{
    Ably, Answer, Certificate, Door, Folder, KEY, Program, Run, Running, SECRET, Seen, Terminal,
    ably, batch_result, flag, get, has, list, number, parse, quote, text,
};

const REVOKE: [&str; 3] = ["auth", "revoke-token", "--force"];
const BATCH: usize = 100;
/// The left-over file in a test's folder.
const LEFT: &str = "left.txt";
/// Within what time a signal ends a run: a second, and what a busy machine needs besides.
const SOON: Duration = Duration::from_secs(1 + 2);
/// Ably's clock in answers that are made here.
const NOW: u64 = 1_795_428_000_000;

/// `clientId:user0` and so on.
fn users(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("clientId:user{n}")).collect()
}

fn targets_file(folder: &Folder, targets: &[String]) -> PathBuf {
    folder.write("targets.txt", targets.join("\n") + "\n")
}

/// The tool with a targets file, against a stand-in.
fn revoke(server: &Ably, file: &Path) -> Program {
    ably(REVOKE).arg("--targets-file").arg(file).against(server)
}

/// The tool with `users(count)` and a left-over file in this folder.
fn keeping(server: &Ably, folder: &Folder, count: usize) -> Program {
    let program = revoke(server, &targets_file(folder, &users(count)));
    program.arg("--unrevoked-to").arg(folder.file(LEFT))
}

/// The tool with targets from standard input, as the `"$@"` of a line of shell.
fn in_shell(line: &str) -> Program {
    let binary = std::env::var_os("ABLY_BIN").unwrap_or(env!("CARGO_BIN_EXE_ably").into());
    Program::at("/bin/sh")
        .args(["-c", line, "sh"])
        .arg(std::path::absolute(PathBuf::from(binary)).unwrap())
        .args(REVOKE)
        .args(["--targets-file", "-"])
}

/// Everything that a stand-in was asked to revoke, in order.
fn received(server: &Ably) -> Vec<String> {
    let requests = server.revocation_requests();
    requests.iter().flat_map(Seen::targets).collect()
}

/// Everything that a stand-in did revoke, in order.
fn revoked(server: &Ably) -> Vec<String> {
    let all = server.revoked();
    all.into_iter().map(|one| one.target).collect()
}

/// Whether a request is the batch that begins with this target of `users`.
fn begins(seen: &Seen, number: usize) -> bool {
    seen.targets().first() == Some(&format!("clientId:user{number}"))
}

/// How many targets met which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    revoked: usize,
    refused: usize,
    unknown: usize,
    not_sent: usize,
}

impl Tally {
    fn of([revoked, refused, unknown, not_sent]: [usize; 4]) -> Tally {
        Tally { revoked, refused, unknown, not_sent }
    }

    fn total(self) -> usize {
        self.revoked + self.refused + self.unknown + self.not_sent
    }

    fn count(&mut self, word: &str, how_many: usize) {
        *match word {
            "revoked" => &mut self.revoked,
            "refused" => &mut self.refused,
            "unknown" => &mut self.unknown,
            "not sent" | "not-sent" => &mut self.not_sent,
            other => panic!("what is {other:?}?"),
        } += how_many;
    }
}

/// What the text for people tells, and of how many requests:
/// `250 targets: 150 revoked, 100 unknown, in 3 requests`.
fn told(run: &Run) -> (Tally, usize) {
    let mut lines = run.stderr.lines();
    let line = lines.find(|line| line.contains(" targets: ") && line.contains(", in "));
    let line = line.unwrap_or_else(|| panic!("no accounts\n{run}"));
    let (total, rest) = line.split_once(" targets: ").unwrap();
    let (counts, requests) = rest.rsplit_once(", in ").unwrap();
    let mut tally = Tally::default();
    for part in counts.split(", ") {
        let (count, word) = part.split_once(' ').unwrap();
        tally.count(word, count.parse().unwrap());
    }
    run.check(total.parse() == Ok(tally.total()), "the accounts add up");
    let requests = requests.split(' ').next().unwrap();
    (tally, requests.parse().unwrap())
}

/// What the JSON records tell, and which targets they call revoked. Each target stands in one
/// record alone, and the status comes last.
fn recorded(run: &Run) -> (Tally, HashSet<String>) {
    let (mut tally, mut confirmed, mut all) = (Tally::default(), HashSet::new(), HashSet::new());
    let records = run.json();
    for record in &records {
        let mut enter = |target: &str, word: &str| {
            tally.count(word, 1);
            run.check(all.insert(target.to_owned()), &format!("{target} once"));
            if word == "revoked" {
                confirmed.insert(target.to_owned());
            }
        };
        match text(record, "type") {
            "result" => {
                let response = get(record, "revocation.response");
                let (mut good, mut bad) = (0, 0);
                for result in list(response, "results") {
                    let failed = has(result, "error");
                    *if failed { &mut bad } else { &mut good } += 1;
                    let word = if failed { "refused" } else { "revoked" };
                    enter(text(result, "target"), word);
                }
                assert_eq!(number(response, "successCount"), good, "{run}");
                assert_eq!(number(response, "failureCount"), bad, "{run}");
            }
            "error" => {
                assert!(!flag(record, "success"));
                for target in list(record, "targets") {
                    match target {
                        Value::String(target) => enter(target, text(record, "outcome")),
                        _ => panic!("a target that is no string\n{run}"),
                    }
                }
            }
            "status" => {}
            other => panic!("a record of type {other}\n{run}"),
        }
    }
    let last = records.last().unwrap();
    assert_eq!(text(last, "type"), "status", "it comes last\n{run}");
    (tally, confirmed)
}

/// A left-over file: each target with the reason above it.
fn left_over(path: &Path) -> Vec<(String, String)> {
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
fn left_targets(path: &Path) -> Vec<String> {
    let pairs = left_over(path).into_iter();
    pairs.map(|(_, target)| target).collect()
}

/// Whether nothing is in the folder but what a test put there and the left-over file.
fn is_tidy(folder: &Folder) -> bool {
    let mut names = folder.names().into_iter();
    names.all(|name| name == "targets.txt" || name == LEFT)
}

/// Runs a case for people and for scripts, each against a stand-in of its own, and compares all
/// that is told of it with these ends (revoked, refused, unknown, not sent) of as many `users`.
#[track_caller]
fn ends(server: impl Fn() -> Ably, options: &[&str], ends: [usize; 4], code: i32) {
    let expected = Tally::of(ends);
    let targets = users(expected.total());
    for json in [false, true] {
        let (server, folder) = (server(), Folder::new());
        let run = keeping(&server, &folder, targets.len())
            .args(options)
            .args(json.then_some("--json"))
            .run();
        run.exits(code).hides_the_key();
        let pairs = left_over(&folder.file(LEFT));
        let mut left = Tally::default();
        for (reason, _) in &pairs {
            let (word, why) = reason.split_once(": ").unwrap();
            left.count(word, 1);
            run.check(!why.is_empty(), "a reason");
        }
        left.revoked = targets.len() - pairs.len();
        assert_eq!(left, expected, "in the left-over file\n{run}");
        let left: HashSet<String> = pairs.into_iter().map(|(_, target)| target).collect();
        if json {
            let (tally, confirmed) = recorded(&run);
            assert_eq!(tally, expected, "in the records\n{run}");
            run.check(confirmed.is_disjoint(&left), "nothing left over is revoked");
            assert_eq!(number(&run.record("status"), "exitCode"), code as u64);
        } else {
            assert_eq!(told(&run).0, expected, "{run}");
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
fn second(answer: Answer) -> impl Fn() -> Ably {
    move || {
        let answer = answer.clone();
        Ably::deciding(move |seen| match begins(seen, BATCH) {
            true => answer.clone(),
            false => Answer::Faithful,
        })
    }
}

/// Stand-ins that give the second batch of `users` this answer once.
fn second_once(answer: Answer) -> impl Fn() -> Ably {
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

// Order and batches.

#[test]
fn ten_thousand_targets_take_a_hundred_requests_over_one_connection() {
    let (server, folder) = (Ably::start(), Folder::new());
    let targets = users(10_000);
    let run = revoke(&server, &targets_file(&folder, &targets)).run();
    run.exits(0).says("10000 targets: 10000 revoked, in 100 requests\n").prints_nothing();
    assert_eq!(received(&server), targets, "all, in order, once");
    assert_eq!((server.connections(), server.handshakes()), (1, 1));
    let requests = server.revocation_requests();
    assert_eq!(requests.len(), 100);
    assert!(requests.iter().all(|one| one.targets().len() == BATCH));
}

#[test]
fn the_last_batch_may_be_smaller() {
    for (count, sizes) in [(99, vec![99]), (100, vec![100]), (201, vec![100, 100, 1])] {
        let (server, folder) = (Ably::start(), Folder::new());
        let file = targets_file(&folder, &users(count));
        revoke(&server, &file).run().exits(0);
        let requests = server.revocation_requests();
        let sent: Vec<usize> = requests.iter().map(|one| one.targets().len()).collect();
        assert_eq!(sent, sizes);
    }
}

#[test]
fn every_request_is_on_the_same_terms() {
    let (server, folder) = (Ably::start(), Folder::new());
    revoke(&server, &targets_file(&folder, &users(250)))
        .args(["--allow-reauth-margin", "--issued-before", "10m"])
        .run()
        .exits(0);
    let requests = server.revocation_requests();
    let bodies: Vec<Value> = requests.iter().map(Seen::json).collect();
    let times: BTreeSet<u64> = bodies.iter().map(|body| number(body, "issuedBefore")).collect();
    assert_eq!((times.len(), bodies.len()), (1, 3));
    assert_eq!(server.request_count(), 4, "Ably's clock is asked once");
    assert!(bodies.iter().all(|body| flag(body, "allowReauthMargin")));
}

#[test]
fn a_file_may_mix_types_line_ends_and_comments() {
    let (server, folder) = (Ably::start(), Folder::new());
    let text = "\u{feff}# exported 2026-11-23\r\nclientId:alice\r\n\r\n  \nrevocationKey:group1\n\
                channel:foo:*\n#clientId:not-me\nclientId: spaced \r\nclientId:#hash\nclientId:a:b\n\
                clientId:\u{fc}\u{1F600}\nclientId:\"q\"\\\nchannel:last";
    let file = folder.write("targets.txt", text);
    revoke(&server, &file).run().exits(0);
    let expected = [
        "clientId:alice",
        "revocationKey:group1",
        "channel:foo:*",
        "clientId: spaced ",
        "clientId:#hash",
        "clientId:a:b",
        "clientId:\u{fc}\u{1F600}",
        "clientId:\"q\"\\",
        "channel:last",
    ];
    assert_eq!(received(&server), expected);
}

#[test]
fn a_target_is_sent_once_however_often_it_is_given() {
    let (server, folder) = (Ably::start(), Folder::new());
    let mut targets = users(150);
    targets.extend(users(150));
    targets.insert(1, "clientId:user0".to_owned());
    // Another type with the same value is another target.
    targets.push("channel:user0".to_owned());
    let run = revoke(&server, &targets_file(&folder, &targets)).run();
    run.exits(0).says("151 targets: 151 revoked, in 2 requests");
    let mut expected = users(150);
    expected.push("channel:user0".to_owned());
    assert_eq!(received(&server), expected);
}

#[test]
fn options_go_beyond_a_hundred_too() {
    let server = Ably::start();
    for (option, kind) in [
        ("--client-id", "clientId"),
        ("--revocation-key", "revocationKey"),
        ("--channel", "channel"),
    ] {
        let before = received(&server).len();
        let values = (0..250).map(|n| format!("v{}", n % 240));
        let arguments = values.flat_map(|value| [option.to_owned(), value]);
        let run = ably(REVOKE).args(arguments).against(&server).run();
        run.exits(0).says("240 targets: 240 revoked, in 3 requests");
        let expected: Vec<String> = (0..240).map(|n| format!("{kind}:v{n}")).collect();
        assert_eq!(received(&server)[before..], expected);
    }
}

#[test]
fn a_server_that_closes_each_connection_costs_no_target() {
    let server = || Ably::deciding(|_| Answer::Faithful.then_close());
    ends(server, &[], [500, 0, 0, 0], 0);
}

// Standard input.

#[test]
fn targets_come_from_standard_input_with_force() {
    let server = Ably::start();
    ably(REVOKE)
        .args(["--targets-file", "-"])
        .against(&server)
        .stdin(users(250).join("\r\n"))
        .run()
        .exits(0);
    assert_eq!(received(&server), users(250));
}

#[test]
fn standard_input_has_one_use() {
    let server = Ably::start();
    server.expect_nothing();
    let base = ["auth", "revoke-token", "--targets-file", "-"];
    let run = ably(base).against(&server).stdin("clientId:a\n").run();
    run.exits(2).says("--targets-file").says("--force");
    let run = ably(base)
        .args(["--force", "--api-key-file", "-"])
        .towards(&server)
        .stdin("clientId:a\n")
        .run();
    run.exits(2).says("--targets-file").says("--api-key-file");
    let run = ably(base).arg("--force").against(&server).run();
    run.exits(2).says("standard input holds no target");
}

// Bad input: nothing is sent, nothing is written.

#[test]
fn bad_lines_are_told_by_number_and_nothing_is_sent() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let mut lines: Vec<&[u8]> = vec![b"user:x"; 14];
    lines[1] = b"clientId:fine";
    lines[2] = b"clientId:";
    lines[3] = b"clientId:\xff";
    lines[4] = b"clientId:*";
    lines[5] = b" clientId:x";
    let file = folder.write("targets.txt", lines.join(&b'\n'));
    let program = || {
        let program = revoke(&server, &file).arg("--unrevoked-to");
        program.arg(folder.file(LEFT))
    };
    let run = program().run();
    run.exits(2)
        .says("targets.txt has 13 bad lines: line 1: unknown type 'user'; line 3: ")
        .says("line 4: not UTF-8")
        .says("line 11: ")
        .says("and 3 more bad lines")
        .never_says("line 12")
        .never_says("line 2:")
        .prints_nothing();
    let run = program().arg("--json").run();
    run.exits(2);
    assert_eq!(text(&run.record("error"), "outcome"), "not-sent");
    for (content, told) in [
        (&b""[..], "holds no target"),
        (b"\n# nothing\n\n", "holds no target"),
        (b"\xff\xfec\0", "UTF-16"),
    ] {
        folder.write("targets.txt", content);
        program().run().exits(2).says(told);
    }
    for file in ["missing.txt", "."] {
        let run = revoke(&server, &folder.file(file)).run();
        run.exits(2).says("--targets-file").says("cannot be read");
    }
    assert_eq!(folder.names(), ["targets.txt"]);
}

#[test]
fn the_question_counts_by_type_and_names_ten() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let mut targets = users(1200);
    targets.push("revocationKey:one".to_owned());
    targets.extend(["channel:a".to_owned(), "channel:b".to_owned()]);
    targets.push("clientId:user5".to_owned());
    let run = ably(["auth", "revoke-token", "--targets-file"])
        .arg(targets_file(&folder, &targets))
        .arg("--unrevoked-to")
        .arg(folder.file(LEFT))
        .against(&server)
        .stdin("n\n")
        .run();
    run.exits(4)
        .says("1200 client IDs")
        .says("1 revocation key ")
        .says("2 channels")
        .says("client ID user0\n")
        .says("client ID user9\n")
        .says("and 1193 more")
        .says("1 repeated target left out")
        .never_says("user10");
    assert_eq!(folder.names(), ["targets.txt"], "no file on declining");
}

#[test]
fn a_dry_run_counts_the_requests_and_shows_the_first() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let program = || keeping(&server, &folder, 1050).arg("--dry-run");
    let run = program().run();
    run.exits(0)
        .says("11 requests")
        .says("\"clientId:user0\"")
        .says("\"clientId:user99\"")
        .never_says("\"clientId:user100\"")
        .prints_nothing();
    let run = program().arg("--json").run();
    run.exits(0);
    let record = run.record("result");
    assert!(flag(&record, "dryRun"));
    assert_eq!(list(&record, "request.body.targets").len(), BATCH);
    let run = keeping(&server, &folder, 3).arg("--nonsense").run();
    run.exits(2);
    assert_eq!(folder.names(), ["targets.txt"], "no file in any of these");
}

// What does not stop a run.

#[test]
fn refused_ones_among_a_thousand_are_told_by_name() {
    let server = || {
        let server = Ably::start();
        for n in (0..1000).step_by(40) {
            server.refuse(&format!("clientId:user{n}"), 40121, 400, "Not for you.");
        }
        server
    };
    ends(server, &[], [975, 25, 0, 0], 3);
    let (server, folder) = (server(), Folder::new());
    let run = revoke(&server, &targets_file(&folder, &users(1000))).run();
    run.exits(3)
        .says("the tokens of client ID user0: Not for you (code 40121)")
        .says("client ID user360:")
        .never_says("client ID user400:")
        .says("and 15 more refused\n")
        .says("1000 targets: 975 revoked, 25 refused, in 10 requests\n");
    assert_eq!(received(&server), users(1000), "each is asked for once");
}

#[test]
fn all_refused_is_a_certain_failure() {
    let server = || {
        let server = Ably::start();
        for target in users(150) {
            server.refuse(&target, 40121, 400, "no");
        }
        server
    };
    ends(server, &[], [0, 150, 0, 0], 1);
}

#[test]
fn a_batch_refused_for_what_is_in_it_does_not_stop_the_rest() {
    let answer = Answer::error(400, 40000, "bad request body");
    ends(second(answer), &[], [150, 100, 0, 0], 3);
}

/// An answer may hold the request's ID, a time, a host's name.
#[test]
fn batches_that_fail_in_words_of_their_own_do_not_flood_the_end() {
    let folder = Folder::new();
    let server = Ably::deciding(|seen| {
        let words = format!("bad body, request {}", seen.index);
        Answer::error(400, 40000, &words)
    });
    let run = revoke(&server, &targets_file(&folder, &users(3000))).run();
    run.exits(1).says("3000 targets: 3000 refused");
    let errors = run.stderr.matches("error:").count();
    run.check(errors <= 11, "at most ten failures in full");
}

#[test]
fn what_was_told_with_its_batch_is_not_counted_again_as_more() {
    let (server, folder) = (second(Answer::error(400, 40000, "bad request body"))(), Folder::new());
    for n in 0..12 {
        server.refuse(&format!("clientId:user{n}"), 40121, 400, "Not for you.");
    }
    let run = revoke(&server, &targets_file(&folder, &users(250))).run();
    run.exits(3)
        .says("112 refused")
        .says("100 targets: bad request body")
        .says("and 2 more refused\n");
}

#[test]
fn a_result_that_is_missing_is_unknown_for_that_target_alone() {
    let server = || {
        Ably::deciding(|seen| {
            let mut targets = seen.targets();
            targets.retain(|target| target != "clientId:user77");
            Answer::json(201, batch_result(&targets, NOW)).though_done()
        })
    };
    ends(server, &[], [149, 0, 1, 0], 3);
}

#[test]
fn a_batch_that_breaks_once_is_asked_for_again() {
    for answer in [Answer::Reset, Answer::Cut, Answer::error(503, 50300, "busy")] {
        ends(second_once(answer), &[], [250, 0, 0, 0], 0);
    }
}

#[test]
fn a_batch_that_always_breaks_is_unknown_and_the_rest_goes_on() {
    ends(second(Answer::Reset), &[], [150, 0, 100, 0], 3);
    let lost = second(Answer::Close.though_done());
    ends(lost, &[], [150, 0, 100, 0], 3);
}

#[test]
fn a_batch_that_is_never_answered_takes_its_time_and_no_more() {
    let start = Instant::now();
    let server = second(Answer::HangBeforeHeaders);
    ends(server, &["--timeout", "1.5"], [150, 0, 100, 0], 3);
    assert!(start.elapsed() < 2 * (Duration::from_millis(1500) + SOON));
}

#[test]
fn a_batch_that_fails_on_ablys_side_is_tried_again_and_then_unknown() {
    for status in [500, 503] {
        let answer = Answer::error(status, u32::from(status) * 100, "internal");
        ends(second(answer), &[], [150, 0, 100, 0], 3);
    }
    let folder = Folder::new();
    let server = second(Answer::error(500, 50000, "internal"))();
    let file = targets_file(&folder, &users(250));
    revoke(&server, &file).run().exits(3);
    assert!(server.request_count() > 3, "it was tried again");
}

#[test]
fn a_redirect_or_a_page_leaves_a_batch_unknown() {
    let page = Answer::plain(200, "<html>Welcome</html>");
    ends(second(page), &[], [150, 0, 100, 0], 3);
    let moved = Answer::plain(302, "").header("location", "https://localhost/x");
    ends(second(moved), &[], [150, 0, 100, 0], 3);
}

#[test]
fn nothing_certain_and_something_unknown_is_5() {
    let server = || Ably::deciding(|_| Answer::plain(201, "{}"));
    ends(server, &[], [0, 0, 250, 0], 5);
}

// Rate limits.

#[test]
fn a_rate_limit_that_passes_is_waited_for() {
    let limit = Answer::error(429, 42910, "slow down").header("retry-after", "1");
    ends(second_once(limit), &[], [250, 0, 0, 0], 0);
}

#[test]
fn a_rate_limit_that_lasts_stops_the_run() {
    let limit = Answer::error(429, 42910, "slow down");
    let long = limit.clone().header("retry-after", "3600");
    ends(second(long), &[], [100, 100, 0, 250], 3);
    ends(second(limit), &["--timeout", "2"], [100, 100, 0, 250], 3);
}

/// Limits the rate of single targets within a batch, and revokes the others.
fn limiting(limited: impl Fn(&str) -> bool + Send + Sync + 'static) -> Ably {
    let error = r#"{"message":"slow down","code":42910,"statusCode":429}"#;
    Ably::deciding(move |seen| {
        let targets = seen.targets();
        let results = targets.iter().map(|target| match limited(target) {
            true => format!(r#"{{"target":{},"error":{error}}}"#, quote(target)),
            false => {
                format!(r#"{{"target":{},"issuedBefore":{NOW},"appliesAt":{NOW}}}"#, quote(target))
            }
        });
        let results: Vec<String> = results.collect();
        let body = format!(r#"{{"results":[{}]}}"#, results.join(","));
        Answer::json(201, body).though_done()
    })
}

#[test]
fn a_rate_limit_on_single_targets_is_waited_for_with_those_alone() {
    let make = || {
        let tries = AtomicUsize::new(0);
        limiting(move |target| {
            target == "clientId:user7" && tries.fetch_add(1, Ordering::SeqCst) == 0
        })
    };
    ends(make, &[], [150, 0, 0, 0], 0);
    let (server, folder) = (make(), Folder::new());
    let file = targets_file(&folder, &users(150));
    revoke(&server, &file).run().exits(0);
    let requests = server.revocation_requests();
    assert_eq!(requests[1].targets(), ["clientId:user7"]);
    assert_eq!(requests.len(), 3);
}

/// Unlike a limit on a whole batch, it does not stop the run: the others are let through.
#[test]
fn a_rate_limit_on_single_targets_that_lasts_refuses_them_alone() {
    let make = || limiting(|target| target == "clientId:user7");
    ends(make, &["--timeout", "1"], [149, 1, 0, 0], 3);
}

// What stops a run.

#[test]
fn a_batch_refused_for_the_key_stops_the_run() {
    for (status, code) in [(401, 40101), (403, 40300), (404, 40400)] {
        let answer = Answer::error(status, code, "no");
        ends(second(answer.clone()), &[], [100, 100, 0, 250], 3);
        let (server, folder) = (second(answer)(), Folder::new());
        let run = revoke(&server, &targets_file(&folder, &users(450))).run();
        run.says("250 not sent, in 2 requests");
        assert_eq!(received(&server), users(200), "and no further");
    }
    let server = || Ably::deciding(|_| Answer::error(401, 40101, "no"));
    ends(server, &[], [0, 100, 0, 350], 1);
}

/// Answers the first request, and receives all later connections like this.
fn gone_after_one(door: Door) -> impl Fn() -> Ably {
    move || {
        let server = Ably::deciding(|seen| {
            Answer::json(201, batch_result(&seen.targets(), NOW))
                .header("connection", "close")
                .though_done()
        });
        server.receive(move |knock| match knock.connection {
            0 => Door::Tls(Certificate::Good),
            _ => door,
        });
        server
    }
}

#[test]
fn a_host_that_becomes_unreachable_stops_the_run() {
    for door in [Door::Reset, Door::Close, Door::PlainHttp] {
        ends(gone_after_one(door), &[], [100, 0, 0, 350], 3);
    }
    let silent = gone_after_one(Door::Silent);
    ends(silent, &["--timeout", "1"], [100, 0, 0, 350], 3);
    let (server, folder) = (gone_after_one(Door::Close)(), Folder::new());
    let file = targets_file(&folder, &users(450));
    revoke(&server, &file).run().exits(3);
    assert_eq!(received(&server), users(100), "and no further");
}

#[test]
fn a_host_that_is_never_reached_is_a_certain_failure() {
    let server = || Ably::receiving(|_| Door::Close);
    ends(server, &[], [0, 0, 0, 250], 1);
}

// Signals.

/// A stand-in that does what the batch with this number, from 0, asks for, but holds the answer.
fn holding(batch: usize) -> Ably {
    Ably::deciding(move |seen| match begins(seen, batch * BATCH) {
        true => Answer::Faithful.held(),
        false => Answer::Faithful,
    })
}

/// A run of `users(450)` whose third request is under way, with a left-over file.
fn under_way(prepare: impl FnOnce(Program) -> Program) -> (Ably, Folder, Running) {
    let (server, folder) = (holding(2), Folder::new());
    let running = prepare(keeping(&server, &folder, 450)).spawn();
    server.wait_for_requests(3);
    (server, folder, running)
}

/// What the last line's command would revoke: pasted into a shell, with nobody at the other end,
/// it leaves over all that it was given.
#[track_caller]
fn command_to_go_on(run: &Run) -> Vec<String> {
    let command = run.stderr.trim_end().lines().last().unwrap().trim();
    let rest = command.strip_prefix("ably auth revoke-token ").unwrap_or_else(|| panic!("{run}"));
    let line = format!("shift 6; exec \"$ably\" auth revoke-token {rest} \"$@\"");
    let folder = Folder::new();
    let pasted = in_shell(&format!("ably=$1; {line}"))
        .args(["--connect-to", "127.0.0.1:1", "--unrevoked-to"])
        .arg(folder.file(LEFT))
        .env("ABLY_API_KEY", KEY)
        .run();
    pasted.exits(1);
    left_targets(&folder.file(LEFT))
}

/// Sends a signal, which has to end the run soon.
#[track_caller]
fn ends_soon(running: Running, signal: &str) -> Run {
    let start = Instant::now();
    running.signal(signal);
    let run = running.wait();
    assert!(start.elapsed() < SOON, "{:?}\n{run}", start.elapsed());
    run
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
        let expected = Tally::of([200, 0, 100, 150]);
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
    assert_eq!(told(&run).0, Tally::of([100, 100, 0, 250]));
    assert_eq!(left_targets(&folder.file(LEFT)), users(450)[100..]);
}

#[test]
fn a_signal_ends_the_wait_for_a_connection() {
    let (server, folder) = (Ably::receiving(|_| Door::Silent), Folder::new());
    let running = keeping(&server, &folder, 250).spawn();
    let end = Instant::now() + Duration::from_secs(20);
    while server.connections() == 0 && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
    let run = ends_soon(running, "TERM");
    run.dies_of(15);
    assert_eq!(told(&run).0, Tally::of([0, 0, 0, 250]));
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

/// A pipe that is full and that nobody reads: the program stands still at its first word.
struct FullPipe {
    folder: Folder,
    _both_ends: fs::File,
}

impl FullPipe {
    fn new() -> FullPipe {
        let folder = Folder::new();
        let path = make_fifo(&folder, "full");
        let mut both_ends = fs::File::options().read(true).write(true).open(path).unwrap();
        both_ends.write_all(&[b'.'; 64 * 1024]).unwrap();
        FullPipe { folder, _both_ends: both_ends }
    }

    fn path(&self) -> PathBuf {
        self.folder.file("full")
    }
}

fn make_fifo(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.file(name);
    let made = Command::new("/usr/bin/mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    path
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let full = FullPipe::new();
    let (server, folder, running) = under_way(|program| program.stderr_to(full.path()));
    running.signal("INT");
    // With the file, nothing is left but to tell its accounts, and there it stands still.
    let end = Instant::now() + Duration::from_secs(20);
    while left_targets(&folder.file(LEFT)).len() == 450 && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
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
    let again = revoke(&server, &left).arg("--unrevoked-to").arg(&rest);
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
        if run.stdout.is_empty() {
            assert_eq!(server.request_count(), 0, "after {delay} ms\n{run}");
            continue;
        }
        let (tally, confirmed) = recorded(&run);
        assert_eq!(tally.total(), 3000, "after {delay} ms\n{run}");
        let rest = targets.iter().filter(|target| !confirmed.contains(*target));
        let left = left_targets(&folder.file(LEFT));
        assert!(left.iter().eq(rest), "after {delay} ms\n{run}");
        let done: HashSet<String> = revoked(&server).into_iter().collect();
        assert!(confirmed.is_subset(&done), "after {delay} ms\n{run}");
        assert!(done.len() <= tally.revoked + tally.unknown, "{run}");
    }
}

#[test]
fn a_signal_while_the_file_is_first_written_leaves_nothing_beside_it() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let running = keeping(&server, &folder, 400_000).spawn();
    let end = Instant::now() + Duration::from_secs(20);
    while is_tidy(&folder) && !folder.file(LEFT).exists() && Instant::now() < end {
        thread::yield_now();
    }
    ends_soon(running, "INT").dies_of(2);
    assert!(is_tidy(&folder), "{:?}", folder.names());
    if folder.file(LEFT).exists() {
        assert_eq!(left_targets(&folder.file(LEFT)).len(), 400_000);
    }
}

// The left-over file.

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
            match batches.len() == at + 1 {
                true => answer.clone(),
                false => Answer::Faithful,
            }
        });
        if round == 0 {
            server.refuse("clientId:user3", 40121, 400, "no");
        }
        let output = folder.file(&format!("left{round}.txt"));
        let program = revoke(&server, &input).arg("--unrevoked-to").arg(&output);
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
fn the_file_holds_all_targets_before_the_first_request() {
    let (server, folder) = (holding(0), Folder::new());
    let running = keeping(&server, &folder, 250).spawn();
    server.wait_for_requests(1);
    assert_eq!(left_targets(&folder.file(LEFT)), users(250));
    server.release();
    running.wait().exits(0);
    assert_eq!(folder.read(LEFT), "");
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
}

#[test]
fn the_secret_is_in_no_left_over_file() {
    let (server, folder) = (Ably::deciding(|_| Answer::EchoAuthorization), Folder::new());
    let run = keeping(&server, &folder, 250).run();
    run.exits(1).hides_the_key();
    let content = folder.read(LEFT);
    assert!(!content.contains(SECRET), "{content}");
}

#[test]
fn targets_from_options_are_left_over_too() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.refuse("channel:b", 40121, 400, "no");
    let run = |options: [&str; 4]| {
        ably(REVOKE)
            .args(options)
            .args(["--unrevoked-to", LEFT])
            .cwd(folder.path())
            .against(&server)
            .run()
    };
    run(["--channel", "a", "--channel", "b"]).exits(3);
    assert_eq!(left_targets(&folder.file(LEFT)), ["channel:b"]);
    let broken = run(["--client-id", "a\nclientId:b", "--client-id", "c"]);
    broken.exits(2).says("--unrevoked-to").says("line break");
    assert_eq!(received(&server), ["channel:a", "channel:b"]);
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let file = targets_file(&folder, &users(3));
    fs::create_dir(folder.file("folder")).unwrap();
    folder.write("file", "x");
    symlink("loop", folder.file("loop")).unwrap();
    symlink("nowhere", folder.file("dangling")).unwrap();
    make_fifo(&folder, "fifo");
    let names = folder.names();
    for path in [
        folder.file("folder"),
        folder.file("folder/.."),
        folder.file("missing/left.txt"),
        folder.file("file/left.txt"),
        folder.file("fifo"),
        folder.file(&"x".repeat(300)),
        folder.file("loop"),
        folder.file("dangling"),
        PathBuf::from("/dev/null"),
        PathBuf::from("/proc/left.txt"),
        PathBuf::from("/"),
        PathBuf::from(""),
    ] {
        for json in [false, true] {
            let program = revoke(&server, &file).arg("--unrevoked-to").arg(&path);
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
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let file = targets_file(&folder, &users(3));
    let before = fs::read(&file).unwrap();
    fs::create_dir(folder.file("folder")).unwrap();
    symlink("targets.txt", folder.file("symlink")).unwrap();
    symlink("symlink", folder.file("symlink2")).unwrap();
    symlink(".", folder.file("here")).unwrap();
    fs::hard_link(&file, folder.file("hardlink")).unwrap();
    for path in [
        "targets.txt",
        "./targets.txt",
        "folder/../targets.txt",
        "here/targets.txt",
        "symlink",
        "symlink2",
        "hardlink",
    ] {
        let tool = ably(REVOKE).cwd(folder.path()).against(&server);
        let run = tool.args(["--targets-file", path, "--unrevoked-to", "targets.txt"]).run();
        run.exits(2).says("is the same file as --targets-file");
        let absolute = folder.file(path);
        let run = revoke(&server, &file).arg("--unrevoked-to").arg(absolute).run();
        run.exits(2).says("is the same file as --targets-file");
        // As the shell opens it.
        let run = in_shell(r#"exec "$@" < targets.txt"#)
            .args(["--unrevoked-to", path])
            .cwd(folder.path())
            .against(&server)
            .run();
        run.exits(2).says("is the same file as --targets-file");
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

/// A list of targets would take the key's place.
#[test]
fn the_file_of_the_key_is_not_written_over() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let file = targets_file(&folder, &users(3));
    let key = folder.write("key", KEY);
    let program = || {
        let program = ably(REVOKE).arg("--targets-file").arg(&file);
        program.arg("--unrevoked-to").arg(&key).towards(&server)
    };
    let run = program().arg("--api-key-file").arg(&key).run();
    run.exits(2).says("--unrevoked-to");
    let run = program().env("ABLY_API_KEY_FILE", &key).run();
    run.exits(2).says("--unrevoked-to");
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

/// A file system of 64 KiB, unmounted on drop.
struct SmallDisk {
    folder: Folder,
}

impl SmallDisk {
    /// `None` where this user may not mount one.
    fn mount() -> Option<SmallDisk> {
        let folder = Folder::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "none"])
            .arg(folder.path())
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: this user may not mount a file system");
            return None;
        }
        Some(SmallDisk { folder })
    }

    fn run(&self, server: &Ably, file: &Path, json: bool) -> Program {
        revoke(server, file)
            .arg("--unrevoked-to")
            .arg(self.folder.file(LEFT))
            .args(json.then_some("--json"))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

#[test]
fn a_disk_that_is_full_at_the_start_sends_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let (server, folder) = (Ably::start(), Folder::new());
    server.expect_nothing();
    let file = targets_file(&folder, &users(3000));
    let run = disk.run(&server, &file, false).run();
    run.exits(2).says("--unrevoked-to").says("no space left on device");
    let run = disk.run(&server, &file, true).run();
    run.exits(2);
    assert_eq!(text(&run.record("error"), "outcome"), "not-sent");
    assert_eq!(disk.folder.names(), Vec::<String>::new());
}

#[test]
fn a_disk_that_gets_full_keeps_the_file_with_all_targets() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    for json in [false, true] {
        let (server, folder) = (holding(1), Folder::new());
        server.refuse("clientId:user3", 40121, 400, "no");
        let file = targets_file(&folder, &users(250));
        let running = disk.run(&server, &file, json).spawn();
        server.wait_for_requests(2);
        // More than there is room for: it is full then.
        let filler = disk.folder.file("filler");
        assert!(fs::write(&filler, vec![b'.'; 128 * 1024]).is_err());
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
            assert_eq!(told(&run).0, Tally::of([249, 1, 0, 0]));
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
    let run = in_shell(r#"ulimit -f 40; exec "$@" < targets.txt"#)
        .args(["--unrevoked-to", LEFT])
        .cwd(folder.path())
        .against(&server)
        .run();
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

// What is told.

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

/// What a terminal shows in the end: lines written over, and cleared.
fn rendered(screen: &str) -> String {
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
    assert_eq!(recorded(&run).0, Tally::of([249, 1, 0, 0]));
}

#[test]
fn pretty_json_tells_the_same() {
    let (server, folder) = (Ably::start(), Folder::new());
    let run = keeping(&server, &folder, 250).arg("--pretty-json").run();
    run.exits(0);
    assert_eq!(run.pretty_json().len(), 4);
}

#[test]
fn closed_pipes_stop_nothing() {
    for json in [false, true] {
        let (server, folder) = (Ably::start(), Folder::new());
        server.refuse("clientId:user3", 40121, 400, "no");
        let run = keeping(&server, &folder, 450)
            .args(json.then_some("--json"))
            .stdout_broken()
            .stderr_broken()
            .run();
        run.exits(3);
        assert_eq!(received(&server), users(450));
        assert_eq!(left_targets(&folder.file(LEFT)), ["clientId:user3"]);
    }
}

#[test]
fn a_reader_that_leaves_in_the_middle_stops_nothing() {
    let (server, folder) = (Ably::start(), Folder::new());
    targets_file(&folder, &users(2000));
    let run = in_shell(r#"{ "$@" < targets.txt; echo "$?" > code; } | head -n 1"#)
        .arg("--json")
        .cwd(folder.path())
        .against(&server)
        .run();
    run.exits(0);
    assert_eq!(run.stdout.lines().count(), 1, "{run}");
    assert_eq!(folder.read("code"), "0\n");
    assert_eq!(received(&server), users(2000));
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
