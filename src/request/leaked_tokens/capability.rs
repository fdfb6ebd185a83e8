//! What leaked tokens could do: the union of their capabilities. A capability is JSON, from resource
//! to operations; an odd one is said to be unreadable, and is never an error.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use miniserde::json;

use super::Token;
use crate::json::{Fields, Json};
use crate::text::{count, excerpt};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Capability {
    operations: BTreeMap<String, BTreeSet<String>>,
    /// How many tokens have a capability that cannot be read.
    pub unreadable: usize,
    /// How many have none: they may do what their key may.
    pub unlimited: usize,
}

impl Capability {
    /// What tokens could do together.
    pub fn of<'a>(tokens: impl IntoIterator<Item = &'a Token>) -> Self {
        let mut all = Self::default();
        // Most tokens have one of a few.
        let mut is_readable = HashMap::new();
        for token in tokens {
            match &token.claims.capability {
                None => all.unlimited += 1,
                Some(text) => {
                    let readable = is_readable.entry(&**text);
                    all.unreadable += usize::from(!*readable.or_insert_with(|| all.add(text)));
                }
            }
        }
        all
    }

    /// Adds a capability. Whether it can be read.
    fn add(&mut self, text: &str) -> bool {
        let read = json::from_str::<BTreeMap<String, Vec<String>>>(text);
        for (resource, operations) in read.iter().flatten() {
            self.operations.entry(resource.clone()).or_default().extend(operations.iter().cloned());
        }
        read.is_ok()
    }

    /// For people: `publish, subscribe on chat:*; 3 more`. Not yet escaped for a terminal.
    pub fn shortened(&self) -> String {
        let mut parts = Vec::new();
        if let Some((resource, operations)) = self.operations.first_key_value() {
            let operations = operations.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            parts.push(format!("{} on {}", excerpt(&operations), excerpt(resource)));
        }
        if self.operations.len() > 1 {
            parts.push(format!("{} more", self.operations.len() - 1));
        }
        if self.unlimited > 0 {
            parts.push(format!("all that the key can in {}", count(self.unlimited, "token")));
        }
        if self.unreadable > 0 {
            parts.push(format!("unreadable in {}", count(self.unreadable, "token")));
        }
        if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
    }

    /// All of it, in the form that Ably gives it.
    pub fn json(&self) -> Json {
        let texts = |texts: &BTreeSet<String>| -> Vec<Json> {
            texts.iter().map(|text| text.as_str().into()).collect()
        };
        let mut fields = Fields::new();
        for (name, operations) in &self.operations {
            fields = fields.with(name, texts(operations));
        }
        fields.done()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Claims;
    use super::*;
    use crate::json::Layout;

    fn token(capability: Option<&str>) -> Token {
        let claims = Claims { capability: capability.map(Box::from), ..Claims::default() };
        let (line, fingerprint) = (1, 0);
        Token { line, fingerprint, key_name: "a.b".to_owned(), claims, raw: None, signature: 0 }
    }

    #[test]
    #[rustfmt::skip] // a table: one row a line
    fn what_tokens_could_do_is_shortened_for_people_and_whole_in_json() {
        let chat = Some(r#"{"chat:*":["subscribe","publish"]}"#);
        let news = Some(r#"{"news":["history"],"a":["*"],"chat:*":["publish"]}"#);
        for (capabilities, shortened, json) in [
            (vec![chat], "publish, subscribe on chat:*", r#"{"chat:*":["publish","subscribe"]}"#),
            (vec![news, chat, chat], "* on a; 2 more", r#"{"a":["*"],"chat:*":["publish","subscribe"],"news":["history"]}"#),
            (vec![Some(r#"{"*":["*"]}"#)], "* on *", r#"{"*":["*"]}"#),
            (vec![Some("{}")], "nothing", "{}"),
            (vec![None, None], "all that the key can in 2 tokens", "{}"),
            (vec![Some(""), Some("[]"), Some(r#"{"a":"b"}"#), Some(r#"{"a":[1]}"#), Some("{"), chat], "publish, subscribe on chat:*; unreadable in 5 tokens", r#"{"chat:*":["publish","subscribe"]}"#),
        ] {
            let tokens: Vec<Token> = capabilities.into_iter().map(token).collect();
            let capability = Capability::of(&tokens);
            assert_eq!(capability.shortened(), shortened);
            assert_eq!(capability.json().write(Layout::Compact), json);
        }
    }
}
