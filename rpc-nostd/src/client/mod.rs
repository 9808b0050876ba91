//! The client: calls, as generated stubs make them, and the connection that they share.

pub mod blocking;
mod call;
mod channel;
mod config;
mod connectivity;
mod events;
mod resources;
mod response;
mod runner;
mod session;
mod unary;
mod waiters;

pub use channel::Channel;
pub use config::Config;
pub use connectivity::{Backoff, ConnectivityState};
pub use resources::Resources;
pub use runner::Runner;
pub use unary::{Unary, UnaryFuture};
