//! The run: requests, judgement, outcomes, verification, what is left over.

pub mod client;
pub mod judge;
pub mod left_over;
pub mod outcome;
pub mod pool;
pub mod proof;
pub mod run;
pub mod summary;
pub mod verify;
