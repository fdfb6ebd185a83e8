//! The tries of one request: another host if one fails (RSC15), a pause if a host asks for one, and an
//! end when the time is up. ureq retries nothing, and could not know which answers settle a request.

use std::time::{Duration, Instant, SystemTime};

use crate::net::answer::{Answer, Finality};
use crate::net::endpoint::TRIES;
use crate::net::error::{Failure, Retry};
use crate::net::http::{Call, Pause};
use crate::net::retry_after;
use crate::net::session::Session;

/// The pause before the same host is asked again after a failure that is no 429.
const PAUSE: Duration = Duration::from_millis(500);
const OUTLASTED: &str = "the rate limit lasted longer than --timeout";

/// The result of one try, or of all: an answer, which may settle nothing, or none.
type Tried = Result<Answer, Failure>;

impl Session<'_> {
    /// Tries a request until there is a definite answer, no host is left, or the time is up.
    /// `body` is JSON.
    pub fn send(&self, path: &str, body: Option<&str>, until: Instant) -> Tried {
        let call = Call { path, body, authorization: self.authorization.as_ref() };
        let (hosts, one_host) = (self.hosts.in_order(), self.hosts.is_single());
        let (mut tries, mut best) = (0, None);
        for host in &hosts {
            if tries > 0 {
                // Before the same host is asked again, but not before another.
                match one_host {
                    true => self.net.signals.sleep(PAUSE.min(left(until))),
                    false => {
                        self.net.log.note("http", "fallback", || format!("asking {host} instead"))
                    }
                }
                if left(until).is_zero() || self.net.signals.caught().is_some() {
                    break;
                }
            }
            tries += 1;
            let tried = self.ask(call, host, one_host || tries == hosts.len(), until);
            if matches!(tried, Ok(Answer { finality: Finality::Final, .. })) {
                // After one try the preferred host is unchanged, or another request has changed it.
                if tries > 1 {
                    self.hosts.prefer(host);
                }
                return tried;
            }
            let is_over = !calls_for_another(&tried, one_host);
            best = Some(better(best, tried));
            if is_over {
                break;
            }
        }
        #[expect(clippy::expect_used, reason = "the loop is left before its first try by nobody")]
        append_attempts(tries, one_host, best.expect("there is at least one host"))
    }

    /// Asks one host, and again while it asks for a pause and time is left. A 503 with `Retry-After`
    /// is waited for only if no host is left.
    fn ask(&self, call: Call<'_>, host: &str, last: bool, until: Instant) -> Tried {
        let (mut attempt, mut pause) = (0, None);
        loop {
            let mut answer = self.exchange(call, host, until, pause.is_some())?;
            attempt += 1;
            let overloaded = last && answer.status == 503 && answer.retry_after.is_some();
            let gave_up = match answer.finality {
                Finality::Retry if attempt < TRIES && PAUSE < left(until) => {
                    self.net.signals.sleep(PAUSE);
                    self.net.signals.caught().map(|_| "interrupted".to_owned())
                }
                Finality::Retry if attempt > 1 => Some(format!("{attempt} tries failed")),
                finality if finality == Finality::RateLimited || overloaded => {
                    let retry_after = answer.retry_after.as_deref();
                    self.pause(host, retry_after, attempt - 1, until, &mut pause).err()
                }
                _ => return Ok(answer),
            };
            if gave_up.is_some() {
                answer.gave_up = gave_up;
                return Ok(answer);
            }
        }
    }

    /// Waits out a rate limit; the error is why there is no point in it. All other requests wait too,
    /// until `pause` ends: this one is asked again first, and alone.
    pub fn pause<'n>(
        &'n self,
        host: &str,
        retry_after: Option<&str>,
        attempt: u32,
        until: Instant,
        pause: &mut Option<Pause<'n>>,
    ) -> Result<(), String> {
        let (now, left) = (Instant::now(), left(until));
        let asked = retry_after.and_then(|text| retry_after::parse(text, SystemTime::now()));
        let (wait, why) = match asked {
            Some(asked) if asked >= left => {
                let seconds = asked.as_secs();
                return Err(format!(
                    "{host} asks to wait {seconds} s, which is longer than --timeout leaves"
                ));
            }
            // Even if the server says 0, do not flood it.
            Some(asked) => (asked.max(PAUSE * (1 << attempt.min(3))), "as it asks"),
            None => (retry_after::backoff(attempt, retry_after::random()), "no Retry-After"),
        };
        if wait >= left {
            return Err(OUTLASTED.to_owned());
        }
        self.net.log.note("http", "wait", || {
            format!("rate-limited by {host}: next try in {} ms ({why})", wait.as_millis())
        });
        *pause = pause.take().or_else(|| self.net.pause(until));
        self.net.signals.sleep((now + wait).saturating_duration_since(Instant::now()));
        match self.net.signals.caught() {
            Some(_) => Err("interrupted".to_owned()),
            None if Instant::now() >= until => Err(OUTLASTED.to_owned()),
            None => Ok(()),
        }
    }

    fn exchange(&self, call: Call<'_>, host: &str, until: Instant, is_alone: bool) -> Tried {
        if !is_alone {
            self.net.ready(Some(until));
        }
        let start = Instant::now();
        let waiting = self.net.log.waiting(&format!("an answer of {host}"));
        let tried = self.net.exchange(call, host, left(until));
        drop(waiting);
        if tried.is_ok() {
            self.net.log.answered();
        }
        let ms = start.elapsed().as_millis();
        self.net.log.note("http", "try", || {
            let result = match &tried {
                Ok(answer) => format!("status {} after {ms} ms{}", answer.status, ids(answer)),
                Err(failure) => format!("{} after {ms} ms", failure.problem.message),
            };
            format!("{} https://{host}{}: {result}", call.method(), call.path)
        });
        tried
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// The IDs that Ably's support asks for.
fn ids(answer: &Answer) -> String {
    let ids = [("server", &answer.error.server_id), ("edge", &answer.error.edge_id)];
    let ids = ids.iter().filter(|_| !answer.is_success());
    ids.filter_map(|(name, id)| Some(format!(", {name} ID {}", id.as_ref()?))).collect()
}

/// RSC15l.
fn calls_for_another(tried: &Tried, one_host: bool) -> bool {
    match tried {
        Ok(answer) => {
            // A host with no place for the app will not have one at the next try.
            let is_placement = answer.status < 500 && !answer.from_cloudfront;
            let is_of_host = answer.finality == Finality::HostOnly;
            is_of_host && answer.gave_up.is_none() && !(one_host && is_placement)
        }
        Err(failure) => match failure.retry {
            Retry::WithoutIdle | Retry::Never => false,
            Retry::OtherHost => !one_host,
            Retry::SameHost => true,
        },
    }
}

/// Which of two tries without a definite answer to report: an answer, else one that may have reached
/// Ably, else a rate limit, which says nothing of earlier tries, else the first.
fn better(old: Option<Tried>, new: Tried) -> Tried {
    let rank = |tried: &Tried| match tried {
        Ok(answer) if answer.finality == Finality::RateLimited => 1,
        Ok(_) => 3,
        Err(failure) if failure.sent => 2,
        Err(_) => 0,
    };
    let says_why_it_ends = new.as_ref().is_ok_and(|answer| answer.gave_up.is_some());
    match old {
        Some(old) if rank(&old) > rank(&new) => old,
        Some(old) if rank(&old) == rank(&new) && !says_why_it_ends => old,
        _ => new,
    }
}

fn append_attempts(tries: usize, one_host: bool, mut tried: Tried) -> Tried {
    if tries > 1 {
        let others = format!("{tries} {} failed", if one_host { "tries" } else { "hosts" });
        match &mut tried {
            Ok(answer) => {
                answer.gave_up.get_or_insert(others);
            }
            Err(failure) => failure.problem.message += &format!("; {others}"),
        }
    }
    tried
}
