//! The streams and the questions. Knows no target and no key.

pub mod log;
pub mod output;
pub mod prompt;
