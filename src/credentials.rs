//! Which key serves, and for which app (CONTRACT section 3). Nothing is sent before both are
//! certain.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::file;
use crate::key::ApiKey;
use crate::prompt;
use crate::signals::Signals;
use crate::text::Safe;

/// The longest key file that is read, in bytes.
const KEY_FILE_LIMIT: u64 = 64 << 10;
const WAYS: &str = "give it with ABLY_API_KEY, --api-key-file FILE (or - for standard input), \
    ABLY_API_KEY_FILE or --api-key, or run on a terminal to be asked";

/// What the operator said about key and app.
#[derive(Debug)]
pub struct Wanted {
    /// `--api-key`.
    pub key: Option<OsString>,
    /// `--api-key-file`.
    pub key_file: Option<PathBuf>,
    /// The app, with the option or variable that names it.
    pub app: Option<(String, &'static str)>,
    /// Whether a question may be asked.
    pub may_ask: bool,
}

/// A key and where it came from.
#[derive(Debug)]
pub struct Credentials {
    /// The key.
    pub key: ApiKey,
    /// Its source.
    pub source: Source,
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
    /// Typed at the hidden prompt.
    Prompt,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--api-key"),
            Self::File(named_by, path) => write!(f, "{named_by} {}", path.display()),
            Self::Variable => f.write_str("ABLY_API_KEY"),
            Self::Prompt => f.write_str("prompt"),
        }
    }
}

/// Finds the key and checks that it belongs to the app that was asked for.
///
/// # Errors
/// No key, a malformed one, or one of another app. No message holds a secret.
pub fn find(wanted: &Wanted, env: Environment, signals: &Signals) -> Result<Credentials, Error> {
    let (text, source) = match given(wanted, env)? {
        Some(given) => given,
        None if wanted.may_ask && prompt::can_ask_for_key() => (
            prompt::hidden(signals, "Ably API key (not shown): ")?,
            Source::Prompt,
        ),
        None => return Err(none_found(env)),
    };
    let key = ApiKey::parse(&text).map_err(|what| {
        Error::input(
            format!(
                "the API key from {} cannot be used: {what}",
                Safe(&source.to_string())
            ),
            "a key has the form appId.keyId:secret; copy it whole from the dashboard",
        )
    })?;
    if let Some((app, named_by)) = &wanted.app {
        check_app(&key, app, named_by)?;
    }
    Ok(Credentials { key, source })
}

/// A key that was handed over by option, variable or file, in their order.
fn given(wanted: &Wanted, env: Environment) -> Result<Option<(Zeroizing<String>, Source)>, Error> {
    if let Some(key) = &wanted.key {
        let text = key.to_str().unwrap_or_default().to_owned();
        return Ok(Some((Zeroizing::new(text), Source::Option)));
    }
    if let Some(path) = &wanted.key_file {
        return from_file(path, "--api-key-file").map(Some);
    }
    if let Some(key) = env.text("ABLY_API_KEY").map_err(Error::Input)? {
        return Ok(Some((Zeroizing::new(key), Source::Variable)));
    }
    match env.raw("ABLY_API_KEY_FILE") {
        Some(path) => from_file(Path::new(&path), "ABLY_API_KEY_FILE").map(Some),
        None => Ok(None),
    }
}

fn from_file(path: &Path, named_by: &'static str) -> Result<(Zeroizing<String>, Source), Error> {
    let read = if path == Path::new("-") {
        file::read_from(io::stdin().lock(), KEY_FILE_LIMIT)
    } else {
        file::read(path, KEY_FILE_LIMIT)
    };
    let shown = path.display().to_string();
    let problem = |what: &str| {
        Error::Input(Problem::new(
            format!("{named_by}: {} {what}", Safe(&shown)),
            "the file must hold an API key, appId.keyId:secret, and nothing else",
        ))
    };
    let bytes = Zeroizing::new(
        read.map_err(|error| problem(&format!("cannot be read: {}", file::reason(&error))))?,
    );
    let text = std::str::from_utf8(&bytes).map_err(|_| problem("is not UTF-8 text"))?;
    if text.trim().is_empty() {
        return Err(problem("is empty"));
    }
    Ok((
        Zeroizing::new(text.to_owned()),
        Source::File(named_by, path.to_owned()),
    ))
}

fn check_app(key: &ApiKey, app: &str, named_by: &str) -> Result<(), Error> {
    if key.app_id() == app {
        return Ok(());
    }
    Err(Error::input(
        format!(
            "the key {} belongs to app {}, but {named_by} asks for app {}",
            Safe(key.name()),
            Safe(key.app_id()),
            Safe(app)
        ),
        "nothing was sent; use a key of that app, or leave the app out",
    ))
}

fn none_found(env: Environment) -> Error {
    let empty = env.empty_ones(&["ABLY_API_KEY", "ABLY_API_KEY_FILE"]);
    let mut message = "no API key".to_owned();
    if !empty.is_empty() {
        message.push_str(&format!(": {} is set but empty", empty.join(" and ")));
    } else if env.raw("ABLY_TOKEN").is_some() {
        message.push_str(": there is ABLY_TOKEN, but a token cannot revoke (Ably error 40162)");
    }
    Error::input(message, WAYS)
}
