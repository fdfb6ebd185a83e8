//! Names, in place of ureq's resolver: the addresses of a host, and how long they are remembered.
//! What is done with them is up to `connect.rs`.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, time};

use crate::net::authority::Host;
use crate::net::connect_error::DialError;
use crate::net::endpoint::ConnectTo;
use crate::net::name_servers::{self, Failure};
use crate::net::wait::{check, deadline};

/// As many addresses as ureq has room for.
const MAX_ADDRESSES: usize = 16;

/// How long an answer spares the next look-up. After that it still serves where a look-up fails.
const FRESH: Duration = Duration::from_secs(60);
/// As many answers as are kept: a run's hosts with their fallbacks, and a proxy.
const MAX_KNOWN: usize = 8;

/// Finds the addresses of hosts. Clones share the answers. Answers are kept, because ureq asks before it looks whether a
/// connection is still open: every request would wait for a look-up, and fail with it.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    connect_to: Option<ConnectTo>,
    stop: Arc<AtomicUsize>,
    known: Arc<Mutex<Vec<Known>>>,
}

/// What a look-up brought.
#[derive(Debug)]
struct Known {
    host: String,
    port: u16,
    addresses: Vec<SocketAddr>,
    since: Instant,
}

impl Known {
    fn is_for(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port == port
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        check(&self.stop)?;
        let deadline = deadline(time::Instant::now(), timeout.after);
        let (host, port) = match &self.connect_to {
            Some(ConnectTo { host: Host::Ip(ip), port }) => (ip.to_string(), *port),
            Some(ConnectTo { host: Host::Name(name), port }) => (name.clone(), *port),
            None => host_and_port(uri)?,
        };
        let mut addresses = self.empty();
        for address in self.addresses(host, port, deadline)?.into_iter().take(MAX_ADDRESSES) {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

fn host_and_port(uri: &Uri) -> Result<(String, u16), Error> {
    let host = uri.host().ok_or(Error::HostNotFound)?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    Ok((bare.to_owned(), uri.port_u16().unwrap_or(usual)))
}

impl Names {
    /// With the address that stands for every host and port, if there is one, and the number of a
    /// caught signal, 0 for none.
    pub(crate) fn new(connect_to: Option<ConnectTo>, stop: Arc<AtomicUsize>) -> Self {
        Self { connect_to, stop, known: Arc::default() }
    }

    fn addresses(
        &self,
        host: String,
        port: u16,
        deadline: Option<Instant>,
    ) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        if is_localhost(&host) {
            let (four, six) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
            return Ok(vec![(four, port).into(), (six, port).into()]);
        }
        if let Some(addresses) = self.remembered(&host, port, Some(FRESH)) {
            return Ok(addresses);
        }
        let addresses = match self.asked(&host, port, deadline) {
            Ok(addresses) => addresses,
            Err(error) => {
                check(&self.stop)?;
                // Kept as if it were new: a name server that is silent costs its seconds once.
                self.remembered(&host, port, None).ok_or(error)?
            }
        };
        self.keep(host, port, addresses.clone());
        Ok(addresses)
    }

    /// The last answer, if it is not too old; any will do where there is no limit.
    fn remembered(
        &self,
        host: &str,
        port: u16,
        limit: Option<Duration>,
    ) -> Option<Vec<SocketAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|known| known.is_for(host, port))?;
        let serves = limit.is_none_or(|limit| found.since.elapsed() < limit);
        serves.then(|| found.addresses.clone())
    }

    fn keep(&self, host: String, port: u16, addresses: Vec<SocketAddr>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| !known.is_for(&host, port));
        if known.len() == MAX_KNOWN {
            known.remove(0);
        }
        known.push(Known { host, port, addresses, since: Instant::now() });
    }

    /// What the system's files or DNS answer, as an error where that is no address.
    fn asked(
        &self,
        host: &str,
        port: u16,
        deadline: Option<Instant>,
    ) -> Result<Vec<SocketAddr>, Error> {
        let reason = match name_servers::look_up(host, deadline, &self.stop)? {
            Ok(found) => {
                return Ok(interleaved(found.into_iter().map(|ip| (ip, port).into()).collect()));
            }
            Err(Failure::Late) => {
                return Err(DialError::ResolveTimedOut { host: host.to_owned() }.into());
            }
            Err(failure) => reason(failure),
        };
        Err(DialError::Unresolvable { host: host.to_owned(), reason }.into())
    }
}

/// localhost and names below it are the loopback without asking anybody (RFC 6761, 6.3): there is
/// no hosts file in an empty root.
fn is_localhost(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
}

/// Families in turn, beginning with that of the first (RFC 8305, 4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut these, mut others): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut mixed = Vec::with_capacity(these.len() + others.len());
    while !these.is_empty() || !others.is_empty() {
        mixed.extend(these.pop_front());
        mixed.extend(others.pop_front());
    }
    mixed
}

fn reason(failure: Failure) -> String {
    let code = match failure {
        Failure::BadName => return "it is not a valid name".to_owned(),
        Failure::NoSuchName => return "no such name".to_owned(),
        Failure::NoAddress => return "it has no address".to_owned(),
        Failure::Unreachable | Failure::Late => {
            return "no answer from the name servers".to_owned();
        }
        Failure::Code(code) => code,
    };
    let word = match code {
        1 => "FORMERR",
        2 => "SERVFAIL",
        4 => "NOTIMP",
        5 => "REFUSED",
        other => return format!("the name servers answered with code {other}"),
    };
    format!("the name servers answered {word}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::test_support::{dialled, stop, within};

    fn resolve(names: &Names, uri: &str, ms: u64) -> Result<Vec<String>, Error> {
        let found = names.resolve(&uri.parse().unwrap(), &Config::default(), within(ms))?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    fn names(connect_to: Option<&str>) -> Names {
        let connect_to = connect_to.map(|value| ConnectTo::parse(value).unwrap());
        Names::new(connect_to, stop(0))
    }

    #[test]
    fn addresses_and_localhost_need_no_look_up() {
        for (uri, expected) in [
            ("https://127.0.0.1/", vec!["127.0.0.1:443"]),
            ("https://[::1]:8443/", vec!["[::1]:8443"]),
            ("http://10.0.0.1/", vec!["10.0.0.1:80"]),
            ("https://localhost/", vec!["127.0.0.1:443", "[::1]:443"]),
            ("https://a.LOCALHOST.:1/", vec!["127.0.0.1:1", "[::1]:1"]),
        ] {
            // No time is left, which a look-up would notice.
            assert_eq!(resolve(&names(None), uri, 0).unwrap(), expected, "{uri}");
        }
        assert!(!is_localhost("notlocalhost") && !is_localhost("localhost.example"));
    }

    #[test]
    fn connect_to_stands_for_every_host_and_port() {
        for (to, expected) in
            [("127.0.0.1:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2"), ("localhost:3", "127.0.0.1:3")]
        {
            let found = resolve(&names(Some(to)), "https://main.realtime.ably.net:9/x", 0).unwrap();
            assert_eq!(found[0], expected);
        }
    }

    #[test]
    fn a_host_that_cannot_be_resolved_is_named() {
        let host = format!("{}.example", "a".repeat(64));
        let error = resolve(&names(None), &format!("https://{host}/"), 10_000).unwrap_err();
        let Some(DialError::Unresolvable { host: named, reason }) = dialled(&error) else {
            panic!("{error:?}");
        };
        assert_eq!(*named, host);
        assert!(
            !reason.is_empty() && !reason.contains("failed to") && !reason.contains("os error")
        );
    }

    #[test]
    fn a_look_up_ends_with_its_budget_and_with_a_signal() {
        let error = resolve(&names(None), "https://ably.example/", 0).unwrap_err();
        assert!(matches!(dialled(&error), Some(DialError::ResolveTimedOut { .. })));
        let names = Names::new(None, stop(15));
        let error = resolve(&names, "https://127.0.0.1/", 1000).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped));
    }

    /// A name that no system resolves, known for so many seconds to be `127.0.0.9`.
    fn known_for(names: &Names, seconds: u64) -> String {
        let host = format!("{}.example", "a".repeat(64));
        names.keep(host.clone(), 443, vec![([127, 0, 0, 9], 443).into()]);
        let since = Instant::now().checked_sub(Duration::from_secs(seconds));
        names.known.lock().unwrap()[0].since = since.unwrap();
        format!("https://{host}/")
    }

    #[test]
    fn an_answer_spares_the_next_look_up() {
        let names = names(None);
        let uri = known_for(&names, 1);
        // No time is left, which a look-up would notice, as that for another port does.
        assert_eq!(resolve(&names, &uri, 0).unwrap(), ["127.0.0.9:443"]);
        assert!(resolve(&names, &uri.replace("example/", "example:8443/"), 0).is_err());
    }

    #[test]
    fn an_old_answer_serves_where_a_look_up_fails_or_takes_too_long() {
        for budget in [10_000, 0] {
            let names = names(None);
            let uri = known_for(&names, 61);
            assert_eq!(resolve(&names, &uri, budget).unwrap(), ["127.0.0.9:443"]);
            // And it is not looked up again for a while.
            assert!(names.known.lock().unwrap()[0].since.elapsed() < FRESH);
        }
    }

    #[test]
    fn an_old_answer_gives_way_to_a_new_one() {
        let names = names(None);
        known_for(&names, 61);
        let host = names.known.lock().unwrap()[0].host.clone();
        names.keep(host.clone(), 443, vec![([127, 0, 0, 1], 443).into()]);
        let found = names.remembered(&host, 443, Some(FRESH)).unwrap();
        assert_eq!(found, [([127, 0, 0, 1], 443).into()]);
        assert_eq!(names.known.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_old_answer_does_not_hide_a_signal() {
        let names = Names::new(None, stop(0));
        let uri = known_for(&names, 61);
        names.stop.store(2, std::sync::atomic::Ordering::SeqCst);
        let error = resolve(&names, &uri, 10_000).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped));
    }

    #[test]
    fn only_so_many_answers_are_kept() {
        let names = names(None);
        for port in 1..=20 {
            names.keep("h".to_owned(), port, Vec::new());
        }
        assert_eq!(names.known.lock().unwrap().len(), MAX_KNOWN);
        assert!(names.remembered("h", 12, None).is_none());
        assert!(names.remembered("h", 13, None).is_some());
    }

    #[test]
    fn families_take_turns() {
        let read =
            |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        assert_eq!(
            interleaved(read(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"])),
            read(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"])
        );
        assert_eq!(interleaved(Vec::new()), Vec::new());
    }
}
