//! The interop test's client and server on tonic: a gRPC peer that shares no code with ours.
//!
//! The programs are `tonic_interop_client` and `tonic_interop_server`; `--help` tells their arguments.

#![forbid(unsafe_code)]

mod cases;
mod check;
mod client;
mod echo;
mod service;

/// Messages and stubs of the interop test's services.
pub mod testing {
    #![allow(missing_docs, unreachable_pub, clippy::too_many_lines)]
    tonic::include_proto!("grpc.testing");
}

pub use check::Failure;
pub use client::{Case, Soak, run};
pub use service::serve;

/// Largest message that either side takes, and largest payload that the server sends, in octets.
pub const LARGEST_MESSAGE: usize = 1 << 20;

/// Request metadata that comes back in the initial metadata.
const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
/// Request metadata that comes back in the trailers.
const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";
