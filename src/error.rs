//! Why a run ends before its first revocation request. What happens to targets after that is an
//! outcome (`outcome.rs`), not an error.

use std::fmt::Display;

use crate::json::Json;
use crate::secret::redactor::Redactor;
use crate::text::excerpt;

/// What to do with a token that was given as something else.
pub const TOKEN_REMEDY: &str =
    "to revoke a leaked token, give it with --from-token FILE (- is standard input)";

/// What failed, and what to do about it: lower case without a full stop, for lines of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Names the flag, file with line, host or target.
    pub message: String,
    /// Empty where the message says it all.
    pub remedy: String,
}

impl Problem {
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }

    /// An API key where something else belongs.
    pub fn misplaced_key(place: &str) -> Self {
        let remedy = "give the key with ABLY_API_KEY or --api-key-file";
        Self::new(format!("{place} is given an API key"), remedy)
    }

    /// A token where something else belongs.
    pub fn misplaced_token(place: &str) -> Self {
        Self::new(format!("{place} is given a token"), TOKEN_REMEDY)
    }

    /// The same, with what it was met at before it.
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
    /// Such as 40101.
    pub code: Option<i64>,
    pub status: Option<u16>,
    /// Secrets taken out, not yet escaped for a terminal.
    pub message: Option<String>,
    pub href: Option<String>,
    /// The server that answered (`X-Ably-Serverid`): support asks for it.
    pub server_id: Option<String>,
    /// The request as the edge knows it (`X-Amz-Cf-Id`).
    pub edge_id: Option<String>,
}

impl AblyError {
    /// Ably's message and code as one phrase; `None` where it gave neither.
    pub fn described(&self) -> Option<String> {
        let message = self.message.as_deref().map(excerpt);
        let message = message.as_deref().map(|text| text.trim_end_matches('.'));
        match (message, self.code) {
            (Some(message), Some(code)) => Some(format!("{message} (code {code})")),
            (None, Some(code)) => Some(format!("code {code}")),
            (message, None) => message.map(str::to_owned),
        }
    }
}

/// What could not be looked up, so that nothing was revoked.
#[derive(Debug)]
pub struct Lookup {
    pub problem: Problem,
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

    pub fn context(mut self, context: impl Display) -> Self {
        if let Some(problem) = self.problem_mut() {
            *problem = problem.clone().context(context);
        }
        self
    }

    pub fn cleaned(mut self, redactor: &Redactor) -> Self {
        if let Some(problem) = self.problem_mut() {
            *problem = problem.cleaned(redactor);
        }
        self
    }

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
    Signal(i32),
}

impl Exit {
    /// All of them, in the order of the help text.
    pub fn all() -> [Self; 10] {
        use Exit::*;
        [
            Done,
            Failed,
            Input,
            Partly,
            NotConfirmed,
            Unknown,
            Unwritten,
            Signal(1),
            Signal(2),
            Signal(15),
        ]
    }

    /// The exit code, of a signal what a shell shows for it; and what it means, as the help says it.
    pub fn told(self) -> (u8, &'static str) {
        match self {
            Self::Done => (0, "every target revoked; or help, version, a dry run"),
            Self::Failed => (1, "no target revoked, and that is certain"),
            Self::Input => {
                (2, "a usage, file, configuration or credential problem here; nothing was sent")
            }
            Self::Partly => (3, "some targets revoked, others not"),
            Self::NotConfirmed => (4, "not confirmed; nothing was sent"),
            Self::Unknown => {
                (5, "some unknown and none revoked, or --verify found no proof; run it again")
            }
            Self::Unwritten => {
                (6, "every target revoked, but stdout or the record could not be written")
            }
            Self::Signal(1) => (129, "ended by SIGHUP"),
            Self::Signal(2) => (130, "ended by SIGINT"),
            Self::Signal(_) => (143, "ended by SIGTERM"),
        }
    }

    pub fn code(self) -> u8 {
        self.told().0
    }

    /// The same where stdout or the record lacks something.
    pub fn unwritten(self) -> Self {
        if self == Self::Done { Self::Unwritten } else { self }
    }
}
