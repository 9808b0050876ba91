//! SETTINGS frames. Spec: RFC 9113 section 6.5.

use super::{ACK, ErrorCode, FrameError, FrameHeader, Kind, MAX_FRAME_SIZE, StreamId};

/// The name of a setting. Open: unknown ones are ignored (section 6.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SettingId(pub u16);

impl SettingId {
    /// Largest dynamic table, in octets, that our encoder may use.
    pub const HEADER_TABLE_SIZE: Self = Self(0x01);
    /// Whether server push is allowed: 0 or 1.
    pub const ENABLE_PUSH: Self = Self(0x02);
    /// Streams that we may have open at once.
    pub const MAX_CONCURRENT_STREAMS: Self = Self(0x03);
    /// Octets of flow-control window that new streams start with.
    pub const INITIAL_WINDOW_SIZE: Self = Self(0x04);
    /// Largest payload that we may send.
    pub const MAX_FRAME_SIZE: Self = Self(0x05);
    /// Largest field section that the peer is prepared to take; advisory.
    pub const MAX_HEADER_LIST_SIZE: Self = Self(0x06);
}

/// One setting as it stands in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which one.
    pub id: SettingId,
    /// Its value.
    pub value: u32,
}

impl Setting {
    /// Octets of one setting.
    pub const LEN: usize = 6;

    /// Reads one setting.
    #[must_use]
    pub const fn decode(octets: [u8; Self::LEN]) -> Self {
        let [i0, i1, v0, v1, v2, v3] = octets;
        Self {
            id: SettingId(u16::from_be_bytes([i0, i1])),
            value: u32::from_be_bytes([v0, v1, v2, v3]),
        }
    }

    /// Writes one setting.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        let [i0, i1] = self.id.0.to_be_bytes();
        let [v0, v1, v2, v3] = self.value.to_be_bytes();
        [i0, i1, v0, v1, v2, v3]
    }
}

/// The frame around the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Octets of the settings that follow: six each, 0 in an acknowledgement.
    pub length: u32,
    /// Acknowledges the peer's SETTINGS.
    pub ack: bool,
}

impl Settings {
    /// The frame header; the settings follow it.
    #[must_use]
    pub const fn encode(self) -> [u8; FrameHeader::LEN] {
        let flags = if self.ack { ACK } else { 0 };
        FrameHeader {
            length: self.length,
            kind: Kind::SETTINGS,
            flags,
            stream_id: StreamId::CONNECTION,
        }
        .encode()
    }

    /// What can be said against a SETTINGS frame by its header alone.
    pub(super) const fn check(header: FrameHeader) -> Result<(), FrameError> {
        // Spec: h2-6.5-stream
        if !header.stream_id.is_connection() {
            let reason = "SETTINGS on a stream other than 0";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        }
        // Spec: h2-6.5-ack-payload
        if header.has(ACK) && header.length != 0 {
            let reason = "SETTINGS acknowledgement with a payload";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        // Spec: h2-6.5-length
        if !header.length.is_multiple_of(6) {
            let reason = "SETTINGS of a length that is no multiple of 6";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        // Spec: h2-4.2-too-large-connection
        if header.length > MAX_FRAME_SIZE {
            let reason = "SETTINGS exceeds SETTINGS_MAX_FRAME_SIZE";
            return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
        }
        Ok(())
    }
}
