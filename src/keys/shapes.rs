//! An app, a key at hand, and a key with its app: the same wherever they come from.

use std::fmt;

use crate::api_key::ApiKey;
use crate::error::Problem;
use crate::net::endpoint::Endpoint;
use crate::request::which_keys::HandedOver;

/// An app as the configuration or the Control API knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Ably's ID of it.
    pub id: String,
    /// Its name, where that is known; other apps may have it too.
    pub name: Option<String>,
    /// Whether it can be used, as far as is known.
    pub enabled: bool,
}

impl App {
    /// An app of which nothing is known but its ID.
    pub fn by_id(id: &str) -> Self {
        Self { id: id.to_owned(), name: None, enabled: true }
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} ({name})", self.id),
            None => f.write_str(&self.id),
        }
    }
}

/// A key, whichever source it comes from.
#[derive(Debug)]
pub struct KeyAtHand {
    /// The key.
    pub key: ApiKey,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Whether tokens that it issued can be revoked, where that is known.
    pub revocable: Option<bool>,
    /// Where it comes from: `ABLY_API_KEY`, `Control API`.
    pub source: String,
}

impl From<HandedOver> for KeyAtHand {
    /// Nothing is known of a key that was handed over but where it comes from.
    fn from(HandedOver { key, source }: HandedOver) -> Self {
        Self { key, label: None, revocable: None, source }
    }
}

/// The endpoint of an account, with what names it; or why it cannot be used.
pub type AccountEndpoint = Result<Option<(Endpoint, String)>, Problem>;

/// A key that serves, and its app.
#[derive(Debug)]
pub struct Credential {
    /// The key.
    pub key: ApiKey,
    /// Where it comes from.
    pub source: String,
    /// The app that it belongs to.
    pub app: App,
    /// What named the app.
    pub app_named_by: &'static str,
    /// The endpoint of the account that the key came from, with what names it; or why it cannot
    /// be used, an error only where no other is named.
    pub endpoint: AccountEndpoint,
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "app {}, key {} from {}", self.app, self.key.name(), self.source)
    }
}
