//! What became of a whole run: the counts, what is to be told by name, the exit code.

use crate::revoke::outcome::{Confirmation, Outcome, Tally};
use crate::revoke::run::Batch;
use crate::revoke::verify::Verdict;

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
    /// The first failures with a target's name: those of single targets.
    pub named: Vec<(String, Outcome)>,
    /// The first failures of whole requests, with how many targets each struck.
    pub whole: Vec<(Outcome, usize)>,
    /// Targets that were refused by a result of their own, named or not.
    pub refused_alone: usize,
    /// Targets of requests that failed in words not among `whole`.
    pub otherwise: usize,
    /// What became of the leaked token itself, where that was asked.
    pub verdict: Option<Verdict>,
}

impl Summary {
    /// Adds the outcomes of one batch.
    pub fn add(&mut self, batch: &Batch<'_>) {
        self.requests += usize::from(batch.requested);
        let mut last = None;
        for (target, outcome) in batch.each() {
            self.tally.add(outcome);
            match outcome {
                Outcome::Revoked(times) => last = Some((target, *times)),
                _ if outcome.has_result() => {
                    self.refused_alone += 1;
                    if self.named.len() < NAMED {
                        self.named.push((target.to_owned(), outcome.clone()));
                    }
                }
                _ => self.add_whole(outcome),
            }
        }
        if let Some((target, times)) = last {
            self.confirmed = Some((target.to_owned(), times));
        }
    }

    /// Failures of whole requests are few in kind, but each may come in words of its own: with the
    /// ID of the request, say.
    fn add_whole(&mut self, outcome: &Outcome) {
        let same = |known: &Outcome| match (known.cause(), outcome.cause()) {
            (Some(a), Some(b)) => known.word() == outcome.word() && a.problem == b.problem,
            _ => false,
        };
        if let Some((_, struck)) = self.whole.iter_mut().find(|(known, _)| same(known)) {
            *struck += 1;
        } else if self.whole.len() < NAMED {
            self.whole.push((outcome.clone(), 1));
        } else {
            self.otherwise += 1;
        }
    }

    /// All revoked 0; else some revoked 3; else any unknown 5; else 1. A token that was to be proved
    /// dead and is not makes a 0 a 5.
    pub fn exit_code(&self) -> i32 {
        let alive = self.verdict.as_ref().is_some_and(|verdict| !verdict.is_dead());
        match self.tally.exit_code() {
            0 if alive => 5,
            code => code,
        }
    }
}
