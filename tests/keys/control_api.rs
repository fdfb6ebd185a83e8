//! Ably's Control API as a source of apps and keys: what it lists, how it fails, and what it must
//! never be sent or make the program show.

use std::time::Duration;

use crate::support::*;

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
    #[rustfmt::skip] // a table: one row a line
    let rows: Vec<Row> = vec![
        ("one", vec![a()], &[], Ok(KEY1)),
        ("one revocable among others", vec![a().irrevocable(), b(), c().irrevocable()], &[], Ok(KEY2)),
        ("one enabled", vec![a().disabled(), b(), c().disabled()], &[], Ok(KEY2)),
        ("none", vec![], &[], Err(&["app APP1 (Shop) has no API key", "dashboard"])),
        ("all disabled", vec![a().disabled(), b().disabled()], &[], Err(&["has no API key that is enabled"])),
        ("none revocable", vec![a().irrevocable()], &[], Err(&["no key with revocable tokens", "key-a (Root", "enable revocable tokens"])),
        ("several revocable", vec![a(), b(), c().irrevocable()], &[], Err(&["several keys with revocable tokens", "key-a (Root)", "key-b (Café \"x\")", "--key"])),
        ("by ID", vec![a(), b()], &["--key", "key-b"], Ok(KEY2)),
        ("by full name", vec![a(), b()], &["--key", "APP1.key-b"], Ok(KEY2)),
        ("by name", vec![a(), b()], &["--key", "Café \"x\""], Ok(KEY2)),
        ("irrevocable, but named", vec![a(), b().irrevocable()], &["--key", "key-b"], Ok(KEY2)),
        ("an ID before a name", vec![a(), c()], &["--key", "key-a"], Ok(KEY1)),
        ("unknown", vec![a(), b()], &["--key", "nope"], Err(&["--key asks for nope", "key-a (Root)", "key-b"])),
        ("another case", vec![a(), b()], &["--key", "ROOT"], Err(&["--key asks for ROOT"])),
        ("another app's", vec![a()], &["--key", "APP2.key-a"], Err(&["--key asks for APP2.key-a"])),
        ("disabled, but named", vec![a(), b().disabled()], &["--key", "key-b"], Err(&["none of the enabled keys", "key-a"])),
        ("ambiguous", vec![named(KEY1, "Twin"), named(KEY2, "Twin")], &["--key", "Twin"], Err(&["several keys", "Twin", "key-a", "key-b"])),
        ("of another app", vec![ControlKey::new("APP2.key-x:m4rker", "x")], &[], Err(&["APP2.key-x from Control API belongs to app APP2", "APP1"])),
    ];
    for (_, keys, options, expected) in rows {
        let server = serving(with_keys(keys));
        let run = ask(&server, &["--app", "APP1", "--force"]).args(options).run();
        match expected {
            Ok(key) => used(&run, &server, key),
            Err(phrases) => refused(&run, &server, 2, phrases),
        }
    }
}

/// A key that is known not to revoke is used where it is named, and an error names those that can.
#[test]
fn what_is_known_of_a_key_is_said() {
    let keys = || vec![ControlKey::new(KEY1, "Root"), ControlKey::new(KEY2, "Two")];
    let server = serving(with_keys(vec![
        ControlKey::new(KEY1, "Root"),
        ControlKey::new(KEY3, "Old").irrevocable(),
    ]));
    let run = ask(&server, &["--app", "APP1", "--key", "Old", "--force"]).run();
    run.exits(0).says("warning: key APP1.key-c has no revocable tokens");
    let mut three = keys();
    three.push(ControlKey::new(KEY3, "Old").irrevocable());
    let server = serving(with_keys(three));
    let run = ask(&server, &["--app", "APP1", "--force"]).run();
    run.exits(2).says("several keys").says("key-a (Root)").says("key-b (Two)").says("--all-keys");
    run.never_says("key-c");
    // After a choice by name the others that can revoke are known.
    let run = ask(&server, &["--app", "APP1", "--key", "Two", "--force"]).run();
    run.exits(0).says("hint: ").says("APP1.key-a from Control API").never_says("APP1.key-c");
}

#[test]
fn of_the_accounts_apps_one_serves_or_all_are_listed() {
    let app = |id: &str, name: &str, status: &str| {
        let [id, name, status] = [id, name, status].map(str::to_owned);
        App { id, name, status, keys: vec![ControlKey::new(KEY1, "Root")] }
    };
    type Row<'a> = (&'a str, Vec<App>, &'a [&'a str], Result<(), &'a [&'a str]>);
    #[rustfmt::skip] // a table: one row a line
    let rows: Vec<Row> = vec![
        ("one", vec![app("APP1", "Shop", "enabled")], &[], Ok(())),
        ("one enabled", vec![app("APP1", "Shop", "enabled"), app("APP2", "Old", "disabled")], &[], Ok(())),
        ("none", vec![], &[], Err(&["no app that is enabled"])),
        ("all disabled", vec![app("APP1", "Shop", "disabled")], &[], Err(&["no app that is enabled"])),
        ("two", vec![app("APP1", "Shop", "enabled"), app("APP2", "Bar", "enabled")], &[], Err(&["APP1 (Shop)", "APP2 (Bar)", "--app"])),
        ("two of one name", vec![app("APP1", "Shop", "enabled"), app("APP2", "Shop", "enabled")], &["--app", "Shop"], Err(&["Shop", "APP1", "APP2", "ID"])),
        ("one of two of one name, by ID", vec![app("APP1", "Shop", "enabled"), app("APP2", "Shop", "enabled")], &["--app", "APP1"], Ok(())),
        ("an ID before a name", vec![app("APP2", "APP1", "enabled"), app("APP1", "x", "enabled")], &["--app", "APP1"], Ok(())),
        ("unknown", vec![app("APP1", "Shop", "enabled")], &["--app", "shop"], Err(&["--app asks for app shop", "APP1 (Shop)"])),
    ];
    for (_, apps, options, expected) in rows {
        let server = serving(Control { apps, ..Control::new(TOKEN) });
        let run = ask(&server, options).args(["--force", "-v"]).run();
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
    let server = serving(apps(hostile));
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
    terminal.answer("Which one?", "1\r");
    terminal.answer("Which one?", "2\r");
    terminal.answer("[y/N]", "n\r");
    let end = terminal.finish();
    end.exits(4).check(!raw(&end.screen), "should escape the names");
}

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
        let server = serving(control);
        used(&ask(&server, &["--app", "Shop", "--force", "-v"]).run(), &server, KEY1);
    }
}

/// Answers the list of keys in two pages, the first with this `Link`; the key is on the second.
fn in_two_pages(link: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> Ably {
    let server = serving(one_key());
    server.decide(move |seen| {
        if !seen.path.starts_with("/api/v1/apps/APP1/keys") || seen.path.contains("cursor") {
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
fn a_link_to_the_next_page_is_followed() {
    type Form = (&'static str, fn(&str) -> Vec<String>);
    #[rustfmt::skip] // a table: one row a line
    let forms: &[Form] = &[
        ("relative", |_| vec![r#"<./keys?cursor=1>; rel="next""#.to_owned()]),
        ("a whole URL", |host| vec![format!(r#"<https://{host}/api/v1/apps/APP1/keys?cursor=1>; rel="next""#)]),
        ("a header of its own", |_| vec![r#"<./keys>; rel="first""#.to_owned(), r#"<./keys?cursor=1>; rel="next""#.to_owned()]),
    ];
    for (_, form) in forms {
        let server = in_two_pages(form);
        used(&ask(&server, &["--app", "APP1", "--force"]).run(), &server, KEY1);
    }
}

#[test]
fn the_access_token_goes_to_no_other_host() {
    let other = Ably::unreached();
    let port = other.endpoint();
    let forms: Vec<String> = vec![
        format!("https://{port}/api/v1/apps/APP1/keys?cursor=1"),
        format!("http://{port}/api/v1/apps/APP1/keys?cursor=1"),
        format!("//{port}/api/v1/apps/APP1/keys?cursor=1"),
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
    let forever = serving(one_key());
    forever.decide(|seen| match seen.path.split('?').next() {
        Some("/api/v1/apps/APP1/keys") => {
            Answer::json(200, "[]").header("link", "<?cursor=1>; rel=\"next\"")
        }
        _ => Answer::Faithful,
    });
    let run = ask(&forever, &["--app", "APP1", "--force"]).run();
    refused(&run, &forever, 1, &["Control API", "page"]);
}

#[test]
fn pages_that_never_end_stay_within_the_timeout() {
    let slow = serving(one_key());
    slow.decide(|seen| match seen.path.split('?').next() {
        Some("/api/v1/apps/APP1/keys") => Answer::json(200, "[]")
            .header("link", &format!("<?cursor={}>; rel=\"next\"", seen.index))
            .after(Duration::from_millis(200)),
        _ => Answer::Faithful,
    });
    let start = std::time::Instant::now();
    let run = ask(&slow, &["--app", "APP1", "--force", "--timeout", "2"]).run();
    refused(&run, &slow, 1, &["Control API"]);
    run.check(start.elapsed() < Duration::from_secs(15), "should end soon after --timeout");
}

/// An answer to everything that is asked, what is said of it, and how often it is asked.
type Failure = (&'static str, fn() -> Answer, &'static [&'static str]);

#[rustfmt::skip] // a table: one row a line
fn failures() -> Vec<Failure> {
    vec![
        ("401", || Answer::error(401, 40100, "Access denied"), &["Control API answered 401", "Access denied", "40100", "access token", "ably accounts login"]),
        ("403", || Answer::error(403, 40300, "Forbidden"), &["answered 403", "Forbidden", "lacks the right"]),
        ("404", || Answer::error(404, 40400, "Not found"), &["answered 404", "ABLY_CONTROL_HOST"]),
        ("a message at the top", || Answer::json(422, r#"{"message":"Odd","code":42200}"#), &["answered 422: Odd"]),
        ("429 for long", || Answer::error(429, 42910, "Slow down").header("retry-after", "3600"), &["answered 429", "Slow down", "3600 s"]),
        ("500", || Answer::error(500, 50000, "Oops"), &["answered 500", "Oops", "later"]),
        ("503 without JSON", || Answer::plain(503, "<html>m4rker</html>"), &["answered 503"]),
        ("a redirect", || Answer::plain(302, "").header("location", "https://evil.example/"), &["answered 302", "redirects are never followed"]),
        ("not JSON", || Answer::plain(200, "<html>m4rker"), &["Control API at localhost", "a web page"]),
        ("empty", || Answer::plain(200, ""), &["an empty body"]),
        ("null", || Answer::json(200, "null"), &["Control API at localhost"]),
        ("a list for an object", || Answer::json(200, "[]"), &["Control API at localhost"]),
        ("too much", || Answer::Huge { status: 200, bytes: 5 << 20, announced: true }, &["more than 4 MiB"]),
        ("too deep", || Answer::json(200, "[".repeat(100_000)), &["not JSON"]),
        ("no text", || Answer::plain(200, b"\xff\xfem4rker".to_vec()), &["not JSON"]),
        ("no HTTP", || Answer::Garbage, &["Control API", "not HTTP"]),
        ("closed", || Answer::Close, &["Control API"]),
        ("cut short", || Answer::Truncated { status: 200, length: 100, body: b"[".to_vec() }, &["Control API"]),
        ("silent", || Answer::HangBeforeHeaders, &["Control API"]),
        ("204", || Answer::plain(204, ""), &["Control API", "204"]),
    ]
}

#[test]
fn every_failure_of_the_control_api_is_told_and_nothing_is_sent() {
    for (what, answer, phrases) in failures() {
        let server = serving(one_key());
        server.decide(move |_| answer());
        let run = ask(&server, &["--force", "--verbose", "--timeout", "2"]).run();
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
    let server = serving(one_key());
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
        let server = serving(one_key());
        server.script([answer]);
        used(&ask(&server, &["--force"]).run(), &server, KEY1);
    }
}

#[test]
fn an_unreachable_control_api_is_told_with_its_host() {
    let server = serving(one_key());
    server.expect_nothing();
    for host in ["localhost:1", "nowhere.invalid"] {
        let program = ask(&server, &["--app", "APP1", "--force", "--timeout", "5"]);
        refused(&program.env("ABLY_CONTROL_HOST", host).run(), &server, 1, &["Control API", host]);
    }
}

#[test]
fn an_app_of_the_configuration_that_is_gone_is_named() {
    let server = serving(one_key());
    let run = ask(&server, &["--force"]).config(&account("currentAppId = 'GONE'")).run();
    refused(&run, &server, 1, &["404", "GONE"]);
}

#[test]
fn keys_without_their_parts_are_told() {
    for entry in [r#"{"id":"odd","status":0,"key":"m4rker"}"#, "5"] {
        let server = serving(one_key());
        server.decide(move |seen| match seen.path.as_str() {
                "/api/v1/apps/APP1/keys" => Answer::json(200, format!(r#"[{entry},{{"id":"key-a","name":"Root","status":0,"key":"{KEY1}","revocableTokens":true}}]"#)),
                _ => Answer::Faithful,
            });
        let run = ask(&server, &["--app", "APP1", "--force"]).run();
        refused(&run, &server, 1, &["Control API", "key"]);
    }
}

#[test]
fn what_the_control_api_repeats_is_not_repeated() {
    type Echo = fn(&str) -> Answer;
    #[rustfmt::skip] // a table: one row a line
    let echoes: &[Echo] = &[
        |text| Answer::error(401, 40100, text),
        |text| Answer::json(403, format!(r#"{{"message":"{text}","href":"https://x/{text}"}}"#)),
        |text| { Answer::json(422, format!(r#"{{"error":{{"message":"no","code":1,"href":"https://x/{text}"}}}}"#)) },
        |text| Answer::plain(500, text),
        |text| Answer::plain(302, text).header("location", &format!("https://{text}/")),
        |text| Answer::error(429, 42910, text).header("retry-after", "999"),
        |text| Answer::error(403, 40300, &format!("{}{text}", "x".repeat(195))),
    ];
    for echo in echoes {
        for extra in [&["-v"][..], &["--verbose", "--json"], &["--verbose", "--pretty-json"]] {
            let echo = *echo;
            let server = serving(one_key());
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
    let server = serving(with_keys(three()).paged(1));
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
    let server = serving(one_key());
    server.decide(|_| Answer::error(403, 40300, &format!("not {KEY2}")));
    let config =
        account(&format!("currentAppId = 'APP1'\n[accounts.work.apps.APP1]\napiKey = '{KEY2}'"));
    for extra in [&["-v"][..], &["--verbose", "--json"]] {
        let run = ask(&server, &["--key", "key-a", "--force"]).config(&config).args(extra).run();
        run.exits(1);
        hides_everything(&run);
    }
}

#[test]
fn a_dry_run_says_that_it_asked() {
    let server = serving(one_key());
    let run = ask(&server, &["--app", "Shop", "--dry-run"]).run();
    run.exits(0).prints_nothing().says("Control API").says("APP1.key-a from Control API");
    run.says("Dry run");
    hides_everything(&run);
    let program = ask(&server, &["--app", "APP1", "--dry-run"]).env("ABLY_API_KEY", KEY1);
    let run = program.env("ABLY_ACCESS_TOKEN", "").run();
    run.exits(0).says("nothing was sent").never_says("Control API");
    let run = ask(&server, &["--app", "Shop", "--dry-run"]).env("ABLY_API_KEY", KEY1).run();
    run.exits(0).says("Control API").says("APP1.key-a from ABLY_API_KEY");
    assert!(server.revocation_requests().is_empty());
    let run = ask(&server, &["--app", "Shop", "--dry-run", "--json"]).run();
    run.exits(0);
    let asked = server.requests();
    assert!(asked.iter().all(|seen| seen.method == "GET"));
    assert_eq!(text(&run.record("result"), "request.keyName"), "APP1.key-a");
    assert_eq!(list(&run.record("result"), "request.body.targets").len(), 1);
}

#[test]
fn an_access_token_that_no_header_can_hold_is_told_by_its_source() {
    let server = unreached_account();
    let program = alice().towards(&server).control(&server, "m4rker\u{1}");
    let run = program.args(["--app", "APP1", "--force"]).run();
    refused(&run, &server, 2, &["ABLY_ACCESS_TOKEN"]);
}
