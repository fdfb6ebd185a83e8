//! Which way a request goes, by the variables that are set: the tool beside curl in the same
//! environment. curl speaks SOCKS 4, which the tool does not; the proxy here does not either.

use crate::support::*;

/// Which way a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    /// By the HTTP proxy.
    Http,
    /// By the SOCKS proxy, which is given the name.
    Name,
    /// By the SOCKS proxy, which is given an address.
    Address,
    /// Nowhere: the proxy cannot be used.
    Nowhere,
}

use Way::*;

/// Variables (`{h}` is the address of an HTTP proxy, `{s}` that of a SOCKS proxy), whether the host is a
/// name, and the way.
type Row = (&'static str, bool, Way);

#[rustfmt::skip] // a table: one row a line
const ROWS: [Row; 32] = [
    ("", true, Direct),
    ("HTTPS_PROXY=http://{h}", true, Http),
    ("https_proxy=http://{h}", true, Http),
    ("ALL_PROXY=http://{h}", true, Http),
    ("all_proxy=http://{h}", true, Http),
    ("HTTPS_PROXY={h}", true, Http),
    ("HTTPS_PROXY=http://{h} ALL_PROXY=socks5h://{s}", true, Http),
    ("HTTPS_PROXY=socks5h://{s} ALL_PROXY=http://{h}", true, Name),
    ("https_proxy=http://{h} HTTPS_PROXY=socks5h://{s}", true, Http),
    ("all_proxy=socks5h://{s} ALL_PROXY=http://{h}", true, Name),
    ("http_proxy=http://{h}", true, Direct),
    ("HTTP_PROXY=http://{h}", true, Direct),
    ("ALL_PROXY=socks5h://{s}", true, Name),
    ("ALL_PROXY=socks5://{s}", true, Address),
    ("ALL_PROXY=socks5h://{s}", false, Address),
    ("ALL_PROXY=socks5://{s}", false, Address),
    ("ALL_PROXY=socks5h://{s} NO_PROXY=localhost", true, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=*", true, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=localhost", true, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=LOCALHOST", true, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=.localhost", true, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=example.com,localhost", true, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=ocalhost", true, Http),
    ("ALL_PROXY=http://{h} NO_PROXY=example.com", true, Http),
    ("ALL_PROXY=http://{h} no_proxy=localhost NO_PROXY=example.com", true, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=127.0.0.1", false, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=127.0.0.0/8", false, Direct),
    ("ALL_PROXY=http://{h} NO_PROXY=10.0.0.0/8", false, Http),
    // A name is not looked up for it.
    ("ALL_PROXY=http://{h} NO_PROXY=127.0.0.0/8", true, Http),
    ("ALL_PROXY=socks4a://{s}", true, Nowhere),
    ("ALL_PROXY=ftp://{h}", true, Nowhere),
    ("HTTPS_PROXY= ALL_PROXY=http://{h}", true, Http),
];

/// Runs a program made for an endpoint in the environment of a row, and tells which way it went.
fn way(row: &Row, program: impl FnOnce(&Ably, &str) -> Program) -> (Way, Run) {
    let (variables, named, _) = *row;
    let server = Ably::start_on(Loopback::Both);
    let (http, socks) = (Proxy::to(server.address()), Socks::to(server.address()));
    let host = if named { "localhost" } else { "127.0.0.1" };
    let mut program = program(&server, &format!("{host}:{}", server.port()));
    let address = |url: String| url.rsplit('/').next().unwrap().to_owned();
    for pair in variables.split(' ').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        let value = value.replace("{h}", &address(http.url())).replace("{s}", &socks.url(""));
        program = program.env(name, value);
    }
    let run = program.run();
    let way = match (http.targets().first(), socks.targets().first(), server.connections()) {
        (Some(_), None, _) => Http,
        (None, Some(target), _) if target.starts_with('=') => Name,
        (None, Some(_), _) => Address,
        (None, None, 0) => Nowhere,
        (None, None, _) => Direct,
        (Some(_), Some(_), _) => panic!("both ways at once: {run}"),
    };
    server.forgive();
    if way == Nowhere {
        server.expect_nothing();
    }
    (way, run)
}

#[test]
fn a_request_goes_the_way_that_the_variables_name() {
    each(&ROWS, |row| {
        let (way, run) = way(row, |server, endpoint| {
            revoke_alice().trusting(server).keyed().args(["--endpoint", endpoint])
        });
        run.check(way == row.2, &format!("{}: {way:?}", row.0));
        run.exits(if way == Nowhere { 2 } else { 0 });
    });
}

#[test]
fn curl_goes_the_same_way() {
    if installed("/usr/bin/curl").is_none() {
        return;
    }
    each(&ROWS, |row| {
        let (way, run) = way(row, |server, endpoint| {
            let url = format!("https://{endpoint}/time");
            Program::at("/usr/bin/curl")
                .args(["--disable", "--silent", "--max-time", "20", "--cacert"])
                .arg(server.ca_file())
                .arg(url)
        });
        run.check(way == row.2, &format!("{}: {way:?}", row.0));
    });
}
