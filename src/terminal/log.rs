//! The running commentary of `--verbose`.

use crate::secret::redactor::Redactor;
use crate::terminal::output::Output;

/// Tells what happens as it happens, where that was asked for.
#[derive(Debug)]
pub struct Log {
    output: Output,
    redactor: Redactor,
    on: bool,
}

impl Log {
    /// A log that writes where `output` says, no secret among it; silent unless `on`.
    pub fn new(output: Output, redactor: Redactor, on: bool) -> Self {
        Self { output, redactor, on }
    }

    /// Notes an event. The message is only made where it is shown.
    pub fn note(
        &self,
        component: &'static str,
        event: &'static str,
        message: impl FnOnce() -> String,
    ) {
        if self.on {
            self.output.log(component, event, &self.redactor.clean_message(&message()));
        }
    }
}
