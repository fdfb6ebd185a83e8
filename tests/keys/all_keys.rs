//! Several keys at once: after a key rotation one key is not enough.

use crate::support::*;

/// The command with these lines in its key file.
fn filed(program: Program, server: &Ably, keys: &str) -> Program {
    let file = program.home().write("keys", keys);
    program.towards(server).arg("--api-key-file").arg(file)
}

fn lines(keys: &[&str]) -> String {
    keys.join("\n") + "\n"
}

/// What Ably was asked to revoke, with which key.
fn revoked(server: &Ably) -> Vec<(String, String)> {
    server.revoked().into_iter().map(|one| (one.key, one.target)).collect()
}

fn by(keys: &[&str], targets: &[&str]) -> Vec<(String, String)> {
    let name = |key: &str| key.split(':').next().unwrap().to_owned();
    let each = |key: &&str| targets.iter().map(|target| (name(key), target.to_string())).collect();
    keys.iter().flat_map(|key| -> Vec<_> { each(key) }).collect()
}

#[test]
fn every_target_is_revoked_with_every_key_of_the_file() {
    let server = serving(control());
    let file =
        format!("\u{feff}# issued before May\r\n{KEY1}\r\n\r\n  {KEY2}  \n{KEY1}\n#{KEY3}\n");
    let two = alice().args(["--client-id", "bob", "--all-keys", "--force"]);
    let run = filed(two, &server, &file).run();
    hides_everything(&run);
    run.exits(0)
        .says("4 revocations: 4 revoked, in 2 requests")
        .says("APP1.key-a")
        .says("APP1.key-b");
    let expected = by(&[KEY1, KEY2], &["clientId:alice", "clientId:bob"]);
    assert_eq!(revoked(&server), expected, "{run}");
}

#[test]
fn the_question_names_every_key() {
    let server = unreached_account();
    let run = filed(alice().arg("--all-keys"), &server, &lines(&[KEY1, KEY2])).stdin("n\n").run();
    hides_everything(&run);
    run.exits(4).says("client ID alice").says("With each of 2 keys:");
    run.says("key APP1.key-a from --api-key-file").says("key APP1.key-b from --api-key-file");
    let dry = alice().args(["--all-keys", "--dry-run", "--json"]);
    let run = filed(dry, &server, &lines(&[KEY1, KEY2])).run();
    let names: Vec<String> = run
        .exits(0)
        .json()
        .iter()
        .filter(|record| has(record, "request"))
        .map(|record| text(record, "request.keyName").to_owned())
        .collect();
    assert_eq!(names, ["APP1.key-a", "APP1.key-b"], "{run}");
}

#[test]
fn all_sources_are_asked_and_keys_that_cannot_revoke_are_named() {
    let keys = vec![
        ControlKey::new(CONTROL1, "Root"),
        ControlKey::new(KEY1, "Twice"),
        ControlKey::new(KEY2, "Old").irrevocable(),
        ControlKey::new(KEY3, "Gone").disabled(),
    ];
    let server = serving(with_keys(keys));
    [STORED1, CONTROL1].iter().for_each(|key| server.add_key(key));
    let program = alice().args(["--all-keys", "--force"]).config(&stored());
    let run = filed(program, &server, &lines(&[KEY1])).control(&server, TOKEN).run();
    hides_everything(&run);
    run.exits(0).says("key APP1.key-b has no revocable tokens").never_says("APP1.key-c");
    let expected = by(&[KEY1, STORED1, CONTROL1], &["clientId:alice"]);
    assert_eq!(revoked(&server), expected, "{run}");
    // Without a file, too; the app is then the one that is selected.
    let program = alice().args(["--all-keys", "--force"]).config(&stored());
    let run = program.towards(&server).control(&server, TOKEN).run();
    run.exits(0);
    let expected = by(&[STORED1, CONTROL1, KEY1], &["clientId:alice"]);
    assert_eq!(revoked(&server)[3..], expected, "{run}");
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn what_cannot_serve_ends_in_plain_words_and_nothing_is_sent() {
    let server = unreached_account();
    let twice = KEY1.replace("aaa", "zzz");
    let rows: [(&str, String, &[&str], &[&str]); 9] = [
        ("one alone", lines(&[KEY1]), &["--all-keys"], &["only key APP1.key-a", "ABLY_ACCESS_TOKEN"]),
        ("one twice", lines(&[KEY1, KEY1]), &["--all-keys"], &["only key APP1.key-a"]),
        ("two apps", lines(&[KEY1, CONTROL2]), &["--all-keys"], &["APP1", "APP2", "APP2.control2"]),
        ("another app", lines(&[KEY1, KEY2]), &["--all-keys", "--app", "APP2"], &["APP1", "APP2"]),
        ("no switch", lines(&[KEY1, KEY2]), &[], &["holds 2 keys", "--all-keys"]),
        ("a bad line", lines(&[KEY1, "# x", "APP1.key-b"]), &["--all-keys"], &["line 3", "no ':'"]),
        ("two secrets", lines(&[KEY1, &twice]), &["--all-keys"], &["key APP1.key-a twice"]),
        ("comments alone", "# none yet\n".to_owned(), &["--all-keys"], &["holds no key"]),
        ("one of them chosen", lines(&[KEY1, KEY2]), &["--all-keys", "--key", "key-a"], &["--all-keys", "--key"]),
    ];
    each(&rows, |(name, keys, args, words)| {
        let run = filed(revoke_alice(), &server, keys).args(*args).run();
        run.check(run.code == Some(2), name).prints_nothing();
        hides_everything(&run);
        run.hides("s3cr3t-m4rker-zzz");
        words.iter().for_each(|word| { run.says(word); });
    });
    let run = revoke_alice().arg("--all-keys").towards(&server).run();
    run.exits(2).says("no API key");
    let run = revoke_alice().args(["--all-keys", "--from-token", "/dev/null"]).towards(&server).run();
    run.exits(2).says("--client-id and --from-token");
}

#[test]
fn of_three_keys_one_is_revoked_one_may_not_and_one_is_right() {
    let server = serving(control());
    server.spoil(KEY1, 40131, 401, "Key revoked");
    server.make_irrevocable(KEY2);
    let folder = Folder::new();
    let two = alice().args(["--client-id", "bob", "--all-keys", "--force", "--unrevoked-to"]);
    let program = filed(two.arg(folder.file("left")), &server, &lines(&[KEY1, KEY2, KEY3]));
    let run = program.run();
    hides_everything(&run);
    run.exits(3).says("6 revocations: 2 revoked, 4 refused, in 3 requests");
    run.says("with key APP1.key-a").says("40131").says("with key APP1.key-b").says("40164");
    run.says("holds the 2 targets").says("--all-keys");
    let left = folder.read("left");
    let expected = |target: &str| {
        let reason = |key: &str| format!("# with key {key}: refused: ");
        let from = left.find(&format!("\n{target}\n")).unwrap();
        let before: Vec<&str> = left[..from].lines().rev().take(2).collect();
        assert!(before[0].starts_with(&reason("APP1.key-b")), "{left}");
        assert!(before[1].starts_with(&reason("APP1.key-a")), "{left}");
    };
    ["clientId:alice", "clientId:bob"].into_iter().for_each(expected);
    assert_eq!(left.lines().filter(|line| !line.starts_with('#')).count(), 2, "{left}");
    assert_eq!(revoked(&server), by(&[KEY3], &["clientId:alice", "clientId:bob"]), "{run}");
}

#[test]
fn scripts_learn_which_key_failed() {
    let server = serving(control());
    server.spoil(KEY1, 40131, 401, "Key revoked");
    let program = revoke_alice().args(["--all-keys", "--json"]);
    let run = filed(program, &server, &lines(&[KEY1, KEY2])).run();
    hides_everything(&run);
    run.exits(3);
    let error = run.record("error");
    assert_eq!(text(&error, "keyName"), "APP1.key-a");
    assert_eq!(number(&error, "error.code"), 40131);
    assert_eq!(list(&error, "targets").len(), 1);
    let result = run.record("result");
    assert_eq!(text(&result, "revocation.keyName"), "APP1.key-b");
    assert_eq!(text(&result, "revocation.target"), "clientId:alice");
}

#[test]
fn each_key_that_was_refused_is_named_once() {
    let server = serving(control());
    server.refuse("clientId:alice", 40121, 400, "no");
    server.refuse("clientId:bob", 40121, 400, "no");
    let program = alice().args(["--client-id", "bob", "--all-keys", "--force"]);
    let run = filed(program, &server, &lines(&[KEY1, KEY2])).run();
    let told = run.exits(1).stderr.matches("the key was APP1.key-").count();
    run.check(told == 2, "one line for each key");
}

#[test]
fn a_key_that_is_set_and_not_used_is_named() {
    let server = serving(control());
    let folder = Folder::new();
    let other = folder.write("other", KEY3);
    let program = alice().args(["--all-keys", "--force"]).env("ABLY_API_KEY", KEY3);
    let program = program.env("ABLY_API_KEY_FILE", other);
    let run = filed(program, &server, &lines(&[KEY1, KEY2])).run();
    run.exits(0).says("warning: --api-key-file is used, and not ABLY_API_KEY, ABLY_API_KEY_FILE");
    assert_eq!(revoked(&server), by(&[KEY1, KEY2], &["clientId:alice"]));
    // Of one key, and where all are used, there is nothing to say.
    let program = revoke_alice().args(["--api-key", KEY1]).env("ABLY_API_KEY", KEY3);
    program.towards(&server).run().exits(0).never_says("is used, and not");
    let program = alice().args(["--all-keys", "--force"]);
    let run = filed(program, &server, &lines(&[KEY1, KEY2])).run();
    run.exits(0).never_says("is used, and not");
}
