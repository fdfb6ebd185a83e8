//! What the arguments mean: checked against each other, with environment and files read in. After
//! this step only the key is missing.

pub mod environment;
pub mod issued_before;
pub mod jwt;
pub mod leaked;
pub mod targets;
pub mod which_keys;

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::cli::flags::{self, Id};
use crate::cli::parse::Args;
use crate::error::{Error, Problem};
use crate::file::{self, STDIN};
use crate::keys::cli_config;
use crate::keys::credentials::{self, Given};
use crate::net::endpoint::{ConnectTo, Endpoint};
use crate::net::proxy::Proxies;
use crate::net::retry::Courier;
use crate::net::roots::Roots;
use crate::net::{Network, auth};
use crate::request::environment::Environment;
use crate::request::issued_before::IssuedBefore;
use crate::request::jwt::Token;
use crate::request::leaked::{Candidates, Leaked};
use crate::request::targets::{Kind, STDIN_NAME, Targets};
use crate::request::which_keys::{KeyChoice, Wanted};
use crate::revoke::left_over;
use crate::revoke::verify::Verifier;
use crate::secret::form::{Form, secret_form};
use crate::secret::redactor::Redactor;
use crate::terminal::choose::Chooser;
use crate::terminal::output::Output;

/// The longest `--timeout`, in seconds.
const MAX_TIMEOUT: u64 = 3600;
/// The largest targets file, in bytes.
const TARGETS_LIMIT: u64 = u32::MAX as u64;
/// The options that name targets, of which exactly one is given.
const TARGET_SOURCES: [Id; 5] =
    [Id::ClientId, Id::RevocationKey, Id::Channel, Id::TargetsFile, Id::FromToken];
/// The largest file with a token, in bytes.
const TOKEN_LIMIT: u64 = 1 << 20;
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
    /// The key that was handed over, where one was.
    pub given: Option<Given>,
    /// Key and app.
    pub wanted: Wanted,
    /// Which hosts, where option or variable says so.
    pub endpoint: Option<Endpoint>,
    /// How they are reached.
    pub network: Network,
    /// `--unrevoked-to`, checked.
    pub unrevoked_to: Option<PathBuf>,
    /// The token that the target came from.
    pub leaked: Option<Leaked>,
    /// `--verify`.
    pub verify: bool,
    /// Puts choices to the operator, where that may be.
    pub chooser: Chooser,
    /// `--verbose`.
    pub verbose: bool,
}

impl Request {
    /// Asks with the leaked token, where that is wanted.
    ///
    /// # Errors
    /// The token cannot stand in a header.
    pub fn verifier<'a>(&self, courier: Courier<'a>) -> Result<Option<Verifier<'a>>, Error> {
        let leaked = self.leaked.as_ref().filter(|_| self.verify);
        let verifier = leaked.map(|leaked| {
            Verifier::new(courier, &leaked.token.raw, self.network.timeout, self.margin)
        });
        verifier.transpose()
    }
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
pub fn resolve(
    args: &Args,
    env: Environment,
    output: &Output,
    redactor: &Redactor,
) -> Result<Request, Error> {
    credentials::learn(args, env, redactor);
    misplaced_secret(args, env).map_err(Error::Input)?;
    let consent = consent(args, env).map_err(Error::Input)?;
    let chooser = Chooser::new(output.clone(), consent == Consent::Ask);
    let candidates = candidates(args)?;
    if let Some(Candidates { token, .. }) = &candidates {
        auth::conceal_token(&token.raw, redactor);
    }
    let mut request =
        build(args, env, consent, chooser, candidates.as_ref()).map_err(Error::Input)?;
    request.given = credentials::given(args, env, redactor)?;
    match &request.given {
        Some((key, _)) => misplaced_own(args, key).map_err(Error::Input)?,
        // Read again when it is needed; this is for its flaws.
        None => cli_config::path(|name| env.raw(name))
            .map_or(Ok(()), |path| cli_config::read(&path).map(|_| ()))
            .map_err(Error::Input)?,
    }
    // The question comes last.
    if let Some(candidates) = candidates {
        let leaked = Leaked::choose(candidates, &request.chooser)?;
        request.targets = leaked.targets().map_err(Error::Input)?;
        request.leaked = Some(leaked);
    }
    Ok(request)
}

/// No value but that of `--api-key` may hold a secret: it would be shown, or sent as a target, a
/// name or a host.
fn misplaced_secret(args: &Args, env: Environment) -> Result<(), Problem> {
    for (id, value) in args.iter().filter(|(id, _)| *id != Id::ApiKey) {
        if let Some(form) = secret_form(&value.to_string_lossy()) {
            return Err(form.misplaced(&flags::long(id)));
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
            return Err(form.misplaced(name));
        }
    }
    Ok(())
}

/// The same for the key's own secret, which is known whatever its form.
fn misplaced_own(args: &Args, key: &ApiKey) -> Result<(), Problem> {
    let mut others = args.iter().filter(|(id, _)| *id != Id::ApiKey);
    match others.find(|(_, value)| key.is_in(&value.to_string_lossy())) {
        Some((id, _)) => Err(Form::ApiKey.misplaced(&flags::long(id))),
        None => Ok(()),
    }
}

fn build(
    args: &Args,
    env: Environment,
    consent: Consent,
    chooser: Chooser,
    candidates: Option<&Candidates>,
) -> Result<Request, Problem> {
    let targets = match candidates {
        Some(candidates) => candidates.targets()?,
        None => targets(args)?,
    };
    let targets_file = args.path(Id::TargetsFile)?;
    let unrevoked_to = args.path(Id::UnrevokedTo)?;
    let (endpoint, network) = (endpoint(args, env)?, network(args, env)?);
    // Before any question; where the endpoint may still come from elsewhere, after it.
    if let Some(endpoint) = &endpoint {
        network.check(endpoint.primary())?;
    }
    Ok(Request {
        margin: args.has(Id::AllowReauthMargin),
        issued_before: args.text(Id::IssuedBefore)?.map(IssuedBefore::parse).transpose()?,
        consent,
        given: None,
        wanted: wanted(args, env, consent, candidates.map(|it| &it.token))?,
        chooser,
        endpoint,
        network,
        unrevoked_to: unrevoked_to
            .map(|path| {
                not_an_input(path, args, env)?;
                left_over::check(path, targets_file, &targets)
            })
            .transpose()?,
        verbose: args.has(Id::Verbose),
        verify: args.has(Id::Verify),
        targets,
        leaked: None,
    })
}

fn consent(args: &Args, env: Environment) -> Result<Consent, Problem> {
    let json = args.has(Id::Json) || args.has(Id::PrettyJson);
    if args.has(Id::Json) && args.has(Id::PrettyJson) {
        return Err(exclusive(&[Id::Json, Id::PrettyJson]));
    }
    let from_stdin = from_stdin(args, env);
    if from_stdin.len() > 1 {
        let message = format!("{} cannot both read standard input", from_stdin.join(" and "));
        return Err(Problem::new(message, "give one of them a file"));
    }
    if args.has(Id::DryRun) {
        return Ok(Consent::DryRun);
    }
    if args.has(Id::Force) {
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

/// What takes stdin as its file.
fn from_stdin(args: &Args, env: Environment) -> Vec<String> {
    let by_option = args
        .of(&[Id::ApiKeyFile, Id::TargetsFile, Id::FromToken])
        .filter(|(_, value)| *value == STDIN)
        .map(|(id, _)| flags::long(id));
    let handed_over = args.has(Id::ApiKey) || args.has(Id::ApiKeyFile);
    let variable = "ABLY_API_KEY_FILE";
    let by_variable = !handed_over
        && env.raw("ABLY_API_KEY").is_none()
        && env.raw(variable).is_some_and(|path| path == STDIN);
    by_option.chain(by_variable.then(|| variable.to_owned())).collect()
}

/// The one option that names targets.
fn target_source(args: &Args) -> Result<Id, Problem> {
    let mut sources: Vec<Id> = Vec::new();
    for (id, _) in args.of(&TARGET_SOURCES) {
        if !sources.contains(&id) {
            sources.push(id);
        }
    }
    match sources.as_slice() {
        [source] => Ok(*source),
        [] => Err(Problem::new(
            "no target",
            format!("give one of {}", TARGET_SOURCES.map(flags::long).join(", ")),
        )),
        several => Err(exclusive(several)),
    }
}

/// The targets of options or of a file.
fn targets(args: &Args) -> Result<Targets, Problem> {
    let of_options = |id: Id, kind: Kind| {
        let values: Vec<&str> = args.all_text(id).collect::<Result<_, _>>()?;
        Targets::from_options(values.into_iter().map(|value| (kind, value)))
    };
    match target_source(args)? {
        Id::ClientId => of_options(Id::ClientId, Kind::ClientId),
        Id::RevocationKey => of_options(Id::RevocationKey, Kind::RevocationKey),
        Id::Channel => of_options(Id::Channel, Kind::Channel),
        source => {
            let (name, bytes) = file_of(args, source, TARGETS_LIMIT)?;
            Targets::from_file(&name, bytes)
        }
    }
}

/// The token that the target is to be worked out of.
fn candidates(args: &Args) -> Result<Option<Candidates>, Error> {
    let source = target_source(args).map_err(Error::Input)?;
    if source != Id::FromToken {
        return match [Id::By, Id::Verify].into_iter().find(|id| args.has(*id)) {
            None => Ok(None),
            Some(id) => Err(Error::input(
                format!("{} goes with --from-token", flags::long(id)),
                "leave it out, or give the leaked token",
            )),
        };
    }
    if args.has(Id::Key) {
        return Err(Error::Input(exclusive(&[Id::FromToken, Id::Key])));
    }
    let by = match args.text(Id::By).map_err(Error::Input)? {
        None => None,
        Some("client-id") => Some(Kind::ClientId),
        Some("revocation-key") => Some(Kind::RevocationKey),
        Some(_) => {
            let message = "the value of --by is neither client-id nor revocation-key";
            return Err(Error::input(message, "give --by client-id or --by revocation-key"));
        }
    };
    let (_, bytes) = file_of(args, source, TOKEN_LIMIT).map_err(Error::Input)?;
    let candidates = Candidates::read(&Zeroizing::new(bytes), by)?;
    if args.has(Id::Verify) && !candidates.token.is_signed() {
        return Err(Error::input(
            "--verify: the token has no signature, so that Ably would reject it in any case",
            "give the whole token, or leave --verify out",
        ));
    }
    Ok(Some(candidates))
}

/// The bytes of an option's file, or of stdin, with what to call it.
fn file_of(args: &Args, id: Id, limit: u64) -> Result<(String, Vec<u8>), Problem> {
    let path = args.path(id)?.unwrap_or(Path::new(""));
    let name = match path == Path::new(STDIN) {
        true => STDIN_NAME.to_owned(),
        false => file::shown(path),
    };
    let bytes = file::read_named(path, limit, &flags::long(id), &name)?;
    Ok((name, bytes))
}

fn wanted(
    args: &Args,
    env: Environment,
    consent: Consent,
    token: Option<&Token>,
) -> Result<Wanted, Problem> {
    if args.has(Id::ApiKey) && args.has(Id::ApiKeyFile) {
        return Err(exclusive(&[Id::ApiKey, Id::ApiKeyFile]));
    }
    let app = match args.text(Id::App)? {
        Some(app) => Some((app.to_owned(), "--app")),
        None => env.text("ABLY_APP_ID")?.map(|app| (app, "ABLY_APP_ID")),
    };
    let of_token = token.map(|token| (token.app_id().to_owned(), "the token"));
    let choice = match token {
        Some(token) => Some(KeyChoice::Signer(token.key_name.clone())),
        None => args.text(Id::Key)?.map(|key| KeyChoice::Named(key.to_owned())),
    };
    Ok(Wanted {
        choice,
        app: app.or(of_token),
        may_prompt: consent != Consent::DryRun && !args.has(Id::Json) && !args.has(Id::PrettyJson),
    })
}

fn endpoint(args: &Args, env: Environment) -> Result<Option<Endpoint>, Problem> {
    if let Some(value) = args.text(Id::Endpoint)? {
        return Endpoint::parse(value).map(Some).map_err(|problem| named(problem, "--endpoint"));
    }
    let value = env.text("ABLY_ENDPOINT")?;
    let endpoint = value.map(|value| Endpoint::parse(&value)).transpose();
    endpoint.map_err(|problem| named(problem, "ABLY_ENDPOINT"))
}

fn network(args: &Args, env: Environment) -> Result<Network, Problem> {
    let connect_to = args.text(Id::ConnectTo)?.map(ConnectTo::parse).transpose();
    let variable = |name: &str| env.raw(name).map(|value| value.to_string_lossy().into_owned());
    Ok(Network {
        roots: roots(args, env)?,
        connect_to: connect_to.map_err(|problem| named(problem, "--connect-to"))?,
        proxies: Proxies::from_env(variable),
        timeout: timeout(args)?,
    })
}

fn roots(args: &Args, env: Environment) -> Result<Roots, Problem> {
    match (args.path(Id::CaFile)?, env.raw("SSL_CERT_FILE")) {
        (Some(path), _) => Roots::read(path, "--ca-file"),
        (None, Some(path)) => Roots::read(Path::new(&path), "SSL_CERT_FILE"),
        (None, None) => Ok(Roots::BuiltIn),
    }
}

fn timeout(args: &Args) -> Result<Duration, Problem> {
    let Some(value) = args.text(Id::Timeout)? else {
        return Ok(DEFAULT_TIMEOUT);
    };
    seconds(value).ok_or_else(|| {
        Problem::new(
            "the value of --timeout is no time that can be used",
            format!("give more than 0 and at most {MAX_TIMEOUT}, such as 30 or 2.5"),
        )
    })
}

/// The left-over file must not take the place of what is only read here.
fn not_an_input(path: &Path, args: &Args, env: Environment) -> Result<(), Problem> {
    let variable = |name| env.raw(name).map(PathBuf::from);
    let option = |id| Ok::<_, Problem>(args.path(id)?.map(Path::to_owned));
    let inputs = [
        ("--api-key-file", option(Id::ApiKeyFile)?),
        ("--ca-file", option(Id::CaFile)?),
        ("--from-token", option(Id::FromToken)?),
        ("ABLY_API_KEY_FILE", variable("ABLY_API_KEY_FILE")),
        ("SSL_CERT_FILE", variable("SSL_CERT_FILE")),
        ("the Ably CLI's configuration", cli_config::path(|name| env.raw(name))),
    ];
    for (name, file) in inputs {
        if file.is_some_and(|file| left_over::is_same(path, &file)) {
            let message = format!("--unrevoked-to and {name} name the same file");
            return Err(Problem::new(message, "name another file"));
        }
    }
    Ok(())
}

/// `a, b and c`.
fn listing(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

fn exclusive(options: &[Id]) -> Problem {
    let options: Vec<String> = options.iter().map(|id| flags::long(*id)).collect();
    Problem::new(format!("{} exclude each other", listing(&options)), "give one of them")
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

fn named(problem: Problem, source: &str) -> Problem {
    Problem { message: format!("{source}: {}", problem.message), remedy: problem.remedy }
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
