//! What this process gives away: nothing. The key is in its memory, and often in its environment.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// From here on no core file is written, and no other process of the same user reads memory or
/// environment (root still does). Where the system refuses, the run goes on as it would have without.
pub fn close() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
