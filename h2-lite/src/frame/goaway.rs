//! GOAWAY frames. Spec: RFC 9113 section 6.8.

use super::{ErrorCode, FrameError, FrameHeader, Kind, MAX_FRAME_SIZE, StreamId};

/// The announcement that no further streams will be served. Ours carry no debug data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoAway {
    /// The highest stream of the receiver that the sender may have processed.
    pub last_stream_id: StreamId,
    /// Why.
    pub code: ErrorCode,
}

impl GoAway {
    /// Octets of the whole frame without debug data.
    pub const LEN: usize = 17;

    /// Reads the fixed part of the payload.
    #[must_use]
    pub const fn decode(octets: [u8; 8]) -> Self {
        let [s0, s1, s2, s3, c0, c1, c2, c3] = octets;
        Self {
            last_stream_id: StreamId::new(u32::from_be_bytes([s0, s1, s2, s3])),
            code: ErrorCode(u32::from_be_bytes([c0, c1, c2, c3])),
        }
    }

    /// Writes the whole frame, without debug data.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        let [s0, s1, s2, s3] = self.last_stream_id.value().to_be_bytes();
        let [c0, c1, c2, c3] = self.code.0.to_be_bytes();
        FrameHeader {
            length: 8,
            kind: Kind::GOAWAY,
            flags: 0,
            stream_id: StreamId::CONNECTION,
        }
        .with_8([s0, s1, s2, s3, c0, c1, c2, c3])
    }

    /// What can be said against a GOAWAY frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.8-stream
        if !header.stream_id.is_connection() {
            let reason = "GOAWAY on a stream other than 0";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        }
        // Spec: h2-6.8-length, h2-4.2-too-large-connection
        if header.length < 8 || header.length > MAX_FRAME_SIZE {
            let reason = "GOAWAY of an impossible length";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
