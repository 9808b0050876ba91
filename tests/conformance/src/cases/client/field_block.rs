//! Header blocks and how they are cut. Spec: RFC 9113 sections 4.3, 6.2 and 6.10; RFC 7541.

use super::{closed_stream, with_call};
use crate::endpoint::Call;
use crate::peer::{HEAD, Server};
use crate::suite::{Case, Verdict};
use crate::wire::{self, END_HEADERS, END_STREAM, HEADERS, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new(
        "field_block/that_does_not_decode_is_a_compression_error",
        undecodable,
    ),
    Case::new(
        "field_block/that_does_not_decode_is_a_compression_error_on_a_closed_stream_too",
        undecodable_on_closed,
    ),
    Case::new(
        "field_block/of_a_closed_stream_still_feeds_the_table",
        table_in_step,
    ),
    Case::new(
        "field_block/that_ends_within_a_field_is_a_compression_error",
        truncated,
    ),
    Case::new(
        "field_block/an_index_beyond_the_tables_is_a_compression_error",
        index_beyond,
    ),
    Case::new(
        "field_block/a_literals_name_index_beyond_the_tables_is_a_compression_error",
        name_index_beyond,
    ),
    Case::new("field_block/index_0_is_a_compression_error", index_0),
    Case::new(
        "field_block/a_size_update_after_a_field_is_a_compression_error",
        late_size_update,
    ),
    Case::new(
        "field_block/a_size_update_above_our_limit_is_a_compression_error",
        size_update_above,
    ),
    Case::new("field_block/a_size_update_first_is_taken", size_update_first),
    Case::new("field_block/in_many_continuation_frames_is_taken", continuations),
    Case::new("field_block/cut_anywhere_is_taken", every_cut),
    Case::new("field_block/data_inside_is_a_protocol_error", data_inside),
    Case::new("field_block/priority_inside_is_a_protocol_error", priority_inside),
    Case::new(
        "field_block/any_frame_inside_is_a_protocol_error_on_any_stream",
        anything_inside,
    ),
    Case::new(
        "field_block/continuation_of_another_stream_is_a_protocol_error",
        other_stream,
    ),
    Case::new(
        "field_block/continuation_on_stream_0_is_a_protocol_error",
        continuation_on_0,
    ),
    Case::new(
        "field_block/continuation_after_end_headers_is_a_protocol_error",
        after_end_headers,
    ),
    Case::new(
        "field_block/continuation_after_the_last_continuation_is_a_protocol_error",
        after_last_continuation,
    ),
    Case::new(
        "field_block/continuation_after_data_is_a_protocol_error",
        after_data,
    ),
];

/// HEADERS of this block, whole and at the end of its stream; then the connection must fail.
fn compression_error(server: &mut Server, block: &[u8]) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        request.stream,
        block,
    ));
    server.expect_connection_error(code::COMPRESSION_ERROR)
}

fn after_head(octets: &[u8]) -> Vec<u8> {
    [&wire::block(HEAD)[..], octets].concat()
}

// Spec: h2-4.3-undecodable, hpack-5.2-truncated
fn undecodable(server: &mut Server) -> Verdict {
    // A literal with incremental indexing whose value is longer than the block.
    compression_error(server, b"\x40\x14\x7f\x00abc")
}

// Spec: h2-4.3-undecodable, h2-4.3-always-decodes
fn undecodable_on_closed(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    server.send(&wire::frame(HEADERS, END_HEADERS, stream, &[0x80]));
    server.expect_connection_error(code::COMPRESSION_ERROR)
}

// Spec: h2-4.3-always-decodes, h2-5.1-closed-arrivals, threat-19
fn table_in_step(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    // Enters the table as its first entry.
    let entry = b"\x40\x0bgrpc-status\x010";
    server.send(&wire::frame(HEADERS, END_HEADERS, stream, entry));
    server.expect_silence()?;
    let request = server.request(Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::data(request.stream, &wire::message(b"in step"), 0));
    // Index 62 is that entry.
    server.send(&wire::frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        request.stream,
        &[0xbe],
    ));
    server.expect_outcome(request.call, 0, b"in step")?;
    server.expect_ignored()
}

// Spec: hpack-5.2-truncated
fn truncated(server: &mut Server) -> Verdict {
    compression_error(server, &after_head(b"\x00\x05ab"))
}

// Spec: hpack-2.3.3-index
fn index_beyond(server: &mut Server) -> Verdict {
    compression_error(server, &after_head(&[0xbe]))
}

// Spec: hpack-2.3.3-index
fn name_index_beyond(server: &mut Server) -> Verdict {
    compression_error(server, &after_head(b"\x7e\x01v"))
}

// Spec: hpack-6.1-index-0
fn index_0(server: &mut Server) -> Verdict {
    compression_error(server, &after_head(&[0x80]))
}

// Spec: hpack-4.2-update-start
fn late_size_update(server: &mut Server) -> Verdict {
    compression_error(server, &after_head(&[0x20]))
}

// Spec: hpack-6.3-limit
fn size_update_above(server: &mut Server) -> Verdict {
    // 4,097 octets: more than any limit of ours.
    let block = [&[0x3f, 0xe2, 0x1f][..], &wire::block(HEAD)].concat();
    compression_error(server, &block)
}

// Spec: hpack-4.2-update-start
fn size_update_first(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let block = [&[0x20, 0x3f, 0x21][..], &wire::block(HEAD)].concat();
    server.send(&wire::frame(HEADERS, END_HEADERS, request.stream, &block));
    server.expect_silence()?;
    finish(server, request)
}

/// DATA and trailers of a good response.
fn finish(server: &mut Server, request: crate::peer::Request) -> Verdict {
    server.send(&wire::data(request.stream, &wire::message(b"whole"), 0));
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_outcome(request.call, 0, b"whole")?;
    server.expect_ignored()
}

// Spec: h2-6.10-received, trap-continuation-legal
fn continuations(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let block = [
        wire::block(HEAD),
        wire::block(&[("x-dummy", "0"), ("x-dummy", "1")]),
    ]
    .concat();
    let (first, rest) = block.split_at(5);
    let (second, third) = rest.split_at(40);
    server.send(&wire::frame(HEADERS, 0, request.stream, first));
    server.send(&wire::continuation(request.stream, second, 0));
    server.send(&wire::continuation(request.stream, &[], 0));
    server.send(&wire::continuation(request.stream, third, END_HEADERS));
    server.expect_silence()?;
    finish(server, request)
}

// Spec: h2-6.10-received, trap-continuation-legal
fn every_cut(server: &mut Server) -> Verdict {
    server.open()?;
    let block = wire::block(HEAD);
    for at in 0..=block.len() {
        let request = server.request(Call::Unary(3))?;
        let (first, rest) = block.split_at(at);
        server.send(&wire::frame(HEADERS, 0, request.stream, first));
        server.send(&wire::continuation(request.stream, rest, END_HEADERS));
        server.send(&wire::data(request.stream, &wire::message(b"cut"), 0));
        let trailers = wire::block(&[("grpc-status", "0")]);
        let (first, rest) = trailers.split_at(at.min(trailers.len()));
        // END_STREAM stands on HEADERS, and ends the stream after the block.
        server.send(&wire::frame(HEADERS, END_STREAM, request.stream, first));
        server.send(&wire::continuation(request.stream, rest, END_HEADERS));
        server.expect_outcome(request.call, 0, b"cut")?;
    }
    server.look();
    server.expect_alive()
}

/// A block that is not whole, then `octets`.
fn inside(server: &mut Server, octets: impl Fn(u32) -> Vec<u8>) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::frame(HEADERS, 0, request.stream, &wire::block(HEAD)));
    server.send(&octets(request.stream));
    server.expect_connection_error(code::PROTOCOL_ERROR)
}

// Spec: h2-6.10-interleaved
fn data_inside(server: &mut Server) -> Verdict {
    inside(server, |stream| {
        let more = wire::continuation(stream, &wire::block(&[("x-dummy", "0")]), 0);
        [more, wire::data(stream, b"test", END_STREAM)].concat()
    })
}

// Spec: h2-6.10-interleaved
fn priority_inside(server: &mut Server) -> Verdict {
    inside(server, |stream| wire::priority(stream, 0))
}

// Spec: h2-6.10-interleaved, h2-5.5-unknown-in-block, h2-6.10-other-stream
fn anything_inside(server: &mut Server) -> Verdict {
    server.open()?;
    let mut call = server.request(Call::Unary(3))?;
    for kind in [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0b] {
        for other in [false, true] {
            let payload: &[u8] = match kind {
                wire::PRIORITY => &[0, 0, 0, 0, 15],
                wire::SETTINGS => &[],
                wire::PING | wire::GOAWAY | 0x0b => &[0; 8],
                _ => &[0, 0, 0, 2],
            };
            let on_connection = matches!(kind, wire::SETTINGS | wire::PING | wire::GOAWAY);
            let stream = match (on_connection, other) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => call.stream,
            };
            server.send(&wire::frame(HEADERS, 0, call.stream, &wire::block(HEAD)));
            server.expect_silence()?;
            server.send(&wire::frame(kind, 0, stream, payload));
            server.expect_connection_error(code::PROTOCOL_ERROR)?;
            call = server.request(Call::Unary(3))?;
        }
    }
    server.expect_ignored()
}

// Spec: h2-6.10-other-stream
fn other_stream(server: &mut Server) -> Verdict {
    inside(server, |_| {
        wire::continuation(1, &wire::block(&[("x-dummy", "0")]), END_HEADERS)
    })
}

// Spec: h2-6.10-stream-0
fn continuation_on_0(server: &mut Server) -> Verdict {
    inside(server, |_| {
        wire::continuation(0, &wire::block(&[("x-dummy", "0")]), END_HEADERS)
    })
}

// Spec: h2-6.10-no-block
fn after_end_headers(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let more = wire::block(&[("x-dummy", "0")]);
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::continuation(request.stream, &more, END_HEADERS));
    server.expect_connection_error(code::PROTOCOL_ERROR)
}

// Spec: h2-6.10-no-block
fn after_last_continuation(server: &mut Server) -> Verdict {
    inside(server, |stream| {
        let more = wire::continuation(stream, &wire::block(&[("x-dummy", "0")]), END_HEADERS);
        [more.clone(), more].concat()
    })
}

// Spec: h2-6.10-no-block
fn after_data(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::data(request.stream, &wire::message(b"x"), 0));
    server.expect_silence()?;
    let more = wire::block(&[("x-dummy", "0")]);
    server.send(&wire::continuation(request.stream, &more, END_HEADERS));
    server.expect_connection_error(code::PROTOCOL_ERROR)
}
