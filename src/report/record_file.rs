//! `--record`: a lasting account of the run beside what is shown. Every line is one record, and every
//! record of a run bears its ID, so that runs may share a file.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Access, OFlags, access};

use crate::cli::flags::{Id, long};
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::{self, folder, reason};
use crate::json::Layout;
use crate::keys::cli_config;
use crate::request::Request;
use crate::signals::Signals;
use crate::terminal::output::Record;
use crate::text::{Safe, random_id};
use crate::time::{now_ms, shown};

/// The mode of a new file: client IDs may be people's names.
const MODE: u32 = 0o600;
/// How long another run is waited for, which holds the lock no longer than it writes.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same after a signal.
const GRACE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(5);
/// What need not be on disk at once is written in pieces of this size, in bytes.
const PIECE: usize = 64 << 10;

/// Checks the file of `--record` as far as that goes without creating it, and follows its links.
///
/// # Errors
/// It cannot be written, is no regular file, another file of the run, or where a stream goes to.
pub fn check(request: &mut Request, env: Environment) -> Result<(), Problem> {
    let Some(recording) = &mut request.recording else {
        return Ok(());
    };
    let left_over = request.unrevoked_to.iter().cloned().map(|path| (path, long(Id::UnrevokedTo)));
    let read = request.inputs.iter().cloned().chain(cli_config::named(env));
    let path = file::to_be_written(long(Id::Record), &recording.path, read.chain(left_over))?;
    let may_write = match fs::exists(&path) {
        Ok(false) => {
            access(folder(&path), Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from)
        }
        _ => options().open(&path).map(|_| ()),
    };
    may_write.map_err(|error| unwritable(&path, &error))?;
    recording.path = path;
    Ok(())
}

/// Whatever takes the file's place in the meantime, opening it does not wait.
fn options() -> OpenOptions {
    let mut options = File::options();
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    options.read(true).append(true).mode(MODE).custom_flags(nonblocking);
    options
}

fn unwritable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        format!(
            "{}: {} cannot be written: {}",
            long(Id::Record),
            Safe(&file::shown(path)),
            reason(error)
        ),
        "name a file that this user can read and write, on a disk with room",
    )
}

/// The file, open to be appended to.
#[derive(Debug)]
pub(super) struct RecordFile {
    path: PathBuf,
    file: File,
    /// The ID of the run: 128 random bits in hex.
    run: String,
    signals: Signals,
    /// Lines that are not in the file yet.
    pending: RefCell<String>,
}

impl RecordFile {
    /// Opens the file, creates it where it is not there, and puts the first record on disk.
    ///
    /// # Errors
    /// It cannot be opened, locked or written.
    pub(super) fn open(path: &Path, signals: &Signals, first: &Record) -> Result<Self, Problem> {
        let opened =
            options().create(true).open(path).and_then(|file| match file.metadata()?.is_file() {
                true => Ok(file),
                false => Err(io::Error::other("it is not a regular file")),
            });
        let this = Self {
            path: path.to_owned(),
            file: opened.map_err(|error| unwritable(path, &error))?,
            run: random_id(),
            signals: signals.clone(),
            pending: RefCell::default(),
        };
        let written = this.take(std::slice::from_ref(first), true);
        written.map_err(|error| unwritable(path, &error))?;
        // A new file outlives a power cut only with its folder; not every file system can.
        let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
        Ok(this)
    }

    /// Appends records: to be on disk when this returns, or when there is more.
    ///
    /// # Errors
    /// They cannot be written; what is to be told of it.
    pub(super) fn append(&self, records: &[Record], on_disk: bool) -> Result<(), Problem> {
        self.take(records, on_disk).map_err(|error| Problem {
            message: format!(
                "{}; the record is incomplete",
                unwritable(&self.path, &error).message
            ),
            remedy: "keep what is shown here: no more of this run is recorded".to_owned(),
        })
    }

    fn take(&self, records: &[Record], on_disk: bool) -> io::Result<()> {
        let mut pending = self.pending.borrow_mut();
        let now = shown(now_ms());
        for record in records {
            let stamps = [("timestamp", now.as_str()), ("run", self.run.as_str())];
            pending.push_str(&record.write(&stamps, Layout::COMPACT));
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
