//! The static table (RFC 7541 appendix A) and a search over it. Called by the decoder and the encoder.
//!
//! `SOURCE` is what people read; the compiler packs it into one string, four octets per entry and a hash
//! of the names, and only those are linked: 1,056 octets instead of 1,600 of fat references and padding.

use crate::piece::{Piece, Region};

/// Number of entries. The first index of the dynamic table is one more.
pub(crate) const LEN: usize = SOURCE.len();

/// An entry of the static table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    start: u16,
    name_len: u8,
    value_len: u8,
}

impl Entry {
    /// The entry at `index`, 1 to 61.
    pub(crate) fn at(index: usize) -> Option<Self> {
        ENTRIES.get(index.checked_sub(1)?).copied()
    }

    /// Name and value, which most have empty.
    pub(crate) fn pieces(self) -> (Piece, Piece) {
        let name_len = u16::from(self.name_len & !SAME_NAME);
        Piece::pair(Region::Static, self.start, name_len, u16::from(self.value_len))
    }

    fn name(self) -> &'static [u8] {
        self.pieces().0.of(&TEXT)
    }

    fn value(self) -> &'static [u8] {
        self.pieces().1.of(&TEXT)
    }
}

/// What the static table knows of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// The entry at this index has the name and the value.
    Field(u8),
    /// The entry at this index, the lowest one, has the name.
    Name(u8),
    /// No entry has the name.
    None,
}

/// Searches by name, then by value.
pub(crate) fn find(name: &[u8], value: &[u8]) -> Match {
    let Some(first) = find_name(name) else {
        return Match::None;
    };
    let mut index = first;
    // Entries of one name are neighbours. An empty value in the table stands for "no value" in all but the
    // letter of appendix A, by which it is a match for an empty value like any other.
    while let Some(entry) = Entry::at(usize::from(index)) {
        if index != first && entry.name_len & SAME_NAME == 0 {
            break;
        }
        if entry.value() == value {
            return Match::Field(index);
        }
        index = index.wrapping_add(1);
    }
    Match::Name(first)
}

/// The lowest index with this name.
fn find_name(name: &[u8]) -> Option<u8> {
    let mut slot = hash(name);
    // The table is never full, so a search ends at an empty slot.
    loop {
        let index = *HASH.get(usize::from(slot)).filter(|index| **index != 0)?;
        if Entry::at(usize::from(index))?.name() == name {
            return Some(index);
        }
        slot = slot.wrapping_add(1) & HASH_MASK;
    }
}

/// The factors were searched for: two of the 52 names need a second probe.
const fn hash(name: &[u8]) -> u8 {
    let (last, middle) = match (name.last(), name.split_at_checked(name.len() / 2)) {
        (Some(last), Some((_, [middle, ..]))) => (*last, *middle),
        _ => return 0,
    };
    let [length, ..] = name.len().to_le_bytes();
    let sum = length
        .wrapping_mul(6)
        .wrapping_add(last.wrapping_mul(22))
        .wrapping_add(middle.wrapping_mul(17));
    sum & HASH_MASK
}

/// The text that entries are pieces of.
pub(crate) fn text() -> &'static [u8] {
    &TEXT
}

/// Set in `name_len` where the name is that of the entry before.
const SAME_NAME: u8 = 0x80;

const HASH_MASK: u8 = 127;

/// Names, each followed by its value.
static TEXT: [u8; TEXT_LEN] = make::text();

static ENTRIES: [Entry; LEN] = make::entries();

/// Open addressing with linear probing; 0 is an empty slot.
static HASH: [u8; HASH_MASK as usize + 1] = make::hash_table();

const TEXT_LEN: usize = make::text_len();

const SOURCE: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Evaluated by the compiler only: an index or a sum that is wrong is a compile error.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]
mod make {
    use super::{Entry, HASH_MASK, LEN, SAME_NAME, SOURCE, TEXT_LEN, hash};

    pub(super) const fn text_len() -> usize {
        let mut sum = 0;
        let mut entry = 0;
        while entry < LEN {
            sum += SOURCE[entry].0.len() + SOURCE[entry].1.len();
            entry += 1;
        }
        sum
    }

    pub(super) const fn text() -> [u8; TEXT_LEN] {
        let mut text = [0; TEXT_LEN];
        let mut at = 0;
        let mut entry = 0;
        while entry < LEN {
            at = append(&mut text, at, SOURCE[entry].0.as_bytes());
            at = append(&mut text, at, SOURCE[entry].1.as_bytes());
            entry += 1;
        }
        text
    }

    const fn append(text: &mut [u8; TEXT_LEN], at: usize, piece: &[u8]) -> usize {
        let mut octet = 0;
        while octet < piece.len() {
            text[at + octet] = piece[octet];
            octet += 1;
        }
        at + piece.len()
    }

    pub(super) const fn entries() -> [Entry; LEN] {
        let mut entries = [Entry {
            start: 0,
            name_len: 0,
            value_len: 0,
        }; LEN];
        let mut start = 0;
        let mut entry = 0;
        while entry < LEN {
            let (name, value) = SOURCE[entry];
            let same = if has_name_of_predecessor(entry) {
                SAME_NAME
            } else {
                0
            };
            entries[entry] = Entry {
                start: start as u16,
                name_len: name.len() as u8 | same,
                value_len: value.len() as u8,
            };
            start += name.len() + value.len();
            entry += 1;
        }
        assert!(start <= u16::MAX as usize);
        entries
    }

    pub(super) const fn hash_table() -> [u8; HASH_MASK as usize + 1] {
        let mut slots = [0; HASH_MASK as usize + 1];
        let mut entry = 0;
        while entry < LEN {
            if !has_name_of_predecessor(entry) {
                let mut slot = hash(SOURCE[entry].0.as_bytes());
                while slots[slot as usize] != 0 {
                    slot = (slot + 1) & HASH_MASK;
                }
                slots[slot as usize] = entry as u8 + 1;
            }
            entry += 1;
        }
        slots
    }

    const fn has_name_of_predecessor(entry: usize) -> bool {
        if entry == 0 {
            return false;
        }
        let (a, b) = (SOURCE[entry - 1].0.as_bytes(), SOURCE[entry].0.as_bytes());
        let mut octet = 0;
        while octet < a.len() && octet < b.len() && a[octet] == b[octet] {
            octet += 1;
        }
        octet == a.len() && octet == b.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, LEN, Match, SOURCE, find};

    #[test]
    fn entries_are_those_of_appendix_a() {
        for (at, (name, value)) in SOURCE.iter().enumerate() {
            let entry = Entry::at(at + 1).unwrap();
            assert_eq!((entry.name(), entry.value()), (name.as_bytes(), value.as_bytes()));
        }
        assert!(Entry::at(0).is_none());
        assert!(Entry::at(LEN + 1).is_none());
    }

    #[test]
    fn find_returns_every_entry_by_field_and_the_lowest_by_name() {
        for (at, (name, value)) in SOURCE.iter().enumerate() {
            let index = u8::try_from(at + 1).unwrap();
            let lowest = SOURCE.iter().position(|entry| entry.0 == *name).unwrap() + 1;
            assert_eq!(find(name.as_bytes(), value.as_bytes()), Match::Field(index));
            assert_eq!(
                find(name.as_bytes(), b"\0"),
                Match::Name(u8::try_from(lowest).unwrap())
            );
        }
    }

    #[test]
    fn find_knows_no_other_name() {
        for name in [
            &b""[..],
            b"t",
            b"te",
            b":",
            b":pat",
            b":pathx",
            b"grpc-timeout",
            b"x",
            &[255; 300],
        ] {
            assert_eq!(find(name, b""), Match::None);
        }
    }
}
