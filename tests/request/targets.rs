//! What is to be revoked, as options, a file or standard input give it.

use crate::support::*;

#[test]
fn standard_input_has_one_use() {
    let server = Ably::unreached();
    let base = ["auth", "revoke-token", "--targets-file", "-"];
    let run = ably(base).against(&server).stdin("clientId:a\n").run();
    run.exits(2).says("--targets-file").says("--force");
    let program = ably(base).args(["--force", "--api-key-file", "-"]).towards(&server);
    program.stdin("clientId:a\n").run().exits(2).says("--targets-file").says("--api-key-file");
    let run = ably(base).arg("--force").against(&server).run();
    run.exits(2).says("standard input holds no target");
}

/// The forms are in the unit tests of `targets`.
#[test]
fn bad_lines_are_told_by_number_and_nothing_is_sent() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    let lines = format!("clientId:fine\nclientId:\n{}", "user:x\n".repeat(12));
    let file = folder.write("targets.txt", lines);
    let program = || from_file(&server, &file).arg("--unrevoked-to").arg(folder.file(LEFT));
    let run = program().run();
    run.exits(2).says("targets.txt has 13 bad lines: line 2: empty value; line 3, line 4, ");
    run.says("line 11: unknown type 'user'; ")
        .says("and 3 more bad lines")
        .never_says("line 12")
        .prints_nothing();
    let run = program().arg("--json").run();
    assert_eq!(text(&run.exits(2).record("error"), "outcome"), "not-sent");
    folder.write("targets.txt", "\n# nothing\n\n");
    program().run().exits(2).says("holds no target");
    assert_eq!(folder.names(), ["targets.txt"]);
}

#[test]
fn options_go_beyond_a_hundred_too() {
    let server = Ably::start();
    for (option, kind) in [
        ("--client-id", "clientId"),
        ("--revocation-key", "revocationKey"),
        ("--channel", "channel"),
    ] {
        let before = received(&server).len();
        let values = (0..250).map(|n| format!("v{}", n % 240));
        let arguments = values.flat_map(|value| [option.to_owned(), value]);
        let run = forced().args(arguments).against(&server).run();
        run.exits(0).says("240 targets: 240 revoked, in 3 requests");
        let expected: Vec<String> = (0..240).map(|n| format!("{kind}:v{n}")).collect();
        assert_eq!(received(&server)[before..], expected);
    }
}

/// Ably cannot tell that such a value names nobody, and confirms it.
#[test]
#[rustfmt::skip] // a table: one row a line
fn a_value_that_names_nobody_is_quoted_and_warned_of_with_the_cause() {
    let server = Ably::start();
    let rows = [
        ("alice ", r#"client ID "alice ""#, "white space"),
        ("\"alice\"", r#"client ID "\"alice\"""#, "quotation marks"),
        ("'alice'", r#"client ID "'alice'""#, "quotation marks"),
        ("clientId:alice", r#"client ID "clientId:alice""#, "target type"),
        ("alice,clientId:bob", r#"client ID "alice,clientId:bob""#, "another target after a comma"),
        ("a,b,c", r#"client ID "a,b,c""#, "comma"),
    ];
    each(&rows, |(id, quoted, cause)| {
        let id = format!("--client-id={id}");
        let revoke = |more: &[&str]| command().arg(&id).args(more).against(&server).run();
        revoke(&[]).exits(4).says("warning: ").says(quoted).says(cause);
        revoke(&["--force"]).exits(0).says("warning: ").says(quoted).says(cause);
        revoke(&["--dry-run"]).exits(0).says("warning: ").says(quoted).says(cause);
        let warning = revoke(&["--force", "--json"]).exits(0).record("warning");
        assert!(text(&warning, "message").contains(cause), "{cause}");
    });
    let folder = Folder::new();
    let cells: String = (0..3000).map(|n| format!("clientId:\"user{n}\"\n")).collect();
    let file = folder.write("targets", format!("clientId:a,b\nclientId:name \n{cells}"));
    let run = from_file(&server, &file).run();
    run.exits(0).says("3000 targets in quotation marks").says("(the first: client ID \"\\\"user0");
    run.says("1 target with white space at an end (client ID \"name \", line 2)").says(", line 3)");
    run.never_says("with a comma");
}

/// A file with other line ends would be one target that names nobody.
#[test]
#[rustfmt::skip] // a table: one row a line
fn a_line_that_holds_what_no_client_id_does_is_bad() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    for (text, told) in [
        ("clientId:a\rclientId:b\rclientId:c\r", "line 1: a carriage return"),
        ("clientId:a\n# note\rclientId:b\n", "line 2: a carriage return"),
        ("clientId:a\0clientId:b\n", "line 1: the control character U+0000"),
        ("clientId:a\nclientId:b\u{85}clientId:c\n", "line 2: the control character U+0085"),
        ("clientId:a\u{2028}clientId:b", "U+2028"),
        ("clientId:a\u{2029}clientId:b", "U+2029"),
    ] {
        let file = folder.write("targets", text);
        from_file(&server, &file).run().exits(2).says(told).prints_nothing();
    }
    // What a list of IDs wants to become a targets file.
    let file = folder.write("targets", "\"alice\"\n\"bob\"\n");
    from_file(&server, &file).run().exits(2).says("sed").says("without header and quotes");
}

#[test]
fn values_arrive_as_they_were_typed() {
    let server = Ably::start();
    let values = [" a b ", "ü\u{1F600}", "a:b:c", "\"q\"\\", "\u{1b}[1m", "x\ny", "-x", "#1"];
    let arguments = values.iter().map(|value| format!("--client-id={value}"));
    forced().args(arguments).against(&server).run().exits(0);
    let expected: Vec<String> = values.iter().map(|value| format!("clientId:{value}")).collect();
    assert_eq!(server.revocation_requests()[0].targets(), expected);
}

#[test]
fn a_key_pasted_as_a_target_is_neither_sent_nor_shown() {
    let server = Ably::unreached();
    let folder = Folder::new();
    let file = |line: &str| folder.write("targets", format!("clientId:alice\n{line}\n"));
    for typed in [KEY, SECRET, &format!(" {KEY}"), &format!("x{SECRET}x")] {
        let file = file(&format!("clientId:{typed}"));
        let file = file.to_str().unwrap();
        for source in [["--client-id", typed], ["--channel", typed], ["--targets-file", file]] {
            for extra in ["--force", "--dry-run"] {
                let run = command().args([extra]).args(source).against(&server).run();
                run.exits(2).says("API key").says("--api-key-file").hides(SECRET);
            }
        }
    }
    // One that is found later is checked then.
    let config = format!(
        "[current]\naccount = 'a'\n[accounts.a]\ncurrentAppId = 'APP1'\n[accounts.a.apps.APP1]\napiKey = '{KEY}'\n"
    );
    folder.write("config", config);
    let program = command().args(["--client-id", SECRET, "--force"]).towards(&server);
    let run = program.env("ABLY_CLI_CONFIG_DIR", folder.path()).run();
    run.exits(2).says("a target is the API key or its secret").hides(SECRET);
}
