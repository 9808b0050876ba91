//! CONTINUATION frames. Spec: RFC 9113 section 6.10.

use super::{END_HEADERS, ErrorCode, FrameError, FrameHeader, Kind, MAX_FRAME_SIZE, StreamId};

/// The header of a CONTINUATION frame. Ours are never needed: a block of ours fits its HEADERS frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// The stream of the open header block.
    pub stream_id: StreamId,
    /// Octets of the fragment.
    pub length: u32,
    /// The block ends here.
    pub end_headers: bool,
}

impl Continuation {
    /// The frame header; the fragment follows it.
    #[must_use]
    pub const fn encode(self) -> [u8; FrameHeader::LEN] {
        let flags = if self.end_headers { END_HEADERS } else { 0 };
        FrameHeader {
            length: self.length,
            kind: Kind::CONTINUATION,
            flags,
            stream_id: self.stream_id,
        }
        .encode()
    }

    /// What can be said against a CONTINUATION frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.10-stream-0
        if header.stream_id.is_connection() {
            return Err(FrameError::connection(
                ErrorCode::PROTOCOL_ERROR,
                "CONTINUATION on stream 0",
            ));
        }
        // Spec: h2-4.2-too-large-connection
        if header.length > MAX_FRAME_SIZE {
            let reason = "CONTINUATION exceeds SETTINGS_MAX_FRAME_SIZE";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
