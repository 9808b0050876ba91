//! The Huffman code of RFC 7541 appendix B, as tables that the compiler makes from the code lengths.
//!
//! Only [`CODE_LENGTHS`] is written down. The code is canonical: codes of one length are consecutive,
//! in the order of their symbols, and longer codes follow shorter ones. So lengths determine codes,
//! and decoding is "find the length, subtract the first code of that length, look the symbol up".
//! A unit test of the module above checks the result against all 257 codes of the RFC.

/// Per symbol: length of its code in bits (high 8 bits), place among the codes of that length (low 8).
pub(crate) static SYMBOL_CODES: [u16; 256] = make::symbol_codes();

/// Per length in bits: the first code of that length. Unused lengths hold 0.
pub(crate) static FIRST_CODES: [u32; 31] = make::first_codes();

/// By the next seven bits: the symbol whose code they begin with (high 8 bits) and its length (low 8), if that is
/// at most 7 bits, else 0.
pub(crate) static SHORT_CODES: [u16; 128] = make::short_codes();

/// The symbols with codes of 8 bits and more, but EOS, in the order of their codes.
pub(crate) static LONG_SYMBOLS: [u8; LONG_COUNT] = make::long_symbols();

/// The first code of 8 bits.
pub(crate) const FIRST_EIGHT_BITS: u32 = make::first_codes()[8];

/// The codes of 10 bits and more, by ascending length, without the seven ones they all begin with.
pub(crate) static LONG_CODES: [LongCodes; 17] = make::long_codes();

/// The codes of one length beyond 8 bits.
#[derive(Clone, Copy)]
pub(crate) struct LongCodes {
    /// First value above these codes, left-aligned in [`LONG_BITS`] bits; the row before has the first value.
    pub(crate) end: u32,
    /// Length of these codes in bits, without the common prefix.
    pub(crate) bits: u8,
    /// Place in [`LONG_SYMBOLS`] of the first of these codes.
    pub(crate) first_place: u8,
}

/// The ones that every code longer than 8 bits, and no other, begins with.
pub(crate) const LONG_PREFIX_BITS: u32 = 7;

/// What is left of the longest code without that prefix.
pub(crate) const LONG_BITS: u32 = 23;

const LONG_COUNT: usize = 188;

/// Size of all of the above in flash, in octets.
pub(crate) const TABLES_SIZE: usize = size_of::<[u16; 256]>()
    + size_of::<[u32; 31]>()
    + size_of::<[u16; 128]>()
    + size_of::<[u8; LONG_COUNT]>()
    + size_of::<[LongCodes; 17]>();

const _: () = assert!(TABLES_SIZE <= 1_500);

/// Length in bits of the code of each symbol, EOS (256) last.
#[rustfmt::skip]
const CODE_LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Evaluated by the compiler only: an index or a sum that is wrong is a compile error.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]
mod make {
    use super::{CODE_LENGTHS, LONG_BITS, LONG_COUNT, LONG_PREFIX_BITS, LongCodes};

    const MAX_BITS: usize = 30;

    /// How many symbols, EOS included, have a code of this length.
    const fn count(bits: usize) -> u32 {
        let mut count = 0;
        let mut symbol = 0;
        while symbol < CODE_LENGTHS.len() {
            if CODE_LENGTHS[symbol] as usize == bits {
                count += 1;
            }
            symbol += 1;
        }
        count
    }

    pub(super) const fn first_codes() -> [u32; MAX_BITS + 1] {
        let mut first = [0; MAX_BITS + 1];
        let mut next = 0;
        let mut bits = 1;
        while bits <= MAX_BITS {
            next <<= 1;
            if count(bits) > 0 {
                first[bits] = next;
            }
            next += count(bits);
            bits += 1;
        }
        // A complete code uses up its last length exactly.
        assert!(next == 1 << MAX_BITS);
        first
    }

    pub(super) const fn symbol_codes() -> [u16; 256] {
        let mut codes = [0; 256];
        let mut used = [0_u16; MAX_BITS + 1];
        let mut symbol = 0;
        while symbol < codes.len() {
            let bits = CODE_LENGTHS[symbol] as usize;
            codes[symbol] = (bits as u16) << 8 | used[bits];
            used[bits] += 1;
            symbol += 1;
        }
        codes
    }

    pub(super) const fn short_codes() -> [u16; 128] {
        let (first_codes, codes) = (first_codes(), symbol_codes());
        let mut table = [0; 128];
        let mut next = 0;
        while next < table.len() {
            let mut symbol = 0;
            while symbol < 256 {
                let bits = CODE_LENGTHS[symbol] as usize;
                if bits <= 7 {
                    let code = first_codes[bits] + (codes[symbol] & 0xFF) as u32;
                    if next >> (7 - bits) == code as usize {
                        table[next] = (symbol as u16) << 8 | bits as u16;
                    }
                }
                symbol += 1;
            }
            next += 1;
        }
        table
    }

    pub(super) const fn long_symbols() -> [u8; LONG_COUNT] {
        let mut symbols = [0; LONG_COUNT];
        let mut place = 0;
        let mut bits = 8;
        while bits <= MAX_BITS {
            let mut symbol = 0;
            while symbol < 256 {
                if CODE_LENGTHS[symbol] as usize == bits {
                    symbols[place] = symbol as u8;
                    place += 1;
                }
                symbol += 1;
            }
            bits += 1;
        }
        assert!(place == symbols.len());
        symbols
    }

    pub(super) const fn long_codes() -> [LongCodes; 17] {
        let mut rows = [LongCodes {
            end: 0,
            bits: 0,
            first_place: 0,
        }; 17];
        let mut row = 0;
        let mut place = count(8);
        let mut bits = 9;
        while bits <= MAX_BITS {
            if count(bits) > 0 {
                let rest = bits - LONG_PREFIX_BITS as usize;
                let first = first_codes()[bits];
                assert!(first >> rest == (1 << LONG_PREFIX_BITS) - 1);
                let end = ((first & ((1 << rest) - 1)) + count(bits)) << (LONG_BITS as usize - rest);
                rows[row] = LongCodes {
                    end,
                    bits: rest as u8,
                    first_place: place as u8,
                };
                row += 1;
            }
            place += count(bits);
            bits += 1;
        }
        assert!(row == rows.len() && place as usize == LONG_COUNT + 1);
        rows
    }
}
