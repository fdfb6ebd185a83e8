//! What became of each target. The exit code, the human text, the JSON and the left-over file are
//! all derived from this one type.

use std::sync::Arc;

use crate::error::{AblyError, Exit, Problem};

/// What became of one target.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Ably confirmed this very target.
    Revoked(Confirmation),
    /// Ably answered, and refused it.
    Refused(Arc<Cause>),
    /// It may have been revoked or not; asking again is safe.
    Unknown(Arc<Cause>),
    /// It never reached Ably.
    NotSent(Arc<Cause>),
}

/// Ably's confirmation for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// Tokens issued before this are revoked, Unix milliseconds.
    pub issued_before: i64,
    /// From when on, Unix milliseconds.
    pub applies_at: i64,
}

/// Why a target was not revoked.
#[derive(Debug, Clone)]
pub struct Cause {
    pub problem: Problem,
    pub error: Option<AblyError>,
    pub scope: Scope,
}

impl Cause {
    /// A cause of a whole request, in which Ably said nothing of its own.
    pub fn of_request(problem: Problem) -> Arc<Self> {
        Arc::new(Self { problem, error: None, scope: Scope::Request })
    }

    /// Whether it is Ably that speaks, and not somebody on the way: Ably's errors have a code, and
    /// the error of a single target comes with Ably's results.
    pub fn is_of_ably(&self) -> bool {
        self.scope == Scope::Target || self.error.as_ref().is_some_and(|error| error.code.is_some())
    }
}

/// Whether a cause is one target's own or that of the request it was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A result of its own held the error.
    Target,
    /// The request failed as a whole.
    Request,
}

impl Outcome {
    /// The word for it: in JSON, in the left-over file, in the accounts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Revoked(_) => "revoked",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
            Self::NotSent(_) => "not-sent",
        }
    }

    pub fn cause(&self) -> Option<&Arc<Cause>> {
        match self {
            Self::Revoked(_) => None,
            Self::Refused(cause) | Self::Unknown(cause) | Self::NotSent(cause) => Some(cause),
        }
    }

    /// Whether Ably gave a result for this target in particular.
    pub fn has_result(&self) -> bool {
        match self {
            Self::Revoked(_) => true,
            Self::Refused(cause) => cause.scope == Scope::Target,
            Self::Unknown(_) | Self::NotSent(_) => false,
        }
    }
}

/// How many targets met which end. They always add up to the targets given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub revoked: usize,
    pub refused: usize,
    pub unknown: usize,
    /// Certainly not revoked, since nothing was sent.
    pub not_sent: usize,
}

impl Tally {
    pub fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Revoked(_) => &mut self.revoked,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::Unknown(_) => &mut self.unknown,
            Outcome::NotSent(_) => &mut self.not_sent,
        } += 1;
    }

    pub fn total(&self) -> usize {
        self.revoked + self.refused + self.unknown + self.not_sent
    }

    /// `3 revoked, 1 refused`: the counts that are not zero.
    pub fn described(&self) -> String {
        let parts = [
            (self.revoked, "revoked"),
            (self.refused, "refused"),
            (self.unknown, "unknown"),
            (self.not_sent, "not sent"),
        ];
        let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// All revoked 0; else some revoked 3; else any unknown 5; else 1.
    pub fn exit(&self) -> Exit {
        match self {
            tally if tally.revoked == tally.total() => Exit::Done,
            Self { revoked: 1.., .. } => Exit::Partly,
            Self { unknown: 1.., .. } => Exit::Unknown,
            _ => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_follows_from_the_counts() {
        let code = |revoked, refused, unknown, not_sent| {
            Tally { revoked, refused, unknown, not_sent }.exit().code()
        };
        assert_eq!(code(2, 0, 0, 0), 0);
        assert_eq!(code(1, 1, 1, 1), 3);
        assert_eq!(code(1, 0, 0, 1), 3);
        assert_eq!(code(0, 1, 1, 0), 5);
        assert_eq!(code(0, 0, 1, 1), 5);
        assert_eq!(code(0, 1, 0, 1), 1);
        assert_eq!(code(0, 0, 0, 1), 1);
    }
}
