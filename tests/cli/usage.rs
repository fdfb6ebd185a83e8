//! Help, version, bad input.

use crate::support::*;

#[test]
fn help_is_on_stdout_whatever_the_environment() {
    let forms: [&[&str]; 3] =
        [&[], &["auth:revoke-token", "-h"], &["help", "auth", "revoke-token"]];
    for form in forms {
        let program = ably(form).env_remove("HOME").env("HTTPS_PROXY", "::broken::");
        let program = program.env("SSL_CERT_FILE", "/absent").env("ABLY_ENDPOINT", "https://");
        program.run().exits(0).prints("Usage: ably auth revoke-token").says_nothing();
    }
}

#[test]
fn help_tells_every_exit_code() {
    let run = ably(["auth", "revoke-token", "--help"]).run();
    let (_, codes) = run.stdout.split_once("\nExit codes:\n").unwrap();
    let codes = codes.lines().map_while(|line| line.split_whitespace().next());
    let codes: Vec<&str> = codes.collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "129", "130", "143"], "{run}");
}

#[test]
fn the_version_names_program_target_release_and_roots() {
    let version = env!("CARGO_PKG_VERSION");
    let record = ably(["--version", "--json"]).run().exits(0).json().remove(0);
    let told = |field| text(&record, field).to_owned();
    assert_eq!([told("name"), told("version")], ["ably-revoke-token", version]);
    assert!(told("target").contains("-unknown-linux-"), "{}", told("target"));
    let head = format!("ably-revoke-token {version} ({})\n", told("target"));
    for form in ["--version", "-V", "version"] {
        let run = ably([form]).run();
        assert!(run.exits(0).stdout.starts_with(&head), "{run}");
        run.prints(&format!("released {}, git tag v{version}\n", told("released")));
        run.prints(&format!("Mozilla's as of {} ({})", told("roots"), told("rootsSource")));
    }
    let pretty = ably(["version", "--pretty-json"]).run();
    assert_eq!(text(&pretty.exits(0).pretty_json()[0], "roots"), told("roots"));
    // When the crate changes, the day of its list does.
    let source = told("rootsSource");
    let (name, version) = source.split_once(' ').unwrap();
    let locked = format!("name = \"{name}\"\nversion = \"{version}\"\n");
    assert!(include_str!("../../Cargo.lock").contains(&locked), "{locked}");
}

#[test]
fn bad_input_is_exit_2_and_nothing_is_sent() {
    #[rustfmt::skip] // a table: one row a line
    let cases: [(&[&str], &str); 25] = [
        (&[], "no target"),
        (&["--client-id", "a", "--revocation-key", "b"], "--client-id and --revocation-key cannot be used together"),
        (&["--channel", "a", "--client-id", "b"], "cannot be used together"),
        (&["--client-id", ""], "--client-id is given an empty value"),
        (&["--revocation-key="], "--revocation-key is given an empty value"),
        (&["--client-id", "*"], "Ably forbids"),
        (&["--client-id"], "--client-id needs a value"),
        (&["--client-id", "--force"], "--client-id needs a value"),
        (&["--client-id", "a", "extra"], "unexpected argument"),
        (&["--client-id", "a", "--", "extra"], "unexpected argument"),
        (&["--client-id", "a", "--bogus"], "unknown option --bogus"),
        (&["--client-id", "a", "-x"], "unknown option -x"),
        (&["--client-id", "a", "--force=yes"], "--force takes no value"),
        (&["--client-id", "a", "--api-key-file", "-"], "--api-key-file reads standard input"),
        (&["--client-id", "a", "--app", "x", "--app", "x"], "--app is given twice"),
        (&["--client-id", "a", "--app="], "--app is empty"),
        (&["--client-id", "a", "--timeout", "0"], "invalid --timeout"),
        (&["--client-id", "a", "--timeout", "soon"], "invalid --timeout"),
        (&["--client-id", "a", "--reason", "why"], "--reason requires --record"),
        (&["--client-id", "a", "--record", "/dev/null", "--reason", ""], "--reason is empty"),
        (&["--client-id", "a", "--record="], "--record is empty"),
        (&["--client-id", "a", "--issued-before", "2h"], "more than an hour ago"),
        (&["--client-id", "a", "--issued-before", "1795428000"], "not a Unix time in milliseconds"),
        (&["--client-id", "a", "--issued-before", "yesterday"], "neither a time nor an age"),
        (&["--client-id", "a", "--api-key", "A.b:c", "--api-key-file", "f"], "cannot be used together"),
    ];
    let server = Ably::unreached();
    for (arguments, told) in cases {
        command().args(arguments).against(&server).run().exits(2).says(told);
        let run = command().args(["--json"]).args(arguments).against(&server).run();
        run.exits(2);
        assert_eq!(run.stderr, "", "{arguments:?}");
        let records = run.json();
        let last = records.last().unwrap();
        assert_eq!(text(last, "type"), "status", "{arguments:?}");
        assert_eq!(number(last, "exitCode"), 2, "{arguments:?}");
        assert_eq!(text(&records[0], "type"), "error", "{arguments:?}");
    }
}

/// The forms are in the unit tests of `parse` and `suggest`.
#[test]
fn a_slip_is_answered_with_what_was_meant() {
    let slip = command().args(["--clinet-id", "a"]).run();
    slip.exits(2).says("unknown option --clinet-id\n  did you mean --client-id?");
    for (slip, meant) in [
        ("--proxy=http://u:s3cr3t-marker-9f2c@proxy", "HTTPS_PROXY"),
        ("--https-proxy", "HTTPS_PROXY"),
        ("--socks5=127.0.0.1:1080", "ALL_PROXY"),
        ("--socks5-hostname", "ALL_PROXY"),
        ("--output=json", "--json"),
        ("--output", "--json"),
        ("-o", "--json"),
        ("-ojson", "--json"),
        ("--format", "--json"),
    ] {
        command().args([slip, "json"]).run().exits(2).says(meant).hides_the_key();
    }
    let slip = command().args(["--json", "--forse"]).run();
    assert!(
        text(&slip.exits(2).record("error"), "error.hint").starts_with("did you mean --force?")
    );
    ably(["auth", "revoke-tokens"]).run().exits(2).says("did you mean ably auth revoke-token?");
    let key = command().args([&format!("--api-kye={KEY}"), "--client-id", "a"]).run();
    key.exits(2).says("unknown option --api-kye\n  did you mean --api-key?").hides_the_key();
    command().arg(format!("--{KEY}")).run().exits(2).never_says("did you mean").hides_the_key();
    for typed in ["-7", "--9f2c", "-.", "--api-key9", "--api-key:9f", "--api-key.9f"] {
        let run = command().args(["--client-id", "a", typed]).run();
        run.exits(2).says("unknown option");
        for part in ["7", "9", "api-key:", "api-key.", " -.", "2c"] {
            run.never_says(part);
        }
    }
}

#[test]
fn another_command_of_the_full_cli_is_refused() {
    for words in [vec!["apps", "list"], vec!["auth", "keys"], vec!["help", "apps"]] {
        ably(words).run().exits(2).says("this program has auth revoke-token alone");
    }
    ably(["--force"]).run().exits(2).says("the command is missing");
}

#[test]
fn a_value_that_is_not_utf8_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let run = command().args(["--client-id"]).arg(std::ffi::OsStr::from_bytes(b"a\xff")).run();
    run.exits(2).says("--client-id is not UTF-8");
}

#[test]
fn a_ca_file_must_hold_a_certificate() {
    let folder = Folder::new();
    let empty = folder.write("empty.pem", "");
    let garbage = folder
        .write("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let run = |path: &std::path::Path| {
        command().args(["--client-id", "a", "--force", "--ca-file"]).arg(path).keyed().run()
    };
    run(&empty).exits(2).says("--ca-file").says("holds no usable certificate");
    run(&garbage).exits(2).says("holds no usable certificate");
    let program = revoke_alice().keyed().env("SSL_CERT_FILE", &empty);
    program.run().exits(2).says("SSL_CERT_FILE").says("holds no usable certificate");
}

#[test]
fn json_excludes_pretty_json_and_needs_force() {
    let server = Ably::unreached();
    for (arguments, told) in [
        (vec!["--json", "--pretty-json", "--force"], "cannot be used together"),
        (vec!["--json"], "no way to ask"),
        (vec!["--pretty-json"], "no way to ask"),
    ] {
        let program = command().args(["--client-id", "a"]).args(arguments).against(&server);
        program.stdin("y\n").run().exits(2).says_nothing().prints(told);
    }
}
