//! What a parsed JSON value no longer tells: how deep the text nests, and which names it repeats.
//! Parsers differ in which of two fields of one name they believe, so such a text is doubtful.

use std::borrow::Cow;

use miniserde::json;

/// More fields than this has no object of Ably's, nor a token. It bounds the search for repetition.
const NAMES_LIMIT: usize = 256;

/// The names that an object of the text repeats, each with its depth (1 is the outermost); `None`
/// if the text nests deeper than `depth_limit` or an object has too many fields. What is not JSON
/// is left for the parser to refuse.
pub fn repeated_names(text: &str, depth_limit: usize) -> Option<Vec<(usize, String)>> {
    let mut repeated = Vec::new();
    // The names of all open objects, and where those of each begin.
    let (mut names, mut levels) = (Vec::<Cow<'_, str>>::new(), Vec::<usize>::new());
    let mut rest = text;
    while let Some(at) =
        rest.bytes().position(|byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}'))
    {
        let (bracket, after) = (rest.as_bytes().get(at), rest.get(at + 1..)?);
        rest = after;
        match bracket {
            Some(b'"') => {
                let Some((string, after)) = string(rest) else {
                    break;
                };
                rest = after;
                let (Some(first), Some(name)) = (levels.last(), name(string, rest)) else {
                    continue;
                };
                let own = names.get(*first..).unwrap_or_default();
                if own.len() == NAMES_LIMIT {
                    return None;
                }
                if own.contains(&name) {
                    repeated.push((levels.len(), name.into_owned()));
                } else {
                    names.push(name);
                }
            }
            Some(b'[' | b'{') if levels.len() == depth_limit => return None,
            Some(b'[' | b'{') => levels.push(names.len()),
            _ => names.truncate(levels.pop().unwrap_or(0)),
        }
    }
    Some(repeated)
}

/// Parts a text that begins within a string at the quotation mark that ends it.
fn string(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let end = from + text.get(from..)?.find('"')?;
        let string = text.get(..end)?;
        // An odd number of backslashes before it makes it one of the string's own.
        let backslashes = string.len() - string.trim_end_matches('\\').len();
        if backslashes % 2 == 0 {
            return Some((string, text.get(end + 1..)?));
        }
        from = end + 1;
    }
}

/// A string's text, if the colon that makes it a name follows.
fn name<'a>(string: &'a str, after: &str) -> Option<Cow<'a, str>> {
    match after.trim_start().starts_with(':') {
        false => None,
        true if string.contains('\\') => {
            json::from_str::<String>(&format!("\"{string}\"")).ok().map(Cow::Owned)
        }
        true => Some(Cow::Borrowed(string)),
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

    #[test]
    fn an_object_without_end_costs_no_more_than_a_real_one() {
        let fields: String = (0..100_000).map(|n| format!("\"{n}\":1,")).collect();
        assert!(repeated_names(&format!("{{{fields}"), 16).is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"([\[\]{}":,\\a ]|\\u006|\PC){0,60}"#) {
            let _ = repeated_names(&text, 4);
        }
    }
}
