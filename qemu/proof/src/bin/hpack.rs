//! The public API of `hpack-lite`, and a header block that goes through both halves.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use hpack_lite::{Decoder, Encoder, EncoderEntry, Field, Limits, Writer};
use proof::keep::keep;

#[entry]
fn main() -> ! {
    keep_all();
    proof::end(round_trip())
}

#[inline(never)]
fn keep_all() {
    keep_decoder();
    keep_encoder();
}

fn keep_decoder() {
    keep(hpack_lite::Decoder::new as *const ());
    keep(hpack_lite::Decoder::reset as *const ());
    keep(hpack_lite::Decoder::set_max_table_size as *const ());
    keep(hpack_lite::Decoder::decode as *const ());
    keep(hpack_lite::Decoder::field as *const ());
    keep(hpack_lite::Decoder::finish as *const ());
    keep(hpack_lite::Decoder::list_size as *const ());
    keep(hpack_lite::DecodeError::reason as *const ());
}

fn keep_encoder() {
    keep(hpack_lite::Encoder::new as *const ());
    keep(hpack_lite::Encoder::reset as *const ());
    keep(hpack_lite::Encoder::set_max_table_size as *const ());
    keep(hpack_lite::Encoder::set_ceiling as *const ());
    keep(hpack_lite::Encoder::set_huffman as *const ());
    keep(hpack_lite::Encoder::size_update_len as *const ());
    keep(hpack_lite::Encoder::max_len as *const ());
    keep(hpack_lite::Encoder::begin_block as *const ());
    keep(hpack_lite::Encoder::encode as *const ());
    keep(hpack_lite::EncoderEntry::new as *const ());
    keep(hpack_lite::Field::name as *const ());
    keep(hpack_lite::Field::value as *const ());
    keep(hpack_lite::Writer::new as *const ());
    keep(hpack_lite::Writer::written as *const ());
    keep(hpack_lite::Writer::remaining as *const ());
    keep(hpack_lite::Writer::as_bytes as *const ());
}

fn round_trip() -> bool {
    let mut entries = [EncoderEntry::new(); 8];
    let mut encoder = Encoder::new(&mut entries);
    let mut block = [0; 128];
    let mut out = Writer::new(&mut block);
    let fields = black_box([
        Field::Indexable {
            name: b":authority",
            value: b"telemetry.local",
        },
        Field::Literal {
            name: b"x-request",
            value: b"17",
        },
        Field::NeverIndexed {
            name: b"authorization",
            value: b"Bearer secret",
        },
    ]);
    let mut written = encoder.begin_block(&mut out).is_ok();
    for field in fields {
        written &= encoder.encode(field, &mut out).is_ok();
    }
    let (mut table, mut scratch) = ([0; 256], [0; 128]);
    let limits = Limits {
        max_list_size: 2_048,
        max_fields: 32,
    };
    let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
    let mut count = 0;
    for mut fragment in black_box(out.as_bytes()).chunks(5) {
        while let Ok(Some(field)) = decoder.decode(&mut fragment) {
            black_box(field);
            count += 1;
        }
    }
    written && count == fields.len() && decoder.finish().is_ok()
}
