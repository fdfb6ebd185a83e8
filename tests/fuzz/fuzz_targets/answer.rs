//! Any answer to a request for two targets. The first byte chooses the status, the second whether
//! the headers speak too; the rest is the body.

#![no_main]

use ably_revoke_token::net::answer::Answer;
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
    let text = String::from_utf8_lossy(body).into_owned();
    let header = |name: &str| {
        let is_there = |bit: u8| headers & bit != 0;
        match name {
            "retry-after" if is_there(1) => Some(text.clone()),
            "x-ably-errorcode" if is_there(2) => Some(text.clone()),
            "x-ably-errormessage" if is_there(4) => Some(text.clone()),
            "server" if is_there(8) => Some("CloudFront".to_owned()),
            _ => None,
        }
    };
    let redactor = Redactor::default();
    redactor.add(SECRET);
    let host = "main.realtime.ably.net";
    let mut answer = Answer::new(host, status, header, Ok(body.to_vec()), redactor.clone());
    answer.gave_up = (headers & 16 != 0).then(|| "the time was up".to_owned());
    let outcomes = judge::judge(&answer, &TARGETS, Terms::default());
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
