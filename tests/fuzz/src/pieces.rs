//! Cuts an input as a transport might, and chooses inputs for checks that are too slow for all.

/// The pieces of `octets` that `how` stands for: 0 is the whole, 1 an octet at a time, all others random lengths.
pub(crate) struct Pieces<'i> {
    rest: &'i [u8],
    how: u8,
    dice: Dice,
}

impl<'i> Pieces<'i> {
    pub(crate) fn new(octets: &'i [u8], how: u8) -> Self {
        Self {
            rest: octets,
            how,
            dice: Dice::new(how),
        }
    }
}

impl<'i> Iterator for Pieces<'i> {
    type Item = &'i [u8];

    fn next(&mut self) -> Option<&'i [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let len = match self.how {
            0 => self.rest.len(),
            1 => 1,
            _ => usize::from(self.dice.roll() % 24) + 1,
        };
        let (piece, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}

/// Numbers that look random and follow from a seed.
pub(crate) struct Dice(u32);

impl Dice {
    pub(crate) fn new(seed: u8) -> Self {
        Self(u32::from(seed).wrapping_mul(0x9e37_79b9) | 1)
    }

    pub(crate) fn roll(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0.to_be_bytes()[0]
    }
}

/// True for one in `n` inputs. It depends on every octet, so that a fuzzer cannot prefer the inputs for which it is true.
pub(crate) fn one_in(n: u32, octets: &[u8]) -> bool {
    let mut hash = 0x811c_9dc5_u32;
    for octet in octets {
        hash = (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193);
    }
    (hash >> 8).is_multiple_of(n)
}
