//! A clock that only the test moves.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use rpc_nostd::time::{Clock, Instant, Timer};

/// Virtual time in milliseconds.
#[derive(Debug, Default)]
pub struct VirtualTimer {
    now_ms: AtomicU64,
    alarms: Mutex<Vec<(u64, Waker)>>,
}

impl Clock for VirtualTimer {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now_ms())
    }
}

impl Timer for VirtualTimer {
    fn wake_at(&self, at: Instant, waker: &Waker) {
        let mut alarms = self.alarms();
        let at = at.as_millis();
        // Asked for again at each poll: kept once, or a test of many polls takes for ever.
        if !alarms
            .iter()
            .any(|(set, task)| *set == at && task.will_wake(waker))
        {
            alarms.push((at, waker.clone()));
        }
    }
}

impl VirtualTimer {
    /// Milliseconds since the start.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// Goes on to the next alarm, at most to `end`, and wakes whom it concerns. False: `end` is reached.
    pub fn advance(&self, end: u64) -> bool {
        let mut alarms = self.alarms();
        let next = alarms.iter().map(|(at, _)| *at).filter(|at| *at <= end).min();
        let now = next.unwrap_or(end).max(self.now_ms());
        self.now_ms.store(now, Ordering::Relaxed);
        let (due, later): (Vec<_>, Vec<_>) = alarms.drain(..).partition(|(at, _)| *at <= now);
        *alarms = later;
        drop(alarms);
        due.iter().for_each(|(_, waker)| waker.wake_by_ref());
        next.is_some()
    }

    fn alarms(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Waker)>> {
        self.alarms
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
