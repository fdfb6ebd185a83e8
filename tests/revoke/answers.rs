//! Every way in which an answer can be wrong, late, lost or hostile, and what is said of it. The
//! tables below are the specification: one row an answer.
//!
//! Each row is run twice, for people and with `--json --verbose`. Both must end by themselves
//! within `--timeout` and a second, with the row's exit code, without a panic, without the key,
//! and without a word about a revocation that Ably did not confirm.

use std::time::{Duration, Instant};

use miniserde::json::Value;

use crate::support::*;

/// More than a run may take beyond `--timeout`: the second that it is promised, and what a busy
/// machine needs to start it.
const SLACK: Duration = Duration::from_secs(1 + 3);

fn row(name: &str, play: Play, ends: [Word; 2], code: i32, told: &str) -> Row {
    Row {
        name: name.to_owned(),
        play,
        ends,
        code,
        told: told.to_owned(),
        requests: None,
        timeout: 3,
    }
}

/// One answer, for ever.
fn one(name: &str, answer: Answer, ends: [Word; 2], code: i32, told: &str) -> Row {
    row(name, Play::Answers(vec![answer]), ends, code, told)
}

impl Row {
    fn requests(mut self, count: usize) -> Row {
        self.requests = Some(count);
        self
    }

    fn timeout(mut self, seconds: u64) -> Row {
        self.timeout = seconds;
        self
    }
}

const ALICE: &str =
    r#"{"target":"clientId:alice","issuedBefore":1795428000000,"appliesAt":1795428000000}"#;
const BOB: &str =
    r#"{"target":"clientId:bob","issuedBefore":1795428000000,"appliesAt":1795428000000}"#;
const CAROL: &str = r#"{"target":"clientId:carol","issuedBefore":1,"appliesAt":1}"#;

const NO_ALICE: &str = r#"{"target":"clientId:alice","error":{"message":"Not for you.","code":40121,"statusCode":400}}"#;

const NO_BOB: &str =
    r#"{"target":"clientId:bob","error":{"message":"Not for you.","code":40121,"statusCode":400}}"#;
const LATER_BOB: &str =
    r#"{"target":"clientId:bob","error":{"message":"Slow down.","code":42910,"statusCode":429}}"#;

/// A batch result with these counts, which need not be those of its results.
fn counting(successes: usize, failures: usize, results: &[&str]) -> String {
    format!(
        r#"{{"successCount":{successes},"failureCount":{failures},"results":[{}]}}"#,
        results.join(",")
    )
}

fn batch(results: &[&str]) -> String {
    let failures = results.iter().filter(|result| result.contains("error")).count();
    counting(results.len() - failures, failures, results)
}

fn array(results: &[&str]) -> String {
    format!("[{}]", results.join(","))
}

fn partly(results: &[&str]) -> String {
    format!(
        r#"{{"error":{{"message":"Batched response includes errors","code":40020,"statusCode":400}},"batchResponse":[{}]}}"#,
        results.join(",")
    )
}

/// Bodies with which a 201 confirms neither target.
#[rustfmt::skip] // a table: one row a line
fn empty_promises() -> Vec<Row> {
    let lacks = "no result for it";
    let timeless = "lacks the time from which it applies";
    let shapeless = "answered 201 without a result";
    let not_json = "a body that is not JSON";
    let with = |fields: &str| {
        let results: Vec<String> = TARGETS.iter().map(|target| format!(r#"{{"target":"{target}",{fields}}}"#)).collect();
        counting(2, 0, &[&results.join(",")])
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("an empty body", "".into(), "an empty body"),
        ("white space alone", " \r\n\t".into(), "an empty body"),
        ("an HTML page", "<html><body>Welcome</body></html>".into(), "a web page"),
        ("a word", "OK".into(), not_json),
        ("half a JSON text", batch(&[ALICE, BOB])[..100].into(), not_json),
        ("two JSON texts", format!("{0}{0}", batch(&[ALICE, BOB])).into(), not_json),
        ("UTF-16", "[]".encode_utf16().flat_map(u16::to_le_bytes).chain([0xff]).collect(), "not JSON"),
        ("bytes that are no text", b"\xff\xfe\x80".into(), "not JSON"),
        ("null", "null".into(), shapeless),
        ("true", "true".into(), shapeless),
        ("a number", "1".into(), shapeless),
        ("a string", r#""clientId:alice""#.into(), shapeless),
        ("an empty object", "{}".into(), shapeless),
        ("counts without results", r#"{"successCount":2,"failureCount":0}"#.into(), shapeless),
        ("results that are null", r#"{"results":null}"#.into(), shapeless),
        ("results that are an object", format!(r#"{{"results":{ALICE}}}"#).into(), shapeless),
        ("results one level too deep", format!(r#"{{"response":{}}}"#, batch(&[ALICE, BOB])).into(), shapeless),
        ("a batchResponse without its error", format!(r#"{{"batchResponse":[{ALICE},{BOB}]}}"#).into(), shapeless),
        ("an error", error_body(40000, 400, "what a pity").into(), "answered 201: what a pity (code 40000)"),
        ("an empty array", "[]".into(), lacks),
        ("empty results", batch(&[]).into(), lacks),
        ("counts over empty results", counting(2, 0, &[]).into(), lacks),
        ("someone else's result", batch(&[CAROL]).into(), lacks),
        ("results that are strings", r#"{"results":["clientId:alice","clientId:bob"]}"#.into(), lacks),
        ("a list in a list", format!("[[{ALICE},{BOB}]]").into(), lacks),
        ("targets in other letters", batch(&[ALICE, BOB]).replace("clientId", "clientid").into(), lacks),
        ("targets without their type", batch(&[ALICE, BOB]).replace("clientId:", "").into(), lacks),
        ("targets with a space", batch(&[ALICE, BOB]).replace("\",\"issued", " \",\"issued").into(), lacks),
        ("no appliesAt", with(r#""issuedBefore":1"#).into(), timeless),
        ("no issuedBefore", with(r#""appliesAt":1"#).into(), timeless),
        ("times that are strings", with(r#""issuedBefore":"1","appliesAt":"1""#).into(), timeless),
        ("times that are null", with(r#""issuedBefore":null,"appliesAt":null"#).into(), timeless),
        ("times beyond all measure", with(r#""issuedBefore":1e300,"appliesAt":1e300"#).into(), timeless),
        ("times that no clock can hold", with(r#""issuedBefore":18446744073709551615,"appliesAt":1"#).into(), timeless),
        ("200,000 open brackets", "[".repeat(200_000).into(), "with a body"),
        ("100,000 open objects", r#"{"a":"#.repeat(100_000).into(), "with a body"),
        ("200,000 pairs of brackets", format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)).into(), "with a body"),
        ("results in deep nesting", format!(r#"{{"x":{}{},"results":[{ALICE}]}}"#, "[".repeat(5000), "]".repeat(5000)).into(), "with a body"),
    ];
    cases
        .into_iter()
        .map(|(name, body, told)| {
            let name = format!("a 201 with {name}");
            one(&name, Answer::plain(201, body), [UNKNOWN; 2], 5, told).requests(1)
        })
        .collect()
}

/// Answers with results: each target is judged by its own.
#[rustfmt::skip] // a table: one row a line
fn judged() -> Vec<Row> {
    let accepted = "Ably accepted the revocation for 2 targets";
    let for_alice = "Ably accepted the revocation for client ID alice";
    let refused = "Not for you (code 40121)";
    let contradicts = "contradict each other";
    let both = [REVOKED; 2];
    let neither = [REFUSED; 2];
    let all = batch(&[ALICE, BOB]);
    type Case<'a> = (&'a str, u16, String, [Word; 2], i32, &'a str);
    let cases: Vec<Case<'_>> = vec![
        ("a batch result of two", 201, all.clone(), both, 0, accepted),
        ("a target's error of 50000", 201, batch(&[NO_ALICE, NO_BOB]).replace("40121", "50000"), [UNKNOWN; 2], 5, "(code 50000)"),
        ("a batch result in a 200", 200, all.clone(), both, 0, accepted),
        ("every target refused in a 201", 201, batch(&[NO_ALICE, NO_BOB]), neither, 1, refused),
        ("one of two refused", 201, batch(&[ALICE, NO_BOB]), [REVOKED, REFUSED], 3, for_alice),
        ("one of two lacking", 201, batch(&[ALICE]), [REVOKED, UNKNOWN], 3, for_alice),
        ("one refused, one lacking", 201, batch(&[NO_ALICE]), [REFUSED, UNKNOWN], 5, "holds no result"),
        ("one lacking, someone else's instead", 201, batch(&[ALICE, CAROL]), [REVOKED, UNKNOWN], 3, for_alice),
        ("a bare array", 201, array(&[ALICE, BOB]), both, 0, accepted),
        ("a bare array with an error", 201, array(&[ALICE, NO_BOB]), [REVOKED, REFUSED], 3, refused),
        ("a bare array of errors", 201, array(&[NO_ALICE, NO_BOB]), neither, 1, refused),
        ("a byte order mark before a batch result", 201, format!("\u{feff}{all}"), both, 0, accepted),
        ("40020 behind a byte order mark", 400, format!("\u{feff}{}", partly(&[ALICE, NO_BOB])), [REVOKED, REFUSED], 3, for_alice),
        ("40020 with one success", 400, partly(&[ALICE, NO_BOB]), [REVOKED, REFUSED], 3, for_alice),
        ("40020 with no success", 400, partly(&[NO_ALICE, NO_BOB]), neither, 1, refused),
        ("40020 with results for one", 400, partly(&[NO_ALICE]), [REFUSED, UNKNOWN], 5, "holds no result"),
        ("40020 without results", 400, error_body(40020, 400, "some failed"), [UNKNOWN; 2], 5, "some failed (code 40020)"),
        ("another code with a batchResponse", 400, partly(&[ALICE, BOB]).replace("40020", "40000"), neither, 1, "(code 40000)"),
        ("successes in a 401", 401, all.clone(), neither, 1, "answered 401"),
        ("successes in a 302", 302, all.clone(), [UNKNOWN; 2], 5, "redirect"),
        ("successes in a 302 in the form of 40020", 302, partly(&[ALICE, BOB]), [UNKNOWN; 2], 5, "redirect"),
        ("successes in a 500", 500, all.clone(), [UNKNOWN; 2], 5, "answered 500"),
        ("successes in a 503 in the form of 40020", 503, partly(&[ALICE, BOB]), [UNKNOWN; 2], 5, "answered 503"),
        ("a count that lies about errors", 201, counting(2, 0, &[NO_ALICE, NO_BOB]), neither, 1, refused),
        ("a count that lies about successes", 201, counting(0, 2, &[ALICE, BOB]), both, 0, accepted),
        ("counts that are missing", 201, format!(r#"{{"results":[{ALICE},{BOB}]}}"#), both, 0, accepted),
        ("a target twice with different results", 201, batch(&[ALICE, NO_ALICE, BOB]), [UNKNOWN, REVOKED], 3, contradicts),
        ("a target twice, first refused", 201, batch(&[NO_ALICE, ALICE, NO_BOB]), [UNKNOWN, REFUSED], 5, contradicts),
        ("a target twice with the same result", 201, batch(&[ALICE, ALICE, BOB]), both, 0, accepted),
        ("results in another order with a stranger's", 201, batch(&[CAROL, BOB, ALICE]), both, 0, accepted),
        ("targets in escapes", 201, all.replace("alice", r"\u0061lice"), both, 0, accepted),
        ("times with a fraction of nothing", 201, all.replace("000,", "000.0,"), both, 0, accepted),
        ("fields that nobody knows", 201, all.replace(r#"{"target""#, r#"{"new":[{}],"target""#), both, 0, accepted),
        ("an error that is null", 201, all.replace(r#""applies"#, r#""error":null,"applies"#), both, 0, accepted),
        ("an error that is a string", 201, all.replace(r#""applies"#, r#""error":"no way","applies"#), neither, 1, "no way"),
        ("an error that is false", 201, all.replace(r#""applies"#, r#""error":false,"applies"#), neither, 1, "no reason given"),
        ("an error that is empty", 201, all.replace(r#""applies"#, r#""error":{},"applies"#), neither, 1, "no reason given"),
        ("times before 1970", 201, all.replace("1795428000000", "-1"), both, 0, accepted),
        ("times in the year 300,000,000", 201, all.replace("1795428000000", "9223372036854775807"), both, 0, accepted),
        ("many results and the two among them", 201, batch(&[&[CAROL; 5000][..], &[ALICE, BOB]].concat()), both, 0, accepted),
        ("brackets in a string", 201, all.replace(r#"{"target""#, &format!(r#"{{"x":"{}","target""#, "[".repeat(9000))), both, 0, accepted),
    ];
    cases
        .into_iter()
        .map(|(name, status, body, ends, code, told)| {
            let row = one(name, Answer::json(status, body), ends, code, told);
            // A 5xx is tried again.
            if status < 500 { row.requests(1) } else { row.requests(3) }
        })
        .collect()
}

/// Whole requests that were refused or failed, by their status.
#[rustfmt::skip] // a table: one row a line
fn statuses() -> Vec<Row> {
    let page = "<html><title>\r\n Sorry</title>no</html>";
    let mut rows = Vec::new();
    for status in [400, 401, 402, 403, 404, 405, 407, 409, 410, 413, 418, 422, 431, 451, 499] {
        let told = format!("answered {status} with a web page, \"Sorry\"");
        let answer = Answer::plain(status, page);
        rows.push(one(&format!("a {status}"), answer, [REFUSED; 2], 1, &told).requests(1));
    }
    for (status, requests) in [(408, 3), (421, 3), (425, 3), (500, 3), (501, 3), (502, 3), (503, 3), (504, 3), (505, 1), (511, 1), (599, 1)] {
        let told = format!("answered {status} with a web page, \"Sorry\"");
        let answer = Answer::plain(status, page);
        rows.push(one(&format!("a {status}"), answer, [UNKNOWN; 2], 5, &told).requests(requests));
    }
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let answer = Answer::plain(status, "").header("location", "/keys/APP1.key1/elsewhere");
        let told = format!("answered {status} (a redirect, never followed)");
        rows.push(one(&format!("a {status}"), answer, [UNKNOWN; 2], 5, &told).requests(1));
    }
    let told = "the service is down (code 50003)";
    let down = Answer::error(503, 50003, "the service is down");
    rows.push(one("a 503 in Ably's words", down, [UNKNOWN; 2], 5, told).requests(3));
    let no_content = Answer::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".into());
    rows.push(one("a 204", no_content, [UNKNOWN; 2], 5, "answered 204 with an empty body").requests(1));
    let empty = Answer::plain(401, "");
    rows.push(one("an empty 401", empty, [REFUSED; 2], 1, "answered 401 with an empty body").requests(1));
    let deep = Answer::plain(400, "[".repeat(200_000));
    rows.push(one("a 400 with 200,000 open brackets", deep, [UNKNOWN; 2], 5, "with a body").requests(1));
    let bare = |code| Answer::plain(400, "").header("x-ably-errorcode", code);
    rows.push(one("an empty 400 with its code in a header", bare("40005"), [REFUSED; 2], 1, "code 40005").requests(1));
    rows.push(one("an empty 400 with 40020 in a header", bare("40020"), [UNKNOWN; 2], 5, "code 40020").requests(1));
    let edge = Answer::plain(403, page).header("x-ably-errorcode", "40300").header("x-ably-errormessage", "App disabled.");
    rows.push(one("an error in headers alone", edge, [REFUSED; 2], 1, "App disabled (code 40300)").requests(1));
    let edge = Answer::plain(403, page).header("server", "CloudFront");
    rows.push(one("a 403 of the edge", edge, [UNKNOWN; 2], 5, "answered 403").requests(3));
    let odd = Answer::plain(403, "{}").header("x-ably-errorcode", "forty");
    rows.push(one("an error code that is no number", odd, [REFUSED; 2], 1, "answered 403").requests(1));
    rows
}

/// Ably's known errors, each with what can be done about it.
#[rustfmt::skip] // a table: one row a line
fn known_codes() -> Vec<Row> {
    let cases = [
        (40101, 401, "copy the whole key"),
        (40133, 401, "the key that issued the tokens"),
        (40160, 403, "not enabled for it"),
        (40163, 401, "Revocable tokens"),
        (40164, 401, "Revocable tokens"),
        (40400, 404, "this does not mean that there are no tokens"),
        (40400, 401, "this does not mean that there are no tokens"),
        (42910, 429, "wait a minute"),
    ];
    let row_of = |(code, status, remedy): (u32, u16, &str), form: &str, answer: Answer| {
        let answer = answer.header("retry-after", "3600");
        let name = format!("code {code} in {form} of a {status}");
        one(&name, answer, [REFUSED; 2], 1, remedy).requests(1)
    };
    cases
        .into_iter()
        .flat_map(|case| {
            let body = Answer::json(case.1, error_body(case.0, case.1, "Ably's words."));
            let headers = Answer::plain(case.1, "<html>").header("x-ably-errorcode", &case.0.to_string()).header("x-ably-errormessage", "Ably's words.");
            [row_of(case, "the body", body), row_of(case, "the headers", headers)]
        })
        .collect()
}

/// Answers that are cut, late, endless or no HTTP.
#[rustfmt::skip] // a table: one row a line
fn misbehaviour() -> Vec<Row> {
    let lost = |name: &str, answer: Answer, told: &str| one(name, answer, [UNKNOWN; 2], 5, told);
    let refused = |name: &str, answer: Answer, told: &str| one(name, answer, [REFUSED; 2], 1, told);
    let fine = |name: &str, answer: Answer| {
        let told = "Ably accepted the revocation for 2 targets";
        one(name, answer, [REVOKED; 2], 0, told)
    };
    let raw = |head: &str, body: &str| Answer::Raw(format!("{head}\r\n\r\n{body}").into_bytes());
    let good = batch(&[ALICE, BOB]);
    let length = good.len();
    let incomplete = "before its answer was complete";
    let no_http = "is not HTTP";
    let drip = |at_once: &str, slowly: &str| Answer::Drip { at_once: at_once.into(), slowly: slowly.into(), every: Duration::from_secs(1) };
    let cut = |status| Answer::Truncated { status, length: 5000, body: good.clone().into_bytes() };
    let huge = |status, announced| Answer::Huge { status, bytes: 300_000_000, announced };
    let wide = format!("HTTP/1.1 201 Created\r\nx: {}", "y".repeat(1 << 20));
    let many = format!("HTTP/1.1 201 Created{}", "\r\nx: y".repeat(5000));
    let with_length = format!("HTTP/1.1 201 Created\r\ncontent-length: {length}");
    let head = "HTTP/1.1 201 Created\r\ncontent-length: 300\r\n\r\n";
    vec![
        fine("a chunked body", Answer::Chunked { status: 201, body: good.clone().into() }),
        fine("HTTP/1.0 that ends with the connection", raw("HTTP/1.0 201 Created", &good)),
        lost("100 Continue without end", Answer::Raw("HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000).into()), incomplete).requests(3),
        fine("a 100 Continue first", raw(&format!("HTTP/1.1 100 Continue\r\n\r\n{with_length}"), &good)),
        lost("a truncated 201", cut(201), "").requests(3),
        refused("a truncated 401", cut(401), "answered 401 with a body that breaks off").requests(1),
        lost("a truncated 503", cut(503), "").requests(3),
        lost("a chunk that breaks off", raw("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked", "ff\r\n{"), ""),
        lost("a chunk without a length", raw("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked", &good), ""),
        lost("a negative length", raw("HTTP/1.1 201 Created\r\ncontent-length: -1", &good), ""),
        lost("a length beyond all measure", raw("HTTP/1.1 201 Created\r\ncontent-length: 99999999999999999999", &good), ""),
        lost("a status of two digits", raw("HTTP/1.1 20 Created\r\ncontent-length: 0", ""), no_http).requests(1),
        lost("HTTP/9.9", raw("HTTP/9.9 201 Created\r\ncontent-length: 0", ""), no_http).requests(1),
        lost("a header without a colon", raw("HTTP/1.1 201 Created\r\nnonsense", ""), no_http).requests(1),
        lost("an escape in a header", raw("HTTP/1.1 201 Created\r\nx: \x1b[2J", ""), no_http).requests(1),
        lost("a header of a megabyte", raw(&wide, ""), no_http).requests(1),
        lost("5000 headers", raw(&many, ""), no_http).requests(1),
        lost("garbage", Answer::Garbage, no_http).requests(1),
        lost("closed without a byte", Answer::Close, incomplete).requests(3),
        lost("cut without a byte", Answer::Cut, incomplete).requests(3),
        lost("reset", Answer::Reset, incomplete).requests(3),
        lost("done, and the answer lost", Answer::Close.though_done(), incomplete).requests(3),
        lost("a hang before the headers", Answer::HangBeforeHeaders, "did not answer in time").timeout(1).requests(1),
        lost("a hang after the headers", Answer::HangAfterHeaders, "did not complete its answer in time").timeout(1).requests(1),
        lost("headers at a byte a second", drip("", head), "in time").timeout(2),
        lost("a body at a byte a second", drip(head, &good), "did not complete its answer in time").timeout(2),
        lost("an answer after the time is up", Answer::json(201, good.clone()).after(Duration::from_secs(60)), "in time").timeout(1),
        lost("300 MB in a 201", huge(201, true), "a body of more than 4 MiB").requests(1),
        lost("300 MB without an end", huge(201, false), "a body of more than 4 MiB").requests(1),
        refused("300 MB in a 401", huge(401, true), "a body of more than 4 MiB").requests(1),
        lost("a gzipped body", Answer::plain(201, b"\x1f\x8b\x08\0\0\0\0\0\0\x03").header("content-encoding", "gzip"), ""),
        refused("escapes in the message", Answer::json(400, r#"{"error":{"message":"a\u001b[2J\u202eb\u009b\r\nc","code":40000}}"#), r"a\u{1b}[2J\u{202e}b\u{9b}\r\nc (code 40000)"),
        refused("escapes in a body", Answer::plain(400, "\x1b]0;owned\x07\u{202e}"), r"\u{1b}]0;owned\u{7}\u{202e}"),
        lost("broken UTF-8 in a message", Answer::plain(400, b"{\"error\":{\"message\":\"\xff\x1b\",\"code\":40000}}"), "answered 400"),
        refused("the Authorization header echoed", Answer::EchoAuthorization, "[secret]").requests(1),
    ]
}

/// What goes wrong before a byte of the request has left.
#[rustfmt::skip] // a table: one row a line
fn before_sending() -> Vec<Row> {
    let unsent = |name: &str, play: Play, told: &str| row(name, play, [NOT_SENT; 2], 1, told);
    let tls = |certificate| Play::Door(Door::Tls(certificate));
    vec![
        unsent("an expired certificate", tls(Certificate::Expired), "no other host is tried"),
        unsent("a certificate that has expired, in words", tls(Certificate::Expired), "has expired: it was valid until 2020-01-01T00:00:00Z"),
        unsent("a certificate for another name", tls(Certificate::WrongName), "is for another name: other.example.net"),
        unsent("a certificate of an unknown issuer", tls(Certificate::UnknownIssuer), "comes from an unknown issuer, Stranger CA"),
        unsent("a certificate of a CA's namesake", tls(Certificate::Forged), "does not fit its signature"),
        unsent("a handshake without an answer after a connection", Play::Door(Door::Silent), "nothing in TLS").timeout(1),
        unsent("a CA's own certificate", tls(Certificate::OfTheCa), "is a CA's own"),
        unsent("an alert that wants a certificate", Play::Door(Door::Alert(116)), "wants a client certificate"),
        unsent("an alert without a name here", Play::Door(Door::Alert(200)), "TLS alert 200"),
        unsent("a port without TLS", Play::Door(Door::PlainHttp), "does not speak TLS on this port"),
        unsent("closed in the handshake", Play::Door(Door::Close), "closed the connection before"),
        unsent("reset in the handshake", Play::Door(Door::Reset), "reset the connection before"),
        unsent("a port that nobody listens on", Play::Nobody, "refused the connection"),
        unsent("an address that swallows connections", Play::Silence, "in time").timeout(1),
        unsent("a name that nobody knows", Play::Unresolvable, "the host name nowhere.invalid").timeout(2),
    ]
}

/// Tries one after the other.
#[rustfmt::skip] // a table: one row a line
fn sequences() -> Vec<Row> {
    let good = || Answer::json(201, batch(&[ALICE, BOB]));
    let busy = |seconds: &str| Answer::error(429, 42910, "Slow down.").header("retry-after", seconds);
    let accepted = "Ably accepted the revocation for 2 targets";
    let saved = |name: &str, answers: Vec<Answer>| {
        let count = answers.len();
        row(name, Play::Answers(answers), [REVOKED; 2], 0, accepted).requests(count).timeout(5)
    };
    let refused = |name: &str, answers: Vec<Answer>, told: &str| row(name, Play::Answers(answers), [REFUSED; 2], 1, told);
    let unknown = |name: &str, answers: Vec<Answer>, told: &str| row(name, Play::Answers(answers), [UNKNOWN; 2], 5, told);
    let mixed = Answer::json(201, batch(&[ALICE, LATER_BOB]));
    let down = || Answer::plain(500, "");
    vec![
        saved("a 500, then success", vec![down(), good()]),
        saved("two 503s, then success", vec![Answer::plain(503, ""), Answer::plain(503, ""), good()]),
        saved("a reset, then success", vec![Answer::Reset, good()]),
        saved("closed, then success", vec![Answer::Close, good()]),
        saved("done and lost, then success", vec![Answer::Cut.though_done(), good()]),
        saved("a 429 once", vec![busy("1"), good()]),
        saved("a 429 once that does not say how long", vec![Answer::error(429, 42910, "Slow down."), good()]),
        saved("a 429, a 500, then success", vec![busy("0"), down(), good()]),
        refused("a 429 for ever", vec![busy("1")], "Slow down (code 42910); localhost:"),
        refused("a 429 that lasts too long", vec![busy("60")], "asks to wait 60 s, which is longer than --timeout leaves").requests(1),
        refused("a 429 beyond all measure", vec![busy("99999999999999999999")], "longer than --timeout leaves").requests(1),
        refused("a 429 for ever without a time", vec![Answer::plain(429, "")], "rate limit lasted longer than --timeout"),
        refused("a 500, then 401", vec![down(), Answer::error(401, 40101, "Wrong.")], "Wrong (code 40101)").requests(2),
        saved("one of two limited, then success", vec![mixed.clone(), good()]),
        row("one of two limited for ever", Play::Answers(vec![mixed.clone()]), [REVOKED, REFUSED], 3, "Slow down (code 42910)"),
        row("one of two limited, then lost", Play::Answers(vec![mixed.clone(), Answer::Close]), [REVOKED, UNKNOWN], 3, "before its answer was complete").timeout(5),
        row("one of two limited, then refused", Play::Answers(vec![mixed, Answer::json(201, batch(&[NO_BOB]))]), [REVOKED, REFUSED], 3, "Not for you (code 40121)").requests(2).timeout(5),
        // The first may have been done; a rate limit says nothing about it.
        unknown("a 503 although it was done, then a 429 that lasts too long", vec![Answer::plain(503, "").though_done(), busy("60")], "").requests(2),
        unknown("a reset, then a hang", vec![Answer::Reset, Answer::HangBeforeHeaders], "").timeout(2),
        unknown("a reset, then 500s", vec![Answer::Reset, down()], "answered 500").requests(3),
        unknown("a 500, then resets", vec![down(), Answer::Reset], "answered 500").requests(3),
    ]
}

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    let tables =
        [empty_promises, judged, statuses, known_codes, misbehaviour, before_sending, sequences];
    tables.into_iter().flat_map(|table| table()).collect()
}

pub(crate) fn each_row(rows: &[Row], check: impl Fn(&Row) + Sync) {
    struct Named<'a>(&'a str);
    impl Drop for Named<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("in the row: {}", self.0);
            }
        }
    }
    each(rows, |row| {
        let _named = Named(&row.name);
        check(row);
    });
}

fn timed(row: &Row, program: Program) -> Run {
    let start = Instant::now();
    let run = program.run();
    let most = Duration::from_secs(row.timeout) + SLACK;
    let took = start.elapsed();
    run.check(took < most, &format!("took {took:?} with --timeout {}", row.timeout));
    run
}

fn asked_as_often_as_told(stage: &Stage, row: &Row, run: &Run) {
    if let (Some(server), Some(expected)) = (&stage.server, row.requests) {
        let count = server.request_count();
        run.check(count == expected, &format!("{count} requests instead of {expected}"));
    }
}

fn told_to_people(row: &Row) {
    let stage = Stage::set(&row.play);
    let run = timed(row, stage.program(row));
    is_decent(&run, row.code);
    run.prints_nothing().says(&row.told);
    assert_eq!(told(&run), (tally(row.ends), 1), "{run}");
    match tally(row.ends)[0] {
        0 => run.never_says("accepted").says("error: "),
        1 => run.says("accepted the revocation for client ID ").says("error: "),
        _ => run.never_says("error"),
    };
    // The line that a success begins with.
    let success = run.stderr.lines().any(|line| line.starts_with("revoked:"));
    run.check(success == row.ends.contains(&REVOKED), "success where there is one, and only there");
    if row.ends == [UNKNOWN; 2] {
        run.says("it is unknown whether Ably revoked the tokens of ");
    }
    asked_as_often_as_told(&stage, row, &run);
}

fn told_to_scripts(row: &Row) {
    let stage = Stage::set(&row.play);
    let run = timed(row, stage.program(row).args(["--json", "--verbose"]));
    is_decent(&run, row.code);
    run.says_nothing();
    assert_eq!(number(&run.record("status"), "exitCode"), row.code as u64, "{run}");
    let expected = TARGETS.into_iter().zip(row.ends);
    let expected = expected.map(|(target, word)| (target.to_owned(), word.to_owned())).collect();
    assert_eq!(outcomes(&run), expected, "{run}");
    let all = row.ends == [REVOKED; 2];
    for record in run.json().iter().filter(|record| text(record, "type") == "result") {
        assert_eq!(flag(record, "success"), all, "{run}");
    }
    asked_as_often_as_told(&stage, row, &run);
}

#[test]
fn every_answer_is_told_as_what_it_is() {
    let rows = rows();
    println!("{} rows", rows.len());
    each_row(&rows, told_to_people);
}

#[test]
fn every_answer_is_told_to_scripts_as_what_it_is() {
    each_row(&rows(), told_to_scripts);
}

#[test]
fn no_two_rows_share_a_name() {
    let mut names: Vec<String> = rows().into_iter().map(|row| row.name).collect();
    let all = names.len();
    assert!(all >= 100, "only {all} rows");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn a_known_code_comes_with_ablys_words_its_page_and_a_remedy() {
    let server = Ably::deciding(|_| Answer::error(401, 40133, "Not the key.\u{202e}"));
    let program = || revoke_alice().against(&server);
    let run = program().run();
    run.exits(1).says("error: Ably refused to revoke the tokens of client ID alice: Not the key");
    run.says("(code 40133)\n  use the key that issued the tokens");
    run.says("\n  see https://help.ably.io/error/40133\n");
    let run = program().arg("--json").run();
    run.exits(1);
    let error = run.record("error");
    assert_eq!(number(&error, "error.code"), 40133);
    assert_eq!(number(&error, "error.statusCode"), 401);
    assert_eq!(text(&error, "error.href"), "https://help.ably.io/error/40133");
    assert!(text(&error, "error.hint").contains("the key that issued the tokens"));
    assert!(
        matches!(get(&error, "error.targets.0"), Value::String(alice) if alice == "clientId:alice")
    );
}

/// As the full CLI has it: scripts that look for errors alone find it, beside the `result`.
#[test]
fn where_the_only_target_is_refused_an_error_with_that_target_follows_its_result() {
    let server = Ably::start();
    server.refuse("clientId:alice", 40121, 400, "Not for you.");
    let run = revoke_alice().against(&server).arg("--json").run();
    let kinds: Vec<String> =
        run.exits(1).json().iter().map(|record| text(record, "type").to_owned()).collect();
    assert_eq!(kinds, ["result", "error", "status"]);
    let error = run.record("error");
    assert_eq!(text(&error, "target"), "clientId:alice");
    assert_eq!((text(&error, "outcome"), number(&error, "error.code")), (REFUSED, 40121));
    assert!(!flag(&error, "success") && !has(&error, "targets"), "it is in the result already");
    // Of several, each is in the result alone.
    let two = revoke_alice().args(["--client-id", "bob"]).against(&server).arg("--json").run();
    assert!(two.exits(3).json().iter().all(|record| text(record, "type") != "error"));
}

#[test]
fn a_body_that_is_no_json_is_shown_up_to_200_characters() {
    let page = format!("<p>{}</p>", "é".repeat(500));
    let server = Ably::deciding(move |_| Answer::plain(403, page.clone()));
    let run = revoke_alice().against(&server).run();
    run.exits(1).says(&format!("<p>{}…", "é".repeat(197)));
    run.never_says(&"é".repeat(198));
}

/// A page without Ably's code is a proxy's or a firewall's.
#[test]
fn only_what_ably_said_is_told_as_its_refusal() {
    for (answer, is_ablys) in [
        (Answer::error(403, 40300, "App disabled."), true),
        (Answer::plain(403, "<html>Denied</html>"), false),
        (Answer::plain(401, ""), false),
    ] {
        let server = Ably::scripted([answer]);
        let run = revoke_alice().against(&server).run();
        let told = run.exits(1).stderr.contains("Ably refused");
        run.check(told == is_ablys, &format!("it is Ably that refused: {is_ablys}"));
    }
}

#[test]
fn what_to_do_where_nothing_is_known_fits_the_answer() {
    let (again, way) = ("run the same command again", "open the way to Ably");
    let elsewhere = || Answer::plain(302, "").header("location", "/sign-in");
    for (answer, remedy, other) in [
        (Answer::plain(201, "{}"), "\n  run the same command again", way),
        (Answer::error(503, 50003, "down"), "\n  run the same command again", way),
        (Answer::error(503, 50305, "down"), "Ably's support; then run the same", way),
        (elsewhere(), way, again),
    ] {
        let server = Ably::deciding(move |_| answer.clone());
        revoke_alice().against(&server).run().exits(5).says(remedy).never_says(other);
    }
}

/// As many as take three requests; the first is refused.
fn refused_at_first(answer: &Answer) -> (Ably, Run) {
    let targets: Vec<String> = (0..250).map(|n| format!("clientId:user{n}\n")).collect();
    let server = Ably::scripted([answer.clone()]);
    let program = command().args(["--targets-file", "-", "--force"]);
    let run = program.stdin(targets.concat()).against(&server).run();
    (server, run)
}

#[test]
fn a_key_that_ably_does_not_know_stops_its_other_requests() {
    for (status, code) in [(401, 40400), (404, 40400), (400, 40005), (401, 40101), (403, 40160)] {
        let (server, run) = refused_at_first(&Answer::error(status, code, "No such key."));
        run.exits(1).says("150 not sent").says(&code.to_string());
        assert_eq!(server.request_count(), 1, "{status} with {code}");
    }
    let (server, run) = refused_at_first(&Answer::error(400, 40000, "Something else."));
    run.exits(3).says("150 revoked");
    assert_eq!(server.request_count(), 3);
}

#[test]
fn channels_that_are_not_enabled_stop_no_client_ids() {
    let server = Ably::deciding(|seen| match seen.targets()[0].starts_with("channel:") {
        true => Answer::error(401, 40121, "Not for channels."),
        false => success(seen),
    });
    let (channels, clients) = (
        (0..100).map(|n| format!("channel:room{n}\n")),
        (0..100).map(|n| format!("clientId:user{n}\n")),
    );
    let targets: Vec<String> = channels.chain(clients).collect();
    let program = command().args(["--targets-file", "-", "--force"]);
    let run = program.stdin(targets.concat()).against(&server).run();
    run.exits(3).says("200 targets: 100 revoked, 100 refused");
}

#[test]
fn a_bad_request_with_a_time_is_told_as_one_about_the_time() {
    let bad = Answer::json(400, error_body(40000, 400, "Bad request."));
    let server = Ably::deciding(move |_| bad.clone());
    let program = || revoke_alice().against(&server);
    let timed = program().args(["--issued-before", "1795428000000"]).run();
    timed.exits(1).says("Bad request").says("give --issued-before a time");
    program().run().exits(1).says("Bad request").never_says("--issued-before");
}

/// Neither "check the API key" nor "run it again" helps where it is not Ably that answers.
#[test]
fn a_page_from_something_on_the_way_is_told_as_such() {
    let page = "<!DOCTYPE html><html><head><title>Blocked</title></head></html>";
    for (status, code) in [(200, 5), (201, 5), (401, 1), (403, 1), (404, 1)] {
        let server = Ably::deciding(move |_| Answer::plain(status, page));
        let run = revoke_alice().against(&server).run();
        run.exits(code).says("Blocked").says("something between here and Ably answered");
        run.never_says("check the API key").never_says("run the same command again");
    }
    for status in [301, 302, 307] {
        let away = move || Answer::plain(status, "").header("location", "https://login.example/");
        let server = Ably::deciding(move |_| away());
        let run = revoke_alice().against(&server).run();
        run.exits(5).says("something between here and Ably answered");
        run.never_says("run the same command again");
    }
}
