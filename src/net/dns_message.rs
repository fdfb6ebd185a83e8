//! DNS messages (RFC 1035): a query for the addresses of a name, and the reading of an answer.

use std::net::IpAddr;

/// Recursion desired; one question, nothing else.
const QUERY: [u8; 10] = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const INTERNET: [u8; 2] = [0, 1];
const HEADER: usize = 12;

/// A family of addresses; its number is its type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4 = 1,
    V6 = 28,
}

impl Family {
    /// In the order in which addresses are tried. IPv4 comes first: broken IPv6 is mostly silent, and
    /// waiting for it would take more than half of the time for connecting.
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V6];

    fn address(self, data: &[u8]) -> Option<IpAddr> {
        match self {
            Self::V4 => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            Self::V6 => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
        }
    }
}

/// Why a name has no address, the least telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unresolved {
    NoSuchName,
    /// The name is there, without any address of the family.
    NoAddress,
    /// No server can be reached.
    Unreachable,
    /// The answer did not fit into a datagram.
    Truncated,
    /// A response code other than NXDOMAIN, such as SERVFAIL (2) or REFUSED (5).
    Code(u8),
    /// No server answered in time.
    Late,
    /// There is no descriptor left to ask with.
    NoSocket,
}

/// A query, which ends with its question; `None` if DNS cannot hold the name.
pub fn query(id: u16, name: &str, family: Family) -> Option<Vec<u8>> {
    let mut message = [&id.to_be_bytes()[..], &QUERY].concat();
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        message.push(length);
        message.extend(label.bytes());
    }
    message.push(0);
    let fits = message.len() - HEADER <= 255;
    message.extend([[0, family as u8], INTERNET].as_flattened());
    fits.then_some(message)
}

/// Reads the answer to a query: at least one address, or why there is none. `None` if the message is
/// malformed or answers something else.
pub fn answer(
    message: &[u8],
    query: &[u8],
    family: Family,
) -> Option<Result<Vec<IpAddr>, Unresolved>> {
    let (header, mut rest) = message.split_first_chunk::<HEADER>()?;
    let [id1, id2, flags, code, _, questions, records1, records2, ..] = *header;
    if query.get(..2)? != [id1, id2] || flags & 0xf8 != 0x80 {
        return None;
    }
    // Servers that fail may leave the question out.
    if questions == 1 {
        let asked = query.get(HEADER..)?;
        let (question, after) = rest.split_at_checked(asked.len())?;
        rest = question.eq_ignore_ascii_case(asked).then_some(after)?;
    }
    match code & 15 {
        0 if questions == 1 => {}
        0 => return None,
        3 => return Some(Err(Unresolved::NoSuchName)),
        code => return Some(Err(Unresolved::Code(code))),
    }
    let mut found = Vec::new();
    // Servers follow aliases.
    for _ in 0..u16::from_be_bytes([records1, records2]) {
        let Some((kind, data, after)) = record(rest) else {
            return (!found.is_empty()).then_some(Ok(found));
        };
        rest = after;
        found.extend(family.address(data).filter(|_| kind == [0, family as u8]));
    }
    Some(match flags & 2 {
        _ if !found.is_empty() => Ok(found),
        0 => Err(Unresolved::NoAddress),
        _ => Err(Unresolved::Truncated),
    })
}

/// A record's type, its data, and the rest.
fn record(bytes: &[u8]) -> Option<([u8; 2], &[u8], &[u8])> {
    let (fixed, rest) = after_name(bytes)?.split_first_chunk::<10>()?;
    let [kind1, kind2, _, _, _, _, _, _, length1, length2] = *fixed;
    let length = u16::from_be_bytes([length1, length2]);
    let (data, rest) = rest.split_at_checked(length.into())?;
    Some(([kind1, kind2], data, rest))
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
