//! Ably's revocation API: one call revokes a batch of targets, however many tries that takes.

use std::time::Instant;

use crate::api_key::ApiKey;
use crate::error::{AblyError, Problem};
use crate::json::{Fields, Json, Layout};
use crate::keys::handed_over;
use crate::net::answer::Answer;
use crate::net::endpoint::Hosts;
use crate::net::error::Failure;
use crate::net::session::{Credential, Net, Session};
use crate::net::{remedy, segment};
use crate::plan::Terms;
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::revoke::judge;
use crate::revoke::outcome::{Cause, Outcome, Scope};

/// The app or the account has no revocable tokens of this kind.
const NOT_ENABLED: i64 = 40121;
/// One of Ably's ways to answer a key that it does not know; the others are 401 and 404.
const UNKNOWN_KEY: i64 = 40005;

/// What a whole batch that failed stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The rest of the same key: it is wrong, or may not.
    Job,
    /// The channels of the same key: they are not enabled for the account.
    Channels,
    /// Everything: no connection, or a rate limit that lasts.
    Run,
}

/// Revokes in the name of one key.
#[derive(Debug)]
pub struct Client<'a> {
    session: Session<'a>,
    path: String,
}

impl<'a> Client<'a> {
    /// The error: the key cannot stand in a header, or is too long for one.
    pub fn new(net: Net<'a>, hosts: &Hosts, key: &ApiKey) -> Result<Self, Problem> {
        let session = Session::new(net, hosts.clone(), Credential::Key(key))
            .map_err(|what| Problem::new(format!("the API key {what}"), handed_over::FORM))?;
        Ok(Self { session, path: path(key) })
    }

    /// Revokes the targets of one batch. Targets that alone are rate-limited are asked for again
    /// while time is left.
    #[expect(clippy::indexing_slicing, reason = "what is open is a place among the targets")]
    pub fn revoke(
        &self,
        targets: &[&str],
        terms: Terms,
        until: Instant,
    ) -> (Vec<Outcome>, Option<Stop>) {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(targets.len());
        let (mut open, mut attempt): (Vec<usize>, u32) = ((0..targets.len()).collect(), 0);
        loop {
            let asked: Vec<&str> = open.iter().map(|at| targets[*at]).collect();
            let body = body(&asked, terms).write(Layout::Compact);
            let (newer, stop, retry_after) = match self.session.send(&self.path, Some(&body), until)
            {
                Ok(answer) => {
                    let outcomes = judge::judge(&answer, &asked, terms);
                    (outcomes, stop(&answer, &asked), answer.retry_after)
                }
                Err(failure) => {
                    let stop = (!failure.sent).then_some(Stop::Run);
                    (vec![failed(failure); asked.len()], stop, None)
                }
            };
            for (at, outcome) in open.drain(..).zip(newer) {
                match outcomes.get_mut(at) {
                    None => outcomes.push(outcome),
                    // A try that never left changes nothing about the answer before it.
                    Some(_) if matches!(outcome, Outcome::NotSent(_)) => {}
                    Some(before) => *before = outcome,
                }
            }
            open.extend((0..outcomes.len()).filter(|at| is_rate_limited(&outcomes[*at])));
            if stop.is_some() || open.is_empty() {
                return (outcomes, stop);
            }
            let host = self.session.hosts.preferred();
            if self.session.pause(host, retry_after.as_deref(), attempt, until, &mut None).is_err()
            {
                let all = open.len() == outcomes.len();
                return (outcomes, all.then_some(Stop::Run));
            }
            attempt += 1;
        }
    }
}

/// What an answer to a whole batch stops: what every later request would meet as well.
fn stop(answer: &Answer, targets: &[&str]) -> Option<Stop> {
    let only_channels = || targets.iter().all(|target| target.starts_with(Kind::Channel.prefix()));
    match (answer.status, answer.error.code) {
        (400..=499, Some(NOT_ENABLED)) if only_channels() => Some(Stop::Channels),
        (401 | 403 | 404, _) | (400, Some(UNKNOWN_KEY)) => Some(Stop::Job),
        (429, _) => Some(Stop::Run),
        (503, _) if answer.retry_after.is_some() => Some(Stop::Run),
        _ => None,
    }
}

/// The outcome of targets whose request got no answer.
fn failed(Failure { mut problem, sent, .. }: Failure) -> Outcome {
    if sent {
        problem.remedy = remedy::then_again(&problem.remedy);
        Outcome::Unknown(Cause::of_request(problem))
    } else {
        Outcome::NotSent(Cause::of_request(problem))
    }
}

fn is_rate_limited(outcome: &Outcome) -> bool {
    let Outcome::Refused(cause) = outcome else { return false };
    let error = cause.error.as_ref().filter(|_| cause.scope == Scope::Target);
    error.is_some_and(|AblyError { code, status, .. }| {
        *status == Some(429) || code.is_some_and(|code| code / 100 == 429)
    })
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
    let first: Vec<&str> = targets.range(targets.batches().next().unwrap_or_default()).collect();
    body(&first, terms)
}
