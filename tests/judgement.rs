//! The forms of an answer, and each target's end by it.

use crate::support::{Ably, Answer, ably, flag, list, number, text};

const TWO: [&str; 7] =
    ["auth", "revoke-token", "--client-id", "alice", "--client-id", "bob", "--force"];

#[test]
fn one_of_two_refused_is_exit_3_and_both_are_told() {
    let server = Ably::start();
    server.refuse("clientId:bob", 40121, 400, "Token revocation is not enabled");
    let run = ably(TWO).against(&server).run();
    run.exits(3)
        .says("Ably refused to revoke the tokens of client ID bob: Token revocation is not enabled (code 40121)")
        .says("2 targets: 1 revoked, 1 refused, in 1 request")
        .says("revoked: Ably accepted the revocation for client ID alice");
    let run = ably(TWO).against(&server).arg("--json").run();
    run.exits(3);
    let result = run.record("result");
    assert!(!flag(&result, "success"));
    assert_eq!(number(&result, "revocation.response.successCount"), 1);
    assert_eq!(number(&result, "revocation.response.failureCount"), 1);
    assert_eq!(number(&result, "revocation.response.results.1.error.code"), 40121);
    assert!(!crate::support::has(&result, "revocation.target"), "there are two");
}

#[test]
fn every_target_refused_in_a_201_is_exit_1() {
    let server = Ably::start();
    server.refuse("clientId:alice", 40121, 400, "not enabled");
    server.refuse("clientId:bob", 40121, 400, "not enabled");
    ably(TWO).against(&server).run().exits(1).never_says("accepted");
}

#[test]
fn the_old_protocols_answers_are_understood() {
    let server = Ably::start();
    server.speak_old_protocol();
    ably(TWO).against(&server).run().exits(0);
    server.refuse("clientId:bob", 40121, 400, "not enabled");
    let run = ably(TWO).against(&server).arg("--json").run();
    run.exits(3);
    assert_eq!(list(&run.record("result"), "revocation.response.results").len(), 2);
}

#[test]
fn a_request_refused_as_a_whole_is_exit_1_with_code_and_remedy() {
    let server = Ably::start();
    let run = ably(TWO).towards(&server).env("ABLY_API_KEY", "APP1.key1:wrong").run();
    run.exits(1)
        .says("Ably refused to revoke the tokens of 2 targets")
        .says("(code 40101)")
        .says("copy the whole key")
        .says("see https://");
    let run = ably(TWO).towards(&server).env("ABLY_API_KEY", "APP1.key1:wrong").arg("--json").run();
    run.exits(1);
    let error = run.record("error");
    assert_eq!(number(&error, "error.code"), 40101);
    assert_eq!(number(&error, "error.statusCode"), 401);
    assert_eq!(text(&error, "error.outcome"), "refused");
    assert_eq!(list(&error, "error.targets").len(), 2);
    assert!(text(&error, "error.href").starts_with("https://"));
}

#[test]
fn a_result_for_someone_else_confirms_nothing() {
    let server = Ably::scripted([Answer::json(
        201,
        r#"{"successCount":1,"failureCount":0,"results":[{"target":"clientId:carol","issuedBefore":1,"appliesAt":1}]}"#,
    )]);
    ably(["auth", "revoke-token", "--client-id", "alice", "--force"])
        .against(&server)
        .run()
        .exits(5)
        .says("unknown")
        .says("run the same command again")
        .never_says("accepted");
}
