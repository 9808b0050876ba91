//! The five octets before each message: a flag and a length.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md`, Length-Prefixed-Message.

/// Octets of a prefix.
pub(crate) const PREFIX_LEN: usize = 5;

/// What a prefix says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) flag: u8,
    pub(crate) len: u32,
}

/// The prefix of a message of `len` octets, not compressed. `None` if 32 bits cannot say the length.
pub(crate) fn prefix(len: usize) -> Option<[u8; PREFIX_LEN]> {
    let [a, b, c, d] = u32::try_from(len).ok()?.to_be_bytes();
    // Spec: grpc-message-prefix, grpc-message-flag-0
    Some([0, a, b, c, d])
}

/// Reads a prefix from the start of `octets`; `None` if it is not all there yet.
pub(crate) fn parse(octets: &[u8]) -> Option<Prefix> {
    // Spec: grpc-message-prefix
    let (head, _) = octets.split_first_chunk::<PREFIX_LEN>()?;
    let [flag, a, b, c, d] = *head;
    Some(Prefix {
        flag,
        len: u32::from_be_bytes([a, b, c, d]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: grpc-message-prefix
    #[test]
    fn length_is_four_octets_big_endian() {
        assert_eq!(prefix(0x01020304), Some([0, 1, 2, 3, 4]));
        assert_eq!(
            parse(&[1, 0xff, 0xff, 0xff, 0xff, 9]),
            Some(Prefix {
                flag: 1,
                len: u32::MAX
            })
        );
        for short in 0..PREFIX_LEN {
            assert_eq!(parse(&[0; PREFIX_LEN][..short]), None);
        }
    }
}
