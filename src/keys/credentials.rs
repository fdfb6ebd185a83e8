//! The one key that serves, and its app: one that was handed over, else one of the full CLI's
//! configuration, else one of the Control API, else one that is typed. Nothing is revoked before
//! both are certain.

use crate::api_key::{ApiKey, hide_given};
use crate::error::{Error, Problem};
use crate::keys::select;
use crate::keys::shapes::{App, Credential, KeyAtHand};
use crate::keys::sources::Sources;
use crate::request::api_keys;
use crate::request::which_keys::{Choice, HandedOver, WhichKeys};
use crate::signals::Signals;
use crate::terminal::prompt;

/// What to do where there is no key.
const WAYS: &str = "set ABLY_API_KEY or give --api-key-file FILE (- is standard input), ABLY_API_KEY_FILE or \
    --api-key; or log in with the full Ably CLI, or set ABLY_ACCESS_TOKEN; without --json a terminal asks for it";

/// The keys that serve, and what the operator is to know of others.
#[derive(Debug, Default)]
pub struct Found {
    /// At least one.
    pub credentials: Vec<Credential>,
    /// Keys that do not serve though they might be expected to, a sentence each.
    pub warnings: Vec<String>,
    /// The ID of the app to which `--app` restricts leaked tokens.
    pub only_app: Option<String>,
}

/// The one key that serves.
///
/// # Errors
/// As for [`find`](crate::keys::find).
pub(super) fn one(
    which: WhichKeys,
    sources: &mut Sources<'_>,
    signals: &Signals,
) -> Result<Credential, Error> {
    let WhichKeys { handed_over, choice, app, may_prompt } = which;
    let app = app.as_ref().map(|(app, named_by)| (app.as_str(), *named_by));
    let (key, source) = match handed_over.into_iter().next() {
        Some(handed) => (handed.key, handed.source),
        None => {
            let (found, meant) = look_up(&choice, app, sources)?;
            if let Some(found) = found {
                return Ok(found);
            }
            if !may_prompt || !prompt::can_ask_for_key() {
                return Err(Error::Input(none_found(&choice, meant.as_ref(), sources)));
            }
            type_in(&choice, sources, signals)?
        }
    };
    let key = KeyAtHand::from(HandedOver { key, source });
    if !choice.is(&key.key, None) {
        return Err(select::another_key(&choice, &key));
    }
    let own = App::by_id(key.key.app_id());
    match app {
        None => select::credential(key, own, "the key"),
        Some((app, named_by)) if app == own.id => select::credential(key, own, named_by),
        Some((app, named_by)) => match sources.app_by_id_or_name(app, named_by)? {
            Some(known) => select::credential(key, known, named_by),
            None => Err(select::another_app(&key, app, named_by, false)),
        },
    }
}

/// The key of the configuration, else of the Control API, if one of them helps; and the app that is
/// meant, if there is one.
fn look_up(
    choice: &Choice,
    app: Option<(&str, &'static str)>,
    sources: &mut Sources<'_>,
) -> Result<(Option<Credential>, Option<App>), Error> {
    sources.read_configuration()?;
    let (app, named_by) = meant(app, sources)?;
    let of_configuration = match &app {
        Some(app) => Some(app.clone()),
        // The Control API knows more apps than the configuration.
        None if sources.has_access_token() => None,
        None => select::app_with_stored_key(sources.apps_with_stored_key(), sources.chooser())?,
    };
    if let Some(own) = of_configuration
        && let Some(key) = sources.stored_key(&own)?
        && choice.is(&key.key, key.label.as_deref())
    {
        let mut found = select::credential(key, own, named_by)?;
        found.endpoint = sources.account_endpoint();
        return Ok((Some(found), app));
    }
    let Some(mut control) = sources.control()? else {
        return Ok((None, app));
    };
    let app = match app {
        Some(app) => app,
        None => select::app_of_account(control.apps()?, sources.chooser())?,
    };
    let (keys, disabled) = control.keys(&app)?;
    let key = select::key(keys, disabled, &app, choice, sources.chooser())?;
    let mut found = select::credential(key, app, named_by)?;
    found.endpoint = sources.control_endpoint();
    Ok((Some(found), None))
}

/// The app that is meant, with what names it; `None` where that is left to a choice.
pub(super) fn meant(
    app: Option<(&str, &'static str)>,
    sources: &mut Sources<'_>,
) -> Result<(Option<App>, &'static str), Error> {
    Ok(match app {
        Some((app, named_by)) => {
            let known = sources.app_by_id_or_name(app, named_by)?;
            // With nobody to ask it can only be an ID; a key that is typed will tell.
            (Some(known.unwrap_or_else(|| App::by_id(app))), named_by)
        }
        None => match sources.current_app() {
            Some(app) => (Some(app), "the configuration"),
            None => (None, "the choice"),
        },
    })
}

pub(super) fn type_in(
    choice: &Choice,
    sources: &Sources<'_>,
    signals: &Signals,
) -> Result<(ApiKey, String), Error> {
    let name = match choice {
        Choice::Signers(names) => format!(" {}", names.join(", ")),
        _ => String::new(),
    };
    let text = prompt::hidden(signals, &format!("Ably API key{name} (not shown): "))?;
    hide_given(&text, &sources.redactor());
    let source = "the hidden prompt";
    Ok((api_keys::parse(&text, source)?, source.to_owned()))
}

pub(super) fn none_found(choice: &Choice, app: Option<&App>, sources: &Sources<'_>) -> Problem {
    let env = sources.env();
    let empty = env.empty_ones(&["ABLY_API_KEY", "ABLY_API_KEY_FILE", "ABLY_ACCESS_TOKEN"]);
    let problem = if !empty.is_empty() {
        let verb = if empty.len() == 1 { "is" } else { "are" };
        Problem::new(
            format!("no API key: {} {verb} set but empty", empty.join(" and ")),
            format!("in CI, check that the secret exists and reaches this job; else {WAYS}"),
        )
    } else if env.raw("ABLY_TOKEN").is_some() {
        Problem::new(
            "no API key: there is ABLY_TOKEN, but a token cannot revoke (Ably error 40162)",
            WAYS,
        )
    } else {
        match sources.lack(choice, app) {
            Some(problem) => problem.context("no API key"),
            None => Problem::new("no API key", WAYS),
        }
    };
    match choice {
        Choice::Signers(_) => problem.context(choice),
        _ => problem,
    }
}
