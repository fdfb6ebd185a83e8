//! `ably auth revoke-token`: arguments, request, plan, question, revocations, report.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

use ably_revoke_token::cli::parse::{self, Args, Command};
use ably_revoke_token::environment::Environment;
use ably_revoke_token::error::{Error, Problem};
use ably_revoke_token::keys::sources::Sources;
use ably_revoke_token::net::{agent::Http, session::Net};
use ably_revoke_token::plan::Plan;
use ably_revoke_token::report::{self, Ending, Report, progress::Progress, resume::Resume};
use ably_revoke_token::request::{Request, settings::Consent};
use ably_revoke_token::revoke::left_over::{self, LeftOver};
use ably_revoke_token::revoke::{run, summary::Summary, verify::Verifier};
use ably_revoke_token::secret::redactor::Redactor;
use ably_revoke_token::signals::{self, Signals};
use ably_revoke_token::terminal::output::{Format, Output};
use ably_revoke_token::terminal::{choose::Chooser, log::Log, prompt};

fn main() -> ExitCode {
    let (signals, installed) = Signals::install();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let env = Environment::process();
    let output = Output::new(Format::choose(parse::wants_json(&arguments), env), signals.clone());
    let redactor = Redactor::default();
    let done = match parse::parse(arguments) {
        Ok(Command::Print(text)) => {
            output.print(&text());
            Ok(0)
        }
        Ok(Command::Revoke(args)) => installed
            .map_err(Error::Input)
            .and_then(|()| revoke(&args, env, &output, &signals, &redactor)),
        Err(problem) => Err(Error::Input(problem)),
    };
    let code = done.unwrap_or_else(|error| {
        let error = error.cleaned(&redactor);
        report::error(&output, &error);
        if let Error::Signal(signal) = error {
            signals::die_of(signal);
        }
        error.exit_code()
    });
    let code = if report::stdout_failed(&output) { code.max(1) } else { code };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// One run of the command, to its exit code.
fn revoke(
    args: &Args,
    env: Environment,
    output: &Output,
    signals: &Signals,
    redactor: &Redactor,
) -> Result<i32, Error> {
    let (request, network) = Request::read(args, env, redactor)?;
    let unrevoked_to = left_over::check(&request, env)?;
    let log = Log::new(output.clone(), redactor.clone(), request.verbose);
    let http = Http::new(&network, signals, redactor.clone());
    let net = Net { http: &http, signals, log: &log };
    let chooser = Chooser::new(output.clone(), request.consent == Consent::Ask);
    let plan = Plan::settle(request, unrevoked_to, Sources::new(env, net, chooser), net)?;
    let report = Report::new(output, &plan);
    match plan.consent {
        Consent::Ask if prompt::is_yes(&prompt::line(output, &report.question())) => {}
        Consent::Ask => {
            return Err(Error::Declined(Problem::new("not confirmed: nothing was sent", "")));
        }
        Consent::Given => report.warning(),
        Consent::DryRun => {
            report.dry_run();
            return Ok(report::close(output, 0, None));
        }
    }
    execute(args, &plan, net, report, Progress::new(output.clone(), &plan))
}

/// Everything that follows the first byte sent.
fn execute(
    args: &Args,
    plan: &Plan,
    net: Net<'_>,
    report: Report<'_>,
    mut progress: Progress,
) -> Result<i32, Error> {
    let (batches, mut verifier) = (run::run(plan, net)?, Verifier::new(plan, net)?);
    net.signals.hold();
    let mut left_over = LeftOver::create(plan)?;
    let mut summary = Summary::default();
    for batch in batches {
        if let Some(verifier) = verifier.as_mut().filter(|_| batch.is_revoked()) {
            report.before_proof(&batch);
            summary.verdict = Some(verifier.verify());
        }
        report.batch(&batch, summary.verdict.as_ref());
        left_over.iter_mut().for_each(|file| file.add(&batch));
        summary.add(&batch);
        progress.tell(summary.tally);
    }
    progress.end();
    // The file first: whoever reads the report may not be reading.
    let saved = left_over.map_or(Ok(0), |file| file.finish(plan));
    let signal = net.signals.caught();
    let ending = Ending::new(&summary, signal, saved.map(|left| Resume::of(args, plan, left)));
    report.end(&summary, &ending);
    Ok(report::close(report.output(), summary.exit_code(), signal))
}
