//! Many targets: batches, what stops a run and what does not. Whatever breaks, the counts add up,
//! and three witnesses agree: what is told, the left-over file, and what the stand-in received.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use miniserde::json::Value;

use crate::support::*;

#[test]
fn ten_thousand_targets_take_a_hundred_requests_over_one_connection() {
    let (server, folder) = (Ably::start(), Folder::new());
    let targets = users(10_000);
    let run = from_file(&server, &targets_file(&folder, &targets)).run();
    run.exits(0).says("10000 targets: 10000 revoked, in 100 requests\n").prints_nothing();
    assert_eq!(received(&server), targets, "all, in order, once");
    assert_eq!((server.connections(), server.handshakes()), (1, 1));
    let requests = server.revocation_requests();
    assert_eq!(requests.len(), 100);
    assert!(requests.iter().all(|one| one.targets().len() == BATCH));
}

#[test]
fn every_request_is_on_the_same_terms() {
    let (server, folder) = (Ably::start(), Folder::new());
    let program = from_file(&server, &targets_file(&folder, &users(250)));
    program.args(["--allow-reauth-margin", "--issued-before", "10m"]).run().exits(0);
    let requests = server.revocation_requests();
    let bodies: Vec<&Value> = requests.iter().map(Seen::json).collect();
    let times: BTreeSet<u64> = bodies.iter().map(|body| number(body, "issuedBefore")).collect();
    assert_eq!((times.len(), bodies.len()), (1, 3));
    assert_eq!(server.request_count(), 4, "Ably's clock is asked once");
    assert!(bodies.iter().all(|body| flag(body, "allowReauthMargin")));
}

#[test]
fn refused_ones_among_a_thousand_are_told_by_name() {
    let (server, folder) = (refusing((0..1000).step_by(40)), Folder::new());
    let run = from_file(&server, &targets_file(&folder, &users(1000))).run();
    run.exits(3).says("the tokens of client ID user0: Not for you (code 40121)");
    run.says("client ID user360:").never_says("client ID user400:").says("and 15 more refused\n");
    run.says("1000 targets: 975 revoked, 25 refused, in 10 requests\n");
    assert_eq!(received(&server), users(1000), "each is asked for once");
}

/// An answer may hold the request's ID, a time, a host's name.
#[test]
fn batches_that_fail_in_words_of_their_own_do_not_flood_the_end() {
    let folder = Folder::new();
    let server = Ably::deciding(|seen| {
        let words = format!("bad body, request {}", seen.index);
        Answer::error(400, 40000, &words)
    });
    let run = from_file(&server, &targets_file(&folder, &users(3000))).run();
    run.exits(1).says("3000 targets: 3000 refused");
    let errors = run.stderr.matches("error: ").count();
    run.check(errors == 10, "ten failures in full");
    run.says("and 2000 more targets in requests that failed with other errors");
}

#[test]
fn what_was_told_with_its_batch_is_not_counted_again_as_more() {
    let (server, folder) = (second(Answer::error(400, 40000, "bad request body"))(), Folder::new());
    for n in 0..12 {
        server.refuse(&format!("clientId:user{n}"), 40121, 400, "Not for you.");
    }
    let run = from_file(&server, &targets_file(&folder, &users(250))).run();
    run.exits(3).says("112 refused").says("100 targets: bad request body");
    run.says("and 2 more refused\n");
}

#[test]
fn a_batch_that_fails_on_ablys_side_is_tried_again() {
    let (server, folder) = (second(Answer::error(500, 50000, "internal"))(), Folder::new());
    from_file(&server, &targets_file(&folder, &users(250))).run().exits(3);
    assert!(server.request_count() > 3, "it was tried again");
}

/// Limits the rate of single targets within a batch, and revokes the others.
fn limiting(limited: impl Fn(&str) -> bool + Send + Sync + 'static) -> Ably {
    let error = r#"{"message":"slow down","code":42910,"statusCode":429}"#;
    Ably::deciding(move |seen| {
        let targets = seen.targets();
        let results = targets.iter().map(|target| match limited(target) {
            true => format!(r#"{{"target":{},"error":{error}}}"#, quote(target)),
            false => {
                format!(r#"{{"target":{},"issuedBefore":{NOW},"appliesAt":{NOW}}}"#, quote(target))
            }
        });
        let results: Vec<String> = results.collect();
        let body = format!(r#"{{"results":[{}]}}"#, results.join(","));
        Answer::json(201, body).though_done()
    })
}

fn limiting_once() -> Ably {
    let tries = AtomicUsize::new(0);
    limiting(move |target| target == "clientId:user7" && tries.fetch_add(1, Ordering::SeqCst) == 0)
}

#[test]
fn a_rate_limit_on_single_targets_is_waited_for_with_those_alone() {
    let (server, folder) = (limiting_once(), Folder::new());
    from_file(&server, &targets_file(&folder, &users(150))).run().exits(0);
    let requests = server.revocation_requests();
    assert_eq!(requests[1].targets(), ["clientId:user7"]);
    assert_eq!(requests.len(), 3);
}

#[test]
fn what_stops_a_run_stops_it_there() {
    let denied = second(Answer::error(401, 40101, "no"));
    for (server, sent) in [(denied(), 200), (gone_after_one(Door::Close)(), 100)] {
        let folder = Folder::new();
        let run = from_file(&server, &targets_file(&folder, &users(450))).run();
        run.exits(3).says("not sent, in ");
        assert_eq!(received(&server), users(sent), "and no further");
    }
}

/// Answers the first request, and receives all later connections like this.
fn gone_after_one(door: Door) -> impl Fn() -> Ably {
    move || {
        let server = Ably::deciding(|seen| {
            Answer::json(201, batch_result(&seen.targets(), NOW))
                .header("connection", "close")
                .though_done()
        });
        server.receive(move |knock| match knock.connection {
            0 => Door::Tls(Certificate::Good),
            _ => door,
        });
        server
    }
}

fn refusing(targets: impl Iterator<Item = usize>) -> Ably {
    let server = Ably::start();
    for n in targets {
        server.refuse(&format!("clientId:user{n}"), 40121, 400, "Not for you.");
    }
    server
}

fn lacking_one() -> Ably {
    Ably::deciding(|seen| {
        let mut targets = seen.targets();
        targets.retain(|target| target != "clientId:user77");
        Answer::json(201, batch_result(&targets, NOW)).though_done()
    })
}

/// What it is, the stand-in, options, how many targets end revoked, refused, unknown and not sent,
/// and the exit code.
pub(crate) type Row =
    (&'static str, Box<dyn Fn() -> Ably + Sync>, &'static [&'static str], [usize; 4], i32);

#[rustfmt::skip] // a table: one row a line
pub(crate) fn rows() -> Vec<Row> {
    let error = |status: u16| Answer::error(status, u32::from(status) * 100, "no");
    let long = Answer::error(429, 42910, "slow down").header("retry-after", "3600");
    let soon = Answer::error(429, 42910, "slow down").header("retry-after", "1");
    let moved = Answer::plain(302, "").header("location", "https://localhost/x");
    let gone = |door| Box::new(gone_after_one(door));
    let always = |answer: Answer| Box::new(second(answer));
    let once = |answer: Answer| Box::new(second_once(answer));
    vec![
        ("each connection closed", Box::new(|| Ably::deciding(|_| Answer::Faithful.then_close())), &[], [500, 0, 0, 0], 0),
        ("some refused", Box::new(|| refusing((0..1000).step_by(40))), &[], [975, 25, 0, 0], 3),
        ("all refused", Box::new(|| refusing(0..150)), &[], [0, 150, 0, 0], 1),
        ("a batch refused for what is in it", always(error(400)), &[], [150, 100, 0, 0], 3),
        ("a result that is missing", Box::new(lacking_one), &[], [149, 0, 1, 0], 3),
        ("a reset once", once(Answer::Reset), &[], [250, 0, 0, 0], 0),
        ("cut once", once(Answer::Cut), &[], [250, 0, 0, 0], 0),
        ("a 503 once", once(error(503)), &[], [250, 0, 0, 0], 0),
        ("resets", always(Answer::Reset), &[], [150, 0, 100, 0], 3),
        ("done and lost", always(Answer::Close.though_done()), &[], [150, 0, 100, 0], 3),
        ("never answered", always(Answer::HangBeforeHeaders), &["--timeout", "1.5"], [150, 0, 100, 0], 3),
        ("a 500", always(error(500)), &[], [150, 0, 100, 0], 3),
        ("a 503", always(error(503)), &[], [150, 0, 100, 0], 3),
        ("a page", always(Answer::plain(200, "<html>Welcome</html>")), &[], [150, 0, 100, 0], 3),
        ("a redirect", always(moved), &[], [150, 0, 100, 0], 3),
        ("nothing certain", Box::new(|| Ably::deciding(|_| Answer::plain(201, "{}"))), &[], [0, 0, 250, 0], 5),
        ("a rate limit that passes", once(soon), &[], [250, 0, 0, 0], 0),
        ("a rate limit that lasts", always(long), &[], [100, 100, 0, 250], 3),
        ("a rate limit without a time", always(Answer::error(429, 42910, "slow down")), &["--timeout", "2"], [100, 100, 0, 250], 3),
        ("a rate limit on one target once", Box::new(limiting_once), &[], [150, 0, 0, 0], 0),
        // Unlike a limit on a whole batch, it does not stop the run: the others are let through.
        ("a rate limit on one target", Box::new(|| limiting(|target| target == "clientId:user7")), &["--timeout", "1"], [149, 1, 0, 0], 3),
        ("a 401", always(error(401)), &[], [100, 100, 0, 250], 3),
        ("a 403", always(error(403)), &[], [100, 100, 0, 250], 3),
        ("a 404", always(error(404)), &[], [100, 100, 0, 250], 3),
        ("a 401 at once", Box::new(move || Ably::deciding(move |_| error(401))), &[], [0, 100, 0, 350], 1),
        ("a host that resets", gone(Door::Reset), &[], [100, 0, 0, 350], 3),
        ("a host that closes", gone(Door::Close), &[], [100, 0, 0, 350], 3),
        ("a host that speaks HTTP", gone(Door::PlainHttp), &[], [100, 0, 0, 350], 3),
        ("a host that falls silent", gone(Door::Silent), &["--timeout", "1"], [100, 0, 0, 350], 3),
        ("a host that is never reached", Box::new(|| Ably::receiving(|_| Door::Close)), &[], [0, 0, 0, 250], 1),
    ]
}

#[test]
fn whatever_becomes_of_a_batch_all_that_is_told_agrees() {
    each(&rows(), |(_, server, options, expected, code)| ends(server, options, *expected, *code));
}

/// Ably refuses a request as a whole where channels are not enabled for the account.
#[test]
fn channels_travel_apart_and_a_refusal_of_theirs_stops_them_alone() {
    let server = Ably::deciding(|seen| {
        let targets = seen.targets();
        let channels = targets.iter().filter(|target| target.starts_with("channel:")).count();
        assert!(channels == 0 || channels == targets.len(), "mixed: {targets:?}");
        match channels {
            0 => Answer::Faithful,
            _ => Answer::error(401, 40121, "channels are not enabled for this account"),
        }
    });
    let folder = Folder::new();
    let channels = (0..250).map(|n| format!("channel:room{n}"));
    let mut targets: Vec<String> = channels.collect();
    targets.splice(3..3, users(1000));
    let file = targets_file(&folder, &targets);
    for parallel in ["1", "4"] {
        let before = revoked(&server).len();
        let program = from_file(&server, &file).args(["--parallel", parallel]);
        let run = program.arg("--unrevoked-to").arg(folder.file(LEFT)).run();
        run.exits(3).says("1250 targets: 1000 revoked, ").says("40121");
        assert_eq!(revoked(&server).len() - before, 1000, "{run}");
        assert_eq!(left_targets(&folder.file(LEFT)).len(), 250);
        if parallel == "1" {
            run.says("100 refused, 150 not sent, in 11 requests");
        }
    }
}
