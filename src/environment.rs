//! Environment variables as this program reads them: set but empty counts as unset, and what is
//! not UTF-8 is an error that names the variable.

use std::ffi::OsString;

use crate::error::Problem;

/// Where variables come from: the process, or a test's list.
#[derive(Debug, Clone, Copy)]
pub struct Environment(pub fn(&str) -> Option<OsString>);

impl Environment {
    pub fn process() -> Self {
        Self(|name| std::env::var_os(name))
    }

    /// A variable's value as it is, unless unset or empty.
    pub(crate) fn raw(self, name: &str) -> Option<OsString> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The same as text, which is UTF-8 or an error.
    pub(crate) fn text(self, name: &str) -> Result<Option<String>, Problem> {
        match self.raw(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(Problem::new(format!("{name} is not UTF-8"), "")),
        }
    }

    /// Those of some variables that are set, but to nothing.
    pub(crate) fn empty_ones(self, names: &[&'static str]) -> Vec<&'static str> {
        let is_empty = |name: &&&str| (self.0)(name).is_some_and(|value| value.is_empty());
        names.iter().filter(is_empty).copied().collect()
    }
}
