//! The API key: `appId.keyId:secret`. Its name may be shown, its secret never.

use std::fmt;

use crate::secret::Secret;
use crate::secret::parts::is_key_name;
use crate::secret::redactor::Redactor;
use crate::secret::shape::inner;

/// What text is quoted with, by shells and by word processors.
const QUOTES: [char; 8] = ['"', '\'', '`', '“', '”', '‘', '’', '„'];

/// So many parts that end in `:` or `=` may stand before a key that is given.
const PREFIXES: usize = 8;

/// An API key. Wiped on drop; `Debug` shows its name alone.
pub struct ApiKey {
    name: String,
    whole: Secret,
}

impl ApiKey {
    /// Reads a key, trimmed of surrounding white space and a byte order mark.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
            return Err("it has quotes around it: leave them out");
        }
        if is_base64(text) {
            return Err("it is in base64: decode it (a Kubernetes Secret takes base64 once under \
                        data, and none under stringData)");
        }
        if has_name(text) {
            return Err("it has NAME= before it: leave that out");
        }
        let is_several = pieces(text).filter(|piece| has_form(piece)).count() > 1;
        if is_several || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(
                "it has white space or control characters in it, or is several keys: those \
                        go into a file, one a line, for --api-key-file and --all-keys",
            );
        }
        let (name, secret) = text.split_once(':').ok_or("it has no ':' before a secret")?;
        if !is_key_name(name) {
            return Err("its name is not appId.keyId, both of letters, digits, - and _");
        }
        if secret.is_empty() {
            return Err("its secret is empty");
        }
        Ok(Self { name: name.to_owned(), whole: Secret::new(text.to_owned()) })
    }

    /// The key name, `appId.keyId`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn app_id(&self) -> &str {
        app_of(&self.name)
    }

    pub fn id(&self) -> &str {
        self.name.split_at(self.app_id().len() + 1).1
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

    pub(crate) fn secret(&self) -> &str {
        self.expose().split_at(self.name.len() + 1).1
    }

    pub(crate) fn expose(&self) -> &str {
        self.whole.expose()
    }
}

/// The app of a key name, `appId.keyId`.
pub(crate) fn app_of(key_name: &str) -> &str {
    key_name.split_once('.').map_or(key_name, |(app, _)| app)
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApiKey").field(&self.name).finish()
    }
}

/// Lets a redactor know what was given as a key or as several, even where it is none: what may be
/// shown of a key is its name, and of another text nothing.
pub fn hide_given(text: &str, redactor: &Redactor) {
    let is_key = |piece| key_in(piece).map(|key| key.hide(redactor)).is_some();
    if pieces(text).filter(|piece| !is_key(piece)).count() == 0 {
        return;
    }
    let bare = text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c));
    let bare = bare.trim_end_matches('=');
    redactor.add(bare.rsplit([':', '=']).next().unwrap_or(bare));
    if let Some(inner) = inner(text.trim()) {
        hide_given(&inner, redactor);
    }
}

/// A key, with whatever names stand before it.
fn key_in(text: &str) -> Option<ApiKey> {
    let rests = text.match_indices([':', '=']).filter_map(|(at, _)| text.get(at + 1..));
    std::iter::once(text).chain(rests).take(PREFIXES).find_map(|text| ApiKey::parse(text).ok())
}

/// What may be keys of their own, where several are given at once.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    pieces.map(|piece| piece.trim_matches(QUOTES)).filter(|piece| !piece.is_empty())
}

fn has_form(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, secret)| is_key_name(name) && !secret.is_empty())
}

/// Whether a text is base64 of a key, once or twice.
fn is_base64(text: &str) -> bool {
    inner(text.trim()).is_some_and(|inner| has_form(&inner) || is_base64(&inner))
}

/// Whether `NAME=` stands before the key, as `docker --env-file` and `export` have it.
fn has_name(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_- ".contains(&b))
    })
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
            ("app.id:s3cret\napp.id2:s3cret2", "several keys"),
            ("app.id:s3cret app.id2:s3cret2", "several keys"),
            ("app.id:s3cret, app.id2:s3cret2", "several keys"),
            ("YXBwLmlkOnMzY3JldA==", "base64"),
            ("YXBwLmlkOnMzY3JldAo", "base64"),
            ("WVhCd0xtbGtPbk16WTNKbGRBPT0=", "base64"),
        ] {
            let problem = ApiKey::parse(text).unwrap_err();
            assert!(problem.contains(told), "{text}: {problem}");
        }
        assert!(ApiKey::parse("app.id:s3cret==").is_ok());
    }

    #[test]
    fn whatever_is_given_as_a_key_is_hidden() {
        for given in [
            "app.id:s3cret-marker",
            "ABLY_API_KEY='app.id:s3cret-marker'",
            "s3cret-marker",
            "app.id :s3cret-marker",
            "app.id:s3cret-marker, app.id2:other",
            "app.id2:other app.id:s3cret-marker",
            "app.id2:other \"app.id:s3cret-marker\"",
            "YXBwLmlkOnMzY3JldC1tYXJrZXI=",
        ] {
            let redactor = Redactor::default();
            hide_given(given, &redactor);
            let told = "so it is: s3cret-marker, YXBwLmlkOnMzY3JldC1tYXJrZXI=";
            let told = redactor.clean(told).into_owned();
            assert!(!told.contains("s3cret"), "{given}: {told}");
            assert!(given.starts_with("s3") || !told.contains("czY"), "{given}: {told}");
        }
    }

    #[test]
    fn a_key_with_a_short_secret_is_hidden_in_base64_and_known_as_a_whole() {
        let redactor = Redactor::default();
        hide_given("ABLY_API_KEY=app.id:pw", &redactor);
        assert_eq!(redactor.clean("YXBwLmlkOnB3"), "[secret]");
        let [short, long] =
            ["app.id:1234567", "app.id:12345678"].map(|it| ApiKey::parse(it).unwrap());
        assert!(short.is_in(" 1234567\n") && short.is_in("x app.id:1234567"));
        assert!(!short.is_in("x1234567") && long.is_in("x12345678"));
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
