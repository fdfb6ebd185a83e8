//! Where JWTs stand in a text. Two searches go over it side by side, for what a JWT begins with
//! (`{"` in base64) and for the same in base64 once more. Each byte is looked at a bounded number
//! of times, whatever the text is.

use memchr::memmem;
use zeroize::Zeroizing;

use super::base64url::{decoded, is_digit, length};
use super::jwt::{Header, Jwt, LIMIT};

/// A JWT begins so if no white space follows the brace, which no library puts there.
const PLAIN: &str = "eyJ";
/// `PLAIN` in base64.
const WRAPPED: &str = "ZXlK";
/// The shortest header with the name of a key: `{"kid":"a.b"}`, in base64.
const SHORTEST_HEADER: usize = 18;
/// Ably's headers have some 90 bytes. In bytes of base64.
const LONGEST_HEADER: usize = 4 << 10;
/// How many beginnings of a header are tried where several stand in one word.
const TRIES: u8 = 16;
/// How many headers are kept decoded.
const KEPT: usize = 8;

/// The searches.
pub(super) struct Finder {
    plain: Search,
    wrapped: Search,
    /// What a base64 stands for. Kept, so that it neither grows nor leaves copies behind.
    inner: Zeroizing<Vec<u8>>,
    headers: Headers,
}

/// What became of a place where a JWT might begin.
enum Step<'a> {
    /// One stands there, up to a place; the place where its header ends.
    Jwt(Jwt<'a>, usize, usize),
    /// None stands before this place.
    None(usize),
    /// More of the text is needed to tell.
    More,
}

impl Step<'_> {
    /// Hands over the JWT of a place. Gives the place to go on from, unless more is needed.
    fn next(self, start: usize, take: &mut impl FnMut(Jwt<'_>, usize) -> bool) -> Option<usize> {
        match self {
            Self::Jwt(jwt, header_end, end) => {
                Some(if take(jwt, start) { end } else { header_end })
            }
            Self::None(next) => Some(next),
            Self::More => None,
        }
    }
}

impl Finder {
    pub(super) fn new() -> Self {
        Self {
            plain: Search::new(PLAIN),
            wrapped: Search::new(WRAPPED),
            inner: Zeroizing::new(Vec::with_capacity(LIMIT + 1)),
            headers: Headers(Vec::with_capacity(KEPT)),
        }
    }

    /// Hands over every JWT with the place where it stands, and is told whether to go on behind it
    /// (or, if not, behind its header). Gives the place up to which the text is done with: from there
    /// it must come again, with more behind it, until it has ended.
    pub(super) fn scan(
        &mut self,
        text: &[u8],
        ended: bool,
        take: &mut impl FnMut(Jwt<'_>, usize) -> bool,
    ) -> usize {
        let (mut at, mut word) = (0, Word::default());
        (self.plain.next, self.wrapped.next) = (None, None);
        loop {
            let (plain, wrapped) = (self.plain.from(text, at), self.wrapped.from(text, at));
            let start = plain.min(wrapped);
            if start == text.len() {
                break;
            }
            let step = match plain < wrapped {
                true => word.step(text, start, ended, &mut self.headers),
                false => self.unwrapped(text, start, ended, take),
            };
            let Some(next) = step.next(start, take) else {
                return start;
            };
            at = next;
        }
        // The end may cut the beginning of a JWT in two.
        text.len() - if ended { 0 } else { text.len().min(WRAPPED.len() - 1) }
    }

    /// Looks for JWTs in what the base64 at a place stands for.
    fn unwrapped(
        &mut self,
        text: &[u8],
        start: usize,
        ended: bool,
        take: &mut impl FnMut(Jwt<'_>, usize) -> bool,
    ) -> Step<'static> {
        let base64 = text.get(start..).unwrap_or_default();
        let is_of_a_jwt = |byte: &u8| *byte == b'.' || is_digit(*byte);
        self.inner.clear();
        self.inner.extend(decoded(base64).take_while(is_of_a_jwt).take(LIMIT + 1));
        let inner = self.inner.as_slice();
        let used = inner.len() * 4 / 3;
        if base64.len() - used < 4 && !ended && inner.len() <= LIMIT {
            return Step::More;
        }
        let (mut at, mut word) = (0, Word::default());
        while let Some(found) = inner.get(at..).and_then(|rest| self.plain.finder.find(rest)) {
            let step = word.step(inner, at + found, true, &mut self.headers);
            at = step.next(start, take).unwrap_or(inner.len());
        }
        Step::None(start + used.max(1))
    }
}

/// One of the searches.
struct Search {
    finder: memmem::Finder<'static>,
    /// What it found last, so that each goes over the text once.
    next: Option<usize>,
}

impl Search {
    fn new(start: &'static str) -> Self {
        Self { finder: memmem::Finder::new(start), next: None }
    }

    /// The next hit from a place on; the text's end if there is none.
    fn from(&mut self, text: &[u8], at: usize) -> usize {
        let found = self.next.filter(|next| *next >= at).unwrap_or_else(|| {
            let rest = text.get(at..).unwrap_or_default();
            self.finder.find(rest).map_or(text.len(), |found| at + found)
        });
        self.next = Some(found);
        found
    }
}

/// The word in which headers may begin: bytes of base64url.
#[derive(Default)]
struct Word {
    end: usize,
    tries: u8,
}

impl Word {
    /// Looks for a JWT at a place where one may begin.
    fn step<'a>(
        &mut self,
        text: &'a [u8],
        start: usize,
        ended: bool,
        headers: &'a mut Headers,
    ) -> Step<'a> {
        let word_end = |from| from + text.get(from..).map_or(0, length);
        let is_open = |end| end == text.len() && !ended;
        if start >= self.end {
            *self = Self { end: word_end(start), tries: 0 };
        }
        let end = self.end;
        if !is_open(end) && text.get(end) != Some(&b'.') {
            return Step::None(end);
        }
        if end - start > LONGEST_HEADER {
            return Step::None(end - LONGEST_HEADER);
        }
        let payload = text.get(end + 1..).unwrap_or_default();
        if payload.len() < 2 && !ended {
            return Step::More;
        }
        if end - start < SHORTEST_HEADER || self.tries == TRIES || !is_object(payload) {
            return Step::None(end);
        }
        self.tries += 1;
        let Some(header) = text.get(start..end).and_then(|text| headers.get(text)) else {
            return Step::None(start + 1);
        };
        let signed_end = word_end(end + 1);
        let is_signed = text.get(signed_end) == Some(&b'.');
        let whole_end = if is_signed { word_end(signed_end + 1) } else { signed_end };
        if is_open(whole_end) && whole_end - start <= LIMIT {
            return Step::More;
        }
        // A signature without end is something else that stands right behind.
        let signature_end = if whole_end - start <= LIMIT { whole_end } else { signed_end };
        let part = |from, to| text.get(from..to).unwrap_or_default();
        let jwt = Jwt {
            header,
            payload: part(end + 1, signed_end),
            signed: part(start, signed_end.min(start + LIMIT)),
            signature: part(signed_end + 1, signature_end),
            is_too_long: signed_end - start > LIMIT,
        };
        Step::Jwt(jwt, end, whole_end)
    }
}

/// Whether a part may stand for a JSON object, by its first byte.
fn is_object(part: &[u8]) -> bool {
    decoded(part).next().is_some_and(|byte| matches!(byte, b'{' | b' ' | b'\t' | b'\n' | b'\r'))
}

/// The headers that were met last. A log has the same few over and over.
struct Headers(Vec<(Vec<u8>, Option<Header>)>);

impl Headers {
    /// A header, decoded.
    fn get(&mut self, text: &[u8]) -> Option<&Header> {
        // Nearly all that is none is told by its first bytes.
        let start = text.get(..SHORTEST_HEADER)?;
        let is_json = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
        if !decoded(start).all(is_json) {
            return None;
        }
        let known = self.0.iter().position(|(known, _)| known == text);
        let at = known.unwrap_or_else(|| {
            if self.0.len() == KEPT {
                self.0.remove(0);
            }
            self.0.push((text.to_vec(), Header::decode(text)));
            self.0.len() - 1
        });
        self.0.get(at)?.1.as_ref()
    }
}
