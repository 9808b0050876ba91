//! Clients that want too much: large metadata, floods, and those that never read.

use rpc_nostd::Code;

use crate::bad_clients::Fate::{Connection, Nothing};
use crate::bad_clients::{PRIORITY, after_open, check, next_client, raw, watched};
use crate::bench::serving;
use crate::service::{CHAT, Custom, Log, UNARY, echo};
use crate::support::frames::{self, END_HEADERS};
use crate::wire::{request, request_with};

const ENHANCE_YOUR_CALM: u32 = 11;

/// A request with so many more fields of so many octets each, in frames of 16,000 octets.
fn large_request(count: usize, octets: usize) -> Vec<u8> {
    let value = "v".repeat(octets);
    let mut fields = request(UNARY.path());
    fields.extend(std::iter::repeat_n(("x-large", value.as_str()), count));
    in_pieces(&frames::block(&fields), 16_000)
}

/// The block in HEADERS and CONTINUATION of so many octets each.
fn in_pieces(block: &[u8], len: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    let last = block.chunks(len).count() - 1;
    for (n, piece) in block.chunks(len).enumerate() {
        let kind = if n == 0 {
            frames::HEADERS
        } else {
            frames::CONTINUATION
        };
        let flags = if n == last { END_HEADERS } else { 0 };
        octets.extend(frames::frame(kind, flags, 1, piece));
    }
    octets
}

// Spec: grpc-header-limit
#[test]
fn metadata_above_the_list_size_is_skipped_and_the_call_goes_on() {
    // SETTINGS_MAX_HEADER_LIST_SIZE is 8,192, and 64 fields are looked at.
    for (count, octets) in [(60, 100), (100, 10), (50, 200), (30, 1_000), (100, 200)] {
        serving(Custom(echo), async |bench| {
            let mut wire = bench.open().await;
            wire.send(&large_request(count, octets));
            wire.send(&frames::data(1, &frames::message(b"x"), true));
            bench.settle().await;
            assert_eq!(wire.answer(1).code(), Some(Code::OK), "{count} of {octets}");
            bench.echo(&mut wire, 3, b"innocent").await;
        });
    }
}

#[test]
fn metadata_far_above_the_list_size_ends_the_connection() {
    for (count, octets) in [(200, 200), (20, 3_000), (1_000, 10), (1, 70_000)] {
        let name = format!("{count} fields of {octets}");
        check(
            &name,
            &large_request(count, octets),
            Connection(ENHANCE_YOUR_CALM),
        );
    }
}

#[test]
fn a_continuation_flood_ends_the_connection() {
    let mut endless = frames::frame(frames::HEADERS, 0, 1, &frames::block(&request(UNARY.path())));
    for _ in 0..20 {
        endless.extend(frames::frame(frames::CONTINUATION, 0, 1, &[]));
    }
    check("empty ones", &endless, Connection(ENHANCE_YOUR_CALM));
    let block = frames::block(&request(UNARY.path()));
    check(
        "an octet each",
        &in_pieces(&block, 1),
        Connection(ENHANCE_YOUR_CALM),
    );
    check(
        "nine frames",
        &in_pieces(&block, block.len().div_ceil(9)),
        Nothing,
    );
}

#[test]
fn floods_end_the_connection() {
    let mut resets = Vec::new();
    let mut refused = Vec::new();
    for stream in (1..1_000).step_by(2) {
        resets.extend(frames::headers(stream, &request(CHAT.path()), false));
        resets.extend(frames::rst(stream, 8));
        refused.extend(frames::headers(
            stream,
            &request_with(CHAT.path(), &[("te", "x")]),
            false,
        ));
    }
    for (name, octets) in [
        ("rapid reset", resets),
        ("malformed requests", refused),
        ("SETTINGS", frames::settings(&[]).repeat(300)),
        ("PING", raw(frames::PING, 0, 0, 8).repeat(300)),
        ("empty DATA", after_open(&frames::data(1, &[], false).repeat(300))),
        ("PRIORITY", raw(PRIORITY, 0, 99, 5).repeat(500)),
        ("GOAWAY", raw(frames::GOAWAY, 0, 0, 8).repeat(300)),
    ] {
        check(name, &octets, Connection(ENHANCE_YOUR_CALM));
    }
}

// Spec: threat-08, threat-13
#[test]
fn a_client_that_reads_nothing_is_not_read_either() {
    // One answer to PING waits in memory, and no more (CVE-2019-9512).
    serving(watched(&Log::default()), async |bench| {
        let wire = bench.open().await;
        wire.socket.set_capacity(Some(0));
        for _ in 0..90 {
            wire.send(&raw(frames::PING, 0, 0, 8));
        }
        wire.send(&vec![0; 100_000]);
        bench.settle().await;
        assert!(wire.socket.unread() > 90_000);
        bench.pass(20_000).await;
        assert!(wire.socket.is_closed());
        next_client(bench).await;
    });
}
