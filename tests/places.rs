//! Where the program must run: as a copied file with nothing beside it, with no home, rights or
//! threads.

use std::process::{Command, Stdio};

use crate::support::*;

const CHROOT: &str = "/usr/sbin/chroot";

/// The program as an unprivileged user in a root folder that holds it and the CA's certificate
/// alone, behind these words; `None`, with a word on it, where this user may not do that.
fn in_empty_root(server: &Ably, wrapper: &[&str]) -> Option<(Folder, Program)> {
    let root = Folder::new();
    std::fs::copy(binary(), root.file("ably")).unwrap();
    std::fs::copy(server.ca_file(), root.file("ca.pem")).unwrap();
    let mut words = [wrapper, &[CHROOT, "--userspec=61234:61234"]].concat().into_iter();
    let program = Program::at(words.next().unwrap()).args(words).arg(root.path()).arg("/ably");
    let may = Command::new(CHROOT).args(["--userspec=61234:61234", "/", "/bin/true"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: chroot is not allowed here");
        return None;
    }
    let program = program.args(["auth", "revoke-token", "--client-id", "alice", "--force"]);
    Some((root, program.args(["--ca-file", "/ca.pem"]).env_remove("HOME").keyed()))
}

#[test]
fn an_empty_root_without_home_and_rights_is_enough() {
    let server = Ably::start();
    let Some((_root, program)) = in_empty_root(&server, &[]) else {
        server.expect_nothing();
        return;
    };
    program.args(["--endpoint", &server.endpoint()]).run().exits(0);
}

#[test]
fn the_binary_is_static() {
    let bytes = std::fs::read(binary()).unwrap();
    // An ELF program header of type PT_INTERP names the loader that a dynamic binary needs.
    assert_eq!(&bytes[..4], b"\x7fELF");
    let word = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (table, size, count) = (word(32, 8), word(54, 2), word(56, 2));
    assert!((0..count).all(|n| word(table + n * size, 4) != 3), "it asks for a loader");
}

#[test]
fn a_read_only_folder_and_no_home_change_nothing() {
    let server = Ably::start();
    revoke_alice().against(&server).env_remove("HOME").cwd("/proc").run().exits(0);
}

/// The same without a second thread; `None` where that cannot be had.
fn without_threads(server: &Ably) -> Option<(Folder, Program)> {
    let limit = ["/usr/bin/prlimit", "--nproc=1"];
    let found = in_empty_root(server, &limit)?;
    // A shell under the same limit must be unable to fork, or this shows nothing.
    let forks = Command::new(limit[0])
        .args([limit[1], CHROOT, "--userspec=61234:61234", "/", "/bin/sh", "-c"])
        .arg("(true); echo forked")
        .stderr(Stdio::null())
        .output();
    if !forks.is_ok_and(|output| !output.status.success() && output.stdout.is_empty()) {
        eprintln!("skipped: prlimit does not keep a process from forking here");
        return None;
    }
    Some(found)
}

#[test]
fn a_process_that_may_create_no_thread_works_all_the_same() {
    let server = Ably::start();
    let Some((_root, program)) = without_threads(&server) else {
        server.expect_nothing();
        return;
    };
    program.args(["--endpoint", &server.endpoint()]).run().exits(0);
    // As many connections as there are threads for.
    let (_root, program) = without_threads(&server).unwrap();
    let more: Vec<String> = (0..250).map(|n| format!("--client-id=user{n}")).collect();
    let program = program.args(["--endpoint", &server.endpoint(), "--parallel", "8"]);
    let before = server.connections();
    program.args(more).run().exits(0).says("251 targets: 251 revoked, in 3 requests");
    assert_eq!(server.connections(), before + 1);
    let (_root, program) = without_threads(&server).unwrap();
    let run = program.args(["--endpoint", "nowhere.invalid", "--timeout", "1"]).run();
    run.exits(1).says("the host name nowhere.invalid").never_says("panicked");
}
