//! Look-ups against a name server that behaves as a row says, in a mount namespace with a
//! resolv.conf of its own.

use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::*;

const HOST: &str = "main.realtime.ably.net";
const A: u8 = 1;
const AAAA: u8 = 28;

/// What a name server does with a query.
#[derive(Clone, Copy, Debug)]
enum Does {
    Silent,
    /// Answers with this code, and without an address.
    Code(u8),
    /// The loopback's address of the family.
    Good,
    /// No address fits into the datagram.
    Truncates,
}

use Does::{Code, Good, Silent, Truncates};

/// What it does by family, to the host and to every other name.
type Temper = fn(name: &str, family: u8) -> Does;

/// A name server at an address of its own on the loopback.
struct NameServer {
    ip: String,
    over: Arc<AtomicBool>,
    queries: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl NameServer {
    /// `None` where this user may not listen at port 53.
    fn start(temper: Temper) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let ip = format!("127.53.{}.{n}", std::process::id() % 250);
        let socket = UdpSocket::bind((ip.as_str(), 53)).ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let (over, queries) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (done, count) = (Arc::clone(&over), Arc::clone(&queries));
        let serve = move || {
            let mut buffer = [0; 512];
            while !done.load(Ordering::SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                let query = &buffer[..length];
                let does = temper(&name(query), query[length - 3]);
                if let Some(answer) = answer(query, does) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        };
        let threads = vec![thread::spawn(serve)];
        Some(Self { ip, over, queries, threads })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn name(query: &[u8]) -> String {
    let (mut name, mut at) = (String::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        name = name + &String::from_utf8_lossy(&query[at + 1..end]) + ".";
        at = end;
    }
    name.trim_end_matches('.').to_owned()
}

fn answer(query: &[u8], does: Does) -> Option<Vec<u8>> {
    let (flags, code, count) = match does {
        Silent => return None,
        Code(code) => (0x81, code, 0),
        Good => (0x81, 0, 1),
        Truncates => (0x83, 0, 0),
    };
    let mut answer = [&query[..2], &[flags, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]].concat();
    answer.extend(&query[12..]);
    if count == 1 {
        let family = query[query.len() - 3];
        answer.extend([0xc0, 12, 0, family, 0, 1, 0, 0, 0, 9]);
        match family {
            A => answer.extend([0, 4, 127, 0, 0, 1]),
            _ => answer.extend([vec![0, 16], vec![0; 15], vec![1]].concat()),
        }
    }
    Some(answer)
}

/// The program in a mount namespace with this text in place of a file of `/etc`; `None` where that
/// cannot be had.
fn with_file(folder: &Folder, name: &str, text: &str, limit: &str) -> Option<Program> {
    let namespace = |script: &str| {
        let file = folder.write(name, text);
        let (file, script) = (file.display().to_string(), script.to_owned());
        ["-m", "/bin/sh", "-c", &script, &file].map(str::to_owned)
    };
    let mount = format!("mount --bind \"$0\" /etc/{name} && ");
    let unshare = "/usr/bin/unshare";
    let works = Command::new(unshare)
        .args(namespace(&format!("{mount} grep -q . /etc/{name}")))
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this user cannot mount a file in a namespace (unshare -m)");
        return None;
    }
    let program = Program::at(unshare).args(namespace(&format!("{mount} exec {limit} \"$@\"")));
    Some(program.wrapping(revoke_alice()).keyed())
}

/// A run against a name server of this temper, with further lines of resolv.conf, and how many
/// queries that took.
fn run(server: &Ably, temper: Temper, lines: &str, limit: &str) -> Option<(Run, usize)> {
    let Some(names) = NameServer::start(temper) else {
        eprintln!("skipped: this user cannot listen at port 53");
        server.expect_nothing();
        return None;
    };
    let folder = Folder::new();
    let text = format!("nameserver {}\n{lines}\n", names.ip);
    let Some(program) = with_file(&folder, "resolv.conf", &text, limit) else {
        server.expect_nothing();
        return None;
    };
    let run =
        program.args(["--endpoint", &format!("{HOST}:{}", server.port())]).trusting(server).run();
    Some((run, names.queries.load(Ordering::SeqCst)))
}

#[test]
fn a_host_resolves_where_one_of_its_families_does() {
    let search = "search bad.example worse.example\noptions ndots:5";
    #[rustfmt::skip] // a table: one row a line
    let rows: [(&str, Temper, &str, &str); 13] = [
        ("AAAA fails", |_, family| if family == A { Good } else { Code(2) }, "", ""),
        ("AAAA is unknown", |_, family| if family == A { Good } else { Code(3) }, "", ""),
        ("AAAA is refused", |_, family| if family == A { Good } else { Code(5) }, "", ""),
        ("AAAA is empty", |_, family| if family == A { Good } else { Code(0) }, "", ""),
        ("AAAA is silent", |_, family| if family == A { Good } else { Silent }, "", ""),
        ("A fails", |_, family| if family == AAAA { Good } else { Code(2) }, "", ""),
        ("A is unknown", |_, family| if family == AAAA { Good } else { Code(3) }, "", ""),
        ("A is silent", |_, family| if family == AAAA { Good } else { Silent }, "", ""),
        ("a search domain fails", |name, _| if name == HOST { Good } else { Code(2) }, search, ""),
        ("a search domain is silent", |name, _| if name == HOST { Good } else { Silent }, search, ""),
        ("it is in a search domain alone", |name, _| match name { "main.realtime.ably.net.worse.example" => Good, HOST => Code(3), _ => Code(2), }, search, ""),
        ("A does not fit", |_, family| if family == A { Truncates } else { Good }, "", ""),
        ("other options", |_, _| Good, "options attempts:0 timeout:60", "/usr/bin/prlimit --nproc=1"),
    ];
    for (row, temper, lines, limit) in rows {
        let server = Ably::start_on(Loopback::Both);
        let Some((run, _)) = run(&server, temper, lines, limit) else { return };
        run.check(run.code == Some(0), row);
        assert_eq!(server.request_count(), 1, "{row}");
    }
}

#[test]
fn a_host_that_does_not_resolve_is_told_with_the_servers_word() {
    let search = "search a.example\noptions ndots:5";
    let rows: [(&str, Temper, &str, usize); 5] = [
        ("SERVFAIL", |_, _| Code(2), "", 2),
        ("REFUSED", |_, _| Code(5), "options attempts:0 timeout:60", 2),
        ("SERVFAIL", |name, _| if name == HOST { Code(2) } else { Code(3) }, search, 4),
        ("no such name", |_, _| Code(3), search, 4),
        ("it has no address", |_, _| Code(0), "", 2),
    ];
    for (told, temper, lines, queries) in rows {
        let server = Ably::unreached();
        let Some((run, asked)) = run(&server, temper, lines, "") else { return };
        run.exits(1).says(told).says("nothing was sent");
        // Nobody is asked again who has answered.
        run.check(asked == queries, &format!("{told}: {asked} queries"));
    }
}

#[test]
fn a_silent_name_server_costs_no_more_than_the_time_there_is() {
    for limit in ["", "/usr/bin/prlimit --nproc=1"] {
        let server = Ably::unreached();
        let start = Instant::now();
        let lines = "options timeout:60 attempts:0";
        let Some((run, _)) = run(&server, |_, _| Silent, lines, limit) else { return };
        run.exits(1).says("not resolved in time").says("nothing was sent");
        run.check(start.elapsed() < Duration::from_secs(30), "should end in time");
    }
}

#[test]
fn a_host_at_the_end_of_a_long_hosts_file_is_found() {
    let folder = Folder::new();
    let mut hosts: String =
        (0..200_000).map(|n| format!("10.9.9.9 blocked{n}.example\n")).collect();
    hosts.push_str(&format!("# {}\n127.0.0.1 {HOST}\n", "x".repeat(1 << 20)));
    assert!(hosts.len() > 5 << 20);
    let server = Ably::start();
    let Some(program) = with_file(&folder, "hosts", &hosts, "") else {
        server.expect_nothing();
        return;
    };
    let endpoint = format!("{HOST}:{}", server.port());
    program.args(["--endpoint", &endpoint]).trusting(&server).run().exits(0);
}

#[test]
fn name_servers_that_cannot_be_reached_are_named() {
    let folder = Folder::new();
    let text = "nameserver 127.53.250.250\nnameserver 127.53.250.251\n";
    let Some(program) = with_file(&folder, "resolv.conf", text, "") else { return };
    let run = program.args(["--endpoint", HOST]).run();
    run.exits(1).says("no answer from the name servers").says("nothing was sent");
    run.says("127.53.250.250").says("127.53.250.251");
}
