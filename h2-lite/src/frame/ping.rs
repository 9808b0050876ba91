//! PING frames. Spec: RFC 9113 section 6.7.

use super::{ACK, ErrorCode, FrameError, FrameHeader, Kind, StreamId};

/// A liveness probe or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Answers a PING of the peer.
    pub ack: bool,
    /// Octets that the answer must repeat.
    pub payload: [u8; 8],
}

impl Ping {
    /// Octets of the whole frame.
    pub const LEN: usize = 17;

    /// Writes the whole frame.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        let flags = if self.ack { ACK } else { 0 };
        FrameHeader {
            length: 8,
            kind: Kind::PING,
            flags,
            stream_id: StreamId::CONNECTION,
        }
        .with_8(self.payload)
    }

    /// What can be said against a PING frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.7-stream
        if !header.stream_id.is_connection() {
            let reason = "PING on a stream other than 0";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        }
        // Spec: h2-6.7-length
        if header.length != 8 {
            let reason = "PING of a length other than 8";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
