//! Takes the run's secrets out of text that comes from outside.
//!
//! It looks for known forms: the secret as it stands and in base64 (either alphabet, at any of its
//! three alignments), in the text as it is and once more with percent-encoding and JSON's escapes
//! undone. Pieces of a secret, HTML entities and other codings were looked for once, in five times
//! the code, and are not any more. So a text must be cleaned before it is cut: the piece of a secret
//! that is left at the cut would not be known.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use memchr::memmem;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::secret::SHOWN_INSTEAD;

/// What is shorter is a word that may well stand in other words, so it is taken out where it stands
/// alone.
const WORD: usize = 8;

/// Knows the run's secrets. Clones share what they know, so a secret is told once, when it becomes
/// known, and no text is cleaned with too few.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Mutex<Vec<Zeroizing<Vec<u8>>>>>);

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Adds a text that must not be shown, nor in base64; of a JWT none of its parts either. The empty
    /// text is no secret.
    pub fn add(&self, secret: &str) {
        let parts = secret.split('.').filter(|_| secret.starts_with("ey"));
        for text in parts.chain([secret]) {
            self.learn(text.as_bytes());
            self.add_base64(text);
        }
    }

    /// Adds a text that must not be shown in base64, though parts of it may stand as they are.
    pub fn add_base64(&self, secret: &str) {
        // What stands before it shares its first digits, what stands behind it the last.
        for (before, shared) in [("", 0), ("x", 2), ("xx", 3)] {
            let bytes = Zeroizing::new([before.as_bytes(), secret.as_bytes()].concat());
            let whole = bytes.len() * 4 / 3;
            for engine in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
                let digits = Zeroizing::new(engine.encode(&*bytes));
                match digits.as_bytes().get(shared..whole).filter(|own| own.len() >= WORD) {
                    Some(own) => self.learn(own),
                    None if before.is_empty() => self.learn(digits.as_bytes()),
                    None => {}
                }
            }
        }
    }

    fn learn(&self, form: &[u8]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !form.is_empty() && known.iter().all(|known| known.as_slice() != form) {
            known.push(Zeroizing::new(form.to_vec()));
        }
    }

    /// The text without the secrets.
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.cleaned(text, true)
    }

    /// The same for a message of this program that may repeat a text from elsewhere. A short secret
    /// may be one of its own words, and leaving that out would tell which.
    pub fn clean_message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.cleaned(text, false)
    }

    /// Where a secret stands in escapes, the text is given with all of them undone.
    fn cleaned<'a>(&self, text: &'a str, words: bool) -> Cow<'a, str> {
        let cleaned = self.without(text, words);
        if !cleaned.contains(['%', '\\']) {
            return cleaned;
        }
        let meant = Zeroizing::new(unescaped(&cleaned));
        match self.without(&meant, words) {
            Cow::Owned(meant) => Cow::Owned(meant),
            Cow::Borrowed(_) => cleaned,
        }
    }

    /// Replaces what is known. What touches or overlaps becomes one.
    fn without<'a>(&self, text: &'a str, words: bool) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for form in known.iter().filter(|form| words || form.len() >= WORD) {
            let found = memmem::find_iter(bytes, form.as_slice()).map(|at| (at, at + form.len()));
            spans.extend(found.filter(|span| form.len() >= WORD || stands_alone(bytes, *span)));
        }
        spans.sort_unstable();
        let (mut cleaned, mut end) = (Vec::new(), 0);
        for (from, to) in spans {
            if from > end || cleaned.is_empty() {
                cleaned.extend_from_slice(bytes.get(end..from).unwrap_or_default());
                cleaned.extend_from_slice(SHOWN_INSTEAD.as_bytes());
            }
            end = end.max(to);
        }
        if cleaned.is_empty() {
            return Cow::Borrowed(text);
        }
        cleaned.extend_from_slice(bytes.get(end..).unwrap_or_default());
        Cow::Owned(String::from_utf8_lossy(&cleaned).into_owned())
    }
}

/// Undoes percent-encoding and JSON's escapes.
fn unescaped(text: &str) -> String {
    let text = Zeroizing::new(percent_decode_str(text).decode_utf8_lossy().into_owned());
    let mut meant = String::with_capacity(text.len());
    let mut pieces = text.split('\\');
    meant.extend(pieces.next());
    while let Some(piece) = pieces.next() {
        let code = piece.strip_prefix('u').and_then(|code| code.split_at_checked(4));
        let coded = code.and_then(|(code, rest)| {
            Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, rest))
        });
        let mut rest = piece.chars();
        match (coded, rest.next()) {
            (Some((c, rest)), _) => meant.extend([c.encode_utf8(&mut [0; 4]), rest]),
            (None, Some('n' | 'r' | 't' | 'b' | 'f')) => meant.extend([" ", rest.as_str()]),
            (None, Some(_)) => meant.push_str(piece),
            // An escaped backslash.
            (None, None) => meant.extend(["\\", pieces.next().unwrap_or_default()]),
        }
    }
    meant
}

/// Whether a word is no part of a longer one, of a host or a path: not that in `help.ably.io`, nor
/// that in `can't`.
fn stands_alone(text: &[u8], (from, to): (usize, usize)) -> bool {
    let is_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let joins = |beside: Option<&u8>, beyond: Option<&u8>| match beside {
        Some(b'_' | b'-') => true,
        Some(b'.' | b'/' | b'\'' | b'`') => is_of_word(beyond),
        beside => is_of_word(beside),
    };
    let before = |n: usize| from.checked_sub(n).and_then(|at| text.get(at));
    !joins(before(1), before(2)) && !joins(text.get(to), text.get(to + 1))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    fn knowing(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        secrets.iter().for_each(|secret| redactor.add(secret));
        redactor
    }

    #[test]
    fn every_known_form_is_taken_out() {
        let redactor = knowing(&["abcdefgh1", "abcdefgh1234", "pass/word+ \u{e9}", ""]);
        for (text, cleaned) in [
            ("x abcdefgh1234 y abcdefgh1", "x [secret] y [secret]"),
            ("abcdefgh1abcdefgh1!", "[secret]!"),
            ("%61bcdefgh1%32 a\\u0062cdefgh1", "[secret]2 [secret]"),
            ("pass%2Fword%2b%20%C3%A9|pass\\/word+ \\u00e9", "[secret]|[secret]"),
            ("nothing of it: abcdefg", "nothing of it: abcdefg"),
            ("100% \\ %zz \\u12", "100% \\ %zz \\u12"),
        ] {
            assert_eq!(redactor.clean(text), cleaned);
        }
        assert_eq!(format!("{redactor:?}"), "Redactor");
    }

    #[test]
    fn of_a_token_no_part_is_left() {
        let redactor = knowing(&["eyJhbGciOiJI.eyJ4LWFibHkt.c2lnbmF0dXJl"]);
        let told = "of eyJ4LWFibHkt, c2lnbmF0dXJl.eyJhbGciOiJI and eyJ5";
        assert_eq!(redactor.clean(told), "of [secret], [secret].[secret] and eyJ5");
    }

    #[test]
    fn a_short_secret_is_taken_out_as_a_whole_word_alone() {
        for (secret, text, cleaned) in [
            ("ably", "see https://help.ably.io/error", "see https://help.ably.io/error"),
            (
                "t",
                "Authentication: can't take t, or 't'",
                "Authentication: can't take [secret], or '[secret]'",
            ),
            ("secret", "secret: abcdefghi secrets", "[secret]: [secret] secrets"),
            ("pw", "http://user:pw@host pw. pw.x", "http://user:[secret]@host [secret]. pw.x"),
            ("t", "Bearer dA", "Bearer [secret]"),
            ("t", "eHQ is that of xt", "eHQ is that of xt"),
            ("pw", "\u{fffd}pw|pw*pw-x", "\u{fffd}[secret]|[secret]*pw-x"),
            ("p\u{e9}", "a=p%C3%A9&b", "a=[secret]&b"),
        ] {
            assert_eq!(knowing(&[secret, "abcdefghi"]).clean(text), cleaned, "{secret}");
        }
    }

    #[test]
    fn clones_share_what_becomes_known() {
        let (first, second) = (Redactor::default(), Redactor::default());
        let clone = first.clone();
        first.add("later-known");
        assert_eq!(clone.clean("later-known"), SHOWN_INSTEAD);
        assert_eq!(second.clean("later-known"), "later-known");
    }

    proptest! {
        #[test]
        fn no_form_of_a_secret_survives(
            secret in r#"[A-Za-z0-9_:./+=@" \\-]{8,60}"#,
            (before, after) in ("[a-z \u{e9}]{0,5}", "[a-z \u{e9}]{0,5}"),
            how in 0usize..7,
        ) {
            let each = |write: &dyn Fn(u8) -> String| secret.bytes().map(write).collect::<String>();
            let mut quoted = String::new();
            crate::json::quote(&mut quoted, &secret);
            // What of base64 has bits of the secret alone.
            let base64 = BASE64_STANDARD.encode(format!("{before}{secret}{after}"));
            let own = (before.len() * 4).div_ceil(3)..(before.len() + secret.len()) * 4 / 3;
            let (written, own) = match how {
                0 => (secret.clone(), secret.clone()),
                1 => (each(&|byte| format!("%{byte:02x}")), secret.clone()),
                2 => (each(&|byte| format!("\\u{byte:04X}")), secret.clone()),
                3 => (quoted, secret.clone()),
                4 => (base64.replace('=', "%3D"), base64[own].to_owned()),
                5 => (base64.replace(['+', '/'], "%"), String::new()),
                _ => {
                    let base64 = BASE64_URL_SAFE.encode(format!("{before}{secret}{after}"));
                    (base64.clone(), base64[own].to_owned())
                }
            };
            let text = format!("{before}{written}{after}");
            let redactor = knowing(&["another-one", &secret]);
            let left = redactor.clean(&text).into_owned();
            let meant = unescaped(&left).replace(SHOWN_INSTEAD, "\n");
            prop_assert!(own.is_empty() || !meant.contains(&own), "{own} in {left:?} of {text:?}");
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"([%&#x;<>=\\u0-9a-f \n]|\PC){0,60}"#) {
            let _ = knowing(&["s3cret-ab", "t", "\u{e9}\u{20ac}", "%61%62%63%64", "\\u0061bcdef"]).clean(&text);
        }

        #[test]
        fn text_without_a_secret_stays_as_it_is(text in "[a-z &%<\\\\=]{0,80}") {
            prop_assert_eq!(knowing(&["S3CRET-12345"]).clean(&text), text.as_str());
        }
    }
}
