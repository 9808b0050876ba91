//! Calls of gRPC on the wire. Spec: gRPC `PROTOCOL-HTTP2.md` and `statuscodes.md`.

use crate::cases::server::kit::{
    CHAT, STREAM, UNARY, WAIT, call, each, expect, expect_handlers, expect_trailers_only, is_data,
    is_headers, is_reset, last_data,
};
use crate::peer::{Answer, Client, request, request_with};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: grpc-response-headers, grpc-response-trailers, manners-one-frame, manners-no-empty-data
    Case::new("calls/a_small_answer_is_headers_one_data_frame_and_trailers", three_frames),
    // Spec: grpc-status-decimal, grpc-response-trailers
    Case::new("calls/trailers_say_status_0", status_0),
    // Spec: grpc-message-boundaries, manners-small-messages
    Case::new("calls/several_requests_in_one_frame_are_all_answered", several_in_one),
    // Spec: grpc-response-late-headers, grpc-message-boundaries
    Case::new("calls/each_turn_of_a_chat_is_answered_as_it_comes", chat),
    // Spec: RFC 9113 section 8.1
    Case::new("calls/trailers_of_a_request_mean_nothing", request_trailers),
    // Spec: grpc-cardinality-server-none, grpc-trailers-only
    Case::new("calls/one_request_wanted_and_none_came_is_unimplemented", no_request),
    // Spec: grpc-cardinality-server-many
    Case::new("calls/one_request_wanted_and_two_came_is_unimplemented", two_requests),
    // Spec: grpc-request-too-large, threat-30, grpc-early-trailers-server
    Case::new("calls/a_request_above_the_limit_is_resource_exhausted_from_its_prefix_on", too_large),
    // Spec: grpc-request-cut, threat-30
    Case::new("calls/a_request_that_ends_inside_a_message_is_internal", cut),
    // Spec: grpc-flag-without-encoding, grpc-flag-unknown, threat-31
    Case::new("calls/a_message_flag_other_than_0_is_internal", flags),
    // Spec: grpc-request-parse
    Case::new("calls/a_request_that_does_not_parse_is_internal", unparsable),
    // Spec: grpc-deadline-server-handler, grpc-deadline-server-reset
    Case::new("calls/a_deadline_drops_the_handler_and_resets_the_stream", deadline),
    // Spec: grpc-timeout-absent
    Case::new("calls/without_a_timeout_there_is_no_deadline", no_deadline),
    // Spec: grpc-lost-server
    Case::new("calls/a_lost_connection_drops_all_handlers", lost),
    // Spec: grpc-lost-keepalive
    Case::new("calls/a_client_that_answers_no_ping_is_lost", silent),
    // Spec: grpc-lost-keepalive, manners-pings
    Case::new("calls/a_client_that_answers_pings_is_kept", answers_pings),
];

fn three_frames(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = call(client, UNARY, b"small");
    let frames = client.look();
    let len = wire::message(b"small").len();
    let good = matches!(&frames[..], [head, data, trailers]
        if is_headers(head, stream) && is_data(data, stream, len)
        && trailers.kind == wire::HEADERS && trailers.stream == stream
        && trailers.flags == wire::END_HEADERS | wire::END_STREAM);
    expect(&frames, good, "HEADERS, DATA, HEADERS that end the stream")?;
    let first: Vec<&str> = frames[0].fields.iter().map(|(name, _)| name.as_str()).collect();
    check(first == [":status", "content-type"], || {
        format!("the response's fields: {first:?}")
    })?;
    Answer::of(&frames, stream)?.expect_echo(b"small")?;
    client.expect_alive()
}

fn status_0(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = call(client, UNARY, b"status");
    let answer = client.answer(stream)?;
    let only = [("grpc-status".to_owned(), "0".to_owned())];
    check(answer.trailers == only, || {
        format!("grpc-status 0 alone expected, not {:?}", answer.trailers)
    })?;
    client.expect_alive()
}

fn several_in_one(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    let messages: Vec<u8> = [&b"one"[..], b"", b"three"]
        .into_iter()
        .flat_map(wire::message)
        .collect();
    client.send(
        &[
            wire::headers(stream, &request(CHAT), 0),
            wire::data(stream, &messages, wire::END_STREAM),
        ]
        .concat(),
    );
    let answer = client.answer(stream)?;
    check(
        answer.content == messages && answer.trailer("grpc-status") == Some("0"),
        || format!("{answer:?}"),
    )?;
    // Nine octets each: one frame has room for them all.
    let stream = call(client, STREAM, b"abcdefgh");
    let answer = client.answer(stream)?;
    check(answer.pieces.len() == 1 && answer.content.len() == 64, || {
        format!("one frame of DATA expected: {answer:?}")
    })?;
    client.expect_alive()
}

fn chat(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request(CHAT), 0));
    client.expect_silence()?;
    let mut all = Vec::new();
    for turn in [b"a", b"b", b"c"] {
        client.send(&wire::data(stream, &wire::message(turn), 0));
        let frames = client.look();
        let data = frames
            .last()
            .is_some_and(|frame| is_data(frame, stream, wire::message(turn).len()));
        expect(
            &frames,
            data && frames.len() == if turn == b"a" { 2 } else { 1 },
            "an answer",
        )?;
        all.extend(frames);
    }
    client.send(&wire::data(stream, &[], wire::END_STREAM));
    all.extend(client.look());
    let answer = Answer::of(&all, stream)?;
    let replies = wire::contents(&answer.content).unwrap_or_default();
    check(
        replies == [b"a", b"b", b"c"] && answer.trailer("grpc-status") == Some("0"),
        || format!("{answer:?}"),
    )?;
    client.expect_alive()
}

fn request_trailers(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.begin(stream);
    client.send(&wire::data(stream, &wire::message(b"and trailers"), 0));
    client.expect_silence()?;
    let trailers = [
        ("grpc-status", "13"),
        ("content-type", "text/html"),
        ("grpc-timeout", "x"),
        ("x-bin", "%"),
    ];
    client.send(&wire::headers(stream, &trailers, wire::END_STREAM));
    client.answer(stream)?.expect_echo(b"and trailers")?;
    client.expect_alive()
}

/// A call of the unary echo, with these octets as its content; it ends with this status, and all else lives on.
fn ends(client: &mut Client, content: &[u8], end: u8, status: &str) -> Result<Answer, Fault> {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(
        &[
            wire::headers(stream, &request(UNARY), 0),
            wire::data(stream, content, end),
        ]
        .concat(),
    );
    let mut frames = client.look();
    frames.retain(|frame| frame.kind != wire::WINDOW_UPDATE);
    let answer = Answer::of(&frames, stream)?;
    expect_trailers_only(&answer, status)?;
    expect_handlers(client, 1)?;
    client.expect_alive()?;
    Ok(answer)
}

fn ends_whole(client: &mut Client, content: &[u8], status: &str) -> Verdict {
    let answer = ends(client, content, wire::END_STREAM, status)?;
    check(answer.reset.is_none(), || {
        format!("no reset expected: {answer:?}")
    })
}

fn no_request(client: &mut Client) -> Verdict {
    ends_whole(client, b"", "12")
}

fn two_requests(client: &mut Client) -> Verdict {
    ends_whole(client, &wire::message(b"one").repeat(2), "12")
}

fn too_large(client: &mut Client) -> Verdict {
    each(
        client,
        [&b"\0\0\0\x04\0"[..], b"\0\0\x40\0\0", b"\0\xff\xff\xff\xff"],
        |client, prefix| {
            let answer = ends(client, prefix, 0, "8")?;
            check(answer.reset == Some(code::NO_ERROR), || {
                format!("RST_STREAM(NO_ERROR) expected: {answer:?}")
            })
        },
    )
}

fn cut(client: &mut Client) -> Verdict {
    let message = wire::message(b"cut");
    each(client, 1..message.len(), |client, at| {
        ends_whole(client, &message[..*at], "13")
    })
}

fn flags(client: &mut Client) -> Verdict {
    each(client, [1, 2, 0x80, 0xff], |client, flag| {
        let mut message = wire::message(b"flag");
        message[0] = *flag;
        ends_whole(client, &message, "13")
    })
}

fn unparsable(client: &mut Client) -> Verdict {
    // An end group, an unfinished varint, a field longer than the message.
    each(
        client,
        [
            &b"\0\0\0\0\x01\x0c"[..],
            b"\0\0\0\0\x01\x80",
            b"\0\0\0\0\x02\x0a\x09",
        ],
        |client, octets| ends_whole(client, octets, "13"),
    )
}

fn deadline(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    let fields = request_with(&[(":path", WAIT), ("grpc-timeout", "100m")]);
    client.send(&[wire::headers(stream, &fields, 0), last_data(stream, b"")].concat());
    client.server.pass(99);
    client.expect_silence()?;
    expect_handlers(client, 2)?;
    // Whole milliseconds on either side, and one on the way.
    client.server.pass(10);
    expect_handlers(client, 1)?;
    let frames = client.look();
    let reset = matches!(&frames[..], [reset] if is_reset(reset, stream, code::CANCEL));
    expect(&frames, reset, "RST_STREAM(CANCEL) alone")?;
    client.expect_alive()
}

fn no_deadline(client: &mut Client) -> Verdict {
    client.open()?;
    call(client, WAIT, b"");
    for _ in 0..60 {
        client.server.pass(60_000);
        client.expect_ping_answered()?;
    }
    expect_handlers(client, 1)
}

fn lost(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    call(client, WAIT, b"");
    call(client, WAIT, b"");
    expect_handlers(client, 3)?;
    client.server.hang_up();
    expect_handlers(client, 0)?;
    client.reconnect();
    client.open()?;
    client.expect_alive()
}

/// After two minutes of silence the server asks; the PING's payload.
fn asked(client: &mut Client) -> Result<Vec<u8>, Fault> {
    client.server.pass(119_999);
    client.expect_silence()?;
    client.server.pass(1);
    let frames = client.look();
    let ping = matches!(&frames[..], [ping] if ping.kind == wire::PING && ping.flags == 0);
    expect(&frames, ping, "a PING alone")?;
    Ok(frames[0].payload.clone())
}

fn silent(client: &mut Client) -> Verdict {
    client.open()?;
    call(client, WAIT, b"");
    asked(client)?;
    client.server.pass(19_999);
    client.expect_silence()?;
    client.server.pass(1);
    expect_handlers(client, 0)?;
    check(client.server.is_closed(), || "the transport stands".to_owned())
}

fn answers_pings(client: &mut Client) -> Verdict {
    client.open()?;
    call(client, WAIT, b"");
    for _ in 0..5 {
        let payload = asked(client)?;
        client.send(&wire::frame(wire::PING, wire::ACK, 0, &payload));
        client.expect_silence()?;
        expect_handlers(client, 1)?;
    }
    client.expect_alive()
}
