//! The keys that an option, a variable or a file hands over.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::api_key::{ApiKey, hide_given};
use crate::error::Problem;
use crate::file;
use crate::keys::key::Key;
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::text::Safe;

/// The longest key file that is read, in bytes.
const LIMIT: u64 = 64 << 10;
/// What to do about a text that is no key.
pub const FORM: &str = "a key has the form appId.keyId:secret, without quotes or a name before it; copy it whole from the dashboard";

/// Where keys are handed over, with the option or variable that names that place.
#[derive(Debug)]
pub enum Place {
    /// `--api-key`, `ABLY_API_KEY`.
    Text(OsString, &'static str),
    /// `--api-key-file`, `ABLY_API_KEY_FILE`.
    File(PathBuf, &'static str),
}

impl Place {
    pub fn named_by(&self) -> &'static str {
        match self {
            Self::Text(_, named_by) | Self::File(_, named_by) => named_by,
        }
    }
}

/// Reads the keys of a place: of a text one, of a file one a line. The redactor learns
/// what is there, whether it is a key or not.
pub fn read(place: &Place, redactor: &Redactor, signals: &Signals) -> Result<Vec<Key>, Problem> {
    match place {
        Place::Text(text, named_by) => {
            let not_utf8 = || Problem::new(format!("{named_by} is not UTF-8"), FORM);
            let text = text.to_str().ok_or_else(not_utf8)?;
            hide_given(text, redactor);
            Ok(vec![parse(text, named_by, named_by)?])
        }
        Place::File(path, named_by) => of_file(path, named_by, redactor, signals),
    }
}

/// Reads a key of a source, and of a place there that is told if it is none.
pub fn parse(text: &str, source: &str, place: &str) -> Result<Key, Problem> {
    ApiKey::parse(text).map(|key| Key::new(key, source)).map_err(|what| {
        Problem::new(format!("the API key from {place} cannot be used: {what}"), FORM)
    })
}

fn of_file(
    path: &Path,
    named_by: &str,
    redactor: &Redactor,
    signals: &Signals,
) -> Result<Vec<Key>, Problem> {
    let shown = file::shown(path);
    let bytes = Zeroizing::new(file::read_named(path, LIMIT, named_by, signals)?);
    let wrong = |what: &str| {
        Problem::new(
            format!("{named_by}: {} {what}", Safe(&shown)),
            "the file must hold an API key, appId.keyId:secret, or several, one a line",
        )
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not UTF-8 text"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    hide_given(text, redactor);
    text.lines().for_each(|line| hide_given(line, redactor));
    let is_key = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let source = format!("{named_by} {shown}");
    let mut keys: Vec<Key> = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| is_key(line)) {
        let key = parse(line, &source, &format!("{source} line {number}"))?;
        let mut twins = keys.iter().filter(|known| known.name() == key.name());
        if twins.any(|twin| twin.api_key.expose() != key.api_key.expose()) {
            return Err(wrong(&format!("holds key {} twice, with different secrets", key.name())));
        }
        keys.push(key);
    }
    if keys.is_empty() { Err(wrong("holds no key")) } else { Ok(keys) }
}
