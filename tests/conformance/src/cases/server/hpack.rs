//! Representations of fields, and the table that they make. Spec: RFC 7541.

use crate::cases::server::kit::{UNARY, headers_of, last_data};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: RFC 7541 section 6.1
    Case::new("hpack/an_indexed_field_is_taken", indexed),
    // Spec: RFC 7541 section 6.2.1
    Case::new("hpack/incremental_indexing_with_an_indexed_name_makes_an_entry", incremental_indexed),
    // Spec: RFC 7541 section 6.2.1
    Case::new("hpack/incremental_indexing_with_an_indexed_name_and_huffman_makes_an_entry", incremental_indexed_huffman),
    // Spec: RFC 7541 section 6.2.1
    Case::new("hpack/incremental_indexing_with_a_new_name_makes_an_entry", incremental_new),
    // Spec: RFC 7541 section 6.2.1
    Case::new("hpack/incremental_indexing_with_a_new_name_and_huffman_makes_an_entry", incremental_new_huffman),
    // Spec: RFC 7541 section 6.2.2
    Case::new("hpack/without_indexing_with_an_indexed_name_makes_no_entry", plain_indexed),
    // Spec: RFC 7541 section 6.2.2
    Case::new("hpack/without_indexing_with_an_indexed_name_and_huffman_makes_no_entry", plain_indexed_huffman),
    // Spec: RFC 7541 section 6.2.2
    Case::new("hpack/without_indexing_with_a_new_name_makes_no_entry", plain_new),
    // Spec: RFC 7541 section 6.2.2
    Case::new("hpack/without_indexing_with_a_new_name_and_huffman_makes_no_entry", plain_new_huffman),
    // Spec: hpack-6.2.3-never-indexed
    Case::new("hpack/never_indexed_with_an_indexed_name_makes_no_entry", never_indexed),
    // Spec: hpack-6.2.3-never-indexed
    Case::new("hpack/never_indexed_with_an_indexed_name_and_huffman_makes_no_entry", never_indexed_huffman),
    // Spec: hpack-6.2.3-never-indexed
    Case::new("hpack/never_indexed_with_a_new_name_makes_no_entry", never_new),
    // Spec: hpack-6.2.3-never-indexed
    Case::new("hpack/never_indexed_with_a_new_name_and_huffman_makes_no_entry", never_new_huffman),
    // Spec: hpack-4.3-evicts, hpack-4.2-update-start
    Case::new("hpack/a_size_update_to_0_empties_the_table", update_to_0),
    // Spec: hpack-4.3-evicts, hpack-4.2-smallest-then-final
    Case::new("hpack/two_size_updates_at_the_start_are_taken_in_order", two_updates),
    // Spec: hpack-6.3-limit
    Case::new("hpack/a_size_update_to_the_limit_is_taken", update_to_limit),
    // Spec: hpack-4.3-evicts
    Case::new("hpack/a_smaller_table_keeps_what_fits_and_no_more", evicts),
    // Spec: hpack-4.4-larger-than-table, hpack-4.4-larger-than-scratch
    Case::new("hpack/an_entry_larger_than_the_table_empties_it", larger_than_table),
    // Spec: hpack-4.4-name-from-evicted
    Case::new("hpack/an_entry_may_take_its_name_from_one_that_it_evicts", name_from_evicted),
    // Spec: hpack-2.3.2-duplicates
    Case::new("hpack/equal_entries_may_stand_beside_each_other", duplicates),
    // Spec: hpack-server-real-table, h2-6.5.2-defaults
    Case::new("hpack/the_table_holds_4096_octets_before_the_acknowledgement", real_table),
];

/// `:path: /test.Echo/Unary`, all but the first octets: a string, and the same in Huffman's code.
const PATH: &[u8] = b"\x10/test.Echo/Unary";
const PATH_HUFFMAN: &[u8] = b"\x8c\x61\x25\x42\x57\xc0\x49\xce\xc7\x0a\x87\x67\xaf";
/// `content-type: application/grpc` as two strings, and the same in Huffman's code.
const TYPE: &[u8] = b"\x0ccontent-type\x10application/grpc";
const TYPE_HUFFMAN: &[u8] =
    b"\x89\x21\xea\x49\x6a\x4a\xc9\xf5\x59\x7f\x8b\x1d\x75\xd0\x62\x0d\x26\x3d\x4c\x4d\x65\x64";
/// The newest entry of the dynamic table, and the one before.
const NEWEST: u8 = 0x80 | 62;
const BEFORE: u8 = 0x80 | 63;

/// A request whose path is this representation.
fn with_path(path: &[u8]) -> Vec<u8> {
    [&[0x83, 0x86], path, &wire::block(&request(UNARY)[3..])].concat()
}

/// A request whose content-type is this representation.
fn with_type(content_type: &[u8]) -> Vec<u8> {
    [
        &[0x83, 0x86, 0x04],
        PATH,
        &wire::block(&request(UNARY)[3..5]),
        content_type,
    ]
    .concat()
}

/// A call of this header block is answered.
fn good(client: &mut Client, block: &[u8]) -> Verdict {
    let stream = client.next_stream();
    client.send(&[headers_of(stream, block, 0), last_data(stream, b"hpack")].concat());
    client.answer(stream)?.expect_echo(b"hpack")
}

/// This header block ends the connection: it names an entry that there is not.
fn bad(client: &mut Client, block: &[u8]) -> Verdict {
    let stream = client.next_stream();
    client.send(&headers_of(stream, block, 0));
    client.expect_connection_error(stream, code::COMPRESSION_ERROR)
}

/// The field is understood, and then it is the newest entry, and the only one.
fn makes_entry(client: &mut Client, block: fn(&[u8]) -> Vec<u8>, field: &[u8]) -> Verdict {
    client.open_with_innocent()?;
    good(client, &block(field))?;
    good(client, &block(&[NEWEST]))?;
    client.expect_alive()?;
    bad(client, &block(&[BEFORE]))
}

/// The field is understood, and the table stays empty.
fn makes_none(client: &mut Client, block: fn(&[u8]) -> Vec<u8>, field: &[u8]) -> Verdict {
    client.open_with_innocent()?;
    good(client, &block(field))?;
    client.expect_alive()?;
    bad(client, &block(&[NEWEST]))
}

fn behind(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first], rest].concat()
}

fn indexed(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    good(client, &with_path(&behind(0x04, PATH)))?;
    client.expect_alive()
}

fn incremental_indexed(client: &mut Client) -> Verdict {
    makes_entry(client, with_path, &behind(0x44, PATH))
}

fn incremental_indexed_huffman(client: &mut Client) -> Verdict {
    makes_entry(client, with_path, &behind(0x44, PATH_HUFFMAN))
}

fn incremental_new(client: &mut Client) -> Verdict {
    makes_entry(client, with_type, &behind(0x40, TYPE))
}

fn incremental_new_huffman(client: &mut Client) -> Verdict {
    makes_entry(client, with_type, &behind(0x40, TYPE_HUFFMAN))
}

fn plain_indexed(client: &mut Client) -> Verdict {
    makes_none(client, with_path, &behind(0x04, PATH))
}

fn plain_indexed_huffman(client: &mut Client) -> Verdict {
    makes_none(client, with_path, &behind(0x04, PATH_HUFFMAN))
}

fn plain_new(client: &mut Client) -> Verdict {
    makes_none(client, with_type, &behind(0x00, TYPE))
}

fn plain_new_huffman(client: &mut Client) -> Verdict {
    makes_none(client, with_type, &behind(0x00, TYPE_HUFFMAN))
}

fn never_indexed(client: &mut Client) -> Verdict {
    makes_none(client, with_path, &behind(0x14, PATH))
}

fn never_indexed_huffman(client: &mut Client) -> Verdict {
    makes_none(client, with_path, &behind(0x14, PATH_HUFFMAN))
}

fn never_new(client: &mut Client) -> Verdict {
    makes_none(client, with_type, &behind(0x10, TYPE))
}

fn never_new_huffman(client: &mut Client) -> Verdict {
    makes_none(client, with_type, &behind(0x10, TYPE_HUFFMAN))
}

fn update_to_0(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    good(client, &with_path(&behind(0x44, PATH)))?;
    // Nothing enters a table of no size.
    good(client, &behind(0x20, &with_path(&behind(0x44, PATH))))?;
    client.expect_alive()?;
    bad(client, &with_path(&[NEWEST]))
}

fn two_updates(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    good(client, &with_path(&behind(0x44, PATH)))?;
    // To 0, then to 4,096 again: what was there is gone, and there is room.
    let updates = [0x20, 0x3f, 0xe1, 0x1f];
    good(client, &[&updates[..], &with_path(&behind(0x44, PATH))].concat())?;
    good(client, &with_path(&[NEWEST]))?;
    client.expect_alive()?;
    bad(client, &with_path(&[BEFORE]))
}

fn update_to_limit(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    good(client, &with_path(&behind(0x44, PATH)))?;
    good(client, &[&[0x3f, 0xe1, 0x1f], &with_path(&[NEWEST])[..]].concat())?;
    client.expect_alive()
}

fn evicts(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    // 5 + 16 + 32 octets each: 53. Two of them fit in 106, one in 105.
    for _ in 0..2 {
        good(client, &with_path(&behind(0x44, PATH)))?;
    }
    let to = |size: u8| [0x3f, size - 31];
    good(client, &[&to(106), &with_path(&[BEFORE])[..]].concat())?;
    good(client, &[&to(105), &with_path(&[NEWEST])[..]].concat())?;
    client.expect_alive()?;
    bad(client, &with_path(&[BEFORE]))
}

fn larger_than_table(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    good(client, &with_path(&behind(0x44, PATH)))?;
    // A value of 5,000 octets; the call is served without it.
    let length = wire::integer(5_000);
    let large = [b"\x40\x06x-long", &length[..], &[b'v'; 5_000]].concat();
    good(client, &[with_path(&[NEWEST]), large].concat())?;
    client.expect_alive()?;
    bad(client, &with_path(&[NEWEST]))
}

fn name_from_evicted(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    // The table has room for one entry of 12 + 16 + 32 octets.
    good(
        client,
        &[&[0x3f, 60 - 31], &with_type(&behind(0x40, TYPE))[..]].concat(),
    )?;
    good(client, &with_type(&behind(0x40 | 62, &TYPE[13..])))?;
    good(client, &with_type(&[NEWEST]))?;
    client.expect_alive()?;
    bad(client, &with_type(&[BEFORE]))
}

fn duplicates(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for _ in 0..2 {
        good(client, &with_path(&behind(0x44, PATH)))?;
    }
    good(client, &with_path(&[NEWEST]))?;
    good(client, &with_path(&[BEFORE]))?;
    client.expect_alive()
}

fn real_table(client: &mut Client) -> Verdict {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    // 77 entries of 53 octets.
    for _ in 0..77 {
        good(client, &with_path(&behind(0x44, PATH)))?;
    }
    // The oldest: 61 + 77, in an integer of a 7-bit prefix.
    good(client, &with_path(&[0xff, 61 + 77 - 127]))?;
    bad(client, &with_path(&[0xff, 61 + 78 - 127]))
}
