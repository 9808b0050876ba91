//! Frames as such: unknown ones, flags, the reserved bit, sizes. Spec: RFC 9113 sections 4.1, 4.2 and 5.5.

use crate::cases::server::kit::{CHAT, UNARY, each, echoes, expect, fails, headers_of, last_data};
use crate::peer::{Answer, Client, request};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-4.1-unknown-type
    Case::new("frames/unknown_types_are_discarded", unknown_types),
    // Spec: h2-4.1-undefined-flags
    Case::new("frames/undefined_flags_are_ignored_on_a_request", undefined_flags_on_request),
    // Spec: h2-4.1-undefined-flags
    Case::new("frames/undefined_flags_are_ignored_on_control_frames", undefined_flags_on_control),
    // Spec: h2-4.1-reserved-bit
    Case::new("frames/the_reserved_bit_is_ignored_on_a_request", reserved_bit_on_request),
    // Spec: h2-4.1-reserved-bit
    Case::new("frames/the_reserved_bit_is_ignored_on_control_frames", reserved_bit_on_control),
    // Spec: h2-4.1-sent-zero, h2-4.2-sends-within
    Case::new("frames/undefined_flags_and_the_reserved_bit_are_sent_as_zero", sent_zero),
    // Spec: h2-4.2-receives-16384, trap-frame-size-inclusive, h2-6.9.3-before-ack, grpc-message-boundaries
    Case::new("frames/data_of_16384_octets_is_taken", largest_data),
    // Spec: h2-4.2-receives-16384, trap-frame-size-inclusive
    Case::new("frames/headers_of_16384_octets_are_taken", largest_headers),
    // Spec: h2-4.2-too-large-stream, h2-6.9-counts-all, trap-reset-payload
    Case::new("frames/data_of_16385_octets_resets_its_stream", too_large_data),
    // Spec: h2-4.2-too-large-connection
    Case::new("frames/headers_of_16385_octets_are_a_frame_size_error_of_the_connection", too_large_headers),
    // Spec: h2-4.2-too-large-connection
    Case::new("frames/continuation_of_16385_octets_is_a_frame_size_error_of_the_connection", too_large_continuation),
    // Spec: h2-4.2-too-large-connection
    Case::new("frames/any_frame_of_16385_octets_on_stream_0_is_a_frame_size_error_of_the_connection", too_large_on_0),
    // Spec: h2-4.2-too-large-connection
    Case::new("frames/the_length_alone_tells_that_a_frame_is_too_large", length_alone),
];

fn unknown_types(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    // On the connection, on an open stream, on an idle one, on the peer's; empty and largest.
    for kind in [0x0a, 0x0b, 0x10, 0x7f, 0xfe, 0xff] {
        for stream in [0, 1, 2, 77] {
            client.send(&wire::frame(kind, 0xff, stream, b""));
            client.send(&wire::frame(kind, 0, stream, &[0xff; 9]));
        }
    }
    client.send(&wire::frame(0x42, 0x0d, 1, &[0; 16_384]));
    client.expect_ignored()
}

fn undefined_flags_on_request(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let block = wire::block(&request(UNARY));
        let defined = wire::END_STREAM | wire::END_HEADERS | wire::PADDED | wire::PRIORITY_FLAG;
        let (first, second) = block.split_at(block.len() / 2);
        [
            wire::frame(wire::HEADERS, !defined, stream, first),
            wire::continuation(stream, second, 0xff),
            wire::data(stream, &wire::message(b"flags"), !wire::PADDED),
        ]
        .concat()
    };
    echoes(client, octets, b"flags")
}

fn undefined_flags_on_control(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::frame(wire::PRIORITY, 0xff, 1, &[0, 0, 0, 0, 1]));
    client.send(&wire::frame(wire::WINDOW_UPDATE, 0xff, 1, &[0, 0, 0, 1]));
    client.send(&wire::frame(wire::WINDOW_UPDATE, 0xff, 0, &[0, 0, 0, 1]));
    client.expect_silence()?;
    client.send(&wire::frame(wire::PING, !wire::ACK, 0, b"whatever"));
    client.send(&wire::frame(wire::SETTINGS, !wire::ACK, 0, &[]));
    let frames = client.look();
    let good = matches!(&frames[..], [pong, ack]
        if pong.kind == wire::PING && pong.flags == wire::ACK && pong.payload == b"whatever"
        && ack.kind == wire::SETTINGS && ack.flags == wire::ACK);
    expect(&frames, good, "both acknowledgements, with no other flag")?;
    client.expect_alive()
}

fn reserved_bit_on_request(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            reserved(&wire::headers(stream, &request(UNARY), 0)),
            reserved(&last_data(stream, b"r")),
        ]
        .concat()
    };
    echoes(client, octets, b"r")
}

fn reserved_bit_on_control(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&reserved(&wire::ping(*b"reserved")));
    client.send(&reserved(&wire::settings(&[])));
    let frames = client.look();
    expect(&frames, frames.len() == 2, "both acknowledgements")?;
    client.send(&reserved(&wire::window_update(1, 1)));
    // Here it is the increment's and the dependency's bit too.
    client.send(&wire::window_update(1, 0x8000_0001));
    client.send(&wire::priority(1, 0x8000_0000));
    client.expect_ignored()
}

/// A frame, with the bit before its stream identifier set.
fn reserved(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[5] |= 0x80;
    frame
}

fn sent_zero(client: &mut Client) -> Verdict {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    let mut octets = client.server.receive();
    client.send(&wire::settings_ack());
    client.call(3, &[7; 900]);
    client.call(5, &[7; 900]);
    client.send(&wire::ping([1; 8]));
    client.send(&wire::headers(7, &request(UNARY), 0));
    client.send(&wire::window_update(7, 0));
    client.server.shut_down();
    octets.extend(client.server.receive());
    let mut rest = &octets[..];
    let mut kinds = Vec::new();
    while let [a, b, c, kind, flags, stream, payload @ ..] = rest {
        let defined = match *kind {
            wire::DATA => wire::END_STREAM,
            wire::HEADERS => wire::END_STREAM | wire::END_HEADERS,
            wire::SETTINGS | wire::PING => wire::ACK,
            _ => 0,
        };
        let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        check(
            flags & !defined == 0 && stream & 0x80 == 0 && len <= 16_384,
            || format!("type {kind}, flags {flags:#x}, {len} octets, stream from {stream:#x}"),
        )?;
        kinds.push(*kind);
        rest = payload.get(3 + len..).unwrap_or_default();
    }
    let all = [
        wire::DATA,
        wire::HEADERS,
        wire::SETTINGS,
        wire::PING,
        wire::RST_STREAM,
        wire::GOAWAY,
    ];
    check(all.iter().all(|kind| kinds.contains(kind)), || {
        format!("one frame of each type expected, not {kinds:?}")
    })
}

fn largest_data(client: &mut Client) -> Verdict {
    // Before the acknowledgement a stream's window has room for it, if not the buffer: many small messages.
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    client.send(&wire::window_update(0, 0x10_0000));
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(CHAT), 0));
    let mut messages = wire::message(&[1; 57]).repeat(256);
    assert_eq!(messages.len(), 16_384, "a message of 64 octets");
    client.send(&wire::data(stream, &messages, 0));
    let answer = client.answer(stream)?;
    check(answer.content == messages && answer.reset.is_none(), || {
        format!("{} octets came back: {:?}", answer.content.len(), answer.pieces)
    })?;
    messages.truncate(64);
    client.send(&wire::data(stream, &messages, wire::END_STREAM));
    let frames = client.look();
    let content = Answer::of(&frames, stream)?.content;
    check(content == messages, || {
        format!("the last message expected: {frames:?}")
    })?;
    client.send(&wire::settings_ack());
    client.expect_alive()
}

fn largest_headers(client: &mut Client) -> Verdict {
    // The fields above the limits are not kept; the call is served.
    let octets = |stream| {
        let mut block = wire::block(&request(UNARY));
        while block.len() + 1_000 < 16_384 {
            block.extend(wire::literal(b"x-long", &[b'v'; 900]));
        }
        // Name 6, lengths 1 and 3 at most, representation 1.
        let last = 16_384 - block.len() - wire::literal(b"x-long", &[b'v'; 500]).len() + 500;
        block.extend(wire::literal(b"x-long", &vec![b'v'; last]));
        assert_eq!(block.len(), 16_384, "the largest frame");
        [headers_of(stream, &block, 0), last_data(stream, b"large")].concat()
    };
    echoes(client, octets, b"large")
}

fn too_large_data(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.begin(stream);
    client.expect_silence()?;
    client.send(&wire::data(stream, &[0; 16_385], 0));
    client.expect_stream_error(stream, code::FRAME_SIZE_ERROR)
}

fn too_large_headers(client: &mut Client) -> Verdict {
    fails(
        client,
        &headers_of(3, &[0x88; 16_385], wire::END_STREAM),
        code::FRAME_SIZE_ERROR,
    )
}

fn too_large_continuation(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let block = wire::block(&request(UNARY));
    client.send(&wire::frame(wire::HEADERS, 0, 3, &block));
    client.send(&wire::continuation(3, &[0x88; 16_385], wire::END_HEADERS));
    client.expect_connection_error(3, code::FRAME_SIZE_ERROR)
}

fn too_large_on_0(client: &mut Client) -> Verdict {
    // A multiple of 6 for SETTINGS.
    let kinds = [
        wire::SETTINGS,
        wire::PING,
        wire::GOAWAY,
        wire::WINDOW_UPDATE,
        0x42,
    ];
    each(client, kinds, |client, kind| {
        fails(
            client,
            &wire::frame(*kind, 0, 0, &[0; 16_386]),
            code::FRAME_SIZE_ERROR,
        )
    })
}

fn length_alone(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::frame(wire::HEADERS, wire::END_HEADERS, 3, &[0; 16_385])[..9]);
    client.expect_connection_error(1, code::FRAME_SIZE_ERROR)?;
    client.reconnect();
    // As much as can be said, and the connection's window would not cover it either.
    let largest = [0xff, 0xff, 0xff, wire::SETTINGS, 0, 0, 0, 0, 0];
    fails(client, &largest, code::FRAME_SIZE_ERROR)
}
