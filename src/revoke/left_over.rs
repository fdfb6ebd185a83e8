//! `--unrevoked-to`: the file of targets that are not known to be revoked, in the format of a
//! targets file. It holds all targets before the first request and is replaced as a whole at the
//! end, so that a run killed at any point loses none.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Problem;
use crate::file::{self, folder, reason};
use crate::plan::{Job, Plan};
use crate::revoke::outcome::{Cause, Outcome};
use crate::revoke::run::Batch;
use crate::text::{Safe, excerpt, random_id};

/// Reasons beyond so many are told by their word alone: a server may word each one differently.
const REASONS: usize = 10_000;
const NOT_YET: &str = "not known: written before the first request";

/// Where the left-over targets go, and what is known of each.
#[derive(Debug)]
pub struct LeftOver {
    path: PathBuf,
    /// Why each target of each job is left over; `None` once it is revoked.
    left: Vec<Vec<Option<Arc<str>>>>,
    /// Every reason once.
    reasons: HashSet<Arc<str>>,
}

impl LeftOver {
    /// Writes the file with all targets; `None` where none was asked for.
    pub fn create(plan: &Plan) -> Result<Option<Self>, Problem> {
        let Some(path) = &plan.files.unrevoked_to else {
            return Ok(None);
        };
        let not_yet = Arc::from(NOT_YET);
        let of_job = |job: &Job| vec![Some(Arc::clone(&not_yet)); job.targets.len()];
        let left = plan.jobs.iter().map(of_job).collect();
        let this = Self { path: path.clone(), left, reasons: HashSet::new() };
        this.write(plan)?;
        Ok(Some(this))
    }

    /// Notes what became of the targets of a batch.
    pub fn add(&mut self, batch: &Batch<'_>) {
        let of_job = self.left.get_mut(batch.number);
        let left = of_job.and_then(|left| left.get_mut(batch.range.clone()));
        let mut last: Option<(&Arc<Cause>, Arc<str>)> = None;
        for (left, outcome) in left.into_iter().flatten().zip(&batch.outcomes) {
            *left = outcome.cause().map(|cause| {
                // A whole request shares one cause.
                let (_, reason) = last
                    .take()
                    .filter(|(same, _)| Arc::ptr_eq(same, cause))
                    .unwrap_or_else(|| (cause, once(&mut self.reasons, outcome, cause)));
                last = Some((cause, Arc::clone(&reason)));
                reason
            });
        }
    }

    /// Replaces the file with what is left, and says how many targets that is.
    pub fn finish(&self, plan: &Plan) -> Result<usize, Problem> {
        self.write(plan).map_err(|problem| {
            let remedy = "the file is as it was before the first request: it holds all targets, those that were \
                revoked too; to revoke one twice is safe";
            Problem::new(problem.message, remedy)
        })
    }

    fn write(&self, plan: &Plan) -> Result<usize, Problem> {
        let written = self.beside().and_then(|(beside, file)| {
            let written = self.write_beside(&beside, file, plan);
            if written.is_err() {
                // What was begun is of no use; the error at hand says why.
                let _ = fs::remove_file(&beside);
            }
            written
        });
        written.map_err(|error| {
            let shown = file::shown(&self.path);
            Problem::new(
                format!("--unrevoked-to: {} cannot be written: {}", Safe(&shown), reason(&error)),
                "name a file in a folder that can be written, on a disk with room",
            )
        })
    }

    /// A file of its own in the same folder, under a name that nothing has.
    fn beside(&self) -> io::Result<(PathBuf, File)> {
        let beside = self.path.with_file_name(format!(".ably-{}", random_id()));
        File::options().write(true).create_new(true).open(&beside).map(|file| (beside, file))
    }

    fn write_beside(&self, beside: &Path, file: File, plan: &Plan) -> io::Result<usize> {
        if let Ok(there) = fs::metadata(&self.path) {
            // What was closed to others stays so.
            file.set_permissions(there.permissions())?;
        }
        let mut file = BufWriter::new(file);
        let (mut left, mut first) = (0, 0);
        for jobs in plan.jobs.chunk_by(Job::shares_targets) {
            let targets = jobs.first().into_iter().flat_map(|job| job.targets.iter());
            for (at, target) in targets.enumerate() {
                let mut is_left = false;
                for (job, reasons) in self.left.iter().enumerate().skip(first).take(jobs.len()) {
                    let Some(Some(reason)) = reasons.get(at) else { continue };
                    let key = plan.key_among(job).filter(|_| &**reason != NOT_YET);
                    let with = key.map(|key| format!("with key {key}: ")).unwrap_or_default();
                    writeln!(file, "# {with}{}", Safe(reason))?;
                    is_left = true;
                }
                if is_left {
                    writeln!(file, "{target}")?;
                    left += 1;
                }
            }
            first += jobs.len();
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        // The rename itself outlives a power cut only with its folder; not every file system can.
        let _ = File::open(folder(&self.path)).and_then(|folder| folder.sync_all());
        Ok(left)
    }
}

/// The reason in words, from those known before if it is there; beyond so many its word alone.
fn once(reasons: &mut HashSet<Arc<str>>, outcome: &Outcome, cause: &Cause) -> Arc<str> {
    let text = format!("{}: {}", outcome.word(), excerpt(&cause.problem.message));
    let has_room = reasons.len() < REASONS || reasons.contains(text.as_str());
    let text = if has_room { text.as_str() } else { outcome.word() };
    reasons.get(text).cloned().unwrap_or_else(|| {
        let reason: Arc<str> = text.into();
        reasons.insert(Arc::clone(&reason));
        reason
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::target::Kind;
    use crate::request::targets::Targets;
    use crate::revoke::outcome::{Cause, Outcome};

    #[test]
    fn of_too_many_reasons_the_word_alone_is_kept() {
        let ids: Vec<String> = (0..REASONS + 2).map(|n| n.to_string()).collect();
        let targets = ids.iter().map(|id| (Kind::ClientId, id.as_str()));
        let targets = Arc::new(Targets::from_options(targets).unwrap());
        let job = Job { key_name: "APP1.key1".to_owned(), at_hand: None, targets, tokens: 0..0 };
        let (left, reasons) = (vec![vec![None; ids.len()]], HashSet::new());
        let mut left_over = LeftOver { path: PathBuf::new(), left, reasons };
        // Each in other words, and the last in those of the first.
        let words = ids[..=REASONS].iter().chain([&ids[0]]);
        let refused = |words: &String| Cause::of_request(Problem::new(words.clone(), ""));
        let outcomes = words.map(|words| Outcome::Refused(refused(words))).collect();
        left_over.add(&Batch {
            number: 0,
            job: &job,
            range: 0..ids.len(),
            outcomes,
            requested: true,
        });
        let told = |at: usize| left_over.left[0][at].as_deref();
        assert_eq!(told(REASONS - 1), Some("refused: 9999"));
        assert_eq!(told(REASONS), Some("refused"));
        assert_eq!(told(REASONS + 1), Some("refused: 0"));
    }
}
