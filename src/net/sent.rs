//! Whether a request may have left: what tells a target that was not sent from one whose outcome is
//! unknown. ureq does not say, and its errors are the same before and after. The TLS link asks here
//! for the connection to the target alone, so that neither a handshake nor the talk with a proxy
//! counts.

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

    /// Before each exchange.
    pub(crate) fn reset(&self) {
        self.sent.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.sent.load(Ordering::SeqCst)
    }

    /// Before each byte. A request that has begun to leave goes out whole, as half of one helps
    /// nobody; but after a signal none begins.
    pub(crate) fn leave(&self) -> Result<(), NetError> {
        if !self.is_set() && self.stop.load(Ordering::SeqCst) != 0 {
            return Err(NetError::Stopped);
        }
        self.sent.store(true, Ordering::SeqCst);
        Ok(())
    }
}
