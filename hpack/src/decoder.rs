//! The decoder (stage one: the interface).

use core::marker::PhantomData;

use crate::{DecodeError, HeaderField};

/// What a header block may ask of the caller. Anything above is decoded and counted, not yielded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sum of name length + value length + 32 over the fields yielded of one block, in octets.
    pub max_list_size: u32,
    /// Fields yielded of one block.
    pub max_fields: u16,
}

/// What a whole header block held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlockSummary {
    /// All fields of the block, yielded and skipped.
    pub fields: u32,
    /// Fields that were not yielded because they were above a limit.
    pub skipped: u32,
    /// Sum of name length + value length + 32 over all fields, skipped ones included; saturating.
    pub list_size: u32,
    /// Octets of the encoded block; saturating.
    pub encoded_size: u32,
}

/// HPACK decoder of one connection.
#[derive(Debug)]
pub struct Decoder<'m> {
    memory: PhantomData<&'m mut [u8]>,
}

impl<'m> Decoder<'m> {
    /// A decoder whose dynamic table lives in `table`, and whose literals are gathered in `scratch`.
    pub fn new(table: &'m mut [u8], scratch: &'m mut [u8], limits: Limits) -> Self {
        let _ = (table, scratch, limits);
        Self { memory: PhantomData }
    }

    /// Starts a fresh connection on the same memory.
    pub fn reset(&mut self) {}

    /// Our SETTINGS_HEADER_TABLE_SIZE became binding: the peer acknowledged it.
    pub fn set_max_table_size(&mut self, octets: u32) {
        let _ = octets;
    }

    /// Consumes from `fragment` up to and including one field. `None`: the fragment is used up.
    pub fn decode<'a>(&'a mut self, fragment: &mut &[u8]) -> Result<Option<HeaderField<'a>>, DecodeError> {
        *fragment = &[];
        Ok(None)
    }

    /// END_HEADERS: the block is complete.
    pub fn finish(&mut self) -> Result<BlockSummary, DecodeError> {
        Ok(BlockSummary::default())
    }

    /// List size of the block so far, over all fields, skipped ones included; saturating.
    pub fn list_size(&self) -> u32 {
        0
    }
}
