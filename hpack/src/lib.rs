//! RFC 7541 (HPACK) over lent memory: no `std`, no allocator, no dependency, no `unsafe`.
//!
//! Two independent halves, one of each per HTTP/2 connection:
//!
//! - [`Decoder`] takes header-block fragments of any size and yields one [`HeaderField`] at a time.
//!   What is above its [`Limits`] is decoded, entered into the table and counted, but not yielded.
//! - [`Encoder`] writes whole [`Field`]s into a [`Writer`], or nothing at all.
//!
//! Octets and tables only: what a field means is for the layer above. No function panics.
//!
//! The README, which follows, has an example.
#![doc = include_str!("../README.md")]
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

mod decoder;
mod dynamic_table;
mod encoder;
mod error;
mod header_field;
mod huffman;
mod integer;
mod literal;
mod piece;
mod representation;
mod static_table;
mod writer;

pub use decoder::{BlockSummary, Decoder, Limits};
pub use encoder::{Encoder, EncoderEntry};
pub use error::{BufferFull, DecodeError};
pub use header_field::{Field, HeaderField};
pub use writer::Writer;

/// Octets of flash that the Huffman tables of both directions take.
pub const HUFFMAN_TABLES_SIZE: usize = huffman::TABLES_SIZE;

/// Copies as much of `from` as fits into `to`; returns how many octets. Unlike `copy_from_slice` it leaves no
/// panic in the image.
fn copy(to: &mut [u8], from: &[u8]) -> usize {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    to.len().min(from.len())
}
