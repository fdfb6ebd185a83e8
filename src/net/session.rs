//! One service as one credential sees it: its hosts, the header, the time there is. What it returns
//! is redacted with all of the run's secrets wherever it becomes text.

use std::time::Duration;

use ureq::http::HeaderValue;

use crate::api_key::ApiKey;
use crate::net::agent::Http;
use crate::net::auth;
use crate::net::failure::Failure;
use crate::net::hosts::Hosts;
use crate::net::pace::Turn;
use crate::net::response::Response;
use crate::secret::Secret;
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::terminal::log::Log;

/// What the sessions of a run share.
#[derive(Debug, Clone, Copy)]
pub struct Net<'a> {
    /// The exchanges themselves.
    pub http: &'a Http<'a>,
    /// Ends every wait.
    pub signals: &'a Signals,
    /// Told of each try.
    pub log: &'a Log,
}

impl<'a> Net<'a> {
    /// How long one request may take with all its tries.
    pub fn timeout(&self) -> Duration {
        self.http.timeout()
    }

    /// A place among the requests under way, for one that may take so long with all its tries. Waits
    /// while there is none, or a rate limit pauses all.
    pub fn turn(&self, budget: Duration) -> Turn<'a> {
        Turn::new(self.http.pace(), self.signals, budget)
    }

    /// The run's redactor, which knows all of its secrets.
    pub fn redactor(&self) -> Redactor {
        self.http.redactor()
    }
}

/// In whose name a service is asked.
#[derive(Debug, Clone, Copy)]
pub enum Credential<'a> {
    /// Nobody's.
    None,
    /// An API key's: basic auth.
    Key(&'a ApiKey),
    /// An access token's of the Control API: bearer auth.
    AccessToken(&'a Secret),
    /// An Ably token's: bearer auth, in base64.
    Token(&'a Secret),
}

/// One service as one credential sees it.
#[derive(Debug)]
pub struct Session<'a> {
    pub(super) net: Net<'a>,
    pub(super) hosts: Hosts,
    pub(super) authorization: Option<HeaderValue>,
}

impl<'a> Session<'a> {
    /// A session that asks these hosts.
    ///
    /// # Errors
    /// What is wrong with the credential, as the rest of a sentence: no header can hold it.
    pub fn new(
        net: Net<'a>,
        hosts: Hosts,
        credential: Credential<'_>,
    ) -> Result<Self, &'static str> {
        let authorization = match credential {
            Credential::None => None,
            Credential::Key(key) => Some(auth::basic(key)),
            Credential::AccessToken(token) => Some(auth::bearer(token)),
            Credential::Token(token) => Some(auth::token(token)),
        };
        let authorization =
            authorization.transpose().map_err(|_| "has characters that no header can hold")?;
        if authorization.as_ref().is_some_and(|header| !auth::fits(header)) {
            return Err("is too long to be sent: a request's head holds 64 KiB");
        }
        Ok(Self { net, hosts, authorization })
    }

    /// `GET`, with as many tries as there is time for.
    ///
    /// # Errors
    /// No host answered.
    pub fn get(&self, path: &str, turn: &Turn<'_>) -> Result<Response, Failure> {
        self.send(path, None, turn)
    }

    /// `POST` with a JSON body, with as many tries as there is time for.
    ///
    /// # Errors
    /// No host answered.
    pub fn post(&self, path: &str, body: &str, turn: &Turn<'_>) -> Result<Response, Failure> {
        self.send(path, Some(body), turn)
    }

    /// The host that is asked first.
    pub fn host(&self) -> &str {
        self.hosts.preferred()
    }

    /// What the sessions of the run share.
    pub fn net(&self) -> Net<'a> {
        self.net
    }
}
