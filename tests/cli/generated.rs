//! The man page and the completions, in the programs that they are for.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::*;

fn generated(page: &str) -> String {
    let run = ably(["--generate", page]).run();
    run.exits(0).says_nothing();
    run.stdout
}

/// All long options in the help text.
fn options() -> Vec<String> {
    let help = ably(["--help"]).run().stdout;
    let usages = help.lines().filter(|line| line.starts_with("  -"));
    let words =
        usages.flat_map(|line| line.split([' ', ',']).filter(|word| word.starts_with("--")));
    words.map(str::to_owned).collect()
}

/// Lines to be completed, and words that must be offered. `zone` is a file in the folder.
const OFFERED: &[(&str, &[&str])] = &[
    ("ably ", &["auth", "auth:revoke-token", "help", "version"]),
    ("ably auth ", &["revoke-token"]),
    ("ably help ", &["auth"]),
    ("ably help auth ", &["revoke-token"]),
    ("ably auth revoke-token --rev", &["--revocation-key"]),
    ("ably auth:revoke-token --rev", &["--revocation-key"]),
    ("ably auth revoke-token --by ", &["client-id", "revocation-key"]),
    ("ably auth revoke-token --by=", &["client-id", "revocation-key"]),
    ("ably --generate ", &["man", "bash", "zsh", "fish"]),
    ("ably auth revoke-token --ca-file zo", &["zone"]),
    ("ably auth revoke-token --ca-file=zo", &["zone"]),
    ("ably auth revoke-token --api-key-file zo", &["zone"]),
    ("ably auth revoke-token --targets-file zo", &["zone"]),
    ("ably auth revoke-token --from-token zo", &["zone"]),
    ("ably auth revoke-token --unrevoked-to zo", &["zone"]),
    ("ably auth revoke-token --record zo", &["zone"]),
];

/// Lines where a file would be the wrong thing to offer.
const NOT_A_FILE: &[&str] = &[
    "ably zo",
    "ably auth revoke-token zo",
    "ably auth revoke-token --client-id zo",
    "ably auth revoke-token --by zo",
];

/// A name that would do something in a shell that does not quote it.
const DANGEROUS: &str = "it's \"$(touch pwned)\" & `touch pwned` \\ !! *";

/// Apps and keys with names of every kind.
fn names() -> String {
    let app =
        |n: usize, name: &str| format!("[accounts.work.apps.APP{n}]\nappName = {}\n", quote(name));
    let key = |key: &str, name: &str| format!("apiKey = '{key}'\nkeyName = '{name}'\n");
    [
        account(&format!("accessToken = '{TOKEN}'\ncontrolHost = 'localhost:1'")),
        app(1, "My Shop") + &key(STORED1, "Root key"),
        app(2, DANGEROUS) + &key(STORED2, "Root key"),
        app(3, "two\nlines"),
        app(4, "tab\there"),
        app(5, "-dash"),
        app(6, STORED1) + "apiKey = 'm4rker'\n",
    ]
    .concat()
}

#[test]
fn the_names_of_the_configuration_are_listed_for_completions() {
    let asked = |option: &str| ably(["--complete", "auth", "revoke-token", option, ""]);
    for (option, told) in [
        ("--app", vec!["APP1", "APP2", "APP3", "APP4", "APP5", "APP6", "My Shop", DANGEROUS]),
        ("--key", vec!["APP1.stored1", "APP2.stored2", "Root key"]),
    ] {
        let run = asked(option).config(&names()).run();
        run.exits(0).says_nothing();
        let mut offered: Vec<&str> = run.stdout.lines().collect();
        offered.sort_unstable();
        let mut told = told;
        told.sort_unstable();
        assert_eq!(offered, told);
    }
    let silent = |program: Program| {
        program.run().exits(0).says_nothing().prints_nothing();
    };
    silent(asked("--client-id").config(&names()));
    for option in ["--app", "--key"] {
        silent(asked(option));
        silent(asked(option).env_remove("HOME"));
        silent(asked(option).config("apiKey = 'm4rker'"));
        silent(asked(option).config("[current]\naccount = 'gone'\n"));
        silent(asked(option).config(&account("apps = 5")));
        silent(asked(option).env("ABLY_CLI_CONFIG_DIR", "/dev/null"));
    }
    for words in [&["auth", "revoke-token", ""][..], &["auth:revoke-token", ""]] {
        ably(["--complete"]).args(words).run().exits(0).prints("--client-id\t");
    }
    let texts = [generated("man").replace('\\', ""), ably(["--help"]).run().stdout];
    assert!(texts.iter().all(|text| !text.contains("--complete")), "it is for scripts alone");
}

#[test]
fn every_run_makes_the_same_pages() {
    for page in ["man", "bash", "zsh", "fish"] {
        let text = generated(page);
        assert!(text.ends_with('\n') && text.is_ascii(), "{page}");
        let program = ably(["--generate", page]).env("LANG", "de_DE.UTF-8");
        let other = program.env("SOURCE_DATE_EPOCH", "0").env_remove("HOME").run();
        assert_eq!(text, other.stdout, "{page}");
    }
    for arguments in [&["--generate"][..], &["--generate", "html"], &["--generate="]] {
        ably(arguments).run().exits(2).says("--generate").prints_nothing();
    }
}

#[test]
fn the_man_page_is_well_formed_and_whole() {
    let man = generated("man");
    for option in options() {
        assert!(man.contains(&option.replace('-', "\\-")), "{option}");
    }
    let titles: Vec<&str> = man.lines().filter(|line| line.starts_with(".SS ")).collect();
    let once: HashSet<&&str> = titles.iter().collect();
    assert!(titles.len() > 1 && once.len() == titles.len(), "a title for each group: {titles:?}");
    let Some(mandoc) = installed("/usr/bin/mandoc") else { return };
    assert!(!man.contains('@'), "a place that is not filled");
    let lint = mandoc.args(["-T", "lint", "-W", "all"]).stdin(&man).run();
    lint.exits(0).prints_nothing().says_nothing();
}

/// The changelog heads a release with its version and day; the man page bears both.
#[test]
fn the_man_page_bears_the_version_and_day_of_the_release() {
    let man = generated("man");
    let version = env!("CARGO_PKG_VERSION");
    assert!(man.contains(&format!("ably\\-revoke\\-token {version}")), "{man}");
    let changelog = include_str!("../../CHANGELOG.md");
    let mut headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let (released, day) = headings.find_map(|heading| heading.split_once(" - ")).unwrap();
    assert_eq!(released, version);
    assert!(man.starts_with(&format!(".TH ABLY\\-AUTH\\-REVOKE\\-TOKEN 1 {day} ")), "{man}");
}

#[test]
fn fish_completes() {
    let folder = Folder::new();
    folder.write("zone", "");
    let script = folder.write("ably.fish", generated("fish"));
    let offered = |line: &str| -> Option<Vec<String>> {
        let fish = installed("/usr/bin/fish")?;
        let run = with_names(fish, &folder)
            .args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"])
            .arg(&script)
            .arg(line)
            .cwd(folder.path())
            .run();
        run.exits(0).says_nothing();
        let words = run.stdout.lines().filter_map(|line| line.split('\t').next());
        // Of `--option=value` fish offers the whole.
        Some(words.map(|word| word.rsplit('=').next().unwrap().to_owned()).collect())
    };
    let Some(words) = offered("ably auth revoke-token --") else { return };
    for option in options() {
        assert!(words.contains(&option), "{option} in {words:?}");
    }
    for (line, wanted) in OFFERED {
        let words = offered(line).unwrap();
        for word in *wanted {
            assert!(words.iter().any(|one| one == word), "{line}: {word} in {words:?}");
        }
    }
    for line in NOT_A_FILE {
        assert_eq!(offered(line).unwrap(), [""; 0], "{line}");
    }
    let names = |what: &str| offered(&format!("ably auth revoke-token {what}")).unwrap();
    assert_eq!(names("--app ").len(), 8);
    assert!(names("--app=").contains(&"APP2".to_owned()));
    assert_eq!(names("--key Root").len(), 1);
    assert_eq!(names("--key APP"), ["APP1.stored1", "APP2.stored2"]);
}

/// A shell that finds the program and a configuration. In place of a run, the program tells its
/// arguments.
fn with_names(shell: Program, folder: &Folder) -> Program {
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --complete ] && exec '{}' \"$@\"\nprintf '<%s>' \"$@\"\n",
        binary().display()
    );
    let program = folder.write("bin/ably", script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    shell.config(&names()).env("PATH", path)
}

/// What is typed, and what the program is given once that is completed.
const COMPLETED: &[(&str, &str)] = &[
    ("--app My\t", "<--app><My Shop>"),
    ("--app=My\t", "<--app=My Shop>"),
    ("--app 'My\t", "<--app><My Shop>"),
    ("--app \"My\t", "<--app><My Shop>"),
    ("--app My\\ S\t", "<--app><My Shop>"),
    ("--app APP4\t", "<--app><APP4>"),
    ("--key Ro\t", "<--key><Root key>"),
    ("--key APP2\t", "<--key><APP2.stored2>"),
];

/// With it a shell says that it, and no longer the kernel, handles Ctrl-U and Ctrl-D.
const PROMPT: &str = "<ready>";

/// What a shell at a terminal lists for a line. `list` is the key that lists and inserts nothing.
fn listed(terminal: &mut Terminal, line: &str, list: &str) -> String {
    let before = terminal.screen().len();
    // Ctrl-U empties the line. The quotes keep the echo from being taken for the answer.
    terminal.send(format!("{line}{list}\x15echo the e''nd\r"));
    terminal.expect("the end");
    terminal.expect(PROMPT);
    let shown = terminal.screen()[before..].replace(line, "");
    assert!(!shown.contains("not found"), "{line}: {shown:?}");
    shown
}

fn lists_what_fits(shell: Program, setup: &str, list: &str) {
    let folder = Folder::new();
    folder.write("zone", "");
    let shell = with_names(shell, &folder).cwd(folder.path());
    let shell = shell.env("PS1", PROMPT).env("TERM", "dumb");
    let mut terminal = Terminal::start(shell);
    terminal.expect(PROMPT);
    terminal.send(format!("{setup}; echo se''t\r"));
    terminal.expect("set\r\n");
    terminal.expect(PROMPT);
    let options = options();
    let all: Vec<&str> = options.iter().map(String::as_str).collect();
    let every: (&str, &[&str]) = ("ably auth revoke-token --", &all);
    for (line, wanted) in OFFERED.iter().chain([&every]) {
        let shown = listed(&mut terminal, line, list);
        for word in *wanted {
            assert!(shown.contains(word), "{line}: {word} in {shown:?}");
        }
    }
    for line in NOT_A_FILE {
        let shown = listed(&mut terminal, line, list);
        assert!(!shown.contains("zone"), "{line}: {shown:?}");
    }
    let names: [(&str, &[&str]); 2] =
        [("app", &["APP1", "APP6", "Shop", "it"]), ("key", &["APP1.stored1", "Root"])];
    for (option, wanted) in names {
        let shown = listed(&mut terminal, &format!("ably auth revoke-token --{option} "), list);
        let all = wanted.iter().all(|word| shown.contains(word));
        assert!(all && !shown.contains("m4rker"), "{option}: {shown:?}");
    }
    let dangerous = ("--app it\t", &*format!("<--app><{DANGEROUS}>"));
    for (typed, given) in COMPLETED.iter().chain([&dangerous]) {
        terminal.send(format!("ably auth revoke-token {typed}\r"));
        terminal.expect(&format!("<auth><revoke-token>{given}"));
        terminal.expect(PROMPT);
    }
    assert!(!folder.file("pwned").exists(), "a name is no command");
    terminal.send("exit\r");
    terminal.finish();
}

#[test]
fn bash_completes() {
    let Some(bash) = installed("/usr/bin/bash") else { return };
    let home = Folder::new();
    let script = home.write("ably.bash", generated("bash"));
    let bash = bash.args(["--norc", "--noprofile", "-i"]).env("INPUTRC", "/dev/null");
    let setup = format!("bind 'set page-completions off'; source {}", script.display());
    // Alt-? lists.
    lists_what_fits(bash, &setup, "\x1b?");
}

#[test]
fn zsh_completes() {
    let Some(zsh) = installed("/usr/bin/zsh") else { return };
    let functions = Folder::new();
    functions.write("_ably", generated("zsh"));
    let setup = format!(
        "LISTMAX=1000; bindkey -e; fpath=({} $fpath); autoload -U compinit; compinit -u -D",
        functions.path().display()
    );
    // Ctrl-D lists, where the line is not empty.
    lists_what_fits(zsh.args(["-f", "-i"]), &setup, "\x04");
}
