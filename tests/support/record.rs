//! The file of `--record`, as whoever comes later reads it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use miniserde::json::Value;

use super::*;

/// The record in a test's folder.
pub const RECORD: &str = "record.jsonl";

impl Program {
    /// Keeps a record in this folder.
    pub fn recording(self, folder: &Folder) -> Program {
        self.arg("--record").arg(folder.file(RECORD))
    }
}

/// The records in a file, each with its time and its run's ID; panics at a line that is none. What
/// follows the last line feed is no line yet.
pub fn lines(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let content = str::from_utf8(&bytes[..end]).unwrap();
    content.lines().map(record).collect()
}

/// The same, of a file that nobody was killed in.
pub fn whole(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).unwrap();
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "{}", String::from_utf8_lossy(&bytes));
    lines(path)
}

fn record(line: &str) -> Value {
    assert!(line.chars().all(|c| !c.is_control()), "{line:?}");
    let value = parse(line);
    let head = r#"{"type":""#;
    assert!(line.starts_with(head), "{line}");
    let time = text(&value, "timestamp");
    let form: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(form, "0000-00-00T00:00:00.000Z", "{line}");
    let run = text(&value, "run");
    assert!(run.len() == 32 && run.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
    assert_eq!(text(&value, "command"), "auth:revoke-token");
    value
}

/// The records by run; each run begins with its `run` record, which no run has twice.
pub fn by_run(records: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut runs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in records {
        let run = runs.entry(text(&record, "run").to_owned()).or_default();
        assert_eq!(
            text(&record, "type") == "run",
            run.is_empty(),
            "{}",
            miniserde::json::to_string(&record)
        );
        run.push(record);
    }
    runs
}

/// What the records are of, in order.
pub fn kinds(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| text(record, "type")).collect()
}

/// What they tell of each target: `revoked`, `refused`, and so on.
pub fn told_of(records: &[Value]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for record in records {
        if has(record, "revocation") {
            for result in list(record, "revocation.response.results") {
                let word = if has(result, "appliesAt") { REVOKED } else { REFUSED };
                all.insert(text(result, "target").to_owned(), word.to_owned());
            }
        } else if has(record, "targets") && text(record, "type") == "error" {
            for target in list(record, "targets") {
                let Value::String(target) = target else { panic!("no string") };
                all.insert(target.clone(), text(record, "outcome").to_owned());
            }
        }
    }
    all
}

/// The targets that they call revoked.
pub fn told_revoked(records: &[Value]) -> Vec<String> {
    let all = told_of(records).into_iter();
    all.filter(|(_, word)| word == REVOKED).map(|(target, _)| target).collect()
}
