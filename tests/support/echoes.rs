//! Where a careless or hostile server can put a text that comes to be shown.

use super::*;

/// Every kind of character that a terminal would obey or that makes a text read as another.
pub const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\n\t\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{61c}";

/// What of it an argument may hold, as on one line of a file.
pub const HOSTILE_LINE: &str = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200b}";

/// A place in an answer, and the answer that has a text there.
pub type Echo = (&'static str, fn(&str) -> Answer);

/// What a careless server may repeat: the header, what is in it, and a secret that it has
/// elsewhere, wherever there is room for text in an answer.
#[rustfmt::skip] // a table: one row a line
pub fn echoes() -> Vec<Echo> {
    vec![
        ("a message", |echo| Answer::error(401, 40101, echo)),
        ("a message of a 5xx", |echo| Answer::error(500, 50000, echo)),
        ("the headers alone", |echo| Answer::plain(403, "").header("x-ably-errorcode", "40300").header("x-ably-errormessage", echo)),
        ("a help link", |echo| Answer::json(400, format!(r#"{{"error":{{"message":"no","code":40000,"href":{}}}}}"#, quote(echo)))),
        ("a result's error", |echo| { let error = format!(r#"{{"message":{0},"code":40000,"href":{0}}}"#, quote(echo)); Answer::json(201, format!(r#"{{"results":[{{"target":"clientId:alice","error":{error}}}]}}"#)) }),
        ("a result's error that is a string", |echo| Answer::json(201, format!(r#"[{{"target":"clientId:alice","error":{}}}]"#, quote(echo)))),
        ("a page", |echo| Answer::plain(403, format!("<html>{echo}</html>"))),
        ("a page of a 5xx", |echo| Answer::plain(502, echo)),
        ("a page in a 201", |echo| Answer::plain(201, echo)),
        ("a page with bytes that are no text", |echo| Answer::plain(403, [b"\xff\xfe", echo.as_bytes(), b"\x80"].concat())),
        ("a page that is cut before it is shown", |echo| Answer::plain(403, format!("{}{echo}", "x".repeat(196)))),
        ("a message that is cut before it is shown", |echo| Answer::error(403, 40300, &format!("{}{echo}", "é".repeat(196)))),
        ("a message in JSON's escapes", |echo| { let escaped: String = echo.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect(); Answer::json(401, format!(r#"{{"error":{{"message":"{escaped}","code":40101}}}}"#)) }),
        ("a redirect", |echo| Answer::plain(302, echo).header("location", &format!("https://{echo}/"))),
        ("a rate limit", |echo| Answer::plain(429, echo).header("retry-after", echo)),
        ("a target's name", |echo| Answer::json(201, format!(r#"{{"results":[{{"target":{},"issuedBefore":1,"appliesAt":1}}]}}"#, quote(echo)))),
    ]
}

/// Nothing raw on either stream; where it is JSON, nothing on stderr at all.
#[track_caller]
pub fn is_harmless(run: &Run) {
    run.never_says("panicked");
    for stream in [&run.stdout, &run.stderr] {
        let raw = stream.chars().find(|c| is_hostile(*c));
        run.check(raw.is_none(), &format!("should show no raw {raw:?}"));
    }
}
