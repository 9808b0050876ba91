//! Tasks that are polled only when they were woken, and counted.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

/// Polls in one run above which a task is said to spin.
const SPINNING: u64 = 1_000_000;

/// The futures of one endpoint.
#[derive(Default)]
pub struct Tasks {
    list: Vec<(Task, Arc<Flag>)>,
    polls: u64,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("alive", &self.list.len())
            .field("polls", &self.polls)
            .finish()
    }
}

impl Tasks {
    /// Adds a task, to be polled at the next run.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.list
            .push((Box::pin(task), Arc::new(Flag(AtomicBool::new(true)))));
    }

    /// Polls until no task is awake.
    ///
    /// # Panics
    /// If a task wakes itself without end.
    pub fn run(&mut self) {
        let end = self.polls + SPINNING;
        loop {
            let before = self.polls;
            let polls = &mut self.polls;
            self.list.retain_mut(|(task, flag)| {
                if !flag.0.swap(false, Ordering::Relaxed) {
                    return true;
                }
                *polls += 1;
                let waker = Waker::from(flag.clone());
                task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
            if self.polls == before {
                return;
            }
            assert!(self.polls < end, "a task wakes itself without end");
        }
    }

    /// Polls so far.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// Tasks that have not ended.
    #[must_use]
    pub fn alive(&self) -> usize {
        self.list.len()
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
