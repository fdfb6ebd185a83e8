//! JSON as it is read: miniserde's parser, which does not recurse, with a builder of our own in place
//! of its `Value`. `Value` hides repeated fields, and parsers differ in which of two they believe; and
//! its maps, with a string for each name, took three times as long as the parsing. Here all values are
//! in one list, and all texts in one string.
//!
//! `null` counts as absent. A text nested deeper than anything of Ably's counts as no JSON.

use std::iter;

use miniserde::de::{Deserialize, Map, Seq, Visitor};
use miniserde::{Error, Result, json};

/// A batch result has five levels, a token's capability three.
const DEPTH_LIMIT: usize = 32;
/// More than Ably's objects and tokens have. It bounds the search for repeated fields.
const FIELDS_LIMIT: usize = 256;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    nodes: Vec<Node>,
    /// All strings and names, one after the other.
    texts: String,
    /// Whether an object in it has two fields of one name.
    pub repeats: bool,
    /// Of the lists and objects that are open while it is read.
    depth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    Null,
    Bool(bool),
    Number(f64),
    /// A string, by its start and end in `texts`. A field is a name and, next to it, its value.
    Text(usize, usize),
    /// Up to this node.
    List(usize),
    Object(usize),
}

impl Document {
    /// `None` if the text is no JSON. Repeated fields are kept.
    pub fn read(text: &str) -> Option<Self> {
        json::from_str(text).ok()
    }

    pub fn root(&self) -> Value<'_> {
        Value { document: self, at: 0 }
    }

    /// The node after a value and all that is in it.
    #[expect(clippy::indexing_slicing, reason = "whoever asks has seen that the node is there")]
    #[inline(always)]
    fn after(&self, at: usize) -> usize {
        match self.nodes[at] {
            Node::List(end) | Node::Object(end) => end,
            _ => at + 1,
        }
    }

    /// The value of the first field of this name among the fields from `at` to `end`.
    fn find(&self, mut at: usize, end: usize, name: &str) -> Option<usize> {
        while at < end {
            if let Some(Node::Text(start, end)) = self.nodes.get(at)
                && end - start == name.len()
                && self.texts.as_bytes().get(*start..*end) == Some(name.as_bytes())
            {
                return Some(at + 1);
            }
            at = self.after(at + 1);
        }
        None
    }

    fn push(&mut self, node: Node) -> Result<()> {
        self.nodes.push(node);
        Ok(())
    }

    fn open(&mut self) -> Result<Box<Open<'_>>> {
        let start = self.nodes.len();
        self.nodes.push(Node::Null);
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            Err(Error)
        } else {
            Ok(Box::new(Open { document: self, start, fields: 0 }))
        }
    }
}

impl Deserialize for Document {
    fn begin(out: &mut Option<Self>) -> &mut dyn Visitor {
        out.insert(Default::default())
    }
}

impl Visitor for Document {
    fn null(&mut self) -> Result<()> {
        self.push(Node::Null)
    }

    fn boolean(&mut self, value: bool) -> Result<()> {
        self.push(Node::Bool(value))
    }

    fn string(&mut self, text: &str) -> Result<()> {
        let start = self.texts.len();
        self.texts.push_str(text);
        self.push(Node::Text(start, self.texts.len()))
    }

    fn negative(&mut self, number: i64) -> Result<()> {
        self.push(Node::Number(number as f64))
    }

    fn nonnegative(&mut self, number: u64) -> Result<()> {
        self.push(Node::Number(number as f64))
    }

    fn float(&mut self, number: f64) -> Result<()> {
        self.push(Node::Number(number))
    }

    fn seq(&mut self) -> Result<Box<dyn Seq + '_>> {
        Ok(self.open()?)
    }

    fn map(&mut self) -> Result<Box<dyn Map + '_>> {
        Ok(self.open()?)
    }
}

/// A list or an object that is being read.
struct Open<'a> {
    document: &'a mut Document,
    start: usize,
    fields: usize,
}

impl Open<'_> {
    fn close(&mut self, node: fn(usize) -> Node) -> Result<()> {
        let Document { nodes, depth, .. } = &mut *self.document;
        *depth -= 1;
        let end = nodes.len();
        *nodes.get_mut(self.start).ok_or(Error)? = node(end);
        Ok(())
    }
}

impl Seq for Open<'_> {
    fn element(&mut self) -> Result<&mut dyn Visitor> {
        Ok(self.document)
    }

    fn finish(&mut self) -> Result<()> {
        self.close(Node::List)
    }
}

impl Map for Open<'_> {
    fn key(&mut self, name: &str) -> Result<&mut dyn Visitor> {
        self.fields += 1;
        if self.fields > FIELDS_LIMIT {
            return Err(Error);
        }
        let document = &mut *self.document;
        document.repeats |= document.find(self.start + 1, document.nodes.len(), name).is_some();
        document.string(name)?;
        Ok(document)
    }

    fn finish(&mut self) -> Result<()> {
        self.close(Node::Object)
    }
}

/// A value of a document.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    document: &'a Document,
    at: usize,
}

impl<'a> Value<'a> {
    #[expect(clippy::indexing_slicing, reason = "a document has a root, and its ends are its own")]
    #[inline(always)]
    fn node(self) -> Node {
        self.document.nodes[self.at]
    }

    /// The items of a list; the names and values of an object, in turn.
    fn inner(self) -> impl Iterator<Item = Self> {
        let end = self.document.after(self.at);
        let mut at = self.at + 1;
        iter::from_fn(move || {
            let value = (at < end).then_some(Self { at, ..self })?;
            at = self.document.after(at);
            Some(value)
        })
    }

    pub fn items(self) -> Option<impl Iterator<Item = Self>> {
        matches!(self.node(), Node::List(_)).then(|| self.inner())
    }

    pub fn fields(self) -> Option<impl Iterator<Item = (&'a str, Self)>> {
        let mut inner = self.inner();
        let next = move || Some((inner.next()?.as_text()?, inner.next()?));
        matches!(self.node(), Node::Object(_)).then(|| iter::from_fn(next))
    }

    /// A field of an object, the first of its name.
    pub fn get(self, name: &str) -> Option<Self> {
        let Node::Object(end) = self.node() else { return None };
        let at = self.document.find(self.at + 1, end, name)?;
        let value = Self { at, ..self };
        (value.node() != Node::Null).then_some(value)
    }

    pub fn as_text(self) -> Option<&'a str> {
        let Node::Text(start, end) = self.node() else { return None };
        self.document.texts.get(start..end)
    }

    /// A number, rounded down, that is not too far away for an `i64`.
    pub fn as_integer(self) -> Option<i64> {
        let Node::Number(number) = self.node() else { return None };
        (number.abs() <= i64::MAX as f64).then_some(number.floor() as i64)
    }

    /// A number beyond the integers is the nearest one.
    pub fn as_nearest_integer(self) -> Option<i64> {
        if let Node::Number(number) = self.node() { Some(number.floor() as i64) } else { None }
    }

    pub fn is_true(self) -> bool {
        self.node() == Node::Bool(true)
    }

    pub fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_text()
    }

    pub fn integer(self, name: &str) -> Option<i64> {
        self.get(name)?.as_integer()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(value: Value<'_>) -> String {
        let list = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(",");
        if let Some(mut fields) =
            value.fields().map(|it| it.map(|(name, it)| format!("{name}:{}", shown(it))))
        {
            return format!("{{{}}}", list(&mut fields));
        }
        match value.items() {
            Some(items) => format!("[{}]", list(&mut items.map(shown))),
            None => match value.node() {
                Node::Text(..) => format!("{:?}", value.as_text().unwrap()),
                node => format!("{node:?}"),
            },
        }
    }

    #[test]
    fn a_text_is_read_value_by_value() {
        for (text, expected) in [
            (r#"{"b":{"a":[1]}, "a":"x","a":""}"#, r#"{b:{a:[Number(1.0)]},a:"x",a:""}"#),
            (r#"[true,-1,[],{}, "\u00e9\n"]"#, r#"[Bool(true),Number(-1.0),[],{},"é\n"]"#),
            (
                "[1795428000000.0, 1.9, 1e300]",
                "[Number(1795428000000.0),Number(1.9),Number(1e300)]",
            ),
            ("[18446744073709551615]", "[Number(1.8446744073709552e19)]"),
            (" null\n", "Null"),
        ] {
            assert_eq!(shown(Document::read(text).unwrap().root()), expected, "{text}");
        }
        for bad in ["", "{", "[1]]", "01", "{'a':1}", "nul", "\u{feff}1", r#""a"#, r#"{"a"}"#] {
            assert_eq!(Document::read(bad), None, "{bad}");
        }
        let document = Document::read(r#"{"t":"x","n":null,"i":-1e300,"i":2,"l":[3]}"#).unwrap();
        let root = document.root();
        assert_eq!((root.text("t"), root.integer("i")), (Some("x"), None));
        assert_eq!(root.get("i").unwrap().as_nearest_integer(), Some(i64::MIN));
        assert!(root.get("n").is_none() && root.get("3").is_none() && root.text("l").is_none());
    }

    #[test]
    fn a_name_is_repeated_only_within_one_object() {
        for (text, repeats) in [
            (r#"{"a":{"a":1},"b":[{"a":"a"},{"a":2}]}"#, false),
            (r#"{"a":1,"b":{"c":1,"\u0063" :2}}"#, true),
            (r#"[["a","a"],{"a":null,"a":1}]"#, true),
            (r#"{"x":"a\":","x\"":1}"#, false),
        ] {
            assert_eq!(Document::read(text).unwrap().repeats, repeats, "{text}");
        }
    }

    #[test]
    fn what_is_larger_than_anything_of_ablys_is_no_json() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let fields = |n: usize| (0..n).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(",");
        assert!(Document::read(&nested(DEPTH_LIMIT)).is_some());
        assert!(Document::read(&format!("[{}]", vec!["[[]]"; 99].join(","))).is_some());
        assert!(Document::read(&format!("{{{}}}", fields(FIELDS_LIMIT))).is_some());
        let wide = format!("[{{\"a\":{{{}}}}}]", fields(FIELDS_LIMIT + 1));
        for text in
            [&nested(DEPTH_LIMIT + 1), &"[".repeat(200_000), &r#"{"a":"#.repeat(200_000), &wide]
        {
            assert_eq!(Document::read(text), None);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"([\[\]{}":,\\a ]|\\u006|\PC){0,60}"#) {
            if let Some(document) = Document::read(&text) {
                let _ = (document.repeats, shown(document.root()));
            }
        }
    }
}
