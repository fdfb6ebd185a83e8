//! JSON as it is written: made as compact text at once, in the order of its fields, with everything
//! escaped that could move a terminal's cursor; what people are shown is indented afterwards. JSON
//! that is read is a `Document`.

pub mod document;

use crate::text::is_hostile;

/// A value, as compact text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self(value.to_string())
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self(value.to_string())
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        let mut text = String::with_capacity(value.len() + 2);
        quote(&mut text, value);
        Self(text)
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        value.as_str().into()
    }
}

impl From<Vec<Json>> for Json {
    fn from(values: Vec<Json>) -> Self {
        let texts: Vec<String> = values.into_iter().map(|value| value.0).collect();
        Self(["[", &texts.join(","), "]"].concat())
    }
}

/// An object's fields, each as compact text; what is `None` is left out.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<String>);

impl Fields {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.push([&*Json::from(name).0, &*value.into().0].join(":"));
        self
    }

    pub fn maybe(self, name: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// These with others behind them.
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend_from_slice(&others.0);
        self
    }

    pub fn done(self) -> Json {
        Json(["{", &self.0.join(","), "}"].concat())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As it is sent to Ably and as `--json` prints it.
    Compact,
    /// Indented by two.
    Pretty,
    /// Indented by two, with ANSI colours for names and values.
    Coloured,
}

const PLAIN: &str = "\x1b[0m";

impl Json {
    /// The value as text, without a line end.
    pub fn write(self, layout: Layout) -> String {
        if layout == Layout::Compact {
            return self.0;
        }
        let (mut out, mut depth, mut rest) = (String::new(), 0, self.0.as_str());
        let line = |out: &mut String, depth| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        while !rest.is_empty() {
            let token;
            (token, rest) = rest.split_at(token_length(rest));
            match token {
                "}" | "]" => {
                    depth -= 1;
                    if !out.ends_with(['{', '[']) {
                        line(&mut out, depth);
                    }
                    out.push_str(token);
                }
                "{" | "[" | "," => {
                    out.push_str(token);
                    depth += usize::from(token != ",");
                    if !rest.starts_with(['}', ']']) {
                        line(&mut out, depth);
                    }
                }
                ":" => out.push_str(": "),
                value if layout == Layout::Pretty => out.push_str(value),
                name if rest.starts_with(':') => out.extend(["\x1b[34m", name, PLAIN]),
                text if text.starts_with('"') => out.extend(["\x1b[32m", text, PLAIN]),
                other => out.extend(["\x1b[33m", other, PLAIN]),
            }
        }
        out
    }
}

/// How long the first sign, string or other value of a compact text is.
fn token_length(text: &str) -> usize {
    let mut escaped = false;
    match text.as_bytes() {
        [b'"', inner @ ..] => {
            let is_end = |byte: &u8| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            };
            inner.iter().position(is_end).map_or(text.len(), |at| at + 2)
        }
        [b'{' | b'[' | b'}' | b']' | b',' | b':', ..] => 1,
        _ => text.find([',', '}', ']']).unwrap_or(text.len()),
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
        '"' | '\\' => out.extend(['\\', c]),
        '\n' => out.push_str("\\n"),
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
        assert_eq!(value.write(Layout::Compact), r#"{"b":true,"a":1}"#);
    }

    #[test]
    fn pretty_is_indented_by_two() {
        let value = Fields::new()
            .with("a", vec![Json::from(1_i64)])
            .with("b", Vec::new())
            .with("c", "{\\\"")
            .done();
        let pretty = value.write(Layout::Pretty);
        assert_eq!(pretty, "{\n  \"a\": [\n    1\n  ],\n  \"b\": [],\n  \"c\": \"{\\\\\\\"\"\n}");
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
