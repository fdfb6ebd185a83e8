//! Revokes Ably tokens by client ID, revocation key or channel: the parts of the `ably` program, a
//! module a noun. `main.rs` puts them together in the order in which a run meets them: arguments,
//! request, key, confirmation, client, outcome, report.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod api_key;
pub mod cli;
pub mod error;
pub mod file;
pub mod json;
pub mod keys;
pub mod net;
pub mod plan;
pub mod report;
pub mod request;
pub mod revoke;
pub mod secret;
pub mod signals;
pub mod terminal;
pub mod text;
pub mod time;
