//! Tries the tool with the real Ably, and compares the form of each answer with what the tests'
//! stand-in gives.
//!
//! Makes an app of its own in Ably's sandbox and deletes it at the end. With `ABLY_API_KEY` it uses
//! that key, which must be able to revoke; it touches random client IDs alone. `ABLY_ENDPOINT`,
//! `SSL_CERT_FILE` and the proxy variables hold as for the tool. `make live` does it.

use std::process::ExitCode;
use std::time::Duration;

mod support;

use support::{Ably, KEY, Place};

const SANDBOX: &str = "nonprod:sandbox";
const PRODUCTION: &str = "main";
/// Ably puts a revocation into force within seconds.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if std::env::var_os("ABLY_BIN").is_none() {
        eprintln!("live: set ABLY_BIN to the program, or use `make live`");
        return ExitCode::from(2);
    }
    let key = set("ABLY_API_KEY");
    if key.as_ref().is_some_and(|key| !key.contains(':')) {
        eprintln!("live: ABLY_API_KEY must be a whole key, appId.keyId:secret");
        return ExitCode::from(2);
    }
    let usual = if key.is_some() { PRODUCTION } else { SANDBOX };
    let place = Place {
        endpoint: set("ABLY_ENDPOINT").unwrap_or_else(|| usual.to_owned()),
        ca: set("SSL_CERT_FILE").map(Into::into),
        key,
        others: None,
        patience: PATIENCE,
    };
    let with = if place.key.is_some() { "the key in ABLY_API_KEY" } else { "an app made for this" };
    println!("Tries the tool at {}, with {with}.\n", place.host());
    let found = match place.story() {
        Ok(found) => found,
        Err(error) => {
            eprintln!("live: {}: {error}", place.host());
            return ExitCode::FAILURE;
        }
    };
    let ably = Ably::start();
    let expected = Place::at(&ably, place.key.map(|_| KEY.to_owned())).story();
    // It was asked for a kind of target that the tool never sends.
    ably.forgive();
    let Ok(expected) = expected else { return ExitCode::FAILURE };
    let same =
        expected.iter().zip(&found).filter(|(expected, found)| expected.holds(found, "Ably"));
    let (same, all) = (same.count(), expected.len());
    println!("\n{same} of {all} as with the stand-in.");
    if same == all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
