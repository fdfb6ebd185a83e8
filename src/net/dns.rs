//! A stub resolver in place of the system's. musl's was tried and failed: a bad AAAA answer spoils a
//! good A answer, a search domain that fails spoils the full name, SERVFAIL is retried until the time
//! is over and has no error of its own, `options attempts:0` divides by zero, and only a thread can
//! limit its time, where there may be none. The crates that could replace it need an async runtime.
//!
//! It reads `/etc/hosts` and `/etc/resolv.conf` and asks all name servers at once by UDP, with one
//! query a family. There is no DNS over TCP: the addresses of one host fit into a datagram.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::file::{self, Input};
use crate::net::dns_message::{Family, Unresolved, answer, query};
use crate::net::error::{At, NetError, Retry};
use crate::signals::{SLICE, Signals};

const DOMAIN: u16 = 53;
/// As many name servers as other resolvers ask.
const MAX_SERVERS: usize = 3;
/// The longest resolv.conf that is read, in bytes.
const LIMIT: u64 = 1 << 20;
/// The longest line of the hosts file in one piece, in bytes.
const LONGEST_LINE: u64 = 64 << 10;
/// How long a server is silent before it is asked again: a datagram may be lost.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the addresses of one family wait for those of the other (RFC 8305, 3, has 50 ms).
const OTHER_FAMILY: Duration = Duration::from_millis(100);

/// The addresses of a host from the hosts file, else from DNS. After a signal it ends as if the time
/// were over.
pub(super) fn look_up(
    host: &str,
    deadline: Instant,
    signals: &Signals,
) -> Result<Vec<IpAddr>, NetError> {
    let found = in_hosts(host);
    if !found.is_empty() {
        return Ok(found);
    }
    let conf = ResolvConf::parse(&resolv_conf());
    let mut failure = Unresolved::NoSuchName;
    for name in conf.names(host) {
        let Some(mut queries) = queries(&name, &conf.servers)? else { continue };
        match ask(&mut queries, deadline, signals) {
            Ok(addresses) => return Ok(addresses),
            Err(other) => failure = failure.max(other),
        }
        if failure == Unresolved::Late {
            break;
        }
    }
    Err(NetError::new(At::Name(host.to_owned()), conf.describe(failure), "", Retry::OtherHost))
}

/// Reads the hosts file line by line: lists of blocked hosts make it many megabytes long.
fn in_hosts(host: &str) -> Vec<IpAddr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let (mut found, mut line) = (Vec::new(), Vec::new());
    let Ok(file) = Input::open(Path::new("/etc/hosts")) else {
        return found;
    };
    let mut reader = BufReader::new(file);
    while reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        found.extend(of_line(&String::from_utf8_lossy(&line), host));
        line.clear();
    }
    found
}

fn of_line(line: &str, host: &str) -> Option<IpAddr> {
    let mut words = line.split('#').next()?.split_ascii_whitespace();
    let address = words.next()?.parse::<IpAddr>().ok()?;
    words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
}

/// A file that cannot be read counts as empty, as in libc.
fn resolv_conf() -> String {
    let bytes = file::read(Path::new("/etc/resolv.conf"), LIMIT).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

struct ResolvConf {
    servers: Vec<IpAddr>,
    search: Vec<String>,
}

impl ResolvConf {
    fn parse(text: &str) -> Self {
        let (mut servers, mut search) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    servers.extend(words.next().and_then(|it| it.parse::<IpAddr>().ok()));
                }
                // The last of these lines counts.
                Some("search" | "domain") => search = words.map(str::to_owned).collect(),
                _ => {}
            }
        }
        servers.truncate(MAX_SERVERS);
        if servers.is_empty() {
            servers.push(Ipv4Addr::LOCALHOST.into());
        }
        Self { servers, search }
    }

    /// The full names to try, in order. A name with a dot is tried as it stands first, whatever
    /// `ndots` says, so that a search domain that fails cannot spoil it.
    fn names(&self, host: &str) -> Vec<String> {
        let search = if host.ends_with('.') { &[][..] } else { &self.search };
        let mut names: Vec<_> =
            search.iter().map(|domain| format!("{host}.{}", domain.trim_matches('.'))).collect();
        names.insert(if host.contains('.') { 0 } else { names.len() }, host.to_owned());
        names
    }

    fn describe(&self, failure: Unresolved) -> String {
        let servers: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        let servers = format!("the name servers ({})", servers.join(", "));
        let why = match failure {
            Unresolved::Late => return format!("was not resolved in time by {servers}"),
            Unresolved::NoSuchName => "no such name".to_owned(),
            Unresolved::NoAddress => "it has no address".to_owned(),
            Unresolved::Unreachable => format!("no answer from {servers}"),
            Unresolved::Truncated => format!("the answer of {servers} is too long"),
            Unresolved::Code(2) => format!("{servers} answered SERVFAIL"),
            Unresolved::Code(5) => format!("{servers} answered REFUSED"),
            Unresolved::Code(other) => format!("{servers} answered with code {other}"),
        };
        format!("cannot be resolved: {why}")
    }
}

/// A question for the addresses of one family, to one server.
struct Query {
    family: Family,
    message: Vec<u8>,
    socket: UdpSocket,
    answer: Option<Result<Vec<IpAddr>, Unresolved>>,
}

impl Query {
    fn send(&mut self) {
        if self.socket.send(&self.message).is_err() {
            self.answer = Some(Err(Unresolved::Unreachable));
        }
    }

    fn receive(&mut self) {
        let mut buffer = [0; 4096];
        while self.answer.is_none() {
            match self.socket.recv(&mut buffer) {
                Ok(length) => {
                    let message = buffer.get(..length).unwrap_or_default();
                    self.answer = answer(message, &self.message, self.family);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.answer = Some(Err(Unresolved::Unreachable)),
            }
        }
    }
}

/// A connected socket gets the datagrams of its server alone, and an error if the port is closed.
fn connected(server: IpAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match server {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect((server, DOMAIN))?;
    Ok(socket)
}

/// Whether packets to an address have a way to go. Sends nothing.
pub(super) fn has_route(address: IpAddr) -> bool {
    connected(address).is_ok()
}

/// The queries for a name, as many as sockets can be opened; `None` if DNS cannot hold the name.
fn queries(name: &str, servers: &[IpAddr]) -> Result<Option<Vec<Query>>, NetError> {
    // The seed is random.
    let id = RandomState::new().hash_one(name) as u16;
    let (mut queries, mut refused) = (Vec::new(), None);
    for family in Family::ALL {
        let Some(message) = query(id, name, family) else { return Ok(None) };
        for server in servers {
            let message = message.clone();
            match connected(*server) {
                Ok(socket) => queries.push(Query { family, message, socket, answer: None }),
                Err(error) => refused = Some(NetError::of_io(&error, false)),
            }
        }
    }
    match refused {
        Some(error) if queries.is_empty() && error.retry == Retry::WithoutIdle => Err(error),
        _ => Ok(Some(queries)),
    }
}

/// Asks all servers for one name. Once one family has addresses, the other gets little more time.
fn ask(
    queries: &mut [Query],
    mut deadline: Instant,
    signals: &Signals,
) -> Result<Vec<IpAddr>, Unresolved> {
    let (mut ask_at, mut found_at) = (Instant::now(), None);
    loop {
        let now = Instant::now();
        let known = Family::ALL.map(|family| known_of(queries, family));
        let found: Vec<IpAddr> = known.iter().flatten().flatten().copied().collect();
        let is_over = now >= deadline || signals.caught().is_some();
        if is_over || !known.contains(&Err(Unresolved::Late)) {
            let failure = known.into_iter().filter_map(Result::err).max();
            return failure.filter(|_| found.is_empty()).map_or(Ok(found), Err);
        }
        if !found.is_empty() {
            deadline = deadline.min(*found_at.get_or_insert(now) + OTHER_FAMILY);
        }
        if now >= ask_at {
            queries.iter_mut().filter(|query| query.answer.is_none()).for_each(Query::send);
            ask_at = now + AGAIN;
        }
        let open = queries.iter().filter(|query| query.answer.is_none());
        let mut polled: Vec<_> =
            open.map(|query| PollFd::new(&query.socket, PollFlags::IN)).collect();
        let time = deadline.min(ask_at).saturating_duration_since(now).min(SLICE);
        let time = Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
        // An error, such as that of a signal, ends the wait and no more.
        let _ = poll(&mut polled, Some(&time));
        queries.iter_mut().for_each(Query::receive);
    }
}

/// The first answer about the name, else why there is none; `Late` while a server may still answer.
fn known_of(queries: &[Query], family: Family) -> Result<Vec<IpAddr>, Unresolved> {
    let mut failure = Unresolved::Unreachable;
    for query in queries.iter().filter(|query| query.family == family) {
        match &query.answer {
            None => failure = Unresolved::Late,
            // Another server may know better.
            Some(Err(other)) if *other >= Unresolved::Unreachable => failure = failure.max(*other),
            Some(word) => return word.clone(),
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_is_read_as_it_comes() {
        let conf = ResolvConf::parse(
            "# note\nnameserver 10.0.0.1\nnameserver ::1 # x\nnameserver nonsense\nnameserver\n\
             nameserver 10.0.0.3\nnameserver 10.0.0.4\ndomain old.example\nsearch a.example. b\n\
             options ndots:5 attempts:0 timeout:60\n",
        );
        let shown: Vec<_> = conf.servers.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.1", "::1", "10.0.0.3"]);
        assert_eq!(conf.names("x"), ["x.a.example", "x.b", "x"]);
        assert_eq!(conf.names("x.y"), ["x.y", "x.y.a.example", "x.y.b"]);
        assert_eq!(conf.names("x.y."), ["x.y."]);
        assert_eq!(ResolvConf::parse("").servers, [Ipv4Addr::LOCALHOST]);
    }

    #[test]
    fn every_name_in_a_line_of_the_hosts_file_counts() {
        for (line, address) in [
            ("127.0.0.1 localhost", None),
            ("#10.0.0.9 ably.example", None),
            ("10.0.0.1\tx ABLY.example # y", Some("10.0.0.1")),
            ("::1 ably.example", Some("::1")),
            ("10.0.0.1 y # ably.example", None),
            ("nonsense ably.example", None),
        ] {
            let found = of_line(line, "ably.example").map(|ip| ip.to_string());
            assert_eq!(found.as_deref(), address, "{line}");
        }
    }

    /// Nobody listens for names there.
    #[test]
    fn a_closed_port_is_told_before_it_would_be_asked_again() {
        let closed = [127, 53, 255, 1].into();
        let mut asked = queries("ably.example", &[closed]).unwrap().unwrap();
        let deadline = Instant::now() + AGAIN - Duration::from_millis(100);
        let found = ask(&mut asked, deadline, &Signals::default());
        assert_eq!(found, Err(Unresolved::Unreachable));
        assert!(queries("a..b", &[closed]).unwrap().is_none());
    }
}
