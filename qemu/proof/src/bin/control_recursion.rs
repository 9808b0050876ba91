//! A control: this image has a function that calls itself, and the proof must say so.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    proof::end(depth(black_box(3)) == 3)
}

#[inline(never)]
fn depth(left: u32) -> u32 {
    if left == 0 {
        return 0;
    }
    black_box(depth(black_box(left.wrapping_sub(1)))).wrapping_add(1)
}
