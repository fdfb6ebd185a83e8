//! Ably's clock (`GET /time`): this machine's may be wrong, so it is never sent.

use miniserde::json::{Number, Value};

use crate::error::{AblyError, Error, Problem};
use crate::net::hosts::Hosts;
use crate::net::session::{Credential, Net, Session};
use crate::time::PLAUSIBLE_MS;

/// What to do where Ably's clock cannot be asked for.
const INSTEAD: &str = "give --issued-before the time itself instead of an age";

/// Ably's time in Unix milliseconds. The host that told it serves the rest of the run.
///
/// # Errors
/// Ably could not be asked, or its answer is no time.
pub fn now(net: Net<'_>, hosts: Hosts) -> Result<i64, Error> {
    let failed = |message: &str, remedy: &str, error: Option<AblyError>| {
        let message = format!(
            "Ably's clock, from which --issued-before counts back, is not known: {message}"
        );
        Err(Error::lookup(Problem::new(message, remedy), error))
    };
    let session = Session::new(net, hosts, Credential::None);
    let session = session.map_err(|what| Problem::new(what, INSTEAD))?;
    match session.get("/time", &net.turn(net.timeout())) {
        Err(failure) => {
            let Problem { message, remedy } = failure.problem;
            failed(&message, if remedy.is_empty() { INSTEAD } else { &remedy }, None)
        }
        Ok(response) => match response.body.json().ok().as_ref().and_then(first_number) {
            Some(ms) if response.status == 200 && ms >= PLAUSIBLE_MS => Ok(ms),
            _ => {
                let error = response.error();
                let words = error.described().map(|words| format!(": {words}"));
                let message = format!(
                    "{} answered {}{}",
                    response.host,
                    response.status,
                    words.unwrap_or_default()
                );
                failed(&message, INSTEAD, Some(error))
            }
        },
    }
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
