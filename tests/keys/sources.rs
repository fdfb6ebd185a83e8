//! Which key serves and for which app: every pair of sources that could conflict.

use std::fs;
use std::path::Path;

use crate::support::*;

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
    let program = alice().towards(server);
    set.iter().fold(program, |program, set| set.on(program, server, folder))
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
            let (server, folder) = (account_server(), Folder::new());
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
            let asked = server.requests().iter().any(|seen| is_of_control(&seen.path));
            run.check(asked == (first == Token), "should ask the Control API only where it serves");
        }
    }
}

#[test]
fn wherever_a_key_is_found_none_is_asked_for() {
    for source in [Option, File, Variable, VariableFile, Stored, Token] {
        let (server, folder) = (account_server(), Folder::new());
        let app = if source == Token { Some(App("APP1")) } else { None };
        let set: Vec<Set> = [source].into_iter().chain(app).collect();
        let terminal = Terminal::start(program(&set, &server, &folder).arg("--force"));
        let (key, source) = source.leads_to(&folder);
        let name = key.split(':').next().unwrap();
        let end = terminal.finish();
        end.exits(0).never_shows("not shown").shows(&format!("key {name} from {source}"));
        end.never_shows("m4rker");
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
        let (server, folder) = (account_server(), Folder::new());
        if code != 0 {
            server.expect_nothing();
        }
        let mut terminal = Terminal::start(program(set, &server, &folder).arg("--force"));
        terminal.at_the_prompt(format!("{PROMPT}\r"));
        let end = terminal.finish();
        end.exits(code).restores().never_shows("m4rker");
        if code == 0 {
            end.shows("key APP1.prompt from the hidden prompt");
        }
    }
}

#[test]
fn the_prompts_app_may_be_named_by_the_configuration() {
    let server = account_server();
    let config = account("[accounts.work.apps.APP1]\nappName = 'Shop'");
    let program = alice().towards(&server).config(&config);
    let mut terminal = Terminal::start(program.args(["--app", "Shop", "--force"]));
    terminal.at_the_prompt(format!("{PROMPT}\r"));
    terminal.finish().exits(0).shows("APP1");
}

/// What is set, and either the key that serves with its source, or the exit code and what is said.
type Row = (&'static [Set], Result<(&'static str, &'static str), (i32, &'static [&'static str])>);

#[test]
fn what_is_set_decides_app_and_key() {
    #[rustfmt::skip] // a table: one row a line
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
        (&[Stored, Token, App("nowhere")], Err((2, &["--app asks for app nowhere", "APP1 (Shop)", "APP3 (Far away)"]))),
        (&[Stored, Token, AppVariable("nowhere")], Err((2, &["ABLY_APP_ID asks for app nowhere"]))),
        (&[Token, App("Shop")], Ok((CONTROL1, BY_CONTROL))),
        (&[Token, AppVariable("APP2")], Ok((CONTROL2, BY_CONTROL))),
        (&[Token, App("APP2"), AppVariable("APP1")], Ok((CONTROL2, BY_CONTROL))),
        (&[Token], Err((2, &["the account has several apps", "APP1 (Shop)", "APP2 (Café \"Zoë\")", "--app"]))),
        // --key with a configured key.
        (&[Stored, Key("stored1")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Key("APP1.stored1")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Key("Root")], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, Key("root")], Err((2, &["no API key", "root"]))),
        (&[Stored, Key("APP2.stored2")], Err((2, &["no API key"]))),
        (&[Stored, Key("other")], Err((2, &["--key asks for other", "APP1.stored1"]))),
        // --key and --app against a key that was handed over.
        (&[Variable, Key("variable")], Ok((VARIABLE, BY_VARIABLE))),
        (&[Variable, Key("APP1.variable")], Ok((VARIABLE, BY_VARIABLE))),
        (&[Variable, Key("other")], Err((2, &["--key asks for other", "APP1.variable from ABLY_API_KEY"]))),
        (&[Option, Key("other")], Err((2, &["--key asks for other", "APP1.option from --api-key"]))),
        (&[Variable, App("APP1")], Ok((VARIABLE, BY_VARIABLE))),
        (&[Variable, App("APP1"), AppVariable("APP2")], Ok((VARIABLE, BY_VARIABLE))),
        (&[Variable, AppVariable("APP2")], Err((2, &["belongs to app APP1", "ABLY_APP_ID asks for app APP2"]))),
        (&[Variable, App("APP2"), AppVariable("APP1")], Err((2, &["belongs to app APP1", "--app asks for app APP2"]))),
        (&[Variable, AppVariable("app1")], Err((2, &["ABLY_APP_ID asks for app app1"]))),
        (&[Option, App("APP2")], Err((2, &["APP1.option from --api-key belongs to app APP1"]))),
        (&[VariableFile, App("APP2")], Err((2, &["APP1.varfile from ABLY_API_KEY_FILE", "--app asks for app APP2"]))),
        (&[File, App("APP2")], Err((2, &["APP1.file from --api-key-file"]))),
        (&[Variable, Token, App("Shop")], Ok((VARIABLE, BY_VARIABLE))),
        (&[Variable, Token, App("Far away")], Err((2, &["belongs to app APP1", "APP3 (Far away)"]))),
        (&[Variable, Token, App("nowhere")], Err((2, &["--app asks for app nowhere", "APP1 (Shop)"]))),
        // The selection of the configuration is no match for the key's own app.
        (&[Variable, Stored], Ok((VARIABLE, BY_VARIABLE))),
        // What is set but empty, and what cannot revoke.
        (&[Empty("ABLY_API_KEY"), Empty("ABLY_API_KEY_FILE"), Stored], Ok((STORED1, BY_CONFIGURATION))),
        (&[Stored, App("Keyless"), Empty("ABLY_ACCESS_TOKEN")], Err((2, &["ABLY_ACCESS_TOKEN is set but empty"]))),
        (&[Empty("ABLY_API_KEY")], Err((2, &["no API key: ABLY_API_KEY is set but empty"]))),
        (&[Other("ABLY_TOKEN", "APP1.m4rker")], Err((2, &["a token cannot revoke", "40162"]))),
        (&[Other("ABLY_TOKEN", "APP1.m4rker"), Stored], Ok((STORED1, BY_CONFIGURATION))),
        (&[], Err((2, &["no API key", "ABLY_API_KEY", "--api-key-file", "ABLY_API_KEY_FILE", "ABLY_ACCESS_TOKEN", "full Ably CLI"]))),
    ];
    each(rows, |(set, expected)| {
        let (server, folder) = (account_server(), Folder::new());
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
}

#[test]
fn verbose_says_what_named_the_app() {
    let server = account_server();
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

/// Of several sources the first that has a key serves, and `--key` chooses within it.
#[test]
fn a_key_that_was_not_handed_over_is_looked_for_nowhere_else() {
    let (server, folder) = (unreached_account(), Folder::new());
    for first in [Option, File, Variable] {
        let set = [first, Stored, Token, Key("stored1")];
        let run = program(&set, &server, &folder).arg("--force").run();
        refused(&run, &server, 2, &["stored1"]);
    }
}

#[test]
fn stdin_named_by_a_variable_needs_force_too() {
    let server = unreached_account();
    let run =
        alice().towards(&server).env("ABLY_API_KEY_FILE", "-").stdin(format!("{VARIABLE}\n")).run();
    refused(&run, &server, 2, &["--force"]);
}

#[test]
fn a_key_may_come_from_standard_input_or_with_what_an_editor_adds() {
    let server = Ably::start();
    let program = revoke_alice().towards(&server).args(["--api-key-file", "-"]);
    program.stdin(format!("{KEY}\n")).run().exits(0).says("from --api-key-file -");
    let program = revoke_alice().towards(&server).arg("--api-key-file");
    let file = program.home().write("key", format!("\u{feff} {KEY}\r\n"));
    program.arg(file).env("ABLY_API_KEY_FILE", "/absent").run().exits(0);
}

/// The forms are in the unit tests of `api_key`.
#[test]
fn a_malformed_key_is_told_without_a_part_of_it() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    for (bad, told) in [
        (format!("APP1.key1:\u{1b}{SECRET}"), "control characters"),
        (format!("APP1.key1?x#y:{SECRET}"), "letters, digits"),
        (format!("ABLY_API_KEY=\"{KEY}\""), "quotes around it"),
    ] {
        let run = revoke_alice().towards(&server).env("ABLY_API_KEY", &bad).run();
        run.exits(2).says("ABLY_API_KEY").says(told).says("appId.keyId:secret").hides(SECRET);
        let file = folder.write("key", &bad);
        let run = revoke_alice().towards(&server).arg("--api-key-file").arg(file).run();
        run.exits(2).says("--api-key-file").says(told).hides(SECRET);
    }
    for (bad, told) in [
        (&b"\n"[..], "holds no key"),
        (b"\xff\xfe", "is not UTF-8"),
        (&[b'a'; 1 << 20], "too large"),
    ] {
        let file = folder.write("key", bad);
        revoke_alice().towards(&server).arg("--api-key-file").arg(file).run().exits(2).says(told);
    }
}

#[test]
fn a_text_of_any_length_in_place_of_a_key_or_a_target_comes_to_an_end() {
    let (server, folder) = (Ably::unreached(), Folder::new());
    for part in [":", "=", "a.b:", "abcd.abcd:", "eyJ"] {
        let long = part.repeat(60_000 / part.len());
        let run = revoke_alice().towards(&server).env("ABLY_API_KEY", format!("{long}!.")).run();
        run.exits(2).never_says(&long);
        let lines: String = (0..50).map(|n| format!("clientId:{long}!.{n}\n")).collect();
        let file = folder.write("targets", format!("{lines}bad\n"));
        forced().towards(&server).keyed().arg("--targets-file").arg(file).run().exits(2);
    }
}

#[test]
fn a_script_with_a_key_at_hand_never_opens_the_configuration() {
    if strace().is_none() {
        return;
    }
    let server = account_server();
    let folder = Folder::new();
    let traced = |set: &[Set], extra: &[&str]| {
        let log = folder.file("trace");
        let program =
            strace().unwrap().args(["-f", "-e", "trace=%file", "-o"]).arg(&log).wrapping(alice());
        let program =
            program.towards(&server).config(&stored()).args(extra).args(["--force", "--json"]);
        set.iter().fold(program, |program, set| set.on(program, &server, &folder)).run().exits(0);
        folder.read("trace").contains(".ably")
    };
    assert!(traced(&[], &[]), "where it is needed it is opened, and strace sees it");
    for source in [Option, File, Variable, VariableFile] {
        assert!(!traced(&[source], &[]), "{source:?}");
        assert!(!traced(&[source, App("APP1")], &["-v"]), "{source:?}");
    }
}

#[test]
fn nothing_is_written_and_no_folder_is_made() {
    let server = account_server();
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
