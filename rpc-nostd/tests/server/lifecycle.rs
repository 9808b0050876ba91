//! How connections begin and end: shut down, idle, old, silent, left, refused, lost.

use std::future::pending;
use std::time::Duration;

use rpc_nostd::Code;
use rpc_nostd::server::{Call, ServerConfig, Service};

use crate::bench::{serving, serving_as};
use crate::service::{CHAT, COLLECT, Custom, Echo, Guard, Log, UNARY, echo};
use crate::support::frames::{self, Frame};
use crate::wire::{PREFACE, request};

const NO_ERROR: u32 = 0;
const SETTINGS_TIMEOUT: u32 = 4;
const MAX_ID: u32 = 0x7fff_ffff;

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

/// Last stream and code of the GOAWAYs that have come.
fn goaways(frames: &[Frame]) -> Vec<(u32, u32)> {
    let word = |octets: &[u8]| u32::from_be_bytes(octets[..4].try_into().unwrap());
    let goaways = frames.iter().filter(|frame| frame.kind == frames::GOAWAY);
    goaways
        .map(|frame| (word(&frame.payload), word(&frame.payload[4..])))
        .collect()
}

fn pings(frames: &[Frame]) -> Vec<Frame> {
    let pings = frames.iter().filter(|frame| frame.kind == frames::PING);
    pings
        .filter(|frame| frame.flags & frames::ACK == 0)
        .cloned()
        .collect()
}

fn pong(ping: &Frame) -> Vec<u8> {
    frames::frame(frames::PING, frames::ACK, 0, &ping.payload)
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

/// Nothing but the limit under test.
fn quiet() -> ServerConfig {
    ServerConfig {
        max_connection_idle: None,
        keepalive_time: None,
        ..ServerConfig::new()
    }
}

// Spec: h2-6.8-graceful, h2-6.8-before-close
#[test]
fn shutting_down_is_two_goaways_around_a_ping_and_loses_no_call() {
    // RFC 9113 section 6.8.
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(COLLECT.path()), false));
        bench.settle().await;
        bench.server.shut_down();
        bench.settle().await;
        let first = wire.look();
        assert_eq!(goaways(&first), [(MAX_ID, NO_ERROR)]);
        let ping = &pings(&first)[0];
        // A call that was on its way is served.
        bench.echo(&mut wire, 3, b"on its way").await;
        wire.send(&pong(ping));
        bench.settle().await;
        assert_eq!(goaways(&wire.look()), [(3, NO_ERROR)]);
        // One that comes later is not, and nobody is told more.
        wire.call(5, UNARY.path(), &[b"late"]);
        bench.settle().await;
        assert!(wire.look().is_empty());
        assert!(!bench.done.get());
        wire.send(&frames::data(1, &frames::message(b"whole"), true));
        bench.settle().await;
        assert_eq!(wire.answer(1).messages(), [b"whole"]);
        assert!(wire.socket.is_closed() && bench.done.get());
    });
}

#[test]
fn shutting_down_does_not_wait_for_ever_for_the_ping_nor_for_handlers() {
    let log = Log::default();
    serving(hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        bench.settle().await;
        bench.server.shut_down();
        bench.pass(9_999).await;
        assert_eq!(goaways(&wire.look()), [(MAX_ID, NO_ERROR)]);
        assert!(log.borrow().is_empty());
        bench.pass(1).await;
        assert_eq!(*log.borrow(), ["dropped"]);
        assert!(wire.socket.is_closed());
        bench.pass(2_000).await;
        assert!(bench.done.get());
    });
}

#[test]
fn shutting_down_with_nobody_there_ends_at_once_and_nobody_is_accepted_any_more() {
    serving(Echo, async |bench| {
        bench.settle().await;
        bench.server.shut_down();
        bench.settle().await;
        assert!(bench.done.get());
        bench.connect();
        bench.settle().await;
        assert_eq!(bench.net.accepted(), 0);
    });
    serving(Echo, async |bench| {
        // Who waits while the last one leaves is not accepted either.
        let wires = [bench.open().await, bench.open().await];
        bench.connect();
        bench.server.shut_down();
        for wire in &wires {
            wire.socket.close();
        }
        bench.pass(2_000).await;
        assert_eq!(bench.net.accepted(), 2);
        assert!(bench.done.get());
    });
}

// Spec: h2-6.8-before-close
#[test]
fn an_idle_connection_is_ended_and_the_time_counts_from_the_last_call() {
    let config = ServerConfig {
        max_connection_idle: seconds(60),
        ..quiet()
    };
    serving_as(config, Custom(echo), async |bench| {
        let mut wire = bench.open().await;
        bench.pass(30_000).await;
        // A call of 20 seconds: its client is slow.
        wire.send(&frames::headers(1, &request(UNARY.path()), false));
        bench.pass(20_000).await;
        wire.send(&frames::data(1, &frames::message(b"x"), true));
        bench.settle().await;
        assert_eq!(wire.answer(1).code(), Some(Code::OK));
        bench.pass(59_999).await;
        assert!(wire.look().is_empty());
        bench.pass(1).await;
        let last = wire.look();
        assert_eq!(goaways(&last), [(MAX_ID, NO_ERROR)]);
        wire.send(&pong(&pings(&last)[0]));
        bench.settle().await;
        assert_eq!(goaways(&wire.look()), [(1, NO_ERROR)]);
        assert!(wire.socket.is_closed());
        let mut next = bench.open().await;
        bench.echo(&mut next, 1, b"next").await;
    });
}

#[test]
fn the_idle_time_counts_from_a_calls_end_also_where_the_client_says_nothing_after_it() {
    let config = ServerConfig {
        max_connection_idle: seconds(60),
        ..quiet()
    };
    let service = Custom(async |call: &mut Call<'_>| {
        call.split::<crate::support::Blob, crate::support::Blob>()
            .1
            .next()
            .await?;
        // The handler outlives the client's last word.
        Ok(())
    });
    serving_as(config, service, async |bench| {
        let mut wire = bench.open().await;
        wire.call(1, CHAT.path(), &[b"x"]);
        bench.settle().await;
        wire.look();
        bench.pass(60_000).await;
        assert_eq!(goaways(&wire.look()), [(MAX_ID, NO_ERROR)]);
    });
}

// Spec: h2-6.8-before-close
#[test]
fn a_connection_of_a_certain_age_is_ended_and_its_calls_have_a_grace() {
    let config = ServerConfig {
        max_connection_age: seconds(100),
        max_connection_age_grace: Duration::from_secs(30),
        ..quiet()
    };
    let log = Log::default();
    serving_as(config, hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        bench.pass(89_999).await;
        assert!(wire.look().is_empty());
        let mut waited = 0;
        let ping = loop {
            bench.pass(1).await;
            waited += 1;
            assert!(waited <= 20_001, "110 s at most");
            let frames = wire.look();
            if !frames.is_empty() {
                assert_eq!(goaways(&frames), [(MAX_ID, NO_ERROR)]);
                break pings(&frames)[0].clone();
            }
        };
        wire.send(&pong(&ping));
        bench.pass(29_999).await;
        assert_eq!(goaways(&wire.look()), [(1, NO_ERROR)]);
        assert!(log.borrow().is_empty());
        bench.pass(1).await;
        assert_eq!(*log.borrow(), ["dropped"]);
        assert!(wire.socket.is_closed());
    });
}

// Spec: grpc-lost-keepalive
#[test]
fn a_silent_client_is_asked_by_ping_and_lost_without_an_answer() {
    let config = ServerConfig {
        keepalive_time: seconds(120),
        ..quiet()
    };
    let log = Log::default();
    serving_as(config, hanging(&log), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        for _ in 0..3 {
            bench.pass(119_999).await;
            assert!(wire.look().is_empty());
            bench.pass(1).await;
            let frames = wire.look();
            assert_eq!((frames.len(), pings(&frames).len()), (1, 1));
            bench.pass(19_000).await;
            wire.send(&pong(&frames[0]));
            bench.settle().await;
        }
        bench.pass(120_000).await;
        assert_eq!(pings(&wire.look()).len(), 1);
        bench.pass(19_999).await;
        assert!(log.borrow().is_empty() && !wire.socket.is_closed());
        bench.pass(1).await;
        assert_eq!(*log.borrow(), ["dropped"]);
        bench.pass(1_000).await;
        assert!(wire.socket.is_closed());
        let mut next = bench.open().await;
        bench.echo(&mut next, 1, b"next").await;
    });
}

#[test]
fn a_client_that_goes_away_has_its_calls_finished_and_its_connection_closed() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(COLLECT.path()), false));
        wire.send(&frames::goaway(0, NO_ERROR));
        bench.settle().await;
        assert!(!wire.socket.is_closed());
        wire.send(&frames::data(1, &frames::message(b"whole"), true));
        bench.settle().await;
        assert_eq!(wire.answer(1).messages(), [b"whole"]);
        bench.pass(1_000).await;
        assert!(wire.socket.is_closed());

        let wire = bench.open().await;
        wire.send(&frames::goaway(0, NO_ERROR));
        bench.pass(1_000).await;
        assert!(wire.socket.is_closed());
    });
}

#[test]
fn a_client_that_says_nothing_loses_its_place_after_ten_seconds() {
    for words in [&b""[..], &PREFACE[..10], PREFACE, b"GET / HTTP/1.1\r\n"] {
        serving_as(quiet(), Echo, async |bench| {
            let mut wire = bench.connect();
            wire.send(words);
            bench.settle().await;
            if words.starts_with(b"GET") {
                assert_eq!(goaways(&wire.look()), [(0, 1)]);
            } else {
                bench.pass(9_999).await;
                assert_eq!(wire.look().len(), 1, "the server's SETTINGS");
                bench.pass(1).await;
                assert_eq!(goaways(&wire.look()), [(0, SETTINGS_TIMEOUT)]);
            }
            bench.pass(1_000).await;
            assert!(wire.socket.is_closed());
            let mut next = bench.open().await;
            bench.echo(&mut next, 1, b"next").await;
        });
    }
}

#[test]
fn a_client_that_never_acknowledges_the_settings_loses_its_place() {
    serving_as(quiet(), Echo, async |bench| {
        let mut wire = bench.connect();
        wire.send(PREFACE);
        wire.send(&frames::settings(&[]));
        bench.pass(5_000).await;
        bench.echo(&mut wire, 1, b"served all the same").await;
        bench.pass(5_000).await;
        assert_eq!(goaways(&wire.look()), [(1, SETTINGS_TIMEOUT)]);
        assert!(wire.socket.is_closed());
    });
}

// Spec: threat-13
#[test]
fn a_client_whose_host_takes_nothing_more_is_given_up_after_twenty_seconds() {
    let log = Log::default();
    serving_as(quiet(), hanging(&log), async |bench| {
        let (mut one, mut two) = (bench.open().await, bench.open().await);
        one.send(&frames::headers(1, &request(CHAT.path()), false));
        one.look();
        one.socket.set_capacity(Some(10));
        one.call(3, UNARY.path(), &[&[7; 200]]);
        bench.pass(19_999).await;
        bench.echo(&mut two, 1, b"innocent").await;
        assert!(log.borrow().is_empty());
        bench.pass(1).await;
        assert_eq!(*log.borrow(), ["dropped"]);
        bench.pass(1_000).await;
        assert!(one.socket.is_closed());
        bench.echo(&mut two, 3, b"innocent").await;
    });
}

#[test]
fn a_slow_host_gets_everything() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.socket.set_capacity(Some(7));
        wire.call(1, UNARY.path(), &[&[7; 200]]);
        for _ in 0..100 {
            bench.pass(100).await;
            wire.read();
        }
        let answer = wire.answer(1);
        assert_eq!(
            (answer.code(), answer.messages()),
            (Some(Code::OK), vec![vec![7; 200]])
        );
    });
}
