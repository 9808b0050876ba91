//! Header blocks that cannot be decoded. Spec: RFC 7541; RFC 9113 section 4.3.

use crate::cases::server::kit::{UNARY, each, fails_at, headers_of};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-4.3-undecodable
    Case::new("hpack_errors/what_is_no_header_block_is_a_compression_error", garbage),
    // Spec: hpack-2.3.3-index, threat-18
    Case::new("hpack_errors/an_index_above_both_tables_is_a_compression_error", index),
    // Spec: hpack-2.3.3-index, threat-18
    Case::new("hpack_errors/the_index_of_a_literals_name_above_both_tables_is_a_compression_error", name_index),
    // Spec: hpack-6.1-index-0, threat-18
    Case::new("hpack_errors/index_0_is_a_compression_error", index_0),
    // Spec: hpack-4.2-update-start, threat-18
    Case::new("hpack_errors/a_size_update_at_the_end_of_a_block_is_a_compression_error", late_update),
    // Spec: hpack-4.2-update-start, threat-18
    Case::new("hpack_errors/a_size_update_within_a_block_is_a_compression_error", update_within),
    // Spec: hpack-4.2-update-start, threat-18
    Case::new("hpack_errors/a_size_update_at_the_start_of_a_continuation_is_a_compression_error", update_in_continuation),
    // Spec: hpack-6.3-limit, threat-18
    Case::new("hpack_errors/a_size_update_above_the_limit_is_a_compression_error", large_update),
    // Spec: hpack-5.2-padding-length, threat-17
    Case::new("hpack_errors/huffman_padding_of_more_than_7_bits_is_a_compression_error", long_padding),
    // Spec: hpack-5.2-padding-bits, threat-17
    Case::new("hpack_errors/huffman_padding_of_zeros_is_a_compression_error", zero_padding),
    // Spec: hpack-5.2-eos, threat-17
    Case::new("hpack_errors/eos_in_a_huffman_string_is_a_compression_error", eos),
    // Spec: hpack-5.1-value, hpack-5.1-octets, threat-15
    Case::new("hpack_errors/an_integer_that_is_too_large_or_too_long_is_a_compression_error", integers),
    // Spec: hpack-5.2-truncated, threat-16
    Case::new("hpack_errors/a_block_that_ends_within_a_field_is_a_compression_error", truncated),
    // Spec: h2-4.3-undecodable
    Case::new("hpack_errors/trailers_that_cannot_be_decoded_are_a_compression_error", in_trailers),
    // Spec: h2-4.3-undecodable, threat-19
    Case::new("hpack_errors/a_block_for_a_reset_stream_that_cannot_be_decoded_is_a_compression_error", on_reset_stream),
];

/// This header block for a new stream ends the connection.
fn wrong(client: &mut Client, block: &[u8]) -> Verdict {
    fails_at(
        client,
        |stream| headers_of(stream, block, wire::END_STREAM),
        code::COMPRESSION_ERROR,
    )
}

/// A sound request, and these octets behind it in the block.
fn wrong_behind(client: &mut Client, octets: &[u8]) -> Verdict {
    wrong(client, &[&wire::block(&request(UNARY)), octets].concat())
}

/// A literal with the name `x`, and this as its value in Huffman's code.
fn huffman(value: &[u8]) -> Vec<u8> {
    [&[0x00, 0x01, b'x', 0x80 | value.len() as u8], value].concat()
}

fn garbage(client: &mut Client) -> Verdict {
    wrong(client, &[0xff; 20])
}

fn index(client: &mut Client) -> Verdict {
    // The static table has 61 entries, the dynamic one none.
    each(
        client,
        [&[0xbe][..], &[0xbf], &[0xfe], &[0xff, 0x00], &[0xff, 0xff, 0x7f]],
        |client, octets| wrong_behind(client, octets),
    )
}

fn name_index(client: &mut Client) -> Verdict {
    // 62 in prefixes of 6, 4 and 4 bits, and then a value.
    each(
        client,
        [
            &[0x7e, 1, b'v'][..],
            &[0x0f, 0x2f, 1, b'v'],
            &[0x1f, 0x2f, 1, b'v'],
        ],
        |client, octets| wrong_behind(client, octets),
    )
}

fn index_0(client: &mut Client) -> Verdict {
    wrong_behind(client, &[0x80])
}

fn late_update(client: &mut Client) -> Verdict {
    wrong_behind(client, &[0x20])
}

fn update_within(client: &mut Client) -> Verdict {
    wrong(
        client,
        &[&[0x83, 0x3f, 0xe1, 0x1f], &wire::block(&request(UNARY)[1..])[..]].concat(),
    )
}

fn update_in_continuation(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let rest = [&[0x20], &wire::block(&request(UNARY)[1..])[..]].concat();
        [
            wire::frame(wire::HEADERS, wire::END_STREAM, stream, &[0x83]),
            wire::continuation(stream, &rest, wire::END_HEADERS),
        ]
        .concat()
    };
    fails_at(client, octets, code::COMPRESSION_ERROR)
}

fn large_update(client: &mut Client) -> Verdict {
    // 4,097, and 2^32 - 1.
    each(
        client,
        [&[0x3f, 0xe2, 0x1f][..], &[0x3f, 0xe0, 0xff, 0xff, 0xff, 0x0f]],
        |client, update| wrong(client, &[update, &wire::block(&request(UNARY))[..]].concat()),
    )
}

fn long_padding(client: &mut Client) -> Verdict {
    // `x` is 7 bits: 1, 9 and 17 bits of padding, of which the first is sound.
    each(
        client,
        [&[0xf3, 0xff][..], &[0xf3, 0xff, 0xff], &[0xff]],
        |client, value| wrong_behind(client, &huffman(value)),
    )
}

fn zero_padding(client: &mut Client) -> Verdict {
    // `x` and a 0; `0` is 5 bits, and then three that are not all ones.
    each(
        client,
        [0xf2, 0b0000_0000, 0b0000_0110, 0b0000_0011],
        |client, octet| wrong_behind(client, &huffman(&[*octet])),
    )
}

fn eos(client: &mut Client) -> Verdict {
    // 30 ones alone, and behind `x`.
    each(
        client,
        [&[0xff, 0xff, 0xff, 0xff][..], &[0xf3, 0xff, 0xff, 0xff, 0xff]],
        |client, value| wrong_behind(client, &huffman(value)),
    )
}

fn integers(client: &mut Client) -> Verdict {
    let integers = [
        // An index of 2^32 and more.
        &[0xff, 0x80, 0x80, 0x80, 0x80, 0x10][..],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        // 127 in more octets than anybody needs.
        &[0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        // A length of a string.
        &[0x00, 0x7f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    ];
    each(client, integers, |client, octets| wrong_behind(client, octets))
}

fn truncated(client: &mut Client) -> Verdict {
    // Within the name, before the value's length, within the value, within an integer.
    let ends = [
        &b"\x00\x05nam"[..],
        b"\x00\x04name",
        b"\x00\x04name\x05valu",
        b"\xff\x80",
        b"\x40",
    ];
    each(client, ends, |client, octets| wrong_behind(client, octets))
}

fn in_trailers(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let trailers = headers_of(stream, &[0x80], wire::END_STREAM);
        [wire::headers(stream, &request(UNARY), 0), trailers].concat()
    };
    fails_at(client, octets, code::COMPRESSION_ERROR)
}

fn on_reset_stream(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = crate::cases::server::kit::reset_by_server(client)?;
    client.send(&headers_of(stream, &[0x80], wire::END_STREAM));
    client.expect_connection_error(stream, code::COMPRESSION_ERROR)
}
