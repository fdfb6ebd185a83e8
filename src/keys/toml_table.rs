//! Tables of a TOML file that know their path and their lines. What is wrong with a value is told
//! by both and never by the value itself, which may be a key.

use std::fmt::Display;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Problem;

/// What to do about a flaw of the file, or instead of it.
pub(super) const OTHER_WAYS: &str = "give a key with --api-key-file or ABLY_API_KEY instead";

/// The table of all that is in a file.
pub(super) fn parse<'a>(shown: &str, bytes: &'a [u8]) -> Result<Spanned<DeTable<'a>>, Problem> {
    let text = str::from_utf8(bytes);
    let text = text.map_err(|error| flaw(shown, bytes, error.valid_up_to(), "not UTF-8"))?;
    // The error's Display quotes the line, which may hold a key; its message does not.
    DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(bytes.len(), |span| span.start);
        flaw(shown, bytes, at, format!("not TOML: {}", error.message()))
    })
}

fn flaw(shown: &str, bytes: &[u8], at: usize, what: impl Display) -> Problem {
    let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
    Problem::new(format!("{shown} line {line}: {what}"), format!("fix that line, or {OTHER_WAYS}"))
}

/// A table of the file, with the path to it. One that is not there has nothing in it.
pub(super) struct Table<'a> {
    shown: &'a str,
    /// The whole file, to tell lines by.
    bytes: &'a [u8],
    table: Option<&'a DeTable<'a>>,
    path: String,
}

impl<'a> Table<'a> {
    pub(super) fn root(shown: &'a str, bytes: &'a [u8], table: &'a DeTable<'a>) -> Self {
        Self { shown, bytes, table: Some(table), path: String::new() }
    }

    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// The names in it, in the order of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.table.into_iter().flat_map(DeTable::keys).map(|name| name.get_ref().as_ref())
    }

    pub(super) fn table(&self, key: &str) -> Result<Self, Problem> {
        let table = self.value(key, "must be a table", DeValue::as_table)?;
        Ok(Self { table, path: format!("{}{key}.", self.path), ..*self })
    }

    /// A string; an empty one counts as absent.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        let text = self.value(key, "must be a string", DeValue::as_str)?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// What a value is read as; `wanted` says in words what it must be.
    pub(super) fn value<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.table.and_then(|table| table.get(key)) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.flaw(key, wanted))
    }

    /// A flaw of a value, by its path and line: `accounts.work.port must be …`.
    pub(super) fn flaw(&self, key: &str, what: &str) -> Problem {
        let value = self.table.and_then(|table| table.get(key));
        let at = value.map_or(0, |value| value.span().start);
        flaw(self.shown, self.bytes, at, format!("{}{key} {what}", self.path))
    }
}

pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix()).ok(),
        _ => None,
    }
}
