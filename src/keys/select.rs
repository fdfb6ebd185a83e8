//! Which of several apps and keys is meant: by ID, by name, by being the only one, by choice. What
//! there is to select from was looked up before. A key of another app is refused here.

use crate::error::{Error, Problem};
use crate::keys::key::{App, Choice, Key};
use crate::secret::shape::Typed;
use crate::terminal::prompt::Chooser;
use crate::text::{count, listed};

const EXACT: &str = "names must match exactly, and IDs are case-sensitive";

/// Refuses a key of another app. That one may be meant by a name that nobody here can look up.
pub(super) fn same_app(key: &Key, app: &App) -> Result<(), Problem> {
    let own = key.api_key.app_id();
    if own == app.id {
        return Ok(());
    }
    let (shown, named_by) = (key.shown(), app.named_by);
    Err(Problem::new(
        format!("the key {shown} belongs to app {own}, but {named_by} asks for app {app}"),
        format!(
            "nothing was sent; use a key of that app, or leave the app out; if that is the name of \
             {own}, give the ID, or set ABLY_ACCESS_TOKEN so that the name can be looked up"
        ),
    ))
}

/// An app by ID, else by name; `None` where neither is known.
pub(super) fn app(known: Vec<App>, wanted: &str, named_by: &str) -> Result<Option<App>, Problem> {
    let by_id = known.iter().find(|app| app.id == wanted).cloned();
    let is_called = |app: &App| app.name.as_deref() == Some(wanted);
    let mut named: Vec<App> = match by_id {
        Some(app) => vec![app],
        None => known.into_iter().filter(is_called).collect(),
    };
    if named.len() < 2 {
        return Ok(named.pop());
    }
    let what = format!("{named_by}: several apps are named {}: {}", Typed(wanted), listed(named));
    Err(Problem::new(what, "give the ID"))
}

/// The app that is meant among those of the Control API.
pub(super) fn app_of_control(apps: Vec<App>, wanted: &str, named_by: &str) -> Result<App, Problem> {
    let there = if apps.is_empty() { "no app".to_owned() } else { listed(&apps) };
    app(apps, wanted, named_by)?.ok_or_else(|| {
        let wanted = Typed(wanted);
        let what = format!("{named_by} asks for app {wanted}, but the account has {there}");
        Problem::new(what, EXACT)
    })
}

/// The only app, or the one chosen; `None` where there is none.
pub(super) fn only_app(
    mut apps: Vec<App>,
    several: &str,
    chooser: &Chooser,
) -> Result<Option<App>, Error> {
    if apps.len() < 2 {
        return Ok(apps.pop());
    }
    let labels: Vec<String> = apps.iter().map(App::to_string).collect();
    let title = format!("There are {}:", count(apps.len(), "app"));
    let n = chooser.among(&title, &labels, Problem::new(several, "name one with --app"))?;
    Ok(Some(apps.swap_remove(n)))
}

/// Of an app's enabled keys the one that is meant.
pub(super) fn key<'k>(
    keys: &'k [Key],
    app: &App,
    choice: &Choice,
    chooser: &Chooser,
) -> Result<&'k Key, Error> {
    match choice {
        _ if keys.is_empty() => Err(Error::input(
            format!("app {app} has no API key that is enabled"),
            "create one in the dashboard, with revocable tokens enabled",
        )),
        Choice::Named(name) => Ok(key_named(keys, app, name)?),
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
    let mut told = match can.is_empty() || chooser.is_allowed {
        true => [can, cannot].concat(),
        false => can,
    };
    let labels: Vec<String> = told.iter().copied().map(label).collect();
    let n = chooser.among(&format!("API keys of app {app}:"), &labels, problem)?;
    Ok(told.swap_remove(n))
}

/// The key that `--key` names: by its ID, else by what its owner calls it.
fn key_named<'k>(keys: &'k [Key], app: &App, name: &str) -> Result<&'k Key, Problem> {
    let is_called = |key: &&Key| key.label.as_deref() == Some(name);
    let named: Vec<&Key> = match keys.iter().find(|key| key.has_id(name)) {
        Some(key) => vec![key],
        None => keys.iter().filter(is_called).collect(),
    };
    let (what, remedy) = match named.as_slice() {
        [only] => return Ok(only),
        [] => ("which is none of the enabled keys", EXACT),
        _ => ("the name of several keys", "give the ID"),
    };
    let there = listed(keys.iter().map(label));
    Err(Problem::new(format!("--key asks for {name}, {what} of app {app}: {there}"), remedy))
}

fn label(key: &Key) -> String {
    let note = if key.irrevocable { ", tokens not revocable" } else { "" };
    format!("{} ({}{note})", key.api_key.id(), key.label.as_deref().unwrap_or_default())
}
