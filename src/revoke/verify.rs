//! `--verify`: asks Ably with the leaked tokens themselves until each is rejected. Each has a time of
//! its own, counted from its revocation, and pauses of its own that grow; who is due first is asked
//! first, on as many connections as the run may have. So one that hangs keeps no other from its proof.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use crate::net::answer::Answer;
use crate::net::session::{Credential, Net, Session};
use crate::plan::{AtHand, Plan};
use crate::request::leaked::LEARNED;
use crate::revoke::outcome::Outcome;
use crate::revoke::proof::{Proof, Verdict};
use crate::revoke::run::Batch;
use crate::revoke::summary::Summary;
use crate::secret::Secret;

/// How long the revocation may take to be in force.
const LIMIT: Duration = Duration::from_secs(10);
/// The same where connected clients have their thirty seconds first.
const LIMIT_WITH_MARGIN: Duration = Duration::from_secs(40);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// What a question may take even where others wait.
const QUESTION: Duration = Duration::from_secs(2);
/// What is kept of the time for the last question; with none left it could only fail.
const LAST_QUESTION: Duration = Duration::from_secs(1);
/// Answers that fail to come in a row before none is waited for beyond its time.
const FAILURES: usize = 3;
const CUT: &str = "its signature was cut off, so that Ably would reject it in any case";
/// A history that needs a token and changes nothing. Without the capability for it Ably answers
/// 40160, which tells as much: the token itself was accepted.
const PATH: &str = "/channels/ably-revoke-token/messages?limit=1";
const REVOKED: i64 = 40141;
const NO_CAPABILITY: i64 = 40160;
/// There is no such path, whoever asks: it says nothing of the token.
const NOT_FOUND: i64 = 40400;
/// With these a token is dead for another reason: it has expired, its key is revoked or not known.
const DEAD: [i64; 4] = [40131, 40132, 40142, 40143];

/// Asks with the tokens of a plan whose revocation Ably confirmed.
#[derive(Debug)]
pub struct Verifier<'a> {
    net: Net<'a>,
    plan: &'a Plan,
    /// For each target of each job when Ably confirmed it.
    revoked: Vec<Vec<Option<Instant>>>,
}

/// A token that Ably is asked with.
struct Suspect<'a> {
    line: u64,
    raw: &'a Secret,
    at_hand: &'a AtHand,
    proof: Proof,
    is_asked: bool,
    pause: Duration,
    end: Instant,
}

impl Suspect<'_> {
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

/// Those that wait, by the time when they are due and their position.
type Waiting<'a> = BTreeMap<(Instant, usize), Suspect<'a>>;

impl<'a> Verifier<'a> {
    /// A verifier for the leaked tokens of a plan; `None` where Ably is not to be asked.
    pub fn new(plan: &'a Plan, net: Net<'a>) -> Option<Self> {
        plan.leaked.as_ref().filter(|_| plan.settings.verify)?;
        let revoked = plan.jobs.iter().map(|job| vec![None; job.targets.len()]).collect();
        Some(Self { net, plan, revoked })
    }

    /// Takes note of what a batch revoked. Whether it was the last, and there are tokens to ask with.
    pub fn is_due(&mut self, batch: &Batch<'_>, summary: &Summary) -> bool {
        let now = Instant::now();
        let of_job = self.revoked.get_mut(batch.number);
        let places = of_job.and_then(|places| places.get_mut(batch.range.clone()));
        for (place, outcome) in places.into_iter().flatten().zip(&batch.outcomes) {
            *place = matches!(outcome, Outcome::Revoked(_)).then_some(now);
        }
        let tally = summary.tally;
        tally.revoked > 0 && tally.total() == self.plan.revocations()
    }

    /// The tokens that were revoked, all due at once; and the proofs of those that need no question.
    fn suspects(&self) -> (Waiting<'a>, Vec<Proof>) {
        let limit = if self.plan.terms.margin { LIMIT_WITH_MARGIN } else { LIMIT };
        let (mut waiting, mut proofs, now) = (Waiting::new(), Vec::new(), Instant::now());
        for (job, revoked) in self.plan.jobs.iter().zip(&self.revoked) {
            let (Some(leaked), Some(at_hand)) = (&self.plan.leaked, &job.at_hand) else { continue };
            for (position, token, place) in leaked.of_job(&job.tokens) {
                let Some(Some(at)) = revoked.get(place) else { continue };
                let raw = token.raw.as_ref().filter(|_| token.is_signed());
                let doubt = raw.map_or(CUT, |_| "Ably was not asked");
                let verdict = Verdict::NotKnown(doubt.to_owned());
                let proof = Proof { token: position, verdict, code: None };
                let Some(raw) = raw else {
                    proofs.push(proof);
                    continue;
                };
                let (line, is_asked, pause, end) = (token.line, false, FIRST_PAUSE, *at + limit);
                let suspect = Suspect { line, raw, at_hand, proof, is_asked, pause, end };
                waiting.insert((now, position), suspect);
            }
        }
        (waiting, proofs)
    }

    /// Asks with each token until it is rejected or its time is up; at least once with each, as long as
    /// answers come.
    pub fn verify(&self) -> Vec<Proof> {
        let (waiting, proofs) = self.suspects();
        let at_once = self.plan.settings.parallel.min(waiting.len());
        let (waiting, proofs) = (Mutex::new(waiting), Mutex::new(proofs));
        let failures = AtomicUsize::new(0);
        let serve = || {
            loop {
                let (due, mut suspect, crowd) = {
                    let mut waiting = lock(&waiting);
                    let Some(((due, _), suspect)) = waiting.pop_first() else { break };
                    (due, suspect, waiting.len() / at_once + 1)
                };
                self.net.signals.sleep(due.saturating_duration_since(Instant::now()));
                let is_hopeless =
                    suspect.left().is_zero() && failures.load(Ordering::Relaxed) >= FAILURES;
                if self.net.signals.caught().is_some() || is_hopeless {
                    lock(&proofs).push(suspect.proof);
                    continue;
                }
                match self.ask(&mut suspect, crowd) {
                    true => failures.store(0, Ordering::Relaxed),
                    false => drop(failures.fetch_add(1, Ordering::Relaxed)),
                }
                match suspect.left().checked_sub(LAST_QUESTION) {
                    Some(left) if !suspect.proof.verdict.is_dead() && !left.is_zero() => {
                        let due = Instant::now() + suspect.pause.min(left);
                        suspect.pause = (suspect.pause * 2).min(LONGEST_PAUSE);
                        lock(&waiting).insert((due, suspect.proof.token), suspect);
                    }
                    _ => lock(&proofs).push(suspect.proof),
                }
            }
        };
        thread::scope(|scope| {
            // Where no thread can be made, this one asks alone.
            (1..at_once).try_for_each(|_| Builder::new().spawn_scoped(scope, serve).map(drop)).ok();
            serve();
        });
        let mut proofs = proofs.into_inner().unwrap_or_else(PoisonError::into_inner);
        proofs.sort_unstable_by_key(|proof| proof.token);
        proofs
    }

    /// Asks with a token, while so many wait for this connection. Whether an answer came.
    fn ask(&self, suspect: &mut Suspect<'_>, crowd: usize) -> bool {
        let left = suspect.left();
        let least = if suspect.is_asked { LAST_QUESTION } else { QUESTION };
        let share = left / u32::try_from(crowd).unwrap_or(u32::MAX);
        let budget = share.max(QUESTION).min(left.max(least)).min(self.net.network.timeout);
        suspect.is_asked = true;
        let answer = self.answer(suspect, budget);
        let is_answered = answer.is_ok();
        (suspect.proof.verdict, suspect.proof.code) = match answer {
            Ok(answer) => {
                let is_learned = self.plan.leaked.iter().all(|it| it.found.tokens.len() <= LEARNED);
                (judge(&answer, is_learned), answer.error.code)
            }
            Err(why) => (Verdict::NotKnown(why), None),
        };
        let Suspect { line, proof, .. } = suspect;
        if !proof.verdict.is_dead() {
            let told = || format!("line {line}: {}", proof.verdict.described());
            self.net.log.note("verify", "poll", told);
        }
        is_answered
    }

    /// What Ably says of a token, or why that is not known.
    fn answer(&self, suspect: &Suspect<'_>, budget: Duration) -> Result<Answer, String> {
        let (hosts, token) = (suspect.at_hand.hosts.clone(), Credential::Token(suspect.raw));
        let session = Session::new(self.net, hosts, token).map_err(|what| format!("it {what}"))?;
        let until = self.net.deadline(budget);
        session.send(PATH, None, until).map_err(|failure| failure.problem.message)
    }
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
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
        (404, Some(code)) if code != NOT_FOUND => Verdict::Accepted,
        _ => Verdict::NotKnown(words()),
    }
}
