//! Reading the files that options name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::Problem;
use crate::key::ApiKey;

/// Reads a file up to a limit in bytes.
///
/// # Errors
/// It cannot be read, is a folder, or is longer than the limit.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata().map_or(0, |metadata| metadata.len().min(limit));
    read_into(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1), file, limit)
}

/// What stands for standard input in place of a file.
pub const STDIN: &str = "-";

/// Reads the file that an option or a variable names, or standard input for `-`, up to a limit in
/// bytes. `shown` is what to call it.
///
/// # Errors
/// It cannot be read; the message says which and why.
pub fn read_named(
    path: &Path,
    limit: u64,
    named_by: &str,
    shown: &str,
) -> Result<Vec<u8>, Problem> {
    let read = if path == Path::new(STDIN) {
        read_from(io::stdin().lock(), limit)
    } else {
        read(path, limit)
    };
    read.map_err(|error| {
        Problem::new(
            format!("{named_by}: {shown} cannot be read: {}", reason(&error)),
            "check the path, and that this user may read it",
        )
    })
}

/// Reads everything up to a limit in bytes.
///
/// # Errors
/// Reading fails, or there is more than the limit.
pub fn read_from(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    read_into(Vec::new(), source, limit)
}

fn read_into(mut bytes: Vec<u8>, source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

/// A path for messages. A key or a token that was typed in its place is not shown.
pub fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if looks_secret(&text) { "(a key or token in place of a file)".to_owned() } else { text }
}

/// Whether a text has the form of an API key, a JWT or an Ably token.
pub fn looks_secret(text: &str) -> bool {
    let base64 = |part: &str| {
        part.len() >= 24 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=+".contains(&b))
    };
    let is_token = text.starts_with("eyJ")
        || text.split_once('.').is_some_and(|(app, rest)| app.len() <= 10 && base64(rest));
    !text.contains('/') && (is_token || ApiKey::parse(text).is_ok())
}

/// The system's words without Rust's `(os error 2)`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_place_of_a_file_is_not_shown() {
        for secret in
            ["APP1.key1:s3cret", "eyJhbGciOi.J9.c2ln", "xVLyHw.Dx0123456789abcdefghijklmn"]
        {
            assert!(!shown(Path::new(secret)).contains(secret), "{secret}");
        }
        for file in
            ["key", "/run/secrets/app.key:1", "incident-2026-11-23.client-ids-production.txt"]
        {
            assert_eq!(shown(Path::new(file)), file);
        }
    }
}
