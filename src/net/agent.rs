//! Single HTTPS exchanges: the one place where ureq's agent is set up and used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::http::{HeaderValue, Request};
use ureq::{Agent, Proxy};

use crate::error::Problem;
use crate::net::failure::{self, Failure};
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

    /// How long one request may take with all its tries.
    pub fn timeout(&self) -> Duration {
        self.network.timeout
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
        self.sent.store(false, Ordering::SeqCst);
        proxy
            // Checked before the run; this keeps it from ever being a direct connection.
            .map_err(|_| ureq::Error::InvalidProxyUrl)
            .map(|proxy| proxy.map(|(proxy, _)| proxy))
            .and_then(|proxy| self.run(call, authorization, authority, proxy, budget.min(EXCHANGE)))
            .and_then(|response| Response::read(response, authority, self.redactor()))
            .map_err(|error| {
                let mut failure = failure::translate(error, peer, self.sent.load(Ordering::SeqCst));
                failure.problem = failure.problem.cleaned(&self.redactor);
                failure
            })
    }

    fn run(
        &self,
        call: Call<'_>,
        authorization: Option<&HeaderValue>,
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
        if let Some(authorization) = authorization {
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
