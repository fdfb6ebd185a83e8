//! Leaked tokens and API keys, found in any text: a log, a HAR file, a scanner's report, a dump.
//! Tokens are decoded, never verified, so what they say of themselves is no more than a claim.
//!
//! The text is read once, through a window that slides over it. Whatever is looked for is met at one
//! place, and the window always holds as much before and behind that place as may belong to it. So
//! no search has to stop at a border and go on, and memory is bounded, however long a line is.

pub mod capability;
mod claims;
mod diagnose;
mod keys;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::api_key::{ApiKey, app_of};
use crate::error::Problem;
use crate::secret::Secret;
use crate::secret::jwt::{AHEAD, BEHIND, Jwt, half_sha_256, scan};
pub use claims::{Claims, Why};
use claims::{Judged, Origin};
pub use keys::LeakedKey;
use keys::{Keys, Lines};

/// What to do about a token that cannot be read.
pub(crate) const OTHER_TARGET: &str = "revoke by the client it was issued to, with --client-id";
/// The window, in bytes. It fits into a core's cache, with much more of it new than held.
const WINDOW: usize = 768 << 10;
/// Longest life of a revocable token, in seconds (Ably: token revocation, "revocable tokens").
const LONGEST_LIFE: i64 = 3600;

/// What was found in a text. Each token and key is there once, in the order in which they first stand.
#[derive(Debug, Default)]
pub struct Found {
    /// Ably's tokens that a claim of theirs can revoke.
    pub tokens: Vec<Token>,
    /// Ably's tokens that cannot be revoked by themselves.
    pub helpless: Vec<(Token, Why)>,
    /// Without a claim of Ably's: whose they are is known with the keys at hand.
    pub uncertain: Vec<(Token, Why)>,
    pub keys: Vec<LeakedKey>,
    /// How many tokens have expired, and when the last of them did, in Unix milliseconds.
    pub expired: usize,
    pub last_expired_ms: Option<i64>,
    /// How many JWTs are not Ably's.
    pub not_ably: usize,
    /// What the text is instead, as a sentence's end, where it holds no JWT.
    pub diagnosis: Option<Problem>,
}

/// A JWT that names an Ably key.
#[derive(Debug)]
pub struct Token {
    /// The line in which it first stands, from 1.
    pub line: u64,
    /// What names it in public, in 16 hex digits: the first half of its ID as a whole.
    pub fingerprint: u64,
    /// The key that signed it (`kid`). Empty only for helpless ones that name none.
    pub key_name: String,
    pub claims: Claims,
    /// `header.payload.signature`, where Ably is to be asked with it.
    pub raw: Option<Secret>,
    /// The length of its signature, 0 if that was cut off.
    signature: u8,
}

impl Token {
    pub fn app_id(&self) -> &str {
        app_of(&self.key_name)
    }

    /// Whether there is anything in place of its signature.
    pub fn is_signed(&self) -> bool {
        self.signature > 0
    }

    pub fn targets(&self) -> (Option<&str>, Option<&str>) {
        self.claims.targets()
    }

    /// Whether it lives longer than Ably lets a revocable token live, as far as it says at a Unix
    /// time in milliseconds.
    pub fn lives_longer_than_an_hour(&self, now_ms: i64) -> bool {
        // Without a start it began by now at the latest.
        let start = self.claims.issued_at.unwrap_or(now_ms.div_euclid(1000));
        self.claims.expires_at.is_some_and(|end| end.saturating_sub(start) > LONGEST_LIFE)
    }

    fn take(&mut self, jwt: &Jwt<'_>, keeps_raw: bool) {
        let raw = jwt.raw();
        self.fingerprint = fingerprint(raw.expose());
        self.raw = keeps_raw.then_some(raw);
        // 43 at most.
        self.signature = jwt.signature.len() as u8;
    }
}

/// The first 8 bytes of a token's SHA-256.
fn fingerprint(raw: &str) -> u64 {
    (half_sha_256(&[raw.as_bytes()]) >> 64) as u64
}

/// How a text is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading<'a> {
    /// The time, in Unix milliseconds.
    pub now_ms: i64,
    /// Whether the tokens themselves are kept, to ask Ably with.
    pub keeps_tokens: bool,
    /// The keys that are known before: their secrets are looked for.
    pub keys: &'a [&'a ApiKey],
}

/// Finds all tokens and keys in what a reader gives.
pub fn find(mut reader: impl Read, reading: Reading<'_>) -> io::Result<Found> {
    let mut window = Zeroizing::new(Vec::with_capacity(WINDOW));
    let (found, seen, aside) = (Found::default(), HashMap::new(), BTreeMap::new());
    let mut tally = Tally { reading, found, seen, aside };
    let mut keys = Keys::new(reading.keys);
    let (mut from, mut lines) = (0, Lines::from(1));
    loop {
        let room = (WINDOW - window.len()) as u64;
        let has_ended = (reader.by_ref().take(room).read_to_end(&mut window)? as u64) < room;
        let to = if has_ended { window.len() } else { WINDOW - AHEAD };
        let mut own = lines;
        scan(&window, from..to, &mut |jwt, at| tally.add(jwt, || own.at(&window, at)));
        keys.scan(&window, from..to, lines);
        if from == 0 && tally.seen.is_empty() {
            tally.found.diagnosis = diagnose::of(&window, has_ended, &mut keys.found);
        }
        if has_ended {
            return Ok(tally.found(keys.found));
        }
        let done = to - BEHIND;
        lines = Lines::from(lines.at(&window, done));
        window.copy_within(done.., 0);
        window.truncate(WINDOW - done);
        from = BEHIND;
    }
}

/// The tokens found so far.
struct Tally<'a> {
    reading: Reading<'a>,
    found: Found,
    /// Every JWT by its ID; for tokens their place in `found.tokens`.
    seen: HashMap<u128, usize>,
    /// Why those at these places cannot be revoked, and whether they are Ably's for certain.
    aside: BTreeMap<usize, (Why, bool)>,
}

/// Stands in `Tally::seen` for what is not kept.
const NO_TOKEN: usize = usize::MAX;

impl Tally<'_> {
    /// Takes a JWT, and the line that it is in. Where it was met before, it may have more of its
    /// signature here.
    fn add(&mut self, jwt: &Jwt<'_>, line: impl FnOnce() -> u64) {
        let id = jwt.id();
        if let Some(place) = self.seen.get(&id) {
            let known = self.found.tokens.get_mut(*place);
            if let Some(token) = known.filter(|it| usize::from(it.signature) < jwt.signature.len())
            {
                token.take(jwt, self.reading.keeps_tokens);
            }
        } else if let Some(place) = self.judge(jwt, line) {
            self.seen.insert(id, place);
        }
    }

    /// Counts a JWT, or keeps it in the place that it gives. `None` if it is no JWT after all.
    fn judge(&mut self, jwt: &Jwt<'_>, line: impl FnOnce() -> u64) -> Option<usize> {
        let found = &mut self.found;
        let Judged { origin, key_name, claims, why } = jwt.judge()?;
        if origin == Origin::Foreign {
            found.not_ably += 1;
            return Some(NO_TOKEN);
        }
        let is_certain = origin == Origin::Ablys;
        if let Some(end_ms) = claims.ended_ms(self.reading.now_ms).filter(|_| is_certain) {
            found.expired += 1;
            found.last_expired_ms = found.last_expired_ms.max(Some(end_ms));
            return Some(NO_TOKEN);
        }
        let (line, fingerprint, raw, signature) = (line(), 0, None, 0);
        let mut token = Token { line, fingerprint, key_name, claims, raw, signature };
        token.take(jwt, self.reading.keeps_tokens);
        let place = found.tokens.len();
        self.aside.extend(why.map(|why| (place, (why, is_certain))));
        found.tokens.push(token);
        Some(place)
    }

    /// What was found, with the tokens of each kind on their own.
    fn found(self, keys: Vec<LeakedKey>) -> Found {
        let mut found = Found { keys, ..self.found };
        found.diagnosis = found.diagnosis.filter(|_| self.seen.is_empty());
        let mut place = 0..;
        let is_aside = |_: &mut Token| place.next().is_some_and(|at| self.aside.contains_key(&at));
        let aside = found.tokens.extract_if(.., is_aside);
        for (token, (why, is_certain)) in aside.zip(self.aside.values().copied()) {
            match is_certain {
                true => found.helpless.push((token, why)),
                false => found.uncertain.push((token, why)),
            }
        }
        found.tokens.shrink_to_fit();
        found
    }
}

#[cfg(test)]
mod tests;
