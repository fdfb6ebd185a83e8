//! From a leaked token to the target that revokes it, and to the proof that it is dead. Whatever
//! the token holds, nothing of it is shown but the claims that name its key and its targets.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::support::{
    Ably, Answer, Control, ControlKey, Ended, Folder, KEY, KEY_NAME, Program, Run, Seen, Terminal,
    Token, ably, flag, get, has, list, number, text,
};

const HEADER: &str = r#"{"typ":"JWT","alg":"HS256","kid":"APP1.key1"}"#;
const SIGNATURE: &str = "s1gnature-m4rker_0KxPqZ3vWn7RtY5uBcDeFg";
/// Stands in the payload, in a claim that is nobody's business.
const INNER: &str = "p4yload-m4rker-5d1e";
const OTHER_KEY: &str = "APP1.key2:0ther-s3cret-4411";
const OTHER_APPS_KEY: &str = "APP2.key1:0ther-s3cret-4412";
const ACCESS_TOKEN: &str = "c0ntrol-t0ken-88";
/// How long a proof is waited for without the margin.
const LIMIT: Duration = Duration::from_secs(10);

/// Unix seconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn jwt(header: &str, payload: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{SIGNATURE}", part(header), part(payload))
}

/// A payload as an auth server makes it, issued a minute ago for an hour, with these claims.
fn payload(claims: &str) -> String {
    let issued = now() - 60;
    let times = format!(r#""iat":{issued},"exp":{}"#, issued + 3600);
    format!(r#"{{{times},"x-ably-capability":"{{\"{INNER}\":[\"*\"]}}"{claims}}}"#)
}

const ALICE: &str = r#","x-ably-clientId":"alice""#;
const GROUP: &str = r#","x-ably-revocation-key":"g1""#;
const BOTH: &str = r#","x-ably-clientId":"alice","x-ably-revocation-key":"g1""#;

/// A token with these claims.
fn with(claims: &str) -> String {
    jwt(HEADER, &payload(claims))
}

fn alice() -> String {
    with(ALICE)
}

/// A token for alice with these times, as JSON.
fn timed(iat: impl ToString, exp: impl ToString) -> String {
    let (iat, exp) = (iat.to_string(), exp.to_string());
    jwt(HEADER, &format!(r#"{{"iat":{iat},"exp":{exp},"jti":"{INNER}"{ALICE}}}"#))
}

/// The command with this token in a file.
fn leaked(token: impl AsRef<[u8]>) -> Program {
    let program = ably(["auth", "revoke-token"]);
    let file = program.home().write("leaked.txt", token);
    program.arg("--from-token").arg(file)
}

/// Nothing of a token on any of these streams but its claims: not the whole, no eight characters
/// of its signature, none of its payload, encoded or not.
fn shown_of(token: &str, streams: &[&str]) -> Option<String> {
    let token: String = token.chars().filter(|c| !c.is_whitespace()).collect();
    let mut forbidden = vec![INNER.to_owned()];
    if !token.is_empty() {
        forbidden.push(STANDARD.encode(&token));
    }
    for part in token.split(['.', ':', '"', '\'']).chain([SIGNATURE]) {
        let characters: Vec<char> = part.chars().collect();
        // An app's ID is shorter.
        if characters.len() > 12 {
            forbidden.extend(characters.windows(8).map(String::from_iter));
        }
    }
    forbidden.into_iter().find(|part| streams.iter().any(|stream| stream.contains(part)))
}

#[track_caller]
fn hides(run: &Run, token: &str) {
    run.never_says("panicked").hides_the_key();
    run.hides(SIGNATURE).hides(INNER);
    let shown = shown_of(token, &[&run.stdout, &run.stderr]);
    run.check(shown.is_none(), &format!("should not show {shown:?}"));
    let raw = |stream: &str| stream.contains(|c: char| c.is_control() && c != '\n');
    let fits = !raw(&run.stdout) && !raw(&run.stderr);
    run.check(fits, "should show nothing that a terminal obeys");
}

/// Checks each row, several at once; fails with all that failed.
fn each<T: Sync>(rows: &[T], at_once: usize, check: impl Fn(&T) + Sync) {
    let (next, failures) = (Mutex::new(rows.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some(row) = next.lock().unwrap().next() else {
                        return;
                    };
                    let checked = std::panic::AssertUnwindSafe(|| check(row));
                    if let Err(panic) = std::panic::catch_unwind(checked) {
                        let text = panic.downcast_ref::<String>().cloned();
                        failures.lock().unwrap().push(text.unwrap_or_default());
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let all = failures.join("\n\n");
    assert!(failures.is_empty(), "{} of {}:\n{all}", failures.len(), rows.len());
}

// The table of tokens.

fn wrapped(text: &str, width: usize, end: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines: Vec<String> = characters.chunks(width).map(String::from_iter).collect();
    lines.join(end)
}

/// Token, and the target that it names.
fn good_tokens() -> Vec<(&'static str, String, &'static str)> {
    let (whole, now) = (alice(), now());
    let bearer = STANDARD.encode(&whole);
    let of_header = |header: &str| jwt(header, &payload(ALICE));
    let of = |claims: &str| jwt(HEADER, &format!(r#"{{"jti":"{INNER}"{claims}}}"#));
    let encoded = |encode: &dyn Fn(&str) -> String| {
        let payload = payload(r#","x-ably-clientId":"alice","sub":"??>>~~ÿÿ""#);
        format!("{}.{}.{SIGNATURE}", encode(HEADER), encode(&payload))
    };
    let alice = "clientId:alice";
    let group = "revocationKey:g1";
    vec![
        ("plain", whole.clone(), alice),
        ("group", with(GROUP), group),
        ("LF", format!("{whole}\n"), alice),
        ("BOM and CRLF", format!("\u{feff}\t {whole} \r\n\r\n"), alice),
        ("wrapped", wrapped(&whole, 64, "\n"), alice),
        ("wrapped, CRLF, indented", wrapped(&whole, 40, "\r\n    "), alice),
        ("spaces", wrapped(&whole, 7, " "), alice),
        ("line ends at the dots", whole.replace('.', "\n.\n"), alice),
        ("double quotes", format!("\"{whole}\""), alice),
        ("single quotes", format!("'{whole}'\n"), alice),
        ("backquotes", format!("`{whole}`"), alice),
        ("from JSON", format!("  \"{whole}\",\n"), alice),
        ("header line", format!("Authorization: Bearer {whole}\r\n"), alice),
        ("lower case", format!("authorization:bearer {whole}\n"), alice),
        ("upper case", format!("AUTHORIZATION: BEARER {whole}\n"), alice),
        ("quoted line", format!("'Authorization: Bearer {whole}'"), alice),
        ("line with a quoted token", format!("Authorization: Bearer \"{whole}\""), alice),
        ("wrapped line", wrapped(&format!("Authorization: Bearer {whole}"), 76, "\n"), alice),
        ("scheme alone", format!("Bearer {whole}"), alice),
        ("as Ably takes it", bearer.clone(), alice),
        ("Ably's header line", format!("Authorization: Bearer {bearer}\n"), alice),
        ("as base64 wraps it", wrapped(&bearer, 76, "\n"), alice),
        ("padded", encoded(&|text| URL_SAFE.encode(text)), alice),
        ("standard alphabet", encoded(&|text| STANDARD.encode(text)), alice),
        ("without signature", whole.replace(SIGNATURE, ""), alice),
        ("alg none", of_header(r#"{"alg":"none","kid":"APP1.key1"}"#), alice),
        ("alg of no kind", of_header(r#"{"alg":[1,{"a":null}],"kid":"APP1.key1"}"#), alice),
        ("kid alone", of_header(r#"{"kid":"APP1.key1"}"#), alice),
        ("space in JSON", of_header(" {\n \"kid\" :\t\"APP1.key1\" } "), alice),
        ("escapes in JSON", of_header(r#"{"\u006bid":"\u0041PP1.key1"}"#), alice),
        ("no times", of(ALICE), alice),
        ("null times", timed("null", "null"), alice),
        ("no iat", of(&format!(r#","exp":{}{ALICE}"#, now + 60)), alice),
        ("iat in the future", timed(now + 600, now + 1200), alice),
        ("iat after exp", timed(now + 1200, now + 600), alice),
        ("iat before 1970", timed(-1, now + 60), alice),
        ("iat at the world's beginning", timed(i64::MIN, now + 60), alice),
        ("exp in milliseconds", timed(now, (now + 60) * 1000), alice),
        ("exp at the world's end", timed(now, i64::MAX), alice),
        ("exp beyond", timed(now, u64::MAX), alice),
        ("exp far beyond", timed(now, "1e300"), alice),
        ("exp with zeros", timed(now, format!("{}.0", now + 60)), alice),
        (
            "an empty revocation key",
            with(r#","x-ably-clientId":"alice","x-ably-revocation-key":"""#),
            alice,
        ),
        (
            "a null revocation key",
            with(r#","x-ably-clientId":"alice","x-ably-revocation-key":null"#),
            alice,
        ),
        (
            "any client, but a group",
            with(r#","x-ably-clientId":"*","x-ably-revocation-key":"g1""#),
            group,
        ),
        ("a null client", with(r#","x-ably-clientId":null,"x-ably-revocation-key":"g1""#), group),
        ("null embedded token", with(r#","x-ably-clientId":"alice","x-ably-token":null"#), alice),
        (
            "duplicates that do not matter",
            with(r#","x-ably-clientId":"alice","sub":1,"sub":2"#),
            alice,
        ),
        (
            "claims of the same name deeper down",
            with(r#","x-ably-clientId":"alice","a":{"x-ably-clientId":"b","exp":1}"#),
            alice,
        ),
        (
            "claims in a text",
            with(r#","sub":"\",\"x-ably-clientId\":\"eve","x-ably-clientId":"alice""#),
            alice,
        ),
        (
            "other letter case",
            with(r#","x-ably-clientID":"eve","X-Ably-ClientId":"eve","x-ably-clientId":"alice""#),
            alice,
        ),
        ("letters of the world", with(r#","x-ably-clientId":"Ж é 😀""#), "clientId:Ж é 😀"),
        ("escaped letters", with(r#","x-ably-clientId":"\u0416 \ud83d\ude00""#), "clientId:Ж 😀"),
        ("a client ID with colons", with(r#","x-ably-clientId":"a:b:*""#), "clientId:a:b:*"),
        (
            "a revocation key that is a star",
            with(r#","x-ably-revocation-key":"*""#),
            "revocationKey:*",
        ),
        (
            "hostile characters",
            with(r#","x-ably-clientId":"a\u001b[2J\u202e""#),
            "clientId:a\u{1b}[2J\u{202e}",
        ),
        ("large", with(&format!(r#","sub":"{}"{ALICE}"#, "x".repeat(40_000))), alice),
        (
            "nested as deep as may be",
            with(&format!(r#","a":{}{}{ALICE}"#, "[".repeat(31), "]".repeat(31))),
            alice,
        ),
    ]
}

/// Token, and words of the error.
fn bad_tokens() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (whole, now) = (alice(), now());
    let parts: Vec<&str> = whole.split('.').collect();
    let [header, claims] = [parts[0], parts[1]];
    let of_header = |header: &str| jwt(header, &payload(ALICE)).into_bytes();
    let of = |claims: &str| with(claims).into_bytes();
    let opaque = format!("xVLyHw.{SIGNATURE}");
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(1000), close.repeat(1000));
        with(&format!(r#","a":{open}1{close}{ALICE}"#)).into_bytes()
    };
    let bytes = |text: &str| text.as_bytes().to_vec();
    vec![
        ("empty", Vec::new(), "the token is empty"),
        ("white space", bytes(" \r\n\t\n"), "the token is empty"),
        ("BOM", bytes("\u{feff}"), "the token is empty"),
        ("quotes", bytes("\"\""), "the token is empty"),
        ("header without token", bytes("Authorization: Bearer \n"), "the token"),
        ("bytes", b"\xff\xfe\x00\x80".to_vec(), "is not text"),
        (
            "UTF-16",
            whole.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "the token's header is not base64",
        ),
        ("a word", bytes(SIGNATURE), "is not a JWT"),
        ("an API key", bytes(KEY), "is an API key, not a token"),
        ("an API key in base64", STANDARD.encode(KEY).into_bytes(), "is an API key"),
        (
            "a basic header",
            format!("Authorization: Basic {}", STANDARD.encode(KEY)).into_bytes(),
            "is an API key",
        ),
        ("an opaque token", opaque.clone().into_bytes(), "opaque Ably token of app xVLyHw"),
        (
            "an opaque token in a header",
            format!("Authorization: Bearer {}", STANDARD.encode(&opaque)).into_bytes(),
            "opaque Ably token of app xVLyHw",
        ),
        ("one part", bytes(header), "is not a JWT"),
        ("two parts", format!("{header}.{claims}").into_bytes(), "2 parts"),
        ("four parts", format!("{whole}.{SIGNATURE}").into_bytes(), "4 parts"),
        (
            "five parts",
            format!("{whole}.{SIGNATURE}.{SIGNATURE}").into_bytes(),
            "encrypted JWT (five parts)",
        ),
        (
            "many parts",
            format!("{header}.{}", "a.".repeat(20_000)).into_bytes(),
            "parts instead of three",
        ),
        ("dots", bytes(".."), "header is not JSON"),
        ("two tokens", format!("{whole}\n{}\n", with(GROUP)).into_bytes(), "more than one token"),
        (
            "bad base64 in the header",
            format!("{}!.{claims}.{SIGNATURE}", &header[..20]).into_bytes(),
            "header is not base64",
        ),
        (
            "bad base64 in the payload",
            format!("{header}.{}%3D.{SIGNATURE}", &claims[..20]).into_bytes(),
            "payload is not base64",
        ),
        (
            "padding inside",
            format!("{header}.{}=={}.{SIGNATURE}", &claims[..20], &claims[20..]).into_bytes(),
            "payload is not base64",
        ),
        (
            "too much padding",
            format!("{header}=====.{claims}.{SIGNATURE}").into_bytes(),
            "header is not base64",
        ),
        (
            "cut in the middle",
            format!("{header}.{}.", &claims[..claims.len() / 8 * 4]).into_bytes(),
            "payload is not JSON",
        ),
        (
            "a zero byte",
            format!("{header}.{claims}\0.{SIGNATURE}").into_bytes(),
            "payload is not base64",
        ),
        (
            "no text in base64",
            format!("{}.{claims}.{SIGNATURE}", URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}"))
                .into_bytes(),
            "header is not JSON",
        ),
        ("header of no JSON", of_header(INNER), "header is not JSON"),
        ("header is a list", of_header("[\"APP1.key1\",1,2,3]"), "not a JSON object"),
        ("header is null", of_header("null                 "), "not a JSON object"),
        ("rest after the header", of_header(&format!("{HEADER}{HEADER}")), "not JSON"),
        ("payload of no JSON", jwt(HEADER, INNER).into_bytes(), "payload is not JSON"),
        ("payload is a text", jwt(HEADER, "\"alice\"").into_bytes(), "not a JSON object"),
        ("payload is a number", jwt(HEADER, "1e999").into_bytes(), "payload is not"),
        ("no kid", of_header(r#"{"alg":"HS256","typ":"JWT"}"#), "names no key (kid)"),
        ("null kid", of_header(r#"{"alg":"HS256","kid":null}"#), "names no key (kid)"),
        ("empty kid", of_header(r#"{"alg":"HS256","kid":""}"#), "names no key (kid)"),
        (
            "kid is a number",
            of_header(r#"{"alg":"HS256","kid":5}"#),
            "kid in the token's header is not a string",
        ),
        (
            "kid of another issuer",
            of_header(&format!(r#"{{"alg":"RS256","kid":"{INNER}"}}"#)),
            "is not the name of an Ably key",
        ),
        (
            "kid is a whole key",
            of_header(&format!(r#"{{"kid":"{KEY}"}}"#)),
            "is not the name of an Ably key",
        ),
        (
            "kid with a path",
            of_header(r#"{"kid":"APP1.key1/../../keys/APP2.key2"}"#),
            "is not the name of an Ably key",
        ),
        (
            "kid with escapes",
            of_header(r#"{"kid":"APP1.key1\u001b[2J\r\n"}"#),
            "is not the name of an Ably key",
        ),
        (
            "kid twice",
            of_header(r#"{"kid":"APP1.key1","kid":"APP1.key1"}"#),
            "header holds kid more than once",
        ),
        (
            "kid twice, once in disguise",
            of_header(r#"{"kid":"APP2.key1","\u006bi\u0064":"APP1.key1"}"#),
            "header holds kid more than once",
        ),
        (
            "client twice",
            of(r#","x-ably-clientId":"alice","x-ably-clientId":"bob""#),
            "payload holds x-ably-clientId more than once",
        ),
        (
            "group twice",
            of(r#","x-ably-revocation-key":"g1","x-ably-revocation-key":"g2""#),
            "payload holds x-ably-revocation-key more than once",
        ),
        (
            "exp twice",
            of(&format!(r#","exp":{}{ALICE}"#, now + 10)),
            "payload holds exp more than once",
        ),
        (
            "iat twice",
            of(&format!(r#","\u0069at":{now}{ALICE}"#)),
            "payload holds iat more than once",
        ),
        (
            "embedded in the header",
            of_header(&format!(r#"{{"kid":"APP1.key1","x-ably-token":"{INNER}"}}"#)),
            "carries an Ably token (x-ably-token)",
        ),
        (
            "embedded in the payload",
            of(&format!(r#","x-ably-token":"xVLyHw.{INNER}"{ALICE}"#)),
            "carries an Ably token (x-ably-token)",
        ),
        (
            "embedded, without kid",
            of_header(&format!(r#"{{"alg":"HS256","x-ably-token":"{INNER}"}}"#)),
            "carries an Ably token (x-ably-token)",
        ),
        (
            "embedded, of a wrong type",
            of(r#","x-ably-token":{"a":1}"#),
            "carries an Ably token (x-ably-token)",
        ),
        (
            "client is a number",
            of(r#","x-ably-clientId":5"#),
            "x-ably-clientId in the token's payload is not a string",
        ),
        ("client is a list", of(r#","x-ably-clientId":["alice"]"#), "is not a string"),
        ("client is true", of(r#","x-ably-clientId":true"#), "is not a string"),
        (
            "group is an object",
            of(r#","x-ably-revocation-key":{"a":"g1"}"#),
            "x-ably-revocation-key in the token's payload is not a string",
        ),
        (
            "iat is a text",
            timed(format!("\"{INNER}\""), now + 60).into_bytes(),
            "iat in the token's payload is not a time",
        ),
        (
            "iat is true",
            timed("true", now + 60).into_bytes(),
            "iat in the token's payload is not a time",
        ),
        (
            "exp is a text",
            timed(now, format!("\"{}\"", now + 60)).into_bytes(),
            "exp in the token's payload is not a time",
        ),
        (
            "exp is a list",
            timed(now, "[1]").into_bytes(),
            "exp in the token's payload is not a time",
        ),
        ("expired", timed(now - 7200, now - 3600).into_bytes(), "the token expired at 2"),
        ("expires now", timed(now - 60, now).into_bytes(), "the token expired at 2"),
        ("exp 0", timed(0, 0).into_bytes(), "the token expired at 1970"),
        ("exp before 1970", timed(-7200, -3600).into_bytes(), "the token expired at"),
        ("exp at the world's beginning", timed(0, i64::MIN).into_bytes(), "the token expired at"),
        ("exp before that", timed(0, "-1e300").into_bytes(), "the token expired at"),
        ("neither claim", of(""), "neither a client ID nor a revocation key"),
        ("any client", of(r#","x-ably-clientId":"*""#), "any client ID (*)"),
        (
            "empty claims",
            of(r#","x-ably-clientId":"","x-ably-revocation-key":"""#),
            "neither a client ID nor",
        ),
        ("both", of(BOTH), "client ID and a revocation key"),
        ("lists in lists", deep("[", "]"), "nested too deep"),
        ("objects in objects", deep("{\"a\":", "}"), "nested too deep"),
        ("open lists", jwt(HEADER, &"[".repeat(30_000)).into_bytes(), "nested too deep"),
        (
            "a deep header",
            of_header(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))),
            "header is nested too deep",
        ),
        (
            "over 64 KiB",
            of(&format!(r#","sub":"{}"{ALICE}"#, "x".repeat(64 << 10))),
            "larger than 64 KiB",
        ),
        ("over 1 MiB", vec![b'x'; (1 << 20) + 1], "too large"),
    ]
}

#[test]
fn every_good_token_ends_in_its_target_and_is_not_shown() {
    let server = Ably::start();
    each(&good_tokens(), 4, |(name, token, target)| {
        let dry = leaked(token).against(&server).args(["--dry-run", "--json"]).run();
        hides(dry.exits(0), token);
        let result = dry.record("result");
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
    let server = Ably::start();
    server.expect_nothing();
    each(&bad_tokens(), 4, |(name, token, words)| {
        let shown = String::from_utf8_lossy(token);
        let run = leaked(token).against(&server).args(["--force", "--verify", "--verbose"]).run();
        run.check(run.code == Some(2), name).says(words).says("error: ").prints_nothing();
        hides(&run, &shown);
        let remedy = run.stderr.lines().any(|line| line.starts_with("  "));
        run.check(remedy || *name == "over 1 MiB", &format!("{name}: should say what to do"));
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
fn a_file_that_cannot_be_read_is_named() {
    let server = Ably::start();
    server.expect_nothing();
    let folder = Folder::new();
    let from = |path: &std::path::Path| {
        let program = ably(["auth", "revoke-token", "--force", "--from-token"]);
        program.arg(path).against(&server).run()
    };
    from(&folder.file("absent")).exits(2).says("--from-token").says("absent").says("no such file");
    from(folder.path()).exits(2).says("--from-token").says("it is a folder");
    from("/dev/zero".as_ref()).exits(2).says("it is not a regular file");
    from("/dev/null".as_ref()).exits(2).says("it is not a regular file");
    from("".as_ref()).exits(2).says("--from-token");
}

/// A secret in the arguments is a mistake that is made once; it must not be told on.
#[test]
fn a_token_or_key_in_place_of_its_file_is_not_shown() {
    let server = Ably::start();
    server.expect_nothing();
    let revoke = ["auth", "revoke-token", "--force", "--client-id", "alice"];
    let run = ably(revoke).towards(&server).args(["--api-key-file", KEY]).run();
    run.exits(2).says("--api-key-file").hides_the_key();
    let run = ably(revoke).towards(&server).env("ABLY_API_KEY_FILE", KEY).run();
    run.exits(2).says("ABLY_API_KEY_FILE").hides_the_key();
    let token = alice();
    let run =
        ably(["auth", "revoke-token", "--force", "--from-token", &token]).against(&server).run();
    hides(run.exits(2).says("--from-token"), &token);
}

// How long it lives.

#[test]
fn a_life_over_an_hour_is_a_warning_that_nobody_misses_and_no_hindrance() {
    let server = Ably::start();
    let warning = "claims a life of over an hour";
    let long = timed(now() - 60, now() + 7200);
    for extra in [&[][..], &["--force"], &["--dry-run"]] {
        let run = leaked(&long).against(&server).args(extra).stdin("y\n").run();
        run.exits(0).says("warning").says(warning);
    }
    let run = leaked(&long).against(&server).args(["--force", "--json"]).run();
    run.exits(0).prints(warning);
    // Whenever it was issued: with more than an hour left, it lives longer.
    let without_start = jwt(HEADER, &format!(r#"{{"exp":{}{ALICE}}}"#, now() + 7200));
    leaked(&without_start).against(&server).run().exits(4).says(warning);
    leaked(alice()).against(&server).run().exits(4).never_says(warning).never_says("warning");
}

// Which key.

#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Option,
    File,
    Variable,
    FileVariable,
    Configuration,
    ControlApi,
}

/// The command with a key that comes from there.
fn keyed(program: Program, server: &Ably, from: From, key: &str) -> Program {
    let program = program.towards(server);
    let file = program.home().write("key", key);
    let app = key.split('.').next().unwrap();
    match from {
        From::Option => program.args(["--api-key", key]),
        From::File => program.arg("--api-key-file").arg(file),
        From::Variable => program.env("ABLY_API_KEY", key),
        From::FileVariable => program.env("ABLY_API_KEY_FILE", file),
        From::Configuration => program.config(&format!(
            "[current]\naccount = 'a'\n[accounts.a]\ncurrentAppId = '{app}'\n\
             [accounts.a.apps.{app}]\napiKey = '{key}'\nappName = 'Shop'\n"
        )),
        From::ControlApi => {
            let keys = vec![ControlKey::new(key, "Root")];
            server.serve_control(Control::new(ACCESS_TOKEN).app(app, "Shop", keys));
            program.control(server, ACCESS_TOKEN)
        }
    }
}

const SOURCES: [From; 6] = [
    From::Option,
    From::File,
    From::Variable,
    From::FileVariable,
    From::Configuration,
    From::ControlApi,
];

#[test]
fn the_key_that_kid_names_serves_wherever_it_comes_from() {
    let token = alice();
    each(&SOURCES, 4, |from| {
        let server = Ably::start();
        let run = keyed(leaked(&token).arg("--force"), &server, *from, KEY).run();
        hides(run.exits(0).says(KEY_NAME), &token);
        assert_eq!(server.revoked()[0].target, "clientId:alice");
    });
    let server = Ably::start();
    let mut terminal = Terminal::start(leaked(&token).towards(&server).arg("--force"));
    terminal.expect("Ably API key");
    terminal.expect_hidden();
    terminal.send(format!("{KEY}\r"));
    terminal.finish().exits(0).shows("Ably accepted").hides_the_key().restores();
}

#[test]
fn another_key_is_refused_naming_both_and_nothing_is_sent() {
    let token = alice();
    let keys = [OTHER_KEY, OTHER_APPS_KEY];
    let rows: Vec<(From, &str)> =
        SOURCES.into_iter().flat_map(|from| keys.map(|key| (from, key))).collect();
    each(&rows, 4, |(from, key)| {
        let server = Ably::start();
        if *from != From::ControlApi {
            server.expect_nothing();
        }
        let run = keyed(leaked(&token).arg("--force"), &server, *from, key).run();
        let (name, secret) = key.split_once(':').unwrap();
        let row = format!("{from:?}, {name}");
        run.check(run.code == Some(2), &row);
        let of_other_app = *key == OTHER_APPS_KEY;
        match from {
            // A key that is stored for another app is none of the token's app.
            From::Configuration if of_other_app => run.says(KEY_NAME).says("APP1"),
            From::ControlApi if of_other_app => run.says("APP1").says("APP2"),
            From::ControlApi => run.says(KEY_NAME).says("key2"),
            _ => run.says(KEY_NAME).says(name),
        };
        run.hides(secret);
        hides(&run, &token);
        assert!(server.revocation_requests().is_empty());
    });
    for key in keys {
        let server = Ably::start();
        server.expect_nothing();
        let mut terminal = Terminal::start(leaked(&token).towards(&server));
        terminal.expect("Ably API key");
        terminal.expect_hidden();
        terminal.send(format!("{key}\r"));
        let (name, secret) = key.split_once(':').unwrap();
        terminal.finish().exits(2).shows(KEY_NAME).shows(name).never_shows(secret).restores();
    }
}

/// At three in the morning nobody should have to decode the token to learn which key to fetch.
#[test]
fn where_there_is_no_key_the_one_that_is_needed_is_named() {
    let server = Ably::start();
    server.expect_nothing();
    leaked(alice()).towards(&server).run().exits(2).says("no API key").says(KEY_NAME);
}

#[test]
fn the_prompt_says_which_key_it_wants() {
    let server = Ably::start();
    server.expect_nothing();
    let mut terminal = Terminal::start(leaked(alice()).towards(&server));
    terminal.expect("Ably API key");
    terminal.expect_hidden();
    terminal.send("\r");
    let end = terminal.finish();
    end.exits(2).restores();
    let asked = end.screen.lines().find(|line| line.contains("not shown"));
    end.check(asked.is_some_and(|line| line.contains(KEY_NAME)), "the prompt should name the key");
}

#[test]
fn among_the_keys_of_the_control_api_the_signer_is_taken() {
    let token = alice();
    let server = Ably::start();
    let keys = vec![
        ControlKey::new(OTHER_KEY, "Root"),
        ControlKey::new("APP1.key3:third-s3cret", "key1"),
        ControlKey::new(KEY, "Servers").irrevocable(),
    ];
    server.serve_control(
        Control::new(ACCESS_TOKEN)
            .app("APP2", "APP1", vec![ControlKey::new(OTHER_APPS_KEY, "Root")])
            .app("APP1", "Shop", keys),
    );
    let base = || leaked(&token).towards(&server).control(&server, ACCESS_TOKEN).arg("--force");
    hides(base().run().exits(0).says("key APP1.key1 from Control API"), &token);
    base().args(["--app", "Shop"]).run().exits(0);
    // The configuration has another key of the same app; that is no hindrance.
    let config = format!(
        "[current]\naccount = 'a'\n[accounts.a]\ncurrentAppId = 'APP2'\n[accounts.a.apps.APP1]\napiKey = '{OTHER_KEY}'\n"
    );
    base().config(&config).run().exits(0).says("key APP1.key1 from Control API");
    // The token's app, not the one that the configuration has selected.
    let config = config.replace(OTHER_KEY, KEY);
    let from_config = leaked(&token).towards(&server).arg("--force").config(&config).run();
    from_config.exits(0).says("key APP1.key1 from configuration");
    for seen in server.requests().iter().filter(|seen| seen.path.starts_with("/v1")) {
        assert_eq!(seen.bearer().as_deref(), Some(ACCESS_TOKEN));
    }
    let before = server.revocation_requests().len();
    base().args(["--app", "APP2"]).run().exits(2).says("APP2").says(KEY_NAME);
    base().env("ABLY_APP_ID", "APP2").run().exits(2).says("APP2").says(KEY_NAME);
    let gone = jwt(r#"{"kid":"APP1.key9"}"#, &payload(ALICE));
    let run = leaked(&gone).towards(&server).control(&server, ACCESS_TOKEN).arg("--force").run();
    run.exits(2).says("APP1.key9").says("key1").says("key2");
    assert_eq!(server.revocation_requests().len(), before);
}

#[test]
fn an_app_that_is_not_the_tokens_is_refused() {
    let server = Ably::start();
    let token = alice();
    leaked(&token).against(&server).args(["--force", "--app", "APP1"]).run().exits(0);
    let sent = server.request_count();
    let by_option = leaked(&token).against(&server).args(["--force", "--app", "APP2"]).run();
    hides(by_option.exits(2).says("APP1").says("--app asks for app APP2"), &token);
    let by_variable =
        leaked(&token).against(&server).arg("--force").env("ABLY_APP_ID", "APP2").run();
    by_variable.exits(2).says("ABLY_APP_ID asks for app APP2");
    assert_eq!(server.request_count(), sent);
}

// Which claim.

#[test]
fn by_decides_between_both_claims() {
    let server = Ably::start();
    let token = with(BOTH);
    for (by, target) in [("client-id", "clientId:alice"), ("revocation-key", "revocationKey:g1")] {
        let run = leaked(&token).against(&server).args(["--force", "--by", by]).run();
        hides(run.exits(0), &token);
        assert_eq!(server.revoked().last().unwrap().target, target);
        let run = leaked(&token).against(&server).arg(format!("--by={by}")).run();
        let claim = if by == "client-id" { "x-ably-clientId" } else { "x-ably-revocation-key" };
        run.exits(4).says(claim);
    }
    let sent = server.request_count();
    for by in ["clientId", "", "Client-Id", "channel"] {
        let run = leaked(&token).against(&server).args(["--force", "--by", by]).run();
        run.exits(2).says("--by");
    }
    let run = leaked(alice()).against(&server).args(["--force", "--by", "revocation-key"]).run();
    run.exits(2).says("no revocation key").says("--by client-id");
    let run = leaked(with(GROUP)).against(&server).args(["--force", "--by", "client-id"]).run();
    run.exits(2).says("no client ID").says("--by revocation-key");
    let any = with(r#","x-ably-clientId":"*","x-ably-revocation-key":"g1""#);
    let run = leaked(any).against(&server).args(["--force", "--by", "client-id"]).run();
    run.exits(2).says("--by revocation-key");
    assert_eq!(server.request_count(), sent);
}

#[test]
fn everything_is_checked_before_a_choice_is_asked_for() {
    let server = Ably::start();
    server.expect_nothing();
    let token = with(BOTH);
    for (arguments, told) in [
        (["--timeout", "nonsense"], "--timeout"),
        (["--endpoint", "https://x"], "--endpoint"),
        (["--api-key-file", "/absent/key"], "--api-key-file"),
        (["--api-key", "APP1.key1"], "--api-key"),
        (["--ca-file", "/absent/ca"], "--ca-file"),
        (["--unrevoked-to", "/absent/left"], "--unrevoked-to"),
        (["--issued-before", "yesterday"], "--issued-before"),
    ] {
        let mut program = leaked(&token).env("ABLY_ENDPOINT", server.endpoint()).args(arguments);
        if !arguments[0].starts_with("--api-key") {
            program = program.env("ABLY_API_KEY", KEY);
        }
        let end = Terminal::start(program).finish();
        end.exits(2).shows(told).never_shows("Which one?");
    }
    for (name, value) in [("ABLY_API_KEY", "APP1.key1"), ("HTTPS_PROXY", "ftp://x"), ("HOME", "")] {
        let program = leaked(&token).towards(&server);
        program.home().write(".ably/config", "not TOML");
        let program = if name == "HOME" { program } else { program.env(name, value) };
        let end = Terminal::start(program).finish();
        end.exits(2).never_shows("Which one?");
    }
}

#[test]
fn without_by_both_claims_are_a_numbered_choice_on_a_terminal() {
    let token = with(BOTH);
    for (typed, target) in [("1", "clientId:alice"), ("2", "revocationKey:g1")] {
        let server = Ably::start();
        let mut terminal = Terminal::start(leaked(&token).against(&server));
        terminal.expect("1. client ID alice");
        terminal.expect("2. revocation key g1");
        terminal.expect("[1-2] ");
        terminal.send(format!("{typed}\r"));
        terminal.expect("[y/N] ");
        terminal.send("y\r");
        let end = terminal.finish();
        end.exits(0).hides_the_key().restores();
        on_screen_hides(&end, &token);
        assert_eq!(server.revoked()[0].target, target);
    }
    let server = Ably::start();
    server.expect_nothing();
    for typed in ["\r", "3\r", "0\r", "-1\r", "y\r", "\u{4}"] {
        let mut terminal = Terminal::start(leaked(&token).against(&server));
        terminal.expect("[1-2] ");
        terminal.send(typed);
        terminal.finish().exits(4).shows("nothing was sent").restores();
    }
    let mut terminal = Terminal::start(leaked(&token).against(&server));
    terminal.expect("[1-2] ");
    terminal.send("\u{3}");
    terminal.finish().dies_of(2).restores();
}

#[test]
fn elsewhere_both_claims_are_an_error_that_names_by() {
    let server = Ably::start();
    server.expect_nothing();
    let token = with(BOTH);
    for extra in [&[][..], &["--force"], &["--dry-run"], &["--force", "--json"]] {
        let run = leaked(&token).against(&server).args(extra).stdin("1\ny\n").run();
        run.exits(2);
        run.check((run.stdout.clone() + &run.stderr).contains("--by"), "should name --by");
        hides(&run, &token);
    }
    for extra in [&["--force"][..], &["--force", "--json"], &["--dry-run"]] {
        let end = Terminal::start(leaked(&token).against(&server).args(extra)).finish();
        end.exits(2).shows("--by");
        on_screen_hides(&end, &token);
    }
}

#[track_caller]
fn on_screen_hides(end: &Ended, token: &str) {
    let shown = shown_of(token, &[&end.screen]);
    end.check(shown.is_none(), &format!("should not show {shown:?}"));
}

// Options among each other.

#[test]
fn by_and_verify_are_nothing_without_a_token() {
    let server = Ably::start();
    server.expect_nothing();
    for extra in [&["--by", "client-id"][..], &["--verify"]] {
        let run = ably(["auth", "revoke-token", "--client-id", "alice", "--force"])
            .against(&server)
            .args(extra)
            .run();
        run.exits(2).says(extra[0]).says("--from-token");
    }
}

#[test]
fn a_token_excludes_the_other_targets_and_is_given_once() {
    let server = Ably::start();
    server.expect_nothing();
    for extra in [
        ["--client-id", "alice"],
        ["--revocation-key", "g1"],
        ["--channel", "c"],
        ["--targets-file", "/dev/null"],
    ] {
        let run = leaked(alice()).against(&server).arg("--force").args(extra).run();
        run.exits(2).says("--from-token").says(extra[0]);
    }
    let run = leaked(alice()).against(&server).args(["--force", "--from-token", "/dev/null"]).run();
    run.exits(2).says("--from-token");
}

#[test]
fn a_token_on_stdin_needs_force_and_stdin_to_itself() {
    let token = alice();
    let from_stdin = |server: &Ably| {
        let program = ably(["auth", "revoke-token", "--from-token", "-"]);
        program.towards(server).stdin(format!("{token}\n"))
    };
    let server = Ably::start();
    let run = from_stdin(&server).env("ABLY_API_KEY", KEY).arg("--force").run();
    hides(run.exits(0), &token);
    let run = from_stdin(&server).env("ABLY_API_KEY", KEY).arg("--dry-run").run();
    hides(run.exits(0).says("clientId:alice"), &token);
    let sent = server.request_count();
    let run = from_stdin(&server).env("ABLY_API_KEY", KEY).run();
    hides(run.exits(2).says("--from-token").says("--force"), &token);
    let run = from_stdin(&server).args(["--force", "--api-key-file", "-"]).run();
    run.exits(2).says("--from-token").says("--api-key-file");
    let run = from_stdin(&server).arg("--force").env("ABLY_API_KEY_FILE", "-").run();
    run.exits(2).says("--from-token").says("ABLY_API_KEY_FILE");
    let run = from_stdin(&server).args(["--force", "--targets-file", "-"]).run();
    run.exits(2).says("--from-token").says("--targets-file");
    assert_eq!(server.request_count(), sent);
}

// What is told.

#[test]
fn the_question_names_claim_key_and_life() {
    let server = Ably::start();
    let (iat, exp) = (now() - 100, now() + 500);
    let token = timed(iat, exp);
    let run = leaked(&token).against(&server).stdin("y\n").run();
    hides(&run, &token);
    run.exits(0)
        .says("client ID alice")
        .says("x-ably-clientId")
        .says(KEY_NAME)
        .says("from ABLY_API_KEY")
        .says(&utc(iat))
        .says(&utc(exp));
    let (_, rest) = run.stderr.split_once('(').unwrap_or_default();
    let left: i64 = rest.split(' ').next().unwrap_or_default().parse().unwrap_or(-1);
    run.check((480..=500).contains(&left), "should say how many seconds are left");
    run.check(run.stderr.contains("not verified"), "should not promise more than it knows");
    let sent = server.request_count();
    leaked(&token).against(&server).stdin("n\n").run().exits(4);
    let dry = leaked(&token).against(&server).arg("--dry-run").run();
    hides(&dry, &token);
    dry.exits(0).says("nothing was sent").says("x-ably-clientId").says(&utc(iat)).says(&utc(exp));
    leaked(&token).against(&server).args(["--dry-run", "--verify"]).run().exits(0);
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
    let result = run.record("result");
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
    assert_eq!(claims.len(), 5, "{run}");
    let run = leaked(&token).against(&server).args(args).run();
    assert!(!has(&run.record("result"), "revocation.verified"), "{run}");
    let run = leaked(jwt(HEADER, r#"{"x-ably-clientId":"alice"}"#)).against(&server);
    let run = run.args(["--force", "--pretty-json"]).run();
    let result = &run.exits(0).pretty_json()[0];
    for absent in ["issuedAt", "expiresAt", "revocationKey"] {
        assert!(!has(result, &format!("revocation.token.{absent}")), "{run}");
    }
    let run = ably(["auth", "revoke-token", "--client-id", "alice", "--force", "--json"]);
    let run = run.against(&server).run();
    let result = run.record("result");
    assert!(!has(&result, "revocation.token") && !has(&result, "revocation.verified"), "{run}");
}

// The proof.

/// The requests made with the token itself.
fn polls(server: &Ably) -> Vec<Seen> {
    let mut seen = server.requests();
    seen.retain(|seen| seen.bearer().is_some());
    seen
}

#[test]
fn a_token_that_was_accepted_is_proved_dead() {
    for (margin, grace) in [(false, 0), (false, 1), (false, 3), (true, 2)] {
        let server = Ably::start();
        let token = with(GROUP);
        server.add_token(Token::new(&token).revocation_key("g1").dies_after(grace));
        let mut program = leaked(&token).against(&server).args(["--force", "--verify"]);
        if margin {
            program = program.arg("--allow-reauth-margin");
        }
        let run = program.arg("--verbose").run();
        hides(&run, &token);
        run.exits(0).says("revoked: Ably accepted").says("rejected as revoked").prints_nothing();
        let polls = polls(&server);
        assert_eq!(polls.len(), grace + 1, "{run}");
        for poll in &polls {
            assert_eq!(poll.method, "GET");
            assert_eq!(poll.bearer(), Some(STANDARD.encode(&token)));
            assert!(poll.body.is_empty());
        }
        let gaps: Vec<Duration> =
            polls.windows(2).map(|two| two[1].at.duration_since(two[0].at)).collect();
        assert!(gaps.windows(2).all(|two| two[1] > two[0]), "growing pauses: {gaps:?}");
        // The revocation goes first, with the key.
        assert!(server.requests()[0].revokes() && server.requests()[0].basic().is_some());
    }
}

/// However a proof may fail to come: what the token's polls are answered, what is said, the exit
/// code, and whether the time is waited out.
type Doubt = (&'static str, fn(&Seen) -> Answer, &'static str, i32, bool);

#[test]
fn what_is_no_proof_is_not_told_as_one() {
    const ACCEPTED: &str = "\"verification\":\"the token is still accepted";
    const NOT_KNOWN: &str = "\"verification\":\"whether the token is still accepted is not known";
    let doubts: [Doubt; 13] = [
        ("revoked, in a 200", |_| Answer::error(200, 40141, "Token revoked"), NOT_KNOWN, 5, true),
        ("revoked, in a 503", |_| Answer::error(503, 40141, "Token revoked"), NOT_KNOWN, 5, true),
        ("a disabled app", |_| Answer::error(403, 40300, "App disabled"), NOT_KNOWN, 5, true),
        ("accepted for ever", |_| Answer::json(200, "[]"), ACCEPTED, 5, true),
        ("no capability", |_| Answer::error(401, 40160, "Action not permitted"), ACCEPTED, 5, true),
        ("expired", |_| Answer::error(401, 40142, "Token expired"), "40142", 0, false),
        ("a failing server", |_| Answer::error(503, 50300, "down"), NOT_KNOWN, 5, true),
        ("a lost connection", |_| Answer::Cut, NOT_KNOWN, 5, true),
        ("no answer", |_| Answer::HangBeforeHeaders, NOT_KNOWN, 5, true),
        ("no HTTP", |_| Answer::Garbage, NOT_KNOWN, 5, true),
        (
            "a rate limit",
            |_| Answer::error(429, 42910, "slow down").header("retry-after", "60"),
            NOT_KNOWN,
            5,
            true,
        ),
        (
            "accepted, then gone",
            |seen| {
                if seen.index < 5 { Answer::json(200, "[]") } else { Answer::Cut }
            },
            NOT_KNOWN,
            5,
            true,
        ),
        (
            "a page of some proxy, of no one who knows tokens",
            |_| Answer::plain(403, "<html>Access denied</html>"),
            NOT_KNOWN,
            5,
            true,
        ),
    ];
    each(&doubts, doubts.len(), |(name, answer, words, code, waits)| {
        let answer = *answer;
        let token = alice();
        let server = Ably::deciding(move |seen| match seen.revokes() {
            true => Answer::Faithful,
            false => answer(seen),
        });
        let start = Instant::now();
        let run = leaked(&token).against(&server).args(["--force", "--verify", "--json"]).run();
        let took = start.elapsed();
        hides(&run, &token);
        run.check(run.code == Some(*code), name);
        let result = run.record("result");
        run.check(flag(&result, "success"), name);
        run.check(!flag(&result, "revocation.verified"), name);
        run.check(run.stdout.contains(words), &format!("{name}: {words}"));
        run.check(server.revocation_requests().len() == 1, name);
        let fits = if *waits {
            took >= LIMIT * 9 / 10 && took < LIMIT * 13 / 10
        } else {
            took < LIMIT / 2
        };
        run.check(fits, &format!("{name} took {took:?}"));
    });
}

#[test]
fn doubts_are_told_to_people_after_the_revocation() {
    let token = alice();
    type Row = (&'static str, fn(Token) -> Token, &'static str, i32);
    let rows: [Row; 3] = [
        ("never dies", Token::never_dies, "error: the token is still accepted", 5),
        (
            "never dies, no capability",
            |token| token.lacks_capability().never_dies(),
            "error: the token is still accepted",
            5,
        ),
        ("expired", Token::expired, "40142", 0),
    ];
    each(&rows, rows.len(), |(name, make, words, code)| {
        let server = Ably::start();
        server.add_token(make(Token::new(&token).client_id("alice")));
        let run = leaked(&token).against(&server).args(["--force", "--verify"]).run();
        hides(&run, &token);
        run.check(run.code == Some(*code), name);
        run.says("revoked: Ably accepted");
        run.check(run.stderr.contains(words), name);
        run.check(!polls(&server).is_empty(), name);
        if *code == 5 {
            run.never_says("verified");
        }
    });
}

#[test]
fn a_capability_error_gives_way_to_the_proof() {
    let server = Ably::start();
    let token = alice();
    server.add_token(Token::new(&token).client_id("alice").lacks_capability().dies_after(2));
    let run = leaked(&token).against(&server).args(["--force", "--verify"]).run();
    hides(run.exits(0).says("rejected as revoked"), &token);
    assert_eq!(polls(&server).len(), 3);
}

#[test]
fn with_the_margin_it_goes_on_asking_for_longer() {
    let server = Ably::start();
    let token = alice();
    // Its seventh question comes after 10 s.
    server.add_token(Token::new(&token).client_id("alice").dies_after(6));
    let start = Instant::now();
    let args = ["--force", "--verify", "--allow-reauth-margin"];
    let run = leaked(&token).against(&server).args(args).run();
    run.exits(0).says("rejected as revoked");
    run.check(start.elapsed() > LIMIT, "should take longer than without the margin");
}

/// The proof may take 40 s; whether Ably took the revocation is known at once, and a run that is
/// killed then must have said so.
#[test]
fn the_revocation_is_told_before_the_proof_is_there() {
    let token = alice();
    let server = Ably::deciding(|seen| match seen.revokes() {
        true => Answer::Faithful,
        false => Answer::json(200, "[]"),
    });
    let running = leaked(&token).against(&server).args(["--force", "--verify"]).spawn();
    server.wait_for_requests(4);
    let told = running.stderr();
    running.signal("TERM");
    let run = running.wait();
    run.dies_of(15);
    assert!(told.contains("Ably accepted the revocation"), "so far: {told:?}\n{run}");
}

#[test]
fn a_revocation_that_failed_is_not_followed_by_questions() {
    let server = Ably::start();
    let token = alice();
    server.add_token(Token::new(&token).client_id("alice"));
    server.refuse("clientId:alice", 40000, 400, "no");
    let run = leaked(&token).against(&server).args(["--force", "--verify", "--json"]).run();
    hides(run.exits(1), &token);
    assert!(!has(&run.record("result"), "revocation.verified"), "{run}");
    leaked(&token).against(&server).args(["--dry-run", "--verify"]).run().exits(0);
    leaked(&token).against(&server).arg("--verify").stdin("n\n").run().exits(4);
    assert!(polls(&server).is_empty());
}

#[test]
fn the_token_goes_nowhere_but_to_ablys_host() {
    let (token, control, elsewhere) = (alice(), Ably::start(), Ably::start());
    elsewhere.expect_nothing();
    let keys = vec![ControlKey::new(KEY, "Root")];
    control.serve_control(Control::new(ACCESS_TOKEN).app("APP1", "Shop", keys));
    let location = format!("https://{}/channels/x/messages", elsewhere.endpoint());
    let server = Ably::deciding(move |seen| match (seen.revokes(), seen.index) {
        (false, 1) => Answer::plain(302, "").header("location", &location),
        (false, 2) => Answer::plain(307, "").header("location", &location),
        (false, _) => Answer::error(401, 40141, "Token revoked"),
        (true, _) => Answer::Faithful,
    });
    let run = leaked(&token)
        .towards(&server)
        .control(&control, ACCESS_TOKEN)
        .args(["--force", "--verify", "--verbose"])
        .run();
    hides(run.exits(0).says("rejected as revoked"), &token);
    run.hides(ACCESS_TOKEN);
    for seen in control.requests() {
        assert_eq!(seen.bearer().as_deref(), Some(ACCESS_TOKEN), "{seen:?}");
    }
    let encoded = STANDARD.encode(&token);
    let bearers: Vec<String> = server.requests().iter().filter_map(Seen::bearer).collect();
    assert_eq!(bearers, vec![encoded; 3]);
    for seen in server.requests().iter().chain(&control.requests()) {
        let elsewhere = format!("{}{}", seen.path, String::from_utf8_lossy(&seen.body));
        assert!(!elsewhere.contains(SIGNATURE), "{seen:?}");
    }
}

#[test]
fn a_server_that_repeats_the_token_is_not_repeated() {
    let answers: [fn(&Seen) -> Answer; 7] = [
        |_| Answer::EchoAuthorization,
        |seen| Answer::error(401, 40142, &seen.bearer().unwrap_or_default()),
        |seen| Answer::plain(401, bearer_text(seen)),
        |seen| Answer::error(401, 40142, &bearer_text(seen)),
        |seen| Answer::error(403, 40300, &format!("{}{}", "x".repeat(180), bearer_text(seen))),
        |seen| Answer::error(401, 40101, bearer_text(seen).rsplit('.').next().unwrap_or_default()),
        // The parts alone, as a debug page takes a token apart.
        |seen| Answer::error(401, 40142, &bearer_text(seen).replace('.', " ")),
    ];
    each(&answers, 4, |answer| {
        let answer = *answer;
        let token = alice();
        for extra in [&["--verbose"][..], &["--verbose", "--json"]] {
            let server = Ably::deciding(move |seen| match (seen.revokes(), seen.index) {
                (true, _) => Answer::Faithful,
                (false, 0..3) => answer(seen),
                (false, _) => Answer::error(401, 40141, "Token revoked"),
            });
            let run =
                leaked(&token).against(&server).args(["--force", "--verify"]).args(extra).run();
            hides(&run, &token);
        }
    });
}

/// The token in a poll.
fn bearer_text(seen: &Seen) -> String {
    let encoded = seen.bearer().unwrap_or_default();
    String::from_utf8(STANDARD.decode(encoded).unwrap_or_default()).unwrap_or_default()
}

/// Without its signature Ably rejects it whatever becomes of the whole one: that proves nothing.
#[test]
fn a_token_without_its_signature_cannot_be_proved_dead() {
    let server = Ably::start();
    let cut = alice().replace(SIGNATURE, "");
    let run = leaked(&cut).against(&server).args(["--force", "--verify", "--json"]).run();
    let proved = run.stdout.contains(r#""verified":true"#);
    run.check(!proved, "should not claim a proof");
    // The revocation does not need it.
    leaked(&cut).against(&server).arg("--force").run().exits(0);
}

#[test]
fn ctrl_c_ends_the_questions_at_once() {
    let waits: [fn(&Seen) -> Answer; 2] =
        [|_| Answer::json(200, "[]"), |_| Answer::HangBeforeHeaders];
    for (answer, requests) in waits.into_iter().zip([5, 2]) {
        let server = Ably::deciding(move |seen| match seen.revokes() {
            true => Answer::Faithful,
            false => answer(seen),
        });
        let token = alice();
        for (signal, number) in [("INT", 2), ("TERM", 15)] {
            let before = server.request_count();
            let args = ["--force", "--verify"];
            let running = leaked(&token).against(&server).args(args).spawn();
            server.wait_for_requests(before + requests);
            let start = Instant::now();
            running.signal(signal);
            let run = running.wait();
            let took = start.elapsed();
            hides(&run, &token);
            run.dies_of(number).says("Ably accepted the revocation");
            run.never_says("verified");
            run.check(took < Duration::from_secs(1), &format!("took {took:?} to end"));
        }
    }
}
