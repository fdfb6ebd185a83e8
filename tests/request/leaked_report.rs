//! What is told of a leaked log: what was found in it and left out, what that was worth, what lives on.

use crate::support::*;

const FULL: &str = "xVLyHw.1a2Bc3:AbCdEfGhIjKlMnOpQrStUvWxYz0bcdef-_jklmnopqr";
const LEAKED_KEY: &str = "xVLyHw.1a2Bc3";

/// A token that a key of this name signed, with these claims beside those of its life.
fn of(key_name: &str, claims: &str) -> String {
    let issued = now() - 60;
    let payload = format!(r#"{{"iat":{issued},"exp":{}{claims}}}"#, issued + 3600);
    jwt(&format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{key_name}"}}"#), &payload)
}

fn client(id: &str) -> String {
    format!(r#","x-ably-clientId":"{id}""#)
}

/// A claim of what a token may do.
fn able(capability: &str) -> String {
    format!(r#","x-ably-capability":{}"#, quote(capability))
}

/// A token without a claim that could be revoked, but surely Ably's.
fn helpless(key_name: &str, n: usize) -> String {
    of(key_name, &able(&format!(r#"{{"room{n}":["*"]}}"#)))
}

/// The records with this field.
fn with_field(run: &Run, field: &str) -> Vec<miniserde::json::Value> {
    let mut records = run.json();
    records.retain(|record| has(record, field));
    records
}

#[test]
fn an_api_key_beside_a_token_is_told_first_wherever_something_is_told() {
    let server = Ably::start();
    let log = format!("{}\nABLY_API_KEY={FULL}\n?key={FULL}", of(KEY_NAME, &client("alice")));
    let command = format!("ably auth keys revoke {LEAKED_KEY}");
    let begins = |run: &Run, times: usize| {
        run.exits(0).says(&command).says("line 2").hides(&FULL[LEAKED_KEY.len() + 1..]);
        run.check(run.stderr.starts_with("warning: "), "the key comes first");
        run.check(run.stderr.matches(&command).count() == times, "how often it is told");
    };
    // Before the yes and after it; without a question once.
    begins(&leaked(&log).against(&server).stdin("y\n").run(), 2);
    begins(&leaked(&log).against(&server).arg("--force").run(), 1);
    begins(&leaked(&log).against(&server).arg("--dry-run").run(), 1);
    for arg in ["--force", "--dry-run"] {
        let run = leaked(&log).against(&server).args([arg, "--json"]).run();
        run.exits(0).hides(&FULL[LEAKED_KEY.len() + 1..]);
        let records = run.json();
        assert_eq!(text(&records[0], "type"), "warning", "{run}");
        assert_eq!(text(&records[0], "keyName"), LEAKED_KEY, "{run}");
        assert_eq!(number(&records[0], "line"), 2, "{run}");
        assert!(text(&records[0], "hint").contains(&command), "{run}");
        assert_eq!(with_field(&run, "keyName").len(), 1, "{run}");
    }
}

#[test]
fn what_the_tokens_could_do_is_told_in_short_and_kept_whole() {
    let server = Ably::start();
    let tokens = [
        of(KEY_NAME, &(client("a") + &able(r#"{"chat:*":["publish"]}"#))),
        of(KEY_NAME, &(client("b") + &able(r#"{"chat:*":["subscribe"],"x":["*"],"y":["*"]}"#))),
        of(KEY_NAME, &(client("c") + &able("nonsense"))),
    ];
    let log = tokens.join("\n");
    for args in [&["--force"][..], &["--dry-run"], &[]] {
        let run = leaked(&log).against(&server).args(args).stdin("y\n").run();
        run.exits(0).says(&format!("{KEY_NAME}: publish, subscribe on chat:*; 2 more"));
        run.says("unreadable in 1 token");
    }
    let run = leaked(&log).against(&server).args(["--force", "--json", "--verify"]).run();
    let told = run.holding("found");
    assert_eq!(text(&told, "keys.0.keyName"), KEY_NAME);
    let all = list(&told, "keys.0.capability.chat:*");
    assert_eq!(all.len(), 2, "{run}");
    assert!(has(&told, "keys.0.capability.y"), "{run}");
    let each = with_field(&run, "verification");
    assert_eq!(text(&each[0], "verification.capability.chat:*.0"), "publish", "{run}");
    assert_eq!(text(&each[2], "verification.capability"), "unreadable", "{run}");
    // One alone says it, too.
    let run = leaked(&tokens[0]).against(&server).stdin("y\n").run();
    run.exits(0).says("It could: publish on chat:*");
    let run = leaked(&tokens[0]).against(&server).args(["--force", "--json"]).run();
    let result = run.holding("revocation");
    assert_eq!(text(&result, "revocation.token.capability.chat:*.0"), "publish", "{run}");
    assert_eq!(text(&result, "revocation.token.fingerprint").len(), 16, "{run}");
    assert_eq!(number(&result, "revocation.token.line"), 1, "{run}");
    // What says nothing of it may do all that its key may.
    let run = leaked(timed(now() - 60, now() + 3000)).against(&server);
    let result = run.args(["--force", "--json"]).run().holding("revocation");
    assert!(has(&result, "revocation.token") && !has(&result, "revocation.token.capability"));
}

#[test]
fn beside_ten_of_a_kind_there_are_no_more() {
    let server = Ably::unreached();
    let mut log = vec![of(KEY_NAME, &client("alice"))];
    log.extend((0..10).map(|n| of(&format!("APP{n}.gone"), &client("bob"))));
    log.extend((0..10).map(|n| helpless(KEY_NAME, n)));
    let run = leaked(log.join("\n")).against(&server).run();
    run.exits(4).says("of key APP9.gone").says("the token in line 21,").never_says(" 0 more");
}

#[test]
fn what_was_left_out_is_told_without_a_question_too() {
    let server = Ably::start();
    let expired = jwt(HEADER, r#"{"exp":1700000000,"x-ably-clientId":"old"}"#);
    let foreign = jwt(r#"{"alg":"RS256","kid":"https://id.example/1"}"#, r#"{"sub":"x"}"#);
    let alice = of(KEY_NAME, &client("alice"));
    let log = [alice, of("APP2.key1", &client("bob")), expired, foreign].join("\n");
    let folder = Folder::new();
    let program = || leaked(&log).against(&server).env("ABLY_APP_ID", "APP1");
    let words = ": 1 token of 1 key; left out: 1 expired, 1 of other apps, 1 not Ably's";
    program().arg("--force").run().exits(0).says(words);
    program().stdin("y\n").run().exits(0).says(words);
    program().arg("--dry-run").run().exits(0).says(words);
    let run = program().args(["--force", "--json"]).recording(&folder).run();
    let found = |record: &miniserde::json::Value| {
        let fields = ["tokens", "keys", "expired", "otherApps", "notAbly"];
        fields.map(|field| number(record, &format!("found.{field}")))
    };
    assert_eq!(found(&run.exits(0).holding("found")), [1, 1, 1, 1, 1], "{run}");
    let mut recorded = whole(&folder.file(RECORD));
    recorded.retain(|record| has(record, "found"));
    assert_eq!(found(&recorded[0]), [1, 1, 1, 1, 1], "{run}");
    let run = program().args(["--dry-run", "--json"]).run();
    assert_eq!(found(&run.exits(0).holding("found")), [1, 1, 1, 1, 1], "{run}");
}

#[test]
fn of_many_tokens_that_cannot_be_revoked_ten_of_a_kind_are_told_and_scripts_get_all() {
    let server = Ably::start();
    let mut log = vec![of(KEY_NAME, &client("alice"))];
    log.extend((0..13).map(|n| of(&format!("APP{n}.gone"), &client("bob"))));
    log.extend((0..12).map(|n| helpless(KEY_NAME, n)));
    let log = log.join("\n");
    for args in [&["--force"][..], &[], &["--dry-run"]] {
        let run = leaked(&log).against(&server).args(args).stdin("y\n").run();
        run.check(run.code == Some(if args == ["--dry-run"] { 0 } else { 3 }), "how it ends");
        run.says("1 client ID of key APP0.gone, which is not at hand (line 2)");
        run.says("key APP9.gone").never_says("of key APP10.gone").says("those of 3 more keys");
        run.says("the token in line 15, key APP1.key1, has neither").says("and 2 more tokens");
        run.never_says("the token in line 25,").says("the last of them lives until 20");
        run.says("ably auth keys revoke APP1.key1").says("ably auth keys revoke APP0.gone");
    }
    for mode in ["--force", "--dry-run"] {
        let run = leaked(&log).against(&server).args([mode, "--json"]).run();
        let records = run.json();
        let mut lines: Vec<u64> = Vec::new();
        for record in records.iter().filter(|record| has(record, "error")) {
            assert_eq!(text(record, "outcome"), "not-sent", "{run}");
            if has(record, "token") {
                lines.push(number(record, "token.line"));
                assert_eq!(text(record, "token.fingerprint").len(), 16, "{run}");
            } else {
                assert!(text(record, "error.message").contains("is not at hand"), "{run}");
                lines.extend(list(record, "tokens").iter().map(|token| number(token, "line")));
            }
        }
        lines.sort_unstable();
        assert!(lines.into_iter().eq(2..=26), "{run}");
    }
}

#[test]
fn where_no_token_can_be_revoked_scripts_get_what_names_each() {
    let server = Ably::unreached();
    let log = format!("x\n{}\n{}", helpless(KEY_NAME, 1), of(KEY_NAME, &client("*")));
    let run = leaked(&log).towards(&server).args(["--force", "--json"]).run();
    let error = run.exits(2).record("error");
    assert!(text(&error, "error.message").contains("line 3, key APP1.key1, is for any"), "{run}");
    let lines: Vec<u64> = list(&error, "tokens").iter().map(|it| number(it, "line")).collect();
    assert_eq!(lines, [2, 3], "{run}");
    assert_eq!(text(&error, "tokens.0.fingerprint").len(), 16, "{run}");
}

#[test]
fn a_target_with_the_look_of_a_secret_is_sent_with_a_warning_that_does_not_repeat_it() {
    let server = Ably::start();
    let folder = Folder::new();
    let odd = ["com.example.mobile:ios-0123456789abcdef", "device.v2:AA:BB", "eyJpZCI6MTIzfQ.web"];
    let file = folder.write("targets", odd.map(|id| format!("clientId:{id}\n")).concat());
    let run = forced().against(&server).arg("--targets-file").arg(file).run();
    let warning = run.exits(0).stderr.lines().find(|line| line.starts_with("warning: "));
    let warning = warning.unwrap_or_default();
    run.check(warning.contains("3 targets") && warning.contains("line 1"), "counts them");
    for id in odd {
        run.check(!warning.contains(id), "does not repeat it");
    }
    assert_eq!(server.revoked().len(), 3);
}

#[test]
fn what_can_be_done_stands_below_what_it_is_about() {
    let server = Ably::start();
    let log =
        [of(KEY_NAME, &client("alice")), of("APP1.gone", &client("bob")), helpless(KEY_NAME, 1)];
    let run = leaked(log.join("\n")).against(&server).arg("--force").run();
    run.exits(3).says("not at hand (line 2)\n    add the key");
    run.says("nor a revocation key\n    use --channel");
}
