//! The file of `--targets-file`: one target specifier a line.

use std::collections::TryReserveError;

use crate::error::{Problem, TOKEN_REMEDY};
use crate::file::STDIN_NAME;
use crate::request::target::{Fault, Kind, is_foreign};
use crate::request::targets::{Targets, no_memory, too_large};
use crate::secret::shape::holds_token;
use crate::text::{Safe, TOLD, count, shell_word};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BARE: &str = ", without header and quotes";
const LINE_REMEDY: &str = "write one target a line: clientId:ID, revocationKey:KEY or channel:NAME";

/// Takes the bytes of a targets file. `name` is the file as the operator knows it.
pub(super) fn read(name: &str, bytes: Vec<u8>) -> Result<Targets, Problem> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(too_large(name));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Problem::new(
            format!("{} is UTF-16, not UTF-8", Safe(name)),
            "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)",
        ));
    }
    let mut bad = BadLines::default();
    let spans = lines(&bytes, &mut bad).map_err(|_| no_memory(name))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) if bad.count == 0 => text,
        _ => return Err(bad.problem(name, spans.is_empty())),
    };
    if spans.is_empty() {
        return Err(Problem::new(format!("{} holds no target", Safe(name)), LINE_REMEDY));
    }
    Targets::once_each(text, spans, true).map_err(|_| no_memory(name))
}

/// Where the targets stand, each in a line of its own.
fn lines(bytes: &[u8], bad: &mut BadLines) -> Result<Vec<(u32, u32)>, TryReserveError> {
    let mut spans = Vec::new();
    let mut start = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let text = bytes.get(start..).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let next = start + line.len() + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match judge(line) {
            Ok(true) => {
                spans.try_reserve(1)?;
                // The caller has seen to it that the file's size fits.
                let position = |at| u32::try_from(at).unwrap_or(u32::MAX);
                spans.push((position(start), position(start + line.len())));
            }
            Ok(false) => bad.skipped = true,
            Err(fault) => bad.add(number, &fault),
        }
        start = next;
    }
    Ok(spans)
}

/// Whether a line holds a target; `false` for blank lines and comments.
fn judge(line: &[u8]) -> Result<bool, Fault<'_>> {
    let line = str::from_utf8(line).map_err(|_| Fault::NotUtf8)?;
    if line.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Ok(false);
    }
    // A comment, too: what follows a lone carriage return would be a part of it.
    if let Some(c) = line.chars().find(|c| is_foreign(*c)) {
        return Err(Fault::Foreign(c));
    }
    if line.starts_with('#') {
        return Ok(false);
    }
    if let Some((kind, value)) = Kind::split(line) {
        return kind.check(value).map(|()| true);
    }
    let kind = line.split_once(':').map_or("", |(kind, _)| kind);
    if holds_token(line) || holds_token(kind) {
        return Err(Fault::Token);
    }
    Err(match line.split_once(':') {
        Some((kind, _)) => Fault::Type(kind),
        None => Fault::NoColon,
    })
}

/// The bad lines of a file: how many, and what is wrong with the first ones.
#[derive(Default)]
struct BadLines {
    count: usize,
    /// How many of them lack a type.
    untyped: usize,
    /// Whether blank lines or comments are among the lines.
    skipped: bool,
    /// What is wrong, and in which lines.
    told: Vec<(String, Vec<String>)>,
    has_token: bool,
}

impl BadLines {
    fn add(&mut self, number: usize, fault: &Fault<'_>) {
        self.count += 1;
        self.untyped += usize::from(matches!(fault, Fault::NoColon));
        self.has_token |= matches!(fault, Fault::Token);
        if self.count > TOLD {
            return;
        }
        let (line, fault) = (format!("line {number}"), fault.to_string());
        match self.told.iter_mut().find(|(known, _)| *known == fault) {
            Some((_, lines)) => lines.push(line),
            None => self.told.push((fault, vec![line])),
        }
    }

    /// `alone`: there is no good line.
    fn problem(self, name: &str, alone: bool) -> Problem {
        let Self { count: bad, untyped, skipped, told, has_token } = self;
        let remedy = match has_token {
            true => TOKEN_REMEDY.to_owned(),
            false if alone && untyped == bad => add_type(name, skipped),
            false => LINE_REMEDY.to_owned(),
        };
        let name = Safe(name);
        let told = told.iter().map(|(fault, lines)| format!("{}: {fault}", lines.join(", ")));
        let told = told.collect::<Vec<_>>().join("; ");
        let message = match bad {
            1 => format!("{name} {told}"),
            2..=TOLD => format!("{name} has {bad} bad lines: {told}"),
            _ => {
                let more = count(bad - TOLD, "more bad line");
                format!("{name} has {bad} bad lines: {told}; and {more}")
            }
        };
        Problem::new(message, remedy)
    }
}

/// How to make a targets file of a list of IDs.
fn add_type(name: &str, skipped: bool) -> String {
    let script = if skipped { "/^[^#]/s/^/clientId:/" } else { "s/^/clientId:/" };
    match name == STDIN_NAME {
        true => format!("if these are client IDs{BARE}, pipe them through: sed '{script}'"),
        false => {
            format!(
                "if these are client IDs{BARE}: sed '{script}' {} > targets.txt",
                shell_word(name)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(bytes: &[u8]) -> Result<Vec<String>, Problem> {
        read("t.txt", bytes.to_vec()).map(|targets| targets.iter().map(str::to_owned).collect())
    }

    fn message(bytes: &[u8]) -> String {
        file(bytes).unwrap_err().message
    }

    #[test]
    fn what_may_be_a_token_is_not_shown_as_a_type() {
        let told = message(b"xVLyHw.DTSukCgH0123456789abcdef: expired");
        assert_eq!(told, "t.txt line 1: unknown type");
    }

    #[test]
    fn a_file_is_read_line_by_line_in_order_and_once_each() {
        let text = "\u{feff}clientId:a\r\n\r\n# note\n  \nchannel:foo:*\nclientId:a\nrevocationKey: b \n\
            clientId:#c\r\nchannel:*\nclientId:é";
        let targets = read("t.txt", text.as_bytes().to_vec()).unwrap();
        let all: Vec<&str> = targets.iter().collect();
        assert_eq!(
            all,
            [
                "clientId:a",
                "revocationKey: b ",
                "clientId:#c",
                "clientId:é",
                "channel:foo:*",
                "channel:*"
            ]
        );
        assert_eq!([0, 1, 4].map(|at| targets.line(at)), [Some(1), Some(7), Some(5)]);
        assert_eq!((targets.len(), targets.duplicates()), (6, 1));
        assert_eq!(
            targets.counts_by_kind(),
            [(Kind::ClientId, 3), (Kind::RevocationKey, 1), (Kind::Channel, 2)]
        );
    }

    #[test]
    fn every_bad_line_is_told_by_its_number() {
        let text = b"clientId:a\n\xff\xfe\nalice\nclientid:a\r\nclientId:\nclientId:*\n clientId:a\n# \xff\nchannel:b";
        assert_eq!(
            message(text),
            "t.txt has 7 bad lines: line 2, line 8: not UTF-8; line 3: no type and ':' before the value; \
             line 4: unknown type 'clientid'; line 5: empty value; \
             line 6: client ID '*', which Ably forbids; line 7: unknown type ' clientId'"
        );
        assert_eq!(message(b"clientId:a\nx:y\n"), "t.txt line 2: unknown type 'x'");
    }

    #[test]
    fn a_plain_list_of_ids_is_told_how_to_become_a_targets_file() {
        let remedy =
            |name: &str, text: &str| read(name, text.as_bytes().to_vec()).unwrap_err().remedy;
        for (name, text, expected) in [
            ("ids.txt", "alice\nbob\n", "sed 's/^/clientId:/' ids.txt > targets.txt"),
            ("my ids", "alice\n", "sed 's/^/clientId:/' 'my ids' > targets.txt"),
            ("ids.txt", "# all\nalice\n", "sed '/^[^#]/s/^/clientId:/' ids.txt > targets.txt"),
            (STDIN_NAME, "alice\n", "pipe them through: sed 's/^/clientId:/'"),
            ("ids.txt", "clientId:a\nbob\n", LINE_REMEDY),
            ("ids.txt", "alice\nuser:b\n", LINE_REMEDY),
        ] {
            let remedy = remedy(name, text);
            assert!(remedy.ends_with(expected), "{text:?}: {remedy}");
        }
    }

    #[test]
    fn beyond_ten_bad_lines_are_counted() {
        let message = message("x\n".repeat(12).as_bytes());
        assert!(message.contains("line 9, line 10: ") && !message.contains("line 11"), "{message}");
        assert!(message.ends_with("; and 2 more bad lines"), "{message}");
    }

    #[test]
    fn a_line_that_no_client_id_can_be_is_bad() {
        for (line, told) in [
            ("clientId:a\rclientId:b", "line 1: a carriage return without a line feed"),
            ("# a\rclientId:b", "line 1: a carriage return without a line feed"),
            ("clientId:a\r\r\n", "line 1: a carriage return"),
            ("clientId:a\0clientId:b", "line 1: the control character U+0000"),
            ("clientId:a\u{85}clientId:b", "U+0085"),
            ("clientId:a\u{2028}clientId:b", "U+2028"),
            ("clientId:a\u{2029}b", "U+2029"),
            ("clientId:a\tb", "U+0009"),
        ] {
            assert!(
                message(line.as_bytes()).contains(told),
                "{line:?}: {}",
                message(line.as_bytes())
            );
        }
    }

    #[test]
    fn a_key_or_token_in_the_wrong_file_is_not_shown() {
        for line in
            ["app.id:s3cret", "eyJhbGciOi.s3cret.s3cret", "Authorization: Bearer s3cret", "s3cret"]
        {
            assert!(!message(line.as_bytes()).contains("s3cret"), "{line}");
        }
        let remedy = |line: &str| file(line.as_bytes()).unwrap_err().remedy;
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.s3cret";
        assert_eq!(remedy(&format!("user:x\n{token}\nuser:x")), TOKEN_REMEDY);
        assert_eq!(remedy("user:x"), LINE_REMEDY);
        let long = format!("{}s3cret:x", "a".repeat(40));
        let message = message(long.as_bytes());
        assert!(!message.contains("s3cret") && message.contains("aaa…"), "{message}");
    }

    #[test]
    fn a_file_without_targets_or_of_another_encoding_is_refused() {
        for empty in ["", "\n\n", "# nothing", "\u{feff}", "\r\n \t\n"] {
            assert_eq!(message(empty.as_bytes()), "t.txt holds no target");
        }
        assert_eq!(message(b"\xff\xfec\0l\0"), "t.txt is UTF-16, not UTF-8");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = file(&bytes);
        }

        #[test]
        fn near_misses_do_not_make_it_panic(text in "((clientId|channel|x)?:?[*#a\r\u{e9}]{0,2}\n?){0,20}") {
            let _ = file(text.as_bytes());
        }
    }
}
