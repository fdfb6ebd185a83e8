//! A host with an optional port, as people type it: for endpoints, proxies, exemptions and
//! `--connect-to`. No error repeats what was typed.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::text::is_hostile;

pub(crate) const HTTPS: u16 = 443;
const NOT_IPV6: &str = "is not an IPv6 address, or lacks the [] around one that has a port";

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

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port`, `1.2.3.4:port`, `::1`, `[::1]` or `[::1]:port`. The error is what is
    /// wrong, as the rest of a sentence: `has a path`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(flaw) = flaw(text) {
            return Err(flaw);
        }
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Ok(Self { host: Host::Ip(ip.into()), port: None });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, digits)) if !text.ends_with(']') => (name, Some(port(digits)?)),
            _ => (text, None),
        };
        let host = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(ip) => {
                ip.parse::<Ipv6Addr>().map(|ip| Host::Ip(ip.into())).map_err(|_| NOT_IPV6)?
            }
            None if name.contains([':', '[', ']']) => return Err(NOT_IPV6),
            None => host(name)?,
        };
        Ok(Self { host, port })
    }
}

/// What no host contains. It is checked first, so that a pasted URL is not called a bad name.
pub(crate) fn flaw(text: &str) -> Option<&'static str> {
    let is_odd = |c: char| c.is_whitespace() || is_hostile(c);
    let flaws = [
        (text.is_empty(), "is empty"),
        (text.contains(is_odd), "has white space or control characters in it"),
        (text.contains("://"), "is a URL"),
        (text.contains('@'), "has a user name in it"),
        (text.contains(['/', '\\']), "has a path"),
        (text.contains(['?', '#']), "has a query"),
    ];
    flaws.into_iter().find(|(is_there, _)| *is_there).map(|(_, what)| what)
}

fn port(digits: &str) -> Result<u16, &'static str> {
    match digits.parse() {
        Ok(port) if port > 0 && !digits.starts_with('+') => Ok(port),
        _ => Err("has a port that is not a number between 1 and 65535"),
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
        return Err("is not a host name");
    }
    // Resolvers take such names for old forms of addresses: 127.1, 1.2.3.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("is not an IPv4 address");
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

pub(crate) fn label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}
