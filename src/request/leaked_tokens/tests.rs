use std::io::{Cursor, ErrorKind, repeat};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::secret::jwt::LIMIT;

const NOW_MS: i64 = 2_000_000;
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"APP1.key1"}"#;
const PAYLOAD: &str = r#"{"x-ably-clientId":"alice","x-ably-revocation-key":"g1","iat":1000,"exp":4600,"x-ably-capability":"{\"*\":[\"*\"]}"}"#;
/// As long as HS256 has it.
const SIGNED: &str = "s3cret-_5ignature-m4rker-0KxPqZ3-abcdefghijk";
const SECRET: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0bcdef-_jklmnopqr";

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn jwt(header: &str, payload: &str) -> String {
    format!("{}.{}.{}", part(header), part(payload), &SIGNED[1..])
}

fn whole() -> String {
    jwt(HEADER, PAYLOAD)
}

/// The nth of many tokens.
fn nth(n: usize) -> String {
    jwt(HEADER, &format!(r#"{{"x-ably-clientId":"client{n}","exp":{}}}"#, 9000 + n))
}

fn cut(token: &str) -> &str {
    token.rsplit_once('.').unwrap().0
}

const READING: Reading<'_> = Reading { now_ms: NOW_MS, keeps_tokens: true, keys: &[] };

fn find_in(text: impl AsRef<[u8]>) -> Found {
    find(text.as_ref(), READING).unwrap()
}

/// Whatever can be done about them.
fn all(found: &Found) -> impl Iterator<Item = &Token> {
    let others = found.helpless.iter().chain(&found.uncertain).map(|(token, _)| token);
    found.tokens.iter().chain(others)
}

fn raws(found: &Found) -> Vec<String> {
    found.tokens.iter().map(|token| token.raw.as_ref().unwrap().expose().to_owned()).collect()
}

/// Gives what it has in pieces of these sizes, over and over.
struct Pieces<'a>(&'a [u8], std::iter::Cycle<std::vec::IntoIter<usize>>);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1.next().unwrap_or(1).min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn a_token_is_found_wherever_it_stands() {
    let t = whole();
    let base64 = STANDARD.encode(&t);
    assert!(base64.starts_with("ZXlK"));
    for (text, line) in [
        (t.clone(), 1),
        (format!("\u{feff}{t}\r\n"), 1),
        (format!("\n\nBearer {t}\n"), 3),
        (format!("Authorization: Bearer {base64}\r\n"), 1),
        (format!("Authorization: Bearer {}\r\n", STANDARD_NO_PAD.encode(&t)), 1),
        (URL_SAFE.encode(&t), 1),
        (format!("{base64}x"), 1),
        (format!("x{base64}"), 1),
        (format!("xeyJ{t}"), 1),
        (format!("%22{t}%22%0A"), 1),
        (format!("token%3D{t}%26v=2"), 1),
        (format!(r#"{{"a":"\u0022{t}\u0022"}}"#), 1),
        (format!(r#"{{"a":"\n{t}\n"}}"#), 1),
        (format!("It is {t}. Next"), 1),
        (format!("({t})...\n{t}"), 1),
        (format!("?accessToken={}&v=2", t.replace('.', "%2E")), 1),
        (format!("?a=%22{}%22", t.replace('.', "%252e")), 1),
        (format!(r#"{{"a":"{}"}}"#, t.replace('.', "\\u002e")), 1),
        (format!(r#"{{"a":"{{\"b\":\"{}\"}}"}}"#, t.replace('.', "\\\\u002E")), 1),
        (t.replacen('.', "%2E", 1), 1),
        (format!("{t}.a.b.c"), 1),
        (format!("{}{t}", "eyJ".repeat(5)), 1),
        (format!("{}.{t}", part(r#"{"alg":"HS256","typ":"JWT"}"#)), 1),
        (format!("{}.{t}", part(r#"{"kid":"APP1.key1","a":"cut of"#)), 1),
        (format!("{}.{}{t}", part(HEADER), &part(PAYLOAD)[..30]), 1),
        (format!("a\0b\0\n\0{t}\0"), 2),
        (format!("<a href='https://x.example/?accessToken={t}&amp;v=2'>"), 1),
        // nginx's access log, format "combined".
        (format!("203.0.113.7 - - [12/Nov/2025:10:00:00 +0000] \"GET /?key=x&accessToken={t}&format=json&v=3 HTTP/1.1\" 101 512 \"-\" \"ably-js/2.1\"\n"), 1),
        // gitleaks 8, `--report-format json`.
        (format!("[\n {{\n  \"RuleID\": \"jwt\",\n  \"Description\": \"Uncovered a JSON Web Token\",\n  \"StartLine\": 3,\n  \"Match\": \"{t}\\\"\",\n  \"Secret\": \"{t}\",\n  \"File\": \"src/app.js\",\n  \"SymlinkFile\": \"\",\n  \"Commit\": \"4e3f3ad0d3f0a0a6a2b3c1d0e5f60718293a4b5c\",\n  \"Entropy\": 5.6,\n  \"Fingerprint\": \"4e3f3ad0:src/app.js:jwt:3\"\n }}\n]\n"), 6),
        // A HAR file, as browsers export it.
        (format!("{{\"log\":{{\"version\":\"1.2\",\"entries\":[{{\"request\":{{\"method\":\"GET\",\n\"url\":\"wss://main.realtime.ably.net/?accessToken={t}&v=3\",\n\"headers\":[{{\"name\":\"Authorization\",\"value\":\"Bearer {base64}\"}}],\"queryString\":[{{\"name\":\"accessToken\",\"value\":\"{t}\"}}]}}}}]}}}}"), 2),
        // A line of Docker's log file: JSON in JSON.
        (format!("{{\"log\":\"{{\\\"level\\\":\\\"info\\\",\\\"msg\\\":\\\"auth\\\",\\\"token\\\":\\\"{t}\\\"}}\\n\",\"stream\":\"stdout\",\"time\":\"2025-11-12T10:00:00.000000000Z\"}}\n"), 1),
    ] {
        let found = find_in(&text);
        assert_eq!(raws(&found), [t.as_str()], "{text}");
        assert_eq!(found.tokens[0].line, line, "{text}");
        assert_eq!((found.expired, found.diagnosis), (0, None), "{text}");
        let bytes = Pieces(text.as_bytes(), vec![1].into_iter().cycle());
        assert_eq!(raws(&find(bytes, READING).unwrap()), [t.as_str()], "{text}");
    }
}

#[test]
fn white_space_in_its_json_hides_no_token() {
    let bare = |text: &str| text.trim_end_matches('=').to_owned();
    for blank in ["", " ", "  ", "\n", "\n  ", "\r\n", "\t", "\n\t\t", "   \n"] {
        for header in [
            format!("{{{blank}\"kid\":\"APP1.key1\"}}"),
            format!(
                "{{{blank}\"alg\"{blank}:{blank}\"HS256\"{blank},\"kid\":\"APP1.key1\"{blank}}}"
            ),
            format!("{blank}{{\"kid\":\"APP1.key1\"}}{blank}"),
            format!("{{{blank}\"1\":{{\"a\":[\"}}\\\"\"]}},\"kid\":\"APP1.key1\"}}"),
        ] {
            let t = jwt(&header, &format!("{{{blank}\"x-ably-clientId\":\"a\"{blank}}}"));
            let mut texts =
                vec![t.clone(), format!("\"{t}\""), format!("x{t}"), t.replace('.', "%2e")];
            if header.starts_with('{') {
                texts.extend([
                    STANDARD.encode(&t),
                    format!("Bearer {}", bare(&STANDARD.encode(&t))),
                ]);
            }
            for text in texts {
                assert_eq!(raws(&find_in(&text)), [t.as_str()], "{header:?} {text}");
            }
        }
    }
}

#[test]
fn tokens_with_nothing_between_them_are_two() {
    let (t, u) = (whole(), nth(1));
    let raw = |token: &str| token.to_owned();
    for (text, first) in [
        (format!("{t}{u}"), raw(&t)),
        (format!("{t}-{u}"), raw(&t)),
        (format!("{t}_{u}"), raw(&t)),
        (format!("{t}.{u}"), raw(&t)),
        (format!("{}{u}", &t[..t.len() - 20]), raw(&t[..t.len() - 20])),
        (format!("{}{u}", cut(&t)), format!("{}.", cut(&t))),
        (format!("{}.{u}", cut(&t)), format!("{}.", cut(&t))),
        (format!("{}-{u}", cut(&t)), format!("{}.", cut(&t))),
        (format!("{}.{u}", STANDARD.encode(&t)), raw(&t)),
        (STANDARD_NO_PAD.encode(&t) + &STANDARD_NO_PAD.encode(&u), raw(&t)),
        (STANDARD.encode(format!("{t}{u}")), raw(&t)),
    ] {
        let found = find_in(format!("{text}\n{t}{t}"));
        let others = [u.as_str()];
        assert_eq!(raws(&found)[1..], others, "{text}");
        // A cut one is completed by what follows.
        assert_eq!(raws(&found)[0], t, "{text}");
        assert_eq!(raws(&find_in(&text)), [first.as_str(), u.as_str()], "{text}");
    }
}

#[test]
fn a_header_may_be_as_long_as_a_token() {
    for filling in [5_000, 30_000] {
        let header = format!(r#"{{"x5c":["{}"],"kid":"APP1.key1"}}"#, "M".repeat(filling));
        let t = jwt(&header, r#"{"x-ably-clientId":"alice"}"#);
        let found = find_in(format!("{} {t}", "x".repeat(WINDOW)));
        assert_eq!(raws(&found), [t.as_str()], "{filling}");
        assert_eq!(raws(&find_in(STANDARD.encode(&t))), [t.as_str()], "{filling}");
    }
    // As long as a token, without a payload.
    let room = LIMIT / 4 * 3 - r#"{"x5c":[""],"kid":"APP1.key1"}"#.len();
    let header = format!(r#"{{"x5c":["{}"],"kid":"APP1.key1"}}"#, "M".repeat(room));
    let found = find_in(jwt(&header, r#"{"x-ably-clientId":"alice"}"#));
    assert_eq!((part(&header).len(), found.helpless[0].1), (LIMIT, Why::Cut));
}

#[test]
fn without_a_claim_of_ablys_a_token_is_not_certain_to_be_one() {
    for payload in [r#"{"sub":"1"}"#, r#"{"sub":"1","exp":1}"#, r#"{"iat":"x"}"#, r#"{"sub":"x"#] {
        let found = find_in(jwt(HEADER, payload));
        let [(token, _)] = &found.uncertain[..] else { panic!("{payload} {found:?}") };
        assert_eq!((token.key_name.as_str(), found.expired, found.not_ably), ("APP1.key1", 0, 0));
    }
    let found = find_in(jwt(HEADER, r#"{"x-ably-anything":null}"#));
    assert_eq!((found.uncertain.len(), found.helpless.len()), (0, 1));
}

#[test]
fn a_token_says_what_it_is_and_is_not_shown() {
    let found = find_in(whole());
    let token = &found.tokens[0];
    assert_eq!((token.key_name.as_str(), token.app_id()), ("APP1.key1", "APP1"));
    assert_eq!(token.targets(), (Some("alice"), Some("g1")));
    assert_eq!((token.claims.issued_at, token.claims.expires_at), (Some(1000), Some(4600)));
    assert!(token.is_signed() && !format!("{found:?}").contains("5ignature"));
    // sha256sum(1) of the same text.
    let abc = fingerprint("abc");
    assert_eq!(abc, 0xba78_16bf_8f01_cfea);
    assert_eq!(token.fingerprint, fingerprint(&whole()));
}

#[test]
fn a_signature_that_was_cut_off_is_taken_from_another_place() {
    let (t, u) = (whole(), nth(1));
    let shorter = &t[..t.len() - 9];
    for (text, raw) in [
        (format!("a\n{} {}", cut(&t), cut(&t)), format!("{}.", cut(&t))),
        (format!("a\n{}. {}.", cut(&t), cut(&t)), format!("{}.", cut(&t))),
        (format!("a\n{}...\n{t}\n{t}", cut(&t)), t.clone()),
        (format!("a\n{t}\n{}", cut(&t)), t.clone()),
        (format!("a\n{shorter}…\n{t}\n{t}glued\n{shorter}"), t.clone()),
        (format!("a\n{t}glued\n{t}"), t.clone()),
    ] {
        let found = find_in(format!("{text}\n{u}"));
        assert_eq!(raws(&found), [raw.clone(), u.clone()], "{text}");
        assert_eq!(found.tokens[0].line, 2, "{text}");
        assert_eq!(found.tokens[0].is_signed(), !raw.ends_with('.'), "{text}");
        assert_eq!(found.tokens[0].fingerprint, fingerprint(&raw), "{text}");
    }
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn what_is_no_token_of_ablys_is_at_most_counted() {
    let t = whole();
    let (header, payload) = (part(HEADER), part(PAYLOAD));
    let foreign = jwt(r#"{"alg":"RS256","kid":"2024-01"}"#, r#"{"sub":"1"}"#);
    let (start, end) = t.split_at(40);
    for (text, counted) in [
        (format!("{foreign} {foreign} {}", STANDARD.encode(&foreign)), 1),
        (format!("{foreign} {}", jwt(r#"{"alg":"RS256"}"#, r#"{"sub":"1"}"#)), 2),
        (jwt(r#"{"alg":"HS256","kid":5}"#, "{}"), 1),
        (jwt(r#"{"alg":"HS256","kid":""}"#, "{}"), 1),
        (jwt(r#"{"alg":"HS256","Kid":"a.b"}"#, "{}"), 1),
        (jwt(r#"{"kid":"a.b/../../keys/c.d"}"#, "{}"), 1),
        (jwt(r#"{"kid":"a.b.c"}"#, "{}"), 1),
        (jwt(r#"{"kid":"a.b:s3cret"}"#, "{}"), 1),
        (jwt(r#"{"kid":"a.b\u001b[2J\r\n"}"#, "{}"), 1),
        (format!("{start}\n{end}"), 0),
        (header.clone(), 0),
        (format!("{header}."), 0),
        (format!("{header}..x"), 0),
        (format!("{header}:{payload}"), 0),
        (jwt(HEADER, "[]"), 0),
        (format!("{}.{payload}.x", part(r#"["kid","APP1.key1"]"#)), 0),
        (format!("{}.{payload}.x", part("{\"kid\":\"APP1.key1\"}}")), 0),
        (format!("{}.{payload}.x", URL_SAFE_NO_PAD.encode(b"{\"kid\":\"APP1.key1\",\"a\":\"\xff\"}")), 0),
        (format!("{}.x.y", part(r#"{"alg":"none","a":1}"#)), 0),
        (format!("{}.x.y.z.t", part(r#"{"alg":"dir","enc":"A256GCM","kid":"a.b"}"#)), 0),
        (format!("{}..y.z.t", part(r#"{"alg":"dir","enc":"A256GCM","kid":"a.b"}"#)), 0),
        (STANDARD.encode(STANDARD.encode(&t)), 0),
        (part(&"[".repeat(1000)), 0),
        (t.replacen('.', "%2F", 1), 0),
        (t.replacen('.', "\\u002f", 1), 0),
    ] {
        let found = find_in(&text);
        assert_eq!((found.tokens.len(), found.expired, found.helpless.len()), (0, 0, 0), "{text}");
        assert_eq!(found.not_ably, counted, "{text}");
    }
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn header_and_claims_are_read_as_json_has_them() {
    let deep = format!(r#"{{"a":{}{},"x-ably-clientId":"alice"}}"#, "[".repeat(31), "]".repeat(31));
    for (header, payload, client_id, revocation_key) in [
        (r#"{"kid":"APP1.key1"}"#, r#"{"x-ably-clientId":"alice"}"#, Some("alice"), None),
        (r#"{"kid" : "APP1.key1","typ":"JWT", "alg":"HS256"}"#, r#"{"x-ably-clientId":"alice"}"#, Some("alice"), None),
        (r#"{"\u006bid":"\u0041PP1.key1"}"#, r#"{"x-ably-clientId":"alice"}"#, Some("alice"), None),
        (HEADER, r#" { "x-ably-clientId" : "alice" }"#, Some("alice"), None),
        (HEADER, r#"{"x-ably-clientId":"alice","iat":null,"exp":null}"#, Some("alice"), None),
        (HEADER, r#"{"x-ably-clientId":"alice","x-ably-revocation-key":""}"#, Some("alice"), None),
        (HEADER, r#"{"x-ably-clientId":"*","x-ably-revocation-key":"g1"}"#, None, Some("g1")),
        (HEADER, r#"{"x-ably-clientId":"*","x-ably-revocation-key":""}"#, None, None),
        (HEADER, r#"{"x-ably-clientId":null,"x-ably-revocation-key":"g1"}"#, None, Some("g1")),
        (HEADER, r#"{"x-ably-clientId":"alice","x-ably-token":null}"#, Some("alice"), None),
        (HEADER, r#"{"x-ably-clientId":"alice","sub":1,"sub":2}"#, Some("alice"), None),
        (HEADER, r#"{"x-ably-clientId":"alice","a":{"x-ably-clientId":"b","exp":1}}"#, Some("alice"), None),
        (HEADER, r#"{"sub":"\",\"x-ably-clientId\":\"eve","x-ably-clientId":"alice"}"#, Some("alice"), None),
        (HEADER, r#"{"x-ably-clientID":"eve","X-Ably-ClientId":"eve"}"#, None, None),
        (HEADER, r#"{"x-ably-clientId":"\u0416 \ud83d\ude00"}"#, Some("Ж 😀"), None),
        (HEADER, r#"{"x-ably-revocation-key":"*"}"#, None, Some("*")),
        (HEADER, "{}", None, None),
        (HEADER, &deep, Some("alice"), None),
    ] {
        let found = find_in(jwt(header, payload));
        let token = all(&found).next().expect(payload);
        assert_eq!(token.key_name, "APP1.key1", "{header}");
        assert_eq!(token.targets(), (client_id, revocation_key), "{payload}");
    }
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn what_is_doubtful_is_told_without_its_values() {
    let named = "APP1.key1";
    let long = format!(r#"{{"x-ably-a":"{}"}}"#, "s3cret".repeat(LIMIT / 6));
    let more_than_once = "more than once";
    for (text, key_name, why) in [
        (jwt(HEADER, r#"{"x-ably-clientId":["s3cret"]}"#), named, "x-ably-clientId is not a string"),
        (jwt(HEADER, r#"{"x-ably-revocation-key":{"a":"s3cret"}}"#), named, "x-ably-revocation-key is not a string"),
        (jwt(HEADER, r#"{"x-ably-clientId":"s3cret","x-ably-clientId" : "b"}"#), named, more_than_once),
        (jwt(HEADER, r#"{"exp":1,"a":{"exp":2},"e\u0078p":3,"x-ably-a":1}"#), named, "exp comes more than once"),
        (jwt(HEADER, r#"{"iat":"s3cret","x-ably-a":1}"#), named, "iat is not a time"),
        (jwt(HEADER, r#"{"exp":true,"x-ably-a":1}"#), named, "exp is not a time"),
        (jwt(HEADER, r#"{"x-ably-clientId":"a\nclientId:b","a":"s3cret"}"#), named, "x-ably-clientId holds a line break"),
        (jwt(HEADER, r#"{"x-ably-clientId":"a\u2028"}"#), named, "a line break"),
        (jwt(HEADER, r#"{"x-ably-revocation-key":"a\u0000"}"#), named, "x-ably-revocation-key holds"),
        (jwt(HEADER, &format!(r#"{{"x-ably-clientId":"{}"}}"#, whole())), named, "a key or a token"),
        (jwt(HEADER, r#"{"x-ably-capability":"{}","a":"s3cret"}"#), named, "neither a client ID nor"),
        (jwt(HEADER, r#"{"x-ably-clientId":"*","sub":"s3cret"}"#), named, "any client ID (*)"),
        (jwt(r#"{"kid":"a.b","kid":"a.b"}"#, r#"{"x-ably-clientId":"a"}"#), "", "kid comes more than once"),
        (jwt(r#"{"alg":"HS256","x-ably-token":"s3cret"}"#, "{}"), "", "x-ably-token"),
        (jwt(HEADER, r#"{"x-ably-token":"s3cret"}"#), named, "x-ably-token"),
        (jwt(HEADER, r#"{"x-ably-token":"s3cret","x-ably-token":null}"#), named, "x-ably-token"),
        (jwt(HEADER, "{\"x-ably-a\":s3cret"), named, "cut off"),
        (jwt(HEADER, &"{\"x-ably-a\":".repeat(100)), named, "cut off"),
        (whole()[..120].to_owned(), named, "cut off"),
        (format!("{}\n{}", &whole()[..120], &whole()[120..]), named, "broken over lines"),
        (jwt(HEADER, &long), named, "longer than 64 KiB"),
        (STANDARD.encode(jwt(HEADER, &long)), named, "longer than 64 KiB"),
    ] {
        // A second occurrence counts no more, and what follows is found.
        let found = find_in(format!("\n{text}\n{text}\n{}", whole()));
        let [doubtful] = &found.helpless[..] else { panic!("{} {:?}", &text[..100], found) };
        let (token, doubt) = doubtful;
        assert_eq!((token.key_name.as_str(), token.line), (key_name, 2));
        assert!(doubt.to_string().contains(why), "{doubtful:?}");
        assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
        assert_eq!(raws(&found), [whole()]);
    }
}

#[test]
fn a_token_of_the_largest_size_is_found_across_borders() {
    let payload = |text: &str| format!(r#"{{"x-ably-clientId":"a","a":"{text}"}}"#);
    let room = LIMIT - jwt(HEADER, &payload("")).len();
    let t = jwt(HEADER, &payload(&"x".repeat(room / 4 * 3)));
    assert!((LIMIT - 4..=LIMIT).contains(&t.len()));
    for before in [
        0,
        WINDOW - AHEAD - t.len(),
        WINDOW - AHEAD - 1,
        WINDOW - LIMIT,
        WINDOW - 1,
        2 * WINDOW - 90,
    ] {
        for text in [t.clone(), STANDARD.encode(&t)] {
            let text = format!("{}{text}\n", "\n".repeat(before));
            let found = find_in(&text);
            assert_eq!(raws(&found), [t.as_str()], "{before}");
            assert_eq!(found.tokens[0].line, before as u64 + 1);
        }
    }
}

#[test]
fn what_a_border_of_the_window_cuts_is_found() {
    let key = |n: usize| format!("xVLyHw.key{n}:{}", SECRET);
    let forms: [(&str, &dyn Fn(usize) -> String); 7] = [
        (".eyJ4", &nth),
        ("%2EeyJ4", &|n| nth(n).replace('.', "%2E")),
        ("ZXlK", &|n| STANDARD.encode(nth(n))),
        (":", &key),
        ("%3A", &|n| key(n).replace(':', "%3A")),
        ("\\u003a", &|n| key(n).replace(':', "\\u003a")),
        ("Basic ", &|n| format!("Basic {}", STANDARD.encode(key(n)))),
    ];
    for (anchor, form) in forms {
        // Each border cuts another one, in another place.
        let cuts = anchor.len() + 1;
        let mut text = Vec::new();
        for cut in 0..cuts {
            let form = form(cut);
            let border = WINDOW - AHEAD + cut * (WINDOW - AHEAD - BEHIND);
            text.resize(border - form.find(anchor).unwrap() - cut, b' ');
            text.extend_from_slice(form.as_bytes());
        }
        let found = find_in(&text);
        assert_eq!(found.tokens.len() + found.keys.len(), cuts, "{anchor} {found:?}");
    }
}

#[test]
fn expired_tokens_are_counted_once_each() {
    let of = |exp: &str| jwt(HEADER, &format!(r#"{{"x-ably-clientId":"a","exp":{exp}}}"#));
    let text = ["2000", "1999.9", "-1e300", "2000", "2001", "2000.9"].map(of).join(" ");
    let found = find_in(text);
    assert_eq!((found.expired, found.last_expired_ms), (4, Some(2_000_000)));
    assert_eq!(found.tokens.len(), 1);
}

#[test]
fn a_life_of_over_an_hour_is_told_however_far_it_goes() {
    for (payload, longer) in [
        (r#"{"iat":1000,"exp":4.6e3}"#, false),
        (r#"{"iat":1000,"exp":4601}"#, true),
        (r#"{"iat":-9223372036854775808,"exp":18446744073709551615}"#, true),
        (r#"{"iat":1000}"#, false),
        (r#"{"exp":5600}"#, false),
        (r#"{"exp":5601}"#, true),
    ] {
        let found = find_in(jwt(HEADER, &payload.replace('{', r#"{"x-ably-clientId":"a","#)));
        assert_eq!(found.tokens[0].lives_longer_than_an_hour(NOW_MS), longer, "{payload}");
    }
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn what_a_text_is_instead_is_told_only_of_all_of_it() {
    let t = whole();
    let key = "APP1.key1:s3cr3t-marker-9f2c";
    let opaque = "xVLyHw.s3cretDTSFdn8s3cret_s3cret-s3cret";
    let utf_16: Vec<u8> = t.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (text, instead) in [
        (Vec::new(), Some("is empty")),
        (b" \r\n\"\" ".to_vec(), Some("is empty")),
        (b"\x1f\x8b\x08\0\0".to_vec(), Some("zcat FILE")),
        (b"PK\x03\x04\0\0".to_vec(), Some("unpack it first")),
        ([b"\xff\xfe".to_vec(), utf_16.clone()].concat(), Some("UTF-16")),
        (utf_16, Some("UTF-16")),
        (key.into(), Some("is an API key")),
        (format!("'{key}'\n").into(), Some("is an API key")),
        (format!("Authorization: Basic {}\n", STANDARD.encode(key)).into(), Some("is an API key")),
        (format!("{key} x").into(), None),
        (format!("{} x", STANDARD.encode(key)).into(), None),
        (format!("{}:s3cret-9", cut(&t)[..90].to_owned()).into(), None),
        (opaque.into(), Some("of app xVLyHw")),
        (format!("Bearer {}\r\n", STANDARD.encode(opaque)).into(), Some("of app xVLyHw")),
        (b"www.example.com".to_vec(), None),
        (format!("a {}\n{}", &t[..40], &t[40..]).into(), None),
        (b"nothing here".to_vec(), None),
        (t.clone().into(), None),
    ] {
        let told = find_in(&text).diagnosis.map(|it| format!("{}: {}", it.message, it.remedy));
        let is_told = told.as_deref().zip(instead).is_some_and(|(told, it)| told.contains(it));
        assert!(is_told || told.is_none() && instead.is_none(), "{told:?} for {instead:?}");
    }
}

/// Time bounds are for a debug build on a busy machine; what is quadratic takes minutes.
#[test]
fn near_misses_in_any_number_take_linear_time() {
    let size = 1 << 20;
    let header = part(HEADER);
    let open = part(r#"{"a":{"a":{"a":{"a":1,"#);
    for noise in [
        "eyJ".into(),
        "eyJ.".into(),
        "ZXlK".into(),
        "ZXlKeyJ".into(),
        "eyJhbGciOiJIUzI1NiJ9 ".into(),
        "eyJhIjoxfQeyJhIjoxfQeyJhIjoxfQ.".into(),
        open.clone(),
        format!("{}.", open.repeat(200)),
        format!("{}.", part(r#"{"alg":"HS256","typ":"JWT"}"#)),
        format!("{header}{header}"),
        format!("{}.", STANDARD_NO_PAD.encode(header.repeat(300))),
        format!("{header}.{} ", "x".repeat(60_000)),
        format!("{}x", "a".repeat(70_000)),
    ] {
        let text = noise.repeat(size / noise.len());
        let start = Instant::now();
        let found = find(format!("{text} {}", whole()).as_bytes(), READING).unwrap();
        assert_eq!(raws(&found), [whole()], "{}", &noise[..20.min(noise.len())]);
        assert!(start.elapsed() < Duration::from_secs(60), "{}", &noise[..20.min(noise.len())]);
    }
}

#[test]
fn a_line_without_end_and_nul_bytes_hide_nothing() {
    let text = Cursor::new(whole()).chain(repeat(b'a').take(20 << 20)).chain(Cursor::new("\n"));
    let text = text.chain(repeat(0).take(5 << 20)).chain(Cursor::new(nth(1)));
    let found = find(text, READING).unwrap();
    assert_eq!(raws(&found), [whole(), nth(1)]);
    assert_eq!(found.tokens[1].line, 2);
}

#[test]
fn an_error_of_the_reader_is_its_own() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::PermissionDenied.into())
        }
    }
    let text = Cursor::new(whole()).chain(Broken);
    assert_eq!(find(text, READING).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

/// Bytes between tokens: anything, and what looks like the beginning of a token.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let pieces = ["eyJ", "ZXlK", ".", "ey", "\n", "eyJhbGciOiJIUzI1NiJ9.", "%22", "\\n", "a", "="];
    let piece = prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    vec(prop_oneof![vec(any::<u8>(), 0..40), piece], 0..9).prop_map(|parts| parts.concat())
}

/// JSON's numbers are exact up to here.
const EXACT: i64 = 1 << 53;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn planted_tokens_are_all_found_and_nothing_else(
        noises in vec(noise(), 1..8),
        forms in vec(0..4, 8),
        far in vec(prop_oneof![Just(0usize), Just(0), WINDOW - AHEAD - 600..WINDOW - AHEAD + 10], 8),
        sizes in vec(1usize..5000, 1..9),
    ) {
        let (mut text, mut planted) = (Vec::new(), Vec::new());
        for (n, noise) in noises.iter().enumerate() {
            text.extend_from_slice(noise);
            text.extend(std::iter::repeat_n(b' ', far[n]));
            let token = nth(n);
            // What follows must not look like a part of it.
            let form = match forms[n] {
                0 => format!("{token} "),
                1 => format!("{token}\""),
                2 => format!(" {} ", STANDARD.encode(&token)),
                _ => format!(" {} ", STANDARD_NO_PAD.encode(&token)),
            };
            let line = 1 + text.iter().filter(|byte| **byte == b'\n').count() as u64;
            text.extend_from_slice(form.as_bytes());
            planted.push((token, line));
        }
        let found = find(Pieces(&text, sizes.into_iter().cycle()), READING).unwrap();
        let tokens = found.tokens.iter().map(|token| (token.raw.as_ref().unwrap().expose().to_owned(), token.line));
        prop_assert_eq!(tokens.collect::<Vec<_>>(), planted);
        prop_assert_eq!((found.expired, found.helpless.len()), (0, 0));
    }

    #[test]
    fn no_bytes_make_it_panic(noise in noise(), sizes in vec(1usize..50, 1..5)) {
        let found = find(Pieces(&noise, sizes.into_iter().cycle()), READING).unwrap();
        prop_assert_eq!(found.tokens.len(), 0);
    }

    #[test]
    fn no_parts_make_it_panic_or_show_themselves(
        header in "\\PC{0,30}",
        payload in "\\{(\"(exp|iat|x-ably-clientId|\\\\u0065xp|\\\\)\"|:|,|\\{|\\}|\\[|\\]|-?[0-9]{1,20}|1e[0-9]{1,3}|é|null){0,20}\\}",
        at: Index,
    ) {
        for header in [header.as_str(), HEADER] {
            let text = jwt(header, &payload);
            let found = find_in(&text);
            let shown = format!("{found:?}");
            prop_assert!(!shown.contains("5ignature"));
            let _ = all(&found).any(|token| token.lives_longer_than_an_hour(0));
            // A part of it is no other token.
            let part = find_in(&text[at.index(text.len())..]);
            prop_assert!(all(&part).count() <= all(&found).count());
        }
    }

    #[test]
    fn claims_come_back_as_written(
        client_id in "[^\\p{C}\\p{Zl}\\p{Zp}]{1,30}", revocation_key in "[ -~]{1,30}", iat in -EXACT..EXACT,
        exp in 2001..EXACT,
    ) {
        let (mut client, mut group) = (String::new(), String::new());
        crate::json::quote(&mut client, &client_id);
        crate::json::quote(&mut group, &revocation_key);
        let found = find_in(jwt(HEADER, &format!(
            r#"{{"x-ably-clientId":{client},"x-ably-revocation-key":{group},"iat":{iat},"exp":{exp}}}"#
        )));
        let token = &found.tokens[0];
        prop_assert_eq!(token.claims.client_id.as_deref(), Some(client_id.as_str()));
        prop_assert_eq!(token.claims.revocation_key.as_deref(), Some(revocation_key.as_str()));
        prop_assert_eq!((token.claims.issued_at, token.claims.expires_at), (Some(iat), Some(exp)));
    }
}
