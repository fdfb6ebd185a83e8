//! From a leaked token to the target that revokes it. Whatever the token holds, nothing of it is
//! shown but the claims that name its key and its targets.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::*;

fn wrapped(text: &str, width: usize, end: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines: Vec<String> = characters.chunks(width).map(String::from_iter).collect();
    lines.join(end)
}

/// Token, and the target that it names. The forms are in the unit tests of `jwt`: these rows are
/// what becomes of them outside.
#[rustfmt::skip] // a table: one row a line
fn good_tokens() -> Vec<(&'static str, String, &'static str)> {
    let (whole, now) = (for_alice(), now());
    let bearer = STANDARD.encode(&whole);
    let alice = "clientId:alice";
    vec![
        ("plain", whole.clone(), alice),
        ("group", with(GROUP), "revocationKey:g1"),
        ("BOM and CRLF", format!("\u{feff}\t {whole} \r\n\r\n"), alice),
        ("Ably's header line", format!("'Authorization: Bearer {bearer}'"), alice),
        ("without signature", whole.replace(SIGNATURE, ""), alice),
        ("no times", jwt(HEADER, &format!(r#"{{"jti":"{INNER}"{ALICE}}}"#)), alice),
        ("iat at the world's beginning", timed(i64::MIN, now + 60), alice),
        ("exp far beyond", timed(now, "1e300"), alice),
        ("an empty revocation key", with(r#","x-ably-clientId":"alice","x-ably-revocation-key":"""#), alice),
        ("any client, but a group", with(r#","x-ably-clientId":"*","x-ably-revocation-key":"g1""#), "revocationKey:g1"),
        ("letters of the world", with(r#","x-ably-clientId":"\u0416 é 😀""#), "clientId:Ж é 😀"),
        ("hostile characters", with(r#","x-ably-clientId":"a\u202e\u2066""#), "clientId:a\u{202e}\u{2066}"),
        ("line breaks in its header", jwt("{\n  \"alg\": \"HS256\",\r\n\t\"kid\": \"APP1.key1\"\n}", &payload(ALICE)), alice),
        ("a blank in its header, in base64", STANDARD.encode(jwt("{ \"kid\":\"APP1.key1\"}", &payload(ALICE))), alice),
        ("a tab in its header, in base64", STANDARD.encode(jwt("{\t\"kid\":\"APP1.key1\"}", &payload(ALICE))), alice),
        ("a header of 6 KB", jwt(&format!(r#"{{"x5c":["{}"],"kid":"APP1.key1"}}"#, "M".repeat(6000)), &payload(ALICE)), alice),
        ("percent-encoded dots", format!("?accessToken={}&v=2", whole.replace('.', "%2E")), alice),
        ("escaped dots", format!(r#"{{"token":"{}"}}"#, whole.replace('.', r"\u002e")), alice),
        ("large", with(&format!(r#","sub":"{}"{ALICE}"#, "x".repeat(40_000))), alice),
    ]
}

/// Token, and words of the error.
#[rustfmt::skip] // a table: one row a line
fn bad_tokens() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (whole, now) = (for_alice(), now());
    let of_header = |header: &str| jwt(header, &payload(ALICE)).into_bytes();
    let of = |claims: &str| with(claims).into_bytes();
    let opaque = format!("xVLyHw.{SIGNATURE}");
    vec![
        ("white space", b" \r\n\t\n".to_vec(), "is empty"),
        ("an API key in base64", STANDARD.encode(KEY).into_bytes(), "is an API key"),
        ("an opaque token in a header", format!("Authorization: Bearer {}", STANDARD.encode(&opaque)).into_bytes(), "opaque Ably token of app xVLyHw"),
        ("wrapped line", wrapped(&format!("Authorization: Bearer {whole}"), 76, "\n").into_bytes(), "holds no token of an Ably key"),
        ("gzip", b"\x1f\x8b\x08\x00eyJhbGciOiJIUzI1NiJ9".to_vec(), "is compressed"),
        ("no token", b"GET / HTTP/1.1 200 eyJ eyJh.eyJh.x\n".to_vec(), "holds no token of an Ably key"),
        ("cut in the middle", format!("{}.", &whole[..whole.len() / 16 * 8]).into_bytes(), "payload cannot be decoded"),
        ("kid is a whole key", of_header(&format!(r#"{{"kid":"{KEY}"}}"#)), "names no Ably key"),
        ("kid with escapes", of_header(r#"{"kid":"APP1.key1\u001b[2J\r\n"}"#), "names no Ably key"),
        ("client twice", of(r#","x-ably-clientId":"alice","x-ably-clientId":"bob""#), "x-ably-clientId comes more than once"),
        ("embedded in the payload", of(&format!(r#","x-ably-token":"xVLyHw.{INNER}"{ALICE}"#)), "carries an Ably token (x-ably-token)"),
        ("iat is a text", timed(format!("\"{INNER}\""), now + 60).into_bytes(), "its iat is not a time"),
        ("expired", timed(now - 7200, now - 3600).into_bytes(), "the token expired at 2"),
        ("expires now", timed(now - 60, now).into_bytes(), "the token expired at 2"),
        ("exp 0", timed(0, 0).into_bytes(), "the token expired at 1970"),
        ("exp before that", timed(0, "-1e300").into_bytes(), "the token expired at"),
        ("a line break in the client's ID", of(r#","x-ably-clientId":"a\nclientId:bob""#), "x-ably-clientId holds a line break"),
        ("an odd character in the group", of(r#","x-ably-revocation-key":"a\u2028b""#), "x-ably-revocation-key holds a line break"),
        ("a token for a client's ID", of(&format!(r#","x-ably-clientId":"{whole}""#)), "holds a key or a token"),
        ("another issuer's", jwt(r#"{"alg":"HS256","kid":"auth.2024"}"#, &format!(r#"{{"sub":"{INNER}"}}"#)).into_bytes(), "no claim of it is Ably's"),
        ("neither claim", of(""), "neither a client ID nor a revocation key"),
        ("any client", of(r#","x-ably-clientId":"*""#), "any client ID (*)"),
        ("empty claims", of(r#","x-ably-clientId":"","x-ably-revocation-key":"""#), "neither a client ID nor"),
        ("both", of(BOTH), "client ID and a revocation key"),
        ("open lists", jwt(HEADER, &"[".repeat(30_000)).into_bytes(), "holds no token of an Ably key"),
        ("over 64 KiB", of(&format!(r#","sub":"{}"{ALICE}"#, "x".repeat(64 << 10))), "longer than 64 KiB"),
        ("over 1 MiB", vec![b'x'; (1 << 20) + 1], "holds no token of an Ably key"),
    ]
}

/// A run with this token, which shows nothing of it.
fn given(token: &str, server: &Ably, args: &[&str]) -> Run {
    let run = leaked(token).against(server).args(args).stdin("").run();
    hides(&run, token);
    run
}

#[test]
fn every_good_token_ends_in_its_target_and_is_not_shown() {
    let server = Ably::start();
    each(&good_tokens(), |(name, token, target)| {
        let dry = given(token, &server, &["--dry-run", "--json"]);
        let result = dry.holding("request");
        dry.check(text(&result, "request.body.targets.0") == *target, name);
        dry.check(list(&result, "request.body.targets").len() == 1, name);
        for extra in [&["--verbose"][..], &["--json", "--verbose"], &["--pretty-json"]] {
            let run = leaked(token).against(&server).arg("--force").args(extra).run();
            run.check(run.code == Some(0), name);
            hides(&run, token);
        }
        let plan = leaked(token).against(&server).run();
        plan.check(plan.code == Some(4), name);
        hides(plan.says("APP1.key1"), token);
    });
    let revoked: Vec<String> = server.revoked().into_iter().map(|one| one.target).collect();
    for (name, _, target) in good_tokens() {
        assert!(revoked.iter().any(|one| one == target), "{name}");
    }
}

#[test]
fn every_bad_token_ends_in_plain_words_with_a_way_out_and_is_not_shown() {
    let server = Ably::unreached();
    each(&bad_tokens(), |(name, token, words)| {
        let shown = String::from_utf8_lossy(token);
        let run = leaked(token).against(&server).args(["--force", "--verify", "--verbose"]).run();
        run.check(run.code == Some(2), name).says(words).says("error: ").prints_nothing();
        hides(&run, &shown);
        let remedy = run.stderr.lines().any(|line| line.starts_with("  "));
        run.check(remedy, &format!("{name}: should say what to do"));
        let run = leaked(token).against(&server).args(["--force", "--json"]).run();
        run.check(run.code == Some(2), name).says_nothing();
        hides(&run, &shown);
        let error = run.record("error");
        run.check(text(&error, "error.message").contains(words), name);
        assert_eq!(number(&run.record("status"), "exitCode"), 2, "{name}");
        let run = leaked(token).against(&server).arg("--dry-run").run();
        hides(run.exits(2), &shown);
    });
}

#[test]
fn a_life_over_an_hour_is_a_warning_that_nobody_misses_and_no_hindrance() {
    let server = Ably::start();
    let warning = "claims a life of over an hour";
    let long = timed(now() - 60, now() + 7200);
    for extra in [&[][..], &["--force"], &["--dry-run"]] {
        let run = leaked(&long).against(&server).args(extra).stdin("y\n").run();
        run.exits(0).says("warning").says(warning).says("it may stay valid");
    }
    let two = format!("{long} {}", timed(now() - 61, now() + 7200));
    let run = leaked(&two).against(&server).run();
    run.exits(4).says("2 of the tokens claim a life").says("they may stay valid");
    let run = leaked(&long).against(&server).args(["--force", "--json"]).run();
    run.exits(0).prints(warning);
    // Whenever it was issued: with more than an hour left, it lives longer.
    let without_start = jwt(HEADER, &format!(r#"{{"exp":{}{ALICE}}}"#, now() + 7200));
    leaked(&without_start).against(&server).run().exits(4).says(warning);
    leaked(for_alice()).against(&server).run().exits(4).never_says(warning).never_says("warning");
}

#[test]
fn by_decides_between_both_claims() {
    let server = Ably::start();
    let token = with(BOTH);
    for (by, target) in [("client-id", "clientId:alice"), ("revocation-key", "revocationKey:g1")] {
        let run = given(&token, &server, &["--force", "--by", by]);
        hides(run.exits(0), &token);
        assert_eq!(server.revoked().last().unwrap().target, target);
        let run = leaked(&token).against(&server).arg(format!("--by={by}")).run();
        let claim = if by == "client-id" { "x-ably-clientId" } else { "x-ably-revocation-key" };
        run.exits(4).says(claim);
    }
    let sent = server.request_count();
    for by in ["clientId", "", "Client-Id", "channel"] {
        let run = given(&token, &server, &["--force", "--by", by]);
        run.exits(2).says("--by");
    }
    assert_eq!(server.request_count(), sent);
    // A token with one claim has nothing to be decided.
    let any = with(r#","x-ably-clientId":"*","x-ably-revocation-key":"g1""#);
    for (token, by, target) in [
        (for_alice(), "revocation-key", "clientId:alice"),
        (with(GROUP), "client-id", "revocationKey:g1"),
        (any, "client-id", "revocationKey:g1"),
    ] {
        leaked(token).against(&server).args(["--force", "--by", by]).run().exits(0);
        assert_eq!(server.revoked().last().unwrap().target, target);
    }
}

#[test]
fn a_token_excludes_the_other_targets_and_by_and_verify_need_one() {
    let server = Ably::unreached();
    for (program, extra) in [
        (leaked(for_alice()), &["--client-id", "alice"][..]),
        (leaked(for_alice()), &["--revocation-key", "g1"]),
        (leaked(for_alice()), &["--channel", "c"]),
        (leaked(for_alice()), &["--targets-file", "/dev/null"]),
        (leaked(for_alice()), &["--from-token", "/dev/null"]),
        (alice(), &["--by", "client-id"]),
        (alice(), &["--verify"]),
    ] {
        let run = program.against(&server).arg("--force").args(extra).run();
        run.exits(2).says("--from-token").says(extra[0]);
    }
}

#[test]
fn a_token_on_stdin_needs_force_and_stdin_to_itself() {
    let (server, token) = (Ably::start(), for_alice());
    let from_stdin = |extra: &[&str]| {
        let program = command().args(["--from-token", "-"]).towards(&server).args(extra);
        program.stdin(format!("{token}\n"))
    };
    hides(from_stdin(&["--force"]).keyed().run().exits(0), &token);
    hides(from_stdin(&["--dry-run"]).keyed().run().exits(0).says("clientId:alice"), &token);
    let sent = server.request_count();
    for (program, other) in [
        (from_stdin(&[]).keyed(), "--force"),
        (from_stdin(&["--force", "--api-key-file", "-"]), "--api-key-file"),
        (from_stdin(&["--force"]).env("ABLY_API_KEY_FILE", "-"), "ABLY_API_KEY_FILE"),
        (from_stdin(&["--force", "--targets-file", "-"]), "--targets-file"),
    ] {
        hides(program.run().exits(2).says("--from-token").says(other), &token);
    }
    assert_eq!(server.request_count(), sent);
}

#[test]
fn the_question_names_claim_key_and_life() {
    let server = Ably::start();
    let (iat, exp) = (now() - 100, now() + 500);
    let token = timed(iat, exp);
    let run = leaked(&token).against(&server).stdin("y\n").run();
    hides(&run, &token);
    run.exits(0).says("client ID alice").says("x-ably-clientId").says(KEY_NAME);
    run.says("from ABLY_API_KEY").says(&utc(iat)).says(&utc(exp));
    let (_, rest) = run.stderr.split_once('(').unwrap_or_default();
    let left: i64 = rest.split(' ').next().unwrap_or_default().parse().unwrap_or(-1);
    run.check((480..=500).contains(&left), "should say how many seconds are left");
    run.check(run.stderr.contains("not verified"), "should not promise more than it knows");
    let sent = server.request_count();
    leaked(&token).against(&server).stdin("n\n").run().exits(4);
    let dry = leaked(&token).against(&server).arg("--dry-run").run();
    hides(&dry, &token);
    dry.exits(0).says("nothing was sent").says("x-ably-clientId").says(&utc(iat)).says(&utc(exp));
    given(&token, &server, &["--dry-run", "--verify"]).exits(0);
    assert_eq!(server.request_count(), sent);
}

/// `2026-11-23T10:00:00`, as the tool shows a Unix time in seconds.
fn utc(seconds: i64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
    humantime::format_rfc3339_seconds(time).to_string().trim_end_matches('Z').to_owned()
}

#[test]
fn scripts_get_the_tokens_claims_and_nothing_else_of_it() {
    let server = Ably::start();
    let token = with(BOTH);
    server.add_token(Token::new(&token).client_id("alice"));
    let args = ["--force", "--json", "--by", "client-id"];
    let run = leaked(&token).against(&server).args(args).arg("--verify").run();
    hides(run.exits(0), &token);
    let result = run.holding("revocation");
    let issued = number(&result, "revocation.token.issuedAt");
    assert_eq!(number(&result, "revocation.token.expiresAt"), issued + 3_600_000);
    assert!(issued / 1000 <= now().unsigned_abs() && issued / 1000 + 120 > now().unsigned_abs());
    assert_eq!(text(&result, "revocation.token.keyName"), KEY_NAME);
    assert_eq!(text(&result, "revocation.token.clientId"), "alice");
    assert_eq!(text(&result, "revocation.token.revocationKey"), "g1");
    assert!(flag(&result, "revocation.verified"));
    let miniserde::json::Value::Object(claims) = get(&result, "revocation.token") else {
        panic!("no object\n{run}");
    };
    assert_eq!(claims.len(), 8, "{run}");
    assert_eq!(text(&result, "revocation.token.capability.chat:*.0"), "publish");
    let run = leaked(&token).against(&server).args(args).run();
    assert!(!has(&run.holding("revocation"), "revocation.verified"), "{run}");
    let run = leaked(jwt(HEADER, r#"{"x-ably-clientId":"alice"}"#)).against(&server);
    let run = run.args(["--force", "--pretty-json"]).run();
    let result = &run.exits(0).pretty_json()[0];
    for absent in ["issuedAt", "expiresAt", "revocationKey"] {
        assert!(!has(result, &format!("revocation.token.{absent}")), "{run}");
    }
    let run = alice().args(["--force", "--json"]);
    let run = run.against(&server).run();
    let result = run.holding("revocation");
    assert!(!has(&result, "revocation.token") && !has(&result, "revocation.verified"), "{run}");
}
