//! How far a long run has come: a line that rewrites itself on a terminal, else a plain line now
//! and then.

use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::revoke::outcome::Tally;
use crate::terminal::output::{Output, REWRITE, columns};
use crate::text::count;

const ON_TERMINAL: Duration = Duration::from_millis(100);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// Tells progress to people; with JSON, the records themselves do.
#[derive(Debug)]
pub struct Progress {
    output: Output,
    total: usize,
    unit: &'static str,
    rewrites: bool,
    told: Instant,
    shown: bool,
}

impl Progress {
    /// Progress of a plan. Where the commentary of `--verbose` goes to the same terminal, no line is
    /// rewritten.
    pub(super) fn new(output: Output, plan: &Plan) -> Self {
        let (rewrites, total) = (output.rewrites && !plan.settings.verbose, plan.revocations());
        Self { output, total, unit: plan.unit(), rewrites, told: Instant::now(), shown: false }
    }

    pub fn tell(&mut self, tally: Tally) {
        let pause = if self.rewrites { ON_TERMINAL } else { ELSEWHERE };
        if !self.output.is_for_people()
            || tally.total() == self.total
            || self.told.elapsed() < pause
        {
            return;
        }
        let text = match columns().filter(|_| self.rewrites) {
            Some(columns) => format!("{REWRITE}{}", line(tally, self.total, self.unit, columns)),
            None => long(tally, self.total, self.unit) + "\n",
        };
        self.output.say_as_it_is(&text);
        (self.told, self.shown) = (Instant::now(), self.rewrites);
    }

    pub fn end(&mut self) {
        if self.shown {
            self.output.say_as_it_is(REWRITE);
            self.shown = false;
        }
    }
}

fn long(tally: Tally, total: usize, unit: &str) -> String {
    format!("{} of {}: {}", tally.total(), count(total, unit), tally.described())
}

/// The fullest form that leaves the last column free: a cursor behind it would be on a new line.
fn line(tally: Tally, total: usize, unit: &str, columns: usize) -> String {
    let done = tally.total();
    let percent = done * 100 / total.max(1);
    let forms = [long(tally, total, unit), format!("{done} of {total}"), format!("{percent}%")];
    forms.into_iter().find(|form| form.len() < columns).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_narrower_than_the_terminal() {
        let tally = Tally { revoked: 1500, refused: 100, ..Tally::default() };
        for (columns, shown) in [
            (80, "1600 of 10000 targets: 1500 revoked, 100 refused"),
            (49, "1600 of 10000 targets: 1500 revoked, 100 refused"),
            (48, "1600 of 10000"),
            (14, "1600 of 10000"),
            (13, "16%"),
            (3, ""),
        ] {
            assert_eq!(line(tally, 10_000, "target", columns), shown, "{columns}");
        }
    }
}
