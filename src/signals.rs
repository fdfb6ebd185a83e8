//! SIGHUP, SIGINT and SIGTERM. Handlers are there from the start, since the kernel ignores default
//! actions for process 1 of a container. During a run the first signal ends it in good order, the
//! terminal as it was, and the second ends it at once; where only a text is printed they act as by
//! default.
//!
//! A handler only sets a flag. Whatever waits looks at the flag at least once in a `SLICE`.

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

/// The longest that a wait goes on after a signal.
pub const SLICE: Duration = Duration::from_millis(50);

/// What signals have done. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    caught: Arc<AtomicUsize>,
    /// While true, a signal has its default action.
    default_action: Arc<AtomicBool>,
    /// The program was stopped and goes on.
    continued: Arc<AtomicBool>,
}

impl Signals {
    /// Installs the handlers; a signal still acts as by default. One that was ignored when the
    /// program started, as by `nohup`, stays ignored.
    pub fn install(&self) -> io::Result<()> {
        self.default_action.store(true, Ordering::SeqCst);
        let ignored = ignored();
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            if ignored >> (signal - 1) & 1 == 1 {
                continue;
            }
            // Actions run in this order: the flag is judged before this very signal sets it.
            let flag = || Arc::clone(&self.default_action);
            if is_init() {
                signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, flag())?;
            } else {
                signal_hook::flag::register_conditional_default(signal, flag())?;
            }
            signal_hook::flag::register(signal, flag())?;
            let number = signal.unsigned_abs() as usize;
            signal_hook::flag::register_usize(signal, Arc::clone(&self.caught), number)?;
        }
        // A write past the limit on a file's size then fails instead of killing.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        signal_hook::flag::register(SIGCONT, Arc::clone(&self.continued))?;
        Ok(())
    }

    /// From here on the first signal is noted; a second one has its default action.
    pub fn hold(&self) {
        self.default_action.store(false, Ordering::SeqCst);
    }

    /// Whether the program was stopped and went on since this was asked last.
    pub fn take_continued(&self) -> bool {
        self.continued.swap(false, Ordering::SeqCst)
    }

    pub fn caught(&self) -> Option<i32> {
        i32::try_from(self.caught.load(Ordering::SeqCst)).ok().filter(|signal| *signal != 0)
    }

    /// Its number, 0 for none, for waits below this program's reach.
    pub fn shared(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.caught)
    }

    /// Waits, unless a signal comes first.
    pub fn sleep(&self, duration: Duration) {
        let end = Instant::now() + duration;
        while self.caught().is_none() && Instant::now() < end {
            std::thread::sleep(SLICE.min(end.saturating_duration_since(Instant::now())));
        }
    }
}

/// Waits until a stream can be read or written, but no longer than a `SLICE`. Whether it can.
pub(crate) fn ready(stream: BorrowedFd<'_>, events: PollFlags) -> bool {
    let slice = Timespec { tv_sec: 0, tv_nsec: i64::from(SLICE.subsec_nanos()) };
    match poll(&mut [PollFd::new(&stream, events)], Some(&slice)) {
        Ok(0) | Err(Errno::INTR) => false,
        // Reading or writing it will tell. A process that may open no files may not poll either.
        Ok(_) | Err(_) => true,
    }
}

fn is_init() -> bool {
    std::process::id() == 1
}

/// The signals that were ignored at the start, a bit each; none where the system does not tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// The signal's name, as in `kill -l`.
pub fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("a signal")
}

/// Dies of a signal by its default action, so that a shell sees 129, 130 or 143. Process 1 cannot;
/// the caller's exit code says the same.
pub fn die_of(signal: i32) {
    if !is_init() {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}
