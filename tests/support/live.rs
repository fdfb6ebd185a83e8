//! What is tried with the real Ably, or with an emulator that others wrote, and with the stand-in
//! beside it: the tool's own runs, and the same requests once more by another client. What came out
//! is kept as facts that can be compared.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use miniserde::json::{Number, Value};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::*;

/// Numbers and texts that are the same wherever all is well.
const FIXED: [&str; 9] = [
    "code",
    "statusCode",
    "exitCode",
    "successCount",
    "failureCount",
    "type",
    "status",
    "outcome",
    "command",
];
/// What the tool heeds of the environment on its way.
const WAY: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
/// What a token asks for: the history of a channel that nobody writes to.
const HISTORY: &str = "/channels/ably-revoke-token/messages?limit=1";

/// Where it is tried.
pub struct Place {
    /// As the tool's `--endpoint` takes it.
    pub endpoint: String,
    pub ca: Option<PathBuf>,
    /// A key that can revoke; `None`: one of an app made for this.
    pub key: Option<String>,
    pub others: Option<Others>,
    /// How long a revoked token may still be accepted.
    pub patience: Duration,
}

/// Two more keys of the app. With them is tried what would be too much for the real Ably.
#[derive(Clone)]
pub struct Others {
    /// Its tokens cannot be revoked.
    pub irrevocable: String,
    /// From before a rotation.
    pub rotated: String,
}

/// One thing that was tried, and what is certain about its outcome.
pub struct Step {
    pub name: &'static str,
    pub facts: BTreeSet<String>,
}

impl Place {
    pub fn at(ably: &Ably, key: Option<String>) -> Place {
        let (endpoint, ca) = (ably.endpoint(), Some(ably.ca_file()));
        Place { endpoint, ca, key, others: None, patience: Duration::from_secs(1) }
    }

    /// The endpoint's own host, without its fallbacks.
    pub fn host(&self) -> String {
        match self.endpoint.strip_prefix("nonprod:") {
            Some(policy) => format!("{policy}.realtime.ably-nonprod.net"),
            None if self.endpoint.contains(['.', ':']) => self.endpoint.clone(),
            None => format!("{}.realtime.ably.net", self.endpoint),
        }
    }

    /// Everything, in order; an error where the place is not reached or makes no app. The app is
    /// deleted, however this ends.
    pub fn story(&self) -> Result<Vec<Step>, String> {
        let agent = self.agent();
        let clock = clock(&agent, &self.host())?;
        let app = match self.key {
            Some(_) => None,
            None => Some(App::make(&agent, &self.host())?),
        };
        let key = self.key.as_ref().or(app.as_ref().map(|app| &app.revocable)).unwrap();
        let tale = Tale { place: self, agent: &agent, key };
        let mut steps = vec![
            clock,
            tale.check(),
            tale.a_client(),
            tale.a_revocation_key(),
            tale.the_margin(),
            tale.a_leaked_token(),
            tale.an_unknown_kind(),
            tale.another_secret(),
            tale.an_unknown_key(),
            tale.an_unknown_app(),
        ];
        steps.extend(app.as_ref().map(|app| tale.a_key_that_cannot(&app.plain)));
        if let Some(others) = &self.others {
            steps.extend([
                tale.a_key_that_cannot(&others.irrevocable),
                tale.the_key_before(&others.rotated),
                tale.a_channel(),
                tale.many_at_once(),
                tale.a_log(&others.rotated),
            ]);
        }
        Ok(steps)
    }

    fn agent(&self) -> ureq::Agent {
        let mut tls = TlsConfig::builder();
        if let Some(file) = &self.ca {
            let pem = std::fs::read(file).unwrap();
            let certificates = parse_pem(&pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates.collect::<Vec<_>>()));
        }
        let config = ureq::Agent::config_builder().tls_config(tls.build());
        let config = config.timeout_global(Some(Duration::from_secs(30)));
        config.http_status_as_error(false).max_redirects(0).build().into()
    }
}

impl Step {
    /// Shows the step; whether everything that the stand-in says holds at this place, too. More may
    /// be said there.
    pub fn holds(&self, found: &Step, place: &str) -> bool {
        let lacking: Vec<_> = self.facts.difference(&found.facts).collect();
        println!("{:>8}  {}", if lacking.is_empty() { "same" } else { "DIFFERS" }, self.name);
        for fact in &lacking {
            println!("          - the stand-in alone: {fact}");
        }
        for fact in found.facts.difference(&self.facts) {
            println!("          + {:<20}{fact}", format!("{place} alone:"));
        }
        lacking.is_empty()
    }
}

fn clock(agent: &ureq::Agent, host: &str) -> Result<Step, String> {
    let mut facts = BTreeSet::new();
    let answer = Answered::of(agent.get(format!("https://{host}/time")).call())?;
    answer.tell("GET /time", &mut facts);
    Ok(Step { name: "Ably's clock", facts })
}

/// An app made for this alone, deleted when it is dropped.
struct App<'a> {
    agent: &'a ureq::Agent,
    address: String,
    /// Its tokens cannot be revoked.
    plain: String,
    revocable: String,
}

impl App<'_> {
    fn make<'a>(agent: &'a ureq::Agent, host: &str) -> Result<App<'a>, String> {
        let apps = format!("https://{host}/apps");
        let description = r#"{"keys":[{},{"revocableTokens":true}],"namespaces":[],"channels":[]}"#;
        let request = agent.post(&apps).header("content-type", "application/json");
        let answer = request.header("accept", "application/json").send(description);
        let answer = Answered::of(answer)?;
        let key = |at: usize| match get(&answer.body, &format!("keys.{at}.keyStr")) {
            Value::String(key) => Ok(key.clone()),
            _ => Err(format!("{apps} answered {} without two keys", answer.status)),
        };
        let (plain, revocable) = (key(0)?, key(1)?);
        let (id, _) = plain.split_once('.').ok_or("a key without the ID of its app")?;
        let address = format!("{apps}/{id}");
        Ok(App { agent, address, plain, revocable })
    }
}

impl Drop for App<'_> {
    fn drop(&mut self) {
        let request = self.agent.delete(&self.address).header("authorization", basic(&self.plain));
        match Answered::of(request.call()) {
            Ok(answer) if (200..300).contains(&answer.status) => {}
            Ok(answer) => eprintln!("{} is still there: {}", self.address, answer.status),
            Err(error) => eprintln!("{} is still there: {error}", self.address),
        }
    }
}

/// What one place answers.
struct Answered {
    status: u16,
    error_code: Option<String>,
    body: Value,
}

impl Answered {
    fn of(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Self, String> {
        let mut response = result.map_err(|error| error.to_string())?;
        let error_code = response.headers().get("x-ably-errorcode");
        let error_code = error_code.and_then(|code| code.to_str().ok()).map(str::to_owned);
        let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let body = miniserde::json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answered { status: response.status().as_u16(), error_code, body })
    }

    fn tell(&self, who: &str, facts: &mut BTreeSet<String>) {
        facts.insert(format!("{who}: HTTP {}", self.status));
        facts.extend(self.error_code.iter().map(|code| format!("{who}: x-ably-errorcode {code}")));
        tell(&self.body, &format!("{who}: body"), facts);
    }
}

fn tell_answer(who: &str, answer: &Result<Answered, String>, facts: &mut BTreeSet<String>) {
    match answer {
        Ok(answer) => answer.tell(who, facts),
        Err(error) => _ = facts.insert(format!("{who}: {error}")),
    }
}

/// Each path in a value with what stands there: itself where it is always the same, else its type.
fn tell(value: &Value, path: &str, facts: &mut BTreeSet<String>) {
    let fixed = FIXED.iter().any(|name| path.ends_with(&format!(".{name}")));
    facts.insert(match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter() {
                tell(value, &format!("{path}.{name}"), facts);
            }
            return;
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items.iter() {
                tell(item, &format!("{path}[]"), facts);
            }
            return;
        }
        Value::Array(_) => format!("{path}: nothing"),
        Value::Null => format!("{path}: null"),
        Value::Bool(flag) => format!("{path}: {flag}"),
        Value::Number(Number::U64(number)) if fixed => format!("{path}: {number}"),
        Value::Number(_) => format!("{path}: a number"),
        Value::String(text) if fixed => format!("{path}: {text}"),
        Value::String(_) => format!("{path}: a text"),
    });
}

fn basic(key: &str) -> String {
    format!("Basic {}", STANDARD.encode(key))
}

/// A value that nobody else has.
fn own(kind: &str) -> String {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).unwrap();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("ably-revoke-token-live-{kind}-{digits}")
}

/// A JWT with this claim, as an auth server signs it with this key.
pub fn signed(key: &str, claim: &str, value: &str) -> String {
    let (name, secret) = key.split_once(':').unwrap();
    let header = format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{name}"}}"#);
    let issued = now() - 5;
    let times = format!(r#""iat":{issued},"exp":{}"#, issued + 600);
    let payload =
        format!(r#"{{{times},"x-ably-capability":"{{\"*\":[\"*\"]}}","{claim}":"{value}"}}"#);
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let content = format!("{header}.{payload}");
    let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&secret, content.as_bytes());
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
}

struct Tale<'a> {
    place: &'a Place,
    agent: &'a ureq::Agent,
    key: &'a str,
}

impl Tale<'_> {
    /// The tool with these options and this key: its exit code and its records.
    fn run(
        &self,
        who: &str,
        key: &str,
        options: &[&str],
        facts: &mut BTreeSet<String>,
    ) -> Vec<Value> {
        let mut program = command().args(["--json", "--endpoint", &self.place.endpoint]);
        program = program.args(options).env("ABLY_API_KEY", key);
        if let Some(file) = &self.place.ca {
            program = program.arg("--ca-file").arg(file);
        }
        for name in WAY {
            if let Some(value) = std::env::var_os(name) {
                program = program.env(name, value);
            }
        }
        let run = program.run();
        run.hides(key.split_once(':').unwrap().1);
        facts.insert(format!("{who}: exit code {:?}", run.code));
        let records = run.json();
        for record in &records {
            let kind = text(record, "type");
            tell(record, &format!("{who}: {kind}"), facts);
        }
        records
    }

    /// The same request by another client.
    fn post(&self, who: &str, key: &str, targets: &[&str], facts: &mut BTreeSet<String>) {
        let (name, _) = key.split_once(':').unwrap();
        let targets: Vec<String> = targets.iter().map(|target| quote(target)).collect();
        let request = self.post_to(&format!("/keys/{name}/revokeTokens"), key);
        let answer = request.send(format!(r#"{{"targets":[{}]}}"#, targets.join(",")));
        tell_answer(who, &Answered::of(answer), facts);
    }

    fn post_to(&self, path: &str, key: &str) -> ureq::RequestBuilder<ureq::typestate::WithBody> {
        self.agent
            .post(format!("https://{}{path}", self.place.host()))
            .header("authorization", basic(key))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("x-ably-version", "6")
            .header("ably-agent", concat!("ably-revoke-token/", env!("CARGO_PKG_VERSION")))
    }

    /// What a request with this token is answered.
    fn ask(&self, token: &str) -> Result<Answered, String> {
        let request = self.agent.get(format!("https://{}{HISTORY}", self.place.host()));
        let bearer = format!("Bearer {}", STANDARD.encode(token));
        let request = request.header("authorization", bearer).header("x-ably-version", "6");
        Answered::of(request.header("accept", "application/json").call())
    }

    fn is_alive(&self, who: &str, token: &str, facts: &mut BTreeSet<String>) {
        tell_answer(&format!("{who} before"), &self.ask(token), facts);
    }

    /// Asks until the token is rejected, as long as the place's patience lasts.
    fn is_dead(&self, who: &str, token: &str, facts: &mut BTreeSet<String>) {
        let end = Instant::now() + self.place.patience;
        loop {
            let answer = self.ask(token);
            let dead = answer.as_ref().is_ok_and(|answer| answer.status == 401);
            if !dead && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(200));
                continue;
            }
            tell_answer(&format!("{who} after"), &answer, facts);
            return;
        }
    }

    fn check(&self) -> Step {
        let mut facts = BTreeSet::new();
        self.run("--check", self.key, &["--check"], &mut facts);
        Step { name: "--check with a key that can", facts }
    }

    fn a_client(&self) -> Step {
        let (mut facts, client) = (BTreeSet::new(), own("client"));
        let jwt = signed(self.key, "x-ably-clientId", &client);
        self.is_alive("the JWT", &jwt, &mut facts);
        let ably_token = self.ably_token(&client, &mut facts);
        self.is_alive("the Ably token", &ably_token, &mut facts);
        let target = format!("clientId:{client}");
        self.run("the tool", self.key, &["--client-id", &client, "--force"], &mut facts);
        self.is_dead("the JWT", &jwt, &mut facts);
        self.is_dead("the Ably token", &ably_token, &mut facts);
        self.post("another client", self.key, &[&target], &mut facts);
        Step { name: "a client ID, with a JWT and an Ably token", facts }
    }

    /// A token that Ably issued for a signed request, as the SDKs send it (Ably's RSA9); empty where
    /// it did not.
    fn ably_token(&self, client: &str, facts: &mut BTreeSet<String>) -> String {
        let (name, secret) = self.key.split_once(':').unwrap();
        let (time, nonce) = (now() * 1000, own("nonce"));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        // The lifetime and the capability are left to the key.
        let content = format!("{name}\n\n\n{client}\n{time}\n{nonce}\n");
        let mac = STANDARD.encode(hmac::sign(&secret, content.as_bytes()));
        let body = format!(
            r#"{{"keyName":"{name}","clientId":"{client}","timestamp":{time},"nonce":"{nonce}","mac":"{mac}"}}"#
        );
        let url = format!("https://{}/keys/{name}/requestToken", self.place.host());
        let request = self.agent.post(url).header("content-type", "application/json");
        let answer = Answered::of(request.header("accept", "application/json").send(body));
        tell_answer("POST requestToken", &answer, facts);
        match answer.as_ref().map(|answer| get(&answer.body, "token")) {
            Ok(Value::String(token)) => token.clone(),
            _ => String::new(),
        }
    }

    fn a_revocation_key(&self) -> Step {
        let (mut facts, group) = (BTreeSet::new(), own("group"));
        let jwt = signed(self.key, "x-ably-revocation-key", &group);
        self.is_alive("the JWT", &jwt, &mut facts);
        self.run("the tool", self.key, &["--revocation-key", &group, "--force"], &mut facts);
        self.is_dead("the JWT", &jwt, &mut facts);
        Step { name: "a revocation key", facts }
    }

    /// Whatever `issuedBefore` was: the time from which it applies counts from Ably's clock.
    fn the_margin(&self) -> Step {
        let mut facts = BTreeSet::new();
        let options: [&[&str]; 2] = [&[], &["--allow-reauth-margin"]];
        for more in options {
            let client = own("client");
            let mut options = vec!["--client-id", &client, "--issued-before", "10m", "--force"];
            options.extend(more);
            let who = ["the tool"].iter().chain(more).copied().collect::<Vec<_>>().join(" ");
            let before = self.clock_ms();
            let records = self.run(&who, self.key, &options, &mut facts);
            let after = self.clock_ms();
            for record in records {
                let path = "revocation.response.results.0.appliesAt";
                if let Value::Number(Number::U64(time)) = get(&record, path) {
                    facts.insert(format!("{who}: applies {}", about(*time, before, after)));
                }
            }
        }
        Step { name: "the reauth margin, ten minutes back", facts }
    }

    /// Ably's clock; 0 where it does not tell.
    fn clock_ms(&self) -> u64 {
        let answer = self.agent.get(format!("https://{}/time", self.place.host())).call();
        match Answered::of(answer).as_ref().map(|answer| get(&answer.body, "0")) {
            Ok(Value::Number(Number::U64(time))) => *time,
            _ => 0,
        }
    }

    fn a_leaked_token(&self) -> Step {
        let mut facts = BTreeSet::new();
        let jwt = signed(self.key, "x-ably-clientId", &own("client"));
        let folder = Folder::new();
        let log = folder.write("access.log", format!("GET /?accessToken={jwt} 200\n"));
        let options = ["--from-token", log.to_str().unwrap(), "--verify", "--force"];
        self.run("the tool", self.key, &options, &mut facts);
        Step { name: "a leaked token, with the proof", facts }
    }

    fn an_unknown_kind(&self) -> Step {
        let mut facts = BTreeSet::new();
        let targets = [format!("clientId:{}", own("client")), "nobodysKind:x".to_owned()];
        let targets = [targets[0].as_str(), &targets[1]];
        self.post("another client", self.key, &targets, &mut facts);
        Step { name: "two targets, one of an unknown kind", facts }
    }

    fn another_secret(&self) -> Step {
        let (mut facts, client) = (BTreeSet::new(), own("client"));
        let (name, _) = self.key.split_once(':').unwrap();
        let key = format!("{name}:n0t-the-secret-of-this-key");
        self.run("the tool", &key, &["--client-id", &client, "--force"], &mut facts);
        self.post("another client", &key, &[&format!("clientId:{client}")], &mut facts);
        Step { name: "a wrong secret", facts }
    }

    fn an_unknown_key(&self) -> Step {
        let (app, _) = self.key.split_once('.').unwrap();
        self.a_key_unknown_to_ably("an unknown key of the app", &format!("{app}.n0n0n0:s3cret"))
    }

    fn an_unknown_app(&self) -> Step {
        self.a_key_unknown_to_ably("a key of an unknown app", "n0n0n0.n0n0n0:s3cret")
    }

    /// Ably has several answers to such a key, one as good as another.
    fn a_key_unknown_to_ably(&self, name: &'static str, key: &str) -> Step {
        let mut facts = BTreeSet::new();
        self.run("the tool", key, &["--client-id", &own("client"), "--force"], &mut facts);
        self.post("another client", key, &[&format!("clientId:{}", own("client"))], &mut facts);
        let codes = ["40005", "40101", "40400"];
        Step { name, facts: either(facts, &codes, &["400", "401", "404"]) }
    }

    fn a_key_that_cannot(&self, key: &str) -> Step {
        let (mut facts, client) = (BTreeSet::new(), own("client"));
        self.run("the tool", key, &["--client-id", &client, "--force"], &mut facts);
        self.run("--check", key, &["--check"], &mut facts);
        self.post("another client", key, &[&format!("clientId:{client}")], &mut facts);
        // Nobody has written down the status.
        let facts = either(facts, &["40164", "40163"], &["401", "400", "403"]);
        Step { name: "a key without revocable tokens", facts }
    }

    fn the_key_before(&self, key: &str) -> Step {
        let mut facts = BTreeSet::new();
        self.run("--check", key, &["--check"], &mut facts);
        self.run("the tool", key, &["--client-id", &own("client"), "--force"], &mut facts);
        Step { name: "the key from before a rotation", facts }
    }

    fn a_channel(&self) -> Step {
        let mut facts = BTreeSet::new();
        self.run("the tool", self.key, &["--channel", &own("channel"), "--force"], &mut facts);
        Step { name: "a channel", facts }
    }

    fn many_at_once(&self) -> Step {
        let (mut facts, folder, client) = (BTreeSet::new(), Folder::new(), own("client"));
        let targets: String = (0..2500).map(|n| format!("clientId:{client}-{n}\n")).collect();
        let file = folder.write("targets.txt", targets);
        let options = ["--targets-file", file.to_str().unwrap(), "--parallel", "4", "--force"];
        let records = self.run("the tool", self.key, &options, &mut facts);
        let results = |record: &Value| list(record, "revocation.response.results").len();
        let results = records.iter().filter(|record| has(record, "revocation")).map(results);
        let (requests, targets) = results.fold((0, 0), |(n, all), some| (n + 1, all + some));
        facts.insert(format!("the tool: {targets} results in {requests} records"));
        Step { name: "2,500 targets on four connections", facts }
    }

    /// Tokens of two keys, in the forms in which they stand in logs.
    fn a_log(&self, rotated: &str) -> Step {
        let (mut facts, folder) = (BTreeSet::new(), Folder::new());
        let of = |key: &str| signed(key, "x-ably-clientId", &own("client"));
        let [first, second, third] = [self.key, rotated, self.key].map(of);
        let [encoded, dotted] = [STANDARD.encode(&second), third.replace('.', "%2E")];
        let log = format!(
            "GET /?accessToken={first} 200\n{{\"authorization\":\"Bearer {encoded}\"}}\n\
             GET /?accessToken={first} 200\nGET /?url=%3FaccessToken%3D{dotted}\n"
        );
        let log = folder.write("access.log", log);
        let keys = folder.write("keys", format!("{}\n{rotated}\n", self.key));
        let [log, keys] = [&log, &keys].map(|path| path.to_str().unwrap());
        let options = ["--from-token", log, "--api-key-file", keys, "--verify", "--force"];
        let records = self.run("the tool", self.key, &options, &mut facts);
        let verified = records.iter().filter(|record| has(record, "verification")).count();
        facts.insert(format!("the tool: {verified} tokens asked about"));
        Step { name: "a log with tokens of two keys, with the proof", facts }
    }
}

/// Facts in which a code or status of these stands as any of them.
fn either(facts: BTreeSet<String>, codes: &[&str], statuses: &[&str]) -> BTreeSet<String> {
    let of_one = |fact: String| {
        let (what, value) = fact.rsplit_once(' ').unwrap_or(("", &fact));
        match [codes, statuses].into_iter().find(|all| all.contains(&value)) {
            Some(all) => format!("{what} {}", all.join(" or ")),
            None => fact,
        }
    };
    facts.into_iter().map(of_one).collect()
}

/// When a time is that Ably told between these two times of its clock, all in milliseconds.
fn about(time: u64, before: u64, after: u64) -> String {
    const TOLERANCE_MS: u64 = 2_000;
    for (later, name) in [(0, "now"), (30_000, "about 30 s from now")] {
        let earliest = (before + later).saturating_sub(TOLERANCE_MS);
        if (earliest..=after + later + TOLERANCE_MS).contains(&time) {
            return name.to_owned();
        }
    }
    format!("{} ms from now", i128::from(time) - i128::from(after))
}
