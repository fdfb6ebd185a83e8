//! TCP connections, in place of ureq's connector: a race between the addresses of a host, so that a
//! dead one costs 250 ms. Ends where there is a connection; the other links of the chain that makes
//! it one to Ably are in `tunnel.rs`, `connection.rs`, `tls.rs` and `sent.rs`.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Either, LazyBuffers, Transport};

use crate::net::connection::{HELD, Wire};
use crate::net::sent::Witness;
use crate::net::tls::Tls;
use crate::net::tunnel::Tunnel;
use crate::net::wait::{check, deadline, slice};

/// How long an attempt to connect is alone before the next address is tried (RFC 8305, 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The connector for `Agent::with_parts`: TCP, through a proxy where the request has one, then
/// TLS. `stop` is the number of a caught signal, 0 for none. `sent` becomes true right before the
/// first byte of a request may leave; the caller resets it before each exchange.
pub(crate) fn connector(tls: Tls, stop: Arc<AtomicUsize>, sent: Arc<AtomicBool>) -> impl Connector {
    ().chain(Tunnel)
        .chain(Dial { stop: Arc::clone(&stop) })
        .chain(tls)
        .chain(Witness { stop, sent })
}

/// Opens TCP connections.
#[derive(Debug)]
struct Dial {
    stop: Arc<AtomicUsize>,
}

impl<In: Transport> Connector<In> for Dial {
    type Out = Either<In, Wire>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let (config, reason) = (details.config, details.timeout.reason);
        let deadline = deadline(details.now, details.timeout.after);
        let stream = Race::new(&details.addrs).run(deadline, &self.stop)?;
        let stream = stream.ok_or(Error::Timeout(reason))?;
        if config.no_delay() {
            stream.set_nodelay(true)?;
        }
        // Not registered for `Agent::shutdown`, which nobody calls: `stop` does its work.
        let buffers = LazyBuffers::new(config.input_buffer_size(), HELD);
        let wire = Wire::new(stream, buffers, Arc::clone(&self.stop));
        Ok(Some(Either::B(wire)))
    }
}

/// Attempts at several addresses, of which the first to succeed counts (happy eyeballs, RFC 8305).
struct Race<'a> {
    waiting: std::slice::Iter<'a, SocketAddr>,
    running: Vec<OwnedFd>,
    next_start: Instant,
    failure: Option<Errno>,
}

impl<'a> Race<'a> {
    fn new(addresses: &'a [SocketAddr]) -> Self {
        Self {
            waiting: addresses.iter(),
            running: Vec::new(),
            next_start: Instant::now(),
            failure: None,
        }
    }

    /// The first connection, or `None` if there is none until the deadline. Fails with the most
    /// telling reason once all addresses have failed.
    fn run(
        &mut self,
        deadline: Option<Instant>,
        stop: &AtomicUsize,
    ) -> Result<Option<TcpStream>, Error> {
        loop {
            check(stop)?;
            let Some(mut wait) = slice(deadline) else {
                return Ok(None);
            };
            let until_start = self.next_start.saturating_duration_since(Instant::now());
            if self.running.is_empty() || until_start.is_zero() {
                if let Some(address) = self.waiting.next() {
                    match begin(*address) {
                        Ok(socket) => self.running.push(socket),
                        Err(errno) => self.failed(errno),
                    }
                    // Also after a failure: there is nothing left to be late for.
                    self.next_start = match self.running.is_empty() {
                        true => Instant::now(),
                        false => Instant::now() + ATTEMPT_DELAY,
                    };
                    continue;
                }
                if self.running.is_empty() {
                    let errno = self.failure.unwrap_or(Errno::ADDRNOTAVAIL);
                    return Err(Error::Io(errno.into()));
                }
            } else if self.waiting.len() > 0 {
                wait = wait.min(until_start);
            }
            if let Some(socket) = self.poll(wait)? {
                let stream = TcpStream::from(socket);
                stream.set_nonblocking(false)?;
                return Ok(Some(stream));
            }
        }
    }

    /// Waits for any attempt to end and takes the first good one out.
    fn poll(&mut self, wait: Duration) -> io::Result<Option<OwnedFd>> {
        let mut polled: Vec<_> =
            self.running.iter().map(|socket| PollFd::new(socket, PollFlags::OUT)).collect();
        let timeout = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        match poll(&mut polled, Some(&timeout)) {
            // A signal: the caller looks which.
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ended: Vec<bool> = polled.iter().map(|entry| !entry.revents().is_empty()).collect();
        drop(polled);
        let mut winner = None;
        for (socket, ended) in std::mem::take(&mut self.running).into_iter().zip(ended) {
            if !ended {
                self.running.push(socket);
                continue;
            }
            match sockopt::socket_error(&socket) {
                Ok(Ok(())) => winner = winner.or(Some(socket)),
                Ok(Err(errno)) | Err(errno) => {
                    self.failed(errno);
                    // The next address need not wait for its time.
                    self.next_start = Instant::now();
                }
            }
        }
        Ok(winner)
    }

    fn failed(&mut self, errno: Errno) {
        // A host that says no tells more than a network that is not there, such as IPv6's.
        let rank = |errno: Errno| match errno {
            Errno::CONNREFUSED | Errno::CONNRESET => 2,
            Errno::NETUNREACH | Errno::HOSTUNREACH | Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT => 0,
            _ => 1,
        };
        if self.failure.is_none_or(|old| rank(errno) >= rank(old)) {
            self.failure = Some(errno);
        }
    }
}

/// A socket on its way to an address, or there already.
pub(crate) fn begin(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::net::Ipv6Addr;

    use super::*;
    use crate::net::connect_error::DialError;
    use crate::net::test_support::{dead, dialled, later, listener, refusing, stop};

    fn race(
        addresses: &[SocketAddr],
        ms: u64,
        stop: &AtomicUsize,
    ) -> Result<Option<TcpStream>, Error> {
        Race::new(addresses).run(Some(Instant::now() + Duration::from_millis(ms)), stop)
    }

    #[test]
    fn a_dead_first_address_does_not_keep_the_next_waiting() {
        let (dead, _kept) = dead();
        let (_listener, alive) = listener();
        // It would take the dead ones 20 s to give up, with their shares of the time in turn.
        let stream = race(&[dead, dead, alive], 60_000, &stop(0)).unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
    }

    #[test]
    fn a_refusal_lets_the_next_address_start_at_once() {
        let (_listener, alive) = listener();
        let refusing = refusing();
        // 15 refusals with their delays would take longer than this.
        let mut addresses = vec![refusing; 15];
        addresses.push(alive);
        let stream = race(&addresses, 3000, &stop(0)).unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, alive.port()));
        let stream = race(&[v6, alive], 3000, &stop(0)).unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
    }

    #[test]
    fn a_connected_socket_blocks_and_is_closed_on_exec() {
        let (_listener, alive) = listener();
        let stream = race(&[alive], 3000, &stop(0)).unwrap().unwrap();
        assert!(rustix::io::ioctl_fionread(&stream).is_ok());
        assert!(rustix::io::fcntl_getfd(&stream).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let start = Instant::now();
        assert_eq!((&stream).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(start.elapsed() >= Duration::from_millis(10));
    }

    #[test]
    fn a_race_without_a_winner_tells_the_most_it_can() {
        let error = race(&[refusing(), refusing()], 3000, &stop(0)).unwrap_err();
        assert!(matches!(error, Error::Io(inner) if inner.kind() == ErrorKind::ConnectionRefused));
        let mut race = Race::new(&[]);
        for (errno, kept) in [
            (Errno::NETUNREACH, Errno::NETUNREACH),
            (Errno::ACCESS, Errno::ACCESS),
            (Errno::CONNREFUSED, Errno::CONNREFUSED),
            (Errno::HOSTUNREACH, Errno::CONNREFUSED),
        ] {
            race.failed(errno);
            assert_eq!(race.failure, Some(kept));
        }
        assert!(matches!(race.run(None, &stop(0)), Err(Error::Io(_))));
    }

    #[test]
    fn connecting_ends_with_its_budget_and_with_a_signal() {
        let (dead, _kept) = dead();
        assert!(race(&[dead], 150, &stop(0)).unwrap().is_none());
        assert!(race(&[dead], 0, &stop(0)).unwrap().is_none());
        let stop = stop(0);
        later(&stop);
        let error = Race::new(&[dead]).run(None, &stop).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped));
    }
}
