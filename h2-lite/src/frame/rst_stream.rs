//! RST_STREAM frames. Spec: RFC 9113 section 6.4.

use super::{ErrorCode, FrameError, FrameHeader, Kind, StreamId};

/// The end of a stream, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RstStream {
    /// The stream, never 0 and never idle.
    pub stream_id: StreamId,
    /// Why.
    pub code: ErrorCode,
}

impl RstStream {
    /// Octets of the whole frame.
    pub const LEN: usize = 13;

    /// Reads the payload.
    #[must_use]
    pub const fn decode(payload: [u8; 4]) -> ErrorCode {
        ErrorCode(u32::from_be_bytes(payload))
    }

    /// Writes the whole frame.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        FrameHeader {
            length: 4,
            kind: Kind::RST_STREAM,
            flags: 0,
            stream_id: self.stream_id,
        }
        .with_4(self.code.0.to_be_bytes())
    }

    /// What can be said against a RST_STREAM frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.4-stream-0
        if header.stream_id.is_connection() {
            return Err(FrameError::connection(
                ErrorCode::PROTOCOL_ERROR,
                "RST_STREAM on stream 0",
            ));
        }
        // Spec: h2-6.4-length
        if header.length != 4 {
            let reason = "RST_STREAM of a length other than 4";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
