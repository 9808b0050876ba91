//! The host's clock.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant as HostInstant};

use rpc_nostd::time::{Clock, Instant, Timer};

/// The host's clock, from the moment it was made; wakes tasks through tokio.
#[derive(Debug)]
pub struct HostClock {
    zero: HostInstant,
    /// Whom to wake, by the millisecond. A task asks at every poll, mostly for the same moment: no more than one timer
    /// runs for each.
    alarms: Arc<Mutex<BTreeMap<Instant, Vec<Waker>>>>,
}

impl HostClock {
    /// Begins at 0 ms.
    pub fn start() -> Self {
        Self {
            zero: HostInstant::now(),
            alarms: Arc::default(),
        }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.zero.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Timer for HostClock {
    fn wake_at(&self, at: Instant, waker: &Waker) {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        match alarms.entry(at) {
            Entry::Occupied(mut there) => {
                if !there.get().iter().any(|kept| kept.will_wake(waker)) {
                    there.get_mut().push(waker.clone());
                }
                return;
            }
            Entry::Vacant(place) => place.insert(vec![waker.clone()]),
        };
        let due = self.zero + Duration::from_millis(at.as_millis());
        let alarms = Arc::clone(&self.alarms);
        tokio::spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            let wakers = alarms.lock().unwrap_or_else(PoisonError::into_inner).remove(&at);
            wakers.unwrap_or_default().into_iter().for_each(Waker::wake);
        });
    }
}

/// The host's clock for servers without an executor: their loop polls everything in every turn, so nobody needs waking.
#[derive(Debug)]
pub struct LoopClock {
    clock: HostClock,
}

impl LoopClock {
    /// Begins at 0 ms.
    pub fn start() -> Self {
        Self {
            clock: HostClock::start(),
        }
    }
}

impl Clock for LoopClock {
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl Timer for LoopClock {
    fn wake_at(&self, _: Instant, _: &Waker) {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn each_task_is_woken_once_for_a_moment_however_often_it_asks() {
        let clock = HostClock::start();
        let counts = [Arc::<Count>::default(), Arc::<Count>::default()];
        for count in &counts {
            let waker = Waker::from(Arc::clone(count));
            for _ in 0..3 {
                clock.wake_at(Instant::from_millis(5), &waker);
            }
        }
        // It would wait for ever if something were left behind.
        while !clock.alarms.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let woken = counts.map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken, [1, 1]);
    }
}
