//! Where records go.

use crate::report::records;
use crate::signals;
use crate::terminal::output::{Output, Record};

/// Takes the records of a run: for stdout, with `--json`.
#[derive(Debug)]
pub struct Sink<'a> {
    output: &'a Output,
}

impl<'a> Sink<'a> {
    /// A sink in front of the streams.
    pub fn new(output: &'a Output) -> Self {
        Self { output }
    }

    /// The streams.
    pub fn output(&self) -> &'a Output {
        self.output
    }

    /// Takes records, which are only made where somebody reads them.
    pub(super) fn put(&self, records: impl FnOnce() -> Vec<Record>) {
        if self.output.is_json() {
            records().iter().for_each(|record| self.output.record(record));
        }
    }

    /// The end of every run of the command: people are told last, and the status closes the
    /// records. Dies of a signal that was caught.
    pub(super) fn close(
        &self,
        exit_code: i32,
        signal: Option<i32>,
        tell: impl FnOnce(&Output),
    ) -> i32 {
        let exit_code = signal.map_or(exit_code, |signal| 128 + signal);
        if !self.output.is_json() {
            tell(self.output);
        }
        self.output.record(&records::status(exit_code, signal.is_some()));
        if let Some(signal) = signal {
            signals::die_of(signal);
        }
        exit_code
    }
}
