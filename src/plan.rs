//! What every text about a run names: how much, in which app, with which key, on which terms.

use crate::json::Json;
use crate::keys::found::Credentials;
use crate::net::endpoint::Endpoint;
use crate::request::Request;
use crate::request::issued_before::IssuedBefore;
use crate::request::which_keys::AppRef;
use crate::revoke::verify::Verdict;

/// The facts that every text about a run names.
#[derive(Debug)]
pub struct Facts {
    /// How many targets there are.
    pub total: usize,
    /// The app's ID.
    pub app: String,
    /// The app's name, where it is known.
    pub app_name: Option<String>,
    /// What named the app.
    pub app_source: &'static str,
    /// `appId.keyId`.
    pub key_name: String,
    /// Where the key came from.
    pub key_source: String,
    /// Whether connected clients get thirty seconds.
    pub margin: bool,
    /// `--issued-before`, as given.
    pub issued_before: Option<IssuedBefore>,
    /// The endpoint, unless it is the default.
    pub endpoint: Option<String>,
    /// Whether the Control API was asked for app or key.
    pub asked_control: bool,
    /// The leaked token, for people and for scripts.
    pub token: Option<(String, Json)>,
    /// Whether Ably is to be asked with the token.
    pub verifies: bool,
    /// What became of the token itself, once that is known.
    pub verdict: Option<Verdict>,
}

impl Facts {
    /// The facts of a run.
    pub fn of(request: &Request, found: &Credentials, endpoint: &Endpoint) -> Self {
        Self {
            total: request.targets.len(),
            app: found.key.app_id().to_owned(),
            app_name: found.app_name.clone(),
            app_source: found.app_source,
            key_name: found.key.name().to_owned(),
            key_source: found.source.to_string(),
            margin: request.margin,
            issued_before: request.issued_before,
            endpoint: (!endpoint.is_default()).then(|| endpoint.to_string()),
            asked_control: found.asked_control,
            token: request.leaked.as_ref().map(|leaked| (leaked.facts(), leaked.json())),
            verifies: request.verify,
            verdict: None,
        }
    }

    /// App and key, and where the key came from.
    pub fn key_described(&self) -> String {
        let app = AppRef { id: self.app.clone(), name: self.app_name.clone() };
        format!("app {app}, key {} from {}", self.key_name, self.key_source)
    }
}
