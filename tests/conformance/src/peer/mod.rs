//! Scripted peers with exact expectations.

mod client;
mod heard;
mod server;

pub use client::{Client, request, request_with};
pub use heard::{Answer, Heard};
pub use server::{HEAD, Request, Server};
