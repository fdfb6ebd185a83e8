//! What the tests stand on: a stand-in for Ably, a proxy, the program itself, a terminal.
//!
//! Nothing in here knows the tool's own code. It speaks to the tool as the world does: arguments,
//! environment, files, a terminal, and TCP.

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
mod complaints;
mod daemon;
mod echoes;
mod faithful;
mod hosts;
mod json;
mod leaked;
mod live;
mod many;
mod pki;
mod program;
mod proxy;
mod record;
mod run;
mod sandbox;
mod server;
mod socks;
mod stage;
mod table;
mod terminal;

pub use ably::{Ably, Door, KEY, KEY_NAME, Knock, SECRET, Seen};
pub use accounts::*;
pub use answer::{Answer, batch_result, error_body};
pub use daemon::Daemon;
pub use echoes::*;
pub use faithful::{App, Control, ControlKey, Revocation, Token, is_of_control};
pub use hosts::*;
pub use json::{flag, get, has, list, number, parse, quote, text};
pub use leaked::*;
pub use live::{Others, Place, Step, signed};
pub use many::*;
pub use pki::{Certificate, Pki, pki};
pub use program::{
    Folder, Program, ably, alice, binary, command, forced, installed, revoke_alice, strace,
};
pub use proxy::{Connect, Mode, Proxy};
pub use record::*;
pub use run::{Run, Running};
pub use server::{BlackHole, Loopback};
pub use socks::{Manners, Socks};
pub use stage::*;
pub use table::each;
pub use terminal::{Modes, Terminal};
