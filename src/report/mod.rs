//! Everything that people and scripts read: the question before, the outcomes after, errors at any
//! time. Only here is an outcome put into words; `human.rs` has them for people on stderr,
//! `records.rs` for scripts on stdout.

mod human;
pub mod progress;
mod records;
pub mod resume;

use crate::error::{Error, Problem};
use crate::plan::Plan;
use crate::report::resume::Resume;
use crate::revoke::run::Batch;
use crate::revoke::summary::Summary;
use crate::revoke::verify::Verdict;
use crate::signals;
use crate::terminal::output::Output;

/// Tells an error that ended the run before its first revocation, and closes the JSON stream.
pub fn error(output: &Output, error: &Error) {
    match output.is_json() {
        true => records::error(output, error),
        false => human::error(output, error),
    }
}

/// Whether stdout lacks something, which is said on stderr: the exit code alone would say something
/// else.
pub fn stdout_failed(output: &Output) -> bool {
    if output.stdout_failed() {
        output.say(
            "error: stdout could not be written, so what it shows is incomplete\n  \
             make room on its disk; exit code 0 became 1\n",
        );
    }
    output.stdout_failed()
}

/// Closes the JSON stream; dies of a signal that was caught.
pub fn close(output: &Output, exit_code: i32, signal: Option<i32>) -> i32 {
    let exit_code = signal.map_or(exit_code, |signal| 128 + signal);
    records::status(output, exit_code, signal.is_some());
    if let Some(signal) = signal {
        signals::die_of(signal);
    }
    exit_code
}

/// How a run ended, beside its summary.
#[derive(Debug)]
pub struct Ending {
    /// Whether its exit code is 0.
    pub succeeded: bool,
    /// Whether a signal ended it.
    pub interrupted: bool,
    /// How to go on from the left-over file, where there is one; or why it was not written.
    pub resume: Result<Option<Resume>, Problem>,
}

impl Ending {
    /// The end of a run that a signal may have cut short.
    pub fn new(
        summary: &Summary,
        signal: Option<i32>,
        resume: Result<Option<Resume>, Problem>,
    ) -> Self {
        let interrupted = signal.is_some();
        let succeeded = summary.exit_code() == 0 && !interrupted && resume.is_ok();
        Self { succeeded, interrupted, resume }
    }
}

/// Tells what a plan is and what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    output: &'a Output,
    plan: &'a Plan,
}

impl<'a> Report<'a> {
    /// A report about a plan.
    pub fn new(output: &'a Output, plan: &'a Plan) -> Self {
        Self { output, plan }
    }

    /// Where it goes.
    pub fn output(self) -> &'a Output {
        self.output
    }

    /// The question before the first revocation.
    pub fn question(self) -> String {
        human::question(self.plan) + "Revoke? [y/N] "
    }

    /// What is doubtful about the targets or the leaked token, where no question shows it.
    pub fn warning(self) {
        if !self.output.is_json() {
            human::warning(self.output, self.plan);
        }
    }

    /// Shows what would be sent.
    pub fn dry_run(self) {
        match self.output.is_json() {
            true => records::dry_run(self.output, self.plan),
            false => {
                human::warning(self.output, self.plan);
                human::dry_run(self.output, self.plan);
            }
        }
    }

    /// Tells that the target is revoked, before the token is asked with: that takes long.
    pub fn before_proof(self, batch: &Batch<'_>) {
        if !self.output.is_json() {
            human::before_proof(self.output, self.plan, batch);
        }
    }

    /// Tells the outcomes of one batch to scripts as they come; people are told at the end.
    pub fn batch(self, batch: &Batch<'_>, verdict: Option<&Verdict>) {
        if self.output.is_json() {
            records::batch(self.output, self.plan, batch, verdict);
        }
    }

    /// The end of a run: for people all of it, as JSON what is not in a record yet. The last lines
    /// say how it ended: the success, or what to do next.
    pub fn end(self, summary: &Summary, ending: &Ending) {
        match self.output.is_json() {
            true => records::end(self.output, summary, ending),
            false => human::end(self.output, self.plan, summary, ending),
        }
    }
}
