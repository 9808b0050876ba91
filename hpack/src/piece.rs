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

/// A string in one of the regions, valid until the next octet is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where.
    pub(crate) region: Region,
    /// First octet.
    pub(crate) start: usize,
    /// Number of octets.
    pub(crate) len: usize,
}

impl Piece {
    /// A name and the value behind it.
    pub(crate) const fn pair(
        region: Region,
        start: usize,
        name_len: usize,
        value_len: usize,
    ) -> (Self, Self) {
        let value_start = start.saturating_add(name_len);
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
}
