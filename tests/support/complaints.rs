//! What our own program must not send, though Ably would answer it: the stand-in answers as Ably
//! does and complains to the test. Other clients may speak as they like.

use std::collections::HashSet;

use miniserde::json::{self, Value};

use super::ably::Seen;
use super::faithful::is_of_known_kind;
use super::json::get;

const OURS: &str = "ably-revoke-token/";

/// Everything about a revocation request of ours that its format does not allow. A request that
/// does not say whose it is counts as ours.
pub(super) fn complaints(seen: &Seen) -> Vec<String> {
    let agent = seen.header("ably-agent");
    if !seen.revokes() || agent.is_some_and(|agent| !agent.contains(OURS)) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut header = |name: &str, fits: &dyn Fn(&str) -> bool| match seen.header(name) {
        Some(value) if fits(value) => {}
        Some(value) => problems.push(format!("header {name}: {value}")),
        None => problems.push(format!("no header {name}")),
    };
    header("content-type", &|value| value == "application/json");
    header("accept", &|value| value == "application/json");
    header("x-ably-version", &|value| value == "6");
    header("ably-agent", &|value| value.starts_with(OURS));
    header("user-agent", &|value| !value.is_empty());
    header("content-length", &|value| value.parse() == Ok(seen.body.len()));
    if seen.sni.as_deref().is_some_and(|sni| sni != seen.host_name()) {
        problems.push(format!("host {} over TLS for {:?}", seen.host(), seen.sni));
    }
    if seen.header("transfer-encoding").is_some() {
        problems.push("a transfer-encoding".to_owned());
    }
    match seen.value() {
        Some(body) => problems.extend(of_body(body)),
        None => {
            let text = String::from_utf8_lossy(&seen.body);
            problems.push(format!("a body that is not JSON: {text}"));
        }
    }
    problems
}

fn of_body(body: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let Value::Object(fields) = body else {
        return vec!["a body that is not a JSON object".to_owned()];
    };
    for (name, value) in fields.iter() {
        let fits = match name.as_str() {
            "targets" => true,
            "issuedBefore" => matches!(value, Value::Number(json::Number::U64(_))),
            "allowReauthMargin" => matches!(value, Value::Bool(true)),
            _ => false,
        };
        if !fits {
            problems.push(format!("a field {name}: {}", json::to_string(value)));
        }
    }
    let Value::Array(targets) = get(body, "targets") else {
        problems.push("no array of targets".to_owned());
        return problems;
    };
    if targets.is_empty() || targets.len() > 100 {
        problems.push(format!("{} targets", targets.len()));
    }
    let mut known = HashSet::new();
    for target in targets.iter() {
        let fits = match target {
            Value::String(text) if !known.insert(text) => false,
            Value::String(text) => {
                is_of_known_kind(text)
                    && text.split_once(':').is_some_and(|(_, value)| !value.is_empty())
            }
            _ => false,
        };
        if !fits {
            problems.push(format!("a target again or out of form: {}", json::to_string(target)));
        }
    }
    problems
}
