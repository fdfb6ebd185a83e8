//! What must never be shown: wiped when dropped, taken out of every text that comes from outside.

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

const SHOWN_INSTEAD: &str = "[secret]";

/// A secret text. No `Display`, `Clone` or `Deref`; `expose` is the one way to read it.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Called where a header is made and where texts are scrubbed, nowhere else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN_INSTEAD)
    }
}

/// Takes known secrets out of text that a server sent, should it echo them.
#[derive(Debug, Default)]
pub struct Scrubber(Vec<Secret>);

impl Scrubber {
    /// Adds a text that must not be shown. The empty text is no secret.
    pub fn add(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.0.push(Secret::new(secret.to_owned()));
        }
    }

    /// The text without the secrets, longest first so that no rest of one remains.
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut found: Vec<&str> =
            self.0.iter().map(Secret::expose).filter(|secret| text.contains(secret)).collect();
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let cleaned = found
            .into_iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, SHOWN_INSTEAD));
        Cow::Owned(cleaned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_secret_goes_first() {
        let mut scrubber = Scrubber::default();
        scrubber.add("abc");
        scrubber.add("abcdef");
        scrubber.add("");
        assert_eq!(scrubber.clean("x abcdef y abc"), "x [secret] y [secret]");
        assert!(!format!("{scrubber:?}").contains("abc"));
    }
}
