//! The certificates that are trusted: Mozilla's, built in, or those of a file instead.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use ureq::tls::{PemItem, parse_pem};
use webpki_roots::TLS_SERVER_ROOTS;

use crate::error::Problem;
use crate::file::{read, reason, shown};
use crate::text::{Safe, count};

/// The longest PEM file, in bytes: all of Mozilla's roots are a fifth of a MiB.
const LIMIT: u64 = 16 << 20;

#[derive(Debug)]
pub struct Roots {
    /// Where they came from, if they are not Mozilla's.
    file: Option<PathBuf>,
    pub(super) store: RootCertStore,
}

impl fmt::Display for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            None => f.write_str("the built-in roots"),
            Some(path) => write!(f, "{} from {}", count(self.store.len(), "root"), path.display()),
        }
    }
}

impl Roots {
    /// Mozilla's.
    pub fn built_in() -> Self {
        Self { file: None, store: RootCertStore { roots: TLS_SERVER_ROOTS.to_vec() } }
    }

    /// Reads a PEM file. What is not a certificate in it is passed over, as curl does.
    pub fn read(path: &Path, source: &str) -> Result<Self, Problem> {
        let problem = |what: &str| {
            Problem::new(
                format!("{source}: {} {what}", Safe(&shown(path))),
                "give a PEM file with the certificate of the CA to trust, or none to use the built-in roots",
            )
        };
        let pem = read(path, LIMIT)
            .map_err(|error| problem(&format!("cannot be read: {}", reason(&error))))?;
        let certificates = parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(one)) => Some(CertificateDer::from(one.der().to_vec())),
            _ => None,
        });
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates);
        if store.is_empty() {
            return Err(problem("holds no usable certificate"));
        }
        Ok(Self { file: Some(path.to_owned()), store })
    }
}
