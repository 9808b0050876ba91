//! Dice that fall the same way for the same seed.

use std::cell::Cell;

/// A pseudo-random sequence (xorshift64*), of one seed and one purpose: what one part of a simulation draws does not
/// change what another draws.
#[derive(Debug)]
pub struct Random(Cell<u64>);

impl Random {
    /// The sequence of `seed` for the part that `purpose` names.
    pub fn new(seed: u64, purpose: u64) -> Self {
        Self(Cell::new(mix(seed ^ mix(purpose)) | 1))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let mut state = self.0.get();
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.set(state);
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`; 0 where that is 0.
    pub fn below(&self, limit: u64) -> u64 {
        (self.next() >> 16).checked_rem(limit).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// An index below `len`.
    pub fn index(&self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// True in so many of 100 cases.
    pub fn percent(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    ///
    /// # Panics
    /// There are none.
    pub fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.index(from.len())]
    }
}

/// Spreads the bits of a number over all 64 (splitmix64).
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
