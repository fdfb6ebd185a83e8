//! Questions to the operator. The confirmation reads one line from stdin; the key is read from
//! the terminal without echo.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::output::Output;
use crate::signals::{self, Signals};

/// The longest answer that is read, in bytes. Nobody means yes with more.
const LINE_LIMIT: u64 = 1024;
const TERMINAL: &str = "/dev/tty";

/// Asks a question and reads one line. End of input and anything unreadable are an empty line.
pub fn line(output: &Output, question: &str) -> String {
    output.say(question);
    let mut bytes = Vec::new();
    for byte in io::stdin().lock().take(LINE_LIMIT).bytes() {
        match byte {
            Ok(b'\n') => break,
            Ok(byte) => bytes.push(byte),
            Err(_) => return String::new(),
        }
    }
    if !io::stdin().is_terminal() {
        // The question's line would otherwise go on with whatever is said next.
        output.say("\n");
    }
    String::from_utf8(bytes).unwrap_or_default()
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
/// Ctrl-C, SIGINT and SIGTERM end the program only after that.
///
/// # Errors
/// The signal that came, or that no key could be read.
pub fn hidden(signals: &Signals, question: &str) -> Result<Zeroizing<String>, Error> {
    let unreadable = |error: io::Error| {
        let reason = crate::file::reason(&error);
        Error::input(format!("the key cannot be read from the terminal: {reason}"), "")
    };
    signals.hold().map_err(unreadable)?;
    let guard = Guard::watch(signals).map_err(unreadable)?;
    let answer = rpassword::prompt_password(question).map(Zeroizing::new);
    guard.end();
    if let Some(signal) = signals.caught() {
        return Err(Error::Signal(signal));
    }
    signals.release();
    match answer {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(unreadable(error)),
        answer => Ok(answer.unwrap_or_default()),
    }
}

/// Restores the terminal when a signal comes that rpassword's read would sleep through.
struct Guard {
    done: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Guard {
    fn watch(signals: &Signals) -> io::Result<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL)?;
        let modes = tcgetattr(&terminal)?;
        let done = Arc::new(AtomicBool::new(false));
        let (finished, signals) = (Arc::clone(&done), signals.clone());
        // Without a thread, a SIGTERM waits until the prompt is answered.
        let watcher = thread::Builder::new().spawn(move || {
            while !finished.load(Ordering::SeqCst) {
                if let Some(signal) = signals.caught() {
                    // Nothing better can be done where the terminal is gone.
                    let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
                    signals::die_of(signal);
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        Ok(Self { done, watcher: watcher.ok() })
    }

    fn end(self) {
        self.done.store(true, Ordering::SeqCst);
        if let Some(watcher) = self.watcher {
            // It can only have ended; a panic in it changes nothing here.
            let _ = watcher.join();
        }
    }
}
