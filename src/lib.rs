//! The parts of the `ably` program, which revokes Ably tokens. Four values carry a run:
//!
//! ```text
//! argv, env, files ─► Request ─► Plan ─► Batch, Batch, … ─► Summary ─► exit code
//!                     what was   what is  what became of     what became
//!                     meant      settled  one request        of all
//! ```
//!
//! A room uses only what stands below it:
//!
//! | room | what it is for |
//! |---|---|
//! | `main.rs` | a run from the arguments to the exit code |
//! | [`report`] | everything that people and scripts read: only here an outcome is put into words |
//! | [`revoke`] | the run: requests, their judgement, `--verify`, the sum, the left-over file |
//! | [`plan`] | what is settled before the first revocation, and never changed after |
//! | [`keys`] | which keys serve, for which apps: handed over, configured, looked up or typed |
//! | [`request`] | what was meant: arguments and environment, then files |
//! | [`net`] | one request to one service: proxies, names, TLS, hosts, rate limits. Knows no target |
//! | [`terminal`] | streams, questions, the log. Knows no target and no key |
//! | [`cli`] | what was typed: one table of options; help, man page and completions from it |
//! | [`environment`] [`file`] [`signals`] [`error`] [`api_key`] [`json`] [`process`] [`secret`] [`text`] [`time`] [`wrap`] | the ground |

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod api_key;
pub mod cli;
pub mod environment;
pub mod error;
pub mod file;
pub mod json;
pub mod keys;
pub mod net;
pub mod plan;
pub mod process;
pub mod report;
pub mod request;
pub mod revoke;
pub mod secret;
pub mod signals;
pub mod terminal;
pub mod text;
pub mod time;
pub mod wrap;
