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

    /// The next `len` octets, counted as written. The caller has checked [`remaining`](Self::remaining).
    pub(crate) fn take(&mut self, len: usize) -> Slots<'_> {
        let free = self.buffer.get_mut(self.written..).unwrap_or_default();
        let taken = free.get_mut(..len).unwrap_or_default();
        self.written = self.written.saturating_add(taken.len());
        taken.iter_mut()
    }
}

/// Octets to write, in order.
pub(crate) type Slots<'a> = core::slice::IterMut<'a, u8>;

/// Writes one. There is always room, because lengths are measured before; were there none, nothing happens.
pub(crate) fn put(slots: &mut Slots<'_>, octet: u8) {
    if let Some(slot) = slots.next() {
        *slot = octet;
    }
}
