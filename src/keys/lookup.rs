//! Looks an app or its key up, in the full CLI's configuration first and in the Control API then.
//! Neither is touched before it is needed.

use std::time::Duration;

use crate::api_key::ApiKey;
use crate::error::{Error, Problem};
use crate::keys::cli_config::{self, Account, Configuration};
use crate::keys::control_api::{self, Control};
use crate::keys::found::{Credentials, Source, other_app};
use crate::keys::select::{
    app_of_control, app_ref, apps_of, is_chosen, lack, one_of, pick_app, pick_key,
};
use crate::net::auth;
use crate::net::endpoint::Endpoint;
use crate::net::retry::Courier;
use crate::request::environment::Environment;
use crate::request::which_keys::{AppRef, Wanted};
use crate::secret::Secret;
use crate::secret::redactor::Redactor;
use crate::terminal::choose::Chooser;
use crate::time::now_ms;

/// The sources of apps and keys beyond what was handed over.
#[derive(Debug)]
pub struct Lookup<'a> {
    env: Environment,
    courier: Courier<'a>,
    chooser: Chooser,
    timeout: Duration,
    /// Read when first asked for; the inner `None` is an absent file.
    configuration: Option<Result<Option<Configuration>, Problem>>,
    asked_control: bool,
    why_none: Option<Problem>,
}

impl<'a> Lookup<'a> {
    /// Touches nothing yet.
    pub fn new(
        env: Environment,
        courier: Courier<'a>,
        chooser: Chooser,
        timeout: Duration,
    ) -> Self {
        Self {
            env,
            courier,
            chooser,
            timeout,
            configuration: None,
            asked_control: false,
            why_none: None,
        }
    }

    /// The run's redactor.
    pub fn redactor(&self) -> Redactor {
        self.courier.http.redactor()
    }

    /// Whether the Control API was asked for anything.
    pub fn asked_control(&self) -> bool {
        self.asked_control
    }

    /// What kept `key` from finding one, where that is more than that there is nothing.
    pub fn why_none(&self) -> Option<Problem> {
        self.why_none.clone()
    }

    /// The app that a value of `--app` means: a known ID, else a name. `None` where neither the
    /// configuration nor the Control API can tell. A configuration that cannot be read is no
    /// hindrance here, since the key did not come from it.
    ///
    /// # Errors
    /// Two apps bear the name, the app is disabled or unknown, or the Control API failed.
    pub fn app_by_id_or_name(
        &mut self,
        app: &str,
        named_by: &str,
    ) -> Result<Option<AppRef>, Error> {
        // That it cannot be read is no hindrance here: the key came from elsewhere, or it was told.
        let _ = self.read_configuration();
        let account = self.account().unwrap_or_default();
        let known: Vec<AppRef> = account.map(apps_of).unwrap_or_default();
        if let Some(found) = pick_app(&known, app, named_by)? {
            return Ok(Some(found));
        }
        let Some(mut control) = self.control()? else {
            return Ok(None);
        };
        let apps = control.apps()?;
        app_of_control(&apps, app, named_by).map(Some)
    }

    /// Finds a key; `None` where there is neither a configuration nor an access token that helps.
    ///
    /// # Errors
    /// The configuration is malformed, the Control API failed, or what there is leaves no choice.
    pub fn key(&mut self, wanted: &Wanted) -> Result<Option<Credentials>, Error> {
        self.read_configuration().map_err(Error::Input)?;
        let (app, app_source) = self.app(wanted)?;
        if let Some(found) = self.stored_key(wanted, app.as_ref(), app_source)? {
            return Ok(Some(found));
        }
        if let Some(mut control) = self.control()? {
            return self.key_of_control(&mut control, wanted, app, app_source).map(Some);
        }
        self.why_none = match (self.account(), &app) {
            (Err(problem), _) => Some(problem),
            (Ok(Some(account)), Some(app)) => Some(Problem::new(
                format!(
                    "the configuration (account {}) {}",
                    account.name,
                    lack(account, app, wanted)
                ),
                "set ABLY_ACCESS_TOKEN, or give a key with ABLY_API_KEY or --api-key-file",
            )),
            (Ok(Some(account)), None) => Some(Problem::new(
                format!("the configuration (account {}) selects no app", account.name),
                "name one with --app, or give a key with ABLY_API_KEY or --api-key-file",
            )),
            (Ok(None), _) => None,
        };
        Ok(None)
    }

    /// The app by option, variable or configuration, in this order, with what named it.
    fn app(&mut self, wanted: &Wanted) -> Result<(Option<AppRef>, &'static str), Error> {
        if let Some((app, named_by)) = &wanted.app {
            let known = self.app_by_id_or_name(app, named_by)?;
            // Without anyone to ask it can only be an ID; a key typed at the prompt will tell.
            let app = known.unwrap_or_else(|| AppRef { id: app.clone(), name: None });
            return Ok((Some(app), named_by));
        }
        let account = self.account().unwrap_or_default();
        let selected =
            account.and_then(|account| account.current_app_id.as_deref().map(|id| (account, id)));
        Ok(match selected {
            Some((account, id)) => {
                let name = account.app_by_id(id).and_then(|app| app.name.clone());
                (Some(AppRef { id: id.to_owned(), name }), "the configuration")
            }
            None => (None, "the choice"),
        })
    }

    /// The key that the configuration holds for the app; without an app, the one key it holds or
    /// the one that is chosen, unless the Control API can tell more.
    fn stored_key(
        &self,
        wanted: &Wanted,
        app: Option<&AppRef>,
        app_source: &'static str,
    ) -> Result<Option<Credentials>, Error> {
        let Ok(Some(account)) = self.account() else {
            return Ok(None);
        };
        let with_key: Vec<&cli_config::App> =
            account.apps.iter().filter(|entry| entry.api_key.is_some()).collect();
        let entry = match app {
            Some(app) => with_key.into_iter().find(|entry| entry.id == app.id),
            None if self.has_access_token() || with_key.is_empty() => None,
            None => {
                let labels: Vec<String> =
                    with_key.iter().map(|entry| app_ref(entry).to_string()).collect();
                let n = one_of(&self.chooser, "app", labels, || {
                    Problem::new(
                        "several apps have a key in the configuration",
                        "name one with --app",
                    )
                })?;
                with_key.into_iter().nth(n)
            }
        };
        let Some((entry, secret)) =
            entry.and_then(|entry| entry.api_key.as_ref().map(|key| (entry, key)))
        else {
            return Ok(None);
        };
        let source = Source::Configuration(account.name.clone());
        let key = ApiKey::from_secret(secret).map_err(|what| {
            Error::input(
                format!(
                    "the API key of app {} from {source} cannot be used: {what}",
                    app_ref(entry)
                ),
                "select the key again with the full Ably CLI, or give one with ABLY_API_KEY",
            )
        })?;
        if !is_chosen(wanted.choice.as_ref(), &key, entry) {
            return Ok(None);
        }
        if key.app_id() != entry.id {
            return Err(other_app(&key, &source, &entry.id, app_source, Some(app_ref(entry))));
        }
        Ok(Some(Credentials {
            key,
            source,
            app_name: entry.name.clone(),
            app_source,
            endpoint: account.endpoint.clone(),
            asked_control: self.asked_control,
        }))
    }

    fn key_of_control(
        &mut self,
        control: &mut Control<'_>,
        wanted: &Wanted,
        app: Option<AppRef>,
        app_source: &'static str,
    ) -> Result<Credentials, Error> {
        let app = match app {
            Some(app) => app,
            None => {
                let mut apps = control.apps()?;
                apps.retain(|app| app.enabled);
                let labels = apps.iter().map(|app| format!("{} ({})", app.id, app.name)).collect();
                let n = one_of(&self.chooser, "app", labels, || {
                    Problem::new("the account has several apps", "name one with --app")
                })?;
                let chosen = apps.into_iter().nth(n);
                chosen.map(|app| AppRef { id: app.id, name: Some(app.name) }).ok_or_else(|| {
                    Error::input(
                        "the account has no app that is enabled",
                        "check ABLY_ACCESS_TOKEN",
                    )
                })?
            }
        };
        let (keys, disabled) = control.keys(&app)?;
        let key = pick_key(&self.chooser, keys, disabled, &app, wanted.choice.as_ref())?;
        if key.app_id() != app.id {
            let id = app.id.clone();
            return Err(other_app(&key, &Source::ControlApi, &id, app_source, Some(app)));
        }
        let endpoint = match self.account() {
            Ok(Some(account)) if self.env.raw("ABLY_ACCESS_TOKEN").is_none() => {
                account.endpoint.clone()
            }
            _ => None,
        };
        Ok(Credentials {
            key,
            source: Source::ControlApi,
            app_name: app.name,
            app_source,
            endpoint,
            asked_control: true,
        })
    }

    fn read_configuration(&mut self) -> Result<(), Problem> {
        if self.configuration.is_none() {
            let read = match cli_config::path(|name| self.env.raw(name)) {
                Some(path) => cli_config::read(&path),
                None => Ok(None),
            };
            self.configuration = Some(read);
            if let Ok(Some(account)) = self.account() {
                let redactor = self.redactor();
                account
                    .stored_token()
                    .into_iter()
                    .for_each(|token| auth::conceal_token(token, &redactor));
                for key in account.apps.iter().filter_map(|app| app.api_key.as_ref()) {
                    auth::conceal_given(key.expose(), &redactor);
                }
            }
        }
        match &self.configuration {
            Some(Err(problem)) => Err(problem.clone()),
            _ => Ok(()),
        }
    }

    /// The current account; `None` where there is no configuration.
    fn account(&self) -> Result<Option<&Account>, Problem> {
        match &self.configuration {
            Some(Ok(Some(configuration))) => configuration.account().map(Some),
            Some(Err(problem)) => Err(problem.clone()),
            _ => Ok(None),
        }
    }

    fn has_access_token(&self) -> bool {
        let stored = || match self.account() {
            Ok(Some(account)) => matches!(account.access_token(now_ms()), Ok(Some(_))),
            _ => false,
        };
        self.env.raw("ABLY_ACCESS_TOKEN").is_some() || stored()
    }

    /// The Control API, where there is an access token for it.
    fn control(&mut self) -> Result<Option<Control<'a>>, Error> {
        let from_env = self.env.text("ABLY_ACCESS_TOKEN").map_err(Error::Input)?;
        let from_env = from_env.map(|text| Secret::new(text.trim().to_owned()));
        let account = self.account().unwrap_or_default();
        let token = match (&from_env, account) {
            (Some(token), _) => token,
            (None, Some(account)) => match account.access_token(now_ms()).map_err(Error::Input)? {
                Some(token) => token,
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        let configured = self.env.text("ABLY_CONTROL_HOST").map_err(Error::Input)?;
        let host = match (configured, account.and_then(|account| account.control_host.as_deref())) {
            (Some(host), _) => control_host(&host, "ABLY_CONTROL_HOST")?,
            (None, Some(host)) => control_host(host, "the configuration's controlHost")?,
            (None, None) => control_api::DEFAULT_HOST.to_owned(),
        };
        let control = Control::new(self.courier, &host, token, self.timeout)?;
        self.asked_control = true;
        Ok(Some(control))
    }
}

/// A host with an optional port; a routing policy means nothing here.
fn control_host(value: &str, named_by: &str) -> Result<String, Error> {
    let wrong = |what: &str| {
        Error::input(format!("{named_by}: {what}"), "give a host such as control.ably.net")
    };
    let endpoint = Endpoint::parse(value).map_err(|problem| wrong(&problem.message))?;
    if !endpoint.fallbacks().is_empty() {
        return Err(wrong("it is not a host name"));
    }
    Ok(endpoint.primary().to_owned())
}
