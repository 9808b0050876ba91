//! The machine-independent ground of the firmware: executor, arguments from the host, exit codes, fault reports, stack
//! figures. Links the defmt logger (over semihosting) and the panic handler.
#![no_std]

use defmt_semihosting as _;

pub mod args;
pub mod executor;
mod fault;
pub mod network;
pub mod stack;

pub use args::Args;

/// Ends the emulator with `code`; the harness takes 0 for success.
pub fn exit(code: ExitCode) -> ! {
    semihosting::process::exit(code as i32)
}

/// Exit codes that the harness knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, defmt::Format)]
#[repr(i32)]
pub enum ExitCode {
    /// All that was asked for happened.
    Success = 0,
    /// The program found that something did not happen; its last error line says what.
    Failure = 1,
    /// A panic, reported as an error line.
    Panic = 101,
    /// A processor fault, reported as an error line.
    Fault = 102,
}
