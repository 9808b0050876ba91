//! One HTTP/2 connection and the slots of its calls: what both sides do with them.
//!
//! Sans-IO, like the layer below: the drivers move octets and tell the time, the calls move themselves.

use core::task::{Poll, Waker};

use h2_lite::{Connection, Instant, StreamKey, Transmit, UseError};

use crate::codec::{self, Framed};
use crate::credit::SMALL_DATA;
use crate::framing::PREFIX_LEN;
use crate::slot::{Front, RecvBuffer, Slot, SlotKey, SlotState};
use crate::turns::{Turns, Wants};

/// A connection, its slots, and its driver.
pub(crate) struct Link<'r, H> {
    pub(crate) conn: Connection<'r>,
    pub(crate) slots: &'r mut [Slot<'r, H>],
    driver: Option<Waker>,
    pub(crate) turns: Turns,
    /// How long a call may wait for any window. `None`: as long as its deadline allows.
    pub(crate) window_timeout_ms: Option<u64>,
}

/// Why nothing could be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// Not now: the caller waits.
    NotNow,
    /// No new stream on this connection, ever.
    GoingAway,
    /// The header fields will never fit.
    TooLarge,
    /// A header field that HTTP/2 does not allow.
    InvalidField,
    /// The peer has opened no window for as long as it may take.
    NoWindow,
    /// The stream or the connection is over: the call's outcome says why, or soon will.
    Over,
}

impl<'r, H> Link<'r, H> {
    pub(crate) fn new(conn: Connection<'r>, slots: &'r mut [Slot<'r, H>]) -> Self {
        Self {
            conn,
            slots,
            driver: None,
            turns: Turns::default(),
            window_timeout_ms: None,
        }
    }

    // What a driver does.

    pub(crate) fn set_driver(&mut self, waker: &Waker) {
        match &mut self.driver {
            Some(kept) => kept.clone_from(waker),
            None => self.driver = Some(waker.clone()),
        }
    }

    pub(crate) fn wake_driver(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }

    /// Encodes what is owed and lends the send buffer.
    pub(crate) fn take_transmit(&mut self, now: Instant) -> Option<Transmit<'r>> {
        let held = !self.conn.wants_input();
        let transmit = self.conn.take_transmit(now);
        if transmit.is_none() {
            self.end_giving_way();
        }
        self.resume_reading(held);
        transmit
    }

    /// Takes the send buffer back; whoever waits for room may ask again.
    pub(crate) fn give_back(&mut self, transmit: Transmit<'r>, written: usize, now: Instant) {
        let held = !self.conn.wants_input();
        self.conn.give_back(transmit, written, now);
        self.resume_reading(held);
        self.begin_turns();
    }

    /// Wakes everybody: windows or limits may have changed for any of them; there are few.
    pub(crate) fn wake_all(&mut self) {
        for slot in self.slots.iter_mut() {
            slot.wake();
        }
        self.wake_driver();
    }

    /// Input was held until something was written: the driver may read again.
    fn resume_reading(&self, held: bool) {
        if held && self.conn.wants_input() {
            self.wake_driver();
        }
    }

    // What a call does.

    /// The slot of a call.
    pub(crate) fn slot(&mut self, key: SlotKey) -> Option<&mut Slot<'r, H>> {
        find(self.slots, key)
    }

    /// Sends what credit and room allow of a message. `sent` counts the octets of prefix and message that have gone.
    pub(crate) fn poll_send_message(
        &mut self,
        key: SlotKey,
        framed: &Framed<'_>,
        sent: &mut usize,
        now: Instant,
    ) -> Poll<Result<(), SendError>> {
        let Framed { message, prefix, end } = *framed;
        let total = message.message_len().saturating_add(PREFIX_LEN);
        let left = total.saturating_sub(*sent);
        let skip = *sent;
        let mut fill = |to: &mut [u8]| codec::write_framed(message, prefix, skip, to);
        match self.send_piece(key, left, end, &mut fill, now) {
            Ok(len) => {
                *sent = sent.saturating_add(len);
                if len == left {
                    Poll::Ready(Ok(()))
                } else {
                    Poll::Pending
                }
            }
            Err(SendError::NotNow) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Sends one DATA frame of at most `left` octets; returns how many. That is one turn of the round robin: whoever
    /// has more waits for the next. `end`: END_STREAM comes with the last of `left` octets, which may be none.
    pub(crate) fn send_piece(
        &mut self,
        key: SlotKey,
        left: usize,
        end: bool,
        fill: &mut dyn FnMut(&mut [u8]),
        now: Instant,
    ) -> Result<usize, SendError> {
        let stream = find(self.slots, key)
            .and_then(|slot| slot.stream())
            .ok_or(SendError::Over)?;
        if left > 0 && self.awaits_window(key, stream, left, now)? {
            if let Some(slot) = find(self.slots, key) {
                slot.turn.stand_aside();
            }
            return Err(SendError::NotNow);
        }
        let room = self.conn.data_room(stream).map_err(SendError::from)?;
        // Spec: grpc-message-boundaries
        let len = left.min(room);
        // A small piece waits while other output is ahead of it: receivers charge for small frames, and HEADERS
        // would find no room.
        let waits = len < left.min(SMALL_DATA) && self.conn.wants_transmit();
        if left > 0 && (waits || len == 0 || self.gives_way(key)) {
            self.set_wants(key, Wants::Data);
            return Err(SendError::NotNow);
        }
        let sent = self.conn.send_data(stream, len, end && len == left, fill, now);
        self.note_sent(key, sent, if len < left { Wants::Data } else { Wants::Nothing })?;
        if left > 0 {
            self.turns.last = key.index;
            let window = self.conn.send_window(stream);
            self.note_window(key, window, (len, left.saturating_sub(len)), now);
        }
        Ok(len)
    }

    /// What has arrived of the next message. Asks the peer for the rest of it, if that is under way. What is left of a
    /// message that was taken in pieces is given up first.
    pub(crate) fn front(&mut self, key: SlotKey) -> Front {
        if !self.skip_opened(key) {
            return Front::Partial { missing: 1 };
        }
        let Some(slot) = find(self.slots, key) else {
            return Front::Empty;
        };
        let front = slot.recv.front();
        if let (Front::Partial { missing }, Some(stream)) = (front, slot.stream()) {
            // Else both sides could wait: the peer for credit, this one for the rest of the message.
            self.conn
                .require_capacity(stream, u32::try_from(missing).unwrap_or(u32::MAX));
            if self.conn.wants_transmit() {
                self.wake_driver();
            }
        }
        front
    }

    /// Gives up the first `octets` of what has arrived: their memory is free, and the peer gets credit for them.
    pub(crate) fn consume(&mut self, key: SlotKey, octets: usize) {
        self.free(key, |recv| recv.consume(octets));
    }

    /// Begins to take the message at the front, of `len` octets, in pieces: its prefix is given up.
    pub(crate) fn open_message(&mut self, key: SlotKey, len: usize) {
        self.consume(key, PREFIX_LEN);
        if let Some(slot) = find(self.slots, key) {
            slot.recv.open(len);
        }
    }

    /// Takes up to `octets` of the message that [`Self::open_message`] began: `take` is given the front of what has
    /// arrived of it, and says how many it took. Returns that; 0 where nothing has arrived, or all was taken.
    pub(crate) fn take_octets(
        &mut self,
        key: SlotKey,
        octets: usize,
        take: &mut dyn FnMut(&[u8]) -> usize,
    ) -> usize {
        let Some(slot) = find(self.slots, key) else {
            return 0;
        };
        let there = slot.recv.piece();
        let piece = there.get(..octets.min(there.len())).unwrap_or_default();
        if piece.is_empty() {
            return 0;
        }
        let taken = take(piece).min(piece.len());
        self.free(key, |recv| recv.consume_piece(taken));
        taken
    }

    /// Gives up what is left of a message that was taken in pieces. False: some of it has not arrived.
    pub(crate) fn skip_opened(&mut self, key: SlotKey) -> bool {
        let Some(slot) = find(self.slots, key) else {
            return true;
        };
        let there = slot.recv.piece().len();
        let whole = there == slot.recv.opened();
        if there > 0 {
            self.free(key, |recv| recv.consume_piece(there));
        }
        whole
    }

    /// Frees memory of a receive buffer; the peer gets credit for it.
    fn free(&mut self, key: SlotKey, free: impl FnOnce(&mut RecvBuffer<'r>)) {
        let Some(slot) = find(self.slots, key) else { return };
        let before = slot.recv.room();
        free(&mut slot.recv);
        let freed = slot.recv.room().saturating_sub(before);
        if let Some(stream) = slot.stream() {
            self.conn
                .release_capacity(stream, u32::try_from(freed).unwrap_or(u32::MAX));
            if self.conn.wants_transmit() {
                self.wake_driver();
            }
        }
    }
}

pub(crate) fn find<'s, 'r, H>(slots: &'s mut [Slot<'r, H>], key: SlotKey) -> Option<&'s mut Slot<'r, H>> {
    slots
        .get_mut(usize::from(key.index))
        .filter(|slot| slot.generation == key.generation)
}

pub(crate) fn of_stream<'s, 'r, H>(
    slots: &'s mut [Slot<'r, H>],
    stream: StreamKey,
) -> Option<&'s mut Slot<'r, H>> {
    slots
        .get_mut(usize::from(stream.slot))
        .filter(|slot| slot.state == SlotState::Open(stream))
}

impl From<UseError> for SendError {
    fn from(error: UseError) -> Self {
        match error {
            UseError::NoRoom | UseError::TooManyStreams | UseError::SlotBusy => Self::NotNow,
            UseError::GoingAway | UseError::StreamIdsExhausted => Self::GoingAway,
            UseError::TooLarge { .. } => Self::TooLarge,
            UseError::InvalidField => Self::InvalidField,
            UseError::WrongState | UseError::Closed => Self::Over,
        }
    }
}
