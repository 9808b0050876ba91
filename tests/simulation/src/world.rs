//! What all parts of a simulation share: its clock, its dice, its trace.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};

use rpc_nostd::time::{Clock, Instant, Timer};

use crate::random::Random;

/// Time that passes only when nothing else can happen.
#[derive(Debug, Default)]
pub struct VirtualClock {
    now_ms: AtomicU64,
    alarms: Mutex<BTreeMap<u64, Vec<Waker>>>,
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now_ms())
    }
}

impl Timer for VirtualClock {
    fn wake_at(&self, at: Instant, waker: &Waker) {
        let mut alarms = self.alarms.lock().expect("nothing panics with it");
        let wakers = alarms.entry(at.as_millis()).or_default();
        if !wakers.iter().any(|kept| kept.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }
}

impl VirtualClock {
    /// Milliseconds since the simulation began.
    pub fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// Lets time pass, and wakes whoever waited for it.
    pub fn pass(&self, ms: u64) {
        let now = self.now_ms() + ms;
        self.now_ms.store(now, Ordering::Relaxed);
        let mut alarms = self.alarms.lock().expect("nothing panics with it");
        let later = alarms.split_off(&(now + 1));
        let due = std::mem::replace(&mut *alarms, later);
        drop(alarms);
        due.into_values().flatten().for_each(Waker::wake);
    }

    /// When the next alarm is due.
    pub fn next_alarm(&self) -> Option<u64> {
        let alarms = self.alarms.lock().expect("nothing panics with it");
        alarms.keys().next().copied()
    }
}

/// What happened, in order, with the time of each event; kept only where somebody will read it.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Option<RefCell<Vec<String>>>,
}

impl Trace {
    /// One that keeps its events.
    pub fn kept() -> Self {
        Self {
            lines: Some(RefCell::default()),
        }
    }

    /// The events so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .as_ref()
            .map(|lines| lines.borrow().clone())
            .unwrap_or_default()
    }
}

/// The surroundings of two endpoints.
#[derive(Debug)]
pub struct World<'t> {
    /// The number that all dice of this simulation come from.
    pub seed: u64,
    /// The clock of both endpoints.
    pub clock: VirtualClock,
    /// Dice for links and pauses.
    pub random: Random,
    /// From now on nothing breaks that is not broken yet.
    pub calm: Cell<bool>,
    trace: &'t Trace,
}

impl<'t> World<'t> {
    /// A world at time 0.
    pub fn new(seed: u64, trace: &'t Trace) -> Self {
        Self {
            seed,
            clock: VirtualClock::default(),
            random: Random::new(seed, 1),
            calm: Cell::new(false),
            trace,
        }
    }

    /// Tells the trace what happens: `world.note("client", format_args!("connects"))`.
    pub fn note(&self, who: &str, what: Arguments<'_>) {
        if let Some(lines) = &self.trace.lines {
            let line = format!("{:>9} ms  {who:<10} {what}", self.clock.now_ms());
            lines.borrow_mut().push(line);
        }
    }

    /// Milliseconds since the simulation began.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Waits so many milliseconds.
    pub async fn sleep(&self, ms: u64) {
        let end = Instant::from_millis(self.now_ms().saturating_add(ms));
        poll_fn(|cx| {
            if self.clock.now() >= end {
                return Poll::Ready(());
            }
            self.clock.wake_at(end, cx.waker());
            Poll::Pending
        })
        .await;
    }
}
