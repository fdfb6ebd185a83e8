//! Tables of a TOML file that know their path and their lines. What is wrong with a value is told
//! by both and never by the value itself, which may be a key.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Problem;
use crate::text::{Safe, excerpt};

/// What to do about a flaw of the file, or instead of it.
pub(super) const OTHER_WAYS: &str = "give a key with --api-key-file or ABLY_API_KEY instead";
const BOM: char = '\u{feff}';

/// A file as it was read, to tell lines by.
pub(super) struct TomlFile<'a> {
    pub(super) shown: &'a str,
    pub(super) bytes: &'a [u8],
}

impl<'a> TomlFile<'a> {
    /// All of it.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'a>>, Problem> {
        let text = str::from_utf8(self.bytes)
            .map_err(|error| self.problem(error.valid_up_to(), "not UTF-8"))?;
        // The error's Display quotes the line, which may hold a key; its message does not.
        DeTable::parse(text.strip_prefix(BOM).unwrap_or(text)).map_err(|error| {
            let at = error.span().map_or(self.bytes.len(), |span| self.offset(span.start));
            self.problem(at, &format!("not TOML: {}", Safe(error.message())))
        })
    }

    /// A position that the parser tells: it does not see the byte order mark.
    fn offset(&self, at: usize) -> usize {
        let text = str::from_utf8(self.bytes).unwrap_or_default();
        at + if text.starts_with(BOM) { BOM.len_utf8() } else { 0 }
    }

    fn problem(&self, at: usize, what: &str) -> Problem {
        let before = self.bytes.get(..at).unwrap_or(self.bytes);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let message = format!("{} line {line}: {what}", self.shown);
        Problem::new(message, format!("fix that line, or {OTHER_WAYS}"))
    }
}

/// A table of the file, with the path to it. One that is not there has nothing in it.
pub(super) struct Table<'a> {
    file: &'a TomlFile<'a>,
    table: Option<&'a DeTable<'a>>,
    path: String,
}

impl<'a> Table<'a> {
    /// The table that holds all others.
    pub(super) fn root(file: &'a TomlFile<'a>, table: &'a DeTable<'a>) -> Self {
        Self { file, table: Some(table), path: String::new() }
    }

    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// The names in it, in the order of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.table.into_iter().flat_map(DeTable::keys).map(|name| name.get_ref().as_ref())
    }

    pub(super) fn table(&self, key: &str) -> Result<Self, Problem> {
        let table = self.value(key, "must be a table", |value| value.as_table())?;
        Ok(Self { file: self.file, table, path: format!("{}{key}.", self.path) })
    }

    /// A string; an empty one counts as absent.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        let text = self.value(key, "must be a string", |value| value.as_str())?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// An integer; `wanted` says in words what it must be.
    pub(super) fn integer(&self, key: &str, wanted: &str) -> Result<Option<i64>, Problem> {
        self.value(key, wanted, |value| match value {
            DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix()).ok(),
            _ => None,
        })
    }

    pub(super) fn switch(&self, key: &str) -> Result<Option<bool>, Problem> {
        self.value(key, "must be true or false", |value| value.as_bool())
    }

    /// A flaw of a value, by its path and line: `accounts.work.port must be …`.
    pub(super) fn flaw(&self, key: &str, what: &str) -> Problem {
        let value = self.table.and_then(|table| table.get(key));
        let at = value.map_or(0, |value| self.file.offset(value.span().start));
        let path = format!("{}{key}", self.path);
        self.file.problem(at, &format!("{} {what}", Safe(excerpt(&path).as_ref())))
    }

    fn value<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.table.and_then(|table| table.get(key)) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.flaw(key, wanted))
    }
}
