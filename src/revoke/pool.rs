//! The same work for each of many items, some at a time, and the results in the order of the items.
//! Knows nothing of what the work is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{Builder, Scope};

/// Does the work for as many items at once as there are threads for, and yields the results in
/// order. Where no thread can be made, or one is enough, the work is done by whoever asks for the
/// results. Once nobody does, nothing more is begun.
pub fn in_order<'scope, I, R>(
    scope: &'scope Scope<'scope, '_>,
    at_once: usize,
    items: I,
    work: impl Fn(I::Item) -> R + Send + Sync + 'scope,
) -> impl Iterator<Item = R> + 'scope
where
    I: Iterator + Send + 'scope,
    R: Send + 'scope,
{
    let (sender, receiver) = mpsc::sync_channel(at_once);
    let shared = Arc::new((Mutex::new(items.enumerate()), work));
    let next = |shared: &(Mutex<std::iter::Enumerate<I>>, _)| {
        shared.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    };
    let wanted = if at_once > 1 { at_once } else { 0 };
    let thread = |_| {
        let (sender, shared) = (sender.clone(), Arc::clone(&shared));
        let serve = move || {
            while let Some((number, item)) = next(&shared) {
                if sender.send((number, (shared.1)(item))).is_err() {
                    break;
                }
            }
        };
        Builder::new().spawn_scoped(scope, serve).ok()
    };
    let threads = (0..wanted).map_while(thread).count();
    drop(sender);
    // Results that came before their turn.
    let (mut early, mut number) = (BTreeMap::new(), 0);
    std::iter::from_fn(move || {
        if threads == 0 {
            return next(&shared).map(|(_, item)| (shared.1)(item));
        }
        loop {
            if let Some(result) = early.remove(&number) {
                number += 1;
                return Some(result);
            }
            let (n, result) = receiver.recv().ok()?;
            early.insert(n, result);
        }
    })
}
