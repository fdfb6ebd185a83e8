//! The command that goes on, run as it is printed.

use std::path::Path;

use crate::support::*;

/// The command that the report ends with, its lines joined.
#[track_caller]
fn told(run: &Run) -> String {
    let next = run.stderr.split("next: ").nth(1);
    let next = next.unwrap_or_else(|| panic!("no next step\n{run}"));
    let (_, command) = next.split_once('\n').unwrap();
    run.check(command.trim_start().starts_with("ably auth revoke-token "), "a command is last");
    command.trim().to_owned()
}

/// Runs a command line as somebody would who pastes it, in the folder where it was printed.
fn pasted(line: &str, shell: &str, folder: &Path) -> Program {
    let line = format!("ably() {{ \"$BINARY\" \"$@\"; }}; {line}");
    let program = Program::at(shell).args(["-c", &line]).cwd(folder);
    program.env("BINARY", binary())
}

/// A stand-in that refuses alice; with her the run leaves one target over.
fn refusing() -> Ably {
    let server = Ably::start();
    server.refuse("clientId:alice", 40101, 400, "not now");
    server
}

/// When it is run, the same age would count back from a later time.
#[test]
fn an_age_becomes_the_time_that_it_meant() {
    let (server, folder) = (refusing(), Folder::new());
    let program = revoke_alice().args(["--client-id", "bob", "--issued-before", "10m"]);
    let program = program.arg("--unrevoked-to").arg(folder.file("left"));
    let line = told(program.against(&server).run().exits(3));
    assert!(line.contains("--issued-before 20") && !line.contains("10m"), "{line}");
}

#[test]
fn values_are_as_they_were_given() {
    let server = refusing();
    let folder = Folder::new();
    folder.write("app.key:1", KEY);
    folder.write("prod.ably:v2.pem", std::fs::read(server.ca_file()).unwrap());
    let (address, endpoint) = (server.address().to_string(), server.endpoint());
    let rows: &[&[&str]] = &[
        &["--connect-to", &address, "--endpoint", "main.realtime.ably.net:8443"],
        &["--record", "r.jsonl", "--reason", "INC.42:leak"],
        &["--record", "r.jsonl", "--reason=--force"],
        &["--record", "r.jsonl", "--reason", "two\nlines, 'quoted' $HOME `x` 100% \\n \u{202e}é"],
        &["--record", "my record", "--reason", "it's so; it's \"so\""],
        &["--unrevoked-to", "-left", "--timeout", "9", "--parallel", "2", "--allow-reauth-margin"],
    ];
    for row in rows {
        server.refuse("clientId:alice", 40101, 400, "not now");
        let mut options = vec!["--client-id=alice", "--client-id=bob", "--force"];
        options.extend(["--api-key-file", "app.key:1", "--ca-file", "prod.ably:v2.pem"]);
        if !row.contains(&"--endpoint") {
            options.extend(["--endpoint", &endpoint]);
        }
        if !row.contains(&"--unrevoked-to") {
            options.extend(["--unrevoked-to", "left"]);
        }
        let row = row.iter().map(|value| match value.strip_prefix("-left") {
            Some("") => "--unrevoked-to=-left",
            _ => *value,
        });
        options.extend(row.filter(|value| *value != "--unrevoked-to"));
        let run = command().args(&options).cwd(folder.path()).run();
        let line = told(run.exits(3));
        server.allow("clientId:alice");
        let before = server.revoked().len();
        for shell in ["/bin/sh", "/bin/bash"] {
            pasted(&line, shell, folder.path()).run().exits(0);
        }
        assert_eq!(server.revoked()[before..].len(), 2, "alice, once by each shell\n{line}");
        let hosts: Vec<String> =
            server.requests().iter().map(|seen| seen.host().to_owned()).collect();
        assert_eq!(hosts.last(), hosts.get(hosts.len() - 3), "the same host");
    }
    let reasons: Vec<String> = lines(&folder.file("r.jsonl"))
        .iter()
        .filter(|record| text(record, "type") == "run")
        .map(|record| text(record, "reason").to_owned())
        .collect();
    for three in reasons.chunks(3) {
        assert!(three.iter().all(|reason| *reason == three[0]), "{reasons:?}");
    }
    assert_eq!(reasons.len(), 9);
}

/// The left-over file does not know which key a target needs.
#[test]
fn after_leaked_tokens_it_is_the_same_command() {
    let server = refusing();
    let folder = Folder::new();
    let other = jwt(r#"{"kid":"APP2.key1"}"#, &payload(r#","x-ably-clientId":"erin""#));
    folder.write("log", format!("{}\n{other}\n", for_alice()));
    let base = || {
        let program = command().args(["--from-token", "log", "--force", "--unrevoked-to", "left"]);
        program.against(&server).cwd(folder.path())
    };
    let run = base().run();
    let line = told(run.exits(1));
    assert!(line.contains("--from-token log") && !line.contains("--targets-file"), "{line}");
    server.allow("clientId:alice");
    let again = pasted(&line, "/bin/sh", folder.path()).keyed().run();
    // The other token lives: its key is not at hand, and no command can revoke it.
    again.exits(3).never_says("next: ").says("APP2.key1");
    let of = |key: &str| server.revoked().iter().filter(|one| one.key == key).count();
    assert_eq!((of("APP1.key1"), of("APP2.key1")), (1, 0));
}

#[test]
fn where_nothing_can_be_revoked_by_a_command_none_is_told() {
    let server = Ably::start();
    let folder = Folder::new();
    folder.write("log", format!("{}\n{}\n", for_alice(), with("")));
    let program = command().args(["--from-token", "log", "--force", "--unrevoked-to", "left"]);
    let run = program.against(&server).cwd(folder.path()).run();
    run.exits(3).never_says("next: ").never_says("0 targets");
}

#[test]
fn several_keys_stay_several() {
    let server = refusing();
    server.add_key(OTHER_KEY);
    let folder = Folder::new();
    folder.write("keys", format!("{KEY}\n{OTHER_KEY}\n"));
    let options = ["--all-keys", "--api-key-file", "keys", "--client-id", "alice", "--force"];
    let program = command().args(options).args(["--unrevoked-to", "left"]);
    let line = told(program.towards(&server).cwd(folder.path()).run().exits(1));
    server.allow("clientId:alice");
    pasted(&line, "/bin/sh", folder.path()).run().exits(0).says("with 2 keys");
}

#[test]
fn what_came_from_a_stream_is_to_be_given_again() {
    let server = refusing();
    let folder = Folder::new();
    let base = || command().args(["--force", "--unrevoked-to", "left"]).cwd(folder.path());
    let from_stdin = base().args(["--client-id", "alice", "--api-key-file", "-"]);
    let run = from_stdin.towards(&server).stdin(KEY).run();
    run.exits(1).says("--api-key-file given again");
    let leak = base().args(["--from-token", "-"]).against(&server).stdin(for_alice()).run();
    leak.exits(1).says("--from-token given again");
    let as_option = base().args(["--client-id", "alice", "--api-key", KEY]).towards(&server).run();
    let line = told(as_option.exits(1).says("the API key given again").hides_the_key());
    assert!(!line.contains("--api-key"), "{line}");
}
