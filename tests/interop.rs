//! Tries the tool with a server that others wrote: `sockudo`, which speaks Ably's protocol and is
//! tested by its authors with Ably's own SDKs. Compares the form of each answer with what the tests'
//! stand-in gives, and fails where the tool does not do its part.
//!
//! `sockudo` is looked for in `SOCKUDO` and on `PATH`:
//! `cargo install sockudo --version 5.2.0 --locked --no-default-features --features local,ably-compat`
//! makes it in some fifteen minutes (Debian: protobuf-compiler and cmake). `make interop` does the rest.

#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

mod support;

use support::{Ably, Folder, KEY, Others, Place, Step, nobody, pki, quote};

const IRREVOCABLE: &str = "APP1.plain:s3cr3t-marker-of-plain";
const ROTATED: &str = "APP1.old:s3cr3t-marker-of-old";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the tool must do there. That the server goes on accepting revoked tokens is its own affair;
/// the tool has to notice.
#[rustfmt::skip] // a table: one row a line
const DUTIES: [(&str, &str); 20] = [
    ("--check with a key that can", "--check: exit code Some(0)"),
    ("a client ID, with a JWT and an Ably token", "the tool: exit code Some(0)"),
    ("a revocation key", "the tool: exit code Some(0)"),
    ("the reauth margin, ten minutes back", "the tool: exit code Some(0)"),
    ("the reauth margin, ten minutes back", "the tool: applies now"),
    ("the reauth margin, ten minutes back", "the tool --allow-reauth-margin: exit code Some(0)"),
    ("the reauth margin, ten minutes back", "the tool --allow-reauth-margin: applies about 30 s from now"),
    ("a leaked token, with the proof", "the tool: exit code Some(5)"),
    ("a leaked token, with the proof", "the tool: result.revocation.verified: false"),
    ("a wrong secret", "the tool: exit code Some(1)"),
    ("a key without revocable tokens", "the tool: exit code Some(1)"),
    ("a key without revocable tokens", "--check: exit code Some(1)"),
    ("a key without revocable tokens", "--check: result.ready: false"),
    ("the key from before a rotation", "--check: exit code Some(0)"),
    ("the key from before a rotation", "the tool: exit code Some(0)"),
    ("a channel", "the tool: exit code Some(0)"),
    ("2,500 targets on four connections", "the tool: exit code Some(0)"),
    ("2,500 targets on four connections", "the tool: 2500 results in 25 records"),
    ("a log with tokens of two keys, with the proof", "the tool: exit code Some(5)"),
    ("a log with tokens of two keys, with the proof", "the tool: 3 tokens asked about"),
];

fn main() -> ExitCode {
    if std::env::var_os("ABLY_BIN").is_none() {
        eprintln!("interop: set ABLY_BIN to the program, or use `make interop`");
        return ExitCode::from(2);
    }
    let Some(binary) = std::env::var_os("SOCKUDO").or_else(on_path) else {
        eprintln!(
            "interop: sockudo is neither in SOCKUDO nor on PATH: tests/interop.rs says how to get it"
        );
        return ExitCode::from(2);
    };
    let folder = Folder::new();
    let mut server = match Server::start(Path::new(&binary), &folder) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("interop: {}: {error}", binary.display());
            return ExitCode::from(2);
        }
    };
    let others = Others { irrevocable: IRREVOCABLE.to_owned(), rotated: ROTATED.to_owned() };
    let place = Place {
        endpoint: server.endpoint.clone(),
        ca: Some(folder.write("ca.pem", pki().ca_pem())),
        key: Some(KEY.to_owned()),
        others: Some(others),
        patience: Duration::from_secs(1),
    };
    println!("Tries the tool with {} at {}.\n", binary.display(), place.endpoint);
    let found = place.story();
    server.stop();
    match found {
        Ok(found) => judge(&found, place),
        Err(error) => {
            eprintln!("interop: {error}\n{}", folder.read("log"));
            ExitCode::FAILURE
        }
    }
}

/// Shows each step beside the stand-in's, then what the tool did not do.
fn judge(found: &[Step], place: Place) -> ExitCode {
    let ably = Ably::start();
    [IRREVOCABLE, ROTATED].iter().for_each(|key| ably.add_key(key));
    ably.make_irrevocable(IRREVOCABLE);
    let beside = Place { others: place.others, ..Place::at(&ably, place.key) };
    let Ok(expected) = beside.story() else { return ExitCode::FAILURE };
    // It was asked for a kind of target that the tool never sends.
    ably.forgive();
    let same =
        expected.iter().zip(found).filter(|(expected, found)| expected.holds(found, "sockudo"));
    println!("\n{} of {} as with the stand-in.", same.count(), expected.len());
    let holds = |(name, fact): &(&str, &str)| {
        found.iter().any(|step| step.name == *name && step.facts.contains(*fact))
    };
    let missed: Vec<_> = DUTIES.iter().filter(|duty| !holds(duty)).collect();
    println!(
        "The tool did {} of {} things that it must do there.",
        DUTIES.len() - missed.len(),
        DUTIES.len()
    );
    for (name, fact) in &missed {
        println!("  MISSED  {name}: {fact}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn on_path() -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join("sockudo"));
    files.find(|file| file.is_file()).map(PathBuf::into_os_string)
}

/// A running `sockudo`, ended when it is dropped.
struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    fn start(binary: &Path, folder: &Folder) -> Result<Server, String> {
        let [certificate, key] = pki().server_pem();
        let certificate = folder.write("certificate.pem", certificate);
        let key = folder.write("key.pem", key);
        let address = nobody();
        let configuration =
            folder.write("sockudo.toml", configuration(address, &certificate, &key));
        let log = File::create(folder.file("log")).map_err(|error| error.to_string())?;
        let child = Command::new(binary)
            .arg("--config")
            .arg(configuration)
            .env_clear()
            .env("HOME", folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stderr(log.try_clone().map_err(|error| error.to_string())?)
            .stdout(log)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut server = Server { child, endpoint: format!("localhost:{}", address.port()) };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > end || server.child.try_wait().is_ok_and(|status| status.is_some())
            {
                return Err(format!("it does not listen\n{}", folder.read("log")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Loopback alone, TLS, nothing outside of its memory, three keys of one app.
fn configuration(address: SocketAddr, certificate: &Path, key: &Path) -> String {
    let [certificate, key] = [certificate, key].map(|path| quote(&path.display().to_string()));
    let keys = [(KEY, true), (IRREVOCABLE, false), (ROTATED, true)].map(|(key, revocable)| {
        let (name, secret) = key.split_once(':').unwrap();
        format!(
            "[[ably_compat.keys]]\napp_id = \"APP1\"\nkey_name = \"{name}\"\nsecret = \"{secret}\"\n\
             revocable_tokens = {revocable}\n"
        )
    });
    format!(
        "host = \"{}\"\nport = {}\n\
         [ssl]\nenabled = true\ncert_path = {certificate}\nkey_path = {key}\n\
         [metrics]\nenabled = false\n\
         [rate_limiter]\nenabled = false\n\
         [queue]\ndriver = \"memory\"\n\
         [push]\nallow_memory_drivers = true\n\
         [[app_manager.array.apps]]\nid = \"APP1\"\nkey = \"APP1.app\"\n\
         secret = \"s3cr3t-marker-of-app\"\nenabled = true\n\
         [ably_compat]\nenabled = true\n{}",
        address.ip(),
        address.port(),
        keys.concat()
    )
}
