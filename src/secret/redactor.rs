//! Takes the run's secrets out of text that comes from outside.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::secret::decode::{self, Unit};
use crate::secret::{SHOWN_INSTEAD, Secret};

/// So many characters of a secret in a row are not shown. A shorter secret is a word that may well
/// stand in other words, so it is taken out where it stands alone.
const RUN: usize = 8;
/// How often a text may be wrapped: percent-encoded JSON in a page, say.
const LAYERS: usize = 3;

/// Takes the run's secrets out of text that comes from outside. Clones share what they know, so a
/// secret is told once, when it becomes known, and no text is cleaned with too few.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Mutex<Known>>);

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Adds a text that must not be shown, nor in base64. The empty text is no secret.
    pub fn add(&self, secret: &str) {
        let mut known = self.known();
        known.learn(secret.as_bytes());
        known.learn_base64(secret.as_bytes());
    }

    /// Adds a text that must not be shown in base64, though parts of it may stand as they are.
    pub fn add_base64(&self, secret: &str) {
        self.known().learn_base64(secret.as_bytes());
    }

    /// The text without the secrets, however they are wrapped. A run of what is left and what was
    /// cut off never is a secret's, so a text may be cut before or after.
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.cleaned(text, true)
    }

    /// The same for a message of this program that may repeat a text from elsewhere. A short secret
    /// may be one of its own words, and leaving that out would tell which.
    pub fn clean_message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.cleaned(text, false)
    }

    fn cleaned<'a>(&self, text: &'a str, words: bool) -> Cow<'a, str> {
        let mut known = self.known();
        known.sort();
        let words = if words { known.words.as_slice() } else { &[] };
        if known.is_innocent(text) && !words.iter().any(|word| text.contains(word.expose())) {
            return Cow::Borrowed(text);
        }
        let mut spans = Vec::new();
        let mut units = decode::units(text);
        known.find(&units, words, &mut spans);
        for _ in 0..LAYERS {
            if !units.iter().any(|unit| decode::is_sign(unit.byte)) {
                break;
            }
            let undone = decode::undo(&units);
            // Whatever is undone gets shorter.
            if undone.len() == units.len() {
                break;
            }
            units = undone;
            known.find(&units, words, &mut spans);
        }
        without(text, spans)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces spans of a text. Those that touch or overlap become one.
fn without(text: &str, mut spans: Vec<(usize, usize)>) -> Cow<'_, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_unstable();
    let mut cleaned = String::with_capacity(text.len());
    let mut end = None;
    for (from, to) in spans {
        if end.is_none_or(|end| from > end) {
            cleaned.push_str(text.get(end.unwrap_or(0)..from).unwrap_or_default());
            cleaned.push_str(SHOWN_INSTEAD);
        }
        end = end.max(Some(to));
    }
    cleaned.push_str(text.get(end.unwrap_or(0)..).unwrap_or_default());
    Cow::Owned(cleaned)
}

/// Every run of every secret as a number, so that one pass finds them all.
struct Known {
    runs: Zeroizing<Vec<u64>>,
    sorted: bool,
    /// A bit for each run's hash: tells most texts apart from secrets without a search.
    filter: Vec<u64>,
    words: Vec<Secret>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            runs: Zeroizing::default(),
            sorted: true,
            filter: vec![0; FILTER_WORDS],
            words: Vec::new(),
        }
    }
}

const FILTER_WORDS: usize = 1 << 10;
/// White space and control characters, which a text may have been broken at.
const SKIPPED: u8 = 0;

/// A byte as it is compared: the two alphabets of base64 are one, white space is none.
const FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    #[expect(clippy::indexing_slicing, reason = "within bounds, or it does not compile")]
    while byte < 256 {
        table[byte] = match byte as u8 {
            0..=b' ' | 0x7f => SKIPPED,
            b'-' => b'+',
            b'_' => b'/',
            own => own,
        };
        byte += 1;
    }
    table
};

#[inline]
fn folded(byte: u8) -> u8 {
    FOLDED.get(usize::from(byte)).copied().unwrap_or(SKIPPED)
}

/// The place of a run in the filter: the word, and the bit in it.
#[inline]
fn place(run: u64) -> (usize, u64) {
    let hash = run.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    (usize::from(hash as u16) >> 6, 1 << (hash & 63))
}

impl Known {
    fn learn(&mut self, secret: &[u8]) {
        let folded: Zeroizing<Vec<u8>> = Zeroizing::new(
            secret.iter().map(|byte| folded(*byte)).filter(|byte| *byte != SKIPPED).collect(),
        );
        if folded.len() < RUN {
            if let Some(word) = str::from_utf8(secret).ok().filter(|_| !folded.is_empty()) {
                self.words.push(Secret::new(word.to_owned()));
            }
            return;
        }
        self.make_room(folded.len());
        let mut run = 0;
        for (n, byte) in folded.iter().enumerate() {
            run = run << 8 | u64::from(*byte);
            if n + 1 >= RUN {
                let (word, bit) = place(run);
                self.filter.get_mut(word).into_iter().for_each(|word| *word |= bit);
                self.runs.push(run);
            }
        }
        self.sorted = false;
    }

    /// As base64 has it after no, one or two other bytes.
    fn learn_base64(&mut self, secret: &[u8]) {
        for (before, foreign) in [(&[][..], 0), (&[0], 2), (&[0; 2], 3)] {
            let bytes = Zeroizing::new([before, secret].concat());
            let encoded = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(&*bytes));
            let own = encoded.get(foreign..).unwrap_or_default();
            if own.len() >= RUN || before.is_empty() {
                self.learn(own.as_bytes());
            }
        }
    }

    /// Grows by hand, so that no copy is left behind.
    fn make_room(&mut self, more: usize) {
        if self.runs.capacity() - self.runs.len() < more {
            let mut larger =
                Zeroizing::new(Vec::with_capacity((self.runs.len() + more).next_power_of_two()));
            larger.extend_from_slice(&self.runs);
            self.runs = larger;
        }
    }

    fn sort(&mut self) {
        if !self.sorted {
            self.runs.sort_unstable();
            self.sorted = true;
        }
    }

    #[inline]
    fn knows(&self, run: u64) -> bool {
        let (word, bit) = place(run);
        self.filter.get(word).is_some_and(|word| word & bit != 0)
            && self.runs.binary_search(&run).is_ok()
    }

    /// Whether a text is as it seems and holds no secret: one cheap pass for nearly all texts.
    fn is_innocent(&self, text: &str) -> bool {
        let mut run = 0;
        for byte in text.bytes() {
            if decode::is_sign(byte) {
                return false;
            }
            match folded(byte) {
                SKIPPED => {}
                byte => run = run << 8 | u64::from(byte),
            }
            if self.knows(run) {
                return false;
            }
        }
        true
    }

    /// Adds the spans of the text that hold a secret.
    fn find(&self, units: &[Unit], words: &[Secret], spans: &mut Vec<(usize, usize)>) {
        let mut starts = [0; RUN];
        let (mut run, mut seen) = (0, 0);
        for unit in units {
            let byte = folded(unit.byte);
            if byte == SKIPPED {
                continue;
            }
            run = run << 8 | u64::from(byte);
            starts.get_mut(seen % RUN).into_iter().for_each(|start| *start = unit.from);
            seen += 1;
            if seen >= RUN && self.knows(run) {
                spans.push((starts.get(seen % RUN).copied().unwrap_or(unit.from), unit.to));
            }
        }
        for word in words {
            find_word(units, word.expose().as_bytes(), spans);
        }
    }
}

/// Whether what stands beside this is part of a longer word, a host or a path.
fn joins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-/".contains(&byte)
}

/// Finds a word where it stands alone: not in `help.ably.io`, not in `can't`.
fn find_word(units: &[Unit], word: &[u8], spans: &mut Vec<(usize, usize)>) {
    let byte = |at: usize| units.get(at).map(|unit| unit.byte);
    let ends_before = |at: Option<usize>| match at.and_then(byte) {
        None => true,
        Some(b'\'' | b'`') => {
            let before = at.and_then(|at| at.checked_sub(1)).and_then(byte);
            !before.is_some_and(|byte| byte.is_ascii_alphanumeric())
        }
        Some(byte) => !joins(byte),
    };
    let begins_after = |at: usize| match (byte(at), byte(at + 1)) {
        (None, _) => true,
        (Some(b'.' | b'!' | b'?' | b':' | b'\'' | b'`'), next) => {
            !next.is_some_and(|next| next.is_ascii_alphanumeric())
        }
        (Some(byte), _) => !joins(byte),
    };
    for (at, own) in units.windows(word.len()).enumerate() {
        if own.iter().map(|unit| unit.byte).eq(word.iter().copied())
            && ends_before(at.checked_sub(1))
            && begins_after(at + word.len())
            && let (Some(first), Some(last)) = (own.first(), own.last())
        {
            spans.push((first.from, last.to));
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn knowing(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        secrets.iter().for_each(|secret| redactor.add(secret));
        redactor
    }

    #[test]
    fn secrets_that_touch_or_overlap_become_one() {
        let redactor = knowing(&["abcdefgh1", "abcdefgh1234", ""]);
        for (text, cleaned) in [
            ("x abcdefgh1234 y abcdefgh1", "x [secret] y [secret]"),
            ("abcdefgh1abcdefgh1!", "[secret]!"),
            ("abcdefgh, efgh1234, efgh123", "[secret], [secret], efgh123"),
            ("nothing of it: abcdefg", "nothing of it: abcdefg"),
        ] {
            assert_eq!(redactor.clean(text), cleaned);
        }
        assert!(!format!("{redactor:?}").contains("abc"));
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

    /// What a careless or hostile server may make of a text that it repeats.
    fn wrapped(text: &str, how: usize) -> String {
        let each = |write: &dyn Fn(u8) -> String| text.bytes().map(write).collect::<String>();
        match how {
            0 => text.to_owned(),
            1 => each(&|byte| format!("%{byte:02x}")),
            2 => each(&|byte| format!("\\u{byte:04X}")),
            3 => each(&|byte| format!("&#{byte};")),
            4 => each(&|byte| format!("&#x{byte:x};")),
            5 => each(&|byte| format!("{}\r\n  ", char::from(byte))),
            6 => each(&|byte| format!("{}<wbr>", char::from(byte))),
            7 => each(&|byte| format!("%25{byte:02X}")),
            8 => text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
            9 => text.replace('\\', "\\\\").replace('/', "\\/").replace('"', "\\\""),
            _ => each(&|byte| format!("{}\\n", char::from(byte))),
        }
    }

    /// What stands in a text, with all wrapping undone that `wrapped` may add.
    fn meant(text: &str) -> String {
        let layers = (0..LAYERS).fold(decode::units(text), |units, _| decode::undo(&units));
        let bytes = layers.iter().map(|unit| unit.byte).filter(|byte| *byte > b' ').collect();
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn no_run_of_a_secret_survives(
            secret in "[A-Za-z0-9_:./+=@-]{8,60}",
            before in "[a-z \u{e9}]{0,5}",
            after in "[a-z \u{e9}]{0,5}",
            (cut_front, cut_back) in (0usize..20, 0usize..20),
            prefix in "[a-z]{0,2}",
            (encode, how) in (any::<bool>(), 0usize..11),
        ) {
            let plain = match encode {
                true => BASE64_STANDARD.encode(format!("{prefix}{secret}")),
                false => secret.clone(),
            };
            let part = plain.get(cut_front..plain.len().saturating_sub(cut_back)).unwrap_or_default();
            let text = format!("{before}{}{after}", wrapped(part, how));
            let left = knowing(&["another-one", &secret]).clean(&text).into_owned();
            let left = meant(&left).replace(SHOWN_INSTEAD, "\n");
            // Of base64, what also encodes the foreign bytes before and after may stand.
            let own = if encode {
                let whole = BASE64_STANDARD_NO_PAD.encode(format!("{prefix}{secret}"));
                whole.get([0, 2, 3][prefix.len()]..).unwrap_or_default().to_owned()
            } else {
                secret.clone()
            };
            for at in 0..=own.len().saturating_sub(RUN) {
                let run = &own[at..own.len().min(at + RUN)];
                prop_assert!(run.len() < RUN || !left.contains(run), "{run} in {left:?} of {text:?}");
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"([%&#x;<>=\\u0-9a-f \n]|\PC){0,60}"#) {
            let _ = knowing(&["s3cret-ab", "t", "\u{e9}\u{20ac}"]).clean(&text);
        }

        #[test]
        fn text_without_a_secret_stays_as_it_is(text in "[a-z &%<\\\\=]{0,80}") {
            prop_assert_eq!(knowing(&["S3CRET-12345"]).clean(&text), text.as_str());
        }
    }
}
