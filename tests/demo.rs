//! Shows the tool at work against a stand-in for Ably on this machine: once as a person uses it,
//! once as a script does. No account, no network, nothing left behind.
//!
//! `cargo run --example demo -- target/debug/ably`, or `ABLY_BIN=… cargo run --example demo`.

use std::process::ExitCode;

mod support;

use support::{Ably, KEY_NAME, Program, Run};

fn main() -> ExitCode {
    let binary = std::env::args_os().nth(1);
    let Some(binary) = binary.or_else(|| std::env::var_os("ABLY_BIN")) else {
        eprintln!("usage: demo PATH-OF-ABLY (or set ABLY_BIN)");
        return ExitCode::from(2);
    };
    let ably = Ably::start();
    println!(
        "This is a stand-in for Ably on this machine, with a certificate of its own. Two options\n\
         lead the tool to it, and are added to the commands below; Ably itself needs neither:\n"
    );
    println!("  --endpoint {}", ably.endpoint());
    println!("  --ca-file {}", ably.ca_file().display());
    println!();
    println!("The API key is in the environment: ABLY_API_KEY={KEY_NAME}:…");

    println!("\n1. A person revokes all tokens of a client. The tool asks first.\n");
    let command = |more: &[&str]| {
        Program::at(&binary)
            .args(["auth", "revoke-token", "--client-id", "userClientId"])
            .args(more)
            .against(&ably)
    };
    println!("$ ably auth revoke-token --client-id \"userClientId\"");
    let mut person = command(&[]).stdin_open().spawn();
    person.wait_for_stderr("[y/N]");
    let asked = person.stderr();
    person.write("y\n");
    let person = person.wait();
    // A terminal shows what is typed; a pipe does not, so it is put where it was typed.
    println!("{} y", asked.trim_end());
    let answered = &person.stderr[asked.trim_end().len()..];
    show(answered.trim_start());
    show(&person.stdout);
    println!("[exit code {}]", code(&person));

    println!("\n2. A script does the same. It confirms with --force and reads JSON.\n");
    println!("$ ably auth revoke-token --client-id \"userClientId\" --force --json");
    let script = command(&["--force", "--json"]).run();
    show(&script.stderr);
    show(&script.stdout);
    println!("[exit code {}]", code(&script));

    println!("\nWhat the stand-in received (the Authorization header is left out):\n");
    for seen in ably.requests() {
        println!("{} {}", seen.method, seen.path);
        println!("{}", String::from_utf8_lossy(&seen.body));
    }
    let complaints = ably.complaints();
    for complaint in &complaints {
        println!("wrong in a request: {complaint}");
    }
    ably.forgive();
    let targets: Vec<String> = ably.revoked().into_iter().map(|one| one.target).collect();
    let good = person.code == Some(0)
        && script.code == Some(0)
        && targets == ["clientId:userClientId"; 2]
        && complaints.is_empty();
    drop(ably);
    println!();
    if good {
        println!("Both runs revoked clientId:userClientId. The stand-in and its files are gone.");
        ExitCode::SUCCESS
    } else {
        println!("Something went wrong: see above.");
        ExitCode::FAILURE
    }
}

/// Prints a stream as it came, ending its last line.
fn show(text: &str) {
    if !text.is_empty() {
        println!("{}", text.trim_end_matches('\n'));
    }
}

fn code(run: &Run) -> String {
    match run.code {
        Some(code) => code.to_string(),
        None => "none: a signal ended it".to_owned(),
    }
}
