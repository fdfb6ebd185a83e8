//! The files of `--unrevoked-to` and `--record`, checked as far as that goes without writing: nothing
//! is written before all else is checked.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, OFlags, access};

use crate::cli::flags::{Id, long};
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::{self, folder, reason};
use crate::keys::cli_config;
use crate::request::Subject;
use crate::request::settings::Settings;
use crate::request::target::is_foreign;
use crate::text::Safe;

/// The mode of a new record: client IDs may be people's names.
const MODE: u32 = 0o600;

/// Where they are, with links followed.
#[derive(Debug)]
pub struct OutputFiles {
    pub unrevoked_to: Option<PathBuf>,
    pub record: Option<PathBuf>,
}

impl OutputFiles {
    pub fn check(
        settings: &Settings,
        subject: &Subject,
        env: Environment,
    ) -> Result<Self, Problem> {
        let configuration =
            || cli_config::path(env).map(|path| (path, "the Ably CLI's configuration"));
        let inputs = || settings.inputs().into_iter().chain(configuration());
        let option = long(Id::UnrevokedTo);
        let unrevoked_to = match &settings.unrevoked_to {
            None => None,
            Some(path) => {
                let there = file::to_be_written(option, path, inputs())?;
                if let Subject::Targets(targets) = subject
                    && targets.iter().any(|target| target.contains(is_foreign))
                {
                    let what =
                        "cannot hold a target with a line break or another control character in it";
                    return Err(file::unfit(option, path, what));
                }
                Some(there)
            }
        };
        let record = match &settings.record {
            None => None,
            Some(path) => {
                let left_over = unrevoked_to.iter().map(|path| (path.clone(), option));
                let others = inputs().chain(left_over);
                let path = file::to_be_written(long(Id::Record), path, others)?;
                may_write(&path).map_err(|error| unwritable(&path, &error))?;
                Some(path)
            }
        };
        Ok(Self { unrevoked_to, record })
    }
}

fn may_write(path: &Path) -> io::Result<()> {
    match fs::exists(path) {
        Ok(false) => Ok(access(folder(path), Access::WRITE_OK | Access::EXEC_OK)?),
        _ => record_options().open(path).map(|_| ()),
    }
}

/// How a record is opened: to be appended to, and without a wait for whatever takes its place meanwhile.
pub fn record_options() -> OpenOptions {
    let mut options = File::options();
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    options.read(true).append(true).mode(MODE).custom_flags(nonblocking);
    options
}

pub fn unwritable(path: &Path, error: &io::Error) -> Problem {
    let (option, path) = (long(Id::Record), file::shown(path));
    Problem::new(
        format!("{option}: {} cannot be written: {}", Safe(&path), reason(error)),
        "name a file that this user can read and write, on a disk with room",
    )
}
