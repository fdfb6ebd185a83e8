//! The API key: `appId.keyId:secret`. Its name may be shown, its secret never.

use std::fmt;

use crate::secret::Secret;

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

    /// Whether a text is this very key.
    pub fn is(&self, text: &str) -> bool {
        self.whole.expose() == text
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
        ] {
            let problem = ApiKey::parse(bad).expect_err(bad);
            assert!(!problem.contains("s3"), "{bad}: {problem}");
        }
    }
}
