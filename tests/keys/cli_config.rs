//! The full Ably CLI's configuration. Its forms are in the unit tests of `cli_config`: here is
//! what becomes of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::*;

const ACME: &str = "acme.realtime.ably.net";
const MAIN: &str = "main.realtime.ably.net";

/// An app of the configuration.
fn app(id: &str, key: &str, name: &str) -> String {
    format!("[accounts.work.apps.{id}]\napiKey = '{key}'\nappName = '{name}'\n")
}

fn session(expires: impl ToString) -> String {
    let expires = expires.to_string();
    let account = account("oauthSessionKey = 's'");
    format!(
        "{account}[oauthSessions.s]\naccessToken = '{STORED_TOKEN}'\naccessTokenExpiresAt = {expires}\n"
    )
}

/// What it is, the configuration, `ABLY_ACCESS_TOKEN`, options, and either the key that serves
/// with its source, or what is said.
type Row = (
    &'static str,
    String,
    Option<&'static str>,
    &'static [&'static str],
    Result<(&'static str, &'static str), &'static [&'static str]>,
);

#[test]
#[rustfmt::skip] // a table: one row a line
fn what_the_configuration_holds_decides_app_and_key() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let swapped = account(&(app("APP1", STORED1, "APP2") + &app("APP2", STORED2, "APP1")));
    let twins = account(&(app("APP1", STORED1, "Shop") + &app("APP2", STORED2, "Shop")));
    let foreign = account(&format!("currentAppId = 'APP1'\n{}", app("APP1", STORED2, "Shop")));
    let named = |name: &str| {
        let escaped: String = name.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
        account(&format!("[accounts.work.apps.APP1]\napiKey = '{STORED1}'\nappName = \"{escaped}\""))
    };
    let broken = |key: &str| account(&format!("currentAppId = 'APP1'\n{}", app("APP1", key, "x")));
    let stored_session = stored().replace("currentAppId", "oauthSessionKey = 's'\ncurrentAppId");
    let own_token = account(&format!("accessToken = '{STORED_TOKEN}'"));
    let gone = "[current]\naccount = 'gone'\n";
    let by_control = Ok((CONTROL1, BY_CONTROL));
    let by_config = Ok((STORED1, BY_CONFIGURATION));
    const OF_APP2: &[&str] = &["APP2.stored2", "belongs to app APP2", "APP1 (Shop)"];
    const NO_KEY: &[&str] = &["the API key of app APP1 (x) from configuration (account work)"];
    const EXPIRED: &[&str] = &["account work", "has expired", "ably accounts login", "ABLY_ACCESS_TOKEN"];
    const APP1: &[&str] = &["--app", "APP1"];
    let rows: Vec<Row> = vec![
        ("an ID before a name", swapped.clone(), None, APP1, by_config),
        ("the same, the other way round", swapped, None, &["--app", "APP2"], Ok((STORED2, BY_CONFIGURATION))),
        ("two apps of one name", twins, None, &["--app", "Shop"], Err(&["--app", "Shop", "APP1", "APP2"])),
        ("a key of another app", foreign.clone(), None, &[], Err(OF_APP2)),
        ("a key of another app than --app by ID", foreign.clone(), None, APP1, Err(OF_APP2)),
        ("a key of another app than --app by name", foreign, None, &["--app", "Shop"], Err(OF_APP2)),
        ("no key", broken("m4rker"), None, &[], Err(NO_KEY)),
        ("white space in a key", broken("APP1.stored1:m4 rker"), None, &[], Err(NO_KEY)),
        ("one key, no app selected", account(&(app("APP1", STORED1, "y") + "[accounts.work.apps.APP9]\nappName = 'x'")), None, &[], by_config),
        ("two keys, no app selected", stored().replace("currentAppId = 'APP1'\n", ""), None, &[], Err(&["several apps", "APP1 (Shop)", "APP2 (Café \"Zoë\")", "--app"])),
        ("a name that is a blank", named(" "), None, &["--app= "], by_config),
        ("a quoted name", named("\"it's\""), None, &["--app=\"it's\""], by_config),
        ("a name like a key", named("APP1.key1"), None, &["--app=APP1.key1"], by_config),
        ("a name like an ID", named("APP2"), None, &["--app=APP2"], by_config),
        ("a name like an option", named("--force"), None, &["--app=--force"], by_config),
        ("a name of the world", named("日本語"), None, &["--app=日本語"], by_config),
        ("a hostile name", named("tab\tand\u{1b}[2J\u{202e}"), None, &["--app=tab\tand\u{1b}[2J\u{202e}"], by_config),
        ("a name of two lines", named("line\nfeed"), None, &["--app=line\nfeed"], by_config),
        ("BOM and CRLF", format!("\u{feff}{}", stored().replace('\n', "\r\n")), None, &[], by_config),
        ("2 MiB", format!("# {}\n{}", "x".repeat(2 << 20), stored()), None, &[], by_config),
        ("no account selected", "[accounts.work]\n".into(), None, &[], Err(&["no API key", "selects no account", "(there is work)"])),
        ("no account selected, an access token", "[accounts.work]\n".into(), Some(TOKEN), APP1, by_control),
        ("an account that is gone", format!("{gone}[accounts.'pl\\u001bay']\n"), None, &[], Err(&["no API key", "selects no account"])),
        ("an account that is gone, an access token", gone.into(), Some(TOKEN), APP1, by_control),
        ("an expired session", session(now - 1000), None, APP1, Err(EXPIRED)),
        ("a session that expired long ago", session(1), None, APP1, Err(EXPIRED)),
        ("a session that is gone", account("oauthSessionKey = 's'"), None, APP1, Err(&["account work", "log in with the full Ably CLI"])),
        ("an expired session, an access token", session(now - 1000), Some(TOKEN), APP1, by_control),
        ("a session that is gone, an access token", account("oauthSessionKey = 's'"), Some(TOKEN), APP1, by_control),
        ("a session that lasts", session(now + 3_600_000), None, APP1, by_control),
        ("a session without an end", session(0), None, APP1, by_control),
        ("an expired session beside a stored key", format!("{stored_session}\n[oauthSessions.s]\naccessToken = '{STORED_TOKEN}'\naccessTokenExpiresAt = 1\n"), None, &[], by_config),
        ("a stored access token", own_token.clone(), None, APP1, by_control),
        ("a stored one beside an empty one", own_token.clone(), Some(""), APP1, by_control),
        ("a stored one beside another", own_token, Some(TOKEN), APP1, by_control),
    ];
    each(&rows, |(_, config, access, options, expected)| {
        let server = account_server();
        let sent = access.filter(|access| !access.is_empty()).unwrap_or(STORED_TOKEN);
        server.serve_control(Control { access_token: sent.to_owned(), ..control() });
        let program = |format: &str| {
            let program = alice().towards(&server).config(config).args(*options).args(["--force", format]);
            let program = program.env("ABLY_CONTROL_HOST", server.endpoint());
            access.iter().fold(program, |program, access| program.env("ABLY_ACCESS_TOKEN", access)).run()
        };
        match expected {
            Ok((key, source)) => {
                served(&program("--json"), &server, key, source);
                is_harmless(program("-v").exits(0));
            }
            Err(phrases) => {
                server.expect_nothing();
                refused(program("-v").hides("m4 rker"), &server, 2, phrases);
            }
        }
    });
}

#[test]
fn an_app_by_name_is_told_by_name_and_id() {
    let server = account_server();
    let zoe = alice().towards(&server).config(&stored()).args(["--app", "Café \"Zoë\""]);
    let from = "key APP2.stored2 from configuration (account work)";
    zoe.stdin("y\n").run().exits(0).says("APP2").says("Café \"Zoë\"").says(from);
    let far = alice().towards(&server).control(&server, TOKEN).args(["--app", "APP3", "--dry-run"]);
    far.run().exits(0).says("APP3 (Far away)").says("key APP3.control3 from Control API");
}

fn with_config_folder(set: impl Fn(&Path), program: Program) -> Program {
    let folder = program.home().file(".ably");
    fs::create_dir(&folder).unwrap();
    set(&folder.join("config"));
    program
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error_only_where_it_is_needed() {
    type Broken = (&'static str, fn(&Path), &'static [&'static str]);
    #[rustfmt::skip] // a table: one row a line
    let broken: &[Broken] = &[
        ("no TOML", |path| fs::write(path, "[current]\naccount = 'm4rker\n").unwrap(), &[".ably/config line 2", "not TOML"]),
        ("a wrong type", |path| fs::write(path, account("currentAppId = 5")).unwrap(), &[".ably/config line 4", "currentAppId must be a string"]),
        ("a loop", |path| symlink(path, path).unwrap(), &["cannot read"]),
        ("a pipe", |path| make_fifo(path), &["it is not a regular file"]),
    ];
    each(broken, |(_, set, phrases)| {
        let program = |server: &Ably| with_config_folder(set, alice().towards(server));
        let server = unreached_account();
        refused(&program(&server).arg("--force").run(), &server, 2, phrases);
        let run = program(&server).args(["--force", "--json"]).run();
        hides_everything(run.exits(2).says_nothing());
        let server = account_server();
        for app in [&[][..], &["--app", "APP1"]] {
            let program = || program(&server).args(app).arg("--force");
            program().args(["--api-key", OPTION]).run().exits(0);
            program().env("ABLY_API_KEY", VARIABLE).run().exits(0);
        }
    });
}

#[test]
fn an_absent_configuration_is_no_error_of_its_own() {
    let server = unreached_account();
    let nowhere = |path: &Path| symlink("/nowhere/at/all", path).unwrap();
    for program in [
        alice(),
        alice().env_remove("HOME"),
        alice().env("HOME", ""),
        alice().env("ABLY_CLI_CONFIG_DIR", "/nowhere/at/all"),
        with_config_folder(nowhere, alice()),
        alice().config(""),
    ] {
        let run = program.towards(&server).arg("--force").run();
        refused(&run, &server, 2, &["no API key", "ABLY_API_KEY", "--api-key-file"]);
    }
}

#[test]
fn the_folder_of_the_configuration_may_be_another() {
    let (server, folder) = (account_server(), Folder::new());
    folder.write("config", stored());
    for program in [
        alice().env("ABLY_CLI_CONFIG_DIR", folder.path()),
        alice().env_remove("HOME").env("ABLY_CLI_CONFIG_DIR", folder.path()),
        alice().config("malformed").env("ABLY_CLI_CONFIG_DIR", folder.path()),
        alice().config(&stored()).env("ABLY_CLI_CONFIG_DIR", ""),
    ] {
        program.towards(&server).args(["--force", "-v"]).run().exits(0).says("APP1.stored1");
    }
}

#[test]
fn the_accounts_endpoint_serves_its_own_key_alone() {
    let config =
        stored().replace("currentAppId", "endpoint = 'acme'\naccessToken = 'm4rker'\ncurrentAppId");
    let own = account(&format!("endpoint = 'acme'\naccessToken = '{STORED_TOKEN}'"));
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a str);
    #[rustfmt::skip] // a table: one row a line
    let rows: &[Row] = &[
        ("its key", &config, &[], &[], ACME),
        ("its key, by --app", &config, &[], &["--app", "APP2"], ACME),
        ("its own access token", &own, &[], &["--app", "APP3"], ACME),
        ("--endpoint", &config, &[], &["--endpoint", "main"], MAIN),
        ("ABLY_ENDPOINT", &config, &[("ABLY_ENDPOINT", "main")], &[], MAIN),
        ("both", &config, &[("ABLY_ENDPOINT", "nonprod:sandbox")], &["--endpoint", "main"], MAIN),
        ("an empty ABLY_ENDPOINT", &config, &[("ABLY_ENDPOINT", "")], &[], ACME),
        ("another's key", &config, &[("ABLY_API_KEY", VARIABLE)], &[], MAIN),
        ("--api-key", &config, &[], &["--api-key", OPTION], MAIN),
        ("another's access token", &config, &[("ABLY_ACCESS_TOKEN", TOKEN)], &["--app", "APP3"], MAIN),
    ];
    for (what, config, variables, options, host) in rows {
        let server = account_server();
        if *config == own {
            server.serve_control(Control { access_token: STORED_TOKEN.to_owned(), ..control() });
        }
        let program = alice().connected_to(&server).config(config).args(*options);
        let program =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        let run = program.args(["--force", "-v"]).run();
        run.exits(0).hides(STORED_TOKEN);
        let to = server.revocation_requests()[0].host().to_owned();
        run.check(to == *host, &format!("{what}: should go to {host}, not {to}"));
    }
    let server = account_server();
    alice().connected_to(&server).config(&config).stdin("y\n").run().exits(0).says("Endpoint acme");
    let server = unreached_account();
    let config = stored().replace("currentAppId", "endpoint = 'https://m4rker@x/'\ncurrentAppId");
    let run = alice().connected_to(&server).config(&config).arg("--force").run();
    refused(&run, &server, 2, &[".ably/config line 4: accounts.work.endpoint is a URL"]);
}

#[test]
fn the_running_commentary_says_where_the_endpoint_comes_from() {
    let config = stored().replace("currentAppId", "endpoint = 'acme'\ncurrentAppId");
    let server = account_server();
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let rows: [Row; 4] = [
        (&["--endpoint", "main"], &[("ABLY_ENDPOINT", "acme")], "endpoint main from --endpoint"),
        (
            &[],
            &[("ABLY_ENDPOINT", "nonprod:sandbox")],
            "endpoint nonprod:sandbox from ABLY_ENDPOINT",
        ),
        (&[], &[], "endpoint acme from configuration (account work)"),
        (&[], &[("ABLY_API_KEY", VARIABLE)], "endpoint main by default"),
    ];
    for (options, variables, told) in rows {
        let program = alice().connected_to(&server).config(&config).args(options).arg("--force");
        let program =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        program.arg("-v").run().exits(0).says(&format!("[http] {told}\n"));
    }
}

/// The full CLI's newer fields are honoured, or refused in words with their line, where they would
/// be used. The forms are in the unit tests of `cli_config`.
#[test]
fn port_and_tls_belong_to_the_endpoint_of_the_account() {
    let lines = |lines: &str| stored().replace("currentAppId", &format!("{lines}\ncurrentAppId"));
    let server = account_server();
    let here = lines(&format!("endpoint = 'localhost'\nport = {}\ntls = true", server.port()));
    let run = alice().trusting(&server).config(&here).args(["--force", "-v"]).run();
    run.exits(0).says(&format!("host localhost:{}", server.port()));
    for (config, told) in [
        (lines("endpoint = 'localhost'\ntls = false"), "line 5: accounts.work.tls is false"),
        (lines("port = 8443"), "line 4: accounts.work.port needs an endpoint"),
        (
            lines("endpoint = 'h.example'\nport = 'm4rker'"),
            "line 5: accounts.work.port must be a port, 1 to 65535",
        ),
        (
            lines("endpoint = 'h.example'\nport = 65536"),
            "line 5: accounts.work.port must be a port, 1 to 65535",
        ),
        (
            lines("endpoint = 'acme'\nport = 8443"),
            "line 4: accounts.work.endpoint is a routing policy",
        ),
    ] {
        let unreached = unreached_account();
        let run = alice().connected_to(&unreached).config(&config).arg("--force").run();
        refused(&run, &unreached, 2, &[".ably/config", told]);
        // Where the account's endpoint does not serve, its flaw is none of the run's.
        let program = || alice().config(&config).arg("--force");
        program().towards(&server).run().exits(0).says("APP1.stored1");
        program().connected_to(&server).env("ABLY_API_KEY", VARIABLE).run().exits(0);
    }
}

#[test]
fn a_control_url_names_host_and_path_of_the_control_api() {
    let server = account_server();
    let run = |lines: &str, variables: &[(&str, &str)]| {
        let program = alice().connected_to(&server).args(["--app", "Far away", "--force"]);
        let program = program.config(&account(lines)).env("ABLY_ACCESS_TOKEN", TOKEN);
        variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run()
    };
    let url = "controlUrl = 'https://gateway.realtime.ably.net/gateway/ably/'";
    let both = format!("{url}\ncontrolHost = '{ACME}'");
    let host = [("ABLY_CONTROL_HOST", "control-eu.realtime.ably.net")];
    for (lines, variables, asked) in [
        (url, &[][..], "gateway.realtime.ably.net/gateway/ably/"),
        (&*both, &[], "gateway.realtime.ably.net/gateway/ably/"),
        (&*both, &host, "control-eu.realtime.ably.net/v1/"),
        ("controlUrl = 'https://control.realtime.ably.net'", &[], "control.realtime.ably.net/v1/"),
        ("controlHost = 'ops.realtime.ably.net'", &[], "ops.realtime.ably.net/api/v1/"),
        ("controlHost = 'controls.realtime.ably.net'", &[], "controls.realtime.ably.net/api/v1/"),
        ("", &[], "control.ably.net/v1/"),
    ] {
        let before = server.request_count();
        run(lines, variables).exits(0).says("APP3.control3 from Control API");
        let mut seen = server.requests().split_off(before);
        seen.retain(|seen| is_of_control(&seen.path));
        assert_eq!(seen.len(), 3);
        let all =
            seen.iter().all(|seen| format!("{}{}", seen.host(), seen.path).starts_with(asked));
        assert!(all, "{asked}: {seen:#?}");
    }
    let plain = run("controlUrl = 'http://m4rker@gateway.example/'", &[]);
    plain
        .exits(2)
        .hides("m4rker")
        .says("line 4: accounts.work.controlUrl must begin with https://");
}

/// Where the Control API cannot be asked.
#[test]
fn with_apps_of_its_own_the_configuration_needs_no_control_api() {
    let server = account_server();
    let run = |lines: &str| {
        let program = revoke_alice().towards(&server).config(&account(lines));
        program.env("ABLY_ACCESS_TOKEN", TOKEN).env("ABLY_CONTROL_HOST", "no host").run()
    };
    refused(&run(""), &server, 2, &["ABLY_CONTROL_HOST"]);
    let one = format!("[accounts.work.apps.APP1]\napiKey = '{STORED1}'");
    run(&one).exits(0).says("key APP1.stored1 from configuration");
    let two = format!("{one}\n[accounts.work.apps.APP2]\napiKey = '{STORED2}'");
    run(&two).exits(2).says("several apps have a key in the configuration");
}

#[test]
fn the_control_host_of_the_environment_beats_the_accounts() {
    let run = |server: &Ably, configured: &str, variable: &str| {
        let program = alice().connected_to(server).args(["--app", "APP1", "--force"]);
        let program = program.config(&account(configured)).env("ABLY_ACCESS_TOKEN", TOKEN);
        program.env("ABLY_CONTROL_HOST", variable).run()
    };
    let acme = format!("controlHost = '{ACME}'");
    for (configured, variable, host) in
        [("", "", "control.ably.net"), (&acme, MAIN, MAIN), (&acme, "", ACME)]
    {
        let server = account_server();
        run(&server, configured, variable).exits(0);
        let mut asked = server.requests();
        asked.retain(|seen| is_of_control(&seen.path));
        assert!(asked.iter().all(|seen| seen.host() == host), "{host}: {asked:#?}");
    }
    let server = unreached_account();
    for (bad, phrase) in [
        ("https://x/m4rker", "is not a host"),
        ("control", "is not a host"),
        ("a b.c", "white space"),
    ] {
        refused(&run(&server, "", bad), &server, 2, &["ABLY_CONTROL_HOST", phrase]);
        let configured = format!("controlHost = '{bad}'");
        refused(&run(&server, &configured, ""), &server, 2, &["controlHost", phrase]);
    }
}

#[test]
fn with_a_key_at_hand_only_a_name_to_look_up_opens_the_configuration() {
    let server = account_server();
    let with = |config: &str| {
        let program = alice().towards(&server).config(config).env("ABLY_API_KEY", VARIABLE);
        program.args(["--app", "Shop", "--force"]).run()
    };
    with(&stored()).exits(0).says("app APP1 (Shop)");
    // A key at hand is none the worse for a configuration that cannot be read.
    with("not TOML").exits(2).says("belongs to app APP1, but --app asks for app Shop");
}
