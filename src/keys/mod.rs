//! Which keys serve, for which apps. Sources are asked in the order of `Source::ORDER` until what is
//! wanted is there: one key (of `--key`, if that names it), every key of an app that can revoke
//! (`--all-keys`), or the keys that signed leaked tokens. A key is found once, with its source, its app
//! and its endpoint, and only carried after. Nothing is sent before key and app are certain.

pub mod cli_config;
pub mod completion_names;
pub mod control_api;
pub mod control_base;
pub mod handed_over;
pub mod key;
pub mod select;
pub mod sources;
mod toml_table;

use std::collections::HashSet;

use crate::api_key::hide_given;
use crate::error::{Error, Problem};
use crate::signals::Signals;
use crate::terminal::prompt;
use key::{App, Choice, Key};
use sources::Sources;

/// What to do where there is no key.
const WAYS: &str = "set ABLY_API_KEY or give --api-key-file FILE (- is standard input), ABLY_API_KEY_FILE or \
    --api-key; or log in with the full Ably CLI, or set ABLY_ACCESS_TOKEN";
/// The same where one key is wanted, which can be typed.
const OR_TYPE: &str = "; without --json a terminal asks for it";

/// Which keys are wanted.
#[derive(Debug)]
pub struct Want {
    /// Those of options, variables and their files, each once.
    pub handed_over: Vec<Key>,
    pub choice: Choice,
    /// The app, with the option or variable that names it.
    pub app: Option<(String, &'static str)>,
    /// Whether a key may be asked for.
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

/// Where keys come from.
#[derive(Clone, Copy)]
enum Source {
    HandedOver,
    Configuration,
    ControlApi,
    Prompt,
}

impl Source {
    const ORDER: [Self; 4] =
        [Self::HandedOver, Self::Configuration, Self::ControlApi, Self::Prompt];
}

/// Finds the keys and makes sure that they belong to the app that was asked for.
pub fn find(want: Want, sources: &mut Sources<'_>, signals: &Signals) -> Result<Found, Error> {
    let mut search = Search::new(want, sources, signals)?;
    search.name_app()?;
    for source in Source::ORDER {
        if search.is_satisfied() {
            break;
        }
        match source {
            Source::HandedOver => search.ask_handed_over()?,
            Source::Configuration => search.ask_configuration()?,
            Source::ControlApi => search.ask_control_api()?,
            Source::Prompt => search.ask_operator()?,
        }
    }
    search.settle()
}

struct Search<'s, 'a> {
    want: Want,
    sources: &'s mut Sources<'a>,
    signals: &'s Signals,
    /// Whether keys were handed over: then no other source is indispensable.
    was_handed_over: bool,
    /// The app whose keys are looked for, with what names it. Leaked tokens may be of several.
    app: Option<(App, &'static str)>,
    /// The names of the keys that signed leaked tokens and are not found yet.
    missing: HashSet<String>,
    found: Found,
    /// Keys that are not wanted.
    others: Vec<Key>,
    /// Why a source brought nothing.
    failure: Option<Error>,
}

impl<'s, 'a> Search<'s, 'a> {
    fn new(
        want: Want,
        sources: &'s mut Sources<'a>,
        signals: &'s Signals,
    ) -> Result<Self, Problem> {
        if let (Choice::Any, [first, _, ..]) = (&want.choice, want.handed_over.as_slice()) {
            let keys = want.handed_over.len();
            return Err(Problem::new(
                format!("{} holds {keys} keys", first.source),
                "add --all-keys to revoke with each of them, or choose one with --key",
            ));
        }
        Ok(Self {
            was_handed_over: !want.handed_over.is_empty(),
            want,
            sources,
            signals,
            app: None,
            missing: HashSet::new(),
            found: Found::default(),
            others: Vec::new(),
            failure: None,
        })
    }

    fn is_for_signers(&self) -> bool {
        matches!(self.want.choice, Choice::Signers(_))
    }

    fn is_satisfied(&self) -> bool {
        match self.want.choice {
            Choice::Any | Choice::Named(_) => !self.found.keys.is_empty(),
            Choice::All => false,
            Choice::Signers(_) => self.missing.is_empty(),
        }
    }

    /// Settles which app is meant, as far as that can be told before there is a key.
    fn name_app(&mut self) -> Result<(), Error> {
        if self.is_for_signers() {
            return self.restrict_signers();
        }
        let own = self.want.handed_over.first().map(|key| key.app.clone());
        self.app = match (self.want.app.take(), own) {
            (None, Some(own)) => Some((own, "the key")),
            (Some((app, named_by)), Some(own)) if app == own.id => Some((own, named_by)),
            (Some((app, named_by)), own) => {
                if !self.was_handed_over {
                    self.sources.read_configuration()?;
                }
                let known = self.sources.app_by_id_or_name(&app, named_by)?;
                if let (None, Some(key), true) =
                    (&known, self.want.handed_over.first(), own.is_some())
                {
                    return Err(select::another_or_unknown_app(key, &app, named_by));
                }
                // With nobody to ask it can only be an ID; a key that is typed will tell.
                Some((known.unwrap_or_else(|| App::by_id(&app)), named_by))
            }
            (None, None) => {
                self.sources.read_configuration()?;
                match self.sources.current_app() {
                    Some(app) => Some((app, "the configuration")),
                    None => self.choose_app()?.map(|app| (app, "the choice")),
                }
            }
        };
        Ok(())
    }

    /// The app where none is named. The Control API knows more of them than the configuration.
    fn choose_app(&mut self) -> Result<Option<App>, Error> {
        if self.sources.has_access_token()
            && let Some(mut control) = self.sources.control()?
        {
            let apps = control.apps()?;
            return select::app_of_account(apps, &self.sources.chooser).map(Some);
        }
        select::app_with_stored_key(self.sources.apps_with_stored_key(), &self.sources.chooser)
    }

    /// Leaves out the signers of other apps than the one that is named. The `kid` of a token makes no
    /// app known: anybody can write one.
    fn restrict_signers(&mut self) -> Result<(), Error> {
        let Choice::Signers(names) = &mut self.want.choice else { return Ok(()) };
        if let Some((app, named_by)) = self.want.app.take() {
            let own = self.want.handed_over.iter().map(|key| &key.app).find(|own| own.id == app);
            let known = match own {
                Some(own) => Some(own.clone()),
                None => self.sources.app_by_id_or_name(&app, named_by)?,
            };
            let app = known.unwrap_or_else(|| App::by_id(&app));
            let all = Choice::Signers(names.clone());
            names.retain(|name| app_of(name) == app.id);
            if names.is_empty() {
                let app = crate::secret::shape::Typed(&app.to_string()).to_string();
                return Err(Error::input(
                    format!("{named_by} asks for app {app}, but {all}"),
                    "leave the app out, or give the tokens of that app",
                ));
            }
            self.found.only_app = Some(app.id);
        }
        self.missing = names.iter().cloned().collect();
        Ok(())
    }

    /// Takes a key if it is wanted, unless an earlier source had it.
    fn take(&mut self, key: Key) -> Result<(), Error> {
        let is_wanted = match &self.want.choice {
            Choice::Signers(_) => self.missing.remove(key.name()),
            choice => choice.is(&key, key.label.as_deref()),
        };
        if self.found.keys.iter().any(|known| known.name() == key.name()) {
            return Ok(());
        }
        if !is_wanted {
            self.others.push(key);
            return Ok(());
        }
        let Some((app, named_by)) = &self.app else {
            let named_by = if self.is_for_signers() { "the token" } else { key.app_named_by };
            select::same_app(&key, &key.app, named_by)?;
            self.found.keys.push(Key { app_named_by: named_by, ..key });
            return Ok(());
        };
        select::same_app(&key, app, named_by)?;
        self.found.keys.push(Key { app: app.clone(), app_named_by: named_by, ..key });
        Ok(())
    }

    fn ask_handed_over(&mut self) -> Result<(), Error> {
        for key in std::mem::take(&mut self.want.handed_over) {
            self.take(key)?;
        }
        match self.want.choice {
            Choice::Named(_) if self.was_handed_over && self.found.keys.is_empty() => {
                Err(select::another_key(&self.want.choice, &self.others))
            }
            _ => Ok(()),
        }
    }

    fn ask_configuration(&mut self) -> Result<(), Error> {
        if let Err(problem) = self.sources.read_configuration() {
            if !self.was_handed_over {
                return Err(problem.into());
            }
            self.found.warnings.push(problem.message);
        }
        let apps = match &self.app {
            Some((app, _)) => vec![app.clone()],
            None if self.is_for_signers() => {
                self.missing_among(self.sources.apps_with_stored_key())
            }
            None => Vec::new(),
        };
        for app in apps {
            match self.sources.stored_key(&app) {
                Ok(Some(key)) => self.take(key)?,
                Ok(None) => {}
                Err(problem) if matches!(self.want.choice, Choice::Any | Choice::Named(_)) => {
                    return Err(problem.into());
                }
                Err(problem) => self.fail(problem.into()),
            }
        }
        Ok(())
    }

    /// Of some apps those of which keys are missing.
    fn missing_among(&self, mut apps: Vec<App>) -> Vec<App> {
        let missing: HashSet<&str> = self.missing.iter().map(|name| app_of(name)).collect();
        apps.retain(|app| missing.contains(app.id.as_str()));
        apps
    }

    /// What one key lacks must not keep the others waiting.
    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    fn ask_control_api(&mut self) -> Result<(), Error> {
        let asked = if self.is_for_signers() { self.control_signers() } else { self.control_app() };
        match (asked, &self.want.choice) {
            (Err(error), Choice::Signers(_)) => self.fail(error),
            (Err(error), Choice::All) if !self.found.keys.is_empty() => self.fail(error),
            (asked, _) => return asked,
        }
        Ok(())
    }

    fn control_app(&mut self) -> Result<(), Error> {
        let Some((app, _)) = self.app.clone() else { return Ok(()) };
        let Some(mut control) = self.sources.control()? else { return Ok(()) };
        let (keys, disabled) = self.sources.control_keys(&mut control, &app)?;
        if self.want.choice == Choice::All {
            for key in keys {
                let known = self.found.keys.iter().any(|known| known.name() == key.name());
                match key.revocable {
                    Some(true) => self.take(key)?,
                    _ if known => {}
                    _ => self.found.warnings.push(irrevocable(&key)),
                }
            }
            return Ok(());
        }
        let (key, others) =
            select::key(keys, disabled, &app, &self.want.choice, &self.sources.chooser)?;
        if key.revocable == Some(false) {
            self.found.warnings.push(irrevocable(&key));
        }
        // Chosen from a list, it need not match once more.
        self.want.choice = Choice::Any;
        self.take(key)?;
        self.others.extend(others);
        Ok(())
    }

    fn control_signers(&mut self) -> Result<(), Error> {
        let Some(mut control) = self.sources.control()? else { return Ok(()) };
        let apps = control.apps()?;
        if let [only] = Vec::from_iter(&self.missing).as_slice() {
            select::app_of_control(apps.clone(), app_of(only), "the token")?;
        }
        for app in self.missing_among(apps) {
            match self.sources.control_keys(&mut control, &app) {
                Ok((keys, _)) => {
                    for key in keys {
                        self.take(Key { app: app.clone(), ..key })?;
                    }
                }
                Err(error) => self.fail(error),
            }
        }
        Ok(())
    }

    /// Whether the one key that is lacking may be typed.
    fn may_ask(&self) -> bool {
        let one = match &self.want.choice {
            Choice::Any | Choice::Named(_) => true,
            Choice::All => false,
            Choice::Signers(names) => names.len() == 1,
        };
        let nothing = self.failure.is_none() && (self.others.is_empty() || !self.is_for_signers());
        one && nothing && self.want.may_prompt && prompt::can_ask_for_key()
    }

    fn ask_operator(&mut self) -> Result<(), Error> {
        if !self.may_ask() {
            return Ok(());
        }
        let name = match &self.want.choice {
            Choice::Signers(names) => format!(" {}", names.join(", ")),
            _ => String::new(),
        };
        let text = prompt::hidden(self.signals, &format!("Ably API key{name} (not shown): "))?;
        hide_given(&text, &self.sources.net.redactor());
        let source = "the hidden prompt";
        let key = Key::new(handed_over::parse(&text, source)?, source);
        if self.app.as_ref().is_some_and(|(_, named_by)| !named_by.starts_with(['-', 'A'])) {
            // Nobody named an app: that of the key is meant.
            self.app = None;
        }
        self.take(key)?;
        match self.want.choice {
            Choice::Named(_) if self.found.keys.is_empty() => {
                Err(select::another_key(&self.want.choice, &self.others))
            }
            _ => Ok(()),
        }
    }

    fn settle(mut self) -> Result<Found, Error> {
        if self.found.keys.is_empty() {
            let others = self.is_for_signers() && !self.others.is_empty();
            return Err(match self.failure {
                Some(failure) => failure,
                None if others => select::other_keys(&self.want.choice, &self.others),
                None => self.none_found().into(),
            });
        }
        self.found.warnings.extend(self.failure.take().and_then(|error| match error {
            Error::Input(problem) | Error::Irrevocable(problem, _) => Some(problem.message),
            Error::Lookup(lookup) => Some(lookup.problem.message),
            Error::Declined(_) | Error::Signal(_) => None,
        }));
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
        let own = (key.app.clone(), key.name().to_owned());
        if self.was_handed_over && self.want.for_people {
            // Its flaws are none of a run that does not need it.
            let _ = self.sources.read_configuration();
            self.others.extend(self.sources.stored_key(&own.0).ok().flatten());
        }
        self.others.retain(|key| key.app.id == own.0.id && key.name() != own.1);
        let shown = |key: &Key| format!("{} from {}", key.name(), key.source);
        self.found.others = self.others.iter().map(shown).collect();
    }

    fn none_found(&self) -> Problem {
        let env = self.sources.env;
        let empty = env.empty_ones(&["ABLY_API_KEY", "ABLY_API_KEY_FILE", "ABLY_ACCESS_TOKEN"]);
        let can_type = !matches!(&self.want.choice, Choice::All | Choice::Signers(_));
        let ways = format!("{WAYS}{}", if can_type { OR_TYPE } else { "" });
        let choice = &self.want.choice;
        let app = self.app.as_ref().map(|(app, _)| app);
        let problem = if !empty.is_empty() {
            let verb = if empty.len() == 1 { "is" } else { "are" };
            Problem::new(
                format!("no API key: {} {verb} set but empty", empty.join(" and ")),
                format!("in CI, check that the secret exists and reaches this job; else {ways}"),
            )
        } else if env.raw("ABLY_TOKEN").is_some() {
            let message =
                "no API key: there is ABLY_TOKEN, but a token cannot revoke (Ably error 40162)";
            Problem::new(message, ways)
        } else {
            match self.sources.lack(choice, app) {
                Some(problem) => problem.context("no API key"),
                None => Problem::new("no API key", ways),
            }
        };
        match choice {
            Choice::Signers(_) => problem.context(choice),
            _ => problem,
        }
    }
}

fn app_of(key_name: &str) -> &str {
    key_name.split_once('.').map_or(key_name, |(app, _)| app)
}

fn irrevocable(key: &Key) -> String {
    format!(
        "key {} has no revocable tokens: those that it issued live until they expire or the key is \
         revoked in the dashboard",
        key.name()
    )
}

fn one_alone(one: &Key, warnings: &[String]) -> Problem {
    let (name, source) = (one.name(), &one.source);
    let others =
        if warnings.is_empty() { String::new() } else { format!("; {}", warnings.join("; ")) };
    Problem::new(
        format!("--all-keys: only key {name} from {source} is at hand{others}"),
        "give --api-key-file a file with a key a line, or set ABLY_ACCESS_TOKEN so that the Control API \
         lists the app's keys; or leave --all-keys out to revoke with that key alone",
    )
}
