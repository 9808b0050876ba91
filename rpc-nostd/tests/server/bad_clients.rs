//! Clients that break, lie or stop in the middle: each gets the named answer, and others are served as before.

use rpc_nostd::Code;
use rpc_nostd::server::{Call, Service};

use crate::bench::{Bench, serving};
use crate::service::{CHAT, Custom, Guard, Log, UNARY, echo};
use crate::support::Blob;
use crate::support::frames::{self, ACK, END_HEADERS, END_STREAM, PADDED};
use crate::wire::{PREFACE, Wire, request, request_with};

/// What a client must see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// GOAWAY with this code, and the end.
    Connection(u32),
    /// RST_STREAM with this code.
    Stream(u32),
    /// Nothing: it is ignored, or waited for.
    Nothing,
}
use Fate::{Connection, Nothing, Stream};

const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const COMPRESSION_ERROR: u32 = 9;

pub const PRIORITY: u8 = 2;
const PRIORITY_FLAG: u8 = 0x20;

/// Serves UNARY as an echo; other handlers echo too, and write into the log when they begin and when they are dropped.
pub fn watched(log: &Log) -> impl Service + use<> {
    let log = log.clone();
    Custom(async move |call: &mut Call<'_>| {
        if call.method() == &UNARY {
            return echo(call).await;
        }
        log.borrow_mut().push("begun".to_owned());
        let _guard = Guard(log.clone(), "dropped");
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        while let Some(request) = requests.next().await? {
            replies.send(&request).await?;
        }
        Ok(())
    })
}

/// The bad octets, sent on a sound connection, meet this fate, in whatever pieces they come; then an innocent call
/// succeeds, on the same connection if that lives, and no handler is left.
#[track_caller]
pub fn check(name: &str, octets: &[u8], fate: Fate) {
    for piece in [0, 1, 7] {
        let log = Log::default();
        serving(watched(&log), async |bench| {
            let mut wire = bench.open().await;
            wire.socket.set_piece(piece);
            wire.send(octets);
            bench.settle().await;
            wire.socket.set_piece(0);
            bench.settle().await;
            let seen = fate_of(&mut wire);
            assert_eq!(seen, fate, "{name}, in pieces of {piece}");
            if let Connection(_) = fate {
                bench.pass(1_000).await;
                assert!(wire.socket.is_closed(), "{name}");
            } else {
                bench.echo(&mut wire, 1_001, b"innocent").await;
                wire.socket.close();
                bench.pass(1_000).await;
            }
            let of = |word| log.borrow().iter().filter(|entry| *entry == word).count();
            assert_eq!(of("begun"), of("dropped"), "{name}");
            next_client(bench).await;
        });
    }
}

pub fn fate_of(wire: &mut Wire) -> Fate {
    let frames = wire.look();
    let word = |octets: &[u8]| u32::from_be_bytes(octets[..4].try_into().unwrap());
    let of = |kind| frames.iter().find(move |frame| frame.kind == kind);
    match (of(frames::GOAWAY), of(frames::RST_STREAM)) {
        (Some(goaway), _) => Connection(word(&goaway.payload[4..])),
        (None, Some(rst)) => Stream(word(&rst.payload)),
        (None, None) => Nothing,
    }
}

/// A new client finds the server as it should be: both slots free.
pub async fn next_client(bench: &Bench<'_>) {
    let mut wire = bench.open().await;
    wire.send(&frames::headers(1, &request(CHAT.path()), false));
    bench.echo(&mut wire, 3, b"next").await;
    wire.send(&frames::data(1, &[], true));
    bench.settle().await;
    assert_eq!(wire.answer(1).code(), Some(Code::OK));
}

/// HEADERS that open a call on stream 1, and what follows.
pub fn after_open(octets: &[u8]) -> Vec<u8> {
    let mut all = frames::headers(1, &request(CHAT.path()), false);
    all.extend(octets);
    all
}

pub fn raw(kind: u8, flags: u8, stream: u32, len: usize) -> Vec<u8> {
    frames::frame(kind, flags, stream, &vec![0; len])
}

#[test]
fn every_truncation_of_preface_and_first_headers_then_close_frees_the_place() {
    let mut octets = PREFACE.to_vec();
    octets.extend(frames::settings(&[(4, 100_000)]));
    octets.extend(frames::headers(1, &request(CHAT.path()), false));
    octets.extend(frames::data(1, &frames::message(b"abc"), false));
    let log = Log::default();
    serving(watched(&log), async |bench| {
        for cut in 0..=octets.len() {
            let wire = bench.connect();
            wire.send(&octets[..cut]);
            if cut % 2 == 0 {
                bench.settle().await;
            }
            wire.socket.close();
            bench.settle().await;
            assert!(wire.socket.is_closed(), "cut at {cut}");
            let mut next = bench.open().await;
            bench.echo(&mut next, 1, b"next").await;
            next.socket.close();
            bench.settle().await;
        }
        let of = |word| log.borrow().iter().filter(|entry| *entry == word).count();
        assert!(of("begun") > 0);
        assert_eq!(of("begun"), of("dropped"));
    });
}

// Spec: h2-3.4-wrong-preface
#[test]
fn every_wrong_octet_of_the_preface_is_a_connection_error() {
    serving(watched(&Log::default()), async |bench| {
        for wrong in 0..PREFACE.len() {
            let mut wire = bench.connect();
            let mut preface = PREFACE.to_vec();
            preface[wrong] ^= 1;
            wire.send(&preface);
            bench.settle().await;
            assert_eq!(fate_of(&mut wire), Connection(PROTOCOL_ERROR), "octet {wrong}");
            assert!(wire.socket.is_closed());
        }
        next_client(bench).await;
    });
}

// Spec: h2-3.4-first-frame
#[test]
fn the_first_frame_must_be_settings() {
    for first in [
        frames::headers(1, &request(UNARY.path()), true),
        frames::settings_ack(),
        raw(frames::PING, 0, 0, 8),
        raw(0x42, 0, 0, 3),
    ] {
        serving(watched(&Log::default()), async |bench| {
            let mut wire = bench.connect();
            wire.send(PREFACE);
            wire.send(&first);
            bench.settle().await;
            assert_eq!(fate_of(&mut wire), Connection(PROTOCOL_ERROR));
            assert!(wire.socket.is_closed());
            next_client(bench).await;
        });
    }
}

// Spec: h2-8.1.1-reset, h2-8.2-upper-case, h2-8.2.1-value-bytes, h2-8.2.1-value-edges, h2-8.2.2-connection-fields
// Spec: h2-8.2.2-te, h2-8.3-order, h2-8.3-repeated, h2-8.3-trailers, h2-8.3-undefined, h2-8.3-direction
// Spec: h2-8.3.1-missing, h2-8.3.1-empty-path, h2-8.3.1-host-repeated, h2-8.1.1-content-length, h2-8.1-second-headers
#[test]
fn malformed_requests_are_stream_errors() {
    // RFC 9113 section 8.1.1.
    let with = |more: &[(&str, &str)]| frames::headers(1, &request_with(UNARY.path(), more), false);
    for (name, value) in [
        ("te", "gzip"),
        ("connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("X-Upper", "1"),
        ("x y", "1"),
        ("", "1"),
        ("x", "a\0b"),
        ("x", "a\r\nb: c"),
        ("x", " edge"),
        ("content-length", "5x"),
        (":status", "200"),
        (":unknown", "1"),
        (":path", ""),
    ] {
        check(
            &format!("{name}: {value:?}"),
            &with(&[(name, value)]),
            Stream(PROTOCOL_ERROR),
        );
    }
    let mut two_paths = request(UNARY.path());
    two_paths.insert(1, (":path", UNARY.path()));
    check(
        "two :path",
        &frames::headers(1, &two_paths, false),
        Stream(PROTOCOL_ERROR),
    );
    let mut late = request(UNARY.path());
    late.swap(2, 5);
    check(
        ":path behind te",
        &frames::headers(1, &late, false),
        Stream(PROTOCOL_ERROR),
    );
    for missing in [":method", ":scheme", ":path"] {
        let mut fields = request(UNARY.path());
        fields.retain(|(name, _)| *name != missing);
        check(
            missing,
            &frames::headers(1, &fields, false),
            Stream(PROTOCOL_ERROR),
        );
    }
    let mut hosts = request(UNARY.path());
    hosts.extend([("host", "a"), ("host", "b")]);
    check(
        "two host",
        &frames::headers(1, &hosts, false),
        Stream(PROTOCOL_ERROR),
    );
    let mut short = frames::headers(1, &request_with(CHAT.path(), &[("content-length", "9")]), false);
    short.extend(frames::data(1, &frames::message(b""), true));
    check("content-length too long", &short, Stream(PROTOCOL_ERROR));
    let second = frames::headers(1, &[("x", "1")], false);
    check(
        "second HEADERS without END_STREAM",
        &after_open(&second),
        Stream(PROTOCOL_ERROR),
    );
    let pseudo = frames::headers(1, &[(":path", "/")], true);
    check(
        "pseudo-header field in trailers",
        &after_open(&pseudo),
        Stream(PROTOCOL_ERROR),
    );
}

// Spec: h2-6.5-length, h2-6.5-ack-payload, h2-6.7-length, h2-6.4-length, h2-6.9-length, h2-6.8-length, h2-6.3-length
// Spec: h2-4.2-too-large-stream, h2-4.2-too-large-connection, h2-4.2-too-short-padded, h2-4.2-too-short-priority
// Spec: h2-6.1-padding
#[test]
fn frames_of_a_wrong_length_are_frame_size_errors() {
    for (kind, lengths, stream, fate) in [
        (frames::SETTINGS, &[1, 5, 7][..], 0, Connection(FRAME_SIZE_ERROR)),
        (frames::PING, &[0, 7, 9], 0, Connection(FRAME_SIZE_ERROR)),
        (frames::RST_STREAM, &[0, 3, 5], 1, Connection(FRAME_SIZE_ERROR)),
        (frames::WINDOW_UPDATE, &[0, 3, 5], 0, Connection(FRAME_SIZE_ERROR)),
        (frames::WINDOW_UPDATE, &[0, 3, 5], 1, Connection(FRAME_SIZE_ERROR)),
        (frames::GOAWAY, &[0, 7], 0, Connection(FRAME_SIZE_ERROR)),
        (PRIORITY, &[0, 4, 6], 1, Stream(FRAME_SIZE_ERROR)),
        (frames::DATA, &[16_385], 1, Stream(FRAME_SIZE_ERROR)),
        (frames::HEADERS, &[16_385], 3, Connection(FRAME_SIZE_ERROR)),
    ] {
        for len in lengths {
            let octets = after_open(&raw(kind, 0, stream, *len));
            check(&format!("type {kind}, {len} octets"), &octets, fate);
        }
    }
    check(
        "SETTINGS ACK with a payload",
        &raw(frames::SETTINGS, ACK, 0, 6),
        Connection(FRAME_SIZE_ERROR),
    );
    let padded = raw(frames::DATA, PADDED, 1, 0);
    check(
        "PADDED without its octet",
        &after_open(&padded),
        Stream(FRAME_SIZE_ERROR),
    );
    let padded = frames::frame(frames::DATA, PADDED, 1, &[5, 0, 0, 0, 0]);
    check(
        "padding of the whole payload",
        &after_open(&padded),
        Connection(PROTOCOL_ERROR),
    );
    let short = raw(frames::HEADERS, END_HEADERS | PRIORITY_FLAG, 3, 4);
    check(
        "HEADERS too short for PRIORITY",
        &short,
        Connection(FRAME_SIZE_ERROR),
    );
}

// Spec: h2-4.1-unknown-type, h2-4.1-undefined-flags, h2-6.5.2-unknown-id, h2-7-unknown-codes, h2-5.5-unknown-in-block
#[test]
fn unknown_frames_settings_flags_and_codes_are_ignored() {
    let mut octets = raw(0x42, 0xff, 0, 100);
    octets.extend(raw(0x42, 0xff, 99, 100));
    octets.extend(after_open(&raw(0x42, 0xff, 1, 100)));
    octets.extend(frames::settings(&[(0x99, 7), (0xfe03, 1)]));
    octets.extend(frames::frame(frames::PING, 0xfe, 0, b"whatever"));
    octets.extend(frames::rst(1, 0x1234_5678));
    check("unknown", &octets, Nothing);
    let inside = [
        frames::frame(frames::HEADERS, 0, 1, &frames::block(&request(UNARY.path()))),
        raw(0x42, 0, 1, 3),
    ]
    .concat();
    check(
        "an unknown frame inside a header block",
        &inside,
        Connection(PROTOCOL_ERROR),
    );
}

// Spec: h2-6.9.1-overflow-stream, h2-6.9.1-overflow-connection, h2-6.9.2-overflow, h2-6.5.2-initial-window-size
// Spec: h2-6.9-zero-stream, h2-6.9-zero-connection
#[test]
fn window_overflows_are_flow_control_errors() {
    // RFC 9113 sections 6.9.1 and 6.9.2.
    let max = 0x7fff_ffff;
    check(
        "stream",
        &after_open(&frames::window_update(1, max)),
        Stream(FLOW_CONTROL_ERROR),
    );
    check(
        "connection",
        &frames::window_update(0, max),
        Connection(FLOW_CONTROL_ERROR),
    );
    check(
        "settings",
        &frames::settings(&[(4, max + 1)]),
        Connection(FLOW_CONTROL_ERROR),
    );
    let shifted = [frames::window_update(1, 1), frames::settings(&[(4, max)])].concat();
    check(
        "settings over an open stream",
        &after_open(&shifted),
        Connection(FLOW_CONTROL_ERROR),
    );
    check(
        "increment 0, stream",
        &after_open(&frames::window_update(1, 0)),
        Stream(PROTOCOL_ERROR),
    );
    check(
        "increment 0, connection",
        &frames::window_update(0, 0),
        Connection(PROTOCOL_ERROR),
    );
}

// Spec: h2-6.5.2-enable-push-value, h2-6.5.2-max-frame-size
#[test]
fn settings_with_values_that_are_not_allowed_are_connection_errors() {
    for (id, value) in [(2, 2), (5, 16_383), (5, 0x100_0000)] {
        check(
            &format!("{id} = {value}"),
            &frames::settings(&[(id, value)]),
            Connection(PROTOCOL_ERROR),
        );
    }
}

// Spec: h2-6.2-stream-0, h2-5.1.1-even, h2-5.1.1-decreasing, h2-6.1-stream-0, h2-5.1-idle, h2-6.4-stream-0
// Spec: h2-6.4-idle, h2-6.3-stream-0, h2-6.5-stream, h2-6.7-stream, h2-6.8-stream, h2-8.4-push-from-client
// Spec: h2-6.10-no-block
#[test]
fn bad_stream_identifiers_are_connection_errors() {
    // RFC 9113 sections 5.1 and 5.1.1.
    let headers = |stream| frames::headers(stream, &request(CHAT.path()), true);
    for (name, octets) in [
        ("HEADERS on 0", headers(0)),
        ("HEADERS on an even one", headers(2)),
        ("HEADERS on a lower one", [headers(5), headers(3)].concat()),
        ("DATA on 0", frames::data(0, b"x", false)),
        ("DATA on an idle one", frames::data(9, b"x", false)),
        ("RST_STREAM on 0", frames::rst(0, 8)),
        ("RST_STREAM on an idle one", frames::rst(9, 8)),
        ("WINDOW_UPDATE on an idle one", frames::window_update(9, 1)),
        ("PRIORITY on 0", raw(PRIORITY, 0, 0, 5)),
        ("SETTINGS on 1", after_open(&raw(frames::SETTINGS, 0, 1, 0))),
        ("PING on 1", after_open(&raw(frames::PING, 0, 1, 8))),
        ("GOAWAY on 1", after_open(&raw(frames::GOAWAY, 0, 1, 8))),
        (
            "PUSH_PROMISE",
            after_open(&raw(frames::PUSH_PROMISE, END_HEADERS, 1, 8)),
        ),
        (
            "CONTINUATION from nowhere",
            after_open(&raw(frames::CONTINUATION, END_HEADERS, 1, 0)),
        ),
    ] {
        check(name, &octets, Connection(PROTOCOL_ERROR));
    }
    let mut depends = 1u32.to_be_bytes().to_vec();
    depends.push(7);
    let itself = frames::frame(PRIORITY, 0, 1, &depends);
    check(
        "a stream that depends on itself",
        &after_open(&itself),
        Stream(PROTOCOL_ERROR),
    );
}

// Spec: h2-5.1-closed-arrivals, h2-5.1.1-highest-again
#[test]
fn frames_on_a_stream_that_both_sides_have_ended_are_connection_errors() {
    for late in [
        frames::data(1, b"x", false),
        frames::headers(1, &request(CHAT.path()), true),
    ] {
        serving(watched(&Log::default()), async |bench| {
            let mut wire = bench.open().await;
            bench.echo(&mut wire, 1, b"over").await;
            wire.send(&late);
            bench.settle().await;
            assert_eq!(fate_of(&mut wire), Connection(STREAM_CLOSED));
            next_client(bench).await;
        });
    }
}

// Spec: h2-5.1-half-closed, h2-6.1-state
#[test]
fn frames_behind_end_stream_of_a_call_that_runs_are_stream_errors() {
    let gate = crate::service::Gate::default();
    let service = Custom(async move |call: &mut Call<'_>| {
        if call.method() != &UNARY {
            gate.wait().await;
        }
        echo(call).await
    });
    serving(service, async |bench| {
        let mut wire = bench.open().await;
        for (stream, late) in [
            (1, frames::data(1, b"x", false)),
            (3, frames::headers(3, &[("x", "1")], true)),
        ] {
            wire.send(&frames::headers(stream, &request(CHAT.path()), true));
            wire.send(&late);
            bench.settle().await;
            assert_eq!(fate_of(&mut wire), Stream(STREAM_CLOSED));
        }
        bench.echo(&mut wire, 5, b"innocent").await;
    });
}

// Spec: h2-4.3-undecodable, hpack-6.1-index-0, hpack-2.3.3-index, hpack-6.3-limit, hpack-4.2-update-start
// Spec: hpack-5.1-octets, hpack-5.2-eos, hpack-5.2-truncated
#[test]
fn broken_header_compression_is_a_connection_error() {
    for (name, block) in [
        ("index 0", &[0x80][..]),
        ("index beyond the tables", &[0xff, 0x7f]),
        ("literal with an index beyond the tables", &[0x7f, 0x7f, 1, b'x']),
        ("a size update above the limit", &[0x3f, 0xe2, 0x1f]),
        ("a size update behind a field", &[0x82, 0x20]),
        ("an integer without end", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        (
            "Huffman code with EOS",
            &[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 1, b'x'],
        ),
        ("a block that is cut off", &[0x40, 5, b'x']),
    ] {
        let octets = frames::frame(frames::HEADERS, END_HEADERS | END_STREAM, 1, block);
        check(name, &octets, Connection(COMPRESSION_ERROR));
    }
}
