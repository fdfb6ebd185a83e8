//! What no terminal may obey: hostile text from Ably, arguments, variables and files.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use miniserde::json::Value;

use crate::support::*;

#[rustfmt::skip]
const OPTIONS: [&str; 7] =
    ["--endpoint", "--connect-to", "--ca-file", "--api-key-file", "--app", "--timeout", "--issued-before"];
#[rustfmt::skip]
const VARIABLES: [&str; 6] =
    ["ABLY_API_KEY", "ABLY_ENDPOINT", "ABLY_APP_ID", "SSL_CERT_FILE", "HTTPS_PROXY", "ALL_PROXY"];
/// Places where HTTP does not let all of it through.
#[rustfmt::skip]
const IN_HEADERS: [&str; 6] = [
    "a redirect", "a rate limit", "the headers alone", "a message", "a message of a 5xx",
    "a message that is cut before it is shown",
];

/// Where a server can put a text that comes to be shown.
fn hostile_answers() -> Vec<(&'static str, Answer)> {
    // Only what HTTP lets through in a header.
    let in_header = "\u{9b}31m\u{202e}\u{2066}";
    let mut answers: Vec<_> = echoes()
        .into_iter()
        .filter(|(place, _)| !IN_HEADERS.contains(place))
        .map(|(place, echo)| (place, echo(HOSTILE)))
        .collect();
    let error = format!(r#"{{"error":{{"message":{0},"code":40000,"href":{0}}}}}"#, quote(HOSTILE));
    #[rustfmt::skip] // a table: one row a line
    let raw = [
        ("a message and a link", Answer::json(400, error.clone())),
        ("a message of a 5xx", Answer::json(500, error.clone())),
        ("an error in a 201", Answer::json(201, error)),
        ("the headers", Answer::plain(403, "").header("x-ably-errorcode", "40300").header("x-ably-errormessage", in_header)),
        ("a redirect", Answer::plain(302, HOSTILE).header("location", in_header)),
        ("a rate limit", Answer::plain(429, HOSTILE).header("retry-after", in_header)),
        ("bytes that are no text", Answer::plain(403, b"\xff\x1b[2J\xe2\x80\xae\x9b".to_vec())),
        ("escapes cut in half", Answer::plain(403, format!("{}{HOSTILE}", "\u{202e}".repeat(198)))),
        ("a header that HTTP forbids", Answer::Raw(format!("HTTP/1.1 403 {HOSTILE}\r\nx: {HOSTILE}\r\n\r\n").into_bytes())),
        ("a reason phrase", Answer::Raw(format!("HTTP/1.1 403 {in_header}\r\ncontent-length: 0\r\n\r\n").into_bytes())),
    ];
    answers.extend(raw);
    answers
}

#[test]
fn text_from_ably_reaches_no_terminal_raw() {
    let formats: [&[&str]; 5] = [
        &[],
        &["--verbose"],
        &["--json", "--verbose"],
        &["--pretty-json"],
        &["--issued-before", "10m"],
    ];
    each(&hostile_answers(), |(place, answer)| {
        let answer = answer.clone();
        let server = Ably::deciding(move |_| answer.clone());
        for format in formats {
            let run = revoke_alice().against(&server).args(["--timeout", "1.2"]).args(format).run();
            run.check(run.code.is_some_and(|code| code != 0), place);
            is_harmless(&run);
        }
    });
}

#[test]
fn on_a_real_terminal_only_the_tools_own_colours_are_escapes() {
    let server = Ably::deciding(|_| {
        let error =
            format!(r#"{{"error":{{"message":{0},"code":40000,"href":{0}}}}}"#, quote(HOSTILE));
        Answer::json(400, error)
    });
    let ended = Terminal::start(revoke_alice().against(&server).arg("--verbose")).finish();
    assert_eq!(ended.code, Some(1));
    let mut screen = ended.screen.replace("\r\n", "\n");
    for own in ["\u{1b}[31m", "\u{1b}[0m"] {
        screen = screen.replace(own, "");
    }
    let raw = screen.chars().find(|c| is_hostile(*c));
    assert!(raw.is_none(), "{raw:?} in {:?}", ended.screen);
}

#[test]
fn text_from_ably_is_lossless_in_json() {
    let message = format!("{HOSTILE}end");
    let body = format!(r#"{{"error":{{"message":{0},"code":40000,"href":{0}}}}}"#, quote(&message));
    let server = Ably::deciding(move |_| Answer::json(400, body.clone()));
    let run = revoke_alice().against(&server).arg("--json").run();
    run.exits(1);
    is_harmless(&run);
    let error = run.record("error");
    assert_eq!(text(&error, "error.href"), message);
    assert!(text(&error, "error.message").starts_with(&message), "{run}");
}

/// Programs that are given hostile text in one place, and the code they must end with.
fn hostile_inputs(server: &Ably, folder: &Folder) -> Vec<(String, Program, i32)> {
    let file = |text: &[u8]| {
        let name = format!("f{}", folder.names().len());
        folder.write(&name, text)
    };
    let bytes: &OsStr = OsStr::from_bytes(b"x\xff\x1b[2J\xc2\x9b");
    let line = OsStr::new(HOSTILE_LINE);
    let joined = |option: &str, value: &OsStr| {
        let mut word = OsString::from(option);
        word.push(value);
        word
    };
    // Should one be let through, it goes to the stand-in, which does not expect it.
    let keyless = || revoke_alice().env("ABLY_ENDPOINT", server.endpoint());
    let base = || keyless().keyed();
    let mut inputs = Vec::new();
    for (kind, value) in [("text", line), ("bytes", bytes)] {
        let mut add = |place: &str, program: Program| {
            inputs.push((format!("{kind} in {place}"), program, 2));
        };
        for option in OPTIONS {
            add(option, base().arg(option).arg(value));
        }
        add("an option's name", base().arg(joined("--", value)));
        add("a short option", base().arg(joined("-", value)));
        add("a switch's value", base().arg(joined("--force=", value)));
        add("a positional argument", base().arg(value));
        add("a command", ably([value]));
        add("--api-key", base().arg("--api-key").arg(value));
        for name in VARIABLES {
            add(name, base().env(name, value));
        }
        add("ABLY_API_KEY_FILE", keyless().env("ABLY_API_KEY_FILE", value));
        let key_file = file(value.as_bytes());
        add("a key file", base().arg("--api-key-file").arg(key_file));
        let ca_file = file(value.as_bytes());
        add("a CA file", base().arg("--ca-file").arg(ca_file));
        let pem =
            [b"-----BEGIN CERTIFICATE-----\n", value.as_bytes(), b"\n-----END CERTIFICATE-----\n"]
                .concat();
        let pem_file = file(&pem);
        add("a certificate", base().arg("--ca-file").arg(pem_file));
        let mut name = OsString::from(folder.path());
        name.push("/");
        name.push(value);
        std::fs::write(&name, "nonsense").unwrap();
        add("a key file's name", base().arg("--api-key-file").arg(&name));
        add("a CA file's name", base().arg("--ca-file").arg(&name));
    }
    inputs.push(("bytes in --client-id".to_owned(), base().arg("--client-id").arg(bytes), 2));
    inputs
}

#[test]
fn text_from_arguments_variables_and_files_reaches_no_terminal_raw() {
    let server = Ably::unreached();
    for format in [&[][..], &["--json"], &["--pretty-json", "-v"]] {
        let folder = Folder::new();
        for (place, program, code) in hostile_inputs(&server, &folder) {
            let run = program.args(format).run();
            run.check(run.code == Some(code), &format!("{place}: should exit {code}"));
            is_harmless(&run);
            if format == ["--json"] {
                run.says_nothing();
                assert_eq!(text(run.json().last().unwrap(), "type"), "status", "{place}");
            }
        }
    }
}

#[test]
fn hostile_targets_are_shown_escaped_in_every_text() {
    let server = Ably::start();
    let key = format!("APP1.key9:{SECRET}");
    let base = |options: &[&str]| {
        let program = command().args(["--client-id", HOSTILE]).args(options).towards(&server);
        program.env("ABLY_API_KEY", &key)
    };
    let mut runs = Vec::new();
    for extra in [&[][..], &["--verbose"], &["--json"], &["--pretty-json", "--verbose"]] {
        // Refused, since this key is unknown.
        runs.push((base(extra).arg("--force").run(), 1));
        runs.push((base(extra).arg("--dry-run").run(), 0));
    }
    // The question, to which the end of input is no.
    runs.push((base(&["--verbose"]).run(), 4));
    runs.push((base(&["--app", HOSTILE_LINE]).run(), 2));
    for (run, code) in &runs {
        run.exits(*code);
        is_harmless(run);
    }
    // Confirmed and refused ones.
    server.add_key("APP1.key2:other-s3cr3t-marker");
    server.refuse(&format!("clientId:{HOSTILE}"), 40000, 400, HOSTILE);
    for extra in [&[][..], &["--json"]] {
        let run = revoke_alice()
            .args(["--client-id", HOSTILE, "--client-id", &format!("{HOSTILE}2")])
            .args(extra)
            .against(&server)
            .run();
        run.exits(3);
        is_harmless(&run);
        if extra.is_empty() {
            run.says(
                r"client ID \u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\n\t\u{7f}\u{202e}\u{2066}",
            );
        } else {
            let result = run.record("result");
            let Value::String(target) = get(&result, "revocation.response.results.1.target") else {
                panic!("{run}");
            };
            assert_eq!(*target, format!("clientId:{HOSTILE}"), "lossless");
        }
    }
}

#[test]
fn key_files_and_their_names_are_told_harmlessly_where_they_work() {
    let server = Ably::start();
    let folder = Folder::new();
    for name in [OsStr::new(HOSTILE_LINE), OsStr::from_bytes(b"x\xff\x1b[2J\xc2\x9b")] {
        let (mut key, mut ca) = (OsString::from(folder.path()), OsString::from(folder.path()));
        for path in [&mut key, &mut ca] {
            path.push("/");
            path.push(name);
        }
        ca.push(".pem");
        std::fs::write(&key, KEY).unwrap();
        std::fs::copy(server.ca_file(), &ca).unwrap();
        for extra in [
            &["--force"][..],
            &["--force", "--verbose"],
            &["--force", "--json", "-v"],
            &["--dry-run"],
            &["-v"],
        ] {
            let program = alice().args(["--endpoint", &server.endpoint()]).arg("--api-key-file");
            let run = program.arg(&key).arg("--ca-file").arg(&ca).args(extra).run();
            run.exits(if extra == ["-v"] { 4 } else { 0 });
            is_harmless(&run);
            run.hides_the_key();
        }
    }
}
