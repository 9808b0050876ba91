//! Panics and processor faults: one error line, then a non-zero exit.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::peripheral::SCB;

use crate::{ExitCode, exit, stack};

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    // A panic inside the logger would come here again.
    if !REPORTING.swap(true, Ordering::Relaxed) {
        defmt::error!("{}", defmt::Display2Format(info));
    }
    exit(ExitCode::Panic)
}

/// Called by `HardFault` below, on an empty stack. `sp` is the stack pointer at the fault, frame included.
#[unsafe(no_mangle)]
extern "C" fn report_fault(sp: u32) -> ! {
    if !REPORTING.swap(true, Ordering::Relaxed) {
        // SAFETY: reads of status registers that have no read side effect; nothing else runs any more.
        let (hfsr, cfsr, bfar) = unsafe {
            let scb = &*SCB::PTR;
            (scb.hfsr.read(), scb.cfsr.read(), scb.bfar.read())
        };
        if stack::contains(sp) {
            // SAFETY: the exception frame (8 words: r0-r3, r12, lr, pc, xpsr) was pushed to `sp` by the processor and
            // lies inside the stack.
            let pc = unsafe { core::ptr::with_exposed_provenance::<u32>(sp as usize + 24).read_volatile() };
            defmt::error!(
                "HardFault at pc {=u32:#x}: HFSR {=u32:#x}, CFSR {=u32:#x}, BFAR {=u32:#x}",
                pc,
                hfsr,
                cfsr,
                bfar
            );
        } else {
            defmt::error!(
                "stack overflow: sp {=u32:#x} below the stack's {} bytes (CFSR {=u32:#x})",
                sp,
                stack::size(),
                cfsr
            );
        }
    }
    exit(ExitCode::Fault)
}

// After a stack overflow the stack pointer is outside of RAM, so the handler first goes back to the top of the stack.
core::arch::global_asm!(
    ".section .HardFault.user, \"ax\"",
    ".global HardFault",
    ".type HardFault, %function",
    ".thumb_func",
    "HardFault:",
    "mrs r0, msp",
    "ldr r1, =_stack_start",
    "msr msp, r1",
    "bl report_fault",
    "udf #0",
    ".ltorg",
    ".size HardFault, . - HardFault",
);

/// A report is being written: a second fault or panic meanwhile ends at once.
static REPORTING: AtomicBool = AtomicBool::new(false);
