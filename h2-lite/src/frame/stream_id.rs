//! Stream identifiers.
//!
//! Spec: RFC 9113 sections 4.1 and 5.1.1.

/// A 31-bit stream identifier. 0 names the connection itself; clients open odd streams, servers even ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId(u32);

impl StreamId {
    /// Stream 0: the connection.
    pub const CONNECTION: Self = Self(0);
    /// The largest identifier there is, 2^31 - 1.
    pub const MAX: Self = Self(0x7fff_ffff);

    /// The identifier in the low 31 bits of `value`; the reserved bit is ignored on receipt (section 4.1).
    #[must_use]
    pub const fn new(value: u32) -> Self {
        // Spec: h2-4.1-reserved-bit
        Self(value & Self::MAX.0)
    }

    /// The identifier as a number, 0 to 2^31 - 1.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// True for stream 0.
    #[must_use]
    pub const fn is_connection(self) -> bool {
        self.0 == 0
    }

    /// True if a client opens streams of this number (section 5.1.1).
    #[must_use]
    pub const fn is_client_initiated(self) -> bool {
        self.0 & 1 == 1
    }
}
