//! The one output buffer: frames are encoded into it, and it is lent out whole to be written.

use core::cell::Cell;

/// Octets that DATA and HEADERS leave free: PING ACK, SETTINGS ACK, WINDOW_UPDATE and RST_STREAM always fit.
pub(crate) const RESERVE: usize = 64;

/// Output on its way: the send buffer itself, so that no copy is made and no borrow of the connection lives
/// while it is written. Goes back with [`Connection::give_back`](crate::Connection::give_back).
///
/// Dropping it instead loses the buffer: the connection can then never send again, not even after
/// [`Connection::reset`](crate::Connection::reset), and fails by its write-stall timeout.
#[derive(Debug)]
#[must_use = "give the buffer back to the connection with the number of octets written"]
pub struct Transmit<'m> {
    buffer: &'m mut [u8],
    len: usize,
    generation: u32,
}

impl Transmit<'_> {
    /// What is to be written, in this order; never empty.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

/// The buffer while it is here, and the memory of it while it is out.
#[derive(Debug)]
pub(crate) struct SendBuffer<'m> {
    buffer: &'m mut [u8],
    capacity: usize,
    len: usize,
    out: bool,
    generation: u32,
}

impl<'m> SendBuffer<'m> {
    pub(crate) const fn new(buffer: &'m mut [u8]) -> Self {
        let capacity = buffer.len();
        Self {
            buffer,
            capacity,
            len: 0,
            out: false,
            generation: 0,
        }
    }

    /// Forgets what was to be sent; a buffer that is out becomes stale.
    pub(crate) const fn reset(&mut self) {
        self.len = 0;
        self.generation = self.generation.wrapping_add(1);
    }

    /// Lends the buffer out, if it is here and holds anything.
    pub(crate) fn take(&mut self) -> Option<Transmit<'m>> {
        if self.out || self.len == 0 {
            return None;
        }
        self.out = true;
        let len = core::mem::take(&mut self.len);
        Some(Transmit {
            buffer: core::mem::take(&mut self.buffer),
            len,
            generation: self.generation,
        })
    }

    /// Takes the buffer back; what was not written moves to the front. Content from before a reset is dropped.
    pub(crate) fn give_back(&mut self, transmit: Transmit<'m>, written: usize) {
        let Transmit {
            buffer,
            len,
            generation,
        } = transmit;
        let stale = generation != self.generation;
        let written = if stale { len } else { written.min(len) };
        self.buffer = buffer;
        self.capacity = self.buffer.len();
        self.out = false;
        self.len = len.saturating_sub(written);
        // As `copy_within`, without its panics.
        let cells = Cell::from_mut(&mut *self.buffer).as_slice_of_cells();
        for (to, from) in cells.iter().zip(cells.iter().skip(written)).take(self.len) {
            to.set(from.get());
        }
    }

    /// Appends a whole control frame, or nothing. The reserve is theirs.
    pub(crate) fn push(&mut self, frame: &[u8]) -> bool {
        let Some(end) = self.len.checked_add(frame.len()) else {
            return false;
        };
        let Some(room) = self.buffer.get_mut(self.len..end) else {
            return false;
        };
        for (slot, octet) in room.iter_mut().zip(frame) {
            *slot = *octet;
        }
        self.len = end;
        true
    }

    /// Free room for DATA and HEADERS: all but the reserve. Empty while the buffer is out.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        let end = self.capacity.saturating_sub(RESERVE);
        self.buffer.get_mut(self.len..end).unwrap_or_default()
    }

    /// The length of `spare`.
    pub(crate) const fn room(&self) -> usize {
        if self.out {
            0
        } else {
            self.capacity.saturating_sub(RESERVE).saturating_sub(self.len)
        }
    }

    /// The most that `room` can ever be.
    pub(crate) const fn max_room(&self) -> usize {
        self.capacity.saturating_sub(RESERVE)
    }

    /// Makes the first `octets` of `spare` part of the output.
    pub(crate) fn commit(&mut self, octets: usize) {
        self.len = self.len.saturating_add(octets).min(self.buffer.len());
    }

    pub(crate) const fn is_out(&self) -> bool {
        self.out
    }

    /// True if nothing waits here; what is out does not count.
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }
}
