//! Any answers of a SOCKS proxy, with and without a login, to a name and to an address.

#![no_main]

use std::io::{self, Read, Write};

use ably_revoke_token::net::socks::{self, Target};
use libfuzzer_sys::fuzz_target;

/// Answers with these bytes and forgets what it is told.
struct Script<'a>(&'a [u8]);

impl Read for Script<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|data: &[u8]| {
    let address = ([127, 0, 0, 1], 443).into();
    for target in [Target::Name("main.realtime.ably.net", 443), Target::Address(address)] {
        for login in [None, Some(("user", "s3cr3t"))] {
            let mut script = Script(data);
            if socks::open(&mut script, target, login).is_ok() {
                // A choice of a login and a reply, of which nothing is believed but a success.
                let read = &data[..data.len() - script.0.len()];
                let reply = match read {
                    [5, 0, reply @ ..] => reply,
                    [5, 2, _, 0, reply @ ..] if login.is_some() => reply,
                    other => panic!("connected by {other:?}"),
                };
                assert_eq!(reply[..2], [5, 0]);
                assert!(matches!((reply[3], reply.len()), (1, 10) | (4, 22) | (3, 7..)));
            }
        }
    }
});
