//! Whether a request may have left: what tells a target that was not sent from one whose outcome is
//! unknown. The last link of the chain in `connect.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};

use crate::net::proxy::is_hop;
use crate::net::wait::check;

/// Notes when a request leaves, and lets none leave after a signal. Last of the chain, so that
/// neither the handshake nor the talk with a proxy counts.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) stop: Arc<AtomicUsize>,
    pub(crate) sent: Arc<AtomicBool>,
}

impl<In: Transport> Connector<In> for Witness {
    type Out = Either<In, Witnessed<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| match is_hop(details.uri) {
            true => Either::A(inner),
            false => Either::B(Witnessed {
                inner,
                stop: Arc::clone(&self.stop),
                sent: Arc::clone(&self.sent),
            }),
        }))
    }
}

/// A connection to the target itself.
#[derive(Debug)]
pub(crate) struct Witnessed<In> {
    inner: In,
    stop: Arc<AtomicUsize>,
    sent: Arc<AtomicBool>,
}

impl<In: Transport> Transport for Witnessed<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        // A request that has begun to leave goes out whole: half of one helps nobody.
        if !self.sent.load(Ordering::SeqCst) {
            check(&self.stop)?;
            self.sent.store(true, Ordering::SeqCst);
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

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::thread;
    use std::time::Duration;

    use ureq::Timeout;

    use super::*;
    use crate::net::connect_error::DialError;
    use crate::net::test_support::{HI, Setup, dead, dialled, head, listener, refusing, serve};

    #[test]
    fn a_request_counts_as_sent_on_new_and_on_kept_connections() {
        let setup = Setup::new();
        let (address, server) = serve(&[HI, HI]);
        for _ in 0..2 {
            assert_eq!(setup.get(&format!("http://{address}/x"), None).unwrap(), "hi");
            assert!(setup.sent());
        }
        assert_eq!(server.join().unwrap().len(), 2);
    }

    #[test]
    fn without_a_connection_nothing_is_sent() {
        let setup = Setup::new();
        let error = setup.get(&format!("http://{}/x", refusing()), None).unwrap_err();
        assert!(matches!(error, Error::Io(inner) if inner.kind() == ErrorKind::ConnectionRefused));
        assert!(!setup.sent());
        let (dead, _kept) = dead();
        let error = setup.get(&format!("http://{dead}/x"), None).unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::Connect)));
        assert!(!setup.sent());
    }

    #[test]
    fn a_handshake_is_no_request_and_a_signal_ends_it() {
        let setup = Setup::new();
        let (listener, address) = listener();
        let error = setup.get(&format!("https://{address}/x"), None).unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::Connect)), "{error:?}");
        let stop = Arc::clone(&setup.stop);
        thread::spawn(move || {
            let _silent = [listener.accept(), listener.accept()];
            stop.store(2, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(5));
        });
        let error = setup.get(&format!("https://{address}/x"), None).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped), "{error:?}");
        assert!(!setup.sent());
    }

    #[test]
    fn after_a_signal_no_request_leaves_over_a_kept_connection() {
        let setup = Setup::new();
        let (address, server) = serve(&[HI, ""]);
        setup.get(&format!("http://{address}/x"), None).unwrap();
        setup.stop.store(15, Ordering::SeqCst);
        let error = setup.get(&format!("http://{address}/x"), None).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped));
        assert!(!setup.sent());
        drop(setup);
        assert_eq!(server.join().unwrap()[1], "");
    }

    #[test]
    fn a_signal_ends_the_wait_for_a_body() {
        let setup = Setup::new();
        let (listener, address) = listener();
        let stop = Arc::clone(&setup.stop);
        thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            head(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
            stop.store(2, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(5));
        });
        let error = setup.get(&format!("http://{address}/x"), None).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped), "{error:?}");
        assert!(setup.sent());
    }
}
