//! Where the octets of a string are: what the decoder's parts tell each other instead of a borrow.

/// The memory that a string lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    /// The static table's text.
    Static,
    /// The dynamic table's memory.
    Table,
    /// The scratch.
    Scratch,
}

/// A string in one of the regions, valid until the next octet is decoded. Regions are at most 65,535 octets long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where.
    pub(crate) region: Region,
    /// First octet.
    pub(crate) start: u16,
    /// Number of octets.
    pub(crate) len: u16,
}

impl Piece {
    /// A name and the value behind it.
    pub(crate) const fn pair(region: Region, start: u16, name_len: u16, value_len: u16) -> (Self, Self) {
        let value_start = start.wrapping_add(name_len);
        (
            Self {
                region,
                start,
                len: name_len,
            },
            Self {
                region,
                start: value_start,
                len: value_len,
            },
        )
    }

    /// The octets, out of the memory of the region.
    pub(crate) fn of(self, memory: &[u8]) -> &[u8] {
        let start = usize::from(self.start);
        memory
            .get(start..start.wrapping_add(usize::from(self.len)))
            .unwrap_or_default()
    }
}

/// More of a region than this is not used.
pub(crate) const MAX_REGION: usize = u16::MAX as usize;

/// A length or a place within a region.
pub(crate) fn within(octets: usize) -> u16 {
    u16::try_from(octets).unwrap_or(u16::MAX)
}
