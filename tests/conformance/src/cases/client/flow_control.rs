//! Windows. Spec: RFC 9113 sections 5.2 and 6.9.

use super::with_call;
use crate::endpoint::Call;
use crate::peer::{HEAD, Request, Server};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, END_STREAM, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new(
        "flow_control/an_increment_of_0_on_the_connection_is_a_protocol_error",
        zero_on_connection,
    ),
    Case::new(
        "flow_control/an_increment_of_0_on_a_stream_is_a_protocol_error_of_the_stream",
        zero_on_stream,
    ),
    Case::new(
        "flow_control/window_update_of_another_length_than_4_is_a_frame_size_error",
        length,
    ),
    Case::new(
        "flow_control/the_connections_window_above_its_maximum_is_a_flow_control_error",
        connection_overflow,
    ),
    Case::new(
        "flow_control/a_streams_window_above_its_maximum_is_a_flow_control_error_of_the_stream",
        stream_overflow,
    ),
    Case::new(
        "flow_control/settings_that_lift_a_window_above_its_maximum_are_a_flow_control_error",
        settings_overflow,
    ),
    Case::new("flow_control/windows_at_their_maximum_are_good", maximum),
    Case::new(
        "flow_control/nothing_is_sent_beyond_a_streams_window",
        within_stream_window,
    ),
    Case::new(
        "flow_control/nothing_is_sent_beyond_the_connections_window",
        within_connection_window,
    ),
    Case::new(
        "flow_control/a_larger_initial_window_lets_a_waiting_request_go_on",
        settings_open,
    ),
    Case::new(
        "flow_control/a_window_may_become_negative_and_must_be_made_good",
        negative,
    ),
    Case::new(
        "flow_control/the_initial_window_leaves_the_connections_alone",
        not_the_connection,
    ),
    Case::new(
        "flow_control/pings_and_settings_are_answered_while_windows_are_shut",
        keeps_reading,
    ),
    Case::new(
        "flow_control/data_beyond_the_streams_window_is_a_flow_control_error_of_the_stream",
        beyond_stream,
    ),
    Case::new("flow_control/padding_is_credited_back", padding_is_credited),
    Case::new(
        "flow_control/no_frame_is_larger_than_the_servers_maximum",
        frame_size,
    ),
];

const WINDOW: u16 = 4;
/// More than a window of 65,535 would be long: three windows of 400.
const REQUEST: usize = 1_000;

// Spec: h2-6.9-zero-connection
fn zero_on_connection(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::window_update(0, 0));
    server.expect_connection_error(code::PROTOCOL_ERROR)
}

// Spec: h2-6.9-zero-stream
fn zero_on_stream(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::window_update(request.stream, 0));
    server.expect_stream_error(request, code::PROTOCOL_ERROR, 13)
}

// Spec: h2-6.9-length
fn length(server: &mut Server) -> Verdict {
    for len in [0, 3, 5] {
        for on_stream in [false, true] {
            let request = with_call(server, Call::Unary(3))?;
            let stream = if on_stream { request.stream } else { 0 };
            server.send(&wire::frame(wire::WINDOW_UPDATE, 0, stream, &vec![1; len]));
            server.expect_connection_error(code::FRAME_SIZE_ERROR)?;
        }
    }
    Ok(())
}

// Spec: h2-6.9.1-overflow-connection, threat-20
fn connection_overflow(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::window_update(0, 0x7fff_ffff));
    server.send(&wire::window_update(0, 0x7fff_ffff));
    server.expect_connection_error(code::FLOW_CONTROL_ERROR)
}

// Spec: h2-6.9.1-overflow-stream, threat-20
fn stream_overflow(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Bidi)?;
    server.send(&wire::window_update(request.stream, 0x7fff_ffff));
    server.send(&wire::window_update(request.stream, 0x7fff_ffff));
    server.expect_stream_error(request, code::FLOW_CONTROL_ERROR, 13)
}

// Spec: h2-6.9.2-overflow, threat-20
fn settings_overflow(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Bidi)?;
    server.send(&wire::window_update(request.stream, 0x7fff_0000));
    server.expect_silence()?;
    server.send(&wire::settings(&[(WINDOW, 0x7fff_ffff)]));
    server.expect_connection_error(code::FLOW_CONTROL_ERROR)
}

// Spec: h2-6.9.1-overflow-connection, h2-6.9.1-overflow-stream
fn maximum(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Bidi)?;
    let sent = |server: &Server, stream: Option<u32>| {
        let data = server
            .heard
            .frames
            .iter()
            .filter(|frame| frame.kind == wire::DATA);
        let of_it = data.filter(|frame| stream.is_none_or(|stream| frame.stream == stream));
        of_it.map(|frame| frame.payload.len() as u32).sum::<u32>()
    };
    let (all, of_stream) = (sent(server, None), sent(server, Some(request.stream)));
    let increment = 0x7fff_ffff - 65_535;
    server.send(&wire::window_update(0, increment + all));
    server.send(&wire::window_update(request.stream, increment + of_stream));
    server.expect_ignored()?;
    // One octet more is too much.
    server.send(&wire::window_update(request.stream, 1));
    server.expect_stream_error(request, code::FLOW_CONTROL_ERROR, 13)
}

/// A call of `REQUEST` octets where the stream's window is 400.
fn stalled(server: &mut Server) -> Result<Request, Fault> {
    server.open()?;
    server.send(&wire::settings(&[(WINDOW, 400)]));
    server.look();
    let call = server.client.call(Call::Unary(REQUEST));
    let answer = server.answer(3)?;
    let exact = answer.content.len() == 400 && !answer.ended;
    check(exact, || format!("exactly the window, not {answer:?}"))?;
    Ok(Request { stream: 3, call })
}

/// The rest of the stalled request comes now, and it is answered.
fn whole(server: &mut Server, request: Request, so_far: usize) -> Verdict {
    let answer = server.answer(request.stream)?;
    let total = so_far + answer.content.len();
    let exact = total == wire::message(&[0; REQUEST]).len() && answer.ended;
    check(exact, || {
        format!("the rest after {so_far} octets, not {answer:?}")
    })?;
    server.respond(request.stream, b"got it");
    server.expect_outcome(request.call, 0, b"got it")
}

// Spec: h2-6.9.1-both-windows, trap-prefix-in-window, trap-held-data-sent, trap-split-not-refused
fn within_stream_window(server: &mut Server) -> Verdict {
    let request = stalled(server)?;
    server.expect_silence()?;
    server.send(&wire::window_update(0, 10_000));
    server.expect_silence()?;
    server.send(&wire::window_update(request.stream, 300));
    let answer = server.answer(request.stream)?;
    check(answer.content.len() == 300 && !answer.ended, || {
        format!("300 octets: {answer:?}")
    })?;
    server.send(&wire::window_update(request.stream, 10_000));
    whole(server, request, 700)?;
    server.expect_ignored()
}

// Spec: h2-6.9.1-both-windows, trap-split-not-refused
fn within_connection_window(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::settings(&[(WINDOW, 1_000_000)]));
    server.look();
    let call = server.client.call(Call::Unary(70_000));
    // What the innocent call sent is out of the same window.
    let innocent: usize = server
        .heard
        .frames
        .iter()
        .filter(|frame| frame.kind == wire::DATA)
        .map(|frame| frame.payload.len())
        .sum();
    let answer = server.answer(3)?;
    check(answer.content.len() == 65_535 - innocent && !answer.ended, || {
        format!("{} octets in place of the window", answer.content.len())
    })?;
    server.send(&wire::window_update(3, 1_000_000));
    server.expect_silence()?;
    server.send(&wire::window_update(0, 1_000_000));
    let rest = server.answer(3)?;
    let total = answer.content.len() + rest.content.len();
    check(total == wire::message(&[0; 70_000]).len() && rest.ended, || {
        format!("{total} octets in all")
    })?;
    server.respond(3, b"large");
    server.expect_outcome(call, 0, b"large")?;
    server.expect_ignored()
}

// Spec: h2-6.9.2-shift, trap-settings-applied
fn settings_open(server: &mut Server) -> Verdict {
    let request = stalled(server)?;
    server.send(&wire::settings(&[(WINDOW, 65_535)]));
    whole(server, request, 400)?;
    server.expect_ignored()
}

// Spec: h2-6.9.2-negative, h2-6.9.2-shift, threat-20
fn negative(server: &mut Server) -> Verdict {
    let request = stalled(server)?;
    // 400 are sent: the window is 100 - 400.
    server.send(&wire::settings(&[(WINDOW, 100)]));
    let frames = server.look();
    check(matches!(&frames[..], [ack] if ack.kind == wire::SETTINGS), || {
        format!("{frames:?}")
    })?;
    server.send(&wire::window_update(request.stream, 300));
    server.expect_silence()?;
    server.send(&wire::window_update(request.stream, 1));
    let answer = server.answer(request.stream)?;
    check(answer.content.len() == 1, || format!("one octet: {answer:?}"))?;
    server.send(&wire::window_update(request.stream, 5_000));
    whole(server, request, 401)?;
    server.look();
    server.expect_ping_answered()
}

// Spec: h2-6.9.2-not-connection
fn not_the_connection(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::settings(&[(WINDOW, 0)]));
    server.look();
    server.send(&wire::settings(&[(WINDOW, 100_000)]));
    server.look();
    server.client.call(Call::Unary(70_000));
    let innocent: usize = server
        .heard
        .frames
        .iter()
        .filter(|frame| frame.kind == wire::DATA)
        .map(|frame| frame.payload.len())
        .sum();
    let answer = server.answer(3)?;
    check(answer.content.len() == 65_535 - innocent, || {
        format!("{} octets in place of the window", answer.content.len())
    })
}

// Spec: h2-5.2.2-keeps-reading
fn keeps_reading(server: &mut Server) -> Verdict {
    let request = stalled(server)?;
    server.expect_ping_answered()?;
    server.send(&wire::settings(&[(3, 50)]));
    let frames = server.look();
    check(
        matches!(&frames[..], [ack] if ack.kind == wire::SETTINGS && ack.flags == wire::ACK),
        || format!("{frames:?}"),
    )?;
    server.send(&wire::rst_stream(request.stream, code::CANCEL));
    server.expect_outcome(request.call, 1, &[])?;
    server.send(&wire::settings(&[(WINDOW, 65_535)]));
    server.look();
    server.expect_alive()
}

/// The stream's receive window as the client told it.
fn told(server: &Server) -> usize {
    let entries = super::preface::entries(&server.heard.frames[0].payload);
    let window = entries.iter().find(|(id, _)| *id == WINDOW);
    window.map_or(65_535, |(_, value)| *value as usize)
}

// Spec: h2-6.9.1-exceeded, threat-21, h2-6.9.1-padding-counts
fn beyond_stream(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let window = told(server);
    server.send(&wire::headers(request.stream, HEAD, 0));
    // A message that is never whole, so that nothing is credited back; what goes beyond is one octet of padding.
    let prefix = (window as u32 - 5).to_be_bytes();
    let octets = [&[0][..], &prefix, &vec![0; window - 5 - 2]].concat();
    server.send(&wire::data(request.stream, &octets, 0));
    server.expect_silence()?;
    server.send(&wire::padded_data(request.stream, &[], 2, 0));
    server.expect_stream_error(request, code::FLOW_CONTROL_ERROR, 13)
}

// Spec: h2-6.9.1-padding-counts, trap-padding-in-window, threat-22
fn padding_is_credited(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    let window = told(server) as i64;
    let (mut stream, mut connection) = (window, 65_535_i64);
    let message = wire::message(&[b'p'; 200]);
    for octet in &message {
        stream -= 256;
        connection -= 256;
        check(stream >= 0 && connection >= 0, || {
            format!("windows are spent: {stream}, {connection}")
        })?;
        server.send(&wire::padded_data(request.stream, &[*octet], 254, 0));
        for frame in server.look() {
            check(frame.kind == wire::WINDOW_UPDATE, || {
                format!("{frame:?} for padding")
            })?;
            let increment = i64::from(frame.u32_at(0).unwrap_or(0));
            if frame.stream == 0 {
                connection += increment;
            } else {
                stream += increment;
            }
        }
        check(stream <= window && connection <= 65_535, || {
            "more credit than was used".to_owned()
        })?;
    }
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_outcome(request.call, 0, &[b'p'; 200])?;
    server.look();
    server.expect_ping_answered()
}

// Spec: h2-4.2-sends-within
fn frame_size(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::settings(&[(WINDOW, 100_000)]));
    server.look();
    server.client.call(Call::Unary(50_000));
    let answer = server.answer(3)?;
    let largest = answer.pieces.iter().max().copied().unwrap_or(0);
    check(largest <= 16_384 && answer.ended, || {
        format!("a frame of {largest} octets")
    })?;
    server.respond(3, b"ok");
    server.expect_ignored()
}
