//! An app; a key with all that is known of it, made once wherever it comes from and only carried
//! after; and which keys are wanted.

use std::fmt;

use crate::api_key::ApiKey;
use crate::error::Problem;
use crate::net::endpoint::Endpoint;
use crate::text::listed;

/// An app as the configuration or the Control API knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: String,
    /// Other apps may have it too.
    pub name: Option<String>,
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

/// The endpoint of an account with what names it, or why it cannot be used: an error only where no
/// other endpoint is named.
pub type AccountEndpoint = Result<Option<(Endpoint, String)>, Problem>;

/// A key at hand.
#[derive(Debug)]
pub struct Key {
    pub api_key: ApiKey,
    /// `ABLY_API_KEY`, `--api-key-file /run/secrets/ably`, `Control API`.
    pub source: String,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Whether tokens that it issued can be revoked, where that is known.
    pub revocable: Option<bool>,
    pub app: App,
    /// What named the app.
    pub app_named_by: &'static str,
    /// A key goes to its own account's endpoint, never to another's.
    pub endpoint: AccountEndpoint,
}

impl Key {
    /// A key of which nothing is known but where it comes from.
    pub fn new(api_key: ApiKey, source: impl Into<String>) -> Self {
        let app = App::by_id(api_key.app_id());
        Self {
            api_key,
            source: source.into(),
            label: None,
            revocable: None,
            app,
            app_named_by: "the key",
            endpoint: Ok(None),
        }
    }

    /// The key name, `appId.keyId`.
    pub fn name(&self) -> &str {
        self.api_key.name()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "app {}, key {} from {}", self.app, self.name(), self.source)
    }
}

/// Which of the keys at hand are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The only one there is.
    Any,
    /// The one of this ID, `appId.keyId`, or name (`--key`).
    Named(String),
    /// Every key of the app that can revoke (`--all-keys`).
    All,
    /// Those that signed the leaked tokens, by `appId.keyId`: no others can revoke them.
    Signers(Vec<String>),
}

impl Choice {
    /// Whether a key is meant by its own name; `label` is what its owner calls it.
    pub(super) fn is(&self, key: &Key, label: Option<&str>) -> bool {
        match self {
            Self::Any | Self::All => true,
            Self::Named(name) => {
                name == key.name() || name == key.api_key.id() || label == Some(name)
            }
            Self::Signers(names) => names.iter().any(|name| name == key.name()),
        }
    }
}

impl fmt::Display for Choice {
    /// The beginning of a sentence about a key that is not there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("a key is needed"),
            Self::All => f.write_str("--all-keys asks for all keys"),
            Self::Named(name) => write!(f, "--key asks for {name}"),
            Self::Signers(names) => match names.as_slice() {
                [name] => write!(f, "the token was signed with key {name}"),
                names => write!(f, "the tokens were signed with other keys: {}", listed(names)),
            },
        }
    }
}
