//! Programs of other people that listen on this machine while a test runs.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::program::Folder;

/// A program that listens; it ends when this is dropped.
pub struct Daemon {
    child: Child,
    pub address: SocketAddr,
    _folder: Folder,
}

impl Daemon {
    /// Starts it, with the folder that it works in, and waits until it listens there.
    pub fn start(mut command: Command, address: SocketAddr, folder: Folder) -> Daemon {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let mut daemon = Daemon { child, address, _folder: folder };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "{command:?} does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
