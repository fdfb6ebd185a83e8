//! What is to be revoked: the target specifiers of a run, each once, in the order given but for
//! channels, which come last: they travel in requests of their own. It ends where a request begins: a
//! batch is a range of positions.
//!
//! An incident may bring a million of them, so the text that was read is the storage, and two `u32` a
//! target say where it stands in it. No target is an object of its own.

use std::collections::TryReserveError;
use std::ops::Range;

use crate::error::Problem;
use crate::json::quote;
use crate::request::target::{Kind, LONGEST, doubt};
use crate::text::Safe;

/// The most targets that Ably takes in one request.
const BATCH: usize = 100;
/// Room for the targets of one request, in bytes: a body stays under 512 KiB (Ably's TO3l9), with
/// its commas and what else is in it.
const BATCH_TEXT: usize = (512 << 10) - 1024;
/// A byte becomes so many in JSON, at most.
const ESCAPED: usize = 6;
const _: () = assert!((LONGEST + 64) * ESCAPED < BATCH_TEXT, "a target fits into a request");
/// Memory for a run beside its targets, TLS and a batch's text included, in bytes.
const HEADROOM: usize = 2 << 20;

/// The target specifiers of a run, never empty.
#[derive(Debug)]
pub struct Targets {
    text: String,
    /// Where each target begins and ends in the text, in bytes.
    spans: Vec<(u32, u32)>,
    duplicates: usize,
    is_file: bool,
}

impl Targets {
    pub fn from_options<'a>(
        values: impl Iterator<Item = (Kind, &'a str)>,
    ) -> Result<Self, Problem> {
        let (mut text, mut spans) = (String::new(), Vec::new());
        for (kind, value) in values {
            kind.check(value).map_err(|fault| fault.of_option(kind))?;
            let start = text.len();
            text.push_str(kind.prefix());
            text.push_str(value);
            let position = |at| u32::try_from(at).map_err(|_| too_large("the arguments"));
            spans.push((position(start)?, position(text.len())?));
        }
        if spans.is_empty() {
            return Err(Problem::new("no target is given", "give one with --client-id"));
        }
        Self::once_each(text, spans, false).map_err(|_| no_memory("the arguments"))
    }

    /// Leaves out what was there before, and tries here, where nothing is lost, whether there is memory
    /// for the run.
    pub(super) fn once_each(
        text: String,
        mut spans: Vec<(u32, u32)>,
        is_file: bool,
    ) -> Result<Self, TryReserveError> {
        let given = spans.len();
        let bytes = text.as_bytes();
        // Targets begin alike, so their ends tell them apart sooner.
        let order = |span| {
            let target = of(bytes, span);
            let end = target.last_chunk().map_or(0, |end| u64::from_be_bytes(*end));
            (target.len(), end, target, span)
        };
        spans.sort_unstable_by(|a, b| order(*a).cmp(&order(*b)));
        spans.dedup_by(|b, a| of(bytes, *a) == of(bytes, *b));
        spans.sort_unstable();
        let is_channel =
            |span: &mut _| of(bytes, *span).starts_with(Kind::Channel.prefix().as_bytes());
        let channels: Vec<_> = spans.extract_if(.., is_channel).collect();
        spans.extend(channels);
        Vec::<u8>::new().try_reserve_exact(HEADROOM)?;
        Ok(Self { duplicates: given - spans.len(), text, spans, is_file })
    }

    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The specifier at a position below `len`.
    #[expect(clippy::indexing_slicing, reason = "spans lie in the text, on its characters")]
    pub fn get(&self, i: usize) -> &str {
        let (start, end) = self.spans[i];
        &self.text[start as usize..end as usize]
    }

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
            end = if start < self.len() { self.end_of_batch(start) } else { start };
            (start < end).then_some(start..end)
        })
    }

    /// Where the batch that begins at a position ends.
    fn end_of_batch(&self, start: usize) -> usize {
        let most = self.len().min(start + BATCH);
        let (mut room, mut text) = (BATCH_TEXT, String::new());
        let is_channel = |target: &str| target.starts_with(Kind::Channel.prefix());
        let channels = is_channel(self.get(start));
        let fits = |at: &usize| {
            let target = self.get(*at);
            text.clear();
            quote(&mut text, target);
            let has_room = room.checked_sub(text.len()).map(|left| room = left).is_some();
            has_room && is_channel(target) == channels
        };
        start + (start..most).take_while(fits).count().max(1)
    }

    /// The line of the file in which a target first stands, from 1; `None` where it came from an option.
    pub fn line(&self, i: usize) -> Option<usize> {
        let (start, _) = *self.spans.get(i).filter(|_| self.is_file)?;
        let before = self.text.as_bytes().get(..start as usize)?;
        Some(1 + memchr::memchr_iter(b'\n', before).count())
    }

    /// Each doubt that there is, with the position of the first target that it is about, and of how many.
    pub fn doubts(&self) -> Vec<(&'static str, usize, usize)> {
        let mut doubts: Vec<(&str, usize, usize)> = Vec::new();
        for (i, target) in self.iter().enumerate() {
            let value = Kind::split(target).map(|(_, value)| value);
            let Some(found) = value.and_then(|value| doubt(value, !self.is_file)) else { continue };
            match doubts.iter_mut().find(|(known, ..)| *known == found) {
                Some((.., n)) => *n += 1,
                None => doubts.push((found, i, 1)),
            }
        }
        doubts
    }

    pub fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// How many there are of each kind, kinds without any included.
    pub fn counts_by_kind(&self) -> [(Kind, usize); Kind::ALL.len()] {
        Kind::ALL.map(|kind| {
            (kind, self.iter().filter(|target| target.starts_with(kind.prefix())).count())
        })
    }
}

#[expect(clippy::indexing_slicing, reason = "spans lie in the text")]
fn of(text: &[u8], (start, end): (u32, u32)) -> &[u8] {
    &text[start as usize..end as usize]
}

pub(super) fn no_memory(name: &str) -> Problem {
    Problem::new(
        format!("{} cannot be read: out of memory", Safe(name)),
        "allow more memory, or split it into several runs",
    )
}

pub(super) fn too_large(name: &str) -> Problem {
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
    use crate::request::targets_file;

    #[test]
    fn options_are_checked_and_once_each() {
        let given = [(Kind::ClientId, "a\nb"), (Kind::Channel, "*"), (Kind::ClientId, "a\nb")];
        let targets = Targets::from_options(given.into_iter()).unwrap();
        assert_eq!(targets.iter().collect::<Vec<_>>(), ["clientId:a\nb", "channel:*"]);
        assert_eq!(targets.line(0), None);
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
            // Eight would be 524,000 bytes of 524,288, without what else is in the body.
            (8, "x".repeat(65_488), vec![7, 1]),
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
        fn what_is_written_line_by_line_comes_back(
            values in prop::collection::vec((0..3_usize, "[ab]|[^\\p{Cc}\u{2028}\u{2029}*]{1,3}"), 1..60),
            end in prop::sample::select(vec!["\n", "\r\n"]),
        ) {
            let lines: Vec<String> = values
                .iter()
                .map(|(kind, value)| format!("{}{value}", Kind::ALL[*kind].prefix()))
                .collect();
            let text: String = lines.iter().flat_map(|line| [line.as_str(), end]).collect();
            let mut seen = HashSet::new();
            let once = lines.iter().filter(|line| seen.insert(*line)).cloned();
            let (channels, others): (Vec<String>, Vec<String>) =
                once.partition(|line| line.starts_with("channel:"));
            let once = [others, channels].concat();
            let read = targets_file::read("t.txt", text.into()).unwrap();
            prop_assert!(read.iter().eq(once.iter()));
            let options = values.iter().map(|(kind, value)| (Kind::ALL[*kind], value.as_str()));
            let targets = Targets::from_options(options).unwrap();
            prop_assert_eq!(targets.duplicates(), lines.len() - once.len());
            prop_assert!(targets.iter().eq(once.iter()));
        }
    }
}
