//! RST_STREAM, PING, PUSH_PROMISE, and codes nobody knows. Spec: RFC 9113 sections 6.4, 6.7, 7 and 8.4.

use crate::cases::server::kit::{
    INITIAL_WINDOW_SIZE, UNARY, call, each, expect, expect_handlers, fails, half_closed, ignores, set,
};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: grpc-cancel-handler, h2-6.4-silence
    Case::new("rst_stream/drops_the_handler_and_has_no_answer", reset),
    // Spec: h2-6.4-silence, h2-5.4.2-no-answer
    Case::new("rst_stream/ends_an_answer_that_waits_for_credit", reset_while_answering),
    // Spec: h2-6.4-stream-0
    Case::new("rst_stream/on_stream_0_is_a_protocol_error", reset_on_0),
    // Spec: h2-6.4-length
    Case::new("rst_stream/of_another_length_than_4_is_a_frame_size_error", reset_length),
    // Spec: h2-7-unknown-codes
    Case::new("rst_stream/with_an_unknown_code_is_like_any_other", reset_unknown_code),
    // Spec: h2-6.7-answer
    Case::new("ping/is_answered_with_the_same_octets", ping),
    // Spec: h2-6.7-ack-not-answered, threat-37
    Case::new("ping/an_acknowledgement_is_never_answered", ping_ack),
    // Spec: h2-6.7-stream
    Case::new("ping/on_a_stream_is_a_protocol_error", ping_on_stream),
    // Spec: h2-6.7-length, h2-5.4.1-goaway, h2-5.4.1-last-stream, h2-5.4.1-close
    Case::new("ping/of_another_length_than_8_is_a_frame_size_error", ping_length),
    // Spec: h2-6.7-before-others, h2-5.2.2-keeps-reading
    Case::new("ping/is_answered_while_data_waits_for_credit", ping_while_waiting),
    // Spec: h2-6.7-answer
    Case::new("ping/several_at_once_are_all_answered_in_order", pings),
    // Spec: h2-8.4-push-from-client
    Case::new("push_promise/from_a_client_is_a_protocol_error", push),
];

fn reset(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.begin(stream);
    expect_handlers(client, 2)?;
    client.send(&wire::rst_stream(stream, code::CANCEL));
    expect_handlers(client, 1)?;
    client.expect_ignored()
}

fn reset_while_answering(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 20)])?;
    let stream = call(client, UNARY, &[9; 100]);
    let frames = client.look();
    expect(&frames, frames.len() == 2, "HEADERS and the DATA that has credit")?;
    client.send(&wire::rst_stream(stream, code::CANCEL));
    client.send(&wire::window_update(stream, 1_000));
    client.send(&wire::window_update(0, 1_000));
    expect_handlers(client, 0)?;
    client.expect_silence()?;
    set(client, &[(INITIAL_WINDOW_SIZE, 1_000)])?;
    client.expect_alive()
}

fn reset_on_0(client: &mut Client) -> Verdict {
    fails(client, &wire::rst_stream(0, code::CANCEL), code::PROTOCOL_ERROR)
}

fn reset_length(client: &mut Client) -> Verdict {
    each(client, [0, 3, 5, 8], |client, len| {
        fails(
            client,
            &wire::frame(wire::RST_STREAM, 0, 1, &vec![0; *len]),
            code::FRAME_SIZE_ERROR,
        )
    })
}

fn reset_unknown_code(client: &mut Client) -> Verdict {
    each(
        client,
        [0xe, 0xff, 0x7fff_ffff, 0xffff_ffff],
        |client, unknown| {
            client.open_with_innocent()?;
            let stream = half_closed(client)?;
            client.send(&wire::rst_stream(stream, *unknown));
            expect_handlers(client, 1)?;
            client.expect_ignored()
        },
    )
}

fn ping(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for _ in 0..5 {
        client.expect_ping_answered()?;
    }
    client.expect_alive()
}

fn ping_ack(client: &mut Client) -> Verdict {
    let ack = wire::frame(wire::PING, wire::ACK, 0, b"unasked!");
    ignores(client, &[ack.clone(), ack].concat())
}

fn ping_on_stream(client: &mut Client) -> Verdict {
    for flags in [0, wire::ACK] {
        each(client, [1, 2, 3], |client, stream| {
            fails(
                client,
                &wire::frame(wire::PING, flags, *stream, &[0; 8]),
                code::PROTOCOL_ERROR,
            )
        })?;
    }
    Ok(())
}

fn ping_length(client: &mut Client) -> Verdict {
    for flags in [0, wire::ACK] {
        each(client, [0, 6, 7, 9, 16], |client, len| {
            fails(
                client,
                &wire::frame(wire::PING, flags, 0, &vec![0; *len]),
                code::FRAME_SIZE_ERROR,
            )
        })?;
    }
    Ok(())
}

fn ping_while_waiting(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 10)])?;
    let stream = call(client, UNARY, &[9; 100]);
    let mut all = client.look();
    client.expect_ping_answered()?;
    // And before the DATA that the same octets give credit for.
    client.send(&[wire::ping(*b"together"), wire::window_update(stream, 1_000)].concat());
    let frames = client.look();
    let first = frames
        .first()
        .is_some_and(|frame| frame.kind == wire::PING && frame.payload == b"together");
    expect(&frames, first, "the PING's acknowledgement first")?;
    all.extend(frames);
    crate::peer::Answer::of(&all, stream)?.expect_echo(&[9; 100])
}

fn pings(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let octets: Vec<u8> = (0..10).flat_map(|at| wire::ping([at; 8])).collect();
    client.send(&octets);
    let frames = client.look();
    let exact = frames.len() == 10
        && frames
            .iter()
            .zip(0..)
            .all(|(pong, at)| pong.kind == wire::PING && pong.flags == wire::ACK && pong.payload == [at; 8]);
    expect(&frames, exact, "ten acknowledgements in order")?;
    client.expect_alive()
}

fn push(client: &mut Client) -> Verdict {
    each(
        client,
        [(1, 2), (3, 2), (1, 5), (0, 2)],
        |client, (stream, promised)| {
            let promise = wire::push_promise(*stream, *promised, &request(UNARY));
            fails(client, &promise, code::PROTOCOL_ERROR)
        },
    )
}
