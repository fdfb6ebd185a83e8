//! Which of several apps and keys is meant: by ID, by name, by being the only one, by choice. What
//! there is to select from was looked up before. A key of another app is refused here.

use std::collections::BTreeSet;

use crate::error::{Error, Problem};
use crate::keys::key::{App, Choice, Key};
use crate::secret::shape::Typed;
use crate::terminal::choose::Chooser;
use crate::text::{count, listed};

const EXACT: &str = "names must match exactly, and IDs are case-sensitive";

/// Refuses a key of another app. That one may be meant by a name that nobody here can look up.
pub(super) fn same_app(key: &Key, app: &App) -> Result<(), Error> {
    let own = key.api_key.app_id();
    if own == app.id {
        return Ok(());
    }
    let (app, named_by) = (app.to_string(), app.named_by);
    let (name, source, app) = (key.name(), &key.source, Typed(&app));
    Err(Error::input(
        format!(
            "the key {name} from {source} belongs to app {own}, but {named_by} asks for app {app}"
        ),
        format!(
            "nothing was sent; use a key of that app, or leave the app out; if that is the name of \
             {own}, give the ID, or set ABLY_ACCESS_TOKEN so that the name can be looked up"
        ),
    ))
}

/// The one that has this ID, else those that have this name.
fn named<T>(
    mut all: Vec<T>,
    has_id: impl Fn(&T) -> bool,
    is_called: impl Fn(&T) -> bool,
) -> Vec<T> {
    match all.iter().position(has_id) {
        Some(at) => vec![all.swap_remove(at)],
        None => {
            all.retain(is_called);
            all
        }
    }
}

/// An app by ID, else by name; `None` where neither is known.
pub(super) fn app(known: Vec<App>, wanted: &str, named_by: &str) -> Result<Option<App>, Error> {
    let is_called = |app: &App| app.name.as_deref() == Some(wanted);
    let mut named = named(known, |app| app.id == wanted, is_called);
    if named.len() > 1 {
        let ids = listed(named.iter().map(|app| &app.id));
        return Err(Error::input(
            format!("{named_by}: several apps are named {}: {ids}", Typed(wanted)),
            "give the ID",
        ));
    }
    Ok(named.pop())
}

/// The app that is meant among those of the Control API.
pub(super) fn app_of_control(apps: Vec<App>, wanted: &str, named_by: &str) -> Result<App, Error> {
    let there = if apps.is_empty() { "no app".to_owned() } else { listed(&apps) };
    match app(apps, wanted, named_by)? {
        Some(found) if found.enabled => Ok(found),
        Some(found) => {
            Err(Error::input(format!("app {found} is disabled"), "enable it in the dashboard"))
        }
        None => {
            let wanted = Typed(wanted);
            let what = format!("{named_by} asks for app {wanted}, but the account has {there}");
            Err(Error::input(what, EXACT))
        }
    }
}

/// Of the apps of the Control API those with these IDs; one alone must be there.
pub(super) fn apps_of_tokens(
    mut apps: Vec<App>,
    ids: &BTreeSet<String>,
) -> Result<Vec<App>, Error> {
    if let (Some(only), 1) = (ids.first(), ids.len()) {
        return Ok(vec![app_of_control(apps, only, "the token")?]);
    }
    apps.retain(|app| ids.contains(&app.id));
    Ok(apps)
}

/// The only app of the account that is enabled, or the one chosen.
pub(super) fn app_of_account(mut apps: Vec<App>, chooser: &Chooser) -> Result<App, Error> {
    apps.retain(|app| app.enabled);
    one_of(apps, "the account has several apps", chooser)?.ok_or_else(|| {
        Error::input("the account has no app that is enabled", "check ABLY_ACCESS_TOKEN")
    })
}

/// The only app that has a key in the configuration, or the one chosen; `None` where none has.
pub(super) fn app_with_stored_key(apps: Vec<App>, chooser: &Chooser) -> Result<Option<App>, Error> {
    one_of(apps, "several apps have a key in the configuration", chooser)
}

fn one_of(mut apps: Vec<App>, several: &str, chooser: &Chooser) -> Result<Option<App>, Error> {
    if apps.len() < 2 {
        return Ok(apps.pop());
    }
    let title = format!("There are {}:", count(apps.len(), "app"));
    chosen(apps, App::to_string, &title, Problem::new(several, "name one with --app"), chooser)
        .map(Some)
}

fn chosen<T>(
    mut all: Vec<T>,
    label: impl Fn(&T) -> String,
    title: &str,
    several: Problem,
    chooser: &Chooser,
) -> Result<T, Error> {
    let labels: Vec<String> = all.iter().map(label).collect();
    chooser.among(title, &labels, several).map(|n| all.swap_remove(n))
}

/// Of an app's enabled keys the one that is meant.
pub(super) fn key<'k>(
    keys: &'k [Key],
    app: &App,
    choice: &Choice,
    chooser: &Chooser,
) -> Result<&'k Key, Error> {
    if keys.is_empty() {
        return Err(Error::input(
            format!("app {app} has no API key that is enabled"),
            "create one in the dashboard, with revocable tokens enabled",
        ));
    }
    match choice {
        Choice::Named(name) => key_named(keys, app, name),
        _ => revocable_key(keys, app, chooser),
    }
}

/// The only key that can revoke, or the one chosen.
fn revocable_key<'k>(keys: &'k [Key], app: &App, chooser: &Chooser) -> Result<&'k Key, Error> {
    let (can, cannot): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|key| !key.irrevocable);
    let (what, remedy) = match can.as_slice() {
        [only] => return Ok(only),
        [] => (
            "no key",
            "enable revocable tokens for one of them in the dashboard; tokens issued before that \
             stay irrevocable",
        ),
        _ => (
            "several keys",
            "name with --key the one that issued the tokens: another cannot revoke them; or revoke \
             with all of them: --all-keys",
        ),
    };
    let problem = Problem::new(format!("app {app} has {what} with revocable tokens"), remedy);
    // On a terminal any may be tried; an error names those that the remedy speaks of.
    let told = match can.is_empty() || chooser.is_allowed() {
        true => [can, cannot].concat(),
        false => can,
    };
    chosen(told, |key| label(key), &format!("API keys of app {app}:"), problem, chooser)
}

/// The key that `--key` names: by its ID, else by what its owner calls it.
fn key_named<'k>(keys: &'k [Key], app: &App, name: &str) -> Result<&'k Key, Error> {
    let is_called = |key: &&Key| key.label.as_deref() == Some(name);
    let named = named(keys.iter().collect(), |key| key.has_id(name), is_called);
    let (what, remedy) = match named.as_slice() {
        [only] => return Ok(only),
        [] => ("which is none of the enabled keys", EXACT),
        _ => ("the name of several keys", "give the ID"),
    };
    let there = listed(keys.iter().map(label));
    let what = format!("--key asks for {name}, {what} of app {app}: {there}");
    Err(Error::input(what, remedy))
}

fn label(key: &Key) -> String {
    let note = if key.irrevocable { ", tokens not revocable" } else { "" };
    format!("{} ({}{note})", key.api_key.id(), key.label.as_deref().unwrap_or_default())
}
