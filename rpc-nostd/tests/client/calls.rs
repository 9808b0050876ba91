//! Unary calls on a channel: what goes out, what comes back, and when it ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::client::{Memory, code, echo, poll_until, with_channel};
use crate::support::frames::{self, Frame};
use crate::support::server::{HEAD, Server, ok};
use crate::support::{Blob, ECHO, Peers, VirtualTimer, run};
use rpc_nostd::client::Unary;
use rpc_nostd::{Channel, Code, Config, ConnectivityState, MetadataEntry, ReceivedMetadata};

// Spec: grpc-message-prefix, grpc-message-flag-0, grpc-request-end
#[test]
fn a_unary_call_sends_its_message_and_returns_the_answer() {
    let server = Server::answering(|stream| ok(stream, b"hello"));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        assert_eq!(echo(channel, b"abc").await, Ok(Blob(b"hello".to_vec())));
        assert_eq!(channel.state(), ConnectivityState::Ready);
    });
    let log = log.borrow();
    let data: Vec<&Frame> = log.iter().filter(|frame| frame.kind == frames::DATA).collect();
    assert_eq!(
        data.len(),
        1,
        "prefix, message and END_STREAM travel in one DATA frame"
    );
    assert_eq!(
        (data[0].flags, &data[0].payload[..]),
        (frames::END_STREAM, &frames::message(b"abc")[..])
    );
}

// Spec: grpc-message-boundaries
#[test]
fn every_size_of_read_and_write_gives_the_same_answer() {
    for piece in 1..40 {
        let mut peers = Peers::one(Server::answering(|stream| ok(stream, &[7; 200])));
        peers.piece = piece;
        with_channel(peers, async |channel, _| {
            for body in [&b""[..], &[1; 50], &[2; 250]] {
                assert_eq!(
                    echo(channel, body).await,
                    Ok(Blob(vec![7; 200])),
                    "pieces of {piece}"
                );
            }
        });
    }
}

// Spec: grpc-message-boundaries
#[test]
fn a_message_larger_than_the_send_buffer_goes_out_in_frames() {
    let server = Server::answering(|stream| ok(stream, b""));
    let log = server.log.clone();
    let body: Vec<u8> = (0..5_000u32).map(|n| n as u8).collect();
    with_channel(Peers::one(server), async |channel, _| {
        assert_eq!(echo(channel, &body).await, Ok(Blob::default()));
    });
    let sent: Vec<u8> = log
        .borrow()
        .iter()
        .filter(|frame| frame.kind == frames::DATA)
        .flat_map(|frame| frame.payload.clone())
        .collect();
    assert_eq!(sent, frames::message(&body));
}

// Spec: h2-6.9.1-both-windows
#[test]
fn a_request_waits_for_the_servers_window_rfc_9113_6_9() {
    // INITIAL_WINDOW_SIZE 10: the rest goes out as WINDOW_UPDATEs come, 7 octets each.
    let got = Rc::new(RefCell::new(Vec::new()));
    let (sent, total) = (got.clone(), frames::message(&[9; 40]).len());
    let server = Server::new(move |frame, out| {
        if frame.kind == frames::DATA {
            sent.borrow_mut().push(frame.payload.len());
            if frame.flags & frames::END_STREAM != 0 {
                out.extend(ok(frame.stream, b"x"));
            } else {
                out.extend(frames::frame(
                    frames::WINDOW_UPDATE,
                    0,
                    frame.stream,
                    &7u32.to_be_bytes(),
                ));
            }
        }
        true
    })
    .settings(&[(4, 10)]);
    with_channel(Peers::one(server), async |channel, _| {
        assert_eq!(echo(channel, &[9; 40]).await, Ok(Blob(b"x".to_vec())));
    });
    let sizes = got.borrow();
    assert_eq!(sizes.iter().sum::<usize>(), total);
    assert_eq!(sizes[0], 10);
    assert!(sizes[1..].iter().all(|size| *size <= 7));
}

// Spec: grpc-metadata-delivered, grpc-bin-split, grpc-bin-padded, grpc-bin-unpadded
#[test]
fn metadata_goes_out_and_both_sections_come_back() {
    let mut answer_head = HEAD.to_vec();
    answer_head.push(("x-served-by", "unit"));
    let server = Server::answering(move |stream| {
        let mut out = frames::headers(stream, &answer_head, false);
        out.extend(frames::data(stream, &frames::message(b""), false));
        out.extend(frames::headers(
            stream,
            &[("grpc-status", "0"), ("x-trace-bin", "q6ur,AQ==")],
            true,
        ));
        out
    });
    with_channel(Peers::one(server), async |mut channel, _| {
        let mut memory = [0; 128];
        let mut received = ReceivedMetadata::new(&mut memory);
        let entries = [
            MetadataEntry::ascii("x-device", "17"),
            MetadataEntry::binary("x-key-bin", &[1, 2]),
        ];
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
        call.metadata(&entries).receive_into(&mut received).await.unwrap();
        assert_eq!(received.initial("x-served-by").next(), Some(&b"unit"[..]));
        let trailing: Vec<_> = received.trailing("x-trace-bin").collect();
        assert_eq!(trailing, [&[0xab, 0xab, 0xab][..], &[1]]);
    });
}

// Spec: grpc-metadata-values, h2-8.2.1-never-generated
#[test]
fn illegal_metadata_fails_the_call_before_anything_is_sent() {
    let server = Server::answering(|stream| ok(stream, b""));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let entries = [MetadataEntry::ascii("x-device", "a\r\nx-evil: 1")];
        let request = Blob::default();
        let result = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request)
            .metadata(&entries)
            .await;
        assert_eq!(code(result).0, Code::INTERNAL);
    });
    assert!(log.borrow().is_empty());
}

// Spec: grpc-message-decoded, grpc-message-broken, grpc-trailers-only
#[test]
fn an_error_brings_code_decoded_message_and_details() {
    let fields = [
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("grpc-status", "5"),
        ("grpc-message", "no such device: %E2%98%BA 100%"),
        ("grpc-status-details-bin", "CAUSAA"),
    ];
    let server = Server::answering(move |stream| frames::headers(stream, &fields, true));
    with_channel(Peers::one(server), async |mut channel, _| {
        let mut memory = [0; 64];
        let mut received = ReceivedMetadata::new(&mut memory);
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).receive_into(&mut received);
        let (code, message) = code(call.await);
        assert_eq!(
            (code, &message[..]),
            (Code::NOT_FOUND, "no such device: \u{263a} 100%")
        );
        assert_eq!(received.status_details(), Some(&[8, 5, 18, 0][..]));
    });
}

// Spec: grpc-deadline-client-reset, grpc-deadline-client-status
#[test]
fn a_call_without_answer_ends_at_its_default_deadline_and_resets_its_stream() {
    let server = Server::new(|_, _| true);
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        assert_eq!(code(echo(channel, b"").await).0, Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 20_000);
        // The slot is free again, and the connection too.
        assert_eq!(code(echo(channel, b"").await).0, Code::DEADLINE_EXCEEDED);
    });
    let log = log.borrow();
    let resets: Vec<_> = log
        .iter()
        .filter(|frame| frame.kind == frames::RST_STREAM)
        .collect();
    assert_eq!(
        (resets[0].stream, &resets[0].payload[..]),
        (1, &8u32.to_be_bytes()[..])
    );
    assert!(
        log.iter()
            .any(|frame| frame.kind == frames::HEADERS && frame.stream == 3)
    );
}

#[test]
fn a_deadline_holds_where_the_runner_does_not_run() {
    let timer = VirtualTimer::default();
    let mut memory = Memory::new();
    let (mut channel, _runner) = Channel::new(
        &mut memory,
        Peers::new(vec![]),
        &timer,
        Config::new("test.local:1"),
    )
    .unwrap();
    let test = async {
        let request = Blob::default();
        let call =
            Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).deadline(Duration::from_millis(1_500));
        assert_eq!(code(call.await).0, Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 1_500);
    };
    run(&timer, test, vec![]);
}

// Spec: grpc-request-order, grpc-request-path, grpc-request-te, grpc-timeout-format, grpc-timeout-absent
#[test]
fn grpc_timeout_tells_the_server_the_deadline() {
    let server = Server::answering(|stream| ok(stream, b""));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let request = Blob::default();
        for timeout in [20_000, 1_500] {
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
            call.deadline(Duration::from_millis(timeout)).await.unwrap();
        }
        Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request)
            .no_deadline()
            .await
            .unwrap();
    });
    let fields = decode_requests(&log.borrow());
    let timeouts: Vec<_> = fields
        .iter()
        .map(|fields| value(fields, "grpc-timeout"))
        .collect();
    assert_eq!(timeouts, [Some("20000m"), Some("1500m"), None]);
    let names: Vec<_> = fields[0].iter().map(|(name, _)| name.as_str()).collect();
    let order = [
        ":method",
        ":scheme",
        ":path",
        ":authority",
        "grpc-timeout",
        "te",
        "content-type",
        "user-agent",
    ];
    assert_eq!(names, order, "gRPC PROTOCOL-HTTP2, Requests: the order of fields");
    assert_eq!(value(&fields[0], ":path"), Some("/test.Echo/Echo"));
    assert_eq!(value(&fields[0], "te"), Some("trailers"));
}

// Spec: grpc-index-constants, grpc-index-timeout
#[test]
fn a_warm_call_costs_one_octet_a_field() {
    let server = Server::answering(|stream| ok(stream, b""));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        for _ in 0..3 {
            echo(channel, b"").await.unwrap();
        }
    });
    let log = log.borrow();
    let blocks: Vec<_> = log
        .iter()
        .filter(|frame| frame.kind == frames::HEADERS)
        .map(|frame| frame.payload.len())
        .collect();
    assert_eq!(blocks[1..], [8, 8]);
}

// Spec: grpc-cancel-reset, h2-5.1.1-dropped-after
#[test]
fn dropping_a_call_cancels_it_and_frees_its_slot() {
    let server = Server::new(|frame, out| {
        // Only the fifth request is answered.
        if frame.kind == frames::DATA && frame.stream == 9 {
            out.extend(ok(9, b"fifth"));
        }
        true
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        for _ in 0..4 {
            let abandoned = echo(channel, b"never mind");
            poll_until(abandoned, timer, 50).await;
        }
        assert_eq!(echo(channel, b"").await, Ok(Blob(b"fifth".to_vec())));
    });
    let cancelled: Vec<_> = log
        .borrow()
        .iter()
        .filter(|frame| frame.kind == frames::RST_STREAM && frame.payload == 8u32.to_be_bytes())
        .map(|frame| frame.stream)
        .collect();
    assert_eq!(cancelled, [1, 3, 5, 7]);
}

#[test]
fn more_calls_than_slots_wait_their_turn_and_too_many_are_refused() {
    let server = Server::answering(|stream| ok(stream, b"x"));
    with_channel(Peers::one(server), async |channel, _| {
        let mut calls: Vec<_> = (0..11).map(|_| Box::pin(echo(channel, b"y"))).collect();
        let mut results = Vec::new();
        std::future::poll_fn(|cx| {
            calls.retain_mut(|call| match call.as_mut().poll(cx) {
                std::task::Poll::Ready(result) => {
                    results.push(result.map(|_| ()).map_err(|status| status.code()));
                    false
                }
                std::task::Poll::Pending => true,
            });
            if calls.is_empty() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        // 2 have a slot, 8 wait, the eleventh is told at once.
        assert_eq!(results[0], Err(Code::RESOURCE_EXHAUSTED));
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 10);
    });
}

// Spec: h2-5.1.2-obeys-limit
#[test]
fn max_concurrent_streams_is_obeyed_by_queueing_rfc_9113_5_1_2() {
    let open = Rc::new(RefCell::new((0i32, 0i32)));
    let count = open.clone();
    let server = Server::new(move |frame, out| {
        let mut count = count.borrow_mut();
        if frame.kind == frames::HEADERS {
            count.0 += 1;
            count.1 = count.1.max(count.0);
        }
        if frame.kind == frames::DATA && frame.flags & frames::END_STREAM != 0 {
            count.0 -= 1;
            out.extend(ok(frame.stream, b"x"));
        }
        true
    })
    .settings(&[(3, 1)]);
    with_channel(Peers::one(server), async |channel, _| {
        let mut calls: Vec<_> = (0..6).map(|_| Box::pin(echo(channel, b"y"))).collect();
        std::future::poll_fn(|cx| {
            calls.retain_mut(|call| call.as_mut().poll(cx).map(|result| result.unwrap()).is_pending());
            if calls.is_empty() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    });
    assert_eq!(*open.borrow(), (0, 1));
}

#[test]
fn a_server_that_comes_back_is_used_again() {
    let first = Server::new(|frame, out| {
        if frame.kind == frames::DATA {
            out.extend(ok(frame.stream, b"first"));
            out.extend(frames::goaway(frame.stream, 0));
            return false;
        }
        true
    });
    let second = Server::answering(|stream| ok(stream, b"second"));
    let peers = Peers::new(vec![Some(Box::new(first)), Some(Box::new(second))]);
    let attempts = peers.attempts.clone();
    with_channel(peers, async |channel, _| {
        assert_eq!(echo(channel, b"").await, Ok(Blob(b"first".to_vec())));
        assert_eq!(echo(channel, b"").await, Ok(Blob(b"second".to_vec())));
    });
    assert_eq!(attempts.get(), 2);
}

// Spec: grpc-goaway-above
#[test]
fn a_call_above_a_goaway_is_sent_again_unseen_grfc_a6() {
    let first = Server::new(|frame, out| {
        if frame.kind == frames::DATA {
            // The server never looked at the stream.
            out.extend(frames::goaway(0, 0));
        }
        true
    });
    let second = Server::answering(|stream| ok(stream, b"second"));
    let peers = Peers::new(vec![Some(Box::new(first)), Some(Box::new(second))]);
    with_channel(peers, async |channel, timer| {
        assert_eq!(echo(channel, b"").await, Ok(Blob(b"second".to_vec())));
        assert!(timer.now_ms() < 1_000);
    });
}

// Spec: grpc-rst-refused
#[test]
fn a_refused_stream_is_sent_again_once_grfc_a6() {
    let server = Server::answering(|stream| frames::rst(stream, 7));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        assert_eq!(code(echo(channel, b"").await).0, Code::UNAVAILABLE);
    });
    assert_eq!(
        log.borrow()
            .iter()
            .filter(|frame| frame.kind == frames::HEADERS)
            .count(),
        2
    );
}

#[test]
fn calls_fail_fast_while_the_server_is_away_and_wait_if_told_to() {
    let peers = Peers::new(vec![
        None,
        None,
        Some(Box::new(Server::answering(|stream| ok(stream, b"late")))),
    ]);
    let attempts = peers.attempts.clone();
    with_channel(peers, async |mut channel, timer| {
        assert_eq!(
            code(echo(channel, b"").await),
            (Code::UNAVAILABLE, "connection refused by the test".into())
        );
        assert_eq!(code(echo(channel, b"").await).0, Code::UNAVAILABLE);
        assert_eq!((attempts.get(), timer.now_ms()), (1, 0));
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).wait_for_ready();
        assert_eq!(call.await, Ok(Blob(b"late".to_vec())));
        assert!(
            timer.now_ms() >= 800 + 1_280,
            "two backoffs of 1 s and 1.6 s, less 20 %: {}",
            timer.now_ms()
        );
    });
}

pub(crate) type Fields = Vec<(String, String)>;

/// The fields of all requests in the log, in order.
pub(crate) fn decode_requests(log: &[Frame]) -> Vec<Fields> {
    let (mut table, mut scratch) = ([0; 4096], [0; 512]);
    let limits = hpack_lite::Limits {
        max_list_size: 8192,
        max_fields: 64,
    };
    let mut decoder = hpack_lite::Decoder::new(&mut table, &mut scratch, limits);
    let mut requests = Vec::new();
    for frame in log.iter().filter(|frame| frame.kind == frames::HEADERS) {
        let mut fields = Fields::new();
        let mut block = &frame.payload[..];
        while let Some(field) = decoder.decode(&mut block).unwrap() {
            let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
            fields.push((text(field.name), text(field.value)));
        }
        decoder.finish().unwrap();
        requests.push(fields);
    }
    requests
}

pub(crate) fn value<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields
        .iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}
