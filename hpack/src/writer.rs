//! The caller's output buffer, filled from the front.

/// A lent buffer and how much of it is written.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    written: usize,
}

impl<'b> Writer<'b> {
    /// Writes to `buffer` from its first octet on.
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, written: 0 }
    }

    /// Octets written so far.
    pub const fn written(&self) -> usize {
        self.written
    }

    /// Octets still free.
    pub const fn remaining(&self) -> usize {
        self.buffer.len().saturating_sub(self.written)
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(..self.written).unwrap_or_default()
    }
}
