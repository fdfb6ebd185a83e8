//! Where apps and keys can be looked up: the full CLI's configuration and the Control API. Neither
//! is touched before it is needed. Which app or key is meant is decided in `select.rs`.

use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::keys::cli_config::{self, Account};
use crate::keys::control_api::{ControlApi, ControlBase};
use crate::keys::key::App;
use crate::keys::select;
use crate::net::session::Net;
use crate::secret::Secret;
use crate::terminal::prompt::Chooser;
use crate::time::now_ms;

/// The sources of apps and keys beyond what was handed over.
#[derive(Debug)]
pub struct Sources<'a> {
    pub(super) env: Environment,
    pub(super) net: Net<'a>,
    /// Puts a choice to the operator.
    pub chooser: Chooser,
    account: Option<Result<Account, Problem>>,
    /// Whether the Control API was asked for anything.
    pub asked_control: bool,
}

impl<'a> Sources<'a> {
    pub fn new(env: Environment, net: Net<'a>, chooser: Chooser) -> Self {
        Self { env, net, chooser, account: None, asked_control: false }
    }

    /// The current account of the configuration, which is read when first asked for.
    pub(super) fn account(&mut self) -> Result<&mut Account, Problem> {
        let read = || cli_config::read(self.env, &self.net.redactor);
        self.account.get_or_insert_with(read).as_mut().map_err(|problem| problem.clone())
    }

    /// The app that a value of `--app` means: a known ID, else a name. `None` where neither the
    /// configuration nor the Control API can tell.
    pub(super) fn app_by_id_or_name(
        &mut self,
        app: &str,
        named_by: &str,
    ) -> Result<Option<App>, Error> {
        // A flaw of the configuration was told before, or the key came from elsewhere.
        let known = self.account().map(|account| account.apps.clone());
        if let Some(found) = select::app(known.unwrap_or_default(), app, named_by)? {
            return Ok(Some(found));
        }
        match self.control()? {
            Some(mut control) => Ok(Some(select::app_of_control(control.apps()?, app, named_by)?)),
            None => Ok(None),
        }
    }

    /// The Control API, where there is an access token for it. Its keys go to the endpoint of the
    /// account, unless another account's token asks for them.
    pub(super) fn control(&mut self) -> Result<Option<ControlApi<'a>>, Error> {
        let (env, net) = (self.env, self.net);
        let from_env = env.text("ABLY_ACCESS_TOKEN")?;
        let from_env = from_env.map(|text| Secret::new(text.trim().to_owned()));
        let mut none = Account::default();
        let account = self.account().unwrap_or(&mut none);
        let (token, endpoint) = match &from_env {
            Some(token) => (Some(token), Ok(None)),
            None => (account.access_token(now_ms())?, account.endpoint()),
        };
        let Some(token) = token else { return Ok(None) };
        let base = match env.text("ABLY_CONTROL_HOST")? {
            Some(host) => ControlBase::read(&host).map_err(|flaw| {
                let remedy = "give a host such as control.ably.net";
                Problem::new(format!("ABLY_CONTROL_HOST {flaw}"), remedy)
            })?,
            None => account.control.clone().transpose()?.unwrap_or_default(),
        };
        net.network.check(&base.host)?;
        let control = ControlApi::new(net, &base, token, endpoint)?;
        self.asked_control = true;
        Ok(Some(control))
    }
}
