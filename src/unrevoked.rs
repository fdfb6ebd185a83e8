//! `--unrevoked-to`: the file of targets that are not known to be revoked, in the format of a
//! targets file. It holds all targets before the first request and is replaced as a whole at the
//! end, so that a run killed at any point loses none.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Problem;
use crate::file::{STDIN, reason};
use crate::outcome::Outcome;
use crate::targets::Targets;
use crate::text::{Safe, excerpt};

/// Reasons beyond so many are told by their word alone: a server may word each one differently.
const REASONS: usize = 10_000;
const NOT_YET: &str = "not sent: the run did not come to it";

/// Where the left-over targets go, and what is known of each.
#[derive(Debug)]
pub struct Unrevoked {
    path: PathBuf,
    /// For each target its reason's position, or `REVOKED`.
    states: Vec<u32>,
    reasons: Vec<String>,
}

const REVOKED: u32 = u32::MAX;

/// The option's file, checked as far as that goes without writing.
///
/// # Errors
/// It is the targets file, no regular file, in no folder, or a target cannot stand in a line.
pub fn check(
    path: &Path,
    targets_file: Option<&Path>,
    targets: &Targets,
) -> Result<PathBuf, Problem> {
    let wrong = |what: &str| {
        let shown = crate::file::shown(path);
        Problem::new(format!("--unrevoked-to: {} {what}", Safe(&shown)), "name another file")
    };
    // A link is followed once, so that the file behind it is replaced and not the link.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(_) if path.is_symlink() => return Err(wrong("is a link that leads nowhere")),
        Err(_) => path.to_owned(),
    };
    if let Ok(there) = fs::metadata(&path) {
        if !there.is_file() {
            return Err(wrong("is not a regular file"));
        }
        let same = |other: fs::Metadata| (other.dev(), other.ino()) == (there.dev(), there.ino());
        let of = |file: &Path| match file == Path::new(STDIN) {
            true => of_stdin().ok(),
            false => fs::metadata(file).ok(),
        };
        if targets_file.and_then(of).is_some_and(same) {
            return Err(wrong("is the targets file itself"));
        }
    } else if path.file_name().is_none() || !folder(&path).is_dir() {
        return Err(wrong("is in a folder that is not there"));
    }
    if targets.iter().any(|target| target.contains('\n') || target.ends_with('\r')) {
        return Err(wrong("cannot hold a target with a line break in it"));
    }
    Ok(path)
}

/// Whether two paths lead to one file that is there.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).map(|it| (it.dev(), it.ino())).ok();
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

fn of_stdin() -> io::Result<fs::Metadata> {
    File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Unrevoked {
    /// Writes the file with all targets.
    ///
    /// # Errors
    /// It cannot be written; then nothing may be sent.
    pub fn create(path: &Path, targets: &Targets) -> Result<Self, Problem> {
        let states = vec![0; targets.len()];
        let this = Self { path: path.to_owned(), states, reasons: vec![NOT_YET.to_owned()] };
        this.write(targets)?;
        Ok(this)
    }

    /// Notes what became of the targets from a position on.
    pub fn enter(&mut self, start: usize, outcomes: &[Outcome]) {
        let reasons = &mut self.reasons;
        let states = self.states.get_mut(start..).unwrap_or_default();
        for (state, outcome) in states.iter_mut().zip(outcomes) {
            *state = match outcome.failure() {
                None => REVOKED,
                Some(failure) => {
                    let message = excerpt(&failure.problem.message);
                    position(reasons, outcome.word(), Some(&message))
                }
            };
        }
    }

    /// Replaces the file with what is left.
    ///
    /// # Errors
    /// It cannot be written; the file with all targets is still there then.
    pub fn finish(&self, targets: &Targets) -> Result<(), Problem> {
        self.write(targets)
    }

    fn write(&self, targets: &Targets) -> Result<(), Problem> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let beside = self.path.with_file_name(format!(".{name}.{}", std::process::id()));
        self.write_beside(&beside, targets).map_err(|error| {
            // What was begun is of no use; the error at hand says why.
            let _ = fs::remove_file(&beside);
            let shown = crate::file::shown(&self.path);
            Problem::new(
                format!("--unrevoked-to: {} cannot be written: {}", Safe(&shown), reason(&error)),
                "name a file in a folder that can be written, on a disk with room",
            )
        })
    }

    fn write_beside(&self, beside: &Path, targets: &Targets) -> io::Result<()> {
        // Where process IDs come again, as in a container, a run that was killed may have left it.
        let _ = fs::remove_file(beside);
        let file = File::options().write(true).create_new(true).open(beside)?;
        if let Ok(there) = fs::metadata(&self.path) {
            // What was closed to others stays so.
            file.set_permissions(there.permissions())?;
        }
        let mut file = BufWriter::new(file);
        for (target, state) in targets.iter().zip(&self.states) {
            if let Some(reason) = self.reasons.get(*state as usize) {
                writeln!(file, "# {}\n{target}", Safe(reason))?;
            }
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        // The rename itself outlives a power cut only with its folder; not every file system can.
        let _ = File::open(folder(&self.path)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// The position of a reason, added where it is new.
fn position(reasons: &mut Vec<String>, word: &str, message: Option<&str>) -> u32 {
    let reason = message.map_or_else(|| word.to_owned(), |message| format!("{word}: {message}"));
    let at = reasons.iter().rposition(|known| *known == reason).unwrap_or_else(|| {
        if reasons.len() >= REASONS && message.is_some() {
            return position(reasons, word, None) as usize;
        }
        reasons.push(reason);
        reasons.len() - 1
    });
    u32::try_from(at).unwrap_or(0)
}
