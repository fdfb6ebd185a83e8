//! The hosts that a run talks to: an endpoint as Ably's specification has it (REC1, REC2), its hosts
//! in the order in which they are asked (RSC15), and the address of `--connect-to`. A key may be typed
//! in their place by mistake, so no error repeats the value.

use std::fmt::{self, Display};
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Problem;
use crate::net::authority::{Authority, HTTPS, flaw, label};
use crate::net::retry_after::random;

/// How many fallback hosts one request may go to (RSC15a, TO3l5).
const FALLBACKS: usize = 3;
/// How often one host is asked before its failure counts.
pub(super) const TRIES: u32 = 3;

const ENDPOINT_REMEDY: &str = "give a host such as main.realtime.ably.net, with :PORT if that is \
                               not 443, or a routing policy such as acme or nonprod:sandbox";
const CONNECT_TO_REMEDY: &str =
    "give ADDR:PORT, such as 127.0.0.1:8443, [::1]:8443 or bastion.example.com:8443";
const NO_URL: &str = "give the host alone, without https:// before it or a path after it";

/// The hosts of Ably's service, as `--endpoint`, `ABLY_ENDPOINT` or the configuration name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    shown: String,
    /// `host` or `host:port`, as in a URL.
    pub primary: String,
    /// The five fallback hosts of a routing policy (REC2c); a host has none.
    pub fallbacks: Vec<String>,
}

impl Default for Endpoint {
    /// The routing policy `main` (REC1a).
    fn default() -> Self {
        Self::policy("main", "main", "realtime.ably.net", "ably-realtime.com")
    }
}

impl Display for Endpoint {
    /// The canonical form, which `parse` reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Endpoint {
    /// Reads a host with an optional port, or a routing policy (REC1b).
    pub fn parse(value: &str) -> Result<Self, Problem> {
        let remedy = if value.contains("://") { NO_URL } else { ENDPOINT_REMEDY };
        Self::read(value).map_err(|flaw| Problem::new(format!("the endpoint {flaw}"), remedy))
    }

    /// Like `parse`; the error is the rest of a sentence.
    pub fn read(value: &str) -> Result<Self, &'static str> {
        if let Some(flaw) = flaw(value) {
            return Err(flaw);
        }
        let value = value.to_ascii_lowercase();
        if is_host(&value) {
            let Authority { host, port } = Authority::parse(&value)?;
            let port = port.filter(|port| *port != HTTPS);
            let primary = Authority { host, port }.to_string();
            return Ok(Self { shown: primary.clone(), primary, fallbacks: Vec::new() });
        }
        let (id, domain, fallback) = match value.strip_prefix("nonprod:") {
            Some(id) => (id, "realtime.ably-nonprod.net", "ably-realtime-nonprod.com"),
            None => (&*value, "realtime.ably.net", "ably-realtime.com"),
        };
        // It becomes a label of a host name.
        if !label(id) {
            return Err(
                "is neither a host nor a routing policy (letters, digits and hyphens only)",
            );
        }
        Ok(Self::policy(&value, id, domain, fallback))
    }

    /// Reads a host without a port, which is given separately.
    pub fn with_port(value: &str, port: u16) -> Result<Self, &'static str> {
        let endpoint = Self::read(value)?;
        match Authority::parse(value) {
            _ if !endpoint.fallbacks.is_empty() => Err("is a routing policy, which takes no port"),
            Ok(Authority { port: None, .. }) => Self::read(&format!("{}:{port}", endpoint.primary)),
            _ => Err("has a port already, beside the one given apart from it"),
        }
    }

    fn policy(shown: &str, id: &str, domain: &str, fallback: &str) -> Self {
        let fallbacks = ["a", "b", "c", "d", "e"];
        Self {
            shown: shown.to_owned(),
            primary: format!("{id}.{domain}"),
            fallbacks: fallbacks.map(|letter| format!("{id}.{letter}.fallback.{fallback}")).into(),
        }
    }

    pub fn is_default(&self) -> bool {
        self.shown == "main"
    }
}

/// Whether a value is a host rather than a policy (REC1b2). Beyond the specification, so are an IPv6
/// address written in full and localhost with a port.
fn is_host(value: &str) -> bool {
    value.contains(['.', '[']) && !value.starts_with("nonprod:")
        || value.contains("::")
        || value == "localhost"
        || value.starts_with("localhost:")
        || value.parse::<Ipv6Addr>().is_ok()
}

/// The hosts of one service. The one that answered serves the rest of the run, for all clones.
#[derive(Debug, Clone)]
pub struct Hosts {
    all: Arc<[String]>,
    preferred: Arc<AtomicUsize>,
}

impl Hosts {
    /// The primary host, and up to three fallbacks in random order (RSC15a).
    pub fn of(endpoint: &Endpoint) -> Self {
        let (mut all, mut left) = (vec![endpoint.primary.clone()], endpoint.fallbacks.clone());
        while all.len() <= FALLBACKS && !left.is_empty() {
            all.push(left.swap_remove(random() as usize % left.len()));
        }
        Self { all: all.into(), preferred: Arc::default() }
    }

    pub fn single(authority: &str) -> Self {
        Self { all: Arc::new([authority.to_owned()]), preferred: Arc::default() }
    }

    pub(super) fn is_single(&self) -> bool {
        self.all.len() == 1
    }

    /// Asks this host first from now on.
    pub(super) fn prefer(&self, host: &str) {
        if let Some(at) = self.all().position(|known| known == host) {
            self.preferred.store(at, Ordering::SeqCst);
        }
    }

    /// The host to ask first.
    pub fn preferred(&self) -> &str {
        self.all.get(self.preferred.load(Ordering::SeqCst)).map_or("", String::as_str)
    }

    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// The hosts that one request tries. A host without fallbacks is tried again.
    pub(super) fn in_order(&self) -> Vec<&str> {
        match &*self.all {
            [only] => vec![only; TRIES as usize],
            _ => {
                let first = self.preferred();
                let others = self.all().filter(|host| *host != first);
                std::iter::once(first).chain(others).collect()
            }
        }
    }
}

/// Where TCP connections go instead of to the host, `--connect-to`: `1.2.3.4:port`, `[::1]:port` or
/// `name:port`.
pub fn connect_to(value: &str) -> Result<Authority, Problem> {
    let remedy = if value.contains("://") { NO_URL } else { CONNECT_TO_REMEDY };
    let problem = |flaw| Problem::new(format!("the address to connect to {flaw}"), remedy);
    let authority = Authority::parse(value).map_err(problem)?;
    authority.port.map(|_| authority).ok_or_else(|| problem("has no port"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn primary(value: &str) -> String {
        Endpoint::parse(value).unwrap().primary
    }

    fn refusal(value: &str) -> String {
        Endpoint::parse(value).expect_err(value).message
    }

    #[test]
    fn the_default_is_the_policy_main() {
        let default = Endpoint::default();
        assert_eq!(default.primary, "main.realtime.ably.net");
        assert_eq!(default.fallbacks[0], "main.a.fallback.ably-realtime.com");
        assert_eq!(default.fallbacks[4], "main.e.fallback.ably-realtime.com");
        assert!(default.is_default() && Endpoint::parse("main").unwrap() == default);
        assert!(!Endpoint::parse("main.realtime.ably.net").unwrap().is_default());
    }

    #[test]
    fn a_policy_has_five_fallbacks() {
        let acme = Endpoint::parse("acme").unwrap();
        assert_eq!(acme.primary, "acme.realtime.ably.net");
        assert_eq!(acme.fallbacks.len(), 5);
        assert_eq!(Endpoint::parse("ACME").unwrap(), acme);
        let sandbox = Endpoint::parse("nonprod:sandbox").unwrap();
        assert_eq!(sandbox.primary, "sandbox.realtime.ably-nonprod.net");
        assert_eq!(sandbox.fallbacks[1], "sandbox.b.fallback.ably-realtime-nonprod.com");
        assert_eq!(sandbox.to_string(), "nonprod:sandbox");
    }

    #[test]
    fn a_host_has_no_fallbacks_and_is_ready_for_a_url() {
        for (value, expected) in [
            ("rest.example.com", "rest.example.com"),
            ("Rest.Example.com:8443", "rest.example.com:8443"),
            ("rest.example.com:443", "rest.example.com"),
            ("localhost", "localhost"),
            ("LOCALHOST:8443", "localhost:8443"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:8443", "127.0.0.1:8443"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("[::1]:8443", "[::1]:8443"),
            ("0:0:0:0:0:0:0:1", "[::1]"),
            ("[2001:0DB8:0:0:0:0:0:1]:8443", "[2001:db8::1]:8443"),
            ("::ffff:1.2.3.4", "[::ffff:1.2.3.4]"),
            ("my_host.internal.", "my_host.internal."),
        ] {
            assert_eq!(primary(value), expected, "{value}");
            let hosts = Hosts::of(&Endpoint::parse(value).unwrap());
            assert_eq!(hosts.in_order(), [expected; 3]);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_its_reason() {
        for (value, reason) in [
            ("", "is empty"),
            ("a b", "white space"),
            ("host.example\n", "white space"),
            ("host\u{202e}.example", "control"),
            ("https://host.example", "is a URL"),
            ("https://user:pw@host.example/x", "is a URL"),
            ("user:pw@host.example", "more in it"),
            ("host.example/path", "more in it"),
            ("acme?x=1", "more in it"),
            ("host.example:0", "between 1 and 65535"),
            ("host.example:65536", "between 1 and 65535"),
            ("host.example:", "port"),
            ("host.example:+1", "port"),
            ("xVLyHw.A-pwh:5WEB4HEAT3pOqWp9", "port"),
            ("localhost:x", "port"),
            ("[::1", "IPv6"),
            ("[::1]8443", "port"),
            ("[::g]", "IPv6"),
            ("[fe80::1%eth0]", "IPv6"),
            ("::1:8443:x", "port"),
            ("a.b:1:2", "IPv6"),
            ("-a.example", "not a host"),
            ("a..example", "not a host"),
            (".", "not a host"),
            ("a%2f.example", "not a host"),
            ("münchen.example", "xn--"),
            ("1.2.3", "IPv4"),
            ("1.2.3.4.5", "IPv4"),
            ("256.1.1.1", "IPv4"),
            ("acme:8443", "routing policy"),
            ("ac!me", "routing policy"),
            ("-acme", "routing policy"),
            ("nonprod:", "routing policy"),
            ("nonprod:a:b", "routing policy"),
            ("nonprod:a.b", "routing policy"),
        ] {
            let message = refusal(value);
            assert!(message.contains(reason), "{value:?}: {message}");
            assert!(!message.contains("pw") && !message.contains("5WEB4"), "{message}");
        }
        assert!(Endpoint::parse("https://h.example").unwrap_err().remedy.contains("host alone"));
    }

    #[test]
    fn three_different_fallbacks_come_in_random_order() {
        let main = Endpoint::default();
        let mut firsts = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let hosts = Hosts::of(&main);
            let [_, rest @ ..] = &hosts.in_order()[..] else { panic!() };
            firsts.insert(rest[0].to_owned());
            let different: std::collections::BTreeSet<_> = rest.iter().collect();
            assert_eq!(different.len(), 3);
        }
        assert_eq!(firsts.len(), 5);
    }

    #[test]
    fn an_address_to_connect_to_needs_its_port() {
        for value in
            ["127.0.0.1:1", "[::1]:8443", "bastion.example:443", "localhost:8443", "sidecar:80"]
        {
            assert_eq!(connect_to(value).unwrap().to_string(), value);
        }
        for (value, reason) in [
            ("", "empty"),
            ("127.0.0.1", "no port"),
            ("::1", "no port"),
            ("[::1]", "no port"),
            ("::1:8443:", "port"),
            ("bastion:0", "between"),
            (":8443", "not a host"),
            ("localhost:", "port"),
            ("localhost:65536", "between"),
            ("a b:1", "white space"),
            ("tcp://h:1", "URL"),
            ("u@h:1", "more in it"),
        ] {
            let problem = connect_to(value).expect_err(value);
            assert!(problem.message.contains(reason), "{value}: {}", problem.message);
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_makes_a_url_and_reads_back_the_same(value in "\\PC{0,30}|[a-z0-9.:\\[\\]-]{0,30}") {
            if let Ok(endpoint) = Endpoint::parse(&value) {
                let uri: ureq::http::Uri = format!("https://{}/x", endpoint.primary).parse().unwrap();
                prop_assert_eq!(uri.path(), "/x");
                prop_assert_eq!(uri.authority().unwrap().as_str(), &endpoint.primary);
                prop_assert_eq!(&Endpoint::parse(&endpoint.to_string()).unwrap(), &endpoint);
            }
            let _ = connect_to(&value);
        }
    }
}
