//! `--from-token`: what is to be revoked for the tokens that a text holds, and which of them cannot
//! be. Found and decoded in `leaked_tokens`; nothing of a token is shown but its claims.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use crate::api_key::ApiKey;
use crate::error::{Error, Problem};
use crate::file;
use crate::request::leaked_tokens::{Found, Reading, Token, Why, find};
use crate::request::target::Kind;
use crate::request::targets::Targets;
use crate::secret::redactor::Redactor;
use crate::signals::Signals;
use crate::terminal::prompt::Chooser;
use crate::text::{count, first_ten};

/// Of so many tokens every part is taken out of texts from outside. Of others no such text is shown.
pub const LEARNED: usize = 100;

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
    /// The positions of the tokens, job by job, each with its target's position in the job.
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
        let reader = file::open_named(path, named_by, signals)?;
        let found =
            find(reader, reading).map_err(|error| file::unreadable(named_by, path, &error))?;
        let (now_ms, places, other_apps) = (reading.now_ms, Vec::new(), 0);
        let mut leaked = Self { source, found, now_ms, by, places, other_apps };
        leaked.recognise(reading.keys);
        Ok(leaked)
    }

    /// Settles whose the tokens without a claim of Ably's are, once all keys at hand are known; and sees
    /// to it that none of the keys is taken for a target.
    pub fn settle(&mut self, keys: &[&ApiKey]) {
        self.recognise(keys);
        self.found.not_ably += self.found.uncertain.drain(..).count();
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
    pub fn signers(&self) -> BTreeSet<String> {
        self.found.tokens.iter().map(|token| token.key_name.clone()).collect()
    }

    pub fn restrict(&mut self, app: &str) {
        let before = self.len();
        self.found.tokens.retain(|token| token.app_id() == app);
        self.found.helpless.retain(|(token, _)| token.key_name.is_empty() || token.app_id() == app);
        self.other_apps += before - self.len();
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
        let all = count(self.len(), "token");
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

    #[expect(clippy::expect_used, reason = "it is not among the helpless")]
    pub fn target<'a>(&self, token: &'a Token) -> (Kind, &'a str) {
        match (token.targets(), self.by) {
            ((Some(id), None), _) | ((Some(id), _), Some(Kind::ClientId) | None) => {
                (Kind::ClientId, id)
            }
            ((_, key), _) => (Kind::RevocationKey, key.expect("a token here has a claim")),
        }
    }

    /// The targets by the key that signed their tokens, in the order in which these first stand, and
    /// where `of_job` finds these tokens. Tokens with the same key and target share one revocation.
    #[expect(clippy::indexing_slicing, reason = "every position is one of a token")]
    pub fn jobs(&mut self) -> Result<Vec<(String, Targets, Range<usize>)>, Problem> {
        let (tokens, mut numbers) = (&self.found.tokens, HashMap::new());
        let mut by_job: Vec<(usize, usize)> = Vec::with_capacity(tokens.len());
        for (at, token) in tokens.iter().enumerate() {
            let next = numbers.len();
            by_job.push((*numbers.entry(token.key_name.as_str()).or_insert(next), at));
        }
        by_job.sort_unstable();
        let (mut jobs, mut places) = (Vec::new(), Vec::with_capacity(tokens.len()));
        for own in by_job.chunk_by(|(a, _), (b, _)| a == b) {
            let (mut targets, mut known, start) = (Vec::new(), HashMap::new(), places.len());
            for (_, at) in own {
                let target = self.target(&tokens[*at]);
                let place = *known.entry(target).or_insert(targets.len());
                if place == targets.len() {
                    targets.push(target);
                }
                places.push((*at, place));
            }
            let key_name = tokens[own[0].1].key_name.clone();
            jobs.push((key_name, Targets::from_options(targets.into_iter())?, start..places.len()));
        }
        self.places = places;
        Ok(jobs)
    }

    /// The tokens of a job: the position of each among all, and that of its target in the job.
    pub fn of_job(&self, tokens: &Range<usize>) -> impl Iterator<Item = (usize, &Token, usize)> {
        let places = self.places.get(tokens.clone()).unwrap_or_default();
        places.iter().filter_map(|(at, place)| Some((*at, self.found.tokens.get(*at)?, *place)))
    }

    /// How many tokens there are, those that cannot be revoked included.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.found.tokens.len() + self.found.helpless.len()
    }

    /// The keys that signed tokens, each with all of them, in the order in which they first stand.
    pub fn issuers(&self) -> Vec<(&str, Vec<&Token>)> {
        let (mut issuers, mut positions) = (Vec::<(&str, Vec<&Token>)>::new(), HashMap::new());
        let helpless = self.found.helpless.iter().map(|(token, _)| token);
        for token in self.found.tokens.iter().chain(helpless).filter(|it| !it.key_name.is_empty()) {
            let name = token.key_name.as_str();
            let at = *positions.entry(name).or_insert(issuers.len());
            match issuers.get_mut(at) {
                Some((_, tokens)) => tokens.push(token),
                None => issuers.push((name, vec![token])),
            }
        }
        issuers
    }

    /// `2 expired, 1 of other apps`; empty if nothing is left out.
    pub fn left_out(&self) -> String {
        let left_out = [
            (self.found.expired, "expired"),
            (self.other_apps, "of other apps"),
            (self.found.not_ably, "not Ably's"),
        ];
        let left_out = left_out.iter().filter(|(n, _)| *n > 0);
        left_out.map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
    }

    pub fn only(&self) -> Option<&Token> {
        match self.found.tokens.as_slice() {
            [token] if self.found.helpless.is_empty() => Some(token),
            _ => None,
        }
    }
}
