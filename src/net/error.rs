//! Why an exchange got no answer: one error for the whole way, with its words, its remedy and whether
//! to retry. ureq's own errors name neither host nor phase, and a connection to a proxy breaks with
//! the same error as one to Ably; so the links of the chain that know more return a `NetError`, which
//! passes through ureq as `Error::Other`.

use std::fmt;
use std::io::{self, ErrorKind};

use rustix::io::Errno;
use rustls::{AlertDescription as Alert, Error as TlsError};
use ureq::{Error, Timeout};

use crate::error::Problem;
use crate::file::reason;
use crate::net::certificate;
use crate::net::endpoint::Endpoint;

const CHECK_ENDPOINT: &str = "check the host and port in --endpoint and --connect-to: something \
                              else may answer there";
const FIREWALL: &str = "where a firewall lets only Ably's older hosts through, give --endpoint \
                        rest.ably.io";
const PROXY_RULES: &str = "check the proxy's address and rules, or exempt the host with NO_PROXY";
/// Replies of a SOCKS proxy that would be the same for every host, in ureq's words.
const SOCKS_FINAL: [&str; 2] = ["connection not allowed by ruleset", "command not supported"];
const LOGIN: &str = "it does not accept these credentials, or wants some";
const NO_TUNNEL: &str = "the proxy can be reached but opened no tunnel";
const NO_TLS: &str = "its port is open but answers nothing in TLS";
const TOO_MANY: &str = "too many open files";

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NetError {
    /// A name, and what failed: "cannot be resolved: …", "was not resolved in time".
    Name(String, String),
    NotConnectedInTime,
    Refused,
    Unreachable(String),
    NoDescriptor,
    /// It accepted the connection but opened no tunnel in time.
    ProxySilent,
    /// It closed the connection before it opened a tunnel.
    ProxyLost,
    /// The status of its answer to CONNECT.
    ProxyRefused(u16),
    /// It wants credentials, or other ones.
    ProxyLogin,
    /// "HTTP proxy" or "SOCKS 5 proxy".
    ProxyIsNo(&'static str),
    /// The reply of a SOCKS proxy, in ureq's words.
    SocksRefused(String),
    ProxyTls(TlsError),
    Tls(TlsError),
    HandshakeSilent,
    /// "closed" or "reset".
    Broken(&'static str),
    /// What the host did not do in time: "answer", "take the request".
    Late(&'static str),
    NotHttp,
    Stopped,
    Other(String),
}

/// For ureq; `Failure` has the words for people.
impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for NetError {}

impl From<NetError> for Error {
    fn from(error: NetError) -> Self {
        Self::Other(Box::new(error))
    }
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    OtherHost,
    /// The same host, too.
    SameHost,
    Never,
}

/// An exchange that brought no answer.
#[derive(Debug)]
pub struct Failure {
    pub problem: Problem,
    /// Whether a byte of the request may have left, so that its outcome is unknown.
    pub sent: bool,
    pub(crate) retry: Retry,
}

/// Who was being talked to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer<'a> {
    /// Ably's host, with its port where that is not 443.
    pub(crate) host: &'a str,
    pub(crate) way: Way<'a>,
}

/// What is between here and the host.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way<'a> {
    Direct,
    /// Without its credentials.
    Proxy(&'a str),
    /// The address of `--connect-to`.
    ConnectTo(&'a str),
}

impl Peer<'_> {
    /// The other end of the TCP connection.
    fn hop(&self) -> String {
        match self.way {
            Way::Direct => self.host.to_owned(),
            Way::Proxy(proxy) => format!("the proxy {proxy}"),
            Way::ConnectTo(address) => format!("{address} (in place of {})", self.host),
        }
    }

    /// Who speaks TLS and HTTP: Ably, or what poses as Ably on the way.
    fn far_end(&self) -> String {
        match self.way {
            Way::Direct => self.host.to_owned(),
            Way::Proxy(proxy) => format!("{} (through the proxy {proxy})", self.host),
            Way::ConnectTo(address) => format!("{} (at {address})", self.host),
        }
    }

    /// Whether a name is the host's, not the proxy's: for socks5:// the host is resolved here, too.
    fn is_host(&self, name: &str) -> bool {
        let port = self.host.strip_prefix(name);
        port.is_some_and(|port| port.is_empty() || port.starts_with(':'))
    }

    fn named(&self, name: &str) -> String {
        match self.way {
            Way::Proxy(_) if !self.is_host(name) => format!("the proxy's host name {name}"),
            Way::ConnectTo(_) => format!("the host name {name} in --connect-to"),
            _ => format!("the host name {name}"),
        }
    }
}

impl Failure {
    pub(crate) fn new(error: &NetError, peer: Peer<'_>, sent: bool) -> Self {
        let mut remedy = error.remedy(peer, sent);
        if !sent && error.may_be_of_a_firewall(peer) {
            let separator = if remedy.is_empty() { "" } else { "; " };
            remedy = format!("{remedy}{separator}{FIREWALL}");
        }
        let problem = Problem::new(error.message(peer, sent), remedy);
        Self { problem, sent, retry: error.retry() }
    }
}

impl NetError {
    /// Translates an error of ureq; `sent` as in `Failure`.
    pub(crate) fn new(error: Error, sent: bool) -> Self {
        match error {
            Error::Other(inner) => match inner.downcast() {
                Ok(own) => *own,
                Err(other) => Self::Other(other.to_string()),
            },
            Error::Io(inner) => Self::of_io(&inner),
            Error::Rustls(inner) => Self::Tls(inner),
            Error::Timeout(timeout) => match timeout {
                _ if !sent => Self::NotConnectedInTime,
                Timeout::SendRequest | Timeout::SendBody => Self::Late("take the request"),
                Timeout::RecvBody => Self::Late("complete its answer"),
                _ => Self::Late("answer"),
            },
            Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => Self::NotHttp,
            other => Self::Other(other.to_string()),
        }
    }

    fn of_io(error: &io::Error) -> Self {
        use ErrorKind as Kind;
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
            return Self::Tls(tls.clone());
        }
        match error.kind() {
            _ if matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE)) => {
                Self::NoDescriptor
            }
            Kind::ConnectionRefused => Self::Refused,
            Kind::HostUnreachable | Kind::NetworkUnreachable => Self::Unreachable(reason(error)),
            Kind::NetworkDown | Kind::AddrNotAvailable => Self::Unreachable(reason(error)),
            Kind::UnexpectedEof => Self::Broken("closed"),
            Kind::ConnectionReset | Kind::ConnectionAborted => Self::Broken("reset"),
            Kind::BrokenPipe | Kind::NotConnected => Self::Broken("reset"),
            _ => Self::Other(reason(error)),
        }
    }

    /// The same error, if it happened on the connection to the proxy itself.
    pub(crate) fn at_proxy(self) -> Self {
        match self {
            Self::Broken(_) => Self::ProxyLost,
            Self::HandshakeSilent => Self::ProxySilent,
            Self::Tls(error) => Self::ProxyTls(error),
            other => other,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // It may be an attack: no other host gets the request.
            Self::Tls(TlsError::InvalidCertificate(_))
            | Self::ProxyTls(TlsError::InvalidCertificate(_)) => Retry::Never,
            Self::Tls(_) | Self::ProxyTls(_) => Retry::OtherHost,
            Self::Name(..) | Self::Refused | Self::Unreachable(_) => Retry::OtherHost,
            // The proxy may reach another host.
            Self::ProxyRefused(500..=599) => Retry::OtherHost,
            Self::SocksRefused(why) if !SOCKS_FINAL.contains(&why.as_str()) => Retry::OtherHost,
            Self::ProxyRefused(_) | Self::SocksRefused(_) => Retry::Never,
            Self::ProxyLogin | Self::ProxyIsNo(_) => Retry::Never,
            Self::NoDescriptor | Self::NotHttp | Self::Stopped => Retry::Never,
            Self::NotConnectedInTime | Self::HandshakeSilent | Self::ProxySilent => Retry::SameHost,
            Self::ProxyLost | Self::Broken(_) | Self::Late(_) | Self::Other(_) => Retry::SameHost,
        }
    }

    /// Whether a firewall may be blocking the default host and let only Ably's older hosts through;
    /// not if the proxy itself fails.
    fn may_be_of_a_firewall(&self, peer: Peer<'_>) -> bool {
        let is_direct = matches!(peer.way, Way::Direct);
        if peer.host != Endpoint::default().primary() || matches!(peer.way, Way::ConnectTo(_)) {
            return false;
        }
        match self {
            Self::NotConnectedInTime | Self::HandshakeSilent | Self::Broken(_) => true,
            Self::ProxySilent | Self::ProxyLost | Self::ProxyRefused(_) => true,
            Self::SocksRefused(_) => true,
            Self::Name(host, _) => is_direct || peer.is_host(host),
            Self::Tls(TlsError::InvalidCertificate(_)) => false,
            Self::Tls(_) | Self::Refused | Self::Unreachable(_) | Self::Other(_) => is_direct,
            _ => false,
        }
    }

    fn message(&self, peer: Peer<'_>, sent: bool) -> String {
        let (hop, far, host) = (peer.hop(), peer.far_end(), peer.host);
        match self {
            Self::Name(host, what) => format!("{} {what}", peer.named(host)),
            Self::NotConnectedInTime => format!("no connection to {hop} in time"),
            Self::ProxySilent => format!("no connection to {far} in time: {NO_TUNNEL}"),
            Self::HandshakeSilent => format!("no connection to {far} in time: {NO_TLS}"),
            Self::Refused => format!("{hop} refused the connection"),
            Self::Unreachable(why) => format!("{hop} is unreachable: {why}"),
            Self::NoDescriptor => format!("no connection to {hop} is possible: {TOO_MANY}"),
            Self::ProxyLost => {
                format!("{hop} closed the connection before it had connected to {host}")
            }
            Self::ProxyIsNo(what) => format!("{hop} did not connect to {host}: it is no {what}"),
            Self::ProxyRefused(status) => {
                format!("{hop} did not connect to {host}: status {status}")
            }
            Self::SocksRefused(why) => format!("{hop} did not connect to {host}: {why}"),
            Self::ProxyLogin => format!("{hop} did not connect to {host}: {LOGIN}"),
            Self::ProxyTls(error) => tls_message(error, &hop),
            Self::Tls(error) => tls_message(error, &far),
            Self::Broken(how) if sent => {
                format!("{far} {how} the connection before its answer was complete")
            }
            Self::Broken(how) => format!("{far} {how} the connection during the TLS handshake"),
            Self::Late(what) => format!("{far} did not {what} in time"),
            Self::NotHttp => format!("the answer of {far} is not HTTP"),
            Self::Stopped => "stopped by a signal".to_owned(),
            Self::Other(why) if sent => format!("the connection to {far} failed: {why}"),
            Self::Other(why) => format!("the connection to {hop} failed: {why}"),
        }
    }

    /// May be empty.
    fn remedy(&self, peer: Peer<'_>, sent: bool) -> String {
        let remedy = match self {
            Self::Name(..) => check_dns(peer),
            Self::NotConnectedInTime | Self::Refused | Self::Unreachable(_) => check_way(peer),
            Self::NoDescriptor => "allow this program more of them (ulimit -n)",
            Self::ProxySilent | Self::ProxyLost | Self::ProxyIsNo(_) => other_kind(peer),
            Self::ProxyRefused(_) | Self::SocksRefused(_) => PROXY_RULES,
            Self::ProxyLogin => {
                "check USER:PASSWORD@ before the proxy's host, special characters percent-encoded"
            }
            Self::ProxyTls(error) => return tls_remedy(error, other_kind(peer)),
            Self::Tls(error) => return tls_remedy(error, CHECK_ENDPOINT),
            Self::HandshakeSilent => CHECK_ENDPOINT,
            Self::NotHttp => "check --endpoint and any proxy on the way",
            Self::Broken(_) if !sent => "check --endpoint and any firewall or proxy on the way",
            Self::Broken(_) | Self::Late(_) | Self::Stopped | Self::Other(_) => "",
        };
        remedy.to_owned()
    }
}

fn check_dns(peer: Peer<'_>) -> &'static str {
    match peer.way {
        Way::Direct => {
            "check the name and the DNS of this machine; --connect-to ADDR:PORT does without DNS"
        }
        Way::Proxy(proxy) if proxy.starts_with("socks5://") => {
            "check the name and the DNS of this machine; with socks5h:// the proxy resolves names"
        }
        _ => "check the name and the DNS of this machine, or give the address in numbers",
    }
}

fn check_way(peer: Peer<'_>) -> &'static str {
    match peer.way {
        Way::Direct => {
            "check the host, its port, this machine's network and any firewall on the way; behind a \
             proxy set HTTPS_PROXY"
        }
        Way::Proxy(_) => "check the proxy's address, that it is running, and the way to it",
        Way::ConnectTo(_) => "check the --connect-to address and that something listens there",
    }
}

/// The remedy for a proxy whose scheme may be wrong.
fn other_kind(peer: Peer<'_>) -> &'static str {
    match peer.way {
        Way::Proxy(proxy) if proxy.starts_with("https://") => {
            "check the proxy's host, port and rules: one that is not spoken to in TLS is http://"
        }
        Way::Proxy(proxy) if proxy.starts_with("socks5") => {
            "check the proxy's host, port and rules: an HTTP proxy is http://, not SOCKS"
        }
        _ => {
            "check the proxy's host, port and rules: a SOCKS proxy, such as ssh -D makes, is \
             socks5h://, and one that is spoken to in TLS https://"
        }
    }
}

fn tls_message(error: &TlsError, host: &str) -> String {
    match error {
        TlsError::InvalidCertificate(bad) => {
            format!("the certificate of {host} {}", certificate::problem(bad, "").message)
        }
        TlsError::AlertReceived(alert) => {
            format!("{host} refused the TLS connection: {}", alerted(*alert))
        }
        TlsError::InvalidMessage(_) => format!("{host} does not speak TLS on this port"),
        TlsError::PeerIncompatible(_) => {
            format!("{host} has no TLS version or cipher in common with this program")
        }
        other => format!("no TLS connection to {host}: {other}"),
    }
}

/// `check` is the remedy if there is no better one.
fn tls_remedy(error: &TlsError, check: &str) -> String {
    match error {
        TlsError::InvalidCertificate(bad) => {
            let remedy = certificate::problem(bad, check).remedy;
            format!("{remedy}; after a bad certificate no other host is tried")
        }
        TlsError::PeerIncompatible(_) | TlsError::AlertReceived(Alert::ProtocolVersion) => {
            "the server must speak TLS 1.2 or newer".to_owned()
        }
        TlsError::AlertReceived(Alert::CertificateRequired | Alert::BadCertificate) => {
            "a client certificate cannot be given here: check whether this is the right host and port"
                .to_owned()
        }
        _ => check.to_owned(),
    }
}

fn alerted(alert: Alert) -> String {
    let what = match alert {
        Alert::HandshakeFailure => {
            "it has no cipher in common with this program, or wants a client certificate (handshake failure)"
        }
        Alert::ProtocolVersion => "it speaks no TLS version that is accepted here",
        Alert::CertificateRequired | Alert::BadCertificate => "it wants a client certificate",
        Alert::UnrecognisedName => "it does not serve this host name",
        other => return format!("TLS alert {} ({other:?})", u8::from(other)),
    };
    what.to_owned()
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    const DIRECT: Peer<'_> = Peer { host: "main.realtime.ably.net", way: Way::Direct };
    const OTHER: Peer<'_> = Peer { host: "ably.example:8443", way: Way::Direct };

    fn by(way: Way<'_>) -> Peer<'_> {
        Peer { way, ..DIRECT }
    }

    fn io(kind: ErrorKind) -> Error {
        Error::Io(kind.into())
    }

    fn expired() -> TlsError {
        TlsError::InvalidCertificate(CertificateError::Revoked)
    }

    #[test]
    fn an_error_of_ureq_is_known_by_its_kind_and_by_what_was_sent() {
        let errno = |errno: Errno| Error::Io(errno.into());
        let tls = Error::Io(io::Error::new(ErrorKind::InvalidData, expired()));
        for (error, sent, expected) in [
            (NetError::ProxyLogin.into(), false, NetError::ProxyLogin),
            (tls, false, NetError::Tls(expired())),
            (errno(Errno::MFILE), false, NetError::NoDescriptor),
            (errno(Errno::NFILE), false, NetError::NoDescriptor),
            (io(ErrorKind::ConnectionRefused), false, NetError::Refused),
            (io(ErrorKind::UnexpectedEof), true, NetError::Broken("closed")),
            (io(ErrorKind::BrokenPipe), true, NetError::Broken("reset")),
            (Error::Timeout(Timeout::Global), false, NetError::NotConnectedInTime),
            (Error::Timeout(Timeout::Global), true, NetError::Late("answer")),
            (Error::Timeout(Timeout::RecvBody), true, NetError::Late("complete its answer")),
            (Error::Timeout(Timeout::SendBody), true, NetError::Late("take the request")),
            (Error::LargeResponseHeader(2, 1), true, NetError::NotHttp),
        ] {
            assert_eq!(NetError::new(error, sent), expected);
        }
        for kind in [ErrorKind::NetworkUnreachable, ErrorKind::AddrNotAvailable] {
            assert!(matches!(NetError::new(io(kind), false), NetError::Unreachable(_)));
        }
    }

    #[test]
    fn a_failure_names_the_next_hop_or_the_far_end() {
        let (proxy, address) = (Way::Proxy("http://p:3128"), Way::ConnectTo("10.0.0.9:8443"));
        for (error, sent, named) in [
            (
                NetError::Refused,
                false,
                ["ably.net refused", "the proxy http://p:3128 refused", "10.0.0.9:8443 (in"],
            ),
            (
                NetError::Late("answer"),
                true,
                ["ably.net did", "(through the proxy", "(at 10.0.0.9:8443) did"],
            ),
            (
                NetError::Broken("reset"),
                false,
                ["handshake", "(through the proxy", "(at 10.0.0.9:8443) reset"],
            ),
            (
                NetError::Name("x.example".to_owned(), "failed".to_owned()),
                false,
                ["the host name x", "the proxy's host", "--connect-to"],
            ),
        ] {
            for (way, named) in [Way::Direct, proxy, address].into_iter().zip(named) {
                let failure = Failure::new(&error, by(way), sent);
                assert!(failure.problem.message.contains(named), "{failure:?}");
                assert_eq!(failure.sent, sent);
            }
        }
        // A SOCKS proxy may be given an address alone: then the name is the host's.
        let name = NetError::Name(DIRECT.host.to_owned(), "failed".to_owned());
        assert!(name.message(by(proxy), false).starts_with("the host name main"));
    }

    #[test]
    fn what_another_try_may_bring_depends_on_who_failed() {
        let alert = || TlsError::AlertReceived(Alert::AccessDenied);
        for (error, retry) in [
            (NetError::Name(String::new(), String::new()), Retry::OtherHost),
            (NetError::Tls(alert()), Retry::OtherHost),
            (NetError::Tls(expired()), Retry::Never),
            (NetError::ProxyTls(expired()), Retry::Never),
            (NetError::ProxyRefused(502), Retry::OtherHost),
            (NetError::ProxyRefused(403), Retry::Never),
            (NetError::ProxyRefused(302), Retry::Never),
            (NetError::SocksRefused("host unreachable".to_owned()), Retry::OtherHost),
            (NetError::SocksRefused("command not supported".to_owned()), Retry::Never),
            (NetError::ProxyLogin, Retry::Never),
            (NetError::NoDescriptor, Retry::Never),
            (NetError::Stopped, Retry::Never),
            (NetError::NotConnectedInTime, Retry::SameHost),
            (NetError::Broken("closed"), Retry::SameHost),
        ] {
            assert_eq!(error.retry(), retry, "{error}");
        }
        assert_eq!(NetError::Broken("reset").at_proxy(), NetError::ProxyLost);
        assert_eq!(NetError::HandshakeSilent.at_proxy(), NetError::ProxySilent);
        assert_eq!(NetError::Tls(expired()).at_proxy(), NetError::ProxyTls(expired()));
        assert_eq!(NetError::Refused.at_proxy(), NetError::Refused);
    }

    #[test]
    fn an_older_host_is_hinted_at_where_the_default_one_may_be_filtered() {
        let tls = |alert| NetError::Tls(TlsError::AlertReceived(alert));
        // Hinted at when direct, when through a proxy.
        for (error, direct, proxied) in [
            (NetError::Name("x".to_owned(), "failed".to_owned()), true, false),
            (NetError::NotConnectedInTime, true, true),
            (NetError::Refused, true, false),
            (NetError::Broken("closed"), true, true),
            (tls(Alert::AccessDenied), true, false),
            (NetError::Tls(expired()), false, false),
            (NetError::ProxyRefused(403), true, true),
            (NetError::ProxyLogin, false, false),
            (NetError::ProxyLost, true, true),
            (NetError::NoDescriptor, false, false),
            (NetError::Stopped, false, false),
        ] {
            for (peer, sent, hinted) in [
                (DIRECT, false, direct),
                (by(Way::Proxy("http://p:1")), false, proxied),
                (by(Way::ConnectTo("p:1")), false, false),
                (DIRECT, true, false),
                (OTHER, false, false),
            ] {
                let remedy = Failure::new(&error, peer, sent).problem.remedy;
                assert_eq!(remedy.contains(FIREWALL), hinted, "{error} {peer:?} {sent}");
            }
        }
    }

    #[test]
    fn a_remedy_fits_the_kind_of_proxy_and_what_tls_says() {
        for (error, way, advised) in [
            (NetError::ProxyLost, "http://p:1", "socks5h://"),
            (NetError::ProxySilent, "https://p:1", "http://"),
            (NetError::ProxyIsNo("SOCKS 5 proxy"), "socks5h://p:1", "http://"),
            (NetError::Name("x".to_owned(), String::new()), "socks5://p:1", "socks5h://"),
            (NetError::ProxyLogin, "http://p:1", "USER:PASSWORD@"),
            (
                NetError::Tls(TlsError::AlertReceived(Alert::ProtocolVersion)),
                "http://p:1",
                "TLS 1.2",
            ),
            (
                NetError::Tls(TlsError::AlertReceived(Alert::BadCertificate)),
                "http://p:1",
                "client certificate",
            ),
            (NetError::Tls(expired()), "http://p:1", "no other host is tried"),
        ] {
            let remedy = error.remedy(by(Way::Proxy(way)), false);
            assert!(remedy.contains(advised), "{error}: {remedy}");
        }
        for (alert, told) in
            [(Alert::HandshakeFailure, "cipher"), (Alert::Unknown(200), "TLS alert 200")]
        {
            assert!(alerted(alert).contains(told));
        }
    }
}
