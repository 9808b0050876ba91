//! Where time comes from. The protocol core never reads a clock: the drivers hand it the time.

use core::task::Waker;

pub use h2_lite::Instant;

/// A monotonic clock in milliseconds. Its zero may be any moment, such as the device's start.
pub trait Clock {
    /// The time now. Must never go back.
    fn now(&self) -> Instant;
}

/// A clock that can also wake a task: what the async [`Channel`](crate::Channel) needs.
///
/// With the feature `embassy-time` there is `EmbassyTimer`; any other executor's timer fits in a few lines.
pub trait Timer: Clock + Sync {
    /// Wakes `waker` at `at` or a little later; at once if `at` has passed. A task may ask again at every
    /// poll, for the same or another moment: waking it too early or too often is harmless.
    fn wake_at(&self, at: Instant, waker: &Waker);
}

/// Time from `embassy-time`'s driver.
///
/// With an integrated timer queue the tasks must run on an embassy executor, as for `embassy_time::Timer`.
#[cfg(feature = "embassy-time")]
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyTimer;

#[cfg(feature = "embassy-time")]
impl Clock for EmbassyTimer {
    fn now(&self) -> Instant {
        let ticks = u128::from(embassy_time_driver::now());
        let ms = ticks
            .saturating_mul(1_000)
            .checked_div(u128::from(embassy_time_driver::TICK_HZ));
        Instant::from_millis(ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(u64::MAX))
    }
}

#[cfg(feature = "embassy-time")]
impl Timer for EmbassyTimer {
    fn wake_at(&self, at: Instant, waker: &Waker) {
        let ticks = u128::from(at.as_millis()).saturating_mul(u128::from(embassy_time_driver::TICK_HZ));
        let ticks = u64::try_from(ticks.div_ceil(1_000)).unwrap_or(u64::MAX);
        embassy_time_driver::schedule_wake(ticks, waker);
    }
}
