//! The place of one call on a connection: its receive buffer, what has come, and whom to wake.

use core::task::Waker;

use h2_lite::StreamKey;

use crate::framing::{self, PREFIX_LEN};
use crate::metadata::ReceivedMetadata;
use crate::turns::Turn;

/// Names a slot for as long as one call has it: a stale key is told from a live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotKey {
    pub(crate) index: u8,
    pub(crate) generation: u32,
}

/// Memory and state of one call. `H` is what its headers said: a response's to a client, a request's to a server.
#[derive(Debug)]
pub(crate) struct Slot<'r, H> {
    pub(crate) generation: u32,
    pub(crate) state: SlotState,
    pub(crate) head: H,
    pub(crate) recv: RecvBuffer<'r>,
    pub(crate) store: ReceivedMetadata<'r>,
    /// Whoever waits for messages or for the end.
    pub(crate) receiver: Option<Waker>,
    /// Whoever waits for room or credit. A unary call is both.
    pub(crate) sender: Option<Waker>,
    pub(crate) turn: Turn,
}

/// Who uses the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotState {
    Free,
    /// A call has it; it has no stream yet.
    Held,
    /// A call has it, on this stream.
    Open(StreamKey),
    /// Its call is gone; free again when the stream's RST_STREAM is in the send buffer.
    Abandoned,
}

impl<'r, H> Slot<'r, H> {
    pub(crate) const fn new(head: H, recv: &'r mut [u8], store: &'r mut [u8]) -> Self {
        Self {
            generation: 0,
            state: SlotState::Free,
            head,
            recv: RecvBuffer::new(recv),
            store: ReceivedMetadata::new(store),
            receiver: None,
            sender: None,
            turn: Turn::NONE,
        }
    }

    pub(crate) const fn stream(&self) -> Option<StreamKey> {
        match self.state {
            SlotState::Open(stream) => Some(stream),
            _ => None,
        }
    }

    pub(crate) fn wake(&mut self) {
        for waker in [self.receiver.take(), self.sender.take()].into_iter().flatten() {
            waker.wake();
        }
    }

    /// Keeps `waker` for what arrives.
    pub(crate) fn set_receiver(&mut self, waker: &Waker) {
        keep(&mut self.receiver, waker);
    }

    /// Keeps `waker` for room to send.
    pub(crate) fn set_sender(&mut self, waker: &Waker) {
        keep(&mut self.sender, waker);
    }
}

fn keep(place: &mut Option<Waker>, waker: &Waker) {
    match place {
        Some(kept) => kept.clone_from(waker),
        None => *place = Some(waker.clone()),
    }
}

/// What lies at the front of a receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// Nothing.
    Empty,
    /// A prefix or a message that has not come whole yet; so many octets are missing, as far as is known.
    Partial { missing: usize },
    /// A whole message of `len` octets, behind its prefix.
    Whole { len: usize },
    /// The beginning of a message of `len` octets, which this buffer can never hold whole.
    TooLarge { len: usize },
    /// A message whose flag is not 0.
    Flag(u8),
}

/// Gathers messages from the pieces in which they arrive. Its length is the stream's flow-control window, so
/// a peer that obeys flow control never overruns it.
#[derive(Debug)]
pub(crate) struct RecvBuffer<'r> {
    memory: &'r mut [u8],
    len: usize,
    /// Octets that are still to come, or to be taken, of a message whose prefix was taken: one that is read in pieces.
    opened: usize,
}

impl<'r> RecvBuffer<'r> {
    pub(crate) const fn new(memory: &'r mut [u8]) -> Self {
        Self {
            memory,
            len: 0,
            opened: 0,
        }
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }

    pub(crate) fn room(&self) -> usize {
        self.memory.len().saturating_sub(self.len)
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.opened = 0;
    }

    /// Begins to take the message at the front, of `len` octets, in pieces. Its prefix is to be consumed.
    pub(crate) fn open(&mut self, len: usize) {
        self.opened = len;
    }

    /// Octets left of the message that is taken in pieces.
    pub(crate) fn opened(&self) -> usize {
        self.opened
    }

    /// What has arrived of the message that is taken in pieces.
    pub(crate) fn piece(&self) -> &[u8] {
        let there = self.octets();
        there.get(..self.opened.min(there.len())).unwrap_or_default()
    }

    /// Drops the first `octets` of that message.
    pub(crate) fn consume_piece(&mut self, octets: usize) {
        let octets = octets.min(self.piece().len());
        self.opened = self.opened.saturating_sub(octets);
        self.consume(octets);
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

    /// Drops the first `octets`; what is behind them moves up.
    pub(crate) fn consume(&mut self, octets: usize) {
        let octets = octets.min(self.len);
        let left = self.len.saturating_sub(octets);
        if left > 0
            && let Some(filled) = self.memory.get_mut(..self.len)
        {
            filled.copy_within(octets.., 0);
        }
        self.len = left;
    }

    /// What lies at the front, as messages. There is no message taken in pieces any more, or all of it was taken.
    pub(crate) fn front(&self) -> Front {
        let octets = self.octets();
        // Spec: grpc-message-boundaries
        let Some(prefix) = framing::parse(octets) else {
            return match octets.len() {
                0 => Front::Empty,
                have => Front::Partial {
                    missing: PREFIX_LEN.saturating_sub(have),
                },
            };
        };
        // Spec: grpc-flag-unknown, grpc-flag-without-encoding
        if prefix.flag != 0 {
            return Front::Flag(prefix.flag);
        }
        let len = usize::try_from(prefix.len).unwrap_or(usize::MAX);
        let whole = len.saturating_add(PREFIX_LEN);
        // Spec: grpc-request-too-large, grpc-response-too-large
        if whole > self.capacity() {
            Front::TooLarge { len }
        } else if octets.len() < whole {
            Front::Partial {
                missing: whole.saturating_sub(octets.len()),
            }
        } else {
            Front::Whole { len }
        }
    }

    /// The octets of the message that `front` said is whole.
    pub(crate) fn message(&self, len: usize) -> &[u8] {
        let end = len.saturating_add(PREFIX_LEN);
        self.octets().get(PREFIX_LEN..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: grpc-message-boundaries
    #[test]
    fn messages_are_found_whatever_the_pieces_and_what_follows_moves_up() {
        let mut memory = [0; 16];
        let mut recv = RecvBuffer::new(&mut memory);
        assert_eq!(recv.front(), Front::Empty);
        assert!(recv.append(&[0, 0, 0]));
        assert_eq!(recv.front(), Front::Partial { missing: 2 });
        assert!(recv.append(&[0, 2, 7]));
        assert_eq!(recv.front(), Front::Partial { missing: 1 });
        assert!(recv.append(&[8, 0, 0, 0, 0, 1]));
        assert_eq!(recv.front(), Front::Whole { len: 2 });
        assert_eq!(recv.message(2), [7, 8]);
        recv.consume(7);
        assert_eq!(recv.front(), Front::Partial { missing: 1 });
        assert!(recv.append(&[9]));
        assert_eq!(recv.message(1), [9]);
        assert!(!recv.append(&[0; 11]), "there is room for 10");
        recv.consume(100);
        assert_eq!((recv.front(), recv.room()), (Front::Empty, 16));
    }

    #[test]
    fn a_message_that_can_never_be_whole_here_and_a_flag_are_known_at_the_prefix() {
        let mut memory = [0; 16];
        let mut recv = RecvBuffer::new(&mut memory);
        recv.append(&[0, 0, 0, 0, 11]);
        assert_eq!(recv.front(), Front::Partial { missing: 11 });
        recv.clear();
        recv.append(&[0, 0, 0, 0, 12]);
        assert_eq!(recv.front(), Front::TooLarge { len: 12 });
        recv.clear();
        recv.append(&[1, 0, 0, 0, 0]);
        assert_eq!(recv.front(), Front::Flag(1));
    }
}
