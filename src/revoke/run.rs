//! Works through a plan, on as many connections as it asks for. Whoever reads the batches gets them in
//! the order of the plan.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;

use crate::error::Problem;
use crate::net::session::Net;
use crate::plan::{Job, Plan};
use crate::request::target::Kind;
use crate::revoke::client::{Client, Stop};
use crate::revoke::outcome::{Cause, Outcome};
use crate::revoke::pool::in_order;
use crate::signals;

/// Targets of one job with what became of each.
#[derive(Debug)]
pub struct Batch<'p> {
    pub number: usize,
    pub job: &'p Job,
    /// The positions of the targets in their job.
    pub range: Range<usize>,
    pub outcomes: Vec<Outcome>,
    /// Whether a request was made.
    pub requested: bool,
}

impl<'p> Batch<'p> {
    pub fn each(&self) -> impl Iterator<Item = (&'p str, &Outcome)> {
        self.job.targets.range(self.range.clone()).zip(&self.outcomes)
    }

    pub fn is_revoked(&self) -> bool {
        self.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Revoked(_)))
    }
}

/// What the connections of a run share.
pub struct Run<'p> {
    plan: &'p Plan,
    net: Net<'p>,
    /// One a job.
    lanes: Vec<Lane<'p>>,
    /// No job goes on.
    stopped: AtomicBool,
}

/// How the targets of a job are revoked, and whether to go on with it.
struct Lane<'p> {
    /// `None` where its key is not at hand.
    client: Option<Client<'p>>,
    stopped: AtomicBool,
    /// Its channels do not go on.
    channels_stopped: AtomicBool,
}

impl<'p> Run<'p> {
    pub fn new(plan: &'p Plan, net: Net<'p>) -> Result<Self, Problem> {
        let lane = |job: &Job| {
            let client = job.at_hand.as_ref();
            let client = client.map(|one| Client::new(net, &one.hosts, &one.key.api_key));
            let client = client.transpose()?;
            Ok(Lane { client, stopped: false.into(), channels_stopped: false.into() })
        };
        let lanes = plan.jobs.iter().map(lane).collect::<Result<_, Problem>>()?;
        Ok(Self { plan, net, lanes, stopped: false.into() })
    }

    /// Revokes everything in the plan, as far as that goes. A refused target stops nothing; what every
    /// later request of a key would meet as well stops its job, and no connection or a lasting rate
    /// limit stops the run: what is under way then is waited for. `made` is told of each batch by the
    /// connection that made it, before that goes on.
    pub fn batches<'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        made: impl Fn(&Batch<'p>) + Send + Sync + 'scope,
    ) -> impl Iterator<Item = Batch<'p>> + 'scope
    where
        'p: 'scope,
    {
        let plan = self.plan;
        let batches = || {
            let of_job = |(number, job): (usize, &'p Job)| {
                job.targets.batches().map(move |range| (number, job, range))
            };
            plan.jobs.iter().enumerate().flat_map(of_job)
        };
        // As many threads as can be busy at all.
        let at_once = batches().take(plan.settings.parallel).count();
        in_order(scope, at_once, batches(), move |(number, job, range)| {
            let batch = self.batch(number, job, range);
            made(&batch);
            batch
        })
    }

    /// Revokes one batch, once it is its turn; a stop may have come by then.
    fn batch(&self, number: usize, job: &'p Job, range: Range<usize>) -> Batch<'p> {
        let answered = self.lanes.get(number).and_then(|lane| self.ask(lane, job, &range));
        let requested = matches!(answered, Some(Ok(_)));
        let outcomes = match answered {
            None => vec![not_sent(not_at_hand(&job.key_name)); range.len()],
            Some(Err(why_not)) => vec![why_not; range.len()],
            Some(Ok(outcomes)) => outcomes,
        };
        Batch { number, job, range, outcomes, requested }
    }

    /// `None` where the key is not at hand; an error where there is no point in going on.
    fn ask(
        &self,
        lane: &Lane<'p>,
        job: &Job,
        range: &Range<usize>,
    ) -> Option<Result<Vec<Outcome>, Outcome>> {
        let client = lane.client.as_ref()?;
        let until = self.net.deadline(self.net.network.timeout);
        let targets: Vec<&str> = job.targets.range(range.clone()).collect();
        let is_of_channels =
            targets.first().is_some_and(|target| target.starts_with(Kind::Channel.prefix()));
        if let Some(why_not) = self.why_not(lane, is_of_channels) {
            return Some(Err(why_not));
        }
        let (outcomes, stop) = client.revoke(&targets, self.plan.terms, until);
        let stopped = match stop {
            Some(Stop::Channels) => Some(&lane.channels_stopped),
            Some(Stop::Job) => Some(&lane.stopped),
            Some(Stop::Run) => Some(&self.stopped),
            None => None,
        };
        stopped.into_iter().for_each(|flag| flag.store(true, Ordering::SeqCst));
        Some(Ok(outcomes))
    }

    fn why_not(&self, lane: &Lane<'p>, is_of_channels: bool) -> Option<Outcome> {
        if let Some(signal) = self.net.signals.caught() {
            let why = format!("the run was interrupted ({})", signals::name(signal));
            return Some(not_sent(Problem::new(why, "")));
        }
        let is_set = |flag: &AtomicBool| flag.load(Ordering::SeqCst);
        let channels = is_of_channels && is_set(&lane.channels_stopped);
        (channels || is_set(&lane.stopped) || is_set(&self.stopped)).then(|| {
            not_sent(Problem::new(
                "every later request would have failed as the last one did",
                "fix the first error, then run the rest",
            ))
        })
    }
}

/// Why nothing of a job is sent.
pub fn not_at_hand(key_name: &str) -> Problem {
    Problem::new(
        format!("key {key_name}, which signed the tokens, is not at hand"),
        "add it to the file of --api-key-file (a key a line), or revoke that key: ably auth keys revoke",
    )
}

fn not_sent(why: Problem) -> Outcome {
    Outcome::NotSent(Cause::of_request(why))
}
