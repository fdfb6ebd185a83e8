//! What went wrong on the way, in words. ureq's errors name neither host nor phase; this is the
//! one place that translates them, by variant and `ErrorKind`.

use std::io;

use rustls::Error as TlsError;
use ureq::{Error, Timeout};

use crate::error::Problem;
use crate::file::reason;
use crate::net::connect_error::{DialError, Retry, in_io, is_broken};
use crate::net::endpoint::Endpoint;
use crate::net::peer::{Peer, Way};
use crate::net::tls_error;

/// Remedies that fit several failures.
const ENDPOINT: &str = "check the host and port in --endpoint and --connect-to: something else may \
                        answer there";
const PROXY_SCHEME: &str = "check the proxy's host and port, and whether it is http:// or https://";
const FIREWALL: &str = "where a firewall lets only Ably's older hosts through, give --endpoint \
                        rest.ably.io";
const PROXY_RULES: &str = "check the proxy's address and rules, or exempt the host with NO_PROXY";

/// A proxy that wants other credentials. tinyproxy says 401 where it means 407.
const WANTS_CREDENTIALS: [u16; 2] = [401, 407];

/// An exchange that brought no answer.
#[derive(Debug)]
pub struct Failure {
    /// What happened and what to do.
    pub problem: Problem,
    /// Whether a byte of the request may have left: then what became of it is unknown.
    pub sent: bool,
    /// Whether trying again, on this host or the next, may help.
    pub retry: Retry,
}

/// Translates an error of ureq or of `connect.rs`. `sent` tells whether a byte of the request may
/// have left by then.
pub fn translate(error: Error, peer: Peer<'_>, sent: bool) -> Failure {
    let filtered = !sent && may_be_filtered(&error, &peer);
    let mut failure = Failure { sent, ..told(error, &peer, sent) };
    if filtered {
        let separator = if failure.problem.remedy.is_empty() { "" } else { "; " };
        failure.problem.remedy.push_str(separator);
        failure.problem.remedy.push_str(FIREWALL);
    }
    failure
}

fn told(error: Error, peer: &Peer<'_>, sent: bool) -> Failure {
    let (hop, far) = (peer.next_hop(), peer.far_end());
    match error {
        Error::Other(inner) => match inner.downcast_ref::<DialError>() {
            Some(dial) => dialling(dial, peer),
            None => failure(format!("no connection to {hop}: {inner}"), "", Retry::OtherHost),
        },
        Error::Io(inner) => io_failure(&inner, peer, sent),
        Error::Rustls(inner) => tls(&inner, &far, ENDPOINT),
        Error::Timeout(timeout) => timed_out(timeout, peer, sent),
        Error::ConnectProxyFailed(reason) => {
            let message = format!("{hop} did not connect to {}: {reason}", peer.host);
            failure(message, PROXY_RULES, Retry::Never)
        }
        Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => failure(
            format!("the answer of {far} is not HTTP"),
            "check --endpoint and any proxy on the way",
            Retry::Never,
        ),
        Error::Tls(reason) => {
            failure(format!("no TLS connection to {far}: {reason}"), ENDPOINT, Retry::Never)
        }
        other => failure(format!("the exchange with {far} failed: {other}"), "", Retry::SameHost),
    }
}

/// A failure of a request that did not leave.
fn failure(message: String, remedy: impl Into<String>, retry: Retry) -> Failure {
    Failure { problem: Problem::new(message, remedy), sent: false, retry }
}

fn tls(error: &TlsError, host: &str, check: &str) -> Failure {
    let (message, remedy, retry) = tls_error::words(error, host, check);
    failure(message, remedy, retry)
}

/// Whether something between here and the default host may let only Ably's older hosts through.
/// A proxy that is itself the trouble is no such case.
fn may_be_filtered(error: &Error, peer: &Peer<'_>) -> bool {
    if peer.host != Endpoint::default().primary() {
        return false;
    }
    let dial = match error {
        Error::Other(inner) => inner.downcast_ref::<DialError>(),
        _ => None,
    };
    match (peer.way(), error) {
        (Way::Instead(_), _) => false,
        (_, Error::Timeout(_)) => true,
        (Way::Direct, Error::Io(inner)) => {
            !matches!(in_io(inner), Some(TlsError::InvalidCertificate(_)))
        }
        (Way::Direct, _) => {
            matches!(dial, Some(DialError::Unresolvable { .. } | DialError::ResolveTimedOut { .. }))
        }
        (Way::Proxy(_), Error::Io(inner)) => is_broken(inner.kind()),
        (Way::Proxy(_), _) => match dial {
            Some(DialError::ProxyRefused { status }) => !WANTS_CREDENTIALS.contains(status),
            Some(DialError::ProxyHungUp | DialError::SocksRefused { .. }) => true,
            // The host's name, that is, not the proxy's.
            Some(DialError::Unresolvable { host, .. } | DialError::ResolveTimedOut { host }) => {
                is_of(host, peer)
            }
            _ => false,
        },
    }
}

/// Whether this is the name of the host, not that of what is on the way to it.
fn is_of(host: &str, peer: &Peer<'_>) -> bool {
    peer.host.strip_prefix(host).is_some_and(|port| port.is_empty() || port.starts_with(':'))
}

fn dialling(error: &DialError, peer: &Peer<'_>) -> Failure {
    let name = |host: &str| match peer.way() {
        Way::Direct => format!("the host name {host}"),
        // A SOCKS proxy may be given an address alone.
        Way::Proxy(_) if is_of(host, peer) => format!("the host name {host}"),
        Way::Proxy(_) => format!("the proxy's host name {host}"),
        Way::Instead(_) => format!("the host name {host} in --connect-to"),
    };
    let remedy = match peer.way() {
        Way::Proxy(proxy) if proxy.starts_with("socks5://") => {
            "check the name and the DNS of this machine; with socks5h:// the proxy resolves names"
        }
        Way::Direct => {
            "check the name and the DNS of this machine; --connect-to ADDR:PORT does without DNS"
        }
        Way::Proxy(_) => {
            "check the name and the DNS of this machine, or give the proxy's address in numbers"
        }
        Way::Instead(_) => {
            "check the name and the DNS of this machine, or give the address in numbers"
        }
    };
    match error {
        DialError::Unresolvable { host, reason } => failure(
            format!("{} cannot be resolved: {reason}", name(host)),
            remedy,
            Retry::OtherHost,
        ),
        DialError::ResolveTimedOut { host } => {
            failure(format!("{} was not resolved in time", name(host)), remedy, Retry::OtherHost)
        }
        DialError::ProxyRefused { status } => refused_by_proxy(*status, peer),
        DialError::SocksRefused { code } => refused_by_socks(*code, peer),
        DialError::SocksLogin => wants_credentials(peer),
        DialError::ProxyHungUp => failure(
            format!(
                "{} closed the connection before it had connected to {}",
                peer.next_hop(),
                peer.host
            ),
            PROXY_RULES,
            Retry::SameHost,
        ),
        DialError::ProxyTls(inner) => tls(inner, &peer.next_hop(), PROXY_SCHEME),
        DialError::Stopped => failure("stopped by a signal".to_owned(), "", Retry::Never),
    }
}

fn refused_by_proxy(status: u16, peer: &Peer<'_>) -> Failure {
    let (proxy, host) = (peer.next_hop(), peer.host);
    match status {
        status if WANTS_CREDENTIALS.contains(&status) => wants_credentials(peer),
        // What it could not do for this host it may do for another.
        500..=599 => failure(
            format!("{proxy} could not connect to {host}: status {status}"),
            PROXY_RULES,
            Retry::OtherHost,
        ),
        _ => failure(
            format!("{proxy} refused to connect to {host}: status {status}"),
            PROXY_RULES,
            Retry::Never,
        ),
    }
}

fn wants_credentials(peer: &Peer<'_>) -> Failure {
    let (proxy, host) = (peer.next_hop(), peer.host);
    failure(
        format!(
            "{proxy} did not connect to {host}: it does not accept these credentials, or wants some"
        ),
        "check USER:PASSWORD@ before the proxy's host, special characters percent-encoded",
        Retry::Never,
    )
}

/// The codes of RFC 1928, 6.
fn refused_by_socks(code: u8, peer: &Peer<'_>) -> Failure {
    let (proxy, host) = (peer.next_hop(), peer.host);
    let why = match code {
        1 => "general failure",
        2 => "its rules do not allow it",
        3 => "the network is unreachable from there",
        4 => "the host is unreachable from there, or not known",
        5 => "the host refused the connection",
        6 => "the host did not answer in time",
        7 => "it makes no TCP connections",
        8 => "it takes no such address",
        _ => "for a reason that SOCKS does not define",
    };
    let retry = if matches!(code, 2 | 7) { Retry::Never } else { Retry::OtherHost };
    failure(format!("{proxy} did not connect to {host}: {why} (code {code})"), PROXY_RULES, retry)
}

fn io_failure(error: &io::Error, peer: &Peer<'_>, sent: bool) -> Failure {
    use io::ErrorKind as Kind;
    let (hop, far) = (peer.next_hop(), peer.far_end());
    if let Some(inner) = in_io(error) {
        return tls(inner, &far, ENDPOINT);
    }
    match error.kind() {
        Kind::ConnectionRefused => failure(
            format!("{hop} refused the connection"),
            match peer.way() {
                Way::Direct => "check the host, its port and any firewall on the way",
                Way::Proxy(_) => "check the proxy's address and that the proxy is running",
                Way::Instead(_) => "check that something listens at the --connect-to address",
            },
            Retry::OtherHost,
        ),
        Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::AddrNotAvailable => failure(
            format!("{hop} is unreachable: {}", reason(error)),
            match peer.way() {
                Way::Direct => "check this machine's network; behind a proxy set HTTPS_PROXY",
                _ => "check the address and this machine's network",
            },
            Retry::OtherHost,
        ),
        kind if is_broken(kind) => broken(kind, &far, sent),
        _ => failure(
            format!("the connection to {} failed: {}", if sent { far } else { hop }, reason(error)),
            "",
            Retry::SameHost,
        ),
    }
}

fn broken(kind: io::ErrorKind, host: &str, sent: bool) -> Failure {
    let how = if kind == io::ErrorKind::UnexpectedEof { "closed" } else { "reset" };
    if sent {
        let message = format!("{host} {how} the connection before its answer was complete");
        return failure(message, "", Retry::SameHost);
    }
    failure(
        format!("{host} {how} the connection during the TLS handshake"),
        "check --endpoint and any firewall or proxy on the way",
        Retry::SameHost,
    )
}

fn timed_out(timeout: Timeout, peer: &Peer<'_>, sent: bool) -> Failure {
    let connecting = matches!(timeout, Timeout::Resolve | Timeout::Connect) || !sent;
    if connecting {
        return failure(
            // Perhaps the next hop is there but does not get through to the host.
            format!("no connection to {} in time", peer.far_end()),
            match peer.way() {
                Way::Direct => {
                    "check the network and any firewall on the way; behind a proxy set HTTPS_PROXY"
                }
                Way::Proxy(_) => "check the proxy, and the way to it and from it",
                Way::Instead(_) => "check the --connect-to address and what is behind it",
            },
            Retry::SameHost,
        );
    }
    let what = match timeout {
        Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => "take the request",
        Timeout::RecvBody => "complete its answer",
        _ => "answer",
    };
    failure(format!("{} did not {what} in time", peer.far_end()), "", Retry::SameHost)
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    const DIRECT: Peer<'_> = Peer { host: "ably.example", proxy: None, connect_to: None };
    const PROXY: Peer<'_> = Peer { proxy: Some("http://p:3128"), ..DIRECT };
    const INSTEAD: Peer<'_> = Peer { connect_to: Some("10.0.0.9:8443"), ..DIRECT };

    fn says(error: Error, peer: Peer<'_>, sent: bool) -> String {
        translate(error, peer, sent).problem.message
    }

    fn io(kind: io::ErrorKind) -> Error {
        Error::Io(kind.into())
    }

    /// What is said of the same failure without anything on the way, with a proxy, and with
    /// `--connect-to`.
    fn all_say(error: impl Fn() -> Error, sent: bool, expected: [&str; 3]) {
        for (peer, expected) in [DIRECT, PROXY, INSTEAD].into_iter().zip(expected) {
            assert_eq!(says(error(), peer, sent), expected);
        }
    }

    #[test]
    fn a_failure_names_the_next_hop_or_the_far_end() {
        all_say(
            || io(io::ErrorKind::ConnectionRefused),
            false,
            [
                "ably.example refused the connection",
                "the proxy http://p:3128 refused the connection",
                "10.0.0.9:8443 (in place of ably.example) refused the connection",
            ],
        );
        all_say(
            || io(io::ErrorKind::NetworkUnreachable),
            false,
            [
                "ably.example is unreachable: network unreachable",
                "the proxy http://p:3128 is unreachable: network unreachable",
                "10.0.0.9:8443 (in place of ably.example) is unreachable: network unreachable",
            ],
        );
        all_say(
            || Error::Timeout(Timeout::Connect),
            false,
            [
                "no connection to ably.example in time",
                "no connection to ably.example (through the proxy http://p:3128) in time",
                "no connection to ably.example (at 10.0.0.9:8443) in time",
            ],
        );
        all_say(
            || Error::Timeout(Timeout::RecvResponse),
            true,
            [
                "ably.example did not answer in time",
                "ably.example (through the proxy http://p:3128) did not answer in time",
                "ably.example (at 10.0.0.9:8443) did not answer in time",
            ],
        );
        all_say(
            || io(io::ErrorKind::ConnectionReset),
            false,
            [
                "ably.example reset the connection during the TLS handshake",
                "ably.example (through the proxy http://p:3128) reset the connection during the \
                 TLS handshake",
                "ably.example (at 10.0.0.9:8443) reset the connection during the TLS handshake",
            ],
        );
        all_say(
            || Error::Rustls(TlsError::InvalidCertificate(CertificateError::Expired)),
            false,
            [
                "the certificate of ably.example has expired",
                "the certificate of ably.example (through the proxy http://p:3128) has expired",
                "the certificate of ably.example (at 10.0.0.9:8443) has expired",
            ],
        );
    }

    #[test]
    fn a_name_that_is_not_resolved_has_its_role() {
        let unresolvable = || {
            Error::from(DialError::Unresolvable {
                host: "x.example".to_owned(),
                reason: "name does not resolve".to_owned(),
            })
        };
        let roles = [
            "the host name x.example",
            "the proxy's host name x.example",
            "the host name x.example in --connect-to",
        ]
        .map(|name| format!("{name} cannot be resolved: name does not resolve"));
        all_say(unresolvable, false, roles.each_ref().map(String::as_str));
    }

    #[test]
    fn an_older_host_is_hinted_at_where_the_default_one_may_be_filtered() {
        let unresolvable = || {
            Error::from(DialError::Unresolvable { host: "x".to_owned(), reason: "no".to_owned() })
        };
        let tls = |error| Error::Io(io::Error::new(io::ErrorKind::InvalidData, error));
        let alert = || tls(TlsError::AlertReceived(rustls::AlertDescription::AccessDenied));
        let expired = || tls(TlsError::InvalidCertificate(CertificateError::Expired));
        let refused = |status| Error::from(DialError::ProxyRefused { status });
        let closed = || io(io::ErrorKind::UnexpectedEof);
        // Hinted at when direct, when through a proxy.
        for (error, direct, proxied) in [
            (&unresolvable as &dyn Fn() -> Error, true, false),
            (&|| Error::Timeout(Timeout::Connect), true, true),
            (&|| io(io::ErrorKind::ConnectionRefused), true, false),
            (&closed, true, true),
            (&alert, true, false),
            (&expired, false, false),
            (&|| refused(403), false, true),
            (&|| refused(503), false, true),
            (&|| refused(407), false, false),
            (&|| DialError::ProxyHungUp.into(), false, true),
            (&|| DialError::Stopped.into(), false, false),
        ] {
            let main = |peer| Peer { host: "main.realtime.ably.net", ..peer };
            for (peer, sent, hinted) in [
                (main(DIRECT), false, direct),
                (main(PROXY), false, proxied),
                (main(INSTEAD), false, false),
                (main(DIRECT), true, false),
                (DIRECT, false, false),
            ] {
                let failure = translate(error(), peer, sent);
                assert_eq!(failure.problem.remedy.contains(FIREWALL), hinted, "{failure:?}");
            }
        }
    }

    #[test]
    fn what_a_proxy_refuses_may_be_granted_for_another_host_only_where_it_failed_itself() {
        for (status, retry, message) in [
            (
                407,
                Retry::Never,
                "did not connect to ably.example: it does not accept these credentials, or wants some",
            ),
            (
                401,
                Retry::Never,
                "did not connect to ably.example: it does not accept these credentials, or wants some",
            ),
            (403, Retry::Never, "refused to connect to ably.example: status 403"),
            (302, Retry::Never, "refused to connect to ably.example: status 302"),
            (502, Retry::OtherHost, "could not connect to ably.example: status 502"),
            (504, Retry::OtherHost, "could not connect to ably.example: status 504"),
        ] {
            let failure = translate(DialError::ProxyRefused { status }.into(), PROXY, false);
            assert_eq!(failure.retry, retry);
            assert_eq!(failure.problem.message, format!("the proxy http://p:3128 {message}"));
        }
    }

    #[test]
    fn what_the_proxy_itself_does_is_not_laid_to_ably() {
        let expired = TlsError::InvalidCertificate(CertificateError::Expired);
        for (error, message) in [
            (
                DialError::ProxyHungUp.into(),
                "the proxy http://p:3128 closed the connection before it had connected to ably.example",
            ),
            (
                DialError::ProxyTls(expired).into(),
                "the certificate of the proxy http://p:3128 has expired",
            ),
            (
                Error::ConnectProxyFailed("its answer is not HTTP".to_owned()),
                "the proxy http://p:3128 did not connect to ably.example: its answer is not HTTP",
            ),
        ] {
            assert_eq!(says(error, PROXY, false), message);
        }
    }
}
