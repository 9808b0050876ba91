//! Time that passes because somebody looks at it: the images need no interrupt for their clock.

use core::sync::atomic::{AtomicU32, Ordering};
use core::task::Waker;

use rpc_nostd::time::{Clock, Instant, Timer};

/// A clock that is a millisecond later at every look.
#[derive(Debug)]
pub struct Ticks(AtomicU32);

impl Ticks {
    /// The clock at its zero.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }
}

impl Default for Ticks {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Ticks {
    fn now(&self) -> Instant {
        let now = self.0.load(Ordering::Relaxed).wrapping_add(1);
        self.0.store(now, Ordering::Relaxed);
        Instant::from_millis(now.into())
    }
}

impl Timer for Ticks {
    fn wake_at(&self, _: Instant, waker: &Waker) {
        waker.wake_by_ref();
    }
}
