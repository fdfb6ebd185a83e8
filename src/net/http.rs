//! Single HTTPS exchanges: the one place where ureq's agent is set up and used.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::ClientConfig;
use ureq::config::Config;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::http::request::Builder;
use ureq::http::{HeaderValue, Request};
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, AsSendBody, Body, Proxy};

use crate::error::Problem;
use crate::net::answer::Answer;
use crate::net::error::{Failure, NetError, Peer, Retry, Way};
use crate::net::limiter::Limiter;
use crate::net::proxy::Route;
use crate::net::resolver::Resolver;
use crate::net::sent::Sent;
use crate::net::tls::{self, Tls};
use crate::net::tunnel::Tunnel;
use crate::net::{HEAD_LIMIT, Network};
use crate::secret::redactor::Redactor;
use crate::signals::{SLICE, Signals};

/// Longest wait for a connection, TLS included (Ably's TO3l3).
const CONNECT: Duration = Duration::from_secs(4);
/// Longest exchange, from the look-up of the name to the last byte of the body (TO3l4).
const EXCHANGE: Duration = Duration::from_secs(10);
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
    network: &'a Network,
    signals: &'a Signals,
    connect_to: Option<String>,
    redactor: Redactor,
    limiter: Limiter,
    tls: Result<Arc<ClientConfig>, rustls::Error>,
    resolver: Resolver,
    /// Free lines, the one used last at the end.
    idle: Mutex<Vec<Line>>,
    /// For a signal to shut down.
    agents: Arc<Mutex<Vec<Agent>>>,
}

/// An agent for one exchange at a time, so that its marker is that exchange's.
#[derive(Debug)]
struct Line {
    agent: Agent,
    sent: Sent,
}

impl<'a> Http<'a> {
    /// Adds the proxies' credentials to the redactor.
    pub fn new(network: &'a Network, signals: &'a Signals, redactor: Redactor) -> Self {
        network.proxies.secrets().iter().for_each(|secret| redactor.add(secret));
        Self {
            network,
            signals,
            connect_to: network.connect_to.as_ref().map(ToString::to_string),
            redactor,
            limiter: Limiter::default(),
            tls: tls::config(network.roots.store.clone()),
            resolver: Resolver::new(network.connect_to.clone(), signals.shared()),
            idle: Mutex::default(),
            agents: Arc::default(),
        }
    }

    /// Describes the host, the way to it and the roots, without a proxy's credentials.
    pub fn described(&self, authority: &str) -> String {
        let way = match (&self.connect_to, self.network.proxies.for_authority(authority)) {
            (Some(address), _) => format!("connecting to {address}"),
            (None, Route::Via { shown, variable, .. }) => format!("proxy {shown} from {variable}"),
            (None, Route::Direct { exempt: Some((variable, entry)) }) => {
                format!("no proxy, exempted by {entry} in {variable}")
            }
            (None, Route::Direct { exempt: None }) => "no proxy".to_owned(),
            (None, Route::Unusable(_)) => "a proxy that cannot be used".to_owned(),
        };
        format!("host {authority}, {way}, {}", self.network.roots)
    }

    /// How long one request may take with all its tries.
    pub fn timeout(&self) -> Duration {
        self.network.timeout
    }

    pub(super) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    pub fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    /// See [`Network::check`].
    pub fn check(&self, authority: &str) -> Result<(), Problem> {
        self.network.check(authority)
    }

    /// Closes idle connections, to free their descriptors.
    pub fn close_idle(&self) {
        for line in mem::take(&mut *lock(&self.idle)) {
            line.agent.shutdown();
        }
    }

    /// Sends one request and reads its answer, within `budget` and the limits above.
    pub(super) fn exchange(
        &self,
        call: Call<'_>,
        authorization: Option<&HeaderValue>,
        authority: &str,
        budget: Duration,
    ) -> Result<Answer, Failure> {
        let proxy = match self.network.proxy(authority) {
            Ok(proxy) => proxy,
            // The run has checked this; never connect directly instead.
            Err(problem) => {
                return Err(Failure { problem: problem.clone(), sent: false, retry: Retry::Never });
            }
        };
        let way = match (&self.connect_to, proxy) {
            (Some(address), _) => Way::ConnectTo(address),
            (None, Some((_, shown))) => Way::Proxy(shown),
            (None, None) => Way::Direct,
        };
        let once = || {
            let request = request(call, authorization, authority);
            let proxy = proxy.map(|(proxy, _)| proxy);
            self.once(request, call.body, proxy, authority, budget.min(EXCHANGE))
        };
        let mut result = once();
        if let Err((NetError::NoDescriptor, false)) = result {
            self.close_idle();
            result = once();
        }
        result.map_err(|(error, sent)| {
            let mut failure = Failure::new(&error, Peer { host: authority, way }, sent);
            failure.problem = failure.problem.cleaned(&self.redactor);
            failure
        })
    }

    /// The error comes with whether the request may have left.
    fn once(
        &self,
        request: Builder,
        body: Option<&str>,
        proxy: Option<&Proxy>,
        host: &str,
        budget: Duration,
    ) -> Result<Answer, (NetError, bool)> {
        let idle = lock(&self.idle).pop();
        let line = idle.unwrap_or_else(|| self.line());
        line.sent.reset();
        let result = line.run(request, body, proxy, budget);
        let result = result.and_then(|response| Answer::read(response, host, self.redactor()));
        let sent = line.sent.is_set();
        let result = result.map_err(|error| match self.signals.caught() {
            // The watcher has shut the connection down, whatever the error says.
            Some(_) => NetError::Stopped,
            None => NetError::new(error, sent),
        });
        match &result {
            // It may have idle connections to other hosts.
            Err(NetError::NoDescriptor) => line.agent.shutdown(),
            _ => lock(&self.idle).push(line),
        }
        result.map_err(|error| (error, sent))
    }

    fn line(&self) -> Line {
        let sent = Sent::new(self.signals.shared());
        let tls = Tls { config: self.tls.clone(), sent: sent.clone() };
        let connector = ().chain(Tunnel).chain(TcpConnector::default()).chain(tls);
        let agent = Agent::with_parts(config(), connector, self.resolver.clone());
        let mut agents = lock(&self.agents);
        if agents.is_empty() {
            self.watch();
        }
        agents.push(agent.clone());
        Line { agent, sent }
    }

    /// Shuts all connections down once a signal is caught. If no thread can be made, the signal takes
    /// effect after the exchange.
    fn watch(&self) {
        let (signals, agents) = (self.signals.clone(), Arc::clone(&self.agents));
        let watch = move || {
            while signals.caught().is_none() {
                thread::sleep(SLICE);
            }
            lock(&agents).drain(..).for_each(Agent::shutdown);
        };
        let _ = thread::Builder::new().spawn(watch);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(call: Call<'_>, authorization: Option<&HeaderValue>, authority: &str) -> Builder {
    let mut request = Request::builder()
        .method(call.method())
        .uri(format!("https://{authority}{}", call.path))
        .header(ACCEPT, "application/json")
        .header("Ably-Agent", NAME)
        .header("X-Ably-Version", ABLY_VERSION);
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    if call.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    request
}

impl Line {
    fn run(
        &self,
        request: Builder,
        body: Option<&str>,
        proxy: Option<&Proxy>,
        budget: Duration,
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        match body {
            None => self.send(request.body(())?, proxy, budget),
            Some(body) => self.send(request.body(body)?, proxy, budget),
        }
    }

    fn send(
        &self,
        request: Request<impl AsSendBody>,
        proxy: Option<&Proxy>,
        budget: Duration,
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        let request = self.agent.configure_request(request).timeout_global(Some(budget));
        self.agent.run(request.proxy(proxy.cloned()).build())
    }
}

fn config() -> Config {
    Agent::config_builder()
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(EXCHANGE))
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
