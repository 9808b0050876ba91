//! The client: calls, as generated stubs make them, and the connection that they share.

pub mod blocking;
mod builder;
mod channel;
mod config;
mod connectivity;
mod credentials;
mod events;
mod handle;
mod large;
mod open;
mod opening;
mod resources;
mod response;
mod runner;
mod session;
mod single;
mod stream;
mod streaming;
mod unary;
mod waiters;

pub use builder::{
    BidiStreaming, BidiStreamingKind, CallBuilder, ClientStreaming, ClientStreamingKind, LargeRequest,
    LargeRequestKind, ServerStreaming, ServerStreamingKind, Unary, UnaryKind,
};
pub use channel::Channel;
pub use config::Config;
pub use connectivity::{Backoff, ConnectivityState};
pub use credentials::CallCredentials;
pub use large::{LargeReader, LargeWriter};
pub use open::Open;
pub use resources::Resources;
pub use runner::Runner;
pub use streaming::{Receiver, Sender, Upload};
pub use unary::UnaryFuture;
