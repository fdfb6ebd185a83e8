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

    /// What a specifier of this kind begins with, its colon included.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::ClientId => "clientId:",
            Self::RevocationKey => "revocationKey:",
            Self::Channel => "channel:",
        }
    }

    pub fn noun(self) -> &'static str {
        match self {
            Self::ClientId => "client ID",
            Self::RevocationKey => "revocation key",
            Self::Channel => "channel",
        }
    }

    pub fn id(self) -> Id {
        match self {
            Self::ClientId => Id::ClientId,
            Self::RevocationKey => Id::RevocationKey,
            Self::Channel => Id::Channel,
        }
    }

    /// Takes a specifier apart into its kind and value; `None` if it is of no known kind.
    pub fn split(specifier: &str) -> Option<(Self, &str)> {
        Self::ALL
            .into_iter()
            .find_map(|kind| specifier.strip_prefix(kind.prefix()).map(|value| (kind, value)))
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

/// Why a value names nobody, by all appearances. Ably takes it all the same, and cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    Space,
    Quoted,
    Typed,
    Joined,
    Comma,
    /// By its look; a client ID may look so, too.
    Secret,
}

impl Doubt {
    pub const ALL: [Self; 6] =
        [Self::Space, Self::Quoted, Self::Typed, Self::Joined, Self::Comma, Self::Secret];

    /// What is doubtful about a value. Lines of a file may hold a comma: IDs may, and nobody types them.
    pub fn of(value: &str, is_option: bool) -> Option<Self> {
        let ends =
            || value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace);
        let quoted = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
        let another = |rest: &str| Kind::split(rest.trim_start()).is_some();
        match value {
            _ if ends() => Some(Self::Space),
            _ if ['"', '\'', '`'].into_iter().any(quoted) => Some(Self::Quoted),
            _ if Kind::split(value).is_some() => Some(Self::Typed),
            _ if value.split(',').skip(1).any(another) => Some(Self::Joined),
            _ if is_option && value.contains(',') => Some(Self::Comma),
            _ => looks_like_secret(value).then_some(Self::Secret),
        }
    }
}

impl Display for Doubt {
    /// As what follows "1 value" or "3 values".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Space => "with white space at an end",
            Self::Quoted => "in quotation marks, as a cell of a CSV file is",
            Self::Typed => "with a target type before the value, as in clientId:clientId:alice",
            Self::Joined => "with another target after a comma",
            Self::Comma => "with a comma, though an option takes one value",
            Self::Secret => "with the look of a key or a token",
        })
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
    fn a_value_that_names_nobody_is_noticed() {
        for (value, option, line) in [
            ("alice", None, None),
            ("alice b", None, None),
            ("a,b", Some(Doubt::Comma), None),
            ("alice ", Some(Doubt::Space), Some(Doubt::Space)),
            (" alice", Some(Doubt::Space), Some(Doubt::Space)),
            ("alice\u{a0}", Some(Doubt::Space), Some(Doubt::Space)),
            ("\"alice\"", Some(Doubt::Quoted), Some(Doubt::Quoted)),
            ("'alice'", Some(Doubt::Quoted), Some(Doubt::Quoted)),
            ("\"alice", None, None),
            ("\"", None, None),
            ("clientId:alice", Some(Doubt::Typed), Some(Doubt::Typed)),
            ("alice,clientId:bob", Some(Doubt::Joined), Some(Doubt::Joined)),
            ("device.v2:0123456789abcdef", Some(Doubt::Secret), Some(Doubt::Secret)),
            ("alice, channel:x", Some(Doubt::Joined), Some(Doubt::Joined)),
        ] {
            assert_eq!(Doubt::of(value, true), option, "{value:?}");
            assert_eq!(Doubt::of(value, false), line, "{value:?}");
        }
    }
}
