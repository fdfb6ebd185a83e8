//! `ably auth revoke-token`: arguments, request, plan, question, revocations, report.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread::{self, Scope};
use std::time::Instant;

use ably_revoke_token::cli::completions;
use ably_revoke_token::cli::parse::{self, Args, Command};
use ably_revoke_token::environment::Environment;
use ably_revoke_token::error::{Error, Exit};
use ably_revoke_token::keys::{completion_names, sources::Sources};
use ably_revoke_token::net::{http::Http, session::Net};
use ably_revoke_token::plan::Plan;
use ably_revoke_token::process;
use ably_revoke_token::report::{self, Report, resume::Resume, writer::Writer};
use ably_revoke_token::request::{Request, settings::Mode};
use ably_revoke_token::revoke::{
    left_over::LeftOver, run::Run, summary::Summary, verify::Verifier,
};
use ably_revoke_token::secret::redactor::Redactor;
use ably_revoke_token::signals::Signals;
use ably_revoke_token::terminal::{log::Log, output::Output, prompt};
use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

fn main() -> ExitCode {
    process::close();
    let (signals, redactor) = (Signals::default(), Redactor::default());
    let installed = signals.install();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let env = Environment::process();
    let output = Output::new(parse::wants_json(&arguments), env, signals.clone());
    let writer = Writer::new(&output);
    let print = |text: &str| {
        output.print(text);
        Ok(Exit::Done)
    };
    let done = match parse::parse(arguments) {
        Ok(Command::Print(text)) => print(&text),
        Ok(Command::Complete(words)) => {
            print(&completions::complete(&words, |what| completion_names::list(what, env)))
        }
        Ok(Command::Revoke(args)) => {
            // From here on a signal, too, is an end that is told and recorded.
            signals.hold();
            let uncaught = |error| Error::input(format!("signals cannot be caught: {error}"), "");
            let done = installed.map_err(uncaught);
            let done = done.and_then(|()| revoke(&args, env, &writer, &signals, &redactor));
            done.map_err(|error| signals.caught().map_or(error, Error::signal))
        }
        Err(problem) => Err(problem.into()),
    };
    let exit = done.unwrap_or_else(|error| report::error(&writer, error, &redactor));
    report::exit_code(&output, exit)
}

/// One run of the command, to its end.
fn revoke(
    args: &Args,
    env: Environment,
    writer: &Writer<'_>,
    signals: &Signals,
    redactor: &Redactor,
) -> Result<Exit, Error> {
    let (request, network) = Request::read(args, env, redactor, signals)?;
    let output = writer.output();
    let log = Log::new(output.clone(), redactor.clone(), request.settings.verbose);
    let net = &Http::new(&network, signals, &log, redactor.clone());
    let chooser = prompt::Chooser::new(output.clone(), request.settings.mode == Mode::Ask);
    let plan = Plan::settle(request, &mut Sources::new(env, net, chooser), net)?;
    let report = Report::new(writer, &plan);
    report.open_record(env, redactor)?;
    report.beforehand();
    match plan.settings.mode {
        Mode::Ask => prompt::confirm(output, &report.question())?,
        Mode::Force => {}
        Mode::DryRun => return Ok(report.dry_run()),
    }
    thread::scope(|scope| execute(scope, args, &plan, net, report))
}

/// Everything that follows the first byte sent.
fn execute<'s, 'p: 's>(
    scope: &'s Scope<'s, '_>,
    args: &Args,
    plan: &'p Plan,
    net: Net<'p>,
    report: Report<'s>,
) -> Result<Exit, Error> {
    let (run, mut verifier) = (Run::new(plan, net)?, Verifier::new(plan, net));
    let start = Instant::now();
    let mut left_over = LeftOver::create(plan)?;
    let (mut summary, mut progress) = (Summary::new(plan), report.progress());
    for batch in run.batches(scope, move |batch| report.record(batch)) {
        left_over.iter_mut().for_each(|file| file.add(&batch));
        summary.add(&batch);
        progress.tell(summary.tally);
        if let Some(verifier) = &mut verifier
            && verifier.is_due(&batch, &summary)
        {
            report.before_proof(&summary);
            summary.proofs = verifier.verify();
        }
        report.batch(&batch, &summary.proofs);
    }
    progress.end();
    // Replacing the file takes a descriptor.
    net.close_idle();
    // The file first: whoever reads the report may not be reading.
    let saved = left_over.map_or(Ok(0), |file| file.finish(plan));
    let signal = net.signals.caught();
    let resume = saved.map(|left| Resume::of(args, plan, &summary, left));
    Ok(report.end(&summary, signal, start.elapsed(), resume))
}
