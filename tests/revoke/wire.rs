//! What is sent, to the letter.

use crate::support::*;

#[test]
fn one_request_as_the_contract_has_it() {
    let server = Ably::start();
    revoke_alice().against(&server).run().exits(0);
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
    revoke_alice()
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
    revoke_alice().against(&server).args(["--issued-before", "10m"]).run().exits(0);
    let request = &server.revocation_requests()[0];
    assert_eq!(number(request.json(), "issuedBefore"), 1_000_000_000_000);
    let time = &server.requests()[0];
    assert_eq!((time.method.as_str(), time.path.as_str()), ("GET", "/time"));
    assert_eq!(time.header("authorization"), None, "the clock needs no key");
    assert_eq!(server.connections(), 1);
    // A dry run asks, too, and says so.
    let dry = |extra: &[&str]| alice().against(&server).arg("--dry-run").args(extra).run();
    dry(&["--issued-before", "10m"]).exits(0).says("only Ably was asked for the time");
    dry(&["--issued-before", "1000000000000"]).exits(0).never_says("was asked");
    dry(&[]).exits(0).never_says("was asked");
}
