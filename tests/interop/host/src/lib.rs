//! The interop test's client and server on rpc-nostd, over this computer's TCP.
//!
//! Both come in two [`Sizes`]: as a computer can afford them, and as the 64 KiB device has them.

#![forbid(unsafe_code)]
#![allow(
    clippy::result_large_err,
    reason = "the failures are the device's: no box for a Status"
)]

mod call;
mod client;
mod server;

pub use call::Call;
pub use client::{run, run_blocking};
pub use server::{serve, serve_blocking};

/// How much memory a client or server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// Receive buffers of 4,096 octets a call.
    Host,
    /// Receive buffers of 512 octets a call, and a send buffer of 1,024.
    Device,
}

impl Sizes {
    /// What the option `--small` of our programs chooses.
    pub const fn of_device_if(small: bool) -> Self {
        if small { Self::Device } else { Self::Host }
    }
}
