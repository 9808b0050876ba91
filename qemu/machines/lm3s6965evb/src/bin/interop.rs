//! The interop test on this machine.
#![no_std]
#![no_main]

#[cortex_m_rt::entry]
fn main() -> ! {
    lm3s6965evb::run(interop::start)
}
