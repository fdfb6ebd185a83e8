//! `ably auth revoke-token`: arguments, request, key, confirmation, client, outcome, report.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

use ably_revoke_token::cli::generate;
use ably_revoke_token::cli::help;
use ably_revoke_token::cli::parse::{self, Args, Command};
use ably_revoke_token::error::{Error, Problem};
use ably_revoke_token::keys::credentials::{self, Given};
use ably_revoke_token::keys::lookup::Lookup;
use ably_revoke_token::net::Http;
use ably_revoke_token::net::retry::{Courier, Hosts};
use ably_revoke_token::plan::Facts;
use ably_revoke_token::report::human::{self, Ending};
use ably_revoke_token::report::progress::Progress;
use ably_revoke_token::report::resume::Resume;
use ably_revoke_token::request::environment::Environment;
use ably_revoke_token::request::targets::Targets;
use ably_revoke_token::request::{self, Consent, Request};
use ably_revoke_token::revoke::client::{self, Client, Terms};
use ably_revoke_token::revoke::left_over::Unrevoked;
use ably_revoke_token::revoke::run::{self, Witnesses};
use ably_revoke_token::secret::redactor::Redactor;
use ably_revoke_token::signals::{self, Signals};
use ably_revoke_token::terminal::log::Journal;
use ably_revoke_token::terminal::output::{Format, Output};
use ably_revoke_token::terminal::prompt;

fn main() -> ExitCode {
    let installed = Signals::install();
    let signals = installed.as_ref().ok().cloned().unwrap_or_default();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let env = Environment::process();
    let output = Output::new(Format::choose(parse::wants_json(&arguments), env), signals);
    let redactor = Redactor::default();
    let code = match parse::parse(arguments) {
        Ok(Command::Help) => show(&output, &help::text()),
        Ok(Command::Version) => show(&output, &(help::version() + "\n")),
        Ok(Command::Generate(page)) => show(&output, &generate::page(page)),
        Ok(Command::Revoke(args)) => {
            let ready = installed
                .map_err(|error| Error::input(format!("signals cannot be caught: {error}"), ""));
            let done = ready.and_then(|signals| revoke(&args, env, &output, &signals, &redactor));
            done.unwrap_or_else(|error| fail(&output, &error.cleaned(&redactor), None))
        }
        Err(problem) => fail(&output, &Error::Input(problem), None),
    };
    let code = if output.stdout_failed() {
        human::stdout_failed(&output);
        code.max(1)
    } else {
        code
    };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn show(output: &Output, text: &str) -> i32 {
    output.print(text);
    0
}

fn fail(output: &Output, error: &Error, targets: Option<&Targets>) -> i32 {
    human::error(output, error, targets);
    if let Error::Signal(signal) = error {
        signals::die_of(*signal);
    }
    error.exit_code()
}

/// One run of the command, to its exit code.
fn revoke(
    args: &Args,
    env: Environment,
    output: &Output,
    signals: &Signals,
    redactor: &Redactor,
) -> Result<i32, Error> {
    let mut request = request::resolve(args, env, output, redactor)?;
    let given = request.given.take();
    let journal = Journal::new(output.clone(), redactor.clone(), request.verbose);
    let http = Http::new(&request.network, signals, redactor.clone());
    let courier = Courier { http: &http, signals, journal: &journal };
    let done = act(args, &request, given, env, courier, output);
    Ok(done.unwrap_or_else(|error| fail(output, &error.cleaned(redactor), Some(&request.targets))))
}

/// Everything that may need the network.
fn act(
    args: &Args,
    request: &Request,
    given: Option<Given>,
    env: Environment,
    courier: Courier<'_>,
    output: &Output,
) -> Result<i32, Error> {
    let Courier { http, signals, journal } = courier;
    let timeout = request.network.timeout;
    let mut lookup = Lookup::new(env, courier, request.chooser.clone(), timeout);
    let found = credentials::find(given, &request.wanted, env, signals, &mut lookup)?;
    found.check_targets(&request.targets)?;
    let endpoint = found.endpoint(request.endpoint.as_ref())?;
    let hosts = Hosts::of(&endpoint);
    hosts.all().try_for_each(|host| http.check(host)).map_err(Error::Input)?;
    let facts = Facts::of(request, &found, &endpoint);
    journal.note("auth", "key", || facts.key_described());
    journal.note("auth", "app", || format!("the app is named by {}", facts.app_source));
    journal.note("http", "network", || http.described(hosts.preferred()));
    match request.consent {
        Consent::Ask => confirm(output, &facts, &request.targets)?,
        Consent::Given => human::warning(output, request.leaked.as_ref(), &request.targets),
        Consent::DryRun => human::warning(output, None, &request.targets),
    }

    let url = format!("https://{}{}", hosts.preferred(), client::path(&found.key));
    let mut client = Client::new(courier, hosts, &found.key, timeout)?;
    let terms = client.terms(request.issued_before, request.margin)?;
    if request.consent == Consent::DryRun {
        human::dry_run(output, &facts, &url, &client::first_body(&request.targets, terms));
        return Ok(closed(output, 0, None));
    }
    let resume = Resume::of(args, request, terms, &facts);
    execute(request, &mut client, terms, facts, courier, resume, output)
}

/// Everything that follows the first byte sent.
fn execute(
    request: &Request,
    client: &mut Client<'_>,
    terms: Terms,
    mut facts: Facts,
    courier: Courier<'_>,
    resume: Option<Resume>,
    output: &Output,
) -> Result<i32, Error> {
    let (targets, signals) = (&request.targets, courier.signals);
    let verifier = request.verifier(courier)?;
    signals.hold();
    let unrevoked = request.unrevoked_to.as_ref().map(|path| Unrevoked::create(path, targets));
    let mut witnesses = Witnesses {
        output,
        progress: Progress::new(output.clone(), targets.len(), request.verbose),
        signals,
        unrevoked: unrevoked.transpose().map_err(Error::Input)?,
        verifier,
    };
    let accounts = run::all(client, targets, terms, &mut facts, &mut witnesses);
    // The file first: whoever reads the accounts may not be reading.
    let saved = witnesses.unrevoked.map_or(Ok(()), |unrevoked| unrevoked.finish(targets));
    let (code, signal) = (run::exit_code(&accounts, &facts), signals.caught());
    let ending = Ending {
        succeeded: code == 0 && signal.is_none() && saved.is_ok(),
        interrupted: signal.is_some(),
        resume: saved.map(|()| resume),
    };
    human::end(output, &facts, &accounts, targets, &ending);
    Ok(closed(output, code, signal))
}

fn confirm(output: &Output, facts: &Facts, targets: &Targets) -> Result<(), Error> {
    let question = human::plan(facts, targets) + "Revoke? [y/N] ";
    if prompt::is_yes(&prompt::line(output, &question)) {
        return Ok(());
    }
    Err(Error::Declined(Problem::new("not confirmed: nothing was sent", "")))
}

/// Closes the JSON stream; dies of a signal that was caught.
fn closed(output: &Output, code: i32, signal: Option<i32>) -> i32 {
    let code = signal.map_or(code, |signal| 128 + signal);
    human::status(output, code, signal.is_some());
    if let Some(signal) = signal {
        signals::die_of(signal);
    }
    code
}
