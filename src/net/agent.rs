//! Single HTTPS exchanges: the one place where ureq's agent is set up and used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::http::request::Builder;
use ureq::http::{HeaderValue, Request};
use ureq::{Agent, Proxy};

use crate::error::Problem;
use crate::net::failure::{self, Failure};
use crate::net::pace::Pace;
use crate::net::peer::Peer;
use crate::net::proxy::Route;
use crate::net::resolver::Names;
use crate::net::response::Response;
use crate::net::tls::Tls;
use crate::net::{HEAD_LIMIT, Network, connect};
use crate::secret::redactor::Redactor;
use crate::signals::Signals;

/// Longest wait for a connection, TLS included (Ably's TO3l3).
const CONNECT: Duration = Duration::from_secs(4);
/// Longest exchange, from the look-up of the name to the last byte of the body (TO3l4).
const EXCHANGE: Duration = Duration::from_secs(10);
/// Bytes for what comes in at a time.
const INPUT_BUFFER: usize = 32 << 10;
/// The longest response headers, in bytes: fewer than fit into the buffer, so that too many are
/// told from a connection that was closed.
const HEADERS_LIMIT: usize = 24 << 10;
/// What this program calls itself in `User-Agent` and `Ably-Agent`.
const NAME: &str = concat!("ably-revoke-token/", env!("CARGO_PKG_VERSION"));
/// The protocol version whose answers `judge.rs` judges.
const ABLY_VERSION: &str = "6";

/// One request, whatever host it goes to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// The path, already percent-encoded.
    pub(super) path: &'a str,
    /// The JSON body of a POST; a GET has none.
    pub(super) body: Option<&'a str>,
}

impl Call<'_> {
    /// `GET` or `POST`.
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
    pace: Pace,
    tls: Tls,
    names: Names,
    /// The lines that no exchange uses, the one used last at the end.
    idle: Mutex<Vec<Line>>,
}

/// What one exchange at a time goes over: an agent, and whether the exchange may have been sent.
#[derive(Debug)]
struct Line {
    agent: Agent,
    sent: Arc<AtomicBool>,
}

impl<'a> Http<'a> {
    /// A client for this network; a signal ends its waits. The run's redactor learns the proxies'
    /// credentials.
    pub fn new(network: &'a Network, signals: &'a Signals, redactor: Redactor) -> Self {
        network.proxies.secrets().iter().for_each(|secret| redactor.add(secret));
        Self {
            network,
            signals,
            connect_to: network.connect_to.as_ref().map(ToString::to_string),
            redactor,
            pace: Pace::default(),
            tls: Tls::new(network.roots.store()),
            names: Names::new(network.connect_to.clone(), signals.shared()),
            idle: Mutex::default(),
        }
    }

    /// The host, the way to it and the roots in use, without a proxy's credentials.
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

    /// What the requests of the run share.
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The run's redactor, which knows all of its secrets.
    pub fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    /// See [`Network::check`].
    pub fn check(&self, authority: &str) -> Result<(), Problem> {
        self.network.check(authority)
    }

    /// Sends one request and reads its answer, within `budget` and the limits above.
    ///
    /// # Errors
    /// A failure that says whether anything may have been sent.
    pub(super) fn exchange(
        &self,
        call: Call<'_>,
        authorization: Option<&HeaderValue>,
        authority: &str,
        budget: Duration,
    ) -> Result<Response, Failure> {
        let proxy = self.network.proxy(authority);
        let peer = Peer {
            host: authority,
            proxy: proxy.ok().flatten().map(|(_, shown)| shown),
            connect_to: self.connect_to.as_deref(),
        };
        let line = self.idle().pop().unwrap_or_else(|| self.line());
        line.sent.store(false, Ordering::SeqCst);
        let result = proxy
            // Checked before the run; this keeps it from ever being a direct connection.
            .map_err(|_| ureq::Error::InvalidProxyUrl)
            .map(|proxy| proxy.map(|(proxy, _)| proxy))
            .and_then(|proxy| {
                let request = request(call, authorization, authority);
                line.run(request, call.body, proxy, budget.min(EXCHANGE))
            })
            .and_then(|response| Response::read(response, authority, self.redactor()))
            .map_err(|error| {
                let mut failure = failure::translate(error, peer, line.sent.load(Ordering::SeqCst));
                failure.problem = failure.problem.cleaned(&self.redactor);
                failure
            });
        self.idle().push(line);
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more line: every other is in use.
    fn line(&self) -> Line {
        let sent = Arc::new(AtomicBool::new(false));
        let (stop, tls) = (self.signals.shared(), self.tls.clone());
        let connector = connect::connector(tls, stop, Arc::clone(&sent));
        Line { agent: Agent::with_parts(config(), connector, self.names.clone()), sent }
    }
}

/// What is the same for each try at a request.
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
    request
}

impl Line {
    fn run(
        &self,
        request: Builder,
        body: Option<&str>,
        proxy: Option<&Proxy>,
        budget: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        match body {
            None => self.send(request.body(())?, proxy, budget),
            Some(body) => {
                let request = request.header(CONTENT_TYPE, "application/json");
                self.send(request.body(body)?, proxy, budget)
            }
        }
    }

    fn send<B: ureq::AsSendBody>(
        &self,
        request: Request<B>,
        proxy: Option<&Proxy>,
        budget: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(budget))
            .proxy(proxy.cloned())
            .build();
        self.agent.run(request)
    }
}

/// The one place where an agent is set up.
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
