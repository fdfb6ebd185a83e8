//! Where records go: stdout with `--json`, the file of `--record`, both or nowhere. Records are made
//! once for all who read them. What is in the file when: the batches of each connection before it sends
//! its next one, so that a run killed at any moment is accounted for; all else when there is more, or
//! at the end. Every line is one record, and every record of a run bears its ID, so that runs may share a
//! file.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Exit, Problem};
use crate::file::folder;
use crate::json::Layout;
use crate::report::records;
use crate::request::output_files::{record_options, unwritable};
use crate::signals::{self, Signals};
use crate::terminal::output::{Output, Record};
use crate::text::random_id;
use crate::time::{now_ms, shown};

/// How long another run is waited for, which holds the lock no longer than it writes.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same after a signal.
const GRACE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(5);
/// What need not be on disk at once is written in pieces of this size, in bytes.
const PIECE: usize = 64 << 10;

/// Takes the records of a run, from any thread.
#[derive(Debug)]
pub struct Writer<'a> {
    output: &'a Output,
    file: OnceLock<RecordFile>,
    /// Why the file is incomplete, once it is.
    failure: OnceLock<Problem>,
}

impl<'a> Writer<'a> {
    pub fn new(output: &'a Output) -> Self {
        Self { output, file: OnceLock::new(), failure: OnceLock::new() }
    }

    pub fn output(&self) -> &'a Output {
        self.output
    }

    /// Opens the file, creates it where it is not there, and puts the first record on disk.
    pub(super) fn open(&self, path: &Path, first: &Record) -> Result<(), Problem> {
        let file = RecordFile::open(path, &self.output.signals);
        let file = file.map_err(|error| unwritable(path, &error))?;
        let written = file.append(std::slice::from_ref(first), true);
        written.map_err(|error| unwritable(path, &error))?;
        // A new file outlives a power cut only with its folder; not every file system can.
        let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
        self.file.get_or_init(|| file);
        Ok(())
    }

    fn file(&self) -> Option<&RecordFile> {
        self.file.get().filter(|_| self.failure.get().is_none())
    }

    /// Takes records, which are only made where somebody reads them. The file comes first: nobody may
    /// be reading stdout.
    pub(super) fn put(&self, records: impl FnOnce() -> Vec<Record>) {
        if !self.output.is_for_people() || self.file().is_some() {
            let records = records();
            self.append(false, &records);
            records.iter().for_each(|record| self.output.record(record));
        }
    }

    /// Takes records for stdout alone: the file has them.
    pub(super) fn show(&self, records: impl FnOnce() -> Vec<Record>) {
        if !self.output.is_for_people() {
            records().iter().for_each(|record| self.output.record(record));
        }
    }

    /// Takes records for the file alone, to be on disk when this returns, or when there is more.
    pub(super) fn keep(&self, on_disk: bool, records: impl FnOnce() -> Vec<Record>) {
        if self.file().is_some() {
            self.append(on_disk, &records());
        }
    }

    /// The first failure is the last: a file with a gap in it would look complete.
    fn append(&self, on_disk: bool, records: &[Record]) {
        let Some(file) = self.file() else { return };
        if let Err(error) = file.append(records, on_disk) {
            let message =
                format!("{}; the record is incomplete", unwritable(&file.path, &error).message);
            let problem =
                Problem::new(message, "keep what is shown here: no more of this run is recorded");
            // Told once, whichever thread met it first.
            if self.failure.set(problem.clone()).is_ok() {
                self.output.record(&records::problem(&problem));
            }
        }
    }

    /// The end of every run of the command: the status in the file, what people are told, the status
    /// on stdout. People are told of an incomplete file, too. Dies of a signal that was caught.
    pub(super) fn close(
        &self,
        mut exit: Exit,
        signal: Option<i32>,
        tell: impl FnOnce(&Output, Exit, Option<&Problem>),
    ) -> Exit {
        if let Some(signal) = signal {
            exit = Exit::Signal(signal);
        }
        let told = if self.output.stdout_failed() { exit.unwritten() } else { exit };
        self.append(true, &[records::status(told)]);
        let failure = self.failure.get();
        if failure.is_some() {
            exit = exit.unwritten();
        }
        if self.output.is_for_people() {
            tell(self.output, exit, failure);
        }
        self.output.record(&records::status(exit));
        if let Some(signal) = signal {
            signals::die_of(signal);
        }
        exit
    }
}

/// The file of `--record`, open to be appended to.
#[derive(Debug)]
struct RecordFile {
    path: PathBuf,
    file: File,
    /// The ID of the run: 128 random bits in hex.
    run: String,
    signals: Signals,
    /// Lines that are not in the file yet.
    pending: Mutex<String>,
}

impl RecordFile {
    fn open(path: &Path, signals: &Signals) -> io::Result<Self> {
        let file = record_options().create(true).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let (path, signals) = (path.to_owned(), signals.clone());
        Ok(Self { path, file, run: random_id(), signals, pending: Mutex::default() })
    }

    fn append(&self, records: &[Record], on_disk: bool) -> io::Result<()> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let now = shown(now_ms());
        for record in records {
            let stamps = [("timestamp", now.as_str()), ("run", self.run.as_str())];
            pending.push_str(&record.write(&stamps, Layout::Compact));
            pending.push('\n');
        }
        if !on_disk && pending.len() < PIECE {
            return Ok(());
        }
        let lines = std::mem::take(&mut *pending);
        self.lock()?;
        let written = self.write(lines.as_bytes());
        self.file.unlock()?;
        written?;
        if on_disk { self.file.sync_data() } else { Ok(()) }
    }

    /// Waits for the lock, but not for ever: its holder may have been stopped.
    fn lock(&self) -> io::Result<()> {
        let begun = Instant::now();
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            let limit = if self.signals.caught().is_some() { GRACE } else { PATIENCE };
            if begun.elapsed() >= limit {
                return Err(io::Error::other("another program holds its lock"));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Appends whole lines, or nothing where that fails. A line that a run was killed in is ended
    /// first.
    fn write(&self, lines: &[u8]) -> io::Result<()> {
        let before = self.file.metadata()?.len();
        let mut last = *b"\n";
        if let Some(at) = before.checked_sub(1) {
            self.file.read_exact_at(&mut last, at)?;
        }
        let end: &[u8] = if last == *b"\n" { b"" } else { b"\n" };
        let written = (&self.file).write_all(end).and_then(|()| (&self.file).write_all(lines));
        if written.is_err() {
            // The error at hand says why; a part of a line is of no use to anybody.
            let _ = self.file.set_len(before);
        }
        written
    }
}
