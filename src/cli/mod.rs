//! What was typed: the one table of options, the parser, and the texts made from the table.

pub mod completions;
pub mod flags;
mod help;
mod man;
pub mod parse;
mod version;
