//! The encoder (stage one: the interface).

use crate::{BufferFull, Field, Writer};

/// One slot of the encoder's dynamic table: references to a name and a value.
#[derive(Debug, Clone, Copy, Default)]
pub struct EncoderEntry<'f> {
    name: &'f [u8],
    value: &'f [u8],
}

impl EncoderEntry<'_> {
    /// An empty slot.
    pub const fn new() -> Self {
        Self {
            name: &[],
            value: &[],
        }
    }
}

/// HPACK encoder of one connection.
#[derive(Debug)]
pub struct Encoder<'m, 'f> {
    entries: &'m mut [EncoderEntry<'f>],
}

impl<'m, 'f> Encoder<'m, 'f> {
    /// An encoder whose dynamic table has `entries.len()` slots.
    pub fn new(entries: &'m mut [EncoderEntry<'f>]) -> Self {
        Self { entries }
    }

    /// Starts a fresh connection on the same memory.
    pub fn reset(&mut self) {
        let _ = self.entries.iter().map(|entry| (entry.name, entry.value));
    }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE.
    pub fn set_max_table_size(&mut self, octets: u32) {
        let _ = octets;
    }

    /// Our own ceiling for the table, 4,096 octets by default.
    pub fn set_ceiling(&mut self, octets: u32) {
        let _ = octets;
    }

    /// Octets that [`begin_block`](Self::begin_block) will write now.
    pub fn size_update_len(&self) -> usize {
        0
    }

    /// Upper bound of what `field` can cost in the next block, whatever the tables hold.
    pub fn max_len(field: Field<'_, '_>) -> usize {
        let _ = field;
        0
    }

    /// Starts a header block: writes the size updates that are owed.
    pub fn begin_block(&mut self, out: &mut Writer<'_>) -> Result<(), BufferFull> {
        let _ = out;
        Ok(())
    }

    /// Writes the whole field or nothing.
    pub fn encode(&mut self, field: Field<'_, 'f>, out: &mut Writer<'_>) -> Result<(), BufferFull> {
        let _ = (field, out);
        Ok(())
    }
}
