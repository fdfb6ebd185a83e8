//! Works through the targets, a request at a time, and keeps the accounts.

use crate::error::Problem;
use crate::plan::Facts;
use crate::report::human;
use crate::report::progress::Progress;
use crate::request::targets::Targets;
use crate::revoke::client::{BATCH, Client, Settled, Terms};
use crate::revoke::left_over::Unrevoked;
use crate::revoke::outcome::{Failure, Outcome};
use crate::revoke::summary::Accounts;
use crate::revoke::verify::Verifier;
use crate::signals::{self, Signals};
use crate::terminal::output::Output;

/// What accompanies a run besides its requests.
#[derive(Debug)]
pub struct Witnesses<'a> {
    /// Told each request's outcomes.
    pub output: &'a Output,
    /// Told how far it is.
    pub progress: Progress,
    /// Ends it in good order.
    pub signals: &'a Signals,
    /// Keeps what is left over.
    pub unrevoked: Option<Unrevoked>,
    /// Asks whether the leaked token is dead.
    pub verifier: Option<Verifier<'a>>,
}

/// Revokes all targets, as far as that goes. Each request's outcomes are told as they come. A
/// refused target stops nothing; what would befall every later request alike stops the run.
pub fn all(
    client: &mut Client<'_>,
    targets: &Targets,
    terms: Terms,
    facts: &mut Facts,
    witnesses: &mut Witnesses<'_>,
) -> Accounts {
    let mut accounts = Accounts::default();
    let mut given_up = why_stop(false, witnesses.signals);
    for range in targets.batches(BATCH) {
        let start = range.start;
        let batch: Vec<&str> = targets.range(range).collect();
        let outcomes = match &given_up {
            Some(outcome) => vec![outcome.clone(); batch.len()],
            None => {
                accounts.requests += 1;
                let Settled { outcomes, hopeless } = client.revoke(&batch, terms);
                given_up = why_stop(hopeless, witnesses.signals);
                outcomes
            }
        };
        let all_revoked = outcomes.iter().all(|outcome| matches!(outcome, Outcome::Revoked(_)));
        if let Some(verifier) = witnesses.verifier.as_ref().filter(|_| all_revoked) {
            human::before_proof(witnesses.output, facts, &batch, &outcomes);
            facts.verdict = Some(verifier.verify(client.hosts()));
        }
        human::batch(witnesses.output, facts, &batch, &outcomes);
        accounts.enter(&batch, &outcomes);
        if let Some(unrevoked) = &mut witnesses.unrevoked {
            unrevoked.enter(start, &outcomes);
        }
        witnesses.progress.tell(accounts.tally);
    }
    witnesses.progress.end();
    accounts
}

/// The outcome of all later targets, where there is no point in going on.
fn why_stop(hopeless: bool, signals: &Signals) -> Option<Outcome> {
    let (why, remedy) = match signals.caught() {
        Some(signal) => (format!("the run was interrupted ({})", signals::name(signal)), ""),
        None if hopeless => (
            "every later request would have failed as the last one did".to_owned(),
            "mend what the first error names, then run the rest",
        ),
        None => return None,
    };
    let problem = Problem::new(why, remedy);
    Some(Outcome::NotSent(Failure::of_request(problem)))
}

/// The exit code of the accounts; a token that was to be proved dead and is not makes a 0 a 5.
pub fn exit_code(accounts: &Accounts, facts: &Facts) -> i32 {
    match accounts.tally.exit_code() {
        0 if facts.verdict.as_ref().is_some_and(|verdict| !verdict.is_dead()) => 5,
        code => code,
    }
}
