//! The frame layer: octets to typed pieces and back. It knows no stream state and no connection.
//!
//! One file per frame type holds its flags, its decoder and its encoder; [`FrameReader`] cuts the incoming
//! octets into [`Piece`]s without ever holding a whole frame.
//!
//! Spec: RFC 9113 sections 4 and 6.

mod continuation;
mod data;
mod error_code;
mod goaway;
mod headers;
mod ping;
mod priority;
mod push_promise;
mod reader;
mod rst_stream;
mod settings;
mod stream_id;
mod window_update;

pub use continuation::Continuation;
pub use data::Data;
pub use error_code::ErrorCode;
pub use goaway::GoAway;
pub use headers::Headers;
pub use ping::Ping;
pub use priority::Priority;
pub use push_promise::PushPromise;
pub use reader::{FrameReader, Piece};
pub use rst_stream::RstStream;
pub use settings::{Setting, SettingId, Settings};
pub use stream_id::StreamId;
pub use window_update::WindowUpdate;

/// A frame type. Open: unknown types are read over (RFC 9113 section 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// DATA, section 6.1.
    pub const DATA: Self = Self(0x00);
    /// HEADERS, section 6.2.
    pub const HEADERS: Self = Self(0x01);
    /// PRIORITY, section 6.3.
    pub const PRIORITY: Self = Self(0x02);
    /// RST_STREAM, section 6.4.
    pub const RST_STREAM: Self = Self(0x03);
    /// SETTINGS, section 6.5.
    pub const SETTINGS: Self = Self(0x04);
    /// PUSH_PROMISE, section 6.6.
    pub const PUSH_PROMISE: Self = Self(0x05);
    /// PING, section 6.7.
    pub const PING: Self = Self(0x06);
    /// GOAWAY, section 6.8.
    pub const GOAWAY: Self = Self(0x07);
    /// WINDOW_UPDATE, section 6.9.
    pub const WINDOW_UPDATE: Self = Self(0x08);
    /// CONTINUATION, section 6.10.
    pub const CONTINUATION: Self = Self(0x09);
}

/// The nine octets before every payload. Spec: RFC 9113 section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Payload octets, 0 to 2^24 - 1.
    pub length: u32,
    /// Frame type.
    pub kind: Kind,
    /// Flags; those that the type does not define are ignored.
    pub flags: u8,
    /// The stream this frame belongs to; 0 for the connection.
    pub stream_id: StreamId,
}

impl FrameHeader {
    /// Octets of a frame header.
    pub const LEN: usize = 9;
    /// Nothing, on stream 0: the value before the first frame.
    pub(crate) const NONE: Self = Self {
        length: 0,
        kind: Kind::DATA,
        flags: 0,
        stream_id: StreamId::CONNECTION,
    };

    /// Reads a header; the reserved bit is ignored.
    #[must_use]
    pub const fn decode(octets: [u8; Self::LEN]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = octets;
        Self {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind: Kind(kind),
            flags,
            stream_id: StreamId::new(u32::from_be_bytes([s0, s1, s2, s3])),
        }
    }

    /// Writes a header; the reserved bit is 0.
    #[must_use]
    pub const fn encode(self) -> [u8; Self::LEN] {
        let [_, l0, l1, l2] = self.length.to_be_bytes();
        let [s0, s1, s2, s3] = self.stream_id.value().to_be_bytes();
        // Spec: h2-4.1-sent-zero
        [l0, l1, l2, self.kind.0, self.flags, s0, s1, s2, s3]
    }

    /// True if every bit of `flag` is set.
    #[must_use]
    pub const fn has(self, flag: u8) -> bool {
        // Spec: h2-4.1-undefined-flags
        self.flags & flag == flag
    }

    /// The header followed by a payload of 4 octets.
    pub(crate) const fn with_4(self, payload: [u8; 4]) -> [u8; 13] {
        let [a, b, c, d, e, f, g, h, i] = self.encode();
        let [p, q, r, s] = payload;
        [a, b, c, d, e, f, g, h, i, p, q, r, s]
    }

    /// The header followed by a payload of 8 octets.
    pub(crate) const fn with_8(self, payload: [u8; 8]) -> [u8; 17] {
        let [a, b, c, d, e, f, g, h, i] = self.encode();
        let [p, q, r, s, t, u, v, w] = payload;
        [a, b, c, d, e, f, g, h, i, p, q, r, s, t, u, v, w]
    }
}

/// How far an error reaches. Spec: RFC 9113 section 5.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One stream: answered with RST_STREAM (section 5.4.2).
    Stream(StreamId),
    /// The connection: answered with GOAWAY, then closed (section 5.4.1).
    Connection,
}

/// What the peer got wrong, and how far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// Stream or connection.
    pub scope: Scope,
    /// The code for RST_STREAM or GOAWAY.
    pub code: ErrorCode,
    /// What happened, for people.
    pub reason: &'static str,
}

impl FrameError {
    pub(crate) const fn connection(code: ErrorCode, reason: &'static str) -> Self {
        Self {
            scope: Scope::Connection,
            code,
            reason,
        }
    }

    pub(crate) const fn stream(stream_id: StreamId, code: ErrorCode, reason: &'static str) -> Self {
        Self {
            scope: Scope::Stream(stream_id),
            code,
            reason,
        }
    }
}

/// Our SETTINGS_MAX_FRAME_SIZE: the default and the minimum; larger payloads are refused (section 4.2).
// Spec: h2-4.2-receives-16384
pub const MAX_FRAME_SIZE: u32 = 16_384;

/// END_STREAM on DATA and HEADERS.
pub const END_STREAM: u8 = 0x01;
/// ACK on SETTINGS and PING.
pub const ACK: u8 = 0x01;
/// END_HEADERS on HEADERS, PUSH_PROMISE and CONTINUATION.
pub const END_HEADERS: u8 = 0x04;
/// PADDED on DATA, HEADERS and PUSH_PROMISE.
pub const PADDED: u8 = 0x08;
/// PRIORITY on HEADERS.
pub const PRIORITY: u8 = 0x20;
