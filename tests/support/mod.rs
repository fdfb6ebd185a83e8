//! What the tests stand on: a stand-in for Ably, a proxy, the program itself, a terminal.
//!
//! Nothing in here knows the tool's own code. It speaks to the tool as the world does: arguments,
//! environment, files, a terminal, and TCP.
//!
//! | file | is |
//! |---|---|
//! | `ably` | the stand-in for Ably: a TLS port that behaves, or misbehaves as told, and keeps a record |
//! | `answer` | what it may answer, well-formed or not |
//! | `faithful` | how Ably itself behaves: revocations, its clock, tokens, the Control API |
//! | `json` | look-ups in a JSON value |
//! | `pki` | throw-away certificates |
//! | `program` | runs the tool, hermetically |
//! | `proxy` | an HTTP CONNECT proxy |
//! | `server` | the listening port below `ably` and the proxies |
//! | `socks` | a SOCKS proxy |
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
mod answer;
mod faithful;
mod json;
mod pki;
mod program;
mod proxy;
mod server;
mod socks;
mod terminal;

pub use ably::{Ably, Door, KEY, KEY_NAME, Knock, SECRET, Seen};
pub use answer::{Answer, batch_result, error_body};
pub use faithful::{App, Control, ControlKey, Revocation, Token};
pub use json::{flag, get, has, list, number, parse, quote, text};
pub use pki::{Certificate, Pki, pki};
pub use program::{Folder, Program, Run, Running, ably};
pub use proxy::{Connect, Mode, Proxy};
pub use server::{BlackHole, Loopback};
pub use socks::{Manners, Socks};
pub use terminal::{Ended, Modes, Terminal};
