//! PUSH_PROMISE frames: read far enough to be refused by name. Spec: RFC 9113 section 6.6.

use super::{END_HEADERS, ErrorCode, FrameError, FrameHeader, Kind, MAX_FRAME_SIZE, PADDED, StreamId};

/// The fixed part of a PUSH_PROMISE frame. No connection of this crate accepts or sends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushPromise {
    /// The stream of the request that the push belongs to.
    pub stream_id: StreamId,
    /// The promised stream: even, not 0.
    pub promised_stream_id: StreamId,
    /// Octets of the header block fragment.
    pub length: u32,
}

impl PushPromise {
    /// Reads the promised stream's identifier.
    ///
    /// # Errors
    /// PROTOCOL_ERROR if it is 0 or odd: a server promises streams of its own (section 5.1.1).
    pub const fn decode(octets: [u8; 4]) -> Result<StreamId, FrameError> {
        let promised = StreamId::new(u32::from_be_bytes(octets));
        if promised.is_connection() || promised.is_client_initiated() {
            let reason = "PUSH_PROMISE of a stream that no server can open";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        }
        Ok(promised)
    }

    /// The frame header and the promised stream's identifier; the fragment follows.
    #[must_use]
    pub const fn encode(self) -> [u8; 13] {
        let length = self.length.saturating_add(4);
        FrameHeader {
            length,
            kind: Kind::PUSH_PROMISE,
            flags: END_HEADERS,
            stream_id: self.stream_id,
        }
        .with_4(self.promised_stream_id.value().to_be_bytes())
    }

    /// What can be said against a PUSH_PROMISE frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        if header.stream_id.is_connection() {
            return Err(FrameError::connection(
                ErrorCode::PROTOCOL_ERROR,
                "PUSH_PROMISE on stream 0",
            ));
        }
        let mandatory = if header.has(PADDED) { 5 } else { 4 };
        if header.length < mandatory || header.length > MAX_FRAME_SIZE {
            let reason = "PUSH_PROMISE of an impossible length";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
