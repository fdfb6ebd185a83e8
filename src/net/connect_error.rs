//! What keeps a connection from coming about, beyond what ureq's own errors can say. It travels as
//! `ureq::Error::Other` and is put into words in `failure.rs`.

use std::fmt;
use std::io;

use rustls::Error as TlsError;
use ureq::Error;

/// Why there is no connection, where `io::Error` and ureq have no word for it. Comes as
/// `ureq::Error::Other`.
#[derive(Debug, Clone, PartialEq)]
pub enum DialError {
    /// DNS knows no address, or does not answer.
    Unresolvable {
        /// The host's name.
        host: String,
        /// The system's words, lower case.
        reason: String,
    },
    /// The look-up took longer than it may.
    ResolveTimedOut {
        /// The host's name.
        host: String,
    },
    /// The proxy answered with a status that is no success.
    ProxyRefused {
        /// The status.
        status: u16,
    },
    /// The SOCKS proxy does not connect; the code of its reply, never 0.
    SocksRefused {
        /// RFC 1928, 6.
        code: u8,
    },
    /// The SOCKS proxy does not accept the credentials, or wants some.
    SocksLogin,
    /// The proxy broke the connection off before it had opened a tunnel.
    ProxyHungUp,
    /// There is no TLS connection to the proxy itself.
    ProxyTls(rustls::Error),
    /// A signal was caught.
    Stopped,
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolvable { host, reason } => write!(f, "cannot resolve {host}: {reason}"),
            Self::ResolveTimedOut { host } => write!(f, "{host} was not resolved in time"),
            Self::ProxyRefused { status } => write!(f, "the proxy answered status {status}"),
            Self::SocksRefused { code } => write!(f, "the proxy answered code {code}"),
            Self::SocksLogin => f.write_str("the proxy does not accept the credentials"),
            Self::ProxyHungUp => f.write_str("the proxy broke the connection off"),
            Self::ProxyTls(error) => write!(f, "no TLS connection to the proxy: {error}"),
            Self::Stopped => f.write_str("stopped by a signal"),
        }
    }
}

impl std::error::Error for DialError {}

impl From<DialError> for Error {
    fn from(error: DialError) -> Self {
        Self::Other(Box::new(error))
    }
}

/// The `DialError` that an error of ureq's carries.
pub(crate) fn dialled(error: &Error) -> Option<&DialError> {
    match error {
        Error::Other(inner) => inner.downcast_ref(),
        _ => None,
    }
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

/// Whether a connection that was there has gone.
pub(crate) fn is_broken(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        kind,
        Kind::UnexpectedEof
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::NotConnected
    )
}

/// The TLS error inside an error of input or output.
pub(crate) fn in_io(error: &io::Error) -> Option<&TlsError> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>())
}
