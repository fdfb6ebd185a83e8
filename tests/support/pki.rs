//! Throw-away certificates, made once a process. No key ever lies in the repository.

use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Every name that a test may send the tool to: one certificate serves them all.
const NAMES: &[&str] = &[
    "localhost",
    "127.0.0.1",
    "::1",
    "main.realtime.ably.net",
    "*.realtime.ably.net",
    "*.fallback.ably-realtime.com",
    "*.realtime.ably-nonprod.net",
    "*.fallback.ably-realtime-nonprod.com",
    "control.ably.net",
    "revoke.example.com",
];

/// Policies whose fallback hosts are named one by one: a wildcard covers one label alone, and
/// `main.a.fallback…` has one more.
const FALLBACKS: &[(&str, &str)] = &[
    ("main", "ably-realtime.com"),
    ("acme", "ably-realtime.com"),
    ("sandbox", "ably-realtime-nonprod.com"),
];

/// The certificate that a stand-in shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Signed by the test CA, for every name in use.
    Good,
    /// As `Good`, but out of date since 2020.
    Expired,
    /// Signed by the test CA, for `other.example.net` alone.
    WrongName,
    /// As `Good`, but signed by a CA that nobody trusts.
    UnknownIssuer,
    /// As `Good`, but signed by another CA of the test CA's name.
    Forged,
    OfTheCa,
}

/// A CA, and what it signed, in the order of `Certificate`.
pub struct Pki {
    ca_pem: String,
    identities: [Identity; 6],
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    pem: [String; 2],
}

/// The certificates of this process. Shared, so that several stand-ins trust alike.
pub fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(Pki::new)
}

impl Pki {
    fn new() -> Pki {
        let (ca_certificate, ca) = authority("Stand-in CA");
        let (_, stranger) = authority("Stranger CA");
        let (_, namesake) = authority("Stand-in CA");
        let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        for (policy, domain) in FALLBACKS {
            for letter in 'a'..='e' {
                names.push(format!("{policy}.{letter}.fallback.{domain}"));
            }
        }
        let other = vec!["other.example.net".to_owned()];
        let of_the_ca = Identity {
            chain: vec![ca_certificate.der().clone()],
            key: PrivateKeyDer::try_from(ca.key().serialize_der()).unwrap(),
            pem: [ca_certificate.pem(), ca.key().serialize_pem()],
        };
        let identities = [
            identity(&ca, names.clone(), false),
            identity(&ca, names.clone(), true),
            identity(&ca, other, false),
            identity(&stranger, names.clone(), false),
            identity(&namesake, names, false),
            of_the_ca,
        ];
        Pki { ca_pem: ca_certificate.pem(), identities }
    }

    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The good certificate and its key, for another server.
    pub fn server_pem(&self) -> &[String; 2] {
        &self.identities[Certificate::Good as usize].pem
    }

    /// A server's TLS settings with this certificate; TLS 1.2 alone if asked for.
    pub fn server_config(&self, certificate: Certificate, only_tls12: bool) -> Arc<ServerConfig> {
        let identity = &self.identities[certificate as usize];
        let versions =
            if only_tls12 { &[&rustls::version::TLS12][..] } else { rustls::ALL_VERSIONS };
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain.clone(), identity.key.clone_key())
            .unwrap();
        Arc::new(config)
    }
}

fn authority(name: &str) -> (rcgen::Certificate, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate, Issuer::new(params, key))
}

fn identity(issuer: &Issuer<'_, KeyPair>, names: Vec<String>, expired: bool) -> Identity {
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "stand-in");
    if expired {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    Identity {
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        pem: [certificate.pem(), key.serialize_pem()],
    }
}
