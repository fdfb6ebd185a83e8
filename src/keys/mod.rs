//! Which keys serve, for which apps. The sources are asked in their order until what is wanted is
//! there: one key (of `--key`, if that names it), every key of an app that can revoke (`--all-keys`),
//! or the keys that signed leaked tokens. A key is found once, with its source, its app and its
//! endpoint, and only carried after. Nothing is sent before key and app are certain.

pub mod cli_config;
pub mod completion_names;
pub mod control_api;
pub mod handed_over;
pub mod key;
mod select;
pub mod sources;

use std::collections::BTreeSet;

use crate::api_key::{app_of, hide_given};
use crate::error::{Error, Problem};
use crate::terminal::prompt;
use crate::text::listed;
use key::{App, Choice, Key};
use sources::Sources;

/// What to do where there is no key; and where one is wanted, which can be typed.
const WAYS: &str = "set ABLY_API_KEY or give --api-key-file FILE (- is standard input), ABLY_API_KEY_FILE or \
    --api-key; or log in with the full Ably CLI, or set ABLY_ACCESS_TOKEN";
const OR_TYPE: &str = "; without --json a terminal asks for it";

#[derive(Debug)]
pub struct Want {
    /// Those of options, variables and their files, each once.
    pub handed_over: Vec<Key>,
    pub choice: Choice,
    /// The app, with the option or variable that names it.
    pub app: Option<(String, &'static str)>,
    pub may_prompt: bool,
    /// Whether a person will read of other keys of the app.
    pub for_people: bool,
}

/// The keys that serve, and what the operator is to know of others.
#[derive(Debug, Default)]
pub struct Found {
    /// At least one.
    pub keys: Vec<Key>,
    /// Keys that do not serve though they might be expected to, a sentence each.
    pub warnings: Vec<String>,
    /// The ID of the app to which `--app` restricts leaked tokens.
    pub only_app: Option<String>,
    /// Other keys of the app, which may have issued tokens too: `APP1.key2 from configuration (…)`.
    pub others: Vec<String>,
}

/// Finds the keys and makes sure that they belong to the app that was asked for.
pub fn find(want: Want, sources: &mut Sources<'_>) -> Result<Found, Error> {
    if let (Choice::Any, [first, _, ..]) = (&want.choice, want.handed_over.as_slice()) {
        return Err(Error::input(
            format!("{} holds {} keys", first.source, want.handed_over.len()),
            "add --all-keys to revoke with each of them, or choose one with --key",
        ));
    }
    let was_handed_over = !want.handed_over.is_empty();
    if !was_handed_over {
        sources.account()?;
    }
    let (found, others) = (Found::default(), Vec::new());
    let mut search =
        Search { want, sources, was_handed_over, app: None, found, others, failure: None };
    search.name_app()?;
    search.ask_handed_over()?;
    if !search.is_satisfied() {
        search.ask_configuration()?;
    }
    if !search.is_satisfied() {
        search.ask_control_api().or_else(|error| search.go_on_without(error))?;
    }
    if !search.is_satisfied() {
        search.ask_operator()?;
    }
    search.settle()
}

struct Search<'s, 'a> {
    want: Want,
    sources: &'s mut Sources<'a>,
    /// Then no other source is indispensable.
    was_handed_over: bool,
    /// The app whose keys are looked for. Leaked tokens may be of several.
    app: Option<App>,
    found: Found,
    /// Keys that are not wanted.
    others: Vec<Key>,
    /// Why a source brought nothing.
    failure: Option<Error>,
}

impl Search<'_, '_> {
    fn is_satisfied(&self) -> bool {
        match &self.want.choice {
            Choice::Any | Choice::Named(_) => !self.found.keys.is_empty(),
            Choice::All => false,
            Choice::Signers(missing) => missing.is_empty(),
        }
    }

    /// Settles which app is meant, as far as that can be told before there is a key. The `kid` of a
    /// token makes no app known: anybody can write one.
    fn name_app(&mut self) -> Result<(), Error> {
        let keys = &self.want.handed_over;
        self.app = match (&self.want.app, &mut self.want.choice) {
            (Some((wanted, named_by)), choice) => {
                let known = match keys.iter().find(|key| key.app.id == *wanted) {
                    Some(key) => Some(key.app.clone()),
                    None => self.sources.app_by_id_or_name(wanted, named_by)?,
                };
                // With nobody to ask it can only be an ID; a key will tell.
                let app = App { named_by, ..known.unwrap_or_else(|| App::by_id(wanted)) };
                if let Choice::Signers(names) = choice {
                    self.found.only_app = Some(app.id.clone());
                    restrict(names, &app)?;
                }
                Some(app)
            }
            (None, Choice::Signers(_)) => None,
            (None, _) => match keys.first() {
                Some(key) => Some(key.app.clone()),
                None => self.current_app()?,
            },
        };
        Ok(())
    }

    /// The app that the operator selected with the full CLI, else the only one, else the one chosen.
    /// The Control API knows more of them than the configuration.
    fn current_app(&mut self) -> Result<Option<App>, Error> {
        let account = self.sources.account()?;
        if let Some(app) = account.current_app() {
            return Ok(Some(app));
        }
        let stored: Vec<App> = account.apps_with_key().cloned().collect();
        let (apps, several) = match self.sources.control() {
            Ok(Some(mut control)) => (control.enabled_apps()?, "the account has several apps"),
            Err(error) if stored.is_empty() => return Err(error),
            _ => (stored, "several apps have a key in the configuration"),
        };
        select::only_app(apps, several, &self.sources.chooser)
    }

    fn has(&self, key: &Key) -> bool {
        self.found.keys.iter().any(|known| known.name() == key.name())
    }

    /// Takes a key if it is wanted, unless an earlier source had it.
    fn take(&mut self, key: Key) -> Result<(), Error> {
        let is_wanted = self.want.choice.is(&key);
        if let Choice::Signers(missing) = &mut self.want.choice {
            missing.remove(key.name());
        }
        if is_wanted && !self.has(&key) {
            let app = self.app.as_ref().unwrap_or(&key.app).clone();
            select::same_app(&key, &app)?;
            self.found.keys.push(Key { app, ..key });
        } else if !is_wanted {
            self.others.push(key);
        }
        Ok(())
    }

    fn ask_handed_over(&mut self) -> Result<(), Error> {
        let keys = std::mem::take(&mut self.want.handed_over);
        keys.into_iter().try_for_each(|key| self.take(key))?;
        match self.want.choice {
            Choice::Named(_) if self.was_handed_over && self.found.keys.is_empty() => {
                Err(self.none_found().into())
            }
            _ => Ok(()),
        }
    }

    fn ask_configuration(&mut self) -> Result<(), Error> {
        let ids = self.app_ids();
        let keys = self.sources.account().map(|account| account.take_keys(&ids));
        for key in keys.unwrap_or_else(|problem| {
            self.found.warnings.push(problem.message);
            Vec::new()
        }) {
            match key {
                Ok(key) => self.take(key)?,
                Err(problem) => self.go_on_without(problem.into())?,
            }
        }
        Ok(())
    }

    fn ask_control_api(&mut self) -> Result<(), Error> {
        let ids = self.app_ids();
        if ids.is_empty() {
            return Ok(());
        }
        let Some(mut control) = self.sources.control()? else { return Ok(()) };
        let apps = match &self.app {
            Some(app) => vec![app.clone()],
            None => control.apps()?.into_iter().filter(|app| ids.contains(&app.id)).collect(),
        };
        for app in apps {
            match control.keys(&app) {
                Ok(keys) => self.take_of_list(keys, &app)?,
                Err(error) => self.go_on_without(error)?,
            }
        }
        Ok(())
    }

    /// Takes those of an app's keys that are wanted: of one key that is, the one chosen.
    fn take_of_list(&mut self, keys: Vec<Key>, app: &App) -> Result<(), Error> {
        if let Choice::Any | Choice::Named(_) = self.want.choice {
            let key = select::key(&keys, app, &self.want.choice, &self.sources.chooser)?;
            self.want.choice = Choice::Named(key.name().to_owned());
        }
        for key in keys {
            if key.irrevocable && self.want.choice.is(&key) && !self.has(&key) {
                self.found.warnings.push(format!(
                    "key {} has no revocable tokens: those that it issued live until they expire or \
                     the key is revoked in the dashboard",
                    key.name()
                ));
            }
            if !key.irrevocable || self.want.choice != Choice::All {
                self.take(key)?;
            }
        }
        Ok(())
    }

    /// The IDs of the apps whose keys are looked for.
    fn app_ids(&self) -> BTreeSet<String> {
        match (&self.app, &self.want.choice) {
            (Some(app), _) => BTreeSet::from([app.id.clone()]),
            (None, Choice::Signers(missing)) => {
                missing.iter().map(|name| app_of(name).to_owned()).collect()
            }
            (None, _) => BTreeSet::new(),
        }
    }

    /// Where several keys are wanted, what one lacks must not keep the others waiting.
    fn go_on_without(&mut self, error: Error) -> Result<(), Error> {
        match self.want.choice {
            Choice::Any | Choice::Named(_) => return Err(error),
            Choice::All | Choice::Signers(_) => self.failure.get_or_insert(error),
        };
        Ok(())
    }

    /// Asks for the one key that is lacking.
    fn ask_operator(&mut self) -> Result<(), Error> {
        let name = match &self.want.choice {
            Choice::Any | Choice::Named(_) => String::new(),
            Choice::Signers(names)
                if names.len() == 1
                    && self.found.keys.is_empty()
                    && self.others.is_empty()
                    && self.failure.is_none() =>
            {
                format!(" {}", listed(names))
            }
            Choice::All | Choice::Signers(_) => return Ok(()),
        };
        let (net, source) = (self.sources.net, "the hidden prompt");
        let question = format!("Ably API key{name} (not shown): ");
        let may_prompt = self.want.may_prompt;
        let typed = if may_prompt { prompt::hidden(net.signals, &question)? } else { None };
        let Some(text) = typed else { return Ok(()) };
        hide_given(&text, &net.redactor);
        if self.want.app.is_none() {
            // Nobody named an app: that of the key is meant.
            self.app = None;
        }
        self.take(handed_over::parse(&text, source, source)?)
    }

    fn settle(mut self) -> Result<Found, Error> {
        if self.found.keys.is_empty() {
            let none_found = self.none_found();
            return Err(self.failure.unwrap_or_else(|| none_found.into()));
        }
        self.found.warnings.extend(self.failure.take().map(|error| error.problem.message));
        match (&self.want.choice, self.found.keys.as_slice()) {
            (Choice::All, [one]) => return Err(one_alone(one, &self.found.warnings).into()),
            (Choice::Any | Choice::Named(_), _) => self.note_others(),
            _ => {}
        }
        Ok(self.found)
    }

    /// Notes which other keys of the app are known: theirs are other tokens.
    fn note_others(&mut self) {
        let Some(key) = self.found.keys.first() else { return };
        if self.was_handed_over && self.want.for_people {
            // Its flaws are none of a run that does not need it.
            let ids = BTreeSet::from([key.app.id.clone()]);
            let stored = self.sources.account().map(|account| account.take_keys(&ids));
            self.others.extend(stored.unwrap_or_default().into_iter().flatten());
        }
        self.others.retain(|other| {
            other.app.id == key.app.id && other.name() != key.name() && !other.irrevocable
        });
        self.found.others = self.others.iter().map(Key::shown).collect();
    }

    fn none_found(&mut self) -> Problem {
        let (choice, env) = (&self.want.choice, self.sources.env);
        let empty = env.empty_ones(&["ABLY_API_KEY", "ABLY_API_KEY_FILE", "ABLY_ACCESS_TOKEN"]);
        let can_type = matches!(choice, Choice::Any | Choice::Named(_));
        let ways = format!("{WAYS}{}", if can_type { OR_TYPE } else { "" });
        let (why, remedy) = if !self.others.is_empty() {
            let others = listed(self.others.iter().map(Key::shown));
            (format!(": there is only {others}"), "give the key that is meant".to_owned())
        } else if !empty.is_empty() {
            let first = "in CI, check that the secret exists and reaches this job";
            (format!(": {} is set but empty", listed(empty)), format!("{first}; else {ways}"))
        } else if env.raw("ABLY_TOKEN").is_some() {
            let why = ": there is ABLY_TOKEN, but a token cannot revoke (Ably error 40162)";
            (why.to_owned(), ways)
        } else {
            let described = self.sources.account().ok().and_then(|it| it.described.clone());
            (described.map(|it| format!(": {it}")).unwrap_or_default(), ways)
        };
        let of_app = self.app.as_ref().map(|app| format!(" for app {app}")).unwrap_or_default();
        let asked = choice.asked().map(|asked| format!("{asked}: ")).unwrap_or_default();
        Problem::new(format!("{asked}no API key{of_app}{why}"), remedy)
    }
}

/// Leaves out the signers of other apps than the one that is named.
fn restrict(signers: &mut BTreeSet<String>, app: &App) -> Result<(), Error> {
    let all = listed(&*signers);
    signers.retain(|name| app_of(name) == app.id);
    if !signers.is_empty() {
        return Ok(());
    }
    let named_by = app.named_by;
    Err(Error::input(
        format!("{named_by} asks for app {app}, but tokens were signed with {all}"),
        "leave the app out, or give the tokens of that app",
    ))
}

fn one_alone(one: &Key, warnings: &[String]) -> Problem {
    let others =
        if warnings.is_empty() { String::new() } else { format!("; {}", warnings.join("; ")) };
    Problem::new(
        format!("--all-keys: only key {} is at hand{others}", one.shown()),
        "give --api-key-file a file with a key a line, or set ABLY_ACCESS_TOKEN so that the Control API \
         lists the app's keys; or leave --all-keys out to revoke with that key alone",
    )
}
