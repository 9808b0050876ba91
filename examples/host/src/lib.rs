//! Server and client of the examples on this computer, each with an executor (tokio, on one thread) and without.

#![forbid(unsafe_code)]

pub mod asynch;
pub mod blocking;
