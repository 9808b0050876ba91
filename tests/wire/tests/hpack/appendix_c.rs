//! The examples of RFC 7541 appendix C, both ways, octet by octet, at every prefix and every split.
//! (C.1, integers, is beside the code.)

use crate::support::{UNLIMITED, decode_block, decode_fragments, hex, owned};
use hpack_lite::{DecodeError, Decoder, Encoder, EncoderEntry, Field, Writer};

/// How the example's encoder treats a field.
#[derive(Clone, Copy)]
enum How {
    Index,
    Plain,
    Never,
}
use How::{Index, Never, Plain};

type Block = (&'static str, Vec<(How, &'static str, &'static str)>);

/// Blocks on one connection; table size; with Huffman code or not.
struct Example {
    name: &'static str,
    table_size: u32,
    huffman: bool,
    blocks: Vec<Block>,
    /// Size of the table after each block.
    table_sizes: &'static [usize],
}

const DATE_21: &str = "Mon, 21 Oct 2013 20:13:21 GMT";
const DATE_22: &str = "Mon, 21 Oct 2013 20:13:22 GMT";
const COOKIE: &str = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

fn requests(wires: [&'static str; 3]) -> Vec<Block> {
    let first = vec![
        (Index, ":method", "GET"),
        (Index, ":scheme", "http"),
        (Index, ":path", "/"),
        (Index, ":authority", "www.example.com"),
    ];
    let mut second = first.clone();
    second.push((Index, "cache-control", "no-cache"));
    let third = vec![
        (Index, ":method", "GET"),
        (Index, ":scheme", "https"),
        (Index, ":path", "/index.html"),
        (Index, ":authority", "www.example.com"),
        (Index, "custom-key", "custom-value"),
    ];
    wires.into_iter().zip([first, second, third]).collect()
}

fn responses(wires: [&'static str; 3]) -> Vec<Block> {
    let first = vec![
        (Index, ":status", "302"),
        (Index, "cache-control", "private"),
        (Index, "date", DATE_21),
        (Index, "location", "https://www.example.com"),
    ];
    let mut second = first.clone();
    second[0].2 = "307";
    let third = vec![
        (Index, ":status", "200"),
        (Index, "cache-control", "private"),
        (Index, "date", DATE_22),
        (Index, "location", "https://www.example.com"),
        (Index, "content-encoding", "gzip"),
        (Index, "set-cookie", COOKIE),
    ];
    wires.into_iter().zip([first, second, third]).collect()
}

fn single(
    name: &'static str,
    wire: &'static str,
    field: (How, &'static str, &'static str),
    size: &'static [usize],
) -> Example {
    Example {
        name,
        table_size: 4096,
        huffman: false,
        blocks: vec![(wire, vec![field])],
        table_sizes: size,
    }
}

fn examples() -> Vec<Example> {
    vec![
        single(
            "C.2.1",
            "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
            (Index, "custom-key", "custom-header"),
            &[55],
        ),
        single(
            "C.2.2",
            "040c 2f73 616d 706c 652f 7061 7468",
            (Plain, ":path", "/sample/path"),
            &[0],
        ),
        single(
            "C.2.3",
            "1008 7061 7373 776f 7264 0673 6563 7265 74",
            (Never, "password", "secret"),
            &[0],
        ),
        single("C.2.4", "82", (Index, ":method", "GET"), &[0]),
        Example {
            name: "C.3",
            table_size: 4096,
            huffman: false,
            blocks: requests([
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "8286 84be 5808 6e6f 2d63 6163 6865",
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            ]),
            table_sizes: &[57, 110, 164],
        },
        Example {
            name: "C.4",
            table_size: 4096,
            huffman: true,
            blocks: requests([
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                "8286 84be 5886 a8eb 1064 9cbf",
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ]),
            table_sizes: &[57, 110, 164],
        },
        Example {
            name: "C.5",
            table_size: 256,
            huffman: false,
            blocks: responses([
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
                 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
                 6c65 2e63 6f6d",
                "4803 3330 37c1 c0bf",
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
                 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
                 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
                 3d31",
            ]),
            table_sizes: &[222, 222, 215],
        },
        Example {
            name: "C.6",
            table_size: 256,
            huffman: true,
            blocks: responses([
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
                 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                "4883 640e ffc1 c0bf",
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
                 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
                 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
            ]),
            table_sizes: &[222, 222, 215],
        },
    ]
}

fn expected(fields: &[(How, &str, &str)]) -> Vec<crate::support::Owned> {
    let fields = fields.iter();
    fields
        .map(|(how, name, value)| owned(name.as_bytes(), value.as_bytes(), matches!(how, Never)))
        .collect()
}

/// A decoder that has seen the first `blocks` blocks of the example.
fn decoder_after<'m>(
    example: &Example,
    blocks: usize,
    table: &'m mut [u8],
    scratch: &'m mut [u8],
) -> Decoder<'m> {
    let table = &mut table[..example.table_size as usize];
    let mut decoder = Decoder::new(table, scratch, UNLIMITED);
    for (wire, fields) in &example.blocks[..blocks] {
        assert_eq!(
            decode_block(&mut decoder, &hex(wire)),
            expected(fields),
            "{}",
            example.name
        );
    }
    decoder
}

// Spec: hpack-2.1-order
#[test]
fn decoder_yields_the_fields_of_every_example() {
    let (mut table, mut scratch) = ([0; 4096], [0; 128]);
    for example in examples() {
        decoder_after(&example, example.blocks.len(), &mut table, &mut scratch);
    }
}

/// The table's size shows in how far it can be reduced before a size update is demanded.
#[test]
fn decoder_table_has_the_size_of_every_example() {
    let (mut table, mut scratch) = ([0; 4096], [0; 128]);
    for example in examples() {
        for (block, size) in example.table_sizes.iter().enumerate() {
            for (limit, demanded) in [(*size, false), (size.wrapping_sub(1), true)] {
                let mut decoder = decoder_after(&example, block + 1, &mut table, &mut scratch);
                decoder.set_max_table_size(u32::try_from(limit).unwrap_or(u32::MAX));
                let end = decode_fragments(&mut decoder, &[&[0x82]]).1;
                let demanded = demanded && *size > 0;
                assert_eq!(
                    end.err(),
                    demanded.then_some(DecodeError::SizeUpdateMissing),
                    "{}",
                    example.name
                );
            }
        }
    }
}

#[test]
fn encoder_writes_the_octets_of_every_example() {
    for example in examples() {
        let mut entries = [EncoderEntry::new(); 8];
        let mut encoder = Encoder::new(&mut entries);
        encoder.set_huffman(example.huffman);
        encoder.set_max_table_size(example.table_size);
        // The examples begin after the size update that 256 octets would need.
        encoder.begin_block(&mut Writer::new(&mut [0; 8])).unwrap();
        for (wire, fields) in &example.blocks {
            let mut octets = [0; 256];
            let mut writer = Writer::new(&mut octets);
            encoder.begin_block(&mut writer).unwrap();
            for (how, name, value) in fields {
                let (name, value) = (name.as_bytes(), value.as_bytes());
                let field = match how {
                    Index => Field::Indexable { name, value },
                    Plain => Field::Literal { name, value },
                    Never => Field::NeverIndexed { name, value },
                };
                encoder.encode(field, &mut writer).unwrap();
            }
            assert_eq!(writer.as_bytes(), hex(wire), "{}", example.name);
        }
    }
}

#[test]
fn every_split_in_three_yields_the_same() {
    let (mut table, mut scratch) = ([0; 4096], [0; 128]);
    for example in examples() {
        for (block, (wire, fields)) in example.blocks.iter().enumerate() {
            let wire = hex(wire);
            for (first, second) in (0..=wire.len()).flat_map(|a| (a..=wire.len()).map(move |b| (a, b))) {
                let mut decoder = decoder_after(&example, block, &mut table, &mut scratch);
                let fragments = [&wire[..first], &wire[first..second], &wire[second..]];
                let (yielded, end) = decode_fragments(&mut decoder, &fragments);
                assert_eq!(yielded, expected(fields));
                assert_eq!(end.map(|summary| summary.encoded_size as usize), Ok(wire.len()));
            }
        }
    }
}

// Spec: hpack-5.2-truncated
#[test]
fn every_prefix_yields_a_prefix_of_the_fields_and_ends_truncated_or_between_fields() {
    let (mut table, mut scratch) = ([0; 4096], [0; 128]);
    for example in examples() {
        for (block, (wire, fields)) in example.blocks.iter().enumerate() {
            let wire = hex(wire);
            let (mut whole, mut truncated) = (0, 0);
            for len in 0..=wire.len() {
                let mut decoder = decoder_after(&example, block, &mut table, &mut scratch);
                let (yielded, end) = decode_fragments(&mut decoder, &[&wire[..len]]);
                assert_eq!(yielded, expected(&fields[..yielded.len()]));
                match end {
                    Ok(_) => whole += 1,
                    Err(error) => {
                        assert_eq!(error, DecodeError::Truncated);
                        truncated += 1;
                    }
                }
            }
            assert_eq!((whole, truncated), (fields.len() + 1, wire.len() - fields.len()));
        }
    }
}
