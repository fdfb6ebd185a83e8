//! A stub resolver, in place of musl's: that one lets a bad AAAA answer spoil a good A answer, and a
//! search domain that fails spoil the full name; it asks a failing server again until its time is
//! over, divides by the `attempts` of resolv.conf, and needs a thread to be bounded. Reads
//! `/etc/hosts` and `/etc/resolv.conf`; DNS itself is in `dns_message.rs`.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ureq::Error;

use crate::file::{self, Input};
use crate::net::dns_message::{Answer, Family, answer, query};
use crate::net::wait::{check, slice};

/// Port of a name server.
const DOMAIN: u16 = 53;
/// As many name servers as other resolvers ask.
const MAX_SERVERS: usize = 3;
/// As many search domains as glibc and musl were ever given room for, with some to spare.
const MAX_SEARCHES: usize = 16;
/// The longest resolv.conf that is read, in bytes.
const LIMIT: u64 = 1 << 20;
/// The longest line of the hosts file in one piece, in bytes.
const LONGEST_LINE: u64 = 64 << 10;
/// How long a server is silent before it is asked again: a datagram may be lost.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the addresses of one family wait for those of the other (RFC 8305, 3, has 50 ms).
const OTHER_FAMILY: Duration = Duration::from_millis(100);
/// The longest exchange by TCP with one server.
const BY_TCP: Duration = Duration::from_secs(1);

/// Whom to ask, and by which full names.
#[derive(Debug, PartialEq)]
struct Settings {
    servers: Vec<SocketAddr>,
    search: Vec<String>,
}

/// Why a name has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    /// DNS cannot hold it.
    BadName,
    /// NXDOMAIN.
    NoSuchName,
    /// The name is there, without any address.
    NoAddress,
    /// No server can be reached.
    Unreachable,
    /// Every server that can be reached answers with this response code.
    Code(u8),
    /// No answer until the deadline.
    Late,
}

/// The addresses of a host by the hosts file, else by DNS. Ends at the deadline; fails after a
/// signal, whose number is in `stop`, 0 for none.
pub(crate) fn look_up(
    host: &str,
    deadline: Option<Instant>,
    stop: &AtomicUsize,
) -> Result<Result<Vec<IpAddr>, Failure>, Error> {
    if slice(deadline).is_none() {
        return Ok(Err(Failure::Late));
    }
    let addresses = in_hosts(host);
    if !addresses.is_empty() {
        return Ok(Ok(addresses));
    }
    let settings = Settings::parse(&text("/etc/resolv.conf"));
    let mut failure = Failure::BadName;
    for name in settings.names(host) {
        let Some(mut asking) = Asking::new(&name, &settings.servers) else {
            continue;
        };
        match asking.run(deadline, stop)? {
            Ok(addresses) => return Ok(Ok(addresses)),
            Err(Failure::Late) => return Ok(Err(Failure::Late)),
            Err(other) => failure = failure.max(other),
        }
    }
    Ok(Err(failure))
}

/// A file of the system's; one that cannot be read counts as empty, as it does everywhere.
fn text(path: &str) -> String {
    let bytes = file::read(Path::new(path), LIMIT).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The hosts file is read by lines: lists of blocked hosts make it as long as they like.
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

impl Settings {
    fn parse(text: &str) -> Self {
        let (mut servers, mut search) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => servers.extend(words.next().and_then(server)),
                // The last of these lines counts.
                Some("search" | "domain") => {
                    search = words
                        .map(|word| word.trim_matches('.').to_owned())
                        .filter(|word| !word.is_empty())
                        .take(MAX_SEARCHES)
                        .collect();
                }
                _ => {}
            }
        }
        servers.truncate(MAX_SERVERS);
        if servers.is_empty() {
            servers.push((Ipv4Addr::LOCALHOST, DOMAIN).into());
        }
        Self { servers, search }
    }

    /// The full names that a host may have, in order. One with a dot is tried as it stands first,
    /// whatever `ndots` says: it is one in all likelihood, and no search domain can get in its way.
    fn names(&self, host: &str) -> Vec<String> {
        let own = std::iter::once(host.to_owned());
        if host.ends_with('.') {
            return own.collect();
        }
        let searched = self.search.iter().map(|domain| format!("{host}.{domain}"));
        match host.contains('.') {
            true => own.chain(searched).collect(),
            false => searched.chain(own).collect(),
        }
    }
}

/// The address of a name server, which may be link-local: `fe80::1%eth0`.
fn server(word: &str) -> Option<SocketAddr> {
    let Some((address, zone)) = word.split_once('%') else {
        return Some((word.parse::<IpAddr>().ok()?, DOMAIN).into());
    };
    let address: Ipv6Addr = address.parse().ok()?;
    let index = || {
        let plain = !zone.contains(['/', '.']);
        let path = format!("/sys/class/net/{zone}/ifindex");
        plain.then(|| fs::read_to_string(path).ok()?.trim().parse().ok()).flatten()
    };
    let scope = zone.parse().ok().or_else(index)?;
    Some(SocketAddrV6::new(address, DOMAIN, 0, scope).into())
}

/// One full name, asked of all servers at once, each family on its own.
struct Asking {
    servers: Vec<Server>,
    questions: [Question; 2],
}

/// A name server that can be reached, as far as is known.
struct Server {
    address: SocketAddr,
    socket: UdpSocket,
}

/// The query for one family.
struct Question {
    family: Family,
    query: Vec<u8>,
    /// By server: it has said that it cannot answer.
    failed: Vec<Option<Failure>>,
    answer: Option<Answer>,
}

impl Question {
    fn new(name: &str, family: Family, servers: usize) -> Option<Self> {
        // The seed is random; the socket takes answers from its own server's port alone.
        let id = RandomState::new().hash_one(name) as u16;
        let query = query(id, name, family)?;
        Some(Self { family, query, failed: vec![None; servers], answer: None })
    }

    fn is_settled(&self) -> bool {
        self.answer.is_some() || self.failed.iter().all(Option::is_some)
    }

    fn is_open(&self, server: usize) -> bool {
        self.answer.is_none() && self.failed.get(server).is_some_and(Option::is_none)
    }

    /// The server's first word stands.
    fn fail(&mut self, server: usize, failure: Failure) {
        self.failed.get_mut(server).into_iter().for_each(|slot| {
            slot.get_or_insert(failure);
        });
    }

    fn take(&mut self, server: usize, answer: Answer) {
        match answer {
            Answer::Failed(code) => self.fail(server, Failure::Code(code)),
            Answer::Truncated => self.fail(server, Failure::Unreachable),
            answer => self.answer = Some(answer),
        }
    }

    /// Why it brought no address.
    fn failure(&self) -> Failure {
        match self.answer {
            Some(Answer::NoSuchName) => Failure::NoSuchName,
            Some(_) => Failure::NoAddress,
            None => self.failed.iter().flatten().copied().max().unwrap_or(Failure::Unreachable),
        }
    }
}

impl Asking {
    /// `None` where DNS cannot hold the name.
    fn new(name: &str, addresses: &[SocketAddr]) -> Option<Self> {
        let servers: Vec<_> =
            addresses.iter().filter_map(|address| Server::new(*address).ok()).collect();
        let question = |family| Question::new(name, family, servers.len());
        let [first, second] = Family::ALL;
        let questions = [question(first)?, question(second)?];
        Some(Self { servers, questions })
    }

    fn run(
        &mut self,
        deadline: Option<Instant>,
        stop: &AtomicUsize,
    ) -> Result<Result<Vec<IpAddr>, Failure>, Error> {
        let (mut ask_at, mut enough_at) = (Instant::now(), None);
        loop {
            check(stop)?;
            let now = Instant::now();
            let found = self.addresses();
            if !found.is_empty() && enough_at.is_none() {
                enough_at = Some(now + OTHER_FAMILY);
            }
            let left = slice(deadline);
            let over = left.is_none() || enough_at.is_some_and(|at| at <= now);
            if self.questions.iter().all(Question::is_settled) || (over && !found.is_empty()) {
                let [first, second] = self.questions.each_ref().map(Question::failure);
                return Ok(if found.is_empty() { Err(first.max(second)) } else { Ok(found) });
            }
            let Some(left) = left else {
                return Ok(Err(Failure::Late));
            };
            if ask_at <= now {
                self.ask();
                ask_at = now + AGAIN;
            }
            let next = enough_at.map_or(ask_at, |at| at.min(ask_at));
            self.receive(left.min(next.saturating_duration_since(now)), deadline)?;
        }
    }

    fn addresses(&self) -> Vec<IpAddr> {
        let of = |question: &Question| match &question.answer {
            Some(Answer::Addresses(found)) => found.clone(),
            _ => Vec::new(),
        };
        self.questions.iter().flat_map(of).collect()
    }

    /// Sends what is not settled to all servers that have not failed.
    fn ask(&mut self) {
        for (i, server) in self.servers.iter().enumerate() {
            let mut open = self.questions.iter().filter(|it| it.is_open(i));
            // It may be the word about the question before, which then is told but once.
            if open.any(|it| server.socket.send(&it.query).is_err_and(is_final)) {
                self.questions.iter_mut().for_each(|it| it.fail(i, Failure::Unreachable));
            }
        }
    }

    /// Waits for datagrams and takes all that are there.
    fn receive(&mut self, wait: Duration, deadline: Option<Instant>) -> io::Result<()> {
        let mut polled: Vec<_> =
            self.servers.iter().map(|server| PollFd::new(&server.socket, PollFlags::IN)).collect();
        let nanoseconds = wait.subsec_nanos().into();
        let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: nanoseconds };
        match poll(&mut polled, Some(&timeout)) {
            // A signal: the caller looks which.
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(()),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut buffer = [0; 4096];
        for (i, server) in self.servers.iter().enumerate() {
            // As many as two questions, asked a few times, can bring; the rest keeps for later.
            for _ in 0..8 {
                let message = match server.socket.recv(&mut buffer) {
                    Ok(length) => buffer.get(..length).unwrap_or_default(),
                    Err(error) if !is_final(&error) => break,
                    Err(_) => {
                        self.questions.iter_mut().for_each(|it| it.fail(i, Failure::Unreachable));
                        break;
                    }
                };
                for question in self.questions.iter_mut().filter(|it| !it.is_settled()) {
                    let Some(mut found) = answer(message, &question.query, question.family) else {
                        continue;
                    };
                    if found == Answer::Truncated {
                        let by_tcp = server.by_tcp(&question.query, deadline).ok();
                        found = by_tcp
                            .and_then(|it| answer(&it, &question.query, question.family))
                            .unwrap_or(found);
                    }
                    question.take(i, found);
                }
            }
        }
        Ok(())
    }
}

/// Whether a server that gives this error is not worth a wait.
fn is_final(error: impl std::borrow::Borrow<io::Error>) -> bool {
    let kind = error.borrow().kind();
    !matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl Server {
    fn new(address: SocketAddr) -> io::Result<Self> {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.set_nonblocking(true)?;
        // Nobody else's datagrams arrive, and a closed port is told at once.
        socket.connect(address)?;
        Ok(Self { address, socket })
    }

    fn by_tcp(&self, query: &[u8], deadline: Option<Instant>) -> io::Result<Vec<u8>> {
        let end = Instant::now() + BY_TCP;
        let end = deadline.map_or(end, |deadline| deadline.min(end));
        let left = || {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(left) }
        };
        let mut stream = TcpStream::connect_timeout(&self.address, left()?)?;
        stream.set_write_timeout(Some(left()?))?;
        let length = u16::try_from(query.len()).map_err(io::Error::other)?.to_be_bytes();
        stream.write_all(&[&length, query].concat())?;
        let (mut message, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            if let Some((length, rest)) = message.split_first_chunk::<2>()
                && let Some(whole) = rest.get(..u16::from_be_bytes(*length).into())
            {
                return Ok(whole.to_vec());
            }
            stream.set_read_timeout(Some(left()?))?;
            match stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => message.extend(chunk.iter().take(read)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_is_read_as_it_comes() {
        let settings = Settings::parse(
            "# note\nnameserver 10.0.0.1\nnameserver ::1 # x\nnameserver nonsense\nnameserver\n\
             nameserver fe80::1%7\nnameserver 10.0.0.4\ndomain old.example\nsearch a.example. . b\n\
             options ndots:5 attempts:0 timeout:60\n",
        );
        let shown: Vec<_> = settings.servers.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.1:53", "[::1]:53", "[fe80::1%7]:53"]);
        assert_eq!(settings.names("x"), ["x.a.example", "x.b", "x"]);
        assert_eq!(settings.names("x.y"), ["x.y", "x.y.a.example", "x.y.b"]);
        assert_eq!(settings.names("x.y."), ["x.y."]);
        assert_eq!(server("fe80::1%lo"), server("fe80::1%1"));
        for bad in ["fe80::1%", "fe80::1%../lo", "10.0.0.1%1", "fe80::1%none"] {
            assert_eq!(server(bad), None, "{bad}");
        }
        assert_eq!(Settings::parse("").servers, [(Ipv4Addr::LOCALHOST, 53).into()]);
    }

    #[test]
    fn every_line_of_the_hosts_file_counts() {
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

    #[test]
    fn a_closed_port_is_told_before_it_would_be_asked_again() {
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut asking = Asking::new("ably.example", &[closed]).unwrap();
        let deadline = Instant::now() + AGAIN - Duration::from_millis(100);
        let found = asking.run(Some(deadline), &AtomicUsize::new(0)).unwrap();
        assert_eq!(found, Err(Failure::Unreachable));
        assert!(Asking::new("a..b", &[closed]).is_none());
    }
}
