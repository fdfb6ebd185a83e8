//! Everything that people and scripts read. Only here is an outcome put into words.

pub mod human;
pub mod progress;
pub mod resume;
