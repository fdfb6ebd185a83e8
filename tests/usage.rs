//! Help, version and bad input.

use crate::support::{Ably, ably, number, text};

#[test]
fn help_is_on_stdout_whatever_the_environment() {
    let forms: [&[&str]; 9] = [
        &[],
        &["auth"],
        &["--help"],
        &["-h"],
        &["auth", "-h"],
        &["auth", "revoke-token", "--help"],
        &["auth:revoke-token", "-h"],
        &["help"],
        &["help", "auth", "revoke-token"],
    ];
    for form in forms {
        let run = ably(form)
            .env_remove("HOME")
            .env("HTTPS_PROXY", "::broken::")
            .env("SSL_CERT_FILE", "/does/not/exist")
            .env("ABLY_ENDPOINT", "https://")
            .run();
        run.exits(0);
        assert!(run.stdout.contains("Usage: ably auth revoke-token"), "{form:?}");
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn the_version_names_program_and_target() {
    for form in [vec!["--version"], vec!["-V"], vec!["version"]] {
        let run = ably(form).run();
        run.exits(0);
        let version = format!("ably-revoke-token {} (", env!("CARGO_PKG_VERSION"));
        assert!(run.stdout.starts_with(&version), "{}", run.stdout);
        assert!(run.stdout.trim_end().ends_with("-unknown-linux-musl)"), "{}", run.stdout);
    }
}

#[test]
fn bad_input_is_exit_2_and_nothing_is_sent() {
    let cases: [(&[&str], &str); 22] = [
        (&[], "no target"),
        (
            &["--client-id", "a", "--revocation-key", "b"],
            "--client-id and --revocation-key cannot be used together",
        ),
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
        (&["--client-id", "a", "--issued-before", "2h"], "more than an hour ago"),
        (&["--client-id", "a", "--issued-before", "1795428000"], "not a Unix time in milliseconds"),
        (&["--client-id", "a", "--issued-before", "yesterday"], "neither a time nor an age"),
        (
            &["--client-id", "a", "--api-key", "A.b:c", "--api-key-file", "f"],
            "cannot be used together",
        ),
    ];
    let server = Ably::start();
    server.expect_nothing();
    for (arguments, told) in cases {
        ably(["auth", "revoke-token"]).args(arguments).against(&server).run().exits(2).says(told);
        let run = ably(["auth", "revoke-token", "--json"]).args(arguments).against(&server).run();
        run.exits(2);
        assert_eq!(run.stderr, "", "{arguments:?}");
        let records = run.json();
        let last = records.last().unwrap();
        assert_eq!(text(last, "type"), "status", "{arguments:?}");
        assert_eq!(number(last, "exitCode"), 2, "{arguments:?}");
        assert_eq!(text(&records[0], "type"), "error", "{arguments:?}");
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
fn no_usage_error_shows_a_value() {
    let secret = "s3cret-in-the-wrong-place";
    let assigned = format!("--force={secret}");
    let unknown = format!("--api-kye={secret}");
    for arguments in [
        vec!["auth", "revoke-token", secret],
        vec!["auth", "revoke-token", &assigned],
        vec!["auth", "revoke-token", &unknown],
        vec![secret],
        vec!["auth", "revoke-token", "--client-id", "a", "--api-key", secret, "--force"],
        vec!["auth", "revoke-token", "--client-id", "a", "--timeout", secret],
        vec!["auth", "revoke-token", "--client-id", "a", "--issued-before", secret],
    ] {
        for json in [false, true] {
            let run = ably(arguments.clone()).args(json.then_some("--json")).run();
            run.exits(2);
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{arguments:?}");
        }
    }
}

#[test]
fn a_value_that_is_not_utf8_is_told() {
    use std::os::unix::ffi::OsStrExt;
    ably(["auth", "revoke-token", "--client-id"])
        .arg(std::ffi::OsStr::from_bytes(b"a\xff"))
        .run()
        .exits(2)
        .says("--client-id is not UTF-8");
}

#[test]
fn a_ca_file_must_hold_a_certificate() {
    let folder = crate::support::Folder::new();
    let empty = folder.write("empty.pem", "");
    let garbage = folder
        .write("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let run = |path: &std::path::Path| {
        ably(["auth", "revoke-token", "--client-id", "a", "--force", "--ca-file"])
            .arg(path)
            .env("ABLY_API_KEY", crate::support::KEY)
            .run()
    };
    run(&empty).exits(2).says("--ca-file").says("holds no usable certificate");
    run(&garbage).exits(2).says("holds no usable certificate");
    run(&folder.file("absent.pem")).exits(2).says("no such file");
    run(folder.path()).exits(2).says("it is a folder");
    ably(["auth", "revoke-token", "--client-id", "a", "--force"])
        .env("ABLY_API_KEY", crate::support::KEY)
        .env("SSL_CERT_FILE", &empty)
        .run()
        .exits(2)
        .says("SSL_CERT_FILE");
}

#[test]
fn json_excludes_pretty_json_and_needs_force() {
    let server = Ably::start();
    server.expect_nothing();
    for (arguments, told) in [
        (vec!["--json", "--pretty-json", "--force"], "cannot be used together"),
        (vec!["--json"], "no way to ask"),
        (vec!["--pretty-json"], "no way to ask"),
    ] {
        let run = ably(["auth", "revoke-token", "--client-id", "a"])
            .args(arguments)
            .against(&server)
            .stdin("y\n")
            .run();
        run.exits(2).says_nothing().prints(told);
    }
}
