//! What became of a whole run: the counts, what is to be told by name, the exit code.

use crate::plan::Plan;
use crate::revoke::outcome::{Confirmation, Outcome, Tally};
use crate::revoke::proof::Proof;
use crate::revoke::run::Batch;

/// How many targets are told by name.
pub const NAMED: usize = 10;

/// What is remembered of a run for its end.
#[derive(Debug, Default)]
pub struct Summary {
    /// The counts.
    pub tally: Tally,
    /// Requests made, each with all its tries.
    pub requests: usize,
    /// The last confirmation's times, for the text about a success.
    pub confirmed: Option<(String, Confirmation)>,
    /// How many were confirmed of each job, as far as there were any.
    pub confirmed_of: Vec<usize>,
    /// The first failures of single targets.
    pub named: Vec<Failure<String>>,
    /// The first failures of whole requests, with how many targets each struck.
    pub whole: Vec<Failure<usize>>,
    /// Targets that were refused by a result of their own, named or not.
    pub refused_alone: usize,
    /// Targets of requests that failed in words not among `whole`.
    pub otherwise: usize,
    /// What became of the leaked tokens themselves, where that was asked.
    pub proofs: Vec<Proof>,
}

/// What failed for whom, with the key of which job.
#[derive(Debug)]
pub struct Failure<T> {
    /// The position of the job in the plan.
    pub job: usize,
    /// The target, or how many.
    pub whom: T,
    /// None of them revoked.
    pub outcome: Outcome,
}

impl Summary {
    /// Before the first batch: what cannot be revoked is not sent.
    pub fn new(plan: &Plan) -> Self {
        let mut summary = Self::default();
        summary.tally.not_sent = plan.helpless().len();
        summary
    }

    /// Adds the outcomes of one batch.
    pub fn add(&mut self, batch: &Batch<'_>) {
        self.requests += usize::from(batch.requested);
        if self.confirmed_of.len() <= batch.number {
            self.confirmed_of.resize(batch.number + 1, 0);
        }
        let mut last = None;
        for (target, outcome) in batch.each() {
            self.tally.add(outcome);
            match outcome {
                Outcome::Revoked(times) => {
                    last = Some((target, *times));
                    self.confirmed_of.iter_mut().skip(batch.number).take(1).for_each(|n| *n += 1);
                }
                _ if outcome.has_result() => {
                    self.refused_alone += 1;
                    if self.named.len() < NAMED {
                        let (job, whom) = (batch.number, target.to_owned());
                        self.named.push(Failure { job, whom, outcome: outcome.clone() });
                    }
                }
                _ => self.add_whole(batch.number, outcome),
            }
        }
        if let Some((target, times)) = last {
            self.confirmed = Some((target.to_owned(), times));
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
            known.whom += 1;
        } else if self.whole.len() < NAMED {
            self.whole.push(Failure { job, whom: 1, outcome: outcome.clone() });
        } else {
            self.otherwise += 1;
        }
    }

    /// All revoked 0; else some revoked 3; else any unknown 5; else 1. A token that was to be proved
    /// dead and is not makes a 0 a 5.
    pub fn exit_code(&self) -> i32 {
        let alive = self.proofs.iter().any(|proof| !proof.verdict.is_dead());
        match self.tally.exit_code() {
            0 if alive => 5,
            code => code,
        }
    }
}
