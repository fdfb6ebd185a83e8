//! What the arguments mean: checked against each other, with environment and files read in. After
//! this step only the key is missing.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use crate::args::Args;
use crate::credentials::Wanted;
use crate::environment::Environment;
use crate::error::Problem;
use crate::flags::Id;
use crate::issued_before::IssuedBefore;
use crate::net::Network;
use crate::net::endpoint::{ConnectTo, Endpoint};
use crate::net::proxy::Proxies;
use crate::net::roots::Roots;
use crate::targets::{Kind, Targets};

/// The longest `--timeout`, in seconds.
const MAX_TIMEOUT: u64 = 3600;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// One run, as the operator wants it.
#[derive(Debug)]
pub struct Request {
    /// Whose tokens.
    pub targets: Targets,
    /// `--allow-reauth-margin`.
    pub margin: bool,
    /// `--issued-before`.
    pub issued_before: Option<IssuedBefore>,
    /// Whether to ask, go ahead or only show.
    pub consent: Consent,
    /// Key and app.
    pub wanted: Wanted,
    /// Which hosts, where option or variable says so.
    pub endpoint: Option<Endpoint>,
    /// How they are reached.
    pub network: Network,
    /// `--verbose`.
    pub verbose: bool,
}

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

/// Works out what a run is to do.
///
/// # Errors
/// Arguments, variables or files that cannot be acted on.
pub fn resolve(args: &Args, env: Environment) -> Result<Request, Problem> {
    let consent = consent(args)?;
    Ok(Request {
        targets: targets(args)?,
        margin: args.has(Id::AllowReauthMargin),
        issued_before: text(args, Id::IssuedBefore)?
            .map(IssuedBefore::parse)
            .transpose()?,
        consent,
        wanted: wanted(args, env, consent)?,
        endpoint: endpoint(args, env)?,
        network: Network {
            roots: roots(args, env)?,
            connect_to: text(args, Id::ConnectTo)?
                .map(ConnectTo::parse)
                .transpose()
                .map_err(|problem| named(problem, "--connect-to"))?,
            proxies: Proxies::from_env(|name| {
                env.raw(name)
                    .map(|value| value.to_string_lossy().into_owned())
            })?,
            timeout: timeout(args)?,
        },
        verbose: args.has(Id::Verbose),
    })
}

fn consent(args: &Args) -> Result<Consent, Problem> {
    if args.has(Id::Json) && args.has(Id::PrettyJson) {
        return Err(Problem::new(
            "--json and --pretty-json exclude each other",
            "give one of them",
        ));
    }
    if args.has(Id::DryRun) {
        return Ok(Consent::DryRun);
    }
    if args.has(Id::Force) {
        return Ok(Consent::Given);
    }
    let must_not_ask = |why: &str| {
        Err(Problem::new(
            format!("{why}, so there is no way to ask for confirmation"),
            "add --force to go ahead without it; nothing was sent",
        ))
    };
    if args.has(Id::Json) || args.has(Id::PrettyJson) {
        return must_not_ask("the output is JSON");
    }
    if stdin_options(args).next().is_some() {
        return must_not_ask("standard input is read as a file");
    }
    Ok(Consent::Ask)
}

/// The options that take stdin as their file.
fn stdin_options(args: &Args) -> impl Iterator<Item = Id> {
    args.of(&[Id::ApiKeyFile])
        .filter(|(_, value)| *value == OsStr::new("-"))
        .map(|(id, _)| id)
}

fn targets(args: &Args) -> Result<Targets, Problem> {
    let mut kinds = Vec::new();
    let mut given = Vec::new();
    for (id, value) in args.of(&[Id::ClientId, Id::RevocationKey, Id::Channel]) {
        let kind = match id {
            Id::ClientId => Kind::ClientId,
            Id::RevocationKey => Kind::RevocationKey,
            _ => Kind::Channel,
        };
        let option = long(id);
        if !kinds.contains(&option) {
            kinds.push(option);
        }
        given.push((kind, utf8(value, id)?));
    }
    match kinds.as_slice() {
        [] => Err(Problem::new(
            "no target",
            "give one of --client-id, --revocation-key or --channel",
        )),
        [_] => Targets::from_options(given.into_iter()),
        several => Err(Problem::new(
            format!("{} exclude each other", several.join(" and ")),
            "give targets of one kind",
        )),
    }
}

fn wanted(args: &Args, env: Environment, consent: Consent) -> Result<Wanted, Problem> {
    if args.has(Id::ApiKey) && args.has(Id::ApiKeyFile) {
        return Err(Problem::new(
            "--api-key and --api-key-file exclude each other",
            "give one of them",
        ));
    }
    let key = args.one(Id::ApiKey).map(OsStr::to_owned);
    if key.as_ref().is_some_and(|key| key.is_empty()) {
        return Err(Problem::new(
            "--api-key is empty",
            "leave it out to use ABLY_API_KEY",
        ));
    }
    let app = match text(args, Id::App)? {
        Some(app) => Some((app.to_owned(), "--app")),
        None => env.text("ABLY_APP_ID")?.map(|app| (app, "ABLY_APP_ID")),
    };
    let json = args.has(Id::Json) || args.has(Id::PrettyJson);
    Ok(Wanted {
        key,
        key_file: path(args, Id::ApiKeyFile)?,
        app,
        key_choice: text(args, Id::Key)?.map(str::to_owned),
        may_prompt: !json,
        may_choose: consent == Consent::Ask,
    })
}

fn endpoint(args: &Args, env: Environment) -> Result<Option<Endpoint>, Problem> {
    if let Some(value) = text(args, Id::Endpoint)? {
        return Endpoint::parse(value)
            .map(Some)
            .map_err(|problem| named(problem, "--endpoint"));
    }
    let value = env.text("ABLY_ENDPOINT")?;
    value
        .map(|value| Endpoint::parse(&value))
        .transpose()
        .map_err(|problem| named(problem, "ABLY_ENDPOINT"))
}

fn roots(args: &Args, env: Environment) -> Result<Roots, Problem> {
    match (path(args, Id::CaFile)?, env.raw("SSL_CERT_FILE")) {
        (Some(path), _) => Roots::read(&path, "--ca-file"),
        (None, Some(path)) => Roots::read(&PathBuf::from(path), "SSL_CERT_FILE"),
        (None, None) => Ok(Roots::BuiltIn),
    }
}

fn timeout(args: &Args) -> Result<Duration, Problem> {
    let Some(value) = text(args, Id::Timeout)? else {
        return Ok(DEFAULT_TIMEOUT);
    };
    seconds(value).ok_or_else(|| {
        Problem::new(
            "the value of --timeout is not a number of seconds",
            format!("give more than 0 and at most {MAX_TIMEOUT}, such as 30 or 2.5"),
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
    let whole: u64 = whole
        .parse()
        .ok()
        .filter(|seconds| *seconds <= MAX_TIMEOUT)?;
    let millis: u64 = format!("{decimals:0<3}").parse().ok()?;
    let total = Duration::from_millis(whole * 1000 + millis);
    (!total.is_zero() && total <= Duration::from_secs(MAX_TIMEOUT)).then_some(total)
}

/// A single-valued option as text that is not empty.
fn text(args: &Args, id: Id) -> Result<Option<&str>, Problem> {
    args.one(id)
        .map(|value| utf8(value, id).and_then(|text| filled(text, id)))
        .transpose()
}

fn path(args: &Args, id: Id) -> Result<Option<PathBuf>, Problem> {
    match args.one(id) {
        Some(path) if path.is_empty() => Err(empty(id)),
        path => Ok(path.map(PathBuf::from)),
    }
}

fn utf8(value: &OsStr, id: Id) -> Result<&str, Problem> {
    value
        .to_str()
        .ok_or_else(|| Problem::new(format!("the value of {} is not UTF-8", long(id)), ""))
}

fn filled(text: &str, id: Id) -> Result<&str, Problem> {
    if text.is_empty() {
        Err(empty(id))
    } else {
        Ok(text)
    }
}

fn empty(id: Id) -> Problem {
    Problem::new(
        format!("{} is empty", long(id)),
        "give it a value or leave it out",
    )
}

/// An option's long name with its dashes.
fn long(id: Id) -> String {
    let flag = crate::flags::FLAGS.iter().find(|flag| flag.id == id);
    format!("--{}", flag.map_or("", |flag| flag.long))
}

fn named(problem: Problem, source: &str) -> Problem {
    Problem {
        message: format!("{source}: {}", problem.message),
        remedy: problem.remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert_eq!(seconds("30"), Some(Duration::from_secs(30)));
        assert_eq!(seconds("2.5"), Some(Duration::from_millis(2500)));
        assert_eq!(seconds("0.05"), Some(Duration::from_millis(50)));
        for bad in [
            "", "0", "0.000", "-1", "1.", ".5", "3601", "3600.001", "1e3", "1.0000", "٣",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
