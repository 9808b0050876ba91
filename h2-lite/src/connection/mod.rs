//! The connection: one side of an HTTP/2 connection as a state machine. Public calls only; the work is done in
//! the modules below, one per concern.

mod budgets;
mod fields;
mod header_block;
mod inbound;
mod messages;
mod outbound;
mod past;
mod role;
mod settings;
mod shutdown;
mod streams;
mod timers;

use hpack_lite::{Decoder, Encoder, Limits};

use crate::config::{Config, Memory, Role};
use crate::error::{ConfigError, ConnectionError, UseError};
use crate::event::{Event, StreamKey};
use crate::frame::{ErrorCode, FrameReader, StreamId};
use crate::send_buffer::{SendBuffer, Transmit};
use crate::stream::{Store, Window};
use crate::time::Instant;
use budgets::Ledger;
use header_block::HeaderBlock;
use inbound::Found;
use outbound::Owed;
use past::OwnResets;
use role::PREFACE_LEN;
use settings::LocalSettings;
use timers::Timers;

pub use messages::Fields;
pub use settings::PeerSettings;

/// One side of an HTTP/2 connection over lent memory. It does no I/O, reads no clock, allocates nothing.
///
/// There are four kinds of call:
///
/// 1. **Octets in.** [`handle_input`](Self::handle_input) with what the transport read, until it returns
///    `None`; each call gives at most one [`Event`], which borrows from the input or the connection. `None`
///    with octets left in the input means that [`wants_input`](Self::wants_input) is false: write first, then
///    offer the same octets again.
/// 2. **Octets out.** [`take_transmit`](Self::take_transmit) hands out the send buffer itself; write
///    [`Transmit::bytes`] and [`give_back`](Self::give_back) the buffer with the number of octets written.
/// 3. **Time.** Call [`handle_timeout`](Self::handle_timeout) once [`poll_timeout`](Self::poll_timeout) has
///    come. Every `now` is the caller's clock.
/// 4. **The application's calls**: `send_*`, `data_room`, `release_capacity`, `reset_stream`, `go_away`.
///
/// Drain order: after anything that changes the connection (input, a timeout, a call of the application), take
/// events until there are none, then output until there is none, then look at `poll_timeout` again.
///
/// After a [`ConnectionError`] every call that can fail repeats it; output still holds a GOAWAY worth writing,
/// and [`is_closed`](Self::is_closed) tells when nothing is left to do but to close the transport.
///
/// A server's streams appear in free slots as the client opens them, with [`Event::HeaderField`]; without a free
/// slot they are refused. It answers with [`send_response`](Self::send_response), [`send_data`](Self::send_data),
/// [`send_trailers`](Self::send_trailers), and, where the client had more to say,
/// [`reset_stream`](Self::reset_stream) with NO_ERROR. See also [`reserve_slot`](Self::reserve_slot),
/// [`settings_acknowledged`](Self::settings_acknowledged) and [`shut_down`](Self::shut_down).
///
/// Spec: RFC 9113.
#[derive(Debug)]
pub struct Connection<'m> {
    role: Role,
    config: Config,
    store: Store<'m>,
    send: SendBuffer<'m>,
    decoder: Decoder<'m>,
    encoder: Encoder<'m, 'm>,
    reader: FrameReader,
    /// A frame header has been read that must wait for a slot of `owed`.
    held: bool,
    /// Octets of the client's preface still to come (server).
    preface_left: u8,
    block: Option<HeaderBlock>,
    /// The peer's first frame was SETTINGS.
    first_frame_seen: bool,
    /// GOAWAY whose debug data has not begun to arrive.
    go_away_code: Option<ErrorCode>,
    owed: Owed,
    local: LocalSettings,
    peer: PeerSettings,
    /// What we may send on the whole connection.
    send_window: Window,
    /// What the peer may send on the whole connection.
    receive_window: Window,
    /// Octets received and not yet credited to the connection's window.
    uncredited: u32,
    /// The next stream that this side opens; past `StreamId::MAX` there is none.
    next_id: u32,
    /// The highest stream that the peer opened.
    highest_peer_id: StreamId,
    /// The last stream of the peer's GOAWAY.
    peer_going_away: Option<StreamId>,
    /// Streams that we reset (server).
    own_resets: OwnResets,
    /// GOAWAY was sent, or is owed, and no more streams are opened or accepted.
    going_away: bool,
    /// The last stream of our GOAWAY, from then on; never raised.
    own_last: Option<StreamId>,
    ledger: Ledger,
    timers: Timers,
    error: Option<ConnectionError>,
    /// The failed connection's GOAWAY was written or never will be.
    closed: bool,
}

impl<'m> Connection<'m> {
    /// A new connection; its preface and SETTINGS are the first output.
    ///
    /// # Errors
    /// [`ConfigError`] names the limit that does not work and how to raise it.
    pub fn new(role: Role, config: Config, memory: Memory<'m>) -> Result<Self, ConfigError> {
        config.check(role, &memory)?;
        let limits = Limits {
            max_list_size: config.max_header_list_size,
            max_fields: config.max_header_fields,
        };
        let local = LocalSettings::new(&memory);
        Ok(Self {
            role,
            store: Store::new(memory.streams),
            send: SendBuffer::new(memory.send),
            decoder: Decoder::new(memory.decoder_table, memory.scratch, limits),
            encoder: Encoder::new(memory.encoder_table),
            reader: FrameReader::new(),
            held: false,
            preface_left: if role == Role::Server { PREFACE_LEN } else { 0 },
            block: None,
            first_frame_seen: false,
            go_away_code: None,
            owed: Owed::PREFACE,
            local,
            peer: PeerSettings::DEFAULT,
            send_window: Window::DEFAULT,
            receive_window: Window::DEFAULT,
            uncredited: 0,
            next_id: role::first_stream_id(role),
            highest_peer_id: StreamId::CONNECTION,
            peer_going_away: None,
            own_resets: OwnResets::NONE,
            going_away: false,
            own_last: None,
            ledger: Ledger::new(&config),
            timers: Timers::NONE,
            error: None,
            closed: false,
            config,
        })
    }

    /// A fresh connection on the same memory, after the transport was replaced. All streams are forgotten, their
    /// keys must not be used again, and preface and SETTINGS become output.
    ///
    /// A [`Transmit`] that is out stays out: until it is given back there is no output; its old content is then
    /// dropped, whatever `written` says.
    pub fn reset(&mut self, now: Instant) {
        self.store.clear();
        self.send.reset();
        self.decoder.reset();
        self.encoder.reset();
        self.reader = FrameReader::new();
        self.held = false;
        self.preface_left = if self.role == Role::Server { PREFACE_LEN } else { 0 };
        self.block = None;
        self.first_frame_seen = false;
        self.go_away_code = None;
        self.owed = Owed::PREFACE;
        self.local.acked = false;
        self.peer = PeerSettings::DEFAULT;
        self.send_window = Window::DEFAULT;
        self.receive_window = Window::DEFAULT;
        self.uncredited = 0;
        self.next_id = role::first_stream_id(self.role);
        self.highest_peer_id = StreamId::CONNECTION;
        self.peer_going_away = None;
        self.own_resets = OwnResets::NONE;
        self.going_away = false;
        self.own_last = None;
        self.ledger = Ledger::new(&self.config);
        self.timers = Timers::NONE;
        self.timers
            .start_handshake(now, self.config.settings_timeout_ms, false);
        self.error = None;
        self.closed = false;
    }

    /// Takes octets from `input` up to and including one event. `None`: the input is used up, or
    /// [`wants_input`](Self::wants_input) is false.
    ///
    /// # Errors
    /// The connection is over. The error stays; no input is consumed after it.
    pub fn handle_input<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        now: Instant,
    ) -> Result<Option<Event<'a>>, ConnectionError> {
        match self.find_event(input, now)? {
            None => Ok(None),
            Some(Found::Event(event)) => Ok(Some(event)),
            Some(Found::Field { stream, section }) => Ok(Some(Event::HeaderField {
                stream,
                section,
                field: self.decoder.field(),
            })),
        }
    }

    /// False while input must wait for output: an answer is owed whose slot is taken (a second PING before the
    /// first could be answered). `handle_input` then consumes nothing. Also false once the connection failed.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.error.is_none() && !(self.held && self.must_hold(self.reader.header()))
    }

    /// Encodes what is owed and hands out the send buffer. `None`: nothing to send, or the buffer is out already.
    pub fn take_transmit(&mut self, now: Instant) -> Option<Transmit<'m>> {
        if self.closed {
            return None;
        }
        self.flush_owed();
        let transmit = self.send.take()?;
        self.timers.output_pending(now, self.config.write_stall_ms);
        let received = self.peer.received;
        self.timers
            .start_handshake(now, self.config.settings_timeout_ms, received);
        Some(transmit)
    }

    /// Takes the send buffer back. `written` octets of it reached the transport, the rest goes out first next time.
    pub fn give_back(&mut self, transmit: Transmit<'m>, written: usize, now: Instant) {
        self.send.give_back(transmit, written);
        self.flush_owed();
        if self.send.is_empty() {
            self.timers.output_done();
        } else if written > 0 {
            self.timers.output_done();
            self.timers.output_pending(now, self.config.write_stall_ms);
        }
        self.note_goodbye();
    }

    /// True if [`take_transmit`](Self::take_transmit) would return something.
    #[must_use]
    pub fn wants_transmit(&self) -> bool {
        !self.send.is_out() && !self.closed && (!self.send.is_empty() || self.owes_output())
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called at the latest. `None`: nothing is waited for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.closed {
            None
        } else {
            self.timers.next(self.error.is_some())
        }
    }

    /// Does what is due at `now`.
    ///
    /// # Errors
    /// The peer, or the transport, missed a deadline: SETTINGS, its acknowledgement, the end of a header block, or
    /// progress of output.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ConnectionError> {
        self.check_timers(now)
    }

    /// True if `slot` exists and can take a new stream.
    #[must_use]
    pub fn is_free(&self, slot: u8) -> bool {
        self.store.is_free(slot)
    }

    /// Whether [`send_request`](Self::send_request) could open a stream now, given a free slot and room.
    ///
    /// # Errors
    /// `WrongState` (a server opens no streams), `Closed`, `GoingAway`, `StreamIdsExhausted`, `TooManyStreams`.
    pub fn can_open(&self) -> Result<(), UseError> {
        self.check_open()
    }

    /// Opens a stream in `slot` with a request's header section.
    ///
    /// `fields` is called more than once, to measure and to encode, and must give the same fields each time,
    /// pseudo-header fields first. Nothing changes unless everything is committed to the send buffer.
    ///
    /// # Errors
    /// As [`can_open`](Self::can_open); `SlotBusy`; `InvalidField`; `TooLarge` if the fields can never fit the
    /// send buffer, a frame, or the peer's SETTINGS_MAX_HEADER_LIST_SIZE; `NoRoom` if they do not fit now.
    pub fn send_request(
        &mut self,
        slot: u8,
        fields: Fields<'_, 'm>,
        end_stream: bool,
        now: Instant,
    ) -> Result<StreamKey, UseError> {
        self.open_with_request(slot, fields, end_stream, now)
    }

    /// Sends a response's header section, interim (1xx) or final, on a stream that the peer opened.
    ///
    /// # Errors
    /// `WrongState`, `Closed`, `InvalidField`, `TooLarge`, `NoRoom`, as for [`send_request`](Self::send_request).
    pub fn send_response(
        &mut self,
        stream: StreamKey,
        fields: Fields<'_, 'm>,
        end_stream: bool,
        now: Instant,
    ) -> Result<(), UseError> {
        self.send_section(stream, messages::Kind::Response, fields, end_stream, now)
    }

    /// Sends the trailer section, which ends our side of the stream.
    ///
    /// # Errors
    /// As [`send_response`](Self::send_response).
    pub fn send_trailers(
        &mut self,
        stream: StreamKey,
        fields: Fields<'_, 'm>,
        now: Instant,
    ) -> Result<(), UseError> {
        self.send_section(stream, messages::Kind::Trailers, fields, true, now)
    }

    /// Octets of DATA payload that this stream would take now: the least of both windows, the peer's
    /// SETTINGS_MAX_FRAME_SIZE, and the room in the send buffer. 0 while the buffer is out.
    ///
    /// A peer may open its window octet by octet: see [`send_window`](Self::send_window).
    ///
    /// # Errors
    /// `WrongState` if our side of the stream has ended, a server's response has not begun, or the key is stale; `Closed`.
    pub fn data_room(&self, stream: StreamKey) -> Result<usize, UseError> {
        self.room_for_data(stream)
    }

    /// Octets of DATA that the windows of the stream and of the connection allow, whatever the send buffer has room for.
    ///
    /// A peer may open its window octet by octet. Whoever has more to send, and has used the window up before, should then
    /// wait for a worthwhile amount, at most half of [`PeerSettings::initial_window_size`], and not for ever.
    ///
    /// # Errors
    /// As [`data_room`](Self::data_room).
    pub fn send_window(&self, stream: StreamKey) -> Result<usize, UseError> {
        self.window_for_data(stream)
    }

    /// Sends one DATA frame of exactly `len` octets; `fill` writes them in place. `len` may be 0 only with
    /// `end_stream`, and then needs no window.
    ///
    /// # Errors
    /// `NoRoom` if `len` is above [`data_room`](Self::data_room); `WrongState`; `Closed`. `fill` is then not called.
    pub fn send_data(
        &mut self,
        stream: StreamKey,
        len: usize,
        end_stream: bool,
        fill: &mut dyn FnMut(&mut [u8]),
        now: Instant,
    ) -> Result<(), UseError> {
        self.write_data(stream, len, end_stream, fill, now)
    }

    /// The application has consumed `octets` of the stream's DATA. The peer is credited once half of the
    /// stream's window is free, or earlier where other output takes the frame along.
    pub fn release_capacity(&mut self, stream: StreamKey, octets: u32) {
        self.release(stream, octets);
    }

    /// The message under way needs `octets` more. If the peer's remaining credit is less, what has been released
    /// is credited at once; memory stays bounded, since only released octets are.
    pub fn require_capacity(&mut self, stream: StreamKey, octets: u32) {
        self.require(stream, octets);
    }

    /// Ends a stream now. Nothing more is reported for it; its slot is free once RST_STREAM is in the send
    /// buffer. A stale key or a second call does nothing.
    ///
    /// NO_ERROR is right when a complete response came before our request was (RFC 9113 section 8.1).
    ///
    /// True if RST_STREAM follows. Peers count those: see what they take before they call it an attack.
    pub fn reset_stream(&mut self, stream: StreamKey, code: ErrorCode) -> bool {
        self.reset_by_application(stream, code)
    }

    /// A reset by the peer that has just been reported does not count against
    /// [`Budgets::peer_resets`](crate::Budgets::peer_resets): the application would have ended the stream at this time
    /// itself.
    pub fn excuse_reset(&mut self) {
        self.credit_answered();
    }

    /// Sends GOAWAY and opens or accepts no more streams; those that run go on. The connection
    /// [is closed](Self::is_closed) when the last of them has ended.
    pub fn go_away(&mut self, code: ErrorCode, now: Instant) {
        self.announce_shutdown(code, now);
    }

    /// As [`go_away`](Self::go_away) with NO_ERROR, in two steps where this is a server: streams that the client opens
    /// before it learns of the shutdown are still accepted. The first GOAWAY refuses none; a PING follows it; once that is
    /// acknowledged, or after [`Config::shutdown_timeout_ms`], the second GOAWAY names the last stream.
    ///
    /// Spec: RFC 9113 section 6.8.
    pub fn shut_down(&mut self, now: Instant) {
        self.begin_shutdown(now);
    }

    /// Says that the application still uses `slot`, although its stream may be over (a handler is being cancelled): no
    /// stream of the peer is put there. Requests that find no other slot are refused. Lasts until it is said otherwise,
    /// also over [`reset`](Self::reset).
    pub fn reserve_slot(&mut self, slot: u8, reserved: bool) {
        self.store.reserve(slot, reserved);
    }

    /// Sends a PING; its answer is [`Event::PingAck`].
    ///
    /// # Errors
    /// `WrongState` while an earlier one is unanswered; `Closed`.
    pub fn send_ping(&mut self, payload: [u8; 8]) -> Result<(), UseError> {
        if self.error.is_some() {
            return Err(UseError::Closed);
        }
        if self.owed.ping.is_some() {
            return Err(UseError::WrongState);
        }
        self.owed.ping = Some(payload);
        self.owed.ping_sent = false;
        Ok(())
    }

    /// Why the connection failed, if it did.
    #[must_use]
    pub const fn error(&self) -> Option<ConnectionError> {
        self.error
    }

    /// True when there is nothing more to read or to write: close the transport.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed || self.has_wound_down()
    }

    /// The peer's settings as they now bind us.
    #[must_use]
    pub const fn peer_settings(&self) -> &PeerSettings {
        &self.peer
    }

    /// True once the peer acknowledged our SETTINGS. Until then the clients of a server may send 65,535 octets on the
    /// connection, all of them on one stream, whatever [`Config::initial_window_size`] says (RFC 9113 section 6.9.3): whoever
    /// has less memory than that must offer `handle_input` no more octets than its fullest buffer takes.
    #[must_use]
    pub const fn settings_acknowledged(&self) -> bool {
        self.local.acked
    }

    /// True once the peer's first SETTINGS frame is applied: it speaks HTTP/2 and the connection is ready.
    #[must_use]
    pub const fn settings_received(&self) -> bool {
        self.peer.received
    }
}
