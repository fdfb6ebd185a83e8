//! `--verify`: asks Ably with the leaked tokens themselves until each is rejected.

use std::thread;
use std::time::{Duration, Instant};

use crate::net::answer::Answer;
use crate::net::session::{Credential, Net, Session};
use crate::plan::Plan;
use crate::request::leaked::LEARNED;
use crate::revoke::outcome::Outcome;
use crate::revoke::pool::in_order;
use crate::revoke::proof::{Proof, Verdict};
use crate::revoke::run::Batch;
use crate::revoke::summary::Summary;

/// How long the revocation may take to be in force.
const LIMIT: Duration = Duration::from_secs(10);
/// The same where connected clients have their thirty seconds first.
const LIMIT_WITH_MARGIN: Duration = Duration::from_secs(40);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// What is kept of the time for the last question; with none left it could only fail.
const LAST_QUESTION: Duration = Duration::from_secs(1);
/// Answers that fail to come in a row before no more are waited for.
const FAILURES: usize = 3;
/// A history that needs a token and changes nothing. Without the capability for it Ably answers
/// 40160, which tells as much: the token itself was accepted.
const PATH: &str = "/channels/ably-revoke-token/messages?limit=1";
const REVOKED: i64 = 40141;
const NO_CAPABILITY: i64 = 40160;
/// With these a token is dead for another reason: it has expired, its key is revoked or not known.
const DEAD: [i64; 4] = [40131, 40132, 40142, 40143];

/// Asks with the tokens of a plan whose revocation Ably confirmed.
#[derive(Debug)]
pub struct Verifier<'a> {
    net: Net<'a>,
    plan: &'a Plan,
    /// For each target of each job whether Ably confirmed it.
    revoked: Vec<Vec<bool>>,
}

impl<'a> Verifier<'a> {
    /// A verifier for the leaked tokens of a plan; `None` where Ably is not to be asked.
    pub fn new(plan: &'a Plan, net: Net<'a>) -> Option<Self> {
        plan.leaked.as_ref().filter(|_| plan.settings.verify)?;
        let revoked = plan.jobs.iter().map(|job| vec![false; job.targets.len()]).collect();
        Some(Self { net, plan, revoked })
    }

    /// Takes note of what a batch revoked. Whether it was the last, and there are tokens to ask with.
    pub fn is_due(&mut self, batch: &Batch<'_>, summary: &Summary) -> bool {
        let of_job = self.revoked.get_mut(batch.number);
        let places = of_job.and_then(|places| places.get_mut(batch.range.clone()));
        for (place, outcome) in places.into_iter().flatten().zip(&batch.outcomes) {
            *place = matches!(outcome, Outcome::Revoked(_));
        }
        let tally = summary.tally;
        tally.revoked > 0 && tally.total() == self.plan.revocations()
    }

    /// The positions of the tokens that were revoked.
    fn due(&self) -> impl Iterator<Item = usize> {
        let places = self.plan.leaked.iter().flat_map(|leaked| leaked.places()).zip(0..);
        let is_due = |(_, job, at): (_, usize, usize)| {
            self.revoked.get(job).and_then(|of_job| of_job.get(at)) == Some(&true)
        };
        places.filter(move |(place, _)| is_due(*place)).map(|(_, token)| token)
    }

    /// Asks with each token until it is rejected or the time is up, with growing pauses; at least once
    /// with each, as long as answers come.
    pub fn verify(&self) -> Vec<Proof> {
        let limit = if self.plan.terms.margin { LIMIT_WITH_MARGIN } else { LIMIT };
        let end = Instant::now() + limit;
        let left = || end.saturating_duration_since(Instant::now());
        let unasked = |token| {
            let verdict = Verdict::NotKnown("Ably was not asked".to_owned());
            Proof { token, verdict, code: None }
        };
        let mut proofs: Vec<Proof> = self.due().map(unasked).collect();
        let (mut first, mut pause) = (true, FIRST_PAUSE);
        while self.round(&mut proofs, end, first) && left() > LAST_QUESTION {
            self.net.signals.sleep(pause.min(left().saturating_sub(LAST_QUESTION)));
            (first, pause) = (false, (pause * 2).min(LONGEST_PAUSE));
        }
        proofs
    }

    /// Asks with each token that is not known to be dead, some at once. Whether to ask again.
    fn round(&self, proofs: &mut [Proof], end: Instant, first: bool) -> bool {
        let left = || end.saturating_duration_since(Instant::now());
        let mut alive: Vec<&mut Proof> =
            proofs.iter_mut().filter(|proof| !proof.verdict.is_dead()).collect();
        let tokens: Vec<usize> = alive.iter().map(|proof| proof.token).collect();
        let at_once = self.plan.settings.parallel.min(tokens.len());
        let (mut failures, mut again) = (0, false);
        thread::scope(|scope| {
            let answers = in_order(scope, at_once, tokens.into_iter(), |token| {
                let goes_on = self.net.signals.caught().is_none() && (first || !left().is_zero());
                goes_on.then(|| self.ask(token, left().max(LAST_QUESTION)))
            });
            for (proof, answer) in alive.iter_mut().zip(answers) {
                let Some(answer) = answer else { continue };
                failures =
                    if answer.is_ok() { 0 } else { failures + usize::from(left().is_zero()) };
                (proof.verdict, proof.code) =
                    answer.unwrap_or_else(|why| (Verdict::NotKnown(why), None));
                again |= !proof.verdict.is_dead();
                if failures == FAILURES {
                    break;
                }
            }
        });
        again && self.net.signals.caught().is_none()
    }

    /// What Ably says of a token, with its code; or why there is no answer.
    fn ask(&self, token: usize, budget: Duration) -> Result<(Verdict, Option<i64>), String> {
        let place = self.plan.leaked.iter().flat_map(|leaked| leaked.places()).nth(token);
        let at_hand = place
            .and_then(|(_, job, _)| self.plan.jobs.get(job))
            .and_then(|job| job.at_hand.as_ref());
        let (Some((token, ..)), Some(at_hand)) = (place.filter(|(it, ..)| it.is_signed()), at_hand)
        else {
            let why = "its signature was cut off, so that Ably would reject it in any case";
            return Ok((Verdict::NotKnown(why.to_owned()), None));
        };
        let Some(raw) = &token.raw else {
            return Ok((Verdict::NotKnown("it was not kept".to_owned()), None));
        };
        let credential = Credential::Token(raw);
        let session = match Session::new(self.net, at_hand.hosts.clone(), credential) {
            Ok(session) => session,
            Err(what) => return Ok((Verdict::NotKnown(format!("it {what}")), None)),
        };
        let permit = self.net.permit(budget.min(self.net.timeout()));
        let answer = session.get(PATH, &permit).map_err(|failure| failure.problem.message)?;
        let is_learned = self.plan.leaked.iter().all(|it| it.found.tokens.len() <= LEARNED);
        let verdict = judge(&answer, is_learned);
        if !verdict.is_dead() {
            let told = || format!("line {}: {}", token.line, verdict.described());
            self.net.log.note("verify", "poll", told);
        }
        Ok((verdict, answer.error.code))
    }
}

/// What an answer proves. `is_learned`: the token is taken out of Ably's words.
fn judge(answer: &Answer, is_learned: bool) -> Verdict {
    let error = &answer.error;
    let words = || match (error.described(), error.code) {
        (Some(words), Some(_)) if is_learned => format!("{words}, status {}", answer.status),
        (_, Some(code)) => format!("code {code}, status {}", answer.status),
        _ => format!("status {}", answer.status),
    };
    match (answer.status, error.code) {
        _ if answer.from_cloudfront => Verdict::NotKnown(words()),
        (401, Some(REVOKED)) => Verdict::Revoked,
        (401, Some(code)) if DEAD.contains(&code) => Verdict::Dead(words()),
        (401, Some(NO_CAPABILITY)) | (200..=299, None) => Verdict::Accepted,
        // Ably finds a channel only for a token that it accepts. Without a code it is not Ably
        // that speaks.
        (404, Some(_)) => Verdict::Accepted,
        _ => Verdict::NotKnown(words()),
    }
}
