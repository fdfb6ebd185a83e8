//! What the operator said about key and app: as values, before anything is looked up.

use std::fmt;

use crate::api_key::ApiKey;
use crate::secret::form::Typed;

/// What the operator said about key and app.
#[derive(Debug)]
pub struct Wanted {
    /// Which of an app's keys.
    pub choice: Option<KeyChoice>,
    /// The app, with the option or variable that names it.
    pub app: Option<(String, &'static str)>,
    /// Whether a key may be asked for.
    pub may_prompt: bool,
}

/// Which of an app's keys is to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChoice {
    /// `--key`: its ID, `appId.keyId`, or its name.
    Named(String),
    /// The key that signed a leaked token, `appId.keyId`: no other can revoke it.
    Signer(String),
}

impl KeyChoice {
    /// Whether a key is meant, as far as its own text tells.
    pub fn is(&self, key: &ApiKey) -> bool {
        match self {
            Self::Named(choice) => choice == key.name() || choice == key.id(),
            Self::Signer(name) => name == key.name(),
        }
    }

    /// Whether a key of this name is meant. A token names its key by ID alone.
    pub fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::Named(choice) if choice == name)
    }
}

impl fmt::Display for KeyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(choice) => write!(f, "--key asks for {}", Typed(choice)),
            Self::Signer(name) => write!(f, "the token was signed with key {name}"),
        }
    }
}

/// An app as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRef {
    /// Its ID.
    pub id: String,
    /// Its name, where that is known.
    pub name: Option<String>,
}

impl fmt::Display for AppRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} ({name})", self.id),
            None => f.write_str(&self.id),
        }
    }
}
