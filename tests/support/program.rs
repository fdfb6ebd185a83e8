//! Runs the tool as a person or a script does, in an environment with nothing in it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniserde::json::Value;

use super::ably::{Ably, KEY, SECRET};
use super::json;
use super::server::lock;

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A fresh folder, removed with all that is in it on drop.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes one.
    pub fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let base = std::env::temp_dir();
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("ably-test-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Folder { path },
                // Left over from a process that was killed and had the same ID.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it, whether it exists or not.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file in it, and the folders that its name needs.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The text of a file in it.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// The names of what is in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Where one of the program's streams leads. In a terminal, `Default` is the terminal.
#[derive(Clone, Debug, Default)]
pub(super) enum Output {
    #[default]
    Default,
    /// Captured.
    Pipe,
    /// A pipe that nobody reads.
    Broken,
    /// Appended to this file.
    File(PathBuf),
}

#[derive(Clone, Debug, Default)]
pub(super) enum Input {
    /// Nothing, or the terminal.
    #[default]
    Default,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// What the test sends, until it says that it is the end.
    Open,
}

/// A command to be run: hermetic, with an empty home folder of its own.
pub struct Program {
    binary: OsString,
    arguments: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    folder: Option<PathBuf>,
    home: Arc<Folder>,
    pub(super) input: Input,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
}

/// The tool with these arguments.
pub fn ably<I>(arguments: I) -> Program
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    Program::new().args(arguments)
}

impl Program {
    /// The tool: `ABLY_BIN` where it is set, else what cargo built.
    pub fn new() -> Program {
        let built = option_env!("CARGO_BIN_EXE_ably").map(OsString::from);
        let binary = std::env::var_os("ABLY_BIN").or(built);
        Program::at(binary.expect("ABLY_BIN names the program to test"))
    }

    /// The program at this path.
    pub fn at(binary: impl Into<PathBuf>) -> Program {
        // It may be run in another folder.
        let binary = std::path::absolute(binary.into()).unwrap();
        let home = Arc::new(Folder::new());
        let mut environment = BTreeMap::new();
        environment.insert("HOME".into(), home.path().into());
        environment.insert("PATH".into(), "/usr/bin:/bin".into());
        environment.insert("TERM".into(), "xterm".into());
        Program {
            binary: binary.into_os_string(),
            arguments: Vec::new(),
            environment,
            folder: None,
            home,
            input: Input::Default,
            stdout: Output::Default,
            stderr: Output::Default,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<I>(mut self, arguments: I) -> Program
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        for argument in arguments {
            self.arguments.push(argument.as_ref().to_owned());
        }
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Program {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.environment.insert(name, value);
        self
    }

    /// Removes a variable, also one that is set by default.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Program {
        self.environment.remove(name.as_ref());
        self
    }

    /// Adds the options that lead to the stand-in, and its key in `ABLY_API_KEY`.
    pub fn against(self, ably: &Ably) -> Program {
        self.towards(ably).env("ABLY_API_KEY", KEY)
    }

    /// Adds the options that lead to the stand-in, and no key.
    pub fn towards(self, ably: &Ably) -> Program {
        self.arg("--endpoint").arg(ably.endpoint()).arg("--ca-file").arg(ably.ca_file())
    }

    /// Leads every connection to the stand-in, whatever its host is.
    pub fn connected_to(self, ably: &Ably) -> Program {
        self.arg("--connect-to")
            .arg(ably.address().to_string())
            .arg("--ca-file")
            .arg(ably.ca_file())
    }

    /// Makes the stand-in the Control API too, with this access token.
    pub fn control(self, ably: &Ably, access_token: &str) -> Program {
        self.env("ABLY_CONTROL_HOST", ably.endpoint()).env("ABLY_ACCESS_TOKEN", access_token)
    }

    /// Writes the Ably CLI's configuration file into the home folder.
    pub fn config(self, toml: &str) -> Program {
        self.home.write(".ably/config", toml);
        self
    }

    /// The home folder. It lasts as long as this, or what was started from it.
    pub fn home(&self) -> &Folder {
        &self.home
    }

    /// Feeds these bytes to stdin. Without this, it is empty.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Program {
        self.input = Input::Bytes(bytes.as_ref().to_vec());
        self
    }

    /// Leaves stdin open, for `Running::write`.
    pub fn stdin_open(mut self) -> Program {
        self.input = Input::Open;
        self
    }

    /// Runs in this folder.
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Program {
        self.folder = Some(folder.into());
        self
    }

    /// Captures stdout apart even where stderr is a terminal.
    pub fn stdout_piped(mut self) -> Program {
        self.stdout = Output::Pipe;
        self
    }

    /// Captures stderr apart even where stdout is a terminal.
    pub fn stderr_piped(mut self) -> Program {
        self.stderr = Output::Pipe;
        self
    }

    /// Leads stdout into a pipe that nobody reads.
    pub fn stdout_broken(mut self) -> Program {
        self.stdout = Output::Broken;
        self
    }

    /// Leads stderr into a pipe that nobody reads.
    pub fn stderr_broken(mut self) -> Program {
        self.stderr = Output::Broken;
        self
    }

    /// Leads stdout to a file, `/dev/full` for instance.
    pub fn stdout_to(mut self, path: impl Into<PathBuf>) -> Program {
        self.stdout = Output::File(path.into());
        self
    }

    /// Leads stderr to a file.
    pub fn stderr_to(mut self, path: impl Into<PathBuf>) -> Program {
        self.stderr = Output::File(path.into());
        self
    }

    /// Starts it and waits for its end; panics where it hangs.
    pub fn run(self) -> Run {
        self.spawn().wait()
    }

    /// Starts it. Without a terminal: not even the one that the tests were started from.
    pub fn spawn(self) -> Running {
        let mut words = self.words();
        if File::open("/dev/tty").is_ok() {
            // Else a prompt would appear on, and read from, the developer's own terminal.
            words.insert(0, "/usr/bin/setsid".into());
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        self.prepare(&mut command);
        let [stdin, stdout, stderr] = self.streams();
        command
            .stdin(stdin.unwrap_or_else(Stdio::null))
            .stdout(stdout.unwrap_or_else(Stdio::piped))
            .stderr(stderr.unwrap_or_else(Stdio::piped));
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.shown()));
        Running::new(&self, child)
    }

    /// The words of the command, with what it takes to run it here in front.
    pub(super) fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if signals_ignored() {
            let usual = "--default-signal=INT,TERM,HUP,QUIT";
            words.extend(["/usr/bin/env".into(), usual.into()]);
        }
        words.extend(std::env::var_os("ABLY_RUNNER").filter(|runner| !runner.is_empty()));
        words.push(self.binary.clone());
        words.extend(self.arguments.iter().cloned());
        words
    }

    /// Sets the environment and the folder.
    pub(super) fn prepare(&self, command: &mut Command) {
        command.env_clear().envs(&self.environment);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
    }

    /// Where stdin, stdout and stderr lead; `None` where that is left to the caller.
    pub(super) fn streams(&self) -> [Option<Stdio>; 3] {
        let input = match self.input {
            Input::Default => None,
            Input::Bytes(_) | Input::Open => Some(Stdio::piped()),
        };
        [input, self.stdout.stdio(), self.stderr.stdio()]
    }

    pub(super) fn shared_home(&self) -> Arc<Folder> {
        Arc::clone(&self.home)
    }

    /// The command as one would type it.
    pub(super) fn shown(&self) -> String {
        let words = self.words();
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }
}

impl Default for Program {
    fn default() -> Program {
        Program::new()
    }
}

impl Output {
    fn stdio(&self) -> Option<Stdio> {
        match self {
            Output::Default => None,
            Output::Pipe => Some(Stdio::piped()),
            Output::Broken => {
                let (reader, writer) = io::pipe().unwrap();
                drop(reader);
                Some(writer.into())
            }
            Output::File(path) => {
                let file = File::options().append(true).create(true).open(path);
                Some(file.unwrap().into())
            }
        }
    }
}

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
fn signals_ignored() -> bool {
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
    fn new(program: &Program, mut child: Child) -> Running {
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

    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal: `INT`, `TERM`.
    pub fn signal(&self, signal: &str) {
        send_signal(self.pid(), signal);
    }

    /// Writes to its stdin, where that was left open.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.child.stdin.as_mut().expect("stdin_open");
        stdin.write_all(bytes.as_ref()).unwrap();
        stdin.flush().unwrap();
    }

    /// Ends its stdin.
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

    /// What has come on stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// What has come on stdout so far.
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
    /// As one would type it.
    pub command: String,
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The home folder that it had.
    pub home: Arc<Folder>,
}

impl Run {
    /// It ended with this code.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Run {
        self.check(self.code == Some(code), &format!("should exit {code}"))
    }

    /// This signal ended it.
    #[track_caller]
    pub fn dies_of(&self, signal: i32) -> &Run {
        let fits = self.signal == Some(signal);
        self.check(fits, &format!("should die of signal {signal}"))
    }

    /// This is on stderr.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Run {
        let fits = self.stderr.contains(text);
        self.check(fits, &format!("stderr should contain {text:?}"))
    }

    /// This is not on stderr.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Run {
        let fits = !self.stderr.contains(text);
        self.check(fits, &format!("stderr should not contain {text:?}"))
    }

    /// This is on stdout.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Run {
        let fits = self.stdout.contains(text);
        self.check(fits, &format!("stdout should contain {text:?}"))
    }

    /// Nothing is on stdout.
    #[track_caller]
    pub fn prints_nothing(&self) -> &Run {
        self.check(self.stdout.is_empty(), "stdout should be empty")
    }

    /// Nothing is on stderr.
    #[track_caller]
    pub fn says_nothing(&self) -> &Run {
        self.check(self.stderr.is_empty(), "stderr should be empty")
    }

    /// This is on neither stream, nor in base64, wherever it stands in what was encoded.
    #[track_caller]
    pub fn hides(&self, secret: &str) -> &Run {
        for form in disguises(secret) {
            let fits = !self.stdout.contains(&form) && !self.stderr.contains(&form);
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
        formatter.write_str(&shown(&self.command, &status, &self.stdout, &self.stderr))
    }
}

fn shown(command: &str, status: &str, stdout: &str, stderr: &str) -> String {
    format!("$ {command}\n[{status}]\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text)
}

/// A secret as it is, and what is in its base64 at each of the three places where it may start.
pub(super) fn disguises(secret: &str) -> Vec<String> {
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
