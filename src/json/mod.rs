//! JSON as it is written: a small tree that keeps the order of its fields, compact or indented by two,
//! with everything escaped that could move a terminal's cursor. JSON that is read is a `Document`.

pub mod document;

use std::borrow::Cow;

use crate::text::is_hostile;

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<Field>),
}

type Field = (Cow<'static, str>, Json);

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
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<Field>);

impl Fields {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    pub fn maybe(self, name: &'static str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// These with others behind them.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub fn done(self) -> Json {
        Json::Object(self.0)
    }

    /// The object as text, with these fields before its own.
    pub fn write_behind(&self, first: &Self, layout: Layout) -> String {
        let mut writer = Writer::new(layout);
        writer.object(&mut first.0.iter().chain(&self.0), 0);
        writer.out
    }
}

impl Json {
    /// The value as text, without a line end.
    pub fn write(&self, layout: Layout) -> String {
        let mut writer = Writer::new(layout);
        writer.value(self, 0);
        writer.out
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Indented by two instead of on one line.
    pub pretty: bool,
    /// ANSI colours for names and values.
    pub colour: bool,
}

impl Layout {
    /// What is sent to Ably and what `--json` prints.
    pub const COMPACT: Self = Self { pretty: false, colour: false };
}

const NAME: &str = "\x1b[34m";
const TEXT: &str = "\x1b[32m";
const OTHER: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

struct Writer {
    out: String,
    layout: Layout,
}

impl Writer {
    fn new(layout: Layout) -> Self {
        // Enough for most requests; a growing text would be moved again and again.
        Self { out: String::with_capacity(4096), layout }
    }

    fn value(&mut self, value: &Json, depth: usize) {
        match value {
            Json::Bool(value) => self.painted(OTHER, &|out| out.push_str(&value.to_string())),
            Json::Number(value) => self.painted(OTHER, &|out| out.push_str(&value.to_string())),
            Json::Text(value) => self.painted(TEXT, &|out| quote(out, value)),
            Json::List(items) => {
                self.nested(['[', ']'], &mut items.iter().map(|item| (None, item)), depth);
            }
            Json::Object(fields) => self.object(&mut fields.iter(), depth),
        }
    }

    fn object(&mut self, fields: &mut dyn Iterator<Item = &Field>, depth: usize) {
        let mut named = fields.map(|(name, value)| (Some(&**name), value));
        self.nested(['{', '}'], &mut named, depth);
    }

    fn nested(
        &mut self,
        [open, close]: [char; 2],
        values: &mut dyn Iterator<Item = (Option<&str>, &Json)>,
        depth: usize,
    ) {
        self.out.push(open);
        let mut is_empty = true;
        for (name, value) in values {
            if !is_empty {
                self.out.push(',');
            }
            is_empty = false;
            self.line(depth + 1);
            if let Some(name) = name {
                self.painted(NAME, &|out| quote(out, name));
                self.out.push_str(if self.layout.pretty { ": " } else { ":" });
            }
            self.value(value, depth + 1);
        }
        if !is_empty {
            self.line(depth);
        }
        self.out.push(close);
    }

    fn line(&mut self, depth: usize) {
        if self.layout.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn painted(&mut self, colour: &str, write: &dyn Fn(&mut String)) {
        if self.layout.colour {
            self.out.push_str(colour);
        }
        write(&mut self.out);
        if self.layout.colour {
            self.out.push_str(PLAIN);
        }
    }
}

/// Appends a JSON string. Characters that a terminal must not see raw are written as `\u`
/// escapes, which loses nothing: a reader gets the same string back.
pub fn quote(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
        out.push_str(text);
    } else {
        text.chars().for_each(|c| escape(out, c));
    }
    out.push('"');
}

fn escape(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_hostile(c) => c
            .encode_utf16(&mut [0; 2])
            .iter()
            .for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        c => out.push(c),
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
        let read = document::Document::read(&written).unwrap();
        assert_eq!(read.root().as_text(), Some(hostile));
    }
}
