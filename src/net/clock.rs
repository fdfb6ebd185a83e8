//! Ably's clock (`GET /time`): this machine's may be wrong, so it is never sent.

use crate::error::{AblyError, Error, Problem};
use crate::json::document::Value;
use crate::net::endpoint::Hosts;
use crate::net::session::{Credential, Net, Session};
use crate::time::PLAUSIBLE_MS;

const INSTEAD: &str = "give --issued-before the time itself instead of an age";

/// Ably's time in Unix milliseconds. The host that answered serves the rest of the run.
pub fn now(net: Net<'_>, hosts: Hosts) -> Result<i64, Error> {
    let failed = |message: &str, remedy: &str, error: Option<AblyError>| {
        let message = format!(
            "Ably's clock, from which --issued-before counts back, is not known: {message}"
        );
        Err(Error::lookup(Problem::new(message, remedy), error))
    };
    let session = Session::new(net, hosts, Credential::None);
    let session = session.map_err(|what| Problem::new(what, INSTEAD))?;
    let answer = match session.send("/time", None, net.deadline(net.network.timeout)) {
        Ok(answer) => answer,
        Err(failure) => {
            let Problem { message, remedy } = failure.problem;
            return failed(&message, if remedy.is_empty() { INSTEAD } else { &remedy }, None);
        }
    };
    let first = answer.body.as_ref().ok().and_then(|body| body.root().items()?.next());
    if let (200, Some(ms)) = (answer.status, first.and_then(Value::as_integer))
        && ms >= PLAUSIBLE_MS
    {
        return Ok(ms);
    }
    let words = answer.error.described().map_or_else(String::new, |words| format!(": {words}"));
    let message = format!("{} answered {}{words}", answer.host, answer.status);
    failed(&message, INSTEAD, Some(answer.error))
}
