//! Rules of RFC 7541 and of this decoder's limits, one test each.

use crate::support::{Outcome, Owned, UNLIMITED, decode_fragments, owned};
use hpack_lite::{BlockSummary, DecodeError, Decoder, HeaderField, Limits};

/// Runs blocks through a decoder with this much memory; the outcome of the last one.
fn last_of(blocks: &[&[u8]], table_len: usize, scratch_len: usize) -> Outcome {
    let (mut table, mut scratch) = (vec![0; table_len], vec![0; scratch_len]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
    let outcomes: Vec<_> = blocks
        .iter()
        .map(|block| decode_fragments(&mut decoder, &[block]))
        .collect();
    outcomes.into_iter().last().unwrap()
}

fn error_of(block: &[u8]) -> Option<DecodeError> {
    last_of(&[block], 4_096, 64).1.err()
}

/// A string literal without Huffman code.
fn string(text: &[u8]) -> Vec<u8> {
    let mut wire = if text.len() < 127 {
        vec![text.len() as u8]
    } else {
        let rest = text.len() - 127;
        assert!((128..16_384).contains(&rest));
        vec![127, rest as u8 | 0x80, (rest >> 7) as u8]
    };
    wire.extend_from_slice(text);
    wire
}

/// A literal with a new name; `first`: 0x40 for incremental indexing, 0x10 never, 0 without.
fn literal(first: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    [vec![first], string(name), string(value)].concat()
}

/// A literal with incremental indexing, its name that of an entry.
fn with_name_at(index: u8, value: &[u8]) -> Vec<u8> {
    [vec![0x40 | index], string(value)].concat()
}

fn only(field: Owned) -> Vec<Owned> {
    vec![field]
}

// Spec: hpack-6.1-index-0
#[test]
fn index_zero_is_an_error() {
    assert_eq!(error_of(&[0x80]), Some(DecodeError::InvalidIndex));
}

// Spec: hpack-2.3.3-index
#[test]
fn index_beyond_both_tables_is_an_error_for_fields_and_for_names() {
    for block in [
        &[0xBE][..],
        &[0x7E, 0, 0],
        &[0x0F, 47, 0],
        &[0x1F, 47, 0],
        &[0xFF, 0x80, 0x80, 0x80, 0x0F],
    ] {
        assert_eq!(error_of(block), Some(DecodeError::InvalidIndex), "{block:?}");
    }
    let one_entry = literal(0x40, b"a", b"b");
    assert!(last_of(&[&one_entry, &[0xBE]], 4_096, 64).1.is_ok());
    assert_eq!(
        last_of(&[&one_entry, &[0xBF]], 4_096, 64).1,
        Err(DecodeError::InvalidIndex)
    );
}

// Spec: hpack-5.1-value, hpack-5.1-octets
#[test]
fn integer_above_the_limit_is_an_error_wherever_it_stands() {
    for first in [0xFF, 0x7F, 0x3F, 0x0F, 0x1F] {
        assert_eq!(
            error_of(&[first, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
            Some(DecodeError::IntegerOverflow)
        );
        assert_eq!(
            error_of(&[first, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
            Some(DecodeError::IntegerOverflow)
        );
    }
    assert_eq!(
        error_of(&[0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
        Some(DecodeError::IntegerOverflow)
    );
}

// Spec: hpack-5.2-truncated
#[test]
fn string_of_four_gigabytes_is_neither_gathered_nor_an_error_before_the_block_ends() {
    let block = [
        &[0x00, 0x01, b'a', 0x7F, 0x80, 0xFF, 0xFF, 0xFF, 0x0F][..],
        &[b'x'; 100],
    ]
    .concat();
    assert_eq!(error_of(&block), Some(DecodeError::Truncated));
}

// Spec: hpack-4.2-update-start
#[test]
fn size_update_after_a_field_is_an_error() {
    assert_eq!(error_of(&[0x82, 0x20]), Some(DecodeError::SizeUpdatePosition));
    assert_eq!(error_of(&[0x20, 0x3F, 0x00, 0x82]), None);
}

#[test]
fn size_update_in_the_next_block_is_not_one_after_a_field() {
    assert!(last_of(&[&[0x82], &[0x20]], 4_096, 64).1.is_ok());
}

// Spec: hpack-6.3-limit
#[test]
fn size_update_above_the_limit_is_an_error() {
    // 4,096 is 31 + 4,065.
    assert_eq!(error_of(&[0x3F, 0xE1, 0x1F]), None);
    assert_eq!(
        error_of(&[0x3F, 0xE2, 0x1F]),
        Some(DecodeError::SizeUpdateTooLarge)
    );
    assert_eq!(
        last_of(&[&[0x3F, 0x02]], 32, 64).1,
        Err(DecodeError::SizeUpdateTooLarge)
    );
}

// Spec: hpack-4.3-evicts
#[test]
fn size_update_evicts_and_the_old_size_can_come_back() {
    let entry = literal(0x40, b"a", b"b");
    assert!(last_of(&[&entry, &[0x20], &[0x82]], 4_096, 64).1.is_ok());
    assert_eq!(
        last_of(&[&entry, &[0x20, 0x3F, 0xE1, 0x1F, 0xBE]], 4_096, 64).1,
        Err(DecodeError::InvalidIndex)
    );
    let blocks = [&[0x20][..], &[&[0x3F, 0xE1, 0x1F], &entry[..]].concat(), &[0xBE]];
    assert_eq!(last_of(&blocks, 4_096, 64).0, only(owned(b"a", b"b", false)));
}

// Spec: h2-4.3.1-decoder-update
#[test]
fn size_update_is_demanded_only_if_the_table_holds_more_than_the_new_maximum() {
    let entry = literal(0x40, b"a", b"b");
    for (reduced_to, block, expected) in [
        (34, &[0xBE][..], None),
        (33, &[0xBE][..], Some(DecodeError::SizeUpdateMissing)),
        (33, &[0x3F, 0x02, 0x82][..], None),
        (33, &[0x3F, 0x03, 0x82][..], Some(DecodeError::SizeUpdateTooLarge)),
        (33, &[][..], None),
    ] {
        let (mut table, mut scratch) = ([0; 4_096], [0; 64]);
        let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
        decode_fragments(&mut decoder, &[&entry]).1.unwrap();
        decoder.set_max_table_size(reduced_to);
        assert_eq!(
            decode_fragments(&mut decoder, &[block]).1.err(),
            expected,
            "{reduced_to} {block:?}"
        );
    }
}

// Spec: hpack-4.2-smallest-then-final
#[test]
fn after_two_changes_the_smallest_size_update_comes_first() {
    let entry = literal(0x40, b"a", b"b");
    for (block, expected) in [
        (&[0x20, 0x3F, 0xE1, 0x1F, 0x82][..], None),
        (
            &[0x3F, 0xE1, 0x1F, 0x82][..],
            Some(DecodeError::SizeUpdateMissing),
        ),
        (&[0x82][..], Some(DecodeError::SizeUpdateMissing)),
    ] {
        let (mut table, mut scratch) = ([0; 4_096], [0; 64]);
        let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
        decode_fragments(&mut decoder, &[&entry]).1.unwrap();
        decoder.set_max_table_size(0);
        decoder.set_max_table_size(4_096);
        assert_eq!(
            decode_fragments(&mut decoder, &[block]).1.err(),
            expected,
            "{block:?}"
        );
    }
}

#[test]
fn maximum_can_be_raised_above_4096_where_the_memory_allows() {
    let update_to_16384 = [0x3F, 0xE1, 0x7F];
    let (mut table, mut scratch) = (vec![0; 16_384], [0; 64]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
    decoder.set_max_table_size(65_536);
    assert!(decode_fragments(&mut decoder, &[&update_to_16384]).1.is_ok());
    decoder.reset();
    assert_eq!(
        decode_fragments(&mut decoder, &[&update_to_16384]).1,
        Err(DecodeError::SizeUpdateTooLarge)
    );
}

// Spec: hpack-6.2.3-never-indexed
#[test]
fn never_indexed_mark_is_yielded_and_makes_no_entry() {
    let block = [
        literal(0x10, b"a", b"b"),
        literal(0x00, b"c", b"d"),
        vec![0x1F, 0x08, 1, b'x'],
    ]
    .concat();
    let (fields, end) = last_of(&[&block], 4_096, 64);
    let expected = [
        owned(b"a", b"b", true),
        owned(b"c", b"d", false),
        owned(b"authorization", b"x", true),
    ];
    assert_eq!(fields, expected);
    assert!(end.is_ok());
    assert_eq!(
        last_of(&[&block, &[0xBE]], 4_096, 64).1,
        Err(DecodeError::InvalidIndex)
    );
}

// Spec: hpack-2.3.2-duplicates
#[test]
fn duplicate_entries_are_kept() {
    let entry = literal(0x40, b"a", b"b");
    let (fields, _) = last_of(&[&entry, &entry, &[0xBE, 0xBF]], 4_096, 64);
    assert_eq!(fields, vec![owned(b"a", b"b", false); 2]);
}

// Spec: hpack-4.4-name-from-evicted
#[test]
fn name_of_an_entry_survives_the_eviction_of_that_entry() {
    // Room for one entry only: each insertion evicts the one that lends the name. Also without any scratch.
    for scratch_len in [0, 4, 64] {
        let blocks = [
            literal(0x40, b"name", b"1"),
            with_name_at(62, b"22"),
            with_name_at(62, b"333"),
            vec![0xBE],
        ];
        let blocks: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
        assert_eq!(last_of(&blocks, 60, scratch_len), last_of(&blocks, 60, 64));
        assert_eq!(
            last_of(&blocks, 60, scratch_len).0,
            only(owned(b"name", b"333", false))
        );
    }
}

// Spec: hpack-4.4-larger-than-scratch
#[test]
fn indexed_literal_larger_than_the_scratch_enters_the_table_and_is_yielded_from_there() {
    let value = [b'v'; 300];
    let block = literal(0x40, b"name", &value);
    for scratch_len in 0..=310 {
        assert_eq!(
            last_of(&[&block], 4_096, scratch_len).0,
            only(owned(b"name", &value, false))
        );
        assert_eq!(
            last_of(&[&block, &[0xBE]], 4_096, scratch_len).0,
            only(owned(b"name", &value, false))
        );
    }
}

// Spec: hpack-4.4-larger-than-scratch
#[test]
fn huffman_literal_larger_than_the_scratch_enters_the_table_too() {
    // Seven times "0" and one octet of "00000 111" is 40 bits of zeros less padding: 0x00 is "0" and a part.
    let zeros = [0x00, 0x00, 0x00, 0x00, 0x00].repeat(20);
    let block = [vec![0x40, 1, b'n', 0x80 | 100], zeros].concat();
    for (scratch_len, table_len) in (0..170).flat_map(|scratch| [193, 194, 400].map(|table| (scratch, table)))
    {
        let (fields, end) = last_of(&[&block], table_len, scratch_len);
        let fits = table_len >= 32 + 161 || scratch_len >= 161;
        assert_eq!(fields.len(), usize::from(fits));
        assert_eq!(end.map(|summary| summary.list_size), Ok(193));
        let field = owned(b"n", &[b'0'; 160], false);
        let again = last_of(&[&block, &[0xBE]], table_len, scratch_len);
        assert_eq!(again.0, only(field));
    }
}

// Spec: hpack-4.4-larger-than-table
#[test]
fn entry_larger_than_the_table_empties_it_and_is_no_error() {
    let small = literal(0x40, b"a", b"b");
    let large = literal(0x40, b"name", &[b'v'; 80]);
    for scratch_len in [0, 10, 200] {
        let (fields, end) = last_of(&[&small, &large], 100, scratch_len);
        // It lies in the scratch if that is large enough, else nowhere.
        assert_eq!(fields.len(), usize::from(scratch_len == 200));
        assert_eq!(
            end.map(|summary| summary.skipped),
            Ok(u32::from(scratch_len != 200))
        );
        assert_eq!(
            last_of(&[&small, &large, &[0xBE]], 100, scratch_len).1,
            Err(DecodeError::InvalidIndex)
        );
        assert_eq!(
            last_of(&[&small, &large, &small, &[0xBE]], 100, scratch_len).0,
            only(owned(b"a", b"b", false))
        );
    }
}

// Spec: hpack-5.2-eos, hpack-5.2-padding-length, hpack-5.2-padding-bits
#[test]
fn huffman_faults_are_found_in_skipped_fields_too() {
    for (first, scratch_len) in [(0x00, 0), (0x00, 64), (0x40, 0), (0x40, 64), (0x10, 0)] {
        for (coded, error) in [
            (&[0xFF, 0xFF, 0xFF, 0xFF][..], DecodeError::HuffmanEos),
            (&[0x07, 0xFF][..], DecodeError::HuffmanPadding),
            (&[0x00][..], DecodeError::HuffmanPadding),
        ] {
            let wire = [&[first, 0x80 | coded.len() as u8][..], coded, &[0]].concat();
            assert_eq!(last_of(&[&wire], 40, scratch_len).1, Err(error));
        }
    }
}

// Spec: grpc-header-limit-size, grpc-header-limit
#[test]
fn fields_above_max_fields_are_skipped_counted_and_enter_the_table() {
    let (mut table, mut scratch) = ([0; 4_096], [0; 64]);
    let limits = Limits {
        max_list_size: u32::MAX,
        max_fields: 2,
    };
    let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
    let block = [
        vec![0x82, 0x84, 0x86],
        literal(0x40, b"a", b"b"),
        literal(0x00, b"c", b"d"),
    ]
    .concat();
    let (fields, end) = decode_fragments(&mut decoder, &[&block]);
    assert_eq!(fields.len(), 2);
    let list_size = (7 + 3) + (5 + 1) + (7 + 4) + 2 + 2 + 5 * 32;
    let encoded_size = block.len() as u32;
    assert_eq!(
        end,
        Ok(BlockSummary {
            fields: 5,
            skipped: 3,
            list_size,
            encoded_size
        })
    );
    // The limit is per block, and the skipped entry is there.
    assert_eq!(
        decode_fragments(&mut decoder, &[&[0xBE]]).0,
        only(owned(b"a", b"b", false))
    );
}

// Spec: grpc-header-limit, grpc-header-limit-size
#[test]
fn field_that_exceeds_max_list_size_is_skipped_and_a_smaller_one_behind_it_is_not() {
    let (mut table, mut scratch) = ([0; 4_096], [0; 64]);
    let limits = Limits {
        max_list_size: 34 + 36,
        max_fields: 9,
    };
    let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
    let fields = [
        literal(0x00, b"a", b"b"),
        literal(0x40, b"long", b"er"),
        literal(0x00, b"c", b"def"),
    ];
    let (fields, end) = decode_fragments(&mut decoder, &[&fields.concat()]);
    assert_eq!(fields, [owned(b"a", b"b", false), owned(b"c", b"def", false)]);
    assert_eq!(
        end.map(|summary| (summary.skipped, summary.list_size)),
        Ok((1, 34 + 38 + 36))
    );
    assert_eq!(
        decode_fragments(&mut decoder, &[&[0xBE]]).0,
        only(owned(b"long", b"er", false))
    );
}

/// One entry of 4,064 octets, referenced 16,000 times in 16,000 octets.
// Spec: threat-04
#[test]
fn bomb_of_references_is_counted_not_yielded() {
    let (mut table, mut scratch) = (vec![0; 4_096], [0; 64]);
    let limits = Limits {
        max_list_size: 8_192,
        max_fields: 64,
    };
    let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
    let entry = literal(0x40, b"bomb", &[b'x'; 4_060]);
    assert_eq!(decode_fragments(&mut decoder, &[&entry]).0.len(), 1);
    let (fields, end) = decode_fragments(&mut decoder, &[&[0xBE; 16_000]]);
    assert_eq!(fields.len(), 2);
    let summary = end.unwrap();
    assert_eq!(
        (summary.fields, summary.skipped, summary.list_size),
        (16_000, 15_998, 16_000 * 4_096)
    );
}

#[test]
fn list_size_is_known_within_the_block() {
    let (mut table, mut scratch) = ([0; 64], [0; 64]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
    assert!(decoder.decode(&mut &[0x82][..]).unwrap().is_some());
    assert_eq!(decoder.list_size(), 42);
    assert!(decoder.decode(&mut &[0x00, 1, b'a'][..]).unwrap().is_none());
    assert_eq!(decoder.list_size(), 42);
    assert!(decoder.decode(&mut &[1, b'b'][..]).unwrap().is_some());
    assert_eq!(decoder.list_size(), 42 + 34);
    decoder.finish().unwrap();
    assert_eq!(decoder.list_size(), 0);
}

#[test]
fn decode_stops_behind_each_field() {
    let (mut table, mut scratch) = ([0; 64], [0; 64]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
    let mut fragment = &[0x82, 0x84][..];
    assert_eq!(decoder.decode(&mut fragment).unwrap().unwrap().name, b":method");
    assert_eq!(fragment, [0x84]);
    assert_eq!(decoder.decode(&mut fragment).unwrap().unwrap().name, b":path");
    assert_eq!(decoder.decode(&mut fragment), Ok(None));
}

#[test]
fn empty_block_and_empty_fragments_are_fine() {
    let (mut table, mut scratch) = ([0; 64], [0; 64]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
    assert_eq!(
        decode_fragments(&mut decoder, &[]),
        (vec![], Ok(BlockSummary::default()))
    );
    let (fields, end) = decode_fragments(&mut decoder, &[&[], &[0x00, 0], &[], &[0], &[]]);
    assert_eq!(fields, only(owned(b"", b"", false)));
    assert_eq!(end.map(|summary| summary.list_size), Ok(32));
}

#[test]
fn error_is_final_until_reset() {
    let (mut table, mut scratch) = ([0; 64], [0; 64]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
    assert_eq!(
        decode_fragments(&mut decoder, &[&literal(0x40, b"a", b"b"), &[0x80]]).1,
        Err(DecodeError::InvalidIndex)
    );
    assert_eq!(
        decode_fragments(&mut decoder, &[&[0x82]]).1,
        Err(DecodeError::InvalidIndex)
    );
    assert_eq!(decoder.finish(), Err(DecodeError::InvalidIndex));
    decoder.reset();
    assert_eq!(
        decode_fragments(&mut decoder, &[&[0x82]])
            .1
            .map(|summary| summary.fields),
        Ok(1)
    );
    assert_eq!(
        decode_fragments(&mut decoder, &[&[0xBE]]).1,
        Err(DecodeError::InvalidIndex)
    );
}

/// The same block with every scratch: whatever is yielded is right, whatever is not is counted, and the
/// table is the same afterwards. Literals without indexing are yielded from the first length on that holds
/// name and value, or the value alone where the name has an index.
#[test]
fn every_scratch_length_yields_right_fields_and_keeps_the_table() {
    let block = [
        vec![0x82],
        literal(0x40, b"first", b"entry"),
        literal(0x00, b"plain", b"0123456789"),
        with_name_at(62, b"another value"),
        [vec![0x0F, 48], string(b"named by an index")].concat(),
        vec![
            0x10 | 4,
            0x8C,
            0xF1,
            0xE3,
            0xC2,
            0xE5,
            0xF2,
            0x3A,
            0x6B,
            0xA0,
            0xAB,
            0x90,
            0xF4,
            0xFF,
        ],
    ]
    .concat();
    let all = [
        owned(b":method", b"GET", false),
        owned(b"first", b"entry", false),
        owned(b"plain", b"0123456789", false),
        owned(b"first", b"another value", false),
        owned(b"first", b"named by an index", false),
        owned(b":path", b"www.example.com", true),
    ];
    let needs = [0, 0, 15, 0, 17, 15];
    for scratch_len in 0..=64 {
        for split in 0..=block.len() {
            let (mut table, mut scratch) = ([0; 256], vec![0; scratch_len]);
            let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
            let (fields, end) = decode_fragments(&mut decoder, &[&block[..split], &block[split..]]);
            let expected = all.iter().zip(needs).filter(|(_, need)| *need <= scratch_len);
            let expected: Vec<Owned> = expected.map(|(field, _)| field.clone()).collect();
            assert_eq!(fields, expected);
            assert_eq!(end.map(|summary| summary.skipped as usize), Ok(6 - fields.len()));
            let (fields, _) = decode_fragments(&mut decoder, &[&[0xBE, 0xBF]]);
            assert_eq!(fields, [all[3].clone(), all[1].clone()]);
        }
    }
}

#[test]
fn field_gives_the_yielded_field_again_until_the_next_decode() {
    let (mut table, mut scratch) = ([0; 256], [0; 64]);
    let mut decoder = Decoder::new(
        &mut table,
        &mut scratch,
        Limits {
            max_list_size: 4_096,
            max_fields: 8,
        },
    );
    // Static, indexed literal, never indexed.
    let mut block = &b"\x82\x40\x01a\x01b\x10\x01c\x01d"[..];
    let expected = [
        (&b":method"[..], &b"GET"[..], false),
        (b"a", b"b", false),
        (b"c", b"d", true),
    ];
    for (name, value, never_indexed) in expected {
        let expected = HeaderField {
            name,
            value,
            never_indexed,
            truncated: false,
        };
        assert_eq!(decoder.decode(&mut block), Ok(Some(expected)));
        assert_eq!((decoder.field(), decoder.field()), (expected, expected));
    }
    assert_eq!(decoder.decode(&mut block), Ok(None));
    assert_eq!(decoder.field().name, b"");
}

// Of a value for which there is no room, the beginning is yielded, and the field counts as skipped.
#[test]
fn the_beginning_of_a_value_that_fits_nowhere_is_yielded_for_every_split() {
    let limits = Limits {
        max_list_size: 4_096,
        max_fields: 8,
    };
    let long = [b'v'; 100];
    let plain = [&b"\x00\x01n\x64"[..], &long].concat();
    let indexed_name = [&b"\x04\x64"[..], &long].concat();
    let for_the_table = [&b"\x40\x01n\x64"[..], &long].concat();
    let long_name = [&b"\x00\x64"[..], &long, b"\x01v"].concat();
    // 100 times 'a' is 5 bits each in Huffman's code.
    let huffman = [
        &b"\x00\x01n\xbf"[..],
        &[0b0001_1000, 0b1100_0110, 0b0011_0001, 0b1000_1100, 0b0110_0011].repeat(12),
        &[0b0001_1000, 0b1100_0110, 0b0011_1111],
    ]
    .concat();
    for (block, name, len) in [
        (&plain, &b"n"[..], 39),
        (&indexed_name, b":path", 40),
        (&for_the_table, b"n", 39),
        (&huffman, b"n", 39),
        (&long_name, b"", 0),
    ] {
        for cut in 0..=block.len() {
            // Neither the scratch nor the table has room.
            let (mut table, mut scratch) = ([0; 64], [0; 40]);
            let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
            let mut found = Vec::new();
            let (first, second) = block.split_at(cut);
            for mut fragment in [first, second, b"\x82"] {
                while let Some(field) = decoder.decode(&mut fragment).unwrap() {
                    found.push((field.name.to_vec(), field.value.len(), field.truncated));
                }
            }
            let mut expected = vec![(name.to_vec(), len, true), (b":method".to_vec(), 3, false)];
            if len == 0 {
                expected.remove(0);
            }
            assert_eq!(found, expected, "cut at {cut}");
            let summary = decoder.finish().unwrap();
            assert_eq!((summary.fields, summary.skipped), (2, 1));
        }
    }
}
