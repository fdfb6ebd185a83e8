//! The running commentary of `--verbose`, and on a terminal what is waited for.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::json::Fields;
use crate::secret::redactor::Redactor;
use crate::terminal::output::{Output, Record};
use crate::terminal::waiting::Waiting;
use crate::text::Safe;
use crate::time::{now_ms, shown};

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

    /// Says what is waited for, once that takes long, until this is dropped.
    pub(crate) fn waiting(&self, what: &str) -> Option<Waiting> {
        let is_silent = self.on || self.answered.load(Ordering::SeqCst);
        if is_silent { None } else { Waiting::start(&self.output, what) }
    }

    pub(crate) fn answered(&self) {
        self.answered.store(true, Ordering::SeqCst);
    }
}
