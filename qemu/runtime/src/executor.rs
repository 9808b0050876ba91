//! embassy's executor in thread mode, sleeping with WFI.
//!
//! The executor that comes with embassy for Cortex-M sleeps with WFE, which QEMU runs as a no-operation: the emulator
//! would burn a host core while the firmware waits. WFI is emulated as sleep.

use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

/// Runs tasks for ever; `init` spawns the first ones. To be called once.
pub fn run(init: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor = EXECUTOR.init(raw::Executor::new(core::ptr::null_mut()));
    begin(init, executor.spawner());
    loop {
        // SAFETY: the only caller of `poll`, in a loop: never reentrant. The pender below only sets a flag.
        unsafe { executor.poll() };
        // With interrupts masked nothing can be woken between the look at the flag and the sleep; WFI ends at a
        // pending interrupt all the same, and its handler runs when the critical section ends.
        cortex_m::interrupt::free(|_| {
            if !WOKEN.load(Ordering::Relaxed) {
                cortex_m::asm::wfi();
            }
            WOKEN.store(false, Ordering::Relaxed);
        });
    }
}

// SAFETY: the symbol and the signature are what embassy-executor asks a platform to define.
#[unsafe(export_name = "__pender")]
fn pend(_context: *mut ()) {
    WOKEN.store(true, Ordering::Relaxed);
}

/// What `init` needs of the stack is free again when the loop begins.
#[inline(never)]
fn begin(init: impl FnOnce(Spawner), spawner: Spawner) {
    init(spawner);
}

/// A task was woken since the last poll began to look for one.
static WOKEN: AtomicBool = AtomicBool::new(false);
