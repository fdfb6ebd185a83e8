//! What nobody may see, and what no terminal may obey: the key, its base64 and a proxy's password
//! in every stream of every failing path; hostile text from Ably, arguments, variables and files.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use miniserde::json::Value;

use crate::faults::{Play, Stage, each, each_row, is_decent, is_hostile, rows};
use crate::support::{
    Ably, Answer, Control, ControlKey, Folder, KEY, Program, Proxy, Run, SECRET, Seen, Terminal,
    ably, get, quote, text,
};

const REVOKE: [&str; 5] = ["auth", "revoke-token", "--client-id", "alice", "--force"];
const JWT: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IkFQUDEua2V5MSJ9.eyJqdGkiOiJ4In0.c2lnbmF0dXJl";
/// A proxy's password: a text to look for wherever no secret may be.
const PASSWORD: &str = "pr0xy-m4rker-77";
/// Every kind of character that a terminal would obey or that makes a text read as another.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\n\t\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{61c}";
/// What of it an argument may hold, as on one line of a file.
const HOSTILE_LINE: &str = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200b}";

/// Not even the beginning of a secret: a text that is cut must not be cut inside one.
#[track_caller]
fn hides_all_of(run: &Run) {
    run.hides(PASSWORD).hides_the_key();
    run.hides(&SECRET[..8]).hides(&PASSWORD[..8]);
}

/// Nothing raw on either stream; where it is JSON, nothing on stderr at all.
#[track_caller]
fn is_harmless(run: &Run) {
    run.never_says("panicked");
    for stream in [&run.stdout, &run.stderr] {
        let raw = stream.chars().find(|c| is_hostile(*c));
        run.check(raw.is_none(), &format!("should show no raw {raw:?}"));
    }
}

// Secrets.

#[test]
fn no_failing_path_shows_a_secret_with_all_that_can_be_told() {
    each_row(&rows(), |row| {
        // `faults` does the same with --json.
        let stage = Stage::set(&row.play);
        let run = stage.program(row).arg("--verbose").run();
        is_decent(&run, row.code);
        hides_all_of(&run);
    });
}

#[test]
fn no_failing_path_behind_a_proxy_shows_a_secret() {
    let behind: Vec<_> = rows()
        .into_iter()
        .filter(|row| matches!(row.play, Play::Answers(_) | Play::Door(_)))
        .collect();
    each_row(&behind, |row| {
        for extra in [&["--verbose"][..], &["--verbose", "--json"]] {
            let stage = Stage::set(&row.play);
            let proxy = Proxy::to(stage.server.as_ref().unwrap().address());
            proxy.demand("user", PASSWORD);
            let run = stage
                .program(row)
                .args(extra)
                .env("HTTPS_PROXY", proxy.url_with("user", PASSWORD))
                .run();
            is_decent(&run, row.code);
            hides_all_of(&run);
        }
    });
}

/// A place in an answer, and the answer that has a text there.
type Echo = (&'static str, fn(&str) -> Answer);

/// What a careless server may repeat: the header, what is in it, and a secret that it has
/// elsewhere, wherever there is room for text in an answer.
fn echoes() -> Vec<Echo> {
    vec![
        ("a message", |echo| Answer::error(401, 40101, echo)),
        ("a message of a 5xx", |echo| Answer::error(500, 50000, echo)),
        ("the headers alone", |echo| {
            Answer::plain(403, "")
                .header("x-ably-errorcode", "40300")
                .header("x-ably-errormessage", echo)
        }),
        ("a help link", |echo| {
            Answer::json(
                400,
                format!(r#"{{"error":{{"message":"no","code":40000,"href":{}}}}}"#, quote(echo)),
            )
        }),
        ("a result's error", |echo| {
            let error = format!(r#"{{"message":{0},"code":40000,"href":{0}}}"#, quote(echo));
            Answer::json(
                201,
                format!(r#"{{"results":[{{"target":"clientId:alice","error":{error}}}]}}"#),
            )
        }),
        ("a result's error that is a string", |echo| {
            Answer::json(201, format!(r#"[{{"target":"clientId:alice","error":{}}}]"#, quote(echo)))
        }),
        ("a page", |echo| Answer::plain(403, format!("<html>{echo}</html>"))),
        ("a page of a 5xx", |echo| Answer::plain(502, echo)),
        ("a page in a 201", |echo| Answer::plain(201, echo)),
        ("a page with bytes that are no text", |echo| {
            Answer::plain(403, [b"\xff\xfe", echo.as_bytes(), b"\x80"].concat())
        }),
        ("a page that is cut before it is shown", |echo| {
            Answer::plain(403, format!("{}{echo}", "x".repeat(196)))
        }),
        ("a message that is cut before it is shown", |echo| {
            Answer::error(403, 40300, &format!("{}{echo}", "é".repeat(196)))
        }),
        ("a message in JSON's escapes", |echo| {
            let escaped: String =
                echo.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
            Answer::json(401, format!(r#"{{"error":{{"message":"{escaped}","code":40101}}}}"#))
        }),
        ("a redirect", |echo| {
            Answer::plain(302, echo).header("location", &format!("https://{echo}/"))
        }),
        ("a rate limit", |echo| Answer::plain(429, echo).header("retry-after", echo)),
        ("a target's name", |echo| {
            Answer::json(
                201,
                format!(
                    r#"{{"results":[{{"target":{},"issuedBefore":1,"appliesAt":1}}]}}"#,
                    quote(echo)
                ),
            )
        }),
    ]
}

#[test]
fn a_server_that_repeats_a_secret_is_not_repeated() {
    let repeated: [fn(&Seen) -> String; 5] = [
        |seen| seen.header("authorization").unwrap_or_default().to_owned(),
        |seen| format!("Authorization: {}", seen.header("authorization").unwrap_or_default()),
        |_| KEY.to_owned(),
        |_| format!("the secret {SECRET} and {SECRET}{SECRET}"),
        |_| format!("the proxy's {PASSWORD}"),
    ];
    each(
        &echoes(),
        |(place, _)| place,
        |(place, echo)| {
            let echo = *echo;
            for repeat in repeated {
                let server = Ably::deciding(move |seen| echo(&repeat(seen)));
                let proxy = Proxy::to(server.address());
                for extra in [&["--verbose"][..], &["--verbose", "--json"]] {
                    let run = ably(REVOKE)
                        .against(&server)
                        .args(extra)
                        .args(["--timeout", "1.2"])
                        .env("HTTPS_PROXY", proxy.url_with("user", PASSWORD))
                        .run();
                    run.check(run.code != Some(0), place);
                    hides_all_of(&run);
                }
            }
        },
    );
}

#[test]
fn the_clocks_answer_is_no_way_out_for_a_secret_either() {
    each(
        &echoes(),
        |(place, _)| place,
        |(place, echo)| {
            let echo = *echo;
            let server = Ably::deciding(move |_| echo(&format!("{KEY} {PASSWORD}")));
            let proxy = Proxy::to(server.address());
            for extra in [&["--verbose"][..], &["--verbose", "--json"], &["--dry-run"]] {
                let run = ably(REVOKE)
                    .against(&server)
                    .args(extra)
                    .args(["--timeout", "1.2", "--issued-before", "10m"])
                    .env("HTTPS_PROXY", proxy.url_with("user", PASSWORD))
                    .run();
                run.check(run.code == Some(1), place);
                hides_all_of(&run);
            }
        },
    );
}

#[test]
fn percent_encoded_proxy_credentials_are_hidden_in_every_form() {
    let (typed, decoded) = ("pr0xy%2Dm4rker%2D77%40", "pr0xy-m4rker-77@");
    let server = Ably::deciding(move |_| {
        Answer::error(401, 40101, &format!("{typed} {decoded} dXNlcjpwcjB4eS1tNHJrZXItNzdA"))
    });
    let proxy = Proxy::to(server.address());
    proxy.demand("user", decoded);
    for extra in [&["--verbose"][..], &["--verbose", "--json"]] {
        let run = ably(REVOKE)
            .against(&server)
            .args(extra)
            .env("HTTPS_PROXY", proxy.url_with("user", typed))
            .run();
        run.exits(1).hides(decoded).hides(typed).hides("dXNlcjpwcjB4eS1tNHJrZXItNzdA");
    }
    // Behind a proxy that wants others, too.
    proxy.demand("user", "another");
    let run = ably(REVOKE)
        .against(&server)
        .arg("-v")
        .env("HTTPS_PROXY", proxy.url_with("user", typed))
        .run();
    run.exits(1).says("nothing was sent").hides(decoded).hides(typed);
}

#[test]
fn a_key_in_the_wrong_place_is_not_shown() {
    let server = Ably::start();
    server.expect_nothing();
    let cases: [&[&str]; 14] = [
        &["--endpoint", KEY],
        &["--connect-to", KEY],
        &["--app", KEY],
        &["--api-key-file", KEY],
        &["--timeout", KEY],
        &["--issued-before", KEY],
        &["--force", KEY],
        &["--force=APP1.key1:s3cr3t-marker-9f2c"],
        &["--json=APP1.key1:s3cr3t-marker-9f2c"],
        &["--api-token=APP1.key1:s3cr3t-marker-9f2c"],
        &["--api-key", &KEY[5..]],
        &["--api-key", "APP1.key1 :s3cr3t-marker-9f2c"],
        &["--api-key=APP1:s3cr3t-marker-9f2c"],
        &["-k", KEY],
    ];
    let mut shown = Vec::new();
    // Should one be let through, it goes to the stand-in, which does not expect it.
    let base = || ably(REVOKE).env("ABLY_ENDPOINT", server.endpoint());
    for case in cases {
        for json in [&[][..], &["--json"]] {
            let run = base().args(case).args(json).env("ABLY_API_KEY", KEY).run();
            run.exits(2).never_says("panicked");
            if run.stderr.contains(SECRET) || run.stdout.contains(SECRET) {
                shown.push(run.to_string());
            }
        }
    }
    for name in ["ABLY_ENDPOINT", "ABLY_APP_ID", "HTTPS_PROXY", "ALL_PROXY"] {
        let run = base().env("ABLY_API_KEY", KEY).env(name, KEY).run();
        run.exits(2);
        if run.stderr.contains(SECRET) {
            shown.push(run.to_string());
        }
    }
    let run = base().env("ABLY_API_KEY_FILE", KEY).run();
    run.exits(2);
    if run.stderr.contains(SECRET) {
        shown.push(run.to_string());
    }
    assert!(shown.is_empty(), "{} times:\n{}", shown.len(), shown.join("\n"));
}

#[test]
fn what_has_the_form_of_a_secret_is_refused_wherever_it_is_typed() {
    let server = Ably::start();
    server.expect_nothing();
    let folder = Folder::new();
    let other = "appAbc.keyXyz:0ther-m4rker-31c7";
    let (key, token) = ("--api-key-file", "--from-token");
    let forms = [
        (other.to_owned(), key),
        (format!(" {other}"), key),
        (format!("'{other}'"), key),
        (format!("ABLY_API_KEY={other}"), key),
        (BASE64_STANDARD.encode(other), key),
        (JWT.to_owned(), token),
        (format!("\"{JWT}\""), token),
        (format!("Bearer {JWT}"), token),
        (format!("\tauthorization: bearer {JWT}\n"), token),
        (BASE64_STANDARD.encode(JWT), token),
    ];
    let hides = |run: &Run| {
        run.exits(2).never_says("panicked");
        for secret in [other, "0ther-m4", JWT, "eyJhbGci", "c2lnbmF0"] {
            run.hides(secret);
        }
        run.hides(&BASE64_STANDARD.encode(other)).hides(&BASE64_STANDARD.encode(JWT));
    };
    for (typed, hint) in &forms {
        for option in [
            "--client-id",
            "--revocation-key",
            "--channel",
            "--targets-file",
            "--from-token",
            "--app",
            "--key",
            "--endpoint",
            "--connect-to",
            "--ca-file",
            "--api-key-file",
            "--unrevoked-to",
            "--timeout",
        ] {
            let run = ably(["auth", "revoke-token", "--force", "-v", option, typed]);
            let run = run.env("ABLY_ENDPOINT", server.endpoint()).run();
            hides(&run);
            run.says(option).says(hint);
        }
        for name in ["ABLY_APP_ID", "ABLY_ENDPOINT", "ABLY_API_KEY_FILE", "SSL_CERT_FILE"] {
            let run = ably(REVOKE).arg("-v").env(name, typed).run();
            hides(&run);
            run.says(name).says(hint);
        }
        let line = typed.trim();
        for line in [line.to_owned(), format!("clientId:{line}"), format!("{line}: x")] {
            let file = folder.write("targets", format!("clientId:alice\n{line}\n"));
            let run = ably(["auth", "revoke-token", "--force", "--targets-file"]).arg(file);
            let run = run.against(&server).run();
            hides(&run);
            run.says("line 2").says(hint);
        }
    }
}

#[test]
fn the_keys_own_secret_is_shown_in_no_message() {
    let server = Ably::start();
    server.expect_nothing();
    let file = format!("/absent/{SECRET}");
    for arguments in [
        ["--app", SECRET],
        ["--key", SECRET],
        ["--ca-file", SECRET],
        ["--targets-file", &file],
        ["--endpoint", &format!("{SECRET}.example")],
        ["--unrevoked-to", &file],
    ] {
        for json in [&[][..], &["--json"]] {
            let targets = ["--client-id", "alice"];
            let targets = if arguments[0] == "--targets-file" { &[][..] } else { &targets };
            let run = ably(["auth", "revoke-token", "--force"]).args(targets).args(arguments);
            run.args(json).against(&server).run().exits(2).hides(&SECRET[..8]);
        }
    }
    let run = ably(REVOKE).against(&server).env("ABLY_APP_ID", SECRET).run();
    run.exits(2).says("belongs to app APP1").hides(&SECRET[..8]);
}

#[test]
fn an_unknown_option_shows_no_more_than_the_beginning_of_a_name() {
    for (typed, shown) in [
        ("--bogus", "unknown option --bogus\n"),
        ("--api-kye=s3cr3t", "unknown option --api-kye\n"),
        ("--api-keyappAbc.keyXyz:s3cr3t", "unknown option --api-keyapp\n"),
        ("--api-token:APP1.key1:s3cr3t", "unknown option --api-token\n"),
        ("--APP1.key1:s3cr3t", "unknown option (not shown"),
        ("--s3cr3t-marker", "unknown option --s\n"),
        ("--qwertzuiopasdfgh", "unknown option (not shown"),
        ("--correct-horse-battery-staple", "unknown option (not shown"),
        ("-kAPP1.key1:s3cr3t", "unknown option -k\n"),
        ("---APP1.key1:s3cr3t", "unknown option (not shown"),
    ] {
        let run = ably(["auth", "revoke-token", "--client-id", "a", typed]).run();
        run.exits(2).says(shown).hides("s3cr3t").hides("key1").hides("keyXyz").hides("qwertz");
    }
}

#[test]
fn every_source_of_text_is_cleaned_with_every_secret_of_the_run() {
    // Its second half, over lines, in entities, from within its base64, and an option's key that
    // does not even serve.
    let twisted = |key: &str| {
        let (half, base64) = (&key[key.len() - 10..], BASE64_STANDARD.encode(format!("x{key}")));
        let lines: String = half.chars().map(|c| format!("{c}\n")).collect();
        let entities: String = half.bytes().map(|byte| format!("&#{byte};")).collect();
        format!("{half} {lines} {entities} {} {half}", &base64[5..])
    };
    let unused = "APP2.key2:unus3d-m4rker-77aa";
    let access = "acc3ss-m4rker-t0ken";
    let secrets = [KEY, unused, access, PASSWORD];
    let told: String = secrets.map(twisted).join(" ");
    let rows: [(&str, Vec<ControlKey>); 2] = [
        (
            "a name of the Control API",
            vec![ControlKey::new(KEY, &told), ControlKey::new(unused, &told)],
        ),
        ("an error", vec![ControlKey::new(KEY, "one")]),
    ];
    for (place, keys) in rows {
        let server = Ably::start();
        server.serve_control(Control::new(access).app("APP1", &told, keys));
        server.forgive();
        let handed_over = if place == "an error" { KEY } else { "" };
        if place == "an error" {
            let error = format!(r#"{{"error":{{"message":{},"code":40101}}}}"#, quote(&told));
            server.decide(move |_| Answer::json(401, error.clone()));
        }
        let proxy = Proxy::to(server.address());
        for extra in [&[][..], &["--json"], &["-v"], &["-v", "--json"]] {
            let run = ably(REVOKE)
                .towards(&server)
                .args(["--app", "APP1"])
                .args(extra)
                .env("ABLY_API_KEY", handed_over)
                .env("ABLY_ACCESS_TOKEN", access)
                .env("ABLY_TOKEN", unused)
                .env("ABLY_CONTROL_HOST", server.endpoint())
                .env("HTTPS_PROXY", proxy.url_with("user", PASSWORD))
                .run();
            run.check(run.code != Some(0), place);
            run.check(run.to_string().contains("[secret]"), "should show that something was there");
            for secret in secrets {
                let secret = secret.split(':').next_back().unwrap();
                let base64 = BASE64_STANDARD.encode(format!("x{secret}"));
                for own in [secret, &base64[5..base64.len() - 4]] {
                    own.as_bytes().windows(8).for_each(|run_of| {
                        run.hides(str::from_utf8(run_of).unwrap());
                    });
                }
            }
        }
    }
}

#[test]
fn a_dry_run_and_a_question_show_no_secret() {
    let server = Ably::start();
    server.expect_nothing();
    for extra in [&["--dry-run"][..], &["--dry-run", "--json"], &[]] {
        let run = ably(["auth", "revoke-token", "--client-id", "alice", "--verbose"])
            .against(&server)
            .args(extra)
            .env("HTTPS_PROXY", format!("http://user:{PASSWORD}@127.0.0.1:1"))
            .run();
        run.exits(if extra.is_empty() { 4 } else { 0 });
        hides_all_of(&run);
    }
}

// Hostile text.

/// Where a server can put a text that comes to be shown.
fn hostile_answers() -> Vec<(&'static str, Answer)> {
    // Only what HTTP lets through in a header.
    let in_header = "\u{9b}31m\u{202e}\u{2066}";
    let mut answers: Vec<_> = echoes()
        .into_iter()
        .filter(|(place, _)| {
            ![
                "a redirect",
                "a rate limit",
                "the headers alone",
                "a message",
                "a message of a 5xx",
                "a message that is cut before it is shown",
            ]
            .contains(place)
        })
        .map(|(place, echo)| (place, echo(HOSTILE)))
        .collect();
    let error = format!(r#"{{"error":{{"message":{0},"code":40000,"href":{0}}}}}"#, quote(HOSTILE));
    answers.extend([
        ("a message and a link", Answer::json(400, error.clone())),
        ("a message of a 5xx", Answer::json(500, error.clone())),
        ("an error in a 201", Answer::json(201, error)),
        (
            "the headers",
            Answer::plain(403, "")
                .header("x-ably-errorcode", "40300")
                .header("x-ably-errormessage", in_header),
        ),
        ("a redirect", Answer::plain(302, HOSTILE).header("location", in_header)),
        ("a rate limit", Answer::plain(429, HOSTILE).header("retry-after", in_header)),
        ("bytes that are no text", Answer::plain(403, b"\xff\x1b[2J\xe2\x80\xae\x9b".to_vec())),
        ("escapes cut in half", Answer::plain(403, format!("{}{HOSTILE}", "\u{202e}".repeat(198)))),
        (
            "a header that HTTP forbids",
            Answer::Raw(format!("HTTP/1.1 403 {HOSTILE}\r\nx: {HOSTILE}\r\n\r\n").into_bytes()),
        ),
        (
            "a reason phrase",
            Answer::Raw(
                format!("HTTP/1.1 403 {in_header}\r\ncontent-length: 0\r\n\r\n").into_bytes(),
            ),
        ),
    ]);
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
    each(
        &hostile_answers(),
        |(place, _)| place,
        |(place, answer)| {
            let answer = answer.clone();
            let server = Ably::deciding(move |_| answer.clone());
            for format in formats {
                let run =
                    ably(REVOKE).against(&server).args(["--timeout", "1.2"]).args(format).run();
                run.check(run.code.is_some_and(|code| code != 0), place);
                is_harmless(&run);
            }
        },
    );
}

#[test]
fn on_a_real_terminal_only_the_tools_own_colours_are_escapes() {
    let server = Ably::deciding(|_| {
        let error =
            format!(r#"{{"error":{{"message":{0},"code":40000,"href":{0}}}}}"#, quote(HOSTILE));
        Answer::json(400, error)
    });
    let ended = Terminal::start(ably(REVOKE).against(&server).arg("--verbose")).finish();
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
    let run = ably(REVOKE).against(&server).arg("--json").run();
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
    let keyless = || ably(REVOKE).env("ABLY_ENDPOINT", server.endpoint());
    let base = || keyless().env("ABLY_API_KEY", KEY);
    let mut inputs = Vec::new();
    for (kind, value) in [("text", line), ("bytes", bytes)] {
        let mut add = |place: &str, program: Program| {
            inputs.push((format!("{kind} in {place}"), program, 2));
        };
        for option in [
            "--endpoint",
            "--connect-to",
            "--ca-file",
            "--api-key-file",
            "--app",
            "--timeout",
            "--issued-before",
        ] {
            add(option, base().arg(option).arg(value));
        }
        add("an option's name", base().arg(joined("--", value)));
        add("a short option", base().arg(joined("-", value)));
        add("a switch's value", base().arg(joined("--force=", value)));
        add("a positional argument", base().arg(value));
        add("a command", ably([value]));
        add("--api-key", base().arg("--api-key").arg(value));
        for name in [
            "ABLY_API_KEY",
            "ABLY_ENDPOINT",
            "ABLY_APP_ID",
            "SSL_CERT_FILE",
            "HTTPS_PROXY",
            "ALL_PROXY",
        ] {
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
    let server = Ably::start();
    server.expect_nothing();
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
        ably(["auth", "revoke-token", "--client-id", HOSTILE])
            .args(options)
            .towards(&server)
            .env("ABLY_API_KEY", &key)
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
        let run = ably(REVOKE)
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
            let run = ably(["auth", "revoke-token", "--client-id", "alice"])
                .args(["--endpoint", &server.endpoint()])
                .arg("--api-key-file")
                .arg(&key)
                .arg("--ca-file")
                .arg(&ca)
                .args(extra)
                .run();
            run.exits(if extra == ["-v"] { 4 } else { 0 });
            is_harmless(&run);
            run.hides_the_key();
        }
    }
}
