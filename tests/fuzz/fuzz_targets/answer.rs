//! Any answer to a request for two targets. The first byte chooses the status, the second whether
//! the headers speak too; the rest is the body.

#![no_main]

use ably_revoke_token::net::response::{Body, Response};
use ably_revoke_token::plan::Terms;
use ably_revoke_token::revoke::judge;
use ably_revoke_token::revoke::outcome::Outcome;
use ably_revoke_token::secret::redactor::Redactor;
use ably_revoke_token::text::{Safe, is_hostile};
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 8] = [200, 201, 204, 302, 400, 401, 429, 503];
const TARGETS: [&str; 2] = ["clientId:a", "channel:\u{202e}b"];
const SECRET: &str = "s3cr3t77";

fuzz_target!(|data: &[u8]| {
    let [status, headers, body @ ..] = data else {
        return;
    };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let body = match std::str::from_utf8(body) {
        Ok(text) => Body::Text(text.to_owned()),
        Err(_) => Body::Binary(String::from_utf8_lossy(body).into_owned()),
    };
    let text = match &body {
        Body::Text(text) | Body::Binary(text) => text.clone(),
        _ => String::new(),
    };
    let header = |bit: u8| (headers & bit != 0).then(|| text.clone());
    let redactor = Redactor::default();
    redactor.add(SECRET);
    let mut response = Response::new("main.realtime.ably.net", status, body, redactor.clone());
    response.retry_after = header(1);
    response.error_code = header(2);
    response.error_message = header(4);
    response.from_cloudfront = headers & 8 != 0;
    response.gave_up = (headers & 16 != 0).then(|| "the time was up".to_owned());
    let outcomes = judge::judge(&response, &TARGETS, Terms::default());
    assert_eq!(outcomes.len(), TARGETS.len());
    for (target, outcome) in TARGETS.iter().zip(&outcomes) {
        match outcome {
            Outcome::Revoked(_) => {
                assert!(
                    (200..300).contains(&status)
                        || text.contains("40020")
                        || text.contains("4.002")
                );
                assert!(text.contains("appliesAt") || text.contains('\\'));
            }
            Outcome::NotSent(_) => panic!("an answer means that it was sent"),
            Outcome::Refused(cause) | Outcome::Unknown(cause) => {
                let info = cause.error.clone().unwrap_or_default();
                for words in [Some(cause.problem.message.clone()), info.message, info.href]
                    .into_iter()
                    .flatten()
                {
                    assert!(!words.contains(SECRET), "{words}");
                    assert!(!Safe(&words).to_string().contains(is_hostile));
                }
            }
        }
        assert!(!Safe(target).to_string().contains(is_hostile));
    }
});
