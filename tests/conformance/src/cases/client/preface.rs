//! How a connection begins. Spec: RFC 9113 section 3.4.

use crate::endpoint::Call;
use crate::peer::Server;
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new("preface/the_servers_settings_are_acknowledged", handshake),
    Case::new("preface/comes_before_anything_of_the_server", speaks_first),
    Case::new("preface/forbids_push_and_tells_the_limits", own_settings),
    Case::new(
        "preface/a_ping_before_the_servers_settings_is_a_protocol_error",
        ping_first,
    ),
    Case::new(
        "preface/an_acknowledgement_before_the_servers_settings_is_a_protocol_error",
        acknowledgement_first,
    ),
    Case::new("preface/an_http_1_answer_is_a_protocol_error_or_worse", http_1),
    Case::new("preface/one_octet_at_a_time_is_good", octet_by_octet),
];

// Spec: h2-3.4-ack-after-preface, h2-6.5.3-ack
fn handshake(server: &mut Server) -> Verdict {
    server.open()?;
    let acks = server.heard.frames.iter();
    let acks = acks.filter(|frame| frame.kind == wire::SETTINGS && frame.has(wire::ACK));
    let exact = acks.map(|ack| ack.payload.len()).collect::<Vec<_>>() == [0];
    check(exact, || "one empty acknowledgement".to_owned())?;
    server.expect_alive()
}

// Spec: h2-3.3-prior-knowledge, h2-3.4-client-preface
fn speaks_first(server: &mut Server) -> Verdict {
    server.client.call(Call::Unary(1));
    let octets = server.client.receive();
    check(octets.starts_with(wire::PREFACE), || {
        format!("not the preface: {octets:02x?}")
    })?;
    server.heard.push(&octets[wire::PREFACE.len()..]);
    let frames = server.heard.look();
    let exact = frames
        .first()
        .is_some_and(|first| first.kind == wire::SETTINGS && first.flags == 0 && first.stream == 0);
    check(exact, || format!("SETTINGS behind the preface, not {frames:?}"))
}

// Spec: h2-6.5.2-client-disables-push, grpc-header-limit-told
fn own_settings(server: &mut Server) -> Verdict {
    server.open()?;
    let settings = entries(&server.heard.frames[0].payload);
    let value = |wanted| {
        let of_id = settings.iter().filter(|(id, _)| *id == wanted);
        of_id.map(|(_, value)| *value).collect::<Vec<_>>()
    };
    let exact = value(ENABLE_PUSH) == [0] && value(MAX_HEADER_LIST_SIZE).len() == 1;
    check(exact, || format!("SETTINGS: {settings:?}"))
}

// Spec: h2-3.4-first-frame
fn ping_first(server: &mut Server) -> Verdict {
    first_frame_is(server, &wire::ping(*b"too soon"))
}

// Spec: h2-3.4-first-frame
fn acknowledgement_first(server: &mut Server) -> Verdict {
    first_frame_is(server, &wire::settings_ack())
}

// Spec: h2-3.4-first-frame
fn http_1(server: &mut Server) -> Verdict {
    // Its first octets say a frame of 4.7 MiB: whatever is said of that, nothing of it is waited for.
    server.client.call(Call::Unary(1));
    server.client.receive();
    server.send(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    refused(server)
}

// Spec: h2-3.4-ack-after-preface, threat-35
fn octet_by_octet(server: &mut Server) -> Verdict {
    let call = server.client.call(Call::Unary(1));
    server.client.receive();
    for octet in [wire::settings(&[(0x3, 7)]), wire::settings_ack()].concat() {
        server.send(&[octet]);
    }
    let frames = server.look();
    let acked = frames
        .iter()
        .filter(|frame| frame.kind == wire::SETTINGS && frame.has(wire::ACK));
    check(acked.count() == 1, || format!("no acknowledgement: {frames:?}"))?;
    server.respond(1, b"slow");
    server.expect_outcome(call, 0, b"slow")
}

fn first_frame_is(server: &mut Server, octets: &[u8]) -> Verdict {
    server.client.call(Call::Unary(1));
    server.client.receive();
    server.send(octets);
    refused(server)
}

/// GOAWAY(PROTOCOL_ERROR), the transport closed, the call failed as UNAVAILABLE, and a sound server is served later.
fn refused(server: &mut Server) -> Verdict {
    let frames = server.look();
    let goodbye = frames.iter().find(|frame| frame.kind == wire::GOAWAY);
    let code = goodbye.and_then(|frame| frame.u32_at(4));
    check(code == Some(code::PROTOCOL_ERROR), || {
        format!("GOAWAY(PROTOCOL_ERROR) expected, not {frames:?}")
    })?;
    check(server.client.is_closed(), || "the transport is open".to_owned())?;
    server.expect_outcome(0, 14, &[])?;
    server.expect_new_connection()
}

/// The identifiers and values of SETTINGS.
pub(super) fn entries(payload: &[u8]) -> Vec<(u16, u32)> {
    let entry = |octets: &[u8]| {
        let (id, value) = octets.split_at(2);
        let value = value
            .iter()
            .fold(0, |value, octet| value << 8 | u32::from(*octet));
        (u16::from(id[0]) << 8 | u16::from(id[1]), value)
    };
    payload.chunks_exact(6).map(entry).collect()
}

const ENABLE_PUSH: u16 = 2;
const MAX_HEADER_LIST_SIZE: u16 = 6;
