//! A TCP connection as ureq reads and writes it. Knows nothing of TLS, proxies or requests.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use ureq::Error;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport, time};

use crate::net::wait::{check, deadline, slice};

/// More than this is written at once, in bytes.
pub(crate) const HELD: usize = 16 << 10;

/// A TCP connection. Timeouts are ureq's, but waited for in slices.
pub(crate) struct Wire {
    stream: TcpStream,
    buffers: LazyBuffers,
    stop: Arc<AtomicUsize>,
    /// What goes out with the next bytes: a request's head and body make one packet.
    held: Vec<u8>,
    /// As set on the socket, so that it is set only when it changes.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl Wire {
    /// A connection that is open and blocks; `stop` is the number of a caught signal, 0 for none.
    pub(crate) fn new(stream: TcpStream, buffers: LazyBuffers, stop: Arc<AtomicUsize>) -> Self {
        Self { stream, buffers, stop, held: Vec::new(), read_timeout: None, write_timeout: None }
    }
}

impl Wire {
    /// Writes what was held back.
    fn flush(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let deadline = deadline(time::Instant::now(), timeout.after);
        let mut left = self.held.as_slice();
        while !left.is_empty() {
            let wait = slice(deadline).ok_or(Error::Timeout(timeout.reason))?;
            if self.write_timeout != Some(wait) {
                self.stream.set_write_timeout(Some(wait))?;
                self.write_timeout = Some(wait);
            }
            match self.stream.write(left) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(error) => go_on(error, &self.stop)?,
            }
        }
        self.held.clear();
        Ok(())
    }
}

impl fmt::Debug for Wire {
    /// Without the buffers: they hold the Authorization header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.fmt(f)
    }
}

/// What to do about a read or write that brought nothing.
fn go_on(error: io::Error, stop: &AtomicUsize) -> Result<(), Error> {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => check(stop),
        _ => Err(error.into()),
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        check(&self.stop)?;
        let bytes = self.buffers.output().get(..amount).unwrap_or_default();
        self.held.extend_from_slice(bytes);
        if self.held.len() < HELD { Ok(()) } else { self.flush(timeout) }
    }

    /// What has arrived is read even after a signal: it may be the answer.
    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.flush(timeout)?;
        let timeout = timeout.for_read();
        let deadline = deadline(time::Instant::now(), timeout.after);
        loop {
            let wait = slice(deadline).ok_or(Error::Timeout(timeout.reason))?;
            if self.read_timeout != Some(wait) {
                self.stream.set_read_timeout(Some(wait))?;
                self.read_timeout = Some(wait);
            }
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) => go_on(error, &self.stop)?,
            }
        }
    }

    /// Open, and nothing in it that nobody asked for.
    fn is_open(&mut self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(recv(&self.stream, &mut [0_u8][..], flags), Err(Errno::AGAIN))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Shutdown;
    use std::thread;

    use ureq::Timeout;

    use super::*;
    use crate::net::connect_error::DialError;
    use crate::net::test_support::{dialled, later, listener, stop, within};

    fn wire(stop: &Arc<AtomicUsize>) -> (Wire, TcpStream) {
        let (listener, address) = listener();
        let stream = TcpStream::connect(address).unwrap();
        let buffers = LazyBuffers::new(1024, 1 << 20);
        let wire = Wire::new(stream, buffers, Arc::clone(stop));
        (wire, listener.accept().unwrap().0)
    }

    #[test]
    fn a_read_waits_for_its_whole_budget_and_no_longer() {
        let (mut wire, mut peer) = wire(&stop(0));
        for ms in [0, 150] {
            let error = wire.await_input(within(ms)).unwrap_err();
            assert!(matches!(error, Error::Timeout(Timeout::RecvResponse)), "{error:?}");
        }
        let writer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(250));
            peer.write_all(b"late").unwrap();
        });
        assert!(wire.await_input(within(60_000)).unwrap());
        assert_eq!(wire.buffers().input(), b"late");
        writer.join().unwrap();
        assert!(!wire.await_input(within(60_000)).unwrap());
    }

    #[test]
    fn a_signal_ends_reads_and_writes_but_not_what_has_arrived() {
        let stop = stop(0);
        let (mut wire, mut peer) = wire(&stop);
        later(&stop);
        let error = wire.await_input(NextTimeout::default()).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped));
        peer.write_all(b"answer").unwrap();
        assert!(wire.await_input(within(60_000)).unwrap());
        let mut result = Ok(());
        while result.is_ok() {
            result = wire.transmit_output(1 << 20, within(60_000));
        }
        assert_eq!(dialled(&result.unwrap_err()), Some(&DialError::Stopped));
        // Errors go through std and rustls and back.
        let error = Error::from(Error::from(DialError::Stopped).into_io());
        assert_eq!(dialled(&error), Some(&DialError::Stopped));
    }

    #[test]
    fn a_write_that_nobody_reads_times_out() {
        let (mut wire, _peer) = wire(&stop(0));
        let mut result = Ok(());
        while result.is_ok() {
            result = wire.transmit_output(1 << 20, within(150));
        }
        assert!(matches!(result, Err(Error::Timeout(Timeout::RecvResponse))));
    }

    #[test]
    fn an_idle_connection_is_open_until_something_comes() {
        let (mut wire, mut peer) = wire(&stop(0));
        assert!(wire.is_open() && wire.is_open());
        peer.write_all(b"x").unwrap();
        wire.stream.peek(&mut [0]).unwrap();
        assert!(!wire.is_open());
        let (mut wire, peer) = self::wire(&stop(0));
        peer.shutdown(Shutdown::Both).unwrap();
        wire.stream.peek(&mut [0]).unwrap();
        assert!(!wire.is_open());
        wire.buffers.output()[..6].copy_from_slice(b"Secret");
        assert!(!format!("{wire:?}").contains("83, 101"));
    }
}
