//! What arguments and environment say, checked against each other. Reads no file and asks nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::flags::{Id, long, variable};
use crate::cli::parse::Args;
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::STDIN;
use crate::net::endpoint::{ConnectTo, Endpoint};
use crate::net::proxy::Proxies;
use crate::request::issued_before::IssuedBefore;
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::secret::form::secret_form;

/// The longest `--timeout`, in seconds.
const MAX_TIMEOUT: u64 = 3600;
/// The most connections at once.
const MAX_PARALLEL: usize = 16;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The options that name targets, of which exactly one is given.
const TARGET_SOURCES: [Id; 5] =
    [Id::ClientId, Id::RevocationKey, Id::Channel, Id::TargetsFile, Id::FromToken];

/// What stands between the checks and the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// A question.
    Ask,
    /// Nothing, `--force`.
    Given,
    /// Everything, `--dry-run`.
    DryRun,
}

/// Where the targets come from.
#[derive(Debug)]
pub enum TargetSource {
    /// Options.
    Options(Targets),
    /// `--targets-file`.
    File(PathBuf),
    /// `--from-token`.
    Token(PathBuf),
    /// `--check`: a client ID that nobody can have.
    Check,
}

/// Where a key is handed over, with what names that place.
#[derive(Debug)]
pub enum KeyPlace {
    /// A text: `--api-key`, `ABLY_API_KEY`.
    Text(OsString, &'static str),
    /// A file: `--api-key-file`, `ABLY_API_KEY_FILE`.
    File(PathBuf, &'static str),
}

/// A lasting account of the run.
#[derive(Debug)]
pub struct Recording {
    /// `--record`.
    pub path: PathBuf,
    /// `--reason`.
    pub reason: Option<String>,
}

/// What arguments and environment say.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is named like its option")]
pub struct Settings {
    pub source: TargetSource,
    pub consent: Consent,
    pub margin: bool,
    pub issued_before: Option<IssuedBefore>,
    pub by: Option<Kind>,
    pub verify: bool,
    pub unrevoked_to: Option<PathBuf>,
    pub recording: Option<Recording>,
    pub key_place: Option<KeyPlace>,
    pub key: Option<String>,
    pub all_keys: bool,
    /// With the option or variable that names it.
    pub app: Option<(String, &'static str)>,
    /// With the option or variable that names it.
    pub endpoint: Option<(Endpoint, &'static str)>,
    pub connect_to: Option<ConnectTo>,
    pub proxies: Proxies,
    /// With the option or variable that names it.
    pub ca_file: Option<(PathBuf, &'static str)>,
    pub timeout: Duration,
    pub parallel: usize,
    pub json: bool,
    pub verbose: bool,
}

impl Settings {
    /// Makes sense of arguments and environment together.
    ///
    /// # Errors
    /// An argument or a variable that cannot be used, or two that cannot be used together.
    pub fn new(args: &Args, env: Environment) -> Result<Self, Problem> {
        misplaced_secret(args, env)?;
        if args.has(Id::Json) && args.has(Id::PrettyJson) {
            return Err(exclusive(&[Id::Json, Id::PrettyJson]));
        }
        let json = args.has(Id::Json) || args.has(Id::PrettyJson);
        let key_place = key_place(args, env)?;
        let get = |name: &str| env.raw(name).map(|value| value.to_string_lossy().into_owned());
        let settings = Self {
            consent: consent(args, json, key_place.as_ref())?,
            source: target_source(args)?,
            margin: args.has(Id::AllowReauthMargin),
            issued_before: args.text(Id::IssuedBefore)?.map(IssuedBefore::parse).transpose()?,
            by: by(args)?,
            verify: args.has(Id::Verify),
            unrevoked_to: args.path(Id::UnrevokedTo)?.map(Path::to_owned),
            recording: recording(args)?,
            key_place,
            key: args.text(Id::Key)?.map(str::to_owned),
            all_keys: args.has(Id::AllKeys),
            app: named(args, env, Id::App)?,
            endpoint: parsed(args, env, Id::Endpoint, Endpoint::parse)?,
            connect_to: parsed(args, env, Id::ConnectTo, ConnectTo::parse)?.map(|(it, _)| it),
            proxies: Proxies::from_env(get),
            ca_file: file_named(args, env, Id::CaFile)?,
            timeout: timeout(args)?,
            parallel: parallel(args)?,
            json,
            verbose: args.has(Id::Verbose),
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), Problem> {
        if matches!(self.source, TargetSource::Check) {
            let pointless = [
                (self.unrevoked_to.is_some(), Id::UnrevokedTo),
                (self.consent == Consent::DryRun, Id::DryRun),
            ];
            if let Some((_, id)) = pointless.into_iter().find(|(given, _)| *given) {
                return Err(exclusive(&[Id::Check, id]));
            }
        }
        if self.all_keys && self.key.is_some() {
            return Err(exclusive(&[Id::AllKeys, Id::Key]));
        }
        if matches!(self.source, TargetSource::Token(_)) {
            let chooses = [(self.key.is_some(), Id::Key), (self.all_keys, Id::AllKeys)];
            return match chooses.into_iter().find(|(given, _)| *given) {
                None => Ok(()),
                Some((_, id)) => Err(Problem::new(
                    format!("--from-token and {} cannot be used together", long(id)),
                    "each token is revoked with the key that signed it, out of all keys at hand: \
                     leave the option out",
                )),
            };
        }
        let only_with_token = [(self.by.is_some(), Id::By), (self.verify, Id::Verify)];
        match only_with_token.into_iter().find(|(given, _)| *given) {
            None => Ok(()),
            Some((_, id)) => Err(Problem::new(
                format!("{} requires --from-token", long(id)),
                "leave it out, or give the leaked token",
            )),
        }
    }

    /// The files that are read, each with what names it.
    pub fn inputs(&self) -> Vec<(PathBuf, &'static str)> {
        let of_key = match &self.key_place {
            Some(KeyPlace::File(path, named_by)) => Some((path.clone(), *named_by)),
            _ => None,
        };
        let of_targets = match &self.source {
            TargetSource::Options(_) | TargetSource::Check => None,
            TargetSource::File(path) => Some((path.clone(), long(Id::TargetsFile))),
            TargetSource::Token(path) => Some((path.clone(), long(Id::FromToken))),
        };
        of_key.into_iter().chain(of_targets).chain(self.ca_file.clone()).collect()
    }
}

/// No value but that of `--api-key` may hold a secret: it would be shown, or sent as a target, a
/// name or a host.
fn misplaced_secret(args: &Args, env: Environment) -> Result<(), Problem> {
    for (id, value) in args.iter().filter(|(id, _)| *id != Id::ApiKey) {
        if let Some(form) = secret_form(&value.to_string_lossy()) {
            return Err(Problem::misplaced(form, long(id)));
        }
    }
    let key_given = args.has(Id::ApiKey) || args.has(Id::ApiKeyFile);
    let variables = [
        ("ABLY_APP_ID", args.has(Id::App)),
        ("ABLY_ENDPOINT", args.has(Id::Endpoint)),
        ("ABLY_CONTROL_HOST", false),
        ("ABLY_API_KEY_FILE", key_given || env.raw("ABLY_API_KEY").is_some()),
        ("SSL_CERT_FILE", args.has(Id::CaFile)),
    ];
    for (name, _) in variables.into_iter().filter(|(_, overridden)| !overridden) {
        let value = env.raw(name).unwrap_or_default();
        if let Some(form) = secret_form(&value.to_string_lossy()) {
            return Err(Problem::misplaced(form, name));
        }
    }
    Ok(())
}

fn consent(args: &Args, json: bool, key: Option<&KeyPlace>) -> Result<Consent, Problem> {
    let from_stdin = from_stdin(args, key);
    if from_stdin.len() > 1 {
        let message = format!("{} cannot both read standard input", from_stdin.join(" and "));
        return Err(Problem::new(message, "give one of them a file"));
    }
    if args.has(Id::DryRun) {
        return Ok(Consent::DryRun);
    }
    if args.has(Id::Force) || args.has(Id::Check) {
        return Ok(Consent::Given);
    }
    let why = match from_stdin.first() {
        _ if json => "the output is JSON".to_owned(),
        Some(source) => format!("{source} reads standard input"),
        None => return Ok(Consent::Ask),
    };
    Err(Problem::new(
        format!("{why}, so there is no way to ask for confirmation"),
        "add --force to go ahead without it; nothing was sent",
    ))
}

/// What takes standard input as its file.
fn from_stdin(args: &Args, key: Option<&KeyPlace>) -> Vec<&'static str> {
    let of_key = match key {
        Some(KeyPlace::File(path, named_by)) if path == Path::new(STDIN) => Some(*named_by),
        _ => None,
    };
    let of_targets = args.of(&[Id::TargetsFile, Id::FromToken]);
    let of_targets = of_targets.filter(|(_, value)| *value == STDIN).map(|(id, _)| long(id));
    of_key.into_iter().chain(of_targets).collect()
}

/// The first place that is named: option, variable, and a text before a file.
fn key_place(args: &Args, env: Environment) -> Result<Option<KeyPlace>, Problem> {
    if args.has(Id::ApiKey) && args.has(Id::ApiKeyFile) {
        return Err(exclusive(&[Id::ApiKey, Id::ApiKeyFile]));
    }
    if let Some(key) = args.path(Id::ApiKey)? {
        return Ok(Some(KeyPlace::Text(key.as_os_str().to_owned(), long(Id::ApiKey))));
    }
    if let Some(path) = args.path(Id::ApiKeyFile)? {
        return Ok(Some(KeyPlace::File(path.to_owned(), long(Id::ApiKeyFile))));
    }
    if let Some(key) = env.raw("ABLY_API_KEY") {
        return Ok(Some(KeyPlace::Text(key, "ABLY_API_KEY")));
    }
    let path = env.raw("ABLY_API_KEY_FILE");
    Ok(path.map(|path| KeyPlace::File(path.into(), "ABLY_API_KEY_FILE")))
}

/// The one option that names targets.
fn target_source(args: &Args) -> Result<TargetSource, Problem> {
    let mut given: Vec<Id> = Vec::new();
    for (id, _) in args.of(&TARGET_SOURCES) {
        if !given.contains(&id) {
            given.push(id);
        }
    }
    let of_options = |id: Id, kind: Kind| {
        let values: Vec<&str> = args.all_text(id).collect::<Result<_, _>>()?;
        Targets::from_options(values.into_iter().map(|value| (kind, value)))
            .map(TargetSource::Options)
    };
    let path = |id: Id| Ok::<_, Problem>(args.path(id)?.unwrap_or(Path::new("")).to_owned());
    match given.as_slice() {
        [] if args.has(Id::Check) => Ok(TargetSource::Check),
        [first, ..] if args.has(Id::Check) => Err(Problem::new(
            format!("--check and {} cannot be used together", long(*first)),
            "--check needs no target: leave one of them out",
        )),
        [Id::ClientId] => of_options(Id::ClientId, Kind::ClientId),
        [Id::RevocationKey] => of_options(Id::RevocationKey, Kind::RevocationKey),
        [Id::Channel] => of_options(Id::Channel, Kind::Channel),
        [Id::TargetsFile] => path(Id::TargetsFile).map(TargetSource::File),
        [_] => path(Id::FromToken).map(TargetSource::Token),
        [] => Err(Problem::new(
            "no target",
            format!("give one of {}", TARGET_SOURCES.map(long).join(", ")),
        )),
        several => Err(exclusive(several)),
    }
}

fn by(args: &Args) -> Result<Option<Kind>, Problem> {
    match args.text(Id::By)? {
        None => Ok(None),
        Some("client-id") => Ok(Some(Kind::ClientId)),
        Some("revocation-key") => Ok(Some(Kind::RevocationKey)),
        Some(_) => Err(Problem::new(
            "--by must be client-id or revocation-key",
            "give --by client-id or --by revocation-key",
        )),
    }
}

fn recording(args: &Args) -> Result<Option<Recording>, Problem> {
    let reason = args.text(Id::Reason)?.map(str::to_owned);
    match args.path(Id::Record)? {
        Some(path) => Ok(Some(Recording { path: path.to_owned(), reason })),
        None if reason.is_some() => {
            Err(Problem::new("--reason requires --record", "leave it out, or give --record FILE"))
        }
        None => Ok(None),
    }
}

/// The value of an option, else of its variable, with the name of the one that was given.
fn named(args: &Args, env: Environment, id: Id) -> Result<Option<(String, &'static str)>, Problem> {
    if let Some(value) = args.text(id)? {
        return Ok(Some((value.to_owned(), long(id))));
    }
    let variable = variable(id);
    let value = variable.map(|name| env.text(name)).transpose()?.flatten();
    Ok(value.zip(variable))
}

/// The same, read.
fn parsed<T>(
    args: &Args,
    env: Environment,
    id: Id,
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Result<Option<(T, &'static str)>, Problem> {
    let Some((value, named_by)) = named(args, env, id)? else { return Ok(None) };
    let parsed = parse(&value).map_err(|problem| problem.context(named_by))?;
    Ok(Some((parsed, named_by)))
}

fn file_named(
    args: &Args,
    env: Environment,
    id: Id,
) -> Result<Option<(PathBuf, &'static str)>, Problem> {
    if let Some(path) = args.path(id)? {
        return Ok(Some((path.to_owned(), long(id))));
    }
    let variable = variable(id);
    Ok(variable.and_then(|name| env.raw(name)).map(PathBuf::from).zip(variable))
}

fn timeout(args: &Args) -> Result<Duration, Problem> {
    let Some(value) = args.text(Id::Timeout)? else {
        return Ok(DEFAULT_TIMEOUT);
    };
    seconds(value).ok_or_else(|| {
        Problem::new(
            "invalid --timeout",
            format!("give more than 0 and at most {MAX_TIMEOUT} seconds, such as 30 or 2.5"),
        )
    })
}

fn parallel(args: &Args) -> Result<usize, Problem> {
    let Some(value) = args.text(Id::Parallel)? else {
        return Ok(1);
    };
    let number = value.parse().ok().filter(|number| (1..=MAX_PARALLEL).contains(number));
    number.ok_or_else(|| {
        Problem::new(
            "invalid --parallel",
            format!("give a number of connections, 1 to {MAX_PARALLEL}"),
        )
    })
}

/// Seconds with at most three decimals.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let whole: u64 = whole.parse().ok().filter(|seconds| *seconds <= MAX_TIMEOUT)?;
    let millis: u64 = format!("{decimals:0<3}").parse().ok()?;
    let total = Duration::from_millis(whole * 1000 + millis);
    (!total.is_zero() && total <= Duration::from_secs(MAX_TIMEOUT)).then_some(total)
}

/// `a, b and c`.
fn listing(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

fn exclusive(options: &[Id]) -> Problem {
    let names: Vec<&str> = options.iter().map(|id| long(*id)).collect();
    let kinds = [Id::ClientId, Id::RevocationKey, Id::Channel];
    let remedy = match options.iter().all(|id| kinds.contains(id)) {
        true => "give one of them, or put mixed kinds into a file for --targets-file",
        false => "give one of them",
    };
    Problem::new(format!("{} cannot be used together", listing(&names)), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert_eq!(seconds("30"), Some(Duration::from_secs(30)));
        assert_eq!(seconds("2.5"), Some(Duration::from_millis(2500)));
        assert_eq!(seconds("0.05"), Some(Duration::from_millis(50)));
        for bad in ["", "0", "0.000", "-1", "1.", ".5", "3601", "3600.001", "1e3", "1.0000", "٣"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
