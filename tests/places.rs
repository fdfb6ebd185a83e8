//! Where the program must run: as a copied file, with nothing beside it.

use std::process::Command;

use crate::support::{Ably, Folder, KEY, Program, ably};

const CHROOT: &str = "/usr/sbin/chroot";

/// The program as an unprivileged user in a root folder that holds it and the CA's certificate
/// alone; `None` where this user may not do that.
fn in_empty_root(server: &Ably) -> Option<(Folder, Program)> {
    let root = Folder::new();
    let binary = std::env::var_os("ABLY_BIN").unwrap_or(env!("CARGO_BIN_EXE_ably").into());
    std::fs::copy(binary, root.file("ably")).unwrap();
    std::fs::copy(server.ca_file(), root.file("ca.pem")).unwrap();
    let may = Command::new(CHROOT)
        .args(["--userspec=65534:65534"])
        .arg(root.path())
        .args(["/ably", "-V"])
        .output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: chroot is not allowed here");
        return None;
    }
    let program = Program::at(CHROOT)
        .arg("--userspec=65534:65534")
        .arg(root.path())
        .arg("/ably")
        .env_remove("HOME")
        .env("ABLY_API_KEY", KEY);
    Some((root, program))
}

#[test]
fn an_empty_root_without_home_and_rights_is_enough() {
    let server = Ably::start();
    let Some((_root, program)) = in_empty_root(&server) else {
        server.expect_nothing();
        return;
    };
    program
        .args(["auth", "revoke-token", "--client-id", "alice", "--force"])
        .args(["--endpoint", &server.endpoint(), "--ca-file", "/ca.pem"])
        .run()
        .exits(0);
}

#[test]
fn the_binary_is_static() {
    let binary = std::env::var_os("ABLY_BIN").unwrap_or(env!("CARGO_BIN_EXE_ably").into());
    let bytes = std::fs::read(binary).unwrap();
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
    ably(["auth", "revoke-token", "--client-id", "alice", "--force"])
        .against(&server)
        .env_remove("HOME")
        .cwd("/proc")
        .run()
        .exits(0);
}
