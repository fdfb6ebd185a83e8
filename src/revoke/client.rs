//! Ably's revocation API: one call revokes up to 100 targets, however many tries that takes.

use std::time::Duration;

use miniserde::json::{Number, Value};
use ureq::http::HeaderValue;

use crate::api_key::ApiKey;
use crate::error::{Error, ErrorInfo, Problem};
use crate::json::{Fields, Json, Layout};
use crate::net::ably_error::{described, reply_error};
use crate::net::failure::Fault;
use crate::net::remedy;
use crate::net::retry::{Courier, Deadline, Hosts, Tried};
use crate::net::{Call, auth, fits, segment};
use crate::request::issued_before::{IssuedBefore, PLAUSIBLE_MS};
use crate::request::targets::Targets;
use crate::revoke::judge;
use crate::revoke::outcome::{Failure, Outcome, Scope};
use crate::secret::redactor::Redactor;

/// The most targets that Ably takes in one request.
pub const BATCH: usize = 100;

/// What to do where Ably's clock cannot be asked for.
const INSTEAD: &str = "give --issued-before the time itself instead of an age";

/// On which terms targets are revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// Tokens issued before this, Unix milliseconds; Ably's now if absent.
    pub issued_before: Option<i64>,
    /// Thirty seconds of grace for connected clients.
    pub margin: bool,
}

/// What became of the targets of one call.
#[derive(Debug)]
pub struct Settled {
    /// One outcome a target, in the order asked.
    pub outcomes: Vec<Outcome>,
    /// Whether every later request would fare the same: a wrong key, a lasting rate limit, no
    /// connection.
    pub hopeless: bool,
}

/// Revokes in the name of one key.
#[derive(Debug)]
pub struct Client<'a> {
    courier: Courier<'a>,
    hosts: Hosts,
    path: String,
    authorization: HeaderValue,
    redactor: Redactor,
    timeout: Duration,
}

impl<'a> Client<'a> {
    /// A client for a key.
    ///
    /// # Errors
    /// The key cannot stand in a header, or is too long for one.
    pub fn new(
        courier: Courier<'a>,
        hosts: Hosts,
        key: &ApiKey,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let authorization = auth::basic(key)
            .map_err(|_| Error::input("the API key has characters that no header can hold", ""))?;
        let path = path(key);
        if !fits(&path, &authorization) {
            return Err(Error::input(
                "the API key is too long to be sent: a request's head holds 64 KiB",
                "check that it is a key, appId.keyId:secret",
            ));
        }
        let redactor = courier.http.redactor();
        auth::conceal(key, &redactor);
        Ok(Self { courier, hosts, path, authorization, redactor, timeout })
    }

    /// The hosts, the one that answered first among them.
    pub fn hosts(&mut self) -> &mut Hosts {
        &mut self.hosts
    }

    /// The terms of a run. An age is taken from Ably's clock, which is asked for then.
    ///
    /// # Errors
    /// Ably could not be asked for the time.
    pub fn terms(
        &mut self,
        issued_before: Option<IssuedBefore>,
        margin: bool,
    ) -> Result<Terms, Error> {
        let issued_before = match issued_before {
            Some(IssuedBefore::Age(age)) => {
                Some(self.now()?.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
            }
            Some(IssuedBefore::At(ms)) => Some(ms),
            None => None,
        };
        Ok(Terms { issued_before, margin })
    }

    /// Ably's clock, Unix milliseconds (`GET /time`).
    fn now(&mut self) -> Result<i64, Error> {
        let call = Call { path: "/time", body: None, authorization: None };
        let deadline = Deadline::after(self.timeout);
        let failed = |message: String, remedy: &str, info: Option<ErrorInfo>| {
            let message = format!(
                "Ably's clock, from which --issued-before counts back, is not known: {message}"
            );
            Err(Error::Lookup(Problem::new(message, remedy), info.map(Box::new)))
        };
        match self.courier.deliver(&call, &mut self.hosts, deadline) {
            Tried::Failed(fault) => {
                let Problem { message, remedy } = fault.problem;
                let remedy = if remedy.is_empty() { INSTEAD } else { &remedy };
                failed(message, remedy, None)
            }
            Tried::Answered { reply, host, .. } => {
                let body = reply.body.json();
                match body.as_ref().ok().and_then(first_number) {
                    Some(ms) if reply.status == 200 && ms >= PLAUSIBLE_MS => Ok(ms),
                    _ => {
                        let info = reply_error(&reply, body.as_ref().ok(), &self.redactor);
                        let words = described(&info).map(|words| format!(": {words}"));
                        let status = reply.status;
                        failed(
                            format!("{host} answered {status}{}", words.unwrap_or_default()),
                            INSTEAD,
                            Some(info),
                        )
                    }
                }
            }
        }
    }

    /// Revokes up to `BATCH` targets. Targets that alone are rate-limited are asked for again
    /// while time is left.
    pub fn revoke(&mut self, targets: &[&str], terms: Terms) -> Settled {
        let deadline = Deadline::after(self.timeout);
        let mut asked = self.ask(targets, terms, deadline);
        let mut outcomes = std::mem::take(&mut asked.outcomes);
        for attempt in 0.. {
            let limited: Vec<usize> = (0..outcomes.len())
                .filter(|i| outcomes.get(*i).is_some_and(is_rate_limited))
                .collect();
            if asked.hopeless || limited.is_empty() {
                break;
            }
            let host = self.hosts.preferred();
            if self.courier.pause(host, asked.retry_after.as_deref(), attempt, deadline).is_err() {
                asked.hopeless = limited.len() == outcomes.len();
                break;
            }
            let again: Vec<&str> =
                limited.iter().filter_map(|i| targets.get(*i)).copied().collect();
            asked = self.ask(&again, terms, deadline);
            for (i, outcome) in limited.into_iter().zip(std::mem::take(&mut asked.outcomes)) {
                // A try that never left changes nothing about the answer before it.
                if let (Some(old), false) =
                    (outcomes.get_mut(i), matches!(outcome, Outcome::NotSent(_)))
                {
                    *old = outcome;
                }
            }
        }
        Settled { outcomes, hopeless: asked.hopeless }
    }

    /// Asks once, with all the tries that takes.
    fn ask(&mut self, targets: &[&str], terms: Terms, deadline: Deadline) -> Asked {
        let body = body(targets, terms).write(Layout::COMPACT);
        let call =
            Call { path: &self.path, body: Some(&body), authorization: Some(&self.authorization) };
        match self.courier.deliver(&call, &mut self.hosts, deadline) {
            Tried::Answered { reply, host, gave_up } => Asked {
                outcomes: judge::judge(&reply, &host, gave_up.as_deref(), targets, &self.redactor),
                hopeless: matches!(reply.status, 401 | 403 | 404 | 429)
                    || reply.status == 503 && reply.retry_after.is_some(),
                retry_after: reply.retry_after,
            },
            Tried::Failed(fault) => {
                let hopeless = !fault.sent;
                let outcomes = vec![failed(fault); targets.len()];
                Asked { outcomes, hopeless, retry_after: None }
            }
        }
    }
}

/// What one request brought.
struct Asked {
    outcomes: Vec<Outcome>,
    hopeless: bool,
    retry_after: Option<String>,
}

/// The outcome of targets whose request got no answer.
fn failed(fault: Fault) -> Outcome {
    let Problem { message, mut remedy } = fault.problem;
    if fault.sent {
        let separator = if remedy.is_empty() { "" } else { "; then " };
        remedy = format!("{remedy}{separator}{}", remedy::AGAIN);
    }
    let problem = Problem { message, remedy };
    let failure = Failure::of_request(problem);
    if fault.sent { Outcome::Unknown(failure) } else { Outcome::NotSent(failure) }
}

fn is_rate_limited(outcome: &Outcome) -> bool {
    let info = match outcome {
        Outcome::Refused(failure) if failure.scope == Scope::Target => failure.info.as_ref(),
        _ => None,
    };
    info.is_some_and(|ErrorInfo { code, status, .. }| {
        *status == Some(429) || code.is_some_and(|code| code / 100 == 429)
    })
}

fn first_number(body: &Value) -> Option<i64> {
    match body {
        Value::Array(list) => match list.first() {
            Some(Value::Number(Number::U64(ms))) => i64::try_from(*ms).ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The path of a key's revocations.
pub fn path(key: &ApiKey) -> String {
    format!("/keys/{}/revokeTokens", segment(key.name()))
}

/// The body of one request.
pub fn body(targets: &[&str], terms: Terms) -> Json {
    Fields::new()
        .with("targets", targets.iter().copied().map(Json::from).collect::<Vec<_>>())
        .maybe("issuedBefore", terms.issued_before)
        .maybe("allowReauthMargin", terms.margin.then_some(true))
        .done()
}

/// The body of a run's first request.
pub fn first_body(targets: &Targets, terms: Terms) -> Json {
    let first: Vec<&str> = targets.iter().take(BATCH).collect();
    body(&first, terms)
}
