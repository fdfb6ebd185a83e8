//! The hosts of one service: the primary one and its fallbacks (RSC15).

use crate::net::endpoint::Endpoint;

/// How often one host is asked before its failure counts.
pub(super) const TRIES: u32 = 3;

/// The hosts of one service. The one that answered serves the rest of the run.
#[derive(Debug, Clone)]
pub struct Hosts {
    primary: String,
    fallbacks: Vec<String>,
    preferred: String,
}

impl Hosts {
    /// An endpoint's hosts: the primary one, and up to three fallbacks in random order.
    pub fn of(endpoint: &Endpoint) -> Self {
        Self {
            primary: endpoint.primary().to_owned(),
            fallbacks: endpoint.random_fallbacks(),
            preferred: endpoint.primary().to_owned(),
        }
    }

    /// One host without fallbacks.
    pub fn single(authority: &str) -> Self {
        let authority = authority.to_owned();
        Self { primary: authority.clone(), fallbacks: Vec::new(), preferred: authority }
    }

    /// Whether there is no other host to ask.
    pub(super) fn is_single(&self) -> bool {
        self.fallbacks.is_empty()
    }

    /// The one that answered serves from now on.
    pub(super) fn prefer(&mut self, host: &str) {
        host.clone_into(&mut self.preferred);
    }

    /// The host that is asked first.
    pub fn preferred(&self) -> &str {
        &self.preferred
    }

    /// The host that is asked first and those that may be asked instead.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.primary).chain(&self.fallbacks).map(String::as_str)
    }

    /// The hosts that follow for one request, in order. One without fallbacks follows itself.
    pub(super) fn others(&self) -> Vec<String> {
        if self.fallbacks.is_empty() {
            return vec![self.preferred.clone(); usize::try_from(TRIES).unwrap_or(1) - 1];
        }
        let others = self.all().filter(|host| *host != self.preferred);
        others.take(self.fallbacks.len()).map(str::to_owned).collect()
    }
}
