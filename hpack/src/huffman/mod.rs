//! String literals in Huffman code (RFC 7541 section 5.2). Called by the decoder, the encoder.

mod table;

use crate::DecodeError;
use crate::writer::{Slots, put};
use table::{
    FIRST_CODES, FIRST_EIGHT_BITS, LONG_BITS, LONG_CODES, LONG_PREFIX_BITS, LONG_SYMBOLS, SHORT_CODES,
    SYMBOL_CODES,
};

pub(crate) use table::TABLES_SIZE;

/// Decodes one string, in pieces of any size.
///
/// At most 32 bits of the input wait here. A code of up to 7 bits is found in one look. Every longer one
/// begins with seven ones: they are dropped first, so that what is left of it fits beside a partial octet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Decoder {
    /// Bits not decoded yet, left-aligned, followed by zeros.
    window: u32,
    /// How many bits of `window` count.
    bits: u32,
    /// Seven ones were dropped from the front of the window.
    long: bool,
}

/// What one call of [`Decoder::decode`] came to.
pub(crate) struct Progress {
    /// Octets of output written.
    pub(crate) written: usize,
    /// The output is full and at least one more octet is ready for it.
    pub(crate) full: bool,
}

impl Decoder {
    /// Decodes `input` until it is used up, or a symbol finds no room in `output`.
    ///
    /// Errors: `HuffmanEos`.
    pub(crate) fn decode(&mut self, input: &mut &[u8], output: &mut [u8]) -> Result<Progress, DecodeError> {
        // Copies live in registers; the loop below is what decoding costs.
        let Self {
            mut window,
            mut bits,
            mut long,
        } = *self;
        let mut octets = input.iter();
        let mut slots = output.iter_mut();
        let mut full = false;
        loop {
            while bits <= 24 {
                let Some(octet) = octets.next() else { break };
                window |= u32::from(*octet).wrapping_shl(24_u32.wrapping_sub(bits));
                bits = bits.wrapping_add(8);
            }
            // Zeros behind the last bit can only make a code look shorter: one that is no longer than `bits` is
            // all there. Of 25 bits at least one code is taken, so that this goes on until the input is used up.
            loop {
                let short = SHORT_CODES
                    .get(place_of(window.wrapping_shr(25)))
                    .copied()
                    .unwrap_or(0);
                let (symbol, length) = if !long && short != 0 {
                    let [symbol, length] = short.to_be_bytes();
                    (symbol, u32::from(length))
                } else {
                    if !long && window >= LONG_PREFIX {
                        window = window.wrapping_shl(LONG_PREFIX_BITS);
                        bits = bits.wrapping_sub(LONG_PREFIX_BITS);
                        long = true;
                    }
                    let (place, length) = if long {
                        long_code(window)
                    } else {
                        eight_bit_code(window)
                    };
                    if length > bits {
                        break;
                    }
                    // Spec: hpack-5.2-eos
                    (*LONG_SYMBOLS.get(place).ok_or(DecodeError::HuffmanEos)?, length)
                };
                if length > bits {
                    break;
                }
                let Some(slot) = slots.next() else {
                    full = true;
                    break;
                };
                *slot = symbol;
                window = window.wrapping_shl(length);
                bits = bits.wrapping_sub(length);
                long = false;
            }
            if full || octets.as_slice().is_empty() {
                break;
            }
        }
        *self = Self { window, bits, long };
        *input = octets.as_slice();
        let left = slots.len();
        Ok(Progress {
            written: output.len().saturating_sub(left),
            full,
        })
    }

    /// The string is over: checks the padding.
    ///
    /// Errors: `HuffmanPadding` when what is left is more than 7 bits, or not all ones.
    pub(crate) fn finish(&self) -> Result<(), DecodeError> {
        let dropped = if self.long { LONG_PREFIX_BITS } else { 0 };
        let ones = !u32::MAX.checked_shr(self.bits).unwrap_or(0);
        // Spec: hpack-5.2-padding-length, hpack-5.2-padding-bits
        if self.bits.saturating_add(dropped) > 7 || self.window != ones {
            return Err(DecodeError::HuffmanPadding);
        }
        Ok(())
    }
}

/// Place and length of the code of 8 bits at the front of `window`.
fn eight_bit_code(window: u32) -> (usize, u32) {
    (
        place_of(window.wrapping_shr(24).wrapping_sub(FIRST_EIGHT_BITS)),
        8,
    )
}

/// Place and length of the code at the front of `window`, which the common prefix was dropped from.
fn long_code(window: u32) -> (usize, u32) {
    let value = window.wrapping_shr(32_u32.wrapping_sub(LONG_BITS));
    let mut first = 0;
    for row in &LONG_CODES {
        if value < row.end {
            let bits = u32::from(row.bits);
            let code = value
                .wrapping_sub(first)
                .wrapping_shr(LONG_BITS.wrapping_sub(bits));
            return (place_of(code.wrapping_add(u32::from(row.first_place))), bits);
        }
        first = row.end;
    }
    (usize::MAX, LONG_BITS)
}

/// A place in a table.
fn place_of(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// A window that begins with the prefix of the long codes is no smaller.
const LONG_PREFIX: u32 = u32::MAX << (32 - LONG_PREFIX_BITS);

/// Octets that `string` takes in Huffman code.
pub(crate) fn encoded_len(string: &[u8]) -> usize {
    let bits = string.iter().fold(0_usize, |sum, octet| {
        sum.saturating_add(usize::from(code_of(*octet).0))
    });
    bits.div_ceil(8)
}

/// Writes `string` in Huffman code, padded with ones.
pub(crate) fn encode(string: &[u8], slots: &mut Slots<'_>) {
    let mut window: u32 = 0;
    let mut bits: u8 = 0;
    let mut push = |code: u32, length: u8| {
        // At most 7 bits wait and at most 16 come: the window always holds them.
        window = window.wrapping_shl(u32::from(length)) | code;
        bits = bits.wrapping_add(length);
        while bits >= 8 {
            bits = bits.wrapping_sub(8);
            let [.., octet] = window.wrapping_shr(u32::from(bits)).to_be_bytes();
            put(slots, octet);
        }
        bits
    };
    let mut waiting = 0;
    for octet in string {
        let (length, code) = code_of(*octet);
        if length > 16 {
            push(code.wrapping_shr(16), length.wrapping_sub(16));
            waiting = push(code & 0xFFFF, 16);
        } else {
            waiting = push(code, length);
        }
    }
    if waiting > 0 {
        let padding = 8_u8.wrapping_sub(waiting);
        push(u32::from(u8::MAX.wrapping_shr(u32::from(waiting))), padding);
    }
}

/// Length in bits and code of a symbol.
fn code_of(symbol: u8) -> (u8, u32) {
    let [length, place] = SYMBOL_CODES
        .get(usize::from(symbol))
        .copied()
        .unwrap_or(0)
        .to_be_bytes();
    let first = FIRST_CODES.get(usize::from(length)).copied().unwrap_or(0);
    (length, first.wrapping_add(u32::from(place)))
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::{Decoder, FIRST_CODES, code_of, encode, encoded_len};
    use crate::DecodeError;

    /// The list of appendix B: code and length of each symbol, EOS last.
    fn appendix_b() -> Vec<(u32, u8)> {
        let rows = include_str!("appendix_b.txt")
            .lines()
            .filter(|row| !row.starts_with('#'));
        let rows = rows
            .filter(|row| !row.is_empty())
            .enumerate()
            .map(|(symbol, row)| {
                let columns: Vec<&str> = row.split(' ').collect();
                assert_eq!(columns[0].parse(), Ok(symbol));
                (
                    u32::from_str_radix(columns[1], 16).unwrap(),
                    columns[2].parse().unwrap(),
                )
            });
        rows.collect()
    }

    /// Bit by bit over the list of appendix B.
    fn oracle(codes: &[(u32, u8)], input: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let (mut output, mut code, mut length) = (Vec::new(), 0, 0);
        for bit in input
            .iter()
            .flat_map(|octet| (0..8).rev().map(move |place| octet >> place & 1))
        {
            code = code << 1 | u32::from(bit);
            length += 1;
            match codes.iter().position(|entry| *entry == (code, length)) {
                Some(256) => return Err(DecodeError::HuffmanEos),
                Some(symbol) => {
                    output.push(symbol as u8);
                    (code, length) = (0, 0);
                }
                None => {}
            }
        }
        if length > 7 || code != (1 << length) - 1 {
            Err(DecodeError::HuffmanPadding)
        } else {
            Ok(output)
        }
    }

    fn decode(pieces: &[&[u8]], output: &mut [u8]) -> Result<usize, DecodeError> {
        let mut decoder = Decoder::default();
        let mut written = 0;
        for piece in pieces {
            let mut input = *piece;
            let progress = decoder.decode(&mut input, &mut output[written..])?;
            assert!(input.is_empty() && !progress.full);
            written += progress.written;
        }
        decoder.finish().map(|()| written)
    }

    #[test]
    fn tables_are_those_of_appendix_b() {
        let codes = appendix_b();
        assert_eq!(codes.len(), 257);
        for symbol in 0..=255 {
            let (length, code) = code_of(symbol);
            assert_eq!((code, length), codes[usize::from(symbol)]);
        }
        assert_eq!(FIRST_CODES[30] + 3, codes[256].0);
    }

    #[test]
    fn every_two_octets_decode_as_the_oracle_says() {
        let codes = appendix_b();
        let mut seen = [0; 3];
        for input in (0..=u16::MAX).map(u16::to_be_bytes) {
            let expected = oracle(&codes, &input);
            let mut output = [0; 4];
            for pieces in [&[&input[..]][..], &[&input[..1], &input[1..]]] {
                let result = decode(pieces, &mut output).map(|written| output[..written].to_vec());
                assert_eq!(result, expected, "{input:?}");
            }
            seen[usize::from(expected.is_ok())] += 1;
        }
        assert!(seen[0] > 1_000 && seen[1] > 1_000);
    }

    #[test]
    fn every_symbol_pair_survives_encoding_at_every_split() {
        let mut wire = [0; 9];
        for pair in (0..=u16::MAX).map(u16::to_be_bytes) {
            let len = encoded_len(&pair);
            encode(&pair, &mut wire[..len].iter_mut());
            for split in 0..=len {
                let mut output = [0; 2];
                assert_eq!(decode(&[&wire[..split], &wire[split..len]], &mut output), Ok(2));
                assert_eq!(output, pair);
            }
        }
    }

    // Spec: hpack-5.2-eos, hpack-5.2-padding-length, hpack-5.2-padding-bits
    #[test]
    fn eos_and_false_padding_are_errors() {
        let mut output = [0; 8];
        assert_eq!(decode(&[&[0xFF; 4]], &mut output), Err(DecodeError::HuffmanEos));
        assert_eq!(
            decode(&[&[0xFF; 3]], &mut output),
            Err(DecodeError::HuffmanPadding)
        );
        // "0" is 00000, followed by three bits of padding, or by eleven.
        assert_eq!(decode(&[&[0b0000_0111]], &mut output), Ok(1));
        assert_eq!(
            decode(&[&[0b0000_0111, 0xFF]], &mut output),
            Err(DecodeError::HuffmanPadding)
        );
        for padding in 1..7 {
            assert_eq!(
                decode(&[&[padding]], &mut output),
                Err(DecodeError::HuffmanPadding)
            );
        }
    }

    #[test]
    fn full_output_stops_before_the_symbol_and_goes_on() {
        let mut wire = [0; 64];
        let text = "no-cache, \u{20ac} \0";
        let len = encoded_len(text.as_bytes());
        encode(text.as_bytes(), &mut wire[..len].iter_mut());
        for largest in 1..text.len() {
            let mut decoder = Decoder::default();
            let mut input = &wire[..len];
            let mut output = Vec::new();
            let mut room = [0; 64];
            for size in (0..=largest).cycle() {
                let progress = decoder.decode(&mut input, &mut room[..size]).unwrap();
                assert!(progress.written == size || !progress.full);
                output.extend_from_slice(&room[..progress.written]);
                if !progress.full {
                    break;
                }
            }
            assert_eq!(decoder.finish(), Ok(()));
            assert_eq!(output, text.as_bytes());
        }
    }
}
