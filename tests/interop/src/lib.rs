//! The official interop test of gRPC on rpc-nostd: the client's [cases](Case), and the [service] that they call.
//!
//! The same source runs on the host and as firmware: no `std`, no allocator. Payloads are made and checked in
//! parts, so that messages of hundreds of kilobytes pass through receive buffers of a few hundred octets.
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::arithmetic_side_effects
)]
#![allow(
    clippy::result_large_err,
    reason = "without a heap there is no box for a Status"
)]

pub mod blocking;
mod cases;
mod failure;
mod payload;
pub mod service;

mod generated {
    #![allow(missing_docs, unreachable_pub, clippy::too_many_lines)]
    include!(concat!(env!("OUT_DIR"), "/test.rs"));
}

/// Messages, clients and servers of `grpc.testing`.
pub mod testing {
    pub use crate::generated::grpc::testing::*;
}

pub use cases::{Bench, Case, NewChannel, large_unary_beside};
pub use failure::{Cause, Failure};

/// Metadata that comes back with the response's headers.
pub const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
/// Metadata that comes back with the status.
pub const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";
