//! What the operator said about keys and app: as values, before anything is looked up.

use std::fmt;

use crate::api_key::ApiKey;
use crate::text::listed;

/// What the operator said about keys and app.
#[derive(Debug)]
pub struct WhichKeys {
    /// The keys of an option, a variable or a file, each once; several only for `All` and `Signers`.
    pub handed_over: Vec<HandedOver>,
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

/// Which keys are to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Whichever there is, if it is the only one.
    Any,
    /// The one of this ID, `appId.keyId`, or name (`--key`).
    Named(String),
    /// Every key of the app that can revoke (`--all-keys`).
    All,
    /// Those that signed the leaked tokens, by `appId.keyId`: no others can revoke them.
    Signers(Vec<String>),
}

impl Choice {
    /// Whether a key is meant, by its own text or by what its owner calls it.
    pub fn is(&self, key: &ApiKey, label: Option<&str>) -> bool {
        match self {
            Self::Any | Self::All => true,
            Self::Named(choice) => {
                choice == key.name() || choice == key.id() || label == Some(choice)
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
            Self::Named(choice) => write!(f, "--key asks for {choice}"),
            Self::Signers(names) => match names.as_slice() {
                [name] => write!(f, "the token was signed with key {name}"),
                names => write!(f, "the tokens were signed with other keys{}", listed(names)),
            },
        }
    }
}
