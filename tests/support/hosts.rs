//! Ably's hosts, and the ways to them.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use super::*;

/// A proxy's password: a text to look for wherever no secret may be.
pub const PASSWORD: &str = "pr0xy-m4rker-77";

pub const MAIN: &str = "main.realtime.ably.net";

/// The hosts that were asked, in order.
pub fn hosts(server: &Ably) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|seen| seen.host().to_owned()).collect()
}

/// Time between two requests.
pub fn gap(server: &Ably, first: usize) -> Duration {
    let requests = server.requests();
    requests[first + 1].at.duration_since(requests[first].at)
}

pub fn is_fallback(host: &str, policy: &str, domain: &str) -> bool {
    ('a'..='e').any(|letter| host == format!("{policy}.{letter}.fallback.{domain}"))
}

pub fn success(seen: &Seen) -> Answer {
    Answer::json(201, batch_result(&seen.targets(), 1_795_428_000_000))
}

/// An address where a connection is refused.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The program on its way to Ably's own host, which only a proxy can find here.
pub fn to_main(server: &Ably) -> Program {
    revoke_alice().trusting(server).keyed()
}

/// A run through a proxy that leads nowhere ends as one that sent nothing, and gives away neither
/// the proxy's password nor the key.
pub fn leads_nowhere(proxy: &str, told: &str) {
    let server = Ably::unreached();
    let run = |extra: &[&str]| -> Run {
        to_main(&server).args(["--timeout", "2"]).args(extra).env("HTTPS_PROXY", proxy).run()
    };
    let start = Instant::now();
    let people = run(&["--verbose"]);
    people.exits(1).says("nothing was sent").says(told).says("the proxy");
    people.hides(PASSWORD).hides_the_key().never_says("panicked");
    people.check(start.elapsed() < Duration::from_secs(2 + 1 + 3), "should end in time");
    let scripts = run(&["--json", "--verbose"]);
    scripts.exits(1).hides(PASSWORD).hides_the_key();
    assert_eq!(text(&scripts.record("error"), "error.outcome"), "not-sent");
}

/// Options for so many client IDs: `user0` and so on.
pub fn client_ids(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("--client-id=user{n}"))
}
