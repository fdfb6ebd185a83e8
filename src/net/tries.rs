//! The tries that one request may take: another host where one fails (RSC15), a pause where Ably
//! says 429, and an end when the time is up.

use std::time::{Duration, Instant, SystemTime};

use crate::journal::Journal;
use crate::net::endpoint::Endpoint;
use crate::net::fault::{Fault, Retry};
use crate::net::reply::Reply;
use crate::net::{Call, Http, retry_after};
use crate::signals::Signals;

/// How often a host without fallbacks is asked before its failure counts.
const TRIES_WITHOUT_FALLBACK: usize = 3;
/// The pause before the same host is asked again after a failure that is no 429.
const PAUSE: Duration = Duration::from_millis(500);

/// The hosts of one service. The one that answered serves the rest of the run.
#[derive(Debug)]
pub struct Hosts {
    primary: String,
    fallbacks: Vec<String>,
    preferred: String,
}

impl Hosts {
    /// An endpoint's hosts: the primary one, and up to three fallbacks in random order.
    pub fn of(endpoint: &Endpoint) -> Self {
        Self {
            primary: endpoint.primary().to_owned(),
            fallbacks: endpoint.random_fallbacks(),
            preferred: endpoint.primary().to_owned(),
        }
    }

    /// One host without fallbacks.
    pub fn single(authority: &str) -> Self {
        let authority = authority.to_owned();
        Self { primary: authority.clone(), fallbacks: Vec::new(), preferred: authority }
    }

    /// The host that is asked first.
    pub fn preferred(&self) -> &str {
        &self.preferred
    }

    /// The host that is asked first and those that may be asked instead.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.primary).chain(&self.fallbacks).map(String::as_str)
    }

    /// The hosts for one request, in order. A host that has no fallbacks stands there repeatedly.
    fn candidates(&self) -> Vec<String> {
        if self.fallbacks.is_empty() {
            return vec![self.preferred.clone(); TRIES_WITHOUT_FALLBACK];
        }
        let others = std::iter::once(&self.primary).chain(&self.fallbacks);
        std::iter::once(&self.preferred)
            .chain(others.filter(|host| **host != self.preferred))
            .take(1 + self.fallbacks.len())
            .cloned()
            .collect()
    }
}

/// Until when a request may be tried.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    /// What is left of it.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// What all tries together brought.
#[derive(Debug)]
pub enum Tried {
    /// An answer, perhaps a 5xx that no other host bettered.
    Answered {
        /// The answer.
        reply: Reply,
        /// The host that gave it.
        host: String,
        /// Why no further try was made, where one was called for.
        gave_up: Option<String>,
    },
    /// No answer from any host. `fault.sent` tells whether any try may have reached Ably.
    Failed(Fault),
}

/// Sends requests to the hosts of one service.
#[derive(Debug, Clone, Copy)]
pub struct Courier<'a> {
    /// The exchanges themselves.
    pub http: &'a Http<'a>,
    /// Ends every wait.
    pub signals: &'a Signals,
    /// Told of each try.
    pub journal: &'a Journal,
}

impl Courier<'_> {
    /// Tries a request until there is a definite answer, no host is left, or the time is up.
    pub fn deliver(&self, call: &Call<'_>, hosts: &mut Hosts, deadline: Deadline) -> Tried {
        let candidates = hosts.candidates();
        let one_host = hosts.fallbacks.is_empty();
        let mut tried = self.ask(call, hosts.preferred(), deadline);
        let mut best = None;
        for (n, host) in candidates.iter().enumerate() {
            if n > 0 {
                self.before_next(host, one_host, &tried, deadline);
                if deadline.left().is_zero() || self.signals.caught().is_some() {
                    return after(n, one_host, better(best, tried));
                }
                best = Some(better(best, tried));
                tried = self.ask(call, host, deadline);
            }
            match (&tried, calls_for_another(&tried, one_host)) {
                (_, true) => {}
                (Tried::Answered { reply, .. }, false) if reply.status != 429 => {
                    hosts.preferred.clone_from(host);
                    return tried;
                }
                (_, false) => return better(best, tried),
            }
        }
        after(candidates.len(), one_host, better(best, tried))
    }

    /// The pause before the same host is asked again; another host is asked at once.
    fn before_next(&self, host: &str, one_host: bool, tried: &Tried, deadline: Deadline) {
        if !one_host {
            self.journal.note("http", "fallback", || format!("asking {host} instead"));
            return;
        }
        let asked = match tried {
            Tried::Answered { reply, .. } => asked_wait(reply.retry_after.as_deref()),
            Tried::Failed(_) => None,
        };
        self.wait(asked.unwrap_or(PAUSE).min(deadline.left()), "before the next try");
    }

    /// Asks one host, again as long as it answers 429 and time is left.
    fn ask(&self, call: &Call<'_>, host: &str, deadline: Deadline) -> Tried {
        let mut attempt = 0;
        loop {
            let reply = match self.exchange(call, host, deadline) {
                Ok(reply) => reply,
                Err(fault) => return Tried::Failed(fault),
            };
            let host = host.to_owned();
            if reply.status != 429 {
                return Tried::Answered { reply, host, gave_up: None };
            }
            if let Err(gave_up) = self.pause(reply.retry_after.as_deref(), attempt, deadline) {
                return Tried::Answered { reply, host, gave_up: Some(gave_up) };
            }
            attempt += 1;
        }
    }

    /// Waits as a rate limit asks, or says why there is no point in waiting.
    pub fn pause(
        &self,
        retry_after: Option<&str>,
        attempt: u32,
        deadline: Deadline,
    ) -> Result<(), String> {
        let asked = asked_wait(retry_after);
        let wait = match asked {
            Some(asked) => asked.max(least_wait(attempt)),
            None => retry_after::backoff(attempt, retry_after::random()),
        };
        if wait >= deadline.left() {
            return Err(match asked {
                Some(wait) => format!(
                    "Ably asks to wait {} s, which is longer than --timeout leaves",
                    wait.as_secs()
                ),
                None => "Ably's rate limit lasted longer than --timeout".to_owned(),
            });
        }
        self.wait(wait, "as the rate limit asks");
        if self.signals.caught().is_some() { Err("stopped by a signal".to_owned()) } else { Ok(()) }
    }

    fn wait(&self, duration: Duration, why: &str) {
        self.journal.note("http", "wait", || format!("waiting {} ms {why}", duration.as_millis()));
        self.signals.sleep(duration);
    }

    fn exchange(&self, call: &Call<'_>, host: &str, deadline: Deadline) -> Result<Reply, Fault> {
        let start = Instant::now();
        let result = self.http.exchange(call, host, deadline.left());
        let ms = start.elapsed().as_millis();
        self.journal.note("http", "try", || {
            let request = format!("{} https://{host}{}", call.method(), call.path);
            match &result {
                Ok(reply) => format!("{request}: status {} after {ms} ms", reply.status),
                Err(fault) => format!("{request}: {} after {ms} ms", fault.problem.message),
            }
        });
        result
    }
}

/// However soon a server asks to come back, it is not to be flooded.
fn least_wait(attempt: u32) -> Duration {
    PAUSE.saturating_mul(1 << attempt.min(3))
}

fn asked_wait(retry_after: Option<&str>) -> Option<Duration> {
    retry_after.and_then(|value| retry_after::parse(value, SystemTime::now()))
}

/// Whether another try may bring more (RSC15l).
fn calls_for_another(tried: &Tried, one_host: bool) -> bool {
    match tried {
        Tried::Answered { reply, .. } => reply.calls_for_fallback(),
        Tried::Failed(fault) => match fault.retry {
            Retry::Never => false,
            Retry::OtherHost => !one_host,
            Retry::SameHost => true,
        },
    }
}

/// Of two tries the one that tells more: an answer, else one that may have reached Ably, else a
/// rate limit, which says nothing of the tries before it, else the first.
fn better(old: Option<Tried>, new: Tried) -> Tried {
    let rank = |tried: &Tried| match tried {
        Tried::Answered { reply, .. } if reply.status == 429 => 1,
        Tried::Answered { .. } => 3,
        Tried::Failed(Fault { sent: true, .. }) => 2,
        Tried::Failed(_) => 0,
    };
    match old {
        Some(old) if rank(&old) >= rank(&new) => old,
        _ => new,
    }
}

/// Says of a failure how many tries it stands for.
fn after(tries: usize, one_host: bool, mut tried: Tried) -> Tried {
    let others = match tries {
        0 | 1 => return tried,
        tries if one_host => format!("{tries} tries failed"),
        2 => "a fallback host failed, too".to_owned(),
        tries => format!("{} fallback hosts failed, too", tries - 1),
    };
    match &mut tried {
        Tried::Answered { gave_up, .. } => *gave_up = Some(others),
        Tried::Failed(fault) => {
            fault.problem.message.push_str("; ");
            fault.problem.message.push_str(&others);
        }
    }
    tried
}
