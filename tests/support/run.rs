//! A run of the tool, under way and ended.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniserde::json::Value;

use super::ably::{KEY, SECRET};
use super::json;
use super::program::{Folder, Input, Program};
use super::server::lock;
use super::terminal::Modes;

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    ended: bool,
}

/// What a stream has brought so far, collected by a thread.
#[derive(Clone, Default)]
pub(super) struct Capture {
    text: Arc<(Mutex<Text>, Condvar)>,
}

impl Capture {
    /// Collects from a stream until it ends.
    pub(super) fn of(mut stream: impl Read + Send + 'static) -> Capture {
        let capture = Capture::default();
        let here = capture.clone();
        thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            loop {
                let count = match stream.read(&mut buffer) {
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    // A terminal whose last user is gone says EIO, not end of file.
                    Err(_) => 0,
                };
                let mut text = lock(&here.text.0);
                text.bytes.extend(&buffer[..count]);
                text.ended = count == 0;
                here.text.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        capture
    }

    /// A stream that is not captured.
    fn none() -> Capture {
        let capture = Capture::default();
        lock(&capture.text.0).ended = true;
        capture
    }

    /// Waits until what was captured fits; false where the time is over or the stream ended.
    pub(super) fn wait(&self, end: Instant, fits: impl Fn(&[u8]) -> bool) -> bool {
        let mut text = lock(&self.text.0);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if fits(&text.bytes) {
                return true;
            }
            if text.ended || left.is_zero() {
                return false;
            }
            (text, _) =
                self.text.1.wait_timeout(text, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the stream's end; false where the time is over.
    pub(super) fn wait_end(&self, end: Instant) -> bool {
        self.wait(end, |_| false);
        lock(&self.text.0).ended
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        lock(&self.text.0).bytes.clone()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// Waits for a child's end; `None` where the time is over.
pub(super) fn wait_child(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() > end {
            return None;
        }
        // std has no wait with a time limit, and what notices an end (a signal) is not for tests.
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether this process ignores INT, TERM, HUP or QUIT, and what it starts would too: so it is
/// below `nohup`, and in the background of a script.
pub(super) fn signals_ignored() -> bool {
    // HUP, INT, QUIT and TERM: signals 1, 2, 3 and 15.
    const THESE: u64 = 0b0100_0000_0000_0111;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & THESE != 0)
}

/// Sends a signal, `INT` or `TERM` for instance, to one process.
pub(super) fn send_signal(process: u32, signal: &str) {
    // The shell's own kill: there may be no other.
    let status = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", signal])
        .arg(process.to_string())
        .status()
        .unwrap();
    assert!(status.success(), "kill -s {signal} {process}");
}

/// A program that was started; killed on drop where it still runs.
pub struct Running {
    shown: String,
    child: Child,
    stdout: Capture,
    stderr: Capture,
    ended: bool,
    /// Kept until the end, as the program may read it.
    home: Arc<Folder>,
}

impl Running {
    pub(super) fn new(program: &Program, mut child: Child) -> Running {
        if let Input::Bytes(bytes) = &program.input {
            let bytes = bytes.clone();
            let mut stdin = child.stdin.take().unwrap();
            // It need not read them: a broken pipe is no failure.
            thread::spawn(move || stdin.write_all(&bytes));
        }
        Running {
            shown: program.shown(),
            stdout: child.stdout.take().map_or_else(Capture::none, Capture::of),
            stderr: child.stderr.take().map_or_else(Capture::none, Capture::of),
            child,
            ended: false,
            home: Arc::clone(&program.home),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        send_signal(self.pid(), signal);
    }

    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.child.stdin.as_mut().expect("stdin_open");
        stdin.write_all(bytes.as_ref()).unwrap();
        stdin.flush().unwrap();
    }

    pub fn end_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// Waits until this text is on stderr; panics with what is there where it does not come.
    pub fn wait_for_stderr(&self, text: &str) {
        self.wait_for(&self.stderr, text);
    }

    /// Waits until this text is on stdout; panics with what is there where it does not come.
    pub fn wait_for_stdout(&self, text: &str) {
        self.wait_for(&self.stdout, text);
    }

    fn wait_for(&self, capture: &Capture, text: &str) {
        let end = Instant::now() + PATIENCE;
        let came = capture.wait(end, |bytes| contains(bytes, text.as_bytes()));
        if !came {
            panic!(
                "{text:?} never came\n{}",
                shown(&self.shown, "running", &self.stdout.text(), &self.stderr.text())
            );
        }
    }

    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Waits for its end; panics where it hangs. Ends its stdin first.
    pub fn wait(mut self) -> Run {
        self.end_stdin();
        let end = Instant::now() + PATIENCE;
        let status = (self.stdout.wait_end(end) && self.stderr.wait_end(end))
            .then(|| wait_child(&mut self.child, end))
            .flatten();
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        let Some(status) = status else {
            panic!("hung\n{}", shown(&self.shown, "killed", &stdout, &stderr));
        };
        self.ended = true;
        Run {
            command: self.shown.clone(),
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr,
            screen: String::new(),
            modes: Modes::USUAL,
            home: Arc::clone(&self.home),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// How a run ended, and what it said.
pub struct Run {
    pub command: String,
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// All that came onto its terminal, escapes and all; line ends are `\r\n`.
    pub screen: String,
    /// As it left its terminal.
    pub modes: Modes,
    pub home: Arc<Folder>,
}

impl Run {
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Run {
        self.check(self.code == Some(code), &format!("should exit {code}"))
    }

    #[track_caller]
    pub fn dies_of(&self, signal: i32) -> &Run {
        let fits = self.signal == Some(signal);
        self.check(fits, &format!("should die of signal {signal}"))
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Run {
        let fits = self.stderr.contains(text);
        self.check(fits, &format!("stderr should contain {text:?}"))
    }

    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Run {
        let fits = !self.stderr.contains(text);
        self.check(fits, &format!("stderr should not contain {text:?}"))
    }

    #[track_caller]
    pub fn prints(&self, text: &str) -> &Run {
        let fits = self.stdout.contains(text);
        self.check(fits, &format!("stdout should contain {text:?}"))
    }

    #[track_caller]
    pub fn prints_nothing(&self) -> &Run {
        self.check(self.stdout.is_empty(), "stdout should be empty")
    }

    #[track_caller]
    pub fn says_nothing(&self) -> &Run {
        self.check(self.stderr.is_empty(), "stderr should be empty")
    }

    #[track_caller]
    pub fn shows(&self, text: &str) -> &Run {
        self.check(self.screen.contains(text), &format!("the screen should show {text:?}"))
    }

    #[track_caller]
    pub fn never_shows(&self, text: &str) -> &Run {
        self.check(!self.screen.contains(text), &format!("the screen should not show {text:?}"))
    }

    #[track_caller]
    pub fn restores(&self) -> &Run {
        self.check(self.modes == Modes::USUAL, "should restore the terminal")
    }

    /// This is on no stream, nor in base64, wherever it stands in what was encoded.
    #[track_caller]
    pub fn hides(&self, secret: &str) -> &Run {
        for form in disguises(secret) {
            let streams = [&self.screen, &self.stdout, &self.stderr];
            let fits = streams.iter().all(|stream| !stream.contains(&form));
            self.check(fits, &format!("should show {form:?} nowhere"));
        }
        self
    }

    /// The stand-in's key is on neither stream, in any form.
    #[track_caller]
    pub fn hides_the_key(&self) -> &Run {
        self.hides(SECRET).hides(KEY)
    }

    /// The records on stdout, one a line; panics at a line that is no JSON object.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let whole = self.stdout.is_empty() || self.stdout.ends_with('\n');
        self.check(whole, "stdout should end with a line feed");
        self.records(self.stdout.lines().map(str::to_owned))
    }

    /// The records on stdout, indented; each ends with a `}` alone on its line.
    #[track_caller]
    pub fn pretty_json(&self) -> Vec<Value> {
        let mut texts = vec![String::new()];
        for line in self.stdout.lines() {
            texts.last_mut().unwrap().push_str(&format!("{line}\n"));
            if line == "}" {
                texts.push(String::new());
            }
        }
        let rest = texts.pop().unwrap();
        self.check(rest.is_empty(), "stdout should end with a whole record");
        self.records(texts.into_iter())
    }

    #[track_caller]
    fn records(&self, texts: impl Iterator<Item = String>) -> Vec<Value> {
        let values = texts.map(|text| {
            let value = miniserde::json::from_str(&text).unwrap_or(Value::Null);
            let fits = matches!(value, Value::Object(_));
            self.check(fits, &format!("this should be a JSON object: {text}"));
            value
        });
        values.collect()
    }

    /// The one record of this type; panics where there is none, or another.
    #[track_caller]
    pub fn record(&self, kind: &str) -> Value {
        let mut records = self.json();
        records.retain(
            |record| matches!(json::get(record, "type"), Value::String(text) if text == kind),
        );
        let fits = records.len() == 1;
        self.check(fits, &format!("stdout should hold one {kind:?} record"));
        records.remove(0)
    }

    /// The one record that has this field; panics where there is none, or another.
    #[track_caller]
    pub fn holding(&self, field: &str) -> Value {
        let mut records = self.json();
        records.retain(|record| json::has(record, field));
        self.check(records.len() == 1, &format!("stdout should hold one record with {field:?}"));
        records.remove(0)
    }

    /// Fails, with command, status and both streams, unless this holds.
    #[track_caller]
    pub fn check(&self, holds: bool, expected: &str) -> &Run {
        assert!(holds, "{expected}\n{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let status = match (self.code, self.signal) {
            (Some(code), _) => format!("exit {code}"),
            (_, signal) => format!("signal {signal:?}"),
        };
        formatter.write_str(&shown(&self.command, &status, &self.stdout, &self.stderr))?;
        write!(formatter, "\n--- screen\n{}\n{:?}", self.screen, self.modes)
    }
}

fn shown(command: &str, status: &str, stdout: &str, stderr: &str) -> String {
    format!("$ {command}\n[{status}]\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text)
}

/// A secret as it is, and what is in its base64 at each of the three places where it may start.
fn disguises(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for shift in 0..3 {
        let encoded = STANDARD.encode(format!("{}{secret}", &"\0\0"[..shift]));
        // The first and last characters depend on the neighbours.
        let from = [0, 2, 3][shift];
        let to = (shift + secret.len()) * 8 / 6;
        forms.push(encoded[from..to].to_owned());
    }
    forms
}
