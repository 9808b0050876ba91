//! Streams: states, windows, and the fixed slots they live in. Knows no connection.
//!
//! Spec: RFC 9113 sections 5.1 and 5.2.

mod flow_control;
mod state;
mod store;

pub(crate) use flow_control::DEFAULT_WINDOW;
pub(crate) use flow_control::Window;
pub(crate) use state::State;
pub use store::Stream;
pub(crate) use store::{Flag, Store};
