//! One target specifier: its kind, its value, and what may be wrong with it.

use std::fmt::{self, Display};

use crate::cli::flags::{Id, long};
use crate::error::Problem;
use crate::secret::shape::{holds_token, looks_like_secret};
use crate::text::Safe;

/// The longest value of a target, in bytes: however it is escaped, it fits into one request.
pub(super) const LONGEST: usize = 64 << 10;
/// Longest unknown type shown, in characters. Nothing else of a bad line is: it may be a key or a
/// token that got into the wrong file.
const TYPE_CHARS: usize = 40;

/// What a target specifier names (Ably: token revocation, "target specifiers").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// All tokens issued to a client ID.
    ClientId,
    /// All JWTs that carry this revocation key.
    RevocationKey,
    /// All tokens whose capability names exactly this resource.
    Channel,
}

impl Kind {
    /// All kinds, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::ClientId, Self::RevocationKey, Self::Channel];

    /// What a specifier begins with, what people call it, which option takes its value.
    fn row(self) -> (&'static str, &'static str, Id) {
        match self {
            Self::ClientId => ("clientId:", "client ID", Id::ClientId),
            Self::RevocationKey => ("revocationKey:", "revocation key", Id::RevocationKey),
            Self::Channel => ("channel:", "channel", Id::Channel),
        }
    }

    pub fn prefix(self) -> &'static str {
        self.row().0
    }

    pub fn noun(self) -> &'static str {
        self.row().1
    }

    pub fn id(self) -> Id {
        self.row().2
    }

    /// Takes a specifier apart into its kind and value; `None` if it is of no known kind.
    pub fn split(specifier: &str) -> Option<(Self, &str)> {
        let value = |kind: Self| Some((kind, specifier.strip_prefix(kind.prefix())?));
        Self::ALL.into_iter().find_map(value)
    }

    pub(super) fn check(self, value: &str) -> Result<(), Fault<'static>> {
        match value {
            "" => Err(Fault::Empty),
            "*" if self == Self::ClientId => Err(Fault::Wildcard),
            _ if value.len() > LONGEST => Err(Fault::TooLong),
            _ if holds_token(value) => Err(Fault::Token),
            _ => Ok(()),
        }
    }
}

/// The doubt about a value that looks like a secret, as a client ID may.
pub const LIKE_A_SECRET: &str = "with the look of a key or a token";

/// Why a value names nobody, by all appearances, as what follows "1 target". Ably takes it all the same,
/// and cannot tell. Lines of a file may hold a comma: IDs may, and nobody types them.
pub fn doubt(value: &str, is_option: bool) -> Option<&'static str> {
    let ends = || value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace);
    let quoted = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    let another = |rest: &str| Kind::split(rest.trim_start()).is_some();
    match value {
        _ if ends() => Some("with white space at an end"),
        _ if ['"', '\'', '`'].into_iter().any(quoted) => {
            Some("in quotation marks, as a cell of a CSV file is")
        }
        _ if Kind::split(value).is_some() => {
            Some("with a target type before the value, as in clientId:clientId:alice")
        }
        _ if value.split(',').skip(1).any(another) => Some("with another target after a comma"),
        _ if is_option && value.contains(',') => {
            Some("with a comma, though an option takes one value")
        }
        _ => looks_like_secret(value).then_some(LIKE_A_SECRET),
    }
}

/// Characters that no client ID has. A line with one is that of a file with other line ends.
pub(super) fn is_foreign(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

pub(super) enum Fault<'a> {
    NotUtf8,
    Foreign(char),
    NoColon,
    Type(&'a str),
    Empty,
    Wildcard,
    TooLong,
    Token,
}

impl Fault<'_> {
    /// The same of a value that was given with an option.
    pub(super) fn of_option(&self, kind: Kind) -> Problem {
        let option = long(kind.id());
        match self {
            Self::Wildcard => Problem::new(
                format!("{option} '*' is not a client ID: Ably forbids it"),
                "name each client ID, or revoke the API key in Ably's dashboard",
            ),
            Self::Token => Problem::misplaced_token(option),
            Self::TooLong => Problem::new(
                format!("{option} is given a value of more than 64 KiB"),
                format!("give the {} alone", kind.noun()),
            ),
            _ => Problem::new(
                format!("{option} is given an empty value"),
                format!("give the {} to revoke", kind.noun()),
            ),
        }
    }
}

impl Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Foreign('\r') => f.write_str("a carriage return without a line feed"),
            Self::Foreign(c) => write!(f, "the control character U+{:04X}", u32::from(*c)),
            Self::NoColon => f.write_str("no type and ':' before the value"),
            Self::Type(kind) if looks_like_secret(kind) => f.write_str("unknown type"),
            Self::Type(kind) => match kind.char_indices().nth(TYPE_CHARS) {
                Some((end, _)) => {
                    let start = kind.get(..end).unwrap_or_default();
                    write!(f, "unknown type '{}…'", Safe(start))
                }
                None => write!(f, "unknown type '{}'", Safe(kind)),
            },
            Self::Empty => f.write_str("empty value"),
            Self::Token => f.write_str("a token in place of a target"),
            Self::TooLong => f.write_str("more than 64 KiB"),
            Self::Wildcard => f.write_str("client ID '*', which Ably forbids"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_64_kib() {
        let longest = "x".repeat(LONGEST);
        assert!(Kind::Channel.check(&longest).is_ok());
        let fault = Kind::Channel.check(&(longest + "x")).unwrap_err();
        let told = fault.of_option(Kind::Channel).message;
        assert_eq!(told, "--channel is given a value of more than 64 KiB");
    }

    #[test]
    fn a_value_that_names_nobody_is_noticed() {
        let is = |doubt: Option<&str>, noun: Option<&str>| match (doubt, noun) {
            (Some(doubt), Some(noun)) => doubt.contains(noun),
            (doubt, noun) => doubt == noun,
        };
        for (value, option, line) in [
            ("alice", None, None),
            ("alice b", None, None),
            ("a,b", Some("comma"), None),
            ("alice ", Some("space"), Some("space")),
            (" alice", Some("space"), Some("space")),
            ("alice\u{a0}", Some("space"), Some("space")),
            ("\"alice\"", Some("quotation"), Some("quotation")),
            ("'alice'", Some("quotation"), Some("quotation")),
            ("\"alice", None, None),
            ("\"", None, None),
            ("clientId:alice", Some("type before"), Some("type before")),
            ("alice,clientId:bob", Some("another"), Some("another")),
            ("device.v2:0123456789abcdef", Some("look"), Some("look")),
            ("alice, channel:x", Some("another"), Some("another")),
        ] {
            assert!(is(doubt(value, true), option), "{value:?}");
            assert!(is(doubt(value, false), line), "{value:?}");
        }
    }
}
