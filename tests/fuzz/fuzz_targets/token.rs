//! Any bytes as a leaked token, then a header and a payload, parted by a line feed, in a JWT's
//! clothes: an error in words without a part of it, or claims that can be told and acted on.

#![no_main]

use ably_revoke_token::request::jwt::{self, Life};
use ably_revoke_token::request::leaked::Candidates;
use ably_revoke_token::request::targets::Kind;
use ably_revoke_token::secret::redactor::Redactor;
use ably_revoke_token::text::is_hostile;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
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

    let redactor = Redactor::default();
    redactor.add(SIGNATURE);
    assert!(!redactor.clean(&format!("<{SIGNATURE}>")).contains(SIGNATURE));
    for by in [None, Some(Kind::ClientId), Some(Kind::RevocationKey)] {
        let Ok(candidates) = Candidates::read(text, by) else {
            continue;
        };
        if let Ok(targets) = candidates.targets() {
            assert!((1..=2).contains(&targets.len()));
            assert!(targets.iter().all(|target| target.contains(':')));
        }
    }
}

/// Whether a claim that may be shown holds this text.
fn claims(token: &jwt::Token, text: &str) -> bool {
    let shown = [&token.client_id, &token.revocation_key];
    shown.into_iter().flatten().any(|claim| claim.contains(text)) || token.key_name.contains(text)
}
