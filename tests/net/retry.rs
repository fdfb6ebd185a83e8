//! Waits, and what several tries at one request lead to: the first definite word counts; without
//! one the targets are unknown where any try may have reached Ably.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use crate::support::*;

fn busy() -> Answer {
    Answer::error(429, 42910, "Slow down.")
}

/// The time so many seconds from now.
fn http_date(from_now: u64) -> String {
    httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(from_now))
}

#[test]
fn a_rate_limit_is_waited_for_as_long_as_it_says() {
    let second = Duration::from_secs(1);
    let cases = [
        ("seconds", busy().header("retry-after", "2"), 2 * second, 4 * second),
        ("no time at all", busy().header("retry-after", "0"), Duration::ZERO, second),
        // A date has no fractions: up to a second of the three is gone.
        ("a date", busy().header("retry-after", &http_date(3)), second, 4 * second),
        ("nothing", busy(), Duration::from_millis(800), 2 * second),
        ("nonsense", busy().header("retry-after", "soon"), Duration::from_millis(800), 2 * second),
    ];
    each(&cases, |(name, answer, least, most)| {
        let server = Ably::scripted([answer.clone()]);
        revoke_alice().against(&server).run().exits(0);
        assert_eq!(server.request_count(), 2, "{name}");
        let gap = gap(&server, 0);
        // The upper bound leaves seconds to a busy machine.
        assert!(gap >= *least && gap < *most + 3 * second, "{name}: {gap:?}");
    });
}

#[test]
fn waits_that_nobody_asked_for_double() {
    let server = Ably::scripted([busy(), busy()]);
    revoke_alice().against(&server).run().exits(0);
    assert!(gap(&server, 0) >= Duration::from_millis(800));
    assert!(gap(&server, 1) >= Duration::from_millis(1600));
}

#[test]
fn a_rate_limit_longer_than_the_time_left_fails_at_once() {
    for after in ["31", "99999999999999999999", &http_date(3600), "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let answer = busy().header("retry-after", after);
        let server = Ably::deciding(move |_| answer.clone());
        let start = Instant::now();
        let run = revoke_alice().against(&server).run();
        run.exits(1).says("longer than --timeout leaves").says("Slow down (code 42910)");
        assert_eq!(server.request_count(), 1, "{after}");
        run.check(start.elapsed() < Duration::from_secs(20), "should not wait");
    }
}

#[test]
fn a_rate_limit_without_end_is_not_answered_with_a_flood() {
    for after in ["0", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let answer = busy().header("retry-after", after);
        let server = Ably::deciding(move |_| answer.clone());
        let run = revoke_alice().against(&server).args(["--timeout", "2"]).run();
        let count = server.request_count();
        run.check(count <= 10, &format!("{count} requests in 2 s with Retry-After: {after}"));
        run.exits(1).says("Slow down");
    }
}

#[test]
fn only_the_targets_that_were_limited_are_asked_for_again() {
    let server = Ably::start();
    let limited = r#"{"successCount":1,"failureCount":1,"results":[
        {"target":"clientId:alice","issuedBefore":1,"appliesAt":1},
        {"target":"clientId:bob","error":{"message":"Slow down.","code":42910,"statusCode":429}}]}"#;
    server.script([
        Answer::json(201, limited).header("retry-after", "2"),
        Answer::json(201, limited),
    ]);
    let run = revoke_alice()
        .args(["--client-id", "bob", "--json", "--issued-before", "1795428000000"])
        .against(&server);
    server.set_clock_ms(1_795_428_600_000);
    let run = run.run();
    run.exits(0);
    let asked: Vec<Vec<String>> = server.requests().iter().map(Seen::targets).collect();
    assert_eq!(asked[0], ["clientId:alice", "clientId:bob"]);
    assert_eq!(asked[1..], [["clientId:bob"], ["clientId:bob"]]);
    assert!(gap(&server, 0) >= Duration::from_secs(2), "Retry-After holds here too");
    assert!(gap(&server, 1) >= Duration::from_millis(800));
    for request in server.requests() {
        assert_eq!(number(request.json(), "issuedBefore"), 1_795_428_000_000);
    }
    let result = run.record("result");
    assert_eq!(number(&result, "revocation.response.successCount"), 2);
}

/// The answer to a batch and one more that nobody asked for, in TLS records of their own: bytes
/// of the second are left in the layers below where the first ends.
fn and_one_more(first: &[String], second: &[String]) -> Vec<u8> {
    const RECORD: usize = 16 << 10;
    let answer = |targets: &[String], length: Option<usize>| {
        let body = batch_result(targets, 1_795_428_000_000);
        let head =
            |length: usize| format!("HTTP/1.1 201 Created\r\ncontent-length: {length}\r\n\r\n");
        let length = length.map_or(body.len(), |all| all - head(all).len());
        format!("{}{body:length$}", head(length))
    };
    [answer(first, Some(RECORD)), answer(second, None)].concat().into_bytes()
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_the_next_ones() {
    let ids: Vec<String> = (0..200).map(|n| format!("clientId:user{n}")).collect();
    let more = and_one_more(&ids[..100], &ids[100..]);
    assert!(more.len() > (16 << 10) + 4096, "the second must not fit into one read of TLS");
    let server = Ably::deciding(move |seen| match seen.index {
        0 => Answer::Open(more.clone()),
        _ => Answer::error(401, 40101, "Wrong."),
    });
    let program = forced().args(ids.iter().map(|id| id.replace("clientId:", "--client-id=")));
    program.against(&server).run().exits(3).says("200 targets: 100 revoked, 100 refused");
    assert_eq!((server.connections(), server.request_count()), (2, 2));
}

#[test]
fn a_request_head_has_64_kib_and_a_longer_one_is_not_sent() {
    let server = Ably::start();
    let key = |secret: usize| format!("APP1.key1:{}", "s".repeat(secret));
    // In base64 the credentials are a third longer.
    server.add_key(&key(46_000));
    revoke_alice().towards(&server).env("ABLY_API_KEY", key(46_000)).run().exits(0);
    let run = revoke_alice().towards(&server).env("ABLY_API_KEY", key(50_000)).run();
    run.exits(2).says("the API key is too long");
    assert_eq!(server.request_count(), 1);
}

fn edge(status: u16) -> Answer {
    Answer::plain(status, "<html><title>ERROR</title>").header("server", "CloudFront")
}

fn good() -> Answer {
    Answer::json(201, batch_result(&["clientId:alice".to_owned()], 1_795_428_000_000))
}

/// Row: what it is, what the primary host answers, what the fallback hosts answer, the exit code,
/// how many requests there are, and a phrase that is told.
type Row = (&'static str, fn() -> Answer, fn() -> Answer, i32, usize, &'static str);

#[rustfmt::skip] // a table: one row a line
const ROWS: [Row; 19] = [
    ("done and dropped, then the edge's 403", || Answer::Close.though_done(), || edge(403), 5, 4, "unknown whether"),
    ("the edge's 403, then done and dropped", || edge(403), || Answer::Close.though_done(), 5, 4, "unknown whether"),
    ("the edge's 403 everywhere", || edge(403), || edge(403), 5, 4, "answered 403 with a web page, \"ERROR\""),
    ("the edge's 404 with Ably's code", || edge(404).header("x-ably-errorcode", "40400"), || edge(404), 5, 4, "answered 404: code 40400"),
    ("the edge's 403, then success", || edge(403), good, 0, 2, "Ably accepted"),
    ("the edge's 403, then a definite 401", || edge(403), || Answer::error(401, 40101, "Wrong."), 1, 2, "Ably refused"),
    ("a host without a place, then success", || Answer::error(403, 40330, "Not here."), good, 0, 2, "Ably accepted"),
    ("hosts without a place", || Answer::error(403, 40331, "Not here."), || Answer::error(403, 40332, "Not here."), 5, 4, "Not here"),
    ("a place in headers alone", || Answer::plain(403, "no").header("x-ably-errorcode", "40332"), good, 0, 2, "Ably accepted"),
    ("done and dropped, then no place", || Answer::Cut.though_done(), || Answer::error(403, 40330, "Not here."), 5, 4, "unknown whether"),
    ("a 500, then a definite 404", || Answer::plain(500, ""), || Answer::error(404, 40400, "No."), 1, 2, "Ably refused"),
    ("a 408 for ever", || Answer::plain(408, ""), good, 5, 3, "answered 408"),
    ("a 503 that asks for more than is left, everywhere", || Answer::plain(503, "").header("retry-after", "60"), || Answer::plain(503, "").header("retry-after", "60"), 5, 4, "asks to wait 60 s, which is longer than --timeout leaves"),
    ("a 503 that asks for more than is left, then success", || Answer::plain(503, "").header("retry-after", "60"), good, 0, 2, "Ably accepted"),
    ("a 400 that breaks off", || Answer::Truncated { status: 400, length: 900, body: b"{\"error\":{\"code\":40000}}".to_vec() }, good, 5, 1, "breaks off"),
    ("a 400 without a body", || Answer::plain(400, ""), good, 5, 1, "an empty body"),
    ("a 400 that repeats a field", || Answer::json(400, r#"{"error":{"code":40000,"code":40001}}"#), good, 5, 1, "repeats a field"),
    ("a 400 with results but no error", || Answer::json(400, r#"{"successCount":1,"results":[]}"#), good, 5, 1, "answered 400 without a result"),
    ("a 400 with Ably's error", || Answer::json(400, error_body(40000, 400, "Bad.")), good, 1, 1, "Ably refused"),
];

#[test]
fn the_first_definite_word_counts_and_without_one_nothing_is_certain() {
    for (name, primary, fallback, code, requests, told) in ROWS {
        let server = Ably::deciding(move |seen| match seen.host() == MAIN {
            true => primary(),
            false => fallback(),
        });
        let run = revoke_alice().connected_to(&server).keyed().args(["--timeout", "6"]).run();
        run.check(run.code == Some(code), &format!("{name}: should exit {code}")).says(told);
        assert_eq!(server.request_count(), requests, "{name}: {run}");
    }
}

#[test]
fn an_overloaded_host_is_waited_for_as_it_asks_where_it_is_the_last() {
    let busy = Answer::plain(503, "").header("retry-after", "1");
    let server = Ably::scripted([busy.clone(), busy.clone(), busy.clone(), busy, good()]);
    revoke_alice().against(&server).run().exits(0);
    assert_eq!(server.request_count(), 5);
}

#[test]
fn who_answered_is_told_for_support_and_whether_it_was_ably() {
    let ids = |answer: Answer| {
        answer.header("x-ably-serverid", "frontend.7").header("x-amz-cf-id", "Edge==")
    };
    let server = Ably::deciding(move |_| ids(Answer::plain(501, "")));
    let run = revoke_alice().against(&server).run();
    run.exits(5).says("for Ably's support: server ID frontend.7").says("edge ID Edge==");
    let run = revoke_alice().arg("--json").against(&server).run();
    let error = get(&run.record("error"), "error").clone();
    assert_eq!((text(&error, "serverId"), text(&error, "edgeId")), ("frontend.7", "Edge=="));
    let refusing = Ably::deciding(move |_| ids(Answer::error(401, 40101, "No.")));
    let run = revoke_alice().arg("-v").against(&refusing).run();
    run.exits(1).says("Ably refused").says("server ID frontend.7").never_says("support:");
    let nginx =
        Ably::deciding(|_| Answer::plain(403, "<HTML>\r\n<head><title>403 Forbidden</title>"));
    let run = revoke_alice().against(&nginx).run();
    run.exits(1).says("answered 403 with a web page, \"403 Forbidden\"").never_says("Ably refused");
    run.never_says("\\r");
}

/// The Control API or Ably's clock, failing in all these ways before anything is revoked.
#[test]
fn what_cannot_be_looked_up_is_told_with_its_targets_and_a_remedy() {
    let answers: [fn() -> Answer; 6] = [
        || Answer::Reset,
        || Answer::HangBeforeHeaders,
        || Answer::plain(403, ""),
        || Answer::plain(418, "<html>tea</html>"),
        || Answer::json(400, r#"{"message":"odd","code":40999}"#),
        || Answer::error(500, 50000, "oops"),
    ];
    for answer in answers {
        let server = Ably::deciding(move |_| answer());
        server.serve_control(Control::new("t0ken-of-mine"));
        let base = || revoke_alice().args(["--json", "--timeout", "1"]).against(&server);
        let clock = base().args(["--issued-before", "10m"]);
        let control = base().env_remove("ABLY_API_KEY").control(&server, "t0ken-of-mine");
        for program in [clock, control] {
            let run = program.run();
            let error = get(&run.record("error"), "error").clone();
            run.exits(1).check(has(&error, "hint"), "should say what to do");
            assert_eq!(text(&error, "outcome"), "not-sent", "{run}");
            assert_eq!(list(&error, "targets").len(), 1, "{run}");
            assert_eq!(number(&run.record("status"), "exitCode"), 1, "{run}");
        }
    }
}

#[test]
fn a_pause_that_is_too_long_stops_the_run() {
    let targets: Vec<String> = (0..250).map(|n| format!("clientId:user{n}\n")).collect();
    let limited = |seen: &Seen| {
        let results: Vec<String> = seen.targets().iter().map(|target| {
            format!(r#"{{"target":"{target}","error":{{"code":42910,"statusCode":429,"message":"Slow down."}}}}"#)
        }).collect();
        Answer::json(201, format!(r#"{{"results":[{}]}}"#, results.join(",")))
    };
    let servers = [
        (Ably::deciding(|_| Answer::plain(503, "").header("retry-after", "60")), 5, 1),
        (Ably::deciding(limited), 1, 2),
    ];
    for (server, code, requests) in servers {
        let program = command().args(["--targets-file", "-", "--force", "--timeout", "2"]);
        let run = program.stdin(targets.concat()).against(&server).run();
        run.exits(code).says("150 not sent");
        assert_eq!(server.request_count(), requests, "{run}");
    }
}

/// With so many descriptors, the three streams among them, and none that the tests leave open.
fn with_descriptors(limit: u32, program: Program) -> Program {
    let script = format!("exec 3>&-; ulimit -n {limit}; exec \"$@\"");
    Program::at("/bin/sh").args(["-c", &script, "sh"]).wrapping(program)
}

#[test]
fn an_idle_connection_makes_room_for_the_next() {
    let server = Ably::start();
    let keys = vec![ControlKey::new(KEY, "revoker")];
    server.serve_control(Control::new("t0ken-of-mine").app("APP1", "Shop", keys));
    let endpoint = format!("127.0.0.1:{}", server.port());
    let program = revoke_alice().args(["--endpoint", &endpoint]).trusting(&server);
    with_descriptors(4, program).control(&server, "t0ken-of-mine").run().exits(0);
}

#[test]
fn an_idle_connection_makes_room_for_the_file_of_what_is_left() {
    let (server, folder) = (Ably::start(), Folder::new());
    server.refuse("clientId:alice", 40121, 400, "no");
    let program = revoke_alice().args(["--unrevoked-to", "left.txt"]).against(&server);
    let run = with_descriptors(4, program).keyed().cwd(folder.path()).run();
    run.exits(1).never_says("cannot be written");
    assert!(fs::read_to_string(folder.file("left.txt")).unwrap().contains("# refused"));
}

#[test]
fn a_connection_that_cannot_be_opened_is_not_laid_to_the_host() {
    let program = revoke_alice().args(["--connect-to", &nobody().to_string(), "--verbose"]);
    let run = with_descriptors(3, program).keyed().run();
    run.exits(1).says("too many open files").says("ulimit -n").says("nothing was sent");
    // No other host would do better.
    run.never_says("fallback").never_says("firewall");
}

/// A signal that is caught for other ends interrupts the wait for an answer (EINTR).
#[test]
fn a_wait_goes_on_after_a_signal_that_ends_nothing() {
    let server = Ably::start();
    server.decide(|_| Answer::Faithful.held());
    let running = revoke_alice().against(&server).spawn();
    server.wait_for_requests(1);
    for _ in 0..3 {
        running.signal("CONT");
    }
    server.release();
    running.wait().exits(0);
    assert_eq!(server.request_count(), 1);
}
