//! Which of several apps and keys is meant: by ID, by name, by being the only one, by choice. What
//! there is to select from was looked up before. A key of another app is refused here.

use crate::error::{Error, Problem};
use crate::keys::shapes::{App, Credential, KeyAtHand};
use crate::request::which_keys::Choice;
use crate::secret::form::Typed;
use crate::terminal::choose::Chooser;
use crate::text::{count, listed};

/// The key for its app.
///
/// # Errors
/// It is a key of another app.
pub fn credential(
    key: KeyAtHand,
    app: App,
    app_named_by: &'static str,
) -> Result<Credential, Error> {
    if key.key.app_id() != app.id {
        return Err(another_app(&key, &app.to_string(), app_named_by, true));
    }
    Ok(Credential { key: key.key, source: key.source, app, app_named_by, endpoint: Ok(None) })
}

/// Refuses a key of another app. `known` is false where what names the app may be a name.
pub fn another_app(key: &KeyAtHand, app: &str, named_by: &str, known: bool) -> Error {
    let own = key.key.app_id();
    let mut remedy = "nothing was sent; use a key of that app, or leave the app out".to_owned();
    if !known {
        remedy.push_str(&format!(
            "; if that is the name of {own}, give the ID, or set ABLY_ACCESS_TOKEN so that the \
             name can be looked up"
        ));
    }
    let (name, source) = (key.key.name(), &key.source);
    Error::input(
        format!(
            "the key {name} from {source} belongs to app {own}, but {named_by} asks for app {}",
            Typed(app)
        ),
        remedy,
    )
}

/// Refuses a key that was handed over where another one is meant.
pub fn another_key(choice: &Choice, key: &KeyAtHand) -> Error {
    Error::input(
        format!("{choice}, but the key from {} is {}", key.source, key.key.name()),
        "--key chooses among the keys of the configuration or the Control API: leave one of them out",
    )
}

/// Refuses keys of which none signed the leaked tokens.
pub fn other_keys(choice: &Choice, others: &[KeyAtHand]) -> Error {
    let shown = |key: &KeyAtHand| format!("{} from {}", key.key.name(), key.source);
    let others: Vec<String> = others.iter().map(shown).collect();
    Error::input(
        format!("{choice}, which is not at hand; there is{}", listed(&others).replacen(':', "", 1)),
        "only the key that signed a token can revoke it: give that one",
    )
}

/// An app by ID, else by name; `None` where neither is known.
///
/// # Errors
/// Several apps have the name.
pub fn app(known: Vec<App>, wanted: &str, named_by: &str) -> Result<Option<App>, Error> {
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
///
/// # Errors
/// None is, several are, or it is disabled.
pub fn app_of_control(apps: Vec<App>, wanted: &str, named_by: &str) -> Result<App, Error> {
    let there: Vec<String> = apps.iter().map(App::to_string).collect();
    match app(apps, wanted, named_by)? {
        Some(found) if found.enabled => Ok(found),
        Some(found) => {
            Err(Error::input(format!("app {found} is disabled"), "enable it in the dashboard"))
        }
        None => Err(Error::input(
            format!(
                "{named_by} asks for app {}, which is none of the account's apps{}",
                Typed(wanted),
                listed(&there)
            ),
            "names must match exactly, and IDs are case-sensitive",
        )),
    }
}

/// The only app of the account that is enabled, or the one chosen.
///
/// # Errors
/// There is none, or several and nobody to choose.
pub fn app_of_account(mut apps: Vec<App>, chooser: &Chooser) -> Result<App, Error> {
    apps.retain(|app| app.enabled);
    let several = Problem::new("the account has several apps", "name one with --app");
    one_of(apps, several, chooser)?.ok_or_else(|| {
        Error::input("the account has no app that is enabled", "check ABLY_ACCESS_TOKEN")
    })
}

/// The only app that has a key in the configuration, or the one chosen; `None` where none has.
///
/// # Errors
/// There are several and nobody to choose.
pub fn app_with_stored_key(apps: Vec<App>, chooser: &Chooser) -> Result<Option<App>, Error> {
    let several =
        Problem::new("several apps have a key in the configuration", "name one with --app");
    one_of(apps, several, chooser)
}

/// Of an app's enabled keys the one named; else the only revocable one; else the one chosen.
///
/// # Errors
/// There is none, or several and nobody to choose.
pub fn key(
    keys: Vec<KeyAtHand>,
    disabled: usize,
    app: &App,
    choice: &Choice,
    chooser: &Chooser,
) -> Result<KeyAtHand, Error> {
    if keys.is_empty() {
        let enabled = if disabled == 0 { "" } else { " that is enabled" };
        return Err(Error::input(
            format!("app {app} has no API key{enabled}"),
            "create one in the dashboard, with revocable tokens enabled",
        ));
    }
    // Those that can revoke come first.
    let (mut keys, others): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|key| key.revocable == Some(true));
    keys.extend(others);
    if *choice != Choice::Any {
        return named_key(keys, app, choice);
    }
    let n = match keys.iter().filter(|key| key.revocable == Some(true)).count() {
        1 => 0,
        revocable => {
            let (what, remedy) = match revocable {
                0 => (
                    "no key",
                    "enable revocable tokens for one of them in the dashboard; tokens issued \
                     before that stay irrevocable",
                ),
                _ => (
                    "several keys",
                    "name with --key the one that issued the tokens: another cannot revoke them",
                ),
            };
            let problem =
                Problem::new(format!("app {app} has {what} with revocable tokens"), remedy);
            chooser.among(&format!("API keys of app {app}:"), &labels(&keys), problem)?
        }
    };
    let key = keys.into_iter().nth(n);
    key.ok_or_else(|| Error::input(format!("app {app} has no such key"), ""))
}

fn named_key(keys: Vec<KeyAtHand>, app: &App, choice: &Choice) -> Result<KeyAtHand, Error> {
    let there = listed(&labels(&keys));
    let (mut matching, others): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|key| choice.is(&key.key, None));
    if matching.is_empty() {
        matching = others;
        matching.retain(|key| choice.is(&key.key, key.label.as_deref()));
    }
    match (matching.pop(), matching.len()) {
        (Some(key), 0) => Ok(key),
        (None, _) => Err(Error::input(
            format!("{choice}, which is none of the enabled keys of app {app}{there}"),
            "names must match exactly, and IDs are case-sensitive",
        )),
        _ => Err(Error::input(
            format!("{choice}, and several keys of app {app} have that name{there}"),
            "give the ID",
        )),
    }
}

fn labels(keys: &[KeyAtHand]) -> Vec<String> {
    let label = |key: &KeyAtHand| {
        let note = if key.revocable == Some(true) { "" } else { ", tokens not revocable" };
        format!("{} ({}{note})", key.key.id(), key.label.as_deref().unwrap_or_default())
    };
    keys.iter().map(label).collect()
}

/// The only app, or the one chosen; `None` where there is none.
fn one_of(apps: Vec<App>, several: Problem, chooser: &Chooser) -> Result<Option<App>, Error> {
    let n = match apps.len() {
        0 | 1 => 0,
        many => {
            let labels: Vec<String> = apps.iter().map(App::to_string).collect();
            chooser.among(&format!("There are {}:", count(many, "app")), &labels, several)?
        }
    };
    Ok(apps.into_iter().nth(n))
}
