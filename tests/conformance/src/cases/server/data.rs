//! DATA: padding, and where it must not be. Spec: RFC 9113 section 6.1.

use crate::cases::server::kit::{UNARY, each, echoes, expect_handlers, fails, fails_at, half_closed};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: grpc-message-prefix
    Case::new("data/one_frame_is_taken", one_frame),
    // Spec: grpc-message-boundaries, trap-prefix-split
    Case::new("data/several_frames_are_taken", several_frames),
    // Spec: grpc-message-boundaries, trap-prefix-split
    Case::new("data/a_message_may_be_cut_at_every_octet", every_cut),
    // Spec: h2-6.1-padded-received
    Case::new("data/padding_is_dropped", padded),
    // Spec: h2-6.1-padded-received
    Case::new("data/every_length_of_padding_is_dropped", every_padding),
    // Spec: h2-6.1-padded-received
    Case::new("data/padding_that_is_not_zero_is_dropped_too", padding_not_zero),
    // Spec: h2-6.1-stream-0
    Case::new("data/on_stream_0_is_a_protocol_error", on_stream_0),
    // Spec: h2-6.1-state, h2-5.1-half-closed
    Case::new("data/in_another_state_than_open_is_stream_closed", in_another_state),
    // Spec: h2-6.1-padding
    Case::new("data/padding_as_long_as_the_payload_is_a_protocol_error", padding_too_long),
    // Spec: h2-4.2-too-short-padded, trap-short-frames
    Case::new("data/padded_without_a_pad_length_resets_the_stream", no_pad_length),
    // Spec: manners-no-empty-data, grpc-message-boundaries
    Case::new("data/an_empty_frame_may_end_the_request", empty_end),
    // Spec: grpc-message-boundaries
    Case::new("data/empty_frames_in_between_are_taken", empty_between),
    // Spec: h2-6.1-padded-received, h2-6.9.1-padding-counts
    Case::new("data/of_padding_alone_may_end_the_request", padding_alone),
];

fn one_frame(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            wire::headers(stream, &request(UNARY), 0),
            wire::data(stream, &wire::message(b"one"), 1),
        ]
        .concat()
    };
    echoes(client, octets, b"one")
}

/// A call whose request comes in these pieces, each a frame with so much padding, or without the flag.
fn in_frames(client: &mut Client, pieces: &[&[u8]], padding: Option<u8>, content: &[u8]) -> Verdict {
    let octets = |stream| {
        let last = pieces.len() - 1;
        let frame = |(at, piece): (usize, &&[u8])| {
            let end = if at == last { wire::END_STREAM } else { 0 };
            match padding {
                Some(pad) => wire::padded_data(stream, piece, pad, end),
                None => wire::data(stream, piece, end),
            }
        };
        let frames: Vec<u8> = pieces.iter().enumerate().flat_map(frame).collect();
        [wire::headers(stream, &request(UNARY), 0), frames].concat()
    };
    echoes(client, octets, content)
}

fn several_frames(client: &mut Client) -> Verdict {
    let message = wire::message(b"several");
    let pieces: Vec<&[u8]> = message.chunks(1).collect();
    in_frames(client, &pieces, None, b"several")
}

fn every_cut(client: &mut Client) -> Verdict {
    let message = wire::message(b"cut");
    each(client, 0..=message.len(), |client, at| {
        let (first, second) = message.split_at(*at);
        in_frames(client, &[first, second], None, b"cut")
    })
}

fn padded(client: &mut Client) -> Verdict {
    let message = wire::message(b"padded");
    in_frames(client, &[&message[..3], &message[3..]], Some(7), b"padded")
}

fn every_padding(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for pad in 0..=u8::MAX {
        let stream = client.next_stream();
        let data = wire::padded_data(stream, &wire::message(&[pad; 9]), pad, wire::END_STREAM);
        client.send(&[wire::headers(stream, &request(UNARY), 0), data].concat());
        let mut frames = client.look();
        // The connection's credit rides along at times.
        frames.retain(|frame| frame.stream == stream);
        crate::peer::Answer::of(&frames, stream)?.expect_echo(&[pad; 9])?;
    }
    client.expect_alive()
}

fn padding_not_zero(client: &mut Client) -> Verdict {
    // "A receiver is not obligated to verify padding": ours does not.
    let octets = |stream| {
        let padded = [&[4][..], &wire::message(b"odd"), b"\x01\x02\x03\xff"].concat();
        let data = wire::frame(wire::DATA, wire::PADDED | wire::END_STREAM, stream, &padded);
        [wire::headers(stream, &request(UNARY), 0), data].concat()
    };
    echoes(client, octets, b"odd")
}

fn on_stream_0(client: &mut Client) -> Verdict {
    each(client, [&b""[..], b"x"], |client, payload| {
        fails(client, &wire::data(0, payload, 0), code::PROTOCOL_ERROR)
    })
}

fn in_another_state(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&wire::padded_data(stream, b"late", 9, wire::END_STREAM));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::STREAM_CLOSED)
}

fn padding_too_long(client: &mut Client) -> Verdict {
    // Pad length and what follows it: as long as the payload, and longer.
    let payloads = [&b"\x01"[..], b"\x03ab", b"\x04abc", b"\xffabc"];
    each(client, payloads, |client, payload| {
        let octets = |stream| {
            let data = wire::frame(wire::DATA, wire::PADDED | wire::END_STREAM, stream, payload);
            [wire::headers(stream, &request(UNARY), 0), data].concat()
        };
        fails_at(client, octets, code::PROTOCOL_ERROR)
    })
}

fn no_pad_length(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.begin(stream);
    client.send(&wire::frame(wire::DATA, wire::PADDED, stream, b""));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::FRAME_SIZE_ERROR)
}

fn empty_end(client: &mut Client) -> Verdict {
    in_frames(
        client,
        &[&wire::message(b"then nothing"), b""],
        None,
        b"then nothing",
    )
}

fn empty_between(client: &mut Client) -> Verdict {
    let message = wire::message(b"between");
    in_frames(
        client,
        &[b"", &message[..5], b"", b"", &message[5..]],
        None,
        b"between",
    )
}

fn padding_alone(client: &mut Client) -> Verdict {
    in_frames(client, &[&wire::message(b"alone"), b""], Some(255), b"alone")
}
