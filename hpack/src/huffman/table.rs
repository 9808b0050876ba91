//! The Huffman code of RFC 7541 appendix B, as tables that the compiler makes from the code lengths.
//!
//! Only [`CODE_LENGTHS`] is written down. The code is canonical: codes of one length are consecutive,
//! in the order of their symbols, and longer codes follow shorter ones. So lengths determine codes,
//! and decoding is "find the length, subtract the first code of that length, look the symbol up".
//! `tests/appendix_b.rs` checks the result against all 257 codes of the RFC.

/// Per symbol: length of its code in bits (high 8 bits), place among the codes of that length (low 8).
pub(crate) static SYMBOL_CODES: [u16; 256] = make::symbol_codes();

/// Per length in bits: the first code of that length. Unused lengths hold 0.
pub(crate) static FIRST_CODES: [u32; 31] = make::first_codes();

/// All symbols but EOS, in the order of their codes.
pub(crate) static SYMBOLS: [u8; 256] = make::symbols();

/// The codes of 10 bits and more, by ascending length, without the seven ones they all begin with.
pub(crate) static LONG_CODES: [LongCodes; 17] = make::long_codes();

/// The codes of one length beyond 8 bits.
#[derive(Clone, Copy)]
pub(crate) struct LongCodes {
    /// First value above these codes, left-aligned in [`LONG_BITS`] bits; the row before has the first value.
    pub(crate) end: u32,
    /// Length of these codes in bits, without the common prefix.
    pub(crate) bits: u8,
    /// Place in [`SYMBOLS`] of the first of these codes.
    pub(crate) first_place: u8,
}

/// The ones that every code longer than 8 bits begins with.
pub(crate) const LONG_PREFIX_BITS: u8 = 7;

/// What is left of the longest code without that prefix.
pub(crate) const LONG_BITS: u8 = 23;

/// Lengths of the short codes, their first places in [`SYMBOLS`], and the first octet value above them
/// (a code shorter than 8 bits is followed by anything). Constants, because the decoder's inner loop is
/// spelled out over them.
pub(crate) const SHORT_CODES: [ShortCodes; 4] = make::short_codes();

/// The codes of one length up to 8 bits.
#[derive(Clone, Copy)]
pub(crate) struct ShortCodes {
    /// First octet value above these codes followed by ones.
    pub(crate) end: u8,
    /// Length of these codes in bits.
    pub(crate) bits: u8,
    /// Place of a symbol in [`SYMBOLS`] is its code plus this, modulo 256.
    pub(crate) offset: u8,
}

/// Size of all of the above in flash, in octets.
pub(crate) const TABLES_SIZE: usize =
    size_of::<[u16; 256]>() + size_of::<[u32; 31]>() + size_of::<[u8; 256]>() + size_of::<[LongCodes; 17]>();

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
    use super::{CODE_LENGTHS, LONG_BITS, LONG_PREFIX_BITS, LongCodes, ShortCodes};

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

    pub(super) const fn symbols() -> [u8; 256] {
        let mut symbols = [0; 256];
        let mut place = 0;
        let mut bits = 1;
        while bits <= MAX_BITS {
            let mut symbol = 0;
            while symbol < symbols.len() {
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

    pub(super) const fn short_codes() -> [ShortCodes; 4] {
        let mut rows = [ShortCodes {
            end: 0,
            bits: 0,
            offset: 0,
        }; 4];
        let mut place = 0;
        let mut bits = 5;
        while bits <= 8 {
            let first = first_codes()[bits];
            let end = (first + count(bits)) << (8 - bits);
            let offset = (place + 256 - first) as u8;
            rows[bits - 5] = ShortCodes {
                end: end as u8,
                bits: bits as u8,
                offset,
            };
            place += count(bits);
            bits += 1;
        }
        rows
    }

    pub(super) const fn long_codes() -> [LongCodes; 17] {
        let mut rows = [LongCodes {
            end: 0,
            bits: 0,
            first_place: 0,
        }; 17];
        let mut row = 0;
        let mut place = count(5) + count(6) + count(7) + count(8);
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
        assert!(row == rows.len() && place == 257);
        rows
    }
}
