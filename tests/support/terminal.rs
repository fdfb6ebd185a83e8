//! Runs the tool in a pseudo-terminal, as a person at a keyboard does.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command as PtyCommand, Pts, Pty};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::program::{Folder, Input, Program};
use super::run::{Capture, Run, send_signal, wait_child};

const PATIENCE: Duration = Duration::from_secs(20);

/// What the terminal does with what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// It shows it (ECHO).
    pub echo: bool,
    /// It hands it on by the line (ICANON).
    pub lines: bool,
    /// Ctrl-C is a signal (ISIG).
    pub signals: bool,
}

impl Modes {
    /// As a shell leaves it to a program.
    pub const USUAL: Modes = Modes { echo: true, lines: true, signals: true };
}

/// A program in a terminal; killed on drop where it still runs.
pub struct Terminal {
    shown: String,
    child: Child,
    pty: Arc<Pty>,
    /// Ours, so that the terminal outlives the program and its modes can be looked at.
    pts: Option<Pts>,
    screen: Capture,
    stdout: Option<Capture>,
    stderr: Option<Capture>,
    /// What `expect` has matched so far.
    read: usize,
    ended: bool,
    home: Arc<Folder>,
}

struct Reader(Arc<Pty>);

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Terminal {
    /// Starts a program with a terminal of its own, 24 by 100, as stdin, stdout and stderr,
    /// except for streams that were led elsewhere.
    pub fn start(program: Program) -> Terminal {
        Terminal::of_width(100, program)
    }

    /// The same with so many columns.
    pub fn of_width(columns: u16, program: Program) -> Terminal {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(24, columns)).unwrap();
        let words = program.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        program.prepare(&mut command);
        let mut command = PtyCommand::from(command);
        let [stdin, stdout, stderr] = program.streams();
        command = stdin.into_iter().fold(command, |command, to| command.stdin(to));
        command = stdout.into_iter().fold(command, |command, to| command.stdout(to));
        command = stderr.into_iter().fold(command, |command, to| command.stderr(to));
        let mut child = command
            .spawn_borrowed(&pts)
            .unwrap_or_else(|error| panic!("{}: {error}", program.shown()));
        // The command holds the other ends of its pipes.
        drop(command);
        if let Input::Bytes(bytes) = &program.input {
            let bytes = bytes.clone();
            let mut stdin = child.stdin.take().unwrap();
            thread::spawn(move || stdin.write_all(&bytes));
        }
        let pty = Arc::new(pty);
        Terminal {
            shown: program.shown(),
            screen: Capture::of(Reader(Arc::clone(&pty))),
            stdout: child.stdout.take().map(Capture::of),
            stderr: child.stderr.take().map(Capture::of),
            child,
            pty,
            pts: Some(pts),
            read: 0,
            ended: false,
            home: program.shared_home(),
        }
    }

    /// Waits until this text appears after what was expected before; panics with the screen where
    /// it does not.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        let from = self.read;
        let find = |bytes: &[u8]| {
            let rest = bytes.get(from..)?;
            let at = rest.windows(text.len()).position(|window| window == text.as_bytes())?;
            Some(from + at + text.len())
        };
        let end = Instant::now() + PATIENCE;
        if !self.screen.wait(end, |bytes| find(bytes).is_some()) {
            self.fail(&format!("{text:?} never appeared"));
        }
        self.read = find(&self.screen.bytes()).unwrap();
    }

    #[track_caller]
    pub fn answer(&mut self, question: &str, bytes: impl AsRef<[u8]>) {
        self.expect(question);
        self.send(bytes);
    }

    /// Waits for the hidden prompt, then types.
    #[track_caller]
    pub fn at_the_prompt(&mut self, bytes: impl AsRef<[u8]>) {
        self.expect("Ably API key");
        self.expect_hidden();
        self.send(bytes);
    }

    /// Types these bytes: a line ends with `\r`, Ctrl-C is `\x03`, Ctrl-D is `\x04`.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        (&*self.pty).write_all(bytes.as_ref()).unwrap();
    }

    pub fn send_signal(&self, signal: &str) {
        send_signal(self.child.id(), signal);
    }

    /// Sends it to the program that this one started.
    pub fn send_signal_to_child(&self, signal: &str) {
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        send_signal(children.trim().parse().expect("one child"), signal);
    }

    /// Makes the terminal show what is typed, as a shell does in front of its own prompt.
    pub fn set_usual_modes(&self) {
        let mut modes = tcgetattr(&*self.pty).unwrap();
        modes.local_modes.insert(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&*self.pty, OptionalActions::Now, &modes).unwrap();
    }

    pub fn modes(&self) -> Modes {
        let modes = tcgetattr(&*self.pty).unwrap().local_modes;
        Modes {
            echo: modes.contains(LocalModes::ECHO),
            lines: modes.contains(LocalModes::ICANON),
            signals: modes.contains(LocalModes::ISIG),
        }
    }

    /// Waits until what is typed is no longer shown: a hidden prompt is ready.
    #[track_caller]
    pub fn expect_hidden(&self) {
        let end = Instant::now() + PATIENCE;
        while self.modes().echo {
            if Instant::now() > end {
                self.fail("the echo was never turned off");
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn screen(&self) -> String {
        self.screen.text()
    }

    /// Waits for the program's end; panics with the screen where it hangs.
    #[track_caller]
    pub fn finish(mut self) -> Run {
        let end = Instant::now() + 3 * PATIENCE;
        let Some(status) = wait_child(&mut self.child, end) else {
            self.fail("hung");
        };
        self.ended = true;
        let modes = self.modes();
        // With the last user gone, the reader gets what is left and then the end.
        self.pts = None;
        if !self.screen.wait_end(end) {
            self.fail("the terminal never ended");
        }
        let captured = |capture: &Option<Capture>| {
            capture.as_ref().map_or_else(String::new, |capture| {
                capture.wait_end(end);
                capture.text()
            })
        };
        Run {
            command: self.shown.clone(),
            code: status.code(),
            signal: status.signal(),
            screen: self.screen.text(),
            stdout: captured(&self.stdout),
            stderr: captured(&self.stderr),
            modes,
            home: Arc::clone(&self.home),
        }
    }

    #[track_caller]
    fn fail(&self, problem: &str) -> ! {
        panic!("{problem}\n$ {}\n--- screen\n{}\n---", self.shown, self.screen.text());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
