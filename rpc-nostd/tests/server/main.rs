//! The server against scripted clients, in memory, under a virtual clock.
#![allow(unreachable_pub, reason = "one crate of modules")]

mod bench;
mod calls;
mod cancel;
mod flow;
mod lifecycle;
mod memory;
mod metadata;
mod net;
mod requests;
mod service;
#[path = "../support/mod.rs"]
mod support;
mod wire;
