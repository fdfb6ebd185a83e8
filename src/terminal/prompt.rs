//! Questions to the operator. The confirmation reads one line from stdin; the key is read from
//! the terminal without echo.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::signals::{self, Signals};
use crate::terminal::output::Output;

/// The longest answer that is read, in bytes. Nobody means yes with more.
const LINE_LIMIT: usize = 1024;
/// The longest line that a terminal hands on, its end included.
const TERMINAL_LIMIT: usize = 4095;
const TERMINAL: &str = "/dev/tty";

/// How reading a line ended.
enum Read {
    /// With a line break.
    Line,
    /// With the end of input.
    End,
    /// The line is longer than the limit.
    TooLong,
    /// The program was stopped and goes on: the question is no longer in view.
    Continued,
    /// SIGTSTP was caught.
    Suspended,
    /// A signal was caught.
    Signal,
}

/// Asks a question and reads one line. What is too long or unreadable is an empty line.
pub fn line(output: &Output, question: &str) -> String {
    let stdin = io::stdin();
    let signals = output.signals();
    signals.take_continued();
    let mut bytes = Zeroizing::new(Vec::new());
    let read = loop {
        output.say(question);
        bytes.clear();
        match read_line(stdin.as_fd(), signals, &mut bytes, LINE_LIMIT) {
            Ok(Read::Continued) => {}
            read => break read,
        }
    };
    if !stdin.is_terminal() || !matches!(read, Ok(Read::Line)) {
        // The question's line would otherwise go on with whatever is said next.
        output.say("\n");
    }
    match read {
        Ok(Read::Line | Read::End) => String::from_utf8(bytes.to_vec()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Reads up to a line break, byte by byte, so that nothing of the next line is taken.
fn read_line(
    input: BorrowedFd<'_>,
    signals: &Signals,
    bytes: &mut Zeroizing<Vec<u8>>,
    limit: usize,
) -> io::Result<Read> {
    let slice = Timespec::try_from(signals::SLICE).ok();
    loop {
        if signals.caught().is_some() {
            return Ok(Read::Signal);
        }
        if signals.take_suspended() {
            return Ok(Read::Suspended);
        }
        if signals.take_continued() {
            return Ok(Read::Continued);
        }
        match poll(&mut [PollFd::new(&input, PollFlags::IN)], slice.as_ref()) {
            Ok(0) | Err(Errno::INTR) => continue,
            ready => ready?,
        };
        let mut byte = [0];
        match rustix::io::read(input, &mut byte) {
            Ok(0) => return Ok(Read::End),
            Ok(_) if byte == *b"\n" => return Ok(Read::Line),
            Ok(_) if bytes.len() == limit => return Ok(Read::TooLong),
            Ok(_) => bytes.extend_from_slice(&byte),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether an answer means yes.
pub fn is_yes(answer: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

/// Whether the operator can be asked for a key: someone looks at a terminal, and it can be opened.
pub fn can_ask_for_key() -> bool {
    let watched = io::stdin().is_terminal() || io::stderr().is_terminal();
    watched && OpenOptions::new().read(true).write(true).open(Path::new(TERMINAL)).is_ok()
}

/// Reads a key from the terminal without echo. The terminal is left as it was whatever happens:
/// signals end or stop the program only after that.
///
/// # Errors
/// The signal that came, or that no key could be read.
pub fn hidden(signals: &Signals, question: &str) -> Result<Zeroizing<String>, Error> {
    let unreadable = |error: io::Error| {
        let reason = crate::file::reason(&error);
        Error::input(format!("the key cannot be read from the terminal: {reason}"), "")
    };
    signals.hold();
    let mut bytes = Zeroizing::new(Vec::with_capacity(TERMINAL_LIMIT));
    let read = read_hidden(signals, question, &mut bytes);
    if let Some(signal) = signals.caught() {
        return Err(Error::Signal(signal));
    }
    signals.release();
    if matches!(read.map_err(unreadable)?, Read::TooLong) {
        return Err(Error::input("the key is too long for a terminal", "give --api-key-file FILE"));
    }
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Ok(Zeroizing::new(text.to_owned()))
}

fn read_hidden(
    signals: &Signals,
    question: &str,
    bytes: &mut Zeroizing<Vec<u8>>,
) -> io::Result<Read> {
    let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL)?;
    let _suspension = signals.hold_suspension()?;
    loop {
        signals.take_continued();
        bytes.clear();
        let quiet = Quiet::new(&terminal)?;
        (&terminal).write_all(question.as_bytes())?;
        let read = read_line(terminal.as_fd(), signals, bytes, TERMINAL_LIMIT - 2);
        drop(quiet);
        let read = read?;
        (&terminal).write_all(b"\n")?;
        match read {
            Read::Suspended => signals::stop(),
            Read::Continued => {}
            read => return Ok(read),
        }
    }
}

/// A terminal that does not show what is typed; restored on drop.
struct Quiet<'a> {
    terminal: &'a File,
    modes: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let modes = tcgetattr(terminal)?;
        let mut quiet = modes.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        quiet.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(terminal, OptionalActions::Now, &quiet)?;
        Ok(Self { terminal, modes })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // Nothing better can be done where the terminal is gone.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.modes);
    }
}
