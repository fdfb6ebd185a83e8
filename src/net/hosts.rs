//! The hosts of one service: the primary one and its fallbacks (RSC15).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::net::endpoint::Endpoint;

/// How often one host is asked before its failure counts.
pub(super) const TRIES: u32 = 3;

/// The hosts of one service. The one that answered serves the rest of the run, for all clones.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// The primary one and its fallbacks.
    all: Arc<[String]>,
    preferred: Arc<AtomicUsize>,
}

impl Hosts {
    /// An endpoint's hosts: the primary one, and up to three fallbacks in random order.
    pub fn of(endpoint: &Endpoint) -> Self {
        let primary = endpoint.primary().to_owned();
        let all = std::iter::once(primary).chain(endpoint.random_fallbacks()).collect();
        Self { all, preferred: Arc::default() }
    }

    /// One host without fallbacks.
    pub fn single(authority: &str) -> Self {
        Self { all: Arc::new([authority.to_owned()]), preferred: Arc::default() }
    }

    /// Whether there is no other host to ask.
    pub(super) fn is_single(&self) -> bool {
        self.all.len() == 1
    }

    /// The one that answered serves from now on.
    pub(super) fn prefer(&self, host: &str) {
        if let Some(at) = self.all().position(|known| known == host) {
            self.preferred.store(at, Ordering::SeqCst);
        }
    }

    /// The host that is asked first.
    pub fn preferred(&self) -> &str {
        self.all.get(self.preferred.load(Ordering::SeqCst)).map_or("", String::as_str)
    }

    /// The host that is asked first and those that may be asked instead.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// The hosts that follow this one for one request, in order. One without fallbacks follows itself.
    pub(super) fn others(&self, first: &str) -> Vec<&str> {
        match &*self.all {
            [only] => vec![only; usize::try_from(TRIES).unwrap_or(1) - 1],
            _ => self.all().filter(|host| *host != first).collect(),
        }
    }
}
