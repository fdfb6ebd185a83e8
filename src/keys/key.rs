//! An app; a key with all that is known of it, made once wherever it comes from and only carried
//! after; and which keys are wanted.

use std::collections::BTreeSet;
use std::fmt;

use crate::api_key::ApiKey;
use crate::error::Problem;
use crate::net::endpoint::Endpoint;
use crate::secret::shape::Typed;
use crate::text::listed;

/// An app as the configuration or the Control API knows it.
#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    /// Other apps may have it too.
    pub name: Option<String>,
    pub enabled: bool,
    /// What made it the app of the run: an option, a variable, the key.
    pub named_by: &'static str,
}

impl App {
    /// An app of which nothing is known but its ID.
    pub fn by_id(id: &str) -> Self {
        Self { id: id.to_owned(), name: None, enabled: true, named_by: "the key" }
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Typed(&self.id).fmt(f)?;
        self.name.iter().try_for_each(|name| write!(f, " ({name})"))
    }
}

/// The endpoint of an account with what names it, or why it cannot be used: an error only where no
/// other endpoint is named.
pub type AccountEndpoint = Result<Option<(Endpoint, String)>, Problem>;

#[derive(Debug)]
pub struct Key {
    pub api_key: ApiKey,
    /// `ABLY_API_KEY`, `--api-key-file /run/secrets/ably`, `Control API`.
    pub source: String,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Known to issue tokens that cannot be revoked.
    pub irrevocable: bool,
    pub app: App,
    /// A key goes to its own account's endpoint, never to another's.
    pub endpoint: AccountEndpoint,
}

impl Key {
    pub fn new(api_key: ApiKey, source: impl Into<String>) -> Self {
        let (app, source) = (App::by_id(api_key.app_id()), source.into());
        Self { api_key, source, label: None, irrevocable: false, app, endpoint: Ok(None) }
    }

    pub fn name(&self) -> &str {
        self.api_key.name()
    }

    /// `APP1.key2 from configuration (account work)`.
    pub(super) fn shown(&self) -> String {
        format!("{} from {}", self.name(), self.source)
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        id == self.name() || id == self.api_key.id()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "app {}, key {}", self.app, self.shown())
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
    /// Those that signed the leaked tokens, by `appId.keyId`: no others can revoke them. The search
    /// takes out what it has found.
    Signers(BTreeSet<String>),
}

impl Choice {
    /// Whether a key is meant.
    pub(super) fn is(&self, key: &Key) -> bool {
        match self {
            Self::Any | Self::All => true,
            Self::Named(name) => key.has_id(name) || key.label.as_ref() == Some(name),
            Self::Signers(names) => names.contains(key.name()),
        }
    }

    /// What asks for certain keys, if they are not any.
    pub(super) fn asked(&self) -> Option<String> {
        match self {
            Self::Any | Self::All => None,
            Self::Named(name) => Some(format!("--key asks for {name}")),
            Self::Signers(names) if names.len() == 1 => {
                Some(format!("the token was signed with key {}", listed(names)))
            }
            Self::Signers(names) => {
                Some(format!("the tokens were signed with keys {}", listed(names)))
            }
        }
    }
}
