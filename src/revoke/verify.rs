//! `--verify`: asks Ably with the leaked token itself until it is rejected.

use std::time::{Duration, Instant};

use ureq::http::HeaderValue;

use crate::error::Error;
use crate::net::ably_error::{described, reply_error};
use crate::net::retry::{Courier, Deadline, Hosts, Tried};
use crate::net::{Call, auth, fits};
use crate::secret::Secret;
use crate::secret::redactor::Redactor;

/// How long the revocation may take to be in force.
const LIMIT: Duration = Duration::from_secs(10);
/// The same where connected clients have their thirty seconds first.
const LIMIT_WITH_MARGIN: Duration = Duration::from_secs(40);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// What is kept of the time for the last question; with none left it could only fail.
const LAST_QUESTION: Duration = Duration::from_secs(1);
/// A history that needs a token and changes nothing. Without the capability for it Ably answers
/// 40160, which tells as much: the token itself was accepted.
const PATH: &str = "/channels/ably-revoke-token/messages?limit=1";
const REVOKED: i64 = 40141;
const NO_CAPABILITY: i64 = 40160;
/// With these a token is dead for another reason: it has expired, its key is revoked or not known.
const DEAD: [i64; 4] = [40131, 40132, 40142, 40143];

/// What became of the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Rejected with 40141.
    Revoked,
    /// Accepted to the end of the time.
    Accepted,
    /// Rejected for another reason that lasts, in Ably's words.
    Dead(String),
    /// Ably could not be asked, or its answer proves nothing, in words.
    NotKnown(String),
}

impl Verdict {
    /// Whether the token is known to be of no use any more.
    pub fn is_dead(&self) -> bool {
        matches!(self, Self::Revoked | Self::Dead(_))
    }

    /// The proof, or what is missing of it, in words.
    pub fn described(&self) -> String {
        match self {
            Self::Revoked => "verified: the token is rejected as revoked (40141)".to_owned(),
            Self::Accepted => "the token is still accepted".to_owned(),
            Self::Dead(why) => format!("the token is dead, but for another reason: {why}"),
            Self::NotKnown(why) => {
                format!("whether the token is still accepted is not known: {why}")
            }
        }
    }
}

/// Asks with one token.
#[derive(Debug)]
pub struct Verifier<'a> {
    courier: Courier<'a>,
    authorization: HeaderValue,
    redactor: Redactor,
    timeout: Duration,
    limit: Duration,
}

impl<'a> Verifier<'a> {
    /// A verifier for a token; `timeout` is for each single question.
    ///
    /// # Errors
    /// The token cannot stand in a header, or is too long for one.
    pub fn new(
        courier: Courier<'a>,
        token: &Secret,
        timeout: Duration,
        margin: bool,
    ) -> Result<Self, Error> {
        let authorization = auth::token(token)
            .map_err(|_| Error::input("the token has characters that no header can hold", ""))?;
        if !fits(PATH, &authorization) {
            return Err(Error::input(
                "--verify: the token is too long to be sent: a request's head holds 64 KiB",
                "leave --verify out",
            ));
        }
        let redactor = courier.http.redactor();
        auth::conceal_token(token, &redactor);
        let limit = if margin { LIMIT_WITH_MARGIN } else { LIMIT };
        Ok(Self { courier, authorization, redactor, timeout, limit })
    }

    /// Asks until the token is rejected or the time is up, with growing pauses.
    pub fn verify(&self, hosts: &mut Hosts) -> Verdict {
        let end = Instant::now() + self.limit;
        let mut pause = FIRST_PAUSE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let verdict = self.ask(hosts, self.timeout.min(left));
            let left = end.saturating_duration_since(Instant::now());
            let stopped = self.courier.signals.caught().is_some();
            if verdict.is_dead() || left <= LAST_QUESTION || stopped {
                return verdict;
            }
            self.courier.journal.note("verify", "poll", || verdict.described());
            self.courier.signals.sleep(pause.min(left.saturating_sub(LAST_QUESTION)));
            if self.courier.signals.caught().is_some() {
                return verdict;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn ask(&self, hosts: &mut Hosts, budget: Duration) -> Verdict {
        let call = Call { path: PATH, body: None, authorization: Some(&self.authorization) };
        let reply = match self.courier.deliver(&call, hosts, Deadline::after(budget)) {
            Tried::Failed(fault) => return Verdict::NotKnown(fault.problem.message),
            Tried::Answered { reply, .. } => reply,
        };
        let body = reply.body.json();
        let info = reply_error(&reply, body.as_ref().ok(), &self.redactor);
        let words = || match described(&info) {
            Some(words) if info.code.is_some() => format!("{words}, status {}", reply.status),
            _ => format!("status {}", reply.status),
        };
        match (reply.status, info.code) {
            _ if reply.from_cloudfront => Verdict::NotKnown(words()),
            (401, Some(REVOKED)) => Verdict::Revoked,
            (401, Some(code)) if DEAD.contains(&code) => Verdict::Dead(words()),
            (401, Some(NO_CAPABILITY)) | (200..=299, None) => Verdict::Accepted,
            // Ably finds a channel only for a token that it accepts. Without a code it is not Ably
            // that speaks.
            (404, Some(_)) => Verdict::Accepted,
            _ => Verdict::NotKnown(words()),
        }
    }
}
