//! Leaked tokens, found in any text: a log, a HAR file, a scanner's report, a dump. The text is
//! read once, in bounded memory, and nothing of it is kept but the tokens. They are decoded, never
//! verified, so what they say of themselves is no more than a claim.

mod base64url;
mod finder;
mod jwt;
mod no_token;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::{fmt, mem};

use memchr::memchr_iter;
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::secret::Secret;
use finder::Finder;
use jwt::{Claims, Jwt, Verdict};
pub use no_token::Instead;

/// Bytes read at a time. They fit into a core's cache, and hold a token of the largest size twice
/// encoded with much to spare.
const BUFFER: usize = 256 << 10;
/// Longest life of a revocable token, in seconds (Ably: token revocation, "revocable tokens").
const LONGEST_LIFE: i64 = 3600;
/// The length of an HS256 signature in base64, which is what Ably signs with.
const SIGNATURE: usize = 43;

/// What was found in a text.
#[derive(Debug, Default)]
pub struct Found {
    /// Every token of an Ably key that has not expired, with or without claims, each once, in the
    /// order in which they first stand.
    pub tokens: Vec<Token>,
    /// How many tokens of Ably keys have expired, each counted once.
    pub expired: usize,
    /// When the last of these expired, in Unix milliseconds.
    pub last_expired_ms: Option<i64>,
    /// JWTs for Ably that cannot be acted on, each once.
    pub doubtful: Vec<Doubtful>,
    /// How many JWTs no Ably key signed, each counted once.
    pub foreign: usize,
    /// What the text is instead, where it holds no JWT at all.
    pub instead: Option<Instead>,
}

/// A token of an Ably key. What it says of itself is not verified.
#[derive(Debug)]
pub struct Token {
    /// `header.payload.signature`, to ask Ably with. The signature is empty if it was cut off.
    pub raw: Secret,
    /// The line in which it first stands, from 1.
    pub line: u64,
    /// What names it in public.
    pub fingerprint: Fingerprint,
    /// The name of the key that signed it, `appId.keyId` (`kid`).
    pub key_name: String,
    /// The client it was issued to (`x-ably-clientId`); `*` is any.
    pub client_id: Option<String>,
    /// Its group for revocation (`x-ably-revocation-key`).
    pub revocation_key: Option<String>,
    /// When it was issued, in Unix seconds (`iat`).
    pub issued_at: Option<i64>,
    /// When it expires, in Unix seconds (`exp`).
    pub expires_at: Option<i64>,
}

/// A JWT for Ably that cannot be acted on.
#[derive(Debug)]
pub struct Doubtful {
    /// The line in which it first stands, from 1.
    pub line: u64,
    /// The key that it names, if it names one.
    pub key_name: Option<String>,
    /// What names it in public; of its first 64 KiB if it is longer.
    pub fingerprint: Fingerprint,
    /// Why, as a sentence's end without any value of it: "its exp is not a time in Unix seconds".
    pub why: String,
}

/// The first 8 bytes of a token's SHA-256. Shown as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    fn of(raw: &[u8]) -> Self {
        Self((sha_256(raw) >> 64) as u64)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The first half of a SHA-256: no two tokens share it, whoever made them.
fn sha_256(bytes: &[u8]) -> u128 {
    let hash = digest(&SHA256, bytes);
    hash.as_ref().first_chunk().map_or(0, |half| u128::from_be_bytes(*half))
}

impl Token {
    fn new(raw: Zeroizing<String>, line: u64, claims: Claims) -> Self {
        let Claims { key_name, client_id, revocation_key, issued_at, expires_at } = claims;
        let fingerprint = Fingerprint::of(raw.as_bytes());
        let raw = secret(raw);
        Self { raw, line, fingerprint, key_name, client_id, revocation_key, issued_at, expires_at }
    }

    /// The ID of the app that the token is for.
    pub fn app_id(&self) -> &str {
        self.key_name.split_once('.').map_or("", |(app, _)| app)
    }

    /// Whether there is anything in place of its signature.
    pub fn is_signed(&self) -> bool {
        self.signature() > 0
    }

    /// What can be revoked for it: its client ID, unless that is `*`, and its revocation key.
    pub fn targets(&self) -> (Option<&str>, Option<&str>) {
        let client_id = self.client_id.as_deref().filter(|id| *id != "*");
        (client_id, self.revocation_key.as_deref())
    }

    /// Whether it lives longer than Ably lets a revocable token live, as far as it says at a Unix
    /// time in milliseconds.
    pub fn lives_longer_than_an_hour(&self, now_ms: i64) -> bool {
        // Without a start it began by now at the latest.
        let start = self.issued_at.unwrap_or(now_ms.div_euclid(1000));
        self.expires_at.is_some_and(|end| end.saturating_sub(start) > LONGEST_LIFE)
    }

    /// The length of its signature.
    fn signature(&self) -> usize {
        self.raw.expose().rsplit_once('.').map_or(0, |(_, signature)| signature.len())
    }

    /// Takes the signature of another place in the text, if that is more of one.
    fn complete(&mut self, jwt: &Jwt<'_>) {
        let (own, other) = (self.signature(), jwt.signature.len());
        if own != SIGNATURE && (other == SIGNATURE || other > own) {
            let raw = jwt.raw();
            self.fingerprint = Fingerprint::of(raw.as_bytes());
            self.raw = secret(raw);
        }
    }
}

fn secret(mut raw: Zeroizing<String>) -> Secret {
    Secret::new(mem::take(&mut *raw))
}

/// Finds all tokens in what a reader gives.
///
/// # Errors
/// The reader's own.
pub fn find(mut reader: impl Read, now_ms: i64) -> io::Result<Found> {
    let mut buffer = Zeroizing::new(vec![0; BUFFER]);
    let (mut finder, mut tally) = (Finder::new(), Tally::new(now_ms));
    let (mut filled, mut ended) = fill(&mut reader, &mut buffer, 0)?;
    let instead = no_token::of(buffer.get(..filled).unwrap_or_default(), ended);
    loop {
        let text = buffer.get(..filled).unwrap_or_default();
        let done = finder.scan(text, ended, &mut |jwt, at| tally.add(&jwt, text, at));
        if ended {
            return Ok(tally.found(instead));
        }
        tally.pass(text, done);
        buffer.copy_within(done..filled, 0);
        (filled, ended) = fill(&mut reader, &mut buffer, filled - done)?;
    }
}

/// Fills a buffer from where it is held. Gives its new end, and whether the reader came to its own.
fn fill(reader: &mut impl Read, buffer: &mut [u8], held: usize) -> io::Result<(usize, bool)> {
    let mut end = held;
    while let Some(room) = buffer.get_mut(end..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => return Ok((end, true)),
            Ok(n) => end += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((end, false))
}

/// What has been found so far.
struct Tally {
    now_ms: i64,
    found: Found,
    /// Every JWT by its hash without the signature; for tokens their place in `found.tokens`.
    seen: BTreeMap<u128, u32>,
    /// The line at `counted`, from 1.
    lines: u64,
    /// The place in the present buffer up to which lines were counted.
    counted: usize,
}

/// Stands in `Tally::seen` for what is no token.
const NO_TOKEN: u32 = u32::MAX;

impl Tally {
    fn new(now_ms: i64) -> Self {
        Self { now_ms, found: Found::default(), seen: BTreeMap::new(), lines: 1, counted: 0 }
    }

    /// Takes a JWT that stands at a place of the buffer. Whether it was one.
    fn add(&mut self, jwt: &Jwt<'_>, text: &[u8], at: usize) -> bool {
        let id = sha_256(jwt.signed);
        if let Some(known) = self.seen.get(&id) {
            if let Some(token) = self.found.tokens.get_mut(*known as usize) {
                token.complete(jwt);
            }
            return *known != NO_TOKEN;
        }
        let Some(verdict) = jwt.judge() else {
            return false;
        };
        let mut place = NO_TOKEN;
        let found = &mut self.found;
        match verdict {
            Verdict::Foreign => found.foreign += 1,
            Verdict::Doubtful { key_name, why } => {
                let fingerprint = Fingerprint::of(jwt.raw().as_bytes());
                let line = self.line(text, at);
                self.found.doubtful.push(Doubtful { line, key_name, fingerprint, why });
            }
            Verdict::Ably(claims) => match claims.expires_at.map(|end| end.saturating_mul(1000)) {
                Some(end_ms) if end_ms <= self.now_ms => {
                    found.expired += 1;
                    found.last_expired_ms = found.last_expired_ms.max(Some(end_ms));
                }
                _ => {
                    place = u32::try_from(found.tokens.len()).unwrap_or(NO_TOKEN);
                    let line = self.line(text, at);
                    self.found.tokens.push(Token::new(jwt.raw(), line, claims));
                }
            },
        }
        self.seen.insert(id, place);
        place != NO_TOKEN
    }

    /// The line at a place of the buffer. Lines are counted only as far as a token needs it.
    fn line(&mut self, text: &[u8], at: usize) -> u64 {
        let uncounted = text.get(self.counted..at).unwrap_or_default();
        self.lines += memchr_iter(b'\n', uncounted).count() as u64;
        self.counted = at.max(self.counted);
        self.lines
    }

    /// The buffer goes on behind this place.
    fn pass(&mut self, text: &[u8], done: usize) {
        self.line(text, done);
        self.counted = 0;
    }

    fn found(self, instead: Option<Instead>) -> Found {
        let found = self.found;
        Found { instead: instead.filter(|_| self.seen.is_empty()), ..found }
    }
}
