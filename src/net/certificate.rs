//! What is wrong with a certificate, in words, and who issued it. rustls decides; but its "UnknownIssuer" does
//! not name the issuer, which is the first question of an operator behind a proxy that makes
//! certificates of its own.

use std::time::{Duration, UNIX_EPOCH};

use humantime::format_rfc3339_seconds;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError as Bad, OtherError};
use webpki::EndEntityCert;

use crate::text::listed;

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 100;

const ISSUER: &str = "if a proxy or a private CA issued it, give that CA's certificate with --ca-file; \
                      --ca-file and SSL_CERT_FILE replace the built-in roots: leave them out for Ably's \
                      own certificate";
const SERVER: &str = "give the server a better certificate, or check --endpoint and --connect-to: \
                      something else may answer there";

/// What is wrong with a certificate, as the rest of a sentence, and what to do about it.
pub(crate) fn flaw(bad: &Bad) -> (String, String) {
    let (what, remedy) = match bad {
        Bad::ExpiredContext { time, not_after } => {
            return (format!("has expired: it was valid until {}", day(*not_after)), clock(*time));
        }
        Bad::NotValidYetContext { time, not_before } => {
            return (format!("is not valid yet: it begins on {}", day(*not_before)), clock(*time));
        }
        // A common name does not count.
        Bad::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            ("is for no name at all: it has no subjectAltName".to_owned(), SERVER)
        }
        Bad::NotValidForNameContext { presented, .. } => {
            (format!("is for another name: {}", names(presented)), SERVER)
        }
        Bad::BadSignature => (
            "does not fit its signature: the CA has only the name of a trusted one, or the RSA key has \
             fewer than 2048 bits"
                .to_owned(),
            "give the server a longer key, or check --ca-file and SSL_CERT_FILE",
        ),
        Bad::Other(OtherError(inner)) => match inner.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::CaUsedAsEndEntity) => (
                "is a CA's own, such as `openssl req -x509` makes, and cannot be a server's as well"
                    .to_owned(),
                "give the server a certificate of its own, with basicConstraints CA:FALSE, and the CA's \
                 with --ca-file",
            ),
            Some(other) => (format!("breaks the rules: {other:?}"), SERVER),
            // Added by our verifier.
            None => (format!("comes from an unknown issuer, {inner}"), ISSUER),
        },
        Bad::UnknownIssuer => ("comes from an unknown issuer".to_owned(), ISSUER),
        other => (format!("is not accepted: {other:?}"), SERVER),
    };
    (what, remedy.to_owned())
}

fn clock(now: UnixTime) -> String {
    format!(
        "this machine's clock says {}: if that is wrong set the clock, else the host needs another \
         certificate",
        day(now)
    )
}

fn day(time: UnixTime) -> String {
    // Year 9999 is the last that a certificate can name.
    let seconds = Duration::from_secs(time.as_secs().min(253_402_300_799));
    format_rfc3339_seconds(UNIX_EPOCH + seconds).to_string()
}

/// Lists the names in a certificate, which rustls writes as `DnsName("a.example")` and
/// `IpAddress(10.0.0.1)`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let name = name.split_once('(').map_or(name.as_str(), |(_, name)| name);
        name.trim_matches([')', '"']).to_owned()
    };
    listed(presented.iter().map(bare))
}

/// The common name, else the organization, of the issuer of a chain's last certificate. `None` if no
/// name can be read.
pub(crate) fn issuer(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Option<String> {
    let last = EndEntityCert::try_from(others.last().unwrap_or(leaf)).ok()?;
    common_name(last.issuer())
}

fn common_name(name: &[u8]) -> Option<String> {
    attribute(name, 3).or_else(|| attribute(name, 10))
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

    #[test]
    fn what_tls_says_is_told_with_a_remedy() {
        let other = |error| Bad::Other(OtherError(std::sync::Arc::new(error)));
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let named = |presented: &[&str]| Bad::NotValidForNameContext {
            expected: rustls::pki_types::ServerName::try_from("ably.example").unwrap(),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
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
            (Bad::UnknownIssuer, "unknown issuer", "--ca-file"),
            (
                named(&["DnsName(\"a.x\")", "IpAddress(10.0.0.1)"]),
                "another name: a.x, 10.0.0.1",
                "--endpoint",
            ),
            (named(&[]), "no subjectAltName", "better certificate"),
            (other(webpki::Error::CaUsedAsEndEntity), "a CA's own", "CA:FALSE"),
            (other(webpki::Error::UnsupportedCertVersion), "Version", "better certificate"),
            (Bad::BadSignature, "2048 bits", "--ca-file"),
            (Bad::InvalidPurpose, "Purpose", "better certificate"),
        ] {
            let (what, remedy) = flaw(&bad);
            assert!(what.contains(told) && remedy.contains(advised), "{what}: {remedy}");
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
