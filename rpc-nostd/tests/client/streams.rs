//! Streaming calls on a channel: each kind, its messages and its end.

use crate::support::Peers;
use crate::support::client::{blob, chat, echo, feed, upload, with_channel};
use crate::support::frames;
use crate::support::streams::{Got, StreamServer, body};
use rpc_nostd::Code;

#[test]
fn server_streaming_gives_each_message_and_then_the_end_again_and_again() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"one", b"", b"three"]);
        }
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        let mut events = feed(channel, b"topic").await.unwrap();
        for expected in [&b"one"[..], b"", b"three"] {
            assert_eq!(events.next().await, Ok(Some(blob(expected))));
        }
        assert_eq!(events.next().await, Ok(None));
        assert_eq!(events.next().await, Ok(None));
    });
    assert_eq!(
        *log.borrow(),
        [(1, Got::Call), (1, Got::Message(body(b"topic"))), (1, Got::End)]
    );
}

#[test]
fn the_one_request_of_a_server_stream_carries_end_stream() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[]);
        }
    });
    let sent = server.frames.clone();
    with_channel(Peers::one(server), async |channel, _| {
        assert_eq!(feed(channel, b"x").await.unwrap().next().await, Ok(None));
    });
    let sent = sent.borrow();
    let data: Vec<_> = sent.iter().filter(|frame| frame.kind == frames::DATA).collect();
    assert_eq!((data.len(), data[0].flags), (1, frames::END_STREAM));
}

#[test]
fn client_streaming_sends_each_message_then_half_closes_and_returns_the_one_response() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"sum"]);
        }
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        let mut call = upload(channel).await.unwrap();
        for part in [&b"a"[..], b"", b"ccc"] {
            call.send(&blob(part)).await.unwrap();
        }
        assert_eq!(call.finish().await, Ok(blob(b"sum")));
        assert_eq!(echo(channel, b"next").await, Ok(blob(b"sum")));
    });
    let log = log.borrow();
    let parts = [&b"a"[..], b"", b"ccc"].map(|part| (1, Got::Message(body(part))));
    assert_eq!(log[1..4], parts);
    assert_eq!(log[4], (1, Got::End));
}

// Spec: grpc-cardinality-client-none, grpc-cardinality-client-many
#[test]
fn client_streaming_has_exactly_one_response() {
    for count in [0, 2] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                reply.answer(&[&b"x"[..], b"y"][..count]);
            }
        });
        with_channel(Peers::one(server), async |channel, _| {
            let call = upload(channel).await.unwrap();
            assert_eq!(call.finish().await.unwrap_err().code(), Code::UNIMPLEMENTED);
        });
    }
}

#[test]
fn bidi_streaming_answers_message_by_message_and_goes_on_after_half_close() {
    let server = StreamServer::new(|_, got, reply| match got {
        Got::Call => {
            reply.head();
        }
        Got::Message(message) => {
            reply.message(&message[2..]);
        }
        Got::End => {
            reply.message(b"goodbye").trailers(0);
        }
        Got::Reset(_) => panic!("a call that ended well is not reset"),
    });
    with_channel(Peers::one(server), async |channel, _| {
        let (mut sender, mut receiver) = chat(channel).await.unwrap();
        for round in 0..20u8 {
            sender.send(&blob(&[round; 7])).await.unwrap();
            assert_eq!(receiver.next().await, Ok(Some(blob(&[round; 7]))));
        }
        sender.finish().await.unwrap();
        assert_eq!(receiver.next().await, Ok(Some(blob(b"goodbye"))));
        assert_eq!(receiver.next().await, Ok(None));
    });
}

// Spec: grpc-request-end-empty
#[test]
fn half_close_without_messages_is_an_empty_data_frame_with_end_stream() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[]);
        }
    });
    let sent = server.frames.clone();
    with_channel(Peers::one(server), async |channel, _| {
        let (sender, mut receiver) = chat(channel).await.unwrap();
        sender.finish().await.unwrap();
        assert_eq!(receiver.next().await, Ok(None));
    });
    let sent = sent.borrow();
    let data: Vec<_> = sent.iter().filter(|frame| frame.kind == frames::DATA).collect();
    assert_eq!(data.len(), 1);
    assert_eq!((data[0].flags, data[0].payload.len()), (frames::END_STREAM, 0));
}
