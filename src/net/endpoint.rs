//! Which hosts a run talks to: an endpoint as Ably's specification has it (REC1, REC2), and the
//! address of `--connect-to`. What is typed here may be a mistake of any kind, even a key in the
//! wrong place, so no message repeats it.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::Problem;
use crate::net::retry_after::random;
use crate::text::is_hostile;

/// The port of HTTPS, which a host need not name.
const HTTPS: u16 = 443;
/// What a host that has the wrong form is called in messages, after "the endpoint" and the like.
const NOT_A_HOST: &str = "is not a host name";
/// How many fallback hosts one request may go to (RSC15a, TO3l5).
const FALLBACKS: usize = 3;

const ENDPOINT_REMEDY: &str = "give a host such as main.realtime.ably.net, with :PORT if that is \
                               not 443, or a routing policy such as acme or nonprod:sandbox";
const CONNECT_TO_REMEDY: &str =
    "give ADDR:PORT, such as 127.0.0.1:8443, [::1]:8443 or bastion.example.com:8443";

/// A host: an address, or a name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Display for Host {
    /// As a URL has it: an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A host with an optional port, as typed by a human.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port`, `1.2.3.4:port`, `::1`, `[::1]` or `[::1]:port`.
    ///
    /// # Errors
    /// What is wrong, as the rest of a sentence: `has a path`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(flaw) = flaw(text) {
            return Err(flaw);
        }
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Ok(Self {
                host: Host::Ip(ip.into()),
                port: None,
            });
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (ip, rest) = rest
                .split_once(']')
                .ok_or("lacks the ] of an IPv6 address")?;
            let ip: Ipv6Addr = ip.parse().map_err(|_| "is not an IPv6 address")?;
            let port = match rest.strip_prefix(':') {
                Some(digits) => Some(port(digits)?),
                None if rest.is_empty() => None,
                None => return Err("has something after its ] that is no port"),
            };
            return Ok(Self {
                host: Host::Ip(ip.into()),
                port,
            });
        }
        match text.split_once(':') {
            None => Ok(Self {
                host: host(text)?,
                port: None,
            }),
            Some((_, rest)) if rest.contains(':') => {
                Err("has several colons but is not an IPv6 address, or lacks the [] around one")
            }
            Some((name, digits)) => {
                let host = host(name)?;
                Ok(Self {
                    host,
                    port: Some(port(digits)?),
                })
            }
        }
    }
}

/// What no host has in it, checked first so that a pasted URL is told from a misspelt name.
fn flaw(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.contains(|c: char| c.is_whitespace() || is_hostile(c)) {
        Some("has white space or control characters in it")
    } else if text.contains("://") {
        Some("is a URL")
    } else if text.contains('@') {
        Some("has a user name in it")
    } else if text.contains(['/', '\\']) {
        Some("has a path")
    } else if text.contains(['?', '#']) {
        Some("has a query")
    } else {
        None
    }
}

fn port(digits: &str) -> Result<u16, &'static str> {
    if digits.is_empty() {
        return Err("has no port after its colon");
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("has a port that is not a number");
    }
    match digits.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err("has a port that is not between 1 and 65535"),
    }
}

/// A name as DNS and certificates have it; underscores too, which container networks use.
fn host(text: &str) -> Result<Host, &'static str> {
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Ip(ip.into()));
    }
    if !text.is_ascii() {
        return Err("has letters outside ASCII: write the name in its xn-- form");
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() || name.len() > 253 || !name.split('.').all(label) {
        return Err(NOT_A_HOST);
    }
    // Resolvers read such names as addresses in forms of old: 127.1, 1.2.3.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("is not an IPv4 address");
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

fn label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The hosts of Ably's service, as `--endpoint`, `ABLY_ENDPOINT` or the configuration name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    shown: String,
    primary: String,
    fallbacks: Vec<String>,
}

impl Default for Endpoint {
    /// The routing policy `main` (REC1a).
    fn default() -> Self {
        Self::policy(
            "main".to_owned(),
            "main",
            "realtime.ably.net",
            "ably-realtime.com",
        )
    }
}

impl Display for Endpoint {
    /// In its canonical form, which `parse` takes back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Endpoint {
    /// Reads a host with an optional port, or a routing policy (REC1b).
    ///
    /// # Errors
    /// It is neither. The message says why and does not repeat the value.
    pub fn parse(value: &str) -> Result<Self, Problem> {
        Self::read(value).map_err(|flaw| problem("the endpoint", flaw, ENDPOINT_REMEDY))
    }

    fn read(value: &str) -> Result<Self, &'static str> {
        if let Some(flaw) = flaw(value) {
            return Err(flaw);
        }
        let value = value.to_ascii_lowercase();
        if let Some(id) = value.strip_prefix("nonprod:") {
            policy_id(id)?;
            let (domain, fallback) = ("realtime.ably-nonprod.net", "ably-realtime-nonprod.com");
            return Ok(Self::policy(value.clone(), id, domain, fallback));
        }
        if is_host(&value) {
            let Authority { host, port } = Authority::parse(&value)?;
            let primary = match port {
                None | Some(HTTPS) => host.to_string(),
                Some(port) => format!("{host}:{port}"),
            };
            return Ok(Self {
                shown: primary.clone(),
                primary,
                fallbacks: Vec::new(),
            });
        }
        policy_id(&value)?;
        Ok(Self::policy(
            value.clone(),
            &value,
            "realtime.ably.net",
            "ably-realtime.com",
        ))
    }

    fn policy(shown: String, id: &str, domain: &str, fallback: &str) -> Self {
        let fallbacks = ["a", "b", "c", "d", "e"];
        Self {
            shown,
            primary: format!("{id}.{domain}"),
            fallbacks: fallbacks
                .map(|letter| format!("{id}.{letter}.fallback.{fallback}"))
                .into(),
        }
    }

    /// The host that is asked first: `host` or `host:port` as a URL has it.
    pub fn primary(&self) -> &str {
        &self.primary
    }

    /// All five fallback hosts of a routing policy (REC2c), none of an explicit host.
    pub fn fallbacks(&self) -> &[String] {
        &self.fallbacks
    }

    /// Up to three of the fallback hosts in random order (RSC15a).
    pub fn random_fallbacks(&self) -> Vec<String> {
        self.shuffled_fallbacks(random())
    }

    fn shuffled_fallbacks(&self, mut seed: u64) -> Vec<String> {
        let mut left = self.fallbacks.clone();
        let mut picked = Vec::new();
        while !left.is_empty() && picked.len() < FALLBACKS {
            let count = left.len() as u64;
            picked.push(left.swap_remove((seed % count) as usize));
            seed /= count;
        }
        picked
    }

    /// Whether this is what is used where nothing else is asked for.
    pub fn is_default(&self) -> bool {
        self.shown == "main"
    }
}

/// Whether a value names a host rather than a policy (REC1b2); the expanded form of an IPv6
/// address too, and localhost with a port, which the specification does not think of.
fn is_host(value: &str) -> bool {
    let name = value.split_once(':').map_or(value, |(name, _)| name);
    value.contains('.')
        || value.contains("::")
        || value.starts_with('[')
        || name == "localhost"
        || value.parse::<Ipv6Addr>().is_ok()
}

/// A routing policy becomes a label of a host name.
fn policy_id(id: &str) -> Result<(), &'static str> {
    if id.is_empty() {
        Err("names no routing policy after nonprod:")
    } else if id.contains(':') {
        Err("has a colon in it but is neither a host with a dot nor nonprod: and a routing policy")
    } else if !label(id) {
        Err("is neither a host nor a routing policy, which has letters, digits and hyphens alone")
    } else {
        Ok(())
    }
}

/// Where TCP connections go instead of to the host, `--connect-to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl ConnectTo {
    /// Reads `1.2.3.4:port`, `[::1]:port` or `name:port`.
    ///
    /// # Errors
    /// It is none of these. The message says why and does not repeat the value.
    pub fn parse(value: &str) -> Result<Self, Problem> {
        let problem = |flaw| problem("the address to connect to", flaw, CONNECT_TO_REMEDY);
        let Authority { host, port } = Authority::parse(value).map_err(problem)?;
        let port = port.ok_or_else(|| problem("has no port"))?;
        Ok(Self { host, port })
    }
}

impl Display for ConnectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn problem(what: &str, flaw: &str, remedy: &str) -> Problem {
    let remedy = match flaw {
        "is a URL" => "give the host alone, without https:// before it or a path after it",
        _ => remedy,
    };
    Problem::new(format!("{what} {flaw}"), remedy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn primary(value: &str) -> String {
        Endpoint::parse(value).unwrap().primary().to_owned()
    }

    fn refusal(value: &str) -> String {
        Endpoint::parse(value).expect_err(value).message
    }

    #[test]
    fn the_default_is_the_policy_main() {
        let default = Endpoint::default();
        assert_eq!(default.primary(), "main.realtime.ably.net");
        assert_eq!(default.fallbacks()[0], "main.a.fallback.ably-realtime.com");
        assert_eq!(default.fallbacks()[4], "main.e.fallback.ably-realtime.com");
        assert!(default.is_default() && Endpoint::parse("main").unwrap() == default);
        assert!(
            !Endpoint::parse("main.realtime.ably.net")
                .unwrap()
                .is_default()
        );
    }

    #[test]
    fn a_policy_has_five_fallbacks() {
        let acme = Endpoint::parse("acme").unwrap();
        assert_eq!(acme.primary(), "acme.realtime.ably.net");
        assert_eq!(acme.fallbacks().len(), 5);
        let sandbox = Endpoint::parse("nonprod:sandbox").unwrap();
        assert_eq!(sandbox.primary(), "sandbox.realtime.ably-nonprod.net");
        assert_eq!(
            sandbox.fallbacks()[1],
            "sandbox.b.fallback.ably-realtime-nonprod.com"
        );
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
            assert!(Endpoint::parse(value).unwrap().fallbacks().is_empty());
            assert!(
                Endpoint::parse(value)
                    .unwrap()
                    .random_fallbacks()
                    .is_empty()
            );
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
            ("user:pw@host.example", "user name"),
            ("host.example/path", "path"),
            ("acme?x=1", "query"),
            ("host.example:0", "between 1 and 65535"),
            ("host.example:65536", "between 1 and 65535"),
            ("host.example:", "no port"),
            ("host.example:+1", "not a number"),
            ("xVLyHw.A-pwh:5WEB4HEAT3pOqWp9", "not a number"),
            ("localhost:x", "not a number"),
            ("[::1", "lacks the ]"),
            ("[::1]8443", "after its ]"),
            ("[::g]", "IPv6"),
            ("[fe80::1%eth0]", "IPv6"),
            ("::1:8443:x", "colons"),
            ("a.b:1:2", "colons"),
            ("-a.example", "not a host"),
            ("a..example", "not a host"),
            (".", "not a host"),
            ("a%2f.example", "not a host"),
            ("münchen.example", "xn--"),
            ("1.2.3", "IPv4"),
            ("1.2.3.4.5", "IPv4"),
            ("256.1.1.1", "IPv4"),
            ("acme:8443", "colon"),
            ("ac!me", "routing policy"),
            ("-acme", "routing policy"),
            ("nonprod:", "no routing policy"),
            ("nonprod:a:b", "colon"),
            ("nonprod:a.b", "routing policy"),
        ] {
            let message = refusal(value);
            assert!(message.contains(reason), "{value:?}: {message}");
            assert!(
                !message.contains("pw") && !message.contains("5WEB4"),
                "{message}"
            );
        }
        assert!(
            Endpoint::parse("https://h.example")
                .unwrap_err()
                .remedy
                .contains("host alone")
        );
    }

    #[test]
    fn three_different_fallbacks_come_in_random_order() {
        let main = Endpoint::default();
        let mut firsts = std::collections::BTreeSet::new();
        for seed in 0..60 {
            let mut picked = main.shuffled_fallbacks(seed);
            firsts.insert(picked[0].clone());
            picked.sort();
            picked.dedup();
            assert_eq!(picked.len(), 3);
        }
        assert_eq!(firsts.len(), 5);
        assert_eq!(main.random_fallbacks().len(), 3);
    }

    #[test]
    fn an_address_to_connect_to_needs_its_port() {
        for value in [
            "127.0.0.1:1",
            "[::1]:8443",
            "bastion.example:443",
            "localhost:8443",
            "sidecar:80",
        ] {
            assert_eq!(ConnectTo::parse(value).unwrap().to_string(), value);
        }
        for (value, reason) in [
            ("", "empty"),
            ("127.0.0.1", "no port"),
            ("::1", "no port"),
            ("[::1]", "no port"),
            ("::1:8443:", "colons"),
            ("bastion:0", "between"),
            (":8443", "not a host"),
            ("tcp://h:1", "URL"),
            ("u@h:1", "user name"),
        ] {
            let problem = ConnectTo::parse(value).expect_err(value);
            assert!(
                problem.message.contains(reason),
                "{value}: {}",
                problem.message
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_makes_a_url_and_reads_back_the_same(value in "\\PC{0,30}|[a-z0-9.:\\[\\]-]{0,30}") {
            if let Ok(endpoint) = Endpoint::parse(&value) {
                let uri: ureq::http::Uri = format!("https://{}/x", endpoint.primary()).parse().unwrap();
                prop_assert_eq!(uri.path(), "/x");
                prop_assert_eq!(uri.authority().unwrap().as_str(), endpoint.primary());
                prop_assert_eq!(&Endpoint::parse(&endpoint.to_string()).unwrap(), &endpoint);
            }
            let _ = ConnectTo::parse(&value);
        }
    }
}
