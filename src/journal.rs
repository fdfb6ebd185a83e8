//! The running commentary of `--verbose`.

use crate::output::Output;

/// Tells what happens as it happens, where that was asked for.
#[derive(Debug)]
pub struct Journal {
    output: Output,
    on: bool,
}

impl Journal {
    /// A journal that writes where `output` says; silent unless `on`.
    pub fn new(output: Output, on: bool) -> Self {
        Self { output, on }
    }

    /// Notes an event. The message is only made where it is shown.
    pub fn note(
        &self,
        component: &'static str,
        event: &'static str,
        message: impl FnOnce() -> String,
    ) {
        if self.on {
            self.output.log(component, event, &message());
        }
    }
}
