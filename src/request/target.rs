//! One target specifier: its kind, its value, and what may be wrong with it.

use std::fmt::{self, Display};

use crate::error::Problem;
use crate::secret::form::{Form, may_be_secret, secret_form};
use crate::text::Safe;

/// The longest value of a target, in bytes: however it is escaped, it fits into one request.
pub(super) const LONGEST: usize = 64 << 10;
/// Longest unknown type shown, in characters. Nothing else of a bad line is: it may be a key or a
/// token that got into the wrong file.
const TYPE_CHARS: usize = 40;

/// What a target specifier names (Ably: token revocation, "target specifiers").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::ClientId => "client ID",
            Self::RevocationKey => "revocation key",
            Self::Channel => "channel",
        }
    }

    /// The option that takes a value of this kind.
    pub fn option(self) -> &'static str {
        match self {
            Self::ClientId => "--client-id",
            Self::RevocationKey => "--revocation-key",
            Self::Channel => "--channel",
        }
    }

    /// Takes a specifier apart into its kind and value; `None` if it is of no known kind.
    pub fn split(specifier: &str) -> Option<(Self, &str)> {
        Self::ALL
            .into_iter()
            .find_map(|kind| specifier.strip_prefix(kind.prefix()).map(|value| (kind, value)))
    }

    /// # Errors
    /// What is wrong with a value of this kind.
    pub(super) fn check(self, value: &str) -> Result<(), Fault<'static>> {
        match value {
            "" => Err(Fault::Empty),
            "*" if self == Self::ClientId => Err(Fault::Wildcard),
            _ if value.len() > LONGEST => Err(Fault::TooLong),
            _ => secret_form(value).map_or(Ok(()), |form| Err(Fault::Secret(form))),
        }
    }
}

/// Whether a value is most likely a slip: Ably takes it all the same, and revokes nobody's tokens.
pub fn is_doubtful(value: &str) -> bool {
    let another = |rest: &str| Kind::split(rest.trim_start()).is_some();
    let at_an_end = value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace);
    at_an_end || value.contains(',') && value.split(',').skip(1).any(another)
}

/// What is wrong with a target.
pub(super) enum Fault<'a> {
    NotUtf8,
    NoColon,
    Type(&'a str),
    Empty,
    Wildcard,
    TooLong,
    Secret(Form),
}

impl Fault<'_> {
    /// The same of a value that was given with an option.
    pub(super) fn of_option(&self, kind: Kind) -> Problem {
        let option = kind.option();
        match self {
            Self::Wildcard => Problem::new(
                format!("{option} '*' is not a client ID: Ably forbids it"),
                "name each client ID, or revoke the API key in Ably's dashboard",
            ),
            Self::Secret(form) => Problem::misplaced(*form, option),
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
            Self::NoColon => f.write_str("no type and ':' before the value"),
            Self::Type(kind) if may_be_secret(kind) => f.write_str("unknown type"),
            Self::Type(kind) => match kind.char_indices().nth(TYPE_CHARS) {
                Some((end, _)) => {
                    let start = kind.get(..end).unwrap_or_default();
                    write!(f, "unknown type '{}…'", Safe(start))
                }
                None => write!(f, "unknown type '{}'", Safe(kind)),
            },
            Self::Empty => f.write_str("empty value"),
            Self::Secret(form) => write!(f, "{form} in place of a target"),
            Self::TooLong => f.write_str("more than 64 KiB"),
            Self::Wildcard => f.write_str("client ID '*', which Ably forbids"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_most_likely_a_slip_is_noticed() {
        for (value, expected) in [
            ("alice", false),
            ("alice b", false),
            ("a,b", false),
            ("alice ", true),
            (" alice", true),
            ("alice\t", true),
            ("alice,clientId:bob", true),
            ("alice, channel:x", true),
        ] {
            assert_eq!(is_doubtful(value), expected, "{value:?}");
        }
    }
}
