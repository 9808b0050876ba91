//! The interop test on this machine.
#![no_std]
#![no_main]

#[cortex_m_rt::entry]
fn main() -> ! {
    mps2_an386::run(interop::start)
}
