//! A control: this image can panic, and the proof must say so.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    let octets = black_box([1_u8, 2, 3]);
    let index = black_box(2_usize);
    proof::end(octets[index] == 3)
}
