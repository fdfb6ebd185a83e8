//! Which key serves, and for which app: a key that was handed over, else one
//! of the full CLI's configuration, else one of the Control API, else one that is typed. Nothing
//! is revoked before both are certain.

use std::ffi::OsStr;
use std::path::Path;

use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::cli::flags::Id;
use crate::cli::parse::Args;
use crate::error::{Error, Problem};
use crate::file;
use crate::keys::found::{Credentials, Source, other_app};
use crate::keys::lookup::Lookup;
use crate::net::auth;
use crate::request::environment::Environment;
use crate::request::which_keys::{KeyChoice, Wanted};
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::terminal::prompt;
use crate::text::Safe;

/// The longest key file that is read, in bytes.
const KEY_FILE_LIMIT: u64 = 64 << 10;
const WAYS: &str = "set ABLY_API_KEY or give --api-key-file FILE (- is standard input), ABLY_API_KEY_FILE or \
    --api-key; or log in with the full Ably CLI, or set ABLY_ACCESS_TOKEN; without --json a terminal asks for it";
const FORM: &str = "a key has the form appId.keyId:secret, without quotes or a name before it; copy it whole from the dashboard";

/// A key that was handed over, and by what.
pub type Given = (ApiKey, Source);

/// Finds the key and makes sure that it belongs to the app that was asked for.
///
/// # Errors
/// No key, a malformed one, one of another app, or an app or key that cannot be told apart. No
/// message holds a secret.
pub fn find(
    given: Option<Given>,
    wanted: &Wanted,
    env: Environment,
    signals: &Signals,
    lookup: &mut Lookup<'_>,
) -> Result<Credentials, Error> {
    if let Some((key, source)) = given {
        return handed_over(key, source, wanted, lookup);
    }
    if let Some(found) = lookup.key(wanted)? {
        return Ok(found);
    }
    if wanted.may_prompt && prompt::can_ask_for_key() {
        let which = match &wanted.choice {
            Some(KeyChoice::Signer(name)) => format!(" {name}"),
            _ => String::new(),
        };
        let text = prompt::hidden(signals, &format!("Ably API key{which} (not shown): "))?;
        auth::conceal_given(&text, &lookup.redactor());
        let key = parsed(&text, &Source::Prompt)?;
        return handed_over(key, Source::Prompt, wanted, lookup);
    }
    let error = none_found(env, lookup.why_none());
    Err(match (&wanted.choice, error) {
        (Some(choice @ KeyChoice::Signer(_)), Error::Input(problem)) => {
            Error::input(format!("{choice}: {}", problem.message), problem.remedy)
        }
        (_, error) => error,
    })
}

fn parsed(text: &str, source: &Source) -> Result<ApiKey, Error> {
    ApiKey::parse(text).map_err(|what| {
        Error::input(format!("the API key from {source} cannot be used: {what}"), FORM)
    })
}

/// A key that was not looked up: it serves its own app, and must be the one asked for.
fn handed_over(
    key: ApiKey,
    source: Source,
    wanted: &Wanted,
    lookup: &mut Lookup<'_>,
) -> Result<Credentials, Error> {
    if let Some(choice) = wanted.choice.as_ref().filter(|choice| !choice.is(&key)) {
        let remedy = match choice {
            KeyChoice::Named(_) => {
                "--key chooses among the keys of the configuration or the Control API: leave one of them out"
            }
            KeyChoice::Signer(_) => "only the key that signed a token can revoke it: use that one",
        };
        let message = format!("{choice}, but the key from {source} is {}", key.name());
        return Err(Error::input(message, remedy));
    }
    let (app_name, app_source) = match &wanted.app {
        None => (None, "the key"),
        Some((app, named_by)) if app == key.app_id() => (None, *named_by),
        Some((app, named_by)) => {
            let asked_for = lookup.app_by_id_or_name(app, named_by)?;
            match asked_for {
                Some(known) if known.id == key.app_id() => (known.name, *named_by),
                known => return Err(other_app(&key, &source, app, named_by, known)),
            }
        }
    };
    let asked_control = lookup.asked_control();
    Ok(Credentials { key, source, app_name, app_source, endpoint: None, asked_control })
}

/// Makes the redactor know every secret that an option or a variable holds, whether it serves or
/// not.
pub fn learn(args: &Args, env: Environment, redactor: &Redactor) {
    let key = env.raw("ABLY_API_KEY");
    for key in args.all(Id::ApiKey).map(OsStr::to_owned).chain(key) {
        auth::conceal_given(&key.to_string_lossy(), redactor);
    }
    for token in ["ABLY_ACCESS_TOKEN", "ABLY_TOKEN"].into_iter().filter_map(|name| env.raw(name)) {
        redactor.add(token.to_string_lossy().trim());
    }
}

/// A key that was handed over by option, variable or file, in their order.
///
/// # Errors
/// It cannot be read, or is malformed. No message holds any of it.
pub fn given(args: &Args, env: Environment, redactor: &Redactor) -> Result<Option<Given>, Error> {
    let Some((text, source)) = handed(args, env)? else {
        return Ok(None);
    };
    auth::conceal_given(&text, redactor);
    parsed(&text, &source).map(|key| Some((key, source)))
}

fn handed(args: &Args, env: Environment) -> Result<Option<(Zeroizing<String>, Source)>, Error> {
    let option = |id| args.path(id).map_err(Error::Input);
    if let Some(key) = option(Id::ApiKey)? {
        let text =
            key.as_os_str().to_str().ok_or_else(|| Error::input("--api-key is not UTF-8", FORM))?;
        return Ok(Some((Zeroizing::new(text.to_owned()), Source::Option)));
    }
    if let Some(path) = option(Id::ApiKeyFile)? {
        return from_file(path, "--api-key-file").map(Some);
    }
    if let Some(key) = env.text("ABLY_API_KEY").map_err(Error::Input)? {
        return Ok(Some((Zeroizing::new(key), Source::Variable)));
    }
    match env.raw("ABLY_API_KEY_FILE") {
        Some(path) => from_file(Path::new(&path), "ABLY_API_KEY_FILE").map(Some),
        None => Ok(None),
    }
}

fn from_file(path: &Path, named_by: &'static str) -> Result<(Zeroizing<String>, Source), Error> {
    let shown = file::shown(path);
    let bytes = file::read_named(path, KEY_FILE_LIMIT, named_by, &shown).map_err(Error::Input)?;
    let bytes = Zeroizing::new(bytes);
    let problem = |what: &str| {
        Error::Input(Problem::new(
            format!("{named_by}: {} {what}", Safe(&shown)),
            "the file must hold an API key, appId.keyId:secret, and nothing else",
        ))
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| problem("is not UTF-8 text"))?;
    if text.trim().is_empty() {
        return Err(problem("is empty"));
    }
    Ok((Zeroizing::new(text.to_owned()), Source::File(named_by, path.to_owned())))
}

/// Nothing was found. `why` is what the configuration lacked, where there is one.
fn none_found(env: Environment, why: Option<Problem>) -> Error {
    let empty = env.empty_ones(&["ABLY_API_KEY", "ABLY_API_KEY_FILE", "ABLY_ACCESS_TOKEN"]);
    if !empty.is_empty() {
        let verb = if empty.len() == 1 { "is" } else { "are" };
        let message = format!("no API key: {} {verb} set but empty", empty.join(" and "));
        let remedy =
            format!("in CI, check that the secret exists and reaches this job; else {WAYS}");
        return Error::input(message, remedy);
    }
    if env.raw("ABLY_TOKEN").is_some() {
        let message =
            "no API key: there is ABLY_TOKEN, but a token cannot revoke (Ably error 40162)";
        return Error::input(message, WAYS);
    }
    match why {
        Some(problem) => Error::input(format!("no API key: {}", problem.message), problem.remedy),
        None => Error::input("no API key", WAYS),
    }
}
