//! The endpoints of `rpc-nostd`, of sizes that firmware has.

mod client;
mod message;
mod server;

pub use client::OurClient;
pub use message::Blob;
pub use server::{OurServer, RECV, STREAMS};
