//! Who is at the other end, in words: the next hop or the host behind it. What went wrong there is
//! up to `failure.rs`.

/// Who was being talked to when it failed.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Ably's host, with its port where that is not 443.
    pub host: &'a str,
    /// The proxy on the way, without its credentials.
    pub proxy: Option<&'a str>,
    /// The address of `--connect-to`.
    pub connect_to: Option<&'a str>,
}

impl Peer<'_> {
    pub(crate) fn way(&self) -> Way<'_> {
        match (self.connect_to, self.proxy) {
            (Some(address), _) => Way::Instead(address),
            (None, Some(proxy)) => Way::Proxy(proxy),
            (None, None) => Way::Direct,
        }
    }

    /// Whom a TCP connection goes to.
    pub(crate) fn next_hop(&self) -> String {
        match self.way() {
            Way::Instead(address) => format!("{address} (in place of {})", self.host),
            Way::Proxy(proxy) => format!("the proxy {proxy}"),
            Way::Direct => self.host.to_owned(),
        }
    }

    /// Who answers once there is a connection: Ably, or what is taken for it on the way.
    pub(crate) fn far_end(&self) -> String {
        match self.way() {
            Way::Instead(address) => format!("{} (at {address})", self.host),
            Way::Proxy(proxy) => format!("{} (through the proxy {proxy})", self.host),
            Way::Direct => self.host.to_owned(),
        }
    }
}

/// What is between here and the host.
#[derive(Debug)]
pub(crate) enum Way<'a> {
    Direct,
    Proxy(&'a str),
    Instead(&'a str),
}
