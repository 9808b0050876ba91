//! Binary values as they stand on the wire: base64, with or without padding (RFC 4648 section 4).

/// Octets of [`MAX_BINARY_VALUE`](super::MAX_BINARY_VALUE) in base64.
pub(super) const MAX_BASE64: usize = 256;

/// Writes `value` in base64 without padding. `None` if it does not fit, or without the feature `base64`.
#[cfg(feature = "base64")]
pub(super) fn encode_base64<'a>(value: &[u8], to: &'a mut [u8; MAX_BASE64]) -> Option<&'a [u8]> {
    use base64ct::Encoding;
    base64ct::Base64Unpadded::encode(value, to)
        .ok()
        .map(str::as_bytes)
}

#[cfg(not(feature = "base64"))]
pub(super) fn encode_base64<'a>(_: &[u8], _: &'a mut [u8; MAX_BASE64]) -> Option<&'a [u8]> {
    None
}

/// Reads base64 with or without padding.
#[cfg(feature = "base64")]
pub(super) fn decode_base64<'a>(text: &[u8], to: &'a mut [u8]) -> Result<&'a [u8], BinaryError> {
    use base64ct::Encoding;
    // Spec: grpc-bin-padded, grpc-bin-unpadded
    let bare = match text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")) {
        // Padding fills the last group of four, or it is none.
        Some(_) if !text.len().is_multiple_of(4) => return Err(BinaryError::Malformed),
        Some(bare) => bare,
        None => text,
    };
    let decoded_len = bare.len().saturating_mul(3) / 4;
    let room = to.get_mut(..decoded_len).ok_or(BinaryError::NoRoom)?;
    base64ct::Base64Unpadded::decode(bare, room).map_err(|_| BinaryError::Malformed)
}

#[cfg(not(feature = "base64"))]
pub(super) fn decode_base64<'a>(_: &[u8], _: &'a mut [u8]) -> Result<&'a [u8], BinaryError> {
    Err(BinaryError::NoRoom)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryError {
    #[cfg_attr(
        not(feature = "base64"),
        expect(dead_code, reason = "nothing is decoded without base64")
    )]
    Malformed,
    NoRoom,
}
