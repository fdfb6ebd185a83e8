//! The certificates that are trusted: Mozilla's, built in, or those of a file instead.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use ureq::tls::{Certificate, PemItem, parse_pem};
use webpki_roots::TLS_SERVER_ROOTS;

use crate::error::Problem;
use crate::text::count;

/// The longest PEM file, in bytes: all of Mozilla's roots are a fifth of a MiB.
const LIMIT: u64 = 16 << 20;

/// Trusted roots.
#[derive(Debug)]
pub enum Roots {
    /// Mozilla's.
    BuiltIn,
    /// Those of a PEM file, and no others.
    File {
        /// Where they came from.
        path: PathBuf,
        /// At least one, each of which can serve as a root.
        certificates: Vec<Certificate<'static>>,
    },
}

impl fmt::Display for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("the built-in roots"),
            Self::File { path, certificates } => {
                write!(f, "{} from {}", count(certificates.len(), "root"), path.display())
            }
        }
    }
}

impl Roots {
    /// Reads a PEM file. What is not a certificate in it is passed over, as curl does.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate that can be used.
    pub fn read(path: &Path, source: &str) -> Result<Self, Problem> {
        let shown = crate::file::shown(path);
        let problem = |what: &str| {
            Problem::new(
                format!("{source}: {} {what}", crate::text::Safe(&shown)),
                "give a PEM file with the certificate of the CA to trust, or none to use the built-in roots",
            )
        };
        let pem = crate::file::read(path, LIMIT).map_err(|error| {
            problem(&format!("cannot be read: {}", crate::file::reason(&error)))
        })?;
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .filter(|certificate| {
                RootCertStore::empty().add(certificate.der().to_vec().into()).is_ok()
            })
            .collect();
        if certificates.is_empty() {
            return Err(problem("holds no usable certificate"));
        }
        Ok(Self::File { path: path.to_owned(), certificates })
    }

    /// As TLS takes them.
    pub(crate) fn store(&self) -> RootCertStore {
        match self {
            Self::BuiltIn => RootCertStore { roots: TLS_SERVER_ROOTS.to_vec() },
            Self::File { certificates, .. } => {
                let mut store = RootCertStore::empty();
                let certificates = certificates.iter().map(|one| one.der().into());
                store.add_parsable_certificates(certificates);
                store
            }
        }
    }
}
