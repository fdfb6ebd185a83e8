//! Where a key may come from, and that it is the right one before anything is sent.

use crate::support::{Ably, Folder, KEY, Modes, SECRET, Terminal, ably};

const REVOKE: [&str; 5] = ["auth", "revoke-token", "--client-id", "alice", "--force"];

#[test]
fn the_sources_have_an_order_and_the_one_that_served_is_told() {
    let server = Ably::start();
    let folder = Folder::new();
    let file = folder.write("key", format!("\u{feff} {KEY}\r\n"));
    let wrong = "APP1.key1:another-secret";
    let from_option = ably(REVOKE)
        .towards(&server)
        .args(["--api-key", KEY])
        .env("ABLY_API_KEY", wrong)
        .env("ABLY_API_KEY_FILE", "/absent");
    from_option.run().exits(0).says("from --api-key");
    let from_file =
        ably(REVOKE).towards(&server).arg("--api-key-file").arg(&file).env("ABLY_API_KEY", wrong);
    from_file.run().exits(0).says(&format!("from --api-key-file {}", file.display()));
    let from_variable =
        ably(REVOKE).towards(&server).env("ABLY_API_KEY", KEY).env("ABLY_API_KEY_FILE", "/absent");
    from_variable.run().exits(0).says("from ABLY_API_KEY\n");
    let from_file_variable =
        ably(REVOKE).towards(&server).env("ABLY_API_KEY", "").env("ABLY_API_KEY_FILE", &file);
    from_file_variable.run().exits(0).says("from ABLY_API_KEY_FILE");
    let from_stdin =
        ably(REVOKE).towards(&server).args(["--api-key-file", "-"]).stdin(format!("{KEY}\n"));
    from_stdin.run().exits(0).says("from --api-key-file -");
}

#[test]
fn without_a_key_the_ways_to_give_one_are_listed() {
    let server = Ably::start();
    server.expect_nothing();
    ably(REVOKE)
        .towards(&server)
        .run()
        .exits(2)
        .says("no API key")
        .says("ABLY_API_KEY")
        .says("--api-key-file")
        .says("ABLY_API_KEY_FILE");
    ably(REVOKE)
        .towards(&server)
        .env("ABLY_API_KEY", "")
        .run()
        .exits(2)
        .says("ABLY_API_KEY is set but empty");
    ably(REVOKE)
        .towards(&server)
        .env("ABLY_TOKEN", "x")
        .run()
        .exits(2)
        .says("a token cannot revoke");
}

#[test]
fn a_malformed_key_is_told_without_a_part_of_it() {
    let server = Ably::start();
    server.expect_nothing();
    let folder = Folder::new();
    for (bad, told) in [
        (format!("APP1:{SECRET}"), "no '.'"),
        (SECRET.to_owned(), "no ':'"),
        (format!("APP1.key1:{SECRET} x"), "white space"),
        (format!(".key1:{SECRET}"), "app ID is empty"),
        (format!("APP1.key1:\u{1b}{SECRET}"), "control characters"),
        (format!("APP1.key\u{202e}1:{SECRET}"), "other characters than letters"),
        (format!("APP1.key.1:{SECRET}"), "other characters than letters"),
        (format!("\"{KEY}\""), "quotes around it"),
        (format!("'{KEY}'\n"), "quotes around it"),
        (format!("ABLY_API_KEY={KEY}"), "NAME= before it"),
        (format!("ABLY_API_KEY=\"{KEY}\""), "quotes around it"),
    ] {
        let run = ably(REVOKE).towards(&server).env("ABLY_API_KEY", &bad).run();
        run.exits(2).says("ABLY_API_KEY").says(told).says("appId.keyId:secret").never_says(SECRET);
        let file = folder.write("key", &bad);
        let run = ably(REVOKE).towards(&server).arg("--api-key-file").arg(file).run();
        run.exits(2).says("--api-key-file").says(told).never_says(SECRET);
    }
}

#[test]
fn a_key_file_that_cannot_serve_is_named() {
    let folder = Folder::new();
    let server = Ably::start();
    server.expect_nothing();
    let run = |path: &std::path::Path| {
        ably(REVOKE).towards(&server).arg("--api-key-file").arg(path).run()
    };
    run(&folder.file("absent")).exits(2).says("absent").says("no such file");
    run(folder.path()).exits(2).says("it is a folder");
    run(&folder.write("empty", "\n")).exits(2).says("is empty");
    run(&folder.write("binary", b"\xff\xfe")).exits(2).says("is not UTF-8");
    run(&folder.write("large", vec![b'a'; 1 << 20])).exits(2).says("too large");
}

#[test]
fn a_key_of_another_app_is_refused_before_anything_is_sent() {
    let server = Ably::start();
    server.expect_nothing();
    let by_option = ably(REVOKE).against(&server).args(["--app", "APP2"]);
    by_option.run().exits(2).says("belongs to app APP1").says("--app asks for app APP2");
    let by_variable = ably(REVOKE).against(&server).env("ABLY_APP_ID", "app1");
    by_variable.run().exits(2).says("ABLY_APP_ID asks for app app1");
}

#[test]
fn the_keys_own_app_is_accepted() {
    let server = Ably::start();
    let matching = ably(REVOKE).against(&server).args(["--app", "APP1"]).env("ABLY_APP_ID", "APP2");
    matching.run().exits(0);
}

#[test]
fn a_key_typed_at_the_prompt_is_not_shown() {
    let server = Ably::start();
    let mut terminal = Terminal::start(ably(REVOKE).towards(&server));
    terminal.expect("Ably API key");
    terminal.expect_hidden();
    terminal.send(format!("{KEY}\r"));
    terminal.expect("from the hidden prompt");
    let end = terminal.finish();
    assert_eq!(end.code, Some(0));
    assert!(!end.screen.contains(SECRET), "{}", end.screen);
    assert_eq!(end.modes, Modes::USUAL);
}

#[test]
fn signals_at_the_prompt_restore_the_terminal_first() {
    let server = Ably::start();
    server.expect_nothing();
    for (signal, send) in [(2, "typed"), (2, "INT"), (15, "TERM"), (1, "HUP")] {
        let mut terminal = Terminal::start(ably(REVOKE).towards(&server));
        terminal.expect("Ably API key");
        terminal.expect_hidden();
        match send {
            "typed" => terminal.send("\u{3}"),
            name => terminal.send_signal(name),
        }
        let end = terminal.finish();
        assert_eq!(end.signal, Some(signal), "{send}: {end:?}");
        assert_eq!(end.modes, Modes::USUAL, "{send}");
    }
}

#[test]
fn no_key_at_the_prompt_is_exit_2() {
    let server = Ably::start();
    server.expect_nothing();
    for typed in ["\r", "\u{4}"] {
        let mut terminal = Terminal::start(ably(REVOKE).towards(&server));
        terminal.expect("Ably API key");
        terminal.expect_hidden();
        terminal.send(typed);
        let end = terminal.finish();
        assert_eq!(end.code, Some(2), "{end:?}");
        assert_eq!(end.modes, Modes::USUAL);
    }
}

#[test]
fn a_key_pasted_as_a_target_is_neither_sent_nor_shown() {
    let server = Ably::start();
    server.expect_nothing();
    let folder = Folder::new();
    let file = |line: &str| folder.write("targets", format!("clientId:alice\n{line}\n"));
    for typed in [KEY, SECRET, &format!(" {KEY}"), &format!("x{SECRET}x")] {
        let file = file(&format!("clientId:{typed}"));
        let file = file.to_str().unwrap();
        for source in [["--client-id", typed], ["--channel", typed], ["--targets-file", file]] {
            for extra in ["--force", "--dry-run"] {
                let run = ably(["auth", "revoke-token", extra]).args(source).against(&server).run();
                run.exits(2).says("API key").says("--api-key-file").hides(SECRET);
            }
        }
    }
    // One that is found later is checked then.
    let config = format!(
        "[current]\naccount = 'a'\n[accounts.a]\ncurrentAppId = 'APP1'\n[accounts.a.apps.APP1]\napiKey = '{KEY}'\n"
    );
    folder.write("config", config);
    let run = ably(["auth", "revoke-token", "--client-id", SECRET, "--force"])
        .towards(&server)
        .env("ABLY_CLI_CONFIG_DIR", folder.path())
        .run();
    run.exits(2).says("a target is the API key or its secret").hides(SECRET);
}
