//! The stand-in itself: what it answers to a client that is not ours, and to a key as Ably would.

use miniserde::json::Value;

use crate::support::*;

/// What another client sends, as the SDKs do: neither our headers nor our care.
fn post(ably: &Ably, agent: &str, version: &str, key: &str, body: &str) -> (u16, Value) {
    let (name, _) = key.split_once(':').unwrap();
    let url = format!("https://{}/keys/{name}/revokeTokens", ably.endpoint());
    let file = Folder::new();
    let out = file.file("out");
    let run = Program::at("/usr/bin/curl")
        .args(["--silent", "--show-error", "--disable", "--user", key, "--cacert"])
        .arg(ably.ca_file())
        .args(["--header", &format!("Ably-Agent: {agent}")])
        .args(["--header", &format!("X-Ably-Version: {version}")])
        .args(["--header", "content-type: application/json", "--data-binary", body])
        .args(["--write-out", "%{http_code}", "--output"])
        .arg(&out)
        .arg(url)
        .run();
    (run.exits(0).stdout.parse().unwrap(), parse(&file.read("out")))
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn another_client_is_answered_as_ably_answers() {
    if installed("/usr/bin/curl").is_none() { return }
    let ably = Ably::start();
    let two = r#"{"targets":["clientId:a","nobody:b"]}"#;
    let long = format!(r#"{{"targets":[{}]}}"#, vec![r#""clientId:a""#; 101].join(","));
    // Protocol, body, status, and what stands where in the answer.
    let rows = [
        ("6", r#"{"targets":["clientId:a","clientId:a"]}"#, 201, "successCount", 2),
        ("6", two, 201, "results.1.error.code", 40000),
        ("3", two, 201, "failureCount", 1),
        ("2", two, 400, "error.code", 40020),
        ("2", two, 400, "batchResponse.1.error.statusCode", 400),
        ("6", r#"{"targets":[]}"#, 400, "error.code", 40000),
        ("6", r#"{"targets":[1]}"#, 400, "error.code", 40000),
        ("6", r#"{"targets":["clientId:a"],"issuedBefore":"1"}"#, 400, "error.code", 40000),
        ("6", &long, 400, "error.code", 40000),
        ("6", "[", 400, "error.code", 40000),
    ];
    each(&rows, |(version, body, status, path, expected)| {
        let (found, answer) = post(&ably, "ably-js/2.28.0 nodejs/20", version, KEY, body);
        assert_eq!(found, *status, "{answer:?}");
        assert_eq!(number(&answer, path), *expected, "{answer:?}");
    });
    assert!(ably.complaints().is_empty(), "{:?}", ably.complaints());
    // The same from our own program is a complaint, and one that does not say whose it is is ours.
    for agent in ["ably-revoke-token/0.1.0", ""] {
        post(&ably, agent, "6", KEY, two);
        assert!(!ably.complaints().is_empty(), "{agent}");
        ably.forgive();
    }
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn a_key_that_ably_does_not_take_has_ablys_own_answer() {
    if installed("/usr/bin/curl").is_none() { return }
    let ably = Ably::start();
    ably.add_key(KEY1);
    ably.make_irrevocable(KEY1);
    let rows = [
        ("APP1.nobody:s3cret", 401, 40400),
        ("NOAPP.key1:s3cret", 404, 40400),
        ("malformed:s3cret", 400, 40005),
        ("APP1.key1:another-s3cret", 401, 40101),
        (KEY1, 401, 40164),
    ];
    each(&rows, |(key, status, code)| {
        let (found, answer) = post(&ably, "curl", "6", key, r#"{"targets":["clientId:a"]}"#);
        assert_eq!((found, number(&answer, "error.code")), (*status, *code), "{answer:?}");
    });
}

#[test]
fn a_revocation_applies_from_now_whatever_was_issued_before() {
    let ably = Ably::start();
    ably.set_clock_ms(NOW);
    let rows: [(&[&str], u64, u64); 4] = [
        (&[], NOW, NOW),
        (&["--allow-reauth-margin"], NOW, NOW + 30_000),
        (&["--issued-before", "10m"], NOW - 600_000, NOW),
        (&["--issued-before", "10m", "--allow-reauth-margin"], NOW - 600_000, NOW + 30_000),
    ];
    each(&rows, |(options, issued_before, applies_at)| {
        let run = revoke_alice().against(&ably).arg("--json").args(*options).run();
        let result = run.exits(0).record("result");
        let times = ["issuedBefore", "appliesAt"].map(|field| {
            let path = format!("revocation.response.results.0.{field}");
            number(&result, &path)
        });
        assert_eq!(times, [*issued_before, *applies_at], "{run}");
    });
}
