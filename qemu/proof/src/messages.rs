//! Messages that the programs send and receive.

use core::hint::black_box;

use crate::proto::Item;

/// A message of which nothing is known.
#[must_use]
pub fn item() -> Item {
    black_box(Item {
        number: 7,
        measure: 1.5,
        valid: true,
        ..Item::default()
    })
}

/// A field of each wire type, and an unknown one.
pub const ITEM: &[u8] = b"\x08\x05\x10\x03\x1d\x01\x02\x03\x04\x21\0\0\0\0\0\0\xf8\x3f\x3a\x02ab\x52\x02\x08\x09\x5a\x02\x01\x02\x6a\x05\x0a\x01k\x10\x01\xa2\x06\x01z";
