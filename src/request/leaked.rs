//! `--from-token`: from a leaked token to the target that revokes it. The token is decoded, never
//! verified and never shown (`jwt.rs`).

use crate::error::{Error, Problem};
use crate::json::{Fields, Json};
use crate::request::jwt::{self, Life, Token};
use crate::request::targets::{Kind, Targets};
use crate::terminal::choose::Chooser;
use crate::time::{now_ms, shown};

/// A leaked token and the claims by which it can be revoked, at least one.
#[derive(Debug)]
pub struct Candidates {
    /// The token.
    pub token: Token,
    kinds: Vec<Kind>,
}

impl Candidates {
    /// Decodes a token and finds the claims, `by` alone where that is given.
    ///
    /// # Errors
    /// It is no token that can be revoked, or it has expired.
    pub fn read(bytes: &[u8], by: Option<Kind>) -> Result<Self, Problem> {
        let token = jwt::decode(bytes)?;
        if let Life::Expired { since } = token.life(now()) {
            return Err(Problem::new(
                format!(
                    "the token expired at {}: there is nothing to revoke",
                    shown(millis(since))
                ),
                "if this machine's clock is wrong, set it",
            ));
        }
        let kinds = claims(&token, by)?;
        Ok(Self { token, kinds })
    }

    /// All targets that may come to be chosen.
    ///
    /// # Errors
    /// A claim's value cannot be a target.
    pub fn targets(&self) -> Result<Targets, Problem> {
        targets(&self.token, &self.kinds)
    }
}

/// A leaked token and the claim by which it is revoked.
#[derive(Debug)]
pub struct Leaked {
    /// The token.
    pub token: Token,
    by: Kind,
}

impl Leaked {
    /// Picks the claim: the only one, or the one that is chosen.
    ///
    /// # Errors
    /// The claim is left open.
    pub fn choose(candidates: Candidates, chooser: &Chooser) -> Result<Self, Error> {
        let Candidates { token, kinds } = candidates;
        let n = match kinds.len() {
            1 => 0,
            _ => {
                let (client_id, revocation_key) = token.targets();
                let names = [
                    format!("client ID {}", client_id.unwrap_or_default()),
                    format!("revocation key {}", revocation_key.unwrap_or_default()),
                ];
                let otherwise = Problem::new(
                    "the token has a client ID and a revocation key",
                    "say which with --by client-id or --by revocation-key",
                );
                chooser.among("The token can be revoked by:", &names, otherwise)?
            }
        };
        Ok(Self { token, by: kinds.get(n).copied().unwrap_or(Kind::ClientId) })
    }

    /// The target that revokes it.
    ///
    /// # Errors
    /// The claim's value cannot be a target.
    pub fn targets(&self) -> Result<Targets, Problem> {
        targets(&self.token, &[self.by])
    }

    /// What the operator is to know of it, one fact a line.
    pub fn facts(&self) -> String {
        let token = &self.token;
        let claim = match self.by {
            Kind::RevocationKey => "x-ably-revocation-key",
            _ => "x-ably-clientId",
        };
        let time = |seconds: Option<i64>| {
            seconds.map_or_else(|| "at a time it does not say".to_owned(), |at| shown(millis(at)))
        };
        let left = match token.life(now()) {
            Life::Alive { left_s } => format!(" ({left_s} s left)"),
            _ => String::new(),
        };
        let mut text = format!(
            "The leaked token names its target in {claim}, was signed with key {},\n\
             issued {} and expires {}{left}; its signature was not verified\n",
            token.key_name,
            time(token.issued_at),
            time(token.expires_at),
        );
        if let Some(warning) = self.warning() {
            text.push_str("warning: ");
            text.push_str(warning);
            text.push('\n');
        }
        text
    }

    /// What is doubtful about revoking it.
    pub fn warning(&self) -> Option<&'static str> {
        self.token.lives_longer_than_an_hour(now()).then_some(
            "the token claims a life of over an hour, which Ably does not allow where tokens can be \
             revoked: it may stay valid; check with --verify, and if Ably still accepts it, revoke \
             its API key in the dashboard",
        )
    }

    /// The same for scripts; times in Unix milliseconds.
    pub fn json(&self) -> Json {
        let token = &self.token;
        Fields::new()
            .with("keyName", token.key_name.as_str())
            .maybe("clientId", token.client_id.as_deref())
            .maybe("revocationKey", token.revocation_key.as_deref())
            .maybe("issuedAt", token.issued_at.map(millis))
            .maybe("expiresAt", token.expires_at.map(millis))
            .maybe("warning", self.warning())
            .done()
    }
}

fn targets(token: &Token, kinds: &[Kind]) -> Result<Targets, Problem> {
    let (client_id, revocation_key) = token.targets();
    let value = |kind: &Kind| match kind {
        Kind::RevocationKey => (*kind, revocation_key.unwrap_or_default()),
        _ => (*kind, client_id.unwrap_or_default()),
    };
    Targets::from_options(kinds.iter().map(value))
}

fn claims(token: &Token, by: Option<Kind>) -> Result<Vec<Kind>, Problem> {
    let (client_id, revocation_key) = token.targets();
    match (client_id, revocation_key, by) {
        (None, None, _) => Err(Problem::new(
            match token.client_id {
                Some(_) => "the token is for any client ID (*) and has no revocation key",
                None => "the token has neither a client ID nor a revocation key",
            },
            "it cannot be revoked by itself: revoke its API key in the dashboard, or use --channel",
        )),
        (None, Some(_), Some(Kind::ClientId)) => Err(lacks("client ID", "--by revocation-key")),
        (Some(_), None, Some(Kind::RevocationKey)) => {
            Err(lacks("revocation key", "--by client-id"))
        }
        (_, _, Some(by)) => Ok(vec![by]),
        (Some(_), None, None) => Ok(vec![Kind::ClientId]),
        (None, Some(_), None) => Ok(vec![Kind::RevocationKey]),
        (Some(_), Some(_), None) => Ok(vec![Kind::ClientId, Kind::RevocationKey]),
    }
}

fn lacks(what: &str, instead: &str) -> Problem {
    Problem::new(format!("the token has no {what}"), format!("use {instead}, or leave --by out"))
}

/// Unix seconds.
fn now() -> i64 {
    now_ms() / 1000
}

fn millis(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}
