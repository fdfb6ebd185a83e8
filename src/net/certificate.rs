//! Why a certificate is not accepted, in words, and who issued it. rustls decides; but its
//! "UnknownIssuer" does not name the issuer, which is the first question of an operator behind a
//! proxy that makes certificates of its own.

use std::time::{Duration, UNIX_EPOCH};

use humantime::format_rfc3339_seconds;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError as Bad, OtherError};
use webpki::EndEntityCert;

use crate::error::Problem;

/// The longest name that is shown, in characters, and how many names are.
const LONGEST_NAME: usize = 100;
const NAMES_SHOWN: usize = 5;

const ISSUER: &str = "if a proxy or a private CA issued it, give that CA's certificate with --ca-file; \
                      --ca-file and SSL_CERT_FILE replace the built-in roots: leave them out for Ably's \
                      own certificate";
const SERVER: &str = "give the server a better certificate, or check --endpoint and --connect-to: \
                      something else may answer there";

/// What our verifier adds to rustls' errors, as `CertificateError::Other`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// No root vouches for this name.
    Issuer(String),
    /// The number of its bits.
    ShortKey(usize),
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Finding {}

/// What is wrong, as the rest of "the certificate of HOST", and the remedy; `check` if there is no
/// better one.
pub(crate) fn problem(bad: &Bad, check: &str) -> Problem {
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
            return Problem::new(for_others(presented), check);
        }
        Bad::Other(OtherError(inner)) => match inner.downcast_ref() {
            Some(Finding::Issuer(name)) => {
                return Problem::new(format!("comes from an unknown issuer, {name}"), ISSUER);
            }
            Some(Finding::ShortKey(bits)) => {
                let what =
                    format!("has an RSA key of {bits} bits, and fewer than 2048 are not enough");
                return Problem::new(what, SERVER);
            }
            None => return against_the_rules(inner.downcast_ref()),
        },
        Bad::UnknownIssuer => ("comes from an unknown issuer", ISSUER),
        Bad::Revoked => ("has been revoked by its issuer", SERVER),
        Bad::BadSignature => (
            "is not signed by the key that should have signed it",
            "another CA of the same name may be trusted: check --ca-file and SSL_CERT_FILE",
        ),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => {
            ("is not meant for a TLS server", SERVER)
        }
        Bad::BadEncoding => ("cannot be read", SERVER),
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            ("is signed in a way that is not accepted, such as with SHA-1", SERVER)
        }
        _ => ("is not acceptable", SERVER),
    };
    Problem::new(what, remedy)
}

fn dated(what: &str, date: UnixTime, now: UnixTime) -> Problem {
    let remedy = format!(
        "this machine's clock says {}: if that is wrong set the clock, else the host needs another \
         certificate",
        day(now)
    );
    Problem::new(format!("{what} {}", day(date)), remedy)
}

fn day(time: UnixTime) -> String {
    // Year 9999 is the last that a certificate can name.
    let seconds = Duration::from_secs(time.as_secs().min(253_402_300_799));
    format_rfc3339_seconds(UNIX_EPOCH + seconds).to_string()
}

/// Lists the names in a certificate, which rustls writes as `DnsName("a.example")` and
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

/// The errors of webpki that rustls passes on.
fn against_the_rules(error: Option<&webpki::Error>) -> Problem {
    use webpki::Error as Flaw;
    let (what, remedy) = match error {
        Some(Flaw::CaUsedAsEndEntity) => (
            "is a CA's own, such as `openssl req -x509` makes, and cannot be a server's as well",
            "give the server a certificate of its own, with basicConstraints CA:FALSE, and the CA's \
             with --ca-file",
        ),
        Some(Flaw::EndEntityUsedAsCa) => ("is signed by a certificate that is not a CA's", SERVER),
        Some(Flaw::UnsupportedCertVersion) => ("is not of X.509 version 3", SERVER),
        Some(other) => return Problem::new(format!("breaks the rules ({other:?})"), SERVER),
        None => ("is malformed", SERVER),
    };
    Problem::new(what, remedy)
}

/// The issuer of the last certificate of a chain; `None` if no name can be read.
pub(crate) fn issuer(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Option<String> {
    let leaf = EndEntityCert::try_from(leaf).ok()?;
    let mut name = leaf.issuer();
    let others: Vec<_> =
        others.iter().filter_map(|other| EndEntityCert::try_from(other).ok()).collect();
    // At most one step a certificate: two may have issued each other.
    for _ in &others {
        match others.iter().find(|other| other.subject() == name) {
            Some(other) => name = other.issuer(),
            None => break,
        }
    }
    common_name(name)
}

/// The common name in a distinguished name (DER), else the organization.
fn common_name(name: &[u8]) -> Option<String> {
    const COMMON_NAME: u8 = 3;
    const ORGANIZATION: u8 = 10;
    attribute(name, COMMON_NAME).or_else(|| attribute(name, ORGANIZATION))
}

/// The last attribute of this kind (2.5.4.x), searched by its OID: the result is only shown.
fn attribute(name: &[u8], kind: u8) -> Option<String> {
    let oid = [6, 3, 0x55, 4, kind];
    let at = name.windows(oid.len()).rposition(|part| part == oid)?;
    let (length, rest) = match name.get(at + oid.len()..)? {
        [_, 0x81, length, rest @ ..] => (length, rest),
        [_, length @ 0..=0x7f, rest @ ..] => (length, rest),
        _ => return None,
    };
    let value = String::from_utf8_lossy(rest.get(..usize::from(*length))?);
    (!value.is_empty()).then(|| value.chars().take(LONGEST_NAME).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn other(error: impl std::error::Error + Send + Sync + 'static) -> Bad {
        Bad::Other(OtherError(std::sync::Arc::new(error)))
    }

    #[test]
    fn a_bad_certificate_is_told_by_what_it_says() {
        use webpki::Error as Flaw;
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let named = |presented: &[&str]| Bad::NotValidForNameContext {
            expected: rustls::pki_types::ServerName::try_from("ably.example").unwrap(),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
        let many: Vec<String> = (0..7).map(|n| format!("DnsName(\"{n}.x\")")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (now, past) = (at(1_795_428_000), at(1_577_836_800));
        for (bad, told, advised) in [
            (
                Bad::ExpiredContext { time: now, not_after: past },
                "until 2020-01-01T00:00:00Z",
                "2026-11-23T10:00:00Z",
            ),
            (
                Bad::NotValidYetContext { time: at(0), not_before: at(u64::MAX) },
                "9999-12-31T23:59:59Z",
                "1970",
            ),
            (other(Finding::Issuer("Corp".to_owned())), "unknown issuer, Corp", "--ca-file"),
            (other(Finding::ShortKey(1024)), "1024 bits", "better certificate"),
            (Bad::UnknownIssuer, "unknown issuer", "--ca-file"),
            (
                named(&["DnsName(\"a.x\")", "IpAddress(10.0.0.1)"]),
                "another name: a.x, 10.0.0.1",
                "CHECK",
            ),
            (named(&many), "0.x, 1.x, 2.x, 3.x, 4.x and 2 more", "CHECK"),
            (named(&[]), "no subjectAltName", "common name"),
            (other(Flaw::CaUsedAsEndEntity), "a CA's own", "CA:FALSE"),
            (other(Flaw::EndEntityUsedAsCa), "not a CA's", "better certificate"),
            (other(Flaw::UnsupportedCertVersion), "version 3", "better certificate"),
            (
                other(Flaw::UnsupportedCriticalExtension),
                "UnsupportedCriticalExtension",
                "better certificate",
            ),
            (other(std::fmt::Error), "malformed", "better certificate"),
            (Bad::BadSignature, "not signed by the key", "same name"),
            (Bad::InvalidPurpose, "TLS server", "better certificate"),
            (Bad::InvalidOcspResponse, "not acceptable", "better certificate"),
        ] {
            let Problem { message, remedy } = problem(&bad, "CHECK");
            assert!(message.contains(told) && remedy.contains(advised), "{message}: {remedy}");
        }
    }

    fn name(attributes: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let wrap = |tag: u8, inner: Vec<u8>| {
            let mut bytes = vec![tag];
            bytes.extend((inner.len() > 127).then_some(0x81));
            bytes.push(u8::try_from(inner.len()).unwrap());
            bytes.extend(inner);
            bytes
        };
        let sets = attributes.iter().map(|(attribute, tag, value)| {
            let mut pair = vec![6, 3, 0x55, 4, *attribute];
            pair.extend(wrap(*tag, value.to_vec()));
            wrap(0x31, wrap(0x30, pair))
        });
        sets.flatten().collect()
    }

    #[test]
    fn an_issuer_is_called_by_its_common_name_else_by_its_organization() {
        for (attributes, expected) in [
            (&[(10, 12, &b"Corp"[..]), (3, 12, b"Corp Root")][..], Some("Corp Root")),
            (&[(3, 19, b"Printable"), (6, 19, b"DE")], Some("Printable")),
            (&[(6, 19, b"DE"), (10, 12, b"Corp")], Some("Corp")),
            (&[(3, 12, b"\xff")], Some("\u{fffd}")),
            (&[(6, 19, b"DE")], None),
            (&[(3, 12, b"")], None),
            (&[], None),
        ] {
            assert_eq!(common_name(&name(attributes)).as_deref(), expected);
        }
        let long = common_name(&name(&[(3, 12, &[b'x'; 200])])).unwrap();
        assert_eq!(long.len(), LONGEST_NAME);
    }

    #[test]
    fn the_issuer_is_that_of_the_last_certificate_of_the_chain() {
        use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
        let params = |name: &str, ca| {
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            if ca {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }
            params
        };
        let key = || KeyPair::generate().unwrap();
        let root = Issuer::new(params("Root", true), key());
        let middle_key = key();
        let middle = params("Middle", true).signed_by(&middle_key, &root).unwrap();
        let signer = Issuer::new(params("Middle", true), middle_key);
        let leaf = params("Leaf", false).signed_by(&key(), &signer).unwrap();
        assert_eq!(issuer(leaf.der(), &[]).as_deref(), Some("Middle"));
        assert_eq!(issuer(leaf.der(), &[middle.der().clone()]).as_deref(), Some("Root"));
        let own = params("Self", true).self_signed(&key()).unwrap();
        assert_eq!(issuer(own.der(), &[own.der().clone()]).as_deref(), Some("Self"));
        assert_eq!(issuer(&CertificateDer::from(&b"0\x01x"[..]), &[]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = common_name(&bytes);
        }
    }
}
