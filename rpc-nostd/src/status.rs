//! The outcome of a call: a code, and a message for people.
//!
//! Spec: gRPC `statuscodes.md`, `PROTOCOL-HTTP2.md` "Responses", `http-grpc-status-mapping.md`.

use core::fmt;

use h2_lite::ErrorCode;

/// A gRPC status code. Open: a code that gRPC does not define arrives as [`Code::UNKNOWN`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u8);

#[allow(
    missing_docs,
    reason = "the names are gRPC's own, explained in statuscodes.md"
)]
impl Code {
    pub const OK: Self = Self(0);
    pub const CANCELLED: Self = Self(1);
    pub const UNKNOWN: Self = Self(2);
    pub const INVALID_ARGUMENT: Self = Self(3);
    pub const DEADLINE_EXCEEDED: Self = Self(4);
    pub const NOT_FOUND: Self = Self(5);
    pub const ALREADY_EXISTS: Self = Self(6);
    pub const PERMISSION_DENIED: Self = Self(7);
    pub const RESOURCE_EXHAUSTED: Self = Self(8);
    pub const FAILED_PRECONDITION: Self = Self(9);
    pub const ABORTED: Self = Self(10);
    pub const OUT_OF_RANGE: Self = Self(11);
    pub const UNIMPLEMENTED: Self = Self(12);
    pub const INTERNAL: Self = Self(13);
    pub const UNAVAILABLE: Self = Self(14);
    pub const DATA_LOSS: Self = Self(15);
    pub const UNAUTHENTICATED: Self = Self(16);
}

impl Code {
    /// The number on the wire, 0 to 16.
    pub const fn as_u8(self) -> u8 {
        self.0
    }

    /// The name as gRPC spells it, such as `"DEADLINE_EXCEEDED"`.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    /// The code with this number; [`Code::UNKNOWN`] for one that gRPC does not define.
    pub const fn from_u32(number: u32) -> Self {
        if number <= 16 {
            Self(number.to_le_bytes()[0])
        } else {
            Self::UNKNOWN
        }
    }

    /// Reads a `grpc-status` value: decimal, no sign, no leading zero. `None` if it is not that.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        // Spec: grpc-status-decimal, grpc-bad-status
        if value.is_empty() || value.len() > 9 || (value.len() > 1 && value.first() == Some(&b'0')) {
            return None;
        }
        let mut number = 0u32;
        for byte in value {
            let digit = char::from(*byte).to_digit(10)?;
            number = number.checked_mul(10)?.checked_add(digit)?;
        }
        Some(Self::from_u32(number))
    }

    /// For a response without `grpc-status`. Spec: gRPC http-grpc-status-mapping.md.
    pub(crate) fn from_http(status: u16) -> Self {
        match status {
            // Spec: grpc-http-400, grpc-http-431
            400 | 431 => Self::INTERNAL,
            // Spec: grpc-http-401
            401 => Self::UNAUTHENTICATED,
            // Spec: grpc-http-403
            403 => Self::PERMISSION_DENIED,
            // Spec: grpc-http-404
            404 => Self::UNIMPLEMENTED,
            // Spec: grpc-http-429-502-503-504
            429 | 502..=504 => Self::UNAVAILABLE,
            // Spec: grpc-http-other
            _ => Self::UNKNOWN,
        }
    }

    /// For a stream that the peer reset. Spec: gRPC PROTOCOL-HTTP2.md "Errors".
    pub(crate) fn from_reset(code: ErrorCode) -> Self {
        match code {
            // Spec: grpc-rst-refused
            ErrorCode::REFUSED_STREAM => Self::UNAVAILABLE,
            // Spec: grpc-rst-cancel
            ErrorCode::CANCEL => Self::CANCELLED,
            // Spec: grpc-rst-calm
            ErrorCode::ENHANCE_YOUR_CALM => Self::RESOURCE_EXHAUSTED,
            // Spec: grpc-rst-security
            ErrorCode::INADEQUATE_SECURITY => Self::PERMISSION_DENIED,
            // Spec: grpc-rst-map
            ErrorCode::NO_ERROR
            | ErrorCode::PROTOCOL_ERROR
            | ErrorCode::INTERNAL_ERROR
            | ErrorCode::FLOW_CONTROL_ERROR
            | ErrorCode::SETTINGS_TIMEOUT
            | ErrorCode::FRAME_SIZE_ERROR
            | ErrorCode::COMPRESSION_ERROR
            | ErrorCode::CONNECT_ERROR => Self::INTERNAL,
            // Spec: grpc-rst-unknown
            _ => Self::UNKNOWN,
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Code {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.name());
    }
}

/// How a call failed: what `Err` holds in every call of this crate.
///
/// The code is the peer's, or ours where the call did not get that far; [`Status::is_local`] tells which.
/// The message is for people. A peer's message longer than [`Status::MESSAGE_CAPACITY`] octets is cut
/// at a character boundary, and [`Status::is_message_truncated`] says so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status {
    code: Code,
    text: Text,
}

/// Our own messages stay in flash; a peer's is copied out of the slot before that is used again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Local(&'static str),
    Copied {
        octets: [u8; Status::MESSAGE_CAPACITY],
        len: u8,
        truncated: bool,
        local: bool,
    },
}

impl Status {
    /// Octets of a peer's message that a `Status` keeps.
    pub const MESSAGE_CAPACITY: usize = 96;

    /// A status made on this side of the connection.
    pub const fn new(code: Code, message: &'static str) -> Self {
        Self {
            code,
            text: Text::Local(message),
        }
    }

    /// A status with a message made at run time, such as a handler's. Copied; cut at [`Self::MESSAGE_CAPACITY`] octets.
    pub fn with_text(code: Code, message: &str) -> Self {
        Self::copied(code, message.as_bytes(), false, true)
    }

    /// A status that the peer sent. `message` is already percent-decoded; each octet of it that is not UTF-8
    /// becomes `?`, so that no text is lost.
    pub(crate) fn from_peer(code: Code, message: &[u8], cut_before: bool) -> Self {
        Self::copied(code, message, cut_before, false)
    }

    fn copied(code: Code, message: &[u8], cut_before: bool, local: bool) -> Self {
        let mut octets = [0; Self::MESSAGE_CAPACITY];
        let kept = crate::percent::floor_char_boundary(message, Self::MESSAGE_CAPACITY);
        for (to, from) in octets.iter_mut().zip(kept) {
            *to = *from;
        }
        while let Some(bad) = first_bad_octet(octets.get_mut(..kept.len()).unwrap_or_default()) {
            *bad = b'?';
        }
        let truncated = cut_before || kept.len() < message.len();
        let len = u8::try_from(kept.len()).unwrap_or(0);
        Self {
            code,
            text: Text::Copied {
                octets,
                len,
                truncated,
                local,
            },
        }
    }

    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The message, perhaps empty.
    pub fn message(&self) -> &str {
        match &self.text {
            Text::Local(message) => message,
            Text::Copied { octets, len, .. } => {
                let kept = octets.get(..usize::from(*len)).unwrap_or_default();
                core::str::from_utf8(kept).unwrap_or_default()
            }
        }
    }

    /// The message of a status that [`Self::new`] made.
    pub(crate) const fn local_text(&self) -> &'static str {
        match self.text {
            Text::Local(message) => message,
            Text::Copied { .. } => "",
        }
    }

    /// Whether this side made the status: the peer did not send it.
    pub const fn is_local(&self) -> bool {
        matches!(self.text, Text::Local(_) | Text::Copied { local: true, .. })
    }

    /// Whether the peer's message was longer than what was kept.
    pub const fn is_message_truncated(&self) -> bool {
        matches!(self.text, Text::Copied { truncated: true, .. })
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("code", &self.code)
            .field("message", &self.message())
            .field("local", &self.is_local())
            .finish()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        f.write_str(": ")?;
        f.write_str(self.message())
    }
}

impl core::error::Error for Status {}

#[cfg(feature = "defmt")]
impl defmt::Format for Status {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}: {=str}", self.code.name(), self.message());
    }
}

/// The first octet that keeps `text` from being UTF-8.
fn first_bad_octet(text: &mut [u8]) -> Option<&mut u8> {
    let valid = core::str::from_utf8(text).err()?.valid_up_to();
    text.get_mut(valid)
}

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: grpc-status-decimal, grpc-bad-status
    #[test]
    fn grpc_status_is_decimal_without_sign_or_leading_zero() {
        assert_eq!(Code::parse(b"0"), Some(Code::OK));
        assert_eq!(Code::parse(b"14"), Some(Code::UNAVAILABLE));
        assert_eq!(Code::parse(b"17"), Some(Code::UNKNOWN));
        for bad in [
            &b""[..],
            b"-1",
            b"+1",
            b"01",
            b"00",
            b" 1",
            b"1 ",
            b"x",
            b"99999999999999999999",
        ] {
            assert_eq!(Code::parse(bad), None, "{bad:?}");
        }
    }

    // Spec: grpc-http-400, grpc-http-401, grpc-http-403, grpc-http-404, grpc-http-429-502-503-504, grpc-http-431
    // Spec: grpc-http-other
    #[test]
    fn http_status_maps_as_the_grpc_document_says() {
        let table = [
            (400, Code::INTERNAL),
            (401, Code::UNAUTHENTICATED),
            (403, Code::PERMISSION_DENIED),
            (404, Code::UNIMPLEMENTED),
            (429, Code::UNAVAILABLE),
            (431, Code::INTERNAL),
            (500, Code::UNKNOWN),
            (502, Code::UNAVAILABLE),
            (503, Code::UNAVAILABLE),
            (504, Code::UNAVAILABLE),
            (200, Code::UNKNOWN),
            (302, Code::UNKNOWN),
        ];
        for (http, code) in table {
            assert_eq!(Code::from_http(http), code, "{http}");
        }
    }

    // Spec: grpc-rst-map, grpc-rst-refused, grpc-rst-cancel, grpc-rst-calm, grpc-rst-security, grpc-rst-unknown
    #[test]
    fn rst_stream_code_maps_as_the_grpc_document_says() {
        let table = [
            (ErrorCode::NO_ERROR, Code::INTERNAL),
            (ErrorCode::PROTOCOL_ERROR, Code::INTERNAL),
            (ErrorCode::INTERNAL_ERROR, Code::INTERNAL),
            (ErrorCode::FLOW_CONTROL_ERROR, Code::INTERNAL),
            (ErrorCode::SETTINGS_TIMEOUT, Code::INTERNAL),
            (ErrorCode::STREAM_CLOSED, Code::UNKNOWN),
            (ErrorCode::FRAME_SIZE_ERROR, Code::INTERNAL),
            (ErrorCode::REFUSED_STREAM, Code::UNAVAILABLE),
            (ErrorCode::CANCEL, Code::CANCELLED),
            (ErrorCode::COMPRESSION_ERROR, Code::INTERNAL),
            (ErrorCode::CONNECT_ERROR, Code::INTERNAL),
            (ErrorCode::ENHANCE_YOUR_CALM, Code::RESOURCE_EXHAUSTED),
            (ErrorCode::INADEQUATE_SECURITY, Code::PERMISSION_DENIED),
            (ErrorCode(0x1234_5678), Code::UNKNOWN),
        ];
        for (reset, code) in table {
            assert_eq!(Code::from_reset(reset), code, "{reset:?}");
        }
    }

    // Spec: grpc-message-broken
    #[test]
    fn peer_message_that_is_not_utf8_keeps_its_text() {
        let status = Status::from_peer(Code::NOT_FOUND, b"\xffno \xe2\x98 such\xc3", false);
        assert_eq!(status.message(), "?no ?? such?");
    }

    #[test]
    fn peer_message_is_cut_at_a_character_boundary() {
        let long = "\u{1f608}".repeat(40);
        let status = Status::from_peer(Code::NOT_FOUND, long.as_bytes(), false);
        assert_eq!(status.message().len(), 96);
        assert!(status.is_message_truncated());
        let odd = format!("a{long}");
        let status = Status::from_peer(Code::NOT_FOUND, odd.as_bytes(), false);
        assert_eq!(status.message(), &odd[..93]);
        let whole = Status::from_peer(Code::NOT_FOUND, b"gone", false);
        assert_eq!(
            (whole.message(), whole.is_message_truncated(), whole.is_local()),
            ("gone", false, false)
        );
    }
}
