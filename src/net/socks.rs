//! The talk with a SOCKS 5 proxy (RFC 1928, with the passwords of RFC 1929) until it has connected
//! to the target. Who the target is, and in what time, is up to `tunnel.rs`.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};

use ureq::Error;
use zeroize::Zeroizing;

use crate::net::connect_error::DialError;

const VERSION: u8 = 5;
const WITHOUT_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Where the proxy is to connect to.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A name that the proxy resolves.
    Name(&'a str, u16),
    /// An address.
    Address(SocketAddr),
}

/// Asks for a connection to the target, and reads the answer to its end and not a byte further.
///
/// # Errors
/// The proxy does not connect, breaks off, or does not speak SOCKS 5.
pub fn open(
    stream: &mut (impl Read + Write),
    target: Target<'_>,
    login: Option<(&str, &str)>,
) -> Result<(), Error> {
    match login {
        // Both: a proxy that wants no password says so.
        Some(_) => stream.write_all(&[VERSION, 2, WITHOUT_LOGIN, BY_PASSWORD])?,
        None => stream.write_all(&[VERSION, 1, WITHOUT_LOGIN])?,
    }
    let [version, method] = read(stream)?;
    if version != VERSION {
        return Err(failed("its answer is not SOCKS 5"));
    }
    match (method, login) {
        (WITHOUT_LOGIN, _) => {}
        (BY_PASSWORD, Some(login)) => log_in(stream, login)?,
        (NO_METHOD, _) => return Err(DialError::SocksLogin.into()),
        _ => return Err(failed("it wants a login of a kind that it was not offered")),
    }
    stream.write_all(&request(target)?)?;
    let [version, code, _, kind] = read(stream)?;
    if version != VERSION {
        return Err(failed("its answer is not SOCKS 5"));
    }
    if code != 0 {
        return Err(DialError::SocksRefused { code }.into());
    }
    // The address that it connects from, of no use here.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read::<1>(stream)?[0]),
        _ => return Err(failed("its answer is not SOCKS 5")),
    };
    let mut rest = vec![0; length + 2];
    stream.read_exact(&mut rest)?;
    Ok(())
}

fn log_in(stream: &mut (impl Read + Write), (user, password): (&str, &str)) -> Result<(), Error> {
    let mut message = Zeroizing::new(Vec::with_capacity(3 + 2 * usize::from(u8::MAX)));
    message.push(1);
    for text in [user, password] {
        message.push(length(text).ok_or_else(|| failed("the credentials are too long for it"))?);
        message.extend_from_slice(text.as_bytes());
    }
    stream.write_all(&message)?;
    match read(stream)? {
        [_, 0] => Ok(()),
        _ => Err(DialError::SocksLogin.into()),
    }
}

fn request(target: Target<'_>) -> Result<Vec<u8>, Error> {
    let mut message = vec![VERSION, CONNECT, 0];
    let port = match target {
        Target::Name(name, port) => {
            let length = length(name).ok_or_else(|| failed("the host name is too long for it"))?;
            message.extend([NAME, length]);
            message.extend_from_slice(name.as_bytes());
            port
        }
        Target::Address(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    message.push(IPV4);
                    message.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    message.push(IPV6);
                    message.extend(ip.octets());
                }
            }
            address.port()
        }
    };
    message.extend(port.to_be_bytes());
    Ok(message)
}

fn length(text: &str) -> Option<u8> {
    u8::try_from(text.len()).ok()
}

fn read<const N: usize>(stream: &mut impl Read) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn failed(reason: &str) -> Error {
    Error::ConnectProxyFailed(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::net::test_support::dialled;

    /// Answers with these bytes, and keeps what it is told.
    struct Script<'a> {
        answers: &'a [u8],
        told: Vec<u8>,
    }

    impl Read for Script<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // A byte at a time, as a slow proxy does.
            let length = buffer.len().min(1);
            self.answers.read(&mut buffer[..length])
        }
    }

    impl Write for Script<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.told.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LOGIN: Option<(&str, &str)> = Some(("us", "p@s"));
    const HOST: Target<'_> = Target::Name("ab.io", 443);

    fn talk(answers: &[u8], login: Option<(&str, &str)>) -> (Result<(), Error>, Vec<u8>, usize) {
        let mut script = Script { answers, told: Vec::new() };
        let result = open(&mut script, HOST, login);
        (result, script.told, script.answers.len())
    }

    #[test]
    fn a_name_is_asked_for_with_and_without_a_password() {
        let name = b"\x05\x01\x00\x03\x05ab.io\x01\xbb";
        let cases: [(_, &[u8], &[u8]); 3] = [
            (None, b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34", b"\x05\x01\x00"),
            (LOGIN, b"\x05\x00\x05\x00\x00\x03\x02ab\x12\x34", b"\x05\x02\x00\x02"),
            (
                LOGIN,
                b"\x05\x02\x01\x00\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34",
                b"\x05\x02\x00\x02\x01\x02us\x03p@s",
            ),
        ];
        for (login, answers, told) in cases {
            let (result, all, left) = talk(&[answers, b"TLS"].concat(), login);
            assert!(result.is_ok(), "{result:?}");
            assert_eq!(all, [told, name].concat());
            assert_eq!(left, 3, "what comes next is for TLS");
        }
    }

    #[test]
    fn an_address_is_asked_for_as_such() {
        for (address, told) in [
            ("127.0.0.1:443", &b"\x05\x01\x00\x01\x7f\x00\x00\x01\x01\xbb"[..]),
            ("[::1]:8443", b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x20\xfb"),
        ] {
            assert_eq!(request(Target::Address(address.parse().unwrap())).unwrap(), told);
        }
        assert!(request(Target::Name(&"x".repeat(256), 443)).is_err());
    }

    #[test]
    fn every_refusal_is_told_from_the_others() {
        for code in 1..=u8::MAX {
            let (result, ..) = talk(&[5, 0, 5, code, 0, 1], None);
            assert_eq!(dialled(&result.unwrap_err()), Some(&DialError::SocksRefused { code }));
        }
        for (login, answers) in
            [(None, &b"\x05\xff"[..]), (LOGIN, b"\x05\xff"), (LOGIN, b"\x05\x02\x01\x01")]
        {
            let (result, ..) = talk(answers, login);
            assert_eq!(dialled(&result.unwrap_err()), Some(&DialError::SocksLogin));
        }
        let long = "x".repeat(256);
        for (login, answers, told) in [
            (None, &b"\x04\x5b"[..], "not SOCKS 5"),
            (None, b"HTTP/1.1 400", "not SOCKS 5"),
            (None, b"\x05\x02", "not offered"),
            (LOGIN, b"\x05\x01", "not offered"),
            (Some(("us", long.as_str())), b"\x05\x02", "too long"),
            (None, b"\x05\x00\x04\x00\x00\x01", "not SOCKS 5"),
            (None, b"\x05\x00\x05\x00\x00\x02", "not SOCKS 5"),
        ] {
            let (result, ..) = talk(answers, login);
            let Err(Error::ConnectProxyFailed(reason)) = &result else { panic!("{result:?}") };
            assert!(reason.contains(told), "{reason}");
        }
        // Cut short anywhere.
        let whole = b"\x05\x02\x01\x00\x05\x00\x00\x03\x02ab\x12\x34";
        for length in 0..whole.len() {
            let (result, ..) = talk(&whole[..length], LOGIN);
            let Err(Error::Io(error)) = &result else { panic!("{result:?}") };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(answers in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = talk(&answers, None);
            let _ = talk(&[&[5, 2, 1, 0, 5, 0, 0], answers.as_slice()].concat(), LOGIN);
        }
    }
}
