//! Names in certificates, for messages. Whether a certificate is good is up to rustls.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 100;

/// Who issued a chain: the issuer of its last certificate, as far as the chain goes. `None` where
/// no name can be read.
pub(crate) fn issuer(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Option<String> {
    let leaf = EndEntityCert::try_from(leaf).ok()?;
    let mut name = leaf.issuer();
    let others: Vec<_> =
        others.iter().filter_map(|other| EndEntityCert::try_from(other).ok()).collect();
    // As many steps as there are certificates: two may have issued each other.
    for _ in &others {
        match others.iter().find(|other| other.subject() == name) {
            Some(other) => name = other.issuer(),
            None => break,
        }
    }
    common_name(name)
}

/// The common name in a distinguished name (DER, without its outer tag), else the organization.
fn common_name(mut sets: &[u8]) -> Option<String> {
    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANIZATION: &[u8] = &[0x55, 4, 10];
    let (mut common_name, mut organization) = (None, None);
    while let Some((_, mut set, rest)) = tlv(sets) {
        sets = rest;
        while let Some((_, pair, rest)) = tlv(set) {
            set = rest;
            let (_, kind, value) = tlv(pair)?;
            let (tag, value, _) = tlv(value)?;
            match kind {
                COMMON_NAME => common_name = Some(text(tag, value)),
                ORGANIZATION => organization = Some(text(tag, value)),
                _ => {}
            }
        }
    }
    common_name.or(organization).filter(|name| !name.is_empty())
}

/// The first value of DER: its tag, its content, and what follows it.
fn tlv(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = bytes else {
        return None;
    };
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((*tag, value, rest))
}

fn text(tag: u8, value: &[u8]) -> String {
    const BMP_STRING: u8 = 0x1e;
    let text = if tag == BMP_STRING {
        let units: Vec<u16> = value
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(value).into_owned()
    };
    text.chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(attributes: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let wrap = |tag: u8, inner: Vec<u8>| {
            let mut bytes = vec![tag, 0x82];
            bytes.extend(u16::try_from(inner.len()).unwrap().to_be_bytes());
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
            (&[(3, 0x1e, b"\0W\0i\x20\x22")], Some("Wi\u{2022}")),
            (&[(3, 12, b"\xff")], Some("\u{fffd}")),
            (&[(6, 19, b"DE")], None),
            (&[(3, 12, b"")], None),
            (&[], None),
        ] {
            assert_eq!(common_name(&name(attributes)).as_deref(), expected);
        }
        let long = common_name(&name(&[(3, 12, &[b'x'; 5000])])).unwrap();
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
