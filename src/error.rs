//! Why a run ends before its first revocation request. What happens to targets after that is an
//! outcome (`outcome.rs`), not an error.

use std::fmt::Display;

use crate::json::Json;
use crate::secret::redactor::Redactor;
use crate::secret::shape::Form;
use crate::text::excerpt;

/// What failed, and apart from it what to do about it. Both are lower case without a full stop,
/// so that the report can put them on lines of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Names the flag, file with line, host or target.
    pub message: String,
    /// What the operator can do; empty where the message says it all.
    pub remedy: String,
}

impl Problem {
    /// A problem with its remedy.
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }

    /// A secret where something else belongs.
    pub fn misplaced(secret: Form, place: &str) -> Self {
        Self::new(format!("{place} is given {secret}"), secret.remedy())
    }

    /// The same problem, with what it was met at before it.
    pub fn context(self, context: impl Display) -> Self {
        Self { message: format!("{context}: {}", self.message), ..self }
    }

    /// The same without the secrets that its texts may repeat.
    pub fn cleaned(&self, redactor: &Redactor) -> Self {
        let clean = |text: &str| redactor.clean_message(text).into_owned();
        Self { message: clean(&self.message), remedy: clean(&self.remedy) }
    }
}

/// An error as Ably words it (`AblyError` of its REST specification).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AblyError {
    /// Ably's own code, such as 40101.
    pub code: Option<i64>,
    /// The HTTP status that came with it.
    pub status: Option<u16>,
    /// Ably's message, secrets taken out, not yet escaped for a terminal.
    pub message: Option<String>,
    /// Ably's help page for the code.
    pub href: Option<String>,
    /// The server that answered (`X-Ably-Serverid`): support asks for it.
    pub server_id: Option<String>,
    /// The request as the edge knows it (`X-Amz-Cf-Id`).
    pub edge_id: Option<String>,
}

impl AblyError {
    /// Ably's message and code as one phrase; `None` where it gave neither.
    pub fn described(&self) -> Option<String> {
        let message =
            self.message.as_deref().map(|text| excerpt(text).trim_end_matches('.').to_owned());
        match (message, self.code) {
            (Some(message), Some(code)) => Some(format!("{message} (code {code})")),
            (Some(message), None) => Some(message),
            (None, Some(code)) => Some(format!("code {code}")),
            (None, None) => None,
        }
    }
}

/// What could not be looked up, so that nothing was revoked.
#[derive(Debug)]
pub struct Lookup {
    /// What failed and what to do.
    pub problem: Problem,
    /// Ably's own words, where it had some.
    pub error: Option<AblyError>,
    /// The targets that are not revoked for it.
    pub targets: Vec<String>,
}

/// A run that ended before anything was revoked.
#[derive(Debug)]
pub enum Error {
    /// Arguments, files, configuration or credentials here cannot be acted on.
    Input(Problem),
    /// No token of a text can be revoked; what names each of them in JSON.
    Irrevocable(Problem, Vec<Json>),
    /// Ably refused to tell, or could not be asked, what had to be known first.
    Lookup(Box<Lookup>),
    /// The operator did not confirm.
    Declined(Problem),
    /// A signal came at a prompt or before the first request.
    Signal(i32),
}

impl From<Problem> for Error {
    /// What is wrong before anything was asked is wrong with the input.
    fn from(problem: Problem) -> Self {
        Self::Input(problem)
    }
}

impl Error {
    /// An input problem.
    pub fn input(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Input(Problem::new(message, remedy))
    }

    pub fn problem_mut(&mut self) -> Option<&mut Problem> {
        match self {
            Self::Input(problem) | Self::Irrevocable(problem, _) | Self::Declined(problem) => {
                Some(problem)
            }
            Self::Lookup(lookup) => Some(&mut lookup.problem),
            Self::Signal(_) => None,
        }
    }

    /// The same, with what it was met at before it.
    pub fn context(mut self, context: impl Display) -> Self {
        if let Some(problem) = self.problem_mut() {
            problem.message = format!("{context}: {}", problem.message);
        }
        self
    }

    /// The same without the secrets that its texts may repeat.
    pub fn cleaned(mut self, redactor: &Redactor) -> Self {
        if let Some(problem) = self.problem_mut() {
            *problem = problem.cleaned(redactor);
        }
        self
    }

    /// Something that could not be looked up.
    pub fn lookup(problem: Problem, error: Option<AblyError>) -> Self {
        Self::Lookup(Box::new(Lookup { problem, error, targets: Vec::new() }))
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Input(_) | Self::Irrevocable(..) => Exit::Input,
            Self::Lookup(..) => Exit::Failed,
            Self::Declined(_) => Exit::NotConfirmed,
            Self::Signal(signal) => Exit::Signal(*signal),
        }
    }
}

/// How the program ends. Scripts branch on the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Input,
    Partly,
    NotConfirmed,
    Unknown,
    Unwritten,
    /// Ended by this signal.
    Signal(i32),
}

impl Exit {
    /// All of them, in the order of the help text.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Input,
        Self::Partly,
        Self::NotConfirmed,
        Self::Unknown,
        Self::Unwritten,
        Self::Signal(1),
        Self::Signal(2),
        Self::Signal(15),
    ];

    /// The exit code; of a signal what a shell shows for it.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Input => 2,
            Self::Partly => 3,
            Self::NotConfirmed => 4,
            Self::Unknown => 5,
            Self::Unwritten => 6,
            Self::Signal(signal) => u8::try_from(signal).map_or(u8::MAX, |signal| 128 + signal),
        }
    }

    /// What it means, as the help says it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "every target revoked; or help, version, a dry run",
            Self::Failed => "no target revoked, and that is certain",
            Self::Input => {
                "a usage, file, configuration or credential problem here; nothing was sent"
            }
            Self::Partly => "some targets revoked, others not",
            Self::NotConfirmed => "not confirmed; nothing was sent",
            Self::Unknown => {
                "some unknown and none revoked, or --verify found no proof; run it again"
            }
            Self::Unwritten => {
                "every target revoked, but stdout or the record could not be written"
            }
            Self::Signal(1) => "ended by SIGHUP",
            Self::Signal(2) => "ended by SIGINT",
            Self::Signal(_) => "ended by SIGTERM",
        }
    }

    /// The same where stdout or the record lacks something.
    pub fn unwritten(self) -> Self {
        if self == Self::Done { Self::Unwritten } else { self }
    }
}
