//! Single HTTPS exchanges: the one place where ureq's agent is set up and used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use ureq::config::Config;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::http::{HeaderValue, Request};
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, AsSendBody};

use crate::error::Problem;
use crate::net::answer::Answer;
use crate::net::error::{Failure, NetError, Peer, Retry};
use crate::net::proxy::NamedProxy;
use crate::net::resolver::Resolver;
use crate::net::tls::{self, SENT, Tls};
use crate::net::tunnel::Tunnel;
use crate::net::{HEAD_LIMIT, Network};
use crate::secret::redactor::Redactor;
use crate::signals::{SLICE, Signals};
use crate::terminal::log::Log;

/// Longest wait for a connection, TLS included (Ably's TO3l3).
const CONNECT: Duration = Duration::from_secs(4);
/// Longest exchange, from the look-up of the name to the last byte of the body (TO3l4).
const EXCHANGE: Duration = Duration::from_secs(10);
/// As many idle connections as `--parallel` may make.
const IDLE: usize = 16;
/// Bytes for what comes in at a time.
const INPUT_BUFFER: usize = 32 << 10;
/// The longest response headers, in bytes. They must fit into the buffer, or too many would look like
/// a closed connection.
const HEADERS_LIMIT: usize = 24 << 10;
/// For `User-Agent` and `Ably-Agent`.
const NAME: &str = concat!("ably-revoke-token/", env!("CARGO_PKG_VERSION"));
/// The protocol version whose answers `judge.rs` judges.
const ABLY_VERSION: &str = "6";

/// One request, whatever host it goes to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// Already percent-encoded.
    pub(super) path: &'a str,
    /// The JSON body of a POST; a GET has none.
    pub(super) body: Option<&'a str>,
    pub(super) authorization: Option<&'a HeaderValue>,
}

impl Call<'_> {
    pub(super) fn method(&self) -> &'static str {
        if self.body.is_some() { "POST" } else { "GET" }
    }
}

/// A client for single HTTPS exchanges, as many at once as there are threads that ask for them.
/// Connections are kept open between them.
#[derive(Debug)]
pub struct Http<'a> {
    pub network: &'a Network,
    /// Ends every wait.
    pub signals: &'a Signals,
    /// Told of each try.
    pub log: &'a Log,
    pub redactor: Redactor,
    /// Whether a request that was rate-limited waits, or is asked again alone.
    pause: AtomicBool,
    tls: Result<Arc<ClientConfig>, rustls::Error>,
    resolver: Resolver,
    /// `None` before the first exchange.
    agent: Arc<Mutex<Option<Agent>>>,
}

impl<'a> Http<'a> {
    /// Adds the proxies' credentials to the redactor.
    pub fn new(
        network: &'a Network,
        signals: &'a Signals,
        log: &'a Log,
        redactor: Redactor,
    ) -> Self {
        network.proxies.secrets().iter().for_each(|secret| redactor.add(secret));
        let connect_to = network.connect_to.clone();
        Self {
            network,
            signals,
            log,
            redactor,
            pause: AtomicBool::default(),
            tls: tls::config(network.roots.store.clone()),
            resolver: Resolver { connect_to, signals: signals.clone(), known: Arc::default() },
            agent: Arc::default(),
        }
    }

    /// Until when a request may be tried that begins when no other pauses it.
    pub fn deadline(&self, budget: Duration) -> Instant {
        self.ready(None);
        Instant::now() + budget
    }

    /// Waits while another request pauses all, but not beyond its own time nor after a signal.
    pub(super) fn ready(&self, until: Option<Instant>) {
        while self.pause.load(Ordering::SeqCst)
            && self.signals.caught().is_none()
            && until.is_none_or(|until| Instant::now() < until)
        {
            self.signals.sleep(SLICE);
        }
    }

    /// Pauses all other requests, as soon as none does so. `None` if the time is over before.
    pub(super) fn pause(&self, until: Instant) -> Option<Pause<'_>> {
        while self.pause.swap(true, Ordering::SeqCst) {
            self.ready(Some(until));
            if self.signals.caught().is_some() || Instant::now() >= until {
                return None;
            }
        }
        Some(Pause(&self.pause))
    }

    /// Describes the host, the way to it and the roots, without a proxy's credentials.
    pub fn described(&self, authority: &str) -> String {
        let way = match (&self.network.connect_to, self.network.proxies.route(authority)) {
            (Some(address), _) => format!("connecting to {address}"),
            (None, Ok(Some(named))) => format!("proxy {named:?}"),
            (None, Ok(None)) => "no proxy".to_owned(),
            (None, Err(_)) => "a proxy that cannot be used".to_owned(),
        };
        format!("host {authority}, {way}, {}", self.network.roots)
    }

    /// Sends one request and reads its answer, within `budget` and the limits above.
    pub(super) fn exchange(
        &self,
        call: Call<'_>,
        authority: &str,
        budget: Duration,
    ) -> Result<Answer, Failure> {
        // The run has checked this; never connect directly instead.
        let proxy = self.network.proxy(authority);
        let proxy = proxy.map_err(|problem| Failure::unsent(problem.clone()))?;
        let connect_to = self.network.connect_to.as_ref();
        let peer = Peer { host: authority, proxy: proxy.map(|named| &*named.shown), connect_to };
        let once = || {
            self.once(call, authority, proxy, budget).map_err(|error| {
                let sent = SENT.get();
                let mut failure = Failure::new(&NetError::of_ureq(error, sent), peer, sent);
                if self.signals.caught().is_some() {
                    // The watcher has shut the connection down, whatever the error says.
                    failure.problem = Problem::new("stopped by a signal", "");
                    failure.retry = Retry::Never;
                }
                failure.problem = failure.problem.cleaned(&self.redactor);
                failure
            })
        };
        match once() {
            Err(Failure { retry: Retry::WithoutIdle, sent: false, .. }) => {
                self.close_idle();
                once()
            }
            result => result,
        }
    }

    fn once(
        &self,
        call: Call<'_>,
        authority: &str,
        proxy: Option<&NamedProxy>,
        budget: Duration,
    ) -> Result<Answer, ureq::Error> {
        SENT.set(false);
        let mut request = Request::builder()
            .method(call.method())
            .uri(format!("https://{authority}{}", call.path))
            .header(ACCEPT, "application/json")
            .header("Ably-Agent", NAME)
            .header("X-Ably-Version", ABLY_VERSION);
        if let Some(authorization) = call.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let (mut text, mut none) = (call.body.unwrap_or_default(), ());
        let body = if call.body.is_some() { text.as_body() } else { none.as_body() };
        let agent = self.agent();
        let request = agent
            .configure_request(request.body(body)?)
            .timeout_global(Some(budget.min(EXCHANGE)))
            .proxy(proxy.map(|named| named.proxy.clone()))
            .build();
        Answer::read(agent.run(request)?, authority, self.redactor.clone())
    }

    /// To free their descriptors. They close with the agent that has them.
    pub fn close_idle(&self) {
        lock(&self.agent).iter_mut().for_each(|agent| *agent = self.new_agent());
    }

    fn agent(&self) -> Agent {
        let mut agent = lock(&self.agent);
        if agent.is_none() {
            self.watch();
        }
        agent.get_or_insert_with(|| self.new_agent()).clone()
    }

    fn new_agent(&self) -> Agent {
        let tls = Tls { config: self.tls.clone(), signals: self.signals.clone() };
        let connector = ().chain(Tunnel).chain(TcpConnector::default()).chain(tls);
        Agent::with_parts(config(), connector, self.resolver.clone())
    }

    /// Shuts all connections down once a signal is caught. If no thread can be made, the signal takes
    /// effect after the exchange.
    fn watch(&self) {
        let (signals, agent) = (self.signals.clone(), Arc::clone(&self.agent));
        let watch = move || {
            while signals.caught().is_none() {
                thread::sleep(SLICE);
            }
            if let Some(agent) = lock(&agent).clone() {
                agent.shutdown();
            }
        };
        let _ = thread::Builder::new().spawn(watch);
    }
}

/// A pause of all requests but one, which ends with this.
pub struct Pause<'a>(&'a AtomicBool);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn config() -> Config {
    Agent::config_builder()
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(EXCHANGE))
        .max_idle_connections(IDLE)
        .max_idle_connections_per_host(IDLE)
        .max_redirects(0)
        .proxy(None)
        .https_only(true)
        .http_status_as_error(false)
        .max_response_header_size(HEADERS_LIMIT)
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(HEAD_LIMIT)
        .user_agent(NAME)
        .build()
}
