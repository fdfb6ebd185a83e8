//! What was meant, in three steps that never mix: arguments and environment (`settings.rs`, no
//! input or output), then files (here), then questions (`keys` and `plan.rs`).

pub mod irrevocable;
pub mod issued_before;
pub mod leaked;
pub mod leaked_tokens;
pub mod output_files;
pub mod settings;
pub mod target;
pub mod targets;
mod targets_file;

use std::ffi::OsStr;

use crate::api_key::{ApiKey, hide_given};
use crate::cli::flags::{Id, long};
use crate::cli::parse::Args;
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::file;
use crate::keys::Want;
use crate::keys::handed_over;
use crate::keys::key::{Choice, Key};
use crate::net::Network;
use crate::net::roots::Roots;
use crate::request::leaked::Leaked;
use crate::request::leaked_tokens::Reading;
use crate::request::output_files::OutputFiles;
use crate::request::settings::{Mode, Settings, TargetSource};
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::text::random_id;
use crate::time::now_ms;

/// What the client ID of `--check` begins with; 128 random bits follow.
const NOBODY: &str = "ably-revoke-token-check-";
/// The largest targets file, in bytes.
const TARGETS_LIMIT: u64 = u32::MAX as u64;

/// One run, as the operator wants it.
#[derive(Debug)]
pub struct Request {
    pub settings: Settings,
    pub subject: Subject,
    /// Each once.
    pub handed_over: Vec<Key>,
    pub files: OutputFiles,
}

#[derive(Debug)]
pub enum Subject {
    Targets(Targets),
    Leaked(Leaked),
}

impl Request {
    /// Reads what arguments and environment mean, and the files that they name. The redactor learns
    /// every secret that is met on the way. The network is how hosts are reached.
    pub fn read(
        args: &Args,
        env: Environment,
        redactor: &Redactor,
        signals: &Signals,
    ) -> Result<(Self, Network), Error> {
        learn(args, env, redactor);
        let settings = Settings::new(args, env)?;
        let mut network = settings::network(args, env)?;
        if let Some((path, named_by)) = &settings.ca_file {
            network.roots = Roots::read(path, named_by)?;
        }
        if let Some((endpoint, _)) = &settings.endpoint {
            network.check(&endpoint.primary)?;
        }
        let mut handed_over: Vec<Key> = Vec::new();
        for place in &settings.key_places {
            for key in handed_over::read(place, redactor, signals)? {
                misplaced_own(args, &key.api_key)?;
                if handed_over.iter().all(|known| known.name() != key.name()) {
                    handed_over.push(key);
                }
            }
        }
        let subject = subject(&settings, &handed_over, signals)?;
        if let (Subject::Leaked(leaked), true) = (&subject, settings.verify) {
            leaked.prepare_proof(redactor)?;
        }
        let files = OutputFiles::check(&settings, &subject, env)?;
        Ok((Self { settings, subject, handed_over, files }, network))
    }

    /// Which keys it is to be revoked with.
    pub fn want(&mut self) -> Want {
        let settings = &self.settings;
        let choice = match &self.subject {
            Subject::Leaked(leaked) => Choice::Signers(leaked.signers()),
            Subject::Targets(_) if settings.all_keys => Choice::All,
            Subject::Targets(_) => settings.key.clone().map_or(Choice::Any, Choice::Named),
        };
        Want {
            handed_over: std::mem::take(&mut self.handed_over),
            choice,
            app: settings.app.clone(),
            for_people: !settings.json,
            may_prompt: settings.mode != Mode::DryRun && !settings.json,
        }
    }
}

/// No option may hold the key's own secret, which is known whatever its form.
fn misplaced_own(args: &Args, key: &ApiKey) -> Result<(), Problem> {
    let mut others = args.iter().filter(|(id, _)| *id != Id::ApiKey);
    match others.find(|(_, value)| key.is_in(&value.to_string_lossy())) {
        Some((id, _)) => Err(Problem::misplaced_key(long(id))),
        None => Ok(()),
    }
}

/// Makes the redactor know every secret that an option or a variable holds, whether it serves or
/// not.
fn learn(args: &Args, env: Environment, redactor: &Redactor) {
    let key = env.raw("ABLY_API_KEY");
    for key in args.all(Id::ApiKey).map(OsStr::to_owned).chain(key) {
        hide_given(&key.to_string_lossy(), redactor);
    }
    for token in ["ABLY_ACCESS_TOKEN", "ABLY_TOKEN"].into_iter().filter_map(|name| env.raw(name)) {
        redactor.add(token.to_string_lossy().trim());
    }
}

fn subject(settings: &Settings, handed_over: &[Key], signals: &Signals) -> Result<Subject, Error> {
    match &settings.source {
        TargetSource::Options(kind, values) => {
            let values = values.iter().map(|value| (*kind, value.as_str()));
            Ok(Subject::Targets(Targets::from_options(values)?))
        }
        TargetSource::File(path) => {
            let name = file::called(path);
            let bytes = file::read_named(path, TARGETS_LIMIT, long(Id::TargetsFile), signals)?;
            Ok(Subject::Targets(targets_file::read(&name, bytes)?))
        }
        TargetSource::Leak(path) => {
            let keys: Vec<&ApiKey> = handed_over.iter().map(|key| &key.api_key).collect();
            let (now_ms, keeps_tokens) = (now_ms(), settings.verify);
            let reading = Reading { now_ms, keeps_tokens, keys: &keys };
            let leaked = Leaked::read(path, long(Id::FromToken), settings.by, reading, signals)?;
            irrevocable::check(&leaked)?;
            Ok(Subject::Leaked(leaked))
        }
        TargetSource::Check => {
            let nobody = format!("{NOBODY}{}", random_id());
            let target = [(Kind::ClientId, nobody.as_str())];
            Ok(Subject::Targets(Targets::from_options(target.into_iter())?))
        }
    }
}
