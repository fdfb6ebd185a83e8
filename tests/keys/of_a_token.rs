//! The key of a leaked token: the one that signed it, wherever it comes from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Option,
    File,
    Variable,
    FileVariable,
    Configuration,
    ControlApi,
}

/// The command with a key that comes from there.
fn keyed(program: Program, server: &Ably, from: From, key: &str) -> Program {
    let program = program.towards(server);
    let file = program.home().write("key", key);
    let app = key.split('.').next().unwrap();
    match from {
        From::Option => program.args(["--api-key", key]),
        From::File => program.arg("--api-key-file").arg(file),
        From::Variable => program.env("ABLY_API_KEY", key),
        From::FileVariable => program.env("ABLY_API_KEY_FILE", file),
        From::Configuration => program.config(&format!(
            "[current]\naccount = 'a'\n[accounts.a]\ncurrentAppId = '{app}'\n\
             [accounts.a.apps.{app}]\napiKey = '{key}'\nappName = 'Shop'\n"
        )),
        From::ControlApi => {
            let keys = vec![ControlKey::new(key, "Root")];
            server.serve_control(Control::new(ACCESS_TOKEN).app(app, "Shop", keys));
            program.control(server, ACCESS_TOKEN)
        }
    }
}

const SOURCES: [From; 6] = [
    From::Option,
    From::File,
    From::Variable,
    From::FileVariable,
    From::Configuration,
    From::ControlApi,
];

#[test]
fn the_key_that_kid_names_serves_wherever_it_comes_from() {
    let token = for_alice();
    each(&SOURCES, |from| {
        let server = Ably::start();
        let run = keyed(leaked(&token).arg("--force"), &server, *from, KEY).run();
        hides(run.exits(0).says(KEY_NAME), &token);
        assert_eq!(server.revoked()[0].target, "clientId:alice");
    });
    let server = Ably::start();
    let mut terminal = Terminal::start(leaked(&token).towards(&server).arg("--force"));
    terminal.at_the_prompt(format!("{KEY}\r"));
    terminal.finish().exits(0).shows("Ably accepted").hides_the_key().restores();
}

#[test]
fn another_key_is_refused_naming_both_and_nothing_is_sent() {
    let token = for_alice();
    let keys = [OTHER_KEY, OTHER_APPS_KEY];
    let rows: Vec<(From, &str)> =
        SOURCES.into_iter().flat_map(|from| keys.map(|key| (from, key))).collect();
    each(&rows, |(from, key)| {
        let server = Ably::start();
        if *from != From::ControlApi {
            server.expect_nothing();
        }
        let run = keyed(leaked(&token).arg("--force"), &server, *from, key).run();
        let (name, secret) = key.split_once(':').unwrap();
        let row = format!("{from:?}, {name}");
        run.check(run.code == Some(2), &row);
        let of_other_app = *key == OTHER_APPS_KEY;
        match from {
            // A key that is stored for another app is none of the token's app.
            From::Configuration if of_other_app => run.says(KEY_NAME).says("APP1"),
            From::ControlApi if of_other_app => run.says(KEY_NAME),
            From::ControlApi => run.says(KEY_NAME).says("key2"),
            _ => run.says(KEY_NAME).says(name),
        };
        run.hides(secret);
        hides(&run, &token);
        assert!(server.revocation_requests().is_empty());
    });
    for key in keys {
        let server = Ably::unreached();
        let mut terminal = Terminal::start(leaked(&token).towards(&server));
        terminal.at_the_prompt(format!("{key}\r"));
        let (name, secret) = key.split_once(':').unwrap();
        terminal.finish().exits(2).shows(KEY_NAME).shows(name).never_shows(secret).restores();
    }
}

/// At three in the morning nobody should have to decode the token to learn which key to fetch.
#[test]
fn where_there_is_no_key_the_one_that_is_needed_is_named() {
    let server = Ably::unreached();
    let run = leaked(for_alice()).towards(&server).run();
    run.exits(2).says("the token was signed with key APP1.key1").says("no API key");
}

#[test]
fn the_prompt_says_which_key_it_wants() {
    let server = Ably::unreached();
    let mut terminal = Terminal::start(leaked(for_alice()).towards(&server));
    terminal.at_the_prompt("\r");
    let end = terminal.finish();
    end.exits(2).restores();
    let asked = end.screen.lines().find(|line| line.contains("not shown"));
    end.check(asked.is_some_and(|line| line.contains(KEY_NAME)), "the prompt should name the key");
}

/// One key is asked for where nothing else is amiss: else it is told what is.
#[test]
fn no_key_is_asked_for_where_one_would_not_do() {
    let key2 = r#"{"alg":"HS256","kid":"APP1.key2"}"#;
    let two = format!("{} {}", for_alice(), jwt(key2, &payload(ALICE)));
    let broken = account("[accounts.work.apps.APP1]\napiKey = 'broken'");
    for (program, told) in [
        (leaked(&two), "the tokens were signed with keys APP1.key1, APP1.key2"),
        (leaked(for_alice()).env("ABLY_API_KEY", OTHER_KEY), "APP1.key2"),
        (leaked(for_alice()).config(&broken), "cannot be used"),
    ] {
        let server = Ably::unreached();
        let end = Terminal::start(program.towards(&server)).finish();
        end.exits(2).shows(told).never_shows("not shown");
    }
    let server = Ably::unreached();
    let program = leaked(&two).towards(&server).env("ABLY_API_KEY", KEY);
    let mut terminal = Terminal::start(program);
    terminal.answer("[y/N]", "n\r");
    terminal.finish().exits(4).shows("APP1.key2, which is not at hand").never_shows("not shown");
}

#[test]
fn among_the_keys_of_the_control_api_the_signer_is_taken() {
    let token = for_alice();
    let server = Ably::start();
    let keys = vec![
        ControlKey::new(OTHER_KEY, "Root"),
        ControlKey::new("APP1.key3:third-s3cret", "key1"),
        ControlKey::new(KEY, "Servers").irrevocable(),
    ];
    server.serve_control(
        Control::new(ACCESS_TOKEN)
            .app("APP2", "APP1", vec![ControlKey::new(OTHER_APPS_KEY, "Root")])
            .app("APP1", "Shop", keys),
    );
    let base = || leaked(&token).towards(&server).control(&server, ACCESS_TOKEN).arg("--force");
    hides(base().run().exits(0).says("key APP1.key1 from Control API"), &token);
    let run = base().arg("-v").run();
    run.exits(0).says("app APP1 (Shop), key APP1.key1 from Control API");
    base().args(["--app", "Shop"]).run().exits(0);
    // The configuration has another key of the same app; that is no hindrance.
    let config = format!(
        "[current]\naccount = 'a'\n[accounts.a]\ncurrentAppId = 'APP2'\n[accounts.a.apps.APP1]\napiKey = '{OTHER_KEY}'\n"
    );
    base().config(&config).run().exits(0).says("key APP1.key1 from Control API");
    // The token's app, not the one that the configuration has selected.
    let config = config.replace(OTHER_KEY, KEY);
    let from_config = leaked(&token).towards(&server).arg("--force").config(&config).run();
    from_config.exits(0).says("key APP1.key1 from configuration");
    for seen in server.requests().iter().filter(|seen| is_of_control(&seen.path)) {
        assert_eq!(seen.bearer().as_deref(), Some(ACCESS_TOKEN));
    }
    let before = server.revocation_requests().len();
    base().args(["--app", "APP2"]).run().exits(2).says("APP2").says(KEY_NAME);
    base().env("ABLY_APP_ID", "APP2").run().exits(2).says("APP2").says(KEY_NAME);
    let gone = jwt(r#"{"kid":"APP1.key9"}"#, &payload(ALICE));
    let run = leaked(&gone).towards(&server).control(&server, ACCESS_TOKEN).arg("--force").run();
    run.exits(2).says("APP1.key9").says("key1").says("key2");
    assert_eq!(server.revocation_requests().len(), before);
}

#[test]
fn an_app_that_is_not_the_tokens_is_refused() {
    let server = Ably::start();
    let token = for_alice();
    leaked(&token).against(&server).args(["--force", "--app", "APP1"]).run().exits(0);
    let sent = server.request_count();
    let by_option = leaked(&token).against(&server).args(["--force", "--app", "APP2"]).run();
    hides(by_option.exits(2).says("APP1").says("--app asks for app APP2"), &token);
    let by_variable =
        leaked(&token).against(&server).arg("--force").env("ABLY_APP_ID", "APP2").run();
    by_variable.exits(2).says("ABLY_APP_ID asks for app APP2");
    assert_eq!(server.request_count(), sent);
}

/// A key, and a token that it signed, is sent to its own account's hosts and to no other's.
#[test]
fn keys_of_two_accounts_go_each_to_their_own_endpoint() {
    let server = Ably::start();
    server.add_key(STORED2);
    let config = account(&format!(
        "endpoint = 'acme'\ncurrentAppId = 'APP2'\n[accounts.work.apps.APP2]\napiKey = '{STORED2}'"
    ));
    let own = for_alice();
    let others = jwt(r#"{"kid":"APP2.stored2"}"#, &payload(r#","x-ably-clientId":"erin""#));
    let of = |host: &str| -> Vec<String> {
        let seen = server.requests();
        let here = seen.iter().filter(|seen| seen.host() == host);
        here.map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    };
    let text = format!("{own}\n{others}\n");
    let program = leaked(&text).connected_to(&server).keyed().config(&config);
    let run = program.args(["--force", "--verify"]).run();
    run.check(run.code.is_some_and(|code| code == 0 || code == 5), "revoked");
    let (main, acme) = (of("main.realtime.ably.net"), of("acme.realtime.ably.net"));
    let posts = |all: &[String]| -> Vec<String> {
        all.iter().filter(|line| line.starts_with("POST")).cloned().collect()
    };
    assert_eq!(posts(&main), ["POST /keys/APP1.key1/revokeTokens"], "{run}");
    assert_eq!(posts(&acme), ["POST /keys/APP2.stored2/revokeTokens"], "{run}");
    for seen in server.requests().iter().filter(|seen| seen.method == "GET") {
        let token = seen.bearer().unwrap();
        let is_own = token == STANDARD.encode(&own);
        assert_eq!(
            seen.host(),
            if is_own { "main.realtime.ably.net" } else { "acme.realtime.ably.net" }
        );
    }
    let question = leaked(&text).connected_to(&server).keyed().config(&config).stdin("n\n").run();
    question
        .exits(4)
        .says("Endpoint acme for key APP2.stored2")
        .says("key APP1.key1 from ABLY_API_KEY");
}
