//! The tunnel through a proxy. SOCKS is ureq's. ureq's CONNECT was tried and failed: it takes a 1xx for
//! a refusal and only 200 for success, returns a status only as text, and gives a proxy the whole time
//! again with each read, so that one that drips bytes holds a run for hours.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::config::AutoHeaderValue;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, Either, NextTimeout, SocksConnector, Transport, TransportAdapter,
    time,
};
use ureq::{Error, Proxy, ProxyProtocol};
use zeroize::Zeroizing;

use crate::net::authority::HTTPS;
use crate::net::error::NetError;
use crate::net::proxy::basic;

/// The longest answer of a proxy, all its heads together, in bytes.
const LONGEST_HEAD: usize = 16 << 10;
/// A proxy that wants other credentials. tinyproxy says 401 where it means 407.
const WANTS_CREDENTIALS: [u16; 2] = [401, 407];

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

fn details_for<'a>(
    details: &ConnectionDetails<'a>,
    uri: &'a Uri,
    addrs: ResolvedSocketAddrs,
) -> ConnectionDetails<'a> {
    ConnectionDetails {
        uri,
        addrs,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    }
}

fn socks(details: &ConnectionDetails) -> Result<Box<dyn Transport>, Error> {
    // ureq registers a connection once it is open; an error after that comes from the proxy.
    let is_connected = Arc::new(AtomicBool::new(false));
    let (noted, register) = (Arc::clone(&is_connected), details.register_shutdown.clone());
    let mut own = details_for(details, details.uri, details.addrs.clone());
    own.register_shutdown = Arc::new(move |handle| {
        noted.store(true, Ordering::SeqCst);
        register(handle)
    });
    match SocksConnector::default().connect(&own, None::<()>) {
        Ok(Some(transport)) => Ok(Box::new(transport)),
        Ok(None) => Err(Error::ConnectionFailed),
        Err(error) if is_connected.load(Ordering::SeqCst) => Err(by_socks(error).into()),
        Err(error) => Err(error),
    }
}

/// Translates ureq's errors by their kinds and words.
fn by_socks(error: Error) -> NetError {
    match &error {
        Error::Timeout(_) => NetError::ProxySilent,
        Error::Io(inner) if inner.get_ref().is_some() => match (inner.kind(), inner.to_string()) {
            (ErrorKind::InvalidData, _) => NetError::ProxyIsNo("SOCKS 5 proxy"),
            (ErrorKind::PermissionDenied | ErrorKind::InvalidInput, _) => NetError::ProxyLogin,
            (_, words) if words.contains("auth method") => NetError::ProxyLogin,
            (_, words) => NetError::SocksRefused(words),
        },
        _ => NetError::new(error, false).at_proxy(),
    }
}

fn connect(details: &ConnectionDetails, proxy: &Proxy) -> Result<Box<dyn Transport>, Error> {
    let addrs = details.resolver.resolve(proxy.uri(), details.config, details.timeout)?;
    let hop = details_for(details, proxy.uri(), addrs);
    let at_proxy = |error| NetError::new(error, false).at_proxy();
    let transport = (details.run_connector)(&hop).map_err(at_proxy)?;
    let mut stream = TransportAdapter::new(transport, details.current_time.clone());
    // From here on the adapter counts down by itself.
    stream.set_timeout(time_left(details));
    let answer = stream
        .write_all(connect_request(details, proxy).as_bytes())
        .map_err(Error::from)
        .and_then(|()| status(&mut stream))
        .map_err(|error| match error {
            Error::Timeout(_) => NetError::ProxySilent,
            error => at_proxy(error),
        })?;
    match answer {
        200..=299 => Ok(stream.into_inner()),
        status if WANTS_CREDENTIALS.contains(&status) => Err(NetError::ProxyLogin.into()),
        status => Err(NetError::ProxyRefused(status).into()),
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
    if let AutoHeaderValue::Provided(agent) = details.config.user_agent() {
        add(&["User-Agent: ", agent, "\r\n"]);
    }
    if let Some(user) = proxy.username() {
        let credentials = basic(user, proxy.password().unwrap_or_default());
        add(&["Proxy-Authorization: Basic ", &credentials, "\r\n"]);
    }
    add(&["\r\n"]);
    head
}

/// Reads a proxy's answer, past 1xx heads, and not a byte further.
fn status(stream: &mut impl Read) -> Result<u16, Error> {
    let (mut head, mut length) = (Vec::with_capacity(256), 0);
    loop {
        let mut byte = [0];
        // The transport has a buffer of its own.
        if stream.read(&mut byte)? == 0 {
            return Err(NetError::ProxyLost.into());
        }
        head.extend_from_slice(&byte);
        length += 1;
        if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
            match code(&head) {
                None => return Err(NetError::ProxyIsNo("HTTP proxy").into()),
                Some(100..=199) => head.clear(),
                Some(code) => return Ok(code),
            }
        } else if length >= LONGEST_HEAD || !b"HTTP/".starts_with(head.get(..5).unwrap_or(&head)) {
            return Err(NetError::ProxyIsNo("HTTP proxy").into());
        }
    }
}

fn code(head: &[u8]) -> Option<u16> {
    match head {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', a, b, c, b' ' | b'\r' | b'\n', ..] => {
            std::str::from_utf8(&[*a, *b, *c]).ok()?.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(answer: &[u8]) -> NetError {
        NetError::new(status(&mut &*answer).unwrap_err(), false)
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
            assert_eq!(failed(cut), NetError::ProxyLost);
        }
        let endless = b"HTTP/1.1 100 Go on\r\n\r\n".repeat(LONGEST_HEAD);
        for bad in [&b"SSH-2.0"[..], b"\x05\xff", b"HTTP/1.1 2\r\n\r\n", b"\r\n\r\n", &endless] {
            assert_eq!(failed(bad), NetError::ProxyIsNo("HTTP proxy"));
        }
    }
}
