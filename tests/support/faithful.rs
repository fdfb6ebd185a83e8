//! How Ably itself behaves: revocations, its clock, tokens, throw-away apps, the Control API.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use miniserde::json::{self, Value};
use ring::hmac;

use super::ably::{KEY_NAME, SECRET, Seen};
use super::answer::{Answer, error_info, revoked};
use super::json::{get, has, quote};

const HOUR_MS: u64 = 3_600_000;
const MARGIN_MS: u64 = 30_000;

/// A target that was revoked, in the order in which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The name of the key.
    pub key: String,
    pub target: String,
    pub issued_before: u64,
    pub applies_at: u64,
}

/// A token that somebody may ask Ably with.
#[derive(Clone, Debug)]
pub struct Token {
    text: String,
    /// The name of the key that signed it, and when, in Unix milliseconds: as the token says.
    key: String,
    issued_at: u64,
    targets: Vec<String>,
    /// Polls still answered as before once a target was revoked; `None`: for ever.
    grace: Option<usize>,
    /// The status and code with which it is answered while it lives.
    alive: (u16, u32),
}

impl Token {
    pub fn new(text: &str) -> Token {
        let mut parts = text.split('.').map(claims);
        let (header, payload) = (parts.next().unwrap(), parts.next().unwrap());
        let issued_at = match get(&payload, "iat") {
            Value::Number(json::Number::U64(seconds)) => seconds * 1000,
            _ => 0,
        };
        let key = super::json::text(&header, "kid").to_owned();
        Token::issued(text, &key, issued_at)
    }

    /// Whatever its text, this key issued it, at this Unix time in milliseconds.
    pub(super) fn issued(text: &str, key: &str, issued_at: u64) -> Token {
        let ([text, key], targets) = ([text, key].map(str::to_owned), Vec::new());
        Token { text, key, issued_at, targets, grace: Some(0), alive: (200, 0) }
    }

    /// A JWT that one of these keys signed, with the targets that it claims.
    fn signed(text: &str, keys: &HashMap<String, String>) -> Option<Token> {
        let (content, signature) = text.rsplit_once('.')?;
        let (header, payload) = content.split_once('.')?;
        let Value::String(name) = get(&claims(header), "kid").to_owned() else { return None };
        let secret = hmac::Key::new(hmac::HMAC_SHA256, keys.get(&name)?.as_bytes());
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&secret, content.as_bytes(), &signature).ok()?;
        let payload = claims(payload);
        let mut token = Token::new(text);
        for (claim, kind) in
            [("x-ably-clientId", "clientId"), ("x-ably-revocation-key", "revocationKey")]
        {
            if let Value::String(value) = get(&payload, claim) {
                token = token.target(&format!("{kind}:{value}"));
            }
        }
        Some(token)
    }

    pub fn client_id(self, id: &str) -> Token {
        self.target(&format!("clientId:{id}"))
    }

    pub fn revocation_key(self, key: &str) -> Token {
        self.target(&format!("revocationKey:{key}"))
    }

    /// It is revoked with this target specifier.
    pub fn target(mut self, specifier: &str) -> Token {
        self.targets.push(specifier.to_owned());
        self
    }

    /// The revocation takes this many further polls to be in force.
    pub fn dies_after(mut self, polls: usize) -> Token {
        self.grace = Some(polls);
        self
    }

    /// No revocation reaches it.
    pub fn never_dies(mut self) -> Token {
        self.grace = None;
        self
    }

    /// While it lives, it may not do what it asks for: 401 with 40160.
    pub fn lacks_capability(mut self) -> Token {
        self.alive = (401, 40160);
        self
    }

    pub fn expired(mut self) -> Token {
        self.alive = (401, 40142);
        self.grace = None;
        self
    }
}

#[derive(Clone, Debug)]
pub struct Control {
    pub access_token: String,
    pub account_id: String,
    pub account_name: String,
    pub apps: Vec<App>,
    /// Items a page; `None`: all on one.
    pub page_size: Option<usize>,
    /// Whether the link to the next page is a whole URL, or relative as Ably's are.
    pub absolute_links: bool,
}

#[derive(Clone, Debug)]
pub struct App {
    pub id: String,
    pub name: String,
    pub status: String,
    pub keys: Vec<ControlKey>,
}

/// A key of an app, as the Control API shows it.
#[derive(Clone, Debug)]
pub struct ControlKey {
    pub id: String,
    pub name: String,
    /// 0 = enabled, 1 = revoked.
    pub status: u32,
    /// The whole key, secret and all.
    pub key: String,
    pub revocable_tokens: bool,
}

impl Control {
    pub fn new(access_token: &str) -> Control {
        Control {
            access_token: access_token.to_owned(),
            account_id: "ACC1".to_owned(),
            account_name: "Example Account".to_owned(),
            apps: Vec::new(),
            page_size: None,
            absolute_links: false,
        }
    }

    pub fn app(mut self, id: &str, name: &str, keys: Vec<ControlKey>) -> Control {
        let [id, name, status] = [id, name, "enabled"].map(str::to_owned);
        self.apps.push(App { id, name, status, keys });
        self
    }

    /// Answers in pages of this many items.
    pub fn paged(mut self, size: usize) -> Control {
        self.page_size = Some(size);
        self
    }

    /// Links to the next page by its whole URL.
    pub fn linked_absolutely(mut self) -> Control {
        self.absolute_links = true;
        self
    }
}

impl ControlKey {
    pub fn new(key: &str, name: &str) -> ControlKey {
        let id = key.split(['.', ':']).nth(1).unwrap();
        let [id, name, key] = [id, name, key].map(str::to_owned);
        ControlKey { id, name, status: 0, key, revocable_tokens: true }
    }

    pub fn disabled(mut self) -> ControlKey {
        self.status = 1;
        self
    }

    /// Tokens of this key cannot be revoked.
    pub fn irrevocable(mut self) -> ControlKey {
        self.revocable_tokens = false;
        self
    }
}

/// What the stand-in knows and remembers as Ably.
pub(super) struct World {
    /// Key name to secret.
    pub(super) keys: HashMap<String, String>,
    pub(super) clock_ms: Option<u64>,
    /// Keys that may not revoke, by name, and how they are refused.
    pub(super) spoilt: HashMap<String, (u32, u16, String)>,
    pub(super) refused: HashMap<String, (u32, u16, String)>,
    pub(super) revoked: Vec<Revocation>,
    pub(super) tokens: Vec<Token>,
    pub(super) control: Option<Control>,
    /// How many throw-away apps and tokens were made.
    pub(super) made: usize,
}

impl World {
    pub(super) fn new() -> World {
        World {
            keys: HashMap::from([(KEY_NAME.to_owned(), SECRET.to_owned())]),
            clock_ms: None,
            spoilt: HashMap::new(),
            refused: HashMap::new(),
            revoked: Vec::new(),
            tokens: Vec::new(),
            control: None,
            made: 0,
        }
    }

    pub(super) fn clock_ms(&self) -> u64 {
        self.clock_ms.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            u64::try_from(since.as_millis()).unwrap()
        })
    }

    /// What Ably would answer, and do, to this request.
    pub(super) fn answer(&mut self, seen: &Seen) -> Answer {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (seen.method.as_str(), steps.as_slice()) {
            ("POST", ["keys", name, "revokeTokens"]) => self.revoke(name, seen),
            ("POST", ["keys", name, "requestToken"]) => self.issue(name, seen),
            ("POST", ["apps"]) => self.make_app(seen),
            ("DELETE", ["apps", id]) => self.delete_app(id, seen),
            ("GET", ["time"]) => Answer::json(200, format!("[{}]", self.clock_ms())),
            ("GET", ["v1", rest @ ..]) if is_control(seen.host()) => {
                self.control(rest, query, seen)
            }
            ("GET", ["api", "v1", rest @ ..]) if !is_control(seen.host()) => {
                self.control(rest, query, seen)
            }
            // A gateway of the operator's own.
            ("GET", ["gateway", "ably", rest @ ..]) => self.control(rest, query, seen),
            ("GET", _) if seen.bearer().is_some() => self.poll(seen),
            _ => Answer::error(404, 40400, "Could not find path"),
        }
    }

    /// Why this request may not be made with the key of this name.
    pub(super) fn denied(&self, name: &str, seen: &Seen) -> Option<Answer> {
        let Some((user, secret)) = seen.basic() else {
            return Some(match seen.bearer() {
                Some(_) => Answer::error(401, 40162, "Basic auth is needed for this request"),
                None => Answer::error(401, 40101, "No authentication information provided"),
            });
        };
        match self.keys.get(&user) {
            None => Some(self.unknown(&user)),
            Some(known) if *known != secret => {
                Some(Answer::error(401, 40101, "Invalid credentials"))
            }
            Some(_) if user != name => {
                Some(Answer::error(401, 40133, "The key is not the one that issued the tokens"))
            }
            Some(_) => None,
        }
    }

    /// Ably answers a key that it does not know in three ways: here by what is wrong with the name.
    fn unknown(&self, name: &str) -> Answer {
        let Some((app, _)) = name.split_once('.') else {
            return Answer::error(400, 40005, "Invalid key");
        };
        let app = format!("{app}.");
        if self.keys.keys().any(|known| known.starts_with(&app)) {
            return Answer::error(401, 40400, "No key found with that name");
        }
        Answer::error(404, 40400, "No application found with that ID")
    }

    fn revoke(&mut self, name: &str, seen: &Seen) -> Answer {
        if let Some(denied) = self.denied(name, seen) {
            return denied;
        }
        if let Some((code, status, message)) = self.spoilt.get(name) {
            return Answer::error(*status, *code, message);
        }
        if let Some(problem) = problem_of_body(seen.value()) {
            return Answer::error(400, 40000, &problem);
        }
        let body = seen.json();
        let now = self.clock_ms();
        let issued_before = match get(body, "issuedBefore") {
            Value::Number(json::Number::U64(time)) => *time,
            _ => now,
        };
        if issued_before > now || issued_before + HOUR_MS < now {
            let message = "issuedBefore must be within the last hour and not in the future";
            return Answer::error(400, 40003, message);
        }
        let margin = matches!(get(body, "allowReauthMargin"), Value::Bool(true));
        let applies_at = now + if margin { MARGIN_MS } else { 0 };
        let mut failures = 0;
        let mut results = Vec::new();
        let unknown_kind = (40000, 400, "invalid target specifier".to_owned());
        for target in seen.targets() {
            let refusal = self.refused.get(&target);
            if let Some((code, status, message)) =
                refusal.or_else(|| (!is_of_known_kind(&target)).then_some(&unknown_kind))
            {
                failures += 1;
                let error = error_info(*code, *status, message);
                results.push(format!(r#"{{"target":{},"error":{error}}}"#, quote(&target)));
            } else {
                results.push(revoked(&target, issued_before, applies_at));
                let key = name.to_owned();
                self.revoked.push(Revocation { key, target, issued_before, applies_at });
            }
        }
        batch(&results, failures, seen)
    }

    /// A request made with a token.
    fn poll(&mut self, seen: &Seen) -> Answer {
        let text = seen.bearer().and_then(|encoded| decoded(&encoded));
        let revoked = &self.revoked;
        if let Some(text) = &text
            && !self.tokens.iter().any(|token| token.text == *text)
        {
            self.tokens.extend(Token::signed(text, &self.keys));
        }
        let token = self.tokens.iter_mut().find(|token| Some(&token.text) == text.as_ref());
        let Some(token) = token else { return Answer::error(401, 40101, "Invalid credentials") };
        let hit = revoked.iter().any(|one| {
            one.key == token.key
                && one.issued_before > token.issued_at
                && token.targets.contains(&one.target)
        });
        match &mut token.grace {
            Some(0) if hit => return Answer::error(401, 40141, "Token revoked"),
            Some(polls) if hit => *polls -= 1,
            _ => {}
        }
        match token.alive {
            (200, _) => Answer::json(200, "[]"),
            (status, 40142) => Answer::error(status, 40142, "Token expired"),
            (status, code) => Answer::error(status, code, "Action not permitted"),
        }
    }

    fn control(&self, steps: &[&str], query: &str, seen: &Seen) -> Answer {
        let Some(control) = &self.control else { return Answer::error(404, 40400, "Not found") };
        if seen.bearer().as_ref() != Some(&control.access_token) {
            return Answer::error(401, 40100, "Access denied");
        }
        let items: Vec<String> = match steps {
            ["me"] => {
                let (id, name) = (quote(&control.account_id), quote(&control.account_name));
                let account = format!(r#"{{"account":{{"id":{id},"name":{name}}}}}"#);
                return Answer::json(200, account);
            }
            ["accounts", id, "apps"] if *id == control.account_id => {
                control.apps.iter().map(|app| app_json(&control.account_id, app)).collect()
            }
            ["apps", id, "keys"] => match control.apps.iter().find(|app| app.id == *id) {
                Some(app) => app.keys.iter().map(|key| key_json(id, key)).collect(),
                None => return Answer::error(404, 40400, "App not found"),
            },
            _ => return Answer::error(404, 40400, "Not found"),
        };
        page(&items, control, query, seen)
    }
}

/// Whether a host is one of Ably's own for the Control API, which have a path of their own.
fn is_control(host: &str) -> bool {
    host.starts_with("control.") || host.starts_with("control-")
}

/// Whether a path is one of the Control API's.
pub fn is_of_control(path: &str) -> bool {
    ["/v1/", "/api/v1/", "/gateway/ably/"].iter().any(|base| path.starts_with(base))
}

/// The part of a list that a query asks for, with a link to the next.
fn page(items: &[String], control: &Control, query: &str, seen: &Seen) -> Answer {
    let absolute = control.absolute_links;
    let Some(size) = control.page_size else {
        return Answer::json(200, format!("[{}]", items.join(",")));
    };
    let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor="));
    let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
    let to = (from + size).min(items.len());
    let answer = Answer::json(200, format!("[{}]", items[from..to].join(",")));
    if to == items.len() {
        return answer;
    }
    let (path, _) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let base = if absolute {
        format!("https://{}{path}", seen.host())
    } else {
        format!("./{}", path.rsplit('/').next().unwrap())
    };
    let link = format!(r#"<{base}?cursor=0>; rel="first", <{base}?cursor={to}>; rel="next""#);
    answer.header("link", &link)
}

#[rustfmt::skip]
fn app_json(account: &str, app: &App) -> String {
    format!(
        r#"{{"accountId":{},"id":{},"name":{},"status":{},"tlsOnly":false}}"#,
        quote(account), quote(&app.id), quote(&app.name), quote(&app.status)
    )
}

fn key_json(app: &str, key: &ControlKey) -> String {
    format!(
        r#"{{"appId":{},"id":{},"name":{},"status":{},"key":{},"capability":{{"*":["*"]}},"revocableTokens":{}}}"#,
        quote(app),
        quote(&key.id),
        quote(&key.name),
        key.status,
        quote(&key.key),
        key.revocable_tokens
    )
}

/// What a part of a JWT says.
fn claims(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    json::from_str(&String::from_utf8_lossy(&bytes)).unwrap_or(Value::Null)
}

/// Base64, decoded to text; `None` where it is neither.
pub(super) fn decoded(encoded: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

/// The results of a request, in the form that its protocol has.
fn batch(results: &[String], failures: usize, seen: &Seen) -> Answer {
    let successes = results.len() - failures;
    let results = format!("[{}]", results.join(","));
    let version = seen.header("x-ably-version").and_then(|text| text.parse::<f64>().ok());
    // Protocol 2, and a client that names none.
    if version.is_none_or(|version| version < 3.0) {
        if failures == 0 {
            return Answer::json(201, results);
        }
        let error = error_info(40020, 400, "Batched response includes errors");
        return Answer::json(400, format!(r#"{{"error":{error},"batchResponse":{results}}}"#));
    }
    let body =
        format!(r#"{{"successCount":{successes},"failureCount":{failures},"results":{results}}}"#);
    Answer::json(201, body)
}

pub(super) fn is_of_known_kind(target: &str) -> bool {
    ["clientId:", "revocationKey:", "channel:"].iter().any(|kind| target.starts_with(kind))
}

/// What Ably refuses a whole request for, whoever sent it.
fn problem_of_body(body: Option<&Value>) -> Option<String> {
    let Some(body @ Value::Object(_)) = body else {
        return Some("the body is not a JSON object".to_owned());
    };
    let Value::Array(targets) = get(body, "targets") else {
        return Some("no array of targets".to_owned());
    };
    if targets.is_empty() || targets.len() > 100 {
        return Some(format!("{} targets", targets.len()));
    }
    if !targets.iter().all(|target| matches!(target, Value::String(_))) {
        return Some("a target that is no string".to_owned());
    }
    let number = |value: &Value| matches!(value, Value::Number(json::Number::U64(_)));
    if has(body, "issuedBefore") && !number(get(body, "issuedBefore")) {
        return Some("issuedBefore is not a Unix time in milliseconds".to_owned());
    }
    None
}
