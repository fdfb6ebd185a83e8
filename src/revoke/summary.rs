//! The accounts of a run: what is remembered of all outcomes for its end.

use crate::revoke::outcome::{Confirmation, Outcome, Tally};

/// How many targets are told by name.
pub const NAMED: usize = 10;

/// What is remembered of a run for its end: the counts, and what is to be told by name.
#[derive(Debug, Default)]
pub struct Accounts {
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
}

impl Accounts {
    /// Enters the outcomes of one request.
    pub fn enter(&mut self, targets: &[&str], outcomes: &[Outcome]) {
        let mut last = None;
        for (target, outcome) in targets.iter().zip(outcomes) {
            self.tally.add(outcome);
            match outcome {
                Outcome::Revoked(times) => last = Some((target, *times)),
                _ if outcome.has_result() => {
                    self.refused_alone += 1;
                    if self.named.len() < NAMED {
                        self.named.push(((*target).to_owned(), outcome.clone()));
                    }
                }
                _ => self.enter_whole(outcome),
            }
        }
        if let Some((target, times)) = last {
            self.confirmed = Some(((*target).to_owned(), times));
        }
    }

    /// Failures of whole requests are few in kind, but each may come in words of its own: with the
    /// ID of the request, say.
    fn enter_whole(&mut self, outcome: &Outcome) {
        let same = |known: &Outcome| match (known.failure(), outcome.failure()) {
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
}
