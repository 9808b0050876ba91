//! HEADERS frames. Spec: RFC 9113 section 6.2.

use super::{
    END_HEADERS, END_STREAM, ErrorCode, FrameError, FrameHeader, Kind, MAX_FRAME_SIZE, PADDED, PRIORITY,
    StreamId,
};

/// The header of a HEADERS frame of ours: one frame carries the whole block, neither padded nor prioritised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The stream, never 0.
    pub stream_id: StreamId,
    /// Octets of the header block.
    pub length: u32,
    /// The last frame of our side of the stream.
    pub end_stream: bool,
}

impl Headers {
    /// The frame header; the header block follows it.
    #[must_use]
    pub const fn encode(self) -> [u8; FrameHeader::LEN] {
        let flags = if self.end_stream {
            END_HEADERS | END_STREAM
        } else {
            END_HEADERS
        };
        FrameHeader {
            length: self.length,
            kind: Kind::HEADERS,
            flags,
            stream_id: self.stream_id,
        }
        .encode()
    }

    /// What can be said against a HEADERS frame by its header alone. Its size errors reach the connection,
    /// since the header block is lost (section 4.2).
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.2-stream-0
        if header.stream_id.is_connection() {
            return Err(FrameError::connection(
                ErrorCode::PROTOCOL_ERROR,
                "HEADERS on stream 0",
            ));
        }
        // Spec: h2-4.2-too-large-connection
        if header.length > MAX_FRAME_SIZE {
            let reason = "HEADERS exceeds SETTINGS_MAX_FRAME_SIZE";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        // Spec: h2-4.2-too-short-padded, h2-4.2-too-short-priority
        let mandatory = match (header.has(PADDED), header.has(PRIORITY)) {
            (false, false) => 0,
            (true, false) => 1,
            (false, true) => 5,
            (true, true) => 6,
        };
        if header.length < mandatory {
            let reason = "HEADERS too short for its pad length or priority";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
