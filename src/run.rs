//! Works through the targets, a request at a time, and keeps the accounts.

use std::rc::Rc;

use crate::client::{BATCH, Client, Settled, Terms};
use crate::error::Problem;
use crate::outcome::{Failure, Outcome, Scope};
use crate::output::Output;
use crate::report::{self, Accounts, Facts};
use crate::signals::Signals;
use crate::targets::Targets;

/// Revokes all targets, as far as that goes. Each request's outcomes are told as they come.
pub fn all(
    client: &mut Client<'_>,
    targets: &Targets,
    terms: Terms,
    facts: &Facts,
    output: &Output,
    signals: &Signals,
) -> Accounts {
    let mut accounts = Accounts::default();
    let mut given_up: Option<Outcome> = None;
    for range in targets.batches(BATCH) {
        let batch: Vec<&str> = targets.range(range).collect();
        let outcomes = match &given_up {
            Some(outcome) => vec![outcome.clone(); batch.len()],
            None => {
                accounts.requests += 1;
                let Settled { outcomes, hopeless } = client.revoke(&batch, terms);
                if let Some(signal) = signals.caught() {
                    given_up = Some(not_sent(format!("stopped by signal {signal}")));
                } else if hopeless {
                    given_up = Some(not_sent(
                        "an earlier request failed in a way that this one would, too".to_owned(),
                    ));
                }
                outcomes
            }
        };
        report::batch(output, facts, &batch, &outcomes);
        accounts.enter(&batch, &outcomes);
    }
    accounts
}

fn not_sent(why: String) -> Outcome {
    let problem = Problem::new(why, "");
    Outcome::NotSent(Rc::new(Failure {
        problem,
        info: None,
        scope: Scope::Request,
    }))
}
