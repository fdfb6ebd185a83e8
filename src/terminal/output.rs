//! Where text goes: stderr for people, stdout for JSON. A closed pipe stops nothing; a full disk
//! behind stdout is remembered, since a script then lacks what it asked for.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::termios::tcgetwinsize;

use crate::environment::Environment;
use crate::json::{Fields, Layout};
use crate::signals::{Signals, ready};
use crate::wrap::wrapped;

/// Back to the line's beginning, and clear it.
pub(crate) const REWRITE: &str = "\r\x1b[K";
/// What a pipe takes without blocking once it takes anything (PIPE_BUF).
const CHUNK: usize = 4096;
/// How long a stream that nobody reads is waited for after a signal.
const GRACE: Duration = Duration::from_millis(500);
/// The width of a terminal that does not tell its own.
const USUAL: usize = 80;

/// The columns of the terminal behind stderr; `None` where it is not a terminal: whatever reads
/// it then may look for a message in one line.
pub(crate) fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    Some(if size.ws_col == 0 { USUAL } else { usize::from(size.ws_col) })
}

/// Whether the locale has UTF-8: the first of these that is set decides (POSIX).
fn is_utf8(set: impl Fn(&str) -> Option<OsString>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let locale = locale.unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// One thing that scripts are told.
#[derive(Debug)]
pub(crate) struct Record {
    kind: &'static str,
    fields: Fields,
}

impl Record {
    pub(crate) fn new(kind: &'static str, fields: Fields) -> Self {
        Self { kind, fields }
    }

    /// The record as JSON without a line end, with stamps behind the command.
    pub(crate) fn write(&self, stamps: &[(&'static str, &str)], layout: Layout) -> String {
        let head = Fields::new().with("type", self.kind).with("command", "auth:revoke-token");
        let head = stamps.iter().fold(head, |head, (name, value)| head.with(name, *value));
        head.and(&self.fields).done().write(layout)
    }
}

/// The streams. Clones share what is remembered of them.
#[derive(Debug, Clone)]
pub struct Output {
    /// With it NDJSON goes to stdout and nothing else, for scripts; without it text goes to stderr.
    json: Option<Layout>,
    /// Whether a line on stderr can be written over.
    pub(crate) rewrites: bool,
    colours: bool,
    /// Symbols outside ASCII.
    symbols: bool,
    remembered: Arc<Remembered>,
    pub(crate) signals: Signals,
}

/// What is known of the streams by now.
#[derive(Debug, Default)]
struct Remembered {
    stdout_failed: AtomicBool,
    /// Nobody reads it.
    stdout_hangs: AtomicBool,
    stderr_hangs: AtomicBool,
}

impl Output {
    /// By what was asked for (`wants_json`: whether indented), where the streams lead and what
    /// the environment says of the terminal.
    pub fn new(wants_json: Option<bool>, env: Environment, signals: Signals) -> Self {
        let obeys = env.raw("TERM").is_some_and(|it| it != "dumb");
        let paints = obeys && env.raw("NO_COLOR").is_none();
        let shows = wants_json.is_none() && io::stderr().is_terminal();
        let colours = shows && paints;
        let symbols = colours && is_utf8(|name| env.raw(name));
        let json = wants_json.map(|pretty| match pretty {
            false => Layout::Compact,
            true if paints && io::stdout().is_terminal() => Layout::Coloured,
            true => Layout::Pretty,
        });
        let (rewrites, remembered) = (shows && obeys, Arc::default());
        Self { json, rewrites, colours, symbols, remembered, signals }
    }

    /// Whether stdout lacks something, other than behind a closed pipe.
    pub(crate) fn stdout_failed(&self) -> bool {
        self.remembered.stdout_failed.load(Ordering::SeqCst)
    }

    /// Whether people read it, who are told things on the way; scripts read records alone.
    pub(crate) fn is_for_people(&self) -> bool {
        self.json.is_none()
    }

    /// Writes text to stderr, its lines no wider than a terminal there.
    pub(crate) fn say(&self, text: &str) {
        self.say_as_it_is(&wrapped(text, columns()));
    }

    /// Writes text to stderr that must keep its own lines, to be copied.
    pub(crate) fn say_as_it_is(&self, text: &str) {
        let hangs = &self.remembered.stderr_hangs;
        // Nobody is left to be told of a failure here.
        let _ = self.write_all(io::stderr().lock().as_fd(), text.as_bytes(), hangs);
    }

    /// Writes text to stdout as it is.
    pub fn print(&self, text: &str) {
        let hangs = &self.remembered.stdout_hangs;
        let written = self.write_all(io::stdout().lock().as_fd(), text.as_bytes(), hangs);
        if written.is_err_and(|error| error != Errno::PIPE) {
            self.remembered.stdout_failed.store(true, Ordering::SeqCst);
        }
    }

    /// Writes all of it, also where the stream does not block. One that nobody reads holds up the
    /// run only until a signal comes, and then no longer than once.
    fn write_all(
        &self,
        stream: BorrowedFd<'_>,
        mut bytes: &[u8],
        hangs: &AtomicBool,
    ) -> Result<(), Errno> {
        let mut end: Option<Instant> = None;
        while !bytes.is_empty() {
            if hangs.load(Ordering::SeqCst) {
                return Err(Errno::TIMEDOUT);
            }
            if self.signals.caught().is_some() {
                let now = Instant::now();
                hangs.store(now > *end.get_or_insert(now + GRACE), Ordering::SeqCst);
            }
            if !ready(stream, PollFlags::OUT) {
                continue;
            }
            match rustix::io::write(stream, bytes.get(..CHUNK).unwrap_or(bytes)) {
                Ok(written) => {
                    bytes = bytes.get(written..).unwrap_or_default();
                    end = None;
                }
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes one JSON record; nothing where the output is for people.
    pub(crate) fn record(&self, record: &Record) {
        if let Some(layout) = self.json {
            self.print(&(record.write(&[], layout) + "\n"));
        }
    }

    /// A text in an ANSI colour, where colours are shown.
    pub(crate) fn painted(&self, colour: Colour, text: &str) -> String {
        match self.colours {
            true => format!("\x1b[{}m{text}\x1b[0m", colour as u8),
            false => text.to_owned(),
        }
    }

    /// A symbol with a space after it, where symbols are shown.
    pub(crate) fn symbol(&self, colour: Colour, symbol: &str) -> String {
        match self.symbols {
            true => self.painted(colour, symbol) + " ",
            false => String::new(),
        }
    }
}

/// ANSI colours by meaning.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Colour {
    Bad = 31,
    Good = 32,
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    #[test]
    fn a_stream_that_does_not_block_gets_all_of_it() {
        let (mut reader, writer) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        let text: Vec<u8> = (0..4_000_000_u32).map(|n| n as u8).collect();
        let read = thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).unwrap();
            all
        });
        let output = Output::new(None, Environment(|_| None), Signals::default());
        output.write_all(writer.as_fd(), &text, &AtomicBool::new(false)).unwrap();
        drop(writer);
        assert!(read.join().unwrap() == text);
    }

    #[test]
    fn symbols_need_a_utf_8_locale() {
        for (all, ctype, lang, expected) in [
            ("", "", "", false),
            ("", "", "C.UTF-8", true),
            ("", "", "en_US.utf8", true),
            ("", "POSIX", "C.UTF-8", false),
            ("POSIX", "C.UTF-8", "C.UTF-8", false),
            ("C.UTF-8", "POSIX", "POSIX", true),
        ] {
            let set = |name: &str| {
                let value = match name {
                    "LC_ALL" => all,
                    "LC_CTYPE" => ctype,
                    _ => lang,
                };
                (!value.is_empty()).then(|| value.into())
            };
            assert_eq!(is_utf8(set), expected, "{all:?} {ctype:?} {lang:?}");
        }
    }
}
