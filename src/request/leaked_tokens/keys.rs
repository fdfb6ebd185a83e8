//! API keys in the text: worse than any token, since whoever has one signs new ones.
//!
//! Colons are in every line of a log, so none is looked for. A secret as Ably makes them is long: it
//! covers a part of every so many bytes, and only that part is looked at. Shorter secrets are believed
//! only where the text says that they are one, since much looks like `a.b:c`, so they are looked for
//! behind such words; and where the secret of a key at hand stands, its form does not matter. In
//! base64 a key is looked for behind `Basic`.

#![expect(clippy::indexing_slicing, reason = "every position was found in the text it is used on")]

use std::collections::HashSet;
use std::ops::Range;

use memchr::{memchr_iter, memchr3_iter, memmem};
use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::secret::parts::{
    decoded, hex, is_id_byte, is_key_name, key_name_at_end, run, run_back, sign_at_end,
};
use crate::secret::shape::{SECRET, SHORT_SECRET, is_random, is_secret};

/// The longest secret, in bytes; real ones have 43.
const LONGEST: usize = 64;
/// The longest ID of an app or a key; real ones have 6. What is longer may be a part of a token, which
/// is not shown.
const LONGEST_ID: usize = 16;
/// So much before a key says what it is, in bytes.
const BEFORE: usize = 64;
/// Of `key=`, and of a name with `ABLY` in it.
const CALLS: [&[u8]; 3] = [b"key", b"bly", b"BLY"];
/// So far behind one of these stands the secret that it tells of, in bytes, escapes included.
const CALLED: usize = 128;
/// Of so many bytes in a row a secret as Ably makes them covers the first, and `SURE` more.
const STRIDE: usize = 32;
const SURE: usize = SECRET - STRIDE;
/// The longest escape of a colon, without its first byte.
const ESCAPE: usize = 20;
/// `Basic`, of which the first letter may be small.
const BASIC: &[u8] = b"asic";
/// The longest base64 of a key, in digits.
const LONGEST_BASE64: usize = 4 * LONGEST;

/// An API key in the text. Its secret is not kept.
#[derive(Debug)]
pub struct LeakedKey {
    /// The line in which it first stands, from 1.
    pub line: u64,
    pub key_name: String,
}

/// Counts lines, only as far as something stands there, and each once.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    line: u64,
    /// The place up to which they are counted.
    counted: usize,
}

impl Lines {
    /// At the beginning of a text, which is in this line.
    pub(super) fn from(line: u64) -> Self {
        Self { line, counted: 0 }
    }

    /// The line of a place, which is not before the one asked for last.
    pub(super) fn at(&mut self, text: &[u8], at: usize) -> u64 {
        let uncounted = text.get(self.counted..at).unwrap_or_default();
        self.line += memchr_iter(b'\n', uncounted).count() as u64;
        self.counted = at.max(self.counted);
        self.line
    }
}

/// The keys found so far.
pub(super) struct Keys<'a> {
    /// How the secrets of known keys are searched for, and the keys' names.
    known: Vec<(memmem::Finder<'a>, &'a str)>,
    names: HashSet<String>,
    pub(super) found: Vec<LeakedKey>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(known: &[&'a ApiKey]) -> Self {
        // A short secret may be a word.
        let text =
            |key: &'a ApiKey| if key.secret().len() < 8 { key.expose() } else { key.secret() };
        let known = known.iter().map(|key| (memmem::Finder::new(text(key)), key.name()));
        Self { known: known.collect(), names: HashSet::new(), found: Vec::new() }
    }

    /// Takes note of every key whose place is in a range of a text. `lines` is at the text's beginning.
    pub(super) fn scan(&mut self, text: &[u8], range: Range<usize>, mut lines: Lines) {
        let offset = range.start;
        // What begins in the range may end behind it.
        let for_needle = |length: usize| &text[offset..text.len().min(range.end + length - 1)];
        let mut hits: Vec<(usize, String)> = Vec::new();
        let mut take = |at| hits.extend(key_at(text, at).map(|name| (at, name)));
        long_words(text, range.clone(), &mut take);
        for call in CALLS {
            let mut done = 0;
            for at in memmem::find_iter(for_needle(call.len()), call).map(|at| offset + at) {
                let behind = at + call.len();
                if call != CALLS[0] || matches!(text.get(behind), Some(b'=' | b'%')) {
                    let end = text.len().min(behind + CALLED);
                    let start = behind.max(done).min(end);
                    let ends = memchr3_iter(b':', b'A', b'a', &text[start..end]);
                    ends.for_each(|at| take(start + at + 1));
                    done = end;
                }
            }
        }
        for at in memmem::find_iter(for_needle(BASIC.len()), BASIC).map(|at| offset + at) {
            let inner = basic(&text[at + BASIC.len()..]);
            let name = memchr_iter(b':', &inner).find_map(|colon| key_at(&inner, colon + 1));
            hits.extend(name.or_else(|| self.known_in(&inner)).map(|name| (at, name)));
        }
        for (finder, name) in &self.known {
            let at = finder.find(for_needle(finder.needle().len()));
            hits.extend(at.map(|at| (offset + at, (*name).to_owned())));
        }
        hits.sort_unstable_by_key(|(at, _)| *at);
        for (at, key_name) in hits {
            if self.names.insert(key_name.clone()) {
                self.found.push(LeakedKey { line: lines.at(text, at), key_name });
            }
        }
    }

    /// The known key whose secret a text holds.
    fn known_in(&self, text: &[u8]) -> Option<String> {
        let (_, name) = self.known.iter().find(|(finder, _)| finder.find(text).is_some())?;
        Some((*name).to_owned())
    }
}

/// Hands over where a word behind a colon begins that may be a whole secret.
fn long_words(text: &[u8], range: Range<usize>, take: &mut impl FnMut(usize)) {
    let mut take_long = |at| {
        if text.get(at..at + SECRET).is_some_and(|word| word.iter().all(|byte| is_id_byte(*byte))) {
            take(at);
        }
    };
    let end = text.len().min(range.end + STRIDE);
    let mut at = range.start;
    while at < end {
        if text.get(at..=at + SURE).is_some_and(is_of_word) {
            let start = at - run_back(&text[at.saturating_sub(STRIDE)..at]);
            match text[..start].last() {
                Some(b':') => take_long(start),
                Some(b'%' | b'\\') => {
                    let mut escape = text[start..].windows(2).take(ESCAPE);
                    let end = escape.position(|two| matches!(two, [b'3', b'A' | b'a']));
                    end.into_iter().for_each(|end| take_long(start + end + 2));
                }
                _ => {}
            }
        }
        at += STRIDE;
    }
}

/// Whether all bytes may stand in an ID. Nearly always one of the first eight is a blank, a quotation
/// mark or the like, which is told for all eight at once.
fn is_of_word(part: &[u8]) -> bool {
    const fn of_each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let ahead = part.first_chunk().map_or(0, |eight| u64::from_ne_bytes(*eight));
    let is_outside = (ahead.wrapping_sub(of_each(b'-')) | ahead) & of_each(0x80) != 0;
    !is_outside && part.iter().all(|byte| is_id_byte(*byte))
}

/// What stands in base64 behind `Basic`.
fn basic(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let blanks = [&b" "[..], b"%20", b"+"];
    let base64 = blanks.iter().find_map(|blank| text.strip_prefix(*blank)).unwrap_or_default();
    Zeroizing::new(decoded(&base64[..base64.len().min(LONGEST_BASE64)]).collect())
}

/// The name of the key whose secret begins at a place.
fn key_at(text: &[u8], at: usize) -> Option<String> {
    let secret = &text[at..];
    let length = run(&secret[..secret.len().min(LONGEST + 1)]);
    if !(SHORT_SECRET..=LONGEST).contains(&length) {
        return None;
    }
    let colon = at - sign_at_end(&text[..at], b':')?;
    let before = &text[colon.saturating_sub(2 * LONGEST_ID + BEFORE)..colon];
    let start = key_name_at_end(before)?;
    let start = start + escape(&before[..start], &before[start..]);
    let (before, name) = before.split_at_checked(start)?;
    let name = str::from_utf8(name).ok().filter(|name| is_likely_name(name))?;
    // Behind a dot it is of a host, a package or a class, behind @ of an address.
    if before.ends_with(b".") || before.ends_with(b"@") {
        return None;
    }
    let (secret, behind) = secret.split_at(length);
    let secret = str::from_utf8(secret).ok()?;
    // What ends in padding is the hash of something.
    let is_key = is_secret(secret) && !behind.starts_with(b"=")
        || is_random(secret) && is_called_a_key(before);
    is_key.then(|| name.to_owned())
}

/// Whether a text is the name of a key, and can be nothing else.
pub(super) fn is_likely_name(text: &str) -> bool {
    is_key_name(text) && text.split('.').all(|id| id.len() <= LONGEST_ID)
}

/// How much at the beginning of a word belongs to an escape before it: `%3D`, `\n`, a colour.
fn escape(before: &[u8], word: &[u8]) -> usize {
    match (before, word) {
        ([.., b'%'], [b'2', b'5', rest @ ..]) => 2 + escape(before, rest),
        ([.., b'%'], [a, b, ..]) if hex(&[*a, *b]).is_some() => 2,
        ([.., b'\\'], [b'u', ..]) => 5,
        ([.., b'\\'], [b'x', ..]) => 3,
        ([.., b'\\'], _) => 1,
        ([.., 0x1b, b'['] | [.., b';'], _) => {
            let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if word.get(digits) == Some(&b'm') { digits + 1 } else { 0 }
        }
        _ => 0,
    }
}

/// Whether what stands before a text calls it a key: the parameter `key`, or a name with `ABLY` in it.
fn is_called_a_key(before: &[u8]) -> bool {
    let before = String::from_utf8_lossy(before).to_ascii_lowercase();
    // Reports of scanners have `&` as JSON's escape.
    let before = before.replace("%3d", "=").replace("%22", "\"").replace("\\u0026", "&");
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_parameter = before.strip_suffix("key=").is_some_and(|rest| !rest.ends_with(is_of_name));
    let name = before.trim_end_matches(|c: char| c.is_whitespace() || "\"'`\\=:>([{".contains(c));
    let name = name.rsplit(|c: char| !is_of_name(c)).next();
    is_parameter || name.is_some_and(|name| name.contains("ably"))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

    use super::super::{Reading, WINDOW, find};
    use super::*;

    const NAME: &str = "xVLyHw.1a-Bc_";
    const SECRET: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0bcdef-_jklmnopqr";
    const SHORT: &str = "s3cr3t-marker-9f2c";

    fn keys_in(text: &str, known: &[&str]) -> Vec<(u64, String)> {
        let known: Vec<ApiKey> = known.iter().map(|key| ApiKey::parse(key).unwrap()).collect();
        let known: Vec<&ApiKey> = known.iter().collect();
        let reading = Reading { keys: &known, ..Reading::default() };
        let found = find(text.as_bytes(), reading).unwrap();
        assert!(!format!("{found:?}").contains(&SECRET[..8]), "{found:?}");
        found.keys.into_iter().map(|key| (key.line, key.key_name)).collect()
    }

    #[test]
    fn a_key_is_found_in_every_form_of_text() {
        let key = format!("{NAME}:{SECRET}");
        let escaped = key.replace(':', "%3A");
        let base64 = STANDARD.encode(&key);
        for text in [
            key.clone(),
            format!("ABLY_API_KEY={key}"),
            format!("export ABLY_API_KEY=\"{key}\""),
            format!("'{key}'."),
            format!("new Ably.Realtime({{ key: '{key}' }});"),
            format!("{{\"a\":\"{key}\"}}"),
            format!("{{\"a\":\"{{\\\"b\\\":\\\"\\n{key}\\\"}}\\n\"}}"),
            format!("ably:\n  key: {key}\n"),
            format!("GET /time?key={key}&v=2 HTTP/1.1"),
            format!("GET /time?key={escaped}&v=2 HTTP/1.1"),
            format!("next=%2Ftime%3Fkey%3D{escaped}%26v%3D2"),
            format!("next=%252Ftime%253Fkey%253D{}", key.replace(':', "%253a")),
            format!("\"\\u0022{}\\u0022\"", key.replace(':', "\\u003a")),
            format!("https://{key}@rest.ably.io/time"),
            format!("\u{1b}[1;32m{key}\u{1b}[0m"),
            format!("\u{1b}[32m{key}"),
            format!("Authorization: Basic {base64}\r\n"),
            format!("\"authorization\":\"basic {}\"", base64.trim_end_matches('=')),
            format!("Basic%20{base64}"),
            format!("Basic {}", STANDARD.encode(format!("{key}\n"))),
        ] {
            let line = 1 + u64::from(text.starts_with("ably:"));
            assert_eq!(keys_in(&text, &[]), [(line, NAME.to_owned())], "{text}");
            let text = format!("{}\n{text}\n{text}", " ".repeat(WINDOW));
            assert_eq!(keys_in(&text, &[]), [(line + 1, NAME.to_owned())], "{text}");
        }
    }

    #[test]
    fn a_key_is_found_at_every_place() {
        for colon in [":", "%3A", "%25253a", "\\u003A"] {
            for shift in 0..3 * STRIDE {
                let text = format!("{}{}", " ".repeat(shift), NAME.to_owned() + colon + SECRET);
                assert_eq!(keys_in(&text, &[]), [(1, NAME.to_owned())], "{text}");
            }
        }
    }

    #[test]
    fn where_a_key_stands_makes_no_shorter_secret_one() {
        for shift in 0..3 * STRIDE {
            let text = format!("{}KEY={NAME}:{SHORT}{SHORT}", " ".repeat(shift));
            assert_eq!(keys_in(&text, &[]), [], "{text}");
        }
    }

    #[test]
    fn a_shorter_secret_counts_where_it_is_called_a_key_or_is_known() {
        let key = format!("{NAME}:{SHORT}");
        let found = [(1, NAME.to_owned())];
        for text in [
            format!("ABLY_API_KEY={key}"),
            format!("ABLY_API_KEY: \"{key}\""),
            format!("\"ablyKey\": \"{key}\""),
            format!("ABLY_API_KEY%3D%22{}%22", key.replace(':', "%3A")),
            format!("new Ably.Rest('{key}')"),
            format!("?key={key}"),
            format!("&key%3D{}", key.replace(':', "%3a")),
            format!("\\u0026key={key}\\u0026"),
            format!("key={key}"),
        ] {
            assert_eq!(keys_in(&text, &[]), found, "{text}");
        }
        for text in [format!("it is {key}"), format!("monkey={key}"), format!("user: {key}")] {
            assert_eq!(keys_in(&text, &[]), [], "{text}");
            assert_eq!(keys_in(&text, &["a.b:other-s3cret", &key]), found, "{text}");
        }
        let base64 = STANDARD_NO_PAD.encode(&key);
        for text in [SHORT.to_owned(), format!("x{SHORT}y"), format!("Basic {base64}")] {
            assert_eq!(keys_in(&text, &[&key]), found, "{text}");
        }
        let far = format!("{}{SHORT}", "\n".repeat(WINDOW - 9));
        assert_eq!(keys_in(&far, &[&key]), [(WINDOW as u64 - 8, NAME.to_owned())]);
        assert_eq!(keys_in("pass a.b:pass", &["a.b:pass"]), [(1, "a.b".to_owned())]);
    }

    #[test]
    fn what_only_looks_like_a_key_is_none() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        for text in [
            "at 12.30:45 and 2026-11-23T10:00:00.123:45",
            "rest.ably.io:443 main.realtime.ably.net:8443",
            "at com.example.Foo.bar(Foo.java:123) io.ably:ably-java-1x2y3z4a5b6c7d8e9f",
            &format!("registry.io/app.name@sha256:{hex} app.sha256:{hex}"),
            "git@github.com:AbCdEfGhIjKlMnOpQrStUvWxYz0bcdefghijklmnopq/x.git",
            "fe80::1:2.3:4 01:23:45:67:89:AB ::ffff:1.2.3.4",
            "alice@example.com:AbCdEfGhIjKlMnOpQrStUvWxYz0bcdefghijklmnopq",
            &format!("a.b.c:{SECRET}"),
            &format!("a.b:{SECRET}="),
            &format!("a.b:{SECRET}x a.b:{}", &SECRET[1..]),
            &format!("a.b:{}", SECRET.to_lowercase()),
            &format!("a.b:{} a.b:{hex}", SECRET.replace('0', "x")),
            &format!("ab:{SECRET} .ab:{SECRET} ab.:{SECRET}"),
            "clientId=com.example.mobile:ios-0123456789abcdef key=mobile.ios:alice",
            &format!("Basic {}", STANDARD.encode("first.last:Passw0rd-of-2026")),
            "Basic  basic asic Basic %3A",
        ] {
            assert_eq!(keys_in(&format!("({text})"), &[]), [], "{text}");
        }
    }
}
