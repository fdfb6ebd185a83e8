//! What is sent, to the letter.

use crate::support::{Ably, KEY, KEY_NAME, SECRET, ably, has, list, number};

const REVOKE: [&str; 5] = ["auth", "revoke-token", "--client-id", "alice", "--force"];

#[test]
fn one_request_as_the_contract_has_it() {
    let server = Ably::start();
    ably(REVOKE).against(&server).run().exits(0);
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
    let request = &server.requests()[0];
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, format!("/keys/{KEY_NAME}/revokeTokens"));
    assert_eq!(request.host(), server.endpoint());
    assert_eq!(request.basic(), Some((KEY_NAME.to_owned(), SECRET.to_owned())));
    let agent = format!("ably-revoke-token/{}", env!("CARGO_PKG_VERSION"));
    for (name, value) in [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-ably-version", "6"),
        ("ably-agent", &agent),
        ("user-agent", &agent),
        ("content-length", &request.body.len().to_string()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("transfer-encoding"), None);
    assert_eq!(request.body, br#"{"targets":["clientId:alice"]}"#);
}

#[test]
fn options_stand_in_the_body_only_where_asked_for() {
    let server = Ably::start();
    server.set_clock_ms(1_795_428_600_000);
    ably(REVOKE)
        .against(&server)
        .args(["--allow-reauth-margin", "--issued-before", "2026-11-23T10:00:00Z"])
        .run()
        .exits(0);
    let body = String::from_utf8(server.revocation_requests()[0].body.clone()).unwrap();
    assert_eq!(
        body,
        r#"{"targets":["clientId:alice"],"issuedBefore":1795428000000,"allowReauthMargin":true}"#
    );
}

#[test]
fn an_age_counts_back_from_ablys_clock() {
    let server = Ably::start();
    server.set_clock_ms(1_000_000_600_000);
    ably(REVOKE).against(&server).args(["--issued-before", "10m"]).run().exits(0);
    let request = &server.revocation_requests()[0];
    assert_eq!(number(&request.json(), "issuedBefore"), 1_000_000_000_000);
    let time = &server.requests()[0];
    assert_eq!((time.method.as_str(), time.path.as_str()), ("GET", "/time"));
    assert_eq!(time.header("authorization"), None, "the clock needs no key");
    assert_eq!(server.connections(), 1);
}

#[test]
fn several_targets_go_in_one_request_in_order_and_once() {
    let server = Ably::start();
    let ids = (0..100).flat_map(|n| ["--client-id".to_owned(), format!("user{n}")]);
    ably(["auth", "revoke-token", "--force", "--client-id", "user7"])
        .args(ids)
        .against(&server)
        .run()
        .exits(0)
        .says("100 targets: 100 revoked, in 1 request");
    let targets = server.revocation_requests()[0].targets();
    assert_eq!(targets.len(), 100);
    assert_eq!(targets[..3], ["clientId:user7", "clientId:user0", "clientId:user1"]);
}

#[test]
fn values_arrive_as_they_were_typed() {
    let server = Ably::start();
    let values = [" a b ", "ü\u{1F600}", "a:b:c", "\"q\"\\", "\u{1b}[1m", "x\ny", "-x", "#1"];
    let arguments = values.iter().map(|value| format!("--client-id={value}"));
    ably(["auth", "revoke-token", "--force"]).args(arguments).against(&server).run().exits(0);
    let expected: Vec<String> = values.iter().map(|value| format!("clientId:{value}")).collect();
    assert_eq!(server.revocation_requests()[0].targets(), expected);
    assert!(has(&server.revocation_requests()[0].json(), "targets"));
    assert_eq!(list(&server.revocation_requests()[0].json(), "targets").len(), values.len());
}

#[test]
fn a_key_name_cannot_leave_its_place_in_the_path() {
    let server = Ably::start();
    server.expect_nothing();
    for name in ["APP1.key/../1", "APP1.key1?x#y", "APP1.key%2F1", "../x.key1"] {
        let key = format!("{name}:secret");
        ably(REVOKE).towards(&server).env("ABLY_API_KEY", key).run().exits(2).says("its app ID");
    }
}

#[test]
fn a_channel_is_a_target_too() {
    let server = Ably::start();
    ably(["auth", "revoke-token", "--channel", "foo:*", "--force"])
        .towards(&server)
        .args(["--api-key", KEY])
        .run()
        .exits(0)
        .says("channel foo:*");
    assert_eq!(server.revocation_requests()[0].targets(), ["channel:foo:*"]);
}
