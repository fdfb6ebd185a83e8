//! What must never be shown: wiped when dropped, told by its form, taken out of every text that comes
//! from outside.

pub(crate) mod jwt;
pub(crate) mod parts;
pub mod redactor;
pub mod shape;

use std::fmt;

use zeroize::Zeroizing;

/// What stands in place of a secret.
const SHOWN_INSTEAD: &str = "[secret]";

/// A secret text. No `Display`, `Clone` or `Deref`; `expose` is the one way to read it.
pub struct Secret(Zeroizing<String>);

impl Secret {
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
