//! A control: this image allocates, and the proof must say so.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::hint::black_box;

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    let mut octets = Vec::new();
    octets.extend_from_slice(black_box(b"octets"));
    proof::end(black_box(octets).is_empty())
}

/// Never has any memory.
struct Nothing;

// SAFETY: no memory is ever given out.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;
