//! Works through a plan, a request at a time. Whoever reads the batches gets them in the order of the
//! plan.

use std::ops::Range;

use crate::error::Problem;
use crate::net::session::Net;
use crate::plan::{Job, Plan};
use crate::revoke::client::{BATCH, Client, Stop};
use crate::revoke::outcome::{Cause, Outcome};
use crate::signals;

/// Targets of one job with what became of each.
#[derive(Debug)]
pub struct Batch<'p> {
    /// The position of the job in the plan.
    pub number: usize,
    /// The key with which it was asked for, and all of its targets.
    pub job: &'p Job,
    /// The positions of the targets in their job.
    pub range: Range<usize>,
    /// One outcome a target.
    pub outcomes: Vec<Outcome>,
    /// Whether a request was made.
    pub requested: bool,
}

impl<'p> Batch<'p> {
    /// Each target with its outcome.
    pub fn each(&self) -> impl Iterator<Item = (&'p str, &Outcome)> {
        self.job.targets.range(self.range.clone()).zip(&self.outcomes)
    }

    /// Whether Ably confirmed all of it.
    pub fn is_revoked(&self) -> bool {
        self.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Revoked(_)))
    }
}

/// Revokes everything in the plan, as far as that goes. A refused target stops nothing; what every
/// later request of a key would meet as well stops its job, and no connection or a lasting rate
/// limit stops the run. Nothing is sent before the first batch is asked for.
///
/// # Errors
/// A key cannot stand in a header.
pub fn run<'p>(plan: &'p Plan, net: Net<'p>) -> Result<Batches<'p>, Problem> {
    let client = |job: &Job| {
        let credential = job.credential.as_ref();
        credential.map(|one| Client::new(net, &plan.hosts, &one.key)).transpose()
    };
    let clients = plan.jobs.iter().map(client).collect::<Result<_, _>>()?;
    Ok(Batches { plan, net, clients, job: 0, batch: 0, stopped: None })
}

/// The batches of a run.
#[derive(Debug)]
pub struct Batches<'p> {
    plan: &'p Plan,
    net: Net<'p>,
    /// One a job, where its key is at hand.
    clients: Vec<Option<Client<'p>>>,
    job: usize,
    /// The number of the job's next batch.
    batch: usize,
    stopped: Option<Stop>,
}

impl<'p> Iterator for Batches<'p> {
    type Item = Batch<'p>;

    fn next(&mut self) -> Option<Batch<'p>> {
        let (job, range) = loop {
            let job = self.plan.jobs.get(self.job)?;
            if let Some(range) = job.targets.batch(self.batch, BATCH) {
                break (job, range);
            }
            (self.job, self.batch) = (self.job + 1, 0);
            self.stopped.take_if(|stop| *stop == Stop::Job);
        };
        self.batch += 1;
        let given_up = self.why_not();
        let client = self.clients.get_mut(self.job).and_then(Option::as_mut);
        let (outcomes, requested) = match (client, given_up) {
            (Some(client), None) => {
                let targets: Vec<&str> = job.targets.range(range.clone()).collect();
                let (outcomes, stop) = client.revoke(&targets, self.plan.terms);
                self.stopped = stop;
                (outcomes, true)
            }
            (Some(_), Some(outcome)) => (vec![outcome; range.len()], false),
            (None, _) => (vec![not_at_hand(&job.key_name); range.len()], false),
        };
        Some(Batch { number: self.job, job, range, outcomes, requested })
    }
}

impl<'p> Batches<'p> {
    /// The outcome of what is left, where there is no point in going on.
    fn why_not(&self) -> Option<Outcome> {
        let (why, remedy) = match (self.net.signals.caught(), self.stopped) {
            (Some(signal), _) => {
                (format!("the run was interrupted ({})", signals::name(signal)), "")
            }
            (None, Some(_)) => (
                "every later request would have failed as the last one did".to_owned(),
                "mend what the first error names, then run the rest",
            ),
            (None, None) => return None,
        };
        Some(Outcome::NotSent(Cause::of_request(Problem::new(why, remedy))))
    }
}

fn not_at_hand(key_name: &str) -> Outcome {
    Outcome::NotSent(Cause::of_request(Problem::new(
        format!("key {key_name}, which signed the tokens, is not at hand"),
        "add it to the file of --api-key-file (a key a line), or revoke that key in the dashboard",
    )))
}
