//! Leaked tokens, and what may be shown of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

pub const HEADER: &str = r#"{"typ":"JWT","alg":"HS256","kid":"APP1.key1"}"#;
pub const SIGNATURE: &str = "s1gnature-m4rker_0KxPqZ3vWn7RtY5uBcDeFg";

/// Stands in the payload, in a claim that is nobody's business.
pub const INNER: &str = "p4yload-m4rker-5d1e";

pub const OTHER_KEY: &str = "APP1.key2:0ther-s3cret-4411";
pub const OTHER_APPS_KEY: &str = "APP2.key1:0ther-s3cret-4412";
pub const ACCESS_TOKEN: &str = "c0ntrol-t0ken-88";

/// Unix seconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub fn jwt(header: &str, payload: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{SIGNATURE}", part(header), part(payload))
}

/// A payload as an auth server makes it, issued a minute ago for an hour, with these claims.
pub fn payload(claims: &str) -> String {
    let issued = now() - 60;
    let times = format!(r#""iat":{issued},"exp":{}"#, issued + 3600);
    let capability = r#""x-ably-capability":"{\"chat:*\":[\"publish\",\"subscribe\"]}""#;
    format!(r#"{{{times},{capability},"jti":"{INNER}"{claims}}}"#)
}

pub const ALICE: &str = r#","x-ably-clientId":"alice""#;
pub const GROUP: &str = r#","x-ably-revocation-key":"g1""#;
pub const BOTH: &str = r#","x-ably-clientId":"alice","x-ably-revocation-key":"g1""#;

/// A token with these claims.
pub fn with(claims: &str) -> String {
    jwt(HEADER, &payload(claims))
}

pub fn for_alice() -> String {
    with(ALICE)
}

/// A token for alice with these times, as JSON.
pub fn timed(iat: impl ToString, exp: impl ToString) -> String {
    let (iat, exp) = (iat.to_string(), exp.to_string());
    jwt(HEADER, &format!(r#"{{"iat":{iat},"exp":{exp},"jti":"{INNER}"{ALICE}}}"#))
}

/// The command with this token in a file.
pub fn leaked(token: impl AsRef<[u8]>) -> Program {
    let program = command();
    let file = program.home().write("leaked.txt", token);
    program.arg("--from-token").arg(file)
}

/// Nothing of a token on any of these streams but its claims: not the whole, no eight characters
/// of its signature, none of its payload, encoded or not.
pub fn shown_of(token: &str, streams: &[&str]) -> Option<String> {
    let token: String = token.chars().filter(|c| !c.is_whitespace()).collect();
    let mut forbidden = vec![INNER.to_owned()];
    if !token.is_empty() {
        forbidden.push(STANDARD.encode(&token));
    }
    for part in token.split(['.', ':', '"', '\'']).chain([SIGNATURE]) {
        let characters: Vec<char> = part.chars().collect();
        // An app's ID is shorter.
        if characters.len() > 12 {
            forbidden.extend(characters.windows(8).map(String::from_iter));
        }
    }
    forbidden.into_iter().find(|part| streams.iter().any(|stream| stream.contains(part)))
}

#[track_caller]
pub fn hides(run: &Run, token: &str) {
    run.never_says("panicked").hides_the_key();
    run.hides(SIGNATURE).hides(INNER);
    let shown = shown_of(token, &[&run.stdout, &run.stderr]);
    run.check(shown.is_none(), &format!("should not show {shown:?}"));
    let raw = |stream: &str| stream.contains(|c: char| c.is_control() && c != '\n');
    let fits = !raw(&run.stdout) && !raw(&run.stderr);
    run.check(fits, "should show nothing that a terminal obeys");
}

#[track_caller]
pub fn on_screen_hides(end: &Run, token: &str) {
    let shown = shown_of(token, &[&end.screen]);
    end.check(shown.is_none(), &format!("should not show {shown:?}"));
}
