//! The key that an option, a variable or a file hands over.

use std::path::Path;

use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::error::Problem;
use crate::file;
use crate::request::settings::KeyPlace;
use crate::request::which_keys::HandedOver;
use crate::secret::redactor::Redactor;
use crate::text::Safe;

/// The longest key file that is read, in bytes.
const LIMIT: u64 = 64 << 10;
/// What to do about a text that is no key.
pub const FORM: &str = "a key has the form appId.keyId:secret, without quotes or a name before it; copy it whole from the dashboard";

/// Reads the key of a place. The redactor learns what is there, whether it is a key or not.
///
/// # Errors
/// The file cannot be read, or what is there is no key. No message holds a part of it.
pub fn read(place: KeyPlace, redactor: &Redactor) -> Result<HandedOver, Problem> {
    let (text, source) = match place {
        KeyPlace::Text(text, named_by) => {
            let text = text.into_string();
            let text = text.map_err(|_| Problem::new(format!("{named_by} is not UTF-8"), FORM))?;
            (Zeroizing::new(text), named_by.to_owned())
        }
        KeyPlace::File(path, named_by) => {
            (of_file(&path, named_by)?, format!("{named_by} {}", file::shown(&path)))
        }
    };
    redactor.add_given_key(&text);
    parse(&text, &source).map(|key| HandedOver { key, source })
}

/// Reads a key; `source` is where it comes from.
///
/// # Errors
/// It has not the form of a key.
pub fn parse(text: &str, source: &str) -> Result<ApiKey, Problem> {
    ApiKey::parse(text).map_err(|what| {
        Problem::new(format!("the API key from {source} cannot be used: {what}"), FORM)
    })
}

fn of_file(path: &Path, named_by: &str) -> Result<Zeroizing<String>, Problem> {
    let shown = file::shown(path);
    let bytes = Zeroizing::new(file::read_named(path, LIMIT, named_by, &shown)?);
    let wrong = |what: &str| {
        Problem::new(
            format!("{named_by}: {} {what}", Safe(&shown)),
            "the file must hold an API key, appId.keyId:secret, and nothing else",
        )
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not UTF-8 text"))?;
    match text.trim().is_empty() {
        true => Err(wrong("is empty")),
        false => Ok(Zeroizing::new(text.to_owned())),
    }
}
