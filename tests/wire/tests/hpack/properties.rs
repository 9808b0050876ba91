//! Properties over random connections: what the encoder writes the decoder reads, however it is cut, whatever
//! the limits and the tables' sizes; what nobody wrote does no harm.

use crate::support::{Outcome, Owned, UNLIMITED, decode_fragments, owned};
use hpack_lite::{Decoder, Encoder, EncoderEntry, Field, Limits, Writer};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum How {
    Index,
    Plain,
    Never,
}

/// What happens on a connection, in order.
#[derive(Debug, Clone)]
enum Step {
    /// The decoder's side announces a table size, the encoder's side obeys at once.
    Setting(u32),
    Ceiling(u32),
    /// A block, and where it is cut.
    Block(Vec<(How, Vec<u8>, Vec<u8>)>, Vec<usize>),
}

const TABLE_LEN: usize = 600;

fn name() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: [&[u8]; 7] = [
        b":method",
        b":path",
        b"content-type",
        b"te",
        b"x",
        b"www-authenticate",
        b"grpc-status",
    ];
    prop_oneof![
        4 => proptest::sample::select(&KNOWN[..]).prop_map(<[u8]>::to_vec),
        1 => vec(b'a'..=b'e', 0..4),
        1 => vec(any::<u8>(), 0..40),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: [&[u8]; 5] = [b"GET", b"/", b"", b"application/grpc", b"trailers"];
    prop_oneof![
        4 => proptest::sample::select(&KNOWN[..]).prop_map(<[u8]>::to_vec),
        1 => vec(b'0'..=b'9', 0..150),
        1 => vec(any::<u8>(), 0..300),
    ]
}

fn field() -> impl Strategy<Value = (How, Vec<u8>, Vec<u8>)> {
    let how = prop_oneof![4 => Just(How::Index), 1 => Just(How::Plain), 1 => Just(How::Never)];
    (how, name(), value())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![Just(0), 0..200_u32, 0..=TABLE_LEN as u32];
    let step = prop_oneof![
        1 => size.clone().prop_map(Step::Setting),
        1 => size.prop_map(Step::Ceiling),
        6 => (vec(field(), 0..8), vec(any::<usize>(), 0..5)).prop_map(|(fields, cuts)| Step::Block(fields, cuts)),
    ];
    vec(step, 1..25)
}

fn cut<'a>(wire: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (wire.len() + 1)).collect();
    ends.push(wire.len());
    ends.sort_unstable();
    let mut start = 0;
    let fragment = |end: usize| {
        let fragment = &wire[start..end];
        start = end;
        fragment
    };
    ends.into_iter().map(fragment).collect()
}

/// Encodes each block of the connection and hands it to `check` with its fields and cuts; `setting` sees the
/// sizes that the decoder's side announces.
fn run_connection<D>(
    steps: &[Step],
    slots: usize,
    decoder: &mut D,
    setting: impl Fn(&mut D, u32),
    check: impl Fn(&mut D, &[u8], &[usize], &[Owned]) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut entries = vec![EncoderEntry::new(); slots];
    let mut encoder = Encoder::new(&mut entries);
    encoder.set_max_table_size(TABLE_LEN as u32);
    for step in steps {
        match step {
            Step::Setting(octets) => {
                encoder.set_max_table_size(*octets);
                setting(decoder, *octets);
            }
            Step::Ceiling(octets) => encoder.set_ceiling(*octets),
            Step::Block(fields, cuts) => {
                let mut octets = [0; 8_192];
                let mut writer = Writer::new(&mut octets);
                encoder.begin_block(&mut writer).unwrap();
                let mut sent = Vec::new();
                for (how, name, value) in fields {
                    let field = match how {
                        How::Index => Field::Indexable { name, value },
                        How::Plain => Field::Literal { name, value },
                        How::Never => Field::NeverIndexed { name, value },
                    };
                    encoder.encode(field, &mut writer).unwrap();
                    sent.push(owned(name, value, matches!(how, How::Never)));
                }
                check(decoder, writer.as_bytes(), cuts, &sent)?;
            }
        }
    }
    Ok(())
}

fn size(field: &Owned) -> u32 {
    (field.0.len() + field.1.len() + 32) as u32
}

/// What `limits` let through.
fn within(limits: Limits, sent: &[Owned]) -> Vec<Owned> {
    let mut sum = 0;
    let mut kept = Vec::new();
    for field in sent {
        if kept.len() < usize::from(limits.max_fields) && sum + size(field) <= limits.max_list_size {
            sum += size(field);
            kept.push(field.clone());
        }
    }
    kept
}

/// Octets of wire that reach every part of the decoder more often than noise does.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let string = (any::<bool>(), vec(prop_oneof![Just(0xFF), any::<u8>()], 0..60));
    let string = string.prop_map(|(huffman, octets)| {
        let mut wire = vec![octets.len() as u8 | if huffman { 0x80 } else { 0 }];
        wire.extend(octets);
        wire
    });
    let first = prop_oneof![Just(0_u8), Just(0x10), Just(0x40)];
    let piece = prop_oneof![
        4 => (0x80..0xC4_u8).prop_map(|octet| vec![octet]),
        4 => (first.clone(), string.clone(), string.clone()).prop_map(|(first, a, b)| [vec![first], a, b].concat()),
        2 => (first, 1..16_u8, string).prop_map(|(first, index, value)| [vec![first | index], value].concat()),
        1 => (0x20..0x40_u8).prop_map(|octet| vec![octet]),
        1 => vec(any::<u8>(), 1..6),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn blocks(
    blocks: &[Vec<u8>],
    table_len: usize,
    scratch_len: usize,
    limits: Limits,
    piece: usize,
) -> Vec<Outcome> {
    let (mut table, mut scratch) = (vec![0; table_len], vec![0; scratch_len]);
    let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
    let decode = |block: &Vec<u8>| decode_fragments(&mut decoder, &block.chunks(piece).collect::<Vec<_>>());
    blocks.iter().map(decode).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded_within_the_limits(
        steps in steps(),
        slots in 0..12_usize,
        max_list_size in prop_oneof![Just(u32::MAX), 0..2_000_u32],
        max_fields in prop_oneof![Just(u16::MAX), 0..9_u16],
    ) {
        let limits = Limits { max_list_size, max_fields };
        let (mut table, mut scratch) = ([0; TABLE_LEN], [0; 400]);
        let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
        run_connection(&steps, slots, &mut decoder, Decoder::set_max_table_size, |decoder, wire, cuts, sent| {
            let (fields, end) = decode_fragments(decoder, &cut(wire, cuts));
            prop_assert_eq!(&fields, &within(limits, sent));
            let summary = end.unwrap();
            prop_assert_eq!(summary.fields as usize, sent.len());
            prop_assert_eq!(summary.skipped as usize, sent.len() - fields.len());
            prop_assert_eq!(summary.list_size, sent.iter().map(size).sum::<u32>());
            prop_assert_eq!(summary.encoded_size as usize, wire.len());
            Ok(())
        })?;
    }

    /// With a scratch of any length: never a wrong field, and never a wrong table.
    #[test]
    fn what_is_skipped_for_want_of_scratch_does_not_touch_the_rest(
        steps in steps(),
        slots in 0..12_usize,
        scratch_len in 0..300_usize,
    ) {
        let (mut table, mut scratch) = ([0; TABLE_LEN], vec![0; scratch_len]);
        let mut decoder = Decoder::new(&mut table, &mut scratch, UNLIMITED);
        run_connection(&steps, slots, &mut decoder, Decoder::set_max_table_size, |decoder, wire, cuts, sent| {
            let (fields, end) = decode_fragments(decoder, &cut(wire, cuts));
            let mut left = sent.iter();
            for field in &fields {
                let skipped_to = left.by_ref().find(|sent| *sent == field);
                prop_assert!(skipped_to.is_some(), "{:?}", field);
            }
            for field in sent.iter().filter(|field| field.0.len() + field.1.len() <= scratch_len) {
                prop_assert!(fields.contains(field));
            }
            prop_assert_eq!(end.map(|summary| summary.skipped as usize), Ok(sent.len() - fields.len()));
            Ok(())
        })?;
    }

    #[test]
    fn what_is_encoded_an_independent_decoder_reads(steps in steps(), slots in 0..12_usize) {
        let mut independent = httlib_hpack::Decoder::with_dynamic_size(TABLE_LEN as u32);
        run_connection(&steps, slots, &mut independent, |_, _| {}, |independent, wire, _, sent| {
            let mut fields = Vec::new();
            independent.decode(&mut wire.to_vec(), &mut fields).unwrap();
            let never = httlib_hpack::Decoder::NEVER_INDEXED;
            let fields = fields.into_iter().map(|(name, value, flags)| (name, value, flags & never != 0));
            prop_assert_eq!(fields.collect::<Vec<_>>(), sent);
            Ok(())
        })?;
    }

    /// Noise: no panic, the limits hold, and the outcome does not depend on the cuts.
    #[test]
    fn octets_that_nobody_encoded_do_no_harm(
        wires in vec(prop_oneof![wire(), vec(any::<u8>(), 0..100)], 1..8),
        table_len in 0..300_usize,
        scratch_len in 0..100_usize,
        max_list_size in 0..500_u32,
        max_fields in 0..6_u16,
        piece in 1..9_usize,
    ) {
        let limits = Limits { max_list_size, max_fields };
        let whole = blocks(&wires, table_len, scratch_len, limits, usize::MAX);
        for (fields, _) in &whole {
            prop_assert!(fields.len() <= usize::from(max_fields));
            prop_assert!(fields.iter().map(size).sum::<u32>() <= max_list_size);
        }
        prop_assert_eq!(&whole, &blocks(&wires, table_len, scratch_len, limits, piece));
        prop_assert_eq!(&whole, &blocks(&wires, table_len, scratch_len, limits, 1));
    }

    /// Noise that we accept means the same to an independent decoder. (What we refuse makes that one panic.)
    #[test]
    fn octets_that_we_accept_mean_the_same_to_an_independent_decoder(wires in vec(wire(), 1..8)) {
        let mut independent = httlib_hpack::Decoder::with_dynamic_size(300);
        let outcomes = blocks(&wires, 300, 4_096, UNLIMITED, usize::MAX);
        for (wire, (fields, end)) in wires.iter().zip(outcomes) {
            if end.is_err() {
                break;
            }
            let mut theirs = Vec::new();
            independent.decode(&mut wire.clone(), &mut theirs).unwrap();
            let theirs = theirs.into_iter().map(|(name, value, _)| (name, value));
            let ours = fields.into_iter().map(|(name, value, _)| (name, value));
            prop_assert_eq!(ours.collect::<Vec<_>>(), theirs.collect::<Vec<_>>());
        }
    }
}
