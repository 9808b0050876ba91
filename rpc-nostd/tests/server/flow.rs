//! Flow control both ways: whoever does not read, or gives no credit, holds up his own stream and no other.

use rpc_nostd::server::{Call, Service};
use rpc_nostd::{Code, Status};

use crate::bench::serving;
use crate::service::{CHAT, COLLECT, Custom, Echo, Gate, STREAM, UNARY, echo};
use crate::support::Blob;
use crate::support::frames;
use crate::wire::{PREFACE, Wire, request};

const FLOW_CONTROL_ERROR: u32 = 3;

/// Serves UNARY as an echo; other handlers wait at the gate, then count the octets that come.
fn gated(gate: &Gate) -> impl Service + use<> {
    let gate = gate.clone();
    Custom(async move |call: &mut Call<'_>| {
        if call.method() == &UNARY {
            return echo(call).await;
        }
        gate.wait().await;
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        let mut count = 0u32;
        while let Some(request) = requests.next().await? {
            count += request.0.len() as u32;
        }
        replies.send(&Blob(count.to_be_bytes().to_vec())).await
    })
}

fn increments(wire: &mut Wire, stream: u32) -> u32 {
    let updates = wire.look_for(frames::WINDOW_UPDATE);
    let of_stream = updates.iter().filter(|frame| frame.stream == stream);
    of_stream
        .map(|frame| u32::from_be_bytes(frame.payload[..].try_into().unwrap()))
        .sum()
}

#[test]
fn a_handler_that_does_not_read_stops_its_own_stream_and_no_other() {
    let gate = Gate::default();
    serving(gated(&gate), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(COLLECT.path()), false));
        // Ten messages of 30 octets: RECV to the last octet.
        for _ in 0..10 {
            wire.send(&frames::data(1, &frames::message(&[7; 23]), false));
        }
        bench.settle().await;
        assert_eq!(increments(&mut wire, 1), 0);
        for stream in [3, 5, 7] {
            bench.echo(&mut wire, stream, &[1; 200]).await;
        }
        gate.open();
        bench.echo(&mut wire, 9, b"x").await;
        let all: u32 = wire
            .frames
            .iter()
            .filter(|frame| (frame.kind, frame.stream) == (frames::WINDOW_UPDATE, 1))
            .map(|frame| u32::from_be_bytes(frame.payload[..].try_into().unwrap()))
            .sum();
        assert!(
            (150..=300).contains(&all),
            "half of the window at least has been credited: {all}"
        );
        wire.send(&frames::data(1, &[], true));
        bench.settle().await;
        assert_eq!(wire.answer(1).messages(), [230u32.to_be_bytes()]);
    });
}

// Spec: h2-6.9.1-exceeded
#[test]
fn data_beyond_the_streams_window_resets_that_stream() {
    // RFC 9113 section 6.9.1.
    let gate = Gate::default();
    serving(gated(&gate), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(COLLECT.path()), false));
        wire.send(&frames::data(1, &[0; 300], false));
        bench.settle().await;
        assert!(wire.answers().is_empty());
        wire.send(&frames::data(1, &[0], false));
        bench.settle().await;
        assert_eq!(wire.answer(1).reset, Some(FLOW_CONTROL_ERROR));
        bench.echo(&mut wire, 3, b"innocent").await;
    });
}

#[test]
fn the_credit_of_a_stream_is_what_was_consumed_and_no_more() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        let (mut sent, mut credit) = (0u32, 300u32);
        for _ in 0..100 {
            let message = frames::message(&[7; 60]);
            sent += message.len() as u32;
            assert!(
                sent <= credit,
                "the client may send {sent}, has credit for {credit}"
            );
            wire.send(&frames::data(1, &message, false));
            bench.settle().await;
            credit += increments(&mut wire, 1);
            assert!(
                credit <= sent + 300,
                "all is consumed: the window is RECV again, no more"
            );
            assert!(credit >= sent + 150, "at least half of it is open");
        }
    });
}

#[test]
fn a_message_that_needs_more_than_the_credit_left_gets_it() {
    // Consumed octets below half of the window are credited when a message needs them (no deadlock).
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        wire.send(&frames::data(1, &frames::message(&[1; 40]), false));
        bench.settle().await;
        let mut credit = 300 - 47 + increments(&mut wire, 1);
        let large = frames::message(&[2; 292]);
        assert_eq!(large.len(), 300);
        let mut left = &large[..];
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(credit as usize));
            assert!(
                !piece.is_empty(),
                "the server waits for octets that it gives no credit for"
            );
            left = rest;
            wire.send(&frames::data(1, piece, false));
            bench.settle().await;
            credit = credit - piece.len() as u32 + increments(&mut wire, 1);
        }
        let received = wire
            .frames
            .iter()
            .filter(|frame| (frame.kind, frame.stream) == (frames::DATA, 1));
        let octets: usize = received.map(|frame| frame.payload.len()).sum();
        assert_eq!(octets, 47 + 300);
    });
}

#[test]
fn the_connections_window_is_credited_whatever_becomes_of_the_octets() {
    // A million octets pass: read, refused, of unknown methods, padded, on streams that were reset.
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        let (mut sent, mut credit) = (0u64, 65_535u64);
        let mut stream = 1;
        while sent < 1_000_000 {
            let path = if stream % 4 == 1 { UNARY.path() } else { "/no/such" };
            wire.send(&frames::headers(stream, &request(path), false));
            for _ in 0..3 {
                let mut padded = vec![39];
                padded.extend(frames::message(&[7; 53]));
                padded.extend([0; 39]);
                wire.send(&frames::frame(frames::DATA, frames::PADDED, stream, &padded));
                sent += padded.len() as u64;
            }
            wire.send(&frames::rst(stream, 8));
            bench.pass(100).await;
            for frame in wire.look_for(frames::WINDOW_UPDATE) {
                if frame.stream == 0 {
                    credit += u64::from(u32::from_be_bytes(frame.payload[..].try_into().unwrap()));
                }
            }
            assert!(sent <= credit && credit <= sent + 65_535);
            stream += 2;
        }
        assert!(wire.look_for(frames::GOAWAY).is_empty());
        bench.echo(&mut wire, stream, b"innocent").await;
    });
}

#[test]
fn a_client_that_gives_no_window_holds_up_that_handler_only() {
    serving(Echo, async |bench| {
        let mut wire = bench.open_with(&[(4, 0)]).await;
        wire.call(1, UNARY.path(), &[&[7; 100]]);
        bench.settle().await;
        assert_eq!(wire.answer(1).frames, "H");
        for stream in [3, 5, 7] {
            wire.call(stream, UNARY.path(), &[b"x"]);
            wire.send(&frames::window_update(stream, 1_000));
            bench.settle().await;
            assert_eq!(wire.answer(stream).code(), Some(Code::OK));
        }
        let mut got = 0;
        for increment in [7u32, 1, 50, 1_000] {
            wire.send(&frames::window_update(1, increment));
            bench.settle().await;
            let answer = wire.answer(1);
            let expected = (increment as usize).min(107 - got);
            assert_eq!(answer.content.len(), expected);
            got += expected;
        }
        assert_eq!(got, 107);
    });
}

#[test]
fn the_connections_window_holds_data_and_nothing_else() {
    let service = Custom(async |call: &mut Call<'_>| {
        if call.method() == &UNARY {
            return Err(Status::new(Code::ABORTED, "needs no window"));
        }
        let (_, _, mut replies) = call.split::<Blob, Blob>();
        loop {
            replies.send(&Blob(vec![7; 1_000])).await?;
        }
    });
    serving(service, async |bench| {
        let mut wire = bench.open_with(&[(4, 1_000_000)]).await;
        wire.send(&frames::headers(1, &request(STREAM.path()), true));
        bench.settle().await;
        assert_eq!(wire.answer(1).content.len(), 65_535);
        wire.send(&frames::frame(frames::PING, 0, 0, b"whatever"));
        wire.call(3, UNARY.path(), &[b""]);
        bench.settle().await;
        let frames_now = wire.look();
        assert!(frames_now.iter().any(|frame| frame.kind == frames::PING));
        assert!(
            frames_now
                .iter()
                .any(|frame| frame.kind == frames::HEADERS && frame.stream == 3)
        );
        wire.send(&frames::window_update(0, 500));
        bench.settle().await;
        assert_eq!(wire.answer(1).content.len(), 500);
        // RFC 9113 section 6.9.2: the stream's window goes below zero, and up again.
        wire.send(&frames::settings(&[(4, 0)]));
        wire.send(&frames::window_update(0, 10_000));
        bench.settle().await;
        assert_eq!(wire.answer(1).content.len(), 0);
        wire.send(&frames::window_update(1, 66_035 + 20));
        bench.settle().await;
        assert_eq!(wire.answer(1).content.len(), 20);
    });
}

/// A client that has not acknowledged the server's SETTINGS.
async fn hasty(bench: &crate::bench::Bench<'_>) -> Wire {
    let mut wire = bench.connect();
    wire.send(PREFACE);
    wire.send(&frames::settings(&[]));
    bench.settle().await;
    wire.look();
    wire
}

// Spec: h2-6.9.3-before-ack
#[test]
fn before_the_settings_are_acknowledged_65535_octets_reach_a_handler_that_reads() {
    // RFC 9113 section 6.9.3: until then the client has the default window.
    let gate = Gate::default();
    gate.open();
    serving(gated(&gate), async |bench| {
        let mut wire = hasty(bench).await;
        wire.send(&frames::headers(1, &request(COLLECT.path()), false));
        let mut left = 65_535usize;
        while left > 257 {
            wire.send(&frames::data(1, &frames::message(&[7; 250]), false));
            left -= 257 + 1;
        }
        bench.settle().await;
        assert_eq!(wire.socket.unread(), 0);
        wire.send(&frames::settings_ack());
        wire.send(&frames::data(1, &[], true));
        bench.settle().await;
        let answer = wire.answer(1);
        let count = (65_535u32 - 257).div_ceil(258) * 250;
        assert_eq!(answer.messages(), [count.to_be_bytes()], "{answer:?}");
        bench.echo(&mut wire, 3, b"innocent").await;
    });
}

#[test]
fn before_the_settings_are_acknowledged_a_full_slot_pauses_reading_for_a_second() {
    for opens in [true, false] {
        let gate = Gate::default();
        serving(gated(&gate), async |bench| {
            let mut wire = hasty(bench).await;
            wire.send(&frames::headers(1, &request(COLLECT.path()), false));
            for _ in 0..100 {
                wire.send(&frames::data(1, &frames::message(&[7; 93]), false));
            }
            wire.send(&frames::settings_ack());
            wire.call(3, UNARY.path(), &[b"innocent"]);
            bench.pass(999).await;
            assert!(
                wire.socket.unread() > 9_000,
                "{} octets wait",
                wire.socket.unread()
            );
            assert!(wire.answers().is_empty());
            if opens {
                gate.open();
                bench.settle().await;
                wire.send(&frames::data(1, &[], true));
                bench.settle().await;
                let answers = wire.answers();
                let of = |stream| {
                    answers
                        .iter()
                        .find(|(id, _)| *id == stream)
                        .map(|(_, answer)| answer)
                };
                assert_eq!(of(1).unwrap().messages(), [9_300u32.to_be_bytes()]);
                assert_eq!(of(3).unwrap().messages(), [b"innocent"]);
            } else {
                bench.pass(1).await;
                let answers = wire.answers();
                let of = |stream| {
                    answers
                        .iter()
                        .find(|(id, _)| *id == stream)
                        .map(|(_, answer)| answer)
                };
                assert_eq!(of(1).unwrap().reset, Some(FLOW_CONTROL_ERROR));
                assert_eq!(of(3).unwrap().messages(), [b"innocent"]);
                assert_eq!(wire.socket.unread(), 0);
            }
            bench.echo(&mut wire, 5, b"innocent").await;
        });
    }
}

// Spec: h2-4.3.1-first-response
#[test]
fn the_first_response_obeys_the_clients_header_table_size() {
    // RFC 9113 section 4.3.1; nginx sends 0 and takes no dynamic index.
    serving(Echo, async |bench| {
        let mut wire = bench.connect();
        let mut octets = PREFACE.to_vec();
        octets.extend(frames::settings(&[(1, 0)]));
        octets.extend(frames::headers(1, &request(UNARY.path()), false));
        octets.extend(frames::data(1, &frames::message(b"x"), true));
        wire.send(&octets);
        bench.settle().await;
        wire.send(&frames::settings_ack());
        let mut blocks = wire.look_for(frames::HEADERS);
        wire.call(3, UNARY.path(), &[b"x"]);
        bench.settle().await;
        blocks.extend(wire.look_for(frames::HEADERS));
        assert_eq!(blocks.len(), 4);
        assert_eq!(blocks[0].payload[0], 0x20, "the size update comes first");
        for block in &blocks {
            let skip = usize::from(block.payload[0] == 0x20);
            let (mut table, mut scratch) = ([0; 64], [0; 256]);
            let limits = hpack_lite::Limits {
                max_list_size: 8_192,
                max_fields: 10,
            };
            let mut decoder = hpack_lite::Decoder::new(&mut table, &mut scratch, limits);
            decoder.set_max_table_size(0);
            let mut rest = &block.payload[skip..];
            while decoder.decode(&mut rest).expect("no dynamic index").is_some() {}
        }
    });
}
