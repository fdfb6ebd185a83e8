//! What the program does, seen from outside: the release binary, a stand-in for Ably that speaks
//! TLS, a pseudo-terminal. One binary; this is its table of contents.
//!
//! | module | shows |
//! |---|---|
//! | `examples` | every example of Ably's own page, and the success they tell |
//! | `usage` | help, version, and bad input: exit 2, nothing sent, no value shown |
//! | `keys` | where a key may come from, and that its app is checked |
//! | `sources` | which key and app serve, by all that is set at once |
//! | `control_api` | apps and keys from the Control API, well-behaved or not |
//! | `confirmation` | the question, the prompt without echo, Ctrl-C at both |
//! | `wire` | what is sent, to the letter |
//! | `judgement` | the forms of an answer, and what each target's end is |
//! | `faults` | one row an answer that is not what it should be: outcome, exit code, words |
//! | `network` | endpoints, fallback, proxies, retries, tunnels, a process without threads |
//! | `names` | look-ups against name servers of every temper |
//! | `files` | what an option may name: pipes, devices, too much for the memory |
//! | `secrets` | no secret in any stream of any path, no hostile text on a terminal |
//! | `bulk` | many targets: batches, what stops a run, what is left over, signals |
//! | `tries` | what several tries at one request lead to |
//! | `tokens` | from a leaked token to its target, and to the proof that it is dead |
//! | `output` | human text, JSON, colours, verbose, streams that fail |
//! | `places` | an empty root, no home, no user rights, a read-only folder |
//! | `generated` | man page and completions, in mandoc, bash, zsh and fish |
//! | `documentation` | the README against the program |

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

mod bulk;
mod confirmation;
mod control_api;
mod documentation;
mod examples;
mod faults;
mod files;
mod generated;
mod judgement;
mod keys;
mod names;
mod network;
mod output;
mod places;
mod secrets;
mod sources;
mod tokens;
mod tries;
mod usage;
mod wire;
