//! What a parsed JSON value no longer tells: how deep the text nests, and which names it repeats.
//! Parsers differ in which of two fields of one name they believe, so such a text is doubtful.

use std::borrow::Cow;
use std::collections::HashSet;

use miniserde::json;

/// The names that an object of the text repeats, each with its depth (1 is the outermost);
/// `None` if the text nests deeper than `depth_limit`. What is not JSON is left for the parser to
/// refuse.
pub fn repeated_names(text: &str, depth_limit: usize) -> Option<Vec<(usize, String)>> {
    let (mut repeated, mut start, mut escaped) = (Vec::new(), None, false);
    let mut levels: Vec<HashSet<Cow<'_, str>>> = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match (byte, start) {
            _ if escaped => escaped = false,
            (b'\\', Some(_)) => escaped = true,
            (b'"', None) => start = Some(at),
            (b'"', Some(opened)) => {
                start = None;
                let depth = levels.len();
                let names = levels.last_mut().zip(name(text, opened, at));
                if let Some((names, name)) = names
                    && !names.insert(name.clone())
                {
                    repeated.push((depth, name.into_owned()));
                }
            }
            (b'[' | b'{', None) if levels.len() == depth_limit => return None,
            (b'[' | b'{', None) => levels.push(HashSet::new()),
            (b']' | b'}', None) => drop(levels.pop()),
            _ => {}
        }
    }
    Some(repeated)
}

/// The string between two quotation marks, if a colon makes it a name.
fn name(text: &str, opened: usize, closed: usize) -> Option<Cow<'_, str>> {
    let followed_by_colon = text.get(closed + 1..)?.trim_start().starts_with(':');
    let (quoted, bare) = (text.get(opened..=closed)?, text.get(opened + 1..closed)?);
    match followed_by_colon {
        false => None,
        true if bare.contains('\\') => json::from_str::<String>(quoted).ok().map(Cow::Owned),
        true => Some(Cow::Borrowed(bare)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_repeated_only_within_one_object() {
        let repeated = |text| repeated_names(text, 8).unwrap();
        assert_eq!(repeated(r#"{"a":{"a":1},"b":[{"a":"a"},{"a":2}]}"#), []);
        assert_eq!(
            repeated(r#"{"a":1,"b":{"c":1,"\u0063" :2},"a":"a:"}"#),
            [(2, "c".to_owned()), (1, "a".to_owned())]
        );
        assert_eq!(repeated(r#"["a","a"]"#), []);
        assert_eq!(repeated(r#"{"x":"a\":","x\"":1}"#), []);
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        assert!(repeated_names(r#"[["[[[["]]"#, 2).is_some());
        assert!(repeated_names("[[[]]]", 2).is_none());
        assert!(repeated_names(&"[".repeat(200_000), 16).is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"([\[\]{}":,\\a ]|\\u006|\PC){0,60}"#) {
            let _ = repeated_names(&text, 4);
        }
    }
}
