//! What the application sends: header sections and DATA, straight into the send buffer.
//!
//! Spec: RFC 9113 sections 5.1.1, 6.1, 6.2, 8.1.

use hpack_lite::{BufferFull, Encoder, Field, Writer};

use crate::config::Role;
use crate::connection::fields::{FieldRules, SectionKind};
use crate::connection::{Connection, role};
use crate::error::UseError;
use crate::event::StreamKey;
use crate::frame::{Data, ErrorCode, FrameHeader, Headers, MAX_FRAME_SIZE, StreamId};
use crate::stream::{Flag, State, Window};
use crate::time::Instant;

/// The fields of a section as the application lists them: a function that gives each field, in order, to the function it
/// is given. It is called to measure and to encode, and must give the same fields each time.
pub type Fields<'f, 'm> = &'f dyn Fn(&mut dyn FnMut(Field<'_, 'm>));

/// Sections of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Response,
    Trailers,
}

impl<'m> Connection<'m> {
    pub(super) fn check_open(&self) -> Result<(), UseError> {
        if self.error.is_some() {
            return Err(UseError::Closed);
        }
        if self.role != Role::Client {
            return Err(UseError::WrongState);
        }
        // Spec: h2-6.8-no-new-streams
        if self.going_away || self.peer_going_away.is_some() {
            return Err(UseError::GoingAway);
        }
        if self.next_id > StreamId::MAX.value() {
            return Err(UseError::StreamIdsExhausted);
        }
        // "Endpoints MUST NOT exceed the limit set by their peer" (5.1.2)
        // Spec: h2-5.1.2-obeys-limit, h2-6.5.2-zero-streams
        if self.store.active() >= self.peer.max_concurrent_streams {
            return Err(UseError::TooManyStreams);
        }
        Ok(())
    }

    pub(super) fn open_with_request(
        &mut self,
        slot: u8,
        fields: Fields<'_, 'm>,
        end_stream: bool,
        now: Instant,
    ) -> Result<StreamKey, UseError> {
        self.check_open()?;
        if !self.store.is_free(slot) {
            return Err(UseError::SlotBusy);
        }
        let rules = self.measure(SectionKind::Request, fields)?;
        // Spec: h2-8.3.1-request-fields
        if !rules.is_complete_request() {
            return Err(UseError::InvalidField);
        }
        let id = StreamId::new(self.next_id);
        // Spec: h2-5.1.1-ids-when-sent
        self.write_section(id, fields, end_stream, now)?;
        let send = Window::new(self.peer.initial_window_size);
        let window = role::first_receive_window(self.role, self.local.acked, self.config.initial_window_size);
        let key = self
            .store
            .insert(slot, id, send, Window::new(window))
            .ok_or(UseError::SlotBusy)?;
        // Spec: h2-5.1.1-client-ids
        self.next_id = self.next_id.saturating_add(2);
        if let Some(stream) = self.store.get_mut(key) {
            if end_stream {
                stream.state.close_local();
            }
            stream.set(Flag::HeadersSent);
            if rules.is_head {
                stream.set(Flag::NoContent);
            }
        }
        self.sent_useful_frame(now);
        Ok(key)
    }

    pub(super) fn send_section(
        &mut self,
        key: StreamKey,
        kind: Kind,
        fields: Fields<'_, 'm>,
        end_stream: bool,
        now: Instant,
    ) -> Result<(), UseError> {
        self.sendable(key)?;
        if self.role != Role::Server || !self.is_next_section(key, kind) {
            return Err(UseError::WrongState);
        }
        let kind = if kind == Kind::Response {
            SectionKind::Response
        } else {
            SectionKind::Trailers
        };
        let rules = self.measure(kind, fields)?;
        // "an endpoint that receives a HEADERS frame without the END_STREAM flag set after receiving the HEADERS frame
        // that opens a request or after receiving a final (non-informational) status code MUST treat [it] as malformed",
        // as it must an interim response with END_STREAM (8.1).
        if rules.is_interim() && end_stream {
            return Err(UseError::InvalidField);
        }
        self.write_section(key.id, fields, end_stream, now)?;
        if let (Some(stream), false) = (self.store.get_mut(key), rules.is_interim()) {
            stream.set(Flag::HeadersSent);
        }
        if end_stream {
            self.close_local(key);
        }
        self.sent_useful_frame(now);
        Ok(())
    }

    /// A message is interim sections, the final header section, DATA, trailers (8.1).
    fn is_next_section(&self, key: StreamKey, kind: Kind) -> bool {
        let begun = self
            .store
            .get(key)
            .is_some_and(|stream| stream.has(Flag::HeadersSent));
        begun == (kind == Kind::Trailers)
    }

    /// What both windows allow.
    pub(super) fn window_for_data(&self, key: StreamKey) -> Result<usize, UseError> {
        let stream_window = self.sendable(key)?;
        if !self.is_next_section(key, Kind::Trailers) {
            return Err(UseError::WrongState);
        }
        // Spec: h2-6.9.1-both-windows
        let window = stream_window.min(self.send_window.available());
        Ok(usize::try_from(window).unwrap_or(usize::MAX))
    }

    pub(super) fn room_for_data(&self, key: StreamKey) -> Result<usize, UseError> {
        // Spec: h2-4.2-sends-within
        let frame = usize::try_from(self.peer.max_frame_size).unwrap_or(usize::MAX);
        let window = self.window_for_data(key)?.min(frame);
        if self.owed.preface || self.is_amid_settings() {
            return Ok(0);
        }
        // What is owed goes first, so that an answer to PING does not wait behind DATA (6.7).
        // Spec: h2-6.7-before-others
        let taken = FrameHeader::LEN.saturating_add(self.owed_len());
        Ok(window.min(self.send.room().saturating_sub(taken)))
    }

    pub(super) fn write_data(
        &mut self,
        key: StreamKey,
        len: usize,
        end_stream: bool,
        fill: &mut dyn FnMut(&mut [u8]),
        now: Instant,
    ) -> Result<(), UseError> {
        self.room_for_data(key)?;
        if len == 0 && !end_stream {
            return Err(UseError::WrongState);
        }
        if self.owed.preface {
            self.flush_owed();
        }
        // The empty END_STREAM asks for room only, not for a window.
        // Spec: h2-6.9.1-empty-end
        let fits = len <= self.room_for_data(key)? && (len > 0 || self.send.room() >= FrameHeader::LEN);
        if !fits || self.owed.preface {
            return Err(UseError::NoRoom);
        }
        self.flush_owed();
        let length = u32::try_from(len).map_err(|_| UseError::NoRoom)?;
        let data = Data {
            stream_id: key.id,
            length,
            end_stream,
        };
        if !self.send.push_data(data, self.peer.max_frame_size, fill) {
            return Err(UseError::NoRoom);
        }
        // Both cover it, as `room_for_data` says.
        self.send_window.lower(length);
        if let Some(stream) = self.store.get_mut(key) {
            stream.send_window.lower(length);
        }
        if end_stream {
            self.close_local(key);
        }
        self.credit_sent_data(length);
        self.sent_useful_frame(now);
        Ok(())
    }

    /// The stream's send window, if we may send on it at all.
    fn sendable(&self, key: StreamKey) -> Result<u32, UseError> {
        if self.error.is_some() {
            return Err(UseError::Closed);
        }
        match self.store.get(key) {
            // Spec: h2-5.1-closed-silence, h2-6.4-silence
            Some(stream) if stream.is_live() && stream.state.can_send() => Ok(stream.send_window.available()),
            _ => Err(UseError::WrongState),
        }
    }

    fn close_local(&mut self, key: StreamKey) {
        self.credit_answered();
        let Some(stream) = self.store.get_mut(key) else {
            return;
        };
        stream.state.close_local();
        if stream.state == State::Closed {
            self.release_slot(key);
        }
    }

    fn sent_useful_frame(&mut self, now: Instant) {
        self.credit_useful_frame();
        self.timers.output_pending(now, self.config.write_stall_ms);
    }

    /// The dry run: are the fields valid, and can they ever fit?
    fn measure(&self, kind: SectionKind, fields: Fields<'_, 'm>) -> Result<FieldRules, UseError> {
        let mut rules = FieldRules::new(kind);
        let mut valid = true;
        let (mut list_size, mut needed) = (0_usize, FrameHeader::LEN.saturating_add(SIZE_UPDATES_LEN));
        fields(&mut |field| {
            let (name, value) = parts(field);
            // Spec: h2-8.2.1-never-generated, h2-8.2.2-never-generated
            valid &= rules.check(name, value).is_ok();
            let octets = name.len().saturating_add(value.len());
            // Spec: grpc-header-limit-size, grpc-bin-size
            list_size = list_size.saturating_add(octets).saturating_add(32);
            needed = needed.saturating_add(Encoder::max_len(field));
        });
        if !valid || rules.finish(0).is_err() {
            return Err(UseError::InvalidField);
        }
        let frame = usize::try_from(MAX_FRAME_SIZE)
            .unwrap_or(usize::MAX)
            .saturating_add(FrameHeader::LEN);
        let available = self.send.max_room().min(frame);
        if needed > available {
            return Err(UseError::TooLarge { needed, available });
        }
        let available = usize::try_from(self.peer.max_header_list_size).unwrap_or(usize::MAX);
        if list_size > available {
            return Err(UseError::TooLarge {
                needed: list_size,
                available,
            });
        }
        Ok(rules)
    }

    /// One HEADERS frame, whole or not at all. The bound is taken first, so that the encoder cannot fail halfway.
    fn write_section(
        &mut self,
        id: StreamId,
        fields: Fields<'_, 'm>,
        end_stream: bool,
        now: Instant,
    ) -> Result<(), UseError> {
        self.flush_owed();
        let mut needed = FrameHeader::LEN.saturating_add(self.encoder.size_update_len());
        fields(&mut |field| needed = needed.saturating_add(Encoder::max_len(field)));
        // Spec: hpack-encode-whole
        if self.owed.preface || self.is_amid_settings() || needed > self.send.room() {
            return Err(UseError::NoRoom);
        }
        let Some((header, rest)) = self.send.spare().split_first_chunk_mut::<{ FrameHeader::LEN }>() else {
            return Err(UseError::NoRoom);
        };
        let mut writer = Writer::new(rest);
        let encoder = &mut self.encoder;
        let mut result: Result<(), BufferFull> = encoder.begin_block(&mut writer);
        fields(&mut |field| {
            if result.is_ok() {
                result = encoder.encode(field, &mut writer);
            }
        });
        let written = writer.written();
        let length = u32::try_from(written).unwrap_or(u32::MAX);
        *header = Headers {
            stream_id: id,
            length,
            end_stream,
        }
        .encode();
        if result.is_err() {
            // `fields` gave more than it measured: the peer's table cannot be kept in step.
            self.fail(
                ErrorCode::INTERNAL_ERROR,
                "the application changed a header section while it was encoded",
            );
            self.timers.output_pending(now, self.config.write_stall_ms);
            return Err(UseError::Closed);
        }
        self.send.commit(written.saturating_add(FrameHeader::LEN));
        Ok(())
    }
}

const fn parts<'a>(field: Field<'a, 'a>) -> (&'a [u8], &'a [u8]) {
    match field {
        Field::Indexable { name, value }
        | Field::Literal { name, value }
        | Field::NeverIndexed { name, value } => (name, value),
    }
}

/// Two table size updates of at most six octets.
const SIZE_UPDATES_LEN: usize = 12;

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{Config, Memory, Stream};

    fn request<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
        for (name, value) in [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "a"),
        ] {
            push(Field::Literal {
                name: name.as_bytes(),
                value: value.as_bytes(),
            });
        }
    }

    // Spec: h2-5.1.1-client-ids
    #[test]
    fn stream_identifiers_run_out_and_are_never_reused_5_1_1() {
        let mut streams: Vec<Stream> = (0..3).map(|_| Stream::new()).collect();
        let mut send = [0; 1_024];
        let memory = Memory {
            streams: &mut streams,
            send: &mut send,
            decoder_table: &mut [],
            encoder_table: &mut [],
            scratch: &mut [],
        };
        let now = Instant::from_millis(0);
        let mut connection = Connection::new(Role::Client, Config::default(), memory).unwrap();
        connection.next_id = 0x7fff_fffd;
        let mut open = |slot| {
            connection
                .send_request(slot, &request, true, now)
                .map(|key| key.id.value())
        };
        assert_eq!(open(0), Ok(0x7fff_fffd));
        assert_eq!(open(1), Ok(0x7fff_ffff));
        assert_eq!(open(2), Err(UseError::StreamIdsExhausted));
        assert_eq!(connection.can_open(), Err(UseError::StreamIdsExhausted));
        assert!(
            !connection.is_idle(StreamId::MAX),
            "the last one is open, not idle"
        );
        connection.reset(now);
        assert_eq!(connection.can_open(), Ok(()));
    }
}
