//! A leaked token, decoded for what it says of itself: which key signed it, what could be revoked
//! for it, how long it lives. Nothing is verified, so nothing here is more than a claim, and no
//! message holds any of the token but those claims.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use miniserde::json::{self, Number, Object, Value};
use zeroize::Zeroizing;

use crate::error::Problem;
use crate::json::scan::repeated_names;
use crate::secret::Secret;

/// Ably's own limit is lower; beyond this it is some other file. In bytes.
const SIZE_LIMIT: usize = 64 << 10;
/// Deeper nesting than this is no token's; a capability has three levels.
const DEPTH_LIMIT: usize = 32;
/// Longest life of a revocable token, in seconds (Ably: token revocation, "revocable tokens").
const LONGEST_LIFE: i64 = 3600;
const KEY_NAME: &str = "kid";
const EMBEDDED: &str = "x-ably-token";
const CLIENT_ID: &str = "x-ably-clientId";
const REVOCATION_KEY: &str = "x-ably-revocation-key";
const ISSUED_AT: &str = "iat";
const EXPIRES_AT: &str = "exp";
const COPY_AGAIN: &str = "give the whole token, as header.payload.signature";
const OTHER_TARGET: &str = "revoke by the client it was issued to, with --client-id, or revoke its API key in Ably's dashboard";

/// Takes what tokens come with in practice: padding or none, spare bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a JWT claims of itself. Not verified.
#[derive(Debug)]
pub struct Token {
    /// The token itself, to ask Ably with.
    pub raw: Secret,
    /// The name of the key that signed it, `appId.keyId` (`kid`).
    pub key_name: String,
    /// The client it was issued to (`x-ably-clientId`); `*` is any.
    pub client_id: Option<String>,
    /// Its group for revocation (`x-ably-revocation-key`).
    pub revocation_key: Option<String>,
    /// When it was issued, in Unix seconds.
    pub issued_at: Option<i64>,
    /// When it expires, in Unix seconds.
    pub expires_at: Option<i64>,
}

/// How much of a token's life is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is over, since this Unix time in seconds.
    Expired {
        /// Unix seconds.
        since: i64,
    },
    /// It goes on.
    Alive {
        /// Seconds left, at least one.
        left_s: i64,
    },
    /// The token does not say.
    Unknown,
}

impl Token {
    /// Whether there is anything in place of its signature.
    pub fn is_signed(&self) -> bool {
        self.raw.expose().rsplit_once('.').is_some_and(|(_, signature)| !signature.is_empty())
    }

    /// The ID of the app that the token is for.
    pub fn app_id(&self) -> &str {
        self.key_name.split_once('.').map_or("", |(app, _)| app)
    }

    /// What can be revoked for it: its client ID, unless that is `*`, and its revocation key.
    pub fn targets(&self) -> (Option<&str>, Option<&str>) {
        let client_id = self.client_id.as_deref().filter(|id| *id != "*");
        (client_id, self.revocation_key.as_deref())
    }

    /// Its life at a Unix time in seconds.
    pub fn life(&self, now: i64) -> Life {
        match self.expires_at {
            None => Life::Unknown,
            Some(end) if end <= now => Life::Expired { since: end },
            Some(end) => Life::Alive { left_s: end.saturating_sub(now) },
        }
    }

    /// Whether it lives longer than Ably lets a revocable token live, as far as it says at a Unix
    /// time in seconds.
    pub fn lives_longer_than_an_hour(&self, now: i64) -> bool {
        // Without a start it began by now at the latest.
        let start = self.issued_at.unwrap_or(now);
        self.expires_at.is_some_and(|end| end.saturating_sub(start) > LONGEST_LIFE)
    }
}

/// Decodes a token as it was pasted: with white space and line breaks, in quotes, after
/// `Authorization: Bearer`, in the base64 that Ably wants there.
///
/// # Errors
/// It is no JWT with a key name, or a claim that matters is doubtful.
pub fn decode(bytes: &[u8]) -> Result<Token, Problem> {
    if bytes.len() > SIZE_LIMIT {
        return Err(Problem::new("the token is larger than 64 KiB", COPY_AGAIN));
    }
    let text = str::from_utf8(bytes).map_err(|_| not_a_token("is not text"))?;
    let raw = pasted(text)?;
    // The signature is not needed to decode, and may have been cut out of a log.
    let (header, payload) = parts(raw.as_str())?;
    let header = Claims::decode(header, "header", &[KEY_NAME, EMBEDDED])?;
    let times_and_targets = [EMBEDDED, CLIENT_ID, REVOCATION_KEY, ISSUED_AT, EXPIRES_AT];
    let payload = Claims::decode(payload, "payload", &times_and_targets)?;
    if header.has(EMBEDDED) || payload.has(EMBEDDED) {
        return Err(Problem::new(
            "the JWT only carries an Ably token (x-ably-token), which cannot be decoded",
            OTHER_TARGET,
        ));
    }
    let key_name = header.text(KEY_NAME)?.ok_or_else(|| {
        Problem::new(
            "the token's header names no key (kid), so it is not one of Ably's",
            OTHER_TARGET,
        )
    })?;
    if !is_key_name(&key_name) {
        return Err(Problem::new(
            "the token's kid is not the name of an Ably key (appId.keyId)",
            OTHER_TARGET,
        ));
    }
    Ok(Token {
        key_name,
        client_id: payload.text(CLIENT_ID)?,
        revocation_key: payload.text(REVOCATION_KEY)?,
        issued_at: payload.time(ISSUED_AT)?,
        expires_at: payload.time(EXPIRES_AT)?,
        raw: Secret::new(raw.as_str().to_owned()),
    })
}

/// The token alone, out of what came around it.
fn pasted(text: &str) -> Result<Zeroizing<String>, Problem> {
    let text = unwrapped(text)?;
    let is_whole = |line: &&str| line.matches('.').count() == 2;
    if text.lines().filter(is_whole).count() > 1 {
        return Err(Problem::new("there is more than one token", "give one token at a time"));
    }
    let token = without_space(text);
    if token.is_empty() {
        return Err(Problem::new("the token is empty", COPY_AGAIN));
    }
    if is_api_key(&token) {
        return Err(an_api_key());
    }
    if token.contains('.') {
        return Ok(token);
    }
    // Ably takes a bearer token in base64.
    let inner = base64(&token)
        .and_then(|bytes| str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned())));
    match inner {
        Some(inner) if is_api_key(&inner) => Err(an_api_key()),
        Some(inner) if inner.contains('.') => Ok(without_space(&inner)),
        _ => Err(not_a_token("is not a JWT: it has no '.'")),
    }
}

/// Takes quotes and the words of a header line off, however often they are nested.
fn unwrapped(mut text: &str) -> Result<&str, Problem> {
    loop {
        let before = text.len();
        text = text.trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '`' | ',' | ';')
        });
        text = after(text, "authorization").and_then(|rest| rest.strip_prefix(':')).unwrap_or(text);
        let scheme = |name| after(text, name).filter(|rest| rest.starts_with(char::is_whitespace));
        if scheme("basic").is_some() {
            return Err(an_api_key());
        }
        text = scheme("bearer").unwrap_or(text);
        if text.len() == before {
            return Ok(text);
        }
    }
}

/// What follows a word in any case, and white space.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn without_space(text: &str) -> Zeroizing<String> {
    // With room for all of it from the start, so that no copy is left behind.
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    out.extend(text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}'));
    out
}

/// Header and payload of a JWT.
fn parts(token: &str) -> Result<(&str, &str), Problem> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload)) = (parts.next(), parts.next()) else {
        return Err(not_a_token("is not a JWT"));
    };
    if is_app_id(header) {
        return Err(Problem::new(
            format!("this is an opaque Ably token of app {header}, which cannot be decoded"),
            OTHER_TARGET,
        ));
    }
    match 2 + parts.count() {
        3 => Ok((header, payload)),
        5 => Err(Problem::new(
            "the token is an encrypted JWT (five parts), which cannot be decoded",
            OTHER_TARGET,
        )),
        n => Err(not_a_token(&format!("is not a JWT: it has {n} parts instead of three"))),
    }
}

/// Whether the first part is an app's ID, and so may be shown. A JWT's header begins with `{"`
/// and is longer; what is too long for an ID may be a secret.
fn is_app_id(part: &str) -> bool {
    (4..=12).contains(&part.len()) && is_id(part) && !part.starts_with("ey")
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn is_key_name(text: &str) -> bool {
    text.split_once('.').is_some_and(|(app, key)| is_id(app) && is_id(key))
}

fn is_api_key(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, secret)| is_key_name(name) && !secret.is_empty())
}

fn an_api_key() -> Problem {
    Problem::new(
        "this is an API key, not a token",
        "to revoke the key itself, use Ably's dashboard; to use it here, give it with --api-key-file",
    )
}

fn not_a_token(what: &str) -> Problem {
    Problem::new(format!("the token {what}"), COPY_AGAIN)
}

/// Decodes base64 of either alphabet.
fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut url_safe = Zeroizing::new(text.as_bytes().to_vec());
    for byte in url_safe.iter_mut() {
        *byte = match *byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        };
    }
    LENIENT.decode(&*url_safe).ok().map(Zeroizing::new)
}

/// One of the two JSON objects of a JWT.
struct Claims {
    part: &'static str,
    object: Object,
}

impl Claims {
    /// Decodes a part. A claim in `used` that comes twice is refused: readers differ in which one
    /// they believe, so Ably's may be the other.
    fn decode(text: &str, part: &'static str, used: &[&str]) -> Result<Self, Problem> {
        let wrong = |what: &str| Problem::new(format!("the token's {part} is {what}"), COPY_AGAIN);
        let bytes = base64(text).ok_or_else(|| wrong("not base64"))?;
        let text = str::from_utf8(&bytes).map_err(|_| wrong("not JSON"))?;
        let repeated = repeated_names(text, DEPTH_LIMIT).ok_or_else(|| wrong("nested too deep"))?;
        let value: Value = json::from_str(text).map_err(|_| wrong("not JSON"))?;
        let Value::Object(object) = value else {
            return Err(wrong("not a JSON object"));
        };
        for claim in used {
            if repeated.iter().any(|(depth, name)| *depth == 1 && name == claim) {
                return Err(Problem::new(
                    format!("the token's {part} holds {claim} more than once, so it is doubtful"),
                    OTHER_TARGET,
                ));
            }
        }
        Ok(Self { part, object })
    }

    fn has(&self, claim: &str) -> bool {
        !matches!(self.object.get(claim), None | Some(Value::Null))
    }

    /// A text; an empty one counts as absent.
    fn text(&self, claim: &str) -> Result<Option<String>, Problem> {
        match self.object.get(claim) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok((!text.is_empty()).then(|| text.clone())),
            Some(_) => Err(self.wrong(claim, "not a string")),
        }
    }

    /// Unix seconds, fractions rounded down (RFC 7519 allows them). What is too far away for an
    /// `i64` is as far as that goes.
    fn time(&self, claim: &str) -> Result<Option<i64>, Problem> {
        match self.object.get(claim) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(Number::U64(n))) => Ok(Some(i64::try_from(*n).unwrap_or(i64::MAX))),
            Some(Value::Number(Number::I64(n))) => Ok(Some(*n)),
            Some(Value::Number(Number::F64(n))) if n.is_finite() => Ok(Some(n.floor() as i64)),
            Some(_) => Err(self.wrong(claim, "not a time in Unix seconds")),
        }
    }

    fn wrong(&self, claim: &str, what: &str) -> Problem {
        Problem::new(format!("{claim} in the token's {} is {what}", self.part), OTHER_TARGET)
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"app.key"}"#;
    const PAYLOAD: &str = r#"{"iat":1000,"exp":4600,"x-ably-clientId":"alice","x-ably-revocation-key":"g1","x-ably-capability":"{\"*\":[\"*\"]}"}"#;
    const SIGNATURE: &str = "s3cret-_signature";

    fn jwt(header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{SIGNATURE}", part(header), part(payload))
    }

    fn whole() -> String {
        jwt(HEADER, PAYLOAD)
    }

    fn token(payload: &str) -> Token {
        decode(jwt(HEADER, payload).as_bytes()).unwrap()
    }

    fn wrapped(text: &str, width: usize, end: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        characters.chunks(width).map(String::from_iter).collect::<Vec<_>>().join(end)
    }

    fn refused(text: &str) -> String {
        let problem = decode(text.as_bytes()).unwrap_err();
        assert!(!problem.remedy.is_empty());
        problem.message
    }

    fn refused_claims(payload: &str) -> String {
        refused(&jwt(HEADER, payload))
    }

    #[test]
    fn its_claims_are_read_and_the_token_is_not_shown() {
        let token = token(PAYLOAD);
        assert_eq!((token.key_name.as_str(), token.app_id()), ("app.key", "app"));
        assert_eq!(token.targets(), (Some("alice"), Some("g1")));
        assert_eq!((token.issued_at, token.expires_at), (Some(1000), Some(4600)));
        assert_eq!(token.raw.expose(), whole());
        assert!(!format!("{token:?}").contains(SIGNATURE));
    }

    #[test]
    fn what_is_pasted_around_a_token_is_taken_off() {
        let whole = whole();
        let (start, end) = whole.split_at(40);
        let bearer = format!("Bearer {}", STANDARD.encode(&whole));
        for pasted in [
            format!("\u{feff}  {whole}\r\n"),
            format!("{start}\r\n  {end}\n"),
            format!("\"{whole}\","),
            format!("'Authorization: Bearer {whole}'"),
            format!("authorization:bearer\t{start}\n{end}"),
            format!("BEARER \"{whole}\""),
            bearer.clone(),
            format!("Authorization: {bearer}"),
            STANDARD.encode(&whole),
            format!("`{whole}`"),
            whole.replace('.', "\n.\n"),
            wrapped(&whole, 7, " "),
            wrapped(&whole, 40, "\r\n    "),
            wrapped(&format!("Authorization: Bearer {whole}"), 76, "\n"),
            wrapped(&STANDARD.encode(&whole), 76, "\n"),
        ] {
            let token = decode(pasted.as_bytes()).expect(&pasted);
            assert_eq!(token.raw.expose(), whole, "{pasted}");
        }
    }

    #[test]
    fn padding_the_other_alphabet_and_a_missing_signature_are_taken() {
        let payload = r#"{"x-ably-clientId":"??>>~~"}"#;
        let standard = format!("{}.{}.", STANDARD.encode(HEADER), STANDARD.encode(payload));
        assert!(standard.contains('+') || standard.contains('/'), "{standard}");
        assert_eq!(decode(standard.as_bytes()).unwrap().client_id.as_deref(), Some("??>>~~"));
        let none = jwt(r#"{"alg":"none","kid":"app.key"}"#, "{}");
        assert!(decode(none.as_bytes()).is_ok());
    }

    #[test]
    #[rustfmt::skip] // a table: one row a line
    fn header_and_claims_are_read_as_json_has_them() {
        let deep = format!(r#"{{"a":{}{},"x-ably-clientId":"alice"}}"#, "[".repeat(31), "]".repeat(31));
        for (header, payload, client_id, revocation_key) in [
            (r#"{"kid":"app.key"}"#, r#"{"x-ably-clientId":"alice"}"#, Some("alice"), None),
            (r#"{"alg":[1,{"a":null}],"kid":"app.key"}"#, r#"{"x-ably-clientId":"alice"}"#, Some("alice"), None),
            (" {\n \"kid\" :\t\"app.key\" } ", r#"{"x-ably-clientId":"alice"}"#, Some("alice"), None),
            (r#"{"\u006bid":"\u0061pp.key"}"#, r#"{"x-ably-clientId":"alice"}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"alice","iat":null,"exp":null}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"alice","exp":4600.0}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"alice","iat":7200,"exp":3600}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"alice","x-ably-revocation-key":""}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"alice","x-ably-revocation-key":null}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"*","x-ably-revocation-key":"g1"}"#, None, Some("g1")),
            (HEADER, r#"{"x-ably-clientId":null,"x-ably-revocation-key":"g1"}"#, None, Some("g1")),
            (HEADER, r#"{"x-ably-clientId":"alice","x-ably-token":null}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"alice","sub":1,"sub":2}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"alice","a":{"x-ably-clientId":"b","exp":1}}"#, Some("alice"), None),
            (HEADER, r#"{"sub":"\",\"x-ably-clientId\":\"eve","x-ably-clientId":"alice"}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientID":"eve","X-Ably-ClientId":"eve","x-ably-clientId":"alice"}"#, Some("alice"), None),
            (HEADER, r#"{"x-ably-clientId":"\u0416 \ud83d\ude00"}"#, Some("Ж 😀"), None),
            (HEADER, r#"{"x-ably-clientId":"a:b:*"}"#, Some("a:b:*"), None),
            (HEADER, r#"{"x-ably-revocation-key":"*"}"#, None, Some("*")),
            (HEADER, &deep, Some("alice"), None),
        ] {
            let token = decode(jwt(header, payload).as_bytes()).expect(payload);
            assert_eq!(token.key_name, "app.key", "{header}");
            assert_eq!(token.targets(), (client_id, revocation_key), "{payload}");
        }
        for padded in [STANDARD.encode(HEADER), base64::engine::general_purpose::URL_SAFE.encode(HEADER)] {
            assert!(decode(format!("{padded}.e30=.{SIGNATURE}").as_bytes()).is_ok(), "{padded}");
        }
    }

    #[test]
    fn what_is_no_jwt_is_told_in_plain_words() {
        let whole = whole();
        let opaque = "xVLyHw.s3cretDTSFdn8s3cret_s3cret-s3cret";
        for (text, words) in [
            (String::new(), "is empty"),
            (" \r\n\"\" ".into(), "is empty"),
            ("Bearer ".into(), "no '.'"),
            ("s3cret".into(), "no '.'"),
            ("app.key:s3cret".into(), "is an API key"),
            ("Authorization: Basic s3cret".into(), "is an API key"),
            (STANDARD.encode("app.key:s3cret"), "is an API key"),
            (opaque.into(), "opaque Ably token of app xVLyHw,"),
            (format!("Bearer {}", STANDARD.encode(opaque)), "opaque Ably token of app xVLyHw,"),
            ("s3crets3crets3cret.s3cret".into(), "2 parts"),
            (format!("{whole}.s3cret"), "4 parts"),
            (format!("{whole}.a.b"), "encrypted JWT"),
            (format!("{whole}.{}", "a.".repeat(20_000)), "parts instead of three"),
            ("..".into(), "header is not JSON"),
            (whole.split('.').next().unwrap().to_owned(), "is not a JWT"),
            (whole.replacen('.', "=====.", 1), "header is not base64"),
            (whole.replacen(".eyJ", ".eyJ==", 1), "payload is not base64"),
            (whole.replacen(".eyJ", ".eyJ%3D", 1), "payload is not base64"),
            (whole.replacen(".eyJ", ".eyJ\0", 1), "payload is not base64"),
            (format!("{}.", &whole[..whole.len() - SIGNATURE.len() - 41]), "payload is not"),
            (
                format!("{}.e30.x", URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}")),
                "header is not JSON",
            ),
            (jwt("null                 ", "{}"), "header is not a JSON object"),
            (jwt(&format!("{HEADER}{HEADER}"), "{}"), "header is not JSON"),
            (jwt(HEADER, "1e999"), "payload is not"),
            (jwt(&"[".repeat(1000), "{}"), "header is nested too deep"),
            (jwt(HEADER, &"{\"a\":".repeat(1000)), "payload is nested too deep"),
            (format!("{whole}\n{whole}\n"), "more than one token"),
            ("s3cret{}s3cret!!.s3cret.s3cret".into(), "header is not base64"),
            (format!("{}.s3cret!!.x", whole.split('.').next().unwrap()), "payload is not base64"),
            (jwt("s3cret s3cret", "{}"), "header is not JSON"),
            (jwt("[1, 2, 3, 4, 5]", "{}"), "header is not a JSON object"),
            (jwt(HEADER, "\"s3cret\""), "payload is not a JSON object"),
            (jwt(HEADER, "{} s3cret"), "payload is not JSON"),
            (jwt(HEADER, &"[".repeat(33)), "payload is nested too deep"),
            ("x".repeat(SIZE_LIMIT + 1), "larger than 64 KiB"),
        ] {
            let message = refused(&text);
            assert!(message.contains(words), "{text}: {message}");
            assert!(!message.contains("s3cret"), "{text}: {message}");
        }
        assert!(decode(b"\xff\xfe").unwrap_err().message.contains("is not text"));
        let utf_16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(decode(&utf_16).unwrap_err().message.contains("header is not base64"));
    }

    #[test]
    fn the_key_must_be_named_as_ably_names_keys() {
        for (header, words) in [
            (r#"{"alg":"HS256"}"#, "names no key (kid)"),
            (r#"{"kid":"","alg":"HS256"}"#, "names no key (kid)"),
            (r#"{"kid":5,"alg":"HS256"}"#, "kid in the token's header is not a string"),
            (r#"{"kid":null,"alg":"HS256"}"#, "names no key (kid)"),
            (r#"{"kid":"s3cret"}"#, "is not the name of an Ably key"),
            (r#"{"kid":"a.b/../../keys/c.d"}"#, "is not the name of an Ably key"),
            (r#"{"kid":"a.b\u001b[2J\r\n"}"#, "is not the name of an Ably key"),
            (r#"{"kid":"a.b","kid":"a.b"}"#, "holds kid more than once"),
            (r#"{"alg":"HS256","x-ably-token":"s3cret"}"#, "x-ably-token"),
            (r#"{"kid":"a.b:s3cret"}"#, "is not the name of an Ably key"),
            (r#"{"kid":"a.b","\u006bid":"c.d"}"#, "holds kid more than once"),
            (r#"{"kid":"a.b","x-ably-token":"s3cret"}"#, "x-ably-token"),
        ] {
            let message = refused(&jwt(header, "{}"));
            assert!(message.contains(words) && !message.contains("s3cret"), "{header}: {message}");
        }
    }

    #[test]
    fn doubtful_claims_are_refused_by_name() {
        for (payload, words) in [
            (
                r#"{"x-ably-clientId":["s3cret"]}"#,
                "x-ably-clientId in the token's payload is not a string",
            ),
            (r#"{"x-ably-clientId":5}"#, "x-ably-clientId in the token's payload is not a string"),
            (
                r#"{"x-ably-clientId":true}"#,
                "x-ably-clientId in the token's payload is not a string",
            ),
            (r#"{"x-ably-revocation-key":1}"#, "x-ably-revocation-key in the token's payload"),
            (r#"{"x-ably-revocation-key":{"a":"g1"}}"#, "x-ably-revocation-key in the token's"),
            (
                r#"{"x-ably-revocation-key":"a","x-ably-revocation-key":"b"}"#,
                "holds x-ably-revocation-key more than once",
            ),
            (r#"{"iat":true}"#, "iat in the token's payload is not a time"),
            (r#"{"exp":"1"}"#, "exp in the token's payload is not a time"),
            (r#"{"exp":[1]}"#, "exp in the token's payload is not a time"),
            (r#"{"iat":1,"\u0069at":2}"#, "holds iat more than once"),
            (r#"{"x-ably-token":{"a":1}}"#, "x-ably-token"),
            (r#"{"iat":"s3cret"}"#, "iat in the token's payload is not a time"),
            (
                r#"{"x-ably-clientId":"a","x-ably-clientId" : "b"}"#,
                "holds x-ably-clientId more than once",
            ),
            (r#"{"exp":1,"a":{"exp":2},"e\u0078p":3}"#, "holds exp more than once"),
            (r#"{"x-ably-token":"s3cret"}"#, "x-ably-token"),
        ] {
            let message = refused_claims(payload);
            assert!(message.contains(words) && !message.contains("s3cret"), "{payload}: {message}");
        }
        let inner = token(r#"{"exp":1,"sub":"exp","a":{"exp":2},"b":["exp","\":"],"sub":2}"#);
        assert_eq!(inner.expires_at, Some(1));
    }

    #[test]
    fn a_wildcard_or_empty_claim_is_no_target() {
        let wildcard = token(r#"{"x-ably-clientId":"*","x-ably-revocation-key":""}"#);
        assert_eq!(wildcard.targets(), (None, None));
        assert_eq!(wildcard.client_id.as_deref(), Some("*"));
        assert_eq!(token(r#"{"x-ably-clientId":null}"#).targets(), (None, None));
    }

    #[test]
    fn its_life_is_told_however_far_away() {
        let token_of = |iat: &str, exp: &str| token(&format!(r#"{{"iat":{iat},"exp":{exp}}}"#));
        let hour = token_of("1000", "4.6e3");
        assert_eq!(hour.life(4600), Life::Expired { since: 4600 });
        assert_eq!(hour.life(4599), Life::Alive { left_s: 1 });
        assert!(!hour.lives_longer_than_an_hour(0));
        assert!(token_of("1000", "4601").lives_longer_than_an_hour(0));
        let far = token_of("-9223372036854775808", "18446744073709551615");
        assert!(far.lives_longer_than_an_hour(0));
        assert_eq!(far.life(i64::MIN), Life::Alive { left_s: i64::MAX });
        assert_eq!(token_of("0", "-1e300").life(0), Life::Expired { since: i64::MIN });
        assert_eq!(token("{}").life(0), Life::Unknown);
        assert!(token(r#"{"exp":99999}"#).lives_longer_than_an_hour(0));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }

        #[test]
        fn no_parts_make_it_panic_or_show_themselves(header in "\\PC{0,30}", payload in "\\PC{0,60}") {
            if let Err(problem) = decode(jwt(&header, &payload).as_bytes()) {
                prop_assert!(!problem.message.contains(SIGNATURE));
            }
        }

        #[test]
        fn near_json_does_not_make_it_panic(
            payload in "\\{(\"(exp|iat|x-ably-clientId|\\\\u0065xp|\\\\)\"|:|,|\\{|\\}|\\[|\\]|-?[0-9]{1,20}|1e[0-9]{1,3}|é|null){0,20}\\}",
        ) {
            if let Ok(token) = decode(jwt(HEADER, &payload).as_bytes()) {
                let _ = (token.life(0), token.lives_longer_than_an_hour(0));
            }
        }

        #[test]
        fn claims_come_back_as_written(
            client_id in "\\PC{1,30}", revocation_key in "[\u{0}-\u{7f}]{1,30}", iat: i64, exp: i64,
        ) {
            let (mut client, mut group) = (String::new(), String::new());
            crate::json::quote(&mut client, &client_id);
            crate::json::quote(&mut group, &revocation_key);
            let payload = format!(
                r#"{{"{CLIENT_ID}":{client},"{REVOCATION_KEY}":{group},"iat":{iat},"exp":{exp}}}"#
            );
            let token = token(&payload);
            prop_assert_eq!(token.client_id.as_deref(), Some(client_id.as_str()));
            prop_assert_eq!(token.revocation_key.as_deref(), Some(revocation_key.as_str()));
            prop_assert_eq!((token.issued_at, token.expires_at), (Some(iat), Some(exp)));
        }
    }
}
