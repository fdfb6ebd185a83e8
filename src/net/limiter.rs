//! How many requests may run at once, and when the next may start: a rate limit that one of them
//! meets pauses all.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::signals::{SLICE, Signals};

/// What the requests of a run share.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// So many requests at once; `None`: as many as there are threads to send them.
    most: Option<usize>,
    under_way: usize,
    /// Requests that were sent, were limited and will be sent again. They go before new ones.
    limited: usize,
    /// Nothing leaves before.
    pause: Option<Instant>,
    /// How often a rate limit was met after the pause for the one before.
    limits: usize,
}

impl State {
    fn is_paused(&self) -> bool {
        self.pause.is_some_and(|end| Instant::now() < end)
    }

    fn has_place(&self, taken: usize) -> bool {
        !self.is_paused() && self.most.is_none_or(|most| taken < most)
    }
}

impl Limiter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this holds, the time is up, or a signal comes.
    fn wait(
        &self,
        signals: &Signals,
        until: Option<Instant>,
        holds: impl Fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while !holds(&state) && signals.caught().is_none() {
            let left = until.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            let pause = state.pause.map(|end| end.saturating_duration_since(Instant::now()));
            let pause = pause.filter(|left| !left.is_zero()).unwrap_or(SLICE);
            let waited = self.changed.wait_timeout(state, SLICE.min(left).min(pause));
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}

/// A request's place among those under way, and until when it may be tried. Other requests wait for
/// the place until this is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    signals: &'a Signals,
    until: Instant,
    /// The rate limits that had been met when it was taken.
    limits: Cell<usize>,
}

impl<'a> Permit<'a> {
    /// Waits for a place, however long; the time for the request itself counts from then on. After a
    /// signal there is no wait.
    pub(super) fn new(limiter: &'a Limiter, signals: &'a Signals, budget: Duration) -> Self {
        let mut state =
            limiter.wait(signals, None, |state| state.has_place(state.under_way + state.limited));
        state.under_way += 1;
        let limits = Cell::new(state.limits);
        Self { limiter, signals, until: Instant::now() + budget, limits }
    }

    /// What is left of the time.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Waits where another request was limited meanwhile.
    pub(super) fn ready(&self) {
        drop(self.limiter.wait(self.signals, Some(self.until), |state| !state.is_paused()));
    }

    /// Pauses all requests for so long, and this one also until there is a place for it again. A limit
    /// that is met after the pause for another halves the number of places.
    pub(super) fn pause(&self, pause: Duration) {
        let end = Instant::now() + pause;
        let mut state = self.limiter.state();
        if self.limits.get() == state.limits {
            state.limits += 1;
            if state.limits > 1 {
                state.most = Some(((state.under_way + state.limited) / 2).max(1));
            }
        }
        state.pause = state.pause.max(Some(end));
        state.under_way -= 1;
        state.limited += 1;
        drop(state);
        let has_place = |state: &State| state.has_place(state.under_way);
        let mut state = self.limiter.wait(self.signals, Some(self.until), has_place);
        state.under_way += 1;
        state.limited -= 1;
        self.limits.set(state.limits);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter.state().under_way -= 1;
        self.limiter.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(1);

    /// Limits that several requests meet at once are one limit.
    #[test]
    fn a_limit_that_comes_again_halves_the_requests_under_way() {
        for (threads, half) in [(16, 8), (3, 1), (1, 1)] {
            let (limiter, signals) = (Limiter::default(), Signals::default());
            let (all, now) = (Barrier::new(threads), AtomicUsize::new(0));
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        let turn = Permit::new(&limiter, &signals, LONG);
                        all.wait();
                        turn.pause(SHORT);
                        assert_eq!(limiter.state().most, None);
                        all.wait();
                        turn.pause(SHORT);
                        assert_eq!(limiter.state().most, Some(half));
                        assert!(now.fetch_add(1, Ordering::SeqCst) < half);
                        turn.ready();
                        now.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
            let state = limiter.state();
            assert_eq!((state.under_way, state.limited), (0, 0));
        }
    }

    #[test]
    fn a_pause_holds_up_requests_that_were_not_limited() {
        let (limiter, signals) = (Limiter::default(), Signals::default());
        let (limited, other) =
            (Permit::new(&limiter, &signals, LONG), Permit::new(&limiter, &signals, LONG));
        let start = Instant::now();
        limited.pause(SHORT * 20);
        other.ready();
        drop(Permit::new(&limiter, &signals, LONG));
        assert!(start.elapsed() >= SHORT * 20);
        // Its own time ends the wait for one that is limited for longer.
        let hasty = Permit::new(&limiter, &signals, SHORT);
        limiter.state().pause = Some(Instant::now() + LONG);
        hasty.ready();
        assert!(hasty.left().is_zero());
    }
}
