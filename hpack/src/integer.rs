//! Integers with a prefix of 1 to 8 bits (RFC 7541 section 5.1). Called by the decoder and the encoder.

use crate::DecodeError;
use crate::writer::{Slots, put};

/// An integer whose prefix was all ones, while its further octets arrive.
#[derive(Debug)]
pub(crate) struct Integer {
    value: u32,
    shift: u8,
}

impl Integer {
    /// After a prefix that was full, that is `prefix_max`.
    pub(crate) const fn after_prefix(prefix_max: u8) -> Self {
        Self {
            value: prefix_max as u32,
            shift: 0,
        }
    }

    /// Takes one more octet; the value once it is complete.
    ///
    /// Errors: `IntegerOverflow` above 2^32 - 1, and at a sixth octet: an integer may be padded with zeros
    /// (octets of 0x80), so that octets have to be bounded apart from the value.
    pub(crate) fn push(&mut self, octet: u8) -> Result<Option<u32>, DecodeError> {
        let bits = u32::from(octet & 0x7F);
        let part = bits.wrapping_shl(u32::from(self.shift));
        // The fifth octet has room for four more bits.
        // Spec: hpack-5.1-octets, hpack-5.1-value
        if self.shift > 28 || (self.shift == 28 && bits > 0x0F) {
            return Err(DecodeError::IntegerOverflow);
        }
        self.value = self.value.checked_add(part).ok_or(DecodeError::IntegerOverflow)?;
        self.shift = self.shift.wrapping_add(7);
        Ok((octet & 0x80 == 0).then_some(self.value))
    }
}

/// Octets that `value` takes with a prefix whose largest value is `prefix_max`.
pub(crate) const fn encoded_len(value: usize, prefix_max: u8) -> usize {
    let mut len = 1;
    if value >= prefix_max as usize {
        let mut rest = value.wrapping_sub(prefix_max as usize);
        len = 2;
        while rest >= 0x80 {
            rest >>= 7;
            len = usize::wrapping_add(len, 1);
        }
    }
    len
}

/// Writes the octets of `value`; `first` holds the bits beside the prefix.
pub(crate) fn encode(value: usize, prefix_max: u8, first: u8, slots: &mut Slots<'_>) {
    let Some(mut rest) = value.checked_sub(usize::from(prefix_max)) else {
        let [low, ..] = value.to_le_bytes();
        put(slots, first | low);
        return;
    };
    put(slots, first | prefix_max);
    while rest >= 0x80 {
        let [low, ..] = rest.to_le_bytes();
        put(slots, low | 0x80);
        rest >>= 7;
    }
    let [low, ..] = rest.to_le_bytes();
    put(slots, low);
}

#[cfg(test)]
mod tests {
    use super::{Integer, encode, encoded_len};
    use crate::DecodeError;

    fn decode(wire: &[u8], prefix_max: u8) -> Result<Option<u32>, DecodeError> {
        let mut integer = Integer::after_prefix(prefix_max);
        for octet in wire {
            if let Some(value) = integer.push(*octet)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Appendix C.1: 10 and 1337 with a 5-bit prefix, 42 with an 8-bit prefix.
    #[test]
    fn appendix_c_1_integers() {
        for (value, prefix_max, wire) in [(10, 31, &[10][..]), (1337, 31, &[31, 154, 10]), (42, 255, &[42])] {
            let mut octets = [0; 3];
            assert_eq!(encoded_len(value, prefix_max), wire.len());
            encode(value, prefix_max, 0, &mut octets[..wire.len()].iter_mut());
            assert_eq!(&octets[..wire.len()], wire);
        }
        assert_eq!(decode(&[154, 10], 31), Ok(Some(1337)));
    }

    #[test]
    fn every_length_of_integer_survives() {
        for prefix_max in [0x0F, 0x1F, 0x3F, 0x7F] {
            for bit in 0..32 {
                for value in [(1_u32 << bit) - 1, 1 << bit, u32::MAX >> (31 - bit)] {
                    let mut octets = [0; 8];
                    let len = encoded_len(value as usize, prefix_max);
                    encode(value as usize, prefix_max, 0, &mut octets[..len].iter_mut());
                    assert_eq!(octets[len..], [0; 8][len..]);
                    let expected = if value < u32::from(prefix_max) {
                        None
                    } else {
                        Some(value)
                    };
                    assert_eq!(decode(&octets[1..len], prefix_max), Ok(expected));
                }
            }
        }
    }

    // Spec: hpack-5.1-value
    #[test]
    fn value_above_32_bits_is_an_overflow() {
        assert_eq!(decode(&[0xE0, 0xFF, 0xFF, 0xFF, 0x0F], 0x1F), Ok(Some(u32::MAX)));
        assert_eq!(
            decode(&[0xE1, 0xFF, 0xFF, 0xFF, 0x0F], 0x1F),
            Err(DecodeError::IntegerOverflow)
        );
        assert_eq!(
            decode(&[0x80, 0x80, 0x80, 0x80, 0x10], 0x1F),
            Err(DecodeError::IntegerOverflow)
        );
    }

    // Spec: hpack-5.1-octets
    #[test]
    fn zero_padding_is_accepted_up_to_five_octets() {
        assert_eq!(decode(&[0x81, 0x80, 0x80, 0x80, 0x00], 0x1F), Ok(Some(32)));
        assert_eq!(decode(&[0x81, 0x80, 0x80, 0x80, 0x80], 0x1F), Ok(None));
        assert_eq!(
            decode(&[0x81, 0x80, 0x80, 0x80, 0x80, 0x00], 0x1F),
            Err(DecodeError::IntegerOverflow)
        );
    }
}
