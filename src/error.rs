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

/// Why a run ended before anything was revoked.
#[derive(Debug)]
pub struct Error {
    /// Empty for a signal.
    pub problem: Problem,
    pub exit: Exit,
    /// What Ably said, where it could not or would not tell what had to be known first.
    pub ably: Option<Box<AblyError>>,
    /// The targets that are not revoked for that.
    pub targets: Vec<String>,
    /// Tokens that cannot be revoked, as JSON names them.
    pub tokens: Vec<Json>,
}

impl From<Problem> for Error {
    /// What is wrong before anything was asked is wrong with the input.
    fn from(problem: Problem) -> Self {
        Self { problem, exit: Exit::Input, ably: None, targets: Vec::new(), tokens: Vec::new() }
    }
}

impl Error {
    pub fn input(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Problem::new(message, remedy).into()
    }

    /// What had to be known first could not be looked up.
    pub fn lookup(problem: Problem, ably: Option<AblyError>) -> Self {
        Self { exit: Exit::Failed, ably: ably.map(Box::new), ..problem.into() }
    }

    pub fn declined(message: &str) -> Self {
        Self { exit: Exit::NotConfirmed, ..Self::input(message, "") }
    }

    /// A signal came at a prompt or before the first request.
    pub fn signal(signal: i32) -> Self {
        Self { exit: Exit::Signal(signal), ..Self::input("", "") }
    }

    pub fn context(self, context: impl Display) -> Self {
        Self { problem: self.problem.context(context), ..self }
    }
}

/// How the program ends. Scripts branch on the codes, which the help explains.
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
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Input => 2,
            Self::Partly => 3,
            Self::NotConfirmed => 4,
            Self::Unknown => 5,
            Self::Unwritten => 6,
            // As a shell shows it.
            Self::Signal(signal) => 128 | signal as u8,
        }
    }

    /// The same where stdout or the record lacks something.
    pub fn unwritten(self) -> Self {
        if self == Self::Done { Self::Unwritten } else { self }
    }
}
