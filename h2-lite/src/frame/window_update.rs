//! WINDOW_UPDATE frames. Spec: RFC 9113 section 6.9.

use super::{ErrorCode, FrameError, FrameHeader, Kind, Scope, StreamId};

/// More octets of DATA that the receiver may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowUpdate {
    /// The stream, or 0 for the connection's window.
    pub stream_id: StreamId,
    /// Octets, 1 to 2^31 - 1.
    pub increment: u32,
}

impl WindowUpdate {
    /// Octets of the whole frame.
    pub const LEN: usize = 13;

    /// Reads the payload of a frame on `stream_id`; the reserved bit is ignored.
    ///
    /// # Errors
    /// PROTOCOL_ERROR on the stream, or on the connection for stream 0, if the increment is 0.
    pub const fn decode(stream_id: StreamId, payload: [u8; 4]) -> Result<u32, FrameError> {
        let increment = u32::from_be_bytes(payload) & 0x7fff_ffff;
        if increment == 0 {
            // Spec: h2-6.9-zero-connection, h2-6.9-zero-stream
            let scope = if stream_id.is_connection() {
                Scope::Connection
            } else {
                Scope::Stream(stream_id)
            };
            let reason = "WINDOW_UPDATE with an increment of 0";
            return Err(FrameError {
                scope,
                code: ErrorCode::PROTOCOL_ERROR,
                reason,
            });
        }
        Ok(increment)
    }

    /// Writes the whole frame.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        FrameHeader {
            length: 4,
            kind: Kind::WINDOW_UPDATE,
            flags: 0,
            stream_id: self.stream_id,
        }
        .with_4(self.increment.to_be_bytes())
    }

    /// What can be said against a WINDOW_UPDATE frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.9-length
        if header.length != 4 {
            let reason = "WINDOW_UPDATE of a length other than 4";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
