//! The state that calls and driver share: one HTTP/2 connection, its slots, and who waits.
//!
//! Sans-IO, like the layer below: the drivers move octets and tell the time, the calls move themselves
//! ([`crate::call`]). Nothing here blocks, and nothing here knows which driver is in use.

use core::task::{Poll, Waker};

use h2_lite::{Connection, ConnectionError, ErrorCode, Fields, Instant, Transmit, UseError};

use crate::codec::{self, Outgoing};
use crate::connectivity::{Connectivity, Demand, Gate};
use crate::events;
use crate::framing::PREFIX_LEN;
use crate::response::Outcome;
use crate::slot::{Slot, SlotKey, SlotState};
use crate::status::{Code, Status};
use crate::waiters::{Ticket, Waiters};

/// What one client shares among its calls and its driver.
pub(crate) struct Session<'r> {
    conn: Connection<'r>,
    slots: &'r mut [Slot<'r>],
    waiters: Waiters,
    pub(crate) connectivity: Connectivity,
    driver: Option<Waker>,
    /// Which slot is woken first: it moves on, so that no call takes all the room in the send buffer for ever.
    turn: u8,
}

impl<'r> Session<'r> {
    pub(crate) fn new(conn: Connection<'r>, slots: &'r mut [Slot<'r>], connectivity: Connectivity) -> Self {
        Self {
            conn,
            slots,
            waiters: Waiters::default(),
            connectivity,
            driver: None,
            turn: 0,
        }
    }

    // What a driver does.

    /// Whom to wake when there is something to write, or a connection is wanted.
    pub(crate) fn set_driver(&mut self, waker: &Waker) {
        match &mut self.driver {
            Some(kept) => kept.clone_from(waker),
            None => self.driver = Some(waker.clone()),
        }
    }

    /// A transport is there: a fresh connection begins on it.
    pub(crate) fn connected(&mut self, now: Instant) {
        self.conn.reset(now);
        self.connectivity.transport_up();
    }

    /// Takes octets from the transport until they are used up, or output must be flushed first. Returns what
    /// is left of them.
    ///
    /// # Errors
    /// The connection has failed. Its GOAWAY can still be written; then [`Self::disconnected`] is due.
    pub(crate) fn handle_input<'i>(
        &mut self,
        mut input: &'i [u8],
        now: Instant,
    ) -> Result<&'i [u8], ConnectionError> {
        loop {
            match self.conn.handle_input(&mut input, now) {
                Ok(Some(event)) => {
                    let fruitless = events::handle(self.slots, &mut self.connectivity, &event);
                    if let Some(stream) = fruitless {
                        self.conn.reset_stream(stream, ErrorCode::CANCEL);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.fail_open(error.reason);
                    self.wake_driver();
                    return Err(error);
                }
            }
        }
        self.wake_after_input();
        Ok(input)
    }

    /// Whether the transport may be read.
    pub(crate) fn wants_input(&self) -> bool {
        self.conn.wants_input()
    }

    /// Lends the send buffer to the driver, if something is to be written.
    pub(crate) fn take_transmit(&mut self, now: Instant) -> Option<Transmit<'r>> {
        let held = !self.conn.wants_input();
        let transmit = self.conn.take_transmit(now);
        self.reap();
        self.resume_reading(held);
        transmit
    }

    /// Takes the send buffer back; `written` octets of it are on their way.
    pub(crate) fn give_back(&mut self, transmit: Transmit<'r>, written: usize, now: Instant) {
        let held = !self.conn.wants_input();
        self.conn.give_back(transmit, written, now);
        self.resume_reading(held);
        self.turn = self.turn.wrapping_add(1);
        let first = usize::from(self.turn).checked_rem(self.slots.len()).unwrap_or(0);
        let (later, sooner) = self.slots.split_at_mut_checked(first).unwrap_or_default();
        for slot in sooner.iter_mut().chain(later) {
            slot.wake();
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [self.conn.poll_timeout(), self.connectivity.drain_until];
        deadlines.into_iter().flatten().min()
    }

    /// # Errors
    /// A time limit of the connection has passed: it has failed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), ConnectionError> {
        self.conn
            .handle_timeout(now)
            .inspect_err(|error| self.fail_open(error.reason))
    }

    /// Whether the connection is of no more use: failed, or going away with its last stream ended.
    /// One that is going away is given up, too, when calls have waited [`DRAIN_LIMIT_MS`] for its last stream.
    pub(crate) fn is_finished(&mut self, now: Instant) -> bool {
        let idle = !self.slots.iter().any(Slot::is_busy);
        self.conn.is_closed() || (self.connectivity.is_draining() && idle) || self.is_drain_over(now)
    }

    /// Whether calls have waited long enough for the streams of a connection that is going away.
    pub(crate) fn is_drain_over(&mut self, now: Instant) -> bool {
        let awaited = self.slots.iter().any(|slot| slot.state == SlotState::Held);
        if awaited && self.connectivity.is_draining() && self.connectivity.drain_until.is_none() {
            self.connectivity.drain_until = Some(now.saturating_add_millis(DRAIN_LIMIT_MS));
        }
        self.connectivity.drain_until.is_some_and(|until| now >= until)
    }

    /// The transport is gone, or none could be had. Every call under way ends or waits for the next one.
    pub(crate) fn disconnected(&mut self, reason: &'static str, now: Instant) {
        self.fail_open(reason);
        self.connectivity.transport_down(reason, now);
        // What it owed it owes no more: a slot that waits for its RST_STREAM would never be free again.
        self.conn.reset(now);
        for slot in self.slots.iter_mut() {
            if slot.state == SlotState::Abandoned {
                slot.state = SlotState::Free;
            }
            slot.wake();
        }
        self.waiters.wake_all();
    }

    /// What a driver without a connection should do.
    pub(crate) fn poll_demand(&mut self, now: Instant) -> Demand {
        let wanted = self.slots.iter().any(|slot| slot.state == SlotState::Held);
        self.connectivity.demand(wanted, now)
    }

    /// Why the connection ended.
    pub(crate) fn end_reason(&self) -> &'static str {
        self.conn
            .error()
            .map_or("the server is going away", |error| error.reason)
    }

    /// No new calls; those under way go on. The server is told by GOAWAY.
    pub(crate) fn shut_down(&mut self, reason: &'static str, now: Instant) {
        self.conn.go_away(ErrorCode::NO_ERROR, now);
        self.connectivity.shut_down(reason);
        self.connectivity.drain();
        for slot in self.slots.iter_mut() {
            slot.wake();
        }
        self.waiters.wake_all();
        self.wake_driver();
    }

    // What a call does.

    /// Takes a slot, or a place in the queue for one. `ticket` is the call's place, kept between polls.
    pub(crate) fn poll_acquire(
        &mut self,
        ticket: &mut Option<Ticket>,
        keep_metadata: bool,
        waker: &Waker,
    ) -> Poll<Result<SlotKey, Status>> {
        let turn = ticket.map_or(self.waiters.is_empty(), |ticket| self.waiters.is_first(ticket));
        if turn && let Some(key) = self.claim(keep_metadata) {
            self.leave_queue(ticket);
            self.wake_driver();
            return Poll::Ready(Ok(key));
        }
        match *ticket {
            Some(ticket) => self.waiters.update(ticket, waker),
            None => *ticket = self.waiters.join(waker),
        }
        if ticket.is_some() {
            Poll::Pending
        } else {
            Poll::Ready(Err(QUEUE_FULL))
        }
    }

    /// Gives up a place in the queue.
    pub(crate) fn leave_queue(&mut self, ticket: &mut Option<Ticket>) {
        if let Some(ticket) = ticket.take() {
            self.waiters.leave(ticket);
            self.waiters.wake_first();
        }
    }

    /// Whether HEADERS may be sent now, later, or not at all.
    pub(crate) fn gate(&mut self, wait_for_ready: bool) -> Gate {
        self.connectivity.gate(wait_for_ready)
    }

    /// Sends the request's HEADERS once the connection has a stream and room for them.
    pub(crate) fn poll_send_headers(
        &mut self,
        key: SlotKey,
        fields: Fields<'_, 'r>,
        now: Instant,
    ) -> Poll<Result<(), Status>> {
        let Some(slot) = find(self.slots, key) else {
            return Poll::Ready(Err(LOST));
        };
        match self.conn.send_request(key.index, fields, false, now) {
            Ok(stream) => {
                slot.state = SlotState::Open(stream);
                self.wake_driver();
                Poll::Ready(Ok(()))
            }
            Err(error) => self.refused(error),
        }
    }

    /// Sends what credit and room allow of a message, END_STREAM with its last octet. `sent` counts the octets
    /// of prefix and message that have gone. At most one DATA frame a call: that is one turn of the round robin.
    pub(crate) fn poll_send_message(
        &mut self,
        key: SlotKey,
        message: &dyn Outgoing,
        prefix: [u8; PREFIX_LEN],
        sent: &mut usize,
        now: Instant,
    ) -> Poll<Result<(), Status>> {
        let Some(stream) = find(self.slots, key).and_then(|slot| slot.stream()) else {
            return Poll::Ready(Err(LOST));
        };
        let total = message.message_len().saturating_add(PREFIX_LEN);
        let left = total.saturating_sub(*sent);
        let room = match self.conn.data_room(stream) {
            Ok(room) => room,
            Err(error) => return self.refused(error),
        };
        let len = left.min(room);
        // A small piece waits while other output is ahead of it: receivers charge for small frames, and HEADERS
        // would find no room.
        if len == 0 || (len < left.min(SMALL_DATA) && self.conn.wants_transmit()) {
            return Poll::Pending;
        }
        let skip = *sent;
        let mut fill = |to: &mut [u8]| codec::write_framed(message, prefix, skip, to);
        match self.conn.send_data(stream, len, len == left, &mut fill, now) {
            Ok(()) => {
                *sent = sent.saturating_add(len);
                self.wake_driver();
                if *sent == total {
                    Poll::Ready(Ok(()))
                } else {
                    Poll::Pending
                }
            }
            Err(error) => self.refused(error),
        }
    }

    /// The slot of a call.
    pub(crate) fn slot(&mut self, key: SlotKey) -> Option<&mut Slot<'r>> {
        find(self.slots, key)
    }

    /// Keeps `waker` for what comes next on this call.
    pub(crate) fn register(&mut self, key: SlotKey, waker: &Waker) {
        if let Some(slot) = find(self.slots, key) {
            match &mut slot.waker {
                Some(kept) => kept.clone_from(waker),
                None => slot.waker = Some(waker.clone()),
            }
        }
    }

    /// Takes the stream from a call that will be sent again; the call keeps its slot.
    pub(crate) fn restart(&mut self, key: SlotKey, keep_metadata: bool) {
        if let Some(slot) = find(self.slots, key) {
            slot.begin(keep_metadata);
        }
        self.wake_driver();
    }

    /// Ends a call's use of its slot. A stream that is still open is reset with `code`.
    pub(crate) fn release(&mut self, key: SlotKey, code: ErrorCode) {
        let Some(slot) = find(self.slots, key) else { return };
        let stream = slot.stream();
        slot.generation = slot.generation.wrapping_add(1);
        slot.waker = None;
        slot.state = SlotState::Abandoned;
        if let Some(stream) = stream {
            self.conn.reset_stream(stream, code);
        }
        self.reap();
        self.wake_driver();
    }

    // What both do.

    /// Frees the slots whose streams are over, and tells who waits for one.
    fn reap(&mut self) {
        let mut freed = false;
        for (index, slot) in (0u8..).zip(self.slots.iter_mut()) {
            if slot.state == SlotState::Abandoned && self.conn.is_free(index) {
                slot.state = SlotState::Free;
                freed = true;
            }
        }
        if freed {
            self.waiters.wake_first();
            // A stream less: one that waits for MAX_CONCURRENT_STREAMS may open now.
            wake_held(self.slots);
        }
    }

    fn claim(&mut self, keep_metadata: bool) -> Option<SlotKey> {
        let conn = &self.conn;
        let (index, slot) = (0u8..)
            .zip(self.slots.iter_mut())
            .find(|(index, slot)| slot.state == SlotState::Free && conn.is_free(*index))?;
        slot.begin(keep_metadata);
        Some(SlotKey {
            index,
            generation: slot.generation,
        })
    }

    /// What a refusal of the connection means for a call.
    fn refused(&mut self, error: UseError) -> Poll<Result<(), Status>> {
        match error {
            UseError::NoRoom | UseError::TooManyStreams | UseError::SlotBusy => Poll::Pending,
            UseError::GoingAway | UseError::StreamIdsExhausted => {
                // The streams that are open may end; then the driver brings a new connection.
                self.connectivity.drain();
                self.wake_driver();
                Poll::Pending
            }
            UseError::TooLarge { .. } => Poll::Ready(Err(HEADERS_TOO_LARGE)),
            UseError::InvalidField => Poll::Ready(Err(INVALID_FIELD)),
            UseError::WrongState | UseError::Closed => Poll::Pending,
        }
    }

    fn fail_open(&mut self, reason: &'static str) {
        for slot in self.slots.iter_mut() {
            if slot.stream().is_some() {
                slot.response.end(Outcome::Local(Code::UNAVAILABLE, reason));
            }
            slot.wake();
        }
    }

    fn wake_after_input(&mut self) {
        // Windows or limits may have changed for any of them; there are at most STREAMS.
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

    fn wake_driver(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }
}

fn wake_held(slots: &mut [Slot<'_>]) {
    for slot in slots.iter_mut().filter(|slot| slot.state == SlotState::Held) {
        slot.wake();
    }
}

fn find<'s, 'r>(slots: &'s mut [Slot<'r>], key: SlotKey) -> Option<&'s mut Slot<'r>> {
    slots
        .get_mut(usize::from(key.index))
        .filter(|slot| slot.generation == key.generation)
}

/// A DATA frame below this many octets is small, as h2 and tonic count.
const SMALL_DATA: usize = 256;
/// How long calls wait for the streams of a connection that is going away.
const DRAIN_LIMIT_MS: u64 = 10_000;
const QUEUE_FULL: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "all streams are in use and 8 calls wait: raise STREAMS of Resources",
);
const HEADERS_TOO_LARGE: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the request's headers and metadata do not fit the send buffer: raise SEND of Resources",
);
const INVALID_FIELD: Status = Status::new(
    Code::INTERNAL,
    "the authority, user-agent or method path is no legal header field value",
);
const LOST: Status = Status::new(Code::INTERNAL, "the call's slot was taken from it");
