//! A stub resolver in place of the system's. musl's was tried and failed: a bad AAAA answer spoils a
//! good A answer, a search domain that fails spoils the full name, SERVFAIL is retried until the time
//! is over and has no error of its own, `options attempts:0` divides by zero, and only a thread can
//! limit its time, where there may be none. The crates that could replace it need an async runtime.
//!
//! It reads `/etc/hosts` and `/etc/resolv.conf` and asks by UDP. There is no DNS over TCP: the addresses
//! of one host fit into a datagram.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::file::{self, Input};
use crate::net::dns_message::{Family, Unresolved, answer, query};
use crate::net::error::{At, NetError, Retry};
use crate::signals::{SLICE, Signals};

const DOMAIN: u16 = 53;
/// As many name servers as other resolvers ask.
const MAX_SERVERS: usize = 3;
/// The longest resolv.conf that is read, in bytes.
const LIMIT: u64 = 1 << 20;
/// How long a server may be silent before the next is asked, in the first round.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the addresses of one family wait for those of the other (RFC 8305, 3, has 50 ms).
const OTHER_FAMILY: Duration = Duration::from_millis(100);

/// The addresses of a host from the hosts file, else from DNS. After a signal it ends as if the time
/// were over.
pub(super) fn look_up(
    host: &str,
    deadline: Instant,
    signals: &Signals,
) -> Result<Vec<IpAddr>, NetError> {
    // Without asking anybody (RFC 6761, 6.3): there is no hosts file in an empty root.
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    if last.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let found = in_hosts(host);
    if !found.is_empty() {
        return Ok(found);
    }
    let conf = ResolvConf::parse(&resolv_conf());
    let mut failure = Unresolved::NoSuchName;
    for name in conf.names(host) {
        match ask(&name, &conf.servers, deadline, signals) {
            Ok(addresses) => return Ok(addresses),
            Err(Unresolved::NoSocket) => {
                return Err(NetError::of_io(&Errno::MFILE.into(), false));
            }
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
    let Ok(file) = Input::open(Path::new("/etc/hosts")) else { return Vec::new() };
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    lines.filter_map(|line| of_line(&String::from_utf8_lossy(&line), host)).collect()
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
            Unresolved::Unreachable | Unresolved::NoSocket => format!("no answer from {servers}"),
            Unresolved::Truncated => format!("the answer of {servers} is too long"),
            Unresolved::Code(2) => format!("{servers} answered SERVFAIL"),
            Unresolved::Code(5) => format!("{servers} answered REFUSED"),
            Unresolved::Code(other) => format!("{servers} answered with code {other}"),
        };
        format!("cannot be resolved: {why}")
    }
}

/// A connected socket gets the datagrams of its server alone, and an error if the port is closed.
fn connected(server: IpAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match server {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((server, DOMAIN))?;
    Ok(socket)
}

/// Whether packets to an address have a way to go. Sends nothing.
pub(super) fn has_route(address: IpAddr) -> bool {
    connected(address).is_ok()
}

/// Asks the servers in turn, and again with more patience: a datagram may be lost.
fn ask(
    name: &str,
    servers: &[IpAddr],
    deadline: Instant,
    signals: &Signals,
) -> Result<Vec<IpAddr>, Unresolved> {
    let mut patience = PATIENCE;
    loop {
        let mut failure = Unresolved::Unreachable;
        for server in servers {
            let until = deadline.min(Instant::now() + patience);
            match ask_one(*server, name, until, signals) {
                // Another server may know better.
                Err(other) if other >= Unresolved::Unreachable => failure = failure.max(other),
                word => return word,
            }
        }
        if failure != Unresolved::Late || Instant::now() >= deadline || signals.caught().is_some() {
            return Err(failure);
        }
        patience *= 2;
    }
}

/// Asks one server for both families. Once one has addresses, the other gets little more time.
fn ask_one(
    server: IpAddr,
    name: &str,
    mut until: Instant,
    signals: &Signals,
) -> Result<Vec<IpAddr>, Unresolved> {
    let socket = connected(server).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::MFILE | Errno::NFILE) => Unresolved::NoSocket,
        _ => Unresolved::Unreachable,
    })?;
    // The seed is random.
    let id = RandomState::new().hash_one(name) as u16;
    let mut asked = Vec::new();
    for family in Family::ALL {
        let query = query(id ^ family as u16, name, family).ok_or(Unresolved::NoSuchName)?;
        socket.send(&query).map_err(|_| Unresolved::Unreachable)?;
        asked.push((family, query, Err(Unresolved::Late)));
    }
    let mut buffer = [0; 4096];
    loop {
        let known = || asked.iter().map(|(_, _, known)| known);
        let left = until.saturating_duration_since(Instant::now());
        let is_over = left.is_zero() || signals.caught().is_some();
        if is_over || !known().any(|known| *known == Err(Unresolved::Late)) {
            let found: Vec<IpAddr> = known().flatten().flatten().copied().collect();
            let failure = known().filter_map(|known| known.as_ref().err()).max();
            return failure.filter(|_| found.is_empty()).map_or(Ok(found), |it| Err(*it));
        }
        let received =
            socket.set_read_timeout(Some(left.min(SLICE))).and_then(|()| socket.recv(&mut buffer));
        let is_early = |error: &io::Error| {
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
        };
        if received.as_ref().is_err_and(is_early) {
            continue;
        }
        let open = asked.iter_mut().filter(|(_, _, known)| *known == Err(Unresolved::Late));
        for (family, query, known) in open {
            let word = match &received {
                Ok(length) => answer(buffer.get(..*length).unwrap_or_default(), query, *family),
                Err(_) => Some(Err(Unresolved::Unreachable)),
            };
            *known = word.unwrap_or(Err(Unresolved::Late));
            if known.is_ok() {
                until = until.min(Instant::now() + OTHER_FAMILY);
            }
        }
    }
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
        let deadline = Instant::now() + PATIENCE - Duration::from_millis(100);
        let found = |name| ask(name, &[closed], deadline, &Signals::default());
        assert_eq!(found("ably.example"), Err(Unresolved::Unreachable));
        assert_eq!(found("a..b"), Err(Unresolved::NoSuchName));
    }
}
