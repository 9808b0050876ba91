//! Base 128 varints, an octet at a time, and tags.
//!
//! Spec: Protocol Buffers encoding, "Base 128 Varints", "Message Structure".

use super::error::FilterError;

/// Octets of the longest varint: 64 bits, 7 in each octet.
pub(super) const MAX_LEN: u8 = 10;

/// A varint under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Varint {
    value: u64,
    octets: u8,
}

impl Varint {
    /// Takes the next octet; `Some` with the value at the last one.
    ///
    /// # Errors
    /// [`FilterError::Varint`]: longer than 10 octets, or more than 64 bits.
    pub(super) fn push(&mut self, octet: u8) -> Result<Option<u64>, FilterError> {
        // The tenth octet has room for one bit: a longer varint and a greater value are refused alike.
        if self.octets == MAX_LEN.saturating_sub(1) && octet > 1 {
            return Err(FilterError::Varint);
        }
        let shift = u32::from(self.octets).saturating_mul(7);
        self.value |= u64::from(octet & 0x7f).wrapping_shl(shift);
        self.octets = self.octets.saturating_add(1);
        Ok((octet & 0x80 == 0).then_some(self.value))
    }

    /// Whether no octet of it has come.
    pub(super) const fn is_empty(&self) -> bool {
        self.octets == 0
    }
}

/// A field number and a wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u32);

impl Tag {
    /// The tag of a length-delimited record.
    pub(super) const fn record(number: u32) -> Self {
        Self(number.wrapping_shl(3) | micropb::WIRE_TYPE_LEN as u32)
    }

    /// # Errors
    /// [`FilterError::Tag`]: more than 32 bits, or field number 0.
    pub(super) fn parse(value: u64) -> Result<Self, FilterError> {
        let tag = u32::try_from(value).map(Self).map_err(|_| FilterError::Tag)?;
        if tag.number() == 0 {
            return Err(FilterError::Tag);
        }
        Ok(tag)
    }

    pub(super) const fn number(self) -> u32 {
        self.0.wrapping_shr(3)
    }

    /// 0 to 7.
    pub(super) const fn wire_type(self) -> u8 {
        let [low, ..] = self.0.to_le_bytes();
        low & 7
    }

    pub(super) fn value(self) -> u64 {
        u64::from(self.0)
    }
}

/// Writes `value` over the whole of `to`, with leading zero bits where `to` is longer than it must be.
pub(super) fn write(value: u64, to: &mut [u8]) {
    let Some((last, others)) = to.split_last_mut() else {
        return;
    };
    let mut left = value;
    for octet in others {
        *octet = low_bits(left) | 0x80;
        left = left.wrapping_shr(7);
    }
    *last = low_bits(left);
}

/// Octets of the shortest form of `value`, 1 to 10.
pub(super) const fn len(value: u64) -> usize {
    micropb::size::sizeof_varint64(value)
}

const fn low_bits(value: u64) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Result<Option<u64>, FilterError> {
        let mut varint = Varint::default();
        let mut value = None;
        for octet in octets {
            value = varint.push(*octet)?;
        }
        Ok(value)
    }

    #[test]
    fn every_width_that_holds_a_value_reads_back_the_same() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            for width in len(value)..=usize::from(MAX_LEN) {
                let mut octets = vec![0xee; width];
                write(value, &mut octets);
                assert_eq!(read(&octets), Ok(Some(value)), "{value} in {width}");
                assert_eq!(read(&octets[..width - 1]).unwrap(), None, "{value} in {width}");
            }
        }
    }

    #[test]
    fn varint_of_more_than_ten_octets_or_64_bits_is_refused() {
        assert_eq!(read(&[0x80; 10]), Err(FilterError::Varint));
        let mut too_great = [0xff; 10];
        too_great[9] = 2;
        assert_eq!(read(&too_great), Err(FilterError::Varint));
    }

    #[test]
    fn tag_is_32_bits_and_its_number_is_not_zero() {
        for wire_type in 0..8 {
            assert_eq!(Tag::parse(wire_type), Err(FilterError::Tag));
        }
        assert_eq!(Tag::parse(1 << 32), Err(FilterError::Tag));
        let tag = Tag::parse(u64::from(u32::MAX)).unwrap();
        assert_eq!((tag.number(), tag.wire_type()), (0x1fff_ffff, 7));
        assert_eq!(Tag::record(3).value(), 0x1a);
    }
}
