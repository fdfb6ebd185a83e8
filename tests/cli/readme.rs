//! Every example of the README, run as it stands there. What a `console` example shows is what comes;
//! a line `...` stands for any number of lines.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::*;

const README: &str = include_str!("../../README.md");
const OLD_KEY: &str = "APP1.old:an-0lder-s3cret-77";

/// What each example is typed, and its exit code, in the order of the README, under its heading.
const EXAMPLES: &[(&str, &str, i32)] = &[
    ("An incident", "APP1.key1:s3cr3t-marker-9f2c\ny\n", 0),
    ("An incident", "y\ny\ny\n", 0),
    ("Thousands of clients", "", 3),
    ("A leaked log", "y\n", 3),
    ("After a key rotation", "y\n", 0),
    ("Install", "", 0),
    ("In CI and in containers", "", 0),
    ("Exit codes", "", 0),
];

struct Example {
    heading: &'static str,
    language: &'static str,
    text: &'static str,
}

fn examples() -> Vec<Example> {
    let (mut heading, mut examples) = ("", Vec::new());
    for (n, part) in README.split("```").enumerate() {
        if n % 2 == 0 {
            let mut headings = part.lines().filter_map(|line| line.strip_prefix("## "));
            heading = headings.next_back().unwrap_or(heading);
        } else {
            let (language, text) = part.split_once('\n').unwrap();
            examples.push(Example { heading, language, text });
        }
    }
    examples
}

/// Where the examples are run: Ably, the way there, and the files that they speak of.
struct World {
    server: Ably,
    proxy: Proxy,
    folder: Folder,
}

impl World {
    fn new() -> World {
        let server = Ably::start();
        let proxy = Proxy::to(server.address());
        let world = World { server, proxy, folder: Folder::new() };
        world.server.add_key(OLD_KEY);
        world.server.refuse("clientId:carol", 50003, 500, "internal error: timed out");
        world.folder.write("keys.txt", format!("{KEY}\n{OLD_KEY}\n"));
        world.folder.write("access.log", world.log());
        let csv =
            "name,client_id\r\nAnn Smith,alice\r\n\"Jones, Bob\",\"bob, jr.\"\r\nCarol,carol\r\n";
        world.folder.write("clients.csv", csv);
        world.programs();
        world
    }

    /// Tokens of two keys at hand and one that is not, an expired one, one of another issuer, a key.
    fn log(&self) -> String {
        let token = |key: &str, claims: &str| {
            let token = jwt(&format!(r#"{{"alg":"HS256","kid":"{key}"}}"#), &payload(claims));
            let client = if claims == ALICE { "alice" } else { "bob" };
            self.server.add_token(Token::new(&token).client_id(client).dies_after(1));
            token
        };
        let bob = r#","x-ably-clientId":"bob""#;
        let (alice, old) = (token("APP1.key1", ALICE), token("APP1.old", bob));
        let gone = token("APP1.gone", bob);
        let foreign = jwt(r#"{"alg":"HS256"}"#, r#"{"sub":"somebody"}"#);
        let expired = timed(now() - 7200, now() - 3600);
        let secret = "Xk9".repeat(14);
        format!(
            "GET /sse?accessToken={alice}\nABLY_API_KEY=APP1.ci:{secret}a\nBearer {old}\n\
             Bearer {alice}\nBearer {foreign}\nBearer {expired}\nBearer {gone}\n"
        )
    }

    /// What the examples call: `ably`; a container that holds it; a bastion, which is a folder.
    fn programs(&self) {
        let program = |name: &str, script: &str| {
            let path = self.folder.write(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        program("ably", &format!("exec '{}' \"$@\"", binary().display()));
        let image = concat!("ably-revoke-token:", env!("CARGO_PKG_VERSION"));
        program(
            "docker",
            &format!("until [ \"$1\" = {image} ]; do shift; done; shift; ably \"$@\""),
        );
        program("scp", "mkdir bastion; cp \"$1\" \"$2\" bastion");
        program("ssh", "cd bastion && eval \"$2\"");
        let name =
            concat!("ably-revoke-token-", env!("CARGO_PKG_VERSION"), "-x86_64-unknown-linux-musl");
        self.folder.write(&format!("{name}/bin/ably"), "the program");
        let pack = format!("tar -czf {name}.tar.gz {name}; sha256sum {name}.tar.gz >SHA256SUMS");
        self.shell("/bin/sh").args(["-ec", &pack]).run().exits(0);
    }

    fn shell(&self, shell: &str) -> Program {
        let path = format!("{}:/usr/bin:/bin", self.folder.file("bin").display());
        let program = Program::at(shell).env("PATH", path).cwd(self.folder.path());
        program.env("HTTPS_PROXY", self.proxy.url()).env("SSL_CERT_FILE", self.server.ca_file())
    }

    fn run(&self, example: &Example, typed: &str) -> Run {
        let script = match example.language {
            "console" => example
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("$ "))
                .fold(String::new(), |script, line| script + line + "\n"),
            _ => example.text.to_owned(),
        };
        let shell = self.shell("/bin/bash").args(["-ec", &format!("exec 2>&1\n{script}")]);
        let shell = match script.contains("ABLY_API_KEY &&") || script.contains("--api-key-file") {
            true => shell,
            false => shell.keyed(),
        };
        shell.env("CLIENT", "alice").stdin(typed).run()
    }
}

/// A text without its times.
fn timeless(text: &str) -> String {
    let is_time = |word: &str| word.starts_with("20") && word.contains('T') && word.ends_with('Z');
    let text = text.replace('\r', "");
    let words = text.split_inclusive([' ', '\n']);
    words.map(|word| if is_time(word.trim_end()) { "TIME " } else { word }).collect()
}

#[test]
fn the_case_of_the_readme_is_right_for_every_exit_code() {
    let example = examples().into_iter().find(|example| example.text.contains("case $?")).unwrap();
    for (code, told) in [
        (0, "revoked\n"),
        (1, "nothing was revoked"),
        (2, "nothing was sent"),
        (3, "run it again"),
        (4, "nothing was sent"),
        (5, "run it again"),
        (6, "revoked, but"),
        (129, "run it again"),
        (130, "run it again"),
        (143, "run it again"),
    ] {
        let script = format!("ably() {{ return {code}; }}\n{}", example.text);
        Program::at("/bin/sh").args(["-c", &script]).run().exits(0).prints(told);
    }
}

/// They are the man page's, too.
#[test]
fn every_example_of_the_help_works() {
    let world = World::new();
    world.folder.write("all.txt", "clientId:alice\nrevocationKey:g1\n");
    let help = ably(["--help"]).run().stdout;
    let examples = help.lines().filter(|line| line.starts_with("    ably auth revoke-token "));
    let examples: Vec<&str> = examples.collect();
    assert!(examples.len() > 7, "{help}");
    for example in examples {
        let shell = world.shell("/bin/sh").args(["-c", example]).stdin("y\n");
        // Of the tokens in the log, one key is not at hand.
        let code = if example.contains("--from-token") { 3 } else { 0 };
        let shell = if example.contains("--api-key-file") { shell } else { shell.keyed() };
        shell.run().exits(code);
    }
}

#[test]
fn a_compressed_log_is_read_as_the_readme_says() {
    let words = "--from-token <(zcat access.log.gz)";
    assert!(README.contains(words));
    if installed("/bin/bash").is_none() {
        return;
    }
    let world = World::new();
    let line = format!("gzip access.log; ably auth revoke-token {words} --api-key-file keys.txt");
    let run = world.shell("/bin/bash").args(["-c", &line]).stdin("y\n").run();
    run.exits(3).says("3 tokens of 3 keys").says("[y/N]");
}

/// Compares what came with what is shown.
#[track_caller]
fn shows(run: &Run, example: &Example) {
    let shown = example.text.lines().filter(|line| !line.starts_with("$ "));
    let shown: String = shown.flat_map(|line| [line, "\n"]).collect();
    // What is typed comes from a pipe, and is not echoed.
    let shown = shown.replace("[y/N] y\n", "[y/N] \n");
    let (shown, came) = (timeless(&shown), timeless(&run.stdout));
    let mut rest = came.as_str();
    for (n, part) in shown.split("...\n").enumerate() {
        let at = rest.find(part).filter(|at| n > 0 || *at == 0);
        let at = at.unwrap_or_else(|| panic!("the README shows\n{part}\nand this comes:\n{run}"));
        rest = &rest[at + part.len()..];
    }
    assert!(rest.is_empty() || shown.ends_with("...\n"), "there is more:\n{rest}");
}

#[test]
fn every_example_of_the_readme_does_what_it_shows() {
    if installed("/bin/bash").is_none() || installed("/usr/bin/python3").is_none() {
        return;
    }
    let world = World::new();
    let examples = examples();
    let run = |one: &&Example| ["console", "sh"].contains(&one.language);
    let headings: Vec<&str> = examples.iter().filter(run).map(|example| example.heading).collect();
    let expected: Vec<&str> = EXAMPLES.iter().map(|(heading, ..)| *heading).collect();
    assert_eq!(headings, expected, "an example without its row here");
    for (example, (_, typed, code)) in examples.iter().filter(run).zip(EXAMPLES) {
        let run = world.run(example, typed);
        run.exits(*code);
        if example.language == "console" {
            shows(&run, example);
        }
    }
}

#[test]
fn it_is_short_and_shows_every_example_of_ablys_page() {
    assert!(README.lines().count() <= 170, "nobody reads more than that in an incident");
    for example in [
        "ably auth revoke-token --client-id \"userClientId\"\n",
        "ably auth revoke-token --client-id \"userClientId\" --force\n",
        "ably auth revoke-token --revocation-key group1\n",
        "ably auth revoke-token --client-id \"userClientId\" --allow-reauth-margin\n",
        "ably auth revoke-token --client-id \"userClientId\" --json --force\n",
    ] {
        assert!(README.contains(example), "{example}");
    }
}
