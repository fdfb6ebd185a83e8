//! What the operator said about keys and app: as values, before anything is looked up.

use std::fmt;

use crate::api_key::ApiKey;

/// What the operator said about keys and app.
#[derive(Debug)]
pub struct WhichKeys {
    /// A key of an option, a variable or a file.
    pub handed_over: Option<HandedOver>,
    /// Which of the keys that there are.
    pub choice: Choice,
    /// The app, with the option or variable that names it.
    pub app: Option<(String, &'static str)>,
    /// Whether a key may be asked for.
    pub may_prompt: bool,
}

/// A key that need not be looked up.
#[derive(Debug)]
pub struct HandedOver {
    /// The key.
    pub key: ApiKey,
    /// `--api-key`, `ABLY_API_KEY`, `--api-key-file /run/secrets/ably`.
    pub source: String,
}

/// Which key is to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Whichever there is, if it is the only one.
    Any,
    /// The one of this ID, `appId.keyId`, or name (`--key`).
    Named(String),
    /// The one that signed a leaked token, by `appId.keyId`: no other can revoke it.
    Signer(String),
}

impl Choice {
    /// Whether a key is meant, by its own text or by what its owner calls it.
    pub fn is(&self, key: &ApiKey, label: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Named(choice) => {
                choice == key.name() || choice == key.id() || label == Some(choice)
            }
            Self::Signer(name) => name == key.name(),
        }
    }
}

impl fmt::Display for Choice {
    /// The beginning of a sentence about a key that is not there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("a key is needed"),
            Self::Named(choice) => write!(f, "--key asks for {choice}"),
            Self::Signer(name) => write!(f, "the token was signed with key {name}"),
        }
    }
}
