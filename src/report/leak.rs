//! What people are told of leaked tokens: what the text holds and what that was worth, what cannot be
//! revoked, and whether Ably still accepts them. The keys in the text come first, since whoever has
//! one signs new tokens.

use std::fmt::Write;

use crate::error::Problem;
use crate::plan::Plan;
use crate::report::words::{by_kind, named, say_problem};
use crate::request::irrevocable::{key_warning, last_expiry, placed, remedy, revoke_command};
use crate::request::leaked::Leaked;
use crate::request::leaked_tokens::Token;
use crate::request::leaked_tokens::capability::Capability;
use crate::request::target::Kind;
use crate::revoke::proof::{Proof, Verdict};
use crate::terminal::output::{Colour, Output};
use crate::text::{Safe, TOLD, count, first_ten};
use crate::time::{now_ms, shown};
use crate::wrap::unbroken;

const RUN_AGAIN: &str = "run the same command again in a minute; if a token works then, too, revoke its API \
     key in the dashboard";
const ASK_AGAIN: &str = "the revocation itself was accepted: run the same command to ask once more";

/// That there are API keys in the text.
pub(super) fn leaked_keys(plan: &Plan) -> String {
    let warning = plan.leaked.as_ref();
    let warning = warning.and_then(|it| key_warning(it, &it.found.keys));
    warning.map(|it| format!("warning: {}\n  {}\n", it.message, it.remedy)).unwrap_or_default()
}

/// How many tokens a text holds, what was left out, and what they could do.
pub(super) fn found(leaked: &Leaked) -> String {
    let (source, issuers) = (unbroken(&Safe(&leaked.source).to_string()), leaked.issuers());
    let (tokens, keys) = (count(leaked.len(), "token"), count(issuers.len(), "key"));
    let mut text = format!("Found in {source}: {tokens} of {keys}");
    // Writing to a String cannot fail, here and below.
    let _ = match leaked.left_out() {
        left_out if left_out.is_empty() => writeln!(text),
        left_out => writeln!(text, "; left out: {left_out}"),
    };
    text.push_str("What they could do, by the key that signed them:\n");
    for (key, tokens) in issuers.iter().take(TOLD) {
        let could = Capability::of(tokens.iter().copied()).shortened();
        let _ = writeln!(text, "  {key}: {}", Safe(&could));
    }
    if issuers.len() > TOLD {
        let _ = writeln!(text, "  and {}", count(issuers.len() - TOLD, "more key"));
    }
    text
}

/// The same with what is to be known before a yes: of one token what it says of itself.
pub(super) fn asked_about(leaked: &Leaked) -> String {
    match leaked.only() {
        None => found(leaked) + "Their signatures were not verified\n",
        Some(token) if leaked.left_out().is_empty() => facts(leaked, token),
        Some(token) => found(leaked) + &facts(leaked, token),
    }
}

fn facts(leaked: &Leaked, token: &Token) -> String {
    let claim = match leaked.target(token).0 {
        Kind::RevocationKey => "x-ably-revocation-key",
        _ => "x-ably-clientId",
    };
    let time = |at: Option<i64>| at.map_or_else(|| "at a time it does not say".to_owned(), shown);
    let left = token.claims.expires_at.map(|end| end.saturating_sub(now_ms() / 1000));
    let left = left.map(|left| format!(" ({left} s left)")).unwrap_or_default();
    format!(
        "The leaked token names its target in {claim}, was signed with key {},\n\
         issued {} and expires {}{left}; its signature was not verified\n\
         It could: {}\n",
        token.key_name,
        time(token.claims.issued_ms()),
        time(token.claims.expires_ms()),
        Safe(&Capability::of([token]).shortened()),
    )
}

/// What is doubtful about tokens that live long.
pub(super) fn long_life(leaked: &Leaked) -> Option<String> {
    let now = now_ms();
    let long =
        leaked.found.tokens.iter().filter(|token| token.lives_longer_than_an_hour(now)).count();
    let who = match (long, leaked.only()) {
        (0, _) => return None,
        (_, Some(_)) => "the token claims",
        (1, None) => "1 of the tokens claims",
        (_, None) => &format!("{long} of the tokens claim"),
    };
    let it = if long == 1 { "it" } else { "they" };
    Some(format!(
        "{who} a life of over an hour, which Ably does not allow where tokens can be revoked: {it} may stay \
         valid; check with --verify, and if Ably still accepts one, revoke its API key in the dashboard"
    ))
}

/// What cannot be revoked, ten of a kind, until when it lives, and what can still be done.
pub(super) fn irrevocable(plan: &Plan) -> String {
    let Some(leaked) = &plan.leaked else {
        return String::new();
    };
    let (mut text, mut tokens, mut missing) = (String::new(), Vec::new(), Vec::new());
    for job in plan.missing() {
        let own = || leaked.of_job(&job.tokens).map(|(_, token, _)| token);
        if missing.len() < TOLD {
            let s = if job.tokens.len() == 1 { "" } else { "s" };
            let lines = first_ten(own().map(|token| token.line.to_string()), ", ");
            let (what, key) = (by_kind(&job.targets), &job.key_name);
            let _ = writeln!(text, "  {what} of key {key}, which is not at hand (line{s} {lines})");
        }
        missing.push(job.key_name.as_str());
        tokens.extend(own());
    }
    if missing.len() > TOLD {
        let more = count(missing.len() - TOLD, "more key");
        let _ = writeln!(text, "  and those of {more}, which are not at hand");
    }
    if !missing.is_empty() {
        let command = revoke_command(missing.iter().copied());
        let _ = writeln!(
            text,
            "    add the key to the file of --api-key-file (a key a line), or revoke it {command}"
        );
    }
    for (token, why) in plan.helpless().iter().take(TOLD) {
        let _ = writeln!(text, "  the token in {}", placed(token, why));
    }
    if plan.helpless().len() > TOLD {
        let _ = writeln!(text, "  and {}", count(plan.helpless().len() - TOLD, "more token"));
    }
    if let Some((_, why)) = plan.helpless().first() {
        let remedy = remedy(why, plan.helpless().iter().map(|(token, _)| token));
        let _ = writeln!(text, "    {}", Safe(&remedy));
    }
    tokens.extend(plan.helpless().iter().map(|(token, _)| token));
    let last = if tokens.len() == 1 { "it" } else { "the last of them" };
    let _ = match last_expiry(tokens.iter().copied()) {
        _ if tokens.is_empty() => Ok(()),
        Some(end) => writeln!(text, "  {last} lives until {}", shown(end)),
        None => writeln!(text, "  until when {last} lives is not known"),
    };
    text
}

pub(super) fn proofs(output: &Output, plan: &Plan, proofs: &[Proof]) {
    let (Some(leaked), [first, ..]) = (&plan.leaked, proofs) else {
        return;
    };
    if let Some(problem) = doubt(leaked, proofs) {
        say_problem(output, "", &problem, None);
    } else {
        let told = if leaked.only().is_some() {
            first.verdict.described()
        } else {
            counts(leaked, proofs)
        };
        let all_dead = proofs.len() == leaked.len();
        let symbol = if all_dead { output.symbol(Colour::Good, "✓") } else { String::new() };
        output.say(&format!("{symbol}{}\n", Safe(&told)));
    }
    if leaked.only().is_some() {
        return;
    }
    let alive = || proofs.iter().filter(|proof| !proof.verdict.is_dead());
    for proof in alive().take(TOLD) {
        let Some(token) = leaked.found.tokens.get(proof.token) else { continue };
        let (kind, value) = leaked.target(token);
        let target = named(&format!("{}{value}", kind.prefix()));
        let what = Safe(&proof.verdict.described()).to_string();
        output.say(&format!("  line {}, key {}, {target}: {what}\n", token.line, token.key_name));
    }
    let more = alive().count().saturating_sub(TOLD);
    if more > 0 {
        output.say(&format!("  and {more} more\n"));
    }
}

/// What tokens that are not known to be dead call for.
pub(super) fn doubt(leaked: &Leaked, proofs: &[Proof]) -> Option<Problem> {
    let alive = || proofs.iter().map(|proof| &proof.verdict).filter(|verdict| !verdict.is_dead());
    let first = alive().next()?;
    let message = match leaked.only() {
        Some(_) => first.described(),
        None => counts(leaked, proofs),
    };
    let is_accepted = alive().any(|verdict| *verdict == Verdict::Accepted);
    Some(Problem::new(message, if is_accepted { RUN_AGAIN } else { ASK_AGAIN }))
}

/// `1 of 3 tokens is rejected as revoked (40141); 1 still accepted; 1 not asked about`.
fn counts(leaked: &Leaked, proofs: &[Proof]) -> String {
    let number = |is: fn(&Verdict) -> bool| proofs.iter().filter(|it| is(&it.verdict)).count();
    let dead = number(|it| *it == Verdict::Revoked);
    let be = if dead == 1 { "is" } else { "are" };
    let all = count(leaked.len(), "token");
    let mut text = format!("{dead} of {all} {be} rejected as revoked (40141)");
    let others = [
        (number(|it| matches!(it, Verdict::Dead(_))), "dead for another reason"),
        (number(|it| *it == Verdict::Accepted), "still accepted"),
        (number(|it| matches!(it, Verdict::NotKnown(_))), "not known"),
        (leaked.len() - proofs.len(), "not revoked, so not asked about"),
    ];
    for (n, what) in others.into_iter().filter(|(n, _)| *n > 0) {
        let _ = write!(text, "; {n} {what}");
    }
    text
}
