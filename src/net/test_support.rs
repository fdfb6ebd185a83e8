//! What the tests of the files beside it share: addresses that answer, refuse or stay silent, and
//! the chain of `connect.rs` behind an agent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use ureq::unversioned::transport::{NextTimeout, time};
use ureq::{Agent, Error, Proxy, Timeout};

use crate::net::connect::{begin, connector};
pub(crate) use crate::net::connect_error::dialled;
use crate::net::proxy::{Proxies, Route};
use crate::net::resolver::Names;
use crate::net::roots::Roots;
use crate::net::tls::Tls;

pub(crate) fn stop(signal: usize) -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(signal))
}

pub(crate) fn later(stop: &Arc<AtomicUsize>) {
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        stop.store(2, Ordering::SeqCst);
    });
}

pub(crate) fn within(ms: u64) -> NextTimeout {
    NextTimeout {
        after: time::Duration::from_millis(ms),
        reason: Timeout::RecvResponse,
        ..NextTimeout::default()
    }
}

pub(crate) fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address that neither accepts nor refuses: its backlog is full. Lives as long as what
/// comes with it.
pub(crate) fn dead() -> (SocketAddr, Vec<OwnedFd>) {
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
pub(crate) fn refusing() -> SocketAddr {
    listener().1
}

pub(crate) struct Setup {
    pub(crate) agent: Agent,
    pub(crate) sent: Arc<AtomicBool>,
    pub(crate) stop: Arc<AtomicUsize>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let (stop, sent) = (stop(0), Arc::new(AtomicBool::new(false)));
        let config = Agent::config_builder()
            .timeout_connect(Some(Duration::from_millis(1500)))
            .timeout_global(Some(Duration::from_secs(20)))
            .user_agent("us")
            .proxy(None)
            .build();
        let names = Names::new(None, Arc::clone(&stop));
        let connector =
            connector(Tls::new(Roots::BuiltIn.store()), Arc::clone(&stop), Arc::clone(&sent));
        Self { agent: Agent::with_parts(config, connector, names), sent, stop }
    }

    pub(crate) fn get(&self, uri: &str, proxy: Option<&Proxy>) -> Result<String, Error> {
        self.sent.store(false, Ordering::SeqCst);
        let request = self.agent.get(uri).config().proxy(proxy.cloned()).build();
        request.call()?.body_mut().read_to_string()
    }

    pub(crate) fn sent(&self) -> bool {
        self.sent.load(Ordering::SeqCst)
    }
}

pub(crate) const HI: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

pub(crate) fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Answers each head that comes over one connection with the next text; returns the heads.
pub(crate) fn serve(
    answers: &'static [&'static str],
) -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
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

pub(crate) fn via(address: SocketAddr) -> Proxy {
    proxy("http", address)
}

/// A proxy that is to be spoken to in TLS.
pub(crate) fn tls_via(address: SocketAddr) -> Proxy {
    proxy("https", address)
}

fn proxy(scheme: &str, address: SocketAddr) -> Proxy {
    let proxies = Proxies::from_env(|name| {
        (name == "https_proxy").then(|| format!("{scheme}://user:p%40ss@{address}"))
    });
    match proxies.for_host("h", 443) {
        Route::Via { proxy, .. } => proxy.clone(),
        _ => panic!("no proxy"),
    }
}
