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

/// What was found at a path; panics where that is not what it should be.
fn found<T>(found: Option<T>, value: &Value, path: &str) -> T {
    found.unwrap_or_else(|| panic!("not so at {path} in {}", json::to_string(value)))
}

pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    let text = if let Value::String(text) = get(value, path) { Some(text.as_str()) } else { None };
    found(text, value, path)
}

/// A non-negative whole number.
pub fn number(value: &Value, path: &str) -> u64 {
    match get(value, path) {
        Value::Number(Number::U64(number)) => *number,
        _ => found(None, value, path),
    }
}

pub fn flag(value: &Value, path: &str) -> bool {
    let flag = if let Value::Bool(flag) = get(value, path) { Some(*flag) } else { None };
    found(flag, value, path)
}

pub fn list<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let list = if let Value::Array(list) = get(value, path) { Some(list) } else { None };
    found(list, value, path).iter().collect()
}

pub fn quote(text: &str) -> String {
    json::to_string(text)
}
