//! Whose turn it is to send: the calls of a connection share one send buffer, and one task, which polls them in the order
//! of their slots. Without turns the first that always has something to send would take all of it.

use core::task::Poll;

use crate::link::Link;
use crate::server::request::Request;
use crate::server::session::ServerSession;
use crate::slot::{Slot, SlotKey};
use crate::status::Status;

/// What a call waits to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wants {
    #[default]
    Nothing,
    /// A piece of a message.
    Data,
    /// Headers or trailers, which need their room all at once.
    Section,
}

/// How far a message has come, and whether any of it was sent in this turn.
pub(crate) type Turn<T> = (Poll<Result<T, Status>>, bool);

/// A connection's turns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    /// The slot that sent last: those behind it come first.
    last: u8,
    /// Counts how often the send buffer has come back.
    pub(crate) fill: u8,
}

impl<'r> ServerSession<'r> {
    /// Lets `send` have a turn, if it is this call's.
    pub(crate) fn poll_piece<T>(
        &mut self,
        key: SlotKey,
        send: &mut dyn FnMut(&mut Link<'r, Request<'r>>) -> Turn<T>,
    ) -> Poll<Result<T, Status>> {
        if !self.may_send(key, Wants::Data) {
            return Poll::Pending;
        }
        let (polled, has_sent) = send(&mut self.link);
        if has_sent {
            self.had_turn(key);
        }
        polled
    }

    /// Whether the call may send now. If not, it will be polled again.
    pub(crate) fn may_send(&mut self, key: SlotKey, wants: Wants) -> bool {
        let Some(slot) = self.link.slot(key) else {
            return true;
        };
        slot.head.wants = wants;
        let gave_way = slot.head.gave_way_in == Some(self.turns.fill);
        if wants == Wants::Section {
            return true;
        }
        let others = || {
            (0u8..)
                .zip(self.link.slots.iter())
                .filter(|(index, _)| *index != key.index)
        };
        // A section would find no room as long as others fill it up again.
        if others().any(|(_, slot)| waits_for(slot, Wants::Section)) {
            return false;
        }
        let behind = |index: u8| index.wrapping_sub(self.turns.last).wrapping_sub(1);
        let first = others().any(|(index, slot)| behind(index) < behind(key.index) && self.could_send(slot));
        // Once: the other may have stopped sending.
        let gives_way = first && !gave_way && self.has_room(key);
        if gives_way {
            let fill = self.turns.fill;
            if let Some(slot) = self.link.slot(key) {
                slot.head.gave_way_in = Some(fill);
            }
            self.link.wake_driver();
        }
        !gives_way
    }

    /// The call has sent something.
    fn had_turn(&mut self, key: SlotKey) {
        self.turns.last = key.index;
    }

    /// The call has no more to send for now.
    pub(crate) fn wants_nothing(&mut self, key: SlotKey) {
        let Some(slot) = self.link.slot(key) else { return };
        if core::mem::take(&mut slot.head.wants) == Wants::Section {
            // Others have waited for that.
            self.link.wake_driver();
        }
    }

    fn has_room(&self, key: SlotKey) -> bool {
        let slot = self.link.slots.get(usize::from(key.index));
        slot.is_some_and(|slot| self.has_room_for(slot))
    }

    fn could_send(&self, slot: &Slot<'_, Request<'_>>) -> bool {
        waits_for(slot, Wants::Data) && self.has_room_for(slot)
    }

    fn has_room_for(&self, slot: &Slot<'_, Request<'_>>) -> bool {
        let room = slot.stream().map(|stream| self.link.conn.data_room(stream));
        matches!(room, Some(Ok(1..)))
    }
}

fn waits_for(slot: &Slot<'_, Request<'_>>, wants: Wants) -> bool {
    slot.head.wants == wants && slot.stream().is_some() && !slot.head.cancelled
}
