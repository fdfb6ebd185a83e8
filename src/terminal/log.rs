//! The running commentary of `--verbose`; and what a run waits for, said where that takes long and a
//! person looks on: a firewall that drops everything would leave the screen empty for seconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::json::Fields;
use crate::secret::redactor::Redactor;
use crate::terminal::output::{Output, REWRITE, Record, columns};
use crate::text::Safe;
use crate::time::{now_ms, shown};

const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Log {
    output: Output,
    redactor: Redactor,
    /// Silent otherwise.
    on: bool,
    /// The first answer has come: from then on progress is told.
    answered: AtomicBool,
}

impl Log {
    pub fn new(output: Output, redactor: Redactor, on: bool) -> Self {
        Self { output, redactor, on, answered: AtomicBool::new(false) }
    }

    /// Notes an event. The message is only made where it is shown.
    pub(crate) fn note(&self, component: &str, event: &str, message: impl FnOnce() -> String) {
        if self.on {
            self.tell(component, event, &message());
        }
    }

    fn tell(&self, component: &str, event: &str, message: &str) {
        let message = self.redactor.clean_message(message);
        if self.output.is_for_people() {
            return self.output.say(&format!("[{component}] {}\n", Safe(&message)));
        }
        let fields = Fields::new().with("component", component).with("event", event);
        let fields = fields.with("message", &*message).with("timestamp", shown(now_ms()));
        self.output.record(&Record::new("log", fields));
    }

    /// Says what is waited for, once that takes long, until this is dropped; not where no line can be
    /// taken away again, or no thread be made.
    pub(crate) fn waiting(&self, what: &str) -> Option<Waiting> {
        if self.on || !self.output.rewrites || self.answered.load(Ordering::SeqCst) {
            return None;
        }
        // The last column stays free: a cursor behind it would be on a new line.
        let line: String = format!("waiting for {what}").chars().take(columns()? - 1).collect();
        let (done, end) = mpsc::channel::<()>();
        let there = self.output.clone();
        let tell = move || {
            let is_late = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
            if is_late {
                there.say_as_it_is(&format!("{REWRITE}{line}"));
            }
            is_late
        };
        let thread = Builder::new().spawn(tell).ok()?;
        Some(Waiting { output: self.output.clone(), running: Some((done, thread)) })
    }

    pub(crate) fn answered(&self) {
        self.answered.store(true, Ordering::SeqCst);
    }
}

/// A thread that says after a while what is waited for. That is taken away once this is dropped.
pub(crate) struct Waiting {
    output: Output,
    /// What ends the thread once it is dropped, and the thread, which tells whether it said anything.
    running: Option<(Sender<()>, JoinHandle<bool>)>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some((done, thread)) = self.running.take() else { return };
        drop(done);
        if thread.join().unwrap_or(true) {
            self.output.say_as_it_is(REWRITE);
        }
    }
}
