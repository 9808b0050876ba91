//! SETTINGS. Spec: RFC 9113 section 6.5.

use crate::cases::server::kit::{
    self, DEFAULT_WINDOW, ENABLE_PUSH, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, MAX_WINDOW, UNARY, call, each, expect, fails, is_data, is_headers,
    is_settings_ack, set,
};
use crate::peer::{Answer, Client};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-6.5.3-ack
    Case::new("settings/are_acknowledged_at_once", acknowledged),
    // Spec: h2-6.5.3-ack
    Case::new("settings/each_frame_has_its_acknowledgement", each_acknowledged),
    // Spec: h2-6.5-ack-payload
    Case::new("settings/acknowledgement_with_a_payload_is_a_frame_size_error", ack_with_payload),
    // Spec: threat-37
    Case::new("settings/acknowledgements_nobody_asked_for_are_ignored", unasked_ack),
    // Spec: h2-6.5-stream
    Case::new("settings/on_a_stream_are_a_protocol_error", on_a_stream),
    // Spec: h2-6.5-length
    Case::new("settings/of_a_length_that_is_no_multiple_of_6_are_a_frame_size_error", wrong_length),
    // Spec: h2-6.5.2-enable-push-value
    Case::new("settings/enable_push_other_than_0_and_1_is_a_protocol_error", wrong_enable_push),
    // Spec: h2-6.5.2-enable-push-value
    Case::new("settings/enable_push_of_0_and_1_is_taken", enable_push),
    // Spec: h2-6.5.2-initial-window-size
    Case::new("settings/initial_window_size_above_the_largest_window_is_a_flow_control_error", wrong_window),
    // Spec: h2-6.5.2-initial-window-size
    Case::new("settings/the_largest_initial_window_size_is_taken", largest_window),
    // Spec: h2-6.5.2-max-frame-size
    Case::new("settings/max_frame_size_below_16384_is_a_protocol_error", small_frames),
    // Spec: h2-6.5.2-max-frame-size
    Case::new("settings/max_frame_size_above_16777215_is_a_protocol_error", large_frames),
    // Spec: h2-6.5.2-max-frame-size
    Case::new("settings/both_ends_of_max_frame_size_are_taken", frame_sizes),
    // Spec: h2-6.5.2-unknown-id
    Case::new("settings/unknown_identifiers_are_ignored", unknown_identifiers),
    // Spec: h2-6.5.3-order
    Case::new("settings/the_last_of_several_values_holds", last_value_holds),
    // Spec: h2-6.5.3-order
    Case::new("settings/a_value_that_is_wrong_is_wrong_though_another_follows", wrong_then_right),
    // Spec: h2-6.5.3-ack, trap-settings-applied
    Case::new("settings/a_frame_that_is_not_whole_changes_nothing_that_is_seen", cut),
    // Spec: h2-6.5.3-ack
    Case::new("settings/all_defined_ones_may_be_sent", all_defined),
    // Spec: h2-4.3.1-first-response, trap-settings-applied
    Case::new("settings/the_first_response_obeys_a_header_table_of_0", no_table),
    // Spec: h2-4.3.1-encoder-update, trap-settings-applied
    Case::new("settings/a_smaller_header_table_is_announced_in_the_next_block", smaller_table),
    // Spec: RFC 9113 section 6.5.2
    Case::new("settings/max_concurrent_streams_of_the_client_is_no_matter_to_calls", no_streams),
];

fn acknowledged(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let rest = set(client, &[(INITIAL_WINDOW_SIZE, 70_000)])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    let rest = set(client, &[])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    client.expect_alive()
}

fn each_acknowledged(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::settings(&[(INITIAL_WINDOW_SIZE, 70_000)]).repeat(7));
    let frames = client.look();
    expect(
        &frames,
        frames.len() == 7 && frames.iter().all(is_settings_ack),
        "seven acknowledgements",
    )?;
    client.expect_alive()
}

fn ack_with_payload(client: &mut Client) -> Verdict {
    each(client, [1, 6, 12], |client, len| {
        fails(
            client,
            &wire::frame(wire::SETTINGS, wire::ACK, 0, &vec![0; *len]),
            code::FRAME_SIZE_ERROR,
        )
    })
}

fn unasked_ack(client: &mut Client) -> Verdict {
    kit::ignores(client, &wire::settings_ack().repeat(3))
}

fn on_a_stream(client: &mut Client) -> Verdict {
    for flags in [0, wire::ACK] {
        each(client, [1, 2, 3], |client, stream| {
            fails(
                client,
                &wire::frame(wire::SETTINGS, flags, *stream, &[]),
                code::PROTOCOL_ERROR,
            )
        })?;
    }
    Ok(())
}

fn wrong_length(client: &mut Client) -> Verdict {
    each(client, [1, 3, 5, 7, 11, 13], |client, len| {
        fails(
            client,
            &wire::frame(wire::SETTINGS, 0, 0, &vec![0; *len]),
            code::FRAME_SIZE_ERROR,
        )
    })
}

/// These settings end the connection.
fn wrong(client: &mut Client, settings: &[(u16, u32)], code: u32) -> Verdict {
    fails(client, &wire::settings(settings), code)
}

/// These settings are acknowledged, and the connection lives on.
fn taken(client: &mut Client, settings: &[(u16, u32)]) -> Verdict {
    client.open_with_innocent()?;
    let rest = set(client, settings)?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    client.expect_alive()
}

fn wrong_enable_push(client: &mut Client) -> Verdict {
    each(client, [2, 0xff, 0x100, u32::MAX], |client, value| {
        wrong(client, &[(ENABLE_PUSH, *value)], code::PROTOCOL_ERROR)
    })
}

fn enable_push(client: &mut Client) -> Verdict {
    each(client, [0, 1], |client, value| {
        taken(client, &[(ENABLE_PUSH, *value)])
    })
}

fn wrong_window(client: &mut Client) -> Verdict {
    each(client, [MAX_WINDOW + 1, u32::MAX], |client, value| {
        wrong(client, &[(INITIAL_WINDOW_SIZE, *value)], code::FLOW_CONTROL_ERROR)
    })
}

fn largest_window(client: &mut Client) -> Verdict {
    taken(client, &[(INITIAL_WINDOW_SIZE, MAX_WINDOW)])
}

fn small_frames(client: &mut Client) -> Verdict {
    each(client, [0, 1, 16_383], |client, value| {
        wrong(client, &[(MAX_FRAME_SIZE, *value)], code::PROTOCOL_ERROR)
    })
}

fn large_frames(client: &mut Client) -> Verdict {
    each(client, [16_777_216, u32::MAX], |client, value| {
        wrong(client, &[(MAX_FRAME_SIZE, *value)], code::PROTOCOL_ERROR)
    })
}

fn frame_sizes(client: &mut Client) -> Verdict {
    each(client, [16_384, 16_777_215], |client, value| {
        taken(client, &[(MAX_FRAME_SIZE, *value)])
    })
}

fn unknown_identifiers(client: &mut Client) -> Verdict {
    taken(client, &[(0, 1), (7, 0), (0xfff, 7), (0xffff, u32::MAX)])
}

fn last_value_holds(client: &mut Client) -> Verdict {
    client.open_with(&[(INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1)])?;
    let stream = call(client, UNARY, b"in order");
    let mut all = client.look();
    let one = matches!(&all[..], [head, data] if is_headers(head, stream) && is_data(data, stream, 1));
    expect(&all, one, "HEADERS and one octet")?;
    // Up, down and up again: the difference between the last ones counts.
    all.extend(set(
        client,
        &[
            (INITIAL_WINDOW_SIZE, 0),
            (INITIAL_WINDOW_SIZE, 9_000),
            (INITIAL_WINDOW_SIZE, 3),
        ],
    )?);
    let two = matches!(&all[2..], [data] if is_data(data, stream, 2));
    expect(&all, two, "two octets more")?;
    all.extend(set(client, &[(INITIAL_WINDOW_SIZE, DEFAULT_WINDOW as u32)])?);
    Answer::of(&all, stream)?.expect_echo(b"in order")?;
    client.expect_alive()
}

fn wrong_then_right(client: &mut Client) -> Verdict {
    let settings = [(INITIAL_WINDOW_SIZE, u32::MAX), (INITIAL_WINDOW_SIZE, 1)];
    wrong(client, &settings, code::FLOW_CONTROL_ERROR)?;
    client.reconnect();
    wrong(
        client,
        &[(MAX_FRAME_SIZE, 1), (MAX_FRAME_SIZE, 16_384)],
        code::PROTOCOL_ERROR,
    )
}

fn cut(client: &mut Client) -> Verdict {
    // Values apply together with the acknowledgement: nothing is sent between them.
    client.open_with(&[(INITIAL_WINDOW_SIZE, 0)])?;
    let stream = call(client, UNARY, b"cut");
    let mut all = client.look();
    let octets = wire::settings(&[(INITIAL_WINDOW_SIZE, 2), (INITIAL_WINDOW_SIZE, 1)]);
    for octet in &octets[..octets.len() - 1] {
        client.send(&[*octet]);
        client.expect_silence()?;
    }
    client.send(&octets[octets.len() - 1..]);
    let frames = client.look();
    let good = matches!(&frames[..], [ack, data] if is_settings_ack(ack) && is_data(data, stream, 1));
    expect(&frames, good, "the acknowledgement, and one octet")?;
    all.extend(frames.into_iter().skip(1));
    all.extend(set(client, &[(INITIAL_WINDOW_SIZE, DEFAULT_WINDOW as u32)])?);
    Answer::of(&all, stream)?.expect_echo(b"cut")
}

fn all_defined(client: &mut Client) -> Verdict {
    taken(
        client,
        &[
            (HEADER_TABLE_SIZE, 100),
            (ENABLE_PUSH, 0),
            (MAX_CONCURRENT_STREAMS, 100),
            (INITIAL_WINDOW_SIZE, 100_000),
            (MAX_FRAME_SIZE, 32_768),
            (MAX_HEADER_LIST_SIZE, 16_384),
        ],
    )
}

fn no_table(client: &mut Client) -> Verdict {
    client.open_with(&[(HEADER_TABLE_SIZE, 0)])?;
    for at in 0..3 {
        let stream = call(client, UNARY, b"no table");
        let frames = client.look();
        Answer::of(&frames, stream)?.expect_echo(b"no table")?;
        let blocks = frames.iter().filter(|frame| frame.kind == wire::HEADERS);
        for (block, section) in blocks.zip(["headers", "trailers"]) {
            // The first of all says that the table is gone; no block names or makes an entry.
            let payload = block.payload.strip_prefix(&[0x20]);
            let (updated, rest) = (payload.is_some(), payload.unwrap_or(&block.payload));
            let first = at == 0 && section == "headers";
            check(updated == first && is_static(rest), || {
                format!("{section} of response {at}: {:02x?}", block.payload)
            })?;
        }
    }
    client.expect_alive()
}

/// The first representation of a block neither names nor makes an entry of the dynamic table. (Those behind it are
/// decoded with a table that such an entry would have to be in.)
fn is_static(block: &[u8]) -> bool {
    let named = |octet: u8, bits: u32| u32::from(octet) & ((1 << bits) - 1);
    match block.first() {
        Some(octet @ 0x80..) => named(*octet, 7) <= 61,
        Some(0x40..=0x7f) => false,
        Some(octet) => *octet < 0x20,
        None => false,
    }
}

fn smaller_table(client: &mut Client) -> Verdict {
    client.open()?;
    kit::completed(client)?;
    let rest = set(client, &[(HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 64)])?;
    expect(&rest, rest.is_empty(), "the acknowledgement alone")?;
    let stream = call(client, UNARY, b"smaller");
    let frames = client.look();
    // The smallest, then the last: 0, and 31 + 33 in an integer of a 5-bit prefix.
    let announced = frames
        .first()
        .is_some_and(|head| head.payload.starts_with(&[0x20, 0x3f, 33]));
    expect(&frames, announced, "updates to 0 and to 64 first")?;
    Answer::of(&frames, stream)?.expect_echo(b"smaller")?;
    client.expect_alive()
}

fn no_streams(client: &mut Client) -> Verdict {
    // It bounds what a server opens, and a server opens nothing.
    client.open_with(&[(MAX_CONCURRENT_STREAMS, 0)])?;
    client.expect_alive()
}
