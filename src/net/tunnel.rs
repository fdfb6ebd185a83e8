//! The tunnel through a proxy. SOCKS is ureq's. ureq's CONNECT was tried and failed: it takes a 1xx for
//! a refusal and only 200 for success, returns a status only as text, and gives a proxy the whole time
//! again with each read, so that one that drips bytes holds a run for hours.

use std::io::{self, ErrorKind, Read, Write};

use ureq::unversioned::transport::{
    ConnectionDetails, Connector, Either, NextTimeout, SocksConnector, Transport, TransportAdapter,
    time,
};
use ureq::{Error, Proxy, ProxyProtocol};
use zeroize::Zeroizing;

use crate::net::authority::HTTPS;
use crate::net::error::{At, CHECK_SCHEME, NetError, Retry};
use crate::net::proxy::basic;

/// The longest answer of a proxy, all its heads together, in bytes.
const LONGEST_HEAD: usize = 16 << 10;
const RULES: &str = "check the proxy's address and rules, or exempt the host with NO_PROXY";
/// Replies of a SOCKS proxy that would be the same for every host, in ureq's words.
const FINAL: [&str; 2] = ["connection not allowed by ruleset", "command not supported"];

/// Opens a tunnel where the request has a proxy.
#[derive(Debug)]
pub(crate) struct Tunnel;

impl<In: Transport> Connector<In> for Tunnel {
    type Out = Either<In, Box<dyn Transport>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        match details.config.proxy() {
            Some(proxy) if chained.is_none() && !is_hop(details) => {
                let tunnel = match proxy.protocol() {
                    ProxyProtocol::Http | ProxyProtocol::Https => connect(details, proxy)?,
                    _ => socks(details)?,
                };
                Ok(Some(Either::B(tunnel)))
            }
            _ => Ok(chained.map(Either::A)),
        }
    }
}

/// Whether this is the connection to the proxy itself, for which the same chain runs.
pub(crate) fn is_hop(details: &ConnectionDetails) -> bool {
    details.config.proxy().is_some_and(|proxy| proxy.uri() == details.uri)
}

/// The rest of the time for connecting, which counts from the start of that phase.
pub(crate) fn time_left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (time::Instant::Exact(start), time::Duration::Exact(after)) =
        (details.now, timeout.after)
    {
        timeout.after = after.saturating_sub(start.elapsed()).into();
    }
    timeout
}

fn socks(details: &ConnectionDetails) -> Result<Box<dyn Transport>, Error> {
    match SocksConnector::default().connect(details, None::<()>) {
        Ok(Some(transport)) => Ok(Box::new(transport)),
        Ok(None) => Err(Error::ConnectionFailed),
        Err(error) => Err(by_socks(error).into()),
    }
}

/// Translates ureq's errors by their kinds and words.
fn by_socks(error: Error) -> NetError {
    match &error {
        Error::Timeout(_) => silent(),
        Error::Io(inner) if inner.get_ref().is_some() => match (inner.kind(), inner.to_string()) {
            (ErrorKind::InvalidData, _) => no_proxy("SOCKS 5"),
            (ErrorKind::PermissionDenied | ErrorKind::InvalidInput, _) => login(),
            (_, words) if words.contains("auth method") => login(),
            (_, words) if FINAL.contains(&&*words) => refused(&words, Retry::Never),
            (_, words) => refused(&words, Retry::OtherHost),
        },
        _ => NetError::of_ureq(error, false).at_proxy(),
    }
}

fn silent() -> NetError {
    NetError::new(At::Proxy, "opened no tunnel in time", "", Retry::SameHost)
}

fn no_proxy(kind: &str) -> NetError {
    NetError::new(At::Hop, format!("is no {kind} proxy"), CHECK_SCHEME, Retry::Never)
}

fn login() -> NetError {
    let remedy = "check USER:PASSWORD@ before the proxy's host, special characters percent-encoded";
    NetError::new(At::Hop, "does not accept these credentials, or wants some", remedy, Retry::Never)
}

fn refused(why: &str, retry: Retry) -> NetError {
    NetError::new(At::Proxy, format!("opened no tunnel: {why}"), RULES, retry)
}

fn connect(details: &ConnectionDetails, proxy: &Proxy) -> Result<Box<dyn Transport>, Error> {
    let addrs = details.resolver.resolve(proxy.uri(), details.config, details.timeout)?;
    let hop = ConnectionDetails {
        uri: proxy.uri(),
        addrs,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    };
    let at_proxy = |error| NetError::of_ureq(error, false).at_proxy();
    let transport = (details.run_connector)(&hop).map_err(at_proxy)?;
    let mut stream = TransportAdapter::new(transport, details.current_time.clone());
    // From here on the adapter counts down by itself.
    stream.set_timeout(time_left(details));
    let answer = stream
        .write_all(connect_request(details, proxy).as_bytes())
        .map_err(Error::from)
        .and_then(|()| status(&mut stream))
        .map_err(|error| match error {
            Error::Timeout(_) => silent(),
            error => at_proxy(error),
        })?;
    match answer {
        200..=299 => Ok(stream.into_inner()),
        // tinyproxy says 401 where it means 407.
        401 | 407 => Err(login().into()),
        // The proxy may reach another host.
        500..=599 => Err(refused(&format!("status {answer}"), Retry::OtherHost).into()),
        _ => Err(refused(&format!("status {answer}"), Retry::Never).into()),
    }
}

fn connect_request(details: &ConnectionDetails, proxy: &Proxy) -> Zeroizing<String> {
    let host = details.uri.host().unwrap_or_default();
    let port = details.uri.port_u16().unwrap_or(HTTPS);
    // Large enough not to grow, which would leave a copy of the credentials behind.
    let mut head = Zeroizing::new(String::with_capacity(8 << 10));
    let mut add = |parts: &[&str]| parts.iter().for_each(|part| head.push_str(part));
    let authority = format!("{host}:{port}");
    add(&["CONNECT ", &authority, " HTTP/1.1\r\nHost: ", &authority, "\r\n"]);
    if let Some(user) = proxy.username() {
        let credentials = basic(user, proxy.password().unwrap_or_default());
        add(&["Proxy-Authorization: Basic ", &credentials, "\r\n"]);
    }
    add(&["\r\n"]);
    head
}

/// Reads a proxy's answer, past 1xx heads, and not a byte further.
fn status(stream: &mut impl Read) -> Result<u16, Error> {
    let mut head = Vec::with_capacity(256);
    for _ in 0..LONGEST_HEAD {
        let mut byte = [0];
        // The transport has a buffer of its own.
        if stream.read(&mut byte)? == 0 {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        head.extend_from_slice(&byte);
        if !b"HTTP/".starts_with(head.get(..5).unwrap_or(&head)) {
            break;
        }
        if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
            match code(&head) {
                None => break,
                Some(100..=199) => head.clear(),
                Some(code) => return Ok(code),
            }
        }
    }
    Err(no_proxy("HTTP").into())
}

/// The status in `HTTP/1.1 200 …`.
fn code(head: &[u8]) -> Option<u16> {
    let (version, rest) = str::from_utf8(head.get(..12)?).ok()?.split_at_checked(9)?;
    rest.parse().ok().filter(|_| version.starts_with("HTTP/1.") && version.ends_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(answer: &[u8]) -> String {
        NetError::of_ureq(status(&mut &*answer).unwrap_err(), false).to_string()
    }

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
            assert!(failed(cut).contains("closed the connection"));
        }
        let endless = b"HTTP/1.1 100 Go on\r\n\r\n".repeat(LONGEST_HEAD);
        for bad in [&b"SSH-2.0"[..], b"\x05\xff", b"HTTP/1.1 2\r\n\r\n", b"\r\n\r\n", &endless] {
            assert!(failed(bad).contains("no HTTP proxy"));
        }
    }
}
