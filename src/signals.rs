//! SIGINT and SIGTERM. At the hidden prompt they restore the terminal first; while requests are
//! under way the first ends the run in good order and the second ends it at once; everywhere
//! else their default action stands.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

/// The longest that a wait goes on after a signal.
const SLICE: Duration = Duration::from_millis(50);

/// Whether a signal has been caught, and which. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    caught: Arc<AtomicUsize>,
    /// While true, a signal has its default action.
    default_action: Arc<AtomicBool>,
    installed: Arc<AtomicBool>,
}

impl Signals {
    /// From here on the first SIGINT or SIGTERM is noted; a second one has its default action.
    /// SIGHUP is left alone: catching it would undo `nohup`.
    ///
    /// # Errors
    /// The system refuses to install a handler.
    pub fn hold(&self) -> io::Result<()> {
        self.default_action.store(false, Ordering::SeqCst);
        if self.installed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        for signal in [SIGINT, SIGTERM] {
            // Actions run in this order: the flag is judged before this very signal sets it.
            let flag = || Arc::clone(&self.default_action);
            signal_hook::flag::register_conditional_default(signal, flag())?;
            signal_hook::flag::register(signal, flag())?;
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&self.caught), number)?;
        }
        Ok(())
    }

    /// From here on signals have their default action again.
    pub fn release(&self) {
        self.default_action.store(true, Ordering::SeqCst);
    }

    /// The signal caught, if any.
    pub fn caught(&self) -> Option<i32> {
        match self.caught.load(Ordering::SeqCst) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }

    /// The number of the caught signal itself, 0 for none, for waits below this program's reach.
    pub fn shared(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.caught)
    }

    /// Waits, unless a signal comes first.
    pub fn sleep(&self, duration: Duration) {
        let end = Instant::now() + duration;
        while self.caught().is_none() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// Dies of a signal by its default action, so that a shell sees 130 or 143.
pub fn die_of(signal: i32) {
    // If it cannot be raised, the caller's exit code says the same.
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}
