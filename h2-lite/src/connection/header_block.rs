//! Header blocks as they arrive, over HEADERS and CONTINUATION, one field at a time. Every block is decoded to its
//! end, whatever becomes of its stream, so that the HPACK table stays in step.
//!
//! Spec: RFC 9113 sections 4.3, 6.10 and 8.1.

use hpack_lite::DecodeError;

use crate::connection::fields::{FieldRules, SectionKind};
use crate::connection::inbound::Found;
use crate::connection::{Connection, role};
use crate::event::{Event, Section, StreamKey};
use crate::frame::{END_STREAM, ErrorCode, FrameError, FrameHeader, Kind, StreamId};
use crate::stream::{Flag, State, Window};
use crate::time::Instant;

/// The header block under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderBlock {
    pub(super) stream_id: StreamId,
    end_stream: bool,
    /// Who is told. `None`: decoded for the table's sake only.
    report: Option<StreamKey>,
    rules: FieldRules,
    continuations: u8,
    encoded_size: u32,
}

impl Connection<'_> {
    /// HEADERS begin: finds out whom they concern. The block is open when this returns, with an error or without.
    pub(super) fn begin_block(&mut self, header: FrameHeader, now: Instant) -> Result<(), FrameError> {
        let id = header.stream_id;
        let end_stream = header.has(END_STREAM);
        // Spec: h2-5.1.1-even, h2-5.1-idle-server-id
        if self.is_idle(id) && !role::peer_may_open(self.role, id) {
            let reason = "HEADERS on an idle stream that the peer cannot open";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        }
        self.timers
            .header_block_begun(now, self.config.header_block_timeout_ms);
        self.block = Some(HeaderBlock {
            stream_id: id,
            end_stream,
            report: None,
            rules: FieldRules::new(SectionKind::Trailers),
            continuations: 0,
            encoded_size: 0,
        });
        if self.is_idle(id) {
            self.accept(id);
        } else if self.store.find(id).is_none() {
            self.check_past(id, Kind::HEADERS)?;
        }
        let Some((key, kind)) = self.expected_section(id, end_stream)? else {
            return Ok(());
        };
        if let Some(block) = &mut self.block {
            block.report = Some(key);
            block.rules = FieldRules::new(kind);
        }
        Ok(())
    }

    /// CONTINUATION of the block under way; that it belongs there has been checked.
    pub(super) fn continue_block(&mut self) -> Result<(), FrameError> {
        let limit = self.config.budgets.continuations;
        // Spec: h2-6.10-no-block
        let Some(block) = &mut self.block else {
            let reason = "CONTINUATION without a header block";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        };
        // Spec: h2-6.10-received
        block.continuations = block.continuations.saturating_add(1);
        if block.continuations > limit {
            let reason = "header block in too many CONTINUATION frames";
            return Err(FrameError::connection(ErrorCode::ENHANCE_YOUR_CALM, reason));
        }
        Ok(())
    }

    /// Decodes a fragment up to the first field that is worth reporting, and leaves the rest in `fragment`.
    pub(super) fn decode_fragment<'i>(
        &mut self,
        fragment: &mut &[u8],
    ) -> Result<Option<Found<'i>>, FrameError> {
        let Some(mut block) = self.block.take() else {
            *fragment = &[];
            return Ok(None);
        };
        let result = self.decode_into(&mut block, fragment);
        if result.is_err() {
            block.report = None;
        }
        self.block = Some(block);
        result
    }

    fn decode_into<'i>(
        &mut self,
        block: &mut HeaderBlock,
        fragment: &mut &[u8],
    ) -> Result<Option<Found<'i>>, FrameError> {
        loop {
            let before = fragment.len();
            let decoded = self.decoder.decode(fragment);
            let consumed = u32::try_from(before.saturating_sub(fragment.len())).unwrap_or(u32::MAX);
            block.encoded_size = block.encoded_size.saturating_add(consumed);
            let field = decoded
                // Spec: h2-4.3-undecodable
                .map_err(|error| FrameError::connection(ErrorCode::COMPRESSION_ERROR, error.reason()))?;
            // The application may have reset the stream, and reused its slot, since the last field.
            // Spec: h2-4.3-always-decodes
            let report = block.report.filter(|key| self.store.is_live(*key));
            let found = match (field, report) {
                (Some(field), Some(key)) => {
                    let checked = block.rules.check_received(field);
                    let unseen = field.truncated && field.name.starts_with(b":");
                    let is_reported = !unseen && block.rules.is_reported(field.name);
                    // First, for those that were skipped count although this one is malformed.
                    self.check_block_size(block)?;
                    // Spec: h2-8.1.1-reset, h2-8.1.1-client-refuses
                    let stream_error = |reason| FrameError::stream(key.id, ErrorCode::PROTOCOL_ERROR, reason);
                    checked.map_err(stream_error)?;
                    is_reported.then_some(Found::Field {
                        stream: key,
                        section: block.section(),
                    })
                }
                (Some(_), None) => {
                    self.check_block_size(block)?;
                    None
                }
                (None, _) => {
                    self.check_block_size(block)?;
                    return Ok(None);
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// END_HEADERS and all before it: the section is complete.
    pub(super) fn end_block<'i>(&mut self, now: Instant) -> Result<Option<Event<'i>>, FrameError> {
        let Some(block) = self.block.take() else {
            return Ok(None);
        };
        self.timers.header_block_done();
        let compression =
            |error: DecodeError| FrameError::connection(ErrorCode::COMPRESSION_ERROR, error.reason());
        let summary = self.decoder.finish().map_err(compression)?;
        let live = block.report.filter(|key| self.store.is_live(*key));
        let Some(key) = live else {
            return self.charge_discarded(0, now).map(|()| None);
        };
        // Spec: h2-8.1.1-reset, h2-8.1.1-client-refuses
        let malformed = |reason| FrameError::stream(key.id, ErrorCode::PROTOCOL_ERROR, reason);
        self.close_section(key, &block, summary.skipped)
            .map_err(malformed)?;
        // Spec: h2-8.1-interim
        if block.rules.is_interim() {
            self.charge_control(now)?;
            return Ok(None);
        }
        self.credit_useful_frame();
        self.free_if_closed(key);
        Ok(Some(Event::HeadersEnd {
            stream: key,
            section: block.section(),
            end_stream: block.end_stream,
            skipped: summary.skipped,
        }))
    }

    /// What a valid section does to its stream, or why it is malformed (8.1).
    fn close_section(
        &mut self,
        key: StreamKey,
        block: &HeaderBlock,
        skipped: u32,
    ) -> Result<(), &'static str> {
        block.rules.finish(skipped)?;
        let Some(stream) = self.store.get_mut(key) else {
            return Ok(());
        };
        if block.rules.is_interim() {
            // Spec: h2-8.1-interim-end
            return if block.end_stream {
                Err("interim response that ends the stream")
            } else {
                Ok(())
            };
        }
        if block.section() == Section::Headers {
            stream.set(Flag::HeadersReceived);
            let no_content = stream.has(Flag::NoContent) || matches!(block.rules.status, 204 | 304);
            if let (Some(length), false) = (block.rules.content_length, no_content) {
                stream.set(Flag::ContentLength);
                stream.content_left = length;
            }
        }
        if block.end_stream {
            // "malformed if the value of a content-length header field does not equal the sum of the DATA frame
            // payload lengths" (8.1.1)
            // Spec: h2-8.1.1-content-length
            if stream.has(Flag::ContentLength) && stream.content_left > 0 {
                return Err("content shorter than content-length");
            }
            stream.state.close_remote();
        }
        Ok(())
    }

    /// Which section comes next on stream `id`. `None`: nobody wants it. An error: it must not come, though its
    /// block is still decoded.
    fn expected_section(
        &mut self,
        id: StreamId,
        end_stream: bool,
    ) -> Result<Option<(StreamKey, SectionKind)>, FrameError> {
        let Some(key) = self.store.find(id) else {
            return Ok(None);
        };
        let Some(stream) = self.store.get(key).filter(|stream| stream.is_live()) else {
            return Ok(None);
        };
        // Spec: h2-5.1-half-closed
        if !stream.state.can_receive() {
            let reason = "HEADERS after END_STREAM";
            return Err(FrameError::stream(id, ErrorCode::STREAM_CLOSED, reason));
        }
        if stream.has(Flag::HeadersReceived) {
            // Spec: h2-8.1-late-headers, h2-8.1-second-headers
            if !end_stream {
                let reason = "trailers that do not end the stream";
                return Err(FrameError::stream(id, ErrorCode::PROTOCOL_ERROR, reason));
            }
            return Ok(Some((key, SectionKind::Trailers)));
        }
        let kind = if role::is_local(self.role, id) {
            SectionKind::Response
        } else {
            SectionKind::Request
        };
        Ok(Some((key, kind)))
    }

    /// The peer opens stream `id` (server). Without a free slot it is refused; its block is decoded all the same.
    fn accept(&mut self, id: StreamId) {
        self.highest_peer_id = id;
        let window = role::first_receive_window(self.role, self.local.acked, self.config.initial_window_size);
        let send = Window::new(self.peer.initial_window_size);
        // Spec: h2-5.1.2-excess, h2-6.8-accounting
        let slot = self.store.first_free().filter(|_| !self.going_away);
        let opened = slot.and_then(|slot| self.store.insert(slot, id, send, Window::new(window)));
        if opened.is_none() && !self.going_away {
            // Spec: h2-5.1.2-excess, h2-8.7-refused-untouched
            self.owed.stray_reset = Some((id, ErrorCode::REFUSED_STREAM));
            self.own_resets.remember(id);
        }
    }

    /// Bounds on the octets of a block, before and after decompression.
    fn check_block_size(&self, block: &HeaderBlock) -> Result<(), FrameError> {
        let decoded_limit = self.config.max_header_list_size.saturating_mul(4);
        let reason = if block.encoded_size > self.config.budgets.header_block_size {
            "header block too large"
        } else if self.decoder.list_size() > decoded_limit {
            "header block decompresses to far more than SETTINGS_MAX_HEADER_LIST_SIZE"
        } else {
            return Ok(());
        };
        Err(FrameError::connection(ErrorCode::ENHANCE_YOUR_CALM, reason))
    }

    /// Both sides have ended: the slot is free, with the event that says so.
    pub(super) fn free_if_closed(&mut self, key: StreamKey) {
        if self
            .store
            .get(key)
            .is_some_and(|stream| stream.state == State::Closed)
        {
            self.release_slot(key);
        }
    }
}

impl HeaderBlock {
    const fn section(&self) -> Section {
        match self.rules.kind() {
            SectionKind::Trailers => Section::Trailers,
            _ => Section::Headers,
        }
    }

    /// True if a frame of this header may come now: between HEADERS and END_HEADERS only CONTINUATION of the
    /// same stream may (6.2, 6.10).
    pub(super) fn allows(&self, header: FrameHeader) -> bool {
        header.kind == Kind::CONTINUATION && header.stream_id == self.stream_id
    }
}
