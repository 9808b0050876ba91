//! Identifiers of streams, and how many may be open. Spec: RFC 9113 sections 5.1.1, 5.1.2 and 8.7.

use crate::cases::server::kit::{
    self, UNARY, WAIT, completed, each, expect, expect_handlers, half_closed, headers_of, is_reset, last_data,
};
use crate::ours::STREAMS;
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-5.1.1-even
    Case::new("streams/an_even_identifier_is_a_protocol_error", even),
    // Spec: h2-5.1.1-decreasing
    Case::new("streams/an_identifier_below_an_earlier_one_is_a_protocol_error", decreasing),
    // Spec: h2-5.1.1-decreasing
    Case::new("streams/an_identifier_that_was_skipped_is_over", skipped),
    // Spec: h2-5.1.1-decreasing, h2-5.1-closed-arrivals
    Case::new("streams/data_on_an_identifier_that_was_skipped_is_stream_closed", skipped_data),
    // Spec: h2-5.1.1-highest-again
    Case::new("streams/the_highest_identifier_again_is_stream_closed", again),
    // Spec: h2-5.1.1-even, threat-23
    Case::new("streams/the_last_of_all_identifiers_may_be_used", last_identifier),
    // Spec: h2-5.1.2-excess, h2-8.7-refused-untouched
    Case::new("streams/one_above_the_limit_is_refused", excess),
    // Spec: h2-5.1.2-excess, threat-24
    Case::new("streams/one_above_the_limit_is_refused_before_the_acknowledgement_too", excess_before_ack),
    // Spec: h2-4.3-always-decodes, threat-19
    Case::new("streams/the_block_of_a_refused_stream_feeds_the_table", refused_block),
    // Spec: h2-5.4.2-in-flight, threat-22
    Case::new("streams/what_follows_on_a_refused_stream_is_dropped", refused_rest),
    // Spec: h2-5.1.2-excess
    Case::new("streams/each_way_to_end_a_stream_makes_room_for_another", room_again),
    // Spec: h2-5.1.2-excess
    Case::new("streams/as_many_as_the_limit_says_are_served_at_once", up_to_the_limit),
    // Spec: h2-6.3-any-state
    Case::new("streams/priority_on_idle_streams_takes_no_place", priority_takes_no_place),
];

fn even(client: &mut Client) -> Verdict {
    each(client, [2, 4, 0x7fff_fffe], |client, stream| {
        kit::fails(
            client,
            &wire::headers(*stream, &request(UNARY), wire::END_STREAM),
            code::PROTOCOL_ERROR,
        )
    })
}

fn decreasing(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.begin(9);
    client.expect_silence()?;
    client.send(&wire::headers(7, &request(UNARY), wire::END_STREAM));
    client.expect_connection_error(9, code::PROTOCOL_ERROR)
}

fn skipped(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.call(1_001, b"far");
    client.answer(1_001)?.expect_echo(b"far")?;
    client.send(&wire::headers(999, &request(UNARY), wire::END_STREAM));
    client.expect_connection_error(1_001, code::PROTOCOL_ERROR)
}

fn skipped_data(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.call(1_001, b"far");
    client.answer(1_001)?.expect_echo(b"far")?;
    client.send(&wire::data(999, b"x", 0));
    client.expect_connection_error(1_001, code::STREAM_CLOSED)
}

fn again(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = completed(client)?;
    client.send(
        &[
            wire::headers(stream, &request(UNARY), 0),
            last_data(stream, b"again"),
        ]
        .concat(),
    );
    client.expect_connection_error(stream, code::STREAM_CLOSED)
}

fn last_identifier(client: &mut Client) -> Verdict {
    client.open()?;
    let last = 0x7fff_ffff;
    client.send(
        &[
            wire::headers(last, &request(UNARY), 0),
            last_data(last, b"the end"),
        ]
        .concat(),
    );
    client.answer(last)?.expect_echo(b"the end")?;
    client.expect_ping_answered()?;
    client.send(&wire::headers(last, &request(UNARY), wire::END_STREAM));
    client.expect_connection_error(last, code::STREAM_CLOSED)
}

/// All places but the innocent stream's are taken; the last stream of them.
fn fill(client: &mut Client) -> Result<u32, crate::suite::Fault> {
    client.open_with_innocent()?;
    let mut last = 1;
    for _ in 1..STREAMS {
        last = half_closed(client)?;
    }
    Ok(last)
}

/// The next request is refused, and the innocent call lives on.
fn expect_refused(client: &mut Client, handlers: usize) -> Result<u32, crate::suite::Fault> {
    let stream = kit::call(client, UNARY, b"one too many");
    let frames = client.look();
    let refused = matches!(&frames[..], [reset] if is_reset(reset, stream, code::REFUSED_STREAM));
    expect(&frames, refused, "RST_STREAM(REFUSED_STREAM) alone")?;
    expect_handlers(client, handlers)?;
    Ok(stream)
}

fn excess(client: &mut Client) -> Verdict {
    let last = fill(client)?;
    expect_refused(client, STREAMS)?;
    client.send(&wire::rst_stream(last, code::CANCEL));
    client.expect_ignored()?;
    expect_handlers(client, STREAMS - 2)
}

fn excess_before_ack(client: &mut Client) -> Verdict {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    let mut last = 0;
    for _ in 0..STREAMS {
        last = half_closed(client)?;
    }
    expect_refused(client, STREAMS)?;
    client.send(&wire::settings_ack());
    client.send(&wire::rst_stream(last, code::CANCEL));
    client.expect_alive()
}

fn refused_block(client: &mut Client) -> Verdict {
    let last = fill(client)?;
    let stream = client.next_stream();
    // The path enters the table.
    let mut block = vec![0x83, 0x86, 0x44, 0x10];
    block.extend(UNARY.bytes());
    let rest = wire::block(&request(UNARY)[3..]);
    client.send(&headers_of(
        stream,
        &[&block[..], &rest].concat(),
        wire::END_STREAM,
    ));
    let frames = client.look();
    let refused = matches!(&frames[..], [reset] if is_reset(reset, stream, code::REFUSED_STREAM));
    expect(&frames, refused, "RST_STREAM(REFUSED_STREAM) alone")?;
    client.send(&wire::rst_stream(last, code::CANCEL));
    let stream = client.next_stream();
    let block = [&[0x83, 0x86, 0x80 | 62][..], &rest].concat();
    client.send(&[headers_of(stream, &block, 0), last_data(stream, b"in step")].concat());
    client.answer(stream)?.expect_echo(b"in step")?;
    client.expect_alive()
}

fn refused_rest(client: &mut Client) -> Verdict {
    let last = fill(client)?;
    let refused = expect_refused(client, STREAMS)?;
    client.send(&wire::data(refused, &[0; 1_000], 0));
    client.send(&wire::headers(refused, &[("x-trailer", "x")], wire::END_STREAM));
    client.expect_silence()?;
    client.send(&wire::rst_stream(last, code::CANCEL));
    client.expect_ignored()
}

fn room_again(client: &mut Client) -> Verdict {
    let mut last = fill(client)?;
    // The client cancels.
    for _ in 0..3 {
        client.send(&wire::rst_stream(last, code::CANCEL));
        last = half_closed(client)?;
    }
    // The server resets.
    for _ in 0..3 {
        client.send(&wire::data(last, b"late", 0));
        let frames = client.look();
        let reset = matches!(&frames[..], [reset] if is_reset(reset, last, code::STREAM_CLOSED));
        expect(&frames, reset, "RST_STREAM(STREAM_CLOSED) alone")?;
        last = half_closed(client)?;
    }
    // Both have ended.
    client.send(&wire::rst_stream(last, code::CANCEL));
    for _ in 0..3 {
        completed(client)?;
    }
    half_closed(client)?;
    expect_refused(client, STREAMS)?;
    expect_handlers(client, STREAMS)
}

fn up_to_the_limit(client: &mut Client) -> Verdict {
    client.open()?;
    let streams: Vec<u32> = (0..STREAMS).map(|_| client.next_stream()).collect();
    for stream in &streams {
        client.begin(*stream);
    }
    client.expect_silence()?;
    expect_handlers(client, STREAMS)?;
    // Answered in any order.
    for stream in streams.iter().rev() {
        client.send(&last_data(*stream, &stream.to_be_bytes()));
        client.answer(*stream)?.expect_echo(&stream.to_be_bytes())?;
    }
    expect_handlers(client, 0)?;
    client.expect_alive()
}

fn priority_takes_no_place(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for stream in 0..50 {
        client.send(&wire::priority(3 + 2 * stream, 0));
    }
    client.expect_silence()?;
    for _ in 1..STREAMS {
        let stream = client.next_stream();
        client.send(&wire::headers(stream, &request(WAIT), 0));
    }
    client.expect_silence()?;
    expect_handlers(client, STREAMS)
}
