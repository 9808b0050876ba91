//! What the examples of large transfers move: octets that can be made and checked piece by piece.

/// More than the 64 KiB of RAM that the smaller device has.
pub(crate) const LEN: usize = 96 * 1024;

/// Makes the octets from `offset` on, as if read from flash.
pub(crate) fn read(offset: usize, to: &mut [u8]) {
    for (position, octet) in (offset..).zip(to) {
        let [low, high, ..] = position.to_le_bytes();
        *octet = low.wrapping_mul(31) ^ high;
    }
}

/// CRC-32 of the first `len` octets.
pub(crate) fn crc(len: usize) -> u32 {
    let mut crc = Crc::new();
    for position in 0..len {
        let mut octet = [0];
        read(position, &mut octet);
        crc.add(&octet);
    }
    crc.value()
}

/// CRC-32 as in Ethernet and zip files.
#[derive(Clone, Copy)]
pub(crate) struct Crc(u32);

impl Crc {
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    pub(crate) fn add(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 ^= u32::from(*octet);
            for _ in 0..8 {
                let carry = self.0 & 1;
                self.0 = (self.0 >> 1) ^ (0xedb8_8320 * carry);
            }
        }
    }

    pub(crate) const fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_check_text_is_the_standards() {
        let mut crc = Crc::new();
        crc.add(b"1234");
        crc.add(b"56789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }

    #[test]
    fn read_gives_the_same_octets_in_any_pieces() {
        let mut whole = [0; 600];
        read(0, &mut whole);
        let mut piece = [0; 100];
        read(300, &mut piece);
        assert_eq!(piece, whole[300..400]);
        assert_ne!(piece, whole[..100]);
    }
}
