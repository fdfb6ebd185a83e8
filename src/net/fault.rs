//! What went wrong on the way, in words. ureq's errors name neither host nor phase; this is the
//! one place that translates them, by variant and `ErrorKind`.

use std::io;

use rustls::{CertificateError, Error as TlsError};
use ureq::{Error, Timeout};

use crate::error::Problem;
use crate::file::reason;
use crate::net::dial::DialError;

/// An exchange that brought no answer.
#[derive(Debug)]
pub struct Fault {
    /// What happened and what to do.
    pub problem: Problem,
    /// Whether a byte of the request may have left: then what became of it is unknown.
    pub sent: bool,
    /// Whether trying again, on this host or the next, may help.
    pub retry: Retry,
}

/// What can be hoped of another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Another host may do better; this one will not just now.
    OtherHost,
    /// This host may do better too.
    SameHost,
    /// Nothing: a certificate, a proxy that refuses, a caught signal.
    Never,
}

/// Who was being talked to when it failed.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Ably's host, with its port where that is not 443.
    pub host: &'a str,
    /// The proxy on the way, without its credentials.
    pub proxy: Option<&'a str>,
    /// The address of `--connect-to`.
    pub connect_to: Option<&'a str>,
}

impl Peer<'_> {
    /// Whom a TCP connection goes to.
    fn next_hop(&self) -> String {
        match (self.connect_to, self.proxy) {
            (Some(address), _) => format!("{address}, in place of {},", self.host),
            (None, Some(proxy)) => format!("the proxy {proxy}"),
            (None, None) => self.host.to_owned(),
        }
    }
}

/// Translates an error of ureq or of `dial.rs`. `sent` tells whether a byte of the request may
/// have left by then.
pub fn translate(error: Error, peer: Peer<'_>, sent: bool) -> Fault {
    let hop = peer.next_hop();
    let host = peer.host;
    let (message, remedy, retry) = match error {
        Error::Other(inner) => match inner.downcast_ref::<DialError>() {
            Some(dial) => dialling(dial, &peer),
            None => (
                format!("no connection to {hop}: {inner}"),
                "",
                Retry::OtherHost,
            ),
        },
        Error::Io(inner) => return io_fault(&inner, peer, sent),
        Error::Rustls(inner) => tls(&inner, host),
        Error::Timeout(timeout) => timed_out(timeout, &peer, sent),
        Error::ConnectProxyFailed(reason) => (
            format!("{hop} did not connect to {host}: {reason}"),
            "check the proxy's address, credentials and rules, or exempt the host with NO_PROXY",
            Retry::Never,
        ),
        Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => (
            format!("the answer of {host} is not HTTP"),
            "check --endpoint and any proxy on the way",
            Retry::Never,
        ),
        Error::Tls(reason) => (
            format!("no TLS connection to {host}: {reason}"),
            "check --endpoint",
            Retry::Never,
        ),
        other => (
            format!("the exchange with {host} failed: {other}"),
            "",
            Retry::SameHost,
        ),
    };
    Fault {
        problem: Problem::new(message, remedy),
        sent,
        retry,
    }
}

fn dialling(error: &DialError, peer: &Peer<'_>) -> (String, &'static str, Retry) {
    let role = if peer.proxy.is_some() {
        "the proxy's host name"
    } else {
        "the host name"
    };
    match error {
        DialError::Unresolvable { host, reason } => (
            format!("{role} {host} cannot be resolved: {reason}"),
            "check the name and the DNS of this machine; --connect-to ADDR:PORT does without DNS",
            Retry::OtherHost,
        ),
        DialError::ResolveTimedOut { host } => (
            format!("{role} {host} was not resolved in time"),
            "check the DNS of this machine; --connect-to ADDR:PORT does without it",
            Retry::OtherHost,
        ),
        DialError::Stopped => ("stopped by a signal".to_owned(), "", Retry::Never),
    }
}

fn io_fault(error: &io::Error, peer: Peer<'_>, sent: bool) -> Fault {
    use io::ErrorKind as Kind;
    let (hop, host) = (peer.next_hop(), peer.host);
    let (message, remedy, retry) = if let Some(inner) = tls_error(error) {
        tls(inner, host)
    } else {
        match error.kind() {
            Kind::ConnectionRefused => (
                format!("{hop} refused the connection"),
                "check the host, its port and any firewall on the way",
                Retry::OtherHost,
            ),
            Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::AddrNotAvailable => (
                format!("{hop} is unreachable: {}", reason(error)),
                "check this machine's network; behind a proxy set HTTPS_PROXY",
                Retry::OtherHost,
            ),
            Kind::UnexpectedEof
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::NotConnected => broken(error.kind(), host, sent),
            _ => (
                format!("the connection to {hop} failed: {}", reason(error)),
                "",
                Retry::SameHost,
            ),
        }
    };
    Fault {
        problem: Problem::new(message, remedy),
        sent,
        retry,
    }
}

fn broken(kind: io::ErrorKind, host: &str, sent: bool) -> (String, &'static str, Retry) {
    let how = if kind == io::ErrorKind::UnexpectedEof {
        "closed"
    } else {
        "reset"
    };
    if sent {
        (
            format!("{host} {how} the connection before its answer was complete"),
            "",
            Retry::SameHost,
        )
    } else {
        (
            format!("{host} {how} the connection during the TLS handshake"),
            "check --endpoint and any firewall or proxy on the way",
            Retry::SameHost,
        )
    }
}

fn timed_out(timeout: Timeout, peer: &Peer<'_>, sent: bool) -> (String, &'static str, Retry) {
    let connecting = matches!(timeout, Timeout::Resolve | Timeout::Connect) || !sent;
    if connecting {
        return (
            format!("no connection to {} in time", peer.next_hop()),
            "check the network and any firewall on the way; behind a proxy set HTTPS_PROXY",
            Retry::SameHost,
        );
    }
    let what = match timeout {
        Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => "take the request",
        Timeout::RecvBody => "complete its answer",
        _ => "answer",
    };
    (
        format!("{} did not {what} in time", peer.host),
        "",
        Retry::SameHost,
    )
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>())
}

fn tls(error: &TlsError, host: &str) -> (String, &'static str, Retry) {
    use CertificateError as Bad;
    let certificate = |what: &str| format!("the certificate of {host} {what}");
    let (message, remedy) = match error {
        TlsError::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => (
            certificate("has expired"),
            "check this machine's clock, then the host's certificate",
        ),
        TlsError::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => (
            certificate("is not valid yet"),
            "check this machine's clock",
        ),
        TlsError::InvalidCertificate(Bad::UnknownIssuer) => (
            certificate("comes from an unknown issuer"),
            "if a proxy or a private CA issued it, name that CA's certificate with --ca-file",
        ),
        TlsError::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            (
                certificate("is for another name"),
                "check --endpoint and --connect-to: something else may answer at this address",
            )
        }
        TlsError::InvalidCertificate(_) => (certificate("is not acceptable"), ""),
        TlsError::InvalidMessage(_) => (
            format!("{host} does not speak TLS on this port"),
            "check the port in --endpoint",
        ),
        TlsError::AlertReceived(alert) => (
            format!("{host} refused the TLS connection: {alert:?}"),
            "check --endpoint",
        ),
        other => (
            format!("no TLS connection to {host}: {other}"),
            "check --endpoint",
        ),
    };
    (message, remedy, Retry::Never)
}
