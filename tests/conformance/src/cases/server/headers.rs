//! HEADERS: padding, the priority part, and where they must not be. Spec: RFC 9113 sections 6.2 and 8.1.

use crate::cases::server::kit::{
    UNARY, each, echoes, expect_handlers, fails, fails_at, last_data, malformed,
};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-6.2-padded-received
    Case::new("headers/of_one_frame_are_taken", plain),
    // Spec: h2-6.2-padded-received
    Case::new("headers/padding_is_dropped", padded),
    // Spec: h2-6.2-padded-received
    Case::new("headers/the_priority_part_is_dropped", with_priority),
    // Spec: h2-6.2-padded-received
    Case::new("headers/padding_and_the_priority_part_are_dropped", padded_with_priority),
    // Spec: h2-6.2-stream-0
    Case::new("headers/on_stream_0_are_a_protocol_error", on_stream_0),
    // Spec: h2-6.2-padding
    Case::new("headers/padding_longer_than_the_payload_is_a_protocol_error", padding_too_long),
    // Spec: h2-4.2-too-short-padded, trap-short-frames
    Case::new("headers/padded_without_a_pad_length_are_a_frame_size_error", no_pad_length),
    // Spec: h2-4.2-too-short-priority, trap-short-frames
    Case::new("headers/a_priority_part_cut_short_is_a_frame_size_error", short_priority),
    // Spec: h2-8.1-second-headers
    Case::new("headers/a_second_section_that_does_not_end_the_stream_resets_it", second_without_end),
    // Spec: h2-8.1-second-headers
    Case::new("headers/a_second_section_behind_data_that_does_not_end_the_stream_resets_it", second_behind_data),
    // Spec: h2-5.1-half-closed
    Case::new("headers/a_third_section_resets_the_stream", third),
    // Spec: h2-4.3-always-decodes, threat-19
    Case::new("headers/a_malformed_section_feeds_the_table", malformed_in_step),
];

fn plain(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            wire::headers(stream, &request(UNARY), 0),
            last_data(stream, b"plain"),
        ]
        .concat()
    };
    echoes(client, octets, b"plain")
}

/// HEADERS with `before` and `after` around a sound block.
fn around(stream: u32, flags: u8, before: &[u8], after: &[u8]) -> Vec<u8> {
    let payload = [before, &wire::block(&request(UNARY)), after].concat();
    wire::frame(wire::HEADERS, flags | wire::END_HEADERS, stream, &payload)
}

fn padded(client: &mut Client) -> Verdict {
    each(client, [0, 1, 255], |client, pad| {
        let octets = |stream| {
            let padding = vec![0; usize::from(*pad)];
            [
                around(stream, wire::PADDED, &[*pad], &padding),
                last_data(stream, b"padded"),
            ]
            .concat()
        };
        echoes(client, octets, b"padded")
    })
}

fn with_priority(client: &mut Client) -> Verdict {
    // Dependency on nothing, on an open stream, on an idle one, exclusive; any weight.
    let parts = [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 255],
        [0, 0, 0x12, 0x34, 15],
        [0x80, 0, 0, 1, 15],
    ];
    each(client, parts, |client, part| {
        let octets = |stream| {
            [
                around(stream, wire::PRIORITY_FLAG, part, &[]),
                last_data(stream, b"p"),
            ]
            .concat()
        };
        echoes(client, octets, b"p")
    })
}

fn padded_with_priority(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let flags = wire::PADDED | wire::PRIORITY_FLAG;
        [
            around(stream, flags, &[3, 0, 0, 0, 1, 7], &[0; 3]),
            last_data(stream, b"both"),
        ]
        .concat()
    };
    echoes(client, octets, b"both")
}

fn on_stream_0(client: &mut Client) -> Verdict {
    fails(
        client,
        &wire::headers(0, &request(UNARY), wire::END_STREAM),
        code::PROTOCOL_ERROR,
    )
}

fn padding_too_long(client: &mut Client) -> Verdict {
    let frames = [
        (wire::PADDED, &b"\x02x"[..]),
        (wire::PADDED, b"\xff\x83\x86"),
        // The priority part is no room for padding.
        (wire::PADDED | wire::PRIORITY_FLAG, b"\x02\0\0\0\0\0x"),
    ];
    each(client, frames, |client, (flags, payload)| {
        let octets = |stream| wire::frame(wire::HEADERS, flags | wire::END_HEADERS, stream, payload);
        fails_at(client, octets, code::PROTOCOL_ERROR)
    })
}

fn no_pad_length(client: &mut Client) -> Verdict {
    let empty = wire::frame(wire::HEADERS, wire::PADDED | wire::END_HEADERS, 3, b"");
    fails(client, &empty, code::FRAME_SIZE_ERROR)
}

fn short_priority(client: &mut Client) -> Verdict {
    let frames = [
        (wire::PRIORITY_FLAG, 0),
        (wire::PRIORITY_FLAG, 4),
        (wire::PRIORITY_FLAG | wire::PADDED, 5),
    ];
    each(client, frames, |client, (flags, len)| {
        let frame = wire::frame(wire::HEADERS, flags | wire::END_HEADERS, 3, &vec![0; *len]);
        fails(client, &frame, code::FRAME_SIZE_ERROR)
    })
}

/// An open call, and then `octets` that are malformed.
fn second(client: &mut Client, octets: impl FnOnce(u32) -> Vec<u8>, code: u32) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.begin(stream);
    client.expect_silence()?;
    expect_handlers(client, 2)?;
    client.send(&octets(stream));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code)
}

fn second_without_end(client: &mut Client) -> Verdict {
    let trailers = |stream| wire::headers(stream, &[("x-more", "fields")], 0);
    second(client, trailers, code::PROTOCOL_ERROR)?;
    client.reconnect();
    second(
        client,
        |stream| wire::headers(stream, &request(UNARY), 0),
        code::PROTOCOL_ERROR,
    )
}

fn second_behind_data(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            wire::data(stream, b"\0", 0),
            wire::headers(stream, &[("x-more", "fields")], 0),
        ]
        .concat()
    };
    second(client, octets, code::PROTOCOL_ERROR)
}

fn third(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(
        stream,
        &request(crate::cases::server::kit::WAIT),
        0,
    ));
    client.send(&wire::data(stream, &wire::message(b""), 0));
    client.send(&wire::headers(stream, &[("x-trailer", "x")], wire::END_STREAM));
    client.expect_silence()?;
    expect_handlers(client, 2)?;
    client.send(&wire::headers(stream, &[("x-trailer", "y")], wire::END_STREAM));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::STREAM_CLOSED)
}

fn malformed_in_step(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    // What makes it malformed comes first; the path behind it enters the table.
    let mut block = wire::block(&malformed());
    block.extend(b"\x44\x10/test.Echo/Unary");
    client.send(&wire::frame(
        wire::HEADERS,
        wire::END_HEADERS | wire::END_STREAM,
        stream,
        &block,
    ));
    let frames = client.look();
    let reset = |frame| crate::cases::server::kit::is_reset(frame, stream, code::PROTOCOL_ERROR);
    crate::cases::server::kit::expect(
        &frames,
        matches!(&frames[..], [frame] if reset(frame)),
        "RST_STREAM alone",
    )?;
    let octets = |stream| {
        let block = [&[0x83, 0x86, 0x80 | 62][..], &wire::block(&request(UNARY)[3..])].concat();
        [
            wire::frame(wire::HEADERS, wire::END_HEADERS, stream, &block),
            last_data(stream, b"in step"),
        ]
        .concat()
    };
    let stream = client.next_stream();
    client.send(&octets(stream));
    client.answer(stream)?.expect_echo(b"in step")?;
    client.expect_alive()
}
