//! DNS messages (RFC 1035): a query for the addresses of a name, and the reading of an answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Recursion desired.
const FLAGS: [u8; 2] = [1, 0];
const INTERNET: u16 = 1;
const HEADER: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// AAAA.
    V6,
    /// A.
    V4,
}

impl Family {
    /// In the order in which addresses are tried. IPv4 comes first: broken IPv6 is mostly silent, and
    /// waiting for it would take more than half of the time for connecting.
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V6];

    fn record(self) -> u16 {
        match self {
            Self::V6 => 28,
            Self::V4 => 1,
        }
    }

    fn address(self, data: &[u8]) -> Option<IpAddr> {
        match self {
            Self::V6 => <[u8; 16]>::try_from(data).ok().map(|it| Ipv6Addr::from(it).into()),
            Self::V4 => <[u8; 4]>::try_from(data).ok().map(|it| Ipv4Addr::from(it).into()),
        }
    }
}

/// Why a name has no address, the least telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unresolved {
    /// DNS cannot hold it.
    BadName,
    NoSuchName,
    /// The name is there, without any address of the family.
    NoAddress,
    /// No server can be reached.
    Unreachable,
    /// The answer did not fit into a datagram.
    Truncated,
    /// A response code other than NXDOMAIN, such as SERVFAIL (2) or REFUSED (5).
    Code(u8),
    Late,
}

impl Unresolved {
    /// Whether another server may have an answer.
    pub(crate) fn is_of_server(self) -> bool {
        !matches!(self, Self::NoSuchName | Self::NoAddress)
    }
}

/// A query, which ends with its question; `None` if DNS cannot hold the name.
pub fn query(id: u16, name: &str, family: Family) -> Option<Vec<u8>> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend(FLAGS);
    // One question, nothing else.
    message.extend([0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        message.push(length);
        message.extend(label.bytes());
    }
    message.push(0);
    if message.len() - HEADER > 255 {
        return None;
    }
    message.extend(family.record().to_be_bytes());
    message.extend(INTERNET.to_be_bytes());
    Some(message)
}

/// Reads the answer to a query: at least one address, or why there is none. `None` if the message is
/// malformed or answers something else.
pub fn answer(
    message: &[u8],
    query: &[u8],
    family: Family,
) -> Option<Result<Vec<IpAddr>, Unresolved>> {
    let (header, mut rest) = message.split_at_checked(HEADER)?;
    let [id1, id2, flags, code, _, questions, records @ ..] = header else {
        return None;
    };
    if query.get(..2)? != [*id1, *id2] || flags & 0xf8 != 0x80 {
        return None;
    }
    // Servers that fail may leave the question out.
    let asked = query.get(HEADER..)?;
    if *questions == 1 {
        let (question, after) = rest.split_at_checked(asked.len())?;
        if !question.eq_ignore_ascii_case(asked) {
            return None;
        }
        rest = after;
    }
    match code & 15 {
        0 if *questions == 1 => {}
        0 => return None,
        3 => return Some(Err(Unresolved::NoSuchName)),
        code => return Some(Err(Unresolved::Code(code))),
    }
    let count = u16::from_be_bytes(records.first_chunk().copied()?);
    let truncated = flags & 2 != 0;
    match addresses(rest, count, family) {
        (found, _) if !found.is_empty() => Some(Ok(found)),
        _ if truncated => Some(Err(Unresolved::Truncated)),
        (_, true) => Some(Err(Unresolved::NoAddress)),
        (_, false) => None,
    }
}

/// The addresses among so many records, and whether all could be read. Servers follow aliases.
fn addresses(mut rest: &[u8], count: u16, family: Family) -> (Vec<IpAddr>, bool) {
    let mut found = Vec::new();
    for _ in 0..count {
        let Some((kind, data, after)) = record(rest) else {
            return (found, false);
        };
        rest = after;
        if kind == family.record() {
            found.extend(family.address(data));
        }
    }
    (found, true)
}

/// A record's type, its data, and the rest.
fn record(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let rest = after_name(bytes)?;
    let (fixed, rest) = rest.split_first_chunk::<10>()?;
    let [kind1, kind2, _, _, _, _, _, _, length1, length2] = *fixed;
    let length = u16::from_be_bytes([length1, length2]);
    let (data, rest) = rest.split_at_checked(length.into())?;
    Some((u16::from_be_bytes([kind1, kind2]), data, rest))
}

/// Skips a name, which may end with a pointer.
fn after_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (length, rest) = bytes.split_first()?;
        match length {
            0 => return Some(rest),
            0xc0.. => return rest.get(1..),
            _ => bytes = rest.get(usize::from(*length)..)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer with these flags and records, each with a pointer for a name.
    fn message(query: &[u8], flags: [u8; 2], records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = query[..2].to_vec();
        message.extend(flags);
        message.extend([0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0]);
        message.extend(&query[HEADER..]);
        for (kind, data) in records {
            message.extend([0xc0, 12]);
            message.extend(kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 9]);
            message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            message.extend(*data);
        }
        message
    }

    #[test]
    fn what_a_server_says_is_told_apart() {
        let query = query(7, "a.example", Family::V4).unwrap();
        let one: &[(u16, &[u8])] = &[(5, b"\x01b\xc0\x0e"), (1, &[10, 0, 0, 1]), (28, &[0; 16])];
        let address = Ok(vec![[10, 0, 0, 1].into()]);
        for (flags, records, expected) in [
            ([0x81, 0x80], one, Some(address.clone())),
            ([0x83, 0x80], one, Some(address)),
            ([0x83, 0x80], &[], Some(Err(Unresolved::Truncated))),
            ([0x81, 0x80], &[], Some(Err(Unresolved::NoAddress))),
            ([0x81, 0x80], &[(1, &[1, 2, 3])], Some(Err(Unresolved::NoAddress))),
            ([0x81, 0x83], &[], Some(Err(Unresolved::NoSuchName))),
            ([0x81, 0x82], &[], Some(Err(Unresolved::Code(2)))),
            ([0x81, 0x85], &[], Some(Err(Unresolved::Code(5)))),
            // A query, not an answer.
            ([0x01, 0x80], one, None),
        ] {
            let message = message(&query, flags, records);
            assert_eq!(answer(&message, &query, Family::V4), expected, "{flags:x?} {records:?}");
            assert_eq!(answer(&message[..HEADER - 1], &query, Family::V4), None);
        }
        let other = super::query(8, "a.example", Family::V4).unwrap();
        assert_eq!(answer(&message(&other, [0x81, 0x80], one), &query, Family::V4), None);
        let other = super::query(7, "b.example", Family::V4).unwrap();
        assert_eq!(answer(&message(&other, [0x81, 0x80], one), &query, Family::V4), None);
    }

    #[test]
    fn a_name_that_dns_cannot_hold_is_no_query() {
        let long = format!("{}a", "a.".repeat(127));
        for bad in ["", ".", "a..b", ".a", &"a".repeat(64), &long] {
            assert!(query(1, bad, Family::V6).is_none(), "{bad}");
        }
        assert_eq!(query(1, "a.b.", Family::V6), query(1, "a.b", Family::V6));
        assert!(query(1, &long[2..], Family::V6).is_some());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, flags: u8, codes: u8) {
            let query = query(7, "a.example", Family::V4).unwrap();
            let _ = answer(&bytes, &query, Family::V4);
            let mut near = message(&query, [flags | 0x80, codes], &[(1, &[1, 2, 3, 4])]);
            near.extend(&bytes);
            near[7] = 9;
            let _ = answer(&near, &query, Family::V4);
        }
    }
}
