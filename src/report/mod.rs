//! Everything that people and scripts read: the question before, the outcomes after, errors at any
//! time. Only here is an outcome put into words; `human.rs` has them for people on stderr,
//! `records.rs` for scripts and for the file of `--record`.

mod human;
mod leak;
mod progress;
mod question;
mod records;
pub mod resume;
mod words;
pub mod writer;

use std::process::ExitCode;
use std::time::Duration;

use crate::environment::Environment;
use crate::error::{Error, Exit, Problem};
use crate::plan::Plan;
use crate::report::progress::Progress;
use crate::report::resume::Resume;
use crate::report::writer::Writer;
use crate::request::settings::Mode;
use crate::revoke::proof::Proof;
use crate::revoke::run::Batch;
use crate::revoke::summary::Summary;
use crate::secret::redactor::Redactor;
use crate::terminal::output::Output;

/// Tells an error that ended the run before its first revocation, or dies of the signal that was
/// the error.
pub fn error(writer: &Writer<'_>, error: Error, redactor: &Redactor) -> Exit {
    let error = &Error { problem: error.problem.cleaned(redactor), ..error };
    let signal = if let Exit::Signal(signal) = error.exit { Some(signal) } else { None };
    writer.put(|| records::error(error));
    writer.close(error.exit, signal, |output, _, unrecorded| {
        human::error(output, error);
        words::problem(output, unrecorded);
    })
}

/// The exit code, which is not 0 where stdout lacks something. That is said on stderr: the code alone
/// would say something else.
pub fn exit_code(output: &Output, mut exit: Exit) -> ExitCode {
    if output.stdout_failed() {
        output.say(
            "error: stdout could not be written, so what it shows is incomplete\n  \
             make room on its disk; exit code 0 became 6\n",
        );
        exit = exit.unwritten();
    }
    ExitCode::from(exit.code())
}

/// How a run ended, beside its summary.
#[derive(Debug)]
struct Ending {
    exit: Exit,
    /// Whether everything is revoked, and all that was asked for is written.
    succeeded: bool,
    took: Duration,
    /// How to go on from the left-over file, where there is one; or why it was not written.
    resume: Result<Option<Resume>, Problem>,
    /// Why the file of `--record` is incomplete, where it is.
    unrecorded: Option<Problem>,
}

#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    writer: &'a Writer<'a>,
    output: &'a Output,
    plan: &'a Plan,
}

impl<'a> Report<'a> {
    pub fn new(writer: &'a Writer<'a>, plan: &'a Plan) -> Self {
        Self { writer, output: writer.output(), plan }
    }

    pub fn progress(self) -> Progress {
        Progress::new(self.output.clone(), self.plan)
    }

    /// Opens the file of `--record` with who does what, and why.
    pub fn open_record(self, env: Environment, redactor: &Redactor) -> Result<(), Problem> {
        let Some(path) = &self.plan.files.record else {
            return Ok(());
        };
        let first = records::run(self.plan, env, redactor);
        self.writer.open(path, &first)
    }

    pub fn question(self) -> String {
        question::question(self.plan) + "Revoke? [y/N] "
    }

    /// What is to be known before anything is sent. To people the question says it, where there is one.
    pub fn beforehand(self) {
        self.writer.put(|| records::beforehand(self.plan));
        if self.output.is_for_people() && self.plan.settings.mode != Mode::Ask {
            self.output.say(&question::beforehand(self.plan));
        }
    }

    pub fn dry_run(self) -> Exit {
        self.writer.put(|| records::dry_run(self.plan));
        let signal = self.output.signals.caught();
        self.writer.close(Exit::Done, signal, |output, _, unrecorded| {
            question::dry_run(output, self.plan);
            words::problem(output, unrecorded);
        })
    }

    /// Puts the outcomes of one batch on disk, where there is a record, before the connection that
    /// made it sends its next one.
    pub fn record(self, batch: &Batch<'_>) {
        self.writer.keep(batch.requested, || records::batch(self.plan, batch, &[]));
    }

    /// Tells what is revoked, before Ably is asked with the tokens: that takes long.
    pub fn before_proof(self, summary: &Summary) {
        if self.output.is_for_people() {
            human::before_proof(self.output, self.plan, summary);
        }
    }

    /// Tells the outcomes of one batch to scripts as they come; people are told at the end.
    pub fn batch(self, batch: &Batch<'_>, proofs: &[Proof]) {
        self.writer.show(|| records::batch(self.plan, batch, proofs));
    }

    /// The end of a run that a signal may have cut short: for people all of it, as records what is
    /// not in one yet. The last lines say how it ended: the success, or what to do next.
    pub fn end(
        self,
        summary: &Summary,
        signal: Option<i32>,
        took: Duration,
        resume: Result<Option<Resume>, Problem>,
    ) -> Exit {
        self.writer.put(|| records::end(self.plan, summary, &resume));
        self.writer.close(summary.exit(), signal, |output, exit, unrecorded| {
            let succeeded = exit == Exit::Done && resume.is_ok();
            let unrecorded = unrecorded.cloned();
            let ending = Ending { exit, succeeded, took, resume, unrecorded };
            human::end(output, self.plan, summary, &ending);
        })
    }
}
