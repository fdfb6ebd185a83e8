//! Whether a request may have left: what tells a target that was not sent from one whose outcome is
//! unknown. ureq does not say, and its errors are the same before and after. Last of the chain, so
//! that neither a handshake nor the talk with a proxy counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};

use crate::net::error::NetError;
use crate::net::tunnel::is_hop;

/// Notes when a request leaves, and lets none leave after a signal.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The number of a caught signal, 0 for none.
    pub(crate) stop: Arc<AtomicUsize>,
    /// Becomes true right before the first byte of a request may leave; the caller resets it.
    pub(crate) sent: Arc<AtomicBool>,
}

impl<In: Transport> Connector<In> for Sent {
    type Out = Either<In, Noted<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| match is_hop(details) {
            true => Either::A(inner),
            false => Either::B(Noted { inner, marker: self.clone() }),
        }))
    }
}

/// A connection to the target itself.
#[derive(Debug)]
pub(crate) struct Noted<In> {
    inner: In,
    marker: Sent,
}

impl<In: Transport> Transport for Noted<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        // A request that has begun to leave goes out whole: half of one helps nobody.
        if !self.marker.sent.load(Ordering::SeqCst) {
            if self.marker.stop.load(Ordering::SeqCst) != 0 {
                return Err(NetError::Stopped.into());
            }
            self.marker.sent.store(true, Ordering::SeqCst);
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
