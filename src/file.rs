//! Reading the files that options name.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::ioctl_fionbio;

use crate::error::Problem;
use crate::secret::form::may_be_secret;

/// Paths of streams that are open already, such as those of a process substitution.
const STREAMS: [&str; 4] = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/", "/proc/thread-self/fd/"];
/// Room for what has no size beforehand, in bytes: a key read from a pipe leaves no copies behind.
const PIPE_ROOM: u64 = 64 << 10;

/// Reads a file up to a limit in bytes. A pipe or a device is read only as a stream that is open
/// already (`/dev/fd/N`): others may wait for ever, or never end.
///
/// # Errors
/// It cannot be read, is not a file, is longer than the limit, or memory does not suffice.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    // Opening a pipe that nobody writes to would wait.
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    if kind.is_file() {
        return read_into(metadata.len(), file, limit);
    }
    if !path.to_str().is_some_and(|path| STREAMS.iter().any(|stream| path.starts_with(stream))) {
        return Err(io::Error::other("it is not a regular file"));
    }
    ioctl_fionbio(&file, false)?;
    read_into(PIPE_ROOM, file, limit)
}

/// What stands for standard input in place of a file.
pub const STDIN: &str = "-";

/// Reads the file that an option or a variable names, or standard input for `-`, up to a limit in
/// bytes. `shown` is what to call it.
///
/// # Errors
/// It cannot be read; the message says which and why.
pub fn read_named(
    path: &Path,
    limit: u64,
    named_by: &str,
    shown: &str,
) -> Result<Vec<u8>, Problem> {
    let read = if path == Path::new(STDIN) {
        read_from(io::stdin().lock(), limit)
    } else {
        read(path, limit)
    };
    read.map_err(|error| {
        Problem::new(
            format!("{named_by}: {shown} cannot be read: {}", reason(&error)),
            "check the path, and that this user may read it",
        )
    })
}

/// Reads everything up to a limit in bytes.
///
/// # Errors
/// Reading fails, there is more than the limit, or memory does not suffice.
pub fn read_from(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    read_into(PIPE_ROOM, source, limit)
}

fn read_into(size: u64, source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // With room for the end to be found without growing.
    bytes.try_reserve_exact(usize::try_from(size.min(limit) + 2).unwrap_or(usize::MAX))?;
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

/// A path for messages. A key or a token that was typed in its place is not shown.
pub fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if may_be_secret(&text) { "(a key or token in place of a file)".to_owned() } else { text }
}

/// The system's words without Rust's `(os error 2)`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text.to_lowercase(),
    }
}
