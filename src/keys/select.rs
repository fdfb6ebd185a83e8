//! Which of several apps and keys is meant: by ID, by name, by being the only one, by choice. What
//! there is to pick from was looked up before.

use crate::api_key::ApiKey;
use crate::error::{Error, Problem};
use crate::keys::cli_config::{self, Account};
use crate::keys::control_api;
use crate::request::which_keys::{AppRef, KeyChoice, Wanted};
use crate::secret::form::Typed;
use crate::terminal::choose::{Chooser, listed};
use crate::text::count;

/// Of an app's keys the one named; else the only revocable one; else the one chosen.
pub fn pick_key(
    chooser: &Chooser,
    mut keys: Vec<control_api::Key>,
    disabled: usize,
    app: &AppRef,
    choice: Option<&KeyChoice>,
) -> Result<ApiKey, Error> {
    if keys.is_empty() {
        let what = if disabled == 0 { "has no API key" } else { "has no API key that is enabled" };
        return Err(Error::input(
            format!("app {app} {what}"),
            "create one in the dashboard, with revocable tokens enabled",
        ));
    }
    keys.sort_by_key(|key| !key.revocable);
    if let Some(choice) = choice {
        return named_key(keys, app, choice);
    }
    let mut revocable = keys.iter().filter(|key| key.revocable);
    let n = match (revocable.next(), revocable.next()) {
        (Some(_), None) => 0,
        (first, _) => {
            let (what, remedy) = match first {
                Some(_) => (
                    "several keys with",
                    "name with --key the one that issued the tokens: another cannot revoke them",
                ),
                None => (
                    "no key with",
                    "enable revocable tokens for one of them in the dashboard; tokens issued \
                     before that stay irrevocable",
                ),
            };
            let problem = Problem::new(format!("app {app} has {what} revocable tokens"), remedy);
            chooser.among(&format!("API keys of app {app}:"), &labels(&keys), problem)?
        }
    };
    let key = keys.into_iter().nth(n).map(|key| key.key);
    key.ok_or_else(|| Error::input(format!("app {app} has no such key"), ""))
}

/// What the configuration lacks for an app.
pub fn lack(account: &Account, app: &AppRef, wanted: &Wanted) -> String {
    let entry = account.app_by_id(&app.id);
    let stored = entry.and_then(|entry| ApiKey::from_secret(entry.api_key.as_ref()?).ok());
    match (entry, stored, &wanted.choice) {
        (_, Some(key), Some(choice)) => format!("holds {} for app {app}, but {choice}", key.name()),
        (None, ..) => {
            let known: Vec<String> =
                account.apps.iter().map(|app| app_ref(app).to_string()).collect();
            format!("knows no app {app}{}", listed(&known))
        }
        _ => format!("holds none for app {app}"),
    }
}

/// The apps of the configuration.
pub fn apps_of(account: &Account) -> Vec<AppRef> {
    account.apps.iter().map(app_ref).collect()
}

/// An app of the configuration, as others know it.
pub fn app_ref(app: &cli_config::App) -> AppRef {
    AppRef { id: app.id.clone(), name: app.name.clone() }
}

/// An app by ID, else by name; `None` where neither is known.
pub fn pick_app(known: &[AppRef], app: &str, named_by: &str) -> Result<Option<AppRef>, Error> {
    if let Some(found) = known.iter().find(|known| known.id == app) {
        return Ok(Some(found.clone()));
    }
    let named: Vec<&AppRef> =
        known.iter().filter(|known| known.name.as_deref() == Some(app)).collect();
    match named.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        several => {
            let ids: Vec<&str> = several.iter().map(|app| app.id.as_str()).collect();
            Err(Error::input(
                format!(
                    "several apps bear the name that {named_by} gives, {}: {}",
                    Typed(app),
                    ids.join(", ")
                ),
                "name one by its ID",
            ))
        }
    }
}

/// The app that is meant among those of the Control API.
///
/// # Errors
/// None is, several are, or it is disabled.
pub fn app_of_control(
    apps: &[control_api::App],
    app: &str,
    named_by: &str,
) -> Result<AppRef, Error> {
    let known: Vec<AppRef> = apps
        .iter()
        .map(|app| AppRef { id: app.id.clone(), name: Some(app.name.clone()) })
        .collect();
    let Some(found) = pick_app(&known, app, named_by)? else {
        let there: Vec<String> = known.iter().map(AppRef::to_string).collect();
        return Err(Error::input(
            format!(
                "{named_by} asks for app {app}, which is none of the account's apps{}",
                listed(&there)
            ),
            "names must match exactly, and IDs are case-sensitive",
        ));
    };
    if apps.iter().any(|app| app.id == found.id && !app.enabled) {
        return Err(Error::input(format!("app {found} is disabled"), "enable it in the dashboard"));
    }
    Ok(found)
}

/// Whether a stored key is the one that is meant, if any is.
pub fn is_chosen(choice: Option<&KeyChoice>, key: &ApiKey, entry: &cli_config::App) -> bool {
    choice.is_none_or(|choice| {
        choice.is(key) || entry.key_name.as_deref().is_some_and(|name| choice.is_named(name))
    })
}

fn named_key(
    keys: Vec<control_api::Key>,
    app: &AppRef,
    choice: &KeyChoice,
) -> Result<ApiKey, Error> {
    let there = listed(&labels(&keys));
    let (by_id, others): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|key| choice.is(&key.key) || choice.is_named(&key.id));
    let mut matching = if by_id.is_empty() {
        others.into_iter().filter(|key| choice.is_named(&key.name)).collect()
    } else {
        by_id
    };
    match (matching.pop(), matching.len()) {
        (Some(key), 0) => Ok(key.key),
        (None, _) => Err(Error::input(
            format!("{choice}, which is none of the enabled keys of app {app}{there}"),
            "names must match exactly, and IDs are case-sensitive",
        )),
        _ => Err(Error::input(
            format!("{choice}, and several keys of app {app} bear that name{there}"),
            "name one by its ID",
        )),
    }
}

fn labels(keys: &[control_api::Key]) -> Vec<String> {
    let label = |key: &control_api::Key| {
        let note = if key.revocable { "" } else { ", tokens not revocable" };
        format!("{} ({}{note})", key.id, key.name)
    };
    keys.iter().map(label).collect()
}

/// The only candidate, or the one chosen; 0 where there is none.
pub fn one_of(
    chooser: &Chooser,
    what: &str,
    labels: Vec<String>,
    otherwise: impl FnOnce() -> Problem,
) -> Result<usize, Error> {
    if labels.len() <= 1 {
        return Ok(0);
    }
    let title = format!("There are {}:", count(labels.len(), what));
    chooser.among(&title, &labels, otherwise())
}
