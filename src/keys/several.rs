//! Several keys at once: all of an app (`--all-keys`), or those that signed leaked tokens. All
//! sources are asked, since a key revokes only the tokens that it issued.

use crate::error::{Error, Problem};
use crate::keys::credentials::{Found, meant, none_found, type_in};
use crate::keys::select;
use crate::keys::shapes::{AccountEndpoint, App, Credential, KeyAtHand};
use crate::keys::sources::Sources;
use crate::request::which_keys::{Choice, HandedOver, WhichKeys};
use crate::secret::form::Typed;
use crate::signals::Signals;
use crate::terminal::prompt;

/// Every key of the app that can revoke.
///
/// # Errors
/// There is none, or one alone; one is of another app; a source is there but cannot be used.
pub(super) fn all(which: WhichKeys, sources: &mut Sources<'_>) -> Result<Found, Error> {
    let WhichKeys { handed_over, choice, app, .. } = which;
    let mut found = Found::default();
    read_configuration(sources, &handed_over, &mut found.warnings)?;
    let first = handed_over.first().map(|handed| App::by_id(handed.key.app_id()));
    let app = app.as_ref().map(|(app, named_by)| (app.as_str(), *named_by));
    let (app, named_by) = match (app, first) {
        (None, Some(own)) => (Some(own), "the first key"),
        (Some((app, named_by)), Some(own)) if app == own.id => (Some(own), named_by),
        (app, _) => meant(app, sources)?,
    };
    let mut control = sources.control()?;
    let app = match (app, &mut control) {
        (Some(app), _) => Some(app),
        (None, Some(control)) => Some(select::app_of_account(control.apps()?, sources.chooser())?),
        (None, None) => {
            select::app_with_stored_key(sources.apps_with_stored_key(), sources.chooser())?
        }
    };
    let Some(app) = app else {
        return Err(none_found(&choice, None, sources).into());
    };
    for key in handed_over.into_iter().map(KeyAtHand::from) {
        add(&mut found, key, &app, named_by, Ok(None))?;
    }
    if let Some(key) = sources.stored_key(&app)? {
        add(&mut found, key, &app, named_by, sources.account_endpoint())?;
    }
    if let Some(control) = &mut control {
        let (keys, _) = control.keys(&app)?;
        for key in keys {
            match key.revocable {
                Some(true) => add(&mut found, key, &app, named_by, sources.control_endpoint())?,
                _ => warn_of(&mut found, &key),
            }
        }
    }
    match found.credentials.as_slice() {
        [] => Err(none_found(&choice, Some(&app), sources).into()),
        [one] => Err(one_alone(one, &found.warnings).into()),
        _ => Ok(found),
    }
}

/// The keys that signed leaked tokens, as far as they are at hand.
///
/// # Errors
/// None of them is; a source is there but cannot be used, and no other has one.
pub(super) fn signers(
    which: WhichKeys,
    sources: &mut Sources<'_>,
    signals: &Signals,
) -> Result<Found, Error> {
    let WhichKeys { handed_over, choice, app, may_prompt } = which;
    let mut found = Found::default();
    let choice = match (app, choice) {
        (Some((app, named_by)), Choice::Signers(names)) => {
            let (app, names) = of_app(names, &app, named_by, sources)?;
            found.only_app = Some(app);
            Choice::Signers(names)
        }
        (_, choice) => choice,
    };
    let mut signers = Signers { choice, found, others: Vec::new() };
    let failure = signers.gather(handed_over, sources)?;
    let Signers { choice, mut found, others } = signers;
    if !found.credentials.is_empty() {
        // What one key lacks must not keep the others waiting.
        found.warnings.extend(failure.and_then(|error| match error {
            Error::Input(problem) => Some(problem.message),
            Error::Lookup(lookup) => Some(lookup.problem.message),
            Error::Declined(_) | Error::Signal(_) => None,
        }));
        return Ok(found);
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    if !others.is_empty() {
        return Err(select::other_keys(&choice, &others));
    }
    let one = matches!(&choice, Choice::Signers(names) if names.len() == 1);
    if !(may_prompt && one && prompt::can_ask_for_key()) {
        return Err(none_found(&choice, None, sources).into());
    }
    let (key, source) = type_in(&choice, sources, signals)?;
    let mut signers = Signers { choice, found, others };
    signers.take(KeyAtHand::from(HandedOver { key, source }), None, Ok(None))?;
    match signers.others.is_empty() {
        true => Ok(signers.found),
        false => Err(select::other_keys(&signers.choice, &signers.others)),
    }
}

/// The app that is meant, and the key names that belong to it.
fn of_app(
    mut names: Vec<String>,
    app: &str,
    named_by: &'static str,
    sources: &mut Sources<'_>,
) -> Result<(String, Vec<String>), Error> {
    let is_of = |name: &String, app: &str| name.split_once('.').is_some_and(|(own, _)| own == app);
    let known = match names.iter().any(|name| is_of(name, app)) {
        true => None,
        false => sources.app_by_id_or_name(app, named_by)?,
    };
    let app = known.unwrap_or_else(|| App::by_id(app));
    let all = Choice::Signers(names.clone());
    names.retain(|name| is_of(name, &app.id));
    match names.is_empty() {
        true => Err(Error::input(
            format!("{named_by} asks for app {}, but {all}", Typed(&app.to_string())),
            "leave the app out, or give the tokens of that app",
        )),
        false => Ok((app.id, names)),
    }
}

/// The keys that signed leaked tokens, while they are looked for.
struct Signers {
    choice: Choice,
    found: Found,
    /// Keys that signed none of the tokens.
    others: Vec<KeyAtHand>,
}

impl Signers {
    fn take(
        &mut self,
        key: KeyAtHand,
        app: Option<&App>,
        endpoint: AccountEndpoint,
    ) -> Result<(), Error> {
        if !self.choice.is(&key.key, None) {
            self.others.push(key);
            return Ok(());
        }
        let own = App::by_id(key.key.app_id());
        add(&mut self.found, key, app.unwrap_or(&own), "the token", endpoint)
    }

    /// Takes the keys of all sources, one source after the other as long as keys are missing. Says
    /// why the last of them, the Control API, failed.
    fn gather(
        &mut self,
        handed_over: Vec<HandedOver>,
        sources: &mut Sources<'_>,
    ) -> Result<Option<Error>, Error> {
        let nothing_handed_over = handed_over.is_empty();
        for key in handed_over.into_iter().map(KeyAtHand::from) {
            self.take(key, None, Ok(None))?;
        }
        if !self.missing_apps().is_empty() {
            match sources.read_configuration() {
                Err(problem) if nothing_handed_over => return Err(problem.into()),
                Err(problem) => self.found.warnings.push(problem.message),
                Ok(()) => {}
            }
        }
        for app in self.missing_apps() {
            let app = sources.configured_app(&app);
            if let Some(key) = sources.stored_key(&app)? {
                self.take(key, Some(&app), sources.account_endpoint())?;
            }
        }
        match self.missing_apps().is_empty() {
            true => Ok(None),
            false => Ok(self.ask_control(sources).err()),
        }
    }

    /// The apps of the keys that are not found yet, each once.
    fn missing_apps(&self) -> Vec<String> {
        let Choice::Signers(names) = &self.choice else {
            return Vec::new();
        };
        let has = |name: &str| self.found.credentials.iter().any(|one| one.key.name() == name);
        let mut apps: Vec<String> = Vec::new();
        for (app, _) in
            names.iter().filter(|name| !has(name)).filter_map(|name| name.split_once('.'))
        {
            if apps.iter().all(|known| known != app) {
                apps.push(app.to_owned());
            }
        }
        apps
    }

    /// Asks for the keys that are still missing; the first app that fails stops none of the others.
    fn ask_control(&mut self, sources: &mut Sources<'_>) -> Result<(), Error> {
        let Some(mut control) = sources.control()? else {
            return Ok(());
        };
        let apps = control.apps()?;
        let mut done = Ok(());
        for app in self.missing_apps() {
            let app = select::app_of_control(apps.clone(), &app, "the token");
            match app.and_then(|app| Ok((control.keys(&app)?.0, app))) {
                Ok((keys, app)) => {
                    for key in keys {
                        self.take(key, Some(&app), sources.control_endpoint())?;
                    }
                }
                Err(error) => done = done.and(Err(error)),
            }
        }
        done
    }
}

/// Reads the configuration. That it cannot be read is no hindrance where there are keys, but told.
fn read_configuration(
    sources: &mut Sources<'_>,
    handed_over: &[HandedOver],
    warnings: &mut Vec<String>,
) -> Result<(), Problem> {
    match sources.read_configuration() {
        Err(problem) if handed_over.is_empty() => Err(problem),
        Err(problem) => {
            warnings.push(problem.message);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Adds a key of the app, unless an earlier source had it.
fn add(
    found: &mut Found,
    key: KeyAtHand,
    app: &App,
    named_by: &'static str,
    endpoint: AccountEndpoint,
) -> Result<(), Error> {
    if found.credentials.iter().all(|known| known.key.name() != key.key.name()) {
        let credential = select::credential(key, app.clone(), named_by)?;
        found.credentials.push(Credential { endpoint, ..credential });
    }
    Ok(())
}

fn warn_of(found: &mut Found, key: &KeyAtHand) {
    let name = key.key.name();
    if found.credentials.iter().all(|known| known.key.name() != name) {
        found.warnings.push(format!(
            "key {name} has no revocable tokens: those that it issued live until they expire or \
             the key is revoked in the dashboard"
        ));
    }
}

fn one_alone(one: &Credential, warnings: &[String]) -> Problem {
    let (name, source) = (one.key.name(), &one.source);
    let others =
        if warnings.is_empty() { String::new() } else { format!("; {}", warnings.join("; ")) };
    Problem::new(
        format!("--all-keys: only key {name} from {source} is at hand{others}"),
        "give --api-key-file a file with a key a line, or set ABLY_ACCESS_TOKEN so that the Control API \
         lists the app's keys; or leave --all-keys out to revoke with that key alone",
    )
}
