//! Rules of RFC 7541 and of this encoder's contract, one test each.

use crate::support::{Owned, UNLIMITED, decode_block, owned};
use hpack_lite::{BufferFull, Decoder, Encoder, EncoderEntry, Field, Writer};

const fn indexable<'f>(name: &'f str, value: &'f str) -> Field<'f, 'f> {
    Field::Indexable {
        name: name.as_bytes(),
        value: value.as_bytes(),
    }
}

const fn plain<'f>(name: &'f str, value: &'f str) -> Field<'f, 'f> {
    Field::Literal {
        name: name.as_bytes(),
        value: value.as_bytes(),
    }
}

const fn never<'f>(name: &'f str, value: &'f str) -> Field<'f, 'f> {
    Field::NeverIndexed {
        name: name.as_bytes(),
        value: value.as_bytes(),
    }
}

fn block<'f>(encoder: &mut Encoder<'_, 'f>, fields: &[Field<'f, 'f>]) -> Vec<u8> {
    let mut octets = [0; 1_024];
    let mut writer = Writer::new(&mut octets);
    encoder.begin_block(&mut writer).unwrap();
    for field in fields {
        encoder.encode(*field, &mut writer).unwrap();
    }
    writer.as_bytes().to_vec()
}

fn fields_of(fields: &[Field<'_, '_>]) -> Vec<Owned> {
    let mark = |field: &Field<'_, '_>| matches!(field, Field::NeverIndexed { .. });
    fields
        .iter()
        .map(|field| owned(field.name(), field.value(), mark(field)))
        .collect()
}

#[test]
fn literal_uses_the_tables_and_never_enters_them() {
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    assert_eq!(block(&mut encoder, &[plain(":method", "GET")]), [0x82]);
    encoder.set_huffman(false);
    let twice = block(&mut encoder, &[plain("x", "\0"), plain("x", "\0")]);
    assert_eq!(twice, [0, 1, b'x', 1, 0].repeat(2));
    block(&mut encoder, &[indexable("x", "\0")]);
    assert_eq!(block(&mut encoder, &[plain("x", "\0")]), [0xBE]);
    assert_eq!(block(&mut encoder, &[plain("x", "\u{1}")]), [0x0F, 47, 1, 1]);
}

// Spec: hpack-6.2.3-never-indexed
#[test]
fn never_indexed_field_is_a_literal_though_the_tables_hold_it() {
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    encoder.set_huffman(false);
    block(&mut encoder, &[indexable("authorization", "k")]);
    assert_eq!(
        block(&mut encoder, &[never("authorization", "k")]),
        [0x1F, 8, 1, b'k']
    );
    assert_eq!(
        block(&mut encoder, &[never(":method", "GET")]),
        [0x12, 3, b'G', b'E', b'T']
    );
    assert_eq!(block(&mut encoder, &[never("n", "")]), [0x10, 1, b'n', 0]);
}

#[test]
fn huffman_code_is_used_unless_it_is_longer() {
    let mut encoder = Encoder::new(&mut []);
    assert_eq!(block(&mut encoder, &[plain("\0", "www.example.com")])[3], 0x8C);
    assert_eq!(block(&mut encoder, &[plain("\0", "")])[3], 0);
    assert_eq!(block(&mut encoder, &[plain("\0", "\0\0")])[3..], [2, 0, 0]);
}

#[test]
fn content_decides_where_pointers_differ() {
    let (name, value) = (String::from("name"), String::from("value"));
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    block(&mut encoder, &[indexable("name", "value")]);
    assert_eq!(block(&mut encoder, &[indexable(&name, &value)]), [0xBE]);
}

#[test]
fn slots_that_run_out_forget_the_oldest_entry() {
    let (mut table, mut scratch) = ([0; 4_096], [0; 64]);
    for slots in 0..5 {
        let mut entries = vec![EncoderEntry::new(); slots];
        let mut encoder = Encoder::new(&mut entries);
        let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
        let fields = ["a", "b", "c", "d", "a", "c", "e", "a"].map(|name| indexable(name, "value"));
        for round in 0..20 {
            let order = [fields[round % 8], fields[round * 3 % 8], fields[round * 5 % 8]];
            let wire = block(&mut encoder, &order);
            assert_eq!(decode_block(&mut decoder, &wire), fields_of(&order));
        }
        let wire = block(&mut encoder, &[fields[0], fields[0]]);
        assert_eq!(wire.last() == Some(&0xBE), slots > 0);
    }
}

#[test]
fn entry_larger_than_the_table_is_not_indexed_and_leaves_the_table_alone() {
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    encoder.set_max_table_size(40);
    block(&mut encoder, &[indexable("name", "1234")]);
    let wire = block(
        &mut encoder,
        &[indexable("name", "12345"), indexable("name", "1234")],
    );
    assert_eq!((wire[..2].to_vec(), wire.last()), (vec![0x0F, 47], Some(&0xBE)));
}

// Spec: h2-4.3.1-encoder-update
#[test]
fn reduced_setting_is_announced_at_the_next_block_and_evicts() {
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    block(&mut encoder, &[indexable("name", "1234")]);
    encoder.set_max_table_size(0);
    assert_eq!(encoder.size_update_len(), 1);
    let wire = block(&mut encoder, &[indexable("name", "1234")]);
    assert_eq!(wire[..2], [0x20, 0x00]);
    assert!(block(&mut encoder, &[]).is_empty());
}

// Spec: hpack-4.2-smallest-then-final
#[test]
fn setting_reduced_and_raised_between_blocks_announces_the_smallest_then_the_final_one() {
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    block(&mut encoder, &[indexable("name", "1234")]);
    for octets in [100, 10, 200, 4_096] {
        encoder.set_max_table_size(octets);
    }
    assert_eq!(encoder.size_update_len(), 4);
    assert_eq!(block(&mut encoder, &[]), [0x20 | 10, 0x3F, 0xE1, 0x1F]);
    // What the smallest one evicted is gone.
    assert_eq!(block(&mut encoder, &[indexable("name", "1234")])[0], 0x40);
}

#[test]
fn ceiling_holds_however_much_the_peer_allows() {
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    encoder.set_max_table_size(65_536);
    assert!(block(&mut encoder, &[]).is_empty());
    encoder.set_ceiling(8_192);
    assert_eq!(block(&mut encoder, &[]), [0x3F, 0xE1, 0x3F]);
    encoder.set_ceiling(30);
    assert_eq!(block(&mut encoder, &[]), [0x20 | 30]);
    encoder.set_max_table_size(20);
    assert_eq!(block(&mut encoder, &[]), [0x20 | 20]);
    // A fresh connection starts at 4,096, and again has to be told.
    encoder.reset();
    assert_eq!(block(&mut encoder, &[]), [0x20 | 30]);
}

#[test]
fn reset_forgets_the_table_and_what_was_owed() {
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    let first = block(&mut encoder, &[indexable("name", "1234")]);
    encoder.set_max_table_size(10);
    encoder.reset();
    assert_eq!(block(&mut encoder, &[indexable("name", "1234")]), first);
}

/// Every buffer length from 0 to what is needed: all or nothing, and the table does not move with nothing.
// Spec: hpack-encode-whole
#[test]
fn full_buffer_writes_nothing_and_says_what_is_needed() {
    let fields = [
        indexable(":method", "GET"),
        indexable("name", "value"),
        indexable("name", "other"),
        plain("user-agent", "x/1"),
        never("authorization", "secret"),
        indexable("name", "value"),
    ];
    let mut expected_entries = [EncoderEntry::new(); 4];
    let mut expected = Encoder::new(&mut expected_entries);
    expected.set_max_table_size(300);
    let wire = block(&mut expected, &fields);
    let mut entries = [EncoderEntry::new(); 4];
    let mut encoder = Encoder::new(&mut entries);
    encoder.set_max_table_size(300);
    let mut sum = Vec::new();
    for step in 0..=fields.len() {
        let mut write = |writer: &mut Writer<'_>| match step.checked_sub(1) {
            None => encoder.begin_block(writer),
            Some(field) => encoder.encode(fields[field], writer),
        };
        let Err(BufferFull { needed }) = write(&mut Writer::new(&mut [])) else {
            panic!("no octet suffices")
        };
        let mut octets = [0xAA; 64];
        for len in 0..needed {
            let mut writer = Writer::new(&mut octets[..len]);
            assert_eq!(write(&mut writer), Err(BufferFull { needed }));
            assert_eq!((writer.written(), writer.remaining()), (0, len));
        }
        assert_eq!(octets, [0xAA; 64]);
        let mut writer = Writer::new(&mut octets[..needed]);
        assert_eq!(write(&mut writer), Ok(()));
        assert_eq!((writer.written(), writer.remaining()), (needed, 0));
        sum.extend_from_slice(writer.as_bytes());
    }
    assert_eq!(sum, wire);
}

#[test]
fn max_len_is_an_upper_bound_whatever_the_tables_hold() {
    let long = "v".repeat(200);
    let names = [
        "",
        "a",
        "ab",
        ":path",
        "accept-charset",
        "x-a-name-of-nobody",
        &long,
    ];
    let values = ["", "/", "\0", "/index.html", &long];
    // With 700 entries an index takes three octets more than the prefix.
    let fillers: Vec<String> = (0..700).map(|number| format!("{number}")).collect();
    for fill in [0, 1, 66, 700] {
        let mut entries = vec![EncoderEntry::new(); 1_000];
        let mut encoder = Encoder::new(&mut entries);
        encoder.set_ceiling(65_536);
        encoder.set_max_table_size(65_536);
        for name in names {
            for value in values {
                let fields = [
                    plain(name, value),
                    never(name, value),
                    indexable(name, value),
                    indexable(name, value),
                ];
                let mut octets = [0; 512];
                for field in fields {
                    let mut writer = Writer::new(&mut octets);
                    encoder.encode(field, &mut writer).unwrap();
                    assert!(writer.written() <= Encoder::max_len(field), "{field:?}");
                }
                for filler in &fillers[..fill] {
                    encoder
                        .encode(indexable(filler, ""), &mut Writer::new(&mut octets))
                        .unwrap();
                }
            }
        }
    }
}
