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

/// Some programs leave the standard input that they share in this mode. Its data is late, so that a
/// reader who does not wait finds nothing; its mode belongs to the others, too.
#[test]
fn standard_input_that_does_not_block_is_waited_for_and_left_as_it_is() {
    const NOT_BLOCKING: &str = "use Fcntl; \
        fcntl(STDIN, F_SETFL, O_NONBLOCK | fcntl(STDIN, F_GETFL, 0)); \
        system(@ARGV); \
        exit(fcntl(STDIN, F_GETFL, 0) & O_NONBLOCK ? $? >> 8 : 99);";
    const LATE: &str = r#"(printf %s "$0"; sleep 0.2; echo "$1") | "${@:2}""#;
    let token = for_alice();
    let (start, end) = token.split_at(token.len() / 2);
    for (option, start, end) in [
        ("--targets-file", "client", "Id:alice"),
        ("--from-token", start, end),
        ("--api-key-file", "APP1.key1:", SECRET),
    ] {
        let Some(perl) = installed("/usr/bin/perl") else { return };
        let server = Ably::start();
        let program = complete(forced().args([option, "-"]).towards(&server), option);
        let reader = perl.args(["-e", NOT_BLOCKING]).wrapping(program);
        let program = Program::at("/bin/bash").args(["-c", LATE, start, end]).wrapping(reader);
        let program = if option == "--api-key-file" { program } else { program.keyed() };
        program.run().exits(0);
        assert_eq!(server.revoked()[0].target, "clientId:alice", "{option}");
    }
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
