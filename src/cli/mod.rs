//! What was typed: the one table of options, the parser, and the texts made from the table.

pub mod flags;
pub mod generate;
pub mod help;
pub mod parse;
