//! HTTP/2 (RFC 9113) as a sans-IO state machine over lent memory: no `std`, no allocator, no `unsafe`.
//!
//! # Layers
//!
//! ```text
//! connection   one side of a connection: settings, messages, budgets, shutdown     (Connection, Event)
//! stream       states, windows, slots
//! frame        octets to typed pieces and back                                     (frame)
//! hpack-lite   header compression, RFC 7541
//! ```
//!
//! Each knows only those below it.
//!
//! # Calling contract
//!
//! [`Connection`] does nothing by itself. Whoever drives it
//!
//! 1. offers what the transport read to [`Connection::handle_input`] until that returns `None`, looking at each [`Event`]
//!    before the next call, because events borrow;
//! 2. then writes: [`Connection::take_transmit`], a write of [`Transmit::bytes`], [`Connection::give_back`], until there is
//!    nothing more to take. Reading and writing may overlap: while the buffer is out, input is still handled, until an
//!    answer is owed that has no place ([`Connection::wants_input`]);
//! 3. sleeps no longer than [`Connection::poll_timeout`] says, and then calls [`Connection::handle_timeout`].
//!
//! After a call of the application ([`Connection::send_request`], ...) step 2 is due.
//!
//! ```
//! use h2_lite::{Config, Connection, EncoderEntry, Event, Field, Instant, Memory, Role, Stream};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut streams, mut send, mut table) = ([const { Stream::new() }; 4], [0; 512], [0; 256]);
//! let (mut entries, mut scratch) = ([EncoderEntry::new(); 8], [0; 512]);
//! let memory = Memory {
//!     streams: &mut streams,
//!     send: &mut send,
//!     decoder_table: &mut table,
//!     encoder_table: &mut entries,
//!     scratch: &mut scratch,
//! };
//! let now = Instant::from_millis(0);
//! let mut connection = Connection::new(Role::Client, Config::default(), memory)?;
//!
//! let request = connection.send_request(
//!     0,
//!     &|push| {
//!         push(Field::Indexable { name: b":method", value: b"GET" });
//!         push(Field::Indexable { name: b":scheme", value: b"http" });
//!         push(Field::Literal { name: b":path", value: b"/" });
//!         push(Field::Literal { name: b":authority", value: b"example.org" });
//!     },
//!     true,
//!     now,
//! )?;
//!
//! // Preface, SETTINGS and the request leave in one write.
//! let transmit = connection.take_transmit(now).ok_or("nothing to send")?;
//! assert!(transmit.bytes().starts_with(b"PRI * HTTP/2.0"));
//! let written = transmit.bytes().len(); // what the transport took
//! connection.give_back(transmit, written, now);
//!
//! // SETTINGS, then HEADERS with END_HEADERS and END_STREAM: `:status: 200`.
//! let mut input = &b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\x88"[..];
//! let mut ended = false;
//! while let Some(event) = connection.handle_input(&mut input, now)? {
//!     if let Event::HeadersEnd { stream, end_stream, .. } = event {
//!         assert_eq!(stream, request);
//!         ended = end_stream;
//!     }
//! }
//! assert!(ended && input.is_empty() && connection.is_free(0));
//! # Ok(())
//! # }
//! ```
//!
//! # What is not here
//!
//! Server push (refused), stream priorities (read and forgotten), padding of own frames, CONNECT (malformed to a server),
//! the upgrade from HTTP/1.1. Whether a response's content is as long as its content-length is the application's business.
//!
//! # What the peer cannot do
//!
//! Make it allocate, loop or panic: input is parsed in place, what is owed to the peer is flags, slots and counters, and
//! what may be done at the peer's expense is counted against [`Budgets`].
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
mod refusal;
mod send_buffer;
mod stream;
mod time;

pub use config::{Budget, Budgets, Config, Memory, Role};
pub use connection::{Connection, Fields, PeerSettings};
pub use error::{ConfigError, ConnectionError, Origin, UseError};
pub use event::{Event, Section, StreamKey};
pub use frame::{ErrorCode, StreamId};
pub use hpack_lite;
pub use hpack_lite::{EncoderEntry, Field, HeaderField};
pub use refusal::refusal;
pub use send_buffer::Transmit;
pub use stream::Stream;
pub use time::Instant;
