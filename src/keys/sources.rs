//! Where apps and keys can be looked up: the full CLI's configuration and the Control API. Neither
//! is touched before it is needed. Which app or key is meant is decided in `select.rs`.

use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::keys::cli_config::{self, Account, Configuration};
use crate::keys::control_api::ControlApi;
use crate::keys::control_base::ControlBase;
use crate::keys::select;
use crate::keys::shapes::{AccountEndpoint, App, KeyAtHand};
use crate::net::session::Net;
use crate::request::which_keys::Choice;
use crate::secret::Secret;
use crate::secret::redactor::Redactor;
use crate::terminal::choose::Chooser;
use crate::text::listed;
use crate::time::now_ms;

/// The sources of apps and keys beyond what was handed over.
#[derive(Debug)]
pub struct Sources<'a> {
    env: Environment,
    net: Net<'a>,
    chooser: Chooser,
    /// Read when first asked for; the inner `None` is an absent file.
    configuration: Option<Result<Option<Configuration>, Problem>>,
    asked_control: bool,
}

impl<'a> Sources<'a> {
    /// Touches nothing yet.
    pub fn new(env: Environment, net: Net<'a>, chooser: Chooser) -> Self {
        Self { env, net, chooser, configuration: None, asked_control: false }
    }

    /// The environment.
    pub fn env(&self) -> Environment {
        self.env
    }

    /// Puts a choice to the operator.
    pub fn chooser(&self) -> &Chooser {
        &self.chooser
    }

    /// Learns every secret that is met.
    pub fn redactor(&self) -> Redactor {
        self.net.redactor()
    }

    /// Whether the Control API was asked for anything.
    pub fn asked_control(&self) -> bool {
        self.asked_control
    }

    /// Reads the configuration unless it was read before.
    ///
    /// # Errors
    /// It is there but cannot be used.
    pub fn read_configuration(&mut self) -> Result<(), Problem> {
        if self.configuration.is_none() {
            let read = match cli_config::path(|name| self.env.raw(name)) {
                Some(path) => cli_config::read(&path),
                None => Ok(None),
            };
            self.configuration = Some(read);
            if let Some(account) = self.usable_account() {
                account.conceal(&self.redactor());
            }
        }
        match &self.configuration {
            Some(Err(problem)) => Err(problem.clone()),
            _ => Ok(()),
        }
    }

    /// The current account of the configuration; `None` where it was not read or is absent.
    fn account(&self) -> Result<Option<&Account>, Problem> {
        match &self.configuration {
            Some(Ok(Some(configuration))) => configuration.account().map(Some),
            Some(Err(problem)) => Err(problem.clone()),
            _ => Ok(None),
        }
    }

    fn usable_account(&self) -> Option<&Account> {
        self.account().unwrap_or_default()
    }

    /// The app that the operator selected with the full CLI.
    pub fn current_app(&self) -> Option<App> {
        Some(self.configured_app(self.usable_account()?.current_app_id.as_deref()?))
    }

    /// An app with what the configuration knows of it.
    pub fn configured_app(&self, id: &str) -> App {
        let apps = self.usable_account().map(|account| account.apps.as_slice());
        let known = apps.unwrap_or_default().iter().find(|app| app.id == id);
        known.cloned().unwrap_or_else(|| App::by_id(id))
    }

    /// The apps of the configuration for which it holds a key.
    pub fn apps_with_stored_key(&self) -> Vec<App> {
        self.usable_account().map(Account::apps_with_key).unwrap_or_default()
    }

    /// The key that the configuration holds for an app.
    ///
    /// # Errors
    /// It is no key.
    pub fn stored_key(&self, app: &App) -> Result<Option<KeyAtHand>, Problem> {
        self.usable_account().map_or(Ok(None), |account| account.key_of(app))
    }

    /// The endpoint of the account, which serves its keys, with what names it.
    ///
    /// # Errors
    /// It is none, or not one for TLS.
    pub fn account_endpoint(&self) -> AccountEndpoint {
        let Some(account) = self.usable_account() else { return Ok(None) };
        let endpoint = account.endpoint.clone()?;
        Ok(endpoint.map(|endpoint| (endpoint, account.described())))
    }

    /// The endpoint that serves the keys of the Control API: that of the account, unless another
    /// account's token asked for them.
    ///
    /// # Errors
    /// As for `account_endpoint`.
    pub fn control_endpoint(&self) -> AccountEndpoint {
        match self.env.raw("ABLY_ACCESS_TOKEN") {
            None => self.account_endpoint(),
            Some(_) => Ok(None),
        }
    }

    /// The app that a value of `--app` means: a known ID, else a name. `None` where neither the
    /// configuration nor the Control API can tell.
    ///
    /// # Errors
    /// Two apps have the name, the app is disabled or unknown, or the Control API failed.
    pub fn app_by_id_or_name(
        &mut self,
        app: &str,
        named_by: &'static str,
    ) -> Result<Option<App>, Error> {
        // That it cannot be read is no hindrance here: the key came from elsewhere, or it was told.
        let _ = self.read_configuration();
        let known = self.usable_account().map(|account| account.apps.clone());
        if let Some(found) = select::app(known.unwrap_or_default(), app, named_by)? {
            return Ok(Some(found));
        }
        match self.control()? {
            Some(mut control) => select::app_of_control(control.apps()?, app, named_by).map(Some),
            None => Ok(None),
        }
    }

    /// Whether the Control API can be asked.
    pub fn has_access_token(&self) -> bool {
        let stored = || self.usable_account().map(|account| account.access_token(now_ms()));
        self.env.raw("ABLY_ACCESS_TOKEN").is_some() || matches!(stored(), Some(Ok(Some(_))))
    }

    /// The Control API, where there is an access token for it.
    ///
    /// # Errors
    /// The login has expired, or its host is none.
    pub fn control(&mut self) -> Result<Option<ControlApi<'a>>, Error> {
        let from_env = self.env.text("ABLY_ACCESS_TOKEN")?;
        let from_env = from_env.map(|text| Secret::new(text.trim().to_owned()));
        let account = self.usable_account();
        let token = match (&from_env, account) {
            (Some(token), _) => token,
            (None, Some(account)) => match account.access_token(now_ms())? {
                Some(token) => token,
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        let base = match self.env.text("ABLY_CONTROL_HOST")? {
            Some(host) => ControlBase::of_host(&host).map_err(|flaw| {
                Problem::new(
                    format!("ABLY_CONTROL_HOST {flaw}"),
                    "give a host such as control.ably.net",
                )
            })?,
            None => match account.map(|account| account.control.clone()) {
                Some(configured) => configured?.unwrap_or_default(),
                None => ControlBase::default(),
            },
        };
        self.net.http.check(&base.host)?;
        let control = ControlApi::new(self.net, &base, token)?;
        self.asked_control = true;
        Ok(Some(control))
    }

    /// What the configuration lacks, if it is there.
    pub fn lack(&self, choice: &Choice, app: Option<&App>) -> Option<Problem> {
        let account = match self.account() {
            Ok(account) => account?,
            Err(problem) => return Some(problem),
        };
        let (what, remedy) = match app {
            Some(app) => (
                account.lack(app, choice),
                "set ABLY_ACCESS_TOKEN, or give a key with ABLY_API_KEY or --api-key-file",
            ),
            None => (
                "selects no app".to_owned(),
                "name one with --app, or give a key with ABLY_API_KEY or --api-key-file",
            ),
        };
        Some(Problem::new(format!("the configuration (account {}) {what}", account.name), remedy))
    }
}

impl Account {
    fn lack(&self, app: &App, choice: &Choice) -> String {
        match self.key_of(app) {
            Ok(Some(key)) => format!("holds {} for app {app}, but {choice}", key.key.name()),
            _ if self.apps.iter().any(|known| known.id == app.id) => {
                format!("holds none for app {app}")
            }
            _ => {
                let known: Vec<String> = self.apps.iter().map(App::to_string).collect();
                format!("knows no app {app}{}", listed(&known))
            }
        }
    }
}
