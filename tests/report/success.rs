//! What a success says: what Ably confirmed, and no more.

use std::time::Duration;

use crate::support::*;

const EARLY: u64 = 1_795_420_800_000; // 2026-11-23T08:00:00Z
const LATE: u64 = 1_795_429_800_000; // 10:30

#[test]
fn it_says_whose_tokens_are_refused_from_when_on() {
    let server = Ably::start();
    let run = revoke_alice().against(&server).run();
    run.exits(0).says("tokens that key APP1.key1 issued before 20").says("are refused from ");
}

/// The earliest of the times before which tokens are meant, the latest from which that holds.
#[test]
fn of_several_answers_the_times_hold_for_all() {
    let server = Ably::deciding(|seen| {
        let at = if begins(seen, 0) { LATE } else { EARLY };
        let answer = Answer::json(201, batch_result(&seen.targets(), at));
        // The first comes last.
        if begins(seen, 0) { answer.after(Duration::from_millis(300)) } else { answer }
    });
    let folder = Folder::new();
    for parallel in ["1", "3"] {
        let program = keeping(&server, &folder, 300).args(["--parallel", parallel]);
        let run = program.run();
        run.exits(0).says("issued before 2026-11-23T08:00:00.000Z");
        run.says("refused from 2026-11-23T10:30:00.000Z on");
    }
    let mixed = Ably::deciding(|seen| {
        let one = |target: &str, at: u64| {
            format!(r#"{{"target":{},"issuedBefore":{at},"appliesAt":{at}}}"#, quote(target))
        };
        let [first, second] = [one(&seen.targets()[0], LATE), one(&seen.targets()[1], EARLY)];
        let results =
            format!(r#"{{"successCount":2,"failureCount":0,"results":[{first},{second}]}}"#);
        Answer::json(201, results)
    });
    let run = revoke_alice().args(["--client-id", "bob"]).against(&mixed).run();
    run.exits(0).says("before 2026-11-23T08:00:00.000Z").says("from 2026-11-23T10:30:00.000Z on");
}

#[test]
fn a_hint_names_other_keys_of_the_app_that_are_known() {
    let server = account_server();
    let config = |program: Program| program.config(&stored()).env("ABLY_API_KEY", VARIABLE);
    let run = config(revoke_alice()).towards(&server).run();
    run.exits(0).says("hint: ").says("APP1.stored1 from configuration").says("--all-keys");
    // Another app's key is none of this one's, and a configuration that cannot be read no hindrance.
    let other = account(&format!("[accounts.work.apps.APP2]\napiKey = '{STORED2}'"));
    for config in [other.as_str(), "not TOML", "[current]\naccount = 'gone'\n"] {
        let program = revoke_alice().config(config).env("ABLY_API_KEY", VARIABLE);
        program.towards(&server).run().exits(0).never_says("--all-keys").never_says("TOML");
    }
    // Nor is the same key in a second place.
    let same = account(&format!("[accounts.work.apps.APP1]\napiKey = '{VARIABLE}'"));
    let program = revoke_alice().config(&same).env("ABLY_API_KEY", VARIABLE);
    program.towards(&server).run().exits(0).never_says("--all-keys");
    let program = revoke_alice().args(["--key", "file"]).towards(&server);
    let keys = program.home().write("keys", format!("{FILE}\n{STORED2}\n"));
    program.arg("--api-key-file").arg(keys).run().exits(0).never_says("--all-keys");
    let program = revoke_alice().args(["--key", "file"]).towards(&server);
    let keys = program.home().write("keys", format!("{FILE}\n{OPTION}\n"));
    let run = program.arg("--api-key-file").arg(keys).run();
    run.exits(0).says("key APP1.file from --api-key-file").says("APP1.option from --api-key-file");
    run.says("--all-keys");
}

#[test]
fn a_refusal_names_the_key_and_where_it_came_from() {
    let server = Ably::deciding(|_| Answer::error(401, 40101, "Invalid credentials"));
    let run = revoke_alice().against(&server).run();
    run.exits(1).says("the key was APP1.key1 from ABLY_API_KEY");
    for (program, with_result) in [(revoke_alice(), false), (revoke_alice(), true)] {
        let server = match with_result {
            false => Ably::deciding(|_| Answer::error(401, 40101, "Invalid credentials")),
            true => {
                let server = Ably::start();
                server.refuse("clientId:alice", 40121, 400, "no");
                server
            }
        };
        let error = program.arg("--json").against(&server).run().exits(1).record("error");
        for place in ["keyName", "error.keyName"] {
            assert_eq!(text(&error, place), "APP1.key1");
        }
        for place in ["keySource", "error.keySource"] {
            assert_eq!(text(&error, place), "ABLY_API_KEY");
        }
    }
}

#[test]
fn no_tick_after_a_run_that_is_no_success() {
    let server = serving(control());
    server.spoil(KEY1, 40163, 401, "no");
    let ticked = |program: Program| {
        let end = Terminal::start(program.env("LC_ALL", "C.UTF-8")).finish();
        (end.code, end.screen.contains('✓'))
    };
    let keys = |program: Program| {
        let keys = program.home().write("keys", format!("{KEY1}\n{KEY2}\n"));
        program.arg("--all-keys").arg("--api-key-file").arg(keys).towards(&server)
    };
    assert_eq!(ticked(keys(command().arg("--check"))), (Some(3), false));
    assert_eq!(ticked(keys(revoke_alice())), (Some(3), false));
    let server = Ably::start();
    server.refuse("clientId:bob", 40121, 400, "no");
    let two = || revoke_alice().args(["--client-id", "bob"]).against(&server);
    assert_eq!(ticked(two()), (Some(3), false));
    assert_eq!(ticked(revoke_alice().against(&server)), (Some(0), true));
    assert_eq!(ticked(command().arg("--check").against(&server)), (Some(0), true));
}
