//! Throw-away apps and tokens, as Ably's sandbox makes them for anybody's tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniserde::json::Value;
use ring::hmac;

use super::ably::{IRREVOCABLE, Seen};
use super::answer::Answer;
use super::faithful::{Token, World};
use super::json::{get, quote};

const HOUR_MS: u64 = 3_600_000;

impl World {
    /// `POST /apps`: an app with a key for each that is described.
    pub(super) fn make_app(&mut self, seen: &Seen) -> Answer {
        self.made += 1;
        let app = format!("SBX{}", self.made);
        let body = seen.json();
        let Value::Array(described) = get(body, "keys") else {
            return Answer::error(400, 40000, "no keys");
        };
        let mut keys = Vec::new();
        for (number, key) in described.iter().enumerate() {
            let (name, secret) =
                (format!("{app}.key{number}"), format!("s4ndbox-marker-{app}-{number}"));
            let revocable = matches!(get(key, "revocableTokens"), Value::Bool(true));
            if !revocable {
                let message = "Revocable tokens are not enabled for this key".to_owned();
                self.spoilt.insert(name.clone(), (IRREVOCABLE, 401, message));
            }
            keys.push(format!(
                r#"{{"id":"key{number}","keyName":"{name}","keySecret":"{secret}","keyStr":"{name}:{secret}","capability":"{{\"*\":[\"*\"]}}","revocableTokens":{revocable}}}"#
            ));
            self.keys.insert(name, secret);
        }
        Answer::json(201, format!(r#"{{"appId":"{app}","keys":[{}]}}"#, keys.join(",")))
    }

    /// `DELETE /apps/{id}`, with any of its keys.
    pub(super) fn delete_app(&mut self, app: &str, seen: &Seen) -> Answer {
        let user = seen.basic().map(|(user, _)| user).unwrap_or_default();
        if !user.starts_with(&format!("{app}.")) {
            return Answer::error(401, 40101, "Invalid credentials");
        }
        if let Some(denied) = self.denied(&user, seen) {
            return denied;
        }
        self.keys.retain(|name, _| !name.starts_with(&format!("{app}.")));
        Answer::plain(204, "")
    }

    /// Whether the key of this name signed a token request (Ably's RSA9).
    fn signed(&self, name: &str, body: &Value) -> bool {
        let (Some(secret), Value::String(mac)) = (self.keys.get(name), get(body, "mac")) else {
            return false;
        };
        let mut content = String::new();
        for field in ["keyName", "ttl", "capability", "clientId", "timestamp", "nonce"] {
            match get(body, field) {
                Value::String(text) => content.push_str(text),
                Value::Null => {}
                other => content.push_str(&miniserde::json::to_string(other)),
            }
            content.push('\n');
        }
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mac = STANDARD.decode(mac).unwrap_or_default();
        hmac::verify(&secret, content.as_bytes(), &mac).is_ok()
    }

    /// `POST /keys/{keyName}/requestToken`: an Ably token, for who has the key or a request that the
    /// key signed.
    pub(super) fn issue(&mut self, name: &str, seen: &Seen) -> Answer {
        let Some(body @ Value::Object(_)) = seen.value() else {
            return Answer::error(400, 40000, "the body is not a JSON object");
        };
        if !self.signed(name, body)
            && let Some(denied) = self.denied(name, seen)
        {
            return denied;
        }
        let Value::String(client) = get(body, "clientId") else {
            return Answer::error(400, 40000, "no clientId");
        };
        self.made += 1;
        let (app, _) = name.split_once('.').unwrap();
        let (text, now) = (format!("{app}.t0ken-marker-{}", self.made), self.clock_ms());
        self.tokens.push(Token::issued(&text, name, now).client_id(client));
        Answer::json(
            201,
            format!(
                r#"{{"token":"{text}","keyName":"{name}","issued":{now},"expires":{},"capability":"{{\"*\":[\"*\"]}}","clientId":{}}}"#,
                now + HOUR_MS,
                quote(client)
            ),
        )
    }
}
