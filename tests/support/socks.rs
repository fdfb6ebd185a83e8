//! A SOCKS 5 proxy. It connects to one fixed address whatever it is asked for, so that a test can
//! use Ably's own names without DNS.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::proxy::tunnel;
use super::server::{Bell, Loopback, Server, Socket, lock};

/// What the proxy does with whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    Works,
    Replies(u8),
    /// Takes the first byte and answers with these, whatever they are.
    Says(&'static [u8]),
    Hangs,
    /// Hangs up at what is not SOCKS 5, as `ssh -D` does, and at what is.
    Closes,
    /// Promises a long reply and sends it a byte at a time.
    Drips,
}

#[derive(Default)]
struct Record {
    login: Option<(String, String)>,
    targets: Vec<String>,
}

/// A running proxy; it ends when it is dropped.
pub struct Socks {
    record: Arc<Mutex<Record>>,
    server: Server,
}

impl Socks {
    pub fn to(address: SocketAddr) -> Socks {
        Socks::start(address, Manners::Works)
    }

    /// Has these manners; connections lead to this address.
    pub fn start(address: SocketAddr, manners: Manners) -> Socks {
        let bell: Arc<Bell> = Arc::default();
        let record: Arc<Mutex<Record>> = Arc::default();
        let (here, ring) = (Arc::clone(&record), Arc::clone(&bell));
        let server = Server::start(Loopback::V4, bell, move |socket, _| {
            let _ = serve(socket, address, manners, &here, &ring);
        });
        Socks { record, server }
    }

    pub fn demand(&self, user: &str, password: &str) {
        lock(&self.record).login = Some((user.to_owned(), password.to_owned()));
    }

    /// `scheme://` and what follows it, the address at its end.
    pub fn url(&self, scheme_and_login: &str) -> String {
        format!("{scheme_and_login}{}", self.server.address())
    }

    /// The `host:port` of all it was asked for, in order; an address as such, a name as `=name`.
    pub fn targets(&self) -> Vec<String> {
        lock(&self.record).targets.clone()
    }

    pub fn connections(&self) -> usize {
        self.server.count()
    }
}

impl Drop for Socks {
    fn drop(&mut self) {
        self.server.end("the SOCKS proxy");
    }
}

fn serve(
    mut socket: Socket,
    address: SocketAddr,
    manners: Manners,
    record: &Mutex<Record>,
    bell: &Bell,
) -> io::Result<()> {
    let [version] = read(&mut socket)?;
    match manners {
        Manners::Hangs => bell.hang(),
        Manners::Closes => {}
        Manners::Says(bytes) => {
            socket.write_all(bytes)?;
            socket.finish();
            // Else the close is a reset.
            let _ = io::copy(&mut socket, &mut io::sink());
        }
        _ if version != 5 => {}
        _ => {
            if !greet(&mut socket, record)? {
                return Ok(());
            }
            let target = target(&mut socket)?;
            lock(record).targets.push(target);
            match (manners, TcpStream::connect(address)) {
                (Manners::Replies(code), _) => socket.write_all(&reply(code))?,
                (Manners::Drips, _) => {
                    socket.write_all(&[5, 0, 0, 3, 255])?;
                    while bell.pause(Duration::from_millis(50)) {
                        socket.write_all(b"x")?;
                    }
                }
                (_, Ok(there)) => {
                    socket.write_all(&reply(0))?;
                    tunnel(&socket, &there)?;
                }
                (_, Err(_)) => socket.write_all(&reply(5))?,
            }
        }
    }
    Ok(())
}

fn reply(code: u8) -> [u8; 10] {
    [5, code, 0, 1, 127, 0, 0, 1, 0, 0]
}

/// The choice of a login, and the login itself.
fn greet(socket: &mut Socket, record: &Mutex<Record>) -> io::Result<bool> {
    let [count] = read(socket)?;
    let mut methods = vec![0; usize::from(count)];
    socket.read_exact(&mut methods)?;
    let demanded = lock(record).login.clone();
    let method = if demanded.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        socket.write_all(&[5, 0xff])?;
        return Ok(false);
    }
    socket.write_all(&[5, method])?;
    let Some(demanded) = demanded else { return Ok(true) };
    let [_] = read(socket)?;
    let login = (text(socket)?, text(socket)?);
    let admitted = login == demanded;
    socket.write_all(&[1, u8::from(!admitted)])?;
    Ok(admitted)
}

fn target(socket: &mut Socket) -> io::Result<String> {
    let [version, command, _, kind] = read(socket)?;
    assert_eq!((version, command), (5, 1), "only CONNECT is expected");
    let host = match kind {
        1 => IpAddr::from(read::<4>(socket)?).to_string(),
        4 => format!("[{}]", IpAddr::from(read::<16>(socket)?)),
        3 => format!("={}", text(socket)?),
        other => panic!("a target of type {other}"),
    };
    Ok(format!("{host}:{}", u16::from_be_bytes(read(socket)?)))
}

fn text(socket: &mut Socket) -> io::Result<String> {
    let [length] = read(socket)?;
    let mut bytes = vec![0; usize::from(length)];
    socket.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read<const N: usize>(socket: &mut Socket) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    socket.read_exact(&mut bytes)?;
    Ok(bytes)
}
