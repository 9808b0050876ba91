//! HTTP/2 as a sans-IO state machine over lent memory.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(test)]
extern crate std;

mod config;
mod connection;
mod error;
mod event;
pub mod frame;
mod send_buffer;
mod stream;
mod time;

pub use config::{Budget, Budgets, Config, Memory, Role};
pub use connection::{Connection, PeerSettings};
pub use error::{ConfigError, ConnectionError, Origin, UseError};
pub use event::{Event, Section, StreamKey};
pub use frame::{ErrorCode, StreamId};
pub use hpack_lite;
pub use hpack_lite::{EncoderEntry, Field, HeaderField};
pub use send_buffer::Transmit;
pub use stream::Stream;
pub use time::Instant;
