//! The way to Ably. A caller holds a `Session`: one service as one credential sees it. Only this room
//! knows HTTP; it knows no target.
//!
//! ```text
//! session ── retry ── http ── tunnel ── TCP ── tls ──► answer
//!    endpoint             resolver ── dns    or error
//! ```
//!
//! ureq is trusted where it keeps this program's promises: HTTP, SOCKS, TCP, time limits. Its other
//! links were tried and failed; ours stand in their place, on `ureq::unversioned`, and each says why at
//! its top: `resolver`, `tunnel`, `tls`.

pub mod answer;
pub mod authority;
mod certificate;
pub mod clock;
mod dns;
pub mod dns_message;
pub mod endpoint;
pub mod error;
pub mod http;
mod no_proxy;
pub mod proxy;
pub mod remedy;
mod resolver;
mod retry;
pub mod retry_after;
pub mod roots;
pub mod session;
mod tls;
mod tunnel;

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::Problem;
use crate::text::Safe;
use authority::Authority;
use proxy::{NamedProxy, Proxies};

/// The longest request head, in bytes; also the buffer for what goes out, as a line must fit in
/// whole. ureq's own buffers are 128 KiB each, zeroed at every start.
const HEAD_LIMIT: usize = 64 << 10;

/// How Ably is reached, as the operator set it.
#[derive(Debug)]
pub struct Network {
    /// Trusted certificates.
    pub roots: roots::Roots,
    /// Where TCP connections go instead of to the host.
    pub connect_to: Option<Authority>,
    /// The proxies of the environment.
    pub proxies: Proxies,
    /// For one request with all its tries.
    pub timeout: Duration,
}

impl Network {
    /// Makes sure, before anything is sent, that the way to a host does not lead through a proxy that
    /// cannot be used.
    pub fn check(&self, authority: &str) -> Result<(), Problem> {
        self.proxy(authority).map(|_| ()).map_err(|problem| {
            let host = Safe(authority);
            Problem::new(
                format!("{}, and {host} needs it", problem.message),
                problem.remedy.clone(),
            )
        })
    }

    /// The proxy for a host; none with `--connect-to`, which says itself where connections go.
    fn proxy(&self, authority: &str) -> Result<Option<&NamedProxy>, &Problem> {
        if self.connect_to.is_some() { Ok(None) } else { self.proxies.route(authority) }
    }
}

/// What stands in a segment of a path as it is (RFC 3986, 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one segment of a path, percent-encoded: names and IDs are typed, not Ably's.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}
