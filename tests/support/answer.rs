//! What the stand-in may answer, well-formed or not, and how each goes onto the wire.

use std::io::{self, Read as _, Write};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ably::Seen;
use super::json::quote;
use super::server::Bell;

/// An answer to one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// What Ably itself would answer, with the same effects.
    Faithful,
    /// A well-formed answer; `Content-Length` is added. With a header `connection: close` the
    /// connection is closed afterwards.
    Http {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// A well-formed answer with a chunked body, in chunks of at most 16 bytes.
    Chunked {
        status: u16,
        body: Vec<u8>,
    },
    /// These bytes, whatever they are, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes, whatever they are, and the connection stays open.
    Open(Vec<u8>),
    Garbage,
    /// Closes without a byte, in TLS's proper way.
    Close,
    /// Closes without a byte and without TLS's goodbye, as a process that dies does.
    Cut,
    Reset,
    /// Promises `length` bytes of body, sends these, then closes.
    Truncated {
        status: u16,
        length: usize,
        body: Vec<u8>,
    },
    /// Says nothing until the stand-in is dropped.
    HangBeforeHeaders,
    /// Sends headers that promise a body, then nothing until the stand-in is dropped.
    HangAfterHeaders,
    /// Sends `at_once`, then `slowly` a byte a period, then closes. Raw bytes, headers included.
    Drip {
        at_once: Vec<u8>,
        slowly: Vec<u8>,
        every: Duration,
    },
    /// A body of this many bytes, which are not held in memory. Where `announced` is false there
    /// is no `Content-Length`: the body ends with the connection.
    Huge {
        status: u16,
        bytes: u64,
        announced: bool,
    },
    /// A 401 whose message and headers repeat the `Authorization` header and what is in it.
    EchoAuthorization,
    /// Waits, then answers.
    Delay(Duration, Box<Answer>),
    /// Waits for `Ably::release`, then answers; closes if the stand-in is dropped first.
    Held(Box<Answer>),
    /// Answers, then closes the connection without having announced it.
    ThenClose(Box<Answer>),
    /// Does what Ably would, but answers with this instead.
    Instead(Box<Answer>),
}

impl Answer {
    pub fn json(status: u16, body: impl Into<String>) -> Answer {
        Answer::Http {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.into().into_bytes(),
        }
    }

    /// With a body that is not JSON, and no content type.
    pub fn plain(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::Http { status, headers: Vec::new(), body: body.into() }
    }

    /// Ably's error: the body, and the headers that repeat it.
    pub fn error(status: u16, code: u32, message: &str) -> Answer {
        Answer::json(status, error_body(code, status, message))
            .header("x-ably-errorcode", &code.to_string())
            .header("x-ably-errormessage", message)
    }

    /// Adds a header; only to a well-formed answer.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        match &mut self {
            Answer::Http { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            other => panic!("no headers in {other:?}"),
        }
        self
    }

    pub fn after(self, time: Duration) -> Answer {
        Answer::Delay(time, Box::new(self))
    }

    /// The same answer, once the test says `Ably::release`.
    pub fn held(self) -> Answer {
        Answer::Held(Box::new(self))
    }

    /// The same answer, although what was asked for was done: `Answer::Close.though_done()` is an
    /// answer that got lost.
    pub fn though_done(self) -> Answer {
        Answer::Instead(Box::new(self))
    }

    /// The same answer, and then the connection is closed unannounced.
    pub fn then_close(self) -> Answer {
        Answer::ThenClose(Box::new(self))
    }
}

pub fn error_body(code: u32, status: u16, message: &str) -> String {
    format!("{{\"error\":{}}}", error_info(code, status, message))
}

pub(super) fn error_info(code: u32, status: u16, message: &str) -> String {
    format!(
        r#"{{"message":{},"code":{code},"statusCode":{status},"href":"https://help.ably.io/error/{code}"}}"#,
        quote(message)
    )
}

/// The batch result in which all of these targets were revoked, issued before and applied at the
/// same time, in milliseconds.
pub fn batch_result(targets: &[String], at_ms: u64) -> String {
    let results: Vec<String> = targets.iter().map(|target| revoked(target, at_ms, at_ms)).collect();
    format!(
        r#"{{"successCount":{},"failureCount":0,"results":[{}]}}"#,
        targets.len(),
        results.join(",")
    )
}

pub(super) fn revoked(target: &str, issued_before: u64, applies_at: u64) -> String {
    format!(
        r#"{{"target":{},"issuedBefore":{issued_before},"appliesAt":{applies_at}}}"#,
        quote(target)
    )
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    KeepAlive,
    Close,
    Cut,
    Reset,
}

/// Writes an answer. `Faithful` and `Instead` have been replaced by what they stand for.
pub(super) fn send(
    answer: &Answer,
    seen: &Seen,
    out: &mut dyn Write,
    bell: &Bell,
) -> io::Result<Next> {
    match answer {
        Answer::Faithful | Answer::Instead(_) => unreachable!("settled before it is sent"),
        Answer::Http { status, headers, body } => {
            out.write_all(&whole(*status, headers, body))?;
            let closes = headers.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
            });
            out.flush()?;
            return Ok(if closes { Next::Close } else { Next::KeepAlive });
        }
        Answer::Chunked { status, body } => {
            let mut bytes = head(*status, "transfer-encoding: chunked\r\n");
            for chunk in body.chunks(16) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            out.write_all(&bytes)?;
            out.flush()?;
            return Ok(Next::KeepAlive);
        }
        Answer::Raw(bytes) => out.write_all(bytes)?,
        Answer::Open(bytes) => {
            out.write_all(bytes)?;
            out.flush()?;
            return Ok(Next::KeepAlive);
        }
        Answer::Garbage => out.write_all(b"\x00\xff\xfe 220 smtp.example.net ready\r\n\r\n\x80")?,
        Answer::Close => {}
        Answer::Cut => return Ok(Next::Cut),
        Answer::Reset => return Ok(Next::Reset),
        Answer::Truncated { status, length, body } => {
            out.write_all(&head(*status, &format!("content-length: {length}\r\n")))?;
            out.write_all(body)?;
        }
        Answer::HangBeforeHeaders => bell.hang(),
        Answer::HangAfterHeaders => {
            out.write_all(&head(201, "content-length: 1000\r\n"))?;
            out.flush()?;
            bell.hang();
        }
        Answer::Drip { at_once, slowly, every } => {
            out.write_all(at_once)?;
            out.flush()?;
            for byte in slowly {
                if !bell.pause(*every) {
                    break;
                }
                out.write_all(&[*byte])?;
                out.flush()?;
            }
        }
        Answer::Huge { status, bytes, announced } => {
            let length = format!("content-length: {bytes}\r\n");
            let length = if *announced { &length } else { "connection: close\r\n" };
            out.write_all(&head(*status, length))?;
            io::copy(&mut io::repeat(b'[').take(*bytes), out)?;
        }
        Answer::EchoAuthorization => {
            return send(&echo(seen), seen, out, bell);
        }
        Answer::Delay(time, then) => {
            if bell.pause(*time) {
                return send(then, seen, out, bell);
            }
        }
        Answer::Held(then) => {
            if bell.held() {
                return send(then, seen, out, bell);
            }
        }
        Answer::ThenClose(first) => {
            send(first, seen, out, bell)?;
        }
    }
    out.flush()?;
    Ok(Next::Close)
}

/// The bytes of a whole answer, to be sent whole or dripped.
pub(super) fn whole(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut lines = format!("content-length: {}\r\n", body.len());
    for (name, value) in headers {
        lines.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut bytes = head(status, &lines);
    bytes.extend(body);
    bytes
}

fn head(status: u16, lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Told\r\n{lines}\r\n").into_bytes()
}

/// An error that gives away all it was sent, as a careless proxy or debug page does.
fn echo(seen: &Seen) -> Answer {
    let header = seen.header("authorization").unwrap_or_default();
    let encoded = header.split(' ').next_back().unwrap_or_default();
    let decoded = STANDARD.decode(encoded).unwrap_or_default();
    let decoded = String::from_utf8_lossy(&decoded);
    let secret = decoded.split(':').next_back().unwrap_or_default();
    let message =
        format!("invalid credentials {decoded} in Authorization: {header} (secret {secret})");
    Answer::error(401, 40101, &message).header("x-echo", header)
}
