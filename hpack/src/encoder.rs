//! Header fields in, header blocks out (RFC 7541 sections 4 and 6). Called by HTTP/2's sending code.

use crate::dynamic_table::ENTRY_OVERHEAD;
use crate::static_table::{self, Match};
use crate::writer::Slots;
use crate::{BufferFull, Field, Writer, huffman, integer};

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

    /// Spec: RFC 7541 section 4.1.
    const fn size(&self) -> usize {
        entry_size(self.name, self.value)
    }
}

/// The encoder of one connection, with the dynamic table that it shares with the peer's decoder.
///
/// The table holds references to names and values, not copies: see [`Field`]. It is bounded twice, by octets
/// as the RFC counts them and by the number of slots. Where slots run out before octets do, this end forgets
/// its oldest entry while the peer still keeps it, which does no harm.
///
/// # Calling contract
///
/// For each header block: [`begin_block`](Self::begin_block), then [`encode`](Self::encode) for each field.
/// What has been written must reach the peer, all of it and in this order, whatever becomes of the message:
/// the table has moved on. So a caller that cannot be sure of room first sums
/// [`size_update_len`](Self::size_update_len) and [`max_len`](Self::max_len) of all fields; only if there is
/// room for that does it encode.
///
/// Spec: RFC 7541 section 3, RFC 9113 section 4.3.
#[derive(Debug)]
pub struct Encoder<'m, 'f> {
    /// Newest first.
    entries: &'m mut [EncoderEntry<'f>],
    /// Slots in use.
    used: usize,
    /// Sum of their sizes.
    size: usize,
    max_size: usize,
    /// The peer's SETTINGS_HEADER_TABLE_SIZE.
    peer_max_size: usize,
    ceiling: usize,
    /// The smallest maximum since the last size update, if one is owed.
    owed: Option<usize>,
    huffman: bool,
}

impl<'m, 'f> Encoder<'m, 'f> {
    /// An encoder with a dynamic table of `entries.len()` slots, which may be 0.
    pub fn new(entries: &'m mut [EncoderEntry<'f>]) -> Self {
        Self {
            entries,
            used: 0,
            size: 0,
            max_size: INITIAL_MAX_SIZE,
            peer_max_size: INITIAL_MAX_SIZE,
            ceiling: INITIAL_MAX_SIZE,
            owed: None,
            huffman: true,
        }
    }

    /// Starts a fresh connection on the same memory: an empty table, the peer's setting back at its initial
    /// 4,096 octets. The ceiling and the use of Huffman code stay.
    pub fn reset(&mut self) {
        self.used = 0;
        self.size = 0;
        self.max_size = INITIAL_MAX_SIZE;
        self.peer_max_size = INITIAL_MAX_SIZE;
        self.owed = None;
        self.change_max_size();
    }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE, in octets. Between two blocks only. The next block starts with
    /// the size update that this makes necessary, or with two: the smallest maximum since, then the final one.
    ///
    /// Spec: RFC 7541 section 4.2, RFC 9113 section 4.3.1.
    pub fn set_max_table_size(&mut self, octets: u32) {
        self.peer_max_size = usize::try_from(octets).unwrap_or(usize::MAX);
        self.change_max_size();
    }

    /// The most octets, as section 4.1 counts them, that the table may take however much the peer allows.
    /// 4,096 at first. Between two blocks only.
    pub fn set_ceiling(&mut self, octets: u32) {
        self.ceiling = usize::try_from(octets).unwrap_or(usize::MAX);
        self.change_max_size();
    }

    /// Whether strings go out in Huffman code where that is no longer. They do at first; without, the encoder
    /// takes fewer instructions and more octets.
    pub fn set_huffman(&mut self, huffman: bool) {
        self.huffman = huffman;
    }

    /// Octets that [`begin_block`](Self::begin_block) would write now; at most 12.
    pub fn size_update_len(&self) -> usize {
        let Some(least) = self.owed else { return 0 };
        let last = integer::encoded_len(self.max_size, SIZE_UPDATE.prefix_max);
        if least < self.max_size {
            last.saturating_add(integer::encoded_len(least, SIZE_UPDATE.prefix_max))
        } else {
            last
        }
    }

    /// Upper bound, in octets, of what `field` can cost, whatever the tables hold. Size updates are extra.
    pub fn max_len(field: Field<'_, '_>) -> usize {
        let name = field.name().len();
        // An index takes at most five octets; a name that is shorter than that may still have one.
        let name = integer::encoded_len(name, STRING_PREFIX_MAX)
            .saturating_add(name)
            .saturating_add(1)
            .max(5);
        let value = field.value().len();
        name.saturating_add(integer::encoded_len(value, STRING_PREFIX_MAX))
            .saturating_add(value)
    }

    /// Starts a header block: writes the size updates that are owed, all or none.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if they do not fit; they stay owed.
    pub fn begin_block(&mut self, out: &mut Writer<'_>) -> Result<(), BufferFull> {
        let needed = self.size_update_len();
        if needed > out.remaining() {
            return Err(BufferFull { needed });
        }
        let Some(least) = self.owed.take() else {
            return Ok(());
        };
        let mut slots = out.take(needed);
        // Spec: hpack-4.2-smallest-then-final
        if least < self.max_size {
            SIZE_UPDATE.encode(least, &mut slots);
        }
        SIZE_UPDATE.encode(self.max_size, &mut slots);
        Ok(())
    }

    /// Writes the whole field or nothing; with nothing, the table does not change either. A
    /// [`Field::Indexable`] enters the table unless it is there already, or larger than the table.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if the field does not fit: `needed` is what it takes as the tables are now.
    pub fn encode(&mut self, field: Field<'_, 'f>, out: &mut Writer<'_>) -> Result<(), BufferFull> {
        let (kind, index) = self.choose(&field);
        let name = (index == 0).then(|| self.measure(field.name()));
        let value = (kind != INDEXED).then(|| self.measure(field.value()));
        let needed = integer::encoded_len(index, kind.prefix_max)
            .saturating_add(name.map_or(0, Literal::encoded_len))
            .saturating_add(value.map_or(0, Literal::encoded_len));
        // Spec: hpack-encode-whole
        if needed > out.remaining() {
            return Err(BufferFull { needed });
        }
        let mut slots = out.take(needed);
        kind.encode(index, &mut slots);
        if let Some(name) = name {
            name.encode(&mut slots);
        }
        if let Some(value) = value {
            value.encode(&mut slots);
        }
        if let (Field::Indexable { name, value }, INCREMENTAL) = (field, kind) {
            self.insert(EncoderEntry { name, value });
        }
        Ok(())
    }

    /// The representation, and the index of the field or its name; 0 if neither table has it.
    fn choose(&self, field: &Field<'_, 'f>) -> (Kind, usize) {
        let (name, value) = (field.name(), field.value());
        let kind = match field {
            Field::Indexable { .. } if self.would_hold(entry_size(name, value)) => INCREMENTAL,
            Field::Indexable { .. } | Field::Literal { .. } => PLAIN,
            // Spec: hpack-6.2.3-never-indexed
            Field::NeverIndexed { .. } => NEVER_INDEXED,
        };
        // What is sent again and again is the same constant each time: no look at its octets is needed. The
        // static table cannot have it too, for then it would not have entered this one.
        if kind == INCREMENTAL {
            let entries = self.entries.iter().take(self.used);
            for (index, entry) in (FIRST_DYNAMIC..).zip(entries) {
                if core::ptr::eq(entry.name, name) && core::ptr::eq(entry.value, value) {
                    return (INDEXED, index);
                }
            }
        }
        let mut name_index = match static_table::find(name, value) {
            Match::Field(index) if kind != NEVER_INDEXED => return (INDEXED, usize::from(index)),
            Match::Field(index) | Match::Name(index) => usize::from(index),
            Match::None => 0,
        };
        for (index, entry) in (FIRST_DYNAMIC..).zip(self.entries.iter().take(self.used)) {
            if same(entry.name, name) {
                if kind != NEVER_INDEXED && same(entry.value, value) {
                    return (INDEXED, index);
                }
                // The static table comes first, then the newest entry: the smallest index.
                if name_index == 0 {
                    name_index = index;
                }
            }
        }
        (kind, name_index)
    }

    const fn would_hold(&self, size: usize) -> bool {
        size <= self.max_size && !self.entries.is_empty()
    }

    /// Spec: RFC 7541 section 4.4.
    fn insert(&mut self, entry: EncoderEntry<'f>) {
        self.evict_to(self.max_size.saturating_sub(entry.size()));
        if self.used == self.entries.len() {
            self.evict();
        }
        self.size = self.size.saturating_add(entry.size());
        self.used = self.used.saturating_add(1);
        let mut moved = entry;
        for slot in self.entries.iter_mut().take(self.used) {
            core::mem::swap(slot, &mut moved);
        }
    }

    fn evict_to(&mut self, octets: usize) {
        while self.size > octets {
            self.evict();
        }
    }

    /// Forgets the oldest entry.
    fn evict(&mut self) {
        self.used = self.used.saturating_sub(1);
        let oldest = self.entries.get(self.used).map_or(self.size, EncoderEntry::size);
        self.size = if self.used == 0 {
            0
        } else {
            self.size.saturating_sub(oldest)
        };
    }

    /// The peer's setting or the ceiling has changed. Spec: RFC 7541 section 4.2.
    fn change_max_size(&mut self) {
        let max_size = self.peer_max_size.min(self.ceiling);
        if max_size != self.max_size {
            // Spec: hpack-4.2-smallest-then-final, h2-4.3.1-encoder-update
            self.owed = Some(self.owed.map_or(max_size, |least| least.min(max_size)));
            self.max_size = max_size;
            self.evict_to(max_size);
        }
    }

    fn measure<'s>(&self, string: &'s [u8]) -> Literal<'s> {
        let huffman_len = if self.huffman {
            huffman::encoded_len(string)
        } else {
            usize::MAX
        };
        // Of two equal lengths the RFC's own examples take the Huffman code (appendix C.6.2).
        let huffman = huffman_len <= string.len() && !string.is_empty();
        Literal {
            string,
            huffman,
            len: huffman_len.min(string.len()),
        }
    }
}

/// A string and how it goes out. Spec: RFC 7541 section 5.2.
#[derive(Debug, Clone, Copy)]
struct Literal<'s> {
    string: &'s [u8],
    huffman: bool,
    len: usize,
}

impl Literal<'_> {
    fn encoded_len(self) -> usize {
        integer::encoded_len(self.len, STRING_PREFIX_MAX).saturating_add(self.len)
    }

    fn encode(self, slots: &mut Slots<'_>) {
        integer::encode(
            self.len,
            STRING_PREFIX_MAX,
            if self.huffman { 0x80 } else { 0 },
            slots,
        );
        if self.huffman {
            huffman::encode(self.string, slots);
        } else {
            self.string
                .iter()
                .zip(slots)
                .for_each(|(octet, slot)| *slot = *octet);
        }
    }
}

/// A representation: the bits that its first octet begins with, and what is left for the integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    pattern: u8,
    prefix_max: u8,
}

impl Kind {
    fn encode(self, integer: usize, slots: &mut Slots<'_>) {
        integer::encode(integer, self.prefix_max, self.pattern, slots);
    }
}

/// Of most strings that are equal the pointers tell.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (core::ptr::eq(a, b) || a == b)
}

const fn entry_size(name: &[u8], value: &[u8]) -> usize {
    name.len()
        .saturating_add(value.len())
        .saturating_add(ENTRY_OVERHEAD)
}

/// Index of the newest entry. Spec: RFC 7541 section 2.3.3.
const FIRST_DYNAMIC: usize = static_table::LEN + 1;

/// RFC 7541 section 6.1.
const INDEXED: Kind = Kind {
    pattern: 0x80,
    prefix_max: 0x7F,
};

/// RFC 7541 section 6.2.1.
const INCREMENTAL: Kind = Kind {
    pattern: 0x40,
    prefix_max: 0x3F,
};

/// RFC 7541 section 6.2.2.
const PLAIN: Kind = Kind {
    pattern: 0x00,
    prefix_max: 0x0F,
};

/// RFC 7541 section 6.2.3.
const NEVER_INDEXED: Kind = Kind {
    pattern: 0x10,
    prefix_max: 0x0F,
};

/// RFC 7541 section 6.3.
const SIZE_UPDATE: Kind = Kind {
    pattern: 0x20,
    prefix_max: 0x1F,
};

/// Largest length in a string's first octet. Spec: RFC 7541 section 5.2.
const STRING_PREFIX_MAX: u8 = 0x7F;

/// What a table's maximum is before any SETTINGS. Spec: RFC 9113 section 6.5.2.
const INITIAL_MAX_SIZE: usize = 4_096;
