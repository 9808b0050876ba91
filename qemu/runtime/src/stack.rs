//! How deep the stack went. `cortex-m-rt` paints it before `main`; what lost its paint was used.

use core::ptr::addr_of;

/// The most bytes of stack that were in use at any time so far, interrupts included.
#[must_use]
pub fn peak() -> usize {
    let mut word = addr_of!(_stack_end);
    let top = addr_of!(_stack_start);
    // SAFETY: the words between the two linker symbols are the stack, which is mapped RAM. Reads below the stack
    // pointer race with nothing but interrupt handlers, whose frames count as used anyway.
    while word < top && unsafe { word.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    top.addr() - word.addr()
}

/// The size of the stack in bytes.
#[must_use]
pub fn size() -> usize {
    addr_of!(_stack_start).addr() - addr_of!(_stack_end).addr()
}

/// Is this address a whole exception frame below the top of the stack, and not below its end?
pub(crate) fn contains(sp: u32) -> bool {
    let sp = sp as usize;
    sp >= addr_of!(_stack_end).addr() && sp + 32 <= addr_of!(_stack_start).addr()
}

// SAFETY: symbols of the linker script; only their addresses are used.
unsafe extern "C" {
    /// Lowest address of the stack.
    static _stack_end: u32;
    /// First address above the stack.
    static _stack_start: u32;
}
