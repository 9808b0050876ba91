//! The place of one call on a connection: its receive buffer, what has come back, and whom to wake.

use core::task::Waker;

use h2_lite::StreamKey;

use crate::metadata::ReceivedMetadata;
use crate::response::Response;

/// Names a slot for as long as one call has it: a stale key is told from a live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotKey {
    pub(crate) index: u8,
    pub(crate) generation: u32,
}

/// Memory and state of one call. [`Resources`](crate::Resources) holds `STREAMS` of them.
#[derive(Debug)]
pub(crate) struct Slot<'r> {
    pub(crate) generation: u32,
    pub(crate) state: SlotState,
    pub(crate) response: Response,
    pub(crate) recv: RecvBuffer<'r>,
    pub(crate) store: ReceivedMetadata<'r>,
    pub(crate) waker: Option<Waker>,
}

/// Who uses the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotState {
    Free,
    /// A call has it; no HEADERS have been sent.
    Held,
    /// A call has it, on this stream.
    Open(StreamKey),
    /// Its call is gone; free again when the stream's RST_STREAM is in the send buffer.
    Abandoned,
}

impl<'r> Slot<'r> {
    pub(crate) const fn new(recv: &'r mut [u8], store: &'r mut [u8]) -> Self {
        Self {
            generation: 0,
            state: SlotState::Free,
            response: Response::new(),
            recv: RecvBuffer { memory: recv, len: 0 },
            store: ReceivedMetadata::new(store),
            waker: None,
        }
    }

    pub(crate) const fn stream(&self) -> Option<StreamKey> {
        match self.state {
            SlotState::Open(stream) => Some(stream),
            _ => None,
        }
    }

    /// Whether its connection is still needed: for a response, or to send RST_STREAM.
    pub(crate) fn is_busy(&self) -> bool {
        match self.state {
            SlotState::Free | SlotState::Held => false,
            SlotState::Open(_) => self.response.outcome().is_none(),
            SlotState::Abandoned => true,
        }
    }

    /// Empties what an earlier call, or an earlier attempt, left.
    pub(crate) fn begin(&mut self, keep_metadata: bool) {
        self.response.begin(keep_metadata);
        self.recv.len = 0;
        self.store.clear();
        self.state = SlotState::Held;
    }

    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Gathers a message from the pieces in which it arrives. Its length is the stream's flow-control window, so
/// a peer that obeys flow control never overruns it.
#[derive(Debug)]
pub(crate) struct RecvBuffer<'r> {
    memory: &'r mut [u8],
    len: usize,
}

impl RecvBuffer<'_> {
    pub(crate) fn octets(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Appends all of `bytes`, or says that they do not fit.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> bool {
        let end = self.len.saturating_add(bytes.len());
        let Some(room) = self.memory.get_mut(self.len..end) else {
            return false;
        };
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len = end;
        true
    }
}
