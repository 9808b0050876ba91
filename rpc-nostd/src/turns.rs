//! Whose turn it is to send: the calls of a connection share one send buffer. Without turns the first that is polled and
//! always has something to send would take all of it.
//!
//! DATA goes round robin, a frame each a turn. A section waits for nobody, and DATA waits for it: it would find no room
//! as long as others fill that up again.

use h2_lite::{Instant, UseError};

use crate::credit::Credit;
use crate::link::{Link, SendError, find};
use crate::slot::{Slot, SlotKey};

/// A slot's part in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    wants: Wants,
    /// How often the send buffer has come back since this slot asked for room.
    missed: u8,
    /// It has let another go first since the send buffer came back.
    gave_way: bool,
    pub(crate) credit: Credit,
    /// When the window was used up first, or the last small piece was sent.
    pub(crate) since: Instant,
}

/// What a slot waits to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    Nothing,
    /// A piece of a message.
    Data,
    /// Headers, trailers, or END_STREAM alone, which need their room all at once.
    Section,
}

/// A connection's turns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    /// The slot that sent DATA last: those behind it come first.
    pub(crate) last: u8,
    /// A call has asked for room since the send buffer came back.
    asked: bool,
    /// A call let another go first, and is to be polled again.
    pub(crate) gave_way: bool,
}

impl Turn {
    pub(crate) const NONE: Self = Self {
        wants: Wants::Nothing,
        missed: 0,
        gave_way: false,
        credit: Credit::Open,
        since: Instant::from_millis(0),
    };

    /// It waits for the peer, not for its turn.
    pub(crate) const fn stand_aside(&mut self) {
        self.wants = Wants::Nothing;
    }

    /// The send buffer is back. A call that is polled no more is waited for no more.
    const fn pass(&mut self, asked: bool) {
        self.gave_way = false;
        if asked {
            self.missed = self.missed.saturating_add(1);
        }
        if self.missed > PATIENCE {
            self.wants = Wants::Nothing;
        }
    }
}

impl<H> Link<'_, H> {
    /// What became of a section.
    ///
    /// # Errors
    /// As `sent` says. One that found no room waits for it from now on, and DATA of others with it.
    pub(crate) fn section_sent(&mut self, key: SlotKey, sent: Result<(), UseError>) -> Result<(), SendError> {
        self.note_sent(key, sent, Wants::Nothing)
    }

    /// What became of an attempt to send, after which the call `wants` to send more, or nothing.
    pub(crate) fn note_sent(
        &mut self,
        key: SlotKey,
        sent: Result<(), UseError>,
        wants: Wants,
    ) -> Result<(), SendError> {
        let wants = if sent == Err(UseError::NoRoom) {
            Wants::Section
        } else {
            wants
        };
        self.set_wants(key, wants);
        sent?;
        self.wake_driver();
        Ok(())
    }

    /// The call asks for room now.
    pub(crate) fn set_wants(&mut self, key: SlotKey, wants: Wants) {
        self.turns.asked = true;
        if let Some(slot) = find(self.slots, key) {
            slot.turn.wants = wants;
            slot.turn.missed = 0;
        }
    }

    /// Whether the call, which could send DATA now, lets another go first.
    pub(crate) fn gives_way(&mut self, key: SlotKey) -> bool {
        let behind = |index: u8| index.wrapping_sub(self.turns.last).wrapping_sub(1);
        let mut first = false;
        for (index, slot) in (0u8..).zip(self.slots.iter()) {
            let turn = slot.turn;
            match turn.wants {
                _ if index == key.index => {}
                Wants::Nothing => {}
                // It has found no room; there is more when the send buffer comes back, which wakes all.
                Wants::Section if turn.missed == 0 && self.conn.wants_transmit() => return true,
                Wants::Section => first = true,
                Wants::Data => first |= behind(index) < behind(key.index) && self.has_room(slot),
            }
        }
        let Some(slot) = find(self.slots, key).filter(|_| first) else {
            return false;
        };
        // Once: the other may have nothing to send any more.
        if core::mem::replace(&mut slot.turn.gave_way, true) {
            return false;
        }
        self.turns.gave_way = true;
        self.wake_driver();
        true
    }

    /// The send buffer is back: everybody may ask again.
    pub(crate) fn begin_turns(&mut self) {
        let asked = self.turns.asked;
        self.turns.asked = false;
        self.turns.gave_way = false;
        for slot in self.slots.iter_mut() {
            slot.turn.pass(asked);
            slot.wake();
        }
    }

    /// The driver has found nothing to send: those that gave way need not.
    pub(crate) fn end_giving_way(&mut self) {
        if core::mem::take(&mut self.turns.gave_way) {
            for slot in self.slots.iter_mut() {
                slot.wake();
            }
        }
    }

    fn has_room(&self, slot: &Slot<'_, H>) -> bool {
        let room = slot.stream().map(|stream| self.conn.data_room(stream));
        matches!(room, Some(Ok(1..)))
    }
}

/// How often the send buffer comes back to others before a call that does not ask for room is taken for one that will not:
/// its future may be dropped, or polled no more.
const PATIENCE: u8 = 4;
