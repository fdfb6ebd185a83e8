//! Where apps and keys can be looked up: the full CLI's configuration and the Control API. Neither
//! is touched before it is needed. Which app or key is meant is decided in `select.rs`.

use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::keys::cli_config::{self, Account, Configuration};
use crate::keys::control_api::ControlApi;
use crate::keys::control_base::ControlBase;
use crate::keys::key::{App, Choice, Key};
use crate::keys::select;
use crate::net::session::Net;
use crate::secret::Secret;
use crate::terminal::choose::Chooser;
use crate::text::listed;
use crate::time::now_ms;

/// The sources of apps and keys beyond what was handed over.
#[derive(Debug)]
pub struct Sources<'a> {
    pub(super) env: Environment,
    pub(super) net: Net<'a>,
    /// Puts a choice to the operator.
    pub chooser: Chooser,
    /// Read when first asked for; the inner `None` is an absent file.
    configuration: Option<Result<Option<Configuration>, Problem>>,
    /// Whether the Control API was asked for anything.
    pub asked_control: bool,
}

impl<'a> Sources<'a> {
    /// Touches nothing yet.
    pub fn new(env: Environment, net: Net<'a>, chooser: Chooser) -> Self {
        Self { env, net, chooser, configuration: None, asked_control: false }
    }

    /// Reads the configuration unless it was read before.
    pub(super) fn read_configuration(&mut self) -> Result<(), Problem> {
        if self.configuration.is_none() {
            let path = cli_config::path(self.env);
            self.configuration = Some(path.map_or(Ok(None), |path| cli_config::read(&path)));
            if let Some(account) = self.usable_account() {
                account.conceal(&self.net.redactor());
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
            Some(Ok(Some(account))) => account.as_ref().map(Some).map_err(Problem::clone),
            Some(Err(problem)) => Err(problem.clone()),
            _ => Ok(None),
        }
    }

    /// The same where an account that cannot be used is as good as none: its flaw was told, or the
    /// key came from elsewhere.
    fn usable_account(&self) -> Option<&Account> {
        self.account().unwrap_or_default()
    }

    /// The app that the operator selected with the full CLI.
    pub(super) fn current_app(&self) -> Option<App> {
        let account = self.usable_account()?;
        let id = account.current_app_id.as_deref()?;
        let known = account.apps().find(|app| app.id == id);
        Some(known.cloned().unwrap_or_else(|| App::by_id(id)))
    }

    /// The apps of the configuration for which it holds a key.
    pub(super) fn apps_with_stored_key(&self) -> Vec<App> {
        self.usable_account().map(Account::apps_with_key).unwrap_or_default()
    }

    /// The key that the configuration holds for an app; an error where it is none.
    pub(super) fn stored_key(&self, app: &App) -> Result<Option<Key>, Problem> {
        self.usable_account().map_or(Ok(None), |account| account.key_of(app))
    }

    /// The keys of an app that the Control API lists as enabled, and how many are not. They go to the
    /// endpoint of the account, unless another account's token asked for them.
    pub(super) fn control_keys(
        &self,
        control: &mut ControlApi<'a>,
        app: &App,
    ) -> Result<(Vec<Key>, usize), Error> {
        let endpoint = match self.env.raw("ABLY_ACCESS_TOKEN") {
            None => self.usable_account().map_or(Ok(None), Account::endpoint),
            Some(_) => Ok(None),
        };
        let (mut keys, disabled) = control.keys(app)?;
        keys.iter_mut().for_each(|key| key.endpoint = endpoint.clone());
        Ok((keys, disabled))
    }

    /// The app that a value of `--app` means: a known ID, else a name. `None` where neither the
    /// configuration nor the Control API can tell.
    pub(super) fn app_by_id_or_name(
        &mut self,
        app: &str,
        named_by: &'static str,
    ) -> Result<Option<App>, Error> {
        // A flaw of the configuration was told before, or the key came from elsewhere.
        let _ = self.read_configuration();
        let known = self.usable_account().into_iter().flat_map(Account::apps).cloned();
        if let Some(found) = select::app(known.collect(), app, named_by)? {
            return Ok(Some(found));
        }
        match self.control()? {
            Some(mut control) => select::app_of_control(control.apps()?, app, named_by).map(Some),
            None => Ok(None),
        }
    }

    /// Whether the Control API can be asked.
    pub(super) fn has_access_token(&self) -> bool {
        let stored = || self.usable_account().map(|account| account.access_token(now_ms()));
        self.env.raw("ABLY_ACCESS_TOKEN").is_some() || matches!(stored(), Some(Ok(Some(_))))
    }

    /// The Control API, where there is an access token for it.
    pub(super) fn control(&mut self) -> Result<Option<ControlApi<'a>>, Error> {
        let from_env = self.env.text("ABLY_ACCESS_TOKEN")?;
        let from_env = from_env.map(|text| Secret::new(text.trim().to_owned()));
        let account = self.usable_account();
        let token = match (&from_env, account) {
            (Some(token), _) => Some(token),
            (None, Some(account)) => account.access_token(now_ms())?,
            (None, None) => None,
        };
        let Some(token) = token else { return Ok(None) };
        let base = match self.env.text("ABLY_CONTROL_HOST")? {
            Some(host) => ControlBase::of_host(&host).map_err(|flaw| {
                let remedy = "give a host such as control.ably.net";
                Problem::new(format!("ABLY_CONTROL_HOST {flaw}"), remedy)
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
    pub(super) fn lack(&self, choice: &Choice, app: Option<&App>) -> Option<Problem> {
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
            Ok(Some(key)) => format!("holds {} for app {app}, but {choice}", key.name()),
            _ if self.apps().any(|known| known.id == app.id) => format!("holds none for app {app}"),
            _ => {
                let known: Vec<String> = self.apps().map(App::to_string).collect();
                let known = if known.is_empty() { "none".to_owned() } else { listed(&known) };
                format!("knows no app {app}, but {known}")
            }
        }
    }
}
