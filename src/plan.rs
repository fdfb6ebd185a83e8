//! What is settled before the first revocation, and never changed after it: which targets with which
//! key, on which terms, at which hosts. The question, the dry run, the records and the report read
//! this and nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::cli::flags::{Id, long};
use crate::error::{Error, Problem};
use crate::keys;
use crate::keys::shapes::Credential;
use crate::keys::sources::Sources;
use crate::net::clock;
use crate::net::endpoint::Endpoint;
use crate::net::hosts::Hosts;
use crate::net::session::Net;
use crate::request::issued_before::IssuedBefore;
use crate::request::leaked::{Helpless, Leaked};
use crate::request::settings::{Consent, Recording};
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::request::{Request, Subject};
use crate::secret::form::Form;

/// On which terms targets are revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// Tokens issued before this, Unix milliseconds; Ably's now if absent.
    pub issued_before: Option<i64>,
    /// Thirty seconds of grace for connected clients (`allowReauthMargin`).
    pub margin: bool,
}

/// One key with what is to be revoked with it.
#[derive(Debug)]
pub struct Job {
    /// The key name, `appId.keyId`.
    pub key_name: String,
    /// The key, its app, and where both came from. `None` where it is not at hand: then nothing of
    /// the job is sent.
    pub credential: Option<Credential>,
    /// At least one. Jobs with the same targets share them.
    pub targets: Arc<Targets>,
}

impl Job {
    fn new(credential: Credential, targets: Arc<Targets>) -> Self {
        let key_name = credential.key.name().to_owned();
        Self { key_name, credential: Some(credential), targets }
    }

    /// Whether another job is about the same targets.
    pub fn shares_targets(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.targets, &other.targets)
    }
}

/// A run that only has to be confirmed.
#[derive(Debug)]
pub struct Plan {
    /// What is to be revoked with which key, in this order; at least one.
    pub jobs: Vec<Job>,
    /// The leaked tokens that the targets came from.
    pub leaked: Option<Leaked>,
    /// What the operator is to know of keys that do not serve, a sentence each.
    pub warnings: Vec<String>,
    /// When, and how gently.
    pub terms: Terms,
    /// Whether to ask, go ahead or only show.
    pub consent: Consent,
    /// Whether Ably is to be asked with the leaked tokens afterwards.
    pub verify: bool,
    /// Whether the run only finds out if its keys can revoke (`--check`).
    pub check: bool,
    /// Where the targets go that are not known to be revoked.
    pub unrevoked_to: Option<PathBuf>,
    /// Where a lasting account of the run goes.
    pub recording: Option<Recording>,
    /// Ably's hosts, as the operator or the account names them.
    pub endpoint: Endpoint,
    /// The same, the one first that has answered before.
    pub hosts: Hosts,
    /// Whether the Control API was asked for app or key.
    pub asked_control: bool,
    /// Whether Ably was asked for the time.
    pub asked_clock: bool,
    /// So many connections at once.
    pub parallel: usize,
    /// Whether a running commentary is told.
    pub verbose: bool,
}

impl Plan {
    /// Settles what the request leaves open: keys and app, the claim of leaked tokens, the time. The
    /// operator is asked where that is needed.
    ///
    /// # Errors
    /// What the request leaves open cannot be settled, or the operator did not choose.
    pub fn settle(request: Request, mut sources: Sources<'_>, net: Net<'_>) -> Result<Self, Error> {
        let Request { subject, keys, consent, margin, verify, parallel, verbose, .. } = request;
        let affected = |error: Error| match (error, &subject) {
            (Error::Lookup(mut lookup), Subject::Targets(targets)) => {
                lookup.targets = targets.iter().map(str::to_owned).collect();
                Error::Lookup(lookup)
            }
            (error, _) => error,
        };
        let found = keys::find(keys, &mut sources, net.signals).map_err(affected)?;
        let (endpoint, origin) = endpoint_of(request.endpoint, &found.credentials)?;
        net.log.note("http", "endpoint", || format!("endpoint {endpoint} {origin}"));
        let hosts = Hosts::of(&endpoint);
        hosts.all().try_for_each(|host| net.http.check(host))?;
        let asked_clock = matches!(request.issued_before, Some(IssuedBefore::Age(_)));
        let (issued_before, hosts) = time(request.issued_before, net, hosts).map_err(affected)?;
        no_secret_as_reason(request.recording.as_ref(), &found.credentials)?;
        tell(net, &found.credentials, &hosts);
        let warnings = found.warnings;
        let (jobs, leaked) = match subject {
            Subject::Targets(targets) => (jobs(found.credentials, targets)?, None),
            Subject::Leaked(mut leaked) => {
                found.only_app.iter().for_each(|app| leaked.restrict(app));
                leaked.choose(sources.chooser())?;
                (jobs_of_leaked(found.credentials, &mut leaked)?, Some(leaked))
            }
        };
        Ok(Self {
            jobs,
            leaked,
            warnings,
            terms: Terms { issued_before, margin },
            consent,
            verify,
            check: request.check,
            unrevoked_to: request.unrevoked_to,
            recording: request.recording,
            endpoint,
            hosts,
            asked_control: sources.asked_control(),
            asked_clock,
            parallel,
            verbose,
        })
    }

    /// How many revocations there are: targets, each with a key; a token that cannot be revoked by
    /// itself counts as one.
    pub fn revocations(&self) -> usize {
        self.jobs.iter().map(|job| job.targets.len()).sum::<usize>() + self.helpless().len()
    }

    /// Leaked tokens that cannot be revoked by themselves.
    pub fn helpless(&self) -> &[Helpless] {
        self.leaked.as_ref().map(|leaked| leaked.helpless.as_slice()).unwrap_or_default()
    }

    /// What a revocation is called: with several keys a target is revoked several times.
    pub fn unit(&self) -> &'static str {
        match self.jobs.len() > 1 || !self.helpless().is_empty() {
            true => "revocation",
            false => "target",
        }
    }

    /// The target of the run, where there is one alone.
    pub fn only_target(&self) -> Option<&str> {
        let first = self.jobs.first().filter(|_| self.helpless().is_empty())?.targets.get(0);
        let alone = |job: &Job| job.targets.len() == 1 && job.targets.get(0) == first;
        self.jobs.iter().all(alone).then_some(first)
    }

    /// The key of a job as a message names it, where there are several.
    pub fn key_among(&self, job: usize) -> Option<&str> {
        let job = self.jobs.get(job).filter(|_| self.jobs.len() > 1);
        job.map(|job| job.key_name.as_str())
    }
}

/// The beginning of the running commentary.
fn tell(net: Net<'_>, credentials: &[Credential], hosts: &Hosts) {
    for credential in credentials {
        net.log.note("auth", "key", || credential.to_string());
        net.log.note("auth", "app", || format!("the app is named by {}", credential.app_named_by));
    }
    net.log.note("http", "network", || net.http.described(hosts.preferred()));
}

/// The endpoint that was asked for, else that of the keys' account, else the default; and in words
/// where it comes from.
fn endpoint_of(
    asked_for: Option<(Endpoint, &'static str)>,
    credentials: &[Credential],
) -> Result<(Endpoint, String), Problem> {
    if let Some((endpoint, named_by)) = asked_for {
        return Ok((endpoint, format!("from {named_by}")));
    }
    for credential in credentials {
        if let Some((endpoint, named_by)) = credential.endpoint.clone()? {
            return Ok((endpoint, format!("from {named_by}")));
        }
    }
    Ok((Endpoint::default(), "by default".to_owned()))
}

/// The time before which tokens are meant, by Ably's clock where an age was given; and the hosts, of
/// which one may have answered.
fn time(
    issued_before: Option<IssuedBefore>,
    net: Net<'_>,
    hosts: Hosts,
) -> Result<(Option<i64>, Hosts), Error> {
    let age = match issued_before {
        None => return Ok((None, hosts)),
        Some(IssuedBefore::At(ms)) => return Ok((Some(ms), hosts)),
        Some(IssuedBefore::Age(age)) => age,
    };
    let (now, hosts) = clock::now(net, hosts)?;
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Ok((Some(now.saturating_sub(age)), hosts))
}

/// A job a key, all with the same targets.
fn jobs(credentials: Vec<Credential>, targets: Targets) -> Result<Vec<Job>, Problem> {
    credentials.iter().try_for_each(|one| no_secret_among(&targets, &one.key))?;
    let targets = Arc::new(targets);
    let job = |credential| Job::new(credential, Arc::clone(&targets));
    Ok(credentials.into_iter().map(job).collect())
}

/// A job for each key that signed tokens, at hand or not.
fn jobs_of_leaked(
    mut credentials: Vec<Credential>,
    leaked: &mut Leaked,
) -> Result<Vec<Job>, Problem> {
    let mut jobs = Vec::new();
    for (key_name, targets) in leaked.jobs()? {
        credentials.iter().try_for_each(|one| no_secret_among(&targets, &one.key))?;
        let own = credentials.iter().position(|one| one.key.name() == key_name);
        let credential = own.map(|own| credentials.swap_remove(own));
        jobs.push(Job { key_name, credential, targets: Arc::new(targets) });
    }
    Ok(jobs)
}

/// Makes sure that the reason holds no key: it is written into the record.
fn no_secret_as_reason(
    recording: Option<&Recording>,
    credentials: &[Credential],
) -> Result<(), Problem> {
    let reason = recording.and_then(|recording| recording.reason.as_deref()).unwrap_or_default();
    match credentials.iter().any(|one| one.key.is_in(reason)) {
        true => Err(Problem::misplaced(Form::ApiKey, long(Id::Reason))),
        false => Ok(()),
    }
}

/// Makes sure that no target holds the key's secret, pasted in the wrong place: it would be shown.
fn no_secret_among(targets: &Targets, key: &ApiKey) -> Result<(), Problem> {
    let value = |target: &str| Kind::split(target).is_some_and(|(_, value)| key.is_in(value));
    if !targets.may_hold(key.secret()) || !targets.iter().any(value) {
        return Ok(());
    }
    Err(Problem::new(
        "a target is the API key or its secret",
        "give a client ID there; the key belongs into ABLY_API_KEY or --api-key-file",
    ))
}
