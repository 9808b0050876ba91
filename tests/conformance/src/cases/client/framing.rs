//! Frames as such: types, flags, sizes. Spec: RFC 9113 sections 4.1, 4.2 and 5.5.

use super::{closed_stream, with_call};
use crate::endpoint::Call;
use crate::peer::{HEAD, Server};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new("framing/a_frame_of_unknown_type_is_ignored", unknown_type),
    Case::new(
        "framing/unknown_types_are_ignored_on_every_stream",
        unknown_type_anywhere,
    ),
    Case::new("framing/undefined_flags_of_ping_are_ignored", undefined_flags),
    Case::new("framing/the_reserved_bit_is_ignored", reserved_bit),
    Case::new(
        "framing/the_reserved_bit_of_window_update_is_ignored",
        reserved_bit_of_increment,
    ),
    Case::new(
        "framing/data_of_16384_octets_is_taken_where_its_stream_is_over",
        largest_data,
    ),
    Case::new(
        "framing/data_of_16384_octets_offends_the_window_and_not_the_size",
        largest_data_beyond_the_window,
    ),
    Case::new("framing/headers_of_16384_octets_are_taken", largest_headers),
    Case::new(
        "framing/an_unknown_frame_of_16384_octets_is_ignored",
        largest_unknown,
    ),
    Case::new(
        "framing/data_larger_than_the_maximum_is_a_frame_size_error_of_its_stream",
        too_large_data,
    ),
    Case::new(
        "framing/headers_larger_than_the_maximum_are_a_frame_size_error",
        too_large_headers,
    ),
    Case::new(
        "framing/continuation_larger_than_the_maximum_is_a_frame_size_error",
        too_large_continuation,
    ),
    Case::new(
        "framing/settings_larger_than_the_maximum_are_a_frame_size_error",
        too_large_settings,
    ),
    Case::new(
        "framing/a_frame_of_16_megabytes_is_refused_at_its_header",
        never_waited_for,
    ),
    Case::new("framing/frames_cut_anywhere_mean_the_same", every_cut),
];

const UNKNOWN: u8 = 0x16;
const LARGEST: usize = 16_384;

// Spec: h2-4.1-unknown-type
fn unknown_type(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::frame(UNKNOWN, 0, 0, &[0; 8]));
    server.expect_ignored()
}

// Spec: h2-4.1-unknown-type
fn unknown_type_anywhere(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    for stream in [0, 1, 2, request.stream, 99, 0x7fff_ffff] {
        server.send(&wire::frame(0xff, 0xff, stream, b"what is this?"));
        server.send(&wire::frame(0x0a, 0, stream, b""));
    }
    server.expect_silence()?;
    server.respond(request.stream, b"nothing");
    server.expect_outcome(request.call, 0, b"nothing")?;
    server.expect_alive()
}

// Spec: h2-4.1-undefined-flags
fn undefined_flags(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::frame(wire::PING, 0x16, 0, b"flagged!"));
    let frames = server.look();
    let exact = matches!(&frames[..], [pong]
        if pong.kind == wire::PING && pong.flags == wire::ACK && pong.payload == b"flagged!");
    check(exact, || {
        format!("the acknowledgement, with no flag but ACK, not {frames:?}")
    })?;
    server.expect_alive()
}

// Spec: h2-4.1-reserved-bit
fn reserved_bit(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::frame(wire::SETTINGS, wire::ACK, 0x8000_0000, &[]));
    server.expect_silence()?;
    server.respond(request.stream | 0x8000_0000, b"reserved");
    server.expect_outcome(request.call, 0, b"reserved")?;
    server.expect_ignored()
}

// Spec: h2-4.1-reserved-bit
fn reserved_bit_of_increment(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::frame(
        wire::WINDOW_UPDATE,
        0,
        0,
        &0x8000_0001_u32.to_be_bytes(),
    ));
    server.expect_ignored()
}

// Spec: h2-4.2-receives-16384, trap-frame-size-inclusive, h2-5.1-closed-arrivals
fn largest_data(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    server.send(&wire::data(stream, &[0; LARGEST], 0));
    server.expect_ignored()
}

// Spec: h2-4.2-receives-16384, h2-6.9.1-exceeded
fn largest_data_beyond_the_window(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::data(request.stream, &[0; LARGEST], 0));
    server.expect_stream_error(request, code::FLOW_CONTROL_ERROR, 13)
}

// Spec: h2-4.2-receives-16384
fn largest_headers(server: &mut Server) -> Verdict {
    // As many octets as a frame holds in one field: over the limit that was told, and the call fails for it.
    let request = with_call(server, Call::Unary(3))?;
    let mut block = wire::block(HEAD);
    // A literal's first octet, its name with a length, and the three octets of its value's length.
    let value = LARGEST - block.len() - 9;
    block.extend(wire::literal(b"x-li", &vec![b'v'; value]));
    assert_eq!(block.len(), LARGEST, "the frame is as large as may be");
    server.send(&wire::frame(
        wire::HEADERS,
        wire::END_HEADERS,
        request.stream,
        &block,
    ));
    let frames = server.look();
    // The call may wait for its trailers or be reset; the connection stands.
    let sound = frames
        .iter()
        .all(|frame| frame.kind == wire::RST_STREAM && frame.stream == request.stream);
    check(sound, || format!("{frames:?} for a section over the limit"))?;
    server.expect_alive()
}

// Spec: h2-4.1-unknown-type, h2-4.2-receives-16384
fn largest_unknown(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::frame(UNKNOWN, 0, 0, &[0; LARGEST]));
    server.send(&wire::frame(UNKNOWN, 0, request.stream, &[0; LARGEST]));
    server.expect_ignored()
}

// Spec: h2-4.2-too-large-stream
fn too_large_data(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::data(request.stream, &[0; LARGEST + 1], 0));
    server.expect_stream_error(request, code::FRAME_SIZE_ERROR, 13)
}

// Spec: h2-4.2-too-large-connection
fn too_large_headers(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let flags = wire::END_HEADERS | wire::END_STREAM;
    server.send(&wire::frame(
        wire::HEADERS,
        flags,
        request.stream,
        &[0; LARGEST + 1],
    ));
    server.expect_connection_error(code::FRAME_SIZE_ERROR)
}

// Spec: h2-4.2-too-large-connection
fn too_large_continuation(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::frame(wire::HEADERS, 0, request.stream, &wire::block(HEAD)));
    server.send(&wire::continuation(
        request.stream,
        &[0; LARGEST + 1],
        wire::END_HEADERS,
    ));
    server.expect_connection_error(code::FRAME_SIZE_ERROR)
}

// Spec: h2-4.2-too-large-connection
fn too_large_settings(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::frame(wire::SETTINGS, 0, 0, &[0; 16_386]));
    server.expect_connection_error(code::FRAME_SIZE_ERROR)
}

// Spec: h2-4.2-too-large-connection
fn never_waited_for(server: &mut Server) -> Verdict {
    server.open()?;
    // The header alone: nothing of the payload will come.
    server.send(&[0xff, 0xff, 0xff, UNKNOWN, 0, 0, 0, 0, 0]);
    server.expect_connection_error(code::FRAME_SIZE_ERROR)
}

// Spec: threat-38, grpc-message-boundaries
fn every_cut(server: &mut Server) -> Verdict {
    server.open()?;
    for at in 0.. {
        let request = server.request(Call::Unary(3))?;
        let octets = [
            wire::frame(UNKNOWN, 1, request.stream, b"new"),
            wire::headers(request.stream, HEAD, 0),
            wire::padded_data(request.stream, &wire::message(b"cut"), 3, 0),
            wire::headers(request.stream, &[("grpc-status", "0")], wire::END_STREAM),
        ]
        .concat();
        let Some((first, rest)) = octets.split_at_checked(at) else {
            // The answer to the one above is still to come.
            server.send(&octets);
            server.expect_outcome(request.call, 0, b"cut")?;
            return server.expect_alive();
        };
        server.send(first);
        server.send(rest);
        server.expect_outcome(request.call, 0, b"cut")?;
        // Credit may come back; nothing else.
        server.look();
    }
    Ok(())
}
