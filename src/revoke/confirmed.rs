//! The answer that most are: a batch result, as Ably writes it, that confirms every target. It is
//! read as it stands, which takes a twentieth of what a tree of values does. An answer with anything
//! else in it, white space included, is for `judge.rs` to read.

use crate::json::is_plain;
use crate::revoke::outcome::{Confirmation, Outcome};

/// The outcomes of an answer that confirms exactly these targets, in this order. Targets are
/// unique, so there is nothing more to look for in it.
pub(super) fn all_confirmed(text: &str, targets: &[&str]) -> Option<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(targets.len());
    let mut rest = Rest(text.as_bytes());
    let names = ["results\":", "successCount\":", "failureCount\":"];
    let seen = rest.object(names, |rest, field| {
        if field > 0 {
            return rest.number().map(|_| ());
        }
        rest.sign(b'[')?;
        for (n, target) in targets.iter().enumerate() {
            if n > 0 {
                rest.sign(b',')?;
            }
            outcomes.push(Outcome::Revoked(rest.confirmation(target)?));
        }
        rest.sign(b']')
    })?;
    (seen.first() == Some(&true) && rest.0.is_empty()).then_some(outcomes)
}

/// What is still to be read. Each method takes what it names off the front.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn sign(&mut self, sign: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == sign).then(|| self.0 = rest)
    }

    fn text(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text.as_bytes())?;
        Some(())
    }

    /// A number that is no less than 0, whole, and has no more digits than always fit.
    fn number(&mut self) -> Option<i64> {
        let (mut rest, mut number) = (self.0, 0_i64);
        while let [digit @ b'0'..=b'9', after @ ..] = rest {
            number = number.wrapping_mul(10).wrapping_add((digit - b'0').into());
            rest = after;
        }
        let length = self.0.len() - rest.len();
        let leading = length > 1 && self.0.starts_with(b"0");
        self.0 = rest;
        ((1..19).contains(&length) && !leading).then_some(number)
    }

    /// A result without an error for this very target.
    fn confirmation(&mut self, target: &str) -> Option<Confirmation> {
        let (mut issued_before, mut applies_at) = (None, None);
        let names = ["target\":", "issuedBefore\":", "appliesAt\":"];
        self.object(names, |rest, field| {
            match field {
                0 if !is_plain(target) => return None,
                0 => {
                    rest.sign(b'"')?;
                    rest.text(target)?;
                    rest.sign(b'"')?;
                }
                1 => issued_before = Some(rest.number()?),
                _ => applies_at = Some(rest.number()?),
            }
            Some(())
        })?
        .first()
        .filter(|has_target| **has_target)?;
        Some(Confirmation { issued_before: issued_before?, applies_at: applies_at? })
    }

    /// An object of no fields but these, each once at most; `value` takes the value of one. Says
    /// which were there. A name has its second quote and the colon with it.
    fn object<const N: usize>(
        &mut self,
        names: [&str; N],
        mut value: impl FnMut(&mut Self, usize) -> Option<()>,
    ) -> Option<[bool; N]> {
        let mut seen = [false; N];
        self.sign(b'{')?;
        loop {
            self.sign(b'"')?;
            let field = names.iter().position(|name| self.text(name).is_some())?;
            if std::mem::replace(seen.get_mut(field)?, true) {
                return None;
            }
            value(self, field)?;
            if self.sign(b',').is_none() {
                return self.sign(b'}').map(|()| seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_confirms_every_target_is_read() {
        let times = |outcomes: Vec<Outcome>| match outcomes.as_slice() {
            [Outcome::Revoked(a), Outcome::Revoked(b)] => {
                [a.issued_before, a.applies_at, b.issued_before, b.applies_at]
            }
            other => panic!("{other:?}"),
        };
        let (a, b) = (
            r#"{"target":"clientId:a","issuedBefore":1,"appliesAt":2}"#,
            r#"{"appliesAt":4,"issuedBefore":3,"target":"clientId:b"}"#,
        );
        let read = |text: &str| all_confirmed(text, &["clientId:a", "clientId:b"]).map(times);
        for text in [
            format!(r#"{{"successCount":2,"failureCount":0,"results":[{a},{b}]}}"#),
            format!(r#"{{"results":[{a},{b}]}}"#),
        ] {
            assert_eq!(read(&text), Some([1, 2, 3, 4]), "{text}");
        }
        for text in [
            String::new(),
            format!(r#"{{"results":[{a},{b}]"#),
            format!(r#"{{"results":[{a},{b}]}}}}"#),
            format!(r#"{{"results":[{b},{a}]}}"#),
            format!(r#"{{"results":[{a}]}}"#),
            format!(r#"{{"results":[{a},{b},{a}]}}"#),
            format!(r#"{{"results":[{a},{b}],"results":[{a},{b}]}}"#),
            format!(r#"{{"successCount":2,"successCount":2,"results":[{a},{b}]}}"#),
            r#"{"successCount":2,"failureCount":0}"#.to_owned(),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace("}", r#","error":null}"#)),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace("4", "04")),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace("4", "4.0")),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace("4", "-4")),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace("4", "99999999999999999999")),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace(r#""appliesAt":4,"#, "")),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace(r#","target":"clientId:b""#, "")),
            format!(r#"{{"results":[{a},{}]}}"#, b.replace("appliesAt", "target")),
        ] {
            assert_eq!(read(&text), None, "{text}");
        }
        let quoted = r#"{"results":[{"target":"clientId:"","issuedBefore":1,"appliesAt":2}]}"#;
        assert!(all_confirmed(quoted, &["clientId:\""]).is_none());
    }
}
