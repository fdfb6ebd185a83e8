//! The keys that an option, a variable or a file hands over.

use std::path::Path;

use zeroize::Zeroizing;

use crate::api_key::{ApiKey, hide_given};
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

/// Reads the keys of a place, each once: of a text one, of a file one a line. The redactor learns
/// what is there, whether it is a key or not.
///
/// # Errors
/// The file cannot be read, or what is there is no key. No message holds a part of it.
pub fn read(place: KeyPlace, redactor: &Redactor) -> Result<Vec<HandedOver>, Problem> {
    match place {
        KeyPlace::Text(text, named_by) => {
            let text = text.into_string();
            let text = text.map_err(|_| Problem::new(format!("{named_by} is not UTF-8"), FORM))?;
            let text = Zeroizing::new(text);
            hide_given(&text, redactor);
            let key = parse(&text, named_by)?;
            Ok(vec![HandedOver { key, source: named_by.to_owned() }])
        }
        KeyPlace::File(path, named_by) => of_file(&path, named_by, redactor),
    }
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

fn of_file(path: &Path, named_by: &str, redactor: &Redactor) -> Result<Vec<HandedOver>, Problem> {
    let shown = file::shown(path);
    let bytes = Zeroizing::new(file::read_named(path, LIMIT, named_by, &shown)?);
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
    let lines: Vec<_> = (1..).zip(text.lines()).filter(|(_, line)| is_key(line)).collect();
    if lines.is_empty() {
        return Err(wrong(if text.trim().is_empty() { "is empty" } else { "holds no key" }));
    }
    let source = format!("{named_by} {shown}");
    let mut keys: Vec<HandedOver> = Vec::new();
    for (number, line) in &lines {
        let key = match lines.len() {
            1 => parse(line, &source)?,
            _ => parse(line, &format!("{source} line {number}"))?,
        };
        match keys.iter().find(|known| known.key.name() == key.name()) {
            None => keys.push(HandedOver { key, source: source.clone() }),
            Some(known) if known.key.expose() == key.expose() => {}
            Some(_) => {
                let name = key.name();
                return Err(wrong(&format!("holds key {name} twice, with different secrets")));
            }
        }
    }
    Ok(keys)
}
