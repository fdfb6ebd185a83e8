//! Shows the tool at work against a stand-in for Ably on this machine: one client, a leaked log with
//! the proof, many targets of which one is refused and the way on. No account, no network, nothing
//! left behind. With `KEEP=1` the stand-in stays up for playing with it by hand.
//!
//! `cargo run --example demo -- target/debug/ably`, or `ABLY_BIN=… cargo run --example demo`.

use std::ffi::OsString;
use std::process::ExitCode;

mod support;

use support::{Ably, Folder, KEY, Program, Run, Token, jwt, payload};

/// A key of the app from before a rotation.
const OLD_KEY: &str = "APP1.old:an-0lder-s3cret-77";
const MANY: usize = 250;

fn main() -> ExitCode {
    let binary = std::env::args_os().nth(1);
    let Some(binary) = binary.or_else(|| std::env::var_os("ABLY_BIN")) else {
        eprintln!("usage: demo PATH-OF-ABLY (or set ABLY_BIN)");
        return ExitCode::from(2);
    };
    // It is run in another folder.
    let binary = std::path::absolute(&binary).map_or(binary, OsString::from);
    let demo = Demo { ably: Ably::start(), folder: Folder::new(), binary };
    println!(
        "This is a stand-in for Ably on this machine, with a certificate of its own. Two variables\n\
         lead the tool to it; Ably itself needs neither. The API key is in a third.\n"
    );
    demo.variables();
    let codes = [demo.one_client(), demo.a_leaked_log(), demo.many_targets(), demo.the_rest()];
    let good = codes == [Some(0), Some(0), Some(3), Some(0)] && demo.ably.complaints().is_empty();
    if std::env::var_os("KEEP").is_some_and(|keep| keep == "1") {
        println!("\nThe stand-in stays up. In another terminal:\n");
        demo.variables();
        println!("  {} auth revoke-token --client-id alice\n\nEnter ends it.", demo.shown());
        let _ = std::io::stdin().read_line(&mut String::new());
    }
    demo.ably.forgive();
    drop(demo);
    println!(
        "\n{}",
        if good { "All went as it should." } else { "Something went wrong: see above." }
    );
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Demo {
    ably: Ably,
    folder: Folder,
    binary: OsString,
}

impl Demo {
    fn shown(&self) -> String {
        self.binary.to_string_lossy().into_owned()
    }

    fn variables(&self) {
        println!("  export ABLY_ENDPOINT={}", self.ably.endpoint());
        println!("  export SSL_CERT_FILE={}", self.ably.ca_file().display());
        println!("  export ABLY_API_KEY={KEY}");
    }

    /// Shows a command and runs it, with `y` for the question.
    fn run(&self, title: &str, options: &[&str]) -> Run {
        println!("\n{title}\n\n$ ably auth revoke-token {}", options.join(" "));
        let run = Program::at(&self.binary)
            .args(["auth", "revoke-token"])
            .args(options)
            .env("ABLY_ENDPOINT", self.ably.endpoint())
            .env("SSL_CERT_FILE", self.ably.ca_file())
            .env("ABLY_API_KEY", KEY)
            .cwd(self.folder.path())
            .stdin("y\n")
            .run();
        // A terminal shows what is typed; a pipe does not.
        print!("{}{}", run.stderr.replace("[y/N] ", "[y/N] y\n"), run.stdout);
        println!("[exit code {}]", run.code.map_or("none".to_owned(), |code| code.to_string()));
        run
    }

    fn one_client(&self) -> Option<i32> {
        let title = "1. A client is compromised. The tool asks before it sends anything.";
        self.run(title, &["--client-id", "userClientId"]).code
    }

    fn a_leaked_log(&self) -> Option<i32> {
        self.ably.add_key(OLD_KEY);
        let token = |key: &str, client: &str| {
            let (name, _) = key.split_once(':').unwrap_or_default();
            let header = format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{name}"}}"#);
            let token = jwt(&header, &payload(&format!(r#","x-ably-clientId":"{client}""#)));
            self.ably.add_token(Token::new(&token).client_id(client).dies_after(1));
            token
        };
        let log = format!(
            "10:00:01 GET /socket?accessToken={}&format=json\n10:00:02 GET /healthz\n\
             10:00:03 {{\"authorization\":\"Bearer {}\"}}\n",
            token(KEY, "alice"),
            token(OLD_KEY, "bob"),
        );
        self.folder.write("access.log", log);
        self.folder.write("keys.txt", format!("{KEY}\n{OLD_KEY}\n"));
        let title = "2. Tokens stand in a log, signed with the key of today and the one before.";
        let options =
            ["--from-token", "access.log", "--api-key-file", "keys.txt", "--verify", "--force"];
        self.run(title, &options).code
    }

    fn many_targets(&self) -> Option<i32> {
        let targets: String = (0..MANY).map(|n| format!("clientId:user{n}\n")).collect();
        self.folder.write("incident.txt", targets);
        self.ably.refuse("clientId:user7", 40121, 400, "Revocation is not enabled for this target");
        let title = "3. Many targets, of which Ably refuses one.";
        let options = ["--targets-file", "incident.txt", "--unrevoked-to", "left.txt", "--force"];
        self.run(title, &options).code
    }

    fn the_rest(&self) -> Option<i32> {
        self.ably.allow("clientId:user7");
        let title = "4. The reason is mended; the left-over file is the way on.";
        self.run(title, &["--targets-file", "left.txt", "--force", "--json"]).code
    }
}
