//! Names and TCP connections, in place of ureq's resolver and connector: a signal ends every wait
//! within 100 ms, a dead address costs 250 ms, and a process that may not create threads lives.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, RustlsConnector,
    Transport, time,
};

use crate::net::endpoint::{ConnectTo, Host};
use crate::net::proxy::{Tunnel, is_hop};

/// The longest that a wait goes on after a signal.
const SLICE: Duration = Duration::from_millis(100);
/// How long an attempt to connect is alone before the next address is tried (RFC 8305, 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// As many addresses as ureq has room for.
const MAX_ADDRESSES: usize = 16;
/// Stack of the look-up thread in bytes; musl's getaddrinfo needs a tenth of it.
const STACK: usize = 256 << 10;

/// Why there is no connection, where `io::Error` and ureq have no word for it. Comes as
/// `ureq::Error::Other`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialError {
    /// DNS knows no address, or does not answer.
    Unresolvable {
        /// The host's name.
        host: String,
        /// The system's words, lower case.
        reason: String,
    },
    /// The look-up took longer than it may.
    ResolveTimedOut {
        /// The host's name.
        host: String,
    },
    /// A signal was caught.
    Stopped,
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolvable { host, reason } => write!(f, "cannot resolve {host}: {reason}"),
            Self::ResolveTimedOut { host } => write!(f, "{host} was not resolved in time"),
            Self::Stopped => f.write_str("stopped by a signal"),
        }
    }
}

impl std::error::Error for DialError {}

impl From<DialError> for Error {
    fn from(error: DialError) -> Self {
        Self::Other(Box::new(error))
    }
}

/// The connector for `Agent::with_parts`: TCP, through a proxy where the request has one, then
/// TLS. `stop` is the number of a caught signal, 0 for none. `sent` becomes true right before the
/// first byte of a request may leave; the caller resets it before each exchange.
pub fn connector(stop: Arc<AtomicUsize>, sent: Arc<AtomicBool>) -> impl Connector {
    ().chain(Tunnel)
        .chain(Dial {
            stop: Arc::clone(&stop),
        })
        .chain(RustlsConnector::default())
        .chain(Witness { stop, sent })
}

fn check(stop: &AtomicUsize) -> Result<(), Error> {
    match stop.load(Ordering::SeqCst) {
        0 => Ok(()),
        _ => Err(DialError::Stopped.into()),
    }
}

/// When a budget is used up; `None` is never.
fn deadline(start: time::Instant, after: time::Duration) -> Option<Instant> {
    match (start, after) {
        (time::Instant::Exact(start), time::Duration::Exact(after)) => start.checked_add(after),
        _ => None,
    }
}

/// What is left until then, at most one slice; `None` if it is over.
fn slice(deadline: Option<Instant>) -> Option<Duration> {
    let Some(deadline) = deadline else {
        return Some(SLICE);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left.min(SLICE))
}

/// Finds the addresses of hosts.
#[derive(Debug)]
pub struct Names {
    /// The address that stands for every host and port.
    pub connect_to: Option<ConnectTo>,
    /// The number of a caught signal, 0 for none.
    pub stop: Arc<AtomicUsize>,
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        check(&self.stop)?;
        let deadline = deadline(time::Instant::now(), timeout.after);
        let (host, port) = match &self.connect_to {
            Some(ConnectTo {
                host: Host::Ip(ip),
                port,
            }) => (ip.to_string(), *port),
            Some(ConnectTo {
                host: Host::Name(name),
                port,
            }) => (name.clone(), *port),
            None => host_and_port(uri)?,
        };
        let mut addresses = self.empty();
        for address in self
            .addresses(host, port, deadline)?
            .into_iter()
            .take(MAX_ADDRESSES)
        {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

fn host_and_port(uri: &Uri) -> Result<(String, u16), Error> {
    let host = uri.host().ok_or(Error::HostNotFound)?;
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    let usual = if uri.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    Ok((bare.to_owned(), uri.port_u16().unwrap_or(usual)))
}

impl Names {
    fn addresses(
        &self,
        host: String,
        port: u16,
        deadline: Option<Instant>,
    ) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        if is_localhost(&host) {
            let (four, six) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
            return Ok(vec![(four, port).into(), (six, port).into()]);
        }
        let reason = match self.look_up(&host, port, deadline)? {
            Ok(addresses) if !addresses.is_empty() => return Ok(interleaved(addresses)),
            Ok(_) => "no address".to_owned(),
            Err(error) => reason(&error),
        };
        Err(DialError::Unresolvable { host, reason }.into())
    }

    /// Asks the system, on a thread that is left behind where it takes too long.
    fn look_up(
        &self,
        host: &str,
        port: u16,
        deadline: Option<Instant>,
    ) -> Result<io::Result<Vec<SocketAddr>>, Error> {
        let late = || DialError::ResolveTimedOut {
            host: host.to_owned(),
        };
        let (answer, answers) = mpsc::sync_channel(1);
        let name = host.to_owned();
        let spawned = thread::Builder::new()
            .name("look-up".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Nobody may be waiting any more.
                let _ = answer.send(system_look_up(&name, port));
            });
        if spawned.is_err() {
            // No more threads for this user: musl ends a look-up by itself after 10 s.
            let found = system_look_up(host, port);
            check(&self.stop)?;
            return slice(deadline).map(|_| found).ok_or_else(|| late().into());
        }
        loop {
            let wait = slice(deadline).ok_or_else(late)?;
            match answers.recv_timeout(wait) {
                Ok(found) => return Ok(found),
                Err(RecvTimeoutError::Timeout) => check(&self.stop)?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Err(io::Error::other("the look-up broke off")));
                }
            }
        }
    }
}

fn system_look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    (host, port).to_socket_addrs().map(Iterator::collect)
}

/// localhost and names below it are the loopback without asking anybody (RFC 6761, 6.3): there is
/// no hosts file in an empty root.
fn is_localhost(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name.rsplit('.')
        .next()
        .is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
}

/// Families in turn, beginning with that of the first (RFC 8305, 4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut these, mut others): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut mixed = Vec::with_capacity(these.len() + others.len());
    while !these.is_empty() || !others.is_empty() {
        mixed.extend(these.pop_front());
        mixed.extend(others.pop_front());
    }
    mixed
}

/// The system's words without Rust's around them.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&text);
    let text = text
        .split_once(" (os error")
        .map_or(text, |(words, _)| words);
    // What musl calls a look-up that no name server answered.
    match text {
        "Try again" => "no answer from the name servers".to_owned(),
        _ => text.to_lowercase(),
    }
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
        Ok(Some(Either::B(Wire {
            stream,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stop: Arc::clone(&self.stop),
            read_timeout: None,
            write_timeout: None,
        })))
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
        let mut polled: Vec<_> = self
            .running
            .iter()
            .map(|socket| PollFd::new(socket, PollFlags::OUT))
            .collect();
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: wait.subsec_nanos().into(),
        };
        match poll(&mut polled, Some(&timeout)) {
            // A signal: the caller looks which.
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ended: Vec<bool> = polled
            .iter()
            .map(|entry| !entry.revents().is_empty())
            .collect();
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
fn begin(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

/// A TCP connection. Timeouts are ureq's, but waited for in slices.
struct Wire {
    stream: TcpStream,
    buffers: LazyBuffers,
    stop: Arc<AtomicUsize>,
    /// As set on the socket, so that it is set only when it changes.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
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
        let timeout = timeout.for_write();
        let deadline = deadline(time::Instant::now(), timeout.after);
        let mut left = self.buffers.output().get(..amount).unwrap_or_default();
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
        Ok(())
    }

    /// What has arrived is read even after a signal: it may be the answer.
    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
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
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let read = self.stream.read(&mut [0]);
        let silent = matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock);
        silent && self.stream.set_nonblocking(false).is_ok()
    }
}

/// Notes when a request leaves, and lets none leave after a signal. Last of the chain, so that
/// neither the handshake nor the talk with a proxy counts.
#[derive(Debug)]
struct Witness {
    stop: Arc<AtomicUsize>,
    sent: Arc<AtomicBool>,
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
struct Witnessed<In> {
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
    use std::net::{Shutdown, TcpListener};

    use ureq::{Agent, Proxy, Timeout};

    use super::*;
    use crate::net::proxy::{Proxies, Route};

    fn stop(signal: usize) -> Arc<AtomicUsize> {
        Arc::new(AtomicUsize::new(signal))
    }

    fn later(stop: &Arc<AtomicUsize>) {
        let stop = Arc::clone(stop);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            stop.store(2, Ordering::SeqCst);
        });
    }

    fn within(ms: u64) -> NextTimeout {
        NextTimeout {
            after: time::Duration::from_millis(ms),
            reason: Timeout::RecvResponse,
            ..NextTimeout::default()
        }
    }

    fn dialled(error: &Error) -> Option<&DialError> {
        match error {
            Error::Other(inner) => inner.downcast_ref(),
            _ => None,
        }
    }

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// An address that neither accepts nor refuses: its backlog is full. Lives as long as what
    /// comes with it.
    fn dead() -> (SocketAddr, Vec<OwnedFd>) {
        let kind = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, kind, None).unwrap();
        rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().unwrap();
        let mut kept: Vec<OwnedFd> = (0..8).map(|_| begin(address).unwrap()).collect();
        kept.push(listener.into());
        (address, kept)
    }

    /// A port that was free a moment ago.
    fn refusing() -> SocketAddr {
        listener().1
    }

    fn race(
        addresses: &[SocketAddr],
        ms: u64,
        stop: &AtomicUsize,
    ) -> Result<Option<TcpStream>, Error> {
        Race::new(addresses).run(Some(Instant::now() + Duration::from_millis(ms)), stop)
    }

    fn resolve(names: &Names, uri: &str, ms: u64) -> Result<Vec<String>, Error> {
        let found = names.resolve(&uri.parse().unwrap(), &Config::default(), within(ms))?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    fn names(connect_to: Option<&str>) -> Names {
        let connect_to = connect_to.map(|value| ConnectTo::parse(value).unwrap());
        Names {
            connect_to,
            stop: stop(0),
        }
    }

    #[test]
    fn addresses_and_localhost_need_no_look_up() {
        for (uri, expected) in [
            ("https://127.0.0.1/", vec!["127.0.0.1:443"]),
            ("https://[::1]:8443/", vec!["[::1]:8443"]),
            ("http://10.0.0.1/", vec!["10.0.0.1:80"]),
            ("https://localhost/", vec!["127.0.0.1:443", "[::1]:443"]),
            ("https://a.LOCALHOST.:1/", vec!["127.0.0.1:1", "[::1]:1"]),
        ] {
            // No time is left, which a look-up would notice.
            assert_eq!(resolve(&names(None), uri, 0).unwrap(), expected, "{uri}");
        }
        assert!(!is_localhost("notlocalhost") && !is_localhost("localhost.example"));
    }

    #[test]
    fn connect_to_stands_for_every_host_and_port() {
        for (to, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:2", "[::1]:2"),
            ("localhost:3", "127.0.0.1:3"),
        ] {
            let found = resolve(&names(Some(to)), "https://main.realtime.ably.net:9/x", 0).unwrap();
            assert_eq!(found[0], expected);
        }
    }

    #[test]
    fn a_host_that_cannot_be_resolved_is_named() {
        let host = format!("{}.example", "a".repeat(64));
        let error = resolve(&names(None), &format!("https://{host}/"), 10_000).unwrap_err();
        let Some(DialError::Unresolvable {
            host: named,
            reason,
        }) = dialled(&error)
        else {
            panic!("{error:?}");
        };
        assert_eq!(*named, host);
        assert!(
            !reason.is_empty() && !reason.contains("failed to") && !reason.contains("os error")
        );
    }

    #[test]
    fn a_look_up_ends_with_its_budget_and_with_a_signal() {
        let error = resolve(&names(None), "https://ably.example/", 0).unwrap_err();
        assert!(matches!(
            dialled(&error),
            Some(DialError::ResolveTimedOut { .. })
        ));
        let names = Names {
            connect_to: None,
            stop: stop(15),
        };
        let error = resolve(&names, "https://127.0.0.1/", 1000).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped));
    }

    #[test]
    fn families_take_turns() {
        let read = |list: &[&str]| {
            list.iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            interleaved(read(&[
                "[::1]:1",
                "[::2]:1",
                "[::3]:1",
                "1.1.1.1:1",
                "1.1.1.2:1"
            ])),
            read(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"])
        );
        assert_eq!(interleaved(Vec::new()), Vec::new());
    }

    #[test]
    fn a_dead_first_address_does_not_keep_the_next_waiting() {
        let (dead, _kept) = dead();
        let (_listener, alive) = listener();
        // It would take the dead ones 20 s to give up, with their shares of the time in turn.
        let stream = race(&[dead, dead, alive], 60_000, &stop(0))
            .unwrap()
            .unwrap();
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
        assert!(
            rustix::io::fcntl_getfd(&stream)
                .unwrap()
                .contains(rustix::io::FdFlags::CLOEXEC)
        );
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let start = Instant::now();
        assert_eq!(
            (&stream).read(&mut [0]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
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

    fn wire(stop: &Arc<AtomicUsize>) -> (Wire, TcpStream) {
        let (listener, address) = listener();
        let stream = TcpStream::connect(address).unwrap();
        let buffers = LazyBuffers::new(1024, 1 << 20);
        let stop = Arc::clone(stop);
        let wire = Wire {
            stream,
            buffers,
            stop,
            read_timeout: None,
            write_timeout: None,
        };
        (wire, listener.accept().unwrap().0)
    }

    #[test]
    fn a_read_waits_for_its_whole_budget_and_no_longer() {
        let (mut wire, mut peer) = wire(&stop(0));
        for ms in [0, 150] {
            let error = wire.await_input(within(ms)).unwrap_err();
            assert!(
                matches!(error, Error::Timeout(Timeout::RecvResponse)),
                "{error:?}"
            );
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

    struct Setup {
        agent: Agent,
        sent: Arc<AtomicBool>,
        stop: Arc<AtomicUsize>,
    }

    impl Setup {
        fn new() -> Self {
            let (stop, sent) = (stop(0), Arc::new(AtomicBool::new(false)));
            let config = Agent::config_builder()
                .timeout_connect(Some(Duration::from_millis(1500)))
                .timeout_global(Some(Duration::from_secs(20)))
                .user_agent("us")
                .proxy(None)
                .build();
            let names = Names {
                connect_to: None,
                stop: Arc::clone(&stop),
            };
            let connector = connector(Arc::clone(&stop), Arc::clone(&sent));
            Self {
                agent: Agent::with_parts(config, connector, names),
                sent,
                stop,
            }
        }

        fn get(&self, uri: &str, proxy: Option<&Proxy>) -> Result<String, Error> {
            self.sent.store(false, Ordering::SeqCst);
            let request = self.agent.get(uri).config().proxy(proxy.cloned()).build();
            request.call()?.body_mut().read_to_string()
        }

        fn sent(&self) -> bool {
            self.sent.load(Ordering::SeqCst)
        }
    }

    fn head(stream: &mut TcpStream) -> String {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }

    /// Answers each head that comes over one connection with the next text; returns the heads.
    fn serve(answers: &'static [&'static str]) -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
        let (listener, address) = listener();
        let server = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut heads = Vec::new();
            for answer in answers {
                heads.push(head(&mut stream));
                stream.write_all(answer.as_bytes()).unwrap();
            }
            heads
        });
        (address, server)
    }

    const HI: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

    fn via(address: SocketAddr) -> Proxy {
        let proxies = Proxies::from_env(|name| {
            (name == "https_proxy").then(|| format!("http://user:p%40ss@{address}"))
        });
        match proxies.unwrap().for_host("h", 443) {
            Route::Via { proxy, .. } => proxy.clone(),
            Route::Direct { .. } => panic!("direct"),
        }
    }

    #[test]
    fn a_request_counts_as_sent_on_new_and_on_kept_connections() {
        let setup = Setup::new();
        let (address, server) = serve(&[HI, HI]);
        for _ in 0..2 {
            assert_eq!(
                setup.get(&format!("http://{address}/x"), None).unwrap(),
                "hi"
            );
            assert!(setup.sent());
        }
        assert_eq!(server.join().unwrap().len(), 2);
    }

    #[test]
    fn without_a_connection_nothing_is_sent() {
        let setup = Setup::new();
        let error = setup
            .get(&format!("http://{}/x", refusing()), None)
            .unwrap_err();
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
        let error = setup
            .get(&format!("https://{address}/x"), None)
            .unwrap_err();
        assert!(
            matches!(error, Error::Timeout(Timeout::Connect)),
            "{error:?}"
        );
        let stop = Arc::clone(&setup.stop);
        thread::spawn(move || {
            let _silent = [listener.accept(), listener.accept()];
            stop.store(2, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(5));
        });
        let error = setup
            .get(&format!("https://{address}/x"), None)
            .unwrap_err();
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
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
                .unwrap();
            stop.store(2, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(5));
        });
        let error = setup.get(&format!("http://{address}/x"), None).unwrap_err();
        assert_eq!(dialled(&error), Some(&DialError::Stopped), "{error:?}");
        assert!(setup.sent());
    }

    #[test]
    fn a_proxy_gets_its_credentials_and_the_target_gets_the_request() {
        let setup = Setup::new();
        let (address, server) = serve(&["HTTP/1.1 200 Connection established\r\n\r\n", HI, HI]);
        for _ in 0..2 {
            assert_eq!(
                setup
                    .get("http://ably.example:8443/x", Some(&via(address)))
                    .unwrap(),
                "hi"
            );
            assert!(setup.sent());
        }
        let heads = server.join().unwrap();
        assert_eq!(
            heads[0],
            "CONNECT ably.example:8443 HTTP/1.1\r\nHost: ably.example:8443\r\nUser-Agent: us\r\n\
             Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"
        );
        assert!(heads[1].starts_with("GET /x HTTP/1.1\r\n"));
        assert!(!heads[1].contains("Proxy-Authorization"));
    }

    #[test]
    fn what_a_proxy_is_told_is_not_a_request() {
        for (answer, told) in [
            ("HTTP/1.1 407 Who\r\n\r\n", "credentials"),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
            ("nonsense\r\n\r\n", "not HTTP"),
            ("", "did not answer"),
        ] {
            let setup = Setup::new();
            let (address, server) = serve(Box::leak(Box::new([answer])));
            let error = setup
                .get("https://ably.example/x", Some(&via(address)))
                .unwrap_err();
            let Error::ConnectProxyFailed(reason) = &error else {
                panic!("{error:?}")
            };
            assert!(reason.contains(told), "{reason}");
            assert!(!setup.sent());
            server.join().unwrap();
        }
    }

    #[test]
    fn a_proxy_that_answers_byte_by_byte_has_the_time_to_connect_and_no_more() {
        let setup = Setup::new();
        let (listener, address) = listener();
        let dripping = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        });
        let error = setup
            .get("https://ably.example/x", Some(&via(address)))
            .unwrap_err();
        assert!(
            matches!(error, Error::Timeout(Timeout::Connect)),
            "{error:?}"
        );
        assert!(!setup.sent());
        // It ends because the connection was closed.
        dripping.join().unwrap();
    }
}
