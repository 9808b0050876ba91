//! Traps that caught other implementations.

use crate::endpoint::Call;
use crate::ours::RECV;
use crate::peer::{Answer, Client, HEAD, Server, request, request_with};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, END_HEADERS, END_STREAM, code};

pub(super) const FOR_SERVERS: &[Case<Client>] = &[
    Case {
        name: "traps/a_response_is_cut_at_the_window_prefix_included_and_goes_on_with_credit",
        run: response_within_windows,
    },
    Case {
        name: "traps/padding_and_its_length_octet_count_in_the_window",
        run: padding_counts,
    },
    Case {
        name: "traps/a_request_that_fills_the_window_to_its_last_octet_is_served",
        run: window_to_the_last_octet,
    },
    Case {
        name: "traps/a_prefix_may_come_octet_by_octet",
        run: prefix_split,
    },
    Case {
        name: "traps/what_is_in_flight_of_a_reset_stream_is_skipped",
        run: payload_of_a_reset_stream,
    },
    Case {
        name: "traps/frames_too_short_for_their_flags_are_not_read_beyond_their_end",
        run: short_frames,
    },
    Case {
        name: "traps/a_frame_of_exactly_the_maximum_is_legal_and_one_octet_more_is_not",
        run: frame_size,
    },
    Case {
        name: "traps/continuation_is_legal",
        run: continuation,
    },
    Case {
        name: "traps/end_stream_on_headers_is_legal",
        run: end_stream_on_headers,
    },
];

pub(super) const FOR_CLIENTS: &[Case<Server>] = &[
    Case {
        name: "traps/a_request_is_cut_at_the_window_prefix_included_and_goes_on_with_credit",
        run: request_within_windows,
    },
    Case {
        name: "traps/a_prefix_may_come_octet_by_octet",
        run: response_prefix_split,
    },
    Case {
        name: "traps/what_is_in_flight_of_a_cancelled_call_is_skipped",
        run: payload_of_a_cancelled_call,
    },
    Case {
        name: "traps/end_stream_on_headers_and_continuation_are_legal",
        run: response_forms,
    },
];

// Spec: trap-prefix-in-window, trap-settings-applied, trap-held-data-sent, trap-split-not-refused
fn response_within_windows(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 6)])?;
    let content = [b'c'; 200];
    client.call(3, &content);
    let mut sent = client.answer(3)?;
    check(sent.content.len() == 6, || {
        format!("a window of 6 octets: {sent:?}")
    })?;
    // A larger setting opens the streams that exist, and WINDOW_UPDATE goes on from there.
    client.send(&wire::settings(&[(INITIAL_WINDOW_SIZE, 50)]));
    join(&mut sent, client.answer(3)?);
    check(sent.content.len() == 50, || {
        format!("a window of 50 octets: {sent:?}")
    })?;
    client.send(&wire::window_update(3, 1_000));
    join(&mut sent, client.answer(3)?);
    sent.expect_echo(&content)?;
    client.expect_ping_answered()
}

fn join(answer: &mut Answer, more: Answer) {
    answer.content.extend(more.content);
    answer.pieces.extend(more.pieces);
    // The section that came alone is the trailers.
    answer.trailers.extend(more.headers);
    answer.ended |= more.ended;
    answer.reset = answer.reset.or(more.reset);
}

// Spec: trap-padding-in-window
fn padding_counts(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.call(3, b"the settings are acknowledged");
    client.answer(3)?.expect_echo(b"the settings are acknowledged")?;
    client.begin(5);
    // A message that is not whole stays in the buffer, uncredited: 34 octets of the window are left, it needs 10.
    let message = wire::message(&[b'x'; RECV - 24 - 8]);
    let part = &message[..message.len() - 10];
    client.send(&wire::data(5, part, 0));
    // The length octet and 23 octets of padding: they are dropped, but not worth a WINDOW_UPDATE.
    client.send(&wire::padded_data(5, &[], 23, 0));
    client.expect_silence()?;
    // 11 octets where 10 are left.
    client.send(&wire::padded_data(5, &[], 10, 0));
    client.expect_stream_error(5, code::FLOW_CONTROL_ERROR)
}

// Spec: trap-prefix-in-window
fn window_to_the_last_octet(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    // Prefix, tag and a length of two octets.
    let content = vec![b'w'; RECV - 5 - 1 - 2];
    client.begin(3);
    let message = wire::message(&content);
    check(message.len() == RECV, || "the test's own sum is wrong".to_owned())?;
    client.send(&wire::data(3, &message, END_STREAM));
    client.answer(3)?.expect_echo(&content)?;
    client.expect_alive()
}

// Spec: trap-prefix-split
fn prefix_split(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.begin(3);
    let message = wire::message(b"octet by octet");
    for octet in &message {
        client.send(&wire::data(3, &[*octet], 0));
    }
    client.send(&wire::data(3, &[], END_STREAM));
    client.answer(3)?.expect_echo(b"octet by octet")?;
    client.expect_alive()
}

// Spec: trap-reset-payload
fn payload_of_a_reset_stream(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    // A length over the limit: the server answers and resets while the rest is on its way.
    let stream = client.next_stream();
    let prefix = [0, 0, 0xff, 0xff, 0xff];
    let mut frames = wire::headers(stream, &request_with(&[]), 0);
    frames.extend(wire::data(stream, &prefix, 0));
    frames.extend((0..20).flat_map(|_| wire::data(stream, &[7; 40], 0)));
    client.send(&frames);
    let answer = client.answer(stream)?;
    let refused = answer.reset == Some(code::NO_ERROR) && answer.trailer("grpc-status") == Some("8");
    check(refused, || {
        format!("status 8 and RST_STREAM(NO_ERROR) expected: {answer:?}")
    })?;
    client.expect_alive()
}

// Spec: trap-short-frames
fn short_frames(client: &mut Client) -> Verdict {
    for (frame, what) in [
        (
            wire::frame(wire::HEADERS, END_HEADERS | wire::PADDED, 3, &[]),
            "HEADERS, PADDED",
        ),
        (
            wire::frame(wire::HEADERS, END_HEADERS | wire::PRIORITY_FLAG, 3, &[0; 4]),
            "HEADERS, PRIORITY",
        ),
        (
            wire::frame(
                wire::HEADERS,
                END_HEADERS | wire::PADDED | wire::PRIORITY_FLAG,
                3,
                &[0; 5],
            ),
            "HEADERS, PADDED and PRIORITY",
        ),
    ] {
        client.open_with_innocent()?;
        // More octets follow, which a reader that goes too far would take.
        client.send(&[frame, wire::ping([0; 8])].concat());
        client
            .expect_connection_error(1, code::FRAME_SIZE_ERROR)
            .map_err(|Fault(text)| Fault(format!("{what}: {text}")))?;
        client.reconnect();
    }
    client.open_with_innocent()?;
    client.begin(3);
    client.send(&wire::frame(wire::DATA, wire::PADDED, 3, &[]));
    client.expect_stream_error(3, code::FRAME_SIZE_ERROR)
}

// Spec: trap-frame-size-inclusive
fn frame_size(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::frame(UNKNOWN, 0, 0, &[0; 16_384]));
    client.expect_ignored()?;
    // A padded header block of the maximum: fields above the list's limit are answered, not taken for an attack.
    let mut block = wire::block(&request("/test.Echo/Unary"));
    while block.len() < 16_384 - 100 {
        block.extend(wire::literal(b"x-filler", &[b'f'; 80]));
    }
    let left = 16_384 - block.len();
    block.extend(wire::literal(b"x", &vec![b'f'; left - 5]));
    block.truncate(16_384);
    let stream = client.next_stream();
    check(block.len() > 16_300, || "the test's own sum is wrong".to_owned())?;
    client.send(&wire::frame(
        wire::HEADERS,
        END_HEADERS | END_STREAM,
        stream,
        &block,
    ));
    let answer = client.answer(stream)?;
    check(answer.ended && answer.reset.is_none(), || {
        format!("no answer: {answer:?}")
    })?;
    client.expect_alive()?;
    client.send(&wire::frame(UNKNOWN, 0, 0, &[0; 16_385]));
    let last = client.last_stream();
    client.expect_connection_error(last, code::FRAME_SIZE_ERROR)
}

// Spec: trap-continuation-legal
fn continuation(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let block = wire::block(&request("/test.Echo/Unary"));
    for cut in [0, 1, 17, block.len() - 1, block.len()] {
        let stream = client.next_stream();
        let (first, second) = block.split_at(cut);
        let frames = [
            wire::frame(wire::HEADERS, 0, stream, first),
            wire::continuation(stream, &second[..second.len() / 2], 0),
            wire::continuation(stream, &second[second.len() / 2..], END_HEADERS),
            wire::data(stream, &wire::message(b"in pieces"), END_STREAM),
        ];
        client.send(&frames.concat());
        client.answer(stream)?.expect_echo(b"in pieces")?;
    }
    client.expect_alive()
}

// Spec: trap-end-stream-on-headers
fn end_stream_on_headers(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request("/test.Echo/Chat"), END_STREAM));
    let answer = client.answer(stream)?;
    let good = answer.trailer("grpc-status") == Some("0") && answer.content.is_empty() && answer.ended;
    check(good && answer.reset.is_none(), || {
        format!("an empty stream is OK: {answer:?}")
    })?;
    client.expect_alive()
}

// Spec: trap-prefix-in-window, trap-settings-applied, trap-held-data-sent, trap-split-not-refused
fn request_within_windows(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::settings(&[(INITIAL_WINDOW_SIZE, 6)]));
    let acknowledged = server.look();
    check(acknowledged.len() == 1, || format!("{acknowledged:?}"))?;
    let call = server.client.call(Call::Unary(200));
    let frames = server.look();
    let stream = frames.first().map_or(0, |frame| frame.stream);
    let mut sent = Answer::of(&frames, stream)?;
    check(sent.content.len() == 6 && !sent.ended, || {
        format!("a window of 6 octets: {sent:?}")
    })?;
    server.send(&wire::settings(&[(INITIAL_WINDOW_SIZE, 50)]));
    join(&mut sent, server.answer(stream)?);
    check(sent.content.len() == 50, || {
        format!("a window of 50 octets: {sent:?}")
    })?;
    server.send(&wire::window_update(stream, 1_000));
    join(&mut sent, server.answer(stream)?);
    let whole = wire::contents(&sent.content).is_some_and(|all| all == [vec![b'u'; 200]]);
    check(whole && sent.ended, || {
        format!("the whole request expected: {sent:?}")
    })?;
    server.respond(stream, b"got it");
    server.expect_outcome(call, 0, b"got it")?;
    server.send(&wire::settings(&[(INITIAL_WINDOW_SIZE, 65_535)]));
    server.look();
    server.expect_alive()
}

// Spec: trap-prefix-split
fn response_prefix_split(server: &mut Server) -> Verdict {
    server.open()?;
    let request = server.request(Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    for octet in wire::message(b"octet by octet") {
        server.send(&wire::data(request.stream, &[octet], 0));
    }
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_outcome(request.call, 0, b"octet by octet")?;
    server.expect_ignored()
}

// Spec: trap-reset-payload
fn payload_of_a_cancelled_call(server: &mut Server) -> Verdict {
    server.open()?;
    let request = server.request(Call::Unary(3))?;
    server.client.cancel(request.call);
    let frames = server.look();
    let cancelled = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
        && reset.stream == request.stream && reset.u32_at(0) == Some(code::CANCEL));
    check(cancelled, || {
        format!("RST_STREAM(CANCEL) expected, not {frames:?}")
    })?;
    // The server did not know: its response was on its way.
    server.send(&wire::headers(request.stream, HEAD, 0));
    for _ in 0..10 {
        server.send(&wire::data(request.stream, &[1; 100], 0));
    }
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_ignored()
}

// Spec: trap-end-stream-on-headers, trap-continuation-legal
fn response_forms(server: &mut Server) -> Verdict {
    server.open()?;
    let request = server.request(Call::Unary(3))?;
    let only = [HEAD, &[("grpc-status", "5")]].concat();
    let block = wire::block(&only);
    let (first, rest) = block.split_at(block.len() / 3);
    server.send(&wire::frame(wire::HEADERS, END_STREAM, request.stream, first));
    server.send(&wire::continuation(request.stream, rest, END_HEADERS));
    server.expect_outcome(request.call, 5, &[])?;
    server.expect_ignored()
}

const INITIAL_WINDOW_SIZE: u16 = 4;
/// A frame type that nobody has defined.
const UNKNOWN: u8 = 0xfa;
