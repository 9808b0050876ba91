//! What can go wrong: on the way in a malformed block, on the way out a full buffer.

use core::fmt;

/// Why a header block cannot be decoded. For HTTP/2 each of them is a connection error of type
/// COMPRESSION_ERROR, because the two ends no longer agree about the dynamic table.
///
/// Spec: RFC 7541, RFC 9113 section 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// An index is 0, or beyond both tables (RFC 7541 sections 2.3.3 and 6.1).
    InvalidIndex,
    /// An integer is above 2^32 - 1, or has more than five continuation octets (section 5.1).
    IntegerOverflow,
    /// A Huffman-coded string contains the EOS symbol (section 5.2).
    HuffmanEos,
    /// A Huffman-coded string ends with more than 7 bits of padding, or not with ones (section 5.2).
    HuffmanPadding,
    /// A dynamic table size update follows a field of the same block (section 4.2).
    SizeUpdatePosition,
    /// A dynamic table size update is above the limit (section 6.3).
    SizeUpdateTooLarge,
    /// The maximum was reduced below what the table holds, and no size update came (section 4.2).
    SizeUpdateMissing,
    /// The header block ended inside a field.
    Truncated,
}

impl DecodeError {
    /// The error in a few words, for a log or for GOAWAY debug data.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::InvalidIndex => "HPACK index is 0 or beyond the tables",
            Self::IntegerOverflow => "HPACK integer too long or too large",
            Self::HuffmanEos => "HPACK Huffman string contains EOS",
            Self::HuffmanPadding => "HPACK Huffman padding is wrong",
            Self::SizeUpdatePosition => "HPACK size update after a field",
            Self::SizeUpdateTooLarge => "HPACK size update above the limit",
            Self::SizeUpdateMissing => "HPACK size update missing",
            Self::Truncated => "HPACK block ends inside a field",
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for DecodeError {}

/// The output buffer cannot take what was to be written; nothing was written and no table changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferFull {
    /// Octets that must be free for this call to succeed.
    pub needed: usize,
}

impl fmt::Display for BufferFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "buffer full: {} octets needed", self.needed)
    }
}

impl core::error::Error for BufferFull {}
