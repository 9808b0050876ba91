//! HPACK: any cuts and any memory agree on a header block, another implementation reads the same, and what our encoder
//! writes of it reads back.

use std::borrow::Cow;

use hpack_lite::{BlockSummary, DecodeError, Decoder, Encoder, EncoderEntry, Field, Limits, Writer};
use loona_hpack::decoder::{DecoderError, IntegerDecodingError};

use crate::pieces::{Pieces, one_in};

/// Three octets choose the cuts, the small memory, and where the first of two header blocks ends.
pub fn hpack_decoder(data: &[u8]) {
    let Some(([cuts, small, end], octets)) = data.split_first_chunk() else {
        return;
    };
    let (first, second) = octets.split_at(octets.len().min(usize::from(*end)));
    let blocks = [first, second];
    let (mut table, mut scratch) = ([0; TABLE], [0; 1024]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, NO_LIMITS);
    let (mut cut_table, mut cut_scratch) = ([0; TABLE], [0; 256]);
    let mut cut = Decoder::new(
        &mut cut_table,
        &mut cut_scratch[..usize::from(*small)],
        Limits {
            max_list_size: 200,
            max_fields: 5,
        },
    );
    let mut found = Found::default();
    for (number, block) in blocks.into_iter().enumerate() {
        let start = found.fields.len();
        let whole = decode(&mut decoder, block, &mut found);
        found.ends[number] = found.fields.len();
        let limited = decode_limited(&mut cut, block, *cuts, found.iter().skip(start));
        match (whole, limited) {
            (Ok(whole), Ok(limited)) => {
                assert_eq!(whole.skipped, 0);
                assert_eq!(
                    BlockSummary {
                        skipped: 0,
                        ..limited
                    },
                    whole
                );
            }
            (whole, limited) => {
                assert_eq!(whole.err(), limited.err());
                found.error = whole.err();
                break;
            }
        }
    }
    if one_in(32, data) {
        another_implementation_reads_the_same(blocks, &found);
    }
    if found.error.is_none() && !found.fields.is_empty() {
        what_is_encoded_again_is_the_same(&found, *small);
    }
}

/// The fields of all blocks, in one piece of memory.
#[derive(Default)]
struct Found {
    octets: Vec<u8>,
    /// Lengths of name and value, and the mark.
    fields: Vec<(usize, usize, bool)>,
    ends: [usize; 2],
    error: Option<DecodeError>,
}

impl Found {
    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], bool)> {
        let mut rest = self.octets.as_slice();
        self.fields.iter().map(move |(name, value, never)| {
            let (field, after) = rest.split_at(name + value);
            rest = after;
            let (name, value) = field.split_at(*name);
            (name, value, *never)
        })
    }
}

fn decode(
    decoder: &mut Decoder<'_>,
    mut block: &[u8],
    found: &mut Found,
) -> Result<BlockSummary, DecodeError> {
    while let Some(field) = decoder.decode(&mut block)? {
        assert!(!field.truncated, "there is room for all");
        found.octets.extend_from_slice(field.name);
        found.octets.extend_from_slice(field.value);
        found
            .fields
            .push((field.name.len(), field.value.len(), field.never_indexed));
    }
    assert!(block.is_empty());
    decoder.finish()
}

/// Yields a part of `all`, in order; of a value perhaps the beginning.
fn decode_limited<'f>(
    decoder: &mut Decoder<'_>,
    block: &[u8],
    cuts: u8,
    mut all: impl Iterator<Item = (&'f [u8], &'f [u8], bool)>,
) -> Result<BlockSummary, DecodeError> {
    let (mut fields, mut truncated, mut size) = (0, 0, 0);
    for mut piece in Pieces::new(block, cuts) {
        while let Some(field) = decoder.decode(&mut piece)? {
            fields += 1;
            truncated += u32::from(field.truncated);
            size += field.name.len() + field.value.len() + 32;
            let is_it = |(name, value, never): (&[u8], &[u8], bool)| {
                (name, never) == (field.name, field.never_indexed)
                    && value.starts_with(field.value)
                    && (value.len() > field.value.len()) == field.truncated
            };
            assert!(all.any(is_it), "a field that is not in the block");
        }
        assert!(piece.is_empty());
    }
    assert!(fields <= 5 && size <= 200, "a limit was passed");
    let summary = decoder.finish()?;
    assert_eq!(summary.fields - summary.skipped, fields - truncated);
    Ok(summary)
}

fn another_implementation_reads_the_same(blocks: [&[u8]; 2], found: &Found) {
    let mut other = loona_hpack::Decoder::new();
    other.set_max_allowed_table_size(TABLE);
    other.set_max_table_size(TABLE);
    let mut fields = found.iter();
    let mut begun = 0;
    for (block, end) in blocks.into_iter().zip(found.ends) {
        let mut read = 0;
        let mut compare = |name: Cow<'_, [u8]>, value: Cow<'_, [u8]>| {
            read += 1;
            if begun + read <= end {
                let (our_name, our_value, _) = fields.next().expect("as many fields");
                assert_eq!((our_name, our_value), (&*name, &*value));
            }
        };
        let result = other.decode_with_cb(block, &mut compare);
        match result {
            Ok(()) if found.error.is_none() || begun + read < end => assert_eq!(begun + read, end),
            // It allows a size update anywhere, and the field before the end of a block that we refused is ours, too.
            Ok(()) => return,
            // Stricter than the RFC, which allows both.
            Err(
                DecoderError::SizeUpdateAtEnd
                | DecoderError::IntegerDecodingError(IntegerDecodingError::TooManyOctets),
            ) => return,
            Err(error) => {
                assert!(found.error.is_some(), "the other one says {error:?}");
                return;
            }
        }
        begun = end;
    }
}

fn what_is_encoded_again_is_the_same(found: &Found, small: u8) {
    let mut entries = [EncoderEntry::new(); 8];
    let mut encoder = Encoder::new(&mut entries[..usize::from(small % 9)]);
    encoder.set_max_table_size(TABLE as u32);
    encoder.set_huffman(small & 0x80 == 0);
    let (mut table, mut scratch) = ([0; TABLE], [0; 1024]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, NO_LIMITS);
    let mut memory = [0; 1024];
    let mut writer = Writer::new(&mut memory);
    encoder.begin_block(&mut writer).expect("there is room");
    let mut expected = found.iter();
    let mut written = 0;
    for (name, value, never) in found.iter() {
        let field = match (never, small & 0x40) {
            (true, _) => Field::NeverIndexed { name, value },
            (false, 0) => Field::Indexable { name, value },
            _ => Field::Literal { name, value },
        };
        let (before, bound) = (writer.written(), Encoder::max_len(field));
        if encoder.encode(field, &mut writer).is_err() {
            assert!(bound > writer.remaining());
            assert_eq!(before, writer.written(), "all or nothing");
            break;
        }
        assert!(writer.written() - before <= bound);
        written += 1;
    }
    let mut block = writer.as_bytes();
    while let Some(field) = decoder.decode(&mut block).expect("our own block is valid") {
        assert_eq!(
            expected.next(),
            Some((field.name, field.value, field.never_indexed))
        );
        written -= 1;
    }
    decoder.finish().expect("our own block is whole");
    assert_eq!(written, 0);
}

/// Octets of the dynamic table.
const TABLE: usize = 256;

const NO_LIMITS: Limits = Limits {
    max_list_size: u32::MAX,
    max_fields: u16::MAX,
};
