//! The client against scripted servers, in memory, under a virtual clock.

mod bad_server;
mod blocking;
mod blocking_streams;
mod borrowed;
mod calls;
mod credentials;
mod large_messages;
mod negative;
mod recovery;
mod rules;
mod stream_ends;
mod stream_faults;
mod stream_flow;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod turns;
