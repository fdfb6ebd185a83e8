//! `ably auth revoke-token`: arguments, request, plan, question, revocations, report.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread::{self, Scope};
use std::time::Instant;

use ably_revoke_token::cli::parse::{self, Args, Command};
use ably_revoke_token::environment::Environment;
use ably_revoke_token::error::Error;
use ably_revoke_token::keys::{names, sources::Sources};
use ably_revoke_token::net::{agent::Http, session::Net};
use ably_revoke_token::plan::Plan;
use ably_revoke_token::report::{self, Report, record_file, resume::Resume, sink::Sink};
use ably_revoke_token::request::{Request, settings::Consent};
use ably_revoke_token::revoke::left_over::{self, LeftOver};
use ably_revoke_token::revoke::{run, summary::Summary, verify::Verifier};
use ably_revoke_token::secret::redactor::Redactor;
use ably_revoke_token::signals::Signals;
use ably_revoke_token::terminal::output::{Format, Output};
use ably_revoke_token::terminal::{choose::Chooser, log::Log, prompt};
use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

fn main() -> ExitCode {
    let (signals, installed) = Signals::install();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let env = Environment::process();
    let output = Output::new(Format::choose(parse::wants_json(&arguments), env), signals.clone());
    let (redactor, sink) = (Redactor::default(), Sink::new(&output));
    let done = match parse::parse(arguments) {
        Ok(Command::Print(text)) => Ok(report::print(&output, &text())),
        Ok(Command::Complete(what)) => Ok(report::print(&output, &names::list(what, env))),
        Ok(Command::Revoke(args)) => installed
            .map_err(Error::Input)
            .and_then(|()| revoke(&args, env, &sink, &signals, &redactor)),
        Err(problem) => Err(Error::Input(problem)),
    };
    let code = done.unwrap_or_else(|error| report::error(&sink, &error.cleaned(&redactor)));
    report::exit_code(&output, code)
}

/// One run of the command, to its exit code.
fn revoke(
    args: &Args,
    env: Environment,
    sink: &Sink<'_>,
    signals: &Signals,
    redactor: &Redactor,
) -> Result<i32, Error> {
    let (mut request, network) = Request::read(args, env, redactor)?;
    left_over::check(&mut request, env)?;
    record_file::check(&mut request, env)?;
    let output = sink.output();
    let log = Log::new(output.clone(), redactor.clone(), request.verbose);
    let http = Http::new(&network, signals, redactor.clone());
    let net = Net { http: &http, signals, log: &log };
    let chooser = Chooser::new(output.clone(), request.consent == Consent::Ask);
    let plan = Plan::settle(request, Sources::new(env, net, chooser), net)?;
    let report = Report::new(sink, &plan);
    // From here on a signal, too, is an end that is told and recorded.
    signals.hold();
    report.open_record(env, redactor)?;
    match plan.consent {
        Consent::Ask if prompt::is_yes(&prompt::line(output, &report.question())) => {}
        Consent::Ask => return Err(Error::not_confirmed(signals.caught())),
        Consent::Given => report.warning(),
        Consent::DryRun => return Ok(report.dry_run()),
    }
    thread::scope(|scope| execute(scope, args, &plan, net, report))
}

/// Everything that follows the first byte sent.
fn execute<'scope, 'p: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    args: &Args,
    plan: &'p Plan,
    net: Net<'p>,
    report: Report<'_>,
) -> Result<i32, Error> {
    let (batches, mut verifier) = (run::run(scope, plan, net)?, Verifier::new(plan, net));
    let start = Instant::now();
    let mut left_over = LeftOver::create(plan)?;
    let (mut summary, mut progress) = (Summary::new(plan), report.progress());
    for batch in batches {
        left_over.iter_mut().for_each(|file| file.add(&batch));
        summary.add(&batch);
        progress.tell(summary.tally);
        if let Some(verifier) = &mut verifier
            && verifier.is_due(&batch, &summary)
        {
            report.before_proof(&batch, &summary);
            summary.proofs = verifier.verify();
        }
        report.batch(&batch, &summary.proofs);
    }
    progress.end();
    // The file first: whoever reads the report may not be reading.
    let saved = left_over.map_or(Ok(0), |file| file.finish(plan));
    let signal = net.signals.caught();
    let resume = saved.map(|left| Resume::of(args, plan, left));
    Ok(report.end(&summary, signal, start.elapsed(), resume))
}
