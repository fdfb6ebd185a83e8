//! Look-ups in a JSON value, by path.

use miniserde::json::{self, Number, Value};

/// Parses JSON text; panics with the text where it is none.
pub fn parse(text: &str) -> Value {
    json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

/// The value at a path such as `revocation.response.results.0.target`, or null where there is
/// none. A key that contains a dot cannot be named.
pub fn get<'a>(value: &'a Value, path: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    let mut here = value;
    for step in path.split('.') {
        let next = match here {
            Value::Object(object) => object.get(step),
            Value::Array(array) => step.parse().ok().and_then(|at: usize| array.get(at)),
            _ => None,
        };
        match next {
            Some(next) => here = next,
            None => return &NOTHING,
        }
    }
    here
}

/// Whether anything, null too, stands at this path.
pub fn has(value: &Value, path: &str) -> bool {
    let (parent, last) = match path.rsplit_once('.') {
        Some((parent, last)) => (get(value, parent), last),
        None => (value, path),
    };
    match parent {
        Value::Object(object) => object.contains_key(last),
        Value::Array(array) => last.parse().is_ok_and(|at: usize| at < array.len()),
        _ => false,
    }
}

/// The string at a path; panics where there is none.
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    match get(value, path) {
        Value::String(text) => text,
        _ => panic!("no string at {path} in {}", json::to_string(value)),
    }
}

/// The non-negative whole number at a path; panics where there is none.
pub fn number(value: &Value, path: &str) -> u64 {
    match get(value, path) {
        Value::Number(Number::U64(number)) => *number,
        _ => panic!("no whole number at {path} in {}", json::to_string(value)),
    }
}

/// The truth value at a path; panics where there is none.
pub fn flag(value: &Value, path: &str) -> bool {
    match get(value, path) {
        Value::Bool(flag) => *flag,
        _ => panic!("no truth value at {path} in {}", json::to_string(value)),
    }
}

/// The array at a path; panics where there is none.
pub fn list<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    match get(value, path) {
        Value::Array(array) => array.iter().collect(),
        _ => panic!("no array at {path} in {}", json::to_string(value)),
    }
}

pub fn quote(text: &str) -> String {
    json::to_string(text)
}
