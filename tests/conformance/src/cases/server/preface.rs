//! How a connection begins. Spec: RFC 9113 section 3.4.

use crate::cases::server::kit::{
    self, ENABLE_PUSH, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE, UNARY, each, expect, is_settings_ack, setting,
};
use crate::ours::{RECV, STREAMS};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-3.4-server-preface, h2-3.4-ack-after-preface, h2-6.5.3-ack
    Case::new("preface/settings_come_first_then_the_acknowledgement", settings_first),
    // Spec: h2-6.5.2-server-push-setting, h2-4.3.1-server-table, grpc-header-limit-told
    Case::new("preface/settings_say_what_is_documented", documented_settings),
    // Spec: h2-3.4-wrong-preface, h2-3.3-prior-knowledge
    Case::new("preface/a_wrong_octet_anywhere_is_a_protocol_error", wrong_octet),
    // Spec: h2-3.4-wrong-preface, h2-3.3-prior-knowledge
    Case::new("preface/a_request_of_http_1_is_a_protocol_error", http_1),
    // Spec: h2-3.4-first-frame
    Case::new("preface/a_first_frame_other_than_settings_is_a_protocol_error", other_first_frame),
    // Spec: threat-35, threat-38
    Case::new("preface/octets_may_come_one_at_a_time", one_at_a_time),
    // Spec: threat-38
    Case::new("preface/everything_may_come_at_once", all_at_once),
    // Spec: threat-35
    Case::new("preface/settings_that_do_not_come_in_time_are_a_settings_timeout", no_settings),
    // Spec: threat-35
    Case::new("preface/an_acknowledgement_that_does_not_come_in_time_is_a_settings_timeout", no_acknowledgement),
];

fn settings_first(client: &mut Client) -> Verdict {
    let frames = client.look();
    let first = matches!(&frames[..], [first]
        if first.kind == wire::SETTINGS && first.flags == 0 && first.stream == 0 && first.payload.len() % 6 == 0);
    expect(&frames, first, "SETTINGS at once")?;
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    let frames = client.look();
    let ack = matches!(&frames[..], [ack] if is_settings_ack(ack));
    expect(&frames, ack, "the acknowledgement alone")?;
    client.send(&wire::settings_ack());
    client.expect_ignored()
}

fn documented_settings(client: &mut Client) -> Verdict {
    client.open()?;
    let said = |id| setting(client, id);
    check(said(MAX_CONCURRENT_STREAMS) == Some(STREAMS as u32), || {
        format!("MAX_CONCURRENT_STREAMS {:?}", said(MAX_CONCURRENT_STREAMS))
    })?;
    check(said(INITIAL_WINDOW_SIZE) == Some(RECV as u32), || {
        format!("INITIAL_WINDOW_SIZE {:?}", said(INITIAL_WINDOW_SIZE))
    })?;
    check(said(HEADER_TABLE_SIZE).unwrap_or(4_096) == 4_096, || {
        format!("HEADER_TABLE_SIZE {:?}", said(HEADER_TABLE_SIZE))
    })?;
    check(said(MAX_HEADER_LIST_SIZE) == Some(8_192), || {
        format!("MAX_HEADER_LIST_SIZE {:?}", said(MAX_HEADER_LIST_SIZE))
    })?;
    check(said(ENABLE_PUSH).unwrap_or(0) == 0, || {
        format!("ENABLE_PUSH {:?}", said(ENABLE_PUSH))
    })?;
    check(said(MAX_FRAME_SIZE).unwrap_or(16_384) == 16_384, || {
        format!("MAX_FRAME_SIZE {:?}", said(MAX_FRAME_SIZE))
    })
}

fn wrong_octet(client: &mut Client) -> Verdict {
    each(client, 0..wire::PREFACE.len(), |client, at| {
        client.look();
        let mut preface = wire::PREFACE.to_vec();
        preface[*at] ^= 0x20;
        client.send(&preface);
        client.expect_connection_error(0, code::PROTOCOL_ERROR)
    })
}

fn http_1(client: &mut Client) -> Verdict {
    client.look();
    client.send(b"POST /test.Echo/Unary HTTP/1.1\r\nHost: test.local\r\nUpgrade: h2c\r\n\r\n");
    client.expect_connection_error(0, code::PROTOCOL_ERROR)
}

fn other_first_frame(client: &mut Client) -> Verdict {
    let frames = [
        wire::ping([0; 8]),
        wire::settings_ack(),
        wire::headers(1, &request(UNARY), wire::END_STREAM),
        wire::data(1, b"x", 0),
        wire::window_update(0, 1),
        wire::priority(1, 0),
        wire::rst_stream(1, code::CANCEL),
        wire::goaway(0, code::NO_ERROR),
        wire::continuation(1, b"", wire::END_HEADERS),
        wire::frame(0x42, 0, 0, b"extension"),
    ];
    each(client, frames, |client, frame| {
        client.look();
        client.send(&[wire::PREFACE, frame].concat());
        client.expect_connection_error(0, code::PROTOCOL_ERROR)
    })
}

fn one_at_a_time(client: &mut Client) -> Verdict {
    let stream = client.next_stream();
    for octet in beginning(stream) {
        client.send(&[octet]);
    }
    client.answer(stream)?.expect_echo(b"early")?;
    client.expect_alive()
}

fn all_at_once(client: &mut Client) -> Verdict {
    let stream = client.next_stream();
    client.send(&beginning(stream));
    client.answer(stream)?.expect_echo(b"early")?;
    client.expect_alive()
}

/// A call before any SETTINGS of the server were read.
fn beginning(stream: u32) -> Vec<u8> {
    [
        wire::PREFACE,
        &wire::settings(&[]),
        &wire::headers(stream, &request(UNARY), 0),
        &kit::last_data(stream, b"early"),
        &wire::settings_ack(),
    ]
    .concat()
}

fn no_settings(client: &mut Client) -> Verdict {
    client.look();
    client.send(wire::PREFACE);
    client.server.pass(TIMEOUT_MS - 1);
    client.expect_silence()?;
    client.server.pass(1);
    client.expect_connection_error(0, code::SETTINGS_TIMEOUT)
}

fn no_acknowledgement(client: &mut Client) -> Verdict {
    client.send(&[wire::PREFACE, &wire::settings(&[])].concat());
    client.look();
    let stream = kit::call(client, UNARY, b"first");
    client.answer(stream)?.expect_echo(b"first")?;
    client.server.pass(TIMEOUT_MS - 1);
    client.expect_silence()?;
    client.server.pass(1);
    client.expect_connection_error(stream, code::SETTINGS_TIMEOUT)
}

/// For the client's SETTINGS and its acknowledgement of the server's, as `h2_lite::Config` documents it.
const TIMEOUT_MS: u64 = 10_000;
