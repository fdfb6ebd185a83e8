//! `--from-token`: what is to be revoked for the tokens that a text holds, and which of them cannot
//! be. Found and decoded in `leaked_tokens`; nothing of a token is shown but its claims.

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Error, Problem};
use crate::file;
use crate::request::leaked_tokens::{self, Doubtful, Fingerprint, Found, Instead, Token};
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::secret::form::secret_form;
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::terminal::choose::Chooser;
use crate::text::{Safe, count};
use crate::time::{now_ms, shown};

/// Of so many tokens every part is taken out of texts from outside; it costs 20 KB each. Of others
/// no such text is shown.
pub const LEARNED: usize = 1000;
const OTHER_TARGET: &str = "revoke by the client it was issued to, with --client-id, or revoke its API key in Ably's dashboard";
const NO_CLAIM: &str =
    "it cannot be revoked by itself: revoke its API key in the dashboard, or use --channel";
const WHOLE: &str = "give the whole token, as header.payload.signature, on one line";

/// The tokens of a text.
#[derive(Debug)]
pub struct Leaked {
    /// What the operator calls the text.
    pub source: String,
    /// Those that a claim of theirs can revoke, in the order in which they first stand.
    pub tokens: Vec<Token>,
    /// Ably's tokens that cannot be revoked by themselves.
    pub helpless: Vec<Helpless>,
    /// How many have expired.
    pub expired: usize,
    /// How many JWTs no Ably key signed.
    pub foreign: usize,
    /// How many are left out, since `--app` names another app.
    pub other_apps: usize,
    /// The claim that counts where a token has both.
    by: Option<Kind>,
    /// For each token the job that revokes it, and its target's position there.
    places: Vec<(usize, usize)>,
}

/// Where a text stands in a list; lists with different numbers do not mix.
type Places<'a> = HashMap<(usize, &'a str), usize>;

/// A token of Ably's that cannot be revoked by itself.
#[derive(Debug)]
pub struct Helpless {
    /// The line in which it first stands, from 1.
    pub line: u64,
    /// The key that it names, if it names one.
    pub key_name: Option<String>,
    /// What names it in public.
    pub fingerprint: Fingerprint,
    /// Why, as a sentence's end: "has neither a client ID nor a revocation key".
    pub why: String,
}

impl Leaked {
    /// Finds the tokens of the text that an option names.
    ///
    /// # Errors
    /// It cannot be read, or no token in it can be revoked.
    pub fn read(
        path: &Path,
        named_by: &str,
        by: Option<Kind>,
        signals: &Signals,
    ) -> Result<Self, Problem> {
        let source = file::called(path);
        let reader = file::open_named(path, named_by, &source, signals)?;
        let found = leaked_tokens::find(reader, now_ms())
            .map_err(|error| file::unreadable(named_by, &source, &error))?;
        if let Some(problem) = nothing(&found, &source) {
            return Err(problem);
        }
        let Found { tokens, expired, foreign, doubtful, .. } = found;
        let mut leaked = Self {
            source,
            tokens: Vec::new(),
            helpless: doubtful.into_iter().map(Helpless::from).collect(),
            expired,
            foreign,
            other_apps: 0,
            by,
            places: Vec::new(),
        };
        for token in tokens {
            match why_helpless(&token) {
                None => leaked.tokens.push(token),
                Some(why) => leaked.helpless.push(Helpless::of(&token, why)),
            }
        }
        if leaked.tokens.is_empty() {
            return Err(leaked.all_helpless());
        }
        Ok(leaked)
    }

    /// Makes sure that Ably can be asked with at least one of the tokens, and the redactor know them:
    /// what Ably answers may repeat them.
    ///
    /// # Errors
    /// None has a signature.
    pub fn prepare_proof(&self, redactor: &Redactor) -> Result<(), Problem> {
        let tokens = || self.tokens.iter().filter(|token| token.is_signed());
        tokens().take(LEARNED).for_each(|token| redactor.add(token.raw.expose()));
        match tokens().next() {
            Some(_) => Ok(()),
            None => Err(Problem::new(
                "--verify: the token has no signature, so that Ably would reject it in any case",
                "give the whole token, or leave --verify out",
            )),
        }
    }

    /// The names of the keys that signed the tokens, each once.
    pub fn signers(&self) -> Vec<String> {
        let mut known = Places::new();
        let names = self.tokens.iter().map(|token| token.key_name.as_str());
        names.filter(|name| known.insert((0, name), 0).is_none()).map(str::to_owned).collect()
    }

    /// Leaves out the tokens of other apps.
    pub fn restrict(&mut self, app: &str) {
        let is_of = |key: &str| key.split_once('.').is_some_and(|(own, _)| own == app);
        let before = self.tokens.len() + self.helpless.len();
        self.tokens.retain(|token| is_of(&token.key_name));
        self.helpless.retain(|token| token.key_name.as_deref().is_none_or(is_of));
        self.other_apps += before - self.tokens.len() - self.helpless.len();
    }

    /// Settles which claim counts where a token has both.
    ///
    /// # Errors
    /// That is left open.
    pub fn choose(&mut self, chooser: &Chooser) -> Result<(), Error> {
        let has_both = |token: &&Token| matches!(token.targets(), (Some(_), Some(_)));
        let mut both = self.tokens.iter().filter(has_both);
        let (None, Some(first)) = (self.by, both.next()) else {
            return Ok(());
        };
        let (client_id, revocation_key) = first.targets();
        let (names, message, title) = match both.count() {
            0 => (
                [
                    format!("client ID {}", client_id.unwrap_or_default()),
                    format!("revocation key {}", revocation_key.unwrap_or_default()),
                ],
                "the token has a client ID and a revocation key".to_owned(),
                "The token can be revoked by:".to_owned(),
            ),
            more => (
                ["client ID".to_owned(), "revocation key".to_owned()],
                format!("{} have a client ID and a revocation key", count(more + 1, "token")),
                format!("{} can be revoked by:", count(more + 1, "token")),
            ),
        };
        let remedy = "say which with --by client-id or --by revocation-key";
        let chosen = chooser.among(&title, &names, Problem::new(message, remedy))?;
        self.by = Some(if chosen == 0 { Kind::ClientId } else { Kind::RevocationKey });
        Ok(())
    }

    /// What revokes a token.
    pub fn target<'a>(&self, token: &'a Token) -> (Kind, &'a str) {
        match (token.targets(), self.by) {
            ((Some(id), None), _) | ((Some(id), Some(_)), Some(Kind::ClientId) | None) => {
                (Kind::ClientId, id)
            }
            ((_, key), _) => (Kind::RevocationKey, key.unwrap_or_default()),
        }
    }

    /// The targets by the key that signed their tokens, in the order in which these first stand. Tokens
    /// with the same key and target share one.
    ///
    /// # Errors
    /// They are over 4 GiB.
    pub fn jobs(&mut self) -> Result<Vec<(String, Targets)>, Problem> {
        let names = self.signers();
        let mut lists: Vec<Vec<(Kind, &str)>> = names.iter().map(|_| Vec::new()).collect();
        let jobs: Places<'_> = names.iter().map(|name| (0, name.as_str())).zip(0..).collect();
        // The values of each job, those of client IDs apart from those of revocation keys.
        let mut known = Places::new();
        let mut places = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            let job = jobs.get(&(0, token.key_name.as_str())).copied().unwrap_or_default();
            let (kind, value) = self.target(token);
            let Some(list) = lists.get_mut(job) else { continue };
            let space = job * 2 + usize::from(kind == Kind::RevocationKey);
            let position = *known.entry((space, value)).or_insert(list.len());
            if position == list.len() {
                list.push((kind, value));
            }
            places.push((job, position));
        }
        let targets = lists.into_iter().map(|list| Targets::from_options(list.into_iter()));
        let jobs = names.into_iter().zip(targets);
        let jobs = jobs.map(|(name, targets)| Ok((name, targets?))).collect();
        self.places = places;
        jobs
    }

    /// Each token with the job that revokes it and its target's position there.
    pub fn places(&self) -> impl Iterator<Item = (&Token, usize, usize)> {
        self.tokens.iter().zip(&self.places).map(|(token, (job, at))| (token, *job, *at))
    }

    /// The token, if there is one alone and nothing else to tell of.
    pub fn only(&self) -> Option<&Token> {
        match self.tokens.as_slice() {
            [token] if self.helpless.is_empty() => Some(token),
            _ => None,
        }
    }

    /// No token can be revoked.
    fn all_helpless(&self) -> Problem {
        match self.helpless.as_slice() {
            [token] => Problem::new(format!("the token {}", token.why), remedy_of(&token.why)),
            all => {
                let line = all.first().map_or(0, |token| token.line);
                let why = all.first().map_or("", |token| token.why.as_str());
                Problem::new(
                    format!(
                        "none of the {} in {} can be revoked by itself: that of line {line} {why}",
                        count(all.len(), "token"),
                        Safe(&self.source),
                    ),
                    NO_CLAIM,
                )
            }
        }
    }
}

impl Helpless {
    fn of(token: &Token, why: String) -> Self {
        let Token { line, fingerprint, ref key_name, .. } = *token;
        Self { line, key_name: Some(key_name.clone()), fingerprint, why }
    }
}

impl From<Doubtful> for Helpless {
    fn from(Doubtful { line, key_name, fingerprint, why }: Doubtful) -> Self {
        Self { line, key_name, fingerprint, why: format!("is doubtful: {why}") }
    }
}

/// What to do about a token that cannot be revoked by itself.
pub fn remedy_of(why: &str) -> &'static str {
    if why.starts_with("is doubtful") { OTHER_TARGET } else { NO_CLAIM }
}

/// Why no claim of a token can revoke it.
fn why_helpless(token: &Token) -> Option<String> {
    let (client_id, revocation_key) = token.targets();
    let why = match (client_id, revocation_key) {
        (None, None) => match token.client_id {
            Some(_) => "is for any client ID (*) and has no revocation key",
            None => "has neither a client ID nor a revocation key",
        },
        (client_id, key) if [client_id, key].into_iter().flatten().any(is_secret) => {
            "is doubtful: a claim of it holds a key or a token"
        }
        _ => return None,
    };
    Some(why.to_owned())
}

fn is_secret(value: &str) -> bool {
    secret_form(value).is_some()
}

/// Why there is nothing to do, where no token of a text is even alive.
fn nothing(found: &Found, source: &str) -> Option<Problem> {
    if !found.tokens.is_empty() || !found.doubtful.is_empty() {
        return None;
    }
    if let Some(instead) = &found.instead {
        return Some(of_instead(instead, source));
    }
    let name = Safe(source);
    let ended = found.last_expired_ms.map(shown).unwrap_or_default();
    Some(match (found.expired, found.foreign) {
        (0, 0) => Problem::new(
            format!("{name} holds no token of an Ably key"),
            "a JWT is looked for, eyJ….eyJ….…, whose header names an Ably key (kid); it must stand on one line",
        ),
        (0, 1) => Problem::new(
            "the token's header names no Ably key (kid: appId.keyId), so it is not one of Ably's",
            OTHER_TARGET,
        ),
        (0, foreign) => Problem::new(
            format!(
                "none of the {foreign} JWTs in {name} was signed with an Ably key (kid: appId.keyId)"
            ),
            OTHER_TARGET,
        ),
        (1, _) => Problem::new(
            format!("the token expired at {ended}: there is nothing to revoke"),
            "if this machine's clock is wrong, set it",
        ),
        (expired, _) => Problem::new(
            format!(
                "all {} in {name} have expired, the last at {ended}: there is nothing to revoke",
                count(expired, "token")
            ),
            "if this machine's clock is wrong, set it",
        ),
    })
}

fn of_instead(instead: &Instead, source: &str) -> Problem {
    let name = Safe(source);
    match instead {
        Instead::Empty => Problem::new(format!("{name} is empty"), WHOLE),
        Instead::Compressed(tool) => Problem::new(
            format!("{name} is compressed"),
            format!("unpack it first: {tool} FILE | ably auth revoke-token --from-token - --force"),
        ),
        Instead::Utf16 => Problem::new(
            format!("{name} is UTF-16, not UTF-8"),
            "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)",
        ),
        Instead::ApiKey => Problem::new(
            "this is an API key, not a token",
            "to revoke the key itself, use Ably's dashboard; to use it here, give it with --api-key-file",
        ),
        Instead::OpaqueToken(app) => Problem::new(
            format!("this is an opaque Ably token of app {app}, which cannot be decoded"),
            OTHER_TARGET,
        ),
        Instead::EncryptedJwt => Problem::new(
            "the token is an encrypted JWT (five parts), which cannot be decoded",
            OTHER_TARGET,
        ),
        Instead::BrokenToken => {
            Problem::new("the token is broken over several lines", "join its lines to one")
        }
    }
}
