//! How far a long run has come: a line that rewrites itself on a terminal, else a plain line now
//! and then.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::outcome::Tally;
use crate::output::Output;
use crate::text::count;

const ON_TERMINAL: Duration = Duration::from_millis(100);
const ELSEWHERE: Duration = Duration::from_secs(10);
/// Back to the line's beginning, and clear it.
const REWRITE: &str = "\r\x1b[K";

/// Tells progress to people; with JSON, the records themselves do.
#[derive(Debug)]
pub struct Progress {
    output: Output,
    total: usize,
    rewrites: bool,
    told: Instant,
    shown: bool,
}

impl Progress {
    /// Progress of a run over so many targets. `commented`: the commentary of `--verbose` goes to
    /// the same terminal, so no line may be rewritten.
    pub fn new(output: Output, total: usize, commented: bool) -> Self {
        let rewrites = io::stderr().is_terminal() && !commented;
        Self { output, total, rewrites, told: Instant::now(), shown: false }
    }

    /// Tells where the run is, unless that was told just now.
    pub fn tell(&mut self, tally: Tally) {
        let pause = if self.rewrites { ON_TERMINAL } else { ELSEWHERE };
        if self.output.is_json() || tally.total() == self.total || self.told.elapsed() < pause {
            return;
        }
        let text =
            format!("{} of {}: {}", tally.total(), count(self.total, "target"), tally.described());
        self.output.say(&if self.rewrites { format!("{REWRITE}{text}") } else { text + "\n" });
        (self.told, self.shown) = (Instant::now(), self.rewrites);
    }

    /// Takes a line that rewrites itself away.
    pub fn end(&mut self) {
        if self.shown {
            self.output.say(REWRITE);
            self.shown = false;
        }
    }
}
