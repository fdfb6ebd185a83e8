//! What several tries at one request lead to: the first definite word counts; without one the
//! targets are unknown where any try may have reached Ably.

use crate::support::{
    Ably, Answer, Control, KEY, Program, ably, batch_result, error_body, get, has, list, number,
    text,
};

const REVOKE: [&str; 5] = ["auth", "revoke-token", "--client-id", "alice", "--force"];
const MAIN: &str = "main.realtime.ably.net";

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
        let run = ably(REVOKE)
            .connected_to(&server)
            .env("ABLY_API_KEY", KEY)
            .args(["--timeout", "6"])
            .run();
        run.check(run.code == Some(code), &format!("{name}: should exit {code}")).says(told);
        assert_eq!(server.request_count(), requests, "{name}: {run}");
    }
}

#[test]
fn an_overloaded_host_is_waited_for_as_it_asks_where_it_is_the_last() {
    let busy = Answer::plain(503, "").header("retry-after", "1");
    let server = Ably::scripted([busy.clone(), busy.clone(), busy.clone(), busy, good()]);
    ably(REVOKE).against(&server).run().exits(0);
    assert_eq!(server.request_count(), 5);
}

#[test]
fn who_answered_is_told_for_support_and_whether_it_was_ably() {
    let ids = |answer: Answer| {
        answer.header("x-ably-serverid", "frontend.7").header("x-amz-cf-id", "Edge==")
    };
    let server = Ably::deciding(move |_| ids(Answer::plain(501, "")));
    let run = ably(REVOKE).against(&server).run();
    run.exits(5).says("for Ably's support: server ID frontend.7").says("edge ID Edge==");
    let run = ably(REVOKE).arg("--json").against(&server).run();
    let error = get(&run.record("error"), "error").clone();
    assert_eq!((text(&error, "serverId"), text(&error, "edgeId")), ("frontend.7", "Edge=="));
    let refusing = Ably::deciding(move |_| ids(Answer::error(401, 40101, "No.")));
    let run = ably(REVOKE).arg("-v").against(&refusing).run();
    run.exits(1).says("Ably refused").says("server ID frontend.7").never_says("support:");
    let nginx =
        Ably::deciding(|_| Answer::plain(403, "<HTML>\r\n<head><title>403 Forbidden</title>"));
    let run = ably(REVOKE).against(&nginx).run();
    run.exits(1)
        .says("answered 403 with a web page, \"403 Forbidden\"")
        .never_says("Ably refused")
        .never_says("\\r");
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
        let base = || ably(REVOKE).args(["--json", "--timeout", "1"]).against(&server);
        let clock = base().args(["--issued-before", "10m"]);
        let control = base().env_remove("ABLY_API_KEY").control(&server, "t0ken-of-mine");
        for program in [clock, control] {
            let run: Program = program;
            let run = run.run();
            run.exits(1);
            let error = get(&run.record("error"), "error").clone();
            assert!(has(&error, "hint"), "{run}");
            assert_eq!(text(&error, "outcome"), "not-sent", "{run}");
            assert_eq!(list(&error, "targets").len(), 1, "{run}");
            assert_eq!(number(&run.record("status"), "exitCode"), 1, "{run}");
        }
    }
}

#[test]
fn a_pause_that_is_too_long_stops_the_run() {
    let targets: Vec<String> = (0..250).map(|n| format!("clientId:user{n}\n")).collect();
    let limited = |seen: &crate::support::Seen| {
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
        let program =
            ably(["auth", "revoke-token", "--targets-file", "-", "--force", "--timeout", "2"]);
        let run = program.stdin(targets.concat()).against(&server).run();
        run.exits(code).says("150 not sent");
        assert_eq!(server.request_count(), requests, "{run}");
    }
}
