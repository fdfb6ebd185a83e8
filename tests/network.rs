//! The way to Ably: hosts and their fallbacks, waits, proxies, names and addresses.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{
    Ably, Answer, BlackHole, Certificate, Door, Folder, KEY, Loopback, Manners, Mode, Program,
    Proxy, Run, Seen, Socks, ably, batch_result, number,
};

const REVOKE: [&str; 5] = ["auth", "revoke-token", "--client-id", "alice", "--force"];
/// A proxy's password: a text to look for wherever no secret may be.
const PASSWORD: &str = "pr0xy-m4rker-77";
const MAIN: &str = "main.realtime.ably.net";

/// The hosts that were asked, in order.
fn hosts(server: &Ably) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|seen| seen.host().to_owned()).collect()
}

/// Time between two requests.
fn gap(server: &Ably, first: usize) -> Duration {
    let requests = server.requests();
    requests[first + 1].at.duration_since(requests[first].at)
}

fn is_fallback(host: &str, policy: &str, domain: &str) -> bool {
    ('a'..='e').any(|letter| host == format!("{policy}.{letter}.fallback.{domain}"))
}

fn success(seen: &Seen) -> Answer {
    Answer::json(201, batch_result(&seen.targets(), 1_795_428_000_000))
}

/// An address where a connection is refused.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

// Endpoints and --connect-to.

#[test]
fn every_form_of_an_endpoint_leads_to_its_host() {
    let server = Ably::start();
    let port = server.port();
    let cases: [(&str, &str, Option<&str>); 14] = [
        ("main", MAIN, Some(MAIN)),
        ("acme", "acme.realtime.ably.net", Some("acme.realtime.ably.net")),
        ("ACME", "acme.realtime.ably.net", Some("acme.realtime.ably.net")),
        (
            "nonprod:sandbox",
            "sandbox.realtime.ably-nonprod.net",
            Some("sandbox.realtime.ably-nonprod.net"),
        ),
        (MAIN, MAIN, Some(MAIN)),
        ("revoke.example.com", "revoke.example.com", Some("revoke.example.com")),
        ("revoke.example.com:443", "revoke.example.com", Some("revoke.example.com")),
        ("revoke.example.com:8443", "revoke.example.com:8443", Some("revoke.example.com")),
        ("localhost", "localhost", Some("localhost")),
        ("localhost:8443", "localhost:8443", Some("localhost")),
        ("127.0.0.1:8443", "127.0.0.1:8443", None),
        ("::1", "[::1]", None),
        ("[::1]", "[::1]", None),
        ("[0:0::1]:8443", "[::1]:8443", None),
    ];
    let connect_to = format!("127.0.0.1:{port}");
    let count = cases.len();
    for (endpoint, host, sni) in cases {
        for by_flag in [true, false] {
            let program = ably(REVOKE)
                .args(["--connect-to", &connect_to, "--ca-file"])
                .arg(server.ca_file())
                .env("ABLY_API_KEY", KEY);
            let program = match by_flag {
                true => {
                    program.args(["--endpoint", endpoint]).env("ABLY_ENDPOINT", "other.example")
                }
                false => program.env("ABLY_ENDPOINT", endpoint),
            };
            program.run().exits(0);
            let seen = server.requests().pop().unwrap();
            assert_eq!((seen.host(), seen.sni.as_deref()), (host, sni), "{endpoint}");
        }
    }
    assert_eq!(server.request_count(), 2 * count);
}

#[test]
fn an_ipv6_address_is_an_endpoint_without_any_help() {
    let server = Ably::start_on(Loopback::V6);
    ably(REVOKE).against(&server).run().exits(0);
    assert_eq!(hosts(&server), [format!("[::1]:{}", server.port())]);
}

#[test]
fn connections_go_to_an_address_or_a_name_of_ones_choice() {
    let server = Ably::start_on(Loopback::Both);
    let port = server.port();
    for address in
        [format!("127.0.0.1:{port}"), format!("[::1]:{port}"), format!("localhost:{port}")]
    {
        let run = ably(REVOKE)
            .args(["--connect-to", &address, "--verbose", "--ca-file"])
            .arg(server.ca_file())
            .env("ABLY_API_KEY", KEY)
            .run();
        run.exits(0).says(&address);
    }
    assert_eq!(hosts(&server), [MAIN; 3]);
}

#[test]
fn an_address_that_is_none_is_exit_2() {
    let server = Ably::start();
    server.expect_nothing();
    for bad in [
        "",
        "127.0.0.1",
        "::1",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "https://a:1",
        "u:p@a:1",
        "a b:1",
    ] {
        ably(REVOKE)
            .against(&server)
            .args(["--connect-to", bad])
            .run()
            .exits(2)
            .says("--connect-to");
    }
}

// Fallback.

#[test]
fn a_host_that_fails_is_replaced_by_a_fallback() {
    let cases: Vec<(&str, Result<Answer, Door>)> = vec![
        ("500", Ok(Answer::plain(500, ""))),
        ("501", Ok(Answer::plain(501, ""))),
        ("502", Ok(Answer::plain(502, ""))),
        ("503", Ok(Answer::error(503, 50003, "down"))),
        ("504", Ok(Answer::plain(504, ""))),
        ("CloudFront's 400", Ok(Answer::plain(400, "").header("server", "CloudFront"))),
        ("CloudFront's 403", Ok(Answer::plain(403, "").header("Server", "cloudfront"))),
        ("CloudFront's 505", Ok(Answer::plain(505, "").header("server", "CloudFront"))),
        ("a reset", Ok(Answer::Reset)),
        ("closed without an answer", Ok(Answer::Close)),
        ("a truncated answer", Ok(Answer::Truncated { status: 201, length: 99, body: Vec::new() })),
        ("reset in the handshake", Err(Door::Reset)),
        ("closed in the handshake", Err(Door::Close)),
        ("a connection that times out", Err(Door::Silent)),
        ("a port without TLS", Err(Door::PlainHttp)),
        ("a TLS alert", Err(Door::Alert(80))),
        ("an exchange that times out", Ok(Answer::HangBeforeHeaders)),
        ("a body that times out", Ok(Answer::HangAfterHeaders)),
    ];
    thread::scope(|scope| {
        for (name, failure) in cases {
            scope.spawn(move || {
                let server = Ably::start();
                let primary = |host: Option<&str>| host == Some(MAIN);
                match failure.clone() {
                    Ok(answer) => server.decide(move |seen| match primary(Some(seen.host())) {
                        true => answer.clone(),
                        false => success(seen),
                    }),
                    Err(door) => server.receive(move |knock| match primary(knock.sni.as_deref()) {
                        true => door,
                        false => Door::Tls12,
                    }),
                }
                let run = ably(REVOKE)
                    .connected_to(&server)
                    .env("ABLY_API_KEY", KEY)
                    .arg("--verbose")
                    .run();
                run.exits(0).says("accepted the revocation").says("asking main.");
                let asked = hosts(&server);
                let last = asked.last().unwrap();
                run.check(
                    is_fallback(last, "main", "ably-realtime.com"),
                    &format!("{name}: {asked:?}"),
                );
                assert_eq!(asked.len(), if failure.is_ok() { 2 } else { 1 }, "{name}");
            });
        }
    });
}

#[test]
fn what_is_no_failure_of_the_host_stays_with_it() {
    for answer in [
        Answer::error(400, 40000, "no"),
        Answer::error(401, 40101, "no"),
        Answer::error(403, 40300, "no"),
        Answer::error(404, 40400, "no"),
        Answer::plain(408, ""),
        Answer::error(429, 42910, "no").header("retry-after", "3600"),
        Answer::plain(505, ""),
        Answer::plain(302, "").header("location", "https://main.a.fallback.ably-realtime.com/"),
        Answer::plain(201, ""),
        Answer::plain(403, "").header("server", "nginx; not CloudFront"),
    ] {
        let server = Ably::deciding(move |_| answer.clone());
        let run = ably(REVOKE).connected_to(&server).env("ABLY_API_KEY", KEY).run();
        run.check(run.code != Some(0), "should not succeed");
        assert!(hosts(&server).iter().all(|host| host == MAIN), "{run}");
    }
}

#[test]
fn a_bad_certificate_is_final() {
    for certificate in [Certificate::Expired, Certificate::WrongName, Certificate::UnknownIssuer] {
        let server = Ably::receiving(move |knock| match knock.sni.as_deref() {
            Some(MAIN) => Door::Tls(certificate),
            _ => Door::Tls12,
        });
        ably(REVOKE)
            .connected_to(&server)
            .env("ABLY_API_KEY", KEY)
            .run()
            .exits(1)
            .says("nothing was sent")
            .says("after a bad certificate no other host is tried");
        assert_eq!((server.connections(), server.request_count()), (1, 0), "{certificate:?}");
    }
}

#[test]
fn at_most_three_different_fallbacks_are_asked_in_random_order() {
    let mut firsts = BTreeSet::new();
    for (endpoint, policy, domain) in [
        ("main", "main", "ably-realtime.com"),
        ("nonprod:sandbox", "sandbox", "ably-realtime-nonprod.com"),
    ] {
        for _ in 0..6 {
            let server = Ably::deciding(|_| Answer::plain(503, ""));
            let run = ably(REVOKE)
                .args(["--endpoint", endpoint])
                .connected_to(&server)
                .env("ABLY_API_KEY", KEY)
                .run();
            run.exits(5).says("answered 503");
            let asked = hosts(&server);
            assert_eq!(asked.len(), 4, "{asked:?}");
            assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), 4, "{asked:?}");
            let fallbacks = asked[1..].iter();
            assert!(fallbacks.clone().all(|host| is_fallback(host, policy, domain)), "{asked:?}");
            firsts.insert(asked[1].trim_start_matches(policy).chars().nth(1));
        }
    }
    // One chance in 48 million that twelve draws out of five are all the same.
    assert!(firsts.len() > 1, "always {firsts:?}");
}

#[test]
fn the_fallback_that_answered_serves_the_rest_of_the_run() {
    let fails_at_main = |seen: &Seen| match (seen.host() == MAIN, seen.method.as_str()) {
        (true, _) => Answer::plain(503, ""),
        (false, "GET") => Answer::json(200, "[1795428000000]"),
        _ => success(seen),
    };
    let server = Ably::deciding(fails_at_main);
    ably(REVOKE)
        .args(["--issued-before", "10m"])
        .connected_to(&server)
        .env("ABLY_API_KEY", KEY)
        .run()
        .exits(0);
    let asked = hosts(&server);
    assert_eq!((asked.len(), asked[0].as_str()), (3, MAIN));
    assert_eq!(asked[1], asked[2]);
    assert_ne!(asked[1], MAIN);
    assert_eq!(server.requests()[1].connection, server.requests()[2].connection);

    let server = Ably::deciding(fails_at_main);
    let ids = (0..250).flat_map(|n| ["--client-id".to_owned(), format!("user{n}")]);
    ably(["auth", "revoke-token", "--force"])
        .args(ids)
        .connected_to(&server)
        .env("ABLY_API_KEY", KEY)
        .run()
        .exits(0)
        .says("250 targets: 250 revoked, in 3 requests");
    let asked = hosts(&server);
    assert_eq!((asked.len(), asked[0].as_str()), (4, MAIN));
    assert!(asked[2..].iter().all(|host| *host == asked[1]), "{asked:?}");
}

#[test]
fn a_fallback_that_fails_later_is_replaced_too() {
    // main fails the first time, the fallback the second: main again is as good as any.
    let server = Ably::deciding(|seen| match seen.index {
        0 | 2 => Answer::plain(500, ""),
        _ => success(seen),
    });
    let ids = (0..150).flat_map(|n| ["--client-id".to_owned(), format!("user{n}")]);
    ably(["auth", "revoke-token", "--force"])
        .args(ids)
        .connected_to(&server)
        .env("ABLY_API_KEY", KEY)
        .run()
        .exits(0);
    let asked = hosts(&server);
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[1], asked[2]);
    assert_ne!(asked[2], asked[3]);
}

#[test]
fn an_explicit_host_has_no_fallbacks() {
    let server = Ably::deciding(|_| Answer::plain(503, ""));
    ably(REVOKE)
        .args(["--endpoint", MAIN])
        .connected_to(&server)
        .env("ABLY_API_KEY", KEY)
        .run()
        .exits(5);
    assert_eq!(hosts(&server), [MAIN; 3]);
}

#[test]
fn where_no_host_is_reached_all_are_tried_and_nothing_is_sent() {
    let ca = Ably::start();
    ca.expect_nothing();
    for (address, told) in [
        (nobody().to_string(), "refused the connection"),
        ("nowhere.invalid:443".to_owned(), "the host name nowhere.invalid"),
    ] {
        let run = ably(REVOKE)
            .args(["--connect-to", &address, "--verbose", "--ca-file"])
            .arg(ca.ca_file())
            .env("ABLY_API_KEY", KEY)
            .run();
        run.exits(1).says("nothing was sent").says(told).says(MAIN);
        let tries = run.stderr.matches(": POST https://").count()
            + run.stderr.matches("] POST https://").count();
        run.check(tries == 4, &format!("{tries} tries instead of 4"));
    }
}

#[test]
fn a_try_that_may_have_reached_ably_outweighs_one_that_did_not() {
    // main takes the request and drops it; no fallback can be reached.
    let server = Ably::deciding(|_| Answer::Reset);
    server.receive(|knock| match knock.sni.as_deref() {
        Some(MAIN) => Door::Tls12,
        _ => Door::Close,
    });
    ably(REVOKE)
        .connected_to(&server)
        .env("ABLY_API_KEY", KEY)
        .run()
        .exits(5)
        .says("unknown")
        .never_says("nothing was sent");
    assert_eq!(hosts(&server), [MAIN]);
}

// Waits.

fn busy() -> Answer {
    Answer::error(429, 42910, "Slow down.")
}

/// The time from now as an HTTP date.
fn http_date(from_now: &str) -> String {
    let output = Command::new("date")
        .env("LC_ALL", "C")
        .args(["-u", "-d", from_now, "+%a, %d %b %Y %H:%M:%S GMT"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_rate_limit_is_waited_for_as_long_as_it_says() {
    let second = Duration::from_secs(1);
    let cases = [
        ("seconds", busy().header("retry-after", "2"), 2 * second, 4 * second),
        ("no time at all", busy().header("retry-after", "0"), Duration::ZERO, second),
        // A date has no fractions: up to a second of the three is gone.
        ("a date", busy().header("retry-after", &http_date("+3 seconds")), second, 4 * second),
        (
            "a date in the past",
            busy().header("retry-after", &http_date("-1 day")),
            Duration::ZERO,
            second,
        ),
        ("nothing", busy(), Duration::from_millis(800), 2 * second),
        ("nonsense", busy().header("retry-after", "soon"), Duration::from_millis(800), 2 * second),
        (
            "a negative time",
            busy().header("retry-after", "-5"),
            Duration::from_millis(800),
            2 * second,
        ),
    ];
    thread::scope(|scope| {
        for (name, answer, least, most) in cases {
            scope.spawn(move || {
                let server = Ably::scripted([answer]);
                ably(REVOKE).against(&server).run().exits(0);
                assert_eq!(server.request_count(), 2, "{name}");
                let gap = gap(&server, 0);
                // The upper bound leaves seconds to a busy machine.
                assert!(gap >= least && gap < most + 3 * second, "{name}: {gap:?}");
            });
        }
    });
}

#[test]
fn waits_that_nobody_asked_for_double() {
    let server = Ably::scripted([busy(), busy()]);
    ably(REVOKE).against(&server).run().exits(0);
    assert!(gap(&server, 0) >= Duration::from_millis(800));
    assert!(gap(&server, 1) >= Duration::from_millis(1600));
}

#[test]
fn a_rate_limit_longer_than_the_time_left_fails_at_once() {
    for after in
        ["31", "99999999999999999999", &http_date("+1 hour"), "Fri, 31 Dec 9999 23:59:59 GMT"]
    {
        let answer = busy().header("retry-after", after);
        let server = Ably::deciding(move |_| answer.clone());
        let start = Instant::now();
        let run = ably(REVOKE).against(&server).run();
        run.exits(1).says("longer than --timeout leaves").says("Slow down (code 42910)");
        assert_eq!(server.request_count(), 1, "{after}");
        run.check(start.elapsed() < Duration::from_secs(20), "should not wait");
    }
}

#[test]
fn a_rate_limit_without_end_is_not_answered_with_a_flood() {
    for after in ["0", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let answer = busy().header("retry-after", after);
        let server = Ably::deciding(move |_| answer.clone());
        let run = ably(REVOKE).against(&server).args(["--timeout", "2"]).run();
        let count = server.request_count();
        run.check(count <= 10, &format!("{count} requests in 2 s with Retry-After: {after}"));
        run.exits(1).says("Slow down");
    }
}

#[test]
fn only_the_targets_that_were_limited_are_asked_for_again() {
    let server = Ably::start();
    let limited = r#"{"successCount":1,"failureCount":1,"results":[
        {"target":"clientId:alice","issuedBefore":1,"appliesAt":1},
        {"target":"clientId:bob","error":{"message":"Slow down.","code":42910,"statusCode":429}}]}"#;
    server.script([
        Answer::json(201, limited).header("retry-after", "2"),
        Answer::json(201, limited),
    ]);
    let run = ably(REVOKE)
        .args(["--client-id", "bob", "--json", "--issued-before", "1795428000000"])
        .against(&server);
    server.set_clock_ms(1_795_428_600_000);
    let run = run.run();
    run.exits(0);
    let asked: Vec<Vec<String>> = server.requests().iter().map(Seen::targets).collect();
    assert_eq!(asked[0], ["clientId:alice", "clientId:bob"]);
    assert_eq!(asked[1..], [["clientId:bob"], ["clientId:bob"]]);
    assert!(gap(&server, 0) >= Duration::from_secs(2), "Retry-After holds here too");
    assert!(gap(&server, 1) >= Duration::from_millis(800));
    for request in server.requests() {
        assert_eq!(number(&request.json(), "issuedBefore"), 1_795_428_000_000);
    }
    let result = run.record("result");
    assert_eq!(number(&result, "revocation.response.successCount"), 2);
}

#[test]
fn a_connection_closed_between_two_requests_is_opened_again() {
    let server = Ably::deciding(|seen| success(seen).then_close());
    let ids = (0..250).flat_map(|n| ["--client-id".to_owned(), format!("user{n}")]);
    ably(["auth", "revoke-token", "--force"])
        .args(ids)
        .against(&server)
        .run()
        .exits(0)
        .says("250 targets: 250 revoked, in 3 requests");
    assert!(server.connections() >= 3);
}

/// The answer to a batch and one more that nobody asked for, in TLS records of their own: bytes
/// of the second are left in the layers below where the first ends.
fn and_one_more(first: &[String], second: &[String]) -> Vec<u8> {
    const RECORD: usize = 16 << 10;
    let answer = |targets: &[String], length: Option<usize>| {
        let body = batch_result(targets, 1_795_428_000_000);
        let head =
            |length: usize| format!("HTTP/1.1 201 Created\r\ncontent-length: {length}\r\n\r\n");
        let length = length.map_or(body.len(), |all| all - head(all).len());
        format!("{}{body:length$}", head(length))
    };
    [answer(first, Some(RECORD)), answer(second, None)].concat().into_bytes()
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_the_next_ones() {
    let ids: Vec<String> = (0..200).map(|n| format!("clientId:user{n}")).collect();
    let more = and_one_more(&ids[..100], &ids[100..]);
    assert!(more.len() > (16 << 10) + 4096, "the second must not fit into one read of TLS");
    let server = Ably::deciding(move |seen| match seen.index {
        0 => Answer::Open(more.clone()),
        _ => Answer::error(401, 40101, "Wrong."),
    });
    ably(["auth", "revoke-token", "--force"])
        .args(ids.iter().map(|id| id.replace("clientId:", "--client-id=")))
        .against(&server)
        .run()
        .exits(3)
        .says("200 targets: 100 revoked, 100 refused");
    assert_eq!((server.connections(), server.request_count()), (2, 2));
}

#[test]
fn a_request_head_has_64_kib_and_a_longer_one_is_not_sent() {
    let server = Ably::start();
    let key = |secret: usize| format!("APP1.key1:{}", "s".repeat(secret));
    // In base64 the credentials are a third longer.
    server.add_key(&key(46_000));
    ably(REVOKE).towards(&server).env("ABLY_API_KEY", key(46_000)).run().exits(0);
    let run = ably(REVOKE).towards(&server).env("ABLY_API_KEY", key(50_000)).run();
    run.exits(2).says("the API key is too long");
    assert_eq!(server.request_count(), 1);
}

#[test]
fn after_a_refusal_that_would_meet_all_the_rest_is_not_sent() {
    let server = Ably::deciding(|_| Answer::error(401, 40101, "Wrong."));
    let ids = (0..250).flat_map(|n| ["--client-id".to_owned(), format!("user{n}")]);
    ably(["auth", "revoke-token", "--force"])
        .args(ids)
        .against(&server)
        .run()
        .exits(1)
        .says("250 targets: 100 refused, 150 not sent, in 1 request");
    assert_eq!(server.request_count(), 1);
}

// Names and addresses.

/// The stand-in listens on ::1 alone, so its own endpoint would not try 127.0.0.1 first.
fn revokes_within_a_second_at_localhost(server: &Ably) {
    ably(REVOKE)
        .args([
            "--endpoint",
            &format!("localhost:{}", server.port()),
            "--timeout",
            "1",
            "--ca-file",
        ])
        .arg(server.ca_file())
        .env("ABLY_API_KEY", KEY)
        .run()
        .exits(0);
}

#[test]
fn a_dead_first_address_costs_less_than_a_second() {
    // localhost is 127.0.0.1, then ::1.
    let server = Ably::start_on(Loopback::V6);
    let _dead = BlackHole::at(SocketAddr::from((Ipv4Addr::LOCALHOST, server.port())));
    revokes_within_a_second_at_localhost(&server);
}

#[test]
fn a_first_address_that_refuses_costs_nothing() {
    let server = Ably::start_on(Loopback::V6);
    revokes_within_a_second_at_localhost(&server);
}

/// The program as a user of its own who may have no second thread, in a root folder that holds it
/// and the CA's certificate alone; `None` where that cannot be had.
fn without_threads(server: &Ably) -> Option<(Folder, Program)> {
    let (prlimit, chroot) = ("/usr/bin/prlimit", "/usr/sbin/chroot");
    let user = "--userspec=61234:61234";
    // A shell under the same limit must be unable to fork, or this shows nothing.
    let forks = Command::new(prlimit)
        .args(["--nproc=1", chroot, user, "/", "/bin/sh", "-c", "(true); echo forked"])
        .stderr(Stdio::null())
        .output();
    // Where chroot is refused, nothing forks either.
    let chroots = Command::new(chroot).args([user, "/", "/bin/true"]).output();
    let may = chroots.is_ok_and(|output| output.status.success());
    let limited =
        may && forks.is_ok_and(|output| !output.status.success() && output.stdout.is_empty());
    if !limited {
        eprintln!("skipped: prlimit and chroot do not keep a process from forking here");
        return None;
    }
    let root = Folder::new();
    let binary = std::env::var_os("ABLY_BIN").unwrap_or(env!("CARGO_BIN_EXE_ably").into());
    std::fs::copy(binary, root.file("ably")).unwrap();
    std::fs::copy(server.ca_file(), root.file("ca.pem")).unwrap();
    let program = Program::at(prlimit)
        .args(["--nproc=1", chroot, user])
        .arg(root.path())
        .arg("/ably")
        .args(REVOKE)
        .args(["--ca-file", "/ca.pem"])
        .env("ABLY_API_KEY", KEY);
    Some((root, program))
}

#[test]
fn a_process_that_may_create_no_thread_works_all_the_same() {
    let server = Ably::start();
    let Some((_root, program)) = without_threads(&server) else {
        server.expect_nothing();
        return;
    };
    program.args(["--endpoint", &server.endpoint()]).run().exits(0);
    let (_root, program) = without_threads(&server).unwrap();
    program
        .args(["--endpoint", "nowhere.invalid", "--timeout", "1"])
        .run()
        .exits(1)
        .says("the host name nowhere.invalid")
        .never_says("panicked");
}

// Proxies.

/// The program on its way to Ably's own host, which only a proxy can find here.
fn to_main(server: &Ably) -> Program {
    ably(REVOKE).arg("--ca-file").arg(server.ca_file()).env("ABLY_API_KEY", KEY)
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_to_ablys_host() {
    let server = Ably::start();
    let proxy = Proxy::to(server.address());
    let run = to_main(&server).env("HTTPS_PROXY", proxy.url()).arg("--verbose").run();
    run.exits(0).says(&format!("proxy {} from HTTPS_PROXY", proxy.url()));
    assert_eq!(proxy.targets(), [format!("{MAIN}:443")]);
    assert_eq!(proxy.connects()[0].authorization, None);
    let seen = &server.requests()[0];
    assert_eq!((seen.host(), seen.sni.as_deref()), (MAIN, Some(MAIN)));
    assert_eq!(seen.header("proxy-authorization"), None);
}

#[test]
fn fallbacks_go_through_the_proxy_too() {
    let server = Ably::deciding(|seen| match seen.host() {
        MAIN => Answer::plain(503, ""),
        _ => success(seen),
    });
    let proxy = Proxy::to(server.address());
    to_main(&server).env("HTTPS_PROXY", proxy.url()).run().exits(0);
    let targets = proxy.targets();
    assert_eq!((targets.len(), targets[0].as_str()), (2, &*format!("{MAIN}:443")));
    let host = targets[1].strip_suffix(":443").unwrap();
    assert!(is_fallback(host, "main", "ably-realtime.com"), "{host}");
}

#[test]
fn a_proxy_that_says_to_wait_is_waited_for() {
    let server = Ably::start();
    let proxy = Proxy::start(server.address(), Mode::SaysToWait);
    to_main(&server).env("HTTPS_PROXY", proxy.url()).run().exits(0);
}

#[test]
fn a_proxy_that_closes_is_asked_for_a_fallback() {
    let server = Ably::start();
    let proxy = Proxy::start(server.address(), Mode::ClosesFor(MAIN));
    to_main(&server).env("HTTPS_PROXY", proxy.url()).run().exits(0);
    assert_eq!((proxy.connections(), server.connections()), (2, 1));
}

#[test]
fn where_a_proxy_bars_the_default_host_an_older_host_is_hinted_at() {
    for (mode, endpoint, hinted) in [
        (Mode::Refuses(403), "main", true),
        (Mode::Refuses(502), "main", true),
        (Mode::Closes, "main", true),
        (Mode::Refuses(407), "main", false),
        (Mode::Refuses(403), "rest.ably.io", false),
        (Mode::Refuses(403), "acme", false),
    ] {
        let server = Ably::start();
        server.expect_nothing();
        let proxy = Proxy::start(server.address(), mode);
        let run =
            to_main(&server).args(["--endpoint", endpoint]).env("HTTPS_PROXY", proxy.url()).run();
        run.exits(1).says("nothing was sent");
        let hint = run.stderr.contains("give --endpoint rest.ably.io");
        run.check(hint == hinted, &format!("{mode:?} {endpoint}: {hint}"));
    }
}

#[test]
fn the_variables_have_an_order_and_http_proxy_is_never_one() {
    let server = Ably::start();
    let (this, other) = (Proxy::to(server.address()), Proxy::to(server.address()));
    let (yes, no) = (this.url(), other.url());
    let cases: [&[(&str, &str)]; 8] = [
        &[("HTTPS_PROXY", &yes), ("ALL_PROXY", &no), ("HTTP_PROXY", &no)],
        &[("https_proxy", &yes), ("HTTPS_PROXY", &no)],
        &[("HTTPS_PROXY", &yes), ("all_proxy", &no)],
        &[("all_proxy", &yes), ("ALL_PROXY", &no)],
        &[("ALL_PROXY", &yes), ("http_proxy", &no)],
        &[("HTTPS_PROXY", ""), ("ALL_PROXY", &yes)],
        &[("https_proxy", ""), ("HTTPS_PROXY", &yes)],
        &[("HTTPS_PROXY", &yes), ("ALL_PROXY", "socks5://127.0.0.1:1")],
    ];
    for (n, case) in cases.into_iter().enumerate() {
        let program =
            case.iter().fold(to_main(&server), |program, (name, value)| program.env(name, value));
        program.run().exits(0);
        assert_eq!((this.connections(), other.connections()), (n + 1, 0), "{case:?}");
    }
    let direct = ably(REVOKE).against(&server).env("HTTP_PROXY", &no).env("http_proxy", &no);
    direct.run().exits(0);
    assert_eq!(other.connections(), 0);
}

#[test]
fn hosts_that_are_exempt_are_reached_directly() {
    let server = Ably::start();
    let port = server.port();
    let proxy = Proxy::to(server.address());
    let own_port = format!("localhost:{port}");
    // (NO_PROXY, the host, whether it is exempt). Names below localhost need no DNS; that the
    // stand-in's certificate does not name them is no matter here.
    let cases: [(&str, &str, bool); 29] = [
        ("*", "localhost", true),
        ("*", "127.0.0.1", true),
        ("localhost", "localhost", true),
        ("LocalHost", "localhost", true),
        (".localhost", "localhost", true),
        ("other.example, localhost", "localhost", true),
        ("other.example,localhost", "localhost", true),
        ("other.example localhost", "localhost", true),
        (" localhost ", "localhost", true),
        (&own_port, "localhost", true),
        ("localhost", "a.b.localhost", true),
        ("b.localhost", "a.b.localhost", true),
        (".b.localhost", "a.b.localhost", true),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.0/8", "127.0.0.1", true),
        ("0.0.0.0/0", "127.0.0.1", true),
        ("10.0.0.0/8,127.0.0.0/30", "127.0.0.1", true),
        ("", "localhost", false),
        (",", "localhost", false),
        ("localhost:1", "localhost", false),
        ("calhost", "localhost", false),
        ("a.localhost", "localhost", false),
        (".a.b.localhost", "b.localhost", false),
        ("ocalhost", "a.localhost", false),
        ("localhost.example", "localhost", false),
        ("127.0.0.2", "127.0.0.1", false),
        ("10.0.0.0/8", "127.0.0.1", false),
        ("127.0.0.0/33", "127.0.0.1", false),
        ("127.0.0", "127.0.0.1", false),
    ];
    let mut tunnels = 0;
    for (list, host, exempt) in cases {
        for name in ["NO_PROXY", "no_proxy"] {
            let before = server.connections();
            let run = to_main(&server)
                .args(["--endpoint", &format!("{host}:{port}"), "--verbose"])
                .env("HTTPS_PROXY", proxy.url())
                .env(name, list)
                .run();
            tunnels += usize::from(!exempt);
            run.check(proxy.connections() == tunnels, &format!("{list:?} for {host}"));
            run.check(server.connections() == before + 1, "one way or the other it arrives");
        }
    }
    // Lower case counts where both are set.
    to_main(&server)
        .args(["--endpoint", &own_port])
        .env("HTTPS_PROXY", proxy.url())
        .env("no_proxy", "localhost")
        .env("NO_PROXY", "other.example")
        .run()
        .exits(0);
    assert_eq!(proxy.connections(), tunnels);
}

#[test]
fn with_connect_to_there_is_no_proxy() {
    let server = Ably::start();
    let proxy = Proxy::to(server.address());
    ably(REVOKE)
        .connected_to(&server)
        .env("ABLY_API_KEY", KEY)
        .env("HTTPS_PROXY", proxy.url())
        .run()
        .exits(0);
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn credentials_reach_the_proxy_and_nobody_else() {
    let server = Ably::start();
    let special = format!("{PASSWORD}@:/#%");
    let encoded = format!("{PASSWORD}%40%3A%2f%23%25");
    for (user, typed, password) in [
        ("user", PASSWORD, PASSWORD),
        ("user", &*encoded, &*special),
        ("us%40er", PASSWORD, PASSWORD),
        ("user", "", ""),
    ] {
        let proxy = Proxy::to(server.address());
        proxy.demand(&user.replace("%40", "@"), password);
        for extra in [&["--verbose"][..], &["--json", "--verbose"]] {
            let run =
                to_main(&server).args(extra).env("HTTPS_PROXY", proxy.url_with(user, typed)).run();
            run.exits(0).hides(PASSWORD).hides_the_key();
        }
        assert!(proxy.connects()[0].authorization.is_some());
    }
    let with_credentials = |seen: &Seen| seen.header("proxy-authorization").is_some();
    assert!(!server.requests().iter().any(with_credentials));
}

/// A run through a proxy that leads nowhere ends as one that sent nothing, and gives away neither
/// the proxy's password nor the key.
fn leads_nowhere(proxy: &str, told: &str) {
    let server = Ably::start();
    server.expect_nothing();
    let run = |extra: &[&str]| -> Run {
        to_main(&server).args(["--timeout", "2"]).args(extra).env("HTTPS_PROXY", proxy).run()
    };
    let start = Instant::now();
    let people = run(&["--verbose"]);
    people.exits(1).says("nothing was sent").says(told).says("the proxy");
    people.hides(PASSWORD).hides_the_key().never_says("panicked");
    people.check(start.elapsed() < Duration::from_secs(2 + 1 + 3), "should end in time");
    let scripts = run(&["--json", "--verbose"]);
    scripts.exits(1).hides(PASSWORD).hides_the_key();
    assert_eq!(crate::support::text(&scripts.record("error"), "error.outcome"), "not-sent");
}

#[test]
fn a_proxy_that_does_not_tunnel_leaves_everything_unsent() {
    let somewhere = nobody();
    let cases = [
        (Mode::Refuses(407), "it does not accept these credentials, or wants some"),
        (Mode::Refuses(400), "status 400"),
        (Mode::Refuses(403), "status 403"),
        (Mode::Refuses(500), "status 500"),
        (Mode::Refuses(502), "status 502"),
        (Mode::Refuses(302), "status 302"),
        (Mode::Closes, "closed the connection"),
        (Mode::Hangs, "in time"),
        // It tunnels, but nobody is at the other end.
        (Mode::Works, "status 502"),
    ];
    thread::scope(|scope| {
        for (mode, told) in cases {
            scope.spawn(move || {
                let proxy = Proxy::start(somewhere, mode);
                leads_nowhere(&proxy.url_with("user", PASSWORD), told);
                assert!(proxy.connections() > 0);
            });
        }
    });
}

#[test]
fn wrong_credentials_are_told_as_the_proxys_word() {
    let proxy = Proxy::to(nobody());
    proxy.demand("user", "another");
    leads_nowhere(&proxy.url_with("user", PASSWORD), "it does not accept these credentials");
    let connects = proxy.connections();
    assert_eq!(connects, 2, "asking again with the same credentials locks accounts");
}

#[test]
fn a_proxy_that_cannot_be_reached_leaves_everything_unsent() {
    let hole = BlackHole::v4();
    thread::scope(|scope| {
        for (address, told) in [
            (nobody().to_string(), "refused the connection"),
            (hole.address().to_string(), "in time"),
            ("nowhere.invalid:3128".to_owned(), "the proxy's host name nowhere.invalid"),
        ] {
            scope.spawn(move || leads_nowhere(&format!("http://user:{PASSWORD}@{address}"), told));
        }
    });
}

#[test]
fn a_port_that_is_no_proxy_leaves_everything_unsent() {
    // Ably's own port: TLS where plain text is spoken.
    let port = Ably::start();
    leads_nowhere(&format!("http://user:{PASSWORD}@{}", port.address()), "HTTP");
    // A plain proxy where TLS is spoken.
    let proxy = Proxy::to(nobody());
    let server = Ably::start();
    server.expect_nothing();
    let url = format!("https://user:{PASSWORD}@{}", proxy.address());
    let run = to_main(&server).args(["--timeout", "2"]).env("HTTPS_PROXY", url).run();
    run.exits(1).says("nothing was sent").hides(PASSWORD).hides_the_key();
}

#[test]
fn a_proxy_that_cannot_be_parsed_is_exit_2_and_no_direct_connection() {
    let server = Ably::start();
    server.expect_nothing();
    let good = "http://127.0.0.1:1";
    for bad in [
        "http://",
        "://proxy:1",
        "http:///path",
        "http://proxy:99999",
        "http://proxy:0",
        "http://proxy:",
        "http://proxy:port",
        "http://[::1",
        "http://two words:1",
        " ",
        " http://proxy:1",
        "http://proxy:1/path",
        "http://proxy:1?query",
        "ftp://proxy:1",
        "SOCKS4://proxy:1",
        "socks4a://proxy:1",
        "socks://proxy:1",
        "-",
        "proxy\u{1b}[2J:1",
        "http://pröxy:1",
        "http://user:%00@proxy:1",
        &format!("http://user:{PASSWORD}@"),
        &format!("http://user:{PASSWORD}@:1"),
        &format!("http://user:{PASSWORD}@proxy:x"),
        &format!("http://user:{PASSWORD}/@proxy:1"),
        &format!("gopher://user:{PASSWORD}@proxy:1"),
        &format!("socks4://user:{PASSWORD}@proxy:1"),
        &format!("socks5h://user:{PASSWORD}{}@proxy:1", "x".repeat(255)),
    ] {
        for (name, second) in [("HTTPS_PROXY", "ALL_PROXY"), ("ALL_PROXY", "HTTP_PROXY")] {
            let run =
                ably(REVOKE).against(&server).arg("-v").env(name, bad).env(second, good).run();
            run.exits(2).says(name).hides(PASSWORD).hides_the_key();
            run.check(!run.stderr.contains('\u{1b}'), "should show no raw escape");
        }
    }
}

#[test]
fn a_socks_proxy_resolves_names_or_is_given_addresses() {
    let server = Ably::start_on(Loopback::Both);
    let (main, local) = (format!("={MAIN}:443"), format!("127.0.0.1:{}", server.port()));
    let port = server.port();
    let by_name = format!("localhost:{port}");
    let (v4, v6) = (format!("127.0.0.1:{port}"), format!("[::1]:{port}"));
    let login = format!("socks5h://us%40er:{PASSWORD}@");
    let cases = [
        ("HTTPS_PROXY", "socks5h://", MAIN, &main),
        ("all_proxy", "SOCKS5H://", MAIN, &main),
        ("ALL_PROXY", &*login, MAIN, &main),
        ("ALL_PROXY", "socks5h://", &*by_name, &format!("={by_name}")),
        ("ALL_PROXY", "socks5://", &*by_name, &local),
        ("ALL_PROXY", "socks5://", &*v4, &v4),
        ("ALL_PROXY", "socks5h://", &*v4, &v4),
        ("ALL_PROXY", "socks5h://", &*v6, &v6),
    ];
    for (variable, scheme, endpoint, target) in cases {
        let proxy = Socks::to(server.address());
        if scheme == login {
            proxy.demand("us@er", PASSWORD);
        }
        let run = to_main(&server)
            .args(["--endpoint", endpoint, "--verbose"])
            .env(variable, proxy.url(scheme))
            .run();
        run.exits(0).hides(PASSWORD).says(&format!("from {variable}"));
        assert_eq!(proxy.targets(), [target.as_str()], "{scheme} {endpoint}");
    }
}

#[test]
fn a_name_that_is_resolved_here_is_the_hosts_and_not_the_proxys() {
    let server = Ably::start();
    server.expect_nothing();
    let proxy = Socks::to(server.address());
    to_main(&server)
        .args(["--endpoint", "nowhere.invalid", "--timeout", "2"])
        .env("ALL_PROXY", proxy.url("socks5://"))
        .run()
        .exits(1)
        .says("the host name nowhere.invalid")
        .says("socks5h://");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_socks_proxy_that_does_not_connect_leaves_everything_unsent() {
    let somewhere = nobody();
    let mut cases: Vec<(Manners, &str)> = vec![
        (Manners::Works, "the host refused the connection (code 5)"),
        (Manners::Replies(1), "general failure"),
        (Manners::Replies(2), "its rules do not allow it"),
        (Manners::Replies(3), "the network is unreachable from there"),
        (Manners::Replies(4), "the host is unreachable from there"),
        (Manners::Replies(5), "the host refused the connection"),
        (Manners::Replies(6), "the host did not answer in time"),
        (Manners::Replies(7), "it makes no TCP connections"),
        (Manners::Replies(8), "it takes no such address"),
        (Manners::Replies(99), "does not define (code 99)"),
        (Manners::Says(b"\x05\xff"), "it does not accept these credentials, or wants some"),
        (Manners::Says(b"\x05\x02\x01\x01"), "it does not accept these credentials"),
        (Manners::Says(b"\x00\x5b"), "its answer is not SOCKS 5"),
        (Manners::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "its answer is not SOCKS 5"),
        (Manners::Says(b""), "closed the connection"),
        (Manners::Says(b"\x05\x00\x05"), "closed the connection"),
        (Manners::Hangs, "in time"),
        (Manners::Drips, "in time"),
    ];
    thread::scope(|scope| {
        for (manners, told) in cases.drain(..) {
            scope.spawn(move || {
                let proxy = Socks::start(somewhere, manners);
                leads_nowhere(&proxy.url(&format!("socks5h://user:{PASSWORD}@")), told);
                let final_word = matches!(manners, Manners::Replies(2 | 7))
                    || told.starts_with("it does not accept")
                    || told.contains("not SOCKS");
                let hanging = told == "in time";
                let tries = proxy.connections() / 2;
                assert!(hanging || tries == if final_word { 1 } else { 4 }, "{manners:?}: {tries}");
            });
        }
    });
}

#[test]
fn a_proxy_that_is_not_needed_may_be_of_any_kind() {
    let server = Ably::start();
    for bad in ["socks4://127.0.0.1:1", " "] {
        let with = |program: Program| program.env("ABLY_API_KEY", KEY).env("ALL_PROXY", bad);
        with(ably(REVOKE).connected_to(&server)).run().exits(0);
        with(ably(REVOKE).against(&server)).env("NO_PROXY", "localhost").run().exits(0);
    }
    assert_eq!(server.request_count(), 4);
}

/// Debian's tinyproxy, killed on drop.
struct Tinyproxy {
    child: Child,
    address: SocketAddr,
    _folder: Folder,
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts one that wants `user` and the password; `None` where it is not installed.
fn tinyproxy() -> Option<Tinyproxy> {
    let path = ["/usr/bin/tinyproxy", "/usr/sbin/tinyproxy"];
    let Some(path) = path.iter().find(|path| Path::new(path).exists()) else {
        eprintln!("skipped: tinyproxy is not installed");
        return None;
    };
    let address = nobody();
    let folder = Folder::new();
    let settings = folder.write(
        "tinyproxy.conf",
        format!(
            "Port {}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nLogLevel Critical\n\
             Allow 127.0.0.1\nBasicAuth user {PASSWORD}\n",
            address.port()
        ),
    );
    let child = Command::new(path)
        .arg("-d")
        .arg("-c")
        .arg(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let proxy = Tinyproxy { child, address, _folder: folder };
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "tinyproxy does not listen");
        thread::sleep(Duration::from_millis(10));
    }
    Some(proxy)
}

#[test]
fn a_real_proxy_tunnels_with_the_right_credentials_alone() {
    let server = Ably::start_on(Loopback::Both);
    let Some(proxy) = tinyproxy() else {
        server.expect_nothing();
        return;
    };
    let with = |credentials: &str| {
        let url = format!("http://{credentials}{}", proxy.address);
        ably(REVOKE).against(&server).args(["-v", "--timeout", "5"]).env("HTTPS_PROXY", url).run()
    };
    let run = with(&format!("user:{PASSWORD}@"));
    run.exits(0).says(&format!("proxy http://{} from HTTPS_PROXY", proxy.address)).hides(PASSWORD);
    assert_eq!(server.request_count(), 1);
    for wrong in ["", "user:wrong@"] {
        with(wrong).exits(1).says("nothing was sent").says("the proxy");
    }
    // A host that the proxy itself cannot reach.
    ably(REVOKE)
        .args(["--endpoint", &nobody().to_string(), "--timeout", "5", "--ca-file"])
        .arg(server.ca_file())
        .env("ABLY_API_KEY", KEY)
        .env("HTTPS_PROXY", format!("http://user:{PASSWORD}@{}", proxy.address))
        .run()
        .exits(1)
        .says("nothing was sent")
        .hides(PASSWORD);
    assert_eq!(server.connections(), 1);
}
