//! The tries that one request may take: another host where one fails (RSC15), a pause where Ably
//! says 429, and an end when the time is up.

use std::time::{Duration, Instant, SystemTime};

use crate::net::endpoint::Endpoint;
use crate::net::failure::{Fault, Retry};
use crate::net::response::{Reply, Word};
use crate::net::{Call, Http, retry_after};
use crate::signals::Signals;
use crate::terminal::log::Journal;

/// How often one host is asked before its failure counts.
const TRIES: u32 = 3;
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

    /// The hosts that follow for one request, in order. One without fallbacks follows itself.
    fn others(&self) -> Vec<String> {
        if self.fallbacks.is_empty() {
            return vec![self.preferred.clone(); TRIES as usize - 1];
        }
        let others = std::iter::once(&self.primary).chain(&self.fallbacks);
        others.filter(|host| **host != self.preferred).take(self.fallbacks.len()).cloned().collect()
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
        let (others, one_host) = (hosts.others(), hosts.fallbacks.is_empty());
        let mut last = self.ask(call, hosts.preferred(), one_host, deadline);
        let (mut best, mut tries) = (None, 1);
        for host in &others {
            if !calls_for_another(&last, one_host) {
                break;
            }
            self.before_next(host, one_host, deadline);
            if deadline.left().is_zero() || self.signals.caught().is_some() {
                break;
            }
            best = Some(better(best, last));
            last = self.ask(call, host, one_host || tries == others.len(), deadline);
            tries += 1;
        }
        match &last {
            Tried::Answered { reply, host, .. } if reply.word() == Word::Definite => {
                hosts.preferred.clone_from(host);
                last
            }
            _ => after(tries, one_host, better(best, last)),
        }
    }

    /// The pause before the same host is asked again; another host is asked at once.
    fn before_next(&self, host: &str, one_host: bool, deadline: Deadline) {
        if one_host {
            self.signals.sleep(PAUSE.min(deadline.left()));
        } else {
            self.journal.note("http", "fallback", || format!("asking {host} instead"));
        }
    }

    /// Asks one host, again as long as it asks for a pause and time is left. An overloaded one
    /// (503) is waited for where it is the last; a word about the connection alone is not believed
    /// at once.
    fn ask(&self, call: &Call<'_>, host: &str, last: bool, deadline: Deadline) -> Tried {
        let mut attempt = 0;
        loop {
            let reply = match self.exchange(call, host, deadline) {
                Ok(reply) => reply,
                Err(fault) => return Tried::Failed(fault),
            };
            let overloaded = last && reply.status == 503 && reply.retry_after.is_some();
            let paused = match reply.word() {
                Word::None => self.pause_briefly(attempt, deadline),
                word if word == Word::RateLimited || overloaded => {
                    self.pause(host, reply.retry_after.as_deref(), attempt, deadline).map_err(Some)
                }
                _ => Err(None),
            };
            if let Err(gave_up) = paused {
                return Tried::Answered { reply, host: host.to_owned(), gave_up };
            }
            attempt += 1;
        }
    }

    /// Waits before the same is asked of the same host, a few times.
    fn pause_briefly(&self, attempt: u32, deadline: Deadline) -> Result<(), Option<String>> {
        if attempt + 1 == TRIES || PAUSE >= deadline.left() {
            return Err((attempt > 0).then(|| format!("{} tries failed", attempt + 1)));
        }
        self.signals.sleep(PAUSE);
        if self.signals.caught().is_some() { Err(None) } else { Ok(()) }
    }

    /// Waits as a host asks, else as long as it takes, or says why there is no point in waiting.
    pub fn pause(
        &self,
        host: &str,
        retry_after: Option<&str>,
        attempt: u32,
        deadline: Deadline,
    ) -> Result<(), String> {
        let left = deadline.left();
        let (wait, who) = match asked_wait(retry_after) {
            Some(asked) if asked >= left => {
                let seconds = asked.as_secs();
                return Err(format!(
                    "{host} asks to wait {seconds} s, which is longer than --timeout leaves"
                ));
            }
            Some(asked) => (asked.max(least_wait(attempt)), "it asks for that"),
            None => (retry_after::backoff(attempt, retry_after::random()), "nobody says how long"),
        };
        if wait >= left {
            return Err("the rate limit lasted longer than --timeout".to_owned());
        }
        self.journal.note("http", "wait", || {
            format!("rate-limited by {host}: next try in {} ms ({who})", wait.as_millis())
        });
        self.signals.sleep(wait);
        match self.signals.caught() {
            Some(_) => Err("interrupted".to_owned()),
            None => Ok(()),
        }
    }

    fn exchange(&self, call: &Call<'_>, host: &str, deadline: Deadline) -> Result<Reply, Fault> {
        let start = Instant::now();
        let result = self.http.exchange(call, host, deadline.left());
        let ms = start.elapsed().as_millis();
        self.journal.note("http", "try", || {
            let request = format!("{} https://{host}{}", call.method(), call.path);
            match &result {
                Ok(reply) => {
                    format!("{request}: status {} after {ms} ms{}", reply.status, ids(reply))
                }
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

/// What Ably's support asks for, of an answer that is no success.
fn ids(reply: &Reply) -> String {
    let ids = [("server", &reply.server_id), ("edge", &reply.edge_id)];
    let ids = ids.iter().filter(|_| !(200..300).contains(&reply.status));
    ids.filter_map(|(name, id)| Some(format!(", {name} ID {}", id.as_ref()?))).collect()
}

/// Whether another try may bring more (RSC15l).
fn calls_for_another(tried: &Tried, one_host: bool) -> bool {
    match tried {
        Tried::Answered { gave_up: Some(_), .. } => false,
        Tried::Answered { reply, .. } => match reply.word() {
            // A host that has no place for the request will not have one at the next try either.
            Word::OfThisHost => {
                !one_host || !(400..500).contains(&reply.status) || reply.from_cloudfront
            }
            _ => false,
        },
        Tried::Failed(fault) => match fault.retry {
            Retry::Never => false,
            Retry::OtherHost => !one_host,
            Retry::SameHost => true,
        },
    }
}

/// Of two tries without a definite answer the one that tells more: an answer, else one that may have
/// reached Ably, else a rate limit, which says nothing of the tries before it, else the first.
fn better(old: Option<Tried>, new: Tried) -> Tried {
    let rank = |tried: &Tried| match tried {
        Tried::Answered { reply, .. } if reply.word() == Word::RateLimited => 1,
        Tried::Answered { .. } => 3,
        Tried::Failed(Fault { sent: true, .. }) => 2,
        Tried::Failed(_) => 0,
    };
    let says_why_it_ends = matches!(new, Tried::Answered { gave_up: Some(_), .. });
    match old {
        Some(old) if rank(&old) > rank(&new) => old,
        Some(old) if rank(&old) == rank(&new) && !says_why_it_ends => old,
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
        Tried::Answered { gave_up, .. } => {
            gave_up.get_or_insert(others);
        }
        Tried::Failed(fault) => {
            fault.problem.message.push_str("; ");
            fault.problem.message.push_str(&others);
        }
    }
    tried
}
