//! The four kinds of call, and their frames.

use rpc_nostd::Code;
use rpc_nostd::server::Service;

use crate::bench::{Bench, serving};
use crate::service::{CHAT, COLLECT, Custom, Echo, STREAM, UNARY};
use crate::support::frames;
use crate::support::{Blob, Note};
use crate::wire::{Answer, request};

/// A call of `path` with these messages, at once, against `service`.
fn call(service: impl Service, path: &'static str, messages: &[&[u8]]) -> Answer {
    let mut result = Answer::default();
    serving(service, async |bench: &Bench<'_>| {
        let mut wire = bench.open().await;
        wire.call(1, path, messages);
        bench.settle().await;
        result = wire.answer(1);
        bench.echo_after(&mut wire).await;
    });
    result
}

impl Bench<'_> {
    /// The connection is as good as new.
    async fn echo_after(&self, wire: &mut crate::wire::Wire) {
        wire.send(&frames::frame(frames::PING, 0, 0, b"whatever"));
        self.settle().await;
        let pong = wire.look_for(frames::PING);
        assert_eq!(pong[0].payload, b"whatever");
    }
}

// Spec: grpc-response-headers, grpc-response-trailers, grpc-message-prefix, grpc-message-flag-0, grpc-status-decimal
#[test]
fn a_unary_call_is_answered_by_headers_one_data_frame_and_trailers() {
    let answer = call(Echo, UNARY.path(), &[b"abc"]);
    assert_eq!(answer.frames, "HDH!");
    assert_eq!(answer.header(":status"), Some("200"));
    assert_eq!(answer.header("content-type"), Some("application/grpc"));
    assert_eq!(answer.content, frames::message(b"abc"));
    assert_eq!(answer.trailers, [("grpc-status".to_owned(), "0".to_owned())]);
}

#[test]
fn a_server_streaming_call_gets_its_replies_in_order() {
    let answer = call(Echo, STREAM.path(), &[b"xyz"]);
    assert_eq!(answer.code(), Some(Code::OK));
    assert_eq!(answer.messages(), [b"x", b"y", b"z"]);
}

// Spec: grpc-trailers-only, grpc-response-trailers
#[test]
fn a_server_streaming_call_without_replies_is_one_headers_frame_with_end_stream() {
    let answer = call(Echo, STREAM.path(), &[b""]);
    assert_eq!(answer.frames, "H!");
    assert_eq!(answer.code(), Some(Code::OK));
    assert_eq!(answer.header("content-type"), Some("application/grpc"));
}

#[test]
fn a_client_streaming_call_gets_all_requests_and_sends_one_reply() {
    let answer = call(Echo, COLLECT.path(), &[b"ab", b"", b"c"]);
    assert_eq!(answer.code(), Some(Code::OK));
    assert_eq!(answer.messages(), [b"abc"]);
    let answer = call(Echo, COLLECT.path(), &[]);
    assert_eq!(answer.messages(), [b""]);
}

#[test]
fn a_bidi_call_goes_both_ways_and_may_be_empty() {
    let answer = call(Echo, CHAT.path(), &[b"1", b"22", b"333"]);
    assert_eq!(answer.code(), Some(Code::OK));
    assert_eq!(answer.messages(), [&b"1"[..], b"22", b"333"]);
    assert_eq!(call(Echo, CHAT.path(), &[]).frames, "H!");
}

#[test]
fn a_bidi_reply_comes_before_the_next_request_is_sent() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        for turn in 0..20u8 {
            wire.send(&frames::data(1, &frames::message(&[turn; 30]), false));
            bench.settle().await;
            let answer = wire.answer(1);
            assert_eq!(answer.messages(), [[turn; 30]], "turn {turn}");
            assert!(!answer.ended);
        }
        wire.send(&frames::data(1, &[], true));
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.frames.as_str(), answer.trailer("grpc-status")),
            ("H!", Some("0"))
        );
    });
}

#[test]
fn calls_follow_each_other_and_run_side_by_side_on_one_connection() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(COLLECT.path()), false));
        for stream in (3..200).step_by(2) {
            bench.echo(&mut wire, stream, &[stream as u8; 100]).await;
        }
        wire.send(&frames::data(1, &frames::message(b"late"), true));
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.code(), answer.messages()),
            (Some(Code::OK), vec![b"late".to_vec()])
        );
    });
}

// Spec: grpc-message-boundaries
#[test]
fn every_size_of_read_and_write_gives_the_same_answer() {
    for piece in 1..40 {
        serving(Echo, async |bench| {
            let mut wire = bench.open().await;
            wire.socket.set_piece(piece);
            for (n, body) in [&b""[..], &[1; 50], &[2; 250]].into_iter().enumerate() {
                bench.echo(&mut wire, 2 * n as u32 + 1, body).await;
            }
            wire.call(7, CHAT.path(), &[b"one", &[9; 100], b"three"]);
            bench.settle().await;
            let answer = wire.answer(7);
            assert_eq!(
                answer.messages(),
                [&b"one"[..], &[9; 100], b"three"],
                "pieces of {piece}"
            );
        });
    }
}

#[test]
fn a_reply_larger_than_the_send_buffer_goes_out_in_frames_without_an_empty_one() {
    let body: Vec<u8> = (0..2_000u32).map(|n| n as u8).collect();
    let reply = body.clone();
    let service = Custom(async move |call: &mut rpc_nostd::server::Call<'_>| {
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        requests.only().await?;
        replies.send(&Blob(reply.clone())).await
    });
    let answer = call(service, UNARY.path(), &[b""]);
    assert_eq!(answer.messages(), [body]);
    assert!(answer.pieces.len() > 3, "{:?}", answer.pieces);
}

#[test]
fn replies_borrow_from_one_buffer_that_holds_something_else_for_each() {
    let service = Custom(async |call: &mut rpc_nostd::server::Call<'_>| {
        let (_, mut requests, mut replies) = call.split::<Blob, Note<'static>>();
        requests.only().await?;
        let mut buffer = [0; 3];
        for round in 0..5 {
            buffer.fill(round);
            replies.send_borrowed(&Note(&buffer)).await?;
        }
        Ok(())
    });
    let answer = call(service, STREAM.path(), &[b""]);
    assert_eq!(answer.messages(), [0, 1, 2, 3, 4].map(|round| vec![round; 3]));
}
