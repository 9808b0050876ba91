//! The client's windows, which bind the server. Spec: RFC 9113 sections 5.2 and 6.9.

use crate::cases::server::kit::{
    self, DEFAULT_WINDOW, INITIAL_WINDOW_SIZE, MAX_WINDOW, STREAM, UNARY, call, each, expect, fails,
    half_closed, ignores, is_data, is_headers, resets, set,
};
use crate::peer::{Answer, Client, request};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, Frame, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-6.9.1-both-windows, trap-held-data-sent, trap-split-not-refused
    Case::new("send_window/one_octet_of_credit_sends_one_octet", one_octet),
    // Spec: h2-6.9.1-both-windows, trap-held-data-sent
    Case::new("send_window/octets_of_credit_one_by_one_send_it_all", octet_by_octet),
    // Spec: h2-6.9.1-both-windows, h2-6.5.2-defaults
    Case::new("send_window/the_connection_has_65535_octets_and_not_one_more", connection_window),
    // Spec: h2-6.9.2-not-connection, trap-held-data-sent
    Case::new("send_window/initial_window_size_leaves_the_connections_window_alone", not_connection),
    // Spec: h2-6.9.2-shift, trap-held-data-sent, trap-settings-applied
    Case::new("send_window/a_larger_initial_window_size_sends_what_was_held", larger),
    // Spec: h2-6.9.2-negative, h2-6.9.2-shift
    Case::new("send_window/a_negative_window_is_silent_until_it_is_positive", negative),
    // Spec: h2-6.9.2-shift
    Case::new("send_window/a_change_shifts_the_windows_of_all_streams", all_streams),
    // Spec: h2-6.9.1-empty-end, grpc-response-trailers
    Case::new("send_window/trailers_need_no_credit", trailers_need_none),
    // Spec: h2-5.2.2-keeps-reading
    Case::new("send_window/shut_windows_stop_neither_requests_nor_control_frames", keeps_reading),
    // Spec: h2-6.9.1-both-windows
    Case::new("send_window/a_stream_without_credit_does_not_hold_another", independent),
    // Spec: h2-6.9-zero-connection
    Case::new("send_window/an_update_of_0_on_the_connection_is_a_protocol_error", zero_connection),
    // Spec: h2-6.9-zero-stream
    Case::new("send_window/an_update_of_0_on_a_stream_resets_it", zero_stream),
    // Spec: h2-6.9-length
    Case::new("send_window/an_update_of_another_length_than_4_is_a_frame_size_error", wrong_length),
    // Spec: h2-6.9.1-overflow-connection, threat-20
    Case::new("send_window/the_connections_window_may_be_the_largest_and_no_larger", overflow_connection),
    // Spec: h2-6.9.1-overflow-connection
    Case::new("send_window/many_updates_that_overflow_the_connection_are_a_flow_control_error", many_overflow_connection),
    // Spec: h2-6.9.1-overflow-stream, threat-20
    Case::new("send_window/a_streams_window_may_be_the_largest_and_no_larger", overflow_stream),
    // Spec: h2-6.9.1-overflow-stream
    Case::new("send_window/many_updates_that_overflow_a_stream_reset_it", many_overflow_stream),
    // Spec: h2-6.9.2-overflow
    Case::new("send_window/an_initial_window_size_that_overflows_a_stream_is_a_flow_control_error", overflow_by_settings),
    // Spec: h2-6.9.2-overflow
    Case::new("send_window/an_initial_window_size_just_below_overflow_is_taken", no_overflow_by_settings),
    // Spec: h2-6.9.1-overflow-connection, h2-6.9.2-not-connection
    Case::new("send_window/an_initial_window_size_cannot_overflow_the_connection", settings_and_connection),
];

/// Nothing but DATA of `stream`, of so many octets together.
fn expect_data(frames: &[Frame], stream: u32, octets: usize) -> Verdict {
    let sum: usize = frames.iter().map(|frame| frame.payload.len()).sum();
    let data = frames
        .iter()
        .all(|frame| frame.kind == wire::DATA && frame.stream == stream);
    expect(frames, data && sum == octets, &format!("{octets} octets of DATA"))
}

fn one_octet(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 1)])?;
    let stream = call(client, UNARY, b"one");
    let frames = client.look();
    let good = matches!(&frames[..], [head, data] if is_headers(head, stream) && is_data(data, stream, 1));
    expect(&frames, good, "HEADERS, and one octet")?;
    client.expect_ping_answered()?;
    client.send(&wire::rst_stream(stream, code::CANCEL));
    set(client, &[(INITIAL_WINDOW_SIZE, 1_000)])?;
    client.expect_alive()
}

fn octet_by_octet(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 0)])?;
    let stream = call(client, UNARY, b"dribble");
    let mut all = client.look();
    for _ in 0..wire::message(b"dribble").len() - 1 {
        client.send(&wire::window_update(stream, 1));
        let frames = client.look();
        expect_data(&frames, stream, 1)?;
        all.extend(frames);
    }
    client.send(&wire::window_update(stream, 1));
    all.extend(client.look());
    Answer::of(&all, stream)?.expect_echo(b"dribble")
}

/// Draws 64,000 octets of DATA, so that 1,535 are left in the connection's window, and then one call more, of 8,000,
/// whose stream and frames are returned.
fn exhaust(client: &mut Client) -> Result<(u32, Vec<Frame>), Fault> {
    let reply = wire::message(b"x").len();
    for _ in 0..8 {
        let stream = call(client, STREAM, &[b'x'; 1_000]);
        let octets = client.answer(stream)?.content.len();
        check(octets == 1_000 * reply, || format!("{octets} octets came"))?;
    }
    let stream = call(client, STREAM, &[b'x'; 1_000]);
    let frames = client.look();
    let sum: usize = data_of(&frames, stream);
    expect(
        &frames,
        sum == DEFAULT_WINDOW - 8_000 * reply,
        "all that the window still allows",
    )?;
    Ok((stream, frames))
}

fn data_of(frames: &[Frame], stream: u32) -> usize {
    let data = frames
        .iter()
        .filter(|frame| frame.kind == wire::DATA && frame.stream == stream);
    data.map(|frame| frame.payload.len()).sum()
}

/// The rest of the call that [`exhaust`] has begun.
fn finish(client: &mut Client, stream: u32, mut all: Vec<Frame>) -> Verdict {
    client.send(&wire::window_update(0, 1_000_000));
    all.extend(client.look());
    let answer = Answer::of(&all, stream)?;
    let replies = wire::contents(&answer.content).unwrap_or_default();
    check(
        replies.len() == 1_000 && answer.trailer("grpc-status") == Some("0") && answer.ended,
        || format!("{} replies, {:?}", replies.len(), answer.trailers),
    )?;
    client.expect_alive()
}

fn connection_window(client: &mut Client) -> Verdict {
    client.open()?;
    let (stream, mut all) = exhaust(client)?;
    client.expect_ping_answered()?;
    // Credit for the stream is none for the connection.
    client.send(&wire::window_update(stream, 1_000));
    client.expect_silence()?;
    client.send(&wire::window_update(0, 700));
    let frames = client.look();
    expect_data(&frames, stream, 700)?;
    all.extend(frames);
    finish(client, stream, all)
}

fn not_connection(client: &mut Client) -> Verdict {
    client.open()?;
    let (stream, all) = exhaust(client)?;
    let rest = set(client, &[(INITIAL_WINDOW_SIZE, 1_000_000)])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    finish(client, stream, all)
}

fn larger(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 0)])?;
    let stream = call(client, UNARY, b"held");
    let mut all = client.look();
    expect(
        &all,
        matches!(&all[..], [head] if is_headers(head, stream)),
        "HEADERS alone",
    )?;
    let one = set(client, &[(INITIAL_WINDOW_SIZE, 1)])?;
    expect_data(&one, stream, 1)?;
    all.extend(one);
    all.extend(set(client, &[(INITIAL_WINDOW_SIZE, DEFAULT_WINDOW as u32)])?);
    Answer::of(&all, stream)?.expect_echo(b"held")?;
    client.expect_alive()
}

fn negative(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 9)])?;
    let stream = call(client, UNARY, &[7; 100]);
    let mut all = client.look();
    expect_data(&all[1..], stream, 9)?;
    // 9 are sent: with 2 the window is -7.
    let rest = set(client, &[(INITIAL_WINDOW_SIZE, 2)])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    client.send(&wire::window_update(stream, 6));
    client.expect_silence()?;
    client.send(&wire::window_update(stream, 1));
    client.expect_silence()?;
    client.send(&wire::window_update(stream, 1));
    let frames = client.look();
    expect_data(&frames, stream, 1)?;
    all.extend(frames);
    // Once more, by 3 below, and back by settings.
    let rest = set(client, &[(INITIAL_WINDOW_SIZE, 0)])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    let three = set(client, &[(INITIAL_WINDOW_SIZE, 5)])?;
    expect_data(&three, stream, 3)?;
    all.extend(three);
    all.extend(set(client, &[(INITIAL_WINDOW_SIZE, 1_000)])?);
    Answer::of(&all, stream)?.expect_echo(&[7; 100])?;
    client.expect_alive()
}

fn all_streams(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 10)])?;
    let streams = [
        call(client, UNARY, &[1; 50]),
        call(client, UNARY, &[2; 50]),
        call(client, UNARY, &[3; 50]),
    ];
    let mut all = client.look();
    for stream in streams {
        check(data_of(&all, stream) == 10, || {
            format!("10 octets each expected: {all:?}")
        })?;
    }
    client.send(&wire::window_update(streams[1], 5));
    all.extend(client.look());
    let more = set(client, &[(INITIAL_WINDOW_SIZE, 13)])?;
    for stream in streams {
        check(data_of(&more, stream) == 3, || {
            format!("3 octets each expected: {more:?}")
        })?;
    }
    all.extend(more);
    all.extend(set(client, &[(INITIAL_WINDOW_SIZE, 1_000)])?);
    for (stream, content) in streams.into_iter().zip([[1; 50], [2; 50], [3; 50]]) {
        Answer::of(&all, stream)?.expect_echo(&content)?;
    }
    client.expect_alive()
}

fn trailers_need_none(client: &mut Client) -> Verdict {
    let message = wire::message(b"exactly").len() as u32;
    client.open_with(&[(INITIAL_WINDOW_SIZE, message)])?;
    let stream = call(client, UNARY, b"exactly");
    client.answer(stream)?.expect_echo(b"exactly")?;
    set(client, &[(INITIAL_WINDOW_SIZE, 0)])?;
    let stream = client.next_stream();
    client.send(&wire::headers(
        stream,
        &request("/test.Echo/Nothing"),
        wire::END_STREAM,
    ));
    kit::expect_trailers_only(&client.answer(stream)?, "12")
}

fn keeps_reading(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 0)])?;
    let first = call(client, UNARY, b"first");
    let mut all = client.look();
    client.expect_ping_answered()?;
    let cancelled = half_closed(client)?;
    client.send(&wire::rst_stream(cancelled, code::CANCEL));
    client.expect_silence()?;
    let second = call(client, UNARY, b"second");
    all.extend(client.look());
    client.expect_ping_answered()?;
    all.extend(set(client, &[(INITIAL_WINDOW_SIZE, 1_000)])?);
    Answer::of(&all, first)?.expect_echo(b"first")?;
    Answer::of(&all, second)?.expect_echo(b"second")?;
    client.expect_alive()
}

fn independent(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 0)])?;
    let held = call(client, UNARY, b"held");
    let mut all = client.look();
    for content in [b"a", b"b", b"c"] {
        let stream = call(client, UNARY, content);
        client.send(&wire::window_update(stream, 100));
        client.answer(stream)?.expect_echo(content)?;
    }
    client.send(&wire::window_update(held, 100));
    all.extend(client.look());
    Answer::of(&all, held)?.expect_echo(b"held")
}

fn zero_connection(client: &mut Client) -> Verdict {
    // The reserved bit is no part of the increment.
    each(client, [0, 0x8000_0000], |client, increment| {
        fails(client, &wire::window_update(0, *increment), code::PROTOCOL_ERROR)
    })
}

fn zero_stream(client: &mut Client) -> Verdict {
    each(client, [0, 0x8000_0000], |client, increment| {
        let octets = |stream| {
            let update = wire::window_update(stream, *increment);
            [wire::headers(stream, &request(UNARY), 0), update].concat()
        };
        resets(client, octets, code::PROTOCOL_ERROR)
    })
}

fn wrong_length(client: &mut Client) -> Verdict {
    for stream in [0, 1, 3] {
        each(client, [0, 3, 5], |client, len| {
            fails(
                client,
                &wire::frame(wire::WINDOW_UPDATE, 0, stream, &vec![0; *len]),
                code::FRAME_SIZE_ERROR,
            )
        })?;
    }
    Ok(())
}

/// What lifts a window of 65,535 to the largest.
const TO_THE_TOP: u32 = MAX_WINDOW - DEFAULT_WINDOW as u32;

fn overflow_connection(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::window_update(0, TO_THE_TOP));
    client.expect_ping_answered()?;
    client.send(&wire::window_update(0, 1));
    client.expect_connection_error(1, code::FLOW_CONTROL_ERROR)?;
    client.reconnect();
    ignores(client, &wire::window_update(0, TO_THE_TOP))
}

fn many_overflow_connection(client: &mut Client) -> Verdict {
    let updates = wire::window_update(0, MAX_WINDOW / 2).repeat(3);
    fails(client, &updates, code::FLOW_CONTROL_ERROR)
}

fn overflow_stream(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&wire::window_update(stream, TO_THE_TOP));
    client.expect_silence()?;
    kit::expect_handlers(client, 2)?;
    client.send(&wire::window_update(stream, 1));
    kit::expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::FLOW_CONTROL_ERROR)
}

fn many_overflow_stream(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let updates = wire::window_update(stream, MAX_WINDOW / 2).repeat(3);
        [wire::headers(stream, &request(UNARY), 0), updates].concat()
    };
    resets(client, octets, code::FLOW_CONTROL_ERROR)
}

fn overflow_by_settings(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::window_update(1, TO_THE_TOP));
    client.send(&wire::settings(&[(
        INITIAL_WINDOW_SIZE,
        DEFAULT_WINDOW as u32 + 1,
    )]));
    client.expect_connection_error(1, code::FLOW_CONTROL_ERROR)
}

fn no_overflow_by_settings(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::window_update(1, TO_THE_TOP - 1));
    let rest = set(client, &[(INITIAL_WINDOW_SIZE, DEFAULT_WINDOW as u32 + 1)])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    client.expect_alive()
}

fn settings_and_connection(client: &mut Client) -> Verdict {
    client.open()?;
    client.send(&wire::window_update(0, TO_THE_TOP));
    let rest = set(client, &[(INITIAL_WINDOW_SIZE, MAX_WINDOW)])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    client.expect_alive()
}
