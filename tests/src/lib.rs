//! What the cross-crate tests and `cargo xtask demo` share: gRPC servers that are not ours, to call from our clients.
//!
//! - [`server`]: the telemetry service on tonic, inside the test process, with counters.
//! - [`python`]: the same service on Python's grpcio, as a child process.
//! - [`host`]: what our clients need to run on this host: sockets and clocks.
//! - [`device`]: the messages and stubs that firmware uses.

#![forbid(unsafe_code)]

mod counted;
mod echo;
pub mod host;
mod journal;
pub mod python;
pub mod server;

/// Messages and stubs of the telemetry service for tonic.
pub mod telemetry {
    #![allow(missing_docs, unreachable_pub, clippy::too_many_lines)]
    tonic::include_proto!("telemetry.v1");
}

/// Messages and stubs of the telemetry service for rpc-nostd.
pub mod device {
    #![allow(missing_docs, unreachable_pub, clippy::too_many_lines)]
    mod generated {
        include!(concat!(env!("OUT_DIR"), "/device.rs"));
    }
    pub use generated::telemetry::v1::*;
}

pub use journal::CallRecord;
