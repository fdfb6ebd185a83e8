//! Every example of Ably's page on the command, as written there.

use crate::support::*;

#[test]
fn a_client_id_is_revoked_once_confirmed() {
    let server = Ably::start();
    let run = command().args(["--client-id", "userClientId"]).against(&server).stdin("y\n").run();
    run.exits(0).says("client ID userClientId").says("[y/N]");
    run.says("revoked: Ably accepted the revocation for client ID userClientId");
    run.says("key APP1.key1 from ABLY_API_KEY");
    run.says("the auth server must answer 403 to this client");
    assert_eq!(run.stdout, "", "people read stderr, scripts stdout");
    assert_eq!(server.revocation_requests()[0].targets(), ["clientId:userClientId"]);
}

#[test]
fn force_asks_nothing() {
    let server = Ably::start();
    for force in ["--force", "-f", "--yes", "-y"] {
        let run = command().args(["--client-id", "userClientId", force]).against(&server).run();
        run.exits(0).never_says("[y/N]");
    }
    assert_eq!(server.revoked().len(), 4);
}

#[test]
fn a_revocation_key_is_revoked() {
    let server = Ably::start();
    let mut terminal =
        Terminal::start(command().args(["--revocation-key", "group1"]).against(&server));
    terminal.expect("revocation key group1");
    terminal.answer("[y/N] ", "y\r");
    terminal.expect("Ably accepted the revocation for revocation key group1");
    assert_eq!(terminal.finish().code, Some(0));
    assert_eq!(server.revocation_requests()[0].targets(), ["revocationKey:group1"]);
}

#[test]
fn the_reauth_margin_is_asked_for_and_told() {
    let server = Ably::start();
    let program = command().args(["--client-id", "userClientId", "--allow-reauth-margin"]);
    program.against(&server).stdin("yes\n").run().exits(0).says("30 seconds of reauth margin");
    let request = &server.revocation_requests()[0];
    assert!(flag(request.json(), "allowReauthMargin"));
}

#[test]
fn json_with_force_tells_the_result_and_the_status() {
    let server = Ably::start();
    let run =
        command().args(["--client-id", "userClientId", "--json", "--force"]).against(&server).run();
    run.exits(0).says_nothing();
    let records = run.json();
    assert_eq!(records.len(), 2);
    assert_eq!(text(&records[0], "type"), "result");
    assert_eq!(text(&records[0], "command"), "auth:revoke-token");
    assert!(flag(&records[0], "success"));
    assert_eq!(text(&records[0], "revocation.target"), "clientId:userClientId");
    assert_eq!(text(&records[0], "revocation.response.results.0.target"), "clientId:userClientId");
    let status =
        r#"{"type":"status","command":"auth:revoke-token","status":"completed","exitCode":0}"#;
    assert_eq!(run.stdout.lines().last(), Some(status));
}
