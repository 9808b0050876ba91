//! The server against scripted clients, in memory, under a virtual clock.
#![allow(unreachable_pub, reason = "one crate of modules")]

mod bad_clients;
mod bench;
mod blocking;
mod calls;
mod cancel;
mod fairness;
mod floods;
mod flow;
mod interceptors;
mod large;
mod lifecycle;
mod memory;
mod metadata;
mod net;
mod places;
mod requests;
mod service;
mod storm;
#[path = "../support/mod.rs"]
mod support;
mod wire;
