//! What is said of leaked tokens that cannot be revoked here, and of API keys beside them: why, and what
//! can still be done. Nothing of a token is shown but its claims.

use std::collections::HashSet;

use crate::error::{Error, Problem};
use crate::json::{Fields, Json};
use crate::request::leaked::Leaked;
use crate::request::leaked_tokens::capability::Capability;
use crate::request::leaked_tokens::{Found, LeakedKey, OTHER_TARGET, Token, Why};
use crate::text::{Safe, count, first_ten};
use crate::time::shown;

const LOOKED_FOR: &str = "a JWT is looked for, eyJ….eyJ….…, whose header names an Ably key (kid); it must \
     stand on one line";
const CLOCK: &str = "there is nothing to revoke; if this machine's clock is wrong, set it";

/// Makes sure that there is something to do.
pub fn check(leaked: &Leaked) -> Result<(), Error> {
    match leaked.found.tokens.is_empty() {
        true => Err(nothing(leaked)),
        false => Ok(()),
    }
}

/// The end of a run with nothing to do, since no token can be revoked. API keys are told first.
fn nothing(leaked: &Leaked) -> Error {
    let Found { helpless, uncertain, expired, not_ably, .. } = &leaked.found;
    let name = Safe(&leaked.source);
    let ended = leaked.found.last_expired_ms.map(shown).unwrap_or_default();
    let (message, remedy) = match (&helpless[..], expired, not_ably, &uncertain[..]) {
        ([(_, why), ..], ..) => {
            (every_reason(leaked), remedy(why, helpless.iter().map(|(it, _)| it)))
        }
        (_, 1, ..) => (format!("the token expired at {ended}"), CLOCK.to_owned()),
        (_, 2.., ..) => (
            format!("all {expired} tokens in {name} have expired, the last at {ended}"),
            CLOCK.to_owned(),
        ),
        (_, _, 0, [(token, _)]) => (
            format!("the token names key {}, but no claim of it is Ably's", token.key_name),
            format!("if that is an Ably key, revoke it {}", revoke_command([&*token.key_name])),
        ),
        (_, _, 1, []) => (
            "the token is not Ably's: its header names no Ably key (kid: appId.keyId)".to_owned(),
            OTHER_TARGET.to_owned(),
        ),
        (_, _, 0, []) => match &leaked.found.diagnosis {
            Some(diagnosis) => (format!("{name} {}", diagnosis.message), diagnosis.remedy.clone()),
            None => (format!("{name} holds no token of an Ably key"), LOOKED_FOR.to_owned()),
        },
        _ => (
            format!("none of the {} JWTs in {name} is Ably's", not_ably + uncertain.len()),
            OTHER_TARGET.to_owned(),
        ),
    };
    let problem = match key_warning(leaked, &leaked.found.keys) {
        Some(keys) => Problem {
            message: format!("{}; {message}", keys.message),
            remedy: match helpless.is_empty() {
                true => keys.remedy,
                false => format!("{}; {remedy}", keys.remedy),
            },
        },
        None => Problem { message, remedy },
    };
    let tokens = helpless.iter().map(|(token, _)| described(token).done()).collect();
    Error { tokens, ..problem.into() }
}

/// Why none of the helpless tokens can be revoked by itself.
fn every_reason(leaked: &Leaked) -> String {
    let helpless = &leaked.found.helpless;
    let each = helpless.iter().map(|(token, why)| placed(token, why));
    let (each, name) = (first_ten(each, "; "), Safe(&leaked.source));
    match helpless.len() {
        1 => format!("the token in {each}"),
        all => format!("none of the {all} tokens in {name} can be revoked by itself: {each}"),
    }
}

/// Why a token cannot be revoked, behind where it stands: `line 7, key APP1.key1, is doubtful …`.
pub fn placed(token: &Token, why: &Why) -> String {
    match token.key_name.as_str() {
        "" => format!("line {} {why}", token.line),
        key => format!("line {}, key {key}, {why}", token.line),
    }
}

/// That there are these API keys in the text, and what to do about that.
pub fn key_warning(leaked: &Leaked, keys: &[LeakedKey]) -> Option<Problem> {
    let noun = match keys {
        [] => return None,
        [_] => "an API key".to_owned(),
        keys => count(keys.len(), "API key"),
    };
    let told = keys.iter().map(|key| format!("{} (line {})", key.key_name, key.line));
    let told = first_ten(told, "; ");
    let command = revoke_command(keys.iter().map(|key| key.key_name.as_str()));
    Some(Problem::new(
        format!("{} holds {noun}: {told}", Safe(&leaked.source)),
        format!("whoever has one can sign new tokens, so revoke it {command}"),
    ))
}

/// A token for scripts: what names it in public, its claims, what it could do. Times are Unix
/// milliseconds.
pub fn described(token: &Token) -> Fields {
    let key_name = Some(token.key_name.as_str()).filter(|name| !name.is_empty());
    let fields = Fields::new()
        .with("fingerprint", format!("{:016x}", token.fingerprint))
        .with("line", i64::try_from(token.line).unwrap_or(i64::MAX))
        .maybe("keyName", key_name)
        .maybe("clientId", token.claims.client_id.as_deref())
        .maybe("revocationKey", token.claims.revocation_key.as_deref())
        .maybe("issuedAt", token.claims.issued_ms())
        .maybe("expiresAt", token.claims.expires_ms());
    fields.maybe("capability", capability(&[token]))
}

/// What tokens could do together, in the form that Ably gives it, if they say so.
pub fn capability(tokens: &[&Token]) -> Option<Json> {
    let all = Capability::of(tokens.iter().copied());
    match all.unlimited + all.unreadable == tokens.len() {
        true if all.unreadable > 0 => Some("unreadable".into()),
        true => None,
        false => Some(all.json()),
    }
}

/// When the last of some tokens expires, in Unix milliseconds; `None` if one never does.
pub fn last_expiry<'a>(tokens: impl IntoIterator<Item = &'a Token>) -> Option<i64> {
    let ends = tokens.into_iter().map(|token| token.claims.expires_ms());
    ends.collect::<Option<Vec<i64>>>()?.into_iter().max()
}

/// What to do about tokens that cannot be revoked by themselves.
pub fn remedy<'a>(why: &Why, tokens: impl IntoIterator<Item = &'a Token>) -> String {
    let mut names: Vec<&str> = tokens.into_iter().map(|token| token.key_name.as_str()).collect();
    names.retain(|name| !name.is_empty());
    let instead = match why {
        Why::NoClaim | Why::AnyClient => "use --channel",
        _ => OTHER_TARGET,
    };
    match names.is_empty() {
        true => format!("{instead}, or revoke its API key in Ably's dashboard"),
        false => format!("{instead}, or revoke the API key {}", revoke_command(names)),
    }
}

/// The full CLI's own command that revokes a key.
pub fn revoke_command<'a>(key_names: impl IntoIterator<Item = &'a str>) -> String {
    let mut known = HashSet::new();
    let names = key_names.into_iter().filter(|name| known.insert(*name));
    let commands = names.map(|name| format!("ably auth keys revoke {name}"));
    format!("with the full Ably CLI: {}", first_ten(commands, "; "))
}
