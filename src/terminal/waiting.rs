//! What a run waits for, said where that takes long and a person looks on: a firewall that drops
//! everything would leave the screen empty for seconds.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::terminal::output::{Output, REWRITE, columns};

const PATIENCE: Duration = Duration::from_secs(2);

/// Says after a while what is waited for, and takes it away once it is dropped.
pub(crate) struct Waiting {
    output: Output,
    /// What ends the thread once it is dropped, and the thread, which brings whether it said anything.
    running: Option<(Sender<()>, JoinHandle<bool>)>,
}

impl Waiting {
    /// `None` where no line can be taken away again, or no thread be made.
    pub(crate) fn start(output: &Output, what: &str) -> Option<Self> {
        // The last column stays free: a cursor behind it would be on a new line.
        let columns = columns().filter(|_| output.rewrites)?;
        let line: String = format!("waiting for {what}").chars().take(columns - 1).collect();
        let (done, end) = mpsc::channel::<()>();
        let there = output.clone();
        let tell = move || {
            let is_late = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
            if is_late {
                there.say_as_it_is(&format!("{REWRITE}{line}"));
            }
            is_late
        };
        let thread = Builder::new().spawn(tell).ok()?;
        Some(Self { output: output.clone(), running: Some((done, thread)) })
    }
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
