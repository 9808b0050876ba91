//! The one output buffer: frames are encoded into it, and it is lent out whole to be written.

use core::cell::Cell;

use crate::frame::{Data, FrameHeader, StreamId};

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
    /// The last frame here, if it is DATA that more can be put into.
    data: Option<OpenData>,
}

/// A DATA frame at the end of the buffer that has not been lent out.
#[derive(Clone, Copy, Debug)]
struct OpenData {
    /// Where its header begins.
    at: usize,
    stream_id: StreamId,
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
            data: None,
        }
    }

    /// Forgets what was to be sent; a buffer that is out becomes stale.
    pub(crate) const fn reset(&mut self) {
        self.len = 0;
        self.data = None;
        self.generation = self.generation.wrapping_add(1);
    }

    /// Lends the buffer out, if it is here and holds anything.
    pub(crate) fn take(&mut self) -> Option<Transmit<'m>> {
        if self.out || self.len == 0 {
            return None;
        }
        self.out = true;
        self.data = None;
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
        self.data = None;
        true
    }

    /// Appends DATA of exactly `length` octets, which `fill` writes. What is ready together shares a frame: where the
    /// last frame here is DATA of the same stream, it grows, to `max_frame_size` at most. False: no room.
    pub(crate) fn push_data(
        &mut self,
        data: Data,
        max_frame_size: u32,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> bool {
        let open = self.data.filter(|open| open.stream_id == data.stream_id);
        let joined = open.and_then(|open| {
            let before = self.len.checked_sub(open.at)?.checked_sub(FrameHeader::LEN)?;
            let length = u32::try_from(before).ok()?.checked_add(data.length)?;
            (length <= max_frame_size).then_some((open.at, length))
        });
        let payload_at = if joined.is_some() { 0 } else { FrameHeader::LEN };
        let (at, whole) = joined.unwrap_or((self.len, data.length));
        let Ok(length) = usize::try_from(data.length) else {
            return false;
        };
        let Some(payload) = self
            .spare()
            .get_mut(payload_at..payload_at.saturating_add(length))
        else {
            return false;
        };
        fill(payload);
        let end = at.saturating_add(FrameHeader::LEN);
        let Some(header) = self.buffer.get_mut(at..end) else {
            return false;
        };
        let data = Data {
            length: whole,
            ..data
        };
        for (slot, octet) in header.iter_mut().zip(data.encode()) {
            *slot = octet;
        }
        self.commit(payload_at.saturating_add(length));
        let stream_id = data.stream_id;
        self.data = (!data.end_stream).then_some(OpenData { at, stream_id });
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
        self.data = None;
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
