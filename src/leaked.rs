//! `--from-token`: from a leaked token to the target that revokes it. The token is decoded, never
//! verified and never shown (`token.rs`).

use crate::choose::Chooser;
use crate::clock::{now_ms, shown};
use crate::error::{Error, Problem};
use crate::json::{Fields, Json};
use crate::targets::{Kind, Targets};
use crate::token::{self, Life, Token};

/// A leaked token and the claim by which it is revoked.
#[derive(Debug)]
pub struct Leaked {
    /// The token.
    pub token: Token,
    by: Kind,
}

impl Leaked {
    /// Decodes a token and picks the claim: the only one, the one that `by` names, or the one
    /// that is chosen.
    ///
    /// # Errors
    /// It is no token that can be revoked, it has expired, or the claim is left open.
    pub fn read(bytes: &[u8], by: Option<Kind>, chooser: &Chooser) -> Result<Self, Error> {
        let token = token::decode(bytes).map_err(Error::Input)?;
        if let Life::Expired { since } = token.life(now()) {
            return Err(Error::input(
                format!(
                    "the token expired at {}: there is nothing to revoke",
                    shown(millis(since))
                ),
                "if this machine's clock is wrong, set it",
            ));
        }
        let by = claim(&token, by, chooser)?;
        Ok(Self { token, by })
    }

    /// The target that revokes it.
    ///
    /// # Errors
    /// The claim's value cannot be a target.
    pub fn targets(&self) -> Result<Targets, Problem> {
        let (client_id, revocation_key) = self.token.targets();
        let value = match self.by {
            Kind::RevocationKey => revocation_key,
            _ => client_id,
        };
        Targets::from_options([(self.by, value.unwrap_or_default())].into_iter())
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

fn claim(token: &Token, by: Option<Kind>, chooser: &Chooser) -> Result<Kind, Error> {
    let (client_id, revocation_key) = token.targets();
    match (client_id, revocation_key, by) {
        (None, None, _) => Err(Error::input(
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
        (_, _, Some(by)) => Ok(by),
        (Some(_), None, None) => Ok(Kind::ClientId),
        (None, Some(_), None) => Ok(Kind::RevocationKey),
        (Some(client_id), Some(revocation_key), None) => {
            let candidates =
                [format!("client ID {client_id}"), format!("revocation key {revocation_key}")];
            let otherwise = Problem::new(
                "the token has a client ID and a revocation key",
                "say which with --by client-id or --by revocation-key",
            );
            let n = chooser.among("The token can be revoked by:", &candidates, otherwise)?;
            Ok(if n == 0 { Kind::ClientId } else { Kind::RevocationKey })
        }
    }
}

fn lacks(what: &str, instead: &str) -> Error {
    Error::input(format!("the token has no {what}"), format!("use {instead}, or leave --by out"))
}

/// Unix seconds.
fn now() -> i64 {
    now_ms() / 1000
}

fn millis(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}
