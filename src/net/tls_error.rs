//! What failed in TLS, in words: what the certificate says, what the other side said, what to do.

use std::time::Duration;

use humantime::format_rfc3339_seconds;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription as Alert, CertificateError as Bad, Error as TlsError, OtherError};

use crate::net::connect_error::Retry;
use crate::net::tls::UnknownIssuer;

/// How many of a certificate's names are shown.
const NAMES_SHOWN: usize = 5;

const ISSUER: &str = "if a proxy or a private CA issued it, give that CA's certificate with --ca-file; \
                      --ca-file and SSL_CERT_FILE replace the built-in roots: leave them out for Ably's \
                      own certificate";
const SERVER: &str = "give the server a better certificate, or check --endpoint and --connect-to: \
                      something else may answer there";
const CRITICAL: &str = "has a critical extension that is not known here";
const VERSION: &str = "the server must speak TLS 1.2 or newer";

/// Message, remedy and what can be hoped of another try. `host` is who it was, `check` is the
/// remedy where nothing more can be said. A bad certificate is final: it may be an attack, so no
/// other host is given the request. All else counts as a host that cannot be reached (RSC15l).
pub(crate) fn words(error: &TlsError, host: &str, check: &str) -> (String, String, Retry) {
    let (message, remedy) = match error {
        TlsError::InvalidCertificate(bad) => {
            let (what, remedy) = certificate(bad, check);
            let remedy = format!("{remedy}; after a bad certificate no other host is tried");
            return (format!("the certificate of {host} {what}"), remedy, Retry::Never);
        }
        TlsError::AlertReceived(alert) => {
            let (what, remedy) = alerted(*alert, check);
            (format!("{host} refused the TLS connection: {what}"), remedy)
        }
        other => failure(other, host, check),
    };
    (message, remedy.to_owned(), Retry::OtherHost)
}

/// What a certificate is or has, and what to do about it.
fn certificate(bad: &Bad, check: &str) -> (String, String) {
    let (what, remedy) = match bad {
        Bad::ExpiredContext { time, not_after } => {
            return dated("has expired: it was valid until", *not_after, *time);
        }
        Bad::NotValidYetContext { time, not_before } => {
            return dated("is not valid yet: it begins on", *not_before, *time);
        }
        Bad::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            "is for no name at all: it has no subjectAltName",
            "give the server one with a subjectAltName: a common name does not count",
        ),
        Bad::NotValidForNameContext { presented, .. } => {
            return (for_others(presented), check.to_owned());
        }
        Bad::Other(OtherError(inner)) => {
            if let Some(UnknownIssuer(issuer)) = inner.downcast_ref() {
                return (format!("comes from an unknown issuer, {issuer}"), ISSUER.to_owned());
            }
            against_the_rules(inner.downcast_ref())
        }
        Bad::UnknownIssuer => ("comes from an unknown issuer", ISSUER),
        Bad::Expired => ("has expired", "check this machine's clock, then the certificate"),
        Bad::NotValidYet => ("is not valid yet", "check this machine's clock"),
        Bad::NotValidForName => ("is for another name", check),
        Bad::Revoked => ("has been revoked by its issuer", SERVER),
        Bad::BadSignature => (
            "is not signed by the key that should have signed it",
            "another CA of the same name may be trusted: check --ca-file and SSL_CERT_FILE",
        ),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => {
            ("is not meant for a TLS server", SERVER)
        }
        Bad::BadEncoding => ("cannot be read", SERVER),
        Bad::UnhandledCriticalExtension => (CRITICAL, SERVER),
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            ("is signed in a way that is not accepted, such as with SHA-1", SERVER)
        }
        _ => ("is not acceptable", SERVER),
    };
    (what.to_owned(), remedy.to_owned())
}

fn dated(what: &str, date: UnixTime, now: UnixTime) -> (String, String) {
    let remedy = format!(
        "this machine's clock says {}: if that is wrong set the clock, else the host needs another \
         certificate",
        day(now)
    );
    (format!("{what} {}", day(date)), remedy)
}

fn day(time: UnixTime) -> String {
    // Year 9999 is the last that a certificate can name.
    let seconds = Duration::from_secs(time.as_secs().min(253_402_300_799));
    format_rfc3339_seconds(std::time::UNIX_EPOCH + seconds).to_string()
}

/// The names that a certificate does bear, at least one. rustls hands them over as `DnsName("a.example")` and
/// `IpAddress(10.0.0.1)`.
fn for_others(presented: &[String]) -> String {
    let bare = |name: &String| {
        let name = name.split_once('(').map_or(name.as_str(), |(_, name)| name);
        name.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let shown: Vec<String> = presented.iter().take(NAMES_SHOWN).map(bare).collect();
    let more = match presented.len().saturating_sub(NAMES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("is for another name: {}{more}", shown.join(", "))
}

/// What webpki finds and rustls has no word for.
fn against_the_rules(error: Option<&webpki::Error>) -> (&'static str, &'static str) {
    use webpki::Error as Flaw;
    match error {
        Some(Flaw::CaUsedAsEndEntity) => (
            "is a CA's own, such as `openssl req -x509` makes, and cannot be a server's as well",
            "give the server a certificate of its own, with basicConstraints CA:FALSE, and the CA's \
             with --ca-file",
        ),
        Some(Flaw::EndEntityUsedAsCa) => {
            ("is signed by a certificate that is not a CA's", "check the chain of the server")
        }
        Some(Flaw::UnsupportedCertVersion) => (
            "is not of X.509 version 3",
            "give the server one of version 3, which needs a subjectAltName",
        ),
        Some(Flaw::UnsupportedCriticalExtension) => (CRITICAL, SERVER),
        Some(Flaw::NameConstraintViolation) => {
            ("is for a name that its CA may not certify", SERVER)
        }
        Some(
            Flaw::PathLenConstraintViolated
            | Flaw::MaximumPathDepthExceeded
            | Flaw::MaximumPathBuildCallsExceeded
            | Flaw::MaximumSignatureChecksExceeded
            | Flaw::MaximumNameConstraintComparisonsExceeded,
        ) => ("has a chain that is too long", "check the chain of the server"),
        _ => ("is malformed", SERVER),
    }
}

/// What the other side says in an alert.
fn alerted(alert: Alert, check: &str) -> (String, &str) {
    let client_certificate =
        "a client certificate cannot be given here: check whether this is the right host and port";
    let (what, remedy) = match alert {
        Alert::HandshakeFailure | Alert::InsufficientSecurity => (
            "it has no cipher in common with this program, or wants a client certificate (handshake failure)",
            check,
        ),
        Alert::ProtocolVersion => ("it speaks no TLS version that is accepted here", VERSION),
        Alert::CertificateRequired | Alert::NoCertificate => {
            ("it wants a client certificate", client_certificate)
        }
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA => (
            "it does not accept the client's certificate, though there is none",
            client_certificate,
        ),
        Alert::UnrecognisedName => ("it does not serve this host name", check),
        Alert::AccessDenied => ("access denied", check),
        Alert::InternalError => {
            ("internal error", "try again later; if it lasts, check the server")
        }
        Alert::UserCanceled | Alert::CloseNotify => ("it gave up", check),
        other => return (format!("TLS alert {}", u8::from(other)), check),
    };
    (what.to_owned(), remedy)
}

fn failure<'a>(error: &TlsError, host: &str, check: &'a str) -> (String, &'a str) {
    match error {
        TlsError::InvalidMessage(_) => (format!("{host} does not speak TLS on this port"), check),
        TlsError::PeerIncompatible(_) => {
            (format!("{host} has no TLS version or cipher in common with this program"), VERSION)
        }
        TlsError::FailedToGetCurrentTime => (
            "this machine's clock cannot be read, so no certificate can be checked".to_owned(),
            "set the clock",
        ),
        TlsError::FailedToGetRandomBytes => (
            "this machine gives no random bytes, so there can be no TLS".to_owned(),
            "check /dev/urandom",
        ),
        TlsError::NoCertificatesPresented => (format!("{host} shows no certificate"), check),
        TlsError::General(reason) => (format!("no TLS connection to {host}: {reason}"), check),
        _ => (format!("{host} breaks the rules of TLS"), check),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{InvalidMessage, PeerIncompatible, PeerMisbehaved};

    use super::*;

    fn other(error: impl std::error::Error + Send + Sync + 'static) -> Bad {
        Bad::Other(OtherError(Arc::new(error)))
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    fn named(presented: &[&str]) -> Bad {
        let expected = rustls::pki_types::ServerName::try_from("ably.example").unwrap();
        let presented = presented.iter().map(|name| (*name).to_owned()).collect();
        Bad::NotValidForNameContext { expected, presented }
    }

    #[test]
    fn a_bad_certificate_is_final_and_tells_what_it_says() {
        use webpki::Error as Flaw;
        let many: Vec<String> = (0..7).map(|n| format!("DnsName(\"{n}.x\")")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (bad, told, advised) in [
            (
                Bad::ExpiredContext { time: at(1_795_428_000), not_after: at(1_577_836_800) },
                "has expired: it was valid until 2020-01-01T00:00:00Z",
                "clock says 2026-11-23T10:00:00Z",
            ),
            (
                Bad::NotValidYetContext { time: at(0), not_before: at(u64::MAX) },
                "is not valid yet: it begins on 9999-12-31T23:59:59Z",
                "clock says 1970-01-01T00:00:00Z",
            ),
            (
                other(UnknownIssuer("Corp".to_owned())),
                "comes from an unknown issuer, Corp",
                "--ca-file",
            ),
            (Bad::UnknownIssuer, "comes from an unknown issuer", "--ca-file"),
            (
                named(&["DnsName(\"a.x\")", "IpAddress(10.0.0.1)", "DnsName(\"*.b.x\")"]),
                "is for another name: a.x, 10.0.0.1, *.b.x",
                "CHECK",
            ),
            (named(&many), "is for another name: 0.x, 1.x, 2.x, 3.x, 4.x and 2 more", "CHECK"),
            (named(&[]), "is for no name at all: it has no subjectAltName", "common name"),
            (other(Flaw::UnsupportedCriticalExtension), CRITICAL, "better certificate"),
            (
                other(Flaw::CaUsedAsEndEntity),
                "is a CA's own, such as `openssl req -x509` makes, and cannot be a server's as well",
                "CA:FALSE",
            ),
            (other(Flaw::UnsupportedCertVersion), "is not of X.509 version 3", "version 3"),
            (
                other(Flaw::EndEntityUsedAsCa),
                "is signed by a certificate that is not a CA's",
                "chain",
            ),
            (other(Flaw::PathLenConstraintViolated), "has a chain that is too long", "chain"),
            (other(Flaw::MalformedExtensions), "is malformed", "better certificate"),
            (other(std::fmt::Error), "is malformed", "better certificate"),
            (Bad::BadSignature, "is not signed by the key that should have signed it", "same name"),
            (Bad::InvalidPurpose, "is not meant for a TLS server", "better certificate"),
            (Bad::InvalidOcspResponse, "is not acceptable", "better certificate"),
        ] {
            let (message, remedy, retry) = words(&bad.into(), "HOST", "CHECK");
            assert_eq!(message, format!("the certificate of HOST {told}"));
            assert!(remedy.contains(advised), "{told}: {remedy}");
            assert!(
                remedy.ends_with("; after a bad certificate no other host is tried"),
                "{remedy}"
            );
            assert_eq!(retry, Retry::Never);
        }
    }

    #[test]
    fn any_other_failure_of_tls_is_a_host_that_cannot_be_reached() {
        for (error, told) in [
            (
                TlsError::InvalidMessage(InvalidMessage::InvalidContentType),
                "HOST does not speak TLS on this port",
            ),
            (
                TlsError::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                "HOST has no TLS version or cipher in common with this program",
            ),
            (
                TlsError::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare),
                "HOST breaks the rules of TLS",
            ),
            (TlsError::DecryptError, "HOST breaks the rules of TLS"),
            (TlsError::NoCertificatesPresented, "HOST shows no certificate"),
            (
                TlsError::AlertReceived(Alert::HandshakeFailure),
                "client certificate (handshake failure)",
            ),
            (
                TlsError::AlertReceived(Alert::CertificateRequired),
                "TLS connection: it wants a client certificate",
            ),
            (TlsError::AlertReceived(Alert::UnknownCA), "does not accept the client's certificate"),
            (
                TlsError::AlertReceived(Alert::ProtocolVersion),
                "no TLS version that is accepted here",
            ),
            (
                TlsError::AlertReceived(Alert::InternalError),
                "HOST refused the TLS connection: internal error",
            ),
            (
                TlsError::AlertReceived(Alert::DecodeError),
                "HOST refused the TLS connection: TLS alert 50",
            ),
            (
                TlsError::AlertReceived(Alert::Unknown(200)),
                "HOST refused the TLS connection: TLS alert 200",
            ),
        ] {
            let (message, remedy, retry) = words(&error, "HOST", "CHECK");
            assert!(message.contains(told), "{message}");
            assert!(!remedy.is_empty());
            assert_eq!(retry, Retry::OtherHost);
        }
    }
}
