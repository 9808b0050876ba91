//! The telemetry server, which gRPC clients call, on this machine.
#![no_std]
#![no_main]

#[cortex_m_rt::entry]
fn main() -> ! {
    mps2_an386::run(telemetry_server::start)
}
