//! Stream states and identifiers. Spec: RFC 9113 sections 5.1, 5.1.1 and 5.4.1.

use super::{closed_stream, with_call};
use crate::endpoint::Call;
use crate::peer::{HEAD, Request, Server};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, END_HEADERS, END_STREAM, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new("states/data_on_an_idle_stream_is_a_protocol_error", idle_data),
    Case::new(
        "states/rst_stream_on_an_idle_stream_is_a_protocol_error",
        idle_rst_stream,
    ),
    Case::new(
        "states/window_update_on_an_idle_stream_is_a_protocol_error",
        idle_window_update,
    ),
    Case::new(
        "states/continuation_on_an_idle_stream_is_a_protocol_error",
        idle_continuation,
    ),
    Case::new(
        "states/headers_on_an_idle_stream_are_a_protocol_error",
        idle_headers,
    ),
    Case::new(
        "states/headers_on_a_stream_of_even_identifier_are_a_protocol_error",
        even_headers,
    ),
    Case::new(
        "states/no_frame_but_priority_is_taken_on_a_stream_of_even_identifier",
        even_anything,
    ),
    Case::new(
        "states/data_after_the_servers_rst_stream_is_dropped",
        data_after_reset,
    ),
    Case::new(
        "states/headers_after_the_servers_rst_stream_are_dropped",
        headers_after_reset,
    ),
    Case::new(
        "states/continuation_after_the_servers_rst_stream_is_a_protocol_error",
        continuation_after_reset,
    ),
    Case::new("states/data_after_end_stream_is_dropped", data_after_end),
    Case::new("states/headers_after_end_stream_are_dropped", headers_after_end),
    Case::new(
        "states/continuation_after_end_stream_is_a_protocol_error",
        continuation_after_end,
    ),
    Case::new("states/data_on_a_stream_that_is_over_is_dropped", data_not_open),
    Case::new(
        "states/whatever_comes_on_a_closed_stream_gets_no_answer",
        closed_silence,
    ),
    Case::new(
        "states/frames_on_a_stream_that_the_client_cancelled_are_dropped",
        cancelled,
    ),
    Case::new(
        "states/data_dropped_on_closed_streams_is_credited_back",
        dropped_data_is_credited,
    ),
    Case::new("states/an_invalid_ping_closes_the_connection", error_closes),
    Case::new("states/an_invalid_ping_is_told_by_goaway", error_is_told),
    Case::new("states/identifiers_are_odd_and_increase", identifiers),
];

fn idle(server: &mut Server, octets: &[u8]) -> Verdict {
    server.open()?;
    server.send(octets);
    server.expect_connection_error(code::PROTOCOL_ERROR)
}

// Spec: h2-5.1-idle
fn idle_data(server: &mut Server) -> Verdict {
    idle(server, &wire::data(3, b"test", END_STREAM))
}

// Spec: h2-5.1-idle, h2-6.4-idle
fn idle_rst_stream(server: &mut Server) -> Verdict {
    idle(server, &wire::rst_stream(3, code::CANCEL))
}

// Spec: h2-5.1-idle
fn idle_window_update(server: &mut Server) -> Verdict {
    idle(server, &wire::window_update(3, 100))
}

// Spec: h2-5.1-idle, h2-6.10-no-block
fn idle_continuation(server: &mut Server) -> Verdict {
    idle(
        server,
        &wire::continuation(3, &wire::block(&[("x-dummy", "0")]), END_HEADERS),
    )
}

// Spec: h2-5.1-idle-server-id
fn idle_headers(server: &mut Server) -> Verdict {
    idle(server, &wire::headers(101, HEAD, END_STREAM))
}

// Spec: h2-5.1-idle-server-id
fn even_headers(server: &mut Server) -> Verdict {
    idle(server, &wire::headers(2, HEAD, END_STREAM))
}

// Spec: h2-5.1-idle, h2-6.3-any-state
fn even_anything(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::priority(2, 0));
    server.send(&wire::priority(0x7fff_fffe, 0));
    server.expect_silence()?;
    let frames = [
        wire::data(2, b"test", 0),
        wire::rst_stream(2, code::CANCEL),
        wire::window_update(2, 1),
        wire::continuation(2, &[], END_HEADERS),
    ];
    for octets in frames {
        server.send(&octets);
        server.expect_connection_error(code::PROTOCOL_ERROR)?;
    }
    Ok(())
}

/// A call whose response has begun, and whose stream the server has then reset.
fn reset_by_server(server: &mut Server) -> Result<Request, Fault> {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::rst_stream(request.stream, code::CANCEL));
    server.expect_silence()?;
    server.expect_outcome(request.call, 1, &[])?;
    Ok(request)
}

// A client keeps nothing of streams that are over. 5.1 lets it drop what comes on them, and it does; it has run HPACK and
// counted the octets.
// Spec: h2-5.1-closed-arrivals, h2-6.4-silence
fn data_after_reset(server: &mut Server) -> Verdict {
    let request = reset_by_server(server)?;
    server.send(&wire::data(request.stream, b"test", END_STREAM));
    server.expect_ignored()
}

// Spec: h2-5.1-closed-arrivals, h2-6.4-silence
fn headers_after_reset(server: &mut Server) -> Verdict {
    let request = reset_by_server(server)?;
    server.send(&wire::headers(request.stream, HEAD, END_STREAM));
    server.expect_ignored()
}

// Spec: h2-6.10-no-block
fn continuation_after_reset(server: &mut Server) -> Verdict {
    let request = reset_by_server(server)?;
    let block = wire::block(&[("x-dummy", "0")]);
    server.send(&wire::continuation(request.stream, &block, END_HEADERS));
    server.expect_connection_error(code::PROTOCOL_ERROR)
}

// Spec: h2-5.1-closed-arrivals
fn data_after_end(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    server.send(&wire::data(stream, b"test", END_STREAM));
    server.expect_ignored()
}

// Spec: h2-5.1-closed-arrivals
fn headers_after_end(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    server.send(&wire::headers(stream, HEAD, END_STREAM));
    server.expect_ignored()
}

// Spec: h2-6.10-no-block
fn continuation_after_end(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    let block = wire::block(&[("x-dummy", "0")]);
    server.send(&wire::continuation(stream, &block, END_HEADERS));
    server.expect_connection_error(code::PROTOCOL_ERROR)
}

// Spec: h2-6.1-state, h2-5.1-closed-arrivals
fn data_not_open(server: &mut Server) -> Verdict {
    // One HEADERS frame is the whole response; DATA follows in the same read.
    let request = with_call(server, Call::Unary(3))?;
    let only = [HEAD, &[("grpc-status", "5")]].concat();
    let octets = [
        wire::headers(request.stream, &only, END_STREAM),
        wire::data(request.stream, b"test", END_STREAM),
    ];
    server.send(&octets.concat());
    server.expect_outcome(request.call, 5, &[])?;
    server.expect_ignored()
}

// Spec: h2-5.1-closed-silence, h2-5.4.2-no-answer, h2-6.9-closed, h2-6.3-any-state
fn closed_silence(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    server.send(&wire::window_update(stream, 0x7fff_ffff));
    server.send(&wire::window_update(stream, 0x7fff_ffff));
    server.send(&wire::rst_stream(stream, code::STREAM_CLOSED));
    server.send(&wire::rst_stream(stream, code::STREAM_CLOSED));
    server.send(&wire::priority(stream, 0));
    server.send(&wire::headers(stream, &[("not", "a response")], 0));
    server.send(&wire::padded_data(stream, b"test", 200, 0));
    server.expect_ignored()
}

// Spec: h2-5.4.2-in-flight, grpc-cancel-reset, trap-reset-payload
fn cancelled(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    let half = wire::data(request.stream, &[0; 100], 0);
    server.send(&half[..50]);
    server.client.cancel(request.call);
    let frames = server.look();
    let exact = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
        && reset.stream == request.stream && reset.u32_at(0) == Some(code::CANCEL));
    check(exact, || format!("RST_STREAM(CANCEL) alone, not {frames:?}"))?;
    server.send(&half[50..]);
    server.send(&wire::data(request.stream, b"more", 0));
    server.send(&wire::window_update(request.stream, 1));
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_silence()?;
    server.send(&wire::rst_stream(request.stream, code::CANCEL));
    server.expect_ignored()
}

// Spec: h2-6.9-counts-all, threat-22
fn dropped_data_is_credited(server: &mut Server) -> Verdict {
    let stream = closed_stream(server)?;
    // Four times the connection's window, padding included: never more than it holds on the way.
    let mut credit = 65_535 - wire::message(b"done").len() as i64;
    for _ in 0..260 {
        let frame = wire::padded_data(stream, &[0; 755], 244, 0);
        credit -= 1_000;
        check(credit >= 0, || "the connection's window is spent".to_owned())?;
        server.send(&frame);
        for frame in server.look() {
            let update = frame.kind == wire::WINDOW_UPDATE && frame.stream == 0;
            check(update, || format!("{frame:?} for DATA on a closed stream"))?;
            credit += i64::from(frame.u32_at(0).unwrap_or(0));
        }
        check(credit <= 65_535, || "more credit than was used".to_owned())?;
    }
    server.expect_ignored()
}

// Spec: h2-5.4.1-close
fn error_closes(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::frame(wire::PING, 0, 3, &[0; 8]));
    server.expect_connection_error(code::PROTOCOL_ERROR)
}

// Spec: h2-5.4.1-goaway, h2-5.4.1-last-stream
fn error_is_told(server: &mut Server) -> Verdict {
    server.open()?;
    // Frames behind the error are not answered any more.
    let behind = [
        wire::ping(*b"answered"),
        wire::frame(wire::PING, 0, 3, &[0; 8]),
        wire::ping(*b"too late"),
    ];
    server.send(&behind.concat());
    let frames = server.look();
    let exact = matches!(&frames[..], [.., goodbye] if goodbye.kind == wire::GOAWAY
        && goodbye.u32_at(0) == Some(0) && goodbye.u32_at(4) == Some(code::PROTOCOL_ERROR));
    let late = frames.iter().any(|frame| frame.payload == b"too late");
    check(exact && !late, || {
        format!("GOAWAY last, and nothing for what is behind: {frames:?}")
    })?;
    check(server.client.is_closed(), || "the transport is open".to_owned())?;
    server.expect_new_connection()
}

// Spec: h2-5.1.1-client-ids
fn identifiers(server: &mut Server) -> Verdict {
    server.open()?;
    for stream in (3..60).step_by(2) {
        let request = server.request(Call::Unary(3))?;
        check(request.stream == stream, || {
            format!("stream {} in place of {stream}", request.stream)
        })?;
        server.respond(stream, b"next");
        server.expect_outcome(request.call, 0, b"next")?;
    }
    server.expect_ignored()
}
