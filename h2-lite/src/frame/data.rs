//! DATA frames. Spec: RFC 9113 section 6.1.

use super::{END_STREAM, ErrorCode, FrameError, FrameHeader, Kind, MAX_FRAME_SIZE, PADDED, StreamId};

/// The header of a DATA frame of ours: never padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// The stream, never 0.
    pub stream_id: StreamId,
    /// Payload octets, at most the peer's SETTINGS_MAX_FRAME_SIZE.
    pub length: u32,
    /// The last frame of our side of the stream.
    pub end_stream: bool,
}

impl Data {
    /// The frame header; the payload follows it.
    #[must_use]
    pub const fn encode(self) -> [u8; FrameHeader::LEN] {
        let flags = if self.end_stream { END_STREAM } else { 0 };
        FrameHeader {
            length: self.length,
            kind: Kind::DATA,
            flags,
            stream_id: self.stream_id,
        }
        .encode()
    }

    /// What can be said against a DATA frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // "If a DATA frame is received whose Stream Identifier field is 0x00 ... PROTOCOL_ERROR" (6.1)
        // Spec: h2-6.1-stream-0
        if header.stream_id.is_connection() {
            return Err(FrameError::connection(
                ErrorCode::PROTOCOL_ERROR,
                "DATA on stream 0",
            ));
        }
        // Spec: h2-4.2-too-large-stream
        if header.length > MAX_FRAME_SIZE {
            let reason = "DATA exceeds SETTINGS_MAX_FRAME_SIZE";
            return Err(FrameError::stream(
                header.stream_id,
                ErrorCode::FRAME_SIZE_ERROR,
                reason,
            ));
        }
        // Spec: h2-4.2-too-short-padded
        if header.has(PADDED) && header.length == 0 {
            let reason = "DATA too short for its pad length";
            return Err(FrameError::stream(
                header.stream_id,
                ErrorCode::FRAME_SIZE_ERROR,
                reason,
            ));
        }
        Ok(())
    }
}
