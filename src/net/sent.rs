//! Whether a request may have left: the difference between a target that was not sent and one whose
//! outcome is unknown. ureq does not tell, and its errors are the same in both cases. The TLS link
//! sets the marker, on the connection to the host only: a handshake and the talk with a proxy do not
//! count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::net::error::NetError;

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The number of a caught signal, 0 for none.
    stop: Arc<AtomicUsize>,
    sent: Arc<AtomicBool>,
}

impl Sent {
    pub(crate) fn new(stop: Arc<AtomicUsize>) -> Self {
        Self { stop, sent: Arc::default() }
    }

    pub(crate) fn reset(&self) {
        self.sent.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.sent.load(Ordering::SeqCst)
    }

    /// Called before each write. After a signal no request begins; one that has begun is finished.
    pub(crate) fn leave(&self) -> Result<(), NetError> {
        if !self.is_set() && self.stop.load(Ordering::SeqCst) != 0 {
            return Err(NetError::Stopped);
        }
        self.sent.store(true, Ordering::SeqCst);
        Ok(())
    }
}
