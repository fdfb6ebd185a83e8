//! A listening port, a thread a connection, and an end to all of it on drop.

use std::io::{self, IoSlice, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The loopback addresses to listen on, all on one port number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    V4,
    V6,
    Both,
}

/// Locks, whoever panicked while holding it: the first panic is the one to report.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One accepted connection, shared with the server so that a drop can end it. The server holds
/// it weakly: a clone of the descriptor would keep the connection open after its thread left it.
#[derive(Clone)]
pub(super) struct Socket(Arc<TcpStream>);

impl Socket {
    /// Ends the connection with a TCP reset. To be dropped at once afterwards.
    pub(super) fn reset_on_drop(&self) {
        let _ = rustix::net::sockopt::set_socket_linger(&*self.0, Some(Duration::ZERO));
    }

    /// Says to the peer that nothing more follows.
    pub(super) fn finish(&self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }

    pub(super) fn shut(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    /// What is one answer leaves at once, however many records of TLS it takes.
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self.0).write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

#[derive(Default)]
struct Flags {
    stopped: bool,
    released: bool,
}

/// What connection threads wait on: the server's end, or a test's word.
#[derive(Default)]
pub(super) struct Bell {
    flags: Mutex<Flags>,
    ring: Condvar,
}

impl Bell {
    fn stopped(&self) -> bool {
        lock(&self.flags).stopped
    }

    fn stop(&self) {
        lock(&self.flags).stopped = true;
        self.ring.notify_all();
    }

    pub(super) fn release(&self) {
        lock(&self.flags).released = true;
        self.ring.notify_all();
    }

    /// Waits until the server stops.
    pub(super) fn hang(&self) {
        let mut flags = lock(&self.flags);
        while !flags.stopped {
            flags = self.ring.wait(flags).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a test's `release`; false if the server stopped first.
    pub(super) fn held(&self) -> bool {
        let mut flags = lock(&self.flags);
        while !flags.stopped && !flags.released {
            flags = self.ring.wait(flags).unwrap_or_else(PoisonError::into_inner);
        }
        !flags.stopped
    }

    /// Waits this long; false if the server stopped first.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut flags = lock(&self.flags);
        while !flags.stopped {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            (flags, _) =
                self.ring.wait_timeout(flags, left).unwrap_or_else(PoisonError::into_inner);
        }
        false
    }
}

#[derive(Default)]
struct Connections {
    sockets: Vec<Weak<TcpStream>>,
    threads: Vec<JoinHandle<()>>,
    count: usize,
}

/// A port that hands each connection to a thread of its own.
pub(super) struct Server {
    addresses: Vec<SocketAddr>,
    bell: Arc<Bell>,
    connections: Arc<Mutex<Connections>>,
    /// The connections that `stop` itself makes, not to be counted.
    wakers: Arc<Mutex<Vec<SocketAddr>>>,
    acceptors: Vec<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port and calls `serve` with each connection and its number, from 0.
    pub(super) fn start<F>(on: Loopback, bell: Arc<Bell>, serve: F) -> Server
    where
        F: Fn(Socket, usize) + Send + Sync + 'static,
    {
        let serve = Arc::new(serve);
        let listeners = listen(on);
        let mut server = Server {
            addresses: listeners.iter().map(|listener| listener.local_addr().unwrap()).collect(),
            bell,
            connections: Arc::default(),
            wakers: Arc::default(),
            acceptors: Vec::new(),
        };
        for listener in listeners {
            let bell = Arc::clone(&server.bell);
            let connections = Arc::clone(&server.connections);
            let wakers = Arc::clone(&server.wakers);
            let serve = Arc::clone(&serve);
            server.acceptors.push(thread::spawn(move || {
                accept(&listener, &bell, &wakers, &connections, &serve);
            }));
        }
        server
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(super) fn count(&self) -> usize {
        lock(&self.connections).count
    }

    /// Stops, and panics with what threads panicked with, unless the test itself already does.
    pub(super) fn end(&mut self, name: &str) {
        let panics = self.stop();
        if !thread::panicking() {
            assert!(panics.is_empty(), "in {name}: {}", panics.join("; "));
        }
    }

    /// Ends every connection and thread; says what threads panicked with. Connections that were
    /// waiting to be accepted are accepted first, so that the count is right afterwards.
    fn stop(&mut self) -> Vec<String> {
        {
            let mut wakers = lock(&self.wakers);
            self.bell.stop();
            for address in &self.addresses {
                // An accept cannot be interrupted; it can be given something to accept.
                let waker = TcpStream::connect(address).and_then(|stream| stream.local_addr());
                wakers.extend(waker);
            }
        }
        for acceptor in self.acceptors.drain(..) {
            let _ = acceptor.join();
        }
        let (sockets, threads) = {
            let mut connections = lock(&self.connections);
            (std::mem::take(&mut connections.sockets), std::mem::take(&mut connections.threads))
        };
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            let _ = socket.shutdown(Shutdown::Both);
        }
        threads
            .into_iter()
            .filter_map(|thread| thread.join().err())
            .map(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                text.unwrap_or("a panic without a message").to_owned()
            })
            .collect()
    }
}

fn accept<F>(
    listener: &TcpListener,
    bell: &Bell,
    wakers: &Mutex<Vec<SocketAddr>>,
    connections: &Mutex<Connections>,
    serve: &Arc<F>,
) where
    F: Fn(Socket, usize) + Send + Sync + 'static,
{
    loop {
        let (stream, peer) = listener.accept().unwrap();
        if bell.stopped() {
            if lock(wakers).contains(&peer) {
                return;
            }
            lock(connections).count += 1;
            continue;
        }
        let _ = stream.set_nodelay(true);
        let stream = Arc::new(stream);
        let mut connections = lock(connections);
        let number = connections.count;
        connections.count += 1;
        connections.sockets.push(Arc::downgrade(&stream));
        let serve = Arc::clone(serve);
        let thread = thread::spawn(move || serve(Socket(stream), number));
        connections.threads.push(thread);
    }
}

/// Binds a port that is free on every address asked for.
fn listen(on: Loopback) -> Vec<TcpListener> {
    let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let (first, second) = match on {
        Loopback::V4 => (v4, None),
        Loopback::V6 => (v6, None),
        Loopback::Both => (v4, Some(v6)),
    };
    for _ in 0..100 {
        let listener = TcpListener::bind((first, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let Some(second) = second else { return vec![listener] };
        if let Ok(other) = TcpListener::bind((second, port)) {
            return vec![listener, other];
        }
    }
    panic!("no port is free on both 127.0.0.1 and ::1");
}

/// An address where connecting times out: its queue of one is full and nobody ever accepts.
pub struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    /// At this address; port 0 takes a free one. `None` where another listens there.
    pub fn at(address: SocketAddr) -> Option<BlackHole> {
        use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket(family, SocketType::STREAM, None).unwrap();
        bind(&socket, &address).ok()?;
        listen(&socket, 0).unwrap();
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            queue.push(stream);
            assert!(queue.len() < 64, "the queue of {address} never fills");
        }
        Some(BlackHole { address, _listener: listener, _queue: queue })
    }

    pub fn v4() -> BlackHole {
        BlackHole::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
