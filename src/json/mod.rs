//! The JSON that is written: a small value tree that keeps the order of its fields and leaves out
//! what is absent, compact or indented by two. Reading is miniserde's job; of what it
//! read, single fields are taken here.

pub mod scan;

use miniserde::json::{Number, Object, Value};

use crate::text::is_hostile;

/// A JSON value to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `true` or `false`.
    Bool(bool),
    /// An integer: counts, codes, milliseconds.
    Number(i64),
    /// A string, escaped on writing.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, its fields in the order given.
    Object(Vec<(&'static str, Json)>),
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<Json>> for Json {
    fn from(value: Vec<Json>) -> Self {
        Self::List(value)
    }
}

/// Collects an object's fields; what is `None` is left out.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, Json)>);

impl Fields {
    /// No field yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a field where there is a value.
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The object.
    pub fn done(self) -> Json {
        Json::Object(self.0)
    }

    /// The object as text, with these fields before its own.
    pub fn write_behind(&self, first: &Self, layout: Layout) -> String {
        let mut out = String::with_capacity(ROOM);
        object(&mut out, first.0.iter().chain(&self.0), layout, 0);
        out
    }
}

/// Enough for most requests; a growing text would be moved again and again.
const ROOM: usize = 4096;

/// How a value is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Indented by two instead of on one line.
    pub pretty: bool,
    /// ANSI colours for names and values.
    pub colour: bool,
}

impl Layout {
    /// One line, no colour: what is sent to Ably and what `--json` prints.
    pub const COMPACT: Self = Self { pretty: false, colour: false };
}

const NAME: &str = "\x1b[34m";
const TEXT: &str = "\x1b[32m";
const OTHER: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

impl Json {
    /// The value as text, without a line end.
    pub fn write(&self, layout: Layout) -> String {
        let mut out = String::with_capacity(ROOM);
        self.append(&mut out, layout, 0);
        out
    }

    fn append(&self, out: &mut String, layout: Layout, depth: usize) {
        match self {
            Self::Bool(value) => paint(out, layout, OTHER, |out| {
                out.push_str(if *value { "true" } else { "false" });
            }),
            Self::Number(value) => {
                paint(out, layout, OTHER, |out| out.push_str(&value.to_string()))
            }
            Self::Text(value) => paint(out, layout, TEXT, |out| quote(out, value)),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    separate(out, layout, depth + 1, i > 0);
                    item.append(out, layout, depth + 1);
                }
                close(out, layout, depth, items.is_empty(), ']');
            }
            Self::Object(fields) => object(out, fields.iter(), layout, depth),
        }
    }
}

fn object<'a>(
    out: &mut String,
    fields: impl Iterator<Item = &'a (&'static str, Json)>,
    layout: Layout,
    depth: usize,
) {
    out.push('{');
    let mut is_empty = true;
    for (name, value) in fields {
        separate(out, layout, depth + 1, !is_empty);
        paint(out, layout, NAME, |out| quote(out, name));
        out.push_str(if layout.pretty { ": " } else { ":" });
        value.append(out, layout, depth + 1);
        is_empty = false;
    }
    close(out, layout, depth, is_empty, '}');
}

fn paint(out: &mut String, layout: Layout, colour: &str, write: impl FnOnce(&mut String)) {
    if layout.colour {
        out.push_str(colour);
    }
    write(out);
    if layout.colour {
        out.push_str(PLAIN);
    }
}

fn separate(out: &mut String, layout: Layout, depth: usize, comma: bool) {
    if comma {
        out.push(',');
    }
    indent(out, layout, depth);
}

fn close(out: &mut String, layout: Layout, depth: usize, empty: bool, bracket: char) {
    if !empty {
        indent(out, layout, depth);
    }
    out.push(bracket);
}

fn indent(out: &mut String, layout: Layout, depth: usize) {
    if layout.pretty {
        out.push('\n');
        for _ in 0..depth {
            out.push_str("  ");
        }
    }
}

/// Whether a text needs no escape in JSON: most are, and are copied as a whole.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'))
}

/// Appends a JSON string. Characters that a terminal must not see raw are written as `\u`
/// escapes, which loses nothing: a reader gets the same string back.
pub fn quote(out: &mut String, text: &str) {
    out.push('"');
    if is_plain(text) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut rest = text;
    while let Some((at, c)) =
        rest.char_indices().find(|(_, c)| *c == '"' || *c == '\\' || is_hostile(*c))
    {
        let (clean, tail) = rest.split_at(at);
        out.push_str(clean);
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        rest = tail.strip_prefix(c).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

/// A string field of an object.
pub fn string<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    match object.get(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// An integer field of a value that is an object.
pub fn integer(value: &Value, name: &str) -> Option<i64> {
    match value {
        Value::Object(object) => object.get(name).and_then(millis),
        _ => None,
    }
}

/// A number as an integer; `1636022994797.0` is one too. Beyond 2^53 there is no time to mean.
pub fn millis(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(Number::U64(n)) => i64::try_from(*n).ok(),
        Value::Number(Number::I64(n)) => Some(*n),
        #[expect(clippy::cast_possible_truncation, reason = "within the range where f64 is exact")]
        Value::Number(Number::F64(n)) if n.abs() <= EXACT => Some(*n as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_fields_are_left_out_and_order_is_kept() {
        let value = Fields::new().with("b", true).maybe("c", None::<i64>).with("a", 1_i64).done();
        assert_eq!(value.write(Layout::COMPACT), r#"{"b":true,"a":1}"#);
    }

    #[test]
    fn pretty_is_indented_by_two() {
        let value = Fields::new().with("a", vec![Json::from(1_i64)]).with("b", Vec::new()).done();
        let pretty = value.write(Layout { pretty: true, colour: false });
        assert_eq!(pretty, "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}");
    }

    #[test]
    fn a_string_comes_back_as_it_was() {
        let hostile = "q\"b\\n\n\u{1b}\u{202e}\u{e0041}é";
        let mut written = String::new();
        quote(&mut written, hostile);
        assert!(written.chars().all(|c| !is_hostile(c)));
        let read: String = miniserde::json::from_str(&written).unwrap();
        assert_eq!(read, hostile);
    }
}
