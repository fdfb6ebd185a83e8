//! Where JWTs stand in a text.
//!
//! A JWT is recognised at the dot behind its header: before the dot a JSON object in base64url ends,
//! behind it another one begins. Looking for what a header begins with (`eyJ`) was tried and
//! refused: with white space in its JSON it begins otherwise, and a word may hold many such
//! beginnings. Of what ends at a dot there is one.
//!
//! Three searches go over the text: for the two pairs of digits that base64 of a JSON object begins
//! with, and for what those are in base64 once more, as SDKs send tokens. No word is looked at beyond
//! `LIMIT`, and each only a few times, whatever the text is.

#![expect(clippy::indexing_slicing, reason = "every position was found in the text it is used on")]

use std::iter;
use std::ops::Range;

use memchr::{memchr_iter, memchr3_iter, memmem};
use ring::digest::{Context, SHA256};
use zeroize::Zeroizing;

use crate::json::document::Document;
use crate::secret::Secret;
use crate::secret::parts::{decode, decoded, is_id_byte, run, run_back, sign, sign_at_end};

/// The longest token that is read, in bytes. Ably's own limit is lower.
pub(crate) const LIMIT: usize = 64 << 10;
/// How far a token may reach before the place at which it is met, and behind: its header, its
/// payload, and the header of a next one that is glued to its signature.
pub(crate) const BEHIND: usize = LIMIT + 64;
pub(crate) const AHEAD: usize = 3 * LIMIT + 64;
/// `{"kid":"a.b"}` in base64.
const SHORTEST_HEADER: usize = 18;
/// The length of an HS256 signature in base64, which is what Ably signs with.
const SIGNATURE: usize = 43;
/// What base64 of a JSON object begins with: by what follows its brace, the first or the second. And
/// what both are in base64.
const STARTS: [&[u8]; 3] = [b"ey", b"ew", ENCODED];
const ENCODED: &[u8] = b"ZX";
/// So many digits of an encoded JWT that goes on as none are looked at again, since some of them may
/// begin another.
const OVERLAP: usize = 16;

/// A JWT where it stands, with its header decoded.
pub(crate) struct Jwt<'a> {
    pub(crate) header_json: Zeroizing<Vec<u8>>,
    pub(crate) payload: &'a [u8],
    header: &'a [u8],
    /// Empty if it was cut off.
    pub(crate) signature: &'a [u8],
}

impl<'a> Jwt<'a> {
    /// The JWT whose header ends at a dot and whose payload begins at a place, if one stands there.
    /// Other text may be glued to either.
    fn read(text: &'a [u8], dot: usize, payload: usize) -> Option<Self> {
        let before = &text[dot.saturating_sub(LIMIT)..dot];
        let word = &before[before.len() - run_back(before)..];
        if word.len() < SHORTEST_HEADER {
            return None;
        }
        let (start, header_json) = object_at_end(word)?;
        let (payload, behind) = text[payload..].split_at(word_length(&text[payload..]));
        let (header, signature) = (&word[start..], signature(behind));
        let whole = Self { header_json, payload, header, signature };
        let is_whole = |end| decode(&payload[..end]).is_some_and(|json| object(&json).is_some());
        if object_behind(behind).is_none() || is_whole(payload.len()) {
            return Some(whole);
        }
        // Where the signature was cut off, the next token may stand right behind the payload.
        let Some((next, _)) = object_at_end(payload) else { return Some(whole) };
        let end = [next, next.saturating_sub(1)].into_iter().find(|end| is_whole(*end));
        Some(Self { payload: &payload[..end.unwrap_or(next)], signature: &[], ..whole })
    }

    pub(crate) fn is_too_long(&self) -> bool {
        self.header.len() + 1 + self.payload.len() > LIMIT
    }

    /// `header.payload.signature`; of a longer one as much of each as is looked at.
    #[expect(clippy::expect_used, reason = "words have no other characters")]
    pub(crate) fn raw(&self) -> Secret {
        // In one allocation, so that no copy is left behind.
        let raw = [self.header, b".", self.payload, b".", self.signature].concat();
        Secret::new(String::from_utf8(raw).expect("base64url is ASCII"))
    }

    /// What it is known by: not by its signature, which may be cut off.
    pub(crate) fn id(&self) -> u128 {
        half_sha_256(&[self.header, b".", self.payload])
    }
}

/// What stands in place of the signature behind a payload, up to the next token; empty if it was cut
/// off.
fn signature(behind: &[u8]) -> &[u8] {
    let rest = sign(behind, b'.').map_or(&[][..], |dot| &behind[dot..]);
    let (own, behind) = rest.split_at(word_length(rest));
    let next = object_behind(behind).and_then(|_| object_at_end(own));
    &own[..next.map_or(own.len(), |(next, _)| next).min(SIGNATURE)]
}

/// No two texts share it, whoever made them.
pub(crate) fn half_sha_256(parts: &[&[u8]]) -> u128 {
    let mut hash = Context::new(&SHA256);
    parts.iter().for_each(|part| hash.update(part));
    hash.finish().as_ref().first_chunk().map_or(0, |half| u128::from_be_bytes(*half))
}

/// Whether a text holds a JWT whose header has an `alg`.
pub(super) fn is_in(text: &[u8]) -> bool {
    // Nearly no name of a client has any of this, and there may be a million.
    let mut dots = memchr3_iter(b'.', b'%', b'\\', text);
    let may_hold = dots.any(|at| object_behind(&text[at..]).is_some())
        || memmem::find(text, ENCODED).is_some();
    let mut holds = false;
    if may_hold {
        scan(text, 0..text.len(), &mut |jwt, _| {
            holds |= object(&jwt.header_json).is_some_and(|it| it.root().get("alg").is_some())
                && decode(jwt.payload).is_some_and(|payload| object(&payload).is_some());
        });
    }
    holds
}

/// Hands over every JWT in a range of a text, in order, with a position.
pub(crate) fn scan(text: &[u8], range: Range<usize>, take: &mut dyn FnMut(&Jwt<'_>, usize)) {
    // What begins in the range may end behind it.
    let within = &text[range.start..text.len().min(range.end + 1)];
    let mut finders = STARTS.map(|start| memmem::find_iter(within, start).peekable());
    let hits = iter::from_fn(|| {
        let ahead = finders.iter_mut().filter_map(|finder| Some((*finder.peek()?, finder)));
        ahead.min_by_key(|(at, _)| *at)?.1.next()
    });
    let (mut end_of_word, mut decoded) = (0, 0);
    for at in hits.map(|at| range.start + at) {
        if text[at..].starts_with(ENCODED) {
            if at >= decoded {
                decoded = at + scan_encoded(&text[at..], &mut |jwt| take(jwt, at));
            }
        } else if let Some(length) = sign_at_end(&text[..at], b'.') {
            if let Some(jwt) = Jwt::read(text, at - length, at) {
                take(&jwt, at);
            }
        } else if at >= end_of_word {
            end_of_word = at + word_length(&text[at..]);
            let dot = end_of_word;
            // What begins like this place is met on its own.
            if let Some(payload) = object_behind(&text[dot..]).map(|length| dot + length)
                && !STARTS.iter().any(|start| text[payload..].starts_with(start))
                && let Some(jwt) = Jwt::read(text, dot, payload)
            {
                take(&jwt, dot);
            }
        }
    }
}

/// Looks for JWTs in what the base64 at the beginning of a text stands for. Gives how much of it is
/// done with.
fn scan_encoded(text: &[u8], take: &mut dyn FnMut(&Jwt<'_>)) -> usize {
    // `ey` or `ew` with the bits that every byte behind it has.
    if !matches!(text.get(2), Some(b'c' | b'd' | b'k' | b'l')) {
        return 1;
    }
    let is_of_jwt = |byte: &u8| *byte == b'.' || is_id_byte(*byte);
    let decode = || decoded(text).take(LIMIT + 1).take_while(is_of_jwt);
    // With room from the start, so that no copy is left behind.
    let mut inner = Zeroizing::new(Vec::with_capacity(decode().count()));
    inner.extend(decode());
    for dot in memchr_iter(b'.', &inner) {
        if object_behind(&inner[dot..]).is_some()
            && let Some(jwt) = Jwt::read(&inner, dot, dot + 1)
        {
            take(&jwt);
        }
    }
    (inner.len() * 4 / 3).saturating_sub(OVERLAP).max(1)
}

/// The length of a dot that a text begins with, if a JSON object begins behind it.
fn object_behind(text: &[u8]) -> Option<usize> {
    sign(text, b'.').filter(|length| opens_object(&text[*length..]))
}

/// The length of the word that a text begins with, as far as it is looked at.
fn word_length(text: &[u8]) -> usize {
    run(&text[..text.len().min(LIMIT)])
}

/// The JSON object in base64url that a text ends with, as that before a JWT's first dot does: where it
/// begins, and its JSON. Other text may stand right before it.
fn object_at_end(text: &[u8]) -> Option<(usize, Zeroizing<Vec<u8>>)> {
    let run = run_back(text);
    (0..4).filter(|skipped| run > skipped + 1).find_map(|skipped| {
        let at = text.len() - run + skipped;
        // Four digits are three bytes, so the last group tells how it all ends.
        let last = text.len() - (run - skipped + 3) % 4 - 1;
        let end = decoded(&text[last..]).last()?;
        if end != b'}' && !end.is_ascii_whitespace() {
            return None;
        }
        let mut json = decode(&text[at..])?;
        let open = matching_brace(&json)?;
        // It begins where a group does. What is between is white space of its own.
        let own = json[..open].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        let start = (open - own).next_multiple_of(3);
        json.drain(..start.min(open));
        (start <= open).then_some((at + start / 3 * 4, json))
    })
}

/// The brace that opens the object which ends a text. Quotation marks are told apart from the end,
/// where no string is open.
fn matching_brace(json: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string) = (0usize, false);
    for (at, byte) in json.trim_ascii_end().iter().enumerate().rev() {
        let escapes = || json[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        match byte {
            b'"' => in_string ^= escapes() % 2 == 0,
            b'}' if !in_string => depth += 1,
            b'{' if !in_string && depth <= 1 => return (depth == 1).then_some(at),
            b'{' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    None
}

/// Whether base64url begins a JSON object, by its first byte.
fn opens_object(part: &[u8]) -> bool {
    decoded(part).next().is_some_and(|byte| byte == b'{' || byte.is_ascii_whitespace())
}

/// A JSON object that is all of a text.
pub(crate) fn object(json: &[u8]) -> Option<Document> {
    Document::read(str::from_utf8(json).ok()?).filter(|it| it.root().fields().is_some())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_has_64_kib_without_its_signature() {
        let payload = [b'a'; LIMIT];
        let of = |length: usize| Jwt {
            header_json: Zeroizing::default(),
            payload: &payload[..length - 2],
            header: b"e",
            signature: b"s",
        };
        assert!(!of(LIMIT).is_too_long() && of(LIMIT + 1).is_too_long());
    }

    proptest! {
        #[test]
        fn an_object_is_found_at_the_end_of_any_word(
            before in "[A-Za-z0-9_-]{0,50}",
            (blank, inner) in ("[ \\r\\n\\t]{0,5}", r#"(\\?["{}\[\]a :,]){0,20}"#),
        ) {
            let mut json = format!("{{{blank}\"kid\": ");
            crate::json::quote(&mut json, &inner);
            json.push_str(&format!("}}{blank}"));
            let text = format!("{before}{}", BASE64_URL_SAFE_NO_PAD.encode(&json));
            let (start, found) = object_at_end(text.as_bytes()).unwrap();
            prop_assert_eq!((start, found.as_slice()), (before.len(), json.as_bytes()));
        }
    }
}
