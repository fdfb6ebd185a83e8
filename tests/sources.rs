//! Which key serves and for which app: every pair of sources that could conflict, the full CLI's
//! configuration in all its states, and the choice on a terminal. `control_api` goes on from here.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{Ably, Control, ControlKey, Folder, Program, Run, Terminal, ably, flag, text};

pub(crate) const REVOKE: [&str; 4] = ["auth", "revoke-token", "--client-id", "alice"];
/// An access token: a text to look for wherever no secret may be.
pub(crate) const TOKEN: &str = "acc3ss-m4rker-51d0";
const STORED_TOKEN: &str = "st0red-m4rker-77aa";

/// Keys by where they are found; each has a secret of its own.
const OPTION: &str = "APP1.option:s3cr3t-m4rker-opt";
const FILE: &str = "APP1.file:s3cr3t-m4rker-fil";
const VARIABLE: &str = "APP1.variable:s3cr3t-m4rker-var";
const VARIABLE_FILE: &str = "APP1.varfile:s3cr3t-m4rker-vfl";
const STORED1: &str = "APP1.stored1:s3cr3t-m4rker-st1";
const STORED2: &str = "APP2.stored2:s3cr3t-m4rker-st2";
const CONTROL1: &str = "APP1.control1:s3cr3t-m4rker-co1";
const CONTROL2: &str = "APP2.control2:s3cr3t-m4rker-co2";
const CONTROL3: &str = "APP3.control3:s3cr3t-m4rker-co3";
const PROMPT: &str = "APP1.prompt:s3cr3t-m4rker-pro";
const KEYS: [&str; 10] =
    [OPTION, FILE, VARIABLE, VARIABLE_FILE, STORED1, STORED2, CONTROL1, CONTROL2, CONTROL3, PROMPT];

/// Two apps with a key each, the first selected, and one without.
fn stored() -> String {
    account(&format!(
        "currentAppId = 'APP1'
[accounts.work.apps.APP1]
apiKey = '{STORED1}'
appName = 'Shop'
keyId = 'APP1.stored1'
keyName = 'Root'
[accounts.work.apps.APP2]
apiKey = '{STORED2}'
appName = 'Café \"Zoë\"'
[accounts.work.apps.APP9]
appName = 'Keyless'"
    ))
}

/// A configuration whose current account holds these lines.
pub(crate) fn account(lines: &str) -> String {
    format!("[current]\naccount = 'work'\n[accounts.work]\n{lines}\n")
}

fn control() -> Control {
    Control::new(TOKEN)
        .app("APP1", "Shop", vec![ControlKey::new(CONTROL1, "Root")])
        .app("APP2", "Café \"Zoë\"", vec![ControlKey::new(CONTROL2, "Root")])
        .app("APP3", "Far away", vec![ControlKey::new(CONTROL3, "Root")])
}

/// A stand-in that knows all keys and is the Control API too.
fn server() -> Ably {
    let server = Ably::start();
    KEYS.iter().for_each(|key| server.add_key(key));
    server.serve_control(control());
    server
}

#[track_caller]
pub(crate) fn hides_everything(run: &Run) {
    for secret in KEYS.iter().filter_map(|key| key.split(':').nth(1)) {
        run.hides(secret);
    }
    run.hides(TOKEN).hides(STORED_TOKEN).hides("m4rker");
}

/// One thing that is set.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Set {
    Option,
    File,
    Variable,
    VariableFile,
    Stored,
    Token,
    /// `--app`.
    App(&'static str),
    /// `ABLY_APP_ID`.
    AppVariable(&'static str),
    /// `--key`.
    Key(&'static str),
    /// A variable that is set but empty.
    Empty(&'static str),
    /// A variable, to something.
    Other(&'static str, &'static str),
}

use Set::*;

impl Set {
    fn on(self, program: Program, server: &Ably, folder: &Folder) -> Program {
        match self {
            Option => program.args(["--api-key", OPTION]),
            File => program.arg("--api-key-file").arg(folder.write("key", FILE)),
            Variable => program.env("ABLY_API_KEY", VARIABLE),
            VariableFile => {
                program.env("ABLY_API_KEY_FILE", folder.write("variable", VARIABLE_FILE))
            }
            Stored => program.config(&stored()),
            Token => program.control(server, TOKEN),
            App(app) => program.args(["--app", app]),
            AppVariable(app) => program.env("ABLY_APP_ID", app),
            Key(key) => program.args(["--key", key]),
            Empty(name) => program.env(name, ""),
            Other(name, value) => program.env(name, value),
        }
    }

    /// The key that this alone leads to, and `keySource` as scripts know it.
    fn leads_to(self, folder: &Folder) -> (&'static str, String) {
        let named = |by: &str, file| format!("{by} {}", folder.file(file).display());
        match self {
            Option => (OPTION, "--api-key".to_owned()),
            File => (FILE, named("--api-key-file", "key")),
            Variable => (VARIABLE, "ABLY_API_KEY".to_owned()),
            VariableFile => (VARIABLE_FILE, named("ABLY_API_KEY_FILE", "variable")),
            Stored => (STORED1, "configuration (account work)".to_owned()),
            Token => (CONTROL1, "Control API".to_owned()),
            other => panic!("{other:?} is no source"),
        }
    }
}

fn program(set: &[Set], server: &Ably, folder: &Folder) -> Program {
    let program = ably(REVOKE).towards(server);
    set.iter().fold(program, |program, set| set.on(program, server, folder))
}

/// It revoked, once, with this key, and said so in JSON.
#[track_caller]
fn served(run: &Run, server: &Ably, key: &str, source: &str) {
    let (name, secret) = key.split_once(':').unwrap();
    run.exits(0).says_nothing();
    hides_everything(run);
    let record = run.record("result");
    let told = ["app", "keyName", "keySource"]
        .map(|field| text(&record, &format!("revocation.{field}")).to_owned());
    let expected = [name.split_once('.').unwrap().0, name, source];
    run.check(told == expected, &format!("should say {expected:?}, not {told:?}"));
    let sent = server.revocation_requests();
    let last = sent.last().map(|seen| (seen.path.clone(), seen.basic()));
    let path = format!("/keys/{name}/revokeTokens");
    let expected = Some((path, Some((name.to_owned(), secret.to_owned()))));
    run.check(last == expected, &format!("should send {expected:?}, not {last:?}"));
}

/// It ended here and nothing was revoked.
#[track_caller]
pub(crate) fn refused(run: &Run, server: &Ably, code: i32, phrases: &[&str]) {
    run.exits(code).prints_nothing();
    hides_everything(run);
    phrases.iter().for_each(|phrase| {
        run.says(phrase);
    });
    let sent = server.revocation_requests().len();
    run.check(sent == 0, "should revoke nothing");
}

#[test]
fn of_any_two_sources_the_earlier_serves() {
    let order = [Option, File, Variable, VariableFile, Stored, Token];
    for (n, first) in order.into_iter().enumerate() {
        for second in order.into_iter().skip(n) {
            if first == second && matches!(first, Option | File) {
                // An option twice is a usage error.
                continue;
            }
            let (server, folder) = (server(), Folder::new());
            // The Control API alone does not know which app is meant.
            let app = if first == Token { Some(App("APP1")) } else { None };
            let set: Vec<Set> = [first, second].into_iter().chain(app).collect();
            if (first, second) == (Option, File) {
                server.expect_nothing();
                let run = program(&set, &server, &folder).arg("--force").run();
                refused(
                    &run,
                    &server,
                    2,
                    &["--api-key and --api-key-file cannot be used together"],
                );
                continue;
            }
            let run = program(&set, &server, &folder).args(["--force", "--json"]).run();
            let (key, source) = first.leads_to(&folder);
            served(&run, &server, key, &source);
            let asked = server.requests().iter().any(|seen| seen.path.starts_with("/v1/"));
            run.check(asked == (first == Token), "should ask the Control API only where it serves");
        }
    }
}

#[test]
fn wherever_a_key_is_found_none_is_asked_for() {
    for source in [Option, File, Variable, VariableFile, Stored, Token] {
        let (server, folder) = (server(), Folder::new());
        let app = if source == Token { Some(App("APP1")) } else { None };
        let set: Vec<Set> = [source].into_iter().chain(app).collect();
        let terminal = Terminal::start(program(&set, &server, &folder).arg("--force"));
        let (key, source) = source.leads_to(&folder);
        let name = key.split(':').next().unwrap();
        terminal
            .finish()
            .exits(0)
            .never_shows("not shown")
            .shows(&format!("key {name} from {source}"))
            .never_shows("m4rker");
    }
}

#[test]
fn the_prompt_is_the_last_source() {
    for (set, code) in [
        (&[][..], 0),
        (&[App("APP1")], 0),
        (&[AppVariable("APP1")], 0),
        (&[App("APP2")], 2),
        (&[App("Shop")], 2),
        (&[Empty("ABLY_API_KEY")], 0),
        (&[Key("prompt")], 0),
        (&[Key("other")], 2),
    ] {
        let (server, folder) = (server(), Folder::new());
        if code != 0 {
            server.expect_nothing();
        }
        let mut terminal = Terminal::start(program(set, &server, &folder).arg("--force"));
        terminal.expect("Ably API key (not shown): ");
        terminal.expect_hidden();
        terminal.send(format!("{PROMPT}\r"));
        let end = terminal.finish();
        end.exits(code).restores().never_shows("m4rker");
        if code == 0 {
            end.shows("key APP1.prompt from the hidden prompt");
        }
    }
}

#[test]
fn the_prompts_app_may_be_named_by_the_configuration() {
    let server = server();
    let config = account("[accounts.work.apps.APP1]\nappName = 'Shop'");
    let program = ably(REVOKE).towards(&server).config(&config);
    let mut terminal = Terminal::start(program.args(["--app", "Shop", "--force"]));
    terminal.expect("Ably API key (not shown): ");
    terminal.expect_hidden();
    terminal.send(format!("{PROMPT}\r"));
    terminal.finish().exits(0).shows("APP1");
}

/// What is set, and either the key that serves with its source, or the exit code and what is said.
type Row = (&'static [Set], Result<(&'static str, &'static str), (i32, &'static [&'static str])>);

const BY_CONFIGURATION: &str = "configuration (account work)";
const BY_CONTROL: &str = "Control API";
const BY_VARIABLE: &str = "ABLY_API_KEY";

#[test]
fn what_is_set_decides_app_and_key() {
    let rows: &[Row] = &[
        // An app by ID, by name; by option and by variable; against the selection.
        (&[Stored], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, App("APP2")], Ok((STORED2, BY_CONFIGURATION))),
        (&[Stored, App("Café \"Zoë\"")], Ok((STORED2, BY_CONFIGURATION))),
        (&[Stored, AppVariable("APP2")], Ok((STORED2, BY_CONFIGURATION))),
        (&[Stored, AppVariable("Café \"Zoë\"")], Ok((STORED2, BY_CONFIGURATION))),
        (&[Stored, App("APP1"), AppVariable("APP2")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, App("Shop"), AppVariable("nonsense")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Empty("ABLY_APP_ID")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, App("shop")], Err((2, &["no API key", "shop"]))),
        (&[Stored, App("Shop ")], Err((2, &["no API key", "Shop "]))),
        (&[Stored, App("app1")], Err((2, &["no API key", "app1"]))),
        (&[Stored, App("Keyless")], Err((2, &["APP9 (Keyless)", "ABLY_ACCESS_TOKEN"]))),
        // The configuration knows the app, the Control API the key; or the reverse is true.
        (&[Stored, Token], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Token, App("Shop")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Token, App("Far away")], Ok((CONTROL3, BY_CONTROL))),
        (&[Stored, Token, App("APP3")], Ok((CONTROL3, BY_CONTROL))),
        (&[Stored, Token, AppVariable("Far away")], Ok((CONTROL3, BY_CONTROL))),
        (&[Stored, Token, Key("control1")], Ok((CONTROL1, BY_CONTROL))),
        (&[Stored, Token, Key("APP1.control1")], Ok((CONTROL1, BY_CONTROL))),
        (&[Stored, Token, Key("stored1")], Ok((STORED1, BY_CONFIGURATION))),
        (
            &[Stored, Token, App("nowhere")],
            Err((2, &["--app asks for app nowhere", "APP1 (Shop)", "APP3 (Far away)"])),
        ),
        (&[Stored, Token, AppVariable("nowhere")], Err((2, &["ABLY_APP_ID asks for app nowhere"]))),
        (&[Token, App("Shop")], Ok((CONTROL1, BY_CONTROL))),
        (&[Token, AppVariable("APP2")], Ok((CONTROL2, BY_CONTROL))),
        (&[Token, App("APP2"), AppVariable("APP1")], Ok((CONTROL2, BY_CONTROL))),
        (
            &[Token],
            Err((
                2,
                &["the account has several apps", "APP1 (Shop)", "APP2 (Café \"Zoë\")", "--app"],
            )),
        ),
        // --key with a configured key.
        (&[Stored, Key("stored1")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Key("APP1.stored1")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Key("Root")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Key("root")], Err((2, &["no API key", "root"]))),
        (&[Stored, Key("APP2.stored2")], Err((2, &["no API key"]))),
        // --key and --app against a key that was handed over.
        (&[Variable, Key("variable")], Ok((VARIABLE, BY_VARIABLE))),
        (&[Variable, Key("APP1.variable")], Ok((VARIABLE, BY_VARIABLE))),
        (
            &[Variable, Key("other")],
            Err((2, &["--key asks for other", "ABLY_API_KEY is APP1.variable"])),
        ),
        (&[Option, Key("other")], Err((2, &["--key asks for other", "--api-key is APP1.option"]))),
        (&[Variable, App("APP1")], Ok((VARIABLE, BY_VARIABLE))),
        (&[Variable, App("APP1"), AppVariable("APP2")], Ok((VARIABLE, BY_VARIABLE))),
        (
            &[Variable, AppVariable("APP2")],
            Err((2, &["belongs to app APP1", "ABLY_APP_ID asks for app APP2"])),
        ),
        (
            &[Variable, App("APP2"), AppVariable("APP1")],
            Err((2, &["belongs to app APP1", "--app asks for app APP2"])),
        ),
        (&[Option, App("APP2")], Err((2, &["APP1.option from --api-key belongs to app APP1"]))),
        (
            &[VariableFile, App("APP2")],
            Err((2, &["APP1.varfile from ABLY_API_KEY_FILE", "--app asks for app APP2"])),
        ),
        (&[File, App("APP2")], Err((2, &["APP1.file from --api-key-file"]))),
        (&[Variable, Token, App("Shop")], Ok((VARIABLE, BY_VARIABLE))),
        (
            &[Variable, Token, App("Far away")],
            Err((2, &["belongs to app APP1", "APP3 (Far away)"])),
        ),
        (
            &[Variable, Token, App("nowhere")],
            Err((2, &["--app asks for app nowhere", "APP1 (Shop)"])),
        ),
        // The selection of the configuration is no match for the key's own app.
        (&[Variable, Stored], Ok((VARIABLE, BY_VARIABLE))),
        // What is set but empty, and what cannot revoke.
        (
            &[Empty("ABLY_API_KEY"), Empty("ABLY_API_KEY_FILE"), Stored],
            Ok((STORED1, BY_CONFIGURATION)),
        ),
        (
            &[Stored, App("Keyless"), Empty("ABLY_ACCESS_TOKEN")],
            Err((2, &["ABLY_ACCESS_TOKEN is set but empty"])),
        ),
        (&[Empty("ABLY_API_KEY")], Err((2, &["no API key: ABLY_API_KEY is set but empty"]))),
        (&[Other("ABLY_TOKEN", "APP1.m4rker")], Err((2, &["a token cannot revoke", "40162"]))),
        (&[Other("ABLY_TOKEN", "APP1.m4rker"), Stored], Ok((STORED1, BY_CONFIGURATION))),
        (
            &[],
            Err((
                2,
                &[
                    "no API key",
                    "ABLY_API_KEY",
                    "--api-key-file",
                    "ABLY_API_KEY_FILE",
                    "ABLY_ACCESS_TOKEN",
                    "full Ably CLI",
                ],
            )),
        ),
    ];
    let mut failures = Vec::new();
    for (set, expected) in rows {
        let outcome = std::panic::catch_unwind(|| {
            let (server, folder) = (server(), Folder::new());
            match expected {
                Ok((key, source)) => {
                    let run = program(set, &server, &folder).args(["--force", "--json"]).run();
                    served(&run, &server, key, source);
                }
                Err((code, phrases)) => {
                    if !set.contains(&Token) {
                        server.expect_nothing();
                    }
                    let run = program(set, &server, &folder).args(["--force", "-v"]).run();
                    refused(&run, &server, *code, phrases);
                }
            }
        });
        if outcome.is_err() {
            failures.push(format!("{set:?}"));
        }
    }
    assert!(failures.is_empty(), "of {} rows these failed: {failures:#?}", rows.len());
}

#[test]
fn an_app_by_name_is_told_by_name_and_id() {
    let server = server();
    let run = ably(REVOKE)
        .towards(&server)
        .config(&stored())
        .args(["--app", "Café \"Zoë\""])
        .stdin("y\n")
        .run();
    run.exits(0)
        .says("APP2")
        .says("Café \"Zoë\"")
        .says("key APP2.stored2 from configuration (account work)");
    let run = ably(REVOKE)
        .towards(&server)
        .control(&server, TOKEN)
        .args(["--app", "APP3", "--dry-run"])
        .run();
    run.exits(0).says("APP3").says("Far away").says("key APP3.control3 from Control API");
}

#[test]
fn verbose_says_what_named_the_app() {
    let server = server();
    for (set, told) in [
        (&[Stored][..], "the configuration"),
        (&[Stored, App("Shop")], "--app"),
        (&[Stored, AppVariable("Shop")], "ABLY_APP_ID"),
        (&[Variable], "the key"),
    ] {
        let folder = Folder::new();
        let run = program(set, &server, &folder).args(["--force", "--verbose"]).run();
        run.exits(0).says(&format!("[auth] the app is named by {told}"));
        hides_everything(&run);
        let run = program(set, &server, &folder).args(["--force", "--verbose", "--json"]).run();
        run.exits(0).says_nothing().prints(told);
        hides_everything(&run);
    }
}

#[test]
fn a_name_may_look_like_anything() {
    let names = [
        "a b",
        " ",
        "it's",
        "\"quoted\"",
        "日本語",
        "APP1.key1",
        "APP2",
        "--force",
        "tab\tand\u{1b}[2J\u{202e}",
        "line\nfeed",
    ];
    for name in names {
        let server = server();
        let escaped: String = name.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
        let config = account(&format!(
            "[accounts.work.apps.APP1]\napiKey = '{STORED1}'\nappName = \"{escaped}\""
        ));
        let option = format!("--app={name}");
        let run = ably(REVOKE)
            .towards(&server)
            .config(&config)
            .arg(&option)
            .args(["--force", "--json"])
            .run();
        served(&run, &server, STORED1, BY_CONFIGURATION);
        let run = ably(REVOKE)
            .towards(&server)
            .config(&config)
            .arg(&option)
            .args(["--force", "-v"])
            .run();
        run.exits(0);
        let raw = run.stderr.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        run.check(raw.is_none(), "should escape the name");
    }
}

#[test]
fn an_id_goes_before_a_name() {
    let config = account(&format!(
        "[accounts.work.apps.APP1]\napiKey = '{STORED1}'\nappName = 'APP2'
[accounts.work.apps.APP2]\napiKey = '{STORED2}'\nappName = 'APP1'"
    ));
    for (app, key) in [("APP1", STORED1), ("APP2", STORED2)] {
        let server = server();
        let run = ably(REVOKE)
            .towards(&server)
            .config(&config)
            .args(["--app", app, "--force", "--json"])
            .run();
        served(&run, &server, key, BY_CONFIGURATION);
    }
}

#[test]
fn two_configured_apps_of_one_name_are_listed() {
    let server = server();
    server.expect_nothing();
    let config = account(&format!(
        "[accounts.work.apps.APP1]\napiKey = '{STORED1}'\nappName = 'Shop'
[accounts.work.apps.APP2]\napiKey = '{STORED2}'\nappName = 'Shop'"
    ));
    let run =
        ably(REVOKE).towards(&server).config(&config).args(["--app", "Shop", "--force"]).run();
    refused(&run, &server, 2, &["--app", "Shop", "APP1", "APP2"]);
}

#[test]
fn a_configured_key_of_another_app_is_refused() {
    let server = server();
    server.expect_nothing();
    let config = account(&format!(
        "currentAppId = 'APP1'\n[accounts.work.apps.APP1]\napiKey = '{STORED2}'\nappName = 'Shop'"
    ));
    for app in [&[][..], &["--app", "APP1"], &["--app", "Shop"]] {
        let run = ably(REVOKE).towards(&server).config(&config).args(app).arg("--force").run();
        refused(&run, &server, 2, &["APP2.stored2", "belongs to app APP2", "APP1 (Shop)"]);
    }
}

#[test]
fn a_configured_key_that_is_none_is_told_without_its_parts() {
    let server = server();
    server.expect_nothing();
    for bad in ["m4rker", "APP1.m4rker", "APP1:m4rker", "APP1.stored1:m4 rker"] {
        let config =
            account(&format!("currentAppId = 'APP1'\n[accounts.work.apps.APP1]\napiKey = '{bad}'"));
        let run = ably(REVOKE).towards(&server).config(&config).args(["--force", "-v"]).run();
        refused(&run, &server, 2, &["the API key of app APP1 from configuration (account work)"]);
        run.hides("m4 rker");
    }
}

#[test]
fn without_a_selected_app_the_only_configured_key_serves() {
    let server = server();
    let one = account(&format!(
        "[accounts.work.apps.APP1]\napiKey = '{STORED1}'\n[accounts.work.apps.APP9]\nappName = 'x'"
    ));
    let run = ably(REVOKE).towards(&server).config(&one).args(["--force", "--json"]).run();
    served(&run, &server, STORED1, BY_CONFIGURATION);
    let server = self::server();
    server.expect_nothing();
    let two = stored().replace("currentAppId = 'APP1'\n", "");
    let run = ably(REVOKE).towards(&server).config(&two).arg("--force").run();
    refused(&run, &server, 2, &["several apps", "APP1 (Shop)", "APP2 (Café \"Zoë\")", "--app"]);
}

// The configuration's file.

fn with_config_folder(set: impl Fn(&Path), program: Program) -> Program {
    let folder = program.home().file(".ably");
    fs::create_dir(&folder).unwrap();
    set(&folder.join("config"));
    program
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error_only_where_it_is_needed() {
    type Broken = (&'static str, fn(&Path), &'static [&'static str]);
    let broken: &[Broken] = &[
        (
            "no TOML",
            |path| fs::write(path, "[current]\naccount = 'm4rker\n").unwrap(),
            &[".ably/config line 2", "not TOML"],
        ),
        (
            "a wrong type",
            |path| fs::write(path, account("currentAppId = 5")).unwrap(),
            &[".ably/config line 4", "currentAppId must be a string"],
        ),
        ("no text", |path| fs::write(path, b"\n\n\xff").unwrap(), &["config line 3", "not UTF-8"]),
        ("a folder", |path| fs::create_dir(path).unwrap(), &[".ably/config", "it is a folder"]),
        ("a device", |path| symlink("/dev/zero", path).unwrap(), &["it is not a regular file"]),
        ("a loop", |path| symlink(path, path).unwrap(), &["cannot read"]),
        (
            "a pipe",
            |path| {
                assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success())
            },
            &["it is not a regular file"],
        ),
        (
            "too large",
            |path| fs::write(path, format!("#{}", "x".repeat(5 << 20))).unwrap(),
            &["larger than 4 MiB"],
        ),
    ];
    for (what, set, phrases) in broken {
        let server = server();
        server.expect_nothing();
        let run = with_config_folder(set, ably(REVOKE).towards(&server).arg("--force")).run();
        run.check(true, what);
        refused(&run, &server, 2, phrases);
        let run =
            with_config_folder(set, ably(REVOKE).towards(&server).args(["--force", "--json"]))
                .run();
        run.exits(2).says_nothing();
        hides_everything(&run);
        let server = self::server();
        for app in [&[][..], &["--app", "APP1"]] {
            let given = with_config_folder(
                set,
                ably(REVOKE).towards(&server).args(app).args(["--api-key", OPTION]),
            );
            given.arg("--force").run().exits(0);
            let given = with_config_folder(
                set,
                ably(REVOKE).towards(&server).args(app).env("ABLY_API_KEY", VARIABLE),
            );
            given.arg("--force").run().exits(0);
        }
    }
}

#[test]
fn a_run_with_a_key_at_hand_never_opens_the_configuration() {
    let strace = Path::new("/usr/bin/strace");
    if !strace.exists() {
        return;
    }
    let binary =
        std::env::var_os("ABLY_BIN").or(option_env!("CARGO_BIN_EXE_ably").map(Into::into)).unwrap();
    let server = server();
    let folder = Folder::new();
    let traced = |set: &[Set], extra: &[&str]| {
        let log = folder.file("trace");
        let program = Program::at(strace)
            .args(["-f", "-e", "trace=%file", "-o"])
            .arg(&log)
            .arg(&binary)
            .args(REVOKE);
        let program = program.towards(&server).config(&stored()).args(extra).arg("--force");
        let run = set.iter().fold(program, |program, set| set.on(program, &server, &folder)).run();
        run.exits(0);
        folder.read("trace").contains(".ably")
    };
    assert!(traced(&[], &[]), "where it is needed it is opened, and strace sees it");
    for source in [Option, File, Variable, VariableFile] {
        assert!(!traced(&[source], &[]), "{source:?}");
        assert!(!traced(&[source, App("APP1")], &["-v"]), "{source:?}");
    }
}

#[test]
fn odd_configurations_that_are_fine() {
    let server = server();
    let large = format!("# {}\n{}", "x".repeat(2 << 20), stored());
    for config in [format!("\u{feff}{}", stored()), stored().replace('\n', "\r\n"), large] {
        ably(REVOKE)
            .towards(&server)
            .config(&config)
            .arg("--force")
            .run()
            .exits(0)
            .says("key APP1.stored1");
    }
}

#[test]
fn an_absent_configuration_is_no_error_of_its_own() {
    let server = server();
    server.expect_nothing();
    let nowhere = |path: &Path| symlink("/nowhere/at/all", path).unwrap();
    let programs = [
        ("absent", ably(REVOKE)),
        ("no home", ably(REVOKE).env_remove("HOME")),
        ("an empty home", ably(REVOKE).env("HOME", "")),
        ("a home that is not there", ably(REVOKE).env("HOME", "/nowhere/at/all")),
        (
            "another folder that is not there",
            ably(REVOKE).env("ABLY_CLI_CONFIG_DIR", "/nowhere/at/all"),
        ),
        ("a dangling link", with_config_folder(nowhere, ably(REVOKE))),
        ("an empty file", ably(REVOKE).config("")),
    ];
    for (what, program) in programs {
        let run = program.towards(&server).arg("--force").run();
        run.check(true, what);
        refused(&run, &server, 2, &["no API key", "ABLY_API_KEY", "--api-key-file"]);
    }
}

#[test]
fn the_folder_of_the_configuration_may_be_another() {
    let server = server();
    let folder = Folder::new();
    folder.write("config", stored());
    let elsewhere = |program: Program| program.towards(&server).args(["--force", "-v"]).run();
    elsewhere(ably(REVOKE).env("ABLY_CLI_CONFIG_DIR", folder.path())).exits(0).says("APP1.stored1");
    let no_home = ably(REVOKE).env_remove("HOME").env("ABLY_CLI_CONFIG_DIR", folder.path());
    elsewhere(no_home).exits(0);
    let before_home = ably(REVOKE).config("malformed").env("ABLY_CLI_CONFIG_DIR", folder.path());
    elsewhere(before_home).exits(0);
    let empty = ably(REVOKE).config(&stored()).env("ABLY_CLI_CONFIG_DIR", "");
    elsewhere(empty).exits(0).says("APP1.stored1");
}

#[test]
fn an_account_that_is_missing_is_told_where_it_is_needed() {
    for (config, phrase) in [
        ("[accounts.work]\n", "selects no account (there is work)"),
        (
            "[current]\naccount = 'gone'\n[accounts.work]\n[accounts.'pl\\u001bay']\n",
            "has no account gone, which it selects",
        ),
        ("[current]\naccount = 'gone'\n", "has no account gone"),
    ] {
        let server = server();
        server.expect_nothing();
        let run = ably(REVOKE).towards(&server).config(config).arg("--force").run();
        refused(&run, &server, 2, &["no API key", phrase]);
        let server = self::server();
        let run = ably(REVOKE)
            .towards(&server)
            .config(config)
            .control(&server, TOKEN)
            .args(["--app", "Shop", "--force", "--json"])
            .run();
        served(&run, &server, CONTROL1, BY_CONTROL);
    }
}

#[test]
fn nothing_is_written_and_no_folder_is_made() {
    let server = server();
    for (config, set, code) in [
        (None, &[][..], 2),
        (None, &[Variable], 0),
        (None, &[Token, App("APP1")], 0),
        (Some(stored()), &[], 0),
        (Some(stored()), &[Token, App("APP3")], 0),
        (Some("malformed".to_owned()), &[], 2),
    ] {
        let folder = Folder::new();
        let program = program(set, &server, &folder).arg("--force");
        let program = config.iter().fold(program, |program, config| program.config(config));
        let path = program.home().file(".ably/config");
        let seen = |path: &Path| {
            fs::metadata(path).map(|file| (file.modified().unwrap(), file.len())).ok()
        };
        let (before, names) = (seen(&path), program.home().names());
        let run = program.run();
        run.exits(code);
        assert_eq!(run.home.names(), names);
        assert_eq!(seen(&path), before);
        if config.is_some() {
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        }
    }
}

// The endpoint.

#[test]
fn the_accounts_endpoint_serves_its_own_key_alone() {
    let config =
        stored().replace("currentAppId", "endpoint = 'acme'\naccessToken = 'm4rker'\ncurrentAppId");
    let default = "main.realtime.ably.net";
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a str);
    let rows: &[Row] = &[
        ("its key", &[], &[], "acme.realtime.ably.net"),
        ("its key, by --app", &[], &["--app", "APP2"], "acme.realtime.ably.net"),
        ("--endpoint", &[], &["--endpoint", "main"], default),
        ("ABLY_ENDPOINT", &[("ABLY_ENDPOINT", "main")], &[], default),
        ("both", &[("ABLY_ENDPOINT", "nonprod:sandbox")], &["--endpoint", "main"], default),
        ("an empty ABLY_ENDPOINT", &[("ABLY_ENDPOINT", "")], &[], "acme.realtime.ably.net"),
        ("another's key", &[("ABLY_API_KEY", VARIABLE)], &[], default),
        ("--api-key", &[], &["--api-key", OPTION], default),
        ("another's access token", &[("ABLY_ACCESS_TOKEN", TOKEN)], &["--app", "APP3"], default),
    ];
    for (what, variables, options, host) in rows {
        let server = server();
        let program = ably(REVOKE)
            .connected_to(&server)
            .config(&config)
            .args(*options)
            .args(["--force", "-v"]);
        let program =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        let run = program.run();
        run.exits(0);
        let sent = server.revocation_requests();
        run.check(
            sent[0].host() == *host,
            &format!("{what}: should go to {host}, not {}", sent[0].host()),
        );
    }
    // The account's own access token leads to its endpoint too.
    let server = server();
    server.serve_control(Control { access_token: STORED_TOKEN.to_owned(), ..control() });
    let config = account(&format!("endpoint = 'acme'\naccessToken = '{STORED_TOKEN}'"));
    let run = ably(REVOKE)
        .connected_to(&server)
        .config(&config)
        .args(["--app", "APP3", "--force", "-v"])
        .run();
    run.exits(0).hides(STORED_TOKEN);
    assert_eq!(server.revocation_requests()[0].host(), "acme.realtime.ably.net");
}

#[test]
fn the_accounts_endpoint_is_confirmed_and_checked() {
    let server = server();
    let config = stored().replace("currentAppId", "endpoint = 'acme'\ncurrentAppId");
    ably(REVOKE)
        .connected_to(&server)
        .config(&config)
        .stdin("y\n")
        .run()
        .exits(0)
        .says("Endpoint acme");
    let server = self::server();
    server.expect_nothing();
    let config = stored().replace("currentAppId", "endpoint = 'https://m4rker@x/'\ncurrentAppId");
    let run = ably(REVOKE).connected_to(&server).config(&config).arg("--force").run();
    refused(&run, &server, 2, &["the endpoint", "configuration", "is a URL"]);
}

// Access tokens and control hosts.

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

fn session(expires: &str) -> String {
    format!(
        "{}\n[oauthSessions.s]\naccessToken = '{STORED_TOKEN}'\naccessTokenExpiresAt = {expires}\n",
        account("oauthSessionKey = 's'")
    )
}

#[test]
fn a_session_that_has_expired_says_how_to_renew_it() {
    let later = (now_ms() + 3_600_000).to_string();
    let earlier = (now_ms() - 1_000).to_string();
    let missing = account("oauthSessionKey = 's'");
    for (config, renew) in [
        (session(&earlier), "has expired"),
        (session("2020-01-01T00:00:00Z"), "has expired"),
        (missing, "is not in the configuration"),
    ] {
        let server = server();
        server.expect_nothing();
        let run = ably(REVOKE)
            .towards(&server)
            .config(&config)
            .env("ABLY_CONTROL_HOST", server.endpoint())
            .args(["--app", "APP1", "--force"])
            .run();
        refused(
            &run,
            &server,
            2,
            &["account work", renew, "ably accounts login", "ABLY_ACCESS_TOKEN"],
        );
        let server = self::server();
        let run = ably(REVOKE)
            .towards(&server)
            .config(&config)
            .control(&server, TOKEN)
            .args(["--app", "APP1", "--force", "--json"])
            .run();
        served(&run, &server, CONTROL1, BY_CONTROL);
    }
    for lasting in [session(&later), session("0")] {
        let server = server();
        server.serve_control(Control { access_token: STORED_TOKEN.to_owned(), ..control() });
        let run = ably(REVOKE)
            .towards(&server)
            .config(&lasting)
            .env("ABLY_CONTROL_HOST", server.endpoint())
            .args(["--app", "APP1", "--force", "--json"])
            .run();
        served(&run, &server, CONTROL1, BY_CONTROL);
    }
    // A stored key needs no session.
    let server = server();
    let config = stored().replace("currentAppId", "oauthSessionKey = 's'\ncurrentAppId");
    let config = format!(
        "{config}[oauthSessions.s]\naccessToken = '{STORED_TOKEN}'\naccessTokenExpiresAt = 1\n"
    );
    let run = ably(REVOKE).towards(&server).config(&config).args(["--force", "--json"]).run();
    served(&run, &server, STORED1, BY_CONFIGURATION);
}

#[test]
fn the_access_token_of_the_environment_beats_the_stored_one() {
    for (variable, sent) in [(Some(TOKEN), TOKEN), (Some(""), STORED_TOKEN), (None, STORED_TOKEN)] {
        let server = server();
        server.serve_control(Control { access_token: sent.to_owned(), ..control() });
        let config = account(&format!(
            "accessToken = '{STORED_TOKEN}'\ncontrolHost = '{}'",
            server.endpoint()
        ));
        let program = ably(REVOKE)
            .towards(&server)
            .config(&config)
            .args(["--app", "APP1", "--force", "--json"]);
        let program =
            variable.iter().fold(program, |program, value| program.env("ABLY_ACCESS_TOKEN", value));
        let run = program.run();
        served(&run, &server, CONTROL1, BY_CONTROL);
        let bearers = server.requests().into_iter().filter_map(|seen| seen.bearer());
        assert!(bearers.into_iter().all(|bearer| bearer == sent));
    }
}

#[test]
fn the_control_host_of_the_environment_beats_the_accounts() {
    type Row = (Option_, Option_, &'static str);
    type Option_ = std::option::Option<&'static str>;
    let rows: [Row; 4] = [
        (None, None, "control.ably.net"),
        (Some("acme.realtime.ably.net"), None, "acme.realtime.ably.net"),
        (Some("acme.realtime.ably.net"), Some("main.realtime.ably.net"), "main.realtime.ably.net"),
        (Some("acme.realtime.ably.net"), Some(""), "acme.realtime.ably.net"),
    ];
    for (configured, variable, host) in rows {
        let server = server();
        let line = configured.map_or_else(String::new, |host| format!("controlHost = '{host}'"));
        let program = ably(REVOKE)
            .connected_to(&server)
            .config(&account(&line))
            .env("ABLY_ACCESS_TOKEN", TOKEN);
        let program =
            variable.iter().fold(program, |program, value| program.env("ABLY_CONTROL_HOST", value));
        program.args(["--app", "APP1", "--force"]).run().exits(0);
        let asked = server.requests();
        assert!(
            asked
                .iter()
                .filter(|seen| seen.path.starts_with("/v1/"))
                .all(|seen| seen.host() == host),
            "{host}: {asked:#?}"
        );
    }
    for (variable, phrase) in [
        ("https://x/m4rker", "is a URL"),
        ("control", "it is not a host"),
        ("a b.c", "white space"),
    ] {
        let server = server();
        server.expect_nothing();
        let run = ably(REVOKE)
            .connected_to(&server)
            .env("ABLY_ACCESS_TOKEN", TOKEN)
            .env("ABLY_CONTROL_HOST", variable)
            .args(["--app", "APP1", "--force"])
            .run();
        refused(&run, &server, 2, &["ABLY_CONTROL_HOST", phrase]);
        let config = account(&format!("controlHost = '{variable}'"));
        let run = ably(REVOKE)
            .connected_to(&server)
            .env("ABLY_ACCESS_TOKEN", TOKEN)
            .config(&config)
            .args(["--app", "APP1", "--force"])
            .run();
        refused(&run, &server, 2, &["controlHost", phrase]);
    }
}

#[test]
fn an_access_token_that_no_header_can_hold_is_told_by_its_source() {
    let server = server();
    server.expect_nothing();
    let run = ably(REVOKE)
        .towards(&server)
        .control(&server, "m4rker\u{1}")
        .args(["--app", "APP1", "--force"])
        .run();
    refused(&run, &server, 2, &["ABLY_ACCESS_TOKEN"]);
}

#[test]
fn stdin_named_by_a_variable_needs_force_too() {
    let server = server();
    server.expect_nothing();
    let run = ably(REVOKE)
        .towards(&server)
        .env("ABLY_API_KEY_FILE", "-")
        .stdin(format!("{VARIABLE}\n"))
        .run();
    refused(&run, &server, 2, &["--force"]);
}

#[test]
fn a_dry_run_asks_nothing() {
    let server = server();
    server.expect_nothing();
    Terminal::start(ably(REVOKE).towards(&server).arg("--dry-run"))
        .finish()
        .exits(2)
        .shows("no API key");
}

#[test]
fn with_a_key_at_hand_only_a_name_to_look_up_opens_the_configuration() {
    let server = server();
    let with = |config: &str, app: &str| {
        ably(REVOKE)
            .towards(&server)
            .config(config)
            .env("ABLY_API_KEY", VARIABLE)
            .args(["--app", app, "--force"])
            .run()
    };
    with(&stored(), "Shop").exits(0).says("app APP1 (Shop)");
    // A key at hand is none the worse for a configuration that cannot be read.
    with("not TOML", "Shop").exits(2).says("belongs to app APP1, but --app asks for app Shop");
}

#[test]
fn a_configured_key_that_is_not_the_one_asked_for_is_told() {
    let server = server();
    server.expect_nothing();
    let run =
        ably(REVOKE).towards(&server).config(&stored()).args(["--key", "other", "--force"]).run();
    refused(&run, &server, 2, &["--key asks for other", "APP1.stored1"]);
}

#[test]
fn a_dry_run_in_json_names_the_key_that_it_looked_up() {
    let server = server();
    let run = ably(REVOKE)
        .towards(&server)
        .control(&server, TOKEN)
        .args(["--app", "APP1", "--dry-run", "--json"])
        .run();
    run.exits(0).says_nothing();
    hides_everything(&run);
    let record = run.record("result");
    assert!(flag(&record, "dryRun"));
    assert_eq!(text(&record, "request.keyName"), "APP1.control1");
    assert!(server.revocation_requests().is_empty());
}
