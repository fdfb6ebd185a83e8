//! The files that options name: those that are read, and the checks of those that are written.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::io::ioctl_fionbio;

use crate::error::Problem;
use crate::secret::shape::path_may_hold_secret;
use crate::signals::{Signals, ready};
use crate::text::Safe;

/// What stands for standard input in place of a file.
pub(crate) const STDIN: &str = "-";
/// What the operator calls standard input.
pub(crate) const STDIN_NAME: &str = "standard input";
/// Paths of streams that are open already, such as those of a process substitution.
const STREAMS: [&str; 4] = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/", "/proc/thread-self/fd/"];
/// Room for what has no size beforehand, in bytes: a key read from a pipe leaves no copies behind.
const PIPE_ROOM: u64 = 64 << 10;

/// What is read. Standard input may be shared with a program that made it not block: its mode stays as
/// it is, and data that is late is waited for, unless a signal comes.
#[derive(Debug)]
pub(crate) struct Input {
    file: File,
    signals: Option<Signals>,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.signals.as_ref().is_some_and(|signals| signals.caught().is_some()) {
                return Err(io::Error::other("interrupted"));
            }
            if !ready(self.file.as_fd(), PollFlags::IN) {
                continue;
            }
            let read = self.file.read(buffer);
            let is_late = |kind| matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted);
            if !read.as_ref().is_err_and(|error| is_late(error.kind())) {
                return read;
            }
        }
    }
}

impl Input {
    /// A pipe or a device is read only as a stream that is open already (`/dev/fd/N`): others may
    /// wait for ever, or never end.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        // Opening a pipe that nobody writes to would wait.
        let file = File::options().read(true).custom_flags(nonblocking).open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other("it is a folder"));
        }
        if !metadata.is_file() {
            if !is_stream(path) {
                return Err(io::Error::other("it is not a regular file"));
            }
            ioctl_fionbio(&file, false)?;
        }
        Ok(Self { file, signals: None })
    }

    /// All of it, up to a limit in bytes.
    fn read_all(self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // With room for the end to be found without growing.
        let room = self.file.metadata()?.len().max(PIPE_ROOM).min(limit) + 2;
        bytes.try_reserve_exact(usize::try_from(room).unwrap_or(usize::MAX))?;
        self.take(limit + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > limit {
            true => Err(io::Error::new(ErrorKind::FileTooLarge, "it is too large")),
            false => Ok(bytes),
        }
    }
}

/// Whether a path names a stream that is open already.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.to_str().is_some_and(|path| STREAMS.iter().any(|stream| path.starts_with(stream)))
}

/// Reads a file up to a limit in bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    Input::open(path)?.read_all(limit)
}

/// Opens the file that an option or a variable names, or standard input for `-`, to be read as it
/// comes.
pub(crate) fn open_named(path: &Path, named_by: &str, signals: &Signals) -> Result<Input, Problem> {
    let file = match path == Path::new(STDIN) {
        true => io::stdin().as_fd().try_clone_to_owned().map(File::from),
        false => Input::open(path).map(|input| input.file),
    };
    let file = file.map_err(|error| unreadable(named_by, path, &error))?;
    Ok(Input { file, signals: Some(signals.clone()) })
}

/// The same, read up to a limit.
pub(crate) fn read_named(
    path: &Path,
    limit: u64,
    named_by: &str,
    signals: &Signals,
) -> Result<Vec<u8>, Problem> {
    let read = open_named(path, named_by, signals)?.read_all(limit);
    read.map_err(|error| unreadable(named_by, path, &error))
}

/// That a file cannot be read, and why.
pub(crate) fn unreadable(named_by: &str, path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        format!("{named_by}: {} cannot be read: {}", called(path), reason(error)),
        "check the path, and that this user may read it",
    )
}

/// What to call the file that an option names.
pub(crate) fn called(path: &Path) -> String {
    if path == Path::new(STDIN) { STDIN_NAME.to_owned() } else { shown(path) }
}

/// A file with the option or the words that name it.
pub(crate) type Named = (PathBuf, &'static str);

/// Where the file is that an option names to be written: the file behind a link is written, not the
/// link. It is checked as far as that goes without writing.
pub(crate) fn to_be_written(
    option: &str,
    path: &Path,
    others: impl IntoIterator<Item = Named>,
) -> Result<PathBuf, Problem> {
    let wrong = |what: &str| Err(unfit(option, path, what));
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(_) if path.is_symlink() => return wrong("is a link that leads nowhere"),
        Err(_) => path.to_owned(),
    };
    match fs::metadata(&path) {
        Ok(there) if !there.is_file() => return wrong("is not a regular file"),
        Err(_) if path.file_name().is_none() || !folder(&path).is_dir() => {
            return wrong("is in a folder that is not there");
        }
        _ => {}
    }
    let own = identity(&path);
    let streams = [("/proc/self/fd/1", "standard output"), ("/proc/self/fd/2", "standard error")];
    let streams = streams.map(|(stream, named_by)| (PathBuf::from(stream), named_by));
    let mut others = others.into_iter().chain(streams);
    let of = |other: &Path| match other == Path::new(STDIN) {
        true => identity(Path::new("/proc/self/fd/0")),
        false => identity(other),
    };
    match others.find(|(other, _)| own.is_some() && of(other) == own) {
        Some((_, named_by)) => wrong(&format!("is the same file as {named_by}")),
        None => Ok(path),
    }
}

/// Why a file cannot be the one to be written.
pub(crate) fn unfit(option: &str, path: &Path, what: &str) -> Problem {
    Problem::new(format!("{option}: {} {what}", Safe(&shown(path))), "name another file")
}

/// Device and inode of a file; of one that is not there its folder's, and its name.
fn identity(path: &Path) -> Option<(u64, u64, Option<OsString>)> {
    let (metadata, name) = match fs::metadata(path) {
        Ok(there) => (there, None),
        Err(_) => (fs::metadata(folder(path)).ok()?, path.file_name()),
    };
    Some((metadata.dev(), metadata.ino(), name.map(OsStr::to_owned)))
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A path for messages. A key or a token that was typed in its place is not shown.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    match path_may_hold_secret(&text) {
        true => "(a key or token in place of a file)".to_owned(),
        false => text,
    }
}

/// The system's words without Rust's `(os error 2)`.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}
