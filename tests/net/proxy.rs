//! HTTP proxies, and what is exempt from them.

use std::path::Path;
use std::process::Command;

use crate::support::*;

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
fn a_proxy_that_says_to_wait_is_waited_for_and_one_that_closes_is_asked_for_a_fallback() {
    for (mode, connections) in [(Mode::SaysToWait, 1), (Mode::ClosesFor(MAIN), 2)] {
        let server = Ably::start();
        let proxy = Proxy::start(server.address(), mode);
        to_main(&server).env("HTTPS_PROXY", proxy.url()).run().exits(0);
        assert_eq!((proxy.connections(), server.connections()), (connections, 1));
    }
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
        let server = Ably::unreached();
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
    let direct = revoke_alice().against(&server).env("HTTP_PROXY", &no).env("http_proxy", &no);
    direct.run().exits(0);
    assert_eq!(other.connections(), 0);
}

/// The forms are in the unit tests of `no_proxy`. Names below localhost need no DNS; that the
/// stand-in's certificate does not name them is no matter here.
#[test]
fn hosts_that_are_exempt_are_reached_directly() {
    let server = Ably::start();
    let port = server.port();
    let proxy = Proxy::to(server.address());
    let own_port = format!("localhost:{port}");
    let mut tunnels = 0;
    for (list, host, exempt) in [
        ("*", "localhost", true),
        (&*own_port, "localhost", true),
        ("other.example, b.localhost", "a.b.localhost", true),
        ("10.0.0.0/8,127.0.0.0/30", "127.0.0.1", true),
        ("", "localhost", false),
        ("localhost:1", "localhost", false),
        ("ocalhost", "a.localhost", false),
        ("10.0.0.0/8", "127.0.0.1", false),
    ] {
        // Lower case counts where both are set.
        for name in ["no_proxy", "NO_PROXY"] {
            let before = server.connections();
            let endpoint = format!("{host}:{port}");
            let program = to_main(&server).args(["--endpoint", &endpoint, "--verbose"]);
            let program = program.env("HTTPS_PROXY", proxy.url()).env("NO_PROXY", "x.example");
            let run = program.env(name, list).run();
            tunnels += usize::from(!exempt);
            run.check(proxy.connections() == tunnels, &format!("{list:?} for {host}"));
            run.check(server.connections() == before + 1, "one way or the other it arrives");
        }
    }
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

#[test]
fn a_proxy_that_does_not_tunnel_leaves_everything_unsent() {
    let somewhere = nobody();
    let cases = [
        (Mode::Refuses(407), "credentials"),
        (Mode::Refuses(400), "status 400"),
        (Mode::Refuses(403), "status 403"),
        (Mode::Refuses(500), "status 500"),
        (Mode::Refuses(502), "status 502"),
        (Mode::Refuses(302), "status 302"),
        (Mode::Closes, "closed the connection"),
        (Mode::Hangs, "in time"),
        (Mode::Drips, "in time"),
        // It tunnels, but nobody is at the other end.
        (Mode::Works, "status 502"),
    ];
    each(&cases, |(mode, told)| {
        let proxy = Proxy::start(somewhere, *mode);
        leads_nowhere(&proxy.url_with("user", PASSWORD), told);
        assert!(proxy.connections() > 0);
    });
}

#[test]
fn wrong_credentials_are_told_as_the_proxys_word() {
    let proxy = Proxy::to(nobody());
    proxy.demand("user", "another");
    leads_nowhere(&proxy.url_with("user", PASSWORD), "credentials");
    let connects = proxy.connections();
    assert_eq!(connects, 2, "asking again with the same credentials locks accounts");
}

#[test]
fn a_proxy_that_cannot_be_reached_leaves_everything_unsent() {
    let hole = BlackHole::v4();
    let cases = [
        (nobody().to_string(), "refused the connection"),
        (hole.address().to_string(), "in time"),
        ("nowhere.invalid:3128".to_owned(), "the host name nowhere.invalid (for"),
    ];
    each(&cases, |(at, told)| leads_nowhere(&format!("http://user:{PASSWORD}@{at}"), told));
}

#[test]
fn a_port_that_is_no_proxy_leaves_everything_unsent() {
    // Ably's own port: TLS where plain text is spoken.
    let port = Ably::start();
    leads_nowhere(&format!("http://user:{PASSWORD}@{}", port.address()), "HTTP");
    // A plain proxy where TLS is spoken.
    let proxy = Proxy::to(nobody());
    let server = Ably::unreached();
    let url = format!("https://user:{PASSWORD}@{}", proxy.address());
    let run = to_main(&server).args(["--timeout", "2"]).env("HTTPS_PROXY", url).run();
    run.exits(1).says("nothing was sent").hides(PASSWORD).hides_the_key();
}

/// The forms are in the unit tests of `proxy`.
#[test]
fn a_proxy_that_cannot_be_parsed_is_exit_2_and_no_direct_connection() {
    let server = Ably::unreached();
    for bad in [
        "http://",
        "ftp://proxy:1",
        "proxy\u{1b}[2J:1",
        &format!("http://user:{PASSWORD}@proxy:x"),
        &format!("socks4://user:{PASSWORD}@proxy:1"),
        &format!("socks5h://user:{PASSWORD}{}@proxy:1", "x".repeat(255)),
    ] {
        for (name, second) in [("HTTPS_PROXY", "ALL_PROXY"), ("ALL_PROXY", "HTTP_PROXY")] {
            let program = revoke_alice().against(&server).arg("-v").env(name, bad);
            let run = program.env(second, "http://127.0.0.1:1").run();
            is_harmless(run.exits(2).says(name).hides(PASSWORD).hides_the_key());
        }
    }
}

#[test]
fn a_proxy_that_is_not_needed_may_be_of_any_kind() {
    let server = Ably::start();
    for bad in ["socks4://127.0.0.1:1", " "] {
        let with = |program: Program| program.keyed().env("ALL_PROXY", bad);
        with(revoke_alice().connected_to(&server)).run().exits(0);
        with(revoke_alice().against(&server)).env("NO_PROXY", "localhost").run().exits(0);
    }
    assert_eq!(server.request_count(), 4);
}

/// Starts one that wants `user` and the password; `None` where it is not installed.
fn tinyproxy() -> Option<Daemon> {
    let path = ["/usr/bin/tinyproxy", "/usr/sbin/tinyproxy"];
    let Some(path) = path.iter().find(|path| Path::new(path).exists()) else {
        eprintln!("skipped: tinyproxy is not installed");
        return None;
    };
    let address = nobody();
    let folder = Folder::new();
    let settings = format!(
        "Port {}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nLogLevel Critical\n\
         Allow 127.0.0.1\nBasicAuth user {PASSWORD}\n",
        address.port()
    );
    let mut command = Command::new(path);
    command.args(["-d", "-c"]).arg(folder.write("tinyproxy.conf", settings));
    Some(Daemon::start(command, address, folder))
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
        revoke_alice().against(&server).args(["-v", "--timeout", "5"]).env("HTTPS_PROXY", url).run()
    };
    let run = with(&format!("user:{PASSWORD}@"));
    run.exits(0).says(&format!("proxy http://{} from HTTPS_PROXY", proxy.address)).hides(PASSWORD);
    assert_eq!(server.request_count(), 1);
    for wrong in ["", "user:wrong@"] {
        with(wrong).exits(1).says("nothing was sent").says("the proxy");
    }
    // A host that the proxy itself cannot reach.
    let program = to_main(&server).args(["--endpoint", &nobody().to_string(), "--timeout", "5"]);
    let url = format!("http://user:{PASSWORD}@{}", proxy.address);
    program.env("HTTPS_PROXY", url).run().exits(1).says("nothing was sent").hides(PASSWORD);
    assert_eq!(server.connections(), 1);
}

/// A scheme that is not the proxy's: it waits for more, or hangs up, and there was a connection.
#[test]
fn a_proxy_of_another_kind_is_told_as_such() {
    let http = Proxy::start(nobody(), Mode::Hangs);
    for scheme in ["https", "socks5h"] {
        let url = format!("{scheme}://{}", http.address());
        leads_nowhere(&url, "in time");
        let server = Ably::unreached();
        let run = to_main(&server).args(["--timeout", "2"]).env("ALL_PROXY", url).run();
        run.exits(1).says("http://");
    }
    // `ssh -D` hangs up at the first letter of CONNECT.
    let socks = Socks::start(nobody(), Manners::Closes);
    let server = Ably::unreached();
    let program = to_main(&server).args(["--timeout", "2"]);
    program.env("ALL_PROXY", socks.url("")).run().exits(1).says("socks5h://");
    let socks = Socks::start(nobody(), Manners::Says(b"\x00\x5b\0\0\0\0\0\0"));
    let server = Ably::unreached();
    let program = to_main(&server).args(["--timeout", "2"]);
    program.env("ALL_PROXY", socks.url("")).run().exits(1).says("socks5h://");
}
