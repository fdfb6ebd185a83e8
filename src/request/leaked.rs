//! `--from-token`: what is to be revoked for the tokens that a text holds, and which of them cannot
//! be. Found and decoded in `leaked_tokens`; nothing of a token is shown but its claims.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::api_key::ApiKey;
use crate::error::{Error, Problem};
use crate::file;
use crate::request::leaked_tokens::{Found, Reading, Token, Why, find};
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::terminal::choose::Chooser;
use crate::text::{Safe, count};
use crate::time::shown;

/// Of so many tokens every part is taken out of texts from outside. Of others no such text is shown.
pub const LEARNED: usize = 100;
/// So many of a kind are told one by one.
const TOLD: usize = 10;
/// What to do about a token that cannot be read.
pub(super) const OTHER_TARGET: &str = "revoke by the client it was issued to, with --client-id";
const LOOKED_FOR: &str = "a JWT is looked for, eyJ….eyJ….…, whose header names an Ably key (kid); it must \
     stand on one line";
const CLOCK: &str = "there is nothing to revoke; if this machine's clock is wrong, set it";

/// The tokens and keys of a text, and what is to be done about them.
#[derive(Debug)]
pub struct Leaked {
    /// What the operator calls the text.
    pub source: String,
    pub found: Found,
    /// How many tokens are left out, since `--app` names another app.
    pub other_apps: usize,
    now_ms: i64,
    /// The claim that counts where a token has both.
    by: Option<Kind>,
    /// For each token the job that revokes it, and its target's position there.
    places: Vec<(usize, usize)>,
}

impl Leaked {
    /// Finds the tokens of the text that an option names.
    pub fn read(
        path: &Path,
        named_by: &str,
        by: Option<Kind>,
        reading: Reading<'_>,
        signals: &Signals,
    ) -> Result<Self, Problem> {
        let source = file::called(path);
        let reader = file::open_named(path, named_by, &source, signals)?;
        let found =
            find(reader, reading).map_err(|error| file::unreadable(named_by, &source, &error))?;
        let (now_ms, places, other_apps) = (reading.now_ms, Vec::new(), 0);
        let mut leaked = Self { source, found, now_ms, by, places, other_apps };
        leaked.recognise(reading.keys);
        Ok(leaked)
    }

    /// Settles whose the tokens without a claim of Ably's are, once all keys at hand are known; and sees
    /// to it that none of the keys is taken for a target.
    pub fn settle(&mut self, keys: &[&ApiKey]) -> Result<(), Problem> {
        self.recognise(keys);
        self.found.not_ably += self.found.uncertain.drain(..).count();
        self.check()
    }

    /// Makes sure that there is something to do.
    pub fn check(&self) -> Result<(), Problem> {
        match self.found.tokens.is_empty() {
            true => Err(self.nothing()),
            false => Ok(()),
        }
    }

    fn recognise(&mut self, keys: &[&ApiKey]) {
        let names: HashSet<&str> = keys.iter().map(|key| key.name()).collect();
        let is_known = |(token, _): &mut (Token, Why)| names.contains(token.key_name.as_str());
        for (token, why) in self.found.uncertain.extract_if(.., is_known) {
            match token.claims.ended_ms(self.now_ms) {
                Some(_) => self.found.expired += 1,
                None => self.found.helpless.push((token, why)),
            }
        }
        let holds_secret = |token: &mut Token| {
            let (client_id, revocation_key) = token.targets();
            let mut values = client_id.into_iter().chain(revocation_key);
            values.any(|value| keys.iter().any(|key| key.is_in(value)))
        };
        for mut token in self.found.tokens.extract_if(.., holds_secret) {
            token.claims.forget_targets();
            self.found.helpless.push((token, Why::HoldsSecret));
        }
        self.found.helpless.sort_by_key(|(token, _)| token.line);
    }

    /// Makes sure that Ably can be asked with at least one of the tokens, and the redactor know them:
    /// what Ably answers may repeat them.
    pub fn prepare_proof(&self, redactor: &Redactor) -> Result<(), Problem> {
        let signed = self.found.tokens.iter().filter(|token| token.is_signed());
        let mut raw = signed.filter_map(|token| token.raw.as_ref()).take(LEARNED).peekable();
        if raw.peek().is_none() {
            return Err(Problem::new(
                "--verify: the token has no signature, so that Ably would reject it in any case",
                "give the whole token, or leave --verify out",
            ));
        }
        raw.for_each(|raw| redactor.add(raw.expose()));
        Ok(())
    }

    /// The names of the keys that signed the tokens, each once.
    pub fn signers(&self) -> Vec<String> {
        let mut known = HashSet::new();
        let names = self.found.tokens.iter().map(|token| &token.key_name);
        names.filter(|name| known.insert(*name)).cloned().collect()
    }

    /// Leaves out the tokens of other apps.
    pub fn restrict(&mut self, app: &str) {
        let before = self.found.tokens.len() + self.found.helpless.len();
        self.found.tokens.retain(|token| token.app_id() == app);
        self.found.helpless.retain(|(token, _)| token.key_name.is_empty() || token.app_id() == app);
        self.other_apps += before - self.found.tokens.len() - self.found.helpless.len();
    }

    /// Settles which claim counts where a token has both.
    pub fn choose(&mut self, chooser: &Chooser) -> Result<(), Error> {
        let has_both = |token: &&Token| matches!(token.targets(), (Some(_), Some(_)));
        let both: Vec<&Token> = self.found.tokens.iter().filter(has_both).collect();
        if self.by.is_some() || both.is_empty() {
            return Ok(());
        }
        let (s, has) = if both.len() == 1 { ("", "has") } else { ("s", "have") };
        let lines = first_ten(both.iter().map(|token| token.line.to_string()), ", ");
        let all = count(self.found.tokens.len() + self.found.helpless.len(), "token");
        let only = self.only();
        let which = match only {
            Some(_) => "the token".to_owned(),
            None => format!("{} of {all}, line{s} {lines},", both.len()),
        };
        let (client_id, revocation_key) = only.map(Token::targets).unwrap_or_default();
        let candidates = [
            format!("client ID {}", client_id.unwrap_or_default()),
            format!("revocation key {}", revocation_key.unwrap_or_default()),
        ];
        let otherwise = Problem::new(
            format!("{which} {has} a client ID and a revocation key"),
            "say which with --by client-id or --by revocation-key",
        );
        let title = format!("{which} can be revoked by:");
        let chosen =
            chooser.among(&title, &candidates.map(|it| it.trim_end().to_owned()), otherwise)?;
        self.by = Some(if chosen == 0 { Kind::ClientId } else { Kind::RevocationKey });
        Ok(())
    }

    /// What revokes a token.
    #[expect(clippy::expect_used, reason = "it is not among the helpless")]
    pub fn target<'a>(&self, token: &'a Token) -> (Kind, &'a str) {
        match (token.targets(), self.by) {
            ((Some(id), None), _) | ((Some(id), _), Some(Kind::ClientId) | None) => {
                (Kind::ClientId, id)
            }
            ((_, key), _) => (Kind::RevocationKey, key.expect("a token here has a claim")),
        }
    }

    /// The targets by the key that signed their tokens, in the order in which these first stand. Tokens
    /// with the same key and target share one.
    #[expect(clippy::indexing_slicing, reason = "every position is one of a token")]
    pub fn jobs(&mut self) -> Result<Vec<(String, Targets)>, Problem> {
        let (tokens, mut job_of) = (&self.found.tokens, HashMap::new());
        let names = tokens.iter().map(|token| token.key_name.as_str());
        let job = |name| {
            let next = job_of.len();
            *job_of.entry(name).or_insert(next)
        };
        let job_of: Vec<usize> = names.map(job).collect();
        let mut by_job: Vec<usize> = (0..tokens.len()).collect();
        by_job.sort_by_key(|at| job_of[*at]);
        let (mut jobs, mut places) = (Vec::new(), vec![(0, 0); tokens.len()]);
        for own in by_job.chunk_by(|a, b| job_of[*a] == job_of[*b]) {
            let (mut targets, mut known) = (Vec::new(), HashMap::new());
            for at in own {
                let target = self.target(&tokens[*at]);
                let place = *known.entry(target).or_insert(targets.len());
                if place == targets.len() {
                    targets.push(target);
                }
                places[*at] = (jobs.len(), place);
            }
            let key_name = tokens[own[0]].key_name.clone();
            jobs.push((key_name, Targets::from_options(targets.into_iter())?));
        }
        self.places = places;
        Ok(jobs)
    }

    /// Each token with the job that revokes it and its target's position there.
    pub fn places(&self) -> impl Iterator<Item = (&Token, usize, usize)> {
        self.found.tokens.iter().zip(&self.places).map(|(token, (job, at))| (token, *job, *at))
    }

    /// The token, if there is one alone and nothing else to tell of.
    pub fn only(&self) -> Option<&Token> {
        match self.found.tokens.as_slice() {
            [token] if self.found.helpless.is_empty() => Some(token),
            _ => None,
        }
    }

    /// That there are API keys in the text, and what to do about that.
    pub fn key_warning(&self) -> Option<Problem> {
        let keys = &self.found.keys;
        let noun =
            if keys.len() == 1 { "an API key".to_owned() } else { count(keys.len(), "API key") };
        let told = keys.iter().map(|key| format!("{} (line {})", key.key_name, key.line));
        let problem = Problem::new(
            format!("{} holds {noun}: {}", Safe(&self.source), first_ten(told, "; ")),
            format!(
                "whoever has one can sign new tokens, so revoke it {}",
                revoke_command(keys.iter().map(|key| key.key_name.as_str()))
            ),
        );
        (!keys.is_empty()).then_some(problem)
    }

    /// Why there is nothing to do, where no token can be revoked. API keys are told first.
    fn nothing(&self) -> Problem {
        let Found { helpless, uncertain, expired, not_ably, .. } = &self.found;
        let name = Safe(&self.source);
        let ended = self.found.last_expired_ms.map(shown).unwrap_or_default();
        let (message, remedy) = match (&helpless[..], expired, not_ably, &uncertain[..]) {
            ([(_, why), ..], ..) => (self.told(), remedy(why, helpless.iter().map(|(it, _)| it))),
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
                "the token is not Ably's: its header names no Ably key (kid: appId.keyId)"
                    .to_owned(),
                OTHER_TARGET.to_owned(),
            ),
            (_, _, 0, []) => match &self.found.diagnosis {
                Some(diagnosis) => (format!("{name} {diagnosis}"), diagnosis.remedy()),
                None => (format!("{name} holds no token of an Ably key"), LOOKED_FOR.to_owned()),
            },
            _ => (
                format!("none of the {} JWTs in {name} is Ably's", not_ably + uncertain.len()),
                OTHER_TARGET.to_owned(),
            ),
        };
        match self.key_warning() {
            None => Problem { message, remedy },
            Some(keys) => {
                let message = format!("{}; {message}", keys.message);
                match helpless.is_empty() {
                    true => Problem { message, ..keys },
                    false => Problem { message, remedy: format!("{}; {remedy}", keys.remedy) },
                }
            }
        }
    }

    /// Why none of the helpless tokens can be revoked by itself.
    fn told(&self) -> String {
        let each = self.found.helpless.iter().map(|(token, why)| match token.key_name.as_str() {
            "" => format!("line {} {why}", token.line),
            key => format!("line {}, key {key}, {why}", token.line),
        });
        let each = first_ten(each, "; ");
        match self.found.helpless.len() {
            1 => format!("the token in {each}"),
            all => {
                let name = Safe(&self.source);
                format!("none of the {all} tokens in {name} can be revoked by itself: {each}")
            }
        }
    }
}

/// When the last of some tokens expires, in Unix milliseconds; `None` if one never does.
pub fn last_expiry<'a>(tokens: impl IntoIterator<Item = &'a Token>) -> Option<i64> {
    let ends = tokens.into_iter().map(|token| token.claims.expires_at);
    ends.collect::<Option<Vec<i64>>>()?.into_iter().max().map(|end| end.saturating_mul(1000))
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

/// The first ten, and how many more.
fn first_ten(items: impl Iterator<Item = String>, separator: &str) -> String {
    let mut items: Vec<String> = items.collect();
    if items.len() > TOLD {
        let more = items.split_off(TOLD).len();
        items.push(format!("and {more} more"));
    }
    items.join(separator)
}
