//! What the program does, seen from outside: the release binary, a stand-in for Ably that speaks
//! TLS, a pseudo-terminal. One binary; this is its table of contents.
//!
//! | module | shows |
//! |---|---|
//! | `examples` | every example of Ably's own page, and the success they tell |
//! | `usage` | help, version, and bad input: exit 2, nothing sent, no value shown |
//! | `keys` | where a key may come from, and that its app is checked |
//! | `confirmation` | the question, the prompt without echo, Ctrl-C at both |
//! | `wire` | what is sent, to the letter |
//! | `judgement` | the forms of an answer, and what each target's end is |
//! | `output` | human text, JSON, colours, verbose, streams that fail |
//! | `places` | an empty root, no home, no user rights, a read-only folder |
//! | `documentation` | the README against the program |

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod support;

mod confirmation;
mod documentation;
mod examples;
mod judgement;
mod keys;
mod output;
mod places;
mod usage;
mod wire;
