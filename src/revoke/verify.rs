//! `--verify`: asks Ably with the leaked token itself until it is rejected.

use std::time::{Duration, Instant};

use crate::error::Problem;
use crate::net::session::{Credential, Deadline, Net, Session};
use crate::plan::Plan;

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
    session: Session<'a>,
    limit: Duration,
}

impl<'a> Verifier<'a> {
    /// A verifier for the leaked token of a plan; `None` where there is none to ask with.
    ///
    /// # Errors
    /// The token cannot stand in a header, or is too long for one.
    pub fn new(plan: &Plan, net: Net<'a>) -> Result<Option<Self>, Problem> {
        let Some(leaked) = plan.token.as_ref().filter(|_| plan.verify) else {
            return Ok(None);
        };
        let credential = Credential::Token(&leaked.token.raw);
        let session = Session::new(net, plan.hosts.clone(), credential).map_err(|what| {
            Problem::new(format!("--verify: the token {what}"), "leave --verify out")
        })?;
        let limit = if plan.terms.margin { LIMIT_WITH_MARGIN } else { LIMIT };
        Ok(Some(Self { session, limit }))
    }

    /// Asks until the token is rejected or the time is up, with growing pauses.
    pub fn verify(&mut self) -> Verdict {
        let net = self.session.net();
        let end = Instant::now() + self.limit;
        let mut pause = FIRST_PAUSE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let verdict = self.ask(net.timeout().min(left));
            let left = end.saturating_duration_since(Instant::now());
            let stopped = net.signals.caught().is_some();
            if verdict.is_dead() || left <= LAST_QUESTION || stopped {
                return verdict;
            }
            net.log.note("verify", "poll", || verdict.described());
            net.signals.sleep(pause.min(left.saturating_sub(LAST_QUESTION)));
            if net.signals.caught().is_some() {
                return verdict;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn ask(&mut self, budget: Duration) -> Verdict {
        let response = match self.session.get(PATH, Deadline::after(budget)) {
            Ok(response) => response,
            Err(failure) => return Verdict::NotKnown(failure.problem.message),
        };
        let error = response.error();
        let words = || match error.described() {
            Some(words) if error.code.is_some() => format!("{words}, status {}", response.status),
            _ => format!("status {}", response.status),
        };
        match (response.status, error.code) {
            _ if response.from_cloudfront => Verdict::NotKnown(words()),
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
