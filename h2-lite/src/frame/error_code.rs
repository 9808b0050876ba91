//! Error codes of RST_STREAM and GOAWAY.
//!
//! Spec: RFC 9113 section 7.

use core::fmt;

/// Why a stream or a connection ended. Open: codes that RFC 9113 does not name survive unchanged, since
/// unknown codes must not cause anything special (section 7).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
// Spec: h2-7-unknown-codes
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// Graceful end, no error.
    pub const NO_ERROR: Self = Self(0x00);
    /// The peer broke the protocol and no more specific code applies.
    pub const PROTOCOL_ERROR: Self = Self(0x01);
    /// The endpoint met an internal error.
    pub const INTERNAL_ERROR: Self = Self(0x02);
    /// The peer sent more than flow control allowed, or overflowed a window.
    pub const FLOW_CONTROL_ERROR: Self = Self(0x03);
    /// SETTINGS were not acknowledged in time.
    pub const SETTINGS_TIMEOUT: Self = Self(0x04);
    /// A frame arrived after the stream was half-closed or closed.
    pub const STREAM_CLOSED: Self = Self(0x05);
    /// A frame had an invalid size.
    pub const FRAME_SIZE_ERROR: Self = Self(0x06);
    /// The stream was refused before any application processing.
    pub const REFUSED_STREAM: Self = Self(0x07);
    /// The stream is no longer needed.
    pub const CANCEL: Self = Self(0x08);
    /// The header compression context cannot be kept in step.
    pub const COMPRESSION_ERROR: Self = Self(0x09);
    /// The connection made for a CONNECT request broke.
    pub const CONNECT_ERROR: Self = Self(0x0a);
    /// The peer's behaviour may cause excessive load.
    pub const ENHANCE_YOUR_CALM: Self = Self(0x0b);
    /// The transport does not meet minimum security requirements.
    pub const INADEQUATE_SECURITY: Self = Self(0x0c);
    /// HTTP/1.1 is required instead of HTTP/2.
    pub const HTTP_1_1_REQUIRED: Self = Self(0x0d);

    /// The name that RFC 9113 section 7 gives to this code, if it does.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NO_ERROR => "NO_ERROR",
            Self::PROTOCOL_ERROR => "PROTOCOL_ERROR",
            Self::INTERNAL_ERROR => "INTERNAL_ERROR",
            Self::FLOW_CONTROL_ERROR => "FLOW_CONTROL_ERROR",
            Self::SETTINGS_TIMEOUT => "SETTINGS_TIMEOUT",
            Self::STREAM_CLOSED => "STREAM_CLOSED",
            Self::FRAME_SIZE_ERROR => "FRAME_SIZE_ERROR",
            Self::REFUSED_STREAM => "REFUSED_STREAM",
            Self::CANCEL => "CANCEL",
            Self::COMPRESSION_ERROR => "COMPRESSION_ERROR",
            Self::CONNECT_ERROR => "CONNECT_ERROR",
            Self::ENHANCE_YOUR_CALM => "ENHANCE_YOUR_CALM",
            Self::INADEQUATE_SECURITY => "INADEQUATE_SECURITY",
            Self::HTTP_1_1_REQUIRED => "HTTP_1_1_REQUIRED",
            _ => return None,
        })
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {:#x}", self.0),
        }
    }
}
