//! What an option may name: pipes where they are meant, no devices, no more than memory holds.

use crate::support::*;

const OPTIONS: [&str; 4] = ["--targets-file", "--api-key-file", "--from-token", "--ca-file"];

/// What keeps the command whole beside the option.
fn complete(program: Program, option: &str) -> Program {
    let program = match option {
        "--api-key-file" => program,
        _ => program.keyed(),
    };
    match option {
        "--targets-file" | "--from-token" => program,
        _ => program.args(["--client-id", "alice"]),
    }
}

#[test]
fn what_is_no_file_is_exit_2_and_never_waited_for() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let pipe = folder.file("pipe");
    make_fifo(&pipe);
    for (path, told) in [
        (pipe.as_path(), "it is not a regular file"),
        ("/dev/zero".as_ref(), "it is not a regular file"),
        (folder.path(), "it is a folder"),
        (&folder.file("absent"), "no such file"),
        ("".as_ref(), ""),
    ] {
        for option in OPTIONS {
            let program = complete(forced().arg(option).arg(path), option);
            program.env("ABLY_ENDPOINT", server.endpoint()).run().exits(2).says(option).says(told);
        }
        if !told.is_empty() {
            let program = revoke_alice().keyed().env("ABLY_ENDPOINT", server.endpoint());
            program.env("SSL_CERT_FILE", path).run().exits(2).says("SSL_CERT_FILE").says(told);
        }
    }
}

#[test]
fn a_stream_that_is_open_already_is_read_to_its_end() {
    let server = Ably::start();
    // The writer is late, so that a reader who does not wait finds nothing.
    let script = "exec \"$0\" auth revoke-token --force --targets-file <(sleep 0.2; echo clientId:alice) \
        --ca-file <(cat \"$1\") --api-key-file /dev/stdin --endpoint \"$2\"";
    let program = Program::at("/bin/bash").args(["-c", script]).arg(binary()).arg(server.ca_file());
    program.arg(server.endpoint()).stdin(KEY).run().exits(0);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn too_little_memory_is_exit_2_wherever_it_ends() {
    let folder = Folder::new();
    let lines: String = (0..400_000).map(|n| format!("clientId:user{n}\n")).collect();
    let file = folder.write("targets", lines);
    // In turn too little for the text, the ends of its lines, the search for repetition, the run.
    let mut codes = Vec::new();
    for half_mebibytes in 18..52 {
        let run = Program::at("/usr/bin/prlimit")
            .arg(format!("--as={}", half_mebibytes << 19))
            .wrapping(command().args(["--dry-run", "--targets-file"]).arg(&file))
            .keyed()
            .run();
        if run.code != Some(0) {
            run.exits(2).says("out of memory").says("targets");
        }
        codes.push(run.code);
    }
    assert!(codes.first() == Some(&Some(2)) && codes.last() == Some(&Some(0)), "{codes:?}");
}
