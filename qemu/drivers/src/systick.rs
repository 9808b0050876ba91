//! SysTick as a clock that never loses time, and the embassy-time driver over it.
//!
//! SysTick runs freely over its full 24 bits and is never reprogrammed; its interrupt counts the wraps (every 1.3 s at
//! 12.5 MHz), so [`cycles`] is exact however late that interrupt is served, up to one whole period. Alarms are looked
//! at by [`on_tick`], called from a periodic interrupt of any other timer of the machine: a tick that comes late or is
//! merged with the next (the host was busy, a log line was written with interrupts off) delays a wake-up, but does not
//! shift the clock. Counting 1 kHz SysTick interrupts instead would lose a millisecond at each such occasion.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::Waker;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use critical_section::Mutex;
use embassy_time_driver::{Driver, TICK_HZ};
use embassy_time_queue_utils::Queue;

/// Starts the clock.
///
/// `clock_hz` is the processor clock, which SysTick counts. Returns when the counter runs. Before this, time stands
/// at 0.
pub fn start(mut syst: SYST, clock_hz: u32) {
    let divisor = gcd(u64::from(clock_hz), TICK_HZ);
    // Both fit 32 bits: they divide numbers that do. TICK_HZ is 1 MHz.
    DRIVER.ticks.store((TICK_HZ / divisor) as u32, Ordering::Relaxed);
    DRIVER
        .cycles
        .store((u64::from(clock_hz) / divisor) as u32, Ordering::Relaxed);
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(PERIOD - 1);
    syst.clear_current();
    syst.enable_counter();
    // `cycles` takes a counter of 0 for an expired one, so the first reload is awaited here.
    while SYST::get_current() == 0 {}
    syst.enable_interrupt();
}

/// To be called from the SysTick exception, and from nowhere else.
pub fn on_systick() {
    critical_section::with(|_| {
        let wraps = DRIVER.wraps.load(Ordering::Relaxed);
        DRIVER.wraps.store(wraps.wrapping_add(1), Ordering::Relaxed);
    });
}

/// Wakes what is due. To be called about every millisecond from a timer interrupt.
pub fn on_tick() {
    critical_section::with(|cs| {
        let mut alarms = DRIVER.alarms.borrow_ref_mut(cs);
        let now = DRIVER.now();
        if now >= alarms.next {
            alarms.next = alarms.queue.next_expiration(now);
        }
    });
}

/// Processor cycles since [`start`]: monotonic, exact, 56 bits (146 years at 12.5 MHz would need more).
#[must_use]
pub fn cycles() -> u64 {
    critical_section::with(|_| {
        let wraps = DRIVER.wraps.load(Ordering::Relaxed);
        let counter = SYST::get_current();
        let (wraps, position) = if SCB::is_pendst_pending() {
            // Wrapped, and the handler has not run yet. `counter` may be from before: read again.
            (wraps.wrapping_add(1), position(SYST::get_current()))
        } else if counter == 0 {
            // Expired, but the interrupt is not pending yet: QEMU shows this state, hardware does not.
            (wraps, PERIOD)
        } else {
            (wraps, position(counter))
        };
        u64::from(wraps) * u64::from(PERIOD) + u64::from(position)
    })
}

/// Cycles since the counter reached 0, which is the moment that pends the interrupt.
fn position(counter: u32) -> u32 {
    if counter == 0 { 0 } else { PERIOD - counter }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// embassy-time's driver: ticks = cycles * `ticks` / `cycles`, a reduced fraction.
struct SysTickDriver {
    wraps: AtomicU32,
    ticks: AtomicU32,
    cycles: AtomicU32,
    alarms: Mutex<RefCell<Alarms>>,
}

struct Alarms {
    queue: Queue,
    /// When the first entry of the queue is due, in ticks.
    next: u64,
}

impl Driver for SysTickDriver {
    fn now(&self) -> u64 {
        let per = u64::from(self.cycles.load(Ordering::Relaxed));
        if per == 0 {
            return 0;
        }
        cycles() * u64::from(self.ticks.load(Ordering::Relaxed)) / per
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            let mut alarms = self.alarms.borrow_ref_mut(cs);
            if alarms.queue.schedule_wake(at, waker) {
                let now = self.now();
                alarms.next = alarms.queue.next_expiration(now);
            }
        });
    }
}

embassy_time_driver::time_driver_impl!(static DRIVER: SysTickDriver = SysTickDriver {
    wraps: AtomicU32::new(0),
    ticks: AtomicU32::new(0),
    cycles: AtomicU32::new(0),
    alarms: Mutex::new(RefCell::new(Alarms { queue: Queue::new(), next: u64::MAX })),
});

/// Length of the counter's cycle: all 24 bits.
const PERIOD: u32 = 1 << 24;
