//! More clients than one: each its own place, and none for one too many.

use std::future::pending;

use rpc_nostd::server::{Call, Service};

use crate::bench::{Bench, serving, serving_with_spare};
use crate::service::{CHAT, Custom, Echo, Guard, Log, UNARY, echo};
use crate::support::frames;
use crate::wire::{PREFACE, Wire, request};

/// Serves UNARY as an echo; other handlers never end, and write into the log when they are dropped.
fn hanging(log: &Log) -> impl Service + use<> {
    let log = log.clone();
    Custom(async move |call: &mut Call<'_>| {
        if call.method() == &UNARY {
            return echo(call).await;
        }
        let _guard = Guard(log.clone(), "dropped");
        pending().await
    })
}

#[test]
fn two_connections_do_not_know_each_other() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        let (mut one, mut two) = (bench.open().await, bench.open().await);
        // The same streams on both; one is at its limit, then fails.
        for stream in [1, 3] {
            one.send(&frames::headers(stream, &request(CHAT.path()), false));
        }
        bench.echo(&mut two, 1, b"two").await;
        bench.echo(&mut two, 3, b"two").await;
        one.send(&frames::data(0, b"DATA on stream 0", false));
        bench.pass(1_000).await;
        assert_eq!(goaway(&mut one), Some((3, 1)));
        assert!(one.socket.is_closed());
        assert_eq!(*log.borrow(), ["dropped", "dropped"]);
        bench.echo(&mut two, 5, b"two").await;
    });
}

#[test]
fn a_further_client_waits_until_a_place_is_free() {
    serving(Echo, async |bench| {
        let (first, mut second) = (bench.open().await, bench.open().await);
        let mut third = bench.connect();
        third.send(PREFACE);
        third.send(&frames::settings(&[]));
        bench.pass(5_000).await;
        assert!(third.look().is_empty());
        first.socket.close();
        bench.settle().await;
        assert_eq!(third.look_for(frames::SETTINGS).len(), 2);
        third.send(&frames::settings_ack());
        bench.echo(&mut third, 1, b"third").await;
        bench.echo(&mut second, 1, b"second").await;
    });
}

#[test]
fn a_listener_that_fails_is_asked_again() {
    serving(Echo, async |bench| {
        bench.net.fail(5);
        bench.pass(1_000).await;
        let mut wire = bench.open().await;
        bench.echo(&mut wire, 1, b"x").await;
    });
}

/// Last stream and code of a GOAWAY that has come.
fn goaway(wire: &mut Wire) -> Option<(u32, u32)> {
    let word = |octets: &[u8]| u32::from_be_bytes(octets[..4].try_into().unwrap());
    let frames = wire.look_for(frames::GOAWAY);
    let frame = frames.first()?;
    Some((word(&frame.payload), word(&frame.payload[4..])))
}

/// A client that begins with all that clients begin with, a call included.
fn hurried(bench: &Bench<'_>) -> Wire {
    let wire = bench.connect();
    wire.send(PREFACE);
    wire.send(&frames::settings(&[]));
    wire.call(1, UNARY.path(), &[b"hurried"]);
    wire
}

#[test]
fn a_client_too_many_is_told_that_none_of_its_calls_was_begun() {
    // RFC 9113 sections 3.4 and 6.8.
    serving_with_spare(Echo, async |bench| {
        let (mut first, mut second) = (bench.open().await, bench.open().await);
        let mut third = hurried(bench);
        bench.settle().await;
        let seen = third.look();
        let kinds: Vec<u8> = seen.iter().map(|frame| frame.kind).collect();
        assert_eq!(kinds, [frames::SETTINGS, frames::GOAWAY]);
        assert_eq!(seen[1].payload, [0; 8], "last stream 0, NO_ERROR");
        assert!(!third.socket.is_closed(), "the client may read that first");
        third.socket.close();
        bench.settle().await;
        assert!(third.socket.is_closed());
        bench.echo(&mut first, 1, b"first").await;
        bench.echo(&mut second, 1, b"second").await;
    });
}

#[test]
fn clients_too_many_are_turned_away_one_in_a_second_and_do_not_stay() {
    serving_with_spare(Echo, async |bench| {
        let (_first, _second) = (bench.open().await, bench.open().await);
        let mut more: Vec<Wire> = (0..3).map(|_| hurried(bench)).collect();
        for n in 0..3 {
            bench.settle().await;
            assert_eq!(goaway(&mut more[n]), Some((0, 0)));
            assert!(more[n + 1..].iter_mut().all(|wire| wire.look().is_empty()));
            // It does not leave: after a second it is left.
            bench.pass(1_000).await;
            assert!(more[n].socket.is_closed());
            bench.pass(1_000).await;
        }
    });
}

#[test]
fn a_place_that_is_free_again_takes_the_next_client() {
    serving_with_spare(Echo, async |bench| {
        for _ in 0..5 {
            let (first, second) = (bench.open().await, bench.open().await);
            let mut third = hurried(bench);
            bench.settle().await;
            assert_eq!(goaway(&mut third), Some((0, 0)));
            third.socket.close();
            first.socket.close();
            bench.settle().await;
            let mut fourth = bench.open().await;
            bench.echo(&mut fourth, 1, b"fourth").await;
            fourth.socket.close();
            second.socket.close();
            bench.pass(1_000).await;
        }
    });
}

#[test]
fn a_server_with_a_spare_shuts_down() {
    for taken in 0..=2 {
        for too_many in [false, true] {
            serving_with_spare(Echo, async |bench| {
                let mut wires = Vec::new();
                for _ in 0..taken {
                    wires.push(bench.open().await);
                }
                let _third = too_many.then(|| hurried(bench));
                bench.settle().await;
                bench.server.shut_down();
                wires.iter().for_each(|wire| wire.socket.close());
                bench.pass(12_000).await;
                assert!(bench.done.get(), "{taken} clients, one more: {too_many}");
            });
        }
    }
}
