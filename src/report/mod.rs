//! Everything that people and scripts read: the question before, the outcomes after, errors at any
//! time. Only here is an outcome put into words; `human.rs` has them for people on stderr,
//! `records.rs` for scripts and for the file of `--record`.

mod human;
mod progress;
mod question;
pub mod record_file;
mod records;
pub mod resume;
pub mod sink;

use std::process::ExitCode;
use std::time::Duration;

use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::plan::Plan;
use crate::report::progress::Progress;
use crate::report::resume::Resume;
use crate::report::sink::Sink;
use crate::revoke::proof::Proof;
use crate::revoke::run::Batch;
use crate::revoke::summary::Summary;
use crate::secret::redactor::Redactor;
use crate::terminal::output::Output;

/// Tells an error that ended the run before its first revocation. Returns the exit code, or dies of
/// the signal that was the error.
pub fn error(sink: &Sink<'_>, error: &Error) -> i32 {
    let signal = if let Error::Signal(signal) = error { Some(*signal) } else { None };
    sink.put(false, || records::error(error));
    sink.close(error.exit_code(), signal, |output, unrecorded| {
        human::error(output, error);
        human::problem(output, unrecorded);
    })
}

/// Prints what was asked for in place of a run, and returns its exit code.
pub fn print(output: &Output, text: &str) -> i32 {
    output.print(text);
    0
}

/// The exit code, which is not 0 where stdout lacks something. That is said on stderr: the code alone
/// would say something else.
pub fn exit_code(output: &Output, mut code: i32) -> ExitCode {
    if output.stdout_failed() {
        output.say(
            "error: stdout could not be written, so what it shows is incomplete\n  \
             make room on its disk; exit code 0 became 1\n",
        );
        code = code.max(1);
    }
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// How a run ended, beside its summary.
#[derive(Debug)]
struct Ending {
    /// Whether its exit code is 0.
    succeeded: bool,
    /// Whether a signal ended it.
    interrupted: bool,
    /// How long it took.
    took: Duration,
    /// How to go on from the left-over file, where there is one; or why it was not written.
    resume: Result<Option<Resume>, Problem>,
    /// Why the file of `--record` is incomplete, where it is.
    unrecorded: Option<Problem>,
}

/// Tells what a plan is and what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    sink: &'a Sink<'a>,
    output: &'a Output,
    plan: &'a Plan,
}

impl<'a> Report<'a> {
    /// A report about a plan.
    pub fn new(sink: &'a Sink<'a>, plan: &'a Plan) -> Self {
        Self { sink, output: sink.output(), plan }
    }

    /// What is told while the run goes on.
    pub fn progress(self) -> Progress {
        Progress::new(self.output.clone(), self.plan)
    }

    /// Opens the file of `--record` with who does what, and why.
    ///
    /// # Errors
    /// It cannot be written, or a signal came while another run was writing; then nothing may be
    /// sent.
    pub fn open_record(self, env: Environment, redactor: &Redactor) -> Result<(), Error> {
        let Some(recording) = &self.plan.recording else {
            return Ok(());
        };
        let first = records::run(self.plan, recording, env, redactor);
        self.sink.open(&recording.path, &first).map_err(|problem| {
            let signal = self.output.signals().caught();
            signal.map_or(Error::Input(problem), Error::Signal)
        })
    }

    /// The question before the first revocation.
    pub fn question(self) -> String {
        question::question(self.plan) + "Revoke? [y/N] "
    }

    /// What is doubtful about the targets or the leaked token, where no question shows it.
    pub fn warning(self) {
        if !self.output.is_json() {
            question::warning(self.output, self.plan);
        }
    }

    /// Shows what would be sent, which ends the run.
    pub fn dry_run(self) -> i32 {
        self.sink.put(false, || records::dry_run(self.plan));
        self.sink.close(0, self.output.signals().caught(), |output, unrecorded| {
            question::warning(output, self.plan);
            question::dry_run(output, self.plan);
            human::problem(output, unrecorded);
        })
    }

    /// Tells what is revoked, before Ably is asked with the tokens: that takes long, and the record
    /// must not wait for it.
    pub fn before_proof(self, batch: &Batch<'_>, summary: &Summary) {
        if self.sink.has_file() {
            self.sink.keep(true, &records::batch(self.plan, batch, &[]));
        }
        if !self.output.is_json() {
            human::before_proof(self.output, self.plan, summary);
        }
    }

    /// Tells the outcomes of one batch to scripts as they come; people are told at the end.
    pub fn batch(self, batch: &Batch<'_>, proofs: &[Proof]) {
        match proofs.is_empty() {
            true => self.sink.put(batch.requested, || records::batch(self.plan, batch, proofs)),
            // The record has it without the proof, which gets a record of its own.
            false => self.sink.show(|| records::batch(self.plan, batch, proofs)),
        }
    }

    /// The end of a run that a signal may have cut short: for people all of it, as records what is
    /// not in one yet. The last lines say how it ended: the success, or what to do next.
    pub fn end(
        self,
        summary: &Summary,
        signal: Option<i32>,
        took: Duration,
        resume: Result<Option<Resume>, Problem>,
    ) -> i32 {
        let exit_code = summary.exit_code();
        self.sink.put(false, || records::end(self.plan, summary, &resume));
        self.sink.close(exit_code, signal, |output, unrecorded| {
            let interrupted = signal.is_some();
            let complete = resume.is_ok() && unrecorded.is_none();
            let succeeded = exit_code == 0 && !interrupted && complete;
            let unrecorded = unrecorded.cloned();
            let ending = Ending { succeeded, interrupted, took, resume, unrecorded };
            human::end(output, self.plan, summary, &ending);
        })
    }
}
