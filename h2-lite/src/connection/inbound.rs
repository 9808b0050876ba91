//! Octets in: what each piece of a frame means to the connection and its streams.
//!
//! Spec: RFC 9113 sections 5 and 6.

use crate::config::Role;
use crate::connection::outbound::RoundTrip;
use crate::connection::{Connection, role};
use crate::error::{ConnectionError, Origin};
use crate::event::{Event, Section, StreamKey};
use crate::frame::{
    ACK, END_HEADERS, END_STREAM, ErrorCode, FrameError, FrameHeader, Kind, Piece, Priority, StreamId,
};
use crate::stream::Flag;
use crate::time::Instant;

/// What was found in the input: an event, or a field that the decoder holds.
#[derive(Debug)]
pub(super) enum Found<'i> {
    Event(Event<'i>),
    Field { stream: StreamKey, section: Section },
}

impl<'m> Connection<'m> {
    /// Reads on until there is something to report, the input is used up, or output must come first.
    pub(super) fn find_event<'i>(
        &mut self,
        input: &mut &'i [u8],
        now: Instant,
    ) -> Result<Option<Found<'i>>, ConnectionError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let result = self.read_on(input, now);
        if result.is_err() {
            self.timers.output_pending(now, self.config.write_stall_ms);
        }
        result
    }

    fn read_on<'i>(
        &mut self,
        input: &mut &'i [u8],
        now: Instant,
    ) -> Result<Option<Found<'i>>, ConnectionError> {
        loop {
            if let Some(event) = self.next_refused() {
                return Ok(Some(Found::Event(event)));
            }
            if self.held && !self.try_to_proceed() {
                return Ok(None);
            }
            match self.read_preface(input) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => return Err(self.fail(error.code, error.reason)),
            }
            let before = *input;
            let piece = if core::mem::take(&mut self.held) {
                Ok(Some(Piece::Header(self.reader.header())))
            } else {
                self.read_piece(input)
            };
            let handled = match piece {
                Ok(None) => return Ok(None),
                Ok(Some(Piece::Header(header))) if self.must_hold(header) => {
                    self.held = true;
                    continue;
                }
                Ok(Some(Piece::Fragment { bytes, .. })) => self.fragment(bytes, before, input),
                Ok(Some(piece)) => self.piece(piece, now).map(|event| event.map(Found::Event)),
                Err(error) => Err(error),
            };
            let found = match handled {
                Ok(found) => found,
                Err(error) => self.answer_error(error, now)?.map(Found::Event),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// The next piece of a frame. A frame in error still counts against the connection's window.
    fn read_piece<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Piece<'i>>, FrameError> {
        let starts = self.reader.is_at_header();
        let piece = self.reader.next(input);
        if starts && piece.is_err() {
            let header = self.reader.header();
            self.check_order(header)?;
            if header.kind == Kind::DATA && !header.stream_id.is_connection() {
                // Spec: h2-6.9-counts-all
                self.charge_connection(header.length)?;
            }
        }
        piece
    }

    /// A fragment of a header block: what is left after one field goes back into the input.
    fn fragment<'i>(
        &mut self,
        bytes: &'i [u8],
        before: &'i [u8],
        input: &mut &'i [u8],
    ) -> Result<Option<Found<'i>>, FrameError> {
        let mut rest = bytes;
        let found = self.decode_fragment(&mut rest);
        if rest.is_empty() {
            return found;
        }
        self.reader.unread(rest, before, input);
        found
    }

    /// Any piece but a fragment of a header block.
    fn piece<'i>(&mut self, piece: Piece<'i>, now: Instant) -> Result<Option<Event<'i>>, FrameError> {
        let header = self.reader.header();
        let id = header.stream_id;
        match piece {
            Piece::Header(header) => self.begin_frame(header, now).map(|()| None),
            Piece::Priority(priority) => self.priority(id, priority).map(|()| None),
            Piece::Data { bytes, last } => self.data(header, bytes, last),
            Piece::Setting(setting) => self.apply_setting(setting).map(|()| None),
            Piece::Ping(payload) => Ok(self.ping(header.has(ACK), payload, now)),
            Piece::RstStream(code) => self.rst_stream(id, code, now),
            Piece::WindowUpdate(increment) => self.window_update(id, increment),
            Piece::GoAway(frame) => {
                let frame = self.receive_go_away(frame);
                // With debug data the event waits for its first octets.
                if header.length > 8 {
                    self.go_away_code = Some(frame.code);
                    return Ok(None);
                }
                Ok(Some(self.go_away_event(frame.code, &[])))
            }
            Piece::Debug(bytes) => Ok(self
                .go_away_code
                .take()
                .map(|code| self.go_away_event(code, bytes))),
            Piece::End => self.end_of_frame(now),
            Piece::Promised(_) | Piece::Fragment { .. } => Ok(None),
        }
    }

    /// A frame begins: may it, and what does it cost?
    fn begin_frame(&mut self, header: FrameHeader, now: Instant) -> Result<(), FrameError> {
        self.check_order(header)?;
        self.first_frame_seen = true;
        let idle = !header.stream_id.is_connection() && self.is_idle(header.stream_id);
        let protocol_error = |reason| Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        match header.kind {
            // Spec: h2-5.1-idle
            Kind::DATA if idle => protocol_error("DATA on an idle stream"),
            Kind::DATA => self.begin_data(header, now),
            Kind::HEADERS => self.begin_block(header, now),
            Kind::CONTINUATION => self.continue_block(),
            // A client allows no push (8.4), and no server accepts one.
            // Spec: h2-6.6-push-refused, h2-8.4-push-from-client
            Kind::PUSH_PROMISE => protocol_error("PUSH_PROMISE is not allowed"),
            // Spec: h2-5.1-idle, h2-6.4-idle
            Kind::RST_STREAM if idle => protocol_error("RST_STREAM on an idle stream"),
            Kind::WINDOW_UPDATE if idle => protocol_error("WINDOW_UPDATE on an idle stream"),
            Kind::PING => self.charge_ping(now),
            Kind::SETTINGS if !header.has(ACK) => {
                let begun = header.length.checked_div(SETTINGS_PER_TOKEN).unwrap_or(0);
                (0..=begun).try_for_each(|_| self.charge_settings(now))
            }
            Kind::GOAWAY => self.charge_glitch(now),
            // Spec: h2-5.1-half-closed-allowed
            Kind::RST_STREAM | Kind::SETTINGS => Ok(()),
            // Spec: h2-4.1-unknown-type, h2-6.3-any-state, h2-5.1-half-closed-allowed
            _ => self.charge_control(now),
        }
    }

    /// What may come now at all: SETTINGS first (3.4); in a header block, only its continuation (6.2, 6.10).
    fn check_order(&self, header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-3.4-first-frame
        if !self.is_first_settings(header) {
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, NOT_HTTP2));
        }
        // Spec: h2-6.10-interleaved, h2-6.10-other-stream, h2-5.5-unknown-in-block
        if self.block.is_some_and(|block| !block.allows(header)) {
            let reason = "another frame inside a header block";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        }
        Ok(())
    }

    /// DATA begins: the whole payload counts against both windows, padding included (6.1, 6.9.1).
    fn begin_data(&mut self, header: FrameHeader, now: Instant) -> Result<(), FrameError> {
        let id = header.stream_id;
        // Spec: h2-6.9-counts-all, h2-6.9.1-padding-counts
        self.charge_connection(header.length)?;
        let live = self
            .store
            .find(id)
            .and_then(|key| self.store.get_mut(key))
            .filter(|stream| stream.is_live());
        let Some(stream) = live else {
            // Spec: h2-5.1-closed-arrivals
            if self.store.find(id).is_none() {
                self.check_past(id, Kind::DATA)?;
            }
            return self.charge_discarded(header.length, now);
        };
        let stream_error = |code, reason| Err(FrameError::stream(id, code, reason));
        // Spec: h2-5.1-half-closed, h2-6.1-state
        if !stream.state.can_receive() {
            return stream_error(ErrorCode::STREAM_CLOSED, "DATA after END_STREAM");
        }
        if !stream.has(Flag::HeadersReceived) {
            return stream_error(ErrorCode::PROTOCOL_ERROR, "DATA before the header section");
        }
        // Spec: h2-6.9.1-exceeded, h2-6.9.1-padding-counts
        if !stream.receive_window.consume(header.length) {
            return stream_error(ErrorCode::FLOW_CONTROL_ERROR, "DATA beyond the stream's window");
        }
        stream.unread = stream.unread.saturating_add(header.length);
        self.charge_data(header.length, header.has(END_STREAM))
    }

    /// Octets of DATA, or the news that there are no more.
    fn data<'i>(
        &mut self,
        header: FrameHeader,
        bytes: &'i [u8],
        last: bool,
    ) -> Result<Option<Event<'i>>, FrameError> {
        let id = header.stream_id;
        let Some(key) = self.store.find(id) else {
            return Ok(None);
        };
        let Some(stream) = self.store.get_mut(key).filter(|stream| stream.is_live()) else {
            return Ok(None);
        };
        let to_come = self.reader.remaining();
        let malformed = |reason| FrameError::stream(id, ErrorCode::PROTOCOL_ERROR, reason);
        let end_stream = last && header.has(END_STREAM);
        // Spec: h2-8.1.1-content-length
        if stream.has(Flag::ContentLength) {
            let octets = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            // The whole frame is judged before its first octet is handed on, however it is cut.
            let left = stream
                .content_left
                .checked_sub(octets.saturating_add(u64::from(to_come)));
            let left = left.ok_or(malformed("content longer than content-length"))?;
            if header.has(END_STREAM) && left > 0 {
                return Err(malformed("content shorter than content-length"));
            }
            stream.content_left = stream.content_left.saturating_sub(octets);
        }
        if end_stream {
            stream.state.close_remote();
        }
        self.free_if_closed(key);
        Ok((end_stream || !bytes.is_empty()).then_some(Event::Data {
            stream: key,
            bytes,
            end_stream,
        }))
    }

    /// Everything of the frame has been read.
    fn end_of_frame<'i>(&mut self, now: Instant) -> Result<Option<Event<'i>>, FrameError> {
        let header = self.reader.header();
        match header.kind {
            Kind::DATA => self.end_of_data(header, now).map(|()| None),
            Kind::HEADERS | Kind::CONTINUATION if header.has(END_HEADERS) => self.end_block(now),
            Kind::SETTINGS => self.settings_end(header.has(ACK), now),
            _ => Ok(None),
        }
    }

    /// The connection's credit is returned on receipt; the stream's for padding, which nobody will consume.
    fn end_of_data(&mut self, header: FrameHeader, now: Instant) -> Result<(), FrameError> {
        // Spec: h2-6.9-counts-all
        self.uncredited = self.uncredited.saturating_add(header.length);
        let padding = self.reader.padding_len().min(header.length);
        let key = self.store.find(header.stream_id);
        let Some(key) = key.filter(|key| self.store.is_live(*key)) else {
            return Ok(());
        };
        self.release(key, padding);
        if header.has(END_STREAM) {
            return Ok(());
        }
        self.charge_content(header.length.saturating_sub(padding), now)
    }

    /// A stream cannot depend on itself (RFC 7540 section 5.3.1; RFC 9113 has only deprecated the scheme). All
    /// else is read and forgotten, and so is this on streams that are over.
    fn priority(&mut self, id: StreamId, priority: Priority) -> Result<(), FrameError> {
        let concerns_us = self.store.find(id).is_some() || (self.role == Role::Server && self.is_idle(id));
        if priority.dependency == id && concerns_us {
            return Err(FrameError::stream(
                id,
                ErrorCode::PROTOCOL_ERROR,
                "stream depends on itself",
            ));
        }
        Ok(())
    }

    /// "PING responses SHOULD be given higher priority than any other frame"; an ACK is never answered (6.7).
    fn ping<'i>(&mut self, ack: bool, payload: [u8; 8], now: Instant) -> Option<Event<'i>> {
        // Spec: h2-6.7-answer, h2-6.7-ack-not-answered
        if !ack {
            self.owed.ping_ack = Some(payload);
            return None;
        }
        if payload == RoundTrip::PAYLOAD && self.owed.round_trip == RoundTrip::Sent {
            // Every stream that the peer opened before it read the first GOAWAY is here.
            self.announce_shutdown(ErrorCode::NO_ERROR, now);
            return None;
        }
        if self.owed.ping == Some(payload) && self.owed.ping_sent {
            self.owed.ping = None;
            return Some(Event::PingAck { payload });
        }
        None
    }

    /// The peer ends a stream: nothing more is sent on it, not even RST_STREAM (5.4.2, 6.4).
    fn rst_stream<'i>(
        &mut self,
        id: StreamId,
        code: ErrorCode,
        now: Instant,
    ) -> Result<Option<Event<'i>>, FrameError> {
        let Some(key) = self.store.find(id) else {
            return self.charge_control(now).map(|()| None);
        };
        let Some(stream) = self.store.get(key) else {
            return Ok(None);
        };
        let unanswered = stream.is_live() && !stream.has(Flag::HeadersSent);
        // Spec: h2-8.1-no-error-reset
        // A response that is complete stands. A client has no such word: its request may be complete, its call is over.
        let complete = !stream.state.can_receive() && code == ErrorCode::NO_ERROR;
        let report = stream.is_live() && !(complete && self.role == Role::Client);
        if unanswered && role::peer_may_open(self.role, id) {
            self.charge_peer_reset(now)?;
        }
        // Spec: h2-6.4-silence, h2-5.4.2-no-answer
        self.release_slot(key);
        Ok(report.then_some(Event::Reset {
            stream: key,
            code,
            origin: Origin::Peer,
        }))
    }

    /// More may be sent. "A WINDOW_UPDATE frame on a half-closed or closed stream is no error" (5.1, 6.9).
    fn window_update<'i>(&mut self, id: StreamId, increment: u32) -> Result<Option<Event<'i>>, FrameError> {
        if id.is_connection() {
            let overflow = FrameError::connection(
                ErrorCode::FLOW_CONTROL_ERROR,
                "WINDOW_UPDATE overflows the connection's window",
            );
            // Spec: h2-6.9.1-overflow-connection
            self.send_window.increase(increment).map_err(|_| overflow)?;
            return Ok(Some(Event::WindowUpdate { stream: None }));
        }
        // Spec: h2-6.9-closed
        let Some(key) = self.store.find(id) else {
            return Ok(None);
        };
        let Some(stream) = self.store.get_mut(key).filter(|stream| stream.is_live()) else {
            return Ok(None);
        };
        let overflow = FrameError::stream(
            id,
            ErrorCode::FLOW_CONTROL_ERROR,
            "WINDOW_UPDATE overflows the stream's window",
        );
        // Spec: h2-6.9.1-overflow-stream
        stream.send_window.increase(increment).map_err(|_| overflow)?;
        Ok(stream
            .state
            .can_send()
            .then_some(Event::WindowUpdate { stream: Some(key) }))
    }

    fn go_away_event<'i>(&self, code: ErrorCode, debug: &'i [u8]) -> Event<'i> {
        Event::GoAway {
            last_stream_id: self.peer_going_away.unwrap_or_default(),
            code,
            debug,
        }
    }

    /// The connection's receive window covers every octet of DATA, whatever becomes of its stream (6.9).
    fn charge_connection(&mut self, octets: u32) -> Result<(), FrameError> {
        // Spec: h2-6.9.1-exceeded
        if self.receive_window.consume(octets) {
            return Ok(());
        }
        let reason = "DATA beyond the connection's window";
        Err(FrameError::connection(ErrorCode::FLOW_CONTROL_ERROR, reason))
    }

    /// True if the frame needs a slot of the output that is taken.
    pub(super) fn must_hold(&self, header: FrameHeader) -> bool {
        match header.kind {
            // Spec: h2-5.2.2-keeps-reading
            Kind::PING => !header.has(ACK) && self.owed.ping_ack.is_some(),
            Kind::SETTINGS => !header.has(ACK) && self.owed.settings_ack,
            Kind::HEADERS if self.role == Role::Server => {
                self.owed.stray_reset.is_some() || self.awaits_slot(header.stream_id)
            }
            _ => false,
        }
    }

    /// The only slots for a new stream are those whose RST_STREAM is not in the send buffer yet: it is not refused for
    /// that.
    fn awaits_slot(&self, id: StreamId) -> bool {
        self.is_idle(id)
            && self.store.first_free().is_none()
            && self.store.iter().any(|(_, stream)| stream.has(Flag::ResetOwed))
    }

    /// A frame waits for output: is there room now?
    fn try_to_proceed(&mut self) -> bool {
        self.flush_owed();
        !self.must_hold(self.reader.header())
    }

    /// "The first frame sent by a server MUST be a SETTINGS frame", of a client after its preface (3.4).
    pub(super) fn is_first_settings(&self, header: FrameHeader) -> bool {
        self.first_frame_seen || (header.kind == Kind::SETTINGS && !header.has(ACK))
    }

    /// The client's preface (server). True when it is complete, or there is none.
    fn read_preface(&mut self, input: &mut &[u8]) -> Result<bool, FrameError> {
        while self.preface_left > 0 {
            let Some((octet, rest)) = input.split_first() else {
                return Ok(false);
            };
            let at = usize::from(role::PREFACE_LEN.saturating_sub(self.preface_left));
            // Spec: h2-3.4-wrong-preface
            if role::PREFACE.get(at) != Some(octet) {
                let reason = "peer is not HTTP/2: no connection preface";
                return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
            }
            *input = rest;
            self.preface_left = self.preface_left.saturating_sub(1);
        }
        Ok(true)
    }
}

/// Why a connection fails whose peer does not begin with SETTINGS.
pub(super) const NOT_HTTP2: &str = "peer is not HTTP/2: first frame is not SETTINGS";

/// Octets of 32 settings.
const SETTINGS_PER_TOKEN: u32 = 6 * 32;
