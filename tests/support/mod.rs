//! What the tests stand on: a stand-in for Ably, a proxy, the program itself, a terminal.
//!
//! Nothing in here knows the tool's own code. It speaks to the tool as the world does: arguments,
//! environment, files, a terminal, and TCP.
//!
//! | file | is |
//! |---|---|
//! | `accounts` | keys by where they are found, the full CLI's configuration, an account |
//! | `ably` | the stand-in for Ably: a TLS port that behaves, or misbehaves as told, and keeps a record |
//! | `answer` | what it may answer, well-formed or not |
//! | `echoes` | where a server can put a text that comes to be shown |
//! | `faithful` | how Ably itself behaves: revocations, its clock, tokens, the Control API |
//! | `hosts` | Ably's hosts, and the ways to them |
//! | `json` | look-ups in a JSON value |
//! | `leaked` | leaked tokens |
//! | `many` | runs with many targets, and who says what of them |
//! | `pki` | throw-away certificates |
//! | `program` | runs the tool, hermetically |
//! | `proxy` | an HTTP CONNECT proxy |
//! | `run` | a run of the tool, under way and ended |
//! | `server` | the listening port below `ably` and the proxies |
//! | `socks` | a SOCKS proxy |
//! | `stage` | the other side of one run, and what must be made of it |
//! | `table` | checks rows, several at once |
//! | `terminal` | runs the tool in a pseudo-terminal |

// A test may unwrap, index and panic: that is how it fails. Not every test binary uses all of it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    unused_imports
)]

mod ably;
mod accounts;
mod answer;
mod echoes;
mod faithful;
mod hosts;
mod json;
mod leaked;
mod many;
mod pki;
mod program;
mod proxy;
mod run;
mod server;
mod socks;
mod stage;
mod table;
mod terminal;

pub use ably::{Ably, Door, KEY, KEY_NAME, Knock, SECRET, Seen};
pub use accounts::*;
pub use answer::{Answer, batch_result, error_body};
pub use echoes::*;
pub use faithful::{App, Control, ControlKey, Revocation, Token};
pub use hosts::*;
pub use json::{flag, get, has, list, number, parse, quote, text};
pub use leaked::*;
pub use many::*;
pub use pki::{Certificate, Pki, pki};
pub use program::{Folder, Program, ably, alice, binary, command, forced, revoke_alice};
pub use proxy::{Connect, Mode, Proxy};
pub use run::{Run, Running};
pub use server::{BlackHole, Loopback};
pub use socks::{Manners, Socks};
pub use stage::*;
pub use table::each;
pub use terminal::{Modes, Terminal};
