//! `ably auth revoke-token`: arguments, request, key, confirmation, client, outcome, report.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

use ably_revoke_token::args::{self, Args, Command};
use ably_revoke_token::client::{self, Client};
use ably_revoke_token::credentials;
use ably_revoke_token::environment::Environment;
use ably_revoke_token::error::{Error, Problem};
use ably_revoke_token::help;
use ably_revoke_token::journal::Journal;
use ably_revoke_token::net::Http;
use ably_revoke_token::net::tries::{Courier, Hosts};
use ably_revoke_token::output::{Format, Output};
use ably_revoke_token::prompt;
use ably_revoke_token::report::{self, Facts};
use ably_revoke_token::request::{self, Consent};
use ably_revoke_token::run;
use ably_revoke_token::signals::{self, Signals};
use ably_revoke_token::targets::Targets;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let env = Environment::process();
    let no_color = env.raw("NO_COLOR").is_some();
    let output = Output::new(Format::choose(args::wants_json(&arguments), no_color));
    let code = match args::parse(arguments) {
        Ok(Command::Help) => show(&output, &help::text()),
        Ok(Command::Version) => show(&output, &(help::version() + "\n")),
        Ok(Command::Revoke(args)) => {
            revoke(&args, env, &output).unwrap_or_else(|error| fail(&output, &error))
        }
        Err(problem) => fail(&output, &Error::Input(problem)),
    };
    let code = if code == 0 && output.stdout_failed() {
        1
    } else {
        code
    };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn show(output: &Output, text: &str) -> i32 {
    output.print(text);
    0
}

fn fail(output: &Output, error: &Error) -> i32 {
    report::error(output, error);
    if let Error::Signal(signal) = error {
        signals::die_of(*signal);
    }
    error.exit_code()
}

/// One run of the command, to its exit code.
fn revoke(args: &Args, env: Environment, output: &Output) -> Result<i32, Error> {
    let request = request::resolve(args, env).map_err(Error::Input)?;
    let signals = Signals::default();
    let journal = Journal::new(output.clone(), request.verbose);
    let found = credentials::find(&request.wanted, env, &signals)?;
    let facts = Facts::of(&request, &found);
    let hosts = Hosts::of(&request.endpoint);
    journal.note("auth", "key", || facts.key_described());
    journal.note("http", "network", || {
        request.network.described(hosts.preferred())
    });
    if request.consent == Consent::Ask {
        confirm(output, &facts, &request.targets)?;
    }

    let url = format!("https://{}{}", hosts.preferred(), client::path(&found.key));
    let scrubber = request.network.scrubber();
    let timeout = request.network.timeout;
    let http = Http::new(request.network, &signals);
    let courier = Courier {
        http: &http,
        signals: &signals,
        journal: &journal,
    };
    let mut client = Client::new(courier, hosts, &found.key, scrubber, timeout)?;
    let terms = client.terms(request.issued_before, request.margin)?;
    if request.consent == Consent::DryRun {
        report::dry_run(
            output,
            &facts,
            &url,
            &client::first_body(&request.targets, terms),
        );
        return Ok(closed(output, 0, None));
    }
    signals
        .hold()
        .map_err(|error| Error::input(format!("signals cannot be caught: {error}"), ""))?;
    let accounts = run::all(
        &mut client,
        &request.targets,
        terms,
        &facts,
        output,
        &signals,
    );
    report::end(output, &facts, &accounts, &request.targets);
    Ok(closed(output, accounts.tally.exit_code(), signals.caught()))
}

fn confirm(output: &Output, facts: &Facts, targets: &Targets) -> Result<(), Error> {
    let question = report::plan(facts, targets) + "Revoke? [y/N] ";
    if prompt::is_yes(&prompt::line(output, &question)) {
        return Ok(());
    }
    Err(Error::Declined(Problem::new(
        "not confirmed: nothing was sent",
        "",
    )))
}

/// Closes the JSON stream; dies of a signal that was caught.
fn closed(output: &Output, code: i32, signal: Option<i32>) -> i32 {
    let code = signal.map_or(code, |signal| 128 + signal);
    report::status(output, code, signal.is_some());
    if let Some(signal) = signal {
        signals::die_of(signal);
    }
    code
}
