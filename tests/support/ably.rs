//! The stand-in for Ably: a TLS port on loopback that behaves as Ably does, or misbehaves as a
//! test tells it to, and keeps a record of all it was sent.
//!
//! It plays Ably to every client. It fails the test when it is dropped if it was never reached, or
//! was where it should not have been, or if our own program sent a revocation whose form is wrong.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use miniserde::json::Value;
use rustls::server::Acceptor;
use rustls::{ServerConnection, StreamOwned};

use super::answer::{self, Answer, Next};
use super::complaints::complaints;
use super::faithful::{self, Control, Revocation, Token, World};
use super::json;
use super::pki::{Certificate, pki};
use super::program::Folder;
use super::server::{Bell, Loopback, Server, Socket, lock};

/// The name of the stand-in's own key.
pub const KEY_NAME: &str = "APP1.key1";
/// Its secret: a text to look for wherever no secret may be.
pub const SECRET: &str = "s3cr3t-marker-9f2c";
/// The whole key.
pub const KEY: &str = "APP1.key1:s3cr3t-marker-9f2c";

/// Ably's code for a key without revocable tokens. An older one for the same is 40163.
pub const IRREVOCABLE: u32 = 40164;

/// How long a test waits for something that should happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// A request larger than this is a mistake.
const MOST_BODY: usize = 64 * 1024 * 1024;

/// A connection that has said hello.
#[derive(Clone, Debug)]
pub struct Knock {
    /// From 0, in the order of arrival.
    pub connection: usize,
    /// The name that it wants to speak to; `None` for an IP address.
    pub sni: Option<String>,
}

/// How a connection is received, once its TLS hello was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// TLS with this certificate.
    Tls(Certificate),
    /// TLS 1.2 alone, with the good certificate.
    Tls12,
    Close,
    Reset,
    /// The hello is never answered.
    Silent,
    /// Answered in plain HTTP, as by a port without TLS.
    PlainHttp,
    /// Refused with this TLS alert.
    Alert(u8),
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Seen {
    pub index: usize,
    pub connection: usize,
    pub sni: Option<String>,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What the body says; `None` where it is no JSON.
    value: Option<Arc<Value>>,
    pub at: Instant,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn host(&self) -> &str {
        self.header("host").unwrap_or_default()
    }

    pub fn host_name(&self) -> &str {
        let host = self.host();
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        }
    }

    /// User and password of basic auth.
    pub fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let text = faithful::decoded(encoded)?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// What follows `Bearer`, as it was sent.
    pub fn bearer(&self) -> Option<String> {
        let text = self.header("authorization")?.strip_prefix("Bearer ")?;
        Some(text.to_owned())
    }

    pub fn revokes(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/revokeTokens")
    }

    pub fn json(&self) -> &Value {
        let text = || String::from_utf8_lossy(&self.body).into_owned();
        self.value.as_deref().unwrap_or_else(|| panic!("not JSON: {}", text()))
    }

    pub(super) fn value(&self) -> Option<&Value> {
        self.value.as_deref()
    }

    pub fn targets(&self) -> Vec<String> {
        let targets = self.value().map(|body| json::get(body, "targets"));
        let Some(Value::Array(targets)) = targets else { return Vec::new() };
        let texts = targets.iter().filter_map(|target| match target {
            Value::String(text) => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }
}

type Decide = Arc<dyn Fn(&Seen) -> Answer + Send + Sync>;
type Receive = Arc<dyn Fn(&Knock) -> Door + Send + Sync>;

struct State {
    world: World,
    script: VecDeque<Answer>,
    decide: Option<Decide>,
    receive: Option<Receive>,
    seen: Vec<Seen>,
    handshakes: usize,
    complaints: Vec<String>,
    expects_nothing: bool,
}

struct Shared {
    state: Mutex<State>,
    /// Rung at each request.
    arrived: Condvar,
    bell: Arc<Bell>,
}

/// A running stand-in; it ends when it is dropped.
pub struct Ably {
    shared: Arc<Shared>,
    server: Server,
    folder: Folder,
}

impl Ably {
    pub fn start() -> Ably {
        Ably::start_on(Loopback::V4)
    }

    /// Any connection, not their absence, is a failure.
    pub fn unreached() -> Ably {
        let ably = Ably::start();
        ably.expect_nothing();
        ably
    }

    /// Behaves as Ably does, on these addresses.
    pub fn start_on(loopback: Loopback) -> Ably {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                world: World::new(),
                script: VecDeque::new(),
                decide: None,
                receive: None,
                seen: Vec::new(),
                handshakes: 0,
                complaints: Vec::new(),
                expects_nothing: false,
            }),
            arrived: Condvar::new(),
            bell: Arc::default(),
        });
        let folder = Folder::new();
        folder.write("ca.pem", pki().ca_pem());
        let here = Arc::clone(&shared);
        let server = Server::start(loopback, Arc::clone(&shared.bell), move |socket, number| {
            serve(&here, socket, number);
        });
        Ably { shared, server, folder }
    }

    /// Gives these answers, one a request, in order; faithful ones after the last.
    pub fn scripted(answers: impl IntoIterator<Item = Answer>) -> Ably {
        let ably = Ably::start();
        ably.script(answers);
        ably
    }

    /// Asks this closure what to answer to each request. Where it panics, the stand-in's drop
    /// does too.
    pub fn deciding(decide: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Ably {
        let ably = Ably::start();
        ably.decide(decide);
        ably
    }

    /// Receives connections as this closure says.
    pub fn receiving(receive: impl Fn(&Knock) -> Door + Send + Sync + 'static) -> Ably {
        let ably = Ably::start();
        ably.receive(receive);
        ably
    }

    /// As `scripted`, for one that runs. Any request takes the next answer, `GET /time` too. A
    /// script goes before a closure.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state(|state| state.script.extend(answers));
    }

    pub fn decide(&self, decide: impl Fn(&Seen) -> Answer + Send + Sync + 'static) {
        self.state(|state| state.decide = Some(Arc::new(decide)));
    }

    pub fn receive(&self, receive: impl Fn(&Knock) -> Door + Send + Sync + 'static) {
        self.state(|state| state.receive = Some(Arc::new(receive)));
    }

    pub fn add_key(&self, key: &str) {
        let (name, secret) = key.split_once(':').unwrap();
        self.state(|state| {
            state.world.keys.insert(name.to_owned(), secret.to_owned());
        });
    }

    /// Refuses this target, given as a specifier, whenever it comes.
    pub fn refuse(&self, target: &str, code: u32, status: u16, message: &str) {
        let error = (code, status, message.to_owned());
        self.state(|state| state.world.refused.insert(target.to_owned(), error));
    }

    /// Refuses this target no longer.
    pub fn allow(&self, target: &str) {
        self.state(|state| state.world.refused.remove(target));
    }

    /// Every request with this key is refused.
    pub fn spoil(&self, key: &str, code: u32, status: u16, message: &str) {
        let (name, _) = key.split_once(':').unwrap();
        let refusal = (code, status, message.to_owned());
        self.state(|state| state.world.spoilt.insert(name.to_owned(), refusal));
    }

    /// The tokens of this key cannot be revoked.
    pub fn make_irrevocable(&self, key: &str) {
        self.spoil(key, IRREVOCABLE, 401, "Revocable tokens are not enabled for this key");
    }

    /// Stops Ably's clock at this time, in milliseconds. It runs with this machine's otherwise.
    pub fn set_clock_ms(&self, time: u64) {
        self.state(|state| state.world.clock_ms = Some(time));
    }

    pub fn add_token(&self, token: Token) {
        self.state(|state| state.world.tokens.push(token));
    }

    pub fn serve_control(&self, control: Control) {
        self.state(|state| state.world.control = Some(control));
    }

    pub fn release(&self) {
        self.shared.bell.release();
    }

    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `localhost:PORT`, for `--endpoint` and `ABLY_CONTROL_HOST`; `[::1]:PORT` on IPv6 alone.
    pub fn endpoint(&self) -> String {
        match self.address().ip() {
            IpAddr::V4(_) => format!("localhost:{}", self.port()),
            IpAddr::V6(_) => format!("[::1]:{}", self.port()),
        }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.folder.file("ca.pem")
    }

    pub fn requests(&self) -> Vec<Seen> {
        self.state(|state| state.seen.clone())
    }

    pub fn request_count(&self) -> usize {
        self.state(|state| state.seen.len())
    }

    pub fn revocation_requests(&self) -> Vec<Seen> {
        let mut seen = self.requests();
        seen.retain(Seen::revokes);
        seen
    }

    pub fn revoked(&self) -> Vec<Revocation> {
        self.state(|state| state.world.revoked.clone())
    }

    pub fn connections(&self) -> usize {
        self.server.count()
    }

    pub fn handshakes(&self) -> usize {
        self.state(|state| state.handshakes)
    }

    /// Waits until this many requests came; panics with what came where they do not.
    pub fn wait_for_requests(&self, count: usize) {
        let end = Instant::now() + PATIENCE;
        let mut state = lock(&self.shared.state);
        while state.seen.len() < count {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                panic!("waited for {count} requests, saw {:#?}", state.seen);
            }
            (state, _) = self
                .shared
                .arrived
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes any connection, not their absence, a failure.
    pub fn expect_nothing(&self) {
        self.state(|state| state.expects_nothing = true);
    }

    pub fn complaints(&self) -> Vec<String> {
        self.state(|state| state.complaints.clone())
    }

    /// Forgets what was wrong with the revocations that came, so far.
    pub fn forgive(&self) {
        self.state(|state| state.complaints.clear());
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut lock(&self.shared.state))
    }
}

impl Drop for Ably {
    fn drop(&mut self) {
        self.server.end("the stand-in");
        if thread::panicking() {
            return;
        }
        let count = self.connections();
        let (nothing, complaints) =
            self.state(|state| (state.expects_nothing, state.complaints.clone()));
        assert!(complaints.is_empty(), "the stand-in was sent: {}", complaints.join("; "));
        if nothing {
            assert!(
                count == 0,
                "the stand-in was connected to {count} times, and should not have been"
            );
        } else {
            assert!(count > 0, "the stand-in was never reached");
        }
    }
}

/// One connection, from its hello to its end.
fn serve(shared: &Shared, mut socket: Socket, connection: usize) {
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        match acceptor.read_tls(&mut socket) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => break accepted,
            Ok(None) => {}
            Err((_, mut alert)) => {
                let _ = alert.write_all(&mut socket);
                return;
            }
        }
    };
    let knock = Knock { connection, sni: accepted.client_hello().server_name().map(str::to_owned) };
    let receive = lock(&shared.state).receive.clone();
    let door = receive.map_or(Door::Tls(Certificate::Good), |receive| receive(&knock));
    let config = match door {
        Door::Tls(certificate) => pki().server_config(certificate, false),
        Door::Tls12 => pki().server_config(Certificate::Good, true),
        Door::Close => return,
        Door::Reset => return socket.reset_on_drop(),
        Door::Silent => return shared.bell.hang(),
        Door::Alert(number) => {
            let _ = socket.write_all(&[21, 3, 3, 0, 2, 2, number]);
            return socket.finish();
        }
        Door::PlainHttp => {
            let answer =
                "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            let _ = socket.write_all(answer.as_bytes());
            return socket.finish();
        }
    };
    let mut tls = match accepted.into_connection(config) {
        Ok(tls) => tls,
        Err((_, mut alert)) => {
            let _ = alert.write_all(&mut socket);
            return;
        }
    };
    while tls.is_handshaking() {
        if tls.complete_io(&mut socket).is_err() {
            return;
        }
    }
    lock(&shared.state).handshakes += 1;
    let stream = BufReader::new(StreamOwned::new(tls, socket.clone()));
    let next = converse(shared, stream, &knock);
    if next == Next::Reset {
        socket.reset_on_drop();
    }
}

type Stream = BufReader<StreamOwned<ServerConnection, Socket>>;

/// Request, answer, request, answer, until either side has enough.
fn converse(shared: &Shared, mut stream: Stream, knock: &Knock) -> Next {
    while let Ok(Some(mut seen)) = read_request(&mut stream, knock) {
        let answer = register(shared, &mut seen);
        let out = stream.get_mut();
        let sent = answer::send(&answer, &seen, out, &shared.bell);
        let next = match sent {
            Ok(next) if next != Next::KeepAlive => next,
            Ok(_) if seen.header("connection") != Some("close") => continue,
            Ok(_) => Next::Close,
            Err(_) => Next::Cut,
        };
        if next == Next::Close {
            out.conn.send_close_notify();
            let _ = out.flush();
        }
        if next != Next::Reset {
            out.sock.finish();
        }
        return next;
    }
    Next::Cut
}

/// Records a request, checks its form, and settles its answer.
fn register(shared: &Shared, seen: &mut Seen) -> Answer {
    let (scripted, decide) = {
        let mut state = lock(&shared.state);
        seen.index = state.seen.len();
        state.seen.push(seen.clone());
        state.complaints.extend(complaints(seen));
        shared.arrived.notify_all();
        (state.script.pop_front(), state.decide.clone())
    };
    // Outside the lock: a closure may look at the stand-in.
    let answer = scripted.or_else(|| decide.map(|decide| decide(seen)));
    settle(shared, seen, answer.unwrap_or(Answer::Faithful))
}

/// Puts Ably's own answer wherever it is asked for.
fn settle(shared: &Shared, seen: &Seen, answer: Answer) -> Answer {
    match answer {
        Answer::Faithful => lock(&shared.state).world.answer(seen),
        Answer::Delay(time, then) => settle(shared, seen, *then).after(time),
        Answer::Held(then) => settle(shared, seen, *then).held(),
        Answer::ThenClose(first) => settle(shared, seen, *first).then_close(),
        Answer::Instead(other) => {
            lock(&shared.state).world.answer(seen);
            settle(shared, seen, *other)
        }
        other => other,
    }
}

/// The next request; `None` where the connection ended first.
fn read_request(stream: &mut Stream, knock: &Knock) -> io::Result<Option<Seen>> {
    let Some(first) = read_line(stream)? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let mut seen = Seen {
        index: 0,
        connection: knock.connection,
        sni: knock.sni.clone(),
        method,
        path,
        headers: Vec::new(),
        body: Vec::new(),
        value: None,
        at: Instant::now(),
    };
    while let Some(line) = read_line(stream)? {
        if line.is_empty() {
            seen.body = read_body(stream, &seen)?;
            let text = str::from_utf8(&seen.body).ok();
            let value = text.and_then(|text| miniserde::json::from_str(text).ok());
            seen.value = value.map(Arc::new);
            return Ok(Some(seen));
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let name = name.to_ascii_lowercase();
        seen.headers.push((name, value.trim().to_owned()));
    }
    Ok(None)
}

fn read_line(stream: &mut Stream) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    stream.take(64 * 1024).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Ok(None);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

fn read_body(stream: &mut Stream, seen: &Seen) -> io::Result<Vec<u8>> {
    let length = seen.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    if length > MOST_BODY {
        return Err(io::Error::other("a body too large"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}
