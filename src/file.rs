//! The files that options name: those that are read, and the checks of those that are written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::io::ioctl_fionbio;

use crate::error::Problem;
use crate::secret::form::may_be_secret;
use crate::signals::ready;
use crate::text::Safe;

/// What stands for standard input in place of a file.
pub(crate) const STDIN: &str = "-";
/// What the operator calls standard input.
pub(crate) const STDIN_NAME: &str = "standard input";
/// Paths of streams that are open already, such as those of a process substitution.
const STREAMS: [&str; 4] = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/", "/proc/thread-self/fd/"];
/// Room for what has no size beforehand, in bytes: a key read from a pipe leaves no copies behind.
const PIPE_ROOM: u64 = 64 << 10;

/// What is read. Standard input may be shared with a program that set it not to block: its mode is
/// left as it is, and data that is late is waited for.
#[derive(Debug)]
pub(crate) struct Input(File);

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready(self.0.as_fd(), PollFlags::IN);
                }
                read => return read,
            }
        }
    }
}

/// Reads a file up to a limit in bytes. A pipe or a device is read only as a stream that is open
/// already (`/dev/fd/N`): others may wait for ever, or never end.
///
/// # Errors
/// It cannot be read, is not a file, is longer than the limit, or memory does not suffice.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_all(open(path)?, limit)
}

/// Opens a file to be read, with its size where it has one beforehand.
fn open(path: &Path) -> io::Result<(Input, u64)> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    // Opening a pipe that nobody writes to would wait.
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    if kind.is_file() {
        return Ok((Input(file), metadata.len()));
    }
    if !is_stream(path) {
        return Err(io::Error::other("it is not a regular file"));
    }
    ioctl_fionbio(&file, false)?;
    Ok((Input(file), PIPE_ROOM))
}

/// Whether a path names a stream that is open already.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.to_str().is_some_and(|path| STREAMS.iter().any(|stream| path.starts_with(stream)))
}

/// The same, or standard input for `-`.
fn open_or_stdin(path: &Path) -> io::Result<(Input, u64)> {
    if path == Path::new(STDIN) {
        let stdin = io::stdin().as_fd().try_clone_to_owned()?;
        return Ok((Input(stdin.into()), PIPE_ROOM));
    }
    open(path)
}

fn read_all((input, size): (Input, u64), limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // With room for the end to be found without growing.
    bytes.try_reserve_exact(usize::try_from(size.min(limit) + 2).unwrap_or(usize::MAX))?;
    input.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

/// Reads the file that an option or a variable names, or standard input for `-`, up to a limit in
/// bytes. `shown` is what to call it.
///
/// # Errors
/// It cannot be read; the message says which and why.
pub(crate) fn read_named(
    path: &Path,
    limit: u64,
    named_by: &str,
    shown: &str,
) -> Result<Vec<u8>, Problem> {
    let read = open_or_stdin(path).and_then(|input| read_all(input, limit));
    read.map_err(|error| unreadable(named_by, shown, &error))
}

/// Opens the file that an option names, or standard input for `-`, to be read as it comes.
///
/// # Errors
/// As for `read_named`.
pub(crate) fn open_named(path: &Path, named_by: &str, shown: &str) -> Result<Input, Problem> {
    let opened = open_or_stdin(path).map(|(input, _)| input);
    opened.map_err(|error| unreadable(named_by, shown, &error))
}

/// That a file cannot be read, and why.
pub(crate) fn unreadable(named_by: &str, shown: &str, error: &io::Error) -> Problem {
    Problem::new(
        format!("{named_by}: {shown} cannot be read: {}", reason(error)),
        "check the path, and that this user may read it",
    )
}

/// What to call the file that an option names.
pub(crate) fn called(path: &Path) -> String {
    if path == Path::new(STDIN) { STDIN_NAME.to_owned() } else { shown(path) }
}

/// A file with the option or the words that name it.
pub type Named = (PathBuf, &'static str);

/// Where the file is that an option names to be written, with links followed. It is checked as far
/// as that goes without writing.
///
/// # Errors
/// It is no regular file, in no folder, one of the run's other files, or where a stream goes to.
pub fn to_be_written(
    option: &str,
    path: &Path,
    others: impl IntoIterator<Item = Named>,
) -> Result<PathBuf, Problem> {
    let wrong = |what: &str| unfit(option, path, what);
    // A link is followed once, so that the file behind it is written and not the link.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(_) if path.is_symlink() => return Err(wrong("is a link that leads nowhere")),
        Err(_) => path.to_owned(),
    };
    let there = fs::metadata(&path);
    match &there {
        Ok(there) if !there.is_file() => return Err(wrong("is not a regular file")),
        Err(_) if path.file_name().is_none() || !folder(&path).is_dir() => {
            return Err(wrong("is in a folder that is not there"));
        }
        _ => {}
    }
    let mut others = others.into_iter();
    if let Some((_, named_by)) = others.find(|(other, _)| is_same(&path, other)) {
        return Err(wrong(&format!("is the same file as {named_by}")));
    }
    let streams = [
        (of_stream(io::stdout().as_fd()), "is the file that standard output goes to"),
        (of_stream(io::stderr().as_fd()), "is the file that standard error goes to"),
    ];
    let goes_there = |stream| there.as_ref().is_ok_and(|there| is_one(there, stream));
    if let Some((_, what)) = streams.iter().find(|(stream, _)| goes_there(stream)) {
        return Err(wrong(what));
    }
    Ok(path)
}

/// Why a file cannot be the one to be written.
pub fn unfit(option: &str, path: &Path, what: &str) -> Problem {
    Problem::new(format!("{option}: {} {what}", Safe(&shown(path))), "name another file")
}

/// Whether two paths lead to the same file, be it there already or not.
fn is_same(path: &Path, other: &Path) -> bool {
    let of_other = match other == Path::new(STDIN) {
        true => of_stream(io::stdin().as_fd()),
        false => fs::metadata(other),
    };
    match fs::metadata(path) {
        Ok(there) => is_one(&there, &of_other),
        Err(_) if of_other.is_ok() || path.file_name() != other.file_name() => false,
        Err(_) => {
            fs::metadata(folder(path)).is_ok_and(|own| is_one(&own, &fs::metadata(folder(other))))
        }
    }
}

fn is_one(one: &Metadata, other: &io::Result<Metadata>) -> bool {
    other.as_ref().is_ok_and(|other| (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

fn of_stream(stream: BorrowedFd<'_>) -> io::Result<Metadata> {
    File::from(stream.try_clone_to_owned()?).metadata()
}

/// The folder that a file is in.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
