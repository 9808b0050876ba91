//! GOAWAY, and limits of the server that hold calls back. Spec: RFC 9113 sections 5.1.2, 6.5.2 and 6.8.

use super::with_call;
use crate::endpoint::Call;
use crate::peer::{HEAD, Request, Server};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, END_STREAM, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new(
        "goaway/streams_up_to_the_last_go_on_and_new_calls_connect_anew",
        graceful,
    ),
    Case::new("goaway/in_two_steps_is_obeyed", two_steps),
    Case::new("goaway/streams_above_the_last_are_tried_again_elsewhere", above),
    Case::new("goaway/a_later_one_cannot_raise_the_last_stream", raised),
    Case::new("goaway/of_any_code_and_with_debug_data_is_taken", codes),
    Case::new("goaway/pings_are_answered_while_streams_go_on", still_alive),
    Case::new("limits/no_more_streams_than_the_server_allows", max_streams),
    Case::new("limits/no_stream_at_all_while_the_server_allows_none", no_streams),
    Case::new("limits/a_lower_limit_leaves_open_streams_alone", lowered),
    Case::new("limits/a_header_table_of_0_is_obeyed_and_announced", no_table),
    Case::new(
        "limits/a_header_table_that_shrank_and_grew_is_announced_by_both_sizes",
        smallest_then_last,
    ),
    Case::new(
        "limits/a_request_above_the_servers_header_list_is_not_sent",
        header_list,
    ),
];

const MAX_STREAMS: u16 = 3;

/// The innocent call and `request` go on to their ends; then the next call comes on a new connection. Of the calls in
/// `late` the server has done nothing: they are tried there once more, unseen by the application.
fn goes_on(server: &mut Server, request: Request, late: &[Request]) -> Verdict {
    let before = server.client.connections();
    server.expect_silence()?;
    server.respond(request.stream, b"in time");
    server.expect_outcome(request.call, 0, b"in time")?;
    server.expect_innocent_completes()?;
    if late.is_empty() {
        return server.expect_new_connection();
    }
    check(server.client.connections() == before + 1, || {
        "no new connection for calls that were not processed".to_owned()
    })?;
    server.meet(&[])?;
    for (late, stream) in late.iter().zip([1, 3]) {
        server.respond(stream, b"tried again");
        server.expect_outcome(late.call, 0, b"tried again")?;
    }
    server.look();
    server.expect_alive()
}

// Spec: h2-6.8-lower-go-on, h2-6.8-no-new-streams
fn graceful(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::goaway(request.stream, code::NO_ERROR));
    goes_on(server, request, &[])
}

// Spec: h2-6.8-second-goaway
fn two_steps(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let late = server.request(Call::Unary(3))?;
    server.send(&wire::goaway(0x7fff_ffff, code::NO_ERROR));
    server.expect_ping_answered()?;
    server.send(&wire::goaway(request.stream, code::NO_ERROR));
    goes_on(server, request, &[late])
}

// Spec: grpc-goaway-above, h2-6.8-lower-go-on
fn above(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let late = [server.request(Call::Unary(3))?, server.request(Call::Unary(3))?];
    server.send(&wire::goaway(request.stream, code::NO_ERROR));
    for late in late {
        // It is over there: whatever still comes on it is dropped, and it is not reset.
        server.send(&wire::headers(late.stream, HEAD, END_STREAM));
    }
    goes_on(server, request, &late)
}

// Spec: h2-6.8-second-goaway, threat-36
fn raised(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let late = server.request(Call::Unary(3))?;
    server.send(&wire::goaway(request.stream, code::NO_ERROR));
    server.send(&wire::goaway(0x7fff_ffff, code::NO_ERROR));
    goes_on(server, request, &[late])
}

// Spec: h2-7-unknown-codes, h2-6.8-lower-go-on
fn codes(server: &mut Server) -> Verdict {
    for code in [
        code::NO_ERROR,
        code::PROTOCOL_ERROR,
        code::ENHANCE_YOUR_CALM,
        0x1234_5678,
    ] {
        let request = with_call(server, Call::Unary(3))?;
        let last = 0x7fff_ffff_u32;
        let payload = [&last.to_be_bytes()[..], &code.to_be_bytes(), b"too many \0 pings"].concat();
        server.send(&wire::frame(wire::GOAWAY, 0xff, 0, &payload));
        goes_on(server, request, &[])?;
    }
    Ok(())
}

// Spec: h2-6.8-lower-go-on, h2-6.7-answer
fn still_alive(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::goaway(request.stream, code::NO_ERROR));
    server.expect_ping_answered()?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.expect_ping_answered()?;
    server.send(&wire::data(request.stream, &wire::message(b"end"), 0));
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_outcome(request.call, 0, b"end")?;
    server.expect_innocent_completes()
}

/// No frame comes for a call, now.
fn held_back(server: &mut Server) -> Result<usize, crate::suite::Fault> {
    let call = server.client.call(Call::Unary(3));
    server.expect_silence()?;
    Ok(call)
}

/// The request of a call that was held back has come on this stream, and is answered.
fn let_go(server: &mut Server, call: usize, stream: u32) -> Verdict {
    let answer = server.answer(stream)?;
    check(answer.ended && !answer.content.is_empty(), || {
        format!("no request: {answer:?}")
    })?;
    server.respond(stream, b"in turn");
    server.expect_outcome(call, 0, b"in turn")
}

// Spec: h2-5.1.2-obeys-limit
fn max_streams(server: &mut Server) -> Verdict {
    server.open_with(&[(MAX_STREAMS, 2)])?;
    let second = server.request(Call::Unary(3))?;
    let (third, fourth) = (held_back(server)?, held_back(server)?);
    server.respond(second.stream, b"first");
    server.expect_outcome(second.call, 0, b"first")?;
    let_go(server, third, 5)?;
    let_go(server, fourth, 7)?;
    server.expect_ignored()
}

// Spec: h2-6.5.2-zero-streams
fn no_streams(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::settings(&[(MAX_STREAMS, 0)]));
    server.look();
    let call = held_back(server)?;
    server.client.pass(1_000);
    server.expect_silence()?;
    server.expect_ping_answered()?;
    server.send(&wire::settings(&[(MAX_STREAMS, 100)]));
    let_go(server, call, 3)?;
    server.expect_ignored()?;
    // One that waits in vain ends by its deadline.
    server.send(&wire::settings(&[(MAX_STREAMS, 0)]));
    server.look();
    let call = held_back(server)?;
    server.client.pass(60_000);
    server.expect_outcome(call, 4, &[])?;
    server.send(&wire::settings(&[(MAX_STREAMS, 100)]));
    server.look();
    server.expect_alive()
}

// Spec: h2-5.1.2-obeys-limit, h2-6.5.2-zero-streams
fn lowered(server: &mut Server) -> Verdict {
    let first = with_call(server, Call::Unary(3))?;
    let second = server.request(Call::Unary(3))?;
    server.send(&wire::settings(&[(MAX_STREAMS, 1)]));
    server.look();
    let waiting = held_back(server)?;
    server.respond(first.stream, b"on");
    server.expect_outcome(first.call, 0, b"on")?;
    server.expect_silence()?;
    server.respond(second.stream, b"and on");
    server.expect_outcome(second.call, 0, b"and on")?;
    // The innocent call still holds the one place.
    server.expect_silence()?;
    server.expect_innocent_completes()?;
    let_go(server, waiting, 7)?;
    server.expect_ignored()
}

/// The block of the next request, as it is on the wire.
fn next_block(server: &mut Server) -> Result<(Request, Vec<u8>), crate::suite::Fault> {
    let request = server.request(Call::Unary(3))?;
    let opened = server
        .heard
        .frames
        .iter()
        .rfind(|frame| frame.kind == wire::HEADERS);
    let block = opened.map(|frame| frame.payload.clone()).unwrap_or_default();
    server.respond(request.stream, b"ok");
    server.expect_outcome(request.call, 0, b"ok")?;
    Ok((request, block))
}

// Spec: h2-4.3.1-encoder-update, trap-settings-applied
fn no_table(server: &mut Server) -> Verdict {
    server.open()?;
    next_block(server)?;
    server.send(&wire::settings(&[(1, 0)]));
    server.look();
    let (_, block) = next_block(server)?;
    check(block.first() == Some(&0x20), || {
        format!("a size update to 0 first: {block:02x?}")
    })?;
    // Announced once; that nothing of the old table is named, our decoder proves.
    for _ in 0..3 {
        let (_, block) = next_block(server)?;
        let again = block.first().is_some_and(|octet| octet & 0xe0 == 0x20);
        check(!again, || format!("a second size update: {block:02x?}"))?;
    }
    server.expect_ignored()
}

// Spec: hpack-4.2-smallest-then-final
fn smallest_then_last(server: &mut Server) -> Verdict {
    server.open()?;
    next_block(server)?;
    server.send(&wire::settings(&[(1, 0), (1, 4_096)]));
    server.send(&wire::settings(&[(1, 100), (1, 4_096)]));
    server.look();
    let (_, block) = next_block(server)?;
    let both = block.first() == Some(&0x20) && block.get(1).is_some_and(|octet| octet & 0xe0 == 0x20);
    check(both, || {
        format!("a size update to 0, then one to more: {block:02x?}")
    })?;
    next_block(server)?;
    server.expect_ignored()
}

// Spec: manners-metadata, trap-settings-applied
fn header_list(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::settings(&[(6, 100)]));
    server.look();
    let call = held_back(server)?;
    server.expect_outcome(call, 8, &[])?;
    server.send(&wire::settings(&[(6, 8_192)]));
    server.look();
    server.expect_alive()
}
