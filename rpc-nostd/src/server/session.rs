//! One connection of a server: its slots, what its calls do with them, and when it ends.
//!
//! Sans-IO: the drivers move octets and tell the time; each slot has a worker, which runs its handler.

use core::task::{Poll, Waker};

use h2_lite::{Connection, ErrorCode, Instant, Transmit};

use crate::deadline::{Deadline, whole_millis};
use crate::endpoint::Endpoint;
use crate::link::{self, Link};
use crate::metadata::ReceivedMetadata;
use crate::method::Method;
use crate::server::config::ServerConfig;
use crate::server::events::{self, Reaction};
use crate::server::lifecycle::{Due, Lifecycle};
use crate::server::request::{Phase, Refusal, Request};
use crate::server::service::Lookup;
use crate::slot::{Slot, SlotKey, SlotState};
use crate::turns::Turn;

/// One connection's place in a server: a connection after the other uses it.
pub(crate) struct ServerSession<'r> {
    pub(crate) link: Link<'r, Request<'r>>,
    lookup: Lookup,
    life: Lifecycle,
    connected: bool,
    /// No more connections after this one.
    stopping: bool,
    /// The last connection is over.
    over: bool,
    /// The server's spare place has not seen its last client go. Of its first place only.
    pub(crate) turning_away: bool,
    given_up: bool,
    /// The client goes away: when its last call is over, so is the connection.
    client_leaves: bool,
    /// Until the client has acknowledged our SETTINGS it may overrun a slot. Reading then pauses, until this moment.
    full_until: Option<Instant>,
}

/// A call on its way to its worker.
pub(crate) struct Accepted<'r> {
    pub(crate) key: SlotKey,
    pub(crate) verdict: Result<&'static Method, Refusal>,
    /// The request's metadata, with the slot's memory: to be given back by [`ServerSession::release`].
    pub(crate) metadata: ReceivedMetadata<'r>,
}

/// Whether a handler may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Runs,
    Cancelled,
    Late,
}

impl<'r> Endpoint<'r> for ServerSession<'r> {
    fn set_driver(&mut self, waker: &Waker) {
        self.link.set_driver(waker);
    }

    fn handle_input<'i>(&mut self, mut input: &'i [u8], now: Instant) -> Option<&'i [u8]> {
        self.life.heard(now);
        while !input.is_empty() && self.wants_input() {
            let offered = self.room().min(input.len());
            let mut piece = input.get(..offered).unwrap_or_default();
            let going = self.handle_piece(&mut piece, now);
            let taken = offered.saturating_sub(piece.len());
            input = input.get(taken..).unwrap_or_default();
            if !going {
                self.cancel_all();
                self.link.wake_driver();
                return None;
            }
            if taken == 0 {
                break;
            }
        }
        self.note_fullness(now);
        self.link.wake_all();
        Some(input)
    }

    fn wants_input(&self) -> bool {
        self.link.conn.wants_input() && self.room() > 0 && !self.link.slots.iter().any(holds_reading)
    }

    fn take_transmit(&mut self, now: Instant) -> Option<Transmit<'r>> {
        let transmit = self.link.take_transmit(now);
        self.reap();
        transmit
    }

    fn give_back(&mut self, transmit: Transmit<'r>, written: usize, now: Instant) {
        self.link.give_back(transmit, written, now);
        self.reap();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let due = [
            self.link.conn.poll_timeout(),
            self.link.credit_alarm(),
            self.life.next(),
            self.full_until,
        ];
        due.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.link.conn.handle_timeout(now).is_err() {
            self.cancel_all();
            return false;
        }
        if self.full_until.is_some_and(|until| now >= until) {
            self.reset_full();
        }
        self.link.end_waiting(now);
        // The driver comes here after whatever begins or ends a call.
        self.life.set_busy(self.is_busy(), now);
        match self.life.due(now) {
            Due::Nothing => {}
            // A second one is not sent while the first is unanswered; silence then ends the connection.
            Due::Ping => self.link.conn.send_ping(KEEPALIVE).unwrap_or_default(),
            // Spec: h2-6.8-before-close, h2-6.8-graceful
            Due::GoAway => self.link.conn.shut_down(now),
            // Spec: grpc-lost-keepalive
            Due::GiveUp => self.given_up = true,
        }
        true
    }

    fn is_finished(&mut self, now: Instant) -> bool {
        let left = self.client_leaves && !self.is_busy() && !self.link.conn.wants_transmit();
        self.link.conn.is_closed() || left || self.is_given_up(now)
    }

    fn is_given_up(&mut self, _now: Instant) -> bool {
        self.given_up
    }

    fn end_reason(&self) -> &'static str {
        match self.link.conn.error() {
            Some(error) => error.reason,
            None if self.client_leaves => "the client went away",
            None => self.life.reason,
        }
    }
}

impl<'r> ServerSession<'r> {
    pub(crate) fn new(
        conn: Connection<'r>,
        slots: &'r mut [Slot<'r, Request<'r>>],
        lookup: Lookup,
        config: &ServerConfig,
    ) -> Self {
        let mut link = Link::new(conn, slots);
        link.window_timeout_ms = config.window_timeout.map(whole_millis);
        Self {
            link,
            lookup,
            life: Lifecycle::new(config),
            connected: false,
            stopping: false,
            over: false,
            turning_away: false,
            given_up: false,
            client_leaves: false,
            full_until: None,
        }
    }

    // What the connection's task does.

    /// A client has connected.
    pub(crate) fn connected(&mut self, now: Instant) {
        self.link.conn.reset(now);
        self.life.begin(now);
        self.given_up = false;
        self.client_leaves = false;
        self.full_until = None;
        self.connected = true;
        if self.stopping {
            self.shut_down(now);
        }
    }

    /// The transport is gone: every handler is cancelled.
    pub(crate) fn disconnected(&mut self, now: Instant) {
        self.connected = false;
        // Spec: grpc-lost-server
        self.cancel_all();
        self.link.conn.reset(now);
        for slot in self.link.slots.iter_mut() {
            if slot.state == SlotState::Abandoned || slot.head.phase != Phase::Running {
                slot.state = SlotState::Free;
            }
        }
        self.link.wake_driver();
    }

    /// Whether no handler of an earlier connection is left.
    pub(crate) fn is_vacant(&self) -> bool {
        self.link.slots.iter().all(|slot| slot.state == SlotState::Free)
    }

    /// Whether a client has this place.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// No more connections, and an end to this one: GOAWAY, and a limit for the calls under way.
    pub(crate) fn shut_down(&mut self, now: Instant) {
        self.stopping = true;
        if self.connected {
            self.link.conn.shut_down(now);
            self.life.shut_down(now);
        }
        self.link.wake_driver();
    }

    /// There was the last connection.
    pub(crate) fn end(&mut self) {
        self.over = true;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over && !self.turning_away
    }

    /// Takes connections again after a shutdown.
    pub(crate) fn resume(&mut self) {
        self.stopping = false;
    }

    // What a worker does.

    /// The next call in this worker's slot.
    pub(crate) fn poll_accept(&mut self, index: u8, waker: &Waker) -> Poll<Accepted<'r>> {
        let Some(slot) = self.link.slots.get_mut(usize::from(index)) else {
            return Poll::Pending;
        };
        if slot.stream().is_none() || slot.head.phase != Phase::Waiting {
            slot.head.worker = Some(waker.clone());
            return Poll::Pending;
        }
        slot.head.phase = Phase::Running;
        // No other stream may come here before this handler is done with.
        self.link.conn.reserve_slot(index, true);
        Poll::Ready(Accepted {
            key: SlotKey {
                index,
                generation: slot.generation,
            },
            verdict: slot.head.verdict(),
            metadata: core::mem::replace(&mut slot.store, ReceivedMetadata::new(&mut [])),
        })
    }

    /// Whether the call may go on; `waker` is woken when that changes, but for its deadline.
    pub(crate) fn standing(&mut self, key: SlotKey, waker: &Waker, now: Instant) -> Standing {
        match self.link.slot(key) {
            Some(slot) if !slot.head.cancelled => {
                slot.head.worker = Some(waker.clone());
                // Spec: grpc-deadline-server-handler
                if slot.head.limit().is_past(now) {
                    Standing::Late
                } else {
                    Standing::Runs
                }
            }
            _ => Standing::Cancelled,
        }
    }

    /// When the handler is dropped.
    pub(crate) fn limit(&mut self, key: SlotKey) -> Deadline {
        self.link
            .slot(key)
            .map_or(Deadline::Never, |slot| slot.head.limit())
    }

    /// When the call must be over, as its client said.
    pub(crate) fn deadline(&mut self, key: SlotKey) -> Deadline {
        self.link
            .slot(key)
            .map_or(Deadline::Never, |slot| slot.head.deadline)
    }

    /// The call must be over at `at`, if not before.
    pub(crate) fn end_by(&mut self, key: SlotKey, at: Instant) {
        if let Some(slot) = self.link.slot(key) {
            let earlier = slot.head.deadline.at().map_or(at, |deadline| deadline.min(at));
            slot.head.deadline = Deadline::At(earlier);
        }
    }

    /// Waits for the client's END_STREAM.
    pub(crate) fn poll_end(&mut self, key: SlotKey, waker: &Waker) -> Poll<()> {
        match self.link.slot(key) {
            Some(slot) if !slot.head.ended => {
                slot.set_receiver(waker);
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    /// Whether the call's method has a response that was not sent.
    pub(crate) fn lacks_response(&mut self, key: SlotKey) -> bool {
        self.link
            .slot(key)
            .is_some_and(|slot| slot.head.responses == 0 && slot.head.has_one_response())
    }

    /// Resets the call's stream: something of it can no longer be put right.
    pub(crate) fn cancel(&mut self, key: SlotKey) {
        let Some(slot) = link::find(self.link.slots, key) else {
            return;
        };
        if let (Some(stream), false) = (slot.stream(), slot.head.cancelled) {
            self.link.conn.reset_stream(stream, ErrorCode::CANCEL);
            events::cancel(slot);
        }
        self.link.wake_driver();
    }

    /// Ends a call's use of its slot. A stream that is still open is reset with `code`.
    pub(crate) fn release(&mut self, key: SlotKey, metadata: ReceivedMetadata<'r>, code: ErrorCode) {
        let Some(slot) = link::find(self.link.slots, key) else {
            return;
        };
        if let (Some(stream), false) = (slot.stream(), slot.head.cancelled) {
            self.link.conn.reset_stream(stream, code);
        }
        slot.generation = slot.generation.wrapping_add(1);
        slot.store = metadata;
        slot.receiver = None;
        slot.sender = None;
        slot.turn = Turn::NONE;
        slot.state = SlotState::Abandoned;
        self.link.conn.reserve_slot(key.index, false);
        self.reap();
        self.link.wake_driver();
    }

    // What all do.

    /// Handles octets until they are used up. False: the connection has failed.
    fn handle_piece(&mut self, piece: &mut &[u8], now: Instant) -> bool {
        loop {
            let reaction = match self.link.conn.handle_input(piece, now) {
                Ok(Some(event)) => events::handle(self.link.slots, self.lookup, &event, now),
                Ok(None) => return true,
                Err(_) => return false,
            };
            match reaction {
                Reaction::None => {}
                Reaction::Discard(stream, octets) => self.link.conn.release_capacity(stream, octets),
                Reaction::Reset(stream, code) => _ = self.link.conn.reset_stream(stream, code),
                Reaction::ClientLeaves => self.client_leaves = true,
                // What comes next may be for the same slot: first its worker must be done with what is there.
                Reaction::Pause => return true,
                Reaction::Overdue => {
                    self.link.conn.excuse_reset();
                    return true;
                }
            }
        }
    }

    /// How many octets can be taken at once without overrunning a slot, whatever they are.
    fn room(&self) -> usize {
        if self.link.conn.settings_acknowledged() {
            return usize::MAX;
        }
        let of_slot = |slot: &Slot<'_, Request<'_>>| match slot.state {
            SlotState::Open(_) if !slot.head.cancelled => slot.recv.room(),
            _ => slot.recv.capacity(),
        };
        self.link.slots.iter().map(of_slot).min().unwrap_or(0)
    }

    fn is_busy(&self) -> bool {
        self.link.slots.iter().any(|slot| slot.stream().is_some())
    }

    /// A slot has room again.
    pub(crate) fn note_room(&mut self) {
        if self.full_until.is_some() && self.room() > 0 {
            self.full_until = None;
        }
    }

    fn note_fullness(&mut self, now: Instant) {
        if self.room() > 0 {
            self.full_until = None;
        } else if self.full_until.is_none() {
            self.full_until = Some(now.saturating_add_millis(FULL_LIMIT_MS));
        }
    }

    /// The slots that have been full for too long lose their streams.
    fn reset_full(&mut self) {
        self.full_until = None;
        for slot in self.link.slots.iter_mut().filter(|slot| slot.recv.room() == 0) {
            let (Some(stream), false) = (slot.stream(), slot.head.cancelled) else {
                continue;
            };
            let code = if slot.head.phase == Phase::Running {
                ErrorCode::FLOW_CONTROL_ERROR
            } else {
                ErrorCode::REFUSED_STREAM
            };
            self.link.conn.reset_stream(stream, code);
            events::cancel(slot);
        }
        self.link.wake_driver();
    }

    fn cancel_all(&mut self) {
        for slot in self.link.slots.iter_mut() {
            events::cancel(slot);
            slot.wake();
        }
    }

    /// Frees the slots whose streams are over.
    fn reap(&mut self) {
        for (index, slot) in (0u8..).zip(self.link.slots.iter_mut()) {
            if slot.state == SlotState::Abandoned && self.link.conn.is_free(index) {
                slot.state = SlotState::Free;
            }
        }
    }
}

/// Whether nothing more is read until the worker of this slot has done what it does at once: let go of a cancelled
/// handler, or answer what is not gRPC before its content overruns the window. Neither waits for the client.
fn holds_reading(slot: &Slot<'_, Request<'_>>) -> bool {
    let lets_go = slot.head.cancelled && slot.head.phase == Phase::Running;
    let answers = slot.head.is_foreign && !slot.head.headers_sent && !slot.head.cancelled;
    slot.stream().is_some() && (lets_go || answers)
}

/// How long a slot may be full before the client has acknowledged our SETTINGS.
const FULL_LIMIT_MS: u64 = 1_000;
const KEEPALIVE: [u8; 8] = *b"keepaliv";
