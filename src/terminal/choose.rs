//! A numbered choice, read as a plain line from stdin.

use std::io::{self, IsTerminal};

use crate::error::{Error, Problem};
use crate::terminal::output::Output;
use crate::terminal::prompt;
use crate::text::{Safe, listed};

/// Whether and how a choice may be put to the operator.
#[derive(Debug, Clone)]
pub struct Chooser {
    output: Output,
    pub(crate) is_allowed: bool,
}

impl Chooser {
    /// Asks only where `may_ask` (no `--force`, no JSON, no dry run) and a terminal is on both
    /// ends.
    pub fn new(output: Output, may_ask: bool) -> Self {
        let is_allowed = may_ask && io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { output, is_allowed }
    }

    /// The position of the candidate chosen. Where asking is not possible the error is `otherwise`,
    /// to whose message the candidates are added.
    pub fn among(
        &self,
        title: &str,
        candidates: &[String],
        otherwise: Problem,
    ) -> Result<usize, Error> {
        if !self.is_allowed {
            let Problem { message, remedy } = otherwise;
            return Err(Error::input(format!("{message}: {}", listed(candidates)), remedy));
        }
        self.output.say(&format!("{}\n", Safe(title)));
        for (n, candidate) in (1..).zip(candidates) {
            self.output.say(&format!("  {n}. {}\n", Safe(candidate)));
        }
        let answer = prompt::line(&self.output, &format!("Which one? [1-{}] ", candidates.len()));
        let chosen = answer.and_then(|answer| answer.trim().parse::<usize>().ok());
        let position = chosen.filter(|n| *n <= candidates.len()).and_then(|n| n.checked_sub(1));
        let none = || Error::Declined(Problem::new("nothing chosen: nothing was sent", ""));
        position.ok_or_else(none)
    }
}
