//! What is to be revoked: the target specifiers of a run, in the order given, each once. It ends
//! where a request begins: a batch is a range of positions.
//!
//! An incident may bring a million of them, so the text that was read is the storage: bad, blank
//! and repeated lines are squeezed out in place and one `u32` a target says where it ends. No
//! target is an object of its own.

use std::collections::TryReserveError;
use std::fmt::{self, Display, Write};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use crate::error::Problem;
use crate::file::STDIN_NAME;
use crate::json::quote;
use crate::secret::form::{Form, may_be_secret, secret_form};
use crate::text::{Safe, count, quoted};

/// The most targets that Ably takes in one request.
const BATCH: usize = 100;
/// Room for the targets of one request, in bytes: a body stays under 512 KiB (Ably's TO3l9), with
/// what else is in it.
const BATCH_TEXT: usize = (512 << 10) - 1024;
/// A byte becomes so many in JSON, at most.
const ESCAPED: usize = 6;
/// The longest value of a target, in bytes: however it is escaped, it fits into one request.
const LONGEST: usize = 64 << 10;
const _: () = assert!((LONGEST + 64) * ESCAPED < BATCH_TEXT, "a target fits into a request");
/// How many bad lines are told one by one.
const TOLD_LINES: usize = 10;
/// Longest unknown type shown, in characters. Nothing else of a bad line is: it may be a key or a
/// token that got into the wrong file.
const TYPE_CHARS: usize = 40;
/// The part of an entry of `Targets::once_each` that is a hash; the rest is a position.
const HASH: u64 = 0xffff_ffff_0000_0000;
/// Memory for a run beside its targets, TLS and a batch's text included, in bytes.
const HEADROOM: usize = 2 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const LINE_REMEDY: &str = "write one target a line: clientId:ID, revocationKey:KEY or channel:NAME";

/// What a target specifier names (Ably: token revocation, "target specifiers").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All tokens issued to a client ID.
    ClientId,
    /// All JWTs that carry this revocation key.
    RevocationKey,
    /// All tokens whose capability names exactly this resource.
    Channel,
}

impl Kind {
    /// All kinds, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::ClientId, Self::RevocationKey, Self::Channel];

    /// What a specifier of this kind begins with, its colon included.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::ClientId => "clientId:",
            Self::RevocationKey => "revocationKey:",
            Self::Channel => "channel:",
        }
    }

    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::ClientId => "client ID",
            Self::RevocationKey => "revocation key",
            Self::Channel => "channel",
        }
    }

    /// The option that takes a value of this kind.
    pub fn option(self) -> &'static str {
        match self {
            Self::ClientId => "--client-id",
            Self::RevocationKey => "--revocation-key",
            Self::Channel => "--channel",
        }
    }

    /// Takes a specifier apart into its kind and value; `None` if it is of no known kind.
    pub fn split(specifier: &str) -> Option<(Self, &str)> {
        Self::ALL
            .into_iter()
            .find_map(|kind| specifier.strip_prefix(kind.prefix()).map(|value| (kind, value)))
    }

    fn check(self, value: &str) -> Result<(), Fault<'static>> {
        match value {
            "" => Err(Fault::Empty),
            "*" if self == Self::ClientId => Err(Fault::Wildcard),
            _ if value.len() > LONGEST => Err(Fault::TooLong),
            _ => secret_form(value).map_or(Ok(()), |form| Err(Fault::Secret(form))),
        }
    }
}

/// The target specifiers of a run: in the order given, each once, never empty.
#[derive(Debug)]
pub struct Targets {
    /// All specifiers, one right after the other.
    text: String,
    /// Where each ends in the text, in bytes.
    ends: Vec<u32>,
    duplicates: usize,
}

impl Targets {
    /// Takes the values of options.
    ///
    /// # Errors
    /// A value is empty, or a client ID `*`; there is none; all are over 4 GiB.
    pub fn from_options<'a>(
        values: impl Iterator<Item = (Kind, &'a str)>,
    ) -> Result<Self, Problem> {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for (kind, value) in values {
            kind.check(value).map_err(|fault| fault.of_option(kind))?;
            text.push_str(kind.prefix());
            text.push_str(value);
            ends.push(u32::try_from(text.len()).map_err(|_| too_large("the arguments"))?);
        }
        if ends.is_empty() {
            return Err(Problem::new("no target is given", "give one with --client-id"));
        }
        Self::once_each(text.into_bytes(), ends).map_err(|_| no_memory("the arguments"))
    }

    /// Takes the bytes of a targets file. `name` is the file as the
    /// operator knows it.
    ///
    /// # Errors
    /// Bad lines, the first ten by number; no target at all; more than 4 GiB.
    pub fn from_file(name: &str, mut bytes: Vec<u8>) -> Result<Self, Problem> {
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
        let ends = squeeze(&mut bytes, &mut bad).map_err(|_| no_memory(name))?;
        if bad.count > 0 {
            return Err(bad.problem(name, ends.is_empty()));
        }
        if ends.is_empty() {
            return Err(Problem::new(format!("{} holds no target", Safe(name)), LINE_REMEDY));
        }
        Self::once_each(bytes, ends).map_err(|_| no_memory(name))
    }

    /// How many targets there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The specifier at a position; empty beyond the last.
    pub fn get(&self, i: usize) -> &str {
        span(&self.ends, i).and_then(|span| self.text.get(span)).unwrap_or_default()
    }

    /// All specifiers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.range(0..self.len())
    }

    /// The specifiers of a range of positions, such as one of `batches`.
    pub fn range(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = &str> {
        range.map(|i| self.get(i))
    }

    /// The positions of the targets of each request: as many as it may hold, and has room for.
    pub fn batches(&self) -> impl Iterator<Item = Range<usize>> {
        let mut end = 0;
        std::iter::from_fn(move || {
            let start = end;
            end = self.end_of_batch(start);
            (start < end).then_some(start..end)
        })
    }

    /// Where the batch that begins at a position ends.
    fn end_of_batch(&self, start: usize) -> usize {
        let end = self.len().min(start + BATCH);
        let from = |at| span(&self.ends, at).map_or(self.text.len(), |span| span.start);
        if (from(end) - from(start)) * ESCAPED <= BATCH_TEXT {
            return end;
        }
        let (mut room, mut text) = (BATCH_TEXT, String::new());
        let fits = |specifier: &&str| {
            text.clear();
            quote(&mut text, specifier);
            // With its comma.
            room.checked_sub(text.len() + 1).map(|left| room = left).is_some()
        };
        // Each fits alone, see `LONGEST`.
        start + self.range(start..end).take_while(fits).count().max(1)
    }

    /// Whether a text may stand in a specifier: one search through all of them, which takes one that
    /// reaches into the next for a hit.
    pub fn may_hold(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// How many repeated specifiers were left out.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// How many there are of each kind, kinds without any included.
    pub fn counts_by_kind(&self) -> [(Kind, usize); 3] {
        let mut counts = Kind::ALL.map(|kind| (kind, 0));
        for specifier in self.iter() {
            let own = counts.iter_mut().find(|(kind, _)| specifier.starts_with(kind.prefix()));
            if let Some((_, n)) = own {
                *n += 1;
            }
        }
        counts
    }

    /// Leaves out what was there before.
    fn once_each(text: Vec<u8>, ends: Vec<u32>) -> Result<Self, TryReserveError> {
        // A hash that nobody can foresee: few targets share one.
        let hasher = RandomState::new();
        Self::once_each_by(text, ends, |specifier| hasher.hash_one(specifier) & HASH)
    }

    /// In place: sorted by a hash, repeats are among the neighbours that share it, and the first of
    /// them stays.
    fn once_each_by(
        mut text: Vec<u8>,
        mut ends: Vec<u32>,
        hash: impl Fn(&[u8]) -> u64,
    ) -> Result<Self, TryReserveError> {
        let specifier = |i: u64| span(&ends, position(i)).and_then(|span| text.get(span));
        let entry = |i| hash(specifier(i).unwrap_or_default()) | i;
        let mut order = Vec::new();
        order.try_reserve_exact(ends.len())?;
        order.extend((0..ends.len() as u64).map(entry));
        order.sort_unstable();
        let (mut kept, mut hash) = (0, 0);
        for at in 0..order.len() {
            let own = order.get(at).copied().unwrap_or_default();
            let firsts = order.get(hash..kept).unwrap_or_default();
            if firsts.first().is_none_or(|first| (first ^ own) & HASH != 0) {
                hash = kept;
            } else if firsts.iter().any(|first| specifier(*first) == specifier(own)) {
                continue;
            }
            order.swap(kept, at);
            kept += 1;
        }
        let duplicates = order.len() - kept;
        if duplicates > 0 {
            order.truncate(kept);
            order.iter_mut().for_each(|slot| *slot &= !HASH);
            order.sort_unstable();
            let mut end = 0;
            for (slot, at) in order.iter().enumerate() {
                let own = span(&ends, position(*at)).unwrap_or_default();
                text.copy_within(own.clone(), end);
                end += own.len();
                // The text only ever gets shorter here, and it was measured before. What is written
                // over was read before, or stays as it is.
                let end = u32::try_from(end).unwrap_or(u32::MAX);
                ends.get_mut(slot).into_iter().for_each(|place| *place = end);
            }
            text.truncate(end);
            ends.truncate(kept);
        }
        // What the run itself needs, tried here where nothing is lost.
        Vec::<u8>::new().try_reserve_exact(HEADROOM)?;
        // Each part was UTF-8 already.
        let text = String::from_utf8(text).unwrap_or_default();
        Ok(Self { text, ends, duplicates })
    }
}

/// The position beside a hash.
fn position(entry: u64) -> usize {
    (entry & !HASH) as usize
}

/// Whether a value is most likely a slip: Ably takes it all the same, and revokes nobody's tokens.
pub fn is_doubtful(value: &str) -> bool {
    let another = |rest: &str| Kind::split(rest.trim_start()).is_some();
    let at_an_end = value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace);
    at_an_end || value.contains(',') && value.split(',').skip(1).any(another)
}

/// Where the specifier at a position lies in the text.
fn span(ends: &[u32], i: usize) -> Option<Range<usize>> {
    let end = *ends.get(i)? as usize;
    let start = match i.checked_sub(1) {
        Some(before) => *ends.get(before)? as usize,
        None => 0,
    };
    Some(start..end)
}

/// Moves the specifiers of a targets file together at its beginning, without line ends, blank
/// lines and comments, and says where each ends.
fn squeeze(bytes: &mut Vec<u8>, bad: &mut BadLines) -> Result<Vec<u32>, TryReserveError> {
    let mut ends = Vec::new();
    let (mut read, mut written) = (0, 0);
    if bytes.starts_with(BYTE_ORDER_MARK) {
        read = BYTE_ORDER_MARK.len();
    }
    for number in 1.. {
        let Some(rest) = bytes.get(read..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let length = rest.iter().position(|byte| *byte == b'\n');
        let line = rest.get(..length.unwrap_or(rest.len())).unwrap_or(rest);
        let next = read + line.len() + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match judge(line) {
            Ok(true) => {
                let length = line.len();
                bytes.copy_within(read..read + length, written);
                written += length;
                ends.try_reserve(1)?;
                // The caller has seen to it that the file's size fits.
                ends.push(u32::try_from(written).unwrap_or(u32::MAX));
            }
            Ok(false) => bad.skipped = true,
            Err(fault) => bad.add(number, &fault),
        }
        read = next;
    }
    bytes.truncate(written);
    Ok(ends)
}

/// Whether a line holds a target; `false` for blank lines and comments.
fn judge(line: &[u8]) -> Result<bool, Fault<'_>> {
    let line = str::from_utf8(line).map_err(|_| Fault::NotUtf8)?;
    if line.starts_with('#') || line.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Ok(false);
    }
    if let Some((kind, value)) = Kind::split(line) {
        return kind.check(value).map(|()| true);
    }
    let kind = line.split_once(':').map_or("", |(kind, _)| kind);
    if let Some(form) = secret_form(line).or_else(|| secret_form(kind)) {
        return Err(Fault::Secret(form));
    }
    Err(match line.split_once(':') {
        Some((kind, _)) => Fault::Type(kind),
        None => Fault::NoColon,
    })
}

/// What is wrong with a target.
enum Fault<'a> {
    NotUtf8,
    NoColon,
    Type(&'a str),
    Empty,
    Wildcard,
    TooLong,
    Secret(Form),
}

impl Fault<'_> {
    fn of_option(&self, kind: Kind) -> Problem {
        let option = kind.option();
        match self {
            Self::Wildcard => Problem::new(
                format!("{option} '*' is not a client ID: Ably forbids it"),
                "name each client ID, or revoke the API key in Ably's dashboard",
            ),
            Self::Secret(form) => Problem::misplaced(*form, option),
            Self::TooLong => Problem::new(
                format!("{option} is given a value of more than 64 KiB"),
                format!("give the {} alone", kind.noun()),
            ),
            _ => Problem::new(
                format!("{option} is given an empty value"),
                format!("give the {} to revoke", kind.noun()),
            ),
        }
    }
}

impl Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::NoColon => f.write_str("no type and ':' before the value"),
            Self::Type(kind) if may_be_secret(kind) => f.write_str("unknown type"),
            Self::Type(kind) => match kind.char_indices().nth(TYPE_CHARS) {
                Some((end, _)) => {
                    let start = kind.get(..end).unwrap_or_default();
                    write!(f, "unknown type '{}…'", Safe(start))
                }
                None => write!(f, "unknown type '{}'", Safe(kind)),
            },
            Self::Empty => f.write_str("empty value"),
            Self::Secret(form) => write!(f, "{form} in place of a target"),
            Self::TooLong => f.write_str("more than 64 KiB"),
            Self::Wildcard => f.write_str("client ID '*', which Ably forbids"),
        }
    }
}

/// The bad lines of a file: how many, and what is wrong with the first ones.
#[derive(Default)]
struct BadLines {
    count: usize,
    /// How many of them lack a type.
    untyped: usize,
    /// Whether blank lines or comments are among the lines.
    skipped: bool,
    told: String,
    /// What else than a target a line holds.
    secret: Option<Form>,
}

impl BadLines {
    fn add(&mut self, number: usize, fault: &Fault<'_>) {
        self.count += 1;
        self.untyped += usize::from(matches!(fault, Fault::NoColon));
        if let Fault::Secret(form) = fault {
            self.secret = Some(*form);
        }
        if self.count <= TOLD_LINES {
            let separator = if self.told.is_empty() { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = write!(self.told, "{separator}line {number}: {fault}");
        }
    }

    /// `alone`: there is no good line.
    fn problem(self, name: &str, alone: bool) -> Problem {
        let Self { count: bad, untyped, skipped, told, secret } = self;
        let remedy = match secret {
            Some(form) => form.remedy().to_owned(),
            None if alone && untyped == bad => add_type(name, skipped),
            None => LINE_REMEDY.to_owned(),
        };
        let name = Safe(name);
        let message = match bad {
            1 => format!("{name} {told}"),
            2..=TOLD_LINES => format!("{name} has {bad} bad lines: {told}"),
            _ => {
                let more = count(bad - TOLD_LINES, "more bad line");
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
        true => format!("if these are client IDs, pipe them through: sed '{script}'"),
        false => {
            format!("if these are client IDs: sed '{script}' {} > targets.txt", quoted(name))
        }
    }
}

fn no_memory(name: &str) -> Problem {
    Problem::new(
        format!("{} cannot be read: out of memory", Safe(name)),
        "allow more memory, or split it into several runs",
    )
}

fn too_large(name: &str) -> Problem {
    Problem::new(
        format!("{} holds more than 4 GiB of targets", Safe(name)),
        "split it into several runs",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn file(bytes: &[u8]) -> Result<Vec<String>, Problem> {
        Targets::from_file("t.txt", bytes.to_vec())
            .map(|targets| targets.iter().map(str::to_owned).collect())
    }

    fn message(bytes: &[u8]) -> String {
        file(bytes).unwrap_err().message
    }

    #[test]
    fn a_file_is_read_line_by_line_in_order_and_once_each() {
        let text = "\u{feff}clientId:a\r\n\r\n# note\n  \nchannel:foo:*\nclientId:a\nrevocationKey: b \n\
            clientId:#c\r\nchannel:*\nclientId:é\u{1b}\0";
        let targets = Targets::from_file("t.txt", text.as_bytes().to_vec()).unwrap();
        let all: Vec<&str> = targets.iter().collect();
        assert_eq!(
            all,
            [
                "clientId:a",
                "channel:foo:*",
                "revocationKey: b ",
                "clientId:#c",
                "channel:*",
                "clientId:é\u{1b}\0"
            ]
        );
        assert_eq!((targets.len(), targets.duplicates()), (6, 1));
        assert_eq!((targets.get(1), targets.get(6)), ("channel:foo:*", ""));
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
            "t.txt has 7 bad lines: line 2: not UTF-8; line 3: no type and ':' before the value; \
             line 4: unknown type 'clientid'; line 5: empty value; \
             line 6: client ID '*', which Ably forbids; line 7: unknown type ' clientId'; line 8: not UTF-8"
        );
        assert_eq!(message(b"clientId:a\nx:y\n"), "t.txt line 2: unknown type 'x'");
    }

    #[test]
    fn a_plain_list_of_ids_is_told_how_to_become_a_targets_file() {
        let remedy = |name: &str, text: &str| {
            Targets::from_file(name, text.as_bytes().to_vec()).unwrap_err().remedy
        };
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
    fn a_value_that_is_most_likely_a_slip_is_noticed() {
        for (value, expected) in [
            ("alice", false),
            ("alice b", false),
            ("a,b", false),
            ("alice ", true),
            (" alice", true),
            ("alice\t", true),
            ("alice,clientId:bob", true),
            ("alice, channel:x", true),
        ] {
            assert_eq!(is_doubtful(value), expected, "{value:?}");
        }
    }

    #[test]
    fn beyond_ten_bad_lines_are_counted() {
        let message = message("x\n".repeat(12).as_bytes());
        assert!(message.contains("line 10:") && !message.contains("line 11:"), "{message}");
        assert!(message.ends_with("; and 2 more bad lines"), "{message}");
    }

    #[test]
    fn a_key_or_token_in_the_wrong_file_is_not_shown() {
        for line in
            ["app.id:s3cret", "eyJhbGciOi.s3cret.s3cret", "Authorization: Bearer s3cret", "s3cret"]
        {
            assert!(!message(line.as_bytes()).contains("s3cret"), "{line}");
        }
        let long = format!("\u{1b}{}s3cret:x", "a".repeat(TYPE_CHARS));
        let message = message(long.as_bytes());
        assert!(!message.contains("s3cret") && message.contains("\\u{1b}aaa"), "{message}");
    }

    #[test]
    fn a_file_without_targets_or_of_another_encoding_is_refused() {
        for empty in ["", "\n\n", "# nothing", "\u{feff}", "\r\n \t\n"] {
            assert_eq!(message(empty.as_bytes()), "t.txt holds no target");
        }
        assert_eq!(message(b"\xff\xfec\0l\0"), "t.txt is UTF-16, not UTF-8");
    }

    #[test]
    fn options_are_checked_and_once_each() {
        let given = [(Kind::ClientId, "a\nb"), (Kind::Channel, "*"), (Kind::ClientId, "a\nb")];
        let targets = Targets::from_options(given.into_iter()).unwrap();
        assert_eq!(targets.iter().collect::<Vec<_>>(), ["clientId:a\nb", "channel:*"]);
        let refused =
            |kind, value| Targets::from_options([(kind, value)].into_iter()).unwrap_err().message;
        assert_eq!(refused(Kind::RevocationKey, ""), "--revocation-key is given an empty value");
        assert!(refused(Kind::ClientId, "*").contains("forbids"));
        assert!(Targets::from_options([].into_iter()).is_err());
    }

    #[test]
    fn batches_cover_every_position_once() {
        let long = 60_000;
        for (n, fill, sizes) in [
            (1, String::new(), vec![1]),
            (200, String::new(), vec![100, 100]),
            (201, "x".repeat(20), vec![100, 100, 1]),
            (20, "x".repeat(long), vec![8, 8, 4]),
            (5, "\u{1b}".repeat(long), vec![1; 5]),
            (100, "x".repeat(5_000), vec![100]),
        ] {
            let names: Vec<String> = (0..n).map(|i| format!("{i}{fill}")).collect();
            let given = names.iter().map(|name| (Kind::ClientId, name.as_str()));
            let targets = Targets::from_options(given).unwrap();
            let batches = || targets.batches();
            assert_eq!(batches().map(|batch| batch.len()).collect::<Vec<_>>(), sizes);
            assert!(batches().flatten().eq(0..n));
            assert!(batches().flat_map(|batch| targets.range(batch)).eq(targets.iter()));
        }
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

        #[test]
        fn what_is_written_line_by_line_comes_back(
            values in prop::collection::vec((0..3_usize, "[ab]|[^\r\n*]{1,3}"), 1..60),
            end in prop::sample::select(vec!["\n", "\r\n"]),
        ) {
            let lines: Vec<String> = values
                .iter()
                .map(|(kind, value)| format!("{}{value}", Kind::ALL[*kind].prefix()))
                .collect();
            let text: String = lines.iter().flat_map(|line| [line.as_str(), end]).collect();
            let mut seen = HashSet::new();
            let once: Vec<String> = lines.iter().filter(|line| seen.insert(*line)).cloned().collect();
            prop_assert_eq!(file(text.as_bytes()).unwrap(), once.clone());
            let options = values.iter().map(|(kind, value)| (Kind::ALL[*kind], value.as_str()));
            let targets = Targets::from_options(options).unwrap();
            prop_assert_eq!(targets.duplicates(), lines.len() - once.len());
            prop_assert!(targets.iter().eq(once.iter()));
            // Whatever shares a hash.
            for hash in [|_: &[u8]| 0, |text: &[u8]| (text.len() as u64 % 3) << 32] {
                let ends = lines.iter().scan(0, |end, line| {
                    *end += u32::try_from(line.len()).unwrap();
                    Some(*end)
                });
                let targets = Targets::once_each_by(lines.concat().into(), ends.collect(), hash);
                prop_assert!(targets.unwrap().iter().eq(once.iter()));
            }
        }
    }
}
