//! Tasks, polled in the order of the dice.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::random::Random;
use crate::world::World;

/// Runs tasks. Which of those that were woken is polled next, how late an alarm is, and whether one is polled that nobody
/// woke: that is up to the seed. A task that was not woken is else not polled, so a missing wake is seen as a hang.
pub struct Executor<'f, 'w> {
    tasks: RefCell<Vec<Task<'f>>>,
    world: &'w World<'w>,
    random: Random,
    habits: Habits,
    polls: Cell<u64>,
    /// Polls since time has passed.
    at_once: Cell<u64>,
}

/// How an executor treats its tasks.
#[derive(Clone, Copy, Debug)]
struct Habits {
    /// In so many of 100 cases a task is polled that was not woken.
    needless: u64,
    /// In so many of 100 polls a millisecond passes meanwhile.
    slow: u64,
    /// An alarm rings so many milliseconds late at most.
    late_ms: u64,
}

struct Task<'f> {
    name: &'static str,
    future: Option<Pin<Box<dyn Future<Output = ()> + 'f>>>,
    flag: Arc<Flag>,
    done: bool,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'f, 'w> Executor<'f, 'w> {
    /// One without tasks.
    pub fn new(world: &'w World<'w>) -> Self {
        let random = Random::new(world.seed, 2);
        let habits = Habits {
            needless: random.pick(&[0, 0, 0, 20]),
            slow: random.pick(&[0, 0, 1, 5]),
            late_ms: random.pick(&[0, 0, 2, MAX_LATE_MS]),
        };
        Self {
            tasks: RefCell::default(),
            world,
            random,
            habits,
            polls: Cell::new(0),
            at_once: Cell::new(0),
        }
    }

    /// Adds a task.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + 'f) {
        self.tasks.borrow_mut().push(Task {
            name,
            future: Some(Box::pin(future)),
            flag: Arc::new(Flag(AtomicBool::new(true))),
            done: false,
        });
    }

    /// Where its time comes from.
    pub fn world(&self) -> &'w World<'w> {
        self.world
    }

    /// Runs all tasks until `done` is set.
    ///
    /// # Panics
    /// Nothing can happen any more, or nothing comes of what happens: a wake is missing, or one too many.
    pub fn run(&self, done: &Cell<bool>) {
        while !done.get() {
            assert!(
                self.turn(u64::MAX),
                "nothing can happen any more: a wake is missing"
            );
        }
    }

    /// Polls a task, or lets time pass until the next alarm, `ms` at most. False: all tasks wait for ever.
    ///
    /// # Panics
    /// As for [`Self::run`].
    pub fn turn(&self, ms: u64) -> bool {
        if let Some(index) = self.choose() {
            self.poll(index);
            return true;
        }
        let Some(alarm) = self.world.clock.next_alarm() else {
            self.pass(if ms == u64::MAX { 0 } else { ms });
            return ms != u64::MAX;
        };
        let wait = alarm.saturating_sub(self.world.now_ms());
        self.pass((wait + self.random.below(self.habits.late_ms + 1)).min(ms));
        true
    }

    /// Who is polled next.
    fn choose(&self) -> Option<usize> {
        let tasks = self.tasks.borrow();
        let living = || tasks.iter().enumerate().filter(|(_, task)| task.future.is_some());
        let woken = |task: &Task<'_>| task.flag.0.load(Ordering::Relaxed);
        let ready = living().filter(|(_, task)| woken(task)).count();
        if ready == 0 {
            return None;
        }
        let needless = self.habits.needless > 0 && self.random.percent(self.habits.needless);
        if needless {
            let index = self.random.index(living().count());
            return living().nth(index).map(|(index, _)| index);
        }
        let index = if ready > 1 { self.random.index(ready) } else { 0 };
        living()
            .filter(|(_, task)| woken(task))
            .nth(index)
            .map(|(index, _)| index)
    }

    fn poll(&self, index: usize) {
        self.polls.set(self.polls.get() + 1);
        self.at_once.set(self.at_once.get() + 1);
        let (future, flag, name) = {
            let mut tasks = self.tasks.borrow_mut();
            let task = &mut tasks[index];
            task.flag.0.store(false, Ordering::Relaxed);
            (task.future.take(), task.flag.clone(), task.name)
        };
        assert!(
            self.at_once.get() < TOO_OFTEN,
            "{name} is woken again and again, and time stands still"
        );
        let Some(mut future) = future else { return };
        let polled = future.as_mut().poll(&mut Context::from_waker(&Waker::from(flag)));
        {
            let mut tasks = self.tasks.borrow_mut();
            tasks[index].done = polled.is_ready();
            if polled == Poll::Pending {
                tasks[index].future = Some(future);
            }
        }
        if self.habits.slow > 0 && self.random.percent(self.habits.slow) {
            self.pass(1);
        }
    }

    fn pass(&self, ms: u64) {
        if ms > 0 {
            self.at_once.set(0);
        }
        self.world.clock.pass(ms);
        assert!(
            self.world.now_ms() < TOO_LONG_MS,
            "two days passed: the simulation hangs"
        );
    }
}

impl std::fmt::Debug for Executor<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("polls", &self.polls)
            .finish_non_exhaustive()
    }
}

/// Milliseconds that an alarm rings late at most.
pub const MAX_LATE_MS: u64 = 7;
const TOO_OFTEN: u64 = 200_000;
const TOO_LONG_MS: u64 = 2 * 86_400_000;
