//! SOCKS proxies.

use crate::support::*;

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
        let program = to_main(&server).args(["--endpoint", endpoint, "--verbose"]);
        let run = program.env(variable, proxy.url(scheme)).run();
        run.exits(0).hides(PASSWORD).says(&format!("from {variable}"));
        assert_eq!(proxy.targets(), [target.as_str()], "{scheme} {endpoint}");
    }
}

#[test]
fn a_name_that_is_resolved_here_is_the_hosts_and_not_the_proxys() {
    let server = Ably::unreached();
    let proxy = Socks::to(server.address());
    let program = to_main(&server).args(["--endpoint", "nowhere.invalid", "--timeout", "2"]);
    let run = program.env("ALL_PROXY", proxy.url("socks5://")).run();
    run.exits(1).says("the host name nowhere.invalid").says("socks5h://");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_socks_proxy_that_does_not_connect_leaves_everything_unsent() {
    let somewhere = nobody();
    let cases: Vec<(Manners, &str)> = vec![
        (Manners::Works, "the host refused the connection (code 5)"),
        (Manners::Replies(2), "its rules do not allow it"),
        (Manners::Replies(5), "the host refused the connection"),
        (Manners::Replies(7), "it makes no TCP connections"),
        (Manners::Replies(99), "does not define (code 99)"),
        (Manners::Says(b"\x05\xff"), "it does not accept these credentials, or wants some"),
        (Manners::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "its answer is not SOCKS 5"),
        (Manners::Says(b""), "closed the connection"),
        (Manners::Says(b"\x05\x00\x05"), "closed the connection"),
        (Manners::Hangs, "in time"),
        (Manners::Drips, "in time"),
    ];
    each(&cases, |(manners, told)| {
        let proxy = Socks::start(somewhere, *manners);
        leads_nowhere(&proxy.url(&format!("socks5h://user:{PASSWORD}@")), told);
        let final_word = matches!(manners, Manners::Replies(2 | 7))
            || told.starts_with("it does not accept")
            || told.contains("not SOCKS");
        let hanging = *told == "in time";
        let tries = proxy.connections() / 2;
        assert!(hanging || tries == if final_word { 1 } else { 4 }, "{manners:?}: {tries}");
    });
}
