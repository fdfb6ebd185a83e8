//! `--check`: would it work now?

use crate::support::*;

fn check(server: &Ably) -> Program {
    command().arg("--check").towards(server)
}

#[test]
fn a_key_that_can_revoke_is_ready() {
    let server = Ably::start();
    let run = check(&server).keyed().run();
    run.exits(0).says("ready: key APP1.key1 can revoke tokens in app APP1").prints_nothing();
    run.never_says("hint").never_says("revoked:").hides_the_key();
    let run = check(&server).keyed().arg("--json").run();
    let result = run.exits(0).says_nothing().record("result");
    assert!(flag(&result, "check") && flag(&result, "ready") && flag(&result, "success"), "{run}");
    assert_eq!(text(&result, "keyName"), "APP1.key1");
    assert_eq!(text(&result, "app"), "APP1");
    assert!(!has(&result, "revocation"), "{run}");
    // Each run asks for another client ID, which nobody can have.
    let asked: Vec<String> = server.revoked().into_iter().map(|one| one.target).collect();
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0], asked[1]);
    for target in asked {
        let random = target.strip_prefix("clientId:ably-revoke-token-check-").unwrap();
        assert!(random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn a_key_that_cannot_is_told_with_the_reason_and_its_code() {
    let rows: [(Answer, i32, &str, &str); 7] = [
        (Answer::error(401, 40164, "Revocable tokens are not enabled"), 1, "key APP1.key1 cannot revoke tokens", "40164"),
        (Answer::error(401, 40163, "Revocable tokens are not enabled"), 1, "key APP1.key1 cannot revoke tokens", "40163"),
        (Answer::error(401, 40101, "Invalid credentials"), 1, "key APP1.key1 cannot revoke tokens", "40101"),
        (Answer::error(404, 40400, "No application found"), 1, "key APP1.key1 cannot revoke tokens", "40400"),
        (Answer::json(201, r#"{"successCount":1,"failureCount":0,"results":[]}"#), 5, "is unknown", "no result"),
        (Answer::json(200, "<html>"), 5, "whether key APP1.key1 can revoke tokens is unknown", "200"),
        (Answer::plain(403, "<html>Denied</html>"), 1, "key APP1.key1 cannot revoke tokens", "403"),
    ];
    each(&rows, |(answer, code, words, reason)| {
        let server = Ably::scripted([answer.clone(), answer.clone()]);
        let run = check(&server).keyed().run();
        run.exits(*code).says(words).says(reason).never_says("ready:");
        let run = check(&server).keyed().arg("--json").run();
        let result = run.exits(*code).record("result");
        run.check(!flag(&result, "ready") && !flag(&result, "success"), words);
        run.check(text(&run.record("error"), "error.message").contains(reason), reason);
    });
}

#[test]
fn each_key_is_checked_with_all_keys() {
    let server = serving(control());
    server.make_irrevocable(KEY1);
    let folder = Folder::new();
    let keys = folder.write("keys", format!("{KEY1}\n{KEY2}\n"));
    let program = || check(&server).args(["--all-keys", "--api-key-file"]).arg(&keys);
    let run = program().run();
    run.exits(3).says("ready: key APP1.key-b can revoke").says("key APP1.key-a cannot revoke");
    hides_everything(run.says("40164"));
    let run = program().arg("--json").run();
    let ready: Vec<(String, bool)> = run
        .json()
        .iter()
        .filter(|record| has(record, "check"))
        .map(|record| (text(record, "keyName").to_owned(), flag(record, "ready")))
        .collect();
    assert_eq!(ready, [("APP1.key-a".to_owned(), false), ("APP1.key-b".to_owned(), true)]);
}

#[test]
fn every_key_is_told_however_many_there_are() {
    let server = Ably::deciding(|_| Answer::error(401, 40131, "Key revoked"));
    let folder = Folder::new();
    let keys: String = (0..14).map(|n| format!("APP1.key-{n}:s3cr3t-m4rker-{n}\n")).collect();
    let keys = folder.write("keys", keys);
    let run = check(&server).args(["--all-keys", "--api-key-file"]).arg(keys).run();
    run.exits(1);
    for n in 0..14 {
        run.says(&format!("key APP1.key-{n} cannot revoke tokens"));
    }
}

/// They mean nothing here: a check names nobody.
#[test]
fn what_is_said_of_tokens_is_accepted_and_not_sent() {
    let server = Ably::start();
    for time in ["10m", "1795428000000"] {
        let options = ["--issued-before", time, "--allow-reauth-margin", "--parallel", "4"];
        check(&server).keyed().args(options).run().exits(0).says("ready: ");
    }
    let seen = server.requests();
    assert_eq!(seen.len(), 2, "Ably's clock is not asked");
    for body in seen.iter().map(Seen::json) {
        assert!(!has(body, "issuedBefore") && !has(body, "allowReauthMargin"));
    }
}

#[test]
fn a_host_that_is_not_reached_is_told() {
    let server = Ably::unreached();
    let program = command().arg("--check").trusting(&server).keyed();
    let run = program.args(["--endpoint", "localhost:1"]).run();
    run.exits(1).says("key APP1.key1 could not be checked").never_says("ready");
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn it_takes_no_target_and_asks_nothing() {
    let server = Ably::unreached();
    for (args, words) in [
        (&["--client-id", "alice"][..], "--client-id"),
        (&["--targets-file", "x"], "--targets-file"),
        (&["--from-token", "x"], "--from-token"),
        (&["--dry-run"], "--dry-run"),
        (&["--unrevoked-to", "x"], "--unrevoked-to"),
        (&["--verify"], "--verify"),
    ] {
        check(&server).keyed().args(args).run().exits(2).says(words);
    }
    let server = Ably::start();
    let program = check(&server).args(["--api-key-file", "-"]).stdin(KEY);
    program.run().exits(0).never_says("[y/N]").says("ready: ");
}
