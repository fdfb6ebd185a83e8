//! What arguments and environment say, checked against each other. Reads no file and asks nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::flags::{Id, long, variable};
use crate::cli::parse::Args;
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::{Named, STDIN};
use crate::keys::handed_over::Place;
use crate::net::Network;
use crate::net::endpoint::{self, Endpoint};
use crate::net::proxy::Proxies;
use crate::net::roots::Roots;
use crate::request::issued_before::IssuedBefore;
use crate::request::target::Kind;
use crate::secret::shape::holds_token;

const MAX_TIMEOUT: u64 = 3600;
const MAX_PARALLEL: usize = 16;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// What comes before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Ask,
    Force,
    DryRun,
}

#[derive(Debug)]
pub enum TargetSource {
    /// The values of options of one kind.
    Options(Kind, Vec<String>),
    File(PathBuf),
    Leak(PathBuf),
    /// `--check`: a client ID that nobody can have.
    Check,
}

/// What arguments and environment say; each field is named like its option. A value that an option or
/// a variable can give comes with the one that gave it.
#[derive(Debug)]
pub struct Settings {
    pub source: TargetSource,
    pub mode: Mode,
    pub margin: bool,
    pub issued_before: Option<IssuedBefore>,
    pub by: Option<Kind>,
    pub verify: bool,
    pub unrevoked_to: Option<PathBuf>,
    pub record: Option<PathBuf>,
    pub reason: Option<String>,
    /// The place that hands a key over; for leaked tokens all of them: each token takes the key that
    /// signed it, wherever that is.
    pub key_places: Vec<Place>,
    /// Options and variables that hand a key over as well, and do not count.
    pub unused_key_places: Vec<&'static str>,
    pub key: Option<String>,
    pub all_keys: bool,
    pub app: Option<(String, &'static str)>,
    pub endpoint: Option<(Endpoint, &'static str)>,
    pub ca_file: Option<Named>,
    pub parallel: usize,
    pub json: bool,
    pub verbose: bool,
}

impl Settings {
    pub fn new(args: &Args, env: Environment) -> Result<Self, Problem> {
        misplaced_secret(args, env)?;
        if args.has(Id::Json) && args.has(Id::PrettyJson) {
            return Err(exclusive(&[Id::Json, Id::PrettyJson]));
        }
        let json = args.has(Id::Json) || args.has(Id::PrettyJson);
        let mut key_places = key_places(args, env)?;
        let serving = if args.has(Id::FromToken) { key_places.len() } else { 1 };
        let unused = key_places.drain(serving.min(key_places.len())..);
        let unused_key_places = unused.map(|place| place.named_by()).collect();
        let source = target_source(args)?;
        let settings = Self {
            mode: mode(args, json, &inputs(&source, &key_places))?,
            source,
            margin: args.has(Id::AllowReauthMargin),
            issued_before: args.text(Id::IssuedBefore)?.map(IssuedBefore::parse).transpose()?,
            by: by(args)?,
            verify: args.has(Id::Verify),
            unrevoked_to: args.path(Id::UnrevokedTo)?.map(Path::to_owned),
            record: args.path(Id::Record)?.map(Path::to_owned),
            reason: args.text(Id::Reason)?.map(str::to_owned),
            key_places,
            unused_key_places,
            key: args.text(Id::Key)?.map(str::to_owned),
            all_keys: args.has(Id::AllKeys),
            app: named(args, env, Id::App)?,
            endpoint: parsed(args, env, Id::Endpoint, Endpoint::parse)?,
            ca_file: raw(args, env, Id::CaFile)?.map(|(path, named_by)| (path.into(), named_by)),
            parallel: parallel(args)?,
            json,
            verbose: args.has(Id::Verbose),
        };
        settings.check(args)?;
        Ok(settings)
    }

    pub fn is_check(&self) -> bool {
        matches!(self.source, TargetSource::Check)
    }

    fn check(&self, args: &Args) -> Result<(), Problem> {
        let is_leak = matches!(self.source, TargetSource::Leak(_));
        let pairs = [(Id::Check, Id::UnrevokedTo), (Id::Check, Id::DryRun), (Id::AllKeys, Id::Key)];
        if let Some((one, other)) = pairs.into_iter().find(|(a, b)| args.has(*a) && args.has(*b)) {
            return Err(exclusive(&[one, other]));
        }
        let signs = "each token is revoked with the key that signed it, out of all keys at hand: leave \
                     the option out";
        let leak = "leave it out, or give the leaked token";
        let rules = [
            (is_leak, Id::Key, "cannot be used with --from-token", signs),
            (is_leak, Id::AllKeys, "cannot be used with --from-token", signs),
            (!is_leak, Id::By, "requires --from-token", leak),
            (!is_leak, Id::Verify, "requires --from-token", leak),
            (
                self.record.is_none(),
                Id::Reason,
                "requires --record",
                "leave it out, or give --record FILE",
            ),
        ];
        match rules.into_iter().find(|(holds, id, ..)| *holds && args.has(*id)) {
            None => Ok(()),
            Some((_, id, what, remedy)) => {
                Err(Problem::new(format!("{} {what}", long(id)), remedy))
            }
        }
    }

    /// The files that are read, each with what names it.
    pub fn inputs(&self) -> Vec<Named> {
        let inputs = inputs(&self.source, &self.key_places);
        inputs.into_iter().chain(self.ca_file.clone()).collect()
    }
}

fn inputs(source: &TargetSource, key_places: &[Place]) -> Vec<Named> {
    let of_keys = key_places.iter().filter_map(|place| match place {
        Place::File(path, named_by) => Some((path.clone(), *named_by)),
        Place::Text(..) => None,
    });
    let of_targets = match source {
        TargetSource::Options(..) | TargetSource::Check => None,
        TargetSource::File(path) => Some((path.clone(), long(Id::TargetsFile))),
        TargetSource::Leak(path) => Some((path.clone(), long(Id::FromToken))),
    };
    of_keys.chain(of_targets).collect()
}

/// How hosts are reached, but for the roots of a file.
pub fn network(args: &Args, env: Environment) -> Result<Network, Problem> {
    let get = |name: &str| env.raw(name).map(|value| value.to_string_lossy().into_owned());
    Ok(Network {
        roots: Roots::built_in(),
        connect_to: parsed(args, env, Id::ConnectTo, endpoint::connect_to)?.map(|(it, _)| it),
        proxies: Proxies::from_env(get),
        timeout: timeout(args)?,
    })
}

/// No value but that of `--api-key` may hold a secret: it would be shown, or sent as a target, a
/// name or a host.
fn misplaced_secret(args: &Args, env: Environment) -> Result<(), Problem> {
    let options = args.iter().filter(|(id, _)| *id != Id::ApiKey);
    let options = options.map(|(id, value)| (long(id), value.to_owned()));
    let key_given = args.has(Id::ApiKey) || args.has(Id::ApiKeyFile);
    let variables = [
        ("ABLY_APP_ID", args.has(Id::App)),
        ("ABLY_ENDPOINT", args.has(Id::Endpoint)),
        ("ABLY_CONTROL_HOST", false),
        ("ABLY_API_KEY_FILE", key_given || env.raw("ABLY_API_KEY").is_some()),
        ("SSL_CERT_FILE", args.has(Id::CaFile)),
    ];
    let serving = variables.into_iter().filter(|(_, is_overridden)| !is_overridden);
    let variables = serving.filter_map(|(name, _)| Some((name, env.raw(name)?)));
    match options.chain(variables).find(|(_, value)| holds_token(&value.to_string_lossy())) {
        Some((place, _)) => Err(Problem::misplaced_token(place)),
        None => Ok(()),
    }
}

fn mode(args: &Args, json: bool, inputs: &[Named]) -> Result<Mode, Problem> {
    let from_stdin = inputs.iter().filter(|(path, _)| path == Path::new(STDIN));
    let from_stdin: Vec<&str> = from_stdin.map(|(_, named_by)| *named_by).collect();
    if from_stdin.len() > 1 {
        let message = format!("{} cannot both read standard input", from_stdin.join(" and "));
        return Err(Problem::new(message, "give one of them a file"));
    }
    if args.has(Id::DryRun) {
        return Ok(Mode::DryRun);
    }
    if args.has(Id::Force) || args.has(Id::Check) {
        return Ok(Mode::Force);
    }
    let why = match from_stdin.first() {
        _ if json => "the output is JSON".to_owned(),
        Some(source) => format!("{source} reads standard input"),
        None => return Ok(Mode::Ask),
    };
    Err(Problem::new(
        format!("{why}, so there is no way to ask for confirmation"),
        "add --force to go ahead without it; nothing was sent",
    ))
}

/// Where keys are handed over, the place first that counts where only one does: option before
/// variable, text before file.
fn key_places(args: &Args, env: Environment) -> Result<Vec<Place>, Problem> {
    if args.has(Id::ApiKey) && args.has(Id::ApiKeyFile) {
        return Err(exclusive(&[Id::ApiKey, Id::ApiKeyFile]));
    }
    let mut places = Vec::new();
    let key = args.path(Id::ApiKey)?;
    places.extend(key.map(|key| Place::Text(key.as_os_str().to_owned(), long(Id::ApiKey))));
    let path = args.path(Id::ApiKeyFile)?;
    places.extend(path.map(|path| Place::File(path.to_owned(), long(Id::ApiKeyFile))));
    places.extend(env.raw("ABLY_API_KEY").map(|key| Place::Text(key, "ABLY_API_KEY")));
    let path = env.raw("ABLY_API_KEY_FILE");
    places.extend(path.map(|path| Place::File(path.into(), "ABLY_API_KEY_FILE")));
    Ok(places)
}

/// What the options that name targets say; exactly one of them is given.
fn target_source(args: &Args) -> Result<TargetSource, Problem> {
    let mut given = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| args.has(kind.id())) {
        let values = args.all_text(kind.id()).map(|value| value.map(str::to_owned));
        given.push((kind.id(), TargetSource::Options(kind, values.collect::<Result<_, _>>()?)));
    }
    let file = |path: &Path| (Id::TargetsFile, TargetSource::File(path.to_owned()));
    given.extend(args.path(Id::TargetsFile)?.map(file));
    let leak = |path: &Path| (Id::FromToken, TargetSource::Leak(path.to_owned()));
    given.extend(args.path(Id::FromToken)?.map(leak));
    let ids: Vec<Id> = given.iter().map(|(id, _)| *id).collect();
    match (given.pop(), ids.as_slice(), args.has(Id::Check)) {
        (None, _, true) => Ok(TargetSource::Check),
        (Some((_, source)), [_], false) => Ok(source),
        (Some(_), [first, ..], true) => Err(Problem::new(
            format!("--check and {} cannot be used together", long(*first)),
            "--check needs no target: leave one of them out",
        )),
        (Some(_), ..) => Err(exclusive(&ids)),
        (None, _, false) => {
            let kinds = Kind::ALL.map(|kind| long(kind.id())).join(", ");
            let files = [Id::TargetsFile, Id::FromToken].map(long).join(", ");
            Err(Problem::new("no target", format!("give one of {kinds}, {files}")))
        }
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

/// The value of an option, else of its variable, with the name of the one that was given.
fn raw(args: &Args, env: Environment, id: Id) -> Result<Option<(OsString, &'static str)>, Problem> {
    let option = args.path(id)?.map(|value| (value.as_os_str().to_owned(), long(id)));
    Ok(option.or_else(|| variable(id).and_then(|name| Some((env.raw(name)?, name)))))
}

/// The same as text.
fn named(args: &Args, env: Environment, id: Id) -> Result<Option<(String, &'static str)>, Problem> {
    let Some((value, named_by)) = raw(args, env, id)? else { return Ok(None) };
    let not_utf8 = |_| Problem::new(format!("{named_by} is not UTF-8"), "");
    Ok(Some((value.into_string().map_err(not_utf8)?, named_by)))
}

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

fn timeout(args: &Args) -> Result<Duration, Problem> {
    let Some(value) = args.text(Id::Timeout)? else { return Ok(DEFAULT_TIMEOUT) };
    let remedy = format!("give more than 0 and at most {MAX_TIMEOUT} seconds, such as 30 or 2.5");
    seconds(value).ok_or_else(|| Problem::new("invalid --timeout", remedy))
}

fn parallel(args: &Args) -> Result<usize, Problem> {
    let Some(value) = args.text(Id::Parallel)? else { return Ok(1) };
    let number = value.parse().ok().filter(|number| (1..=MAX_PARALLEL).contains(number));
    let remedy = format!("give a number of connections, 1 to {MAX_PARALLEL}");
    number.ok_or_else(|| Problem::new("invalid --parallel", remedy))
}

/// Seconds with at most three decimals.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(whole) && digits(decimals) && decimals.len() <= 3;
    // In whole numbers: to read and show a float takes 36 KB of tables and code.
    let seconds = whole.parse::<u32>().ok().filter(|_| plain)?;
    let thousandths = format!("{decimals:0<3}").parse::<u32>().ok()?;
    let millis = u64::from(seconds) * 1000 + u64::from(thousandths);
    (1..=MAX_TIMEOUT * 1000).contains(&millis).then(|| Duration::from_millis(millis))
}

fn exclusive(options: &[Id]) -> Problem {
    let names: Vec<&str> = options.iter().map(|id| long(*id)).collect();
    let kinds = [Id::ClientId, Id::RevocationKey, Id::Channel];
    let remedy = match options.iter().all(|id| kinds.contains(id)) {
        true => "give one of them, or put mixed kinds into a file for --targets-file",
        false => "give one of them",
    };
    Problem::new(format!("{} cannot be used together", names.join(" and ")), remedy)
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
