//! Reading the files that options name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a file up to a limit in bytes.
///
/// # Errors
/// It cannot be read, is a folder, or is longer than the limit.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file
        .metadata()
        .map_or(0, |metadata| metadata.len().min(limit));
    read_into(
        Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1),
        file,
        limit,
    )
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
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is too large",
        ));
    }
    Ok(bytes)
}

/// The system's words without Rust's `(os error 2)`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text.to_lowercase(),
    }
}
