//! The server: services, the calls that come to them, and the connections on which they come.
//!
//! A [`Server`] has a fixed number of connections, each with a fixed number of calls at once: `CONNECTIONS` and `STREAMS`
//! of [`ServerResources`]. Handlers are `async fn` of a trait that `rpc-nostd-codegen` makes from a `.proto`; each runs
//! until it returns, its client cancels the call, its deadline passes, or its connection is lost.

mod answer;
mod blocking;
mod call;
mod config;
mod events;
mod intake;
mod large;
mod lifecycle;
mod place;
mod request;
mod resources;
mod runner;
mod service;
mod session;
mod spare;
mod worker;

pub use blocking::BlockingServer;
pub use call::{Call, Context, Receiver, Sender};
pub use config::ServerConfig;
pub use large::{LargeReader, LargeWriter};
pub use place::apart;
pub use resources::ServerResources;
pub use runner::{ConnectionRunner, Server, ServerRunner};
pub use service::{And, Intercepted, Interceptor, Routes, Service, find};
