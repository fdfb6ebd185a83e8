//! A leaked log: many tokens, of several keys and apps, among other text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::*;

/// A second key of the app, and a key of another.
const KEY2: &str = "APP1.key2:0ther-s3cret-4411";
const APP2: &str = "APP2.key1:0ther-s3cret-4412";

/// A token of a key with these claims.
fn of(key: &str, claims: &str) -> String {
    let (name, _) = key.split_once(':').unwrap();
    jwt(&format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{name}"}}"#), &payload(claims))
}

fn client(id: &str) -> String {
    format!(r#","x-ably-clientId":"{id}""#)
}

/// A log with tokens of four keys, each in the dress of another program.
fn log() -> String {
    let alice = of(KEY, &client("alice"));
    let [bob, group] = [of(KEY, &client("bob")), of(KEY, GROUP)];
    let [carol, dave] = [of(KEY2, &client("alice")), of(APP2, &client("dave"))];
    let gone = of("APP1.gone:x", &client("erin"));
    let expired = jwt(HEADER, r#"{"exp":1700000000,"x-ably-clientId":"old"}"#);
    let foreign = jwt(r#"{"alg":"RS256","kid":"https://id.example/1"}"#, r#"{"sub":"x"}"#);
    let any = of(KEY, &client("*"));
    [
        format!("GET /socket?accessToken={alice}&format=json HTTP/1.1"),
        format!("Authorization: Bearer {}", STANDARD.encode(&bob)),
        format!("\"log\":\"{{\\\"token\\\":\\\"{group}\\\"}}\\n\""),
        format!("{alice} once more, and {carol}"),
        format!("'{dave}' {expired} {foreign}"),
        gone,
        any,
    ]
    .join("\n")
}

fn keys() -> String {
    [KEY, KEY2, APP2].join("\n")
}

fn server() -> Ably {
    let server = Ably::start();
    [KEY, KEY2, APP2].iter().for_each(|key| server.add_key(key));
    server
}

/// The command with this log, and these keys in a file.
fn with_log(server: &Ably, log: &str) -> Program {
    let program = leaked(log).towards(server);
    let file = program.home().write("keys", keys());
    program.arg("--api-key-file").arg(file)
}

#[track_caller]
fn hides_all(run: &Run, log: &str) {
    run.hides_the_key().hides("0ther-s3cret").hides(SIGNATURE).hides(INNER);
    for token in
        log.split([' ', '\n', '"', '\'', '\\', '=', '&']).filter(|it| it.starts_with("eyJ"))
    {
        hides(run, token);
    }
}

fn sent(server: &Ably) -> Vec<(String, String)> {
    server.revoked().into_iter().map(|one| (one.key, one.target)).collect()
}

#[test]
fn the_question_says_what_was_found_and_what_cannot_be_done() {
    let (server, log) = (Ably::unreached(), log());
    let run = with_log(&server, &log).stdin("n\n").run();
    hides_all(&run, &log);
    run.exits(4).says(": 7 tokens of 4 keys; left out: 1 expired, 1 not Ably's");
    run.says("This revokes the tokens of 2 client IDs and 1 revocation key:");
    run.says("  client ID alice (line 1)").says("  client ID bob (line 2)");
    run.says("  revocation key g1 (line 3)").says("  client ID dave (line 5)");
    run.says("With app APP1, key APP1.key1 from --api-key-file").says("key APP1.key2 from");
    run.says("With app APP2, key APP2.key1 from");
    run.says("Cannot be revoked, and will be counted as not sent:");
    run.says("  1 client ID of key APP1.gone, which is not at hand");
    run.says("  the token in line 7, key APP1.key1, is for any client ID (*)");
}

#[test]
fn every_token_is_revoked_with_the_key_that_signed_it() {
    let (server, log) = (server(), log());
    let folder = Folder::new();
    let program = with_log(&server, &log).args(["--force", "--unrevoked-to"]);
    let run = program.arg(folder.file("left")).run();
    hides_all(&run, &log);
    run.exits(3).says("7 revocations: 5 revoked, 2 not sent, in 3 requests");
    run.says("nothing was sent for 2 tokens").says("key APP1.gone, which is not at hand (line 6)");
    run.says("the token in line 7, key APP1.key1, is for any client ID (*)");
    let told = run.stderr.matches("is not at hand").count();
    run.check(told == 1, "what has no key is told once");
    let expected = [
        ("APP1.key1", "clientId:alice"),
        ("APP1.key1", "clientId:bob"),
        ("APP1.key1", "revocationKey:g1"),
        ("APP1.key2", "clientId:alice"),
        ("APP2.key1", "clientId:dave"),
    ];
    let expected = expected.map(|(key, target)| (key.to_owned(), target.to_owned()));
    assert_eq!(sent(&server), expected, "{run}");
    let left = folder.read("left");
    assert!(left.starts_with("# with key APP1.gone: not-sent: key APP1.gone"), "{left}");
    assert!(left.ends_with("\nclientId:erin\n"), "{left}");
    assert_eq!(left.lines().count(), 2, "{left}");
}

#[test]
fn ten_keys_are_told_with_what_their_tokens_could_do() {
    let server = Ably::unreached();
    for (keys, more) in [(10, None), (12, Some("  and 2 more keys\n"))] {
        let others = (1..keys).map(|n| of(&format!("APP1.other{n}:x"), &client("alice")));
        let log: Vec<String> = [of(KEY, &client("alice"))].into_iter().chain(others).collect();
        let run = with_log(&server, &log.join("\n")).stdin("n\n").run();
        run.exits(4).says(&format!(": {keys} tokens of {keys} keys\n")).says("  APP1.other9: ");
        run.check(more.is_none_or(|more| run.stderr.contains(more)), "the rest should be counted");
        run.check(more.is_some() || !run.stderr.contains("more key"), "there is no rest");
    }
    // Of one alone it is told what it says of itself.
    with_log(&server, &for_alice())
        .stdin("n\n")
        .run()
        .exits(4)
        .never_says("Found in")
        .never_says("Cannot be revoked");
}

#[test]
fn an_app_leaves_the_tokens_of_others_out() {
    let log = log();
    for (app, revoked, code) in [("APP1", 4, 3), ("APP2", 1, 0)] {
        let server = server();
        let run = with_log(&server, &log).args(["--force", "--app", app]).run();
        hides_all(&run, &log);
        run.exits(code);
        let is_told = run.stderr.contains("the token in line 7");
        run.check(is_told == (app == "APP1"), "what cannot be revoked is told of that app alone");
        let all = server.revoked();
        assert!(all.len() == revoked && all.iter().all(|one| one.key.starts_with(app)), "{run}");
    }
    let server = Ably::unreached();
    let run = with_log(&server, &log).args(["--force", "--app", "APP3"]).run();
    run.exits(2).says("APP3").says("APP1.key1").says("APP2.key1");
}

#[test]
fn keys_come_from_all_sources_and_one_that_is_lacking_keeps_no_other_waiting() {
    let (server, log) = (server(), log());
    let control = Control::new(ACCESS_TOKEN).app("APP2", "Mail", vec![ControlKey::new(APP2, "r")]);
    server.serve_control(control);
    let stored = format!(
        "[current]\naccount = 'a'\n[accounts.a]\n[accounts.a.apps.APP1]\napiKey = '{KEY2}'\n"
    );
    let program = leaked(&log).against(&server).config(&stored).control(&server, ACCESS_TOKEN);
    let run = program.arg("--force").run();
    hides_all(&run, &log);
    run.exits(3)
        .says("7 revocations: 5 revoked, 2 not sent")
        .says("key APP1.key2 from configuration");
    run.says("key APP2.key1 from Control API").says("APP1");
    let none = leaked(&log).towards(&server).env("ABLY_API_KEY", "APP9.k:s3cret-9-9-9-9").run();
    none.exits(2).says("the tokens were signed with").says("APP1.key1").says("APP9.k");
}

/// The tokens of `log` that are revoked, as Ably knows them.
fn known(server: &Ably) -> Vec<String> {
    let rows = [
        (KEY, client("alice"), "clientId:alice"),
        (KEY, client("bob"), "clientId:bob"),
        (KEY, GROUP.to_owned(), "revocationKey:g1"),
        (KEY2, client("alice"), "clientId:alice"),
        (APP2, client("dave"), "clientId:dave"),
    ];
    let token = |(key, claims, target): (&str, String, &str)| {
        let token = of(key, &claims);
        server.add_token(Token::new(&token).target(target).dies_after(1));
        token
    };
    rows.map(token).to_vec()
}

#[test]
fn all_tokens_are_proved_dead_and_told_one_by_one() {
    let server = server();
    let log = known(&server).join("\n");
    let run = with_log(&server, &log).args(["--force", "--verify"]).run();
    hides_all(&run, &log);
    run.exits(0).says("5 of 5 tokens are rejected as revoked (40141)").never_says("still accepted");
    run.says("revoked: Ably accepted");
    let asking = run.stderr.matches("asking Ably with each token").count();
    run.check(asking == 1, "they are asked with once all are revoked");
    let server = crate::request::leaked_log::server();
    let log = known(&server).join("\n");
    let run = with_log(&server, &log).args(["--force", "--verify", "--json"]).run();
    hides_all(&run, &log);
    run.exits(0);
    let mut records = run.json();
    records.retain(|record| has(record, "verification"));
    let lines: Vec<u64> =
        records.iter().map(|record| number(record, "verification.line")).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5], "{run}");
    for record in &records {
        assert!(flag(record, "verification.verified") && flag(record, "success"), "{run}");
        assert_eq!(number(record, "verification.code"), 40141, "{run}");
        assert_eq!(text(record, "verification.fingerprint").len(), 16, "{run}");
    }
    assert_eq!(text(&records[4], "verification.keyName"), "APP2.key1");
    assert_eq!(text(&records[4], "verification.clientId"), "dave");
    assert_eq!(text(&records[2], "verification.revocationKey"), "g1");
}

#[test]
fn a_token_that_lives_on_is_named_by_line_key_and_claim() {
    let server = server();
    let (dead, alive) = (of(KEY, &client("alice")), of(KEY2, &client("bob")));
    server.add_token(Token::new(&dead).client_id("alice"));
    server.add_token(Token::new(&alive).client_id("bob").never_dies());
    let log = format!("{dead}\n\n{alive}\n");
    let run = with_log(&server, &log).args(["--force", "--verify"]).run();
    hides_all(&run, &log);
    run.exits(5).says("1 of 2 tokens is rejected as revoked (40141); 1 still accepted");
    run.says("line 3, key APP1.key2, client ID bob: the token is still accepted");
    run.says("revoke its API key in the dashboard").never_says("hint:").never_says(" 0 more");
}

#[test]
fn of_many_that_live_on_ten_are_named() {
    let server = Ably::start();
    let tokens = (0..12).map(|n| {
        let token = of(KEY, &client(&format!("c{n}")));
        server.add_token(Token::new(&token).client_id(&format!("c{n}")).never_dies());
        token
    });
    let log: Vec<String> = tokens.collect();
    let program = with_log(&server, &log.join("\n")).args(["--force", "--verify"]);
    let run = program.args(["--parallel", "12"]).run();
    run.exits(5).says("  line 10, key APP1.key1").says("  and 2 more\n").never_says("  line 11,");
}

#[test]
fn of_two_keys_that_may_not_one_that_may_does_its_part() {
    let (server, log) = (server(), log());
    server.spoil(KEY, 40131, 401, "Key revoked");
    server.make_irrevocable(APP2);
    let run = with_log(&server, &log).args(["--force", "--json"]).run();
    hides_all(&run, &log);
    run.exits(3);
    assert_eq!(sent(&server), [("APP1.key2".to_owned(), "clientId:alice".to_owned())]);
    let errors: Vec<(String, u64)> = run
        .json()
        .iter()
        .filter(|record| has(record, "error.code"))
        .map(|record| (text(record, "keyName").to_owned(), number(record, "error.code")))
        .collect();
    assert_eq!(errors, [("APP1.key1".to_owned(), 40131), ("APP2.key1".to_owned(), 40164)]);
    let helpless = run.holding("token");
    assert_eq!(number(&helpless, "token.line"), 7);
    assert_eq!(text(&helpless, "outcome"), "not-sent");
}

#[test]
fn where_nothing_can_be_revoked_nothing_is_sent() {
    let server = Ably::unreached();
    let any = of(KEY, &client("*"));
    let expired = jwt(HEADER, r#"{"exp":1700000000,"x-ably-clientId":"old"}"#);
    let other = jwt(HEADER, r#"{"exp":1600000000,"x-ably-clientId":"old"}"#);
    let rows = [
        (format!("{any}\n{}", of(KEY, "")), "none of the 2 tokens in"),
        (format!("{expired}\n{other}"), "all 2 tokens in"),
        (format!("x\n{}", of("APP1.gone:x", ALICE)), "signed with key APP1.gone"),
    ];
    each(&rows, |(log, words)| {
        let run = with_log(&server, log).arg("--force").run();
        hides_all(&run, log);
        run.exits(2).says(words).prints_nothing();
    });
    let log =
        [of(KEY, ""), of(KEY2, &client("*")), of(KEY, r#","x-ably-clientId":"a\nb""#)].join("\n\n");
    let run = with_log(&server, &log).arg("--force").run();
    hides_all(&run, &log);
    run.exits(2)
        .says("line 1, key APP1.key1, has neither")
        .says("line 3, key APP1.key2, is for any");
    run.says("line 5, key APP1.key1, is doubtful").says("ably auth keys revoke APP1.key1");
    run.says("ably auth keys revoke APP1.key2");
    let log: String = (0..14).map(|n| of(KEY, &format!(r#","a":{n}"#)) + "\n").collect();
    let run = with_log(&server, &log).arg("--force").run();
    run.exits(2).says("line 10,").never_says("line 11,").says("4 more");
}

#[test]
fn with_both_claims_it_is_told_how_many_tokens_that_concerns_and_where() {
    let server = Ably::unreached();
    let both = format!("{}\n{}", with(BOTH), of(KEY2, BOTH));
    let run = with_log(&server, &both).arg("--force").run();
    run.exits(2).says("2 of 2 tokens, lines 1, 2,").says("--by");
    let log = format!("{}\n\n{}\n{}", of(KEY, &client("bob")), with(BOTH), of(KEY, ""));
    let run = with_log(&server, &log).arg("--force").run();
    run.exits(2).says("1 of 3 tokens, line 3,").says("--by");
}

#[test]
fn tokens_with_nothing_between_them_are_all_revoked() {
    let ids: Vec<String> = (0..4).map(|n| format!("client-{n}")).collect();
    for between in ["", "-", "_", "."] {
        let server = server();
        let tokens: Vec<String> = ids.iter().map(|id| of(KEY, &client(id))).collect();
        let cut = tokens[0].len() - 12;
        let log = format!("{}{between}{}{}", tokens.join(between), &tokens[1][..cut], tokens[3]);
        let run = with_log(&server, &log).arg("--force").run();
        hides_all(&run, &log);
        run.exits(0);
        let sent: Vec<String> = sent(&server).into_iter().map(|(_, target)| target).collect();
        assert_eq!(
            sent,
            ids.iter().map(|id| format!("clientId:{id}")).collect::<Vec<_>>(),
            "{run}"
        );
    }
}

#[test]
fn one_odd_token_keeps_no_other_from_being_revoked() {
    let (server, folder) = (server(), Folder::new());
    let odd = [
        r#","x-ably-clientId":"eve\nclientId:bob""#,
        r#","x-ably-clientId":"eve\u2028""#,
        r#","x-ably-clientId":"eve","x-ably-clientId":"bob""#,
    ];
    let odd: String = odd.map(|claims| of(KEY, claims) + "\n").concat();
    let long = of(KEY, &format!(r#","a":"{}""#, "x".repeat(64 << 10)));
    let log = format!("{odd}{long}\n{}", of(KEY, &client("alice")));
    let program = with_log(&server, &log).args(["--force", "--unrevoked-to"]);
    let run = program.arg(folder.file("left")).run();
    hides_all(&run, &log);
    run.exits(3);
    assert_eq!(sent(&server), [("APP1.key1".to_owned(), "clientId:alice".to_owned())], "{run}");
}

#[test]
fn another_issuers_tokens_are_counted_as_such_whatever_their_key_is_called() {
    let (server, alice) = (Ably::unreached(), of(KEY, &client("alice")));
    let foreign = |kid: &str| {
        jwt(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#), &format!(r#"{{"sub":"{INNER}"}}"#))
    };
    let log = format!("{alice}\n{}\n{}", foreign("auth.2024"), foreign("auth.2025"));
    let run = with_log(&server, &log).stdin("n\n").run();
    hides_all(&run, &log);
    run.exits(4).never_says("auth.20");
    // Of a key at hand it is Ably's, and cannot be revoked by itself.
    let log = format!("{alice}\n{}\n{}", foreign("auth.2024"), foreign("APP1.key1"));
    let run = with_log(&server, &log).stdin("n\n").run();
    hides_all(&run, &log);
    run.exits(4).says("2 tokens").says("1 not Ably's").says("line 3");
    let expired = jwt(HEADER, r#"{"exp":1700000000,"sub":"x"}"#);
    let run = with_log(&server, &format!("{log}\n{expired}")).stdin("n\n").run();
    run.exits(4).says("2 tokens").says("left out: 1 expired, 1 not Ably's");
}

#[test]
fn an_api_key_without_a_token_beside_it_is_told_with_what_revokes_it() {
    let server = Ably::unreached();
    let full = "xVLyHw.1a2Bc3:AbCdEfGhIjKlMnOpQrStUvWxYz0bcdef-_jklmnopqr";
    let (name, secret) = full.split_once(':').unwrap();
    let expired = jwt(HEADER, r#"{"exp":1700000000,"x-ably-clientId":"old"}"#);
    let rows = [
        format!("\nABLY_API_KEY={full}\n"),
        format!("\nGET /?key={} HTTP/1.1", full.replace(':', "%3A")),
        format!("\nAuthorization: Basic {}\r\n", STANDARD.encode(full)),
        format!("\n{{\"key\": \"{full}\"}}"),
        format!("{expired}\nkey: '{full}'"),
    ];
    each(&rows, |log| {
        for extra in [&["--force"][..], &["--force", "--json"], &["--dry-run"]] {
            let run = with_log(&server, log).args(extra).run();
            run.exits(2).hides(secret).hides(&secret[20..]).hides(&STANDARD.encode(full));
            let told = format!("{}{}", run.stdout, run.stderr);
            for words in [name, "line 2", &format!("ably auth keys revoke {name}")] {
                run.check(told.contains(words), words);
            }
        }
    });
    // One at hand is known by its secret alone.
    let run = with_log(&server, &format!("x\npassword is {SECRET}!")).arg("--force").run();
    run.exits(2).says("line 2").says("ably auth keys revoke APP1.key1").hides_the_key();
    // Beside tokens that cannot be revoked, both are told, with what revokes each.
    let run = with_log(&server, &format!("{}\n{full}", of(KEY2, ""))).arg("--force").run();
    run.exits(2).says("line 1, key APP1.key2, has neither").says(&format!("{name} (line 2)"));
    run.says(&format!("ably auth keys revoke {name}")).says("ably auth keys revoke APP1.key2");
    let run = with_log(&server, "at 12.30:45 from registry.io:443 sha.x@sha256:abc").run();
    run.exits(2).says("holds no token").never_says("API key");
}
