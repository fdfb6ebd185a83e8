//! The addresses of a host, with a cache. ureq resolves before each request, even on a connection that
//! is open: without the cache each request of a run would wait for a look-up, and fail with it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{self, ResolvedSocketAddrs};
use ureq::unversioned::transport::{NextTimeout, time};

use crate::net::authority::{HTTPS, Host};
use crate::net::dns;
use crate::net::endpoint::ConnectTo;
use crate::net::error::NetError;

/// As many addresses as ureq has room for.
const MAX_ADDRESSES: usize = 16;
/// How long an answer spares the next look-up. After that it still serves where a look-up fails.
const FRESH: Duration = Duration::from_secs(60);
/// If ureq sets no limit.
const LONGEST: Duration = Duration::from_secs(4);

/// Clones share the cache.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    connect_to: Option<ConnectTo>,
    stop: Arc<AtomicUsize>,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

#[derive(Debug, Clone)]
struct Known {
    addresses: Vec<IpAddr>,
    since: Instant,
}

/// Fails after a signal; `stop` is its number, 0 for none.
pub(crate) fn check(stop: &AtomicUsize) -> Result<(), NetError> {
    if stop.load(Ordering::SeqCst) == 0 { Ok(()) } else { Err(NetError::Stopped) }
}

impl resolver::Resolver for Resolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        check(&self.stop)?;
        let time = match timeout.after {
            time::Duration::Exact(time) => time,
            time::Duration::NotHappening => LONGEST,
        };
        let (host, port) = match &self.connect_to {
            Some(ConnectTo { host: Host::Ip(ip), port }) => (ip.to_string(), *port),
            Some(ConnectTo { host: Host::Name(name), port }) => (name.clone(), *port),
            None => host_and_port(uri)?,
        };
        let found = self.addresses(&host, Instant::now() + time)?;
        let mut addresses = resolver::Resolver::empty(self);
        for ip in found.into_iter().take(MAX_ADDRESSES) {
            addresses.push((ip, port).into());
        }
        Ok(addresses)
    }
}

fn host_and_port(uri: &Uri) -> Result<(String, u16), Error> {
    let host = uri.host().ok_or(Error::HostNotFound)?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let usual = if uri.scheme_str() == Some("http") { 80 } else { HTTPS };
    Ok((bare.to_owned(), uri.port_u16().unwrap_or(usual)))
}

impl Resolver {
    /// `connect_to` replaces every host and port.
    pub(crate) fn new(connect_to: Option<ConnectTo>, stop: Arc<AtomicUsize>) -> Self {
        Self { connect_to, stop, known: Arc::default() }
    }

    fn addresses(&self, host: &str, deadline: Instant) -> Result<Vec<IpAddr>, NetError> {
        if let Ok(ip) = host.parse() {
            return Ok(vec![ip]);
        }
        let known = self.known().get(host).cloned();
        if let Some(known) = &known
            && known.since.elapsed() < FRESH
        {
            return Ok(known.addresses.clone());
        }
        let addresses = match (look_up(host, deadline, &self.stop), known) {
            (Ok(addresses), _) => in_turn(addresses),
            (Err(NetError::Stopped), _) => return Err(NetError::Stopped),
            // Kept as if it were new, so that a silent name server costs its seconds once.
            (Err(_), Some(old)) => old.addresses,
            (Err(error), None) => return Err(error),
        };
        let new = Known { addresses: addresses.clone(), since: Instant::now() };
        self.known().insert(host.to_owned(), new);
        Ok(addresses)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// localhost and names below it are the loopback without asking anybody (RFC 6761, 6.3): there is
/// no hosts file in an empty root.
fn look_up(host: &str, deadline: Instant, stop: &AtomicUsize) -> Result<Vec<IpAddr>, NetError> {
    let name = host.strip_suffix('.').unwrap_or(host);
    match name.rsplit('.').next() {
        Some(last) if last.eq_ignore_ascii_case("localhost") => {
            Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        _ => dns::look_up(host, deadline, stop),
    }
}

/// Alternates the families (RFC 8305, 4), without addresses that have no route, unless none has one:
/// ureq tries the addresses in turn and returns the error of the last.
fn in_turn(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    if addresses.iter().copied().any(has_route) {
        addresses.retain(|ip| has_route(*ip));
    }
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (these, others): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|ip| ip.is_ipv6() == first_is_v6);
    let mut others = others.into_iter();
    let mut mixed: Vec<_> =
        these.into_iter().flat_map(|ip| [Some(ip), others.next()]).flatten().collect();
    mixed.extend(others);
    mixed
}

/// Sends nothing.
fn has_route(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0))
        .and_then(|socket| socket.connect(SocketAddr::from((ip, HTTPS))))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "nobody-knows.invalid.";

    fn addresses(resolver: &Resolver, host: &str) -> Result<Vec<String>, NetError> {
        // No time is left, which a look-up notices.
        let found = resolver.addresses(host, Instant::now())?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    fn resolver(signal: usize) -> Resolver {
        Resolver::new(None, Arc::new(AtomicUsize::new(signal)))
    }

    /// One that has known a name for so many seconds.
    fn knowing(name: &str, seconds: u64) -> Resolver {
        let since = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let resolver = resolver(0);
        let known = Known { addresses: vec![[127, 0, 0, 9].into()], since };
        resolver.known().insert(name.to_owned(), known);
        resolver
    }

    #[test]
    fn addresses_and_localhost_need_no_look_up() {
        for (host, first) in
            [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("a.LOCALHOST.", "127.0.0.1")]
        {
            assert_eq!(addresses(&resolver(0), host).unwrap()[0], first);
        }
        for name in ["notlocalhost", "localhost.example"] {
            assert!(matches!(addresses(&resolver(0), name), Err(NetError::Name(..))));
        }
    }

    #[test]
    fn connect_to_stands_for_every_host_and_port() {
        for (to, expected) in
            [("127.0.0.1:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2"), ("localhost:3", "127.0.0.1:3")]
        {
            let stop = Arc::default();
            let resolver = Resolver::new(Some(ConnectTo::parse(to).unwrap()), stop);
            let uri = "https://main.realtime.ably.net:9/x".parse().unwrap();
            let found = resolver::Resolver::resolve(
                &resolver,
                &uri,
                &Config::default(),
                NextTimeout::default(),
            );
            assert_eq!(found.unwrap()[0].to_string(), expected);
        }
    }

    #[test]
    fn an_answer_spares_the_next_look_up_and_serves_where_that_fails() {
        for seconds in [1, 61] {
            let resolver = knowing(NAME, seconds);
            assert_eq!(addresses(&resolver, NAME).unwrap(), ["127.0.0.9"]);
            // And it is not looked up again for a while.
            assert!(resolver.known()[NAME].since.elapsed() < FRESH);
            assert!(addresses(&resolver, "other.invalid").is_err());
        }
    }

    #[test]
    fn an_old_answer_does_not_hide_a_signal() {
        let resolver = knowing(NAME, 61);
        resolver.stop.store(2, Ordering::SeqCst);
        let deadline = Instant::now() + Duration::from_secs(5);
        assert_eq!(resolver.addresses(NAME, deadline), Err(NetError::Stopped));
    }

    #[test]
    fn families_take_turns() {
        let read = |list: &[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<_>>();
        // None of them has a route, or all have.
        assert_eq!(
            in_turn(read(&["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"])),
            read(&["127.0.0.1", "::1", "127.0.0.2", "127.0.0.3"])
        );
        assert_eq!(in_turn(Vec::new()), Vec::<IpAddr>::new());
    }
}
