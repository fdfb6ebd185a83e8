//! Revokes Ably tokens by client ID, revocation key or channel: the parts of the `ably` program, a
//! module a noun. `main.rs` puts them together in the order in which a run meets them: arguments,
//! request, key, confirmation, client, outcome, report.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod accounts;
pub mod answer;
pub mod args;
pub mod choose;
pub mod client;
pub mod clock;
pub mod config;
pub mod control;
pub mod credentials;
mod decode;
pub mod environment;
pub mod error;
pub mod facts;
pub mod file;
pub mod flags;
pub mod form;
pub mod found;
pub mod generate;
pub mod help;
pub mod issued_before;
pub mod journal;
pub mod json;
pub mod key;
pub mod leaked;
pub mod lookup;
pub mod net;
pub mod outcome;
pub mod output;
pub mod pick;
pub mod progress;
pub mod prompt;
pub mod remedy;
pub mod report;
pub mod request;
pub mod resume;
pub mod run;
pub mod scan;
pub mod secret;
pub mod signals;
pub mod targets;
pub mod text;
pub mod token;
pub mod unrevoked;
pub mod verify;
pub mod wanted;
pub mod wrap;
