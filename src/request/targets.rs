//! What is to be revoked: the target specifiers of a run, in the order given, each once. It ends
//! where a request begins: a batch is a range of positions.
//!
//! An incident may bring a million of them, so the text that was read is the storage: bad, blank
//! and repeated lines are squeezed out in place and one `u32` a target says where it ends. No
//! target is an object of its own.

use std::collections::TryReserveError;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use crate::error::Problem;
use crate::json::quote;
use crate::request::target::{Kind, LONGEST};
use crate::text::Safe;

/// The most targets that Ably takes in one request.
const BATCH: usize = 100;
/// Room for the targets of one request, in bytes: a body stays under 512 KiB (Ably's TO3l9), with
/// what else is in it.
const BATCH_TEXT: usize = (512 << 10) - 1024;
/// A byte becomes so many in JSON, at most.
const ESCAPED: usize = 6;
const _: () = assert!((LONGEST + 64) * ESCAPED < BATCH_TEXT, "a target fits into a request");
/// The part of an entry of `Targets::once_each` that is a hash; the rest is a position.
const HASH: u64 = 0xffff_ffff_0000_0000;
/// Memory for a run beside its targets, TLS and a batch's text included, in bytes.
const HEADROOM: usize = 2 << 20;

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
    pub(super) fn once_each(text: Vec<u8>, ends: Vec<u32>) -> Result<Self, TryReserveError> {
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

/// Where the specifier at a position lies in the text.
fn span(ends: &[u32], i: usize) -> Option<Range<usize>> {
    let end = *ends.get(i)? as usize;
    let start = match i.checked_sub(1) {
        Some(before) => *ends.get(before)? as usize,
        None => 0,
    };
    Some(start..end)
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
            let read = targets_file::read("t.txt", text.into()).unwrap();
            prop_assert!(read.iter().eq(once.iter()));
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
