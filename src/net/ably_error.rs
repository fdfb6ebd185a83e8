//! Ably's error, wherever in an answer it stands.

use miniserde::json::Value;

use crate::error::ErrorInfo;
use crate::json::{integer, string};
use crate::net::response::Reply;
use crate::secret::redactor::Redactor;
use crate::text::excerpt;

/// Ably's error of a whole answer: from the body, else from the headers.
pub fn reply_error(reply: &Reply, body: Option<&Value>, redactor: &Redactor) -> ErrorInfo {
    let in_body = match body {
        Some(Value::Object(object)) => {
            object.get("error").filter(|error| matches!(error, Value::Object(_)))
        }
        _ => None,
    };
    let header_code = reply.error_code.as_ref().and_then(|code| code.trim().parse().ok());
    let mut info = match in_body {
        Some(error) => error_info(error, Some(reply.status), redactor),
        None => ErrorInfo::default(),
    };
    info.code = info.code.or(header_code);
    if info.message.is_none() {
        info.message = reply.error_message.as_ref().map(|text| redactor.clean(text).into_owned());
    }
    if info != ErrorInfo::default() || reply.status >= 400 {
        info.status = info.status.or(Some(reply.status));
    }
    let id = |id: &Option<String>| id.as_ref().map(|text| redactor.clean(text).into_owned());
    (info.server_id, info.edge_id) = (id(&reply.server_id), id(&reply.edge_id));
    info
}

/// Ably's error object.
pub fn error_info(error: &Value, status: Option<u16>, redactor: &Redactor) -> ErrorInfo {
    let Value::Object(object) = error else {
        let message = match error {
            Value::String(text) => Some(redactor.clean(text).into_owned()),
            _ => None,
        };
        return ErrorInfo { message, status, ..ErrorInfo::default() };
    };
    let text = |name| string(object, name).map(|text| redactor.clean(text).into_owned());
    let code = integer(error, "code");
    ErrorInfo {
        code,
        status: integer(error, "statusCode")
            .and_then(|status| u16::try_from(status).ok())
            .or(status),
        message: text("message"),
        href: text("href"),
        ..ErrorInfo::default()
    }
}

/// Ably's message and code as one phrase; `None` where it gave neither.
pub fn described(info: &ErrorInfo) -> Option<String> {
    let message =
        info.message.as_deref().map(|text| excerpt(text).trim_end_matches('.').to_owned());
    match (message, info.code) {
        (Some(message), Some(code)) => Some(format!("{message} (code {code})")),
        (Some(message), None) => Some(message),
        (None, Some(code)) => Some(format!("code {code}")),
        (None, None) => None,
    }
}
