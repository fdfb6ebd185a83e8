//! Which of several apps and keys is meant: by ID, by name, by being the only one, by choice. What
//! there is to select from was looked up before. A key of another app is refused here.

use crate::error::{Error, Problem};
use crate::keys::key::{App, Choice, Key};
use crate::secret::shape::Typed;
use crate::terminal::choose::Chooser;
use crate::text::{count, listed};

const EXACT: &str = "names must match exactly, and IDs are case-sensitive";

/// Refuses a key of another app.
pub(super) fn same_app(key: &Key, app: &App, named_by: &str) -> Result<(), Error> {
    match key.api_key.app_id() == app.id {
        true => Ok(()),
        false => Err(another_app(key, &app.to_string(), named_by, "")),
    }
}

/// The same where the app may be meant by a name that nobody here can look up.
pub(super) fn another_or_unknown_app(key: &Key, app: &str, named_by: &str) -> Error {
    let own = key.api_key.app_id();
    let more = format!(
        "; if that is the name of {own}, give the ID, or set ABLY_ACCESS_TOKEN so that the name can \
         be looked up"
    );
    another_app(key, app, named_by, &more)
}

fn another_app(key: &Key, app: &str, named_by: &str, more: &str) -> Error {
    let (name, source, own) = (key.name(), &key.source, key.api_key.app_id());
    let app = Typed(app);
    Error::input(
        format!(
            "the key {name} from {source} belongs to app {own}, but {named_by} asks for app {app}"
        ),
        format!("nothing was sent; use a key of that app, or leave the app out{more}"),
    )
}

/// Refuses keys that were handed over where another one is meant.
pub(super) fn another_key(choice: &Choice, keys: &[Key]) -> Error {
    let names: Vec<String> = keys.iter().map(|key| key.name().to_owned()).collect();
    let source = keys.first().map_or("", |key| key.source.as_str());
    Error::input(
        format!("{choice}, but the key from {source} is {}", listed(&names)),
        "--key chooses among the keys of a key file, the configuration or the Control API: leave one \
         of the two out",
    )
}

/// Refuses keys of which none signed the leaked tokens.
pub(super) fn other_keys(choice: &Choice, others: &[Key]) -> Error {
    let shown = |key: &Key| format!("{} from {}", key.name(), key.source);
    let others: Vec<String> = others.iter().map(shown).collect();
    Error::input(
        format!("{choice}, which is not at hand; there is {}", listed(&others)),
        "only the key that signed a token can revoke it: give that one",
    )
}

/// An app by ID, else by name; `None` where neither is known.
pub(super) fn app(known: Vec<App>, wanted: &str, named_by: &str) -> Result<Option<App>, Error> {
    let (mut by_id, others): (Vec<_>, Vec<_>) = known.into_iter().partition(|app| app.id == wanted);
    if let Some(found) = by_id.pop() {
        return Ok(Some(found));
    }
    let mut named: Vec<App> =
        others.into_iter().filter(|app| app.name.as_deref() == Some(wanted)).collect();
    if named.len() > 1 {
        let ids: Vec<&str> = named.iter().map(|app| app.id.as_str()).collect();
        return Err(Error::input(
            format!("{named_by}: several apps are named {}: {}", Typed(wanted), ids.join(", ")),
            "give the ID",
        ));
    }
    Ok(named.pop())
}

/// The app that is meant among those of the Control API.
pub(super) fn app_of_control(apps: Vec<App>, wanted: &str, named_by: &str) -> Result<App, Error> {
    let there: Vec<String> = apps.iter().map(App::to_string).collect();
    match app(apps, wanted, named_by)? {
        Some(found) if found.enabled => Ok(found),
        Some(found) => {
            Err(Error::input(format!("app {found} is disabled"), "enable it in the dashboard"))
        }
        None => {
            let there = if there.is_empty() { "no app".to_owned() } else { listed(&there) };
            let wanted = Typed(wanted);
            let what = format!("{named_by} asks for app {wanted}, but the account has {there}");
            Err(Error::input(what, EXACT))
        }
    }
}

/// The only app of the account that is enabled, or the one chosen.
pub(super) fn app_of_account(mut apps: Vec<App>, chooser: &Chooser) -> Result<App, Error> {
    apps.retain(|app| app.enabled);
    let several = Problem::new("the account has several apps", "name one with --app");
    one_of(apps, several, chooser)?.ok_or_else(|| {
        Error::input("the account has no app that is enabled", "check ABLY_ACCESS_TOKEN")
    })
}

/// The only app that has a key in the configuration, or the one chosen; `None` where none has.
pub(super) fn app_with_stored_key(apps: Vec<App>, chooser: &Chooser) -> Result<Option<App>, Error> {
    let several =
        Problem::new("several apps have a key in the configuration", "name one with --app");
    one_of(apps, several, chooser)
}

/// Of an app's enabled keys the one that is meant; and the others that can revoke.
pub(super) fn key(
    mut keys: Vec<Key>,
    disabled: usize,
    app: &App,
    choice: &Choice,
    chooser: &Chooser,
) -> Result<(Key, Vec<Key>), Error> {
    if keys.is_empty() {
        let enabled = if disabled == 0 { "" } else { " that is enabled" };
        return Err(Error::input(
            format!("app {app} has no API key{enabled}"),
            "create one in the dashboard, with revocable tokens enabled",
        ));
    }
    keys.sort_by_key(|key| key.revocable != Some(true));
    let n = match choice {
        Choice::Named(_) => named_key(&keys, app, choice)?,
        _ => revocable_key(&keys, app, chooser)?,
    };
    let key = keys.remove(n);
    keys.retain(|other| other.revocable == Some(true));
    Ok((key, keys))
}

/// The position of the only key that can revoke, which come first; else of the one chosen.
fn revocable_key(keys: &[Key], app: &App, chooser: &Chooser) -> Result<usize, Error> {
    let can = keys.iter().filter(|key| key.revocable == Some(true)).count();
    let (what, remedy) = match can {
        1 => return Ok(0),
        0 => (
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
    let labels: Vec<String> = keys.iter().map(label).collect();
    // On a terminal any may be tried; an error names those that the remedy speaks of.
    let told = if chooser.is_allowed() || can == 0 { keys.len() } else { can };
    let labels = labels.get(..told).unwrap_or(&labels);
    chooser.among(&format!("API keys of app {app}:"), labels, problem)
}

/// The position of the key that `--key` names: by its ID, else by what its owner calls it.
fn named_key(keys: &[Key], app: &App, choice: &Choice) -> Result<usize, Error> {
    let places = |is: &dyn Fn(&Key) -> bool| -> Vec<usize> {
        keys.iter().enumerate().filter(|(_, key)| is(key)).map(|(n, _)| n).collect()
    };
    let mut matching = places(&|key| choice.is(key, None));
    if matching.is_empty() {
        matching = places(&|key| choice.is(key, key.label.as_deref()));
    }
    let there = listed(&keys.iter().map(label).collect::<Vec<_>>());
    match matching.as_slice() {
        [only] => Ok(*only),
        [] => Err(Error::input(
            format!("{choice}, which is none of the enabled keys of app {app}: {there}"),
            EXACT,
        )),
        _ => Err(Error::input(
            format!("{choice}, and several keys of app {app} have that name: {there}"),
            "give the ID",
        )),
    }
}

fn label(key: &Key) -> String {
    let note = if key.revocable == Some(true) { "" } else { ", tokens not revocable" };
    format!("{} ({}{note})", key.api_key.id(), key.label.as_deref().unwrap_or_default())
}

/// The only app, or the one chosen; `None` where there is none.
fn one_of(mut apps: Vec<App>, several: Problem, chooser: &Chooser) -> Result<Option<App>, Error> {
    if apps.len() < 2 {
        return Ok(apps.pop());
    }
    let labels: Vec<String> = apps.iter().map(App::to_string).collect();
    let title = format!("There are {}:", count(apps.len(), "app"));
    let n = chooser.among(&title, &labels, several)?;
    Ok(apps.into_iter().nth(n))
}
