//! The API key: `appId.keyId:secret`. Its name may be shown, its secret never.

use std::fmt;

use crate::secret::Secret;
use crate::secret::redactor::Redactor;

/// What text is quoted with, by shells and by word processors.
const QUOTES: [char; 8] = ['"', '\'', '`', '“', '”', '‘', '’', '„'];

/// How much may stand before a key that is given, up to the key itself, in parts that end in `:` or `=`.
const PREFIXES: usize = 8;

/// An API key. Wiped on drop; `Debug` shows its name alone.
pub struct ApiKey {
    name: String,
    app_end: usize,
    whole: Secret,
}

impl ApiKey {
    /// Reads a key, trimmed of surrounding white space and a byte order mark.
    ///
    /// # Errors
    /// What is wrong with its form, in words that hold no part of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
            return Err("it has quotes around it: leave them out");
        }
        if has_name(text) {
            return Err("it has NAME= before it: leave that out");
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("it has white space or control characters in it");
        }
        let (name, secret) = text.split_once(':').ok_or("it has no ':' before a secret")?;
        let (app, id) = name.split_once('.').ok_or("it has no '.' between app ID and key ID")?;
        if app.is_empty() {
            return Err("its app ID is empty");
        }
        if id.is_empty() {
            return Err("its key ID is empty");
        }
        if !is_id(app) || !is_id(id) {
            return Err("its app ID or key ID has other characters than letters, digits, - and _");
        }
        if secret.is_empty() {
            return Err("its secret is empty");
        }
        Ok(Self { name: name.to_owned(), app_end: app.len(), whole: Secret::new(text.to_owned()) })
    }

    /// Reads a key that is stored somewhere.
    ///
    /// # Errors
    /// As for `parse`.
    pub fn from_secret(secret: &Secret) -> Result<Self, &'static str> {
        Self::parse(secret.expose())
    }

    /// The key name, `appId.keyId`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ID of the app that the key belongs to.
    pub fn app_id(&self) -> &str {
        self.name.get(..self.app_end).unwrap_or_default()
    }

    /// Whether a text holds this key or its secret. A short secret may stand in many a word, so it
    /// counts only where it is the whole text.
    pub fn is_in(&self, text: &str) -> bool {
        let secret = self.secret();
        text.trim() == secret
            || text.contains(if secret.len() < 8 { self.expose() } else { secret })
    }

    /// Lets a redactor know its secret, and all of it as a header has it. Its name may be shown.
    pub fn hide(&self, redactor: &Redactor) {
        redactor.add(self.secret());
        redactor.add_base64(self.expose());
    }

    /// What follows the name.
    pub(crate) fn secret(&self) -> &str {
        self.whole.expose().get(self.name.len() + 1..).unwrap_or_default()
    }

    /// The key's own ID.
    pub fn id(&self) -> &str {
        self.name.get(self.app_end + 1..).unwrap_or_default()
    }

    /// The whole key, for the authorization header.
    pub(crate) fn expose(&self) -> &str {
        self.whole.expose()
    }
}

/// Lets a redactor know what was given as a key, even where it is none: what may be shown of a key is
/// its name, and of another text nothing.
pub fn hide_given(text: &str, redactor: &Redactor) {
    let rests = text.match_indices([':', '=']).filter_map(|(at, _)| text.get(at + 1..));
    let mut candidates = std::iter::once(text).chain(rests).take(PREFIXES);
    if let Some(key) = candidates.find_map(|text| ApiKey::parse(text).ok()) {
        return key.hide(redactor);
    }
    let bare = text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c));
    let secret = bare.trim_end_matches('=').rsplit([':', '=']).next();
    redactor.add(secret.unwrap_or_default());
}

/// Whether `NAME=` stands before the key, as `docker --env-file` and `export` have it.
fn has_name(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_- ".contains(&b))
    })
}

fn is_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApiKey").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_trimmed_and_taken_apart() {
        let key = ApiKey::parse("\u{feff} app.id:se:cret\r\n").unwrap();
        assert_eq!((key.name(), key.app_id(), key.expose()), ("app.id", "app", "app.id:se:cret"));
        assert_eq!(format!("{key:?}"), r#"ApiKey("app.id")"#);
    }

    #[test]
    fn what_a_key_is_pasted_with_is_told() {
        for (text, told) in [
            ("'app.id:s3cret'", "quotes"),
            ("\"app.id:s3cret\"", "quotes"),
            ("\u{201c}app.id:s3cret\u{201d}", "quotes"),
            ("ABLY_API_KEY=app.id:s3cret", "NAME="),
            ("export ABLY_API_KEY=app.id:s3cret", "NAME="),
            ("ABLY_API_KEY='app.id:s3cret'", "quotes"),
        ] {
            let problem = ApiKey::parse(text).unwrap_err();
            assert!(problem.contains(told), "{text}: {problem}");
        }
        assert!(ApiKey::parse("app.id:s3cret==").is_ok());
    }

    #[test]
    fn a_malformed_key_is_told_without_its_parts() {
        for bad in [
            "",
            " ",
            "s3cret",
            "app:s3cret",
            "app.id",
            "app.id:",
            ".id:s3cret",
            "app.:s3cret",
            "app.id:s3 cret",
            "app.id:s3\u{7}cret",
            ":s3cret",
            "a b.id:s3cret",
            "app/x.id:s3cret",
            "app.i.d:s3cret",
            "app.id/../1:s3cret",
            "app.id?x#y:s3cret",
            "app.id%2F1:s3cret",
            "../x.id:s3cret",
            "app.i\u{202e}d:s3cret",
            "app.id:\u{1b}s3cret",
        ] {
            let problem = ApiKey::parse(bad).expect_err(bad);
            assert!(!problem.contains("s3"), "{bad}: {problem}");
        }
    }
}
