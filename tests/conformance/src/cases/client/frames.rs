//! What each frame type must look like: DATA, HEADERS, PRIORITY, RST_STREAM, PING. Spec: RFC 9113 sections 6.1 to 6.4, 6.6
//! and 6.7.

use super::{closed_stream, with_call};
use crate::endpoint::Call;
use crate::peer::{HEAD, Server};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, END_HEADERS, END_STREAM, PADDED, PRIORITY_FLAG, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new("data/on_stream_0_is_a_protocol_error", data_on_0),
    Case::new(
        "data/with_padding_as_long_as_the_payload_is_a_protocol_error",
        data_overpadded,
    ),
    Case::new(
        "data/with_padding_of_all_but_the_length_octet_is_empty_and_good",
        data_all_padding,
    ),
    Case::new(
        "data/padded_without_the_length_octet_is_a_frame_size_error_of_its_stream",
        data_too_short,
    ),
    Case::new("data/before_the_response_headers_is_malformed", data_first),
    Case::new("headers/on_stream_0_are_a_protocol_error", headers_on_0),
    Case::new(
        "headers/with_padding_longer_than_the_payload_are_a_protocol_error",
        headers_overpadded,
    ),
    Case::new("headers/padded_and_with_priority_are_taken", headers_padded),
    Case::new(
        "headers/padded_without_the_length_octet_are_a_frame_size_error",
        headers_too_short,
    ),
    Case::new(
        "headers/with_half_a_priority_are_a_frame_size_error",
        headers_half_priority,
    ),
    Case::new("priority/on_stream_0_is_a_protocol_error", priority_on_0),
    Case::new(
        "priority/of_another_length_than_5_is_a_frame_size_error_of_its_stream",
        priority_length,
    ),
    Case::new("priority/is_taken_in_any_state", priority_anywhere),
    Case::new("rst_stream/on_stream_0_is_a_protocol_error", reset_on_0),
    Case::new("rst_stream/on_an_idle_stream_is_a_protocol_error", reset_idle),
    Case::new(
        "rst_stream/of_another_length_than_4_is_a_frame_size_error",
        reset_length,
    ),
    Case::new("push_promise/is_a_protocol_error", push),
    Case::new("push_promise/is_a_protocol_error_on_every_stream", push_anywhere),
    Case::new("ping/is_answered_with_its_octets", ping),
    Case::new("ping/with_ack_is_not_answered", ping_ack),
    Case::new("ping/on_a_stream_is_a_protocol_error", ping_on_stream),
    Case::new("ping/of_another_length_than_8_is_a_frame_size_error", ping_length),
    Case::new("goaway/on_a_stream_is_a_protocol_error", goaway_on_stream),
    Case::new("goaway/shorter_than_8_is_a_frame_size_error", goaway_length),
];

fn fails(server: &mut Server, octets: &[u8], code: u32) -> Verdict {
    server.send(octets);
    server.expect_connection_error(code)
}

// Spec: h2-6.1-stream-0
fn data_on_0(server: &mut Server) -> Verdict {
    server.open()?;
    fails(server, &wire::data(0, b"test", END_STREAM), code::PROTOCOL_ERROR)
}

// Spec: h2-6.1-padding, trap-short-frames
fn data_overpadded(server: &mut Server) -> Verdict {
    for (pad, rest) in [(6, 5), (5, 5), (1, 0), (255, 5)] {
        let request = with_call(server, Call::Unary(3))?;
        server.send(&wire::headers(request.stream, HEAD, 0));
        let payload = [&[pad][..], &vec![0; rest]].concat();
        if usize::from(pad) > rest {
            let frame = wire::frame(wire::DATA, PADDED | END_STREAM, request.stream, &payload);
            fails(server, &frame, code::PROTOCOL_ERROR)?;
        } else {
            // Five octets of padding and its length: six in all, and the padding is shorter.
            server.send(&wire::frame(wire::DATA, PADDED, request.stream, &payload));
            server.expect_silence()?;
        }
    }
    Ok(())
}

// Spec: h2-6.1-padded-received, h2-6.1-padding
fn data_all_padding(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::padded_data(request.stream, &[], 255, 0));
    server.send(&wire::padded_data(request.stream, &[], 0, 0));
    server.send(&wire::padded_data(request.stream, &wire::message(b"ok"), 100, 0));
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_outcome(request.call, 0, b"ok")?;
    server.look();
    server.expect_alive()
}

// Spec: h2-4.2-too-short-padded, trap-short-frames
fn data_too_short(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::frame(wire::DATA, PADDED, request.stream, &[]));
    server.expect_stream_error(request, code::FRAME_SIZE_ERROR, 13)
}

// Spec: h2-8.1.1-reset, h2-8.1.1-client-refuses
fn data_first(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::data(request.stream, &wire::message(b"x"), 0));
    server.expect_stream_error(request, code::PROTOCOL_ERROR, 13)
}

// Spec: h2-6.2-stream-0
fn headers_on_0(server: &mut Server) -> Verdict {
    server.open()?;
    fails(server, &wire::headers(0, HEAD, END_STREAM), code::PROTOCOL_ERROR)
}

// Spec: h2-6.2-padding, trap-short-frames
fn headers_overpadded(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let block = wire::block(HEAD);
    let padded = [&[block.len() as u8 + 1][..], &block].concat();
    let flags = END_HEADERS | END_STREAM | PADDED;
    let frame = wire::frame(wire::HEADERS, flags, request.stream, &padded);
    fails(server, &frame, code::PROTOCOL_ERROR)
}

// Spec: h2-6.2-padded-received, trap-end-stream-on-headers
fn headers_padded(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let padded = |block: Vec<u8>| [&[9, 0x80, 0, 0, 1, 255][..], &block, &[0; 9]].concat();
    let flags = END_HEADERS | PADDED | PRIORITY_FLAG;
    let head = padded(wire::block(HEAD));
    let trailers = padded(wire::block(&[("grpc-status", "0")]));
    server.send(&wire::frame(wire::HEADERS, flags, request.stream, &head));
    server.send(&wire::data(request.stream, &wire::message(b"ok"), 0));
    server.send(&wire::frame(
        wire::HEADERS,
        flags | END_STREAM,
        request.stream,
        &trailers,
    ));
    server.expect_outcome(request.call, 0, b"ok")?;
    server.expect_ignored()
}

// Spec: h2-4.2-too-short-padded, trap-short-frames
fn headers_too_short(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let flags = END_HEADERS | PADDED;
    let frame = wire::frame(wire::HEADERS, flags, request.stream, &[]);
    fails(server, &frame, code::FRAME_SIZE_ERROR)
}

// Spec: h2-4.2-too-short-priority, trap-short-frames
fn headers_half_priority(server: &mut Server) -> Verdict {
    for (flags, len) in [(PRIORITY_FLAG, 4), (PRIORITY_FLAG | PADDED, 5)] {
        let request = with_call(server, Call::Unary(3))?;
        let frame = wire::frame(wire::HEADERS, END_HEADERS | flags, request.stream, &vec![0; len]);
        fails(server, &frame, code::FRAME_SIZE_ERROR)?;
    }
    Ok(())
}

// Spec: h2-6.3-stream-0
fn priority_on_0(server: &mut Server) -> Verdict {
    server.open()?;
    fails(server, &wire::priority(0, 0), code::PROTOCOL_ERROR)
}

// Spec: h2-6.3-length
fn priority_length(server: &mut Server) -> Verdict {
    for len in [0, 4, 6] {
        let request = with_call(server, Call::Unary(3))?;
        server.send(&wire::frame(wire::PRIORITY, 0, request.stream, &vec![1; len]));
        server.expect_stream_error(request, code::FRAME_SIZE_ERROR, 13)?;
    }
    Ok(())
}

// Spec: h2-6.3-any-state
fn priority_anywhere(server: &mut Server) -> Verdict {
    let over = closed_stream(server)?;
    let request = server.request(Call::Bidi)?;
    for stream in [1, over, request.stream, 2, 99] {
        server.send(&wire::priority(stream, 0));
        server.send(&wire::priority(stream, 1_000));
    }
    server.expect_ignored()
}

// Spec: h2-6.4-stream-0
fn reset_on_0(server: &mut Server) -> Verdict {
    server.open()?;
    fails(server, &wire::rst_stream(0, code::CANCEL), code::PROTOCOL_ERROR)
}

// Spec: h2-6.4-idle
fn reset_idle(server: &mut Server) -> Verdict {
    for stream in [3, 99, 2] {
        if server.client.connections() == 0 {
            server.open()?;
        }
        fails(
            server,
            &wire::rst_stream(stream, code::CANCEL),
            code::PROTOCOL_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.4-length
fn reset_length(server: &mut Server) -> Verdict {
    for len in [0, 3, 5] {
        let request = with_call(server, Call::Unary(3))?;
        let frame = wire::frame(wire::RST_STREAM, 0, request.stream, &vec![0; len]);
        fails(server, &frame, code::FRAME_SIZE_ERROR)?;
    }
    Ok(())
}

const PROMISE: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "test.local"),
];

// Spec: h2-6.6-push-refused, h2-6.5.2-client-disables-push
fn push(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    fails(
        server,
        &wire::push_promise(request.stream, 2, PROMISE),
        code::PROTOCOL_ERROR,
    )
}

// Spec: h2-6.6-push-refused, threat-37
fn push_anywhere(server: &mut Server) -> Verdict {
    let over = closed_stream(server)?;
    for stream in [0, over, 1, 2, 99] {
        fails(
            server,
            &wire::push_promise(stream, 4, PROMISE),
            code::PROTOCOL_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.7-answer
fn ping(server: &mut Server) -> Verdict {
    server.open()?;
    for octets in [[0; 8], [0xff; 8], *b"goodbye!"] {
        server.send(&wire::ping(octets));
        let frames = server.look();
        let exact = matches!(&frames[..], [pong] if pong.kind == wire::PING
            && pong.flags == wire::ACK && pong.stream == 0 && pong.payload == octets);
        check(exact, || format!("the acknowledgement alone, not {frames:?}"))?;
    }
    server.expect_alive()
}

// Spec: h2-6.7-ack-not-answered, threat-37
fn ping_ack(server: &mut Server) -> Verdict {
    server.open()?;
    for octets in [[0; 8], [0xff; 8], *b"goodbye!"] {
        server.send(&wire::frame(wire::PING, wire::ACK, 0, &octets));
    }
    server.expect_ignored()
}

// Spec: h2-6.7-stream
fn ping_on_stream(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let frame = wire::frame(wire::PING, 0, request.stream, &[0; 8]);
    fails(server, &frame, code::PROTOCOL_ERROR)
}

// Spec: h2-6.7-length
fn ping_length(server: &mut Server) -> Verdict {
    for (flags, len) in [(0, 6), (0, 0), (0, 9), (wire::ACK, 7)] {
        if server.client.connections() == 0 {
            server.open()?;
        }
        let frame = wire::frame(wire::PING, flags, 0, &vec![0; len]);
        fails(server, &frame, code::FRAME_SIZE_ERROR)?;
    }
    Ok(())
}

// Spec: h2-6.8-stream
fn goaway_on_stream(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let frame = wire::frame(wire::GOAWAY, 0, request.stream, &[0; 8]);
    fails(server, &frame, code::PROTOCOL_ERROR)
}

// Spec: h2-6.8-length
fn goaway_length(server: &mut Server) -> Verdict {
    for len in [0, 7] {
        if server.client.connections() == 0 {
            server.open()?;
        }
        fails(
            server,
            &wire::frame(wire::GOAWAY, 0, 0, &vec![0; len]),
            code::FRAME_SIZE_ERROR,
        )?;
    }
    Ok(())
}
