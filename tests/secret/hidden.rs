//! What nobody may see: the key, its base64 and a proxy's password in every stream of every failing
//! path.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use crate::revoke::answers::{each_row, rows};
use crate::support::*;

const JWT: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IkFQUDEua2V5MSJ9.eyJqdGkiOiJ4In0.c2lnbmF0dXJl";

/// What takes a value from which a slip of the hand could leak.
#[rustfmt::skip]
const OPTIONS: [&str; 15] = [
    "--client-id", "--revocation-key", "--channel", "--targets-file", "--from-token", "--app", "--key",
    "--endpoint", "--connect-to", "--ca-file", "--api-key-file", "--unrevoked-to", "--timeout",
    "--record", "--reason",
];

/// Not even the beginning of a secret: a text that is cut must not be cut inside one.
#[track_caller]
fn hides_all_of(run: &Run) {
    run.hides(PASSWORD).hides_the_key();
    run.hides(&SECRET[..8]).hides(&PASSWORD[..8]);
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
            let run = stage.program(row).args(extra).through(&proxy).run();
            is_decent(&run, row.code);
            hides_all_of(&run);
        }
    });
}

#[test]
fn percent_encoded_proxy_credentials_are_hidden_in_every_form() {
    let (typed, decoded) = ("pr0xy%2Dm4rker%2D77%40", "pr0xy-m4rker-77@");
    let told = format!("{typed} {decoded} dXNlcjpwcjB4eS1tNHJrZXItNzdA");
    let server = Ably::deciding(move |_| Answer::error(401, 40101, &told));
    let proxy = Proxy::to(server.address());
    proxy.demand("user", decoded);
    let url = proxy.url_with("user", typed);
    for extra in [&["--verbose"][..], &["--verbose", "--json"]] {
        let run = revoke_alice().against(&server).args(extra).env("HTTPS_PROXY", &url).run();
        run.exits(1).hides(decoded).hides(typed).hides("dXNlcjpwcjB4eS1tNHJrZXItNzdA");
    }
    // Behind a proxy that wants others, too.
    proxy.demand("user", "another");
    let run = revoke_alice().against(&server).arg("-v").env("HTTPS_PROXY", &url).run();
    run.exits(1).says("nothing was sent").hides(decoded).hides(typed);
}

/// The options that take a name or a number, a file or a host are in the next test.
#[test]
fn a_key_in_the_wrong_place_is_not_shown() {
    let server = Ably::unreached();
    // Should one be let through, it goes to the stand-in, which does not expect it.
    let base = || revoke_alice().env("ABLY_ENDPOINT", server.endpoint()).keyed();
    let cases: [&[&str]; 9] = [
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
    for case in cases {
        for json in [&[][..], &["--json"]] {
            base().args(case).args(json).run().exits(2).never_says("panicked").hides(SECRET);
        }
    }
    for name in ["HTTPS_PROXY", "ALL_PROXY"] {
        base().env(name, KEY).run().exits(2).hides(SECRET);
    }
    ably([KEY]).run().exits(2).hides(SECRET);
}

#[test]
fn a_token_is_refused_wherever_it_is_typed() {
    let server = Ably::unreached();
    let folder = Folder::new();
    let hint = "--from-token";
    let forms = [
        JWT.to_owned(),
        format!("\"{JWT}\""),
        format!("Bearer {JWT}"),
        format!("\tauthorization: bearer {JWT}\n"),
        format!("x{}", JWT.replace('.', "%2E")),
        BASE64_STANDARD.encode(JWT),
    ];
    let hides = |run: &Run| {
        run.exits(2).never_says("panicked");
        [JWT, "eyJhbGci", "c2lnbmF0"].iter().for_each(|secret| {
            run.hides(secret);
        });
        run.hides(&BASE64_STANDARD.encode(JWT));
    };
    for typed in &forms {
        for option in OPTIONS {
            let run = forced().args(["-v", option, typed]);
            let run = run.env("ABLY_ENDPOINT", server.endpoint()).run();
            hides(&run);
            run.says(option).says(hint);
        }
        for name in ["ABLY_APP_ID", "ABLY_ENDPOINT", "ABLY_API_KEY_FILE", "SSL_CERT_FILE"] {
            let run = revoke_alice().arg("-v").env(name, typed).run();
            hides(&run);
            run.says(name).says(hint);
        }
        let line = typed.trim();
        for line in [line.to_owned(), format!("clientId:{line}"), format!("{line}: x")] {
            let file = folder.write("targets", format!("clientId:alice\n{line}\n"));
            let run = forced().args(["--targets-file"]).arg(file);
            let run = run.against(&server).run();
            hides(&run);
            run.says("line 2").says(hint);
        }
    }
}

#[test]
fn a_token_in_a_variable_that_nobody_reads_stops_nothing() {
    let server = Ably::start();
    let program = || revoke_alice().towards(&server).env("ABLY_API_KEY_FILE", JWT);
    program().args(["--api-key", KEY]).run().exits(0).hides(JWT);
    program().env("ABLY_API_KEY", KEY).run().exits(0).hides(JWT);
}

/// Client IDs may be called like keys and tokens, and an operator must be able to revoke them.
const LOOK_ALIKES: [&str; 5] = [
    "com.example.mobile:ios-0123456789abcdef",
    "device.v2alpha:AA:BB:CC:DD:EE:0F",
    "mailto.alice:alice@example.com/device-a1",
    "eyJpZCI6MTIzfQ.web",
    "appAbc.keyXyz:0ther-m4rker-31c7",
];

#[test]
fn what_only_looks_like_a_secret_is_sent() {
    let server = Ably::start();
    each(&LOOK_ALIKES, |client| {
        let (folder, target) = (Folder::new(), format!("clientId:{client}"));
        let file = folder.write("targets", format!("clientId:bob\n{target}\n"));
        forced().args(["--client-id", client]).against(&server).run().exits(0);
        forced().arg("--targets-file").arg(file).against(&server).run().exits(0);
        let token = with(&format!(r#","x-ably-clientId":"{client}""#));
        leaked(token).arg("--force").against(&server).run().exits(0);
        let sent = server.revoked().into_iter().filter(|one| one.target == target).count();
        assert_eq!(sent, 3, "{client}");
    });
}

#[test]
fn a_key_typed_in_place_of_a_file_a_name_or_a_host_is_not_shown() {
    let server = Ably::unreached();
    let full = "AbCdEfGhIjKlMnOpQrStUvWxYz0bcdef-_jklmnopqr";
    let typed = [
        format!("xVLyHw.1a2Bc3:{full}"),
        format!("xVLyHw.1a2Bc3%3A{full}"),
        format!("xVLyHw.1a2Bc3 {full}"),
        full.to_owned(),
        format!("./{full}"),
        format!("keys/xVLyHw.1a2Bc3:{full}"),
    ];
    for typed in &typed {
        for option in ["--api-key-file", "--targets-file", "--from-token", "--ca-file"] {
            let targets = ["--client-id", "alice"];
            let targets = if option.starts_with("--target") || option.starts_with("--from") {
                &[][..]
            } else {
                &targets
            };
            let run = forced().args(targets).args([option, typed]).against(&server);
            run.run().exits(2).says(option).hides(full).hides(&full[20..]);
        }
        let run =
            revoke_alice().against(&server).env("ABLY_API_KEY", "").env("ABLY_API_KEY_FILE", typed);
        run.run().exits(2).says("ABLY_API_KEY_FILE").hides(full).hides(&full[20..]);
    }
    for path in ["./keys/app.key:1", "/run/secrets/ably", "prod.ably/v2.pem", "app.key"] {
        let run = forced().args(["--client-id", "alice", "--api-key-file", path]).against(&server);
        run.run().exits(2).says(path);
    }
}

#[test]
fn several_keys_and_base64_in_place_of_a_key_are_told_as_such() {
    let server = Ably::unreached();
    let other = "APP1.key2:0ther-m4rker-31c7";
    let once = BASE64_STANDARD.encode(KEY);
    for (given, word) in [
        (format!("{KEY}\n{other}"), "several"),
        (format!("{KEY} {other}"), "several"),
        (format!("{KEY},{other}"), "several"),
        (format!("{KEY}, {other}\n"), "several"),
        (once.clone(), "base64"),
        (format!("{}\n", BASE64_STANDARD.encode(&once)), "base64"),
    ] {
        let run = revoke_alice().against(&server).env("ABLY_API_KEY", &given).run();
        run.exits(2)
            .says("ABLY_API_KEY")
            .says(word)
            .hides_the_key()
            .hides("0ther-m4rker")
            .hides(&once);
        run.never_says("NAME=");
        if word == "several" {
            run.says("--api-key-file").says("--all-keys");
        }
    }
}

#[test]
fn the_keys_own_secret_is_shown_in_no_message() {
    let server = Ably::unreached();
    let file = format!("/absent/{SECRET}");
    for arguments in [
        ["--app", SECRET],
        ["--key", SECRET],
        ["--ca-file", SECRET],
        ["--targets-file", &file],
        ["--endpoint", &format!("{SECRET}.example")],
        ["--unrevoked-to", &file],
        ["--record", &file],
        ["--reason", &format!("it was {SECRET}")],
    ] {
        for json in [&[][..], &["--json"]] {
            let targets = ["--client-id", "alice"];
            let targets = if arguments[0] == "--targets-file" { &[][..] } else { &targets };
            let run = forced().args(targets).args(arguments);
            run.args(json).against(&server).run().exits(2).hides(&SECRET[..8]);
        }
    }
    let run = revoke_alice().against(&server).env("ABLY_APP_ID", SECRET).run();
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
        let run = command().args(["--client-id", "a", typed]).run();
        run.exits(2).says(shown).hides("s3cr3t").hides("key1").hides("keyXyz").hides("qwertz");
    }
}

#[test]
fn every_source_of_text_is_cleaned_with_every_secret_of_the_run() {
    // As it stands, escaped, in base64 at each alignment; and an option's key that does not even serve.
    let twisted = |key: &str| {
        let secret = key.rsplit(':').next().unwrap();
        let escaped: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let json: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        let base64 = ["", "x", "xy"].map(|before| BASE64_STANDARD.encode(format!("{before}{key}")));
        let url = BASE64_URL_SAFE_NO_PAD.encode(format!("x{secret}>>"));
        format!("{key} {secret} {escaped} {json} {} {url}", base64.join(" "))
    };
    let unused = "APP2.key2:unus3d-m4rker-77aa";
    let (access, token) = ("acc3ss-m4rker-t0ken", "xVLyHw.t0ken-m4rker-5512");
    let secrets = [KEY, token, access, PASSWORD];
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
            let run = revoke_alice()
                .towards(&server)
                .args(["--app", "APP1"])
                .args(extra)
                .env("ABLY_API_KEY", handed_over)
                .env("ABLY_ACCESS_TOKEN", access)
                .env("ABLY_TOKEN", token)
                .env("ABLY_CONTROL_HOST", server.endpoint())
                .through(&proxy)
                .run();
            run.check(run.code != Some(0), place);
            run.check(run.to_string().contains("[secret]"), "should show that something was there");
            for secret in secrets {
                let name = secret.rsplit_once(':').map_or("", |(name, _)| name);
                let own = secret.trim_start_matches(name).trim_start_matches(':');
                for shown in [own, &own[..8]] {
                    run.hides(shown);
                    let json: String = shown.bytes().map(|byte| format!("u{byte:04x}")).collect();
                    let percent: String =
                        shown.bytes().map(|byte| format!("%{byte:02x}")).collect();
                    run.hides(&json).hides(&percent);
                }
                for before in ["", "x", "xy"] {
                    let base64 = BASE64_STANDARD.encode(format!("{before}{secret}"));
                    run.hides(&base64[base64.len() - 16..base64.len() - 4]);
                }
                run.hides(&BASE64_URL_SAFE_NO_PAD.encode(format!("x{own}"))[4..16]);
            }
        }
    }
}

#[test]
fn a_dry_run_and_a_question_show_no_secret() {
    let server = Ably::unreached();
    for extra in [&["--dry-run"][..], &["--dry-run", "--json"], &[]] {
        let run = alice()
            .args(["--verbose"])
            .against(&server)
            .args(extra)
            .env("HTTPS_PROXY", format!("http://user:{PASSWORD}@127.0.0.1:1"))
            .run();
        run.exits(if extra.is_empty() { 4 } else { 0 });
        hides_all_of(&run);
    }
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
    each(&echoes(), |(place, echo)| {
        let echo = *echo;
        for repeat in repeated {
            let server = Ably::deciding(move |seen| echo(&repeat(seen)));
            let proxy = Proxy::to(server.address());
            for extra in [&["--verbose"][..], &["--verbose", "--json"]] {
                let program = revoke_alice().against(&server).args(extra);
                let run = program.args(["--timeout", "1.2"]).through(&proxy).run();
                run.check(run.code != Some(0), place);
                hides_all_of(&run);
            }
        }
    });
}

#[test]
fn the_clocks_answer_is_no_way_out_for_a_secret_either() {
    each(&echoes(), |(place, echo)| {
        let (place, echo) = (*place, *echo);
        let server = Ably::deciding(move |_| echo(&format!("{KEY} {PASSWORD}")));
        let proxy = Proxy::to(server.address());
        for extra in [&["--verbose"][..], &["--verbose", "--json"], &["--dry-run"]] {
            let run = revoke_alice()
                .against(&server)
                .args(extra)
                .args(["--timeout", "1.2", "--issued-before", "10m"])
                .env("HTTPS_PROXY", proxy.url_with("user", PASSWORD))
                .run();
            run.check(run.code == Some(1), place);
            hides_all_of(&run);
        }
    });
}
