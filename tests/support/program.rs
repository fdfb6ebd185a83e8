//! Runs the tool as a person or a script does, in an environment with nothing in it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::ably::{Ably, KEY};
use super::hosts::PASSWORD;
use super::proxy::Proxy;
use super::run::{Run, Running, signals_ignored};

/// A fresh folder, removed with all that is in it on drop.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
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

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
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
    pub(super) home: Arc<Folder>,
    pub(super) input: Input,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
}

pub fn command() -> Program {
    ably(["auth", "revoke-token"])
}

pub fn forced() -> Program {
    command().arg("--force")
}

pub fn alice() -> Program {
    command().args(["--client-id", "alice"])
}

pub fn revoke_alice() -> Program {
    alice().arg("--force")
}

/// The tool's own file: `ABLY_BIN` where it is set, else what cargo built.
pub fn binary() -> PathBuf {
    let built = option_env!("CARGO_BIN_EXE_ably").map(OsString::from);
    let binary = std::env::var_os("ABLY_BIN").or(built);
    // It may be run in another folder.
    std::path::absolute(binary.expect("ABLY_BIN names the program to test")).unwrap()
}

pub fn ably<I>(arguments: I) -> Program
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    Program::at(binary()).args(arguments)
}

/// The program at this path; `None`, with a word on it, where it is not installed.
pub fn installed(path: &str) -> Option<Program> {
    if Path::new(path).exists() {
        return Some(Program::at(path));
    }
    eprintln!("skipped: there is no {path}");
    None
}

/// strace where it can read what the program hands to the kernel: for root alone, to whom the program's
/// memory is not closed.
pub fn strace() -> Option<Program> {
    let strace = installed("/usr/bin/strace")?;
    // Owned by who runs this.
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        return Some(strace);
    }
    eprintln!("skipped: only root may read the program's memory");
    None
}

impl Program {
    pub fn at(binary: impl Into<PathBuf>) -> Program {
        let home = Arc::new(Folder::new());
        let mut environment = BTreeMap::new();
        environment.insert("HOME".into(), home.path().into());
        environment.insert("PATH".into(), "/usr/bin:/bin".into());
        environment.insert("TERM".into(), "xterm".into());
        Program {
            binary: binary.into().into_os_string(),
            arguments: Vec::new(),
            environment,
            folder: None,
            home,
            input: Input::Default,
            stdout: Output::Default,
            stderr: Output::Default,
        }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub fn args<I>(mut self, arguments: I) -> Program
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        for argument in arguments {
            self.arguments.push(argument.as_ref().to_owned());
        }
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Program {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.environment.insert(name, value);
        self
    }

    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Program {
        self.environment.remove(name.as_ref());
        self
    }

    pub fn keyed(self) -> Program {
        self.env("ABLY_API_KEY", KEY)
    }

    pub fn trusting(self, ably: &Ably) -> Program {
        self.arg("--ca-file").arg(ably.ca_file())
    }

    /// Adds the words of this command: it is what the program here runs.
    pub fn wrapping(self, command: Program) -> Program {
        self.args(command.command())
    }

    /// Adds the options that lead to the stand-in, and its key in `ABLY_API_KEY`.
    pub fn against(self, ably: &Ably) -> Program {
        self.towards(ably).keyed()
    }

    /// Adds the options that lead to the stand-in, and no key.
    pub fn towards(self, ably: &Ably) -> Program {
        self.arg("--endpoint").arg(ably.endpoint()).trusting(ably)
    }

    /// Leads every connection to the stand-in, whatever its host is.
    pub fn connected_to(self, ably: &Ably) -> Program {
        self.arg("--connect-to").arg(ably.address().to_string()).trusting(ably)
    }

    /// Goes through this proxy, with a password to look for.
    pub fn through(self, proxy: &Proxy) -> Program {
        self.env("HTTPS_PROXY", proxy.url_with("user", PASSWORD))
    }

    /// Makes the stand-in the Control API too, with this access token.
    pub fn control(self, ably: &Ably, access_token: &str) -> Program {
        self.env("ABLY_CONTROL_HOST", ably.endpoint()).env("ABLY_ACCESS_TOKEN", access_token)
    }

    pub fn config(self, toml: &str) -> Program {
        self.home.write(".ably/config", toml);
        self
    }

    pub fn home(&self) -> &Folder {
        &self.home
    }

    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Program {
        self.input = Input::Bytes(bytes.as_ref().to_vec());
        self
    }

    /// Leaves stdin open, for `Running::write`.
    pub fn stdin_open(mut self) -> Program {
        self.input = Input::Open;
        self
    }

    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Program {
        self.folder = Some(folder.into());
        self
    }

    /// Captures stdout apart even where stderr is a terminal.
    pub fn stdout_piped(mut self) -> Program {
        self.stdout = Output::Pipe;
        self
    }

    pub fn stdout_broken(mut self) -> Program {
        self.stdout = Output::Broken;
        self
    }

    pub fn stderr_broken(mut self) -> Program {
        self.stderr = Output::Broken;
        self
    }

    pub fn stdout_to(mut self, path: impl Into<PathBuf>) -> Program {
        self.stdout = Output::File(path.into());
        self
    }

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

    pub(super) fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if signals_ignored() {
            let usual = "--default-signal=INT,TERM,HUP,QUIT";
            words.extend(["/usr/bin/env".into(), usual.into()]);
        }
        words.extend(self.command());
        words
    }

    /// Binary and arguments. The emulator runs the tool alone, not the shell around it.
    fn command(&self) -> Vec<OsString> {
        let runner = std::env::var_os("ABLY_RUNNER").filter(|runner| !runner.is_empty());
        let mut words: Vec<OsString> =
            runner.filter(|_| self.binary == binary().as_os_str()).into_iter().collect();
        words.push(self.binary.clone());
        words.extend(self.arguments.iter().cloned());
        words
    }

    pub(super) fn prepare(&self, command: &mut Command) {
        command.env_clear().envs(&self.environment);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
    }

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

    pub(super) fn shown(&self) -> String {
        let words = self.words();
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
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
