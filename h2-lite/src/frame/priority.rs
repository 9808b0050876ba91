//! PRIORITY frames and the priority part of HEADERS: checked, then forgotten (the scheme is deprecated).
//!
//! Spec: RFC 9113 sections 5.3.2 and 6.3.

use super::{ErrorCode, FrameError, FrameHeader, Kind, StreamId};

/// The five octets of stream dependency and weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority {
    /// The dependency is exclusive.
    pub exclusive: bool,
    /// The stream depended upon.
    pub dependency: StreamId,
    /// The weight as on the wire: one less than its value.
    pub weight: u8,
}

impl Priority {
    /// Octets of the priority part.
    pub const LEN: usize = 5;

    /// Reads the five octets.
    #[must_use]
    pub const fn decode(octets: [u8; Self::LEN]) -> Self {
        let [d0, d1, d2, d3, weight] = octets;
        let dependency = StreamId::new(u32::from_be_bytes([d0, d1, d2, d3]));
        Self {
            exclusive: d0 & 0x80 != 0,
            dependency,
            weight,
        }
    }

    /// Writes the five octets.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        let [d0, d1, d2, d3] = self.dependency.value().to_be_bytes();
        [
            if self.exclusive { d0 | 0x80 } else { d0 },
            d1,
            d2,
            d3,
            self.weight,
        ]
    }

    /// What can be said against a PRIORITY frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.3-stream-0
        if header.stream_id.is_connection() {
            return Err(FrameError::connection(
                ErrorCode::PROTOCOL_ERROR,
                "PRIORITY on stream 0",
            ));
        }
        // "A PRIORITY frame with a length other than 5 octets ... stream error" (6.3)
        // Spec: h2-6.3-length
        if header.length != 5 {
            let reason = "PRIORITY of a length other than 5";
            return Err(FrameError::stream(
                header.stream_id,
                ErrorCode::FRAME_SIZE_ERROR,
                reason,
            ));
        }
        Ok(())
    }

    /// The header of a PRIORITY frame on `stream_id`.
    #[must_use]
    pub const fn header(stream_id: StreamId) -> [u8; FrameHeader::LEN] {
        FrameHeader {
            length: 5,
            kind: Kind::PRIORITY,
            flags: 0,
            stream_id,
        }
        .encode()
    }
}
