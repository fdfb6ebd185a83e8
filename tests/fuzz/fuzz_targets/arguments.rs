//! Any command line, its arguments parted by line feeds.

#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use ably_revoke_token::cli::flags::Id;
use ably_revoke_token::cli::parse::{self, Command};
use ably_revoke_token::net::endpoint::{Endpoint, connect_to};
use ably_revoke_token::request::issued_before::IssuedBefore;
use ably_revoke_token::text::is_hostile;
use libfuzzer_sys::fuzz_target;

/// A value that was typed; no message may hold it.
const VALUE: &str = "s3cr3t";

fuzz_target!(|data: &[u8]| {
    let line: Vec<OsString> =
        data.split(|byte| *byte == b'\n').map(|word| OsString::from_vec(word.to_vec())).collect();
    let _ = parse::wants_json(&line);
    match parse::parse(line) {
        Err(problem) => {
            assert!(!problem.message.contains(is_hostile), "{}", problem.message);
            // It holds a digit, behind which nothing of an unknown option is shown.
            assert!(!problem.message.contains(VALUE), "{}", problem.message);
        }
        Ok(Command::Revoke(args)) => {
            let text = |id| args.all(id).next().and_then(|value| value.to_str());
            let problems = [
                text(Id::Endpoint).and_then(|value| Endpoint::parse(value).err()),
                text(Id::ConnectTo).and_then(|value| connect_to(value).err()),
                text(Id::IssuedBefore).and_then(|value| IssuedBefore::parse(value).err()),
            ];
            for problem in problems.into_iter().flatten() {
                assert!(!problem.message.contains(VALUE), "{}", problem.message);
            }
        }
        Ok(_) => {}
    }
});
