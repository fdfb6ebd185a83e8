//! What keys and tokens are made of: IDs and the names of keys, base64 of either alphabet, and signs
//! in their escapes.

#![expect(clippy::indexing_slicing, reason = "every position was found in the text it is used on")]

use zeroize::Zeroizing;

/// How often a sign may be escaped over and over, as in `%25252E`.
const LAYERS: usize = 8;
const NOT_A_DIGIT: u8 = u8::MAX;

/// Where the name of a key begins that a text ends with: `appId.keyId`.
pub(crate) fn key_name_at_end(text: &[u8]) -> Option<usize> {
    let id = text.len() - run_back(text);
    let app = text[..id].strip_suffix(b".")?;
    (id < text.len() && run_back(app) > 0).then(|| app.len() - run_back(app))
}

/// Whether a text is the name of a key, `appId.keyId`.
pub(crate) fn is_key_name(text: &str) -> bool {
    key_name_at_end(text.as_bytes()) == Some(0)
}

/// Whether a text may be the ID of an app or a key, or base64url.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && run(text.as_bytes()) == text.len()
}

/// How many bytes at a text's beginning may stand in an ID, or in base64url.
pub(crate) fn run(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_id_byte(**byte)).count()
}

/// The same at its end.
pub(crate) fn run_back(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| is_id_byte(**byte)).count()
}

#[inline]
pub(crate) fn is_id_byte(byte: u8) -> bool {
    DIGITS[usize::from(byte)] < 64
}

/// The length of a sign that a text begins with: as it stands, percent-encoded, or in JSON's escapes.
pub(crate) fn sign(text: &[u8], sign: u8) -> Option<usize> {
    let is_at = |at: usize| text.get(at..at + 2).and_then(hex) == Some(sign);
    let times = |what: &[u8]| {
        text[1..].chunks(what.len()).take(LAYERS).take_while(|chunk| *chunk == what).count()
    };
    match text.first()? {
        own if *own == sign => Some(1),
        b'%' => Some(1 + 2 * times(b"25")).filter(|at| is_at(*at)).map(|at| at + 2),
        b'\\' => Some(1 + times(b"\\"))
            .filter(|at| text[*at..].starts_with(b"u00") && is_at(at + 3))
            .map(|at| at + 5),
        _ => None,
    }
}

/// The length of a sign that a text ends with, in the same forms.
pub(crate) fn sign_at_end(text: &[u8], own: u8) -> Option<usize> {
    if text.last_chunk::<2>().and_then(|two| hex(two)) != Some(own) {
        return (text.last() == Some(&own)).then_some(1);
    }
    let mut lengths = (1..=text.len().min(5 + 2 * LAYERS)).rev();
    lengths.find(|n| sign(&text[text.len() - n..], own) == Some(*n))
}

/// What two hexadecimal digits stand for.
pub(crate) fn hex(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|two| !two.starts_with('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Decodes base64 of either alphabet, without padding. Spare bits are let pass, as they come with
/// tokens in practice.
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // With room from the start, so that no copy is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    bytes.extend(decoded(text));
    (bytes.len() == text.len() * 3 / 4 && text.len() % 4 != 1).then_some(bytes)
}

/// What the beginning of a text stands for, up to where it is no base64 of either alphabet.
pub(crate) fn decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let (mut bits, mut held) = (0u32, 0);
    let digits = text.iter().map(|byte| DIGITS[usize::from(*byte)]);
    digits.take_while(|digit| *digit != NOT_A_DIGIT).filter_map(move |digit| {
        bits = bits << 6 | u32::from(digit & 63);
        held += 6;
        held = if held < 8 { return None } else { held - 8 };
        Some((bits >> held) as u8)
    })
}

/// What each byte stands for in base64, with 64 more for the two digits that base64url writes
/// otherwise.
static DIGITS: [u8; 256] = {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/";
    let mut table = [NOT_A_DIGIT; 256];
    let mut at = 0;
    while at < digits.len() {
        table[digits[at] as usize] = if at < 64 { at as u8 } else { at as u8 + 62 };
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_of_a_key_has_two_parts() {
        for text in ["APP1.", ".key1", "key1", "", ".", "a.b.c", "a b.c"] {
            assert!(!is_key_name(text), "{text}");
        }
        assert!(is_key_name("APP1.key1"));
    }

    #[test]
    fn signs_are_known_in_their_escapes() {
        for (text, length) in [
            (".x", Some(1)),
            ("%2E", Some(3)),
            ("%252ex", Some(5)),
            ("\\u002E", Some(6)),
            ("\\\\\\u002e", Some(8)),
            ("%2F", None),
            ("%+e", None),
            ("%2", None),
            ("\\u02e", None),
            ("", None),
        ] {
            assert_eq!(sign(text.as_bytes(), b'.'), length, "{text}");
        }
    }

    #[test]
    fn base64_is_decoded_whole_or_not_at_all() {
        for (text, bytes) in [
            ("", Some("")),
            ("YQ", Some("a")),
            ("YR", Some("a")),
            ("YWI", Some("ab")),
            ("YWJj", Some("abc")),
            ("YWJjZ", None),
            ("YWJj=", None),
            ("YW.j", None),
            ("fn5-fn5+", Some("~~~~~~")),
        ] {
            let decoded = decode(text.as_bytes());
            assert_eq!(decoded.as_deref().map(Vec::as_slice), bytes.map(str::as_bytes), "{text}");
        }
    }

    proptest! {
        #[test]
        fn decoding_agrees_with_the_crate(bytes: Vec<u8>) {
            for text in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
                prop_assert_eq!(&*decode(text.as_bytes()).unwrap(), &bytes);
            }
        }
    }
}
