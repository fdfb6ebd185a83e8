//! The way to Ably: one HTTPS exchange at a time (`Http`), and the tries that one request may
//! take over several hosts (`tries.rs`). Only this folder knows HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::http::{HeaderValue, Request};
use ureq::{Agent, Proxy};

use crate::error::Problem;
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::text::Safe;
use endpoint::ConnectTo;
use failure::Fault;
use peer::Peer;
use proxy::{Proxies, Route};
use resolver::Names;
use response::Reply;
use tls::Tls;

pub mod ably_error;
pub mod auth;
mod authority;
mod certificate;
pub mod connect;
pub mod connect_error;
mod connection;
pub mod dns_message;
pub mod endpoint;
pub mod failure;
mod name_servers;
mod no_proxy;
pub mod peer;
pub mod proxy;
pub mod remedy;
mod resolver;
pub mod response;
pub mod retry;
pub mod retry_after;
pub mod roots;
mod sent;
pub mod socks;
#[cfg(test)]
mod test_support;
mod tls;
mod tls_error;
mod tunnel;
mod wait;

/// Longest wait for a connection, TLS included (Ably's TO3l3).
const CONNECT: Duration = Duration::from_secs(4);
/// Longest exchange, from the look-up of the name to the last byte of the body (TO3l4).
const EXCHANGE: Duration = Duration::from_secs(10);
/// Bytes for what comes in at a time.
const INPUT_BUFFER: usize = 32 << 10;
/// The longest response headers, in bytes: fewer than fit into the buffer, so that too many are
/// told from a connection that was closed.
const HEADERS_LIMIT: usize = 24 << 10;
/// The longest request head, in bytes; also the buffer for what goes out, as a line must fit in
/// whole. ureq's own buffers are 128 KiB each, zeroed at every start.
const HEAD_LIMIT: usize = 64 << 10;
/// What a request head has besides its path and its credentials, in bytes, with room to spare.
const OTHER_HEADERS: usize = 1 << 10;
/// What this program calls itself in `User-Agent` and `Ably-Agent`.
const NAME: &str = concat!("ably-revoke-token/", env!("CARGO_PKG_VERSION"));
/// The protocol version whose answers `answer.rs` judges.
const ABLY_VERSION: &str = "6";

/// How Ably is reached, as the operator set it.
#[derive(Debug)]
pub struct Network {
    /// Trusted certificates.
    pub roots: roots::Roots,
    /// Where TCP connections go instead of to the host.
    pub connect_to: Option<ConnectTo>,
    /// The proxies of the environment.
    pub proxies: Proxies,
    /// For one request with all its tries.
    pub timeout: Duration,
}

impl Network {
    /// Makes sure that there is a way to a host, before anything is sent.
    ///
    /// # Errors
    /// It would lead through a proxy that cannot be used.
    pub fn check(&self, authority: &str) -> Result<(), Problem> {
        self.proxy(authority).map(|_| ()).map_err(|problem| {
            let host = Safe(authority);
            Problem::new(
                format!("{}, and {host} needs it", problem.message),
                problem.remedy.clone(),
            )
        })
    }

    /// The proxy for a host; none with `--connect-to`, which says itself where connections go.
    fn proxy(&self, authority: &str) -> Result<Option<(&Proxy, &str)>, &Problem> {
        if self.connect_to.is_some() {
            return Ok(None);
        }
        match self.proxies.for_authority(authority) {
            Route::Via { proxy, shown, .. } => Ok(Some((proxy, shown))),
            Route::Direct { .. } => Ok(None),
            Route::Unusable(problem) => Err(problem),
        }
    }
}

/// One request, whatever host it goes to.
#[derive(Debug)]
pub struct Call<'a> {
    /// The path, already percent-encoded.
    pub path: &'a str,
    /// The JSON body of a POST; a GET has none.
    pub body: Option<&'a str>,
    /// The authorization header, marked sensitive; `GET /time` needs none.
    pub authorization: Option<&'a HeaderValue>,
}

impl Call<'_> {
    /// `GET` or `POST`.
    pub fn method(&self) -> &'static str {
        if self.body.is_some() { "POST" } else { "GET" }
    }
}

/// A client for single HTTPS exchanges. Connections are kept open between them.
#[derive(Debug)]
pub struct Http<'a> {
    network: &'a Network,
    agent: Agent,
    connect_to: Option<String>,
    redactor: Redactor,
    sent: Arc<AtomicBool>,
}

impl<'a> Http<'a> {
    /// A client for this network; a signal ends its waits. The run's redactor learns the proxies'
    /// credentials.
    pub fn new(network: &'a Network, signals: &Signals, redactor: Redactor) -> Self {
        network.proxies.secrets().iter().for_each(|secret| redactor.add(secret));
        let sent = Arc::new(AtomicBool::new(false));
        let connect_to = network.connect_to.as_ref().map(ToString::to_string);
        Self { network, agent: agent(network, signals, &sent), connect_to, redactor, sent }
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
    /// A fault that says whether anything may have been sent.
    pub fn exchange(
        &self,
        call: &Call<'_>,
        authority: &str,
        budget: Duration,
    ) -> Result<Reply, Fault> {
        let proxy = self.network.proxy(authority);
        let peer = Peer {
            host: authority,
            proxy: proxy.ok().flatten().map(|(_, shown)| shown),
            connect_to: self.connect_to.as_deref(),
        };
        self.sent.store(false, Ordering::SeqCst);
        proxy
            // Checked before the run; this keeps it from ever being a direct connection.
            .map_err(|_| ureq::Error::InvalidProxyUrl)
            .map(|proxy| proxy.map(|(proxy, _)| proxy))
            .and_then(|proxy| self.run(call, authority, proxy, budget.min(EXCHANGE)))
            .and_then(Reply::read)
            .map_err(|error| {
                let mut fault = failure::translate(error, peer, self.sent.load(Ordering::SeqCst));
                fault.problem = fault.problem.cleaned(&self.redactor);
                fault
            })
    }

    fn run(
        &self,
        call: &Call<'_>,
        authority: &str,
        proxy: Option<&Proxy>,
        budget: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let mut request = Request::builder()
            .method(call.method())
            .uri(format!("https://{authority}{}", call.path))
            .header(ACCEPT, "application/json")
            .header("Ably-Agent", NAME)
            .header("X-Ably-Version", ABLY_VERSION);
        if let Some(authorization) = call.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        match call.body {
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

/// The one place where the agent is set up.
fn agent(network: &Network, signals: &Signals, sent: &Arc<AtomicBool>) -> Agent {
    let config = Agent::config_builder()
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
        .build();
    let names = Names::new(network.connect_to.clone(), signals.shared());
    let tls = Tls::new(network.roots.store());
    Agent::with_parts(config, connect::connector(tls, signals.shared(), Arc::clone(sent)), names)
}

/// Whether a request with this path and these credentials can be sent.
pub fn fits(path: &str, authorization: &HeaderValue) -> bool {
    path.len() + authorization.len() + OTHER_HEADERS <= HEAD_LIMIT
}

/// A text as one segment of a path, percent-encoded: names and IDs are typed, not Ably's.
pub fn segment(text: &str) -> String {
    let mut segment = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}
