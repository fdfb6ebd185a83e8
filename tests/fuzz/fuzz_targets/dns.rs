//! Any message in answer to a query: no panic, and addresses of the family asked for alone.

#![no_main]

use ably_revoke_token::net::dns_message::{Family, answer, query};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &str, Vec<u8>)| {
    let (is_v4, name, mut message) = input;
    let family = if is_v4 { Family::V4 } else { Family::V6 };
    let Some(query) = query(0x1234, name, family) else { return };
    // Past the first checks, which no fuzzer guesses.
    if let Some(id) = message.first_chunk_mut() {
        *id = [0x12, 0x34];
    }
    if let Some(Ok(found)) = answer(&message, &query, family) {
        assert!(!found.is_empty() && found.iter().all(|ip| ip.is_ipv4() == is_v4));
    }
});
