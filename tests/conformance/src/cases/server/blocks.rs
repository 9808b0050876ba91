//! Header blocks over several frames. Spec: RFC 9113 sections 4.3, 5.5, 6.2 and 6.10.

use crate::cases::server::kit::{UNARY, each, echoes, fails, fails_at, last_data};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-6.10-received, trap-continuation-legal
    Case::new("blocks/one_continuation_is_taken", one_continuation),
    // Spec: h2-6.10-received, trap-continuation-legal
    Case::new("blocks/several_continuations_are_taken", several_continuations),
    // Spec: h2-6.10-received
    Case::new("blocks/a_block_may_be_cut_at_every_octet", every_cut),
    // Spec: h2-6.10-received
    Case::new("blocks/fragments_may_be_empty", empty_fragments),
    // Spec: h2-6.10-received, trap-end-stream-on-headers
    Case::new("blocks/end_stream_on_headers_holds_until_the_block_ends", end_stream_on_headers),
    // Spec: h2-6.10-received
    Case::new("blocks/trailers_may_be_continued", continued_trailers),
    // Spec: h2-6.10-interleaved
    Case::new("blocks/priority_inside_a_block_is_a_protocol_error", priority_inside),
    // Spec: h2-6.10-interleaved
    Case::new("blocks/headers_of_another_stream_inside_a_block_are_a_protocol_error", other_headers_inside),
    // Spec: h2-6.10-interleaved
    Case::new("blocks/headers_of_the_same_stream_inside_a_block_are_a_protocol_error", same_headers_inside),
    // Spec: h2-5.5-unknown-in-block, h2-6.10-interleaved
    Case::new("blocks/an_unknown_frame_inside_a_block_is_a_protocol_error", unknown_inside),
    // Spec: h2-6.10-interleaved
    Case::new("blocks/any_frame_of_any_stream_inside_a_block_is_a_protocol_error", any_inside),
    // Spec: h2-6.10-interleaved
    Case::new("blocks/any_frame_behind_a_continuation_that_does_not_end_the_block_is_a_protocol_error", any_behind_continuation),
    // Spec: h2-6.10-stream-0
    Case::new("blocks/continuation_on_stream_0_is_a_protocol_error", continuation_on_0),
    // Spec: h2-6.10-other-stream, h2-6.10-stream-0
    Case::new("blocks/continuation_of_another_stream_is_a_protocol_error", continuation_of_other),
    // Spec: h2-6.10-no-block
    Case::new("blocks/continuation_behind_headers_that_end_the_block_is_a_protocol_error", behind_end_headers),
    // Spec: h2-6.10-no-block
    Case::new("blocks/continuation_behind_the_last_continuation_is_a_protocol_error", behind_last_continuation),
    // Spec: h2-6.10-no-block
    Case::new("blocks/continuation_behind_data_is_a_protocol_error", behind_data),
    // Spec: h2-6.10-no-block
    Case::new("blocks/continuation_out_of_nowhere_is_a_protocol_error", out_of_nowhere),
    // Spec: threat-35, threat-03
    Case::new("blocks/a_block_that_does_not_end_in_time_ends_the_connection", too_late),
];

/// HEADERS and CONTINUATION frames with these pieces of one block.
fn in_pieces(stream: u32, pieces: &[&[u8]], flags: u8) -> Vec<u8> {
    let last = pieces.len() - 1;
    let frame = |(at, piece): (usize, &&[u8])| {
        let end = if at == last { wire::END_HEADERS } else { 0 };
        if at == 0 {
            wire::frame(wire::HEADERS, flags | end, stream, piece)
        } else {
            wire::continuation(stream, piece, end)
        }
    };
    pieces.iter().enumerate().flat_map(frame).collect()
}

fn echoes_in_pieces(client: &mut Client, pieces: &[&[u8]]) -> Verdict {
    let octets = |stream| [in_pieces(stream, pieces, 0), last_data(stream, b"pieces")].concat();
    echoes(client, octets, b"pieces")
}

fn one_continuation(client: &mut Client) -> Verdict {
    let block = wire::block(&request(UNARY));
    echoes_in_pieces(client, &[&block[..1], &block[1..]])
}

fn several_continuations(client: &mut Client) -> Verdict {
    let block = wire::block(&request(UNARY));
    let pieces: Vec<&[u8]> = block.chunks(block.len().div_ceil(8)).collect();
    echoes_in_pieces(client, &pieces)
}

fn every_cut(client: &mut Client) -> Verdict {
    let block = wire::block(&request(UNARY));
    client.open_with_innocent()?;
    for at in 0..=block.len() {
        let stream = client.next_stream();
        let (first, second) = block.split_at(at);
        client.send(&in_pieces(stream, &[first, second], 0));
        client.send(&last_data(stream, b"cut"));
        client.answer(stream)?.expect_echo(b"cut")?;
    }
    client.expect_alive()
}

fn empty_fragments(client: &mut Client) -> Verdict {
    let block = wire::block(&request(UNARY));
    echoes_in_pieces(client, &[b"", b"", &block, b"", b""])
}

fn end_stream_on_headers(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    let block = wire::block(&request(UNARY));
    client.send(&wire::frame(wire::HEADERS, wire::END_STREAM, stream, &block));
    client.expect_silence()?;
    client.send(&wire::continuation(stream, b"", wire::END_HEADERS));
    // A unary call without its request.
    let answer = client.answer(stream)?;
    crate::cases::server::kit::expect_trailers_only(&answer, "12")?;
    client.expect_alive()
}

fn continued_trailers(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let trailers = wire::block(&[("x-trailer", "value")]);
        let (first, second) = trailers.split_at(4);
        [
            wire::headers(stream, &request(UNARY), 0),
            wire::data(stream, &wire::message(b"trailers"), 0),
            in_pieces(stream, &[first, second], wire::END_STREAM),
        ]
        .concat()
    };
    echoes(client, octets, b"trailers")
}

/// HEADERS whose block goes on, and then `frame`.
fn inside(client: &mut Client, frame: impl FnOnce(u32) -> Vec<u8>) -> Verdict {
    let octets = |stream| {
        let block = wire::block(&request(UNARY));
        [wire::frame(wire::HEADERS, 0, stream, &block[..10]), frame(stream)].concat()
    };
    fails_at(client, octets, code::PROTOCOL_ERROR)
}

fn priority_inside(client: &mut Client) -> Verdict {
    inside(client, |stream| wire::priority(stream, 0))
}

fn other_headers_inside(client: &mut Client) -> Verdict {
    inside(client, |stream| {
        wire::headers(stream + 2, &request(UNARY), wire::END_STREAM)
    })
}

fn same_headers_inside(client: &mut Client) -> Verdict {
    inside(client, |stream| {
        wire::headers(stream, &request(UNARY), wire::END_STREAM)
    })
}

fn unknown_inside(client: &mut Client) -> Verdict {
    each(client, [0x0a, 0x42, 0xff], |client, kind| {
        inside(client, |stream| wire::frame(*kind, 0, stream, b"?"))
    })
}

/// A frame of each type, for a stream whose block is under way, for one that was open before, and for the connection.
fn any(stream: u32) -> Vec<Vec<u8>> {
    let mut frames = vec![
        wire::settings(&[]),
        wire::settings_ack(),
        wire::ping([0; 8]),
        wire::goaway(0, code::NO_ERROR),
        wire::window_update(0, 1),
        wire::frame(0x42, 0, 0, b""),
    ];
    for stream in [stream, 1] {
        frames.extend([
            wire::data(stream, b"x", 0),
            wire::headers(stream, &request(UNARY), 0),
            wire::priority(stream, 0),
            wire::rst_stream(stream, code::CANCEL),
            wire::push_promise(stream, 2, &request(UNARY)),
            wire::window_update(stream, 1),
            wire::frame(0x42, 0, stream, b""),
        ]);
    }
    frames
}

fn any_inside(client: &mut Client) -> Verdict {
    each(client, 0..any(3).len(), |client, which| {
        inside(client, |stream| any(stream).swap_remove(*which))
    })
}

fn any_behind_continuation(client: &mut Client) -> Verdict {
    each(client, 0..any(3).len(), |client, which| {
        inside(client, |stream| {
            let more = wire::continuation(stream, &wire::block(&request(UNARY))[10..20], 0);
            [more, any(stream).swap_remove(*which)].concat()
        })
    })
}

fn continuation_on_0(client: &mut Client) -> Verdict {
    inside(client, |_| {
        wire::continuation(0, &wire::block(&request(UNARY))[10..], wire::END_HEADERS)
    })?;
    client.reconnect();
    fails(
        client,
        &wire::continuation(0, b"", wire::END_HEADERS),
        code::PROTOCOL_ERROR,
    )
}

fn continuation_of_other(client: &mut Client) -> Verdict {
    each(client, [1, 5], |client, other| {
        let rest = wire::block(&request(UNARY))[10..].to_vec();
        inside(client, |_| wire::continuation(*other, &rest, wire::END_HEADERS))
    })
}

fn behind_end_headers(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            wire::headers(stream, &request(UNARY), 0),
            wire::continuation(stream, &wire::block(&[("a", "b")]), wire::END_HEADERS),
        ]
        .concat()
    };
    fails_at(client, octets, code::PROTOCOL_ERROR)
}

fn behind_last_continuation(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let block = wire::block(&request(UNARY));
        [
            in_pieces(stream, &[&block[..20], &block[20..]], 0),
            wire::continuation(stream, &wire::block(&[("a", "b")]), wire::END_HEADERS),
        ]
        .concat()
    };
    fails_at(client, octets, code::PROTOCOL_ERROR)
}

fn behind_data(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            wire::headers(stream, &request(UNARY), 0),
            wire::data(stream, b"\0\0", 0),
            wire::continuation(stream, &wire::block(&[("a", "b")]), wire::END_HEADERS),
        ]
        .concat()
    };
    fails_at(client, octets, code::PROTOCOL_ERROR)
}

fn out_of_nowhere(client: &mut Client) -> Verdict {
    let block = wire::block(&request(UNARY));
    // The innocent stream is open, 3 is idle.
    each(client, [1, 3], |client, stream| {
        fails(
            client,
            &wire::continuation(*stream, &block, wire::END_HEADERS),
            code::PROTOCOL_ERROR,
        )
    })
}

fn too_late(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::frame(wire::HEADERS, 0, 3, &wire::block(&request(UNARY))));
    client.server.pass(9_999);
    client.expect_silence()?;
    client.server.pass(1);
    client.expect_connection_error(3, code::ENHANCE_YOUR_CALM)
}
