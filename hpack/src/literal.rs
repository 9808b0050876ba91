//! The strings of one literal while they arrive (RFC 7541 section 5.2). Called by the decoder.
//!
//! They gather in the scratch, the value behind the name. A literal for the dynamic table that outgrows the
//! scratch moves into the table as a draft, and evicts entries as it grows. What finds no place at all is
//! decoded all the same: its length counts, and its coding may be wrong.

use crate::dynamic_table::DynamicTable;
use crate::huffman::{self, Progress};
use crate::piece::{MAX_REGION, Piece, Region, within};
use crate::{DecodeError, copy, static_table};

/// A literal, and the scratch.
#[derive(Debug)]
pub(crate) struct Literal<'m> {
    scratch: &'m mut [u8],
    place: Place,
    /// The literal is to be an entry of the dynamic table.
    insert: bool,
    /// Octets used of the scratch.
    used: usize,
    /// Where the value begins in the scratch; `NOT_HERE` if it does not.
    value_at: usize,
    /// Decoded length of the string under way; saturating.
    string_len: usize,
    /// Encoded octets that are missing of it.
    missing: u32,
    /// Set if it is Huffman-coded.
    huffman: Option<huffman::Decoder>,
}

/// Where the literal gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Scratch,
    /// The draft in the dynamic table.
    Table,
    Nowhere,
}

impl<'m> Literal<'m> {
    /// No literal, with `scratch` for the ones to come.
    pub(crate) fn new(scratch: &'m mut [u8]) -> Self {
        let used = scratch.len().min(MAX_REGION);
        let scratch = scratch.get_mut(..used).unwrap_or_default();
        Self {
            scratch,
            place: Place::Nowhere,
            insert: false,
            used: 0,
            value_at: NOT_HERE,
            string_len: 0,
            missing: 0,
            huffman: None,
        }
    }

    /// A literal begins; `insert`: it is to be an entry of the dynamic table.
    pub(crate) fn begin(&mut self, insert: bool) {
        self.place = Place::Scratch;
        self.insert = insert;
        self.used = 0;
        self.value_at = NOT_HERE;
    }

    /// The name of a literal for the table is that of an entry. It is copied, because the insertion may evict
    /// that entry. Spec: RFC 7541 section 4.4.
    pub(crate) fn push_name(&mut self, table: &mut DynamicTable<'_>, name: Piece) {
        // Spec: hpack-4.4-name-from-evicted
        if usize::from(name.len) <= self.scratch.len() {
            let memory = if name.region == Region::Static {
                static_table::text()
            } else {
                table.memory()
            };
            self.used = copy(self.scratch, name.of(memory));
            return;
        }
        let fits = if name.region == Region::Static {
            table.begin();
            table.push(name.of(static_table::text()))
        } else {
            table.push_own(name)
        };
        self.place = if fits { Place::Table } else { Place::Nowhere };
    }

    /// The value begins: what the scratch holds of it is worth having even where it does not hold all.
    pub(crate) fn begin_value(&mut self) {
        self.value_at = match self.place {
            Place::Scratch => self.used,
            Place::Table | Place::Nowhere => NOT_HERE,
        };
    }

    /// A string of `length` encoded octets begins.
    pub(crate) fn begin_string(&mut self, table: &mut DynamicTable<'_>, huffman: bool, length: u32) {
        self.string_len = 0;
        self.missing = length;
        self.huffman = huffman.then(huffman::Decoder::default);
        // A plain string says how long it will be: it moves to the table at once, if that can hold it.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let fits = length <= self.scratch.len().saturating_sub(self.used);
        if !huffman && self.insert && self.place == Place::Scratch && !fits {
            self.grow(table, length);
            if self.place == Place::Nowhere {
                self.place = Place::Scratch;
                self.insert = false;
            }
        }
    }

    /// Takes what `fragment` holds of the string. `true`: the string is complete.
    ///
    /// Errors: of the Huffman code.
    pub(crate) fn take(
        &mut self,
        table: &mut DynamicTable<'_>,
        fragment: &mut &[u8],
    ) -> Result<bool, DecodeError> {
        let missing = usize::try_from(self.missing).unwrap_or(usize::MAX);
        let (mut octets, rest) = fragment.split_at_checked(missing).unwrap_or((fragment, &[]));
        *fragment = rest;
        self.missing = self
            .missing
            .saturating_sub(u32::try_from(octets.len()).unwrap_or(u32::MAX));
        loop {
            let mut bin = [0; 32];
            let room = match self.place {
                Place::Scratch => self.scratch.get_mut(self.used..).unwrap_or_default(),
                Place::Table => table.room(),
                Place::Nowhere => &mut bin,
            };
            let Progress { written, full } = match &mut self.huffman {
                Some(huffman) => huffman.decode(&mut octets, room)?,
                None => copy_plain(&mut octets, room),
            };
            self.string_len = self.string_len.saturating_add(written);
            match self.place {
                Place::Scratch => self.used = self.used.saturating_add(written),
                Place::Table => table.advance(written),
                Place::Nowhere => {}
            }
            if !full {
                break;
            }
            self.grow(table, self.least_decoded_len(octets.len()));
        }
        if self.missing > 0 {
            return Ok(false);
        }
        if let Some(huffman) = self.huffman {
            huffman.finish()?;
        }
        Ok(true)
    }

    /// Decoded length of the string that has just been completed.
    pub(crate) const fn string_len(&self) -> usize {
        self.string_len
    }

    /// The literal is complete, its value the string that has just been completed: inserts it if that is due.
    /// Returns where its strings are, of the value perhaps the beginning alone; the name's place is meaningless if the
    /// name was not gathered.
    pub(crate) fn finish(&mut self, table: &mut DynamicTable<'_>, name_len: usize) -> Option<(Piece, Piece)> {
        match self.place {
            Place::Nowhere => {
                let value = Piece {
                    region: Region::Scratch,
                    start: within(self.value_at),
                    len: within(self.used.checked_sub(self.value_at)?),
                };
                Some((name_in_scratch(name_len), value))
            }
            Place::Table => {
                table.commit(name_len);
                table.get(0).map(|entry| entry.pieces())
            }
            Place::Scratch => {
                if self.insert {
                    table.begin();
                    if table.push(self.gathered()) {
                        table.commit(name_len);
                    }
                }
                let start = within(self.used.saturating_sub(self.string_len));
                let value = Piece {
                    region: Region::Scratch,
                    start,
                    len: within(self.string_len),
                };
                Some((name_in_scratch(name_len), value))
            }
        }
    }

    /// The scratch, which the strings of a literal may be pieces of.
    pub(crate) fn scratch(&self) -> &[u8] {
        self.scratch
    }

    fn gathered(&self) -> &[u8] {
        self.scratch.get(..self.used).unwrap_or_default()
    }

    /// The place is full, and at least `more` octets are to come.
    fn grow(&mut self, table: &mut DynamicTable<'_>, more: usize) {
        let fits = match self.place {
            Place::Nowhere => false,
            Place::Table => table.reserve(more),
            Place::Scratch => {
                table.begin();
                // Spec: hpack-4.4-larger-than-scratch
                self.insert && table.push(self.gathered()) && table.reserve(more)
            }
        };
        self.place = if fits { Place::Table } else { Place::Nowhere };
    }

    /// The least that `at_hand` and the missing octets come to, decoded. The longest code has 30 bits. Reserving
    /// that much at once keeps the number of evictions and moves of the table small for one long string.
    fn least_decoded_len(&self, at_hand: usize) -> usize {
        let missing = usize::try_from(self.missing).unwrap_or(usize::MAX);
        let encoded = at_hand.saturating_add(missing);
        if self.huffman.is_some() {
            (encoded / 4).saturating_sub(1).max(1)
        } else {
            encoded
        }
    }
}

/// No position in the scratch.
const NOT_HERE: usize = usize::MAX;

fn name_in_scratch(len: usize) -> Piece {
    Piece {
        region: Region::Scratch,
        start: 0,
        len: within(len),
    }
}

/// Copies what fits from `octets` to `room`.
fn copy_plain(octets: &mut &[u8], room: &mut [u8]) -> Progress {
    let written = copy(room, octets);
    *octets = octets.get(written..).unwrap_or_default();
    Progress {
        written,
        full: !octets.is_empty(),
    }
}
