//! The representations of a header field (RFC 7541 section 6). Called by the decoder.

/// What a representation is, told by the first bits of its first octet.
///
/// ```text
///   1 | index (7+)      indexed                                    section 6.1
///   0 1 | index (6+)    literal with incremental indexing          section 6.2.1
///   0 0 1 | size (5+)   dynamic table size update                  section 6.3
///   0 0 0 1 | index (4+)  literal never indexed                    section 6.2.3
///   0 0 0 0 | index (4+)  literal without indexing                 section 6.2.2
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Indexed,
    Incremental,
    SizeUpdate,
    NeverIndexed,
    Plain,
}

impl Kind {
    /// The kind, and the largest value of its integer's prefix.
    pub(crate) const fn of(octet: u8) -> (Self, u8) {
        match octet {
            0x80.. => (Self::Indexed, 0x7F),
            0x40.. => (Self::Incremental, 0x3F),
            0x20.. => (Self::SizeUpdate, 0x1F),
            0x10.. => (Self::NeverIndexed, 0x0F),
            _ => (Self::Plain, 0x0F),
        }
    }
}
