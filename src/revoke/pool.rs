//! The same work for each of many items, some at a time, and the results in the order of the items.
//! Knows nothing of what the work is.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

/// How far the work may be ahead of whoever reads the results, in items a thread.
const AHEAD: usize = 4;

/// Does the work for as many items at once as there are threads for, and yields the results in
/// order. Nothing is begun before the first result is asked for. Where no thread can be made, or one
/// is enough, the work is done by whoever asks for the results.
pub fn in_order<'scope, 'env, I, R, F>(
    scope: &'scope Scope<'scope, 'env>,
    at_once: usize,
    items: I,
    work: F,
) -> InOrder<'scope, 'env, I, R, F>
where
    I: Iterator,
{
    let queue =
        Queue { items, begun: VecDeque::new(), given: 0, ended: false, most: at_once * AHEAD };
    let shared =
        Shared { queue: Mutex::new(queue), room: Condvar::new(), first: Condvar::new(), work };
    InOrder { scope, threads: Threads::Wanted(at_once), shared: Arc::new(shared) }
}

/// The results of the work, in the order of its items.
#[derive(Debug)]
pub struct InOrder<'scope, 'env, I: Iterator, R, F> {
    scope: &'scope Scope<'scope, 'env>,
    threads: Threads,
    shared: Arc<Shared<I, R, F>>,
}

#[derive(Debug, Clone, Copy)]
enum Threads {
    Wanted(usize),
    Made(usize),
}

/// What the threads share.
#[derive(Debug)]
struct Shared<I, R, F> {
    queue: Mutex<Queue<I, R>>,
    /// Rung when another item may be begun.
    room: Condvar,
    /// Rung when the result that is read next may be there.
    first: Condvar,
    work: F,
}

#[derive(Debug)]
struct Queue<I, R> {
    items: I,
    /// A place for each item that was begun and whose result was not read.
    begun: VecDeque<Option<R>>,
    /// How many results were read.
    given: usize,
    /// No further item is begun.
    ended: bool,
    /// As many places.
    most: usize,
}

impl<I, R, F> Shared<I, R, F> {
    fn queue(&self) -> MutexGuard<'_, Queue<I, R>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: Iterator, R, F: Fn(I::Item) -> R> Shared<I, R, F> {
    /// The next item with its number, once there is room for its result.
    fn next(&self) -> Option<(usize, I::Item)> {
        let mut queue = self.queue();
        while queue.begun.len() >= queue.most && !queue.ended {
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let item = if queue.ended { None } else { queue.items.next() };
        let Some(item) = item else {
            queue.ended = true;
            self.first.notify_one();
            return None;
        };
        queue.begun.push_back(None);
        Some((queue.given + queue.begun.len() - 1, item))
    }

    /// What a thread does.
    fn serve(&self) {
        while let Some((number, item)) = self.next() {
            let result = (self.work)(item);
            let mut queue = self.queue();
            let place = number - queue.given;
            if let Some(place) = queue.begun.get_mut(place) {
                *place = Some(result);
            }
            if place == 0 {
                self.first.notify_one();
            }
        }
    }

    /// The next result, once it is there.
    fn take(&self) -> Option<R> {
        let mut queue = self.queue();
        loop {
            match queue.begun.front_mut().map(Option::take) {
                Some(Some(result)) => {
                    queue.begun.pop_front();
                    queue.given += 1;
                    self.room.notify_one();
                    return Some(result);
                }
                None if queue.ended => return None,
                _ => queue = self.first.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl<'scope, I, R, F> Iterator for InOrder<'scope, '_, I, R, F>
where
    I: Iterator + Send + 'scope,
    R: Send + 'scope,
    F: Fn(I::Item) -> R + Send + Sync + 'scope,
{
    type Item = R;

    fn next(&mut self) -> Option<R> {
        if let Threads::Wanted(wanted) = self.threads {
            let thread = || {
                let shared = Arc::clone(&self.shared);
                Builder::new().spawn_scoped(self.scope, move || shared.serve()).ok()
            };
            let wanted = if wanted > 1 { wanted } else { 0 };
            self.threads = Threads::Made((0..wanted).map_while(|_| thread()).count());
        }
        match self.threads {
            Threads::Made(1..) => self.shared.take(),
            _ => {
                let item = self.shared.queue().items.next()?;
                Some((self.shared.work)(item))
            }
        }
    }
}

impl<I: Iterator, R, F> Drop for InOrder<'_, '_, I, R, F> {
    /// Nothing more is begun; the scope waits for what is.
    fn drop(&mut self) {
        self.shared.queue().ended = true;
        self.shared.room.notify_all();
    }
}
