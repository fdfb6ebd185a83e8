//! The key that serves, its app, and where both came from. Every text about a run names them.

use std::fmt;
use std::path::PathBuf;

use crate::api_key::ApiKey;
use crate::error::{Error, Problem};
use crate::file;
use crate::net::endpoint::Endpoint;
use crate::request::targets::{Kind, Targets};
use crate::request::which_keys::AppRef;
use crate::secret::form::Typed;

/// A key, its app, and where they came from.
#[derive(Debug)]
pub struct Credentials {
    /// The key.
    pub key: ApiKey,
    /// Its source.
    pub source: Source,
    /// The app's name, where it is known.
    pub app_name: Option<String>,
    /// What named the app.
    pub app_source: &'static str,
    /// The endpoint of the account that the key came from.
    pub endpoint: Option<String>,
    /// Whether the Control API was asked.
    pub asked_control: bool,
}

impl Credentials {
    /// Makes sure that no target holds the key's secret, pasted in the wrong place: it would be
    /// shown.
    ///
    /// # Errors
    /// One is.
    pub fn check_targets(&self, targets: &Targets) -> Result<(), Error> {
        let value =
            |target: &str| Kind::split(target).is_some_and(|(_, value)| self.key.is_in(value));
        if !targets.may_hold(self.key.secret()) || !targets.iter().any(value) {
            return Ok(());
        }
        Err(Error::input(
            "a target is the API key or its secret",
            "give a client ID there; the key belongs into ABLY_API_KEY or --api-key-file",
        ))
    }

    /// The endpoint that was asked for, else the account's, else the default.
    ///
    /// # Errors
    /// The account's endpoint is none.
    pub fn endpoint(&self, asked_for: Option<&Endpoint>) -> Result<Endpoint, Error> {
        match (asked_for, &self.endpoint) {
            (Some(endpoint), _) => Ok(endpoint.clone()),
            (None, None) => Ok(Endpoint::default()),
            (None, Some(value)) => Endpoint::parse(value).map_err(|Problem { message, remedy }| {
                Error::input(format!("in the configuration, {message}"), remedy)
            }),
        }
    }
}

/// Where a key came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `--api-key`.
    Option,
    /// A file, with the option or variable that named it.
    File(&'static str, PathBuf),
    /// `ABLY_API_KEY`.
    Variable,
    /// The full CLI's configuration, with the account's name.
    Configuration(String),
    /// The Control API.
    ControlApi,
    /// Typed at the hidden prompt.
    Prompt,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--api-key"),
            Self::File(named_by, path) => write!(f, "{named_by} {}", file::shown(path)),
            Self::Variable => f.write_str("ABLY_API_KEY"),
            Self::Configuration(account) => write!(f, "configuration (account {account})"),
            Self::ControlApi => f.write_str("Control API"),
            Self::Prompt => f.write_str("the hidden prompt"),
        }
    }
}

/// A key of another app is refused, wherever the two came from.
pub fn other_app(
    key: &ApiKey,
    source: &Source,
    app: &str,
    named_by: &str,
    known: Option<AppRef>,
) -> Error {
    let own = key.app_id();
    let remedy = match known {
        Some(_) => "nothing was sent; use a key of that app, or leave the app out".to_owned(),
        None => format!(
            "nothing was sent; use a key of that app, or leave the app out; if that is the name of \
             {own}, give the ID, or set ABLY_ACCESS_TOKEN so that the name can be looked up"
        ),
    };
    let asked_for = known.map_or_else(|| Typed(app).to_string(), |known| known.to_string());
    let key = key.name();
    let message = format!(
        "the key {key} from {source} belongs to app {own}, but {named_by} asks for app {asked_for}"
    );
    Error::input(message, remedy)
}
