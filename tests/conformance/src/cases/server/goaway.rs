//! GOAWAY both ways, and the graceful end. Spec: RFC 9113 section 6.8.

use crate::cases::server::kit::{
    self, UNARY, call, completed, each, expect, expect_handlers, fails, half_closed, headers_of, last_data,
};
use crate::peer::{Answer, Client, request};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, Frame, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-6.8-stream
    Case::new("goaway/on_a_stream_is_a_protocol_error", on_stream),
    // Spec: h2-6.8-length, trap-short-frames
    Case::new("goaway/shorter_than_8_is_a_frame_size_error", too_short),
    // Spec: h2-6.8-lower-go-on
    Case::new("goaway/of_the_client_lets_its_calls_complete_and_then_ends_the_connection", from_client),
    // Spec: h2-7-unknown-codes
    Case::new("goaway/with_an_unknown_code_and_debug_data_is_like_any_other", unknown_code),
    // Spec: h2-6.8-lower-go-on
    Case::new("goaway/of_the_client_does_not_forbid_it_new_streams", new_after_client),
    // Spec: h2-6.8-graceful
    Case::new("goaway/a_graceful_end_begins_with_the_highest_identifier_and_a_ping", graceful_begin),
    // Spec: h2-6.8-graceful, h2-6.8-last-stream-covers
    Case::new("goaway/a_graceful_end_names_the_last_stream_after_the_round_trip", graceful_round_trip),
    // Spec: h2-6.8-graceful, h2-6.8-lower-go-on, h2-6.8-before-close
    Case::new("goaway/a_graceful_end_lets_calls_complete_and_closes", graceful_completes),
    // Spec: h2-6.8-graceful
    Case::new("goaway/streams_opened_within_the_round_trip_are_served", within_round_trip),
    // Spec: h2-6.8-accounting, h2-5.1-closed-silence
    Case::new("goaway/streams_above_the_last_are_dropped_and_feed_the_table", above_last),
    // Spec: h2-6.8-accounting, h2-6.9-counts-all
    Case::new("goaway/data_of_streams_above_the_last_is_credited", above_last_credit),
    // Spec: h2-6.8-never-raised, h2-5.4.1-last-stream
    Case::new("goaway/an_error_after_a_graceful_end_does_not_raise_the_last_stream", error_after_graceful),
    // Spec: h2-6.8-graceful
    Case::new("goaway/a_ping_that_does_not_come_back_is_waited_for_so_long", no_round_trip),
    // Spec: h2-6.8-graceful
    Case::new("goaway/calls_that_outlast_the_grace_are_cancelled", outlasts_grace),
];

fn on_stream(client: &mut Client) -> Verdict {
    each(client, [1, 2, 3], |client, stream| {
        fails(
            client,
            &wire::frame(wire::GOAWAY, 0, *stream, &[0; 8]),
            code::PROTOCOL_ERROR,
        )
    })
}

fn too_short(client: &mut Client) -> Verdict {
    each(client, [0, 4, 7], |client, len| {
        fails(
            client,
            &wire::frame(wire::GOAWAY, 0, 0, &vec![0; *len]),
            code::FRAME_SIZE_ERROR,
        )
    })
}

/// After the client's GOAWAY an open call completes, and then the connection is over.
fn leaves(client: &mut Client, goaway: &[u8]) -> Verdict {
    client.open()?;
    let stream = client.next_stream();
    client.begin(stream);
    client.send(goaway);
    client.expect_silence()?;
    client.expect_ping_answered()?;
    client.send(&last_data(stream, b"goodbye"));
    client.answer(stream)?.expect_echo(b"goodbye")?;
    check(client.server.is_closed(), || {
        "the transport is open, and nobody will use it".to_owned()
    })
}

fn from_client(client: &mut Client) -> Verdict {
    leaves(client, &wire::goaway(0, code::NO_ERROR))?;
    client.reconnect();
    leaves(client, &wire::goaway(0, code::ENHANCE_YOUR_CALM))
}

fn unknown_code(client: &mut Client) -> Verdict {
    each(client, [0xe, 0xffff_ffff], |client, unknown| {
        let payload = [&[0; 4][..], &u32::to_be_bytes(*unknown), b"some words about it"].concat();
        leaves(client, &wire::frame(wire::GOAWAY, 0, 0, &payload))
    })
}

fn new_after_client(client: &mut Client) -> Verdict {
    // It binds the one who receives it.
    client.open_with_innocent()?;
    client.send(&wire::goaway(0, code::NO_ERROR));
    client.expect_silence()?;
    completed(client)?;
    client.expect_ping_answered()
}

/// The first GOAWAY and its PING, whose payload is returned.
fn begin_shutdown(client: &mut Client) -> Result<Vec<u8>, Fault> {
    client.server.shut_down();
    let frames = client.look();
    let good = matches!(&frames[..], [goaway, ping]
        if is_goaway(goaway, 0x7fff_ffff, code::NO_ERROR)
        && ping.kind == wire::PING && ping.flags == 0 && ping.stream == 0 && ping.payload.len() == 8);
    expect(&frames, good, "GOAWAY(2^31-1, NO_ERROR) and a PING")?;
    Ok(frames[1].payload.clone())
}

/// The PING comes back: GOAWAY with this last stream.
fn end_round_trip(client: &mut Client, payload: &[u8], last: u32) -> Verdict {
    client.send(&wire::frame(wire::PING, wire::ACK, 0, payload));
    let frames = client.look();
    let good = matches!(&frames[..], [goaway] if is_goaway(goaway, last, code::NO_ERROR));
    expect(&frames, good, &format!("GOAWAY({last}, NO_ERROR) alone"))
}

fn is_goaway(frame: &Frame, last: u32, code: u32) -> bool {
    frame.kind == wire::GOAWAY
        && frame.flags == 0
        && frame.stream == 0
        && frame.u32_at(0) == Some(last)
        && frame.u32_at(4) == Some(code)
}

fn graceful_begin(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = half_closed(client)?;
    begin_shutdown(client)?;
    // Another PING's acknowledgement is not the one.
    client.send(&wire::frame(wire::PING, wire::ACK, 0, b"another!"));
    client.expect_silence()?;
    client.expect_ping_answered()?;
    expect_handlers(client, 1)?;
    client.send(&wire::rst_stream(stream, code::CANCEL));
    client.expect_silence()
}

fn graceful_round_trip(client: &mut Client) -> Verdict {
    client.open()?;
    half_closed(client)?;
    let last = half_closed(client)?;
    let payload = begin_shutdown(client)?;
    end_round_trip(client, &payload, last)?;
    client.expect_ping_answered()?;
    expect_handlers(client, 2)
}

fn graceful_completes(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = client.next_stream();
    client.begin(stream);
    let payload = begin_shutdown(client)?;
    end_round_trip(client, &payload, stream)?;
    client.send(&last_data(stream, b"to the end"));
    client.answer(stream)?.expect_echo(b"to the end")?;
    check(client.server.is_closed(), || {
        "the transport is open after the last call".to_owned()
    })?;
    expect_handlers(client, 0)
}

fn within_round_trip(client: &mut Client) -> Verdict {
    client.open()?;
    half_closed(client)?;
    let payload = begin_shutdown(client)?;
    let late = completed(client)?;
    end_round_trip(client, &payload, late)
}

fn above_last(client: &mut Client) -> Verdict {
    client.open()?;
    let last = client.next_stream();
    client.begin(last);
    let payload = begin_shutdown(client)?;
    end_round_trip(client, &payload, last)?;
    // Three entries for the table, and content.
    for path in [UNARY, "/a", "/b"] {
        let stream = client.next_stream();
        let mut block = vec![0x83, 0x86, 0x44, path.len() as u8];
        block.extend(path.bytes());
        client.send(&[headers_of(stream, &block, 0), last_data(stream, b"ignored")].concat());
        client.expect_silence()?;
    }
    client.expect_ping_answered()?;
    expect_handlers(client, 1)?;
    // The trailers name the newest entry; beyond the table they would be an error.
    client.send(&wire::data(last, &wire::message(b"in step"), 0));
    let trailers = [&[0x0f, 64 - 15, 1][..], b"/"].concat();
    // A pseudo-header field is malformed there, but its index is right: the stream fails and not the connection.
    client.send(&headers_of(last, &trailers, wire::END_STREAM));
    let frames = client.look();
    let reset = matches!(&frames[..], [reset] if kit::is_reset(reset, last, code::PROTOCOL_ERROR));
    expect(&frames, reset, "RST_STREAM(PROTOCOL_ERROR) alone")
}

fn above_last_credit(client: &mut Client) -> Verdict {
    client.open()?;
    let last = half_closed(client)?;
    let payload = begin_shutdown(client)?;
    end_round_trip(client, &payload, last)?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(UNARY), 0));
    let mut window = kit::DEFAULT_WINDOW;
    for _ in 0..64 {
        check(window >= 1_000, || format!("a window of {window} is left"))?;
        client.send(&wire::data(stream, &[0; 1_000], 0));
        let frames = client.look();
        let credited = kit::credit(&frames, 0);
        expect(
            &frames,
            frames
                .iter()
                .all(|frame| frame.kind == wire::WINDOW_UPDATE && frame.stream == 0),
            "credit",
        )?;
        window = window - 1_000 + credited;
    }
    check(window > kit::DEFAULT_WINDOW / 2, || {
        format!("a window of {window} is left")
    })
}

fn error_after_graceful(client: &mut Client) -> Verdict {
    client.open()?;
    let last = half_closed(client)?;
    let payload = begin_shutdown(client)?;
    end_round_trip(client, &payload, last)?;
    let above = client.next_stream();
    client.send(&wire::headers(above, &request(UNARY), wire::END_STREAM));
    client.expect_silence()?;
    client.send(&wire::data(0, b"", 0));
    client.expect_connection_error(last, code::PROTOCOL_ERROR)
}

fn no_round_trip(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = client.next_stream();
    client.begin(stream);
    begin_shutdown(client)?;
    client.server.pass(9_999);
    client.expect_silence()?;
    client.server.pass(1);
    let frames = client.look();
    let good = frames
        .first()
        .is_some_and(|goaway| is_goaway(goaway, stream, code::NO_ERROR));
    expect(&frames, good, "the second GOAWAY")
}

fn outlasts_grace(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = call(client, kit::WAIT, b"");
    let payload = begin_shutdown(client)?;
    end_round_trip(client, &payload, stream)?;
    client.server.pass(9_000);
    client.expect_silence()?;
    expect_handlers(client, 1)?;
    client.server.pass(1_001);
    expect_handlers(client, 0)?;
    let frames = client.look();
    Answer::of(&frames, stream)?;
    check(client.server.is_closed(), || {
        format!("the transport is open after the grace: {frames:?}")
    })
}
