//! The examples, client and server, on this machine.
#![no_std]
#![no_main]

#[cortex_m_rt::entry]
fn main() -> ! {
    mps2_an386::run(greenhouse::start)
}
