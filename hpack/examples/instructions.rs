//! Work for an instruction counter: the header block of a small gRPC request, coded again and again.
//!
//! ```text
//! cargo build --release -p hpack-lite --example instructions
//! for rounds in 1000 11000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null \
//!     target/release/examples/instructions decode-warm $rounds; done
//! ```
//!
//! A tenth of a thousandth of the difference is what one block costs. The kinds of work are below.

use std::hint::black_box;

use hpack_lite::{Decoder, Encoder, EncoderEntry, Field, Limits, Writer};

const PATH: (&str, &str) = (":path", "/helloworld.Greeter/SayHello");

const FIELDS: [(&str, &str); 8] = [
    (":method", "POST"),
    (":scheme", "http"),
    PATH,
    (":authority", "127.0.0.1:50051"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
    ("user-agent", "grpc-rust/0.1.0"),
    ("grpc-timeout", "5S"),
];

fn field((name, value): (&'static str, &'static str), path_indexed: bool) -> Field<'static, 'static> {
    let (name, value) = (name.as_bytes(), value.as_bytes());
    if name == PATH.0.as_bytes() && !path_indexed {
        Field::Literal { name, value }
    } else {
        Field::Indexable { name, value }
    }
}

fn encode(encoder: &mut Encoder<'_, 'static>, path_indexed: bool, octets: &mut [u8]) -> usize {
    let mut writer = Writer::new(octets);
    encoder.begin_block(&mut writer).unwrap();
    for pair in FIELDS {
        encoder
            .encode(black_box(field(pair, path_indexed)), &mut writer)
            .unwrap();
    }
    writer.written()
}

fn decode(decoder: &mut Decoder<'_>, block: &[u8]) -> usize {
    let mut fragment = black_box(block);
    let mut octets = 0;
    while let Some(field) = decoder.decode(&mut fragment).unwrap() {
        octets += black_box(field).value.len();
    }
    decoder.finish().unwrap();
    octets
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let work = arguments.get(1).map_or("decode-warm", String::as_str);
    let rounds: usize = arguments.get(2).map_or(1, |rounds| rounds.parse().unwrap());
    let path_indexed = work.ends_with("indexed");
    let mut entries = [EncoderEntry::new(); 16];
    let mut encoder = Encoder::new(&mut entries);
    let (mut first, mut warm) = ([0; 256], [0; 256]);
    let first_len = encode(&mut encoder, path_indexed, &mut first);
    let warm_len = encode(&mut encoder, path_indexed, &mut warm);
    let (mut table, mut scratch) = ([0; 4_096], [0; 256]);
    let limits = Limits {
        max_list_size: 8_192,
        max_fields: 64,
    };
    let mut decoder = Decoder::new(&mut table, &mut scratch, limits);
    decode(&mut decoder, &first[..first_len]);
    let mut sum = 0;
    for _ in 0..rounds {
        sum += match work {
            "encode-first" => {
                encoder.reset();
                encode(&mut encoder, path_indexed, &mut first)
            }
            "encode-warm" | "encode-indexed" => encode(&mut encoder, path_indexed, &mut warm),
            "decode-first" => {
                decoder.reset();
                decode(&mut decoder, &first[..first_len])
            }
            "decode-warm" | "decode-indexed" => decode(&mut decoder, &warm[..warm_len]),
            "nothing" => 0,
            _ => panic!("unknown work {work}"),
        };
    }
    println!("{work}: first block {first_len} octets, later ones {warm_len}; {sum}");
}
