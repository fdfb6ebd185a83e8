//! Endpoints, addresses, and fallback hosts.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use crate::support::*;

/// The forms are in the unit tests of `endpoint`.
#[test]
fn an_endpoint_leads_to_its_host() {
    let server = Ably::start();
    let cases: [(&str, &str, Option<&str>); 4] = [
        ("ACME", "acme.realtime.ably.net", Some("acme.realtime.ably.net")),
        (
            "nonprod:sandbox",
            "sandbox.realtime.ably-nonprod.net",
            Some("sandbox.realtime.ably-nonprod.net"),
        ),
        ("revoke.example.com:8443", "revoke.example.com:8443", Some("revoke.example.com")),
        ("[0:0::1]:8443", "[::1]:8443", None),
    ];
    for (endpoint, host, sni) in cases {
        let by_option = revoke_alice().args(["--endpoint", endpoint]);
        let by_option = by_option.env("ABLY_ENDPOINT", "other.example");
        for program in [by_option, revoke_alice().env("ABLY_ENDPOINT", endpoint)] {
            program.connected_to(&server).keyed().run().exits(0);
            let seen = server.requests().pop().unwrap();
            assert_eq!((seen.host(), seen.sni.as_deref()), (host, sni), "{endpoint}");
        }
    }
}

#[test]
fn an_ipv6_address_is_an_endpoint_without_any_help() {
    let server = Ably::start_on(Loopback::V6);
    revoke_alice().against(&server).run().exits(0);
    assert_eq!(hosts(&server), [format!("[::1]:{}", server.port())]);
}

#[test]
fn connections_go_to_an_address_or_a_name_of_ones_choice() {
    let server = Ably::start_on(Loopback::Both);
    let port = server.port();
    for address in
        [format!("127.0.0.1:{port}"), format!("[::1]:{port}"), format!("localhost:{port}")]
    {
        let program = revoke_alice().args(["--connect-to", &address, "--verbose"]);
        program.trusting(&server).keyed().run().exits(0).says(&address);
    }
    assert_eq!(hosts(&server), [MAIN; 3]);
}

#[test]
fn an_address_that_is_none_is_exit_2() {
    let server = Ably::unreached();
    for bad in ["", "127.0.0.1", "localhost:65536", "u:p@a:1"] {
        let run = revoke_alice().against(&server).args(["--connect-to", bad]).run();
        run.exits(2).says("--connect-to");
    }
}

#[test]
fn a_host_that_fails_is_replaced_by_a_fallback() {
    #[rustfmt::skip] // a table: one row a line
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
    each(&cases, |(name, failure)| {
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
        let run = revoke_alice().connected_to(&server).keyed().arg("--verbose").run();
        run.exits(0).says("accepted the revocation").says("asking main.");
        let asked = hosts(&server);
        let last = asked.last().unwrap();
        run.check(is_fallback(last, "main", "ably-realtime.com"), &format!("{name}: {asked:?}"));
        assert_eq!(asked.len(), if failure.is_ok() { 2 } else { 1 }, "{name}");
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
        let run = revoke_alice().connected_to(&server).keyed().run();
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
        let run = revoke_alice().connected_to(&server).keyed().run();
        run.exits(1).says("nothing was sent");
        run.says("no other host is tried");
        assert_eq!((server.connections(), server.request_count()), (1, 0), "{certificate:?}");
    }
}

/// Their random order is in the unit tests of `endpoint`.
#[test]
fn at_most_three_different_fallbacks_are_asked() {
    for (endpoint, policy, domain) in [
        ("main", "main", "ably-realtime.com"),
        ("nonprod:sandbox", "sandbox", "ably-realtime-nonprod.com"),
    ] {
        let server = Ably::deciding(|_| Answer::plain(503, ""));
        let program = revoke_alice().args(["--endpoint", endpoint]).connected_to(&server).keyed();
        program.run().exits(5).says("answered 503");
        let asked = hosts(&server);
        assert_eq!((asked.len(), asked.iter().collect::<BTreeSet<_>>().len()), (4, 4), "{asked:?}");
        assert!(asked[1..].iter().all(|host| is_fallback(host, policy, domain)), "{asked:?}");
    }
}

#[test]
fn the_fallback_that_answered_serves_the_rest_of_the_run() {
    let fails_at_main = |seen: &Seen| match (seen.host() == MAIN, seen.method.as_str()) {
        (true, _) => Answer::plain(503, ""),
        (false, "GET") => Answer::json(200, "[1795428000000]"),
        _ => success(seen),
    };
    let server = Ably::deciding(fails_at_main);
    revoke_alice().args(["--issued-before", "10m"]).connected_to(&server).keyed().run().exits(0);
    let asked = hosts(&server);
    assert_eq!((asked.len(), asked[0].as_str()), (3, MAIN));
    assert_eq!(asked[1], asked[2]);
    assert_ne!(asked[1], MAIN);
    assert_eq!(server.requests()[1].connection, server.requests()[2].connection);

    let server = Ably::deciding(fails_at_main);
    let run = forced().args(client_ids(250)).connected_to(&server).keyed().run();
    run.exits(0).says("250 targets: 250 revoked, in 3 requests");
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
    forced().args(client_ids(150)).connected_to(&server).keyed().run().exits(0);
    let asked = hosts(&server);
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[1], asked[2]);
    assert_ne!(asked[2], asked[3]);
}

#[test]
fn where_no_host_is_reached_all_are_tried_and_nothing_is_sent() {
    let ca = Ably::unreached();
    for (address, told) in [
        (nobody().to_string(), "refused the connection"),
        ("nowhere.invalid:443".to_owned(), "the host name nowhere.invalid"),
    ] {
        let program = revoke_alice().args(["--connect-to", &address, "--verbose"]).trusting(&ca);
        let run = program.keyed().run();
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
    let run = revoke_alice().connected_to(&server).keyed().run();
    run.exits(5).says("unknown").never_says("nothing was sent");
    assert_eq!(hosts(&server), [MAIN]);
}

/// What else a first address may do is in the unit tests of `connect`.
#[test]
fn a_dead_first_address_costs_less_than_a_second() {
    // localhost is 127.0.0.1, then ::1; its own endpoint would not try 127.0.0.1 first.
    // Another test may have the port on 127.0.0.1.
    let (server, _dead) = (0..100)
        .find_map(|_| {
            let server = Ably::start_on(Loopback::V6);
            let dead = BlackHole::at(SocketAddr::from((Ipv4Addr::LOCALHOST, server.port())));
            if dead.is_none() {
                server.expect_nothing();
            }
            Some((server, dead?))
        })
        .unwrap();
    let endpoint = format!("localhost:{}", server.port());
    let program = revoke_alice().args(["--endpoint", &endpoint, "--timeout", "1"]);
    program.trusting(&server).keyed().run().exits(0);
}

/// A server of openssl's, as the stand-in's own TLS refuses such a key too.
#[test]
fn a_server_with_a_short_key_is_told_as_such() {
    let openssl = "/usr/bin/openssl";
    if installed(openssl).is_none() {
        return;
    }
    let folder = Folder::new();
    let [ca, ca_key, key, request, leaf, names] =
        ["ca", "ca.key", "key", "csr", "leaf", "names"].map(|name| folder.file(name));
    folder.write("names", "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n");
    let run = |words: &str, files: &[(&str, &std::path::Path)]| {
        let mut command = Command::new(openssl);
        command.args(words.split(' '));
        for (option, file) in files {
            command.arg(option).arg(file);
        }
        let made = command.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    run(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Test -days 9",
        &[("-keyout", &ca_key), ("-out", &ca)],
    );
    run("req -newkey rsa:1024 -nodes -subj /CN=x", &[("-keyout", &key), ("-out", &request)]);
    let sign = [("-in", &*request), ("-CA", &ca), ("-CAkey", &ca_key), ("-extfile", &names)];
    run("x509 -req -CAcreateserial -days 9", &[&sign[..], &[("-out", &leaf)]].concat());
    let address = nobody();
    let mut command = Command::new(openssl);
    // Else openssl itself refuses the key.
    command.args(["s_server", "-quiet", "-cipher", "DEFAULT@SECLEVEL=0", "-accept"]);
    command.arg(address.to_string()).arg("-cert").arg(&leaf).arg("-key").arg(&key);
    let server = Daemon::start(command, address, folder);
    let endpoint = format!("localhost:{}", server.address.port());
    let program = revoke_alice().keyed().args(["--endpoint", &endpoint]).arg("--ca-file").arg(&ca);
    let run = program.run();
    run.exits(1).says("certificate").says("2048 bits").says("nothing was sent");
}
