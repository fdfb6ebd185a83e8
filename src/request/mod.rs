//! What was meant, in three steps that never mix: arguments and environment (`settings.rs`, no
//! input or output), then files (here), then questions (`keys` and `plan.rs`).

pub mod api_keys;
pub mod issued_before;
pub mod leaked;
pub mod leaked_tokens;
pub mod settings;
pub mod target;
pub mod targets;
mod targets_file;
pub mod which_keys;

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::api_key::{ApiKey, hide_given};
use crate::cli::flags::{Id, long};
use crate::cli::parse::Args;
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::{self, Named};
use crate::net::Network;
use crate::net::endpoint::Endpoint;
use crate::net::roots::Roots;
use crate::request::issued_before::IssuedBefore;
use crate::request::leaked::Leaked;
use crate::request::settings::{Consent, Recording, Settings, TargetSource};
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::request::which_keys::{Choice, HandedOver, WhichKeys};
use crate::secret::form::Form;
use crate::secret::redactor::Redactor;
use crate::text::random_id;

/// What the client ID of `--check` begins with; 128 random bits follow.
const NOBODY: &str = "ably-revoke-token-check-";
/// The largest targets file, in bytes.
const TARGETS_LIMIT: u64 = u32::MAX as u64;

/// One run, as the operator wants it.
#[derive(Debug)]
pub struct Request {
    /// Whose tokens.
    pub subject: Subject,
    /// Whether to ask, go ahead or only show.
    pub consent: Consent,
    /// `--allow-reauth-margin`.
    pub margin: bool,
    /// `--issued-before`.
    pub issued_before: Option<IssuedBefore>,
    /// `--verify`.
    pub verify: bool,
    /// `--check`.
    pub check: bool,
    /// `--unrevoked-to`.
    pub unrevoked_to: Option<PathBuf>,
    /// `--record` with `--reason`.
    pub recording: Option<Recording>,
    /// Which key, of which app.
    pub keys: WhichKeys,
    /// Which hosts, where option or variable says so, and which of them it is.
    pub endpoint: Option<(Endpoint, &'static str)>,
    /// The files that were read, each with what names it.
    pub inputs: Vec<Named>,
    /// `--parallel`.
    pub parallel: usize,
    /// `--verbose`.
    pub verbose: bool,
}

/// What is to be revoked.
#[derive(Debug)]
pub enum Subject {
    /// Targets, as they were given.
    Targets(Targets),
    /// The targets of leaked tokens.
    Leaked(Leaked),
}

impl Subject {
    /// The keys that it is to be revoked with.
    fn choice(&self, all_keys: bool, named: Option<String>) -> Choice {
        match self {
            Self::Leaked(leaked) => Choice::Signers(leaked.signers()),
            Self::Targets(_) if all_keys => Choice::All,
            Self::Targets(_) => named.map_or(Choice::Any, Choice::Named),
        }
    }
}

impl Request {
    /// Reads what arguments and environment mean, and the files that they name. The redactor learns
    /// every secret that is met on the way. The network is how hosts are reached.
    ///
    /// # Errors
    /// Arguments, variables or files that cannot be acted on.
    pub fn read(
        args: &Args,
        env: Environment,
        redactor: &Redactor,
    ) -> Result<(Self, Network), Problem> {
        learn(args, env, redactor);
        let settings = Settings::new(args, env)?;
        let inputs = settings.inputs();
        let roots = match settings.ca_file {
            Some((path, named_by)) => Roots::read(&path, named_by)?,
            None => Roots::BuiltIn,
        };
        let Settings { connect_to, proxies, timeout, endpoint, .. } = settings;
        let network = Network { roots, connect_to, proxies, timeout };
        endpoint.iter().try_for_each(|(endpoint, _)| network.check(endpoint.primary()))?;
        let check = matches!(settings.source, TargetSource::Check);
        let subject = subject(settings.source, settings.by)?;
        let place = settings.key_place;
        let handed_over = place.map_or(Ok(Vec::new()), |place| api_keys::read(place, redactor))?;
        handed_over.iter().try_for_each(|handed| misplaced_own(args, &handed.key))?;
        if let (Subject::Leaked(leaked), true) = (&subject, settings.verify) {
            leaked.prepare_proof(redactor)?;
        }
        let choice = subject.choice(settings.all_keys, settings.key);
        if let (Choice::Any | Choice::Named(_), [first, _, ..]) = (&choice, &handed_over[..]) {
            return Err(several_keys(first, handed_over.len()));
        }
        let request = Self {
            subject,
            consent: settings.consent,
            margin: settings.margin,
            issued_before: settings.issued_before,
            verify: settings.verify,
            check,
            unrevoked_to: settings.unrevoked_to,
            recording: settings.recording,
            keys: WhichKeys {
                handed_over,
                choice,
                app: settings.app,
                may_prompt: settings.consent != Consent::DryRun && !settings.json,
            },
            endpoint,
            inputs,
            parallel: settings.parallel,
            verbose: settings.verbose,
        };
        Ok((request, network))
    }
}

/// A file of several keys where one is needed.
fn several_keys(first: &HandedOver, keys: usize) -> Problem {
    Problem::new(
        format!("{} holds {keys} keys", first.source),
        "add --all-keys to revoke with each of them, or give a file with one key",
    )
}

/// No option may hold the key's own secret, which is known whatever its form.
fn misplaced_own(args: &Args, key: &ApiKey) -> Result<(), Problem> {
    let mut others = args.iter().filter(|(id, _)| *id != Id::ApiKey);
    match others.find(|(_, value)| key.is_in(&value.to_string_lossy())) {
        Some((id, _)) => Err(Problem::misplaced(Form::ApiKey, long(id))),
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

fn subject(source: TargetSource, by: Option<Kind>) -> Result<Subject, Problem> {
    match source {
        TargetSource::Options(targets) => Ok(Subject::Targets(targets)),
        TargetSource::File(path) => {
            let name = file::called(&path);
            let bytes = file::read_named(&path, TARGETS_LIMIT, long(Id::TargetsFile), &name)?;
            targets_file::read(&name, bytes).map(Subject::Targets)
        }
        TargetSource::Token(path) => {
            Leaked::read(&path, long(Id::FromToken), by).map(Subject::Leaked)
        }
        TargetSource::Check => {
            let nobody = format!("{NOBODY}{}", random_id());
            let target = [(Kind::ClientId, nobody.as_str())];
            Targets::from_options(target.into_iter()).map(Subject::Targets)
        }
    }
}
