//! Works through a plan, on as many connections as it asks for. Whoever reads the batches gets them in
//! the order of the plan.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;

use crate::error::Problem;
use crate::net::session::Net;
use crate::plan::{Job, Plan};
use crate::revoke::client::{Client, Stop};
use crate::revoke::outcome::{Cause, Outcome};
use crate::revoke::pool::in_order;
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
/// limit stops the run: what is under way then is waited for. Nothing is sent before the first batch
/// is asked for.
///
/// # Errors
/// A key cannot stand in a header.
pub fn run<'scope, 'p: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    plan: &'p Plan,
    net: Net<'p>,
) -> Result<impl Iterator<Item = Batch<'p>>, Problem> {
    let line = |job: &Job| {
        let credential = job.credential.as_ref();
        let client = credential.map(|one| Client::new(net, &plan.hosts, &one.key)).transpose()?;
        Ok(Line { client, stopped: AtomicBool::new(false) })
    };
    let lines = plan.jobs.iter().map(line).collect::<Result<_, Problem>>()?;
    let run = Run { plan, net, lines, stopped: AtomicBool::new(false) };
    let batches = || {
        let of_job = |(number, job): (usize, &'p Job)| {
            job.targets.batches().map(move |range| (number, job, range))
        };
        plan.jobs.iter().enumerate().flat_map(of_job)
    };
    // As many threads as can be busy at all.
    let at_once = batches().take(plan.parallel).count();
    Ok(in_order(scope, at_once, batches(), move |(number, job, range)| {
        run.batch(number, job, range)
    }))
}

/// What the threads of a run share.
struct Run<'p> {
    plan: &'p Plan,
    net: Net<'p>,
    /// One a job.
    lines: Vec<Line<'p>>,
    /// No job goes on.
    stopped: AtomicBool,
}

/// How the targets of a job are revoked, and whether to go on with it.
struct Line<'p> {
    /// `None` where its key is not at hand.
    client: Option<Client<'p>>,
    stopped: AtomicBool,
}

impl<'p> Run<'p> {
    /// Revokes one batch, once it is its turn; a stop may have come by then.
    fn batch(&self, number: usize, job: &'p Job, range: Range<usize>) -> Batch<'p> {
        let line = self.lines.get(number);
        let client = line.and_then(|line| Some((line, line.client.as_ref()?)));
        let (outcomes, requested) = match client {
            None => (vec![not_at_hand(&job.key_name); range.len()], false),
            Some((line, client)) => {
                let turn = self.net.turn(self.net.timeout());
                match self.why_not(line) {
                    Some(outcome) => (vec![outcome; range.len()], false),
                    None => {
                        let targets: Vec<&str> = job.targets.range(range.clone()).collect();
                        let (outcomes, stop) = client.revoke(&targets, self.plan.terms, &turn);
                        match stop {
                            Some(Stop::Job) => line.stopped.store(true, Ordering::SeqCst),
                            Some(Stop::Run) => self.stopped.store(true, Ordering::SeqCst),
                            None => {}
                        }
                        (outcomes, true)
                    }
                }
            }
        };
        Batch { number, job, range, outcomes, requested }
    }

    /// The outcome of a batch where there is no point in going on.
    fn why_not(&self, line: &Line<'p>) -> Option<Outcome> {
        if let Some(signal) = self.net.signals.caught() {
            let why = format!("the run was interrupted ({})", signals::name(signal));
            return Some(not_sent(&why, ""));
        }
        let flags = [&self.stopped, &line.stopped];
        flags.iter().any(|it| it.load(Ordering::SeqCst)).then(stopped)
    }
}

fn stopped() -> Outcome {
    not_sent(
        "every later request would have failed as the last one did",
        "mend what the first error names, then run the rest",
    )
}

fn not_at_hand(key_name: &str) -> Outcome {
    not_sent(
        &format!("key {key_name}, which signed the tokens, is not at hand"),
        "add it to the file of --api-key-file (a key a line), or revoke that key in the dashboard",
    )
}

fn not_sent(why: &str, remedy: &str) -> Outcome {
    Outcome::NotSent(Cause::of_request(Problem::new(why, remedy)))
}
