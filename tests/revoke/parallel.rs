//! Several connections at once: every rule of one connection holds.

use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;

use crate::revoke::run::rows;
use crate::support::*;

/// How many connections the same cases are run with.
const CONNECTIONS: [&str; 2] = ["3", "16"];

#[test]
fn whatever_becomes_of_a_batch_all_that_is_told_agrees() {
    for connections in CONNECTIONS {
        each(&rows(), |(name, server, options, expected, code)| {
            let options = [&["--parallel", connections][..], options].concat();
            let count = expected.iter().sum();
            agrees(server, &options, count, |run, found| {
                // Requests that were under way when a run was stopped are done nevertheless.
                let stops = expected[3] > 0;
                run.check(stops || (found == *expected && run.code == Some(*code)), name);
            });
        });
    }
}

#[test]
fn ten_thousand_targets_go_once_each_over_as_many_connections() {
    for (connections, most) in [("1", 1), ("3", 3), ("16", 16)] {
        let (server, folder) = (Ably::start(), Folder::new());
        let targets = users(10_000);
        let program = from_file(&server, &targets_file(&folder, &targets));
        let run = program.args(["--parallel", connections]).run();
        run.exits(0).says("10000 targets: 10000 revoked, in 100 requests\n");
        let mut sent = received(&server);
        sent.sort();
        let mut all = targets;
        all.sort();
        assert_eq!(sent, all, "all, once");
        assert!(server.connections() <= most && server.handshakes() == server.connections());
    }
}

#[test]
fn results_are_told_in_the_order_of_the_targets() {
    // The first batch is answered when the others are.
    let (server, folder) = (holding(0), Folder::new());
    let program = from_file(&server, &targets_file(&folder, &users(300)));
    let running = program.args(["--parallel", "3", "--json"]).spawn();
    server.wait_for_requests(3);
    server.release();
    let run = running.wait();
    run.exits(0);
    let mut told = Vec::new();
    for record in run.json().iter().filter(|record| has(record, "revocation")) {
        let response = get(record, "revocation.response");
        told.extend(list(response, "results").iter().map(|one| text(one, "target").to_owned()));
    }
    assert_eq!(told, users(300));
}

/// Which requests were under way when the first was limited depends on the machine; that each target is
/// asked for again until it is revoked does not.
#[test]
fn a_rate_limit_is_waited_for_by_all() {
    for connections in CONNECTIONS {
        let met: Mutex<HashSet<String>> = Mutex::default();
        let server = Ably::deciding(move |seen| {
            let first = seen.targets().first().cloned().unwrap_or_default();
            let limited = Answer::error(429, 42910, "slow down").header("retry-after", "1");
            if met.lock().unwrap().insert(first) { limited } else { Answer::Faithful }
        });
        let folder = Folder::new();
        let program = from_file(&server, &targets_file(&folder, &users(600)));
        let run = program.args(["--parallel", connections]).run();
        run.exits(0).says("600 targets: 600 revoked");
        let done: BTreeSet<String> = revoked(&server).into_iter().collect();
        assert_eq!(done.len(), 600, "{run}");
    }
}

#[test]
fn a_signal_starts_nothing_new_and_what_is_under_way_is_accounted_for() {
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        for requests in [1, 9, 20] {
            let (server, folder) = (Ably::start(), Folder::new());
            server.decide(move |seen| match seen.index < requests + 8 {
                true => Answer::Faithful,
                false => Answer::Faithful.held(),
            });
            let program = keeping(&server, &folder, 10_000).args(["--parallel", "8"]);
            let running = program.spawn();
            server.wait_for_requests(requests + 8);
            let run = ends_soon(running, signal);
            run.dies_of(number);
            let left: HashSet<String> = left_targets(&folder.file(LEFT)).into_iter().collect();
            let done: HashSet<String> = revoked(&server).into_iter().collect();
            for target in users(10_000) {
                let kept = left.contains(&target) || done.contains(&target);
                run.check(kept, &format!("{target} is lost"));
            }
            let tally = told(&run).0;
            assert_eq!(tally.iter().sum::<usize>(), 10_000, "{run}");
            assert_eq!(tally[0], 10_000 - left.len(), "{run}");
        }
    }
}

#[test]
fn killed_at_any_moment_it_leaves_all_targets() {
    for requests in [1, 4, 30] {
        let (server, folder) = (Ably::start(), Folder::new());
        let running = keeping(&server, &folder, 10_000).args(["--parallel", "8"]).spawn();
        server.wait_for_requests(requests);
        running.signal("KILL");
        running.wait();
        let left: HashSet<String> = left_targets(&folder.file(LEFT)).into_iter().collect();
        let done: HashSet<String> = revoked(&server).into_iter().collect();
        assert!(users(10_000).iter().all(|it| left.contains(it) || done.contains(it)));
    }
}

#[test]
fn the_number_is_from_1_to_16() {
    let server = Ably::unreached();
    for number in ["0", "17", "x", "", "-1", "1.5"] {
        let run = revoke_alice().arg(format!("--parallel={number}")).against(&server).run();
        run.exits(2).says("--parallel");
    }
}

#[test]
fn tokens_are_asked_for_on_as_many_connections_and_told_in_order() {
    for connections in CONNECTIONS {
        let server = Ably::start();
        let tokens: Vec<String> =
            (0..20).map(|n| with(&format!(r#","x-ably-clientId":"user{n}""#))).collect();
        for (n, token) in tokens.iter().enumerate() {
            server.add_token(Token::new(token).client_id(&format!("user{n}")).dies_after(n % 2));
        }
        let program = leaked(tokens.join("\n")).against(&server);
        let run = program.args(["--force", "--json", "--verify", "--parallel", connections]).run();
        let mut records = run.exits(0).json();
        records.retain(|record| has(record, "verification"));
        let lines: Vec<u64> =
            records.iter().map(|record| number(record, "verification.line")).collect();
        assert_eq!(lines, (1..=20).collect::<Vec<u64>>());
    }
}
