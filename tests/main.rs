//! What the program does, seen from outside: the release binary, a stand-in for Ably that speaks
//! TLS, a pseudo-terminal. One binary; this is its table of contents. The rooms are those of
//! `src`; the forms of a text are in the unit tests beside the code.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

/// `make install` beside another program of the name.
mod install;
/// Where the program must run: an empty root, no home, no rights, no threads.
mod places;

mod cli {
    /// Every example of Ably's own page, and the success they tell.
    mod examples;
    /// Man page and completions, in mandoc, bash, zsh and fish.
    mod generated;
    /// Every example of the README, run as it stands there.
    mod readme;
    /// Help, version, bad input.
    mod usage;
}

mod terminal {
    /// The numbered choice of an app, a key, a claim.
    mod choice;
    /// Streams that fail, colours, symbols, widths.
    mod output;
    /// The question before anything is sent, and the dry run in its place.
    mod question;
    /// Signals at the question and at the hidden prompt.
    mod signals;
}

mod net {
    /// Which way a request goes, beside curl in the same environment.
    mod beside_curl;
    /// Endpoints, addresses, fallback hosts.
    mod endpoint;
    /// HTTP proxies, and what is exempt from them.
    mod proxy;
    /// Look-ups against name servers of every temper.
    mod resolver;
    /// Waits, and what several tries at one request lead to.
    mod retry;
    /// SOCKS proxies.
    mod socks;
}

mod request {
    /// What an option may name: pipes, devices, too much for the memory.
    mod files;
    /// A leaked token.
    mod leaked;
    /// Leaked tokens in a log, of several keys.
    mod leaked_log;
    /// Leaked tokens in a log, of several keys.
    mod leaked_report;
    /// Targets from options, a file, standard input.
    mod targets;
}

mod keys {
    /// Several keys at once, after a key rotation.
    mod all_keys;
    /// The full CLI's configuration in all its states.
    mod cli_config;
    /// Apps and keys from the Control API, well-behaved or not.
    mod control_api;
    /// The key that signed a leaked token.
    mod of_a_token;
    /// Which key and app serve, by all that is set at once.
    mod sources;
}

mod interop {
    /// Ably's own SDK against the stand-in.
    mod sdk;
    /// The stand-in as every client sees it.
    mod stand_in;
}

mod revoke {
    /// One row an answer that is, or is not, what it should be: outcome, exit code, words.
    pub(crate) mod answers;
    /// `--check`.
    mod check;
    /// The left-over file.
    mod left_over;
    /// `make live`, with the stand-in.
    mod live;
    /// Several connections at once.
    mod parallel;
    /// Many targets: batches, and what stops a run.
    mod run;
    /// Signals in the middle of a run.
    mod signals;
    /// The proof that a leaked token is dead.
    mod verify;
    /// What is sent, to the letter.
    mod wire;
}

mod report {
    /// The command that goes on, run as it is printed.
    mod next_command;
    /// What is told while a run goes on, and of each request.
    mod progress;
    /// The lasting account of a run.
    mod record;
    /// The files that may hold one, and those that cannot.
    mod record_file;
    /// What a success says, and a refusal.
    mod success;
}

mod secret {
    /// No secret in any stream of any path.
    mod hidden;
    /// No hostile text on a terminal.
    mod hostile;
    /// What other processes of the same user may read.
    mod memory;
}
