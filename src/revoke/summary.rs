//! What became of a whole run: the counts, what is to be told by name, how it ends.

use crate::error::Exit;
use crate::plan::Plan;
use crate::revoke::outcome::{Confirmation, Outcome, Tally};
use crate::revoke::proof::Proof;
use crate::revoke::run::Batch;
use crate::text::TOLD;

/// What is remembered of a run for its end.
#[derive(Debug, Default)]
pub struct Summary {
    pub tally: Tally,
    /// Requests made, each with all its tries.
    pub requests: usize,
    /// The first target that Ably confirmed; the earliest time before which tokens are revoked, and the
    /// latest from which on, of all of them.
    pub confirmed: Option<(String, Confirmation)>,
    /// How many were confirmed of each job.
    pub confirmed_of: Vec<usize>,
    /// The first failures of single targets.
    pub named: Vec<Failure<String>>,
    /// The first failures of whole requests, with how many targets each affected.
    pub whole: Vec<Failure<usize>>,
    /// Targets that were refused by a result of their own, named or not.
    pub refused_alone: usize,
    /// Targets of requests that failed in words not among `whole`.
    pub other_failures: usize,
    /// What became of the leaked tokens themselves, where that was asked.
    pub proofs: Vec<Proof>,
    most_told: usize,
}

/// What failed for which targets, with the key of which job.
#[derive(Debug)]
pub struct Failure<T> {
    pub job: usize,
    /// The target, or how many.
    pub targets: T,
    /// None of them revoked.
    pub outcome: Outcome,
}

impl Summary {
    /// Before the first batch: what cannot be revoked is not sent.
    pub fn new(plan: &Plan) -> Self {
        Self {
            tally: Tally { not_sent: plan.helpless().len(), ..Tally::default() },
            confirmed_of: vec![0; plan.jobs.len()],
            // Of a check every key is told.
            most_told: if plan.settings.is_check() { usize::MAX } else { TOLD },
            ..Self::default()
        }
    }

    pub fn add(&mut self, batch: &Batch<'_>) {
        self.requests += usize::from(batch.requested);
        for (target, outcome) in batch.each() {
            self.tally.add(outcome);
            match outcome {
                Outcome::Revoked(times) => {
                    let first = || (target.to_owned(), *times);
                    let (_, all) = self.confirmed.get_or_insert_with(first);
                    all.issued_before = all.issued_before.min(times.issued_before);
                    all.applies_at = all.applies_at.max(times.applies_at);
                    if let Some(n) = self.confirmed_of.get_mut(batch.number) {
                        *n += 1;
                    }
                }
                _ if outcome.has_result() => {
                    self.refused_alone += 1;
                    if self.named.len() < self.most_told {
                        let (job, targets) = (batch.number, target.to_owned());
                        self.named.push(Failure { job, targets, outcome: outcome.clone() });
                    }
                }
                // What has no key is told with its tokens.
                _ if batch.job.at_hand.is_none() => {}
                _ => self.add_whole(batch.number, outcome),
            }
        }
    }

    /// Failures of whole requests are few in kind, but each may come in words of its own: with the
    /// ID of the request, say.
    fn add_whole(&mut self, job: usize, outcome: &Outcome) {
        let same = |known: &Failure<usize>| match (known.outcome.cause(), outcome.cause()) {
            (Some(a), Some(b)) => {
                known.job == job && known.outcome.word() == outcome.word() && a.problem == b.problem
            }
            _ => false,
        };
        if let Some(known) = self.whole.iter_mut().find(|known| same(known)) {
            known.targets += 1;
        } else if self.whole.len() < self.most_told {
            self.whole.push(Failure { job, targets: 1, outcome: outcome.clone() });
        } else {
            self.other_failures += 1;
        }
    }

    /// A token that was to be proved dead and is not makes a 0 a 5.
    pub fn exit(&self) -> Exit {
        let alive = self.proofs.iter().any(|proof| !proof.verdict.is_dead());
        match self.tally.exit() {
            Exit::Done if alive => Exit::Unknown,
            exit => exit,
        }
    }
}
