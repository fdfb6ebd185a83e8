//! What other processes of the same user may read of a run: nothing.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use crate::support::*;

/// Runs as a user without rights: root may read everything.
fn as_nobody(program: Program) -> Program {
    match fs::metadata("/proc/self").unwrap().uid() {
        0 => {
            let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
            Program::at("/usr/bin/setpriv").args(nobody).wrapping(program)
        }
        _ => program,
    }
}

#[test]
fn no_core_is_written_and_the_environment_with_the_key_is_closed() {
    let folder = Folder::new();
    // In a place that anybody may enter.
    let copy = folder.file("ably");
    fs::copy(binary(), &copy).unwrap();
    let program = Program::at(&copy).args(["auth", "revoke-token", "--targets-file", "-"]);
    let running = as_nobody(program.arg("--force")).keyed().stdin_open().spawn();
    let limits = format!("/proc/{}/limits", running.pid());
    let is_closed = || {
        let limits = fs::read_to_string(&limits).unwrap_or_default();
        let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
        core.is_some_and(|core| core.split_whitespace().take(2).eq(["0", "0"]))
    };
    let end = Instant::now() + Duration::from_secs(20);
    while !is_closed() && Instant::now() < end {
        std::thread::yield_now();
    }
    assert!(is_closed(), "a core file may be written");
    // The limit is the first of the two that are set.
    let environ = format!("/proc/{}/environ", running.pid());
    let read = || as_nobody(Program::at("/bin/cat")).arg(&environ).run();
    let mut last = read();
    while last.code == Some(0) && Instant::now() < end {
        last = read();
    }
    last.exits(1).prints_nothing();
}

/// `/dev/stdin` and `<(…)` lead through `/proc`, which is closed to others alone.
#[test]
fn its_own_streams_stay_open() {
    let folder = Folder::new();
    let copy = folder.file("ably");
    fs::copy(binary(), &copy).unwrap();
    // The pipe is made by the user who reads it.
    for line in [
        r#"echo clientId:alice | "$0" "$@" /dev/stdin"#,
        r#"echo clientId:alice | "$0" "$@" /proc/self/fd/0"#,
        r#""$0" "$@" <(echo clientId:alice)"#,
    ] {
        let server = Ably::start();
        let ca = folder.write("ca.pem", fs::read(server.ca_file()).unwrap());
        let shell = as_nobody(Program::at("/bin/bash").args(["-c", line]).arg(&copy));
        let program = shell.args(["auth", "revoke-token", "--force", "--ca-file"]).arg(ca);
        let program = program.arg("--endpoint").arg(server.endpoint()).arg("--targets-file");
        program.keyed().run().exits(0);
    }
}
