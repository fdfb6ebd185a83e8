//! Tables of cases, several at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::server::lock;

/// Rows mostly wait, so more of them run at once than there are cores.
const AT_ONCE: usize = 12;

/// Checks each row, several at once; fails with all that failed.
pub fn each<T: Sync>(rows: &[T], check: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(row) = rows.get(number) else { return };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(row))) {
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                lock(&failures).push(format!("row {}: {text}", number + 1));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failures = lock(&failures);
    let all = failures.join("\n\n");
    assert!(failures.is_empty(), "{} of {}:\n{all}", failures.len(), rows.len());
}
