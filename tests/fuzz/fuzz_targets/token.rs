//! Any bytes as a leaked token, then a header and a payload, parted by a line feed, in a JWT's
//! clothes: an error in words without a part of it, or claims that can be told and acted on.

#![no_main]

use ably_revoke_token::terminal::choose::Chooser;
use ably_revoke_token::request::leaked::Leaked;
use ably_revoke_token::net::auth;
use ably_revoke_token::terminal::output::{Format, Output};
use ably_revoke_token::secret::redactor::Redactor;
use ably_revoke_token::request::targets::Kind;
use ably_revoke_token::text::{Safe, is_hostile};
use ably_revoke_token::request::jwt::{self, Life};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;

/// No message holds it; a claim may, if the fuzzer puts it there.
const SIGNATURE: &str = "s1gnature-m4rker_0KxPqZ3";

fuzz_target!(|data: &[u8]| {
    judge(data, false);
    let at = data.iter().position(|byte| *byte == b'\n');
    let (header, payload) = data.split_at(at.unwrap_or(data.len() / 2));
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let payload = payload.strip_prefix(b"\n").unwrap_or(payload);
    // The fuzzer need not find out what a header looks like.
    for header in [header, br#"{"kid":"app.key"}"#] {
        judge(format!("{}.{}.{SIGNATURE}", part(header), part(payload)).as_bytes(), true);
    }
});

fn judge(text: &[u8], is_jwt: bool) {
    let token = match jwt::decode(text) {
        Ok(token) => token,
        Err(problem) => {
            assert!(!problem.remedy.is_empty(), "{}", problem.message);
            assert!(!problem.message.contains(is_hostile), "{}", problem.message);
            assert!(!problem.message.contains(SIGNATURE), "{}", problem.message);
            // Of what was given, at most an app's ID.
            assert!(problem.message.len() < 160, "{}", problem.message);
            return;
        }
    };
    let (app, key) = token.key_name.split_once('.').expect("appId.keyId");
    assert!(app == token.app_id() && !key.is_empty() && !key.contains(['.', ':', '/']));
    for now in [i64::MIN, -1, 0, 1_795_453_744, i64::MAX] {
        if let Life::Alive { left_s } = token.life(now) {
            assert!(left_s > 0);
        }
    }
    // Where the fuzzer wrote it into a claim, or the token is bare, it proves nothing.
    let marked = is_jwt && !claims(&token, SIGNATURE);
    assert!(!marked || !format!("{token:?}").contains(SIGNATURE));
    assert_ne!(token.targets().0, Some("*"));

    let header = auth::token(&token.raw).expect("base64 fits a header");
    assert!(header.is_sensitive());
    let encoded = header.to_str().expect("base64 is text");
    let encoded = encoded.strip_prefix("Bearer ").expect("a bearer token");
    let raw = BASE64_STANDARD.decode(encoded).expect("base64");
    let raw = String::from_utf8(raw).expect("a token is text");
    assert!(!raw.contains(char::is_whitespace));
    assert_eq!(raw.matches('.').count(), 2);
    let mut redactor = Redactor::default();
    auth::conceal_token(&token.raw, &mut redactor);
    assert!(!redactor.clean(&format!("<{raw}>")).contains(&raw));

    let chooser = Chooser::new(Output::new(Format::choose(None, true)), false);
    for by in [None, Some(Kind::ClientId), Some(Kind::RevocationKey)] {
        let Ok(leaked) = Leaked::read(text, by, &chooser) else {
            continue;
        };
        for line in leaked.facts().lines() {
            assert!(!Safe(line).to_string().contains(is_hostile));
            assert!(!marked || !line.contains(SIGNATURE));
        }
        let _ = leaked.json();
        if let Ok(targets) = leaked.targets() {
            assert_eq!(targets.len(), 1);
            assert!(targets.get(0).contains(':'));
        }
    }
}

/// Whether a claim that may be shown holds this text.
fn claims(token: &jwt::Token, text: &str) -> bool {
    let shown = [&token.client_id, &token.revocation_key];
    shown.into_iter().flatten().any(|claim| claim.contains(text)) || token.key_name.contains(text)
}
