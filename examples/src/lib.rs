//! A small gRPC service and its clients, to copy from.
//!
//! - [`service`]: the handlers of a server, one function for each kind of call, and an interceptor.
//! - [`client`]: calls, one file for each kind, on an async channel; [`client::blocking`]: the same without an executor.
//!
//! All of it is `no_std` without an allocator, and knows neither sockets nor an executor: `examples/host` runs it on this
//! computer, `qemu/apps/examples` on a microcontroller.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod client;
mod data;
pub mod service;
mod time;
pub mod token;

use core::fmt;

use rpc_nostd::Status;

/// Messages, client and server trait, as `build.rs` generates them from `proto/greenhouse.proto`.
#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/greenhouse.rs"));
}
pub use generated::google;
pub use generated::greenhouse::v1 as greenhouse;

/// Where the examples say what happens: `println!` on a computer, a log on a device.
pub type Say = fn(fmt::Arguments<'_>);

/// Why an example did not come to its end.
#[derive(Clone, Copy, Debug)]
pub enum Failed {
    /// A call failed that should not have.
    Call(Status),
    /// What came back is not what should have.
    Check(&'static str),
}

impl From<Status> for Failed {
    fn from(status: Status) -> Self {
        Self::Call(status)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(status) => write!(f, "the call failed: {status}"),
            Self::Check(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Failed {}

/// Ok if `holds`.
fn check(holds: bool, otherwise: &'static str) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(Failed::Check(otherwise))
    }
}

/// A temperature for people.
#[derive(Clone, Copy)]
struct Celsius(i32);

impl fmt::Display for Celsius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let hundredths = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02} degrees", hundredths / 100, hundredths % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::Celsius;

    #[test]
    fn celsius_below_zero_keeps_its_sign_and_two_digits() {
        assert_eq!(Celsius(-305).to_string(), "-3.05 degrees");
        assert_eq!(Celsius(-5).to_string(), "-0.05 degrees");
        assert_eq!(Celsius(2150).to_string(), "21.50 degrees");
    }
}
