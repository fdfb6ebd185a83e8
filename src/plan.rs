//! What is settled before the first revocation, and never changed after it: which targets with which
//! key, on which terms, at which hosts. The question, the dry run, the records and the report read
//! this and nothing else.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::cli::flags::{Id, long};
use crate::error::{Error, Exit, Problem};
use crate::keys::key::Key;
use crate::keys::sources::Sources;
use crate::keys::{self, Found};
use crate::net::clock;
use crate::net::endpoint::{Endpoint, Hosts};
use crate::net::session::Net;
use crate::request::irrevocable;
use crate::request::issued_before::IssuedBefore;
use crate::request::leaked::Leaked;
use crate::request::leaked_tokens::{Token, Why};
use crate::request::output_files::OutputFiles;
use crate::request::settings::Settings;
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::request::{Request, Subject};

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
    pub key_name: String,
    /// `None` where the key is not at hand: then nothing of the job is sent.
    pub at_hand: Option<Box<AtHand>>,
    /// At least one. Jobs with the same targets share them.
    pub targets: Arc<Targets>,
    /// Where the leaked tokens that they came from are found: see `Leaked::of_job`.
    pub tokens: Range<usize>,
}

/// A key, and where it alone goes: a key is never sent to another account's endpoint.
#[derive(Debug)]
pub struct AtHand {
    pub key: Key,
    pub endpoint: Endpoint,
    pub hosts: Hosts,
}

impl Job {
    pub fn key(&self) -> Option<&Key> {
        self.at_hand.as_ref().map(|at_hand| &at_hand.key)
    }

    pub fn shares_targets(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.targets, &other.targets)
    }
}

/// A run that only has to be confirmed.
#[derive(Debug)]
pub struct Plan {
    pub settings: Settings,
    pub files: OutputFiles,
    /// What is to be revoked with which key, in this order; at least one.
    pub jobs: Vec<Job>,
    /// The leaked tokens that the targets came from.
    pub leaked: Option<Leaked>,
    pub terms: Terms,
    /// What the operator is to know of keys that do not serve, a sentence each.
    pub warnings: Vec<String>,
    /// Other keys of the app that are known, and where from.
    pub other_keys: Vec<String>,
    /// Whether the Control API was asked for app or key.
    pub asked_control: bool,
    /// Of no meaning in a check, which is never dry.
    pub asked_clock: bool,
}

impl Plan {
    /// Settles what the request leaves open: keys and app, the claim of leaked tokens, the time. The
    /// operator is asked where that is needed.
    pub fn settle(
        mut request: Request,
        sources: &mut Sources<'_>,
        net: Net<'_>,
    ) -> Result<Self, Error> {
        let found = keys::find(request.want(), sources);
        let Request { settings, subject, files, .. } = request;
        let Found { keys, mut warnings, only_app, others } =
            found.map_err(|error| affecting(error, &subject))?;
        no_secret_as_reason(&settings, &keys)?;
        if settings.all_keys && !settings.unused_key_places.is_empty() {
            let (used, unused) = (&settings.key_places, &settings.unused_key_places);
            let used = used.first().map_or("", |place| place.named_by());
            warnings.push(format!("{used} is used, and not {}", unused.join(", ")));
        }
        let keys = keys.into_iter().map(|key| at_hand(key, &settings));
        let keys: Vec<AtHand> = keys.collect::<Result<_, _>>()?;
        for one in &keys {
            one.hosts.all().try_for_each(|host| net.network.check(host))?;
        }
        let issued_before = issued_before(&settings, &keys, net);
        let terms = Terms {
            issued_before: issued_before.map_err(|error| affecting(error, &subject))?,
            margin: settings.margin && !settings.is_check(),
        };
        tell(net, &settings, &keys);
        let (jobs, leaked) = match subject {
            Subject::Targets(targets) => (jobs(keys, targets)?, None),
            Subject::Leaked(mut leaked) => {
                let at_hand: Vec<&ApiKey> = keys.iter().map(|one| &one.key.api_key).collect();
                leaked.settle(&at_hand);
                irrevocable::check(&leaked)?;
                only_app.iter().for_each(|app| leaked.restrict(app));
                leaked.choose(&sources.chooser)?;
                (jobs_of_leaked(keys, &mut leaked)?, Some(leaked))
            }
        };
        Ok(Self {
            jobs,
            leaked,
            terms,
            warnings,
            other_keys: others,
            asked_control: sources.asked_control,
            asked_clock: matches!(settings.issued_before, Some(IssuedBefore::Age(_))),
            settings,
            files,
        })
    }

    /// How many revocations there are: targets, each with a key; a token that cannot be revoked by
    /// itself counts as one.
    pub fn revocations(&self) -> usize {
        self.jobs.iter().map(|job| job.targets.len()).sum::<usize>() + self.helpless().len()
    }

    /// Leaked tokens that cannot be revoked by themselves.
    pub fn helpless(&self) -> &[(Token, Why)] {
        self.leaked.as_ref().map(|leaked| leaked.found.helpless.as_slice()).unwrap_or_default()
    }

    pub fn missing(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.at_hand.is_none())
    }

    /// How many tokens cannot be revoked: their key is not at hand, or no claim of theirs serves.
    pub fn irrevocable(&self) -> usize {
        self.missing().map(|job| job.tokens.len()).sum::<usize>() + self.helpless().len()
    }

    /// The only leaked token, where there is nothing else to tell of.
    pub fn only_token(&self) -> Option<&Token> {
        self.leaked.as_ref()?.only()
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

    /// The endpoints that keys go to, each once.
    pub fn endpoints(&self) -> Vec<&Endpoint> {
        let mut endpoints: Vec<&Endpoint> = Vec::new();
        for at_hand in self.jobs.iter().filter_map(|job| job.at_hand.as_ref()) {
            if !endpoints.contains(&&at_hand.endpoint) {
                endpoints.push(&at_hand.endpoint);
            }
        }
        endpoints
    }
}

/// A look-up that failed keeps all targets from being revoked.
fn affecting(mut error: Error, subject: &Subject) -> Error {
    if let (Exit::Failed, Subject::Targets(targets)) = (error.exit, subject) {
        error.targets = targets.iter().map(str::to_owned).collect();
    }
    error
}

fn at_hand(key: Key, settings: &Settings) -> Result<AtHand, Problem> {
    let endpoint = match &settings.endpoint {
        Some((endpoint, _)) => endpoint.clone(),
        None => key.endpoint.clone()?.map(|(endpoint, _)| endpoint).unwrap_or_default(),
    };
    Ok(AtHand { hosts: Hosts::of(&endpoint), endpoint, key })
}

/// The beginning of the running commentary.
fn tell(net: Net<'_>, settings: &Settings, keys: &[AtHand]) {
    for AtHand { key, endpoint, hosts } in keys {
        net.log.note("auth", "key", || key.to_string());
        net.log.note("auth", "app", || format!("the app is named by {}", key.app.named_by));
        net.log.note("http", "endpoint", || match (&settings.endpoint, &key.endpoint) {
            (Some((_, named_by)), _) => format!("endpoint {endpoint} from {named_by}"),
            (None, Ok(Some((_, account)))) => format!("endpoint {endpoint} from {account}"),
            _ => format!("endpoint {endpoint} by default"),
        });
        net.log.note("http", "network", || net.described(hosts.preferred()));
    }
}

/// The time before which tokens are meant, by Ably's clock where an age was given. `--check` means no
/// tokens.
fn issued_before(settings: &Settings, keys: &[AtHand], net: Net<'_>) -> Result<Option<i64>, Error> {
    match (&settings.issued_before, keys.first()) {
        (Some(IssuedBefore::At(ms)), _) if !settings.is_check() => Ok(Some(*ms)),
        (Some(IssuedBefore::Age(age)), Some(first)) if !settings.is_check() => {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            Ok(Some(clock::now(net, first.hosts.clone())?.saturating_sub(age)))
        }
        _ => Ok(None),
    }
}

/// A job a key, all with the same targets.
fn jobs(keys: Vec<AtHand>, targets: Targets) -> Result<Vec<Job>, Problem> {
    keys.iter().try_for_each(|one| no_secret_among(&targets, &one.key.api_key))?;
    let targets = Arc::new(targets);
    let job = |one: AtHand| Job {
        key_name: one.key.name().to_owned(),
        at_hand: Some(Box::new(one)),
        targets: Arc::clone(&targets),
        tokens: 0..0,
    };
    Ok(keys.into_iter().map(job).collect())
}

/// A job for each key that signed tokens, at hand or not.
fn jobs_of_leaked(keys: Vec<AtHand>, leaked: &mut Leaked) -> Result<Vec<Job>, Problem> {
    let named = |one: AtHand| (one.key.name().to_owned(), Box::new(one));
    let mut keys: HashMap<String, Box<AtHand>> = keys.into_iter().map(named).collect();
    let job = |(key_name, targets, tokens): (String, Targets, _)| Job {
        at_hand: keys.remove(&key_name),
        key_name,
        targets: Arc::new(targets),
        tokens,
    };
    Ok(leaked.jobs()?.into_iter().map(job).collect())
}

/// Makes sure that the reason holds no key: it is written into the record.
fn no_secret_as_reason(settings: &Settings, keys: &[Key]) -> Result<(), Problem> {
    let reason = settings.reason.as_deref().unwrap_or_default();
    match keys.iter().any(|key| key.api_key.is_in(reason)) {
        true => Err(Problem::misplaced_key(long(Id::Reason))),
        false => Ok(()),
    }
}

/// Makes sure that no target holds the key's secret, pasted in the wrong place: it would be shown.
fn no_secret_among(targets: &Targets, key: &ApiKey) -> Result<(), Problem> {
    let holds = |target: &str| Kind::split(target).is_some_and(|(_, value)| key.is_in(value));
    if !targets.iter().any(holds) {
        return Ok(());
    }
    Err(Problem::new(
        "a target is the API key or its secret",
        "give a client ID there; the key belongs into ABLY_API_KEY or --api-key-file",
    ))
}
