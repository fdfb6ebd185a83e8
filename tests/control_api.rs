//! Ably's Control API as a source of apps and keys: what it lists, how it fails, what it must never
//! be sent or make the program show, and the numbered choice of what it leaves open.

use std::time::Duration;

use crate::sources::{REVOKE, TOKEN, account, hides_everything, refused};
use crate::support::{
    Ably, Answer, App, Control, ControlKey, Program, Run, Terminal, ably, list, number, text,
};

const KEY1: &str = "APP1.key-a:s3cr3t-m4rker-aaa";
const KEY2: &str = "APP1.key-b:s3cr3t-m4rker-bbb";
const KEY3: &str = "APP1.key-c:s3cr3t-m4rker-ccc";

fn server(control: Control) -> Ably {
    let server = Ably::start();
    [KEY1, KEY2, KEY3].iter().for_each(|key| server.add_key(key));
    server.serve_control(control);
    server
}

fn with_keys(keys: Vec<ControlKey>) -> Control {
    Control::new(TOKEN).app("APP1", "Shop", keys)
}

fn one_key() -> Control {
    with_keys(vec![ControlKey::new(KEY1, "Root")])
}

fn ask(server: &Ably, options: &[&str]) -> Program {
    ably(REVOKE).towards(server).control(server, TOKEN).args(options)
}

#[track_caller]
fn used(run: &Run, server: &Ably, key: &str) {
    run.exits(0);
    hides_everything(run);
    let sent = server.revocation_requests();
    let name = key.split(':').next().unwrap();
    run.check(
        sent.len() == 1 && sent[0].path == format!("/keys/{name}/revokeTokens"),
        &format!("should use {name}"),
    );
}

fn three() -> Vec<ControlKey> {
    vec![
        ControlKey::new(KEY1, "Root"),
        ControlKey::new(KEY2, "Twin"),
        ControlKey::new(KEY3, "Twin").irrevocable(),
    ]
}

#[test]
fn of_an_apps_keys_one_serves_or_all_are_listed() {
    type Row = (
        &'static str,
        Vec<ControlKey>,
        &'static [&'static str],
        Result<&'static str, &'static [&'static str]>,
    );
    let a = || ControlKey::new(KEY1, "Root");
    let b = || ControlKey::new(KEY2, "Café \"x\"");
    let c = || ControlKey::new(KEY3, "key-a");
    let named = |key: &str, name: &str| ControlKey::new(key, name);
    let rows: Vec<Row> = vec![
        ("one", vec![a()], &[], Ok(KEY1)),
        (
            "one revocable among others",
            vec![a().irrevocable(), b(), c().irrevocable()],
            &[],
            Ok(KEY2),
        ),
        ("one enabled", vec![a().disabled(), b(), c().disabled()], &[], Ok(KEY2)),
        ("none", vec![], &[], Err(&["app APP1 (Shop) has no API key", "dashboard"])),
        (
            "all disabled",
            vec![a().disabled(), b().disabled()],
            &[],
            Err(&["has no API key that is enabled"]),
        ),
        (
            "none revocable",
            vec![a().irrevocable()],
            &[],
            Err(&["no key with revocable tokens", "key-a (Root", "enable revocable tokens"]),
        ),
        (
            "several revocable",
            vec![a(), b(), c().irrevocable()],
            &[],
            Err(&[
                "several keys with revocable tokens",
                "key-a (Root)",
                "key-b (Café \"x\")",
                "--key",
            ]),
        ),
        ("by ID", vec![a(), b()], &["--key", "key-b"], Ok(KEY2)),
        ("by full name", vec![a(), b()], &["--key", "APP1.key-b"], Ok(KEY2)),
        ("by name", vec![a(), b()], &["--key", "Café \"x\""], Ok(KEY2)),
        ("irrevocable, but named", vec![a(), b().irrevocable()], &["--key", "key-b"], Ok(KEY2)),
        ("an ID before a name", vec![a(), c()], &["--key", "key-a"], Ok(KEY1)),
        (
            "unknown",
            vec![a(), b()],
            &["--key", "nope"],
            Err(&["--key asks for nope", "key-a (Root)", "key-b"]),
        ),
        ("another case", vec![a(), b()], &["--key", "ROOT"], Err(&["--key asks for ROOT"])),
        ("another app's", vec![a()], &["--key", "APP2.key-a"], Err(&["--key asks for APP2.key-a"])),
        (
            "disabled, but named",
            vec![a(), b().disabled()],
            &["--key", "key-b"],
            Err(&["none of the enabled keys", "key-a"]),
        ),
        (
            "ambiguous",
            vec![named(KEY1, "Twin"), named(KEY2, "Twin")],
            &["--key", "Twin"],
            Err(&["several keys", "Twin", "key-a", "key-b"]),
        ),
        (
            "of another app",
            vec![ControlKey::new("APP2.key-x:m4rker", "x")],
            &[],
            Err(&["APP2.key-x from Control API belongs to app APP2", "APP1"]),
        ),
    ];
    for (what, keys, options, expected) in rows {
        let server = server(with_keys(keys));
        let run = ask(&server, &["--app", "APP1", "--force"]).args(options).run();
        run.check(true, what);
        match expected {
            Ok(key) => used(&run, &server, key),
            Err(phrases) => refused(&run, &server, 2, phrases),
        }
    }
}

#[test]
fn of_the_accounts_apps_one_serves_or_all_are_listed() {
    let app = |id: &str, name: &str, status: &str| App {
        id: id.to_owned(),
        name: name.to_owned(),
        status: status.to_owned(),
        keys: vec![ControlKey::new(KEY1, "Root")],
    };
    type Row<'a> = (&'a str, Vec<App>, &'a [&'a str], Result<(), &'a [&'a str]>);
    let rows: Vec<Row> = vec![
        ("one", vec![app("APP1", "Shop", "enabled")], &[], Ok(())),
        (
            "one enabled",
            vec![app("APP1", "Shop", "enabled"), app("APP2", "Old", "disabled")],
            &[],
            Ok(()),
        ),
        ("none", vec![], &[], Err(&["no app that is enabled"])),
        (
            "all disabled",
            vec![app("APP1", "Shop", "disabled")],
            &[],
            Err(&["no app that is enabled"]),
        ),
        (
            "two",
            vec![app("APP1", "Shop", "enabled"), app("APP2", "Bar", "enabled")],
            &[],
            Err(&["APP1 (Shop)", "APP2 (Bar)", "--app"]),
        ),
        (
            "two of one name",
            vec![app("APP1", "Shop", "enabled"), app("APP2", "Shop", "enabled")],
            &["--app", "Shop"],
            Err(&["Shop", "APP1", "APP2", "ID"]),
        ),
        (
            "one of two of one name, by ID",
            vec![app("APP1", "Shop", "enabled"), app("APP2", "Shop", "enabled")],
            &["--app", "APP1"],
            Ok(()),
        ),
        (
            "disabled, by ID",
            vec![app("APP1", "Shop", "disabled")],
            &["--app", "APP1"],
            Err(&["APP1 (Shop) is disabled"]),
        ),
        (
            "disabled, by name",
            vec![app("APP1", "Shop", "disabled")],
            &["--app", "Shop"],
            Err(&["APP1 (Shop) is disabled"]),
        ),
        (
            "an ID before a name",
            vec![app("APP2", "APP1", "enabled"), app("APP1", "x", "enabled")],
            &["--app", "APP1"],
            Ok(()),
        ),
        (
            "unknown",
            vec![app("APP1", "Shop", "enabled")],
            &["--app", "shop"],
            Err(&["--app asks for app shop", "APP1 (Shop)"]),
        ),
    ];
    for (what, apps, options, expected) in rows {
        let server = server(Control { apps, ..Control::new(TOKEN) });
        let run = ask(&server, options).args(["--force", "-v"]).run();
        run.check(true, what);
        match expected {
            Ok(()) => used(&run, &server, KEY1),
            Err(phrases) => refused(&run, &server, 2, phrases),
        }
    }
}

#[test]
fn names_from_the_control_api_reach_no_terminal_raw() {
    let hostile = "a\u{1b}[2J\u{9b}\u{202e}b\nc";
    let apps = |name: &str| {
        Control::new(TOKEN)
            .app("APP1", name, vec![ControlKey::new(KEY1, name), ControlKey::new(KEY2, name)])
            .app("APP2", name, vec![])
    };
    let raw = |screen: &str| screen.contains(['\u{1b}', '\u{9b}', '\u{202e}']);
    let server = server(apps(hostile));
    for options in [
        &[][..],
        &["--app", "APP1"],
        &["--app", hostile],
        &["--app", "nope"],
        &["--app", "APP1", "--key", "nope"],
        &["--app", "APP1", "--key", hostile],
    ] {
        let run = ask(&server, options).args(["--force", "-v"]).run();
        refused(&run, &server, 2, &["\\u{1b}"]);
        run.check(!raw(&run.stderr), "should escape the names");
        let run = ask(&server, options).args(["--force", "--json"]).run();
        run.exits(2).says_nothing();
        let told = run.record("error");
        let lossless = text(&told, "error.message").contains(hostile);
        run.check(lossless, "should be lossless in JSON");
    }
    // The choice of an app, of a key, and the question after both.
    let mut terminal = Terminal::start(ask(&server, &[]).env("NO_COLOR", "1"));
    terminal.expect("Which one?");
    terminal.send("1\r");
    terminal.expect("Which one?");
    terminal.send("2\r");
    terminal.expect("[y/N]");
    terminal.send("n\r");
    let end = terminal.finish();
    end.exits(4).check(!raw(&end.screen), "should escape the names");
}

// Pages.

#[test]
fn pages_are_followed_to_the_end() {
    let many = || {
        let keys =
            (0..7).map(|n| ControlKey::new(&format!("APP1.key{n}:m4rker"), "x").irrevocable());
        let mut control = Control::new(TOKEN);
        for n in 2..9 {
            control = control.app(&format!("APP{n}"), "x", vec![]);
        }
        control.app("APP1", "Shop", keys.chain([ControlKey::new(KEY1, "last")]).collect())
    };
    for control in
        [many().paged(1), many().paged(3), many().paged(3).linked_absolutely(), many().paged(100)]
    {
        let server = server(control);
        used(&ask(&server, &["--app", "Shop", "--force", "-v"]).run(), &server, KEY1);
    }
}

/// Answers the list of keys in two pages, the first with this `Link`; the key is on the second.
fn in_two_pages(link: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> Ably {
    let server = server(one_key());
    server.decide(move |seen| {
        if !seen.path.starts_with("/v1/apps/APP1/keys") || seen.path.contains("cursor") {
            return Answer::Faithful;
        }
        let first = format!(
            r#"[{{"id":"key-b","name":"b","status":0,"key":"{KEY2}","revocableTokens":false}}]"#
        );
        let links = link(seen.host());
        links.iter().fold(Answer::json(200, first), |answer, link| answer.header("link", link))
    });
    server
}

#[test]
fn a_link_to_the_next_page_may_have_any_form_that_rfc_8288_allows() {
    type Form = (&'static str, fn(&str) -> Vec<String>);
    let forms: &[Form] = &[
        ("relative", |_| vec![r#"<./keys?cursor=1>; rel="next""#.to_owned()]),
        ("a query alone", |_| vec![r#"<?cursor=1>; rel="next""#.to_owned()]),
        ("a path", |_| vec!["</v1/apps/APP1/keys?cursor=1>; rel=next".to_owned()]),
        ("a whole URL", |host| {
            vec![format!(r#"<https://{host}/v1/apps/APP1/keys?cursor=1>; rel="next""#)]
        }),
        ("a comma in it", |_| vec![r#"<./keys?cursor=1,2>; rel="next""#.to_owned()]),
        ("other parameters", |_| vec![r#"<./keys?cursor=1>; title="a, b"; rel="next""#.to_owned()]),
        ("several relations", |_| vec![r#"<./keys?cursor=1>; rel="last next""#.to_owned()]),
        ("another case", |_| vec![r#"<./keys?cursor=1>; Rel="Next""#.to_owned()]),
        ("after others", |_| {
            vec![r#"<./keys>; rel="first", <./keys?cursor=1>; rel="next""#.to_owned()]
        }),
        ("a header of its own", |_| {
            vec![
                r#"<./keys>; rel="first""#.to_owned(),
                r#"<./keys?cursor=1>; rel="next""#.to_owned(),
            ]
        }),
    ];
    let mut failures = Vec::new();
    for (what, form) in forms {
        let outcome = std::panic::catch_unwind(|| {
            let server = in_two_pages(form);
            used(&ask(&server, &["--app", "APP1", "--force"]).run(), &server, KEY1);
        });
        if outcome.is_err() {
            failures.push(*what);
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn the_access_token_goes_to_no_other_host() {
    let other = Ably::start();
    other.expect_nothing();
    let port = other.endpoint();
    let forms: Vec<String> = vec![
        format!("https://{port}/v1/apps/APP1/keys?cursor=1"),
        format!("http://{port}/v1/apps/APP1/keys?cursor=1"),
        format!("//{port}/v1/apps/APP1/keys?cursor=1"),
        format!("HTTPS://{port}/v1"),
        format!("https://localhost@{port}/v1"),
        format!("https://{port}"),
        "https://control.ably.net.evil.example/v1".to_owned(),
        format!("https:\\\\{port}\\v1"),
        format!("\\\\{port}\\v1"),
    ];
    for form in forms {
        let link = format!(r#"<{form}>; rel="next""#);
        let server = in_two_pages(move |_| vec![link.clone()]);
        let run = ask(&server, &["--app", "APP1", "--force", "-v"]).run();
        hides_everything(&run);
        run.check(run.code != Some(0), &format!("should not go on without the page at {form}"));
        assert!(server.revocation_requests().is_empty());
    }
}

#[test]
fn pages_that_never_end_do() {
    let forever = server(one_key());
    forever.decide(|seen| match seen.path.split('?').next() {
        Some("/v1/apps/APP1/keys") => {
            Answer::json(200, "[]").header("link", "<?cursor=1>; rel=\"next\"")
        }
        _ => Answer::Faithful,
    });
    let run = ask(&forever, &["--app", "APP1", "--force"]).run();
    refused(&run, &forever, 1, &["Control API", "page"]);
}

#[test]
fn pages_that_never_end_stay_within_the_timeout() {
    let slow = server(one_key());
    slow.decide(|seen| match seen.path.split('?').next() {
        Some("/v1/apps/APP1/keys") => Answer::json(200, "[]")
            .header("link", &format!("<?cursor={}>; rel=\"next\"", seen.index))
            .after(Duration::from_millis(200)),
        _ => Answer::Faithful,
    });
    let start = std::time::Instant::now();
    let run = ask(&slow, &["--app", "APP1", "--force", "--timeout", "2"]).run();
    refused(&run, &slow, 1, &["Control API"]);
    run.check(start.elapsed() < Duration::from_secs(15), "should end soon after --timeout");
}

// Failures.

/// An answer to everything that is asked, what is said of it, and how often it is asked.
type Failure = (&'static str, fn() -> Answer, &'static [&'static str]);

fn failures() -> Vec<Failure> {
    vec![
        (
            "401",
            || Answer::error(401, 40100, "Access denied"),
            &[
                "Control API answered 401",
                "Access denied",
                "40100",
                "access token",
                "ably accounts login",
            ],
        ),
        (
            "403",
            || Answer::error(403, 40300, "Forbidden"),
            &["answered 403", "Forbidden", "lacks the right"],
        ),
        ("404", || Answer::error(404, 40400, "Not found"), &["answered 404", "ABLY_CONTROL_HOST"]),
        (
            "a message at the top",
            || Answer::json(422, r#"{"message":"Odd","code":42200}"#),
            &["answered 422: Odd"],
        ),
        (
            "429 for long",
            || Answer::error(429, 42910, "Slow down").header("retry-after", "3600"),
            &["answered 429", "Slow down", "3600 s"],
        ),
        ("500", || Answer::error(500, 50000, "Oops"), &["answered 500", "Oops", "later"]),
        ("503 without JSON", || Answer::plain(503, "<html>m4rker</html>"), &["answered 503"]),
        (
            "a redirect",
            || Answer::plain(302, "").header("location", "https://evil.example/"),
            &["answered 302", "redirects are never followed"],
        ),
        (
            "not JSON",
            || Answer::plain(200, "<html>m4rker"),
            &["Control API at localhost", "not JSON"],
        ),
        ("empty", || Answer::plain(200, ""), &["an empty body"]),
        ("null", || Answer::json(200, "null"), &["Control API at localhost"]),
        ("a list for an object", || Answer::json(200, "[]"), &["Control API at localhost"]),
        (
            "too much",
            || Answer::Huge { status: 200, bytes: 5 << 20, announced: true },
            &["more than 4 MiB"],
        ),
        ("too deep", || Answer::json(200, "[".repeat(100_000)), &["nested too deep"]),
        ("no text", || Answer::plain(200, b"\xff\xfem4rker".to_vec()), &["not text"]),
        ("no HTTP", || Answer::Garbage, &["Control API", "not HTTP"]),
        ("closed", || Answer::Close, &["Control API"]),
        (
            "cut short",
            || Answer::Truncated { status: 200, length: 100, body: b"[".to_vec() },
            &["Control API"],
        ),
        ("silent", || Answer::HangBeforeHeaders, &["Control API"]),
        ("204", || Answer::plain(204, ""), &["Control API", "204"]),
    ]
}

#[test]
fn every_failure_of_the_control_api_is_told_and_nothing_is_sent() {
    for (what, answer, phrases) in failures() {
        let server = server(one_key());
        server.decide(move |_| answer());
        let run = ask(&server, &["--force", "--verbose", "--timeout", "2"]).run();
        run.check(true, what);
        refused(&run, &server, 1, phrases);
        run.check(!run.stderr.contains("panicked"), "should not panic");
        let run = ask(&server, &["--force", "--verbose", "--json", "--timeout", "2"]).run();
        run.exits(1).says_nothing();
        hides_everything(&run);
        let record = run.record("error");
        assert_eq!(text(&record, "error.outcome"), "not-sent", "{what}");
        assert_eq!(number(&run.record("status"), "exitCode"), 1);
        assert!(server.revocation_requests().is_empty());
    }
}

#[test]
fn an_error_of_the_control_api_is_in_json_as_ablys_are() {
    let server = server(one_key());
    server.decide(|_| Answer::error(401, 40100, "Access denied"));
    let run = ask(&server, &["--force", "--json"]).run();
    let record = run.exits(1).record("error");
    assert_eq!((number(&record, "error.code"), number(&record, "error.statusCode")), (40100, 401));
    assert_eq!(text(&record, "error.href"), "https://help.ably.io/error/40100");
}

#[test]
fn a_rate_limit_and_a_passing_fault_are_waited_out() {
    for answer in
        [Answer::error(429, 42910, "Slow down").header("retry-after", "0"), Answer::plain(503, "")]
    {
        let server = server(one_key());
        server.script([answer]);
        used(&ask(&server, &["--force"]).run(), &server, KEY1);
    }
}

#[test]
fn an_unreachable_control_api_is_told_with_its_host() {
    let server = server(one_key());
    server.expect_nothing();
    let run = ably(REVOKE)
        .towards(&server)
        .control(&server, TOKEN)
        .env("ABLY_CONTROL_HOST", "localhost:1")
        .args(["--app", "APP1", "--force"])
        .run();
    refused(&run, &server, 1, &["Control API", "localhost:1"]);
    let run = ably(REVOKE)
        .towards(&server)
        .env("ABLY_ACCESS_TOKEN", TOKEN)
        .env("ABLY_CONTROL_HOST", "nowhere.invalid")
        .args(["--app", "APP1", "--force", "--timeout", "5"])
        .run();
    refused(&run, &server, 1, &["Control API", "nowhere.invalid"]);
}

#[test]
fn an_app_of_the_configuration_that_is_gone_is_named() {
    let server = server(one_key());
    let run = ask(&server, &["--force"]).config(&account("currentAppId = 'GONE'")).run();
    refused(&run, &server, 1, &["404", "GONE"]);
}

#[test]
fn keys_without_their_parts_are_told() {
    let rows = [
        ("a key with unknown fields alone", r#"{"id":"odd","status":0,"key":"m4rker"}"#),
        ("no object", "5"),
    ];
    for (what, entry) in rows {
        let server = server(one_key());
        server.decide(move |seen| match seen.path.as_str() {
            "/v1/apps/APP1/keys" => Answer::json(200, format!(r#"[{entry},{{"id":"key-a","name":"Root","status":0,"key":"{KEY1}","revocableTokens":true}}]"#)),
            _ => Answer::Faithful,
        });
        let run = ask(&server, &["--app", "APP1", "--force"]).run();
        run.check(true, what);
        refused(&run, &server, 1, &["Control API", "key"]);
    }
}

#[test]
fn what_the_control_api_repeats_is_not_repeated() {
    type Echo = fn(&str) -> Answer;
    let echoes: &[Echo] = &[
        |text| Answer::error(401, 40100, text),
        |text| Answer::json(403, format!(r#"{{"message":"{text}","href":"https://x/{text}"}}"#)),
        |text| {
            Answer::json(
                422,
                format!(r#"{{"error":{{"message":"no","code":1,"href":"https://x/{text}"}}}}"#),
            )
        },
        |text| Answer::plain(500, text),
        |text| Answer::plain(302, text).header("location", &format!("https://{text}/")),
        |text| Answer::error(429, 42910, text).header("retry-after", "999"),
        |text| Answer::error(403, 40300, &format!("{}{text}", "x".repeat(195))),
    ];
    for echo in echoes {
        for extra in [&["-v"][..], &["--verbose", "--json"], &["--verbose", "--pretty-json"]] {
            let echo = *echo;
            let server = server(one_key());
            server.decide(move |seen| echo(seen.header("authorization").unwrap_or_default()));
            let run = ask(&server, &["--force", "--timeout", "2"]).args(extra).run();
            run.exits(1);
            hides_everything(&run);
            run.hides(&TOKEN[..8]);
        }
    }
}

#[test]
fn a_key_of_an_earlier_page_that_a_later_one_repeats_is_not_shown() {
    let server = server(with_keys(three()).paged(1));
    server.decide(|seen| {
        if seen.path.contains("cursor=1") {
            Answer::error(403, 40300, &format!("no right to read beyond {KEY1}"))
        } else {
            Answer::Faithful
        }
    });
    for extra in [&["-v"][..], &["--verbose", "--json"]] {
        let run = ask(&server, &["--app", "APP1", "--force"]).args(extra).run();
        run.exits(1);
        hides_everything(&run);
    }
}

#[test]
fn a_stored_key_that_the_control_api_repeats_is_not_shown() {
    let server = server(one_key());
    server.decide(|_| Answer::error(403, 40300, &format!("not {KEY2}")));
    let config =
        account(&format!("currentAppId = 'APP1'\n[accounts.work.apps.APP1]\napiKey = '{KEY2}'"));
    for extra in [&["-v"][..], &["--verbose", "--json"]] {
        let run = ask(&server, &["--key", "key-a", "--force"]).config(&config).args(extra).run();
        run.exits(1);
        hides_everything(&run);
    }
}

// The choice.

#[test]
fn a_numbered_choice_leads_to_app_and_key() {
    let server = server(with_keys(three()).app("APP2", "Bar", vec![]));
    let mut terminal = Terminal::start(ask(&server, &[]));
    terminal.expect("There are 2 apps:");
    terminal.expect("1. APP1 (Shop)");
    terminal.expect("2. APP2 (Bar)");
    terminal.expect("Which one? [1-2] ");
    terminal.send("1\r");
    terminal.expect("API keys of app APP1 (Shop):");
    terminal.expect("1. key-a (Root)");
    terminal.expect("2. key-b (Twin)");
    terminal.expect("3. key-c (Twin, tokens not revocable)");
    terminal.expect("Which one? [1-3] ");
    terminal.send(" 2 \r");
    terminal.expect("key APP1.key-b from Control API");
    terminal.expect("[y/N] ");
    terminal.send("y\r");
    terminal.finish().exits(0).never_shows("m4rker");
    assert_eq!(server.revocation_requests()[0].path, "/keys/APP1.key-b/revokeTokens");
}

#[test]
fn anything_but_a_number_of_the_list_chooses_nothing() {
    for typed in [
        "0\r",
        "4\r",
        "\r",
        "\u{4}",
        "one\r",
        "key-a\r",
        "-1\r",
        "1.0\r",
        "1 2\r",
        "y\r",
        "99999999999999999999999\r",
        "١\r",
        "1,2\r",
    ] {
        let server = server(with_keys(three()));
        let mut terminal = Terminal::start(ask(&server, &["--app", "APP1"]));
        terminal.expect("Which one? [1-3] ");
        terminal.send(typed);
        let end = terminal.finish();
        end.exits(4)
            .restores()
            .shows("nothing was sent")
            .never_shows("m4rker")
            .never_shows("[y/N]");
        end.check(end.screen.matches("Which one?").count() == 1, "should ask once");
        assert!(server.revocation_requests().is_empty(), "{typed:?}");
    }
}

#[test]
fn ctrl_c_at_the_choice_dies_of_sigint() {
    let server = server(with_keys(three()));
    let mut terminal = Terminal::start(ask(&server, &["--app", "APP1"]));
    terminal.expect("Which one? [1-3] ");
    terminal.send("\u{3}");
    terminal.finish().dies_of(2).restores();
    assert!(server.revocation_requests().is_empty());
}

#[test]
fn no_choice_is_offered_where_nobody_is_to_be_asked() {
    let candidates = ["key-a (Root)", "key-b (Twin)"];
    for options in [&["--force"][..], &["--dry-run"], &["--force", "--dry-run"]] {
        let server = server(with_keys(three()));
        let end = Terminal::start(ask(&server, &["--app", "APP1"]).args(options)).finish();
        end.exits(2).never_shows("Which one?").shows(candidates[0]).shows(candidates[1]);
    }
    let server = server(with_keys(three()));
    for options in [&["--json", "--force"][..], &["--json", "--dry-run"]] {
        let end =
            Terminal::start(ask(&server, &["--app", "APP1"]).args(options).stdout_piped()).finish();
        end.exits(2).check(
            end.screen.is_empty() && candidates.iter().all(|one| end.stdout.contains(one)),
            "should list the candidates in JSON alone",
        );
    }
    // Stdin or stderr is no terminal.
    let run = ask(&server, &["--app", "APP1"]).stdin("1\ny\n").run();
    refused(&run, &server, 2, &candidates);
    let end = Terminal::start(ask(&server, &["--app", "APP1"]).stdin("1\ny\n")).finish();
    end.exits(2).never_shows("Which one?").shows(candidates[0]);
    assert!(server.revocation_requests().is_empty());
}

#[test]
fn a_stored_key_is_chosen_in_the_same_way() {
    let config = account(&format!(
        "[accounts.work.apps.APP1]\napiKey = '{KEY1}'\nappName = 'Shop'\n[accounts.work.apps.APP2]\napiKey = 'APP2.x:m4rker'"
    ));
    let server = server(one_key());
    let mut terminal = Terminal::start(ably(REVOKE).towards(&server).config(&config));
    terminal.expect("2. APP2");
    terminal.expect("Which one? [1-2] ");
    terminal.send("1\r");
    terminal.expect("key APP1.key-a from configuration (account work)");
    terminal.expect("[y/N] ");
    terminal.send("y\r");
    terminal.finish().exits(0).never_shows("m4rker");
}

#[test]
fn a_dry_run_says_that_it_asked() {
    let server = server(one_key());
    let run = ask(&server, &["--app", "Shop", "--dry-run"]).run();
    run.exits(0)
        .prints_nothing()
        .says("Control API")
        .says("APP1.key-a from Control API")
        .says("Dry run");
    hides_everything(&run);
    let run = ask(&server, &["--app", "APP1", "--dry-run"])
        .env("ABLY_API_KEY", KEY1)
        .env("ABLY_ACCESS_TOKEN", "")
        .run();
    run.exits(0).says("nothing was sent").never_says("Control API");
    let run = ask(&server, &["--app", "Shop", "--dry-run"]).env("ABLY_API_KEY", KEY1).run();
    run.exits(0).says("Control API").says("APP1.key-a from ABLY_API_KEY");
    assert!(server.revocation_requests().is_empty());
    let run = ask(&server, &["--app", "Shop", "--dry-run", "--json"]).run();
    run.exits(0);
    let asked = server.requests();
    assert!(asked.iter().all(|seen| seen.method == "GET"));
    assert_eq!(list(&run.record("result"), "request.body.targets").len(), 1);
}
