//! The addresses of a host, with a cache. ureq resolves before each request, even on a connection that
//! is open: without the cache each request of a run would wait for a look-up, and fail with it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{self, ResolvedSocketAddrs};
use ureq::unversioned::transport::NextTimeout;

use crate::net::authority::{Authority, HTTPS};
use crate::net::dns::{self, has_route};
use crate::net::error::NetError;
use crate::signals::Signals;

/// As many addresses as ureq has room for.
const MAX_ADDRESSES: usize = 16;
/// How long an answer spares the next look-up. After that it still serves where a look-up fails.
const FRESH: Duration = Duration::from_secs(60);
/// The longest look-up.
const LONGEST: Duration = Duration::from_secs(4);

/// The addresses of each host, and since when they are known.
type Known = HashMap<String, (Vec<IpAddr>, Instant)>;

/// Clones share the cache.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    /// Replaces every host and port.
    pub(crate) connect_to: Option<Authority>,
    pub(crate) signals: Signals,
    pub(crate) known: Arc<Mutex<Known>>,
}

impl resolver::Resolver for Resolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let (host, port) = match &self.connect_to {
            Some(Authority { host, port }) => (host.clone(), port.unwrap_or(HTTPS)),
            None => {
                let host = uri.host().ok_or(Error::HostNotFound)?;
                (host.to_owned(), uri.port_u16().unwrap_or(HTTPS))
            }
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = self.addresses(host, Instant::now() + (*timeout.after).min(LONGEST))?;
        let mut addresses = resolver::Resolver::empty(self);
        found.into_iter().take(MAX_ADDRESSES).for_each(|ip| addresses.push((ip, port).into()));
        Ok(addresses)
    }
}

impl Resolver {
    fn addresses(&self, host: &str, deadline: Instant) -> Result<Vec<IpAddr>, NetError> {
        if let Ok(ip) = host.parse() {
            return Ok(vec![ip]);
        }
        let known = self.known().get(host).cloned();
        let addresses = match known {
            Some((addresses, since)) if since.elapsed() < FRESH => return Ok(addresses),
            // Kept as if it were new, so that a silent name server costs its seconds once.
            Some((old, _)) => dns::look_up(host, deadline, &self.signals).map_or(old, in_turn),
            None => in_turn(dns::look_up(host, deadline, &self.signals)?),
        };
        self.known().insert(host.to_owned(), (addresses.clone(), Instant::now()));
        Ok(addresses)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Alternates the families (RFC 8305, 4), without addresses that have no route, unless none has one:
/// ureq tries the addresses in turn and returns the error of the last.
fn in_turn(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    if addresses.iter().copied().any(has_route) {
        addresses.retain(|ip| has_route(*ip));
    }
    let v4_leads = addresses.first().is_some_and(IpAddr::is_ipv4);
    let (leading, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|ip| ip.is_ipv4() == v4_leads);
    let (mut in_turn, mut other) = (Vec::new(), other.into_iter());
    for ip in leading {
        in_turn.push(ip);
        in_turn.extend(other.next());
    }
    in_turn.extend(other);
    in_turn
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

    fn resolver(connect_to: Option<Authority>) -> Resolver {
        Resolver { connect_to, signals: Signals::default(), known: Arc::default() }
    }

    #[test]
    fn addresses_and_localhost_need_no_look_up() {
        for (host, first) in
            [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("a.LOCALHOST.", "127.0.0.1")]
        {
            assert_eq!(addresses(&resolver(None), host).unwrap()[0], first);
        }
        for name in ["notlocalhost", "localhost.example"] {
            assert!(addresses(&resolver(None), name).is_err());
        }
    }

    #[test]
    fn connect_to_stands_for_every_host_and_port() {
        for (to, expected) in
            [("127.0.0.1:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2"), ("localhost:3", "127.0.0.1:3")]
        {
            let resolver = resolver(Some(Authority::parse(to).unwrap()));
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
            let since = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
            let resolver = resolver(None);
            resolver.known().insert(NAME.to_owned(), (vec![[127, 0, 0, 9].into()], since));
            assert_eq!(addresses(&resolver, NAME).unwrap(), ["127.0.0.9"]);
            // And it is not looked up again for a while.
            assert!(resolver.known()[NAME].1.elapsed() < FRESH);
            assert!(addresses(&resolver, "other.invalid").is_err());
        }
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
