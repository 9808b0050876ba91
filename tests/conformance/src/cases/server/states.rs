//! What may come in which state of a stream. Spec: RFC 9113 section 5.1.

use crate::cases::server::kit::{
    self, DEFAULT_WINDOW, INITIAL_WINDOW_SIZE, UNARY, completed, expect, expect_handlers, fails, half_closed,
    is_data, is_headers, reset_by_server,
};
use crate::peer::{Answer, Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-5.1-idle
    Case::new("states/data_on_an_idle_stream_is_a_protocol_error", data_on_idle),
    // Spec: h2-5.1-idle, h2-6.4-idle
    Case::new("states/rst_stream_on_an_idle_stream_is_a_protocol_error", reset_on_idle),
    // Spec: h2-5.1-idle
    Case::new("states/window_update_on_an_idle_stream_is_a_protocol_error", window_update_on_idle),
    // Spec: h2-5.1-idle
    Case::new("states/any_frame_on_an_idle_stream_of_the_servers_is_a_protocol_error", even_idle),
    // Spec: h2-5.1-half-closed-allowed, h2-6.9-closed, trap-held-data-sent
    Case::new("states/half_closed_stream_takes_window_updates", half_closed_window_update),
    // Spec: h2-5.1-half-closed-allowed
    Case::new("states/half_closed_stream_takes_priority", half_closed_priority),
    // Spec: h2-5.1-half-closed-allowed, grpc-cancel-handler, h2-6.4-silence, h2-5.4.2-no-answer
    Case::new("states/half_closed_stream_takes_rst_stream", half_closed_reset),
    // Spec: h2-5.1-half-closed, h2-6.1-state
    Case::new("states/data_on_a_half_closed_stream_resets_it", half_closed_data),
    // Spec: h2-5.1-half-closed
    Case::new("states/headers_on_a_half_closed_stream_reset_it", half_closed_headers),
    // Spec: h2-5.1-half-closed, h2-4.3-always-decodes
    Case::new("states/headers_that_reset_a_half_closed_stream_feed_the_table", half_closed_headers_decoded),
    // Spec: h2-6.10-no-block
    Case::new("states/continuation_on_a_half_closed_stream_is_a_protocol_error", half_closed_continuation),
    // Spec: h2-5.1-closed-arrivals
    Case::new("states/data_on_a_stream_that_the_client_reset_is_stream_closed", own_reset_data),
    // Spec: h2-5.1-closed-arrivals, h2-5.1.1-highest-again
    Case::new("states/headers_on_a_stream_that_the_client_reset_are_stream_closed", own_reset_headers),
    // Spec: h2-6.10-no-block
    Case::new("states/continuation_on_a_stream_that_the_client_reset_is_a_protocol_error", own_reset_continuation),
    // Spec: h2-5.1-closed-arrivals
    Case::new("states/data_on_a_completed_stream_is_stream_closed", completed_data),
    // Spec: h2-5.1-closed-arrivals, h2-5.1.1-highest-again
    Case::new("states/headers_on_a_completed_stream_are_stream_closed", completed_headers),
    // Spec: h2-6.10-no-block
    Case::new("states/continuation_on_a_completed_stream_is_a_protocol_error", completed_continuation),
    // Spec: h2-6.3-any-state, h2-6.9-closed, h2-5.4.2-no-answer
    Case::new("states/closed_stream_takes_priority_window_update_and_rst_stream", closed_takes),
    // Spec: h2-5.4.2-in-flight, h2-5.1-closed-arrivals, h2-5.1-closed-silence
    Case::new("states/what_was_on_its_way_to_a_stream_that_the_server_reset_is_dropped", in_flight),
    // Spec: h2-5.4.2-in-flight, threat-19, h2-4.3-always-decodes
    Case::new("states/headers_on_their_way_to_a_stream_that_the_server_reset_feed_the_table", in_flight_headers),
    // Spec: h2-5.4.2-in-flight
    Case::new("states/all_streams_that_the_server_reset_are_remembered_or_forgiven", many_resets),
    // Spec: h2-5.1-closed-arrivals
    Case::new("states/an_old_completed_stream_is_not_excused_by_resets_of_newer_ones", old_completed),
];

fn data_on_idle(client: &mut Client) -> Verdict {
    fails(
        client,
        &wire::data(3, b"idle", wire::END_STREAM),
        code::PROTOCOL_ERROR,
    )
}

fn reset_on_idle(client: &mut Client) -> Verdict {
    fails(client, &wire::rst_stream(3, code::CANCEL), code::PROTOCOL_ERROR)
}

fn window_update_on_idle(client: &mut Client) -> Verdict {
    fails(client, &wire::window_update(3, 100), code::PROTOCOL_ERROR)
}

fn even_idle(client: &mut Client) -> Verdict {
    let frames = [
        wire::data(2, b"idle", 0),
        wire::rst_stream(2, code::CANCEL),
        wire::window_update(2, 100),
        wire::headers(2, &request(UNARY), 0),
    ];
    kit::each(client, frames, |client, frame| {
        fails(client, frame, code::PROTOCOL_ERROR)
    })
}

fn half_closed_window_update(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 0)])?;
    let stream = kit::call(client, UNARY, b"0123456789");
    let mut all = client.look();
    expect(
        &all,
        matches!(&all[..], [head] if is_headers(head, stream)),
        "HEADERS alone",
    )?;
    client.send(&wire::window_update(stream, 4));
    let frames = client.look();
    expect(
        &frames,
        matches!(&frames[..], [data] if is_data(data, stream, 4)),
        "4 octets of DATA",
    )?;
    all.extend(frames);
    client.send(&wire::window_update(stream, 1_000));
    all.extend(client.look());
    Answer::of(&all, stream)?.expect_echo(b"0123456789")?;
    kit::set(client, &[(INITIAL_WINDOW_SIZE, DEFAULT_WINDOW as u32)])?;
    client.expect_alive()
}

fn half_closed_priority(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&wire::priority(stream, 1));
    client.expect_ignored()?;
    expect_handlers(client, 1)
}

fn half_closed_reset(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&wire::rst_stream(stream, code::CANCEL));
    expect_handlers(client, 1)?;
    client.expect_ignored()
}

fn half_closed_data(client: &mut Client) -> Verdict {
    kit::each(client, [0, wire::END_STREAM], |client, flags| {
        client.open_with_innocent()?;
        let stream = half_closed(client)?;
        client.send(&wire::data(stream, b"late", *flags));
        expect_handlers(client, 1)?;
        client.expect_stream_error(stream, code::STREAM_CLOSED)
    })
}

fn half_closed_headers(client: &mut Client) -> Verdict {
    kit::each(client, [0, wire::END_STREAM], |client, flags| {
        client.open_with_innocent()?;
        let stream = half_closed(client)?;
        client.send(&wire::headers(stream, &[("x-late", "trailers")], *flags));
        expect_handlers(client, 1)?;
        client.expect_stream_error(stream, code::STREAM_CLOSED)
    })
}

fn half_closed_headers_decoded(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&kit::headers_of(stream, &INDEXED_PATH, wire::END_STREAM));
    let frames = client.look();
    let reset = matches!(&frames[..], [reset] if kit::is_reset(reset, stream, code::STREAM_CLOSED));
    expect(&frames, reset, "RST_STREAM(STREAM_CLOSED) alone")?;
    expect_path_from_table(client)
}

/// A literal that enters the dynamic table: `:path: /test.Echo/Unary`, its name by the static table.
const INDEXED_PATH: [u8; 18] = *b"\x44\x10/test.Echo/Unary";

/// A call whose path is the newest entry of the dynamic table is answered.
fn expect_path_from_table(client: &mut Client) -> Verdict {
    let stream = client.next_stream();
    // POST, http, the entry.
    let mut block = vec![0x83, 0x86, 62 | 0x80];
    block.extend(wire::block(&request(UNARY)[4..]));
    client.send(&kit::headers_of(stream, &block, 0));
    client.send(&kit::last_data(stream, b"in step"));
    client.answer(stream)?.expect_echo(b"in step")?;
    client.expect_alive()
}

fn half_closed_continuation(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&wire::continuation(stream, b"", wire::END_HEADERS));
    client.expect_connection_error(stream, code::PROTOCOL_ERROR)
}

/// After a stream that the client itself has reset, `frame` ends the connection.
fn after_own_reset(client: &mut Client, frame: impl FnOnce(u32) -> Vec<u8>, code: u32) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&wire::rst_stream(stream, code::CANCEL));
    client.expect_silence()?;
    client.send(&frame(stream));
    client.expect_connection_error(stream, code)
}

fn own_reset_data(client: &mut Client) -> Verdict {
    after_own_reset(
        client,
        |stream| wire::data(stream, b"late", 0),
        code::STREAM_CLOSED,
    )
}

fn own_reset_headers(client: &mut Client) -> Verdict {
    let again = |stream| wire::headers(stream, &request(UNARY), wire::END_STREAM);
    after_own_reset(client, again, code::STREAM_CLOSED)
}

fn own_reset_continuation(client: &mut Client) -> Verdict {
    let again = |stream| wire::continuation(stream, &wire::block(&request(UNARY)), wire::END_HEADERS);
    after_own_reset(client, again, code::PROTOCOL_ERROR)
}

/// After a stream that both sides have ended, `frame` ends the connection.
fn after_completion(client: &mut Client, frame: impl FnOnce(u32) -> Vec<u8>, code: u32) -> Verdict {
    client.open_with_innocent()?;
    let stream = completed(client)?;
    client.send(&frame(stream));
    client.expect_connection_error(stream, code)
}

fn completed_data(client: &mut Client) -> Verdict {
    after_completion(
        client,
        |stream| wire::data(stream, b"late", 0),
        code::STREAM_CLOSED,
    )
}

fn completed_headers(client: &mut Client) -> Verdict {
    let again = |stream| wire::headers(stream, &request(UNARY), wire::END_STREAM);
    after_completion(client, again, code::STREAM_CLOSED)
}

fn completed_continuation(client: &mut Client) -> Verdict {
    let again = |stream| wire::continuation(stream, &wire::block(&request(UNARY)), wire::END_HEADERS);
    after_completion(client, again, code::PROTOCOL_ERROR)
}

fn closed_takes(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let closed = [completed(client)?, reset_by_server(client)?, {
        let stream = half_closed(client)?;
        client.send(&wire::rst_stream(stream, code::CANCEL));
        stream
    }];
    for stream in closed {
        client.send(&wire::priority(stream, 0));
        client.send(&wire::window_update(stream, 1));
        // Even too much.
        client.send(&wire::window_update(stream, 0x7fff_ffff));
        client.send(&wire::rst_stream(stream, code::NO_ERROR));
        client.expect_silence()?;
    }
    client.expect_ignored()
}

fn in_flight(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = reset_by_server(client)?;
    client.send(&wire::data(stream, &[0; 500], 0));
    client.send(&wire::window_update(stream, 1));
    client.send(&wire::priority(stream, 0));
    client.send(&wire::data(stream, &[0; 500], wire::END_STREAM));
    client.send(&wire::rst_stream(stream, code::CANCEL));
    client.expect_ignored()
}

fn in_flight_headers(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = reset_by_server(client)?;
    client.send(&kit::headers_of(stream, &INDEXED_PATH, wire::END_STREAM));
    client.expect_silence()?;
    expect_path_from_table(client)
}

fn many_resets(client: &mut Client) -> Verdict {
    // More than anybody would remember one by one, and within the budget for errors.
    client.open_with_innocent()?;
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(reset_by_server(client)?);
    }
    for stream in streams {
        client.send(&wire::data(stream, b"on its way", wire::END_STREAM));
        client.expect_silence()?;
    }
    client.expect_ignored()
}

fn old_completed(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let old = completed(client)?;
    let last = reset_by_server(client)?;
    client.send(&wire::data(old, b"late", 0));
    client.expect_connection_error(last, code::STREAM_CLOSED)
}
