//! Strict conformance of HTTP/2 and gRPC endpoints, and attacks on them.
//!
//! An endpoint under test is an [`endpoint::Server`] or an [`endpoint::Client`]: octets, and a clock that only the
//! test moves. [`ours`] are the endpoints of `rpc-nostd`, as firmware has them; [`mocks`] are endpoints that break
//! the rules, to show that the suite notices. A case speaks through a [`peer`]: a scripted client or server whose
//! expectations are exact (this frame, this code, this last stream, and everything else lives on).
//!
//! ```text
//! suite (cases by name) -> peer (script, expectations) -> endpoint (ours, or a mock)
//! ```
//!
//! [`attacks`] use the same peers against our endpoints only: they also count the work that an attack causes, and look
//! whether everything is as before when it is over.
#![forbid(unsafe_code)]

pub mod attacks;
pub mod cases;
pub mod circumstances;
pub mod clock;
pub mod endpoint;
pub mod grpc;
pub mod link;
pub mod mocks;
pub mod ours;
pub mod peer;
pub mod suite;
pub mod table;
pub mod tasks;

/// Frames as octets.
pub use rpc_nostd_test_frames as wire;
