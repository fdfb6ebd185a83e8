//! Text from outside, made safe to show. Arguments, files and Ably's answers may hold escape
//! sequences or characters that reorder a line; none of them reaches a terminal raw.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::OsStrExt;

/// Longest excerpt shown of an answer that is not what it should be, in characters.
pub const EXCERPT_CHARS: usize = 200;

/// So many of a kind are told one by one: targets, tokens, keys, bad lines.
pub const TOLD: usize = 10;

/// Whether a character could move the cursor, hide text or change the order in which it is read; or
/// is none, and serves as a mark in this program.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Shows text with its hostile characters as `\n` or `\u{…}`.
pub struct Safe<'a>(pub &'a str);

impl Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_hostile(*c)) {
            let (clean, tail) = rest.split_at(at);
            f.write_str(clean)?;
            write!(f, "{}", c.escape_default())?;
            (_, rest) = tail.split_at(c.len_utf8());
        }
        f.write_str(rest)
    }
}

/// The beginning of a text, at most `EXCERPT_CHARS` characters, not yet escaped.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(EXCERPT_CHARS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(text.split_at(end).0.to_owned() + "…"),
    }
}

/// A word as every POSIX shell reads it back. What must not reach a terminal as it stands is written
/// for `printf`.
pub fn shell_word(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.contains(is_hostile) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => {
            let escaped = |byte: &u8| match byte {
                b' '..=b'~' if !b"%\\'!".contains(byte) => char::from(*byte).to_string(),
                _ => format!("\\{byte:03o}"),
            };
            let text: String = word.as_bytes().iter().map(escaped).collect();
            format!("\"$(printf '{text}')\"")
        }
    }
}

/// 128 random bits in hex, such as nobody can foresee: std seeds its hash maps from the system.
pub fn random_id() -> String {
    let seeded = RandomState::new();
    format!("{:016x}{:016x}", seeded.hash_one(0), seeded.hash_one(1))
}

/// `1 target`, `2 targets`: a count with its noun.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// `a, b, and 3 more`: the first ten.
pub fn listed(items: impl IntoIterator<Item: Display>) -> String {
    first_ten(items.into_iter().map(|item| item.to_string()), ", ")
}

/// The first ten, and how many more.
pub fn first_ten(mut items: impl Iterator<Item = String>, separator: &str) -> String {
    let mut told: Vec<String> = items.by_ref().take(TOLD).collect();
    let more = items.count();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_lose_their_power() {
        let shown = Safe("a\x1b[2Jb\u{202e}c\u{9b}d\r\n\u{7f}é").to_string();
        assert_eq!(shown, "a\\u{1b}[2Jb\\u{202e}c\\u{9b}d\\r\\n\\u{7f}é");
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        let long = "é".repeat(EXCERPT_CHARS + 1);
        assert_eq!(excerpt(&long).chars().count(), EXCERPT_CHARS + 1);
        assert_eq!(excerpt("short"), "short");
    }
}
