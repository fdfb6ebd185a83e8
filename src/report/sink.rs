//! Where records go: stdout with `--json`, the file of `--record`, both or nowhere.

use std::cell::OnceCell;
use std::path::Path;

use crate::error::Problem;
use crate::report::record_file::RecordFile;
use crate::report::records;
use crate::signals;
use crate::terminal::output::{Output, Record};

/// Takes the records of a run, which are made once for all who read them.
#[derive(Debug)]
pub struct Sink<'a> {
    output: &'a Output,
    file: OnceCell<RecordFile>,
    /// Why the file is incomplete, once it is.
    failure: OnceCell<Problem>,
}

impl<'a> Sink<'a> {
    /// A sink in front of the streams, without a file.
    pub fn new(output: &'a Output) -> Self {
        Self { output, file: OnceCell::new(), failure: OnceCell::new() }
    }

    /// The streams.
    pub fn output(&self) -> &'a Output {
        self.output
    }

    /// From here on the file is written, too.
    pub(super) fn open(&self, path: &Path, first: &Record) -> Result<(), Problem> {
        let file = RecordFile::open(path, self.output.signals(), first)?;
        self.file.get_or_init(|| file);
        Ok(())
    }

    /// Whether there is a file that takes records.
    pub(super) fn has_file(&self) -> bool {
        self.file.get().is_some() && self.failure.get().is_none()
    }

    /// Takes records, which are only made where somebody reads them; in the file they are on disk at
    /// once, if that is asked for. The file comes first: nobody may be reading stdout.
    pub(super) fn put(&self, on_disk: bool, records: impl FnOnce() -> Vec<Record>) {
        if self.output.is_json() || self.has_file() {
            let records = records();
            self.keep(on_disk, &records);
            records.iter().for_each(|record| self.output.record(record));
        }
    }

    /// Takes records for stdout alone: the file has them.
    pub(super) fn show(&self, records: impl FnOnce() -> Vec<Record>) {
        if self.output.is_json() {
            records().iter().for_each(|record| self.output.record(record));
        }
    }

    /// Takes records for the file alone. The first failure is its last: a file with a gap in it
    /// would look complete.
    pub(super) fn keep(&self, on_disk: bool, records: &[Record]) {
        let Some(file) = self.file.get().filter(|_| self.has_file()) else {
            return;
        };
        if let Err(problem) = file.append(records, on_disk) {
            self.output.record(&records::problem(&problem));
            self.failure.get_or_init(|| problem);
        }
    }

    /// The end of every run of the command: the status in the file, what people are told, the status
    /// on stdout. People are told of an incomplete file, too. Dies of a signal that was caught.
    pub(super) fn close(
        &self,
        exit_code: i32,
        signal: Option<i32>,
        tell: impl FnOnce(&Output, Option<&Problem>),
    ) -> i32 {
        let exit_code = signal.map_or(exit_code, |signal| 128 + signal);
        let status = |exit_code| records::status(exit_code, signal.is_some());
        let told = if self.output.stdout_failed() { exit_code.max(1) } else { exit_code };
        self.keep(true, &[status(told)]);
        let failure = self.failure.get();
        let exit_code = if failure.is_some() { exit_code.max(1) } else { exit_code };
        if !self.output.is_json() {
            tell(self.output, failure);
        }
        self.output.record(&status(exit_code));
        if let Some(signal) = signal {
            signals::die_of(signal);
        }
        exit_code
    }
}
