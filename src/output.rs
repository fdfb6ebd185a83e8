//! Where text goes: stderr for people, stdout for JSON. A closed pipe stops nothing; a full disk
//! behind stdout is remembered, since a script then lacks what it asked for.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::time::SystemTime;

use crate::json::{Fields, Json, Layout};
use crate::text::Safe;

/// The command's name in JSON.
pub const COMMAND: &str = "auth:revoke-token";

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text on stderr, with colours and symbols where a terminal shows it.
    Human {
        /// ANSI colours and symbols.
        colour: bool,
    },
    /// NDJSON on stdout, and nothing else there.
    Json(Layout),
}

impl Format {
    /// By what was asked for (`wants_json`: whether indented) and where the streams lead.
    pub fn choose(wants_json: Option<bool>, no_color: bool) -> Self {
        match wants_json {
            None => Self::Human { colour: !no_color && io::stderr().is_terminal() },
            Some(pretty) => Self::Json(Layout {
                pretty,
                colour: pretty && !no_color && io::stdout().is_terminal(),
            }),
        }
    }
}

/// The streams. Clones share what is remembered of them.
#[derive(Debug, Clone)]
pub struct Output {
    /// For whom.
    pub format: Format,
    stdout_failed: Rc<Cell<bool>>,
}

impl Output {
    /// Output in this format.
    pub fn new(format: Format) -> Self {
        Self { format, stdout_failed: Rc::default() }
    }

    /// Whether something that belongs on stdout could not be written, other than to a closed pipe.
    pub fn stdout_failed(&self) -> bool {
        self.stdout_failed.get()
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        matches!(self.format, Format::Json(_))
    }

    /// Writes text to stderr as it is.
    pub fn say(&self, text: &str) {
        // Nobody is left to be told of a failure here.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Writes text to stdout as it is.
    pub fn print(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            self.stdout_failed.set(true);
        }
    }

    /// Writes one JSON record; nothing where the output is for people.
    pub fn record(&self, kind: &'static str, fields: impl FnOnce(Fields) -> Fields) {
        if let Format::Json(layout) = self.format {
            let record = fields(Fields::new().with("type", kind).with("command", COMMAND));
            self.print(&(record.done().write(layout) + "\n"));
        }
    }

    /// Writes one line of running commentary.
    pub fn log(&self, component: &'static str, event: &'static str, message: &str) {
        match self.format {
            Format::Human { .. } => self.say(&format!("[{component}] {}\n", Safe(message))),
            Format::Json(_) => self.record("log", |fields| {
                let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
                fields
                    .with("component", component)
                    .with("event", event)
                    .with("message", message)
                    .with("timestamp", now)
            }),
        }
    }

    /// A text in an ANSI colour, where colours are shown.
    pub fn painted(&self, colour: Colour, text: &str) -> String {
        match self.format {
            Format::Human { colour: true } => format!("\x1b[{}m{text}\x1b[0m", colour as u8),
            _ => text.to_owned(),
        }
    }

    /// A symbol with a space after it, where symbols are shown.
    pub fn symbol(&self, colour: Colour, symbol: &str) -> String {
        match self.format {
            Format::Human { colour: true } => self.painted(colour, symbol) + " ",
            _ => String::new(),
        }
    }
}

/// ANSI colours by meaning.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub enum Colour {
    /// Red.
    Bad = 31,
    /// Green.
    Good = 32,
    /// Yellow.
    Doubtful = 33,
}

/// The closing record: every run of the command ends with it.
pub fn status_fields(fields: Fields, exit_code: i32, interrupted: bool) -> Fields {
    fields
        .with("status", if interrupted { "interrupted" } else { "completed" })
        .with("exitCode", Json::Number(i64::from(exit_code)))
}
