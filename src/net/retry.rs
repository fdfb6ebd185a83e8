//! The tries that one request may take: another host where one fails (RSC15), a pause where a host
//! asks for one, and an end when the time is up.

use std::time::{Duration, Instant, SystemTime};

use crate::net::agent::Call;
use crate::net::connect_error::Retry;
use crate::net::failure::Failure;
use crate::net::hosts::TRIES;
use crate::net::pace::Turn;
use crate::net::response::{Response, Word};
use crate::net::retry_after;
use crate::net::session::Session;

/// The pause before the same host is asked again after a failure that is no 429.
const PAUSE: Duration = Duration::from_millis(500);

/// What a try brought, or all tries together: an answer, perhaps one that settles nothing, or none.
type Outcome = Result<Response, Failure>;

impl Session<'_> {
    /// Tries a request until there is a definite answer, no host is left, or the time is up.
    pub(super) fn send(&self, path: &str, body: Option<&str>, turn: &Turn<'_>) -> Outcome {
        let call = Call { path, body };
        let first = self.hosts.preferred();
        let (others, one_host) = (self.hosts.others(first), self.hosts.is_single());
        let mut last = self.ask(call, first, one_host, turn);
        let (mut best, mut tries) = (None, 1);
        for host in &others {
            if !calls_for_another(&last, one_host) {
                break;
            }
            self.before_next(host, one_host, turn);
            if turn.left().is_zero() || self.net.signals.caught().is_some() {
                break;
            }
            best = Some(better(best, last));
            last = self.ask(call, host, one_host || tries == others.len(), turn);
            tries += 1;
        }
        match &last {
            Ok(response) if response.word() == Word::Definite => {
                // Another request may have found a better one by now, if this had not to look for one.
                if tries > 1 {
                    self.hosts.prefer(&response.host);
                }
                last
            }
            _ => after(tries, one_host, better(best, last)),
        }
    }

    /// The pause before the same host is asked again; another host is asked at once.
    fn before_next(&self, host: &str, one_host: bool, turn: &Turn<'_>) {
        if one_host {
            self.net.signals.sleep(PAUSE.min(turn.left()));
        } else {
            self.net.log.note("http", "fallback", || format!("asking {host} instead"));
        }
    }

    /// Asks one host, again as long as it asks for a pause and time is left. An overloaded one
    /// (503) is waited for where it is the last; a word about the connection alone is not believed
    /// at once.
    fn ask(&self, call: Call<'_>, host: &str, last: bool, turn: &Turn<'_>) -> Outcome {
        let mut attempt = 0;
        loop {
            let mut response = self.exchange(call, host, turn)?;
            let overloaded = last && response.status == 503 && response.retry_after.is_some();
            let paused = match response.word() {
                Word::None => self.pause_briefly(attempt, turn),
                word if word == Word::RateLimited || overloaded => {
                    let retry_after = response.retry_after.as_deref();
                    self.pause(host, retry_after, attempt, turn).map_err(Some)
                }
                _ => Err(None),
            };
            if let Err(gave_up) = paused {
                response.gave_up = gave_up;
                return Ok(response);
            }
            attempt += 1;
        }
    }

    /// Waits before the same is asked of the same host, a few times.
    fn pause_briefly(&self, attempt: u32, turn: &Turn<'_>) -> Result<(), Option<String>> {
        if attempt + 1 == TRIES || PAUSE >= turn.left() {
            return Err((attempt > 0).then(|| format!("{} tries failed", attempt + 1)));
        }
        self.net.signals.sleep(PAUSE);
        if self.net.signals.caught().is_some() { Err(None) } else { Ok(()) }
    }

    /// Waits as the host asks that was asked last, else as long as it takes.
    ///
    /// # Errors
    /// Why there is no point in waiting.
    pub fn wait(
        &self,
        retry_after: Option<&str>,
        attempt: u32,
        turn: &Turn<'_>,
    ) -> Result<(), String> {
        self.pause(self.hosts.preferred(), retry_after, attempt, turn)
    }

    fn pause(
        &self,
        host: &str,
        retry_after: Option<&str>,
        attempt: u32,
        turn: &Turn<'_>,
    ) -> Result<(), String> {
        let left = turn.left();
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
        self.net.log.note("http", "wait", || {
            format!("rate-limited by {host}: next try in {} ms ({who})", wait.as_millis())
        });
        turn.pause(wait);
        match self.net.signals.caught() {
            Some(_) => Err("interrupted".to_owned()),
            None if turn.left().is_zero() => {
                Err("the rate limit lasted longer than --timeout".to_owned())
            }
            None => Ok(()),
        }
    }

    fn exchange(&self, call: Call<'_>, host: &str, turn: &Turn<'_>) -> Outcome {
        turn.ready();
        let start = Instant::now();
        let authorization = self.authorization.as_ref();
        let waiting = self.net.log.waiting(&format!("an answer of {host}"));
        let result = self.net.http.exchange(call, authorization, host, turn.left());
        drop(waiting);
        if result.is_ok() {
            self.net.log.answered();
        }
        let ms = start.elapsed().as_millis();
        self.net.log.note("http", "try", || {
            let request = format!("{} https://{host}{}", call.method(), call.path);
            match &result {
                Ok(response) => {
                    format!("{request}: status {} after {ms} ms{}", response.status, ids(response))
                }
                Err(failure) => format!("{request}: {} after {ms} ms", failure.problem.message),
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
fn ids(response: &Response) -> String {
    let ids = [("server", &response.server_id), ("edge", &response.edge_id)];
    let ids = ids.iter().filter(|_| !(200..300).contains(&response.status));
    ids.filter_map(|(name, id)| Some(format!(", {name} ID {}", id.as_ref()?))).collect()
}

/// Whether another try may bring more (RSC15l).
fn calls_for_another(tried: &Outcome, one_host: bool) -> bool {
    match tried {
        Ok(response) => match response.word() {
            _ if response.gave_up.is_some() => false,
            // A host that has no place for the request will not have one at the next try either.
            Word::OfThisHost => {
                !one_host || !(400..500).contains(&response.status) || response.from_cloudfront
            }
            _ => false,
        },
        Err(failure) => match failure.retry {
            Retry::Never => false,
            Retry::OtherHost => !one_host,
            Retry::SameHost => true,
        },
    }
}

/// Of two tries without a definite answer the one that tells more: an answer, else one that may have
/// reached Ably, else a rate limit, which says nothing of the tries before it, else the first.
fn better(old: Option<Outcome>, new: Outcome) -> Outcome {
    let rank = |tried: &Outcome| match tried {
        Ok(response) if response.word() == Word::RateLimited => 1,
        Ok(_) => 3,
        Err(failure) if failure.sent => 2,
        Err(_) => 0,
    };
    let says_why_it_ends = new.as_ref().is_ok_and(|response| response.gave_up.is_some());
    match old {
        Some(old) if rank(&old) > rank(&new) => old,
        Some(old) if rank(&old) == rank(&new) && !says_why_it_ends => old,
        _ => new,
    }
}

/// Says of a failure how many tries it stands for.
fn after(tries: usize, one_host: bool, mut tried: Outcome) -> Outcome {
    let others = match tries {
        0 | 1 => return tried,
        tries if one_host => format!("{tries} tries failed"),
        2 => "a fallback host failed, too".to_owned(),
        tries => format!("{} fallback hosts failed, too", tries - 1),
    };
    match &mut tried {
        Ok(response) => {
            response.gave_up.get_or_insert(others);
        }
        Err(failure) => {
            failure.problem.message.push_str("; ");
            failure.problem.message.push_str(&others);
        }
    }
    tried
}
