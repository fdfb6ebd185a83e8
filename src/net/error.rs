//! Why an exchange got no answer: one error for the whole way, made where it happens, as the rest of a
//! sentence about one of those who take part. ureq's own errors name neither host nor phase, and a
//! connection to a proxy breaks with the same error as one to Ably; so the links of the chain that know
//! more return a `NetError`, which passes through ureq as `Error::Other`.

use std::fmt;
use std::io::{self, ErrorKind};

use rustix::io::Errno;
use rustls::{AlertDescription as Alert, Error as TlsError};
use ureq::{Error, Timeout};

use crate::error::Problem;
use crate::file::reason;
use crate::net::authority::Authority;
use crate::net::certificate;
use crate::net::endpoint::Endpoint;

const CHECK_NAME: &str = "check the name and the DNS of this machine, or do without: an address in \
                          numbers, --connect-to ADDR:PORT, or a proxy at socks5h://, which resolves \
                          names itself";
const CHECK_WAY: &str = "check the host, its port, this machine's network and any firewall on the way; \
                         behind a proxy set HTTPS_PROXY";
const CHECK_PROXY: &str = "check the proxy's address, that it is running, and the way to it";
const CHECK_ADDRESS: &str = "check the --connect-to address and that something listens there";
pub(crate) const CHECK_SCHEME: &str = "check the proxy's host, port and rules, and its scheme: http:// for an HTTP \
                            proxy, https:// for one that is spoken to in TLS, socks5h:// for SOCKS, such \
                            as ssh -D makes";
const CHECK_ENDPOINT: &str = "check the host and port in --endpoint and --connect-to, and any firewall \
                              or proxy on the way: something else may answer there";
const FIREWALL: &str = "where a firewall lets only Ably's older hosts through, give --endpoint \
                        rest.ably.io";

/// Whom an error is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// A name that was looked up.
    Name(String),
    /// The other end of the TCP connection, which was not made.
    Hop,
    /// The proxy, which made no connection to the host.
    Proxy,
    /// Who speaks TLS and HTTP: Ably, or what poses as Ably on the way.
    Host,
}

#[derive(Debug)]
pub(crate) struct NetError {
    at: At,
    /// What it did, as the rest of a sentence.
    what: String,
    /// Empty where the usual one fits.
    remedy: String,
    pub(crate) retry: Retry,
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    OtherHost,
    /// The same host, too.
    SameHost,
    /// Once idle connections are closed: there is no descriptor left.
    WithoutIdle,
    Never,
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

impl NetError {
    pub(crate) fn new(at: At, what: impl Into<String>, remedy: &str, retry: Retry) -> Self {
        Self { at, what: what.into(), remedy: remedy.to_owned(), retry }
    }

    /// Translates an error of ureq. `sent`: the request may have left.
    pub(crate) fn of_ureq(error: Error, sent: bool) -> Self {
        match error {
            Error::Other(inner) => match inner.downcast() {
                Ok(own) => *own,
                Err(other) => Self::other(&other.to_string(), sent),
            },
            Error::Io(inner) => Self::of_io(&inner, sent),
            Error::Rustls(inner) => Self::of_tls(&inner),
            Error::Timeout(_) if !sent => {
                Self::new(At::Hop, "did not take the connection in time", "", Retry::SameHost)
            }
            Error::Timeout(phase) => {
                let what =
                    if phase == Timeout::RecvBody { "complete its answer" } else { "answer" };
                Self::new(At::Host, format!("did not {what} in time"), "", Retry::SameHost)
            }
            Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => {
                Self::new(At::Host, "sent an answer that is not HTTP", CHECK_ENDPOINT, Retry::Never)
            }
            other => Self::other(&other.to_string(), sent),
        }
    }

    pub(crate) fn of_io(error: &io::Error, sent: bool) -> Self {
        use ErrorKind as Kind;
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
            return Self::of_tls(tls);
        }
        if matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE)) {
            let remedy = "allow this program more of them (ulimit -n)";
            let what = "cannot be connected to: too many open files";
            return Self::new(At::Hop, what, remedy, Retry::WithoutIdle);
        }
        let how = match error.kind() {
            Kind::ConnectionRefused => {
                return Self::new(At::Hop, "refused the connection", "", Retry::OtherHost);
            }
            Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::AddrNotAvailable => {
                let what = format!("is unreachable: {}", reason(error));
                return Self::new(At::Hop, what, "", Retry::OtherHost);
            }
            Kind::UnexpectedEof => "closed",
            Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::NotConnected => "reset",
            _ => return Self::other(&reason(error), sent),
        };
        let when = if sent { "its answer was complete" } else { "the request could be sent" };
        let what = format!("{how} the connection before {when}");
        Self::new(At::Host, what, "", Retry::SameHost)
    }

    fn of_tls(error: &TlsError) -> Self {
        let (what, remedy) = match error {
            TlsError::InvalidCertificate(bad) => {
                let (what, remedy) = certificate::flaw(bad);
                let what = format!("has a certificate that {what}; no other host is tried");
                // It may be an attack: no other host gets the request.
                return Self::new(At::Host, what, &remedy, Retry::Never);
            }
            TlsError::AlertReceived(Alert::ProtocolVersion | Alert::HandshakeFailure)
            | TlsError::PeerIncompatible(_) => (
                "has no TLS version or cipher in common with this program".to_owned(),
                "the server must speak TLS 1.2 or newer",
            ),
            TlsError::AlertReceived(Alert::CertificateRequired | Alert::BadCertificate) => (
                "wants a client certificate".to_owned(),
                "none can be given here: check whether this is the right host and port",
            ),
            TlsError::AlertReceived(alert) => {
                (format!("refused the connection: TLS alert {} ({alert:?})", u8::from(*alert)), "")
            }
            TlsError::InvalidMessage(_) => ("does not speak TLS on this port".to_owned(), ""),
            other => (format!("made no TLS connection: {other}"), ""),
        };
        Self::new(At::Host, what, remedy, Retry::OtherHost)
    }

    fn other(why: &str, sent: bool) -> Self {
        let at = if sent { At::Host } else { At::Hop };
        Self::new(at, format!("cannot be talked to: {why}"), "", Retry::SameHost)
    }

    /// The same error, if it happened on the connection to the proxy itself.
    pub(crate) fn at_proxy(self) -> Self {
        if self.at == At::Host { Self { at: At::Proxy, ..self } } else { self }
    }
}

/// Who is talked to, and what is between here and there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer<'a> {
    /// Ably's host, with its port where that is not 443.
    pub(crate) host: &'a str,
    /// Without its credentials.
    pub(crate) proxy: Option<&'a str>,
    pub(crate) connect_to: Option<&'a Authority>,
}

impl Peer<'_> {
    fn subject(self, at: &At) -> String {
        let host = self.host;
        match (at, self.proxy, self.connect_to) {
            (At::Name(name), ..) if name == host => format!("the host name {name}"),
            (At::Name(name), Some(proxy), _) => {
                format!("the host name {name} (for {host} through the proxy {proxy})")
            }
            (At::Name(name), ..) => format!("the host name {name} (for {host})"),
            (_, _, Some(address)) => format!("{host} (at {address})"),
            (At::Host, Some(proxy), _) => format!("{host} (through the proxy {proxy})"),
            (_, Some(proxy), _) => format!("the proxy {proxy} (for {host})"),
            _ => host.to_owned(),
        }
    }

    /// The remedy if there is no better one.
    fn usual(self, at: &At, sent: bool) -> &'static str {
        match at {
            At::Name(_) => CHECK_NAME,
            At::Hop if self.connect_to.is_some() => CHECK_ADDRESS,
            At::Hop if self.proxy.is_some() => CHECK_PROXY,
            At::Hop => CHECK_WAY,
            At::Proxy => CHECK_SCHEME,
            At::Host if sent => "",
            At::Host => CHECK_ENDPOINT,
        }
    }

    /// Whether a firewall may be blocking the default host and let only Ably's older hosts through;
    /// not if the proxy itself fails.
    fn may_be_filtered(self, error: &NetError) -> bool {
        let is_default = self.host == Endpoint::default().primary && self.connect_to.is_none();
        let may_be_filtered = match &error.at {
            At::Name(name) => name == self.host,
            At::Hop => self.proxy.is_none() && error.retry != Retry::Never,
            At::Host => error.retry != Retry::Never,
            At::Proxy => true,
        };
        is_default && may_be_filtered && error.retry != Retry::WithoutIdle
    }
}

/// An exchange that brought no answer.
#[derive(Debug)]
pub struct Failure {
    pub problem: Problem,
    /// Whether a byte of the request may have left, so that its outcome is unknown.
    pub sent: bool,
    pub(crate) retry: Retry,
}

impl Failure {
    /// Nothing can be sent, to no host.
    pub(crate) fn unsent(problem: Problem) -> Self {
        Self { problem, sent: false, retry: Retry::Never }
    }

    pub(crate) fn new(error: &NetError, peer: Peer<'_>, sent: bool) -> Self {
        let usual = peer.usual(&error.at, sent);
        let own = if error.remedy.is_empty() { usual } else { &error.remedy };
        let remedy = match !sent && peer.may_be_filtered(error) {
            true => format!("{own}; {FIREWALL}"),
            false => own.to_owned(),
        };
        let message = format!("{} {}", peer.subject(&error.at), error.what);
        Self { problem: Problem::new(message, remedy), sent, retry: error.retry }
    }
}
