//! The state that calls and driver share: one HTTP/2 connection, its slots, and who waits.
//!
//! Sans-IO, like the layer below: the drivers move octets and tell the time, the calls move themselves
//! ([`crate::client::opening`], then [`crate::client::single`] or [`crate::client::stream`]). Nothing here blocks, and
//! nothing here knows which driver is in use.

use core::task::{Poll, Waker};

use h2_lite::{Connection, ErrorCode, Fields, Instant, StreamKey, Transmit};

use crate::client::connectivity::{Connectivity, Demand, Gate};
use crate::client::events;
use crate::client::opening::CallDefaults;
use crate::client::resets::Resets;
use crate::client::response::{Outcome, Response};
use crate::client::waiters::{Ticket, Waiters};
use crate::endpoint::Endpoint;
use crate::link::{self, Link, SendError};
use crate::slot::{Slot, SlotKey, SlotState};
use crate::status::{Code, Status};
use crate::turns::Turn;

/// What one client shares among its calls and its driver.
pub(crate) struct Session<'r> {
    pub(crate) link: Link<'r, Response>,
    waiters: Waiters,
    resets: Resets,
    pub(crate) connectivity: Connectivity,
    pub(crate) defaults: CallDefaults<'r>,
}

impl<'r> Endpoint<'r> for Session<'r> {
    fn set_driver(&mut self, waker: &Waker) {
        self.link.set_driver(waker);
    }

    fn handle_input<'i>(&mut self, mut input: &'i [u8], now: Instant) -> Option<&'i [u8]> {
        loop {
            match self.link.conn.handle_input(&mut input, now) {
                Ok(Some(event)) => {
                    let over = events::handle(self.link.slots, &mut self.connectivity, &event);
                    if let Some((stream, code)) = over {
                        self.reset_stream(stream, code);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.fail_open(error.reason);
                    self.link.wake_driver();
                    return None;
                }
            }
        }
        self.link.wake_all();
        Some(input)
    }

    fn wants_input(&self) -> bool {
        self.link.conn.wants_input()
    }

    fn take_transmit(&mut self, now: Instant) -> Option<Transmit<'r>> {
        let transmit = self.link.take_transmit(now);
        self.reap();
        transmit
    }

    fn give_back(&mut self, transmit: Transmit<'r>, written: usize, now: Instant) {
        self.link.give_back(transmit, written, now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [
            self.link.conn.poll_timeout(),
            self.link.credit_alarm(),
            self.connectivity.drain_until,
            self.resets.wait_until,
        ];
        deadlines.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.resets.wait_until.is_some_and(|at| now >= at) {
            self.resets.wait_until = None;
            wake_held(self.link.slots);
        }
        match self.link.conn.handle_timeout(now) {
            Ok(()) => {
                self.link.end_waiting(now);
                true
            }
            Err(error) => {
                self.fail_open(error.reason);
                false
            }
        }
    }

    /// Failed, or going away with its last stream ended. One that is going away is given up, too, when calls have
    /// waited [`DRAIN_LIMIT_MS`] for its last stream.
    fn is_finished(&mut self, now: Instant) -> bool {
        let idle = !self.link.slots.iter().any(is_busy);
        self.link.conn.is_closed() || (self.connectivity.is_draining() && idle) || self.is_given_up(now)
    }

    fn is_given_up(&mut self, now: Instant) -> bool {
        self.is_drain_over(now)
    }

    fn end_reason(&self) -> &'static str {
        self.link
            .conn
            .error()
            .map(|error| error.reason)
            .or(self.connectivity.complaint())
            .unwrap_or("the server is going away")
    }
}

impl<'r> Session<'r> {
    pub(crate) fn new(
        conn: Connection<'r>,
        slots: &'r mut [Slot<'r, Response>],
        connectivity: Connectivity,
        defaults: CallDefaults<'r>,
    ) -> Self {
        Self {
            link: Link::new(conn, slots),
            waiters: Waiters::default(),
            resets: Resets::default(),
            connectivity,
            defaults,
        }
    }

    /// A transport is there: a fresh connection begins on it.
    pub(crate) fn connected(&mut self, now: Instant) {
        self.link.conn.reset(now);
        self.resets = Resets::default();
        self.connectivity.transport_up();
    }

    /// Whether calls have waited long enough for the streams of a connection that is going away.
    pub(crate) fn is_drain_over(&mut self, now: Instant) -> bool {
        let awaited = self.link.slots.iter().any(|slot| slot.state == SlotState::Held);
        if awaited && self.connectivity.is_draining() && self.connectivity.drain_until.is_none() {
            self.connectivity.drain_until = Some(now.saturating_add_millis(DRAIN_LIMIT_MS));
        }
        self.connectivity.drain_until.is_some_and(|until| now >= until)
    }

    /// The transport is gone, or none could be had. Every call under way ends or waits for the next one.
    pub(crate) fn disconnected(&mut self, reason: &'static str, now: Instant) {
        let reason = self.connectivity.complaint().unwrap_or(reason);
        self.fail_open(reason);
        self.connectivity.transport_down(reason, now);
        // What it owed it owes no more: a slot that waits for its RST_STREAM would never be free again.
        self.link.conn.reset(now);
        for slot in self.link.slots.iter_mut() {
            if slot.state == SlotState::Abandoned {
                slot.state = SlotState::Free;
            }
            slot.wake();
        }
        self.waiters.wake_all();
    }

    /// What a driver without a connection should do.
    pub(crate) fn poll_demand(&mut self, now: Instant) -> Demand {
        let wanted = self.link.slots.iter().any(|slot| slot.state == SlotState::Held);
        self.connectivity.demand(wanted, now)
    }

    /// No new calls; those under way go on. The server is told by GOAWAY.
    pub(crate) fn shut_down(&mut self, reason: &'static str, now: Instant) {
        self.link.conn.go_away(ErrorCode::NO_ERROR, now);
        self.connectivity.shut_down(reason);
        self.connectivity.drain();
        for slot in self.link.slots.iter_mut() {
            slot.wake();
        }
        self.waiters.wake_all();
        self.link.wake_driver();
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
            self.link.wake_driver();
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
        let Some(slot) = link::find(self.link.slots, key) else {
            return Poll::Ready(Err(LOST));
        };
        // Spec: manners-resets
        if self.resets.must_wait(now) {
            self.link.wake_driver();
            return Poll::Pending;
        }
        // Spec: grpc-request-end
        let sent = self.link.conn.send_request(key.index, fields, false, now);
        let sent = sent.map(|stream| slot.state = SlotState::Open(stream));
        match self.link.section_sent(key, sent) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => match self.refused(error) {
                Some(status) => Poll::Ready(Err(status)),
                None => Poll::Pending,
            },
        }
    }

    /// Takes the stream from a call that will be sent again; the call keeps its slot.
    pub(crate) fn restart(&mut self, key: SlotKey, keep_metadata: bool) {
        if let Some(slot) = link::find(self.link.slots, key) {
            begin(slot, keep_metadata);
        }
        self.link.wake_driver();
    }

    /// Ends a call here, with its stream; the slot stays its own.
    pub(crate) fn end(&mut self, key: SlotKey, outcome: Outcome) {
        let Some(slot) = link::find(self.link.slots, key) else {
            return;
        };
        slot.head.overrule(outcome);
        slot.wake();
        if let Some(stream) = slot.stream() {
            // Spec: grpc-cancel-reset, grpc-deadline-client-reset
            self.reset_stream(stream, ErrorCode::CANCEL);
        }
        self.link.wake_driver();
    }

    /// Ends a call's use of its slot. A stream that is still open is reset with `code`.
    pub(crate) fn release(&mut self, key: SlotKey, code: ErrorCode) {
        let Some(slot) = link::find(self.link.slots, key) else {
            return;
        };
        let stream = slot.stream();
        slot.generation = slot.generation.wrapping_add(1);
        slot.receiver = None;
        slot.sender = None;
        slot.turn = Turn::NONE;
        slot.state = SlotState::Abandoned;
        if let Some(stream) = stream {
            // Spec: h2-5.1.1-dropped-after, grpc-cancel-reset
            self.reset_stream(stream, code);
        }
        self.reap();
        self.link.wake_driver();
    }

    // What both do.

    /// Frees the slots whose streams are over, and tells who waits for one.
    fn reap(&mut self) {
        let mut freed = false;
        for (index, slot) in (0u8..).zip(self.link.slots.iter_mut()) {
            if slot.state == SlotState::Abandoned && self.link.conn.is_free(index) {
                slot.state = SlotState::Free;
                freed = true;
            }
        }
        if freed {
            self.waiters.wake_first();
            // A stream less: one that waits for MAX_CONCURRENT_STREAMS may open now.
            wake_held(self.link.slots);
        }
    }

    fn claim(&mut self, keep_metadata: bool) -> Option<SlotKey> {
        let conn = &self.link.conn;
        let (index, slot) = (0u8..)
            .zip(self.link.slots.iter_mut())
            .find(|(index, slot)| slot.state == SlotState::Free && conn.is_free(*index))?;
        begin(slot, keep_metadata);
        Some(SlotKey {
            index,
            generation: slot.generation,
        })
    }

    /// What a refusal of the connection means for a call: its end, or (`None`) that it waits.
    pub(crate) fn refused(&mut self, error: SendError) -> Option<Status> {
        match error {
            SendError::NotNow | SendError::NoWindow | SendError::Over => None,
            SendError::GoingAway => {
                // The streams that are open may end; then the driver brings a new connection.
                self.connectivity.drain();
                self.link.wake_driver();
                None
            }
            SendError::TooLarge => Some(HEADERS_TOO_LARGE),
            SendError::InvalidField => Some(INVALID_FIELD),
        }
    }

    /// Servers count resets; NO_ERROR, behind a whole response, is the one that they ask for.
    fn reset_stream(&mut self, stream: StreamKey, code: ErrorCode) {
        if self.link.conn.reset_stream(stream, code) && code != ErrorCode::NO_ERROR {
            self.resets.note();
        }
    }

    fn fail_open(&mut self, reason: &'static str) {
        for slot in self.link.slots.iter_mut() {
            if slot.stream().is_some() {
                // Spec: grpc-lost-client
                slot.head.end(Outcome::Local(Code::UNAVAILABLE, reason));
            }
            slot.wake();
        }
    }
}

fn wake_held(slots: &mut [Slot<'_, Response>]) {
    for slot in slots.iter_mut().filter(|slot| slot.state == SlotState::Held) {
        slot.wake();
    }
}

/// Whether a slot's connection is still needed: for a response, or to send RST_STREAM.
fn is_busy(slot: &Slot<'_, Response>) -> bool {
    match slot.state {
        SlotState::Free | SlotState::Held => false,
        SlotState::Open(_) => slot.head.outcome().is_none(),
        SlotState::Abandoned => true,
    }
}

/// Empties what an earlier call, or an earlier attempt, left.
fn begin(slot: &mut Slot<'_, Response>, keep_metadata: bool) {
    slot.head.begin(keep_metadata);
    slot.recv.clear();
    slot.store.clear();
    slot.turn = Turn::NONE;
    slot.state = SlotState::Held;
}

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
