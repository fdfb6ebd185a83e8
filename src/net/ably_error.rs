//! Ably's error, wherever in an answer it stands, without the secrets of the run.

use miniserde::json::Value;

use crate::error::AblyError;
use crate::json::{integer, string};
use crate::net::response::{Body, Response};
use crate::text::excerpt;

impl Response {
    /// Ably's error of the whole answer: from the body, else from the headers.
    pub fn error(&self) -> AblyError {
        self.error_in(self.body.json().ok().as_ref())
    }

    /// The same where the body was read before.
    pub fn error_in(&self, body: Option<&Value>) -> AblyError {
        let in_body = match body {
            Some(Value::Object(object)) => {
                object.get("error").filter(|error| matches!(error, Value::Object(_)))
            }
            _ => None,
        };
        let mut error = match in_body {
            Some(error) => self.error_of(error, Some(self.status)),
            None => AblyError::default(),
        };
        error.code = error.code.or_else(|| self.header_code());
        if error.message.is_none() {
            error.message = self.error_message.as_deref().map(|text| self.clean(text));
        }
        if error != AblyError::default() || self.status >= 400 {
            error.status = error.status.or(Some(self.status));
        }
        error.server_id = self.server_id.as_deref().map(|id| self.clean(id));
        error.edge_id = self.edge_id.as_deref().map(|id| self.clean(id));
        error
    }

    /// An error object of the answer, such as that of a single target.
    pub fn error_of(&self, error: &Value, status: Option<u16>) -> AblyError {
        let Value::Object(object) = error else {
            let message = match error {
                Value::String(text) => Some(self.clean(text)),
                _ => None,
            };
            return AblyError { message, status, ..AblyError::default() };
        };
        let text = |name| string(object, name).map(|text| self.clean(text));
        AblyError {
            code: integer(error, "code"),
            status: integer(error, "statusCode")
                .and_then(|status| u16::try_from(status).ok())
                .or(status),
            message: text("message"),
            href: text("href"),
            ..AblyError::default()
        }
    }

    /// A text of the answer without the secrets of the run.
    pub fn clean(&self, text: &str) -> String {
        self.redactor.clean(text).into_owned()
    }

    /// A body that is not what it should be, on one line: of a web page its title at most. `what`
    /// says what is wrong with it.
    pub fn shown_body(&self, what: &str) -> String {
        let (Body::Text(text) | Body::Binary(text)) = &self.body else {
            return what.to_owned();
        };
        let text = self.clean(text);
        let page = text.trim_start();
        let begins = |with: &str| {
            page.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        if begins("<!doctype") || begins("<html") {
            let title =
                text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
            let title = title.map(|(title, _)| format!(", \"{}\"", one_line(title)));
            return format!("a web page{}", title.unwrap_or_default());
        }
        match one_line(&text) {
            words if words.is_empty() => what.to_owned(),
            words => format!("{what}: {words}"),
        }
    }
}

fn one_line(text: &str) -> String {
    excerpt(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}
