//! The tunnel through a proxy: CONNECT and its answer, or SOCKS (`socks.rs`), and the connection
//! that it leaves. Which proxy, and with what credentials, is up to `proxy.rs`; TLS to Ably comes after this.

use std::io::{Read, Write};
use std::net::IpAddr;

use ureq::config::AutoHeaderValue;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport, TransportAdapter,
};
use ureq::{Proxy, ProxyProtocol};
use zeroize::Zeroizing;

use crate::net::authority::HTTPS;
use crate::net::connect_error::{DialError, dialled, in_io, is_broken};
use crate::net::proxy::{basic, is_hop};
use crate::net::socks::{self, Target};
use crate::net::wait::left;

/// The longest answer of a proxy, all its heads together, in bytes.
const LONGEST_HEAD: usize = 16 << 10;

/// Opens a tunnel where the request has a proxy. In place of ureq's own `ConnectProxyConnector`,
/// which grants a proxy its whole time anew with every byte that it sends, so that a slow one
/// holds a run for hours, and takes no success but 200.
#[derive(Debug)]
pub(crate) struct Tunnel;

impl<In: Transport> Connector<In> for Tunnel {
    type Out = Either<In, Tunnelled>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        match details.config.proxy() {
            // This very chain, run for the connection to the proxy, comes by here too.
            Some(proxy) if !is_hop(details.uri) => tunnel(details, proxy).map(Either::B).map(Some),
            _ => Ok(None),
        }
    }
}

fn tunnel(details: &ConnectionDetails, proxy: &Proxy) -> Result<Tunnelled, ureq::Error> {
    match proxy.protocol() {
        ProxyProtocol::Socks5 | ProxyProtocol::Socks5h => socks_tunnel(details, proxy),
        _ => connect_tunnel(details, proxy),
    }
}

/// Where the name was resolved here its addresses are asked for in turn, each over a connection of
/// its own, as a refusal ends it.
fn socks_tunnel(details: &ConnectionDetails, proxy: &Proxy) -> Result<Tunnelled, ureq::Error> {
    let login = proxy.username().map(|user| (user, proxy.password().unwrap_or_default()));
    let mut refused = failed("the host has no address");
    for target in targets(details) {
        let mut stream = hop(details, proxy)?;
        match socks::open(&mut stream, target, login).map_err(by_proxy) {
            Ok(()) => return Ok(Tunnelled(stream.into_inner())),
            Err(error) if is_of_one_address(&error) => refused = error,
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}

fn targets<'a>(details: &'a ConnectionDetails) -> Vec<Target<'a>> {
    let host = details.uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = details.uri.port_u16().unwrap_or(HTTPS);
    match host.parse::<IpAddr>() {
        Ok(ip) => vec![Target::Address((ip, port).into())],
        // Not resolved here: the proxy is to do it.
        Err(_) if details.addrs.is_empty() => vec![Target::Name(host, port)],
        Err(_) => details.addrs.iter().copied().map(Target::Address).collect(),
    }
}

/// Whether another address of the host may do better: not where the proxy's rules or its login
/// are in the way.
fn is_of_one_address(error: &ureq::Error) -> bool {
    matches!(dialled(error), Some(DialError::SocksRefused { code: 1 | 3..=6 | 8 }))
}

fn connect_tunnel(details: &ConnectionDetails, proxy: &Proxy) -> Result<Tunnelled, ureq::Error> {
    let mut stream = hop(details, proxy)?;
    let answer = stream
        .write_all(&connect_request(details, proxy))
        .map_err(ureq::Error::from)
        .and_then(|()| status(&mut stream))
        .map_err(by_proxy)?;
    match answer {
        200..=299 => Ok(Tunnelled(stream.into_inner())),
        status => Err(DialError::ProxyRefused { status }.into()),
    }
}

/// A connection to the proxy itself, which has what is left of the time for connecting.
fn hop(details: &ConnectionDetails, proxy: &Proxy) -> Result<TransportAdapter, ureq::Error> {
    let uri = proxy.uri();
    let addrs = details.resolver.resolve(uri, details.config, details.timeout)?;
    let hop = ConnectionDetails {
        uri,
        addrs,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        // The start of the whole phase: Dial and TLS count from it.
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    };
    let transport = (details.run_connector)(&hop).map_err(by_proxy)?;
    let mut stream = TransportAdapter::new(transport, details.current_time.clone());
    // From here on the adapter counts down by itself.
    stream.set_timeout(left(details));
    Ok(stream)
}

/// Tells what the proxy itself did from the same beyond it: a connection that breaks, a handshake
/// that fails. That it cannot be reached needs no telling, as nothing else is dialled.
fn by_proxy(error: ureq::Error) -> ureq::Error {
    match &error {
        ureq::Error::Rustls(inner) => DialError::ProxyTls(inner.clone()).into(),
        ureq::Error::Io(inner) => match in_io(inner) {
            Some(inner) => DialError::ProxyTls(inner.clone()).into(),
            None if is_broken(inner.kind()) => DialError::ProxyHungUp.into(),
            None => error,
        },
        _ => error,
    }
}

fn failed(reason: &str) -> ureq::Error {
    ureq::Error::ConnectProxyFailed(reason.to_owned())
}

fn connect_request(details: &ConnectionDetails, proxy: &Proxy) -> Zeroizing<Vec<u8>> {
    let host = details.uri.host().unwrap_or_default();
    let port = details.uri.port_u16().unwrap_or(HTTPS);
    let mut head = Zeroizing::new(Vec::with_capacity(1024));
    let mut line = |parts: &[&str]| {
        parts.iter().for_each(|part| head.extend_from_slice(part.as_bytes()));
        head.extend_from_slice(b"\r\n");
    };
    let authority = format!("{host}:{port}");
    line(&["CONNECT ", &authority, " HTTP/1.1"]);
    line(&["Host: ", &authority]);
    if let AutoHeaderValue::Provided(agent) = details.config.user_agent() {
        line(&["User-Agent: ", agent]);
    }
    if let Some(user) = proxy.username() {
        let credentials = basic(user, proxy.password().unwrap_or_default());
        line(&["Proxy-Authorization: Basic ", &credentials]);
    }
    line(&[]);
    head
}

/// Reads a proxy's answer to its end and not a byte further, past heads that say to wait (1xx).
fn status(stream: &mut impl Read) -> Result<u16, ureq::Error> {
    let (mut head, mut length) = (Vec::with_capacity(256), 0);
    loop {
        let mut byte = [0];
        // The transport has a buffer; this takes the bytes out of it.
        if stream.read(&mut byte)? == 0 {
            return Err(DialError::ProxyHungUp.into());
        }
        head.extend_from_slice(&byte);
        length += 1;
        if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
            match code(&head) {
                None => return Err(failed("its answer is not HTTP")),
                Some(100..=199) => head.clear(),
                Some(code) => return Ok(code),
            }
        } else if length >= LONGEST_HEAD {
            return Err(failed("its answer is not HTTP, or too long"));
        }
    }
}

/// The status in the head of an answer.
fn code(head: &[u8]) -> Option<u16> {
    match head {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', a, b, c, b' ' | b'\r' | b'\n', ..] => {
            std::str::from_utf8(&[*a, *b, *c]).ok()?.parse().ok()
        }
        _ => None,
    }
}

/// A connection through a proxy. There may be TLS to the proxy in it, but none to the target yet.
#[derive(Debug)]
pub(crate) struct Tunnelled(Box<dyn Transport>);

impl Transport for Tunnelled {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use ureq::{Error, Timeout};

    use super::*;
    use crate::net::test_support::{HI, Setup, head, listener, serve, tls_via, via};

    #[test]
    fn the_answer_of_a_proxy_is_read_to_its_end_alone() {
        let mut stream = &b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nrest"[..];
        assert_eq!(status(&mut stream).unwrap(), 200);
        assert_eq!(stream, b"rest");
        assert_eq!(status(&mut &b"HTTP/1.0 407\n\n"[..]).unwrap(), 407);
        let mut stream =
            &b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest"[..];
        assert_eq!(status(&mut stream).unwrap(), 200);
        assert_eq!(stream, b"rest");
        for cut in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Go on\r\n\r\n"] {
            let error = status(&mut &*cut).unwrap_err();
            assert_eq!(dialled(&error), Some(&DialError::ProxyHungUp));
        }
        let endless = b"HTTP/1.1 100 Go on\r\n\r\n".repeat(LONGEST_HEAD);
        assert!(matches!(status(&mut endless.as_slice()), Err(ureq::Error::ConnectProxyFailed(_))));
        for bad in [&b"SSH-2.0\r\n\r\n"[..], b"HTTP/1.1 2\r\n\r\n", b"\r\n\r\n"] {
            assert!(matches!(status(&mut &*bad), Err(ureq::Error::ConnectProxyFailed(_))));
        }
        assert!(status(&mut std::io::repeat(b'x')).is_err());
    }

    #[test]
    fn a_proxy_gets_its_credentials_and_the_target_gets_the_request() {
        let setup = Setup::new();
        let (address, server) = serve(&["HTTP/1.1 200 Connection established\r\n\r\n", HI, HI]);
        for _ in 0..2 {
            assert_eq!(setup.get("http://ably.example:8443/x", Some(&via(address))).unwrap(), "hi");
            assert!(setup.sent());
        }
        let heads = server.join().unwrap();
        assert_eq!(
            heads[0],
            "CONNECT ably.example:8443 HTTP/1.1\r\nHost: ably.example:8443\r\nUser-Agent: us\r\n\
             Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"
        );
        assert!(heads[1].starts_with("GET /x HTTP/1.1\r\n"));
        assert!(!heads[1].contains("Proxy-Authorization"));
    }

    #[test]
    fn what_a_proxy_is_told_is_not_a_request() {
        for (answer, status) in
            [("HTTP/1.1 407 Who\r\n\r\n", 407), ("HTTP/1.0 502 Bad Gateway\r\n\r\n", 502)]
        {
            let setup = Setup::new();
            let (address, server) = serve(Box::leak(Box::new([answer])));
            let error = setup.get("https://ably.example/x", Some(&via(address))).unwrap_err();
            assert_eq!(dialled(&error), Some(&DialError::ProxyRefused { status }));
            assert!(!setup.sent());
            server.join().unwrap();
        }
        let setup = Setup::new();
        let (address, server) = serve(&["nonsense\r\n\r\n"]);
        let error = setup.get("https://ably.example/x", Some(&via(address))).unwrap_err();
        let Error::ConnectProxyFailed(reason) = &error else { panic!("{error:?}") };
        assert!(reason.contains("not HTTP"), "{reason}");
        assert!(!setup.sent());
        server.join().unwrap();
    }

    #[test]
    fn a_proxy_that_breaks_off_or_speaks_no_tls_is_told_from_ably() {
        let setup = Setup::new();
        let (listener, address) = listener();
        let server = thread::spawn(move || {
            // A close with bytes left unread is a reset, without them it is none.
            let mut stream = listener.accept().unwrap().0;
            head(&mut stream);
            drop(stream);
            let stream = listener.accept().unwrap().0;
            stream.peek(&mut [0]).unwrap();
            drop(stream);
            let mut stream = listener.accept().unwrap().0;
            stream.peek(&mut [0]).unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        });
        for _ in 0..2 {
            let error = setup.get("https://ably.example/x", Some(&via(address))).unwrap_err();
            assert_eq!(dialled(&error), Some(&DialError::ProxyHungUp), "{error:?}");
        }
        let error = setup.get("https://ably.example/x", Some(&tls_via(address))).unwrap_err();
        assert!(matches!(dialled(&error), Some(DialError::ProxyTls(_))), "{error:?}");
        assert!(!setup.sent());
        drop(setup);
        server.join().unwrap();
    }

    #[test]
    fn a_proxy_that_answers_byte_by_byte_has_the_time_to_connect_and_no_more() {
        let setup = Setup::new();
        let (listener, address) = listener();
        let dripping = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        let error = setup.get("https://ably.example/x", Some(&via(address))).unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::Connect)), "{error:?}");
        assert!(!setup.sent());
        // It ends because the connection was closed.
        dripping.join().unwrap();
    }
}
