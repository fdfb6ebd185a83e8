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
    allowed: bool,
}

impl Chooser {
    /// Asks only where `may_ask` (no `--force`, no JSON, no dry run) and a terminal is on both
    /// ends.
    pub fn new(output: Output, may_ask: bool) -> Self {
        let allowed = may_ask && io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { output, allowed }
    }

    /// Whether the operator can be asked.
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The position of the candidate chosen.
    ///
    /// # Errors
    /// Nothing was chosen (exit 4); where asking is not possible, `otherwise` (exit 2), to whose
    /// message the candidates are added.
    pub fn among(
        &self,
        title: &str,
        candidates: &[String],
        otherwise: Problem,
    ) -> Result<usize, Error> {
        if !self.allowed {
            let Problem { message, remedy } = otherwise;
            return Err(Error::input(format!("{message}: {}", listed(candidates)), remedy));
        }
        let mut text = format!("{}\n", Safe(title));
        for (n, candidate) in candidates.iter().enumerate() {
            text.push_str(&format!("  {}. {}\n", n + 1, Safe(candidate)));
        }
        self.output.say(&text);
        let answer = prompt::line(&self.output, &format!("Which one? [1-{}] ", candidates.len()));
        let chosen = answer.and_then(|answer| answer.trim().parse::<usize>().ok());
        match chosen.filter(|n| (1..=candidates.len()).contains(n)) {
            Some(n) => Ok(n - 1),
            None => Err(Error::Declined(Problem::new("nothing chosen: nothing was sent", ""))),
        }
    }
}
