//! The other side of one run, and what must be made of it.

use std::net::TcpListener;
use std::sync::Mutex;

use super::*;

/// What may become of a target, in the words of the JSON output.
pub type Word = &'static str;

pub const REVOKED: Word = "revoked";
pub const REFUSED: Word = "refused";
pub const UNKNOWN: Word = "unknown";
pub const NOT_SENT: Word = "not-sent";

/// The targets of every run here.
pub const TARGETS: [&str; 2] = ["clientId:alice", "clientId:bob"];

/// What the other side does.
#[derive(Clone)]
pub enum Play {
    /// Gives these answers, one a request, the last one for ever.
    Answers(Vec<Answer>),
    /// Receives every connection like this.
    Door(Door),
    /// Nobody listens there.
    Nobody,
    /// Connections are swallowed.
    Silence,
    /// No name server knows it.
    Unresolvable,
}

/// One way to fail, or just not to, and what must be made of it.
#[derive(Clone)]
pub struct Row {
    pub name: String,
    pub play: Play,
    /// What becomes of alice and bob.
    pub ends: [Word; 2],
    pub code: i32,
    /// A phrase of the text for people.
    pub told: String,
    /// How many requests it takes; `None` where that is not settled.
    pub requests: Option<usize>,
    /// `--timeout`, in seconds.
    pub timeout: u64,
}

/// The other side of one run, and how it is reached. The stand-in fails the test if it was not.
pub struct Stage {
    pub server: Option<Ably>,
    pub _hole: Option<BlackHole>,
    pub ca: Folder,
    pub endpoint: String,
}

impl Stage {
    pub fn set(play: &Play) -> Stage {
        let (mut server, mut hole) = (None, None);
        let endpoint = match play {
            Play::Answers(answers) => {
                let answers = Mutex::new(answers.clone());
                let ably = Ably::deciding(move |_| {
                    let mut answers = answers.lock().unwrap();
                    match answers.len() {
                        1 => answers[0].clone(),
                        _ => answers.remove(0),
                    }
                });
                server.insert(ably).endpoint()
            }
            Play::Door(door) => {
                let door = *door;
                server.insert(Ably::receiving(move |_| door)).endpoint()
            }
            Play::Nobody => {
                let free = TcpListener::bind("127.0.0.1:0").unwrap();
                free.local_addr().unwrap().to_string()
            }
            Play::Silence => hole.insert(BlackHole::v4()).address().to_string(),
            Play::Unresolvable => "nowhere.invalid".to_owned(),
        };
        let ca = Folder::new();
        ca.write("ca.pem", pki().ca_pem());
        Stage { server, _hole: hole, ca, endpoint }
    }

    /// The tool, told to revoke the tokens of both.
    pub fn program(&self, row: &Row) -> Program {
        forced()
            .args(["--client-id", "alice", "--client-id", "bob"])
            .args(["--endpoint", &self.endpoint])
            .arg("--ca-file")
            .arg(self.ca.file("ca.pem"))
            .args(["--timeout", &row.timeout.to_string()])
            .keyed()
    }
}

/// Control characters but for the line feed, and what changes the order or sight of a text. Told
/// apart here anew: the tool's own list may have a hole.
pub fn is_hostile(c: char) -> bool {
    let invisible = ['\u{61c}', '\u{feff}', '\u{2028}', '\u{2029}'];
    (c.is_control() && c != '\n')
        || invisible.contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// It ended as a program does, and shows no secret and nothing that a terminal would obey.
pub fn is_decent(run: &Run, code: i32) {
    is_harmless(run.exits(code).hides_the_key());
}
