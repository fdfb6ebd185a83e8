//! Questions to the operator. The confirmation and the numbered choice read one line from stdin; the
//! key is read from the terminal, without echo, by rpassword.
//!
//! Alone, rpassword turns the echo off only after it has asked, dies of Ctrl-C before it turns the
//! echo on again, and goes on waiting after a signal was caught. So it reads from a `Keyboard`, which
//! owns the terminal's modes and looks for signals: however the prompt ends, the keyboard is dropped,
//! and that restores them. A thread that watches would do as well, where a thread can be made.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;

use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use rpassword::ConfigBuilder;
use rustix::event::PollFlags;
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::error::{Error, Problem};
use crate::signals::{Signals, ready};
use crate::terminal::output::Output;
use crate::text::{Safe, listed};

/// The longest answer that is read, in bytes. Nobody means yes with more.
const LINE_LIMIT: usize = 1024;
const TERMINAL: &str = "/dev/tty";

/// Asks for a yes; anything else is an error.
pub fn confirm(output: &Output, question: &str) -> Result<(), Error> {
    let answer = line(output, question);
    let message = match answer.map(|answer| answer.trim().to_ascii_lowercase()).as_deref() {
        Some("y" | "yes") => return Ok(()),
        None if !io::stdin().is_terminal() => {
            "not confirmed: nothing was sent; a run without a terminal needs --force"
        }
        _ => "not confirmed: nothing was sent",
    };
    Err(Error::declined(message))
}

/// Whether and how a choice may be put to the operator.
#[derive(Debug, Clone)]
pub struct Chooser {
    output: Output,
    pub(crate) is_allowed: bool,
}

impl Chooser {
    /// Asks only where `may_ask` (no `--force`, no JSON, no dry run) and a terminal is on both
    /// ends.
    pub fn new(output: Output, may_ask: bool) -> Self {
        let is_allowed = may_ask && io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { output, is_allowed }
    }

    /// The position of the candidate chosen. Where asking is not possible the error is `otherwise`,
    /// to whose message the candidates are added.
    pub fn among(
        &self,
        title: &str,
        candidates: &[String],
        otherwise: Problem,
    ) -> Result<usize, Error> {
        if !self.is_allowed {
            let Problem { message, remedy } = otherwise;
            return Err(Error::input(format!("{message}: {}", listed(candidates)), remedy));
        }
        self.output.say(&format!("{}\n", Safe(title)));
        for (n, candidate) in (1..).zip(candidates) {
            self.output.say(&format!("  {n}. {}\n", Safe(candidate)));
        }
        let answer = line(&self.output, &format!("Which one? [1-{}] ", candidates.len()));
        let chosen = answer.and_then(|answer| answer.trim().parse::<usize>().ok());
        let position = chosen.filter(|n| *n <= candidates.len()).and_then(|n| n.checked_sub(1));
        let none = || Error::declined("nothing chosen: nothing was sent");
        position.ok_or_else(none)
    }
}

/// Asks a question and reads one line; an empty one where it is too long or unreadable, or a signal
/// came. `None` where the input was at its end. Byte by byte, so that nothing of the next line is taken.
pub(crate) fn line(output: &Output, question: &str) -> Option<String> {
    let (stdin, signals) = (io::stdin(), &output.signals);
    signals.take_continued();
    output.say(question);
    let mut bytes = Vec::new();
    // Whether its line feed came; `None` where it is unusable.
    let is_whole = loop {
        if signals.caught().is_some() {
            break None;
        }
        if signals.take_continued() {
            // The program was stopped meanwhile, and the question is no longer in view.
            output.say(question);
            bytes.clear();
        }
        if !ready(stdin.as_fd(), PollFlags::IN) {
            continue;
        }
        let mut byte = [0];
        match rustix::io::read(&stdin, &mut byte) {
            Ok(0) => break Some(false),
            Ok(_) if byte == *b"\n" => break Some(true),
            Ok(_) if bytes.len() < LINE_LIMIT => bytes.extend_from_slice(&byte),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(_) | Err(_) => break None,
        }
    };
    if !stdin.is_terminal() || is_whole != Some(true) {
        // The question's line would otherwise go on with whatever is said next.
        output.say("\n");
    }
    match is_whole {
        Some(false) if bytes.is_empty() => None,
        Some(_) => Some(String::from_utf8(bytes).unwrap_or_default()),
        None => Some(String::new()),
    }
}

/// Reads a key from the terminal without echo; an empty one after Ctrl-D. `None` where nobody looks at
/// a terminal, or there is none.
pub(crate) fn hidden(
    signals: &Signals,
    question: &str,
) -> Result<Option<Zeroizing<String>>, Error> {
    let is_watched = io::stdin().is_terminal() || io::stderr().is_terminal();
    let terminal = File::options().read(true).write(true).open(TERMINAL);
    let Some(terminal) = terminal.ok().filter(|_| is_watched) else { return Ok(None) };
    let typed = Keyboard::new(terminal, signals.clone()).and_then(|keyboard| {
        let config = ConfigBuilder::new().input_reader(keyboard).output_file_path(TERMINAL);
        rpassword::prompt_password_with_config(question, config.build()).map(Zeroizing::new)
    });
    if let Some(signal) = signals.caught() {
        return Err(Error::signal(signal));
    }
    match typed {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Some(Zeroizing::default()))
        }
        typed => typed.map(Some).map_err(|error| {
            let reason = crate::file::reason(&error);
            Error::input(format!("the key cannot be read from the terminal: {reason}"), "")
        }),
    }
}

/// A terminal that does not show what is typed, and is as it was once this is dropped.
struct Keyboard {
    terminal: File,
    modes: Termios,
    signals: Signals,
}

impl Keyboard {
    fn new(terminal: File, signals: Signals) -> io::Result<Self> {
        let modes = tcgetattr(&terminal)?;
        let this = Self { terminal, modes, signals };
        this.hide()?;
        Ok(this)
    }

    /// Turns off the echo, and the keys that stop or end a program.
    fn hide(&self) -> io::Result<()> {
        let mut modes = self.modes.clone();
        cfmakeraw(&mut modes);
        Ok(tcsetattr(&self.terminal, SetArg::TCSANOW, &modes)?)
    }
}

impl Read for Keyboard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.signals.caught().is_some() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.signals.take_continued() {
                // A shell had the terminal meanwhile, and may have turned the echo on.
                self.hide()?;
            }
            if ready(self.terminal.as_fd(), PollFlags::IN) {
                return match self.terminal.read(buffer)? {
                    0 => Err(io::Error::other("it was closed")),
                    count => Ok(count),
                };
            }
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        // Nothing better can be done where the terminal is gone.
        let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &self.modes);
        let _ = self.terminal.write_all(b"\n");
    }
}
