//! What an option may name: pipes where they are meant, no devices, no more than memory holds.

use std::process::Command;

use crate::support::{Ably, Folder, KEY, Program, ably};

const OPTIONS: [&str; 4] = ["--targets-file", "--api-key-file", "--from-token", "--ca-file"];

/// What keeps the command whole beside the option.
fn complete(program: Program, option: &str) -> Program {
    let program = match option {
        "--api-key-file" => program,
        _ => program.env("ABLY_API_KEY", KEY),
    };
    match option {
        "--targets-file" | "--from-token" => program,
        _ => program.args(["--client-id", "alice"]),
    }
}

#[test]
fn a_pipe_or_device_by_name_is_exit_2_and_never_waited_for() {
    let server = Ably::start();
    server.expect_nothing();
    let folder = Folder::new();
    let pipe = folder.file("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let rows = [
        (pipe.as_path(), "it is not a regular file"),
        ("/dev/zero".as_ref(), "it is not a regular file"),
        (folder.path(), "it is a folder"),
    ];
    for (path, told) in rows {
        for option in OPTIONS {
            let program =
                complete(ably(["auth", "revoke-token", "--force", option]).arg(path), option);
            program.run().exits(2).says(option).says(told);
        }
        ably(["auth", "revoke-token", "--force", "--client-id", "alice"])
            .env("ABLY_API_KEY", KEY)
            .env("SSL_CERT_FILE", path)
            .run()
            .exits(2)
            .says("SSL_CERT_FILE")
            .says(told);
    }
}

#[test]
fn a_stream_that_is_open_already_is_read_to_its_end() {
    let server = Ably::start();
    let binary = std::env::var_os("ABLY_BIN").unwrap_or(env!("CARGO_BIN_EXE_ably").into());
    // The writer is late, so that a reader who does not wait finds nothing.
    let script = "exec \"$0\" auth revoke-token --force --targets-file <(sleep 0.2; echo clientId:alice) \
        --ca-file <(cat \"$1\") --api-key-file /dev/stdin --endpoint \"$2\"";
    Program::at("/bin/bash")
        .args(["-c", script])
        .arg(std::path::absolute(binary).unwrap())
        .arg(server.ca_file())
        .arg(server.endpoint())
        .stdin(KEY)
        .run()
        .exits(0);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn too_little_memory_is_exit_2_wherever_it_ends() {
    let folder = Folder::new();
    let lines: String = (0..400_000).map(|n| format!("clientId:user{n}\n")).collect();
    let file = folder.write("targets", lines);
    let binary = std::env::var_os("ABLY_BIN").unwrap_or(env!("CARGO_BIN_EXE_ably").into());
    // In turn too little for the text, the ends of its lines, the search for repetition, the run.
    let mut codes = Vec::new();
    for half_mebibytes in 18..52 {
        let run = Program::at("/usr/bin/prlimit")
            .arg(format!("--as={}", half_mebibytes << 19))
            .arg(std::path::absolute(&binary).unwrap())
            .args(["auth", "revoke-token", "--dry-run", "--targets-file"])
            .arg(&file)
            .env("ABLY_API_KEY", KEY)
            .run();
        if run.code != Some(0) {
            run.exits(2).says("out of memory").says("targets");
        }
        codes.push(run.code);
    }
    assert!(codes.first() == Some(&Some(2)) && codes.last() == Some(&Some(0)), "{codes:?}");
}
