//! An HTTP CONNECT proxy. It tunnels to one fixed address whatever name it is given, so that a
//! test can use Ably's own names without DNS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::{Bell, Loopback, Server, Socket, lock};

/// What the proxy does with a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Works,
    Refuses(u16),
    Hangs,
    /// Begins an answer and goes on with it a byte at a time.
    Drips,
    Closes,
    /// Closes without an answer where the target is this host, tunnels elsewhere.
    ClosesFor(&'static str),
    /// Tunnels, after two answers that say to wait.
    SaysToWait,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// `host:port`, or the whole first line of a request that is no CONNECT.
    pub target: String,
    pub authorization: Option<String>,
}

#[derive(Default)]
struct Record {
    credentials: Option<String>,
    connects: Vec<Connect>,
}

/// A running proxy; it ends when it is dropped.
pub struct Proxy {
    record: Arc<Mutex<Record>>,
    server: Server,
}

impl Proxy {
    pub fn to(address: SocketAddr) -> Proxy {
        Proxy::start(address, Mode::Works)
    }

    /// Does this with every CONNECT; tunnels lead to this address.
    pub fn start(address: SocketAddr, mode: Mode) -> Proxy {
        let bell: Arc<Bell> = Arc::default();
        let record: Arc<Mutex<Record>> = Arc::default();
        let here = Arc::clone(&record);
        let ring = Arc::clone(&bell);
        let server = Server::start(Loopback::V4, bell, move |socket, _| {
            let _ = serve(socket, address, mode, &here, &ring);
        });
        Proxy { record, server }
    }

    /// Demands these credentials, with 407 where they are absent or wrong.
    pub fn demand(&self, user: &str, password: &str) {
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        lock(&self.record).credentials = Some(format!("Basic {encoded}"));
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn url_with(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}", self.address())
    }

    pub fn connects(&self) -> Vec<Connect> {
        lock(&self.record).connects.clone()
    }

    /// The `host:port` of all it was asked, in order.
    pub fn targets(&self) -> Vec<String> {
        let connects = self.connects();
        connects.into_iter().map(|one| one.target).collect()
    }

    pub fn connections(&self) -> usize {
        self.server.count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.end("the proxy");
    }
}

fn serve(
    mut socket: Socket,
    address: SocketAddr,
    mode: Mode,
    record: &Mutex<Record>,
    bell: &Bell,
) -> io::Result<()> {
    let head = read_head(&mut socket)?;
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let target = first
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next())
        .unwrap_or(first)
        .to_owned();
    let authorization = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
        .map(|(_, value)| value.trim().to_owned());
    let admitted = {
        let mut record = lock(record);
        let admitted = record.credentials.is_none() || record.credentials == authorization;
        record.connects.push(Connect { target: target.clone(), authorization });
        admitted
    };
    match mode {
        Mode::Hangs => bell.hang(),
        Mode::Drips => {
            socket.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
            while bell.pause(Duration::from_millis(50)) {
                socket.write_all(b"x")?;
            }
        }
        Mode::Closes => {}
        Mode::ClosesFor(host) if target.split(':').next() == Some(host) => {}
        Mode::Refuses(status) => refuse(&mut socket, status)?,
        _ if !first.starts_with("CONNECT ") => refuse(&mut socket, 405)?,
        _ if !admitted => refuse(&mut socket, 407)?,
        _ => match TcpStream::connect(address) {
            Ok(there) => {
                if mode == Mode::SaysToWait {
                    socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                    socket.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n")?;
                }
                socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                tunnel(&socket, &there)?;
            }
            Err(_) => refuse(&mut socket, 502)?,
        },
    }
    Ok(())
}

fn refuse(socket: &mut Socket, status: u16) -> io::Result<()> {
    let challenge =
        if status == 407 { "proxy-authenticate: Basic realm=\"stand-in\"\r\n" } else { "" };
    let answer = format!(
        "HTTP/1.1 {status} Refused\r\n{challenge}connection: close\r\ncontent-length: 0\r\n\r\n"
    );
    socket.write_all(answer.as_bytes())?;
    socket.finish();
    Ok(())
}

/// Up to and with the empty line; a byte at a time, as what follows is for the tunnel.
fn read_head(socket: &mut Socket) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 64 * 1024 {
        socket.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Copies both ways until either side ends.
pub(super) fn tunnel(here: &Socket, there: &TcpStream) -> io::Result<()> {
    let (mut from, mut to) = (here.clone(), there.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
    let (mut from, mut to) = (there, here.clone());
    let _ = io::copy(&mut from, &mut to);
    here.shut();
    let _ = up.join();
    Ok(())
}
