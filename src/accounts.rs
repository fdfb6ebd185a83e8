//! The accounts of a run: what is remembered of all outcomes for its end.

use crate::outcome::{Confirmation, Outcome, Tally};

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
}

impl Accounts {
    /// Enters the outcomes of one request.
    pub fn enter(&mut self, targets: &[&str], outcomes: &[Outcome]) {
        for (target, outcome) in targets.iter().zip(outcomes) {
            self.tally.add(outcome);
            match outcome {
                Outcome::Revoked(times) => self.confirmed = Some(((*target).to_owned(), *times)),
                _ if outcome.has_result() => {
                    if self.named.len() < NAMED {
                        self.named.push(((*target).to_owned(), outcome.clone()));
                    }
                }
                _ => self.enter_whole(outcome),
            }
        }
    }

    /// Failures of whole requests are few in kind, however many requests there are: after the
    /// hopeless ones the run stops, and the others differ in words alone.
    fn enter_whole(&mut self, outcome: &Outcome) {
        let same = |known: &Outcome| match (known.failure(), outcome.failure()) {
            (Some(a), Some(b)) => known.word() == outcome.word() && a.problem == b.problem,
            _ => false,
        };
        match self.whole.iter_mut().find(|(known, _)| same(known)) {
            Some((_, struck)) => *struck += 1,
            None => self.whole.push((outcome.clone(), 1)),
        }
    }
}
