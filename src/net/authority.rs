//! A host with an optional port, as people type it: for endpoints, proxies, exemptions and
//! `--connect-to`. No error repeats what was typed.

use std::fmt::{self, Display};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::text::is_hostile;

pub(crate) const HTTPS: u16 = 443;
const NOT_IPV6: &str = "is not an IPv6 address, or lacks the [] around one that has a port";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// An address, without brackets, or a name in lower case.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Display for Authority {
    /// As a URL has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Authority {
    /// Reads `host`, `host:port`, `1.2.3.4:port`, `::1`, `[::1]` or `[::1]:port`. The error is what is
    /// wrong, as the rest of a sentence: `is a URL`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(flaw) = flaw(text) {
            return Err(flaw);
        }
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Ok(Self { host: ip.to_string(), port: None });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, digits)) if !text.ends_with(']') => (name, Some(port(digits)?)),
            _ => (text, None),
        };
        let host = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(ip) => ip.parse::<Ipv6Addr>().map_err(|_| NOT_IPV6)?.to_string(),
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
        (text.contains(['@', '/', '\\', '?', '#']), "has more in it than a host and a port"),
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
fn host(text: &str) -> Result<String, &'static str> {
    if !text.is_ascii() {
        return Err("has letters outside ASCII: write the name in its xn-- form");
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() || name.len() > 253 || !name.split('.').all(label) {
        return Err("is not a host name");
    }
    // Resolvers take such names for old forms of addresses: 127.1, 1.2.3.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_err() {
        return Err("is not an IPv4 address");
    }
    Ok(text.to_ascii_lowercase())
}

pub(crate) fn label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}
