//! Waiting: every wait is cut into slices, between which a caught signal and the deadline are looked
//! for. What is waited for is the business of the files that use this.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, NextTimeout, time};

use crate::net::connect_error::DialError;

/// The longest that a wait goes on after a signal.
const SLICE: Duration = Duration::from_millis(100);

/// Fails after a signal; `stop` is its number, 0 for none.
pub(crate) fn check(stop: &AtomicUsize) -> Result<(), Error> {
    match stop.load(Ordering::SeqCst) {
        0 => Ok(()),
        _ => Err(DialError::Stopped.into()),
    }
}

/// When a budget is used up; `None` is never.
pub(crate) fn deadline(start: time::Instant, after: time::Duration) -> Option<Instant> {
    match (start, after) {
        (time::Instant::Exact(start), time::Duration::Exact(after)) => start.checked_add(after),
        _ => None,
    }
}

/// What is left of the time for connecting: its start is that of the whole phase.
pub(crate) fn left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let Some(end) = deadline(details.now, timeout.after) {
        let left = end.saturating_duration_since(Instant::now());
        timeout.after = time::Duration::Exact(left);
    }
    timeout
}

/// What is left until then, at most one slice; `None` if it is over.
pub(crate) fn slice(deadline: Option<Instant>) -> Option<Duration> {
    let Some(deadline) = deadline else {
        return Some(SLICE);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left.min(SLICE))
}
