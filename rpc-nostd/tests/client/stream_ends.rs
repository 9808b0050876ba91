//! How streams end: by either half, by the deadline, by the server, by the connection.

use std::time::Duration;

use crate::support::client::{
    CHAT, FEED, UPLOAD, blob, both, chat, echo, feed, poll_until, sleep, upload, with_channel,
};
use crate::support::frames;
use crate::support::streams::{Got, StreamServer, resets};
use crate::support::{Blob, Peers};
use rpc_nostd::client::{BidiStreaming, ClientStreaming, ServerStreaming};
use rpc_nostd::{Code, Status};

/// Answers unary-like requests of one message at their end, streams not at all: `answered` is what the fifth and later
/// streams get, so that a test sees slots free again.
fn silent() -> StreamServer {
    StreamServer::new(|stream, got, reply| {
        if stream > 7 && got == Got::End {
            reply.answer(&[b"still here"]);
        }
    })
}

const CANCEL: u32 = 8;
const NO_ERROR: u32 = 0;

fn error<T>(result: Result<T, Status>) -> (Code, String) {
    let status = result.err().expect("the call must fail");
    (status.code(), status.message().to_owned())
}

fn code<T>(result: Result<T, Status>) -> Code {
    error(result).0
}

// Spec: grpc-cancel-reset
#[test]
fn dropping_a_receiver_cancels_its_call_and_frees_its_slot() {
    let server = silent();
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        for _ in 0..4 {
            let mut events = feed(channel, b"topic").await.unwrap();
            poll_until(events.next(), timer, 5).await;
        }
        assert_eq!(echo(channel, b"").await, Ok(blob(b"still here")));
    });
    for stream in [1, 3, 5, 7] {
        assert_eq!(resets(&log, stream), [CANCEL]);
    }
}

#[test]
fn dropping_a_receiver_after_the_end_resets_nothing() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"one"]);
        }
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        for take in 0..3 {
            let mut events = feed(channel, b"topic").await.unwrap();
            sleep(timer, 5).await;
            for _ in 0..take {
                events.next().await.unwrap();
            }
        }
        assert_eq!(echo(channel, b"").await, Ok(blob(b"one")));
    });
    assert!(!log.borrow().iter().any(|(_, got)| matches!(got, Got::Reset(_))));
}

#[test]
fn dropping_a_sender_without_finish_cancels_and_the_receiver_learns_it() {
    let server = silent();
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        for sends in 0..4 {
            let (mut sender, mut receiver) = chat(channel).await.unwrap();
            for _ in 0..sends {
                sender.send(&blob(b"x")).await.unwrap();
            }
            drop(sender);
            for _ in 0..2 {
                let (code, text) = error(receiver.next().await);
                assert_eq!(code, Code::CANCELLED);
                assert!(text.contains("finish()"), "{text}");
            }
            sleep(timer, 1).await;
        }
        assert_eq!(echo(channel, b"").await, Ok(blob(b"still here")));
    });
    for stream in [1, 3, 5, 7] {
        assert_eq!(resets(&log, stream), [CANCEL]);
    }
}

#[test]
fn dropping_the_receiver_cancels_and_the_sender_learns_it() {
    let server = silent();
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        for _ in 0..4 {
            let (mut sender, receiver) = chat(channel).await.unwrap();
            sender.send(&blob(b"x")).await.unwrap();
            drop(receiver);
            assert_eq!(code(sender.send(&blob(b"y")).await), Code::CANCELLED);
            assert_eq!(code(sender.finish().await), Code::CANCELLED);
            sleep(timer, 1).await;
        }
        assert_eq!(echo(channel, b"").await, Ok(blob(b"still here")));
    });
    for stream in [1, 3, 5, 7] {
        assert_eq!(resets(&log, stream), [CANCEL]);
    }
}

#[test]
fn a_half_that_waits_learns_at_once_that_the_other_is_gone() {
    let server = silent().settings(&[(4, 0)]);
    with_channel(Peers::one(server), async |channel, timer| {
        let (mut sender, receiver) = chat(channel).await.unwrap();
        let message = blob(b"there is no credit for it");
        let leaving = async {
            sleep(timer, 10).await;
            drop(receiver);
        };
        let (sent, ()) = both(sender.send(&message), leaving).await;
        assert_eq!((code(sent), timer.now_ms()), (Code::CANCELLED, 10));
        let (sender, mut receiver) = chat(channel).await.unwrap();
        let leaving = async {
            sleep(timer, 10).await;
            drop(sender);
        };
        let (next, ()) = both(receiver.next(), leaving).await;
        assert_eq!((code(next), timer.now_ms()), (Code::CANCELLED, 20));
    });
}

#[test]
fn a_finished_sender_may_go_and_the_call_goes_on() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"late"]);
        }
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        let (sender, mut receiver) = chat(channel).await.unwrap();
        sender.finish().await.unwrap();
        sleep(timer, 5).await;
        assert_eq!(receiver.next().await, Ok(Some(blob(b"late"))));
        assert_eq!(receiver.next().await, Ok(None));
    });
    assert_eq!(resets(&log, 1), []);
}

#[test]
fn dropping_an_upload_or_its_finish_cancels() {
    let server = silent();
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        drop(upload(channel).await.unwrap());
        let mut call = upload(channel).await.unwrap();
        call.send(&blob(b"x")).await.unwrap();
        drop(call);
        let call = upload(channel).await.unwrap();
        poll_until(call.finish(), timer, 5).await;
        drop(upload(channel).await.unwrap());
        assert_eq!(echo(channel, b"").await, Ok(blob(b"still here")));
    });
    for stream in [1, 3, 5, 7] {
        assert_eq!(resets(&log, stream), [CANCEL]);
    }
}

#[test]
fn dropping_the_future_that_opens_a_call_cancels_it() {
    // The server gives 20 octets of credit: the request is never all sent.
    let server = StreamServer::new(|_, got, reply| match got {
        Got::Call => {
            reply.hang();
        }
        Got::End => {
            reply.answer(&[b"still here"]);
        }
        _ => {}
    })
    .settings(&[(4, 20)]);
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        for _ in 0..4 {
            poll_until(feed(channel, &[1; 9_000]), timer, 5).await;
        }
        assert_eq!(echo(channel, b"").await, Ok(blob(b"still here")));
    });
    for stream in [1, 3, 5, 7] {
        assert_eq!(resets(&log, stream), [CANCEL]);
    }
}

#[test]
fn a_send_dropped_inside_its_message_cancels_and_one_dropped_before_it_does_not() {
    for (window, cancelled) in [(20, true), (0, false)] {
        let server = StreamServer::new(|_, got, reply| {
            if got == Got::Call {
                reply.hang();
            }
        })
        .settings(&[(4, window)]);
        let log = server.log.clone();
        with_channel(Peers::one(server), async |channel, timer| {
            let (mut sender, mut receiver) = chat(channel).await.unwrap();
            poll_until(sender.send(&blob(&[1; 500])), timer, 5).await;
            sleep(timer, 5).await;
            assert_eq!(resets(&log, 1), if cancelled { vec![CANCEL] } else { vec![] });
            if cancelled {
                assert_eq!(code(receiver.next().await), Code::CANCELLED);
                assert_eq!(code(sender.send(&blob(b"")).await), Code::CANCELLED);
            }
        });
    }
}

// Spec: grpc-deadline-client-reset, grpc-deadline-client-status
#[test]
fn the_deadline_holds_in_every_step_and_both_halves_tell_it() {
    let server = silent().settings(&[(4, 0)]);
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, timer| {
        let deadline = Duration::from_millis(300);
        // Opening: no credit for the request.
        let request = blob(b"x");
        let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request).deadline(deadline);
        assert_eq!(code(call.await), Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 300);
        // Sending.
        let call = BidiStreaming::<_, Blob, Blob>::new(&mut channel, &CHAT).deadline(deadline);
        let (mut sender, mut receiver) = call.await.unwrap();
        for _ in 0..2 {
            assert_eq!(code(sender.send(&blob(b"x")).await), Code::DEADLINE_EXCEEDED);
            assert_eq!(code(receiver.next().await), Code::DEADLINE_EXCEEDED);
        }
        assert_eq!(timer.now_ms(), 600);
        drop((sender, receiver));
        // Waiting for headers, for a message, for the response.
        let call = BidiStreaming::<_, Blob, Blob>::new(&mut channel, &CHAT).deadline(deadline);
        let (sender, mut receiver) = call.await.unwrap();
        assert_eq!(code(receiver.headers().await), Code::DEADLINE_EXCEEDED);
        assert_eq!(code(receiver.next().await), Code::DEADLINE_EXCEEDED);
        assert_eq!(code(sender.finish().await), Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 900);
        drop(receiver);
        let call = ClientStreaming::<_, Blob, Blob>::new(&mut channel, &UPLOAD).deadline(deadline);
        assert_eq!(code(call.await.unwrap().finish().await), Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 1_200);
        sleep(timer, 1).await;
    });
    for stream in [1, 3, 5, 7] {
        assert_eq!(resets(&log, stream), [CANCEL], "stream {stream}");
    }
}

#[test]
fn the_deadline_holds_while_a_call_waits_for_a_slot() {
    with_channel(Peers::one(silent()), async |mut channel, timer| {
        let _first = feed(channel, b"").await.unwrap();
        let _second = feed(channel, b"").await.unwrap();
        let call =
            BidiStreaming::<_, Blob, Blob>::new(&mut channel, &CHAT).deadline(Duration::from_millis(70));
        assert_eq!(code(call.await), Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 70);
    });
}

// Spec: grpc-deadline-client-status
#[test]
fn a_message_that_comes_after_the_deadline_is_not_given_and_an_end_before_it_is() {
    let server = StreamServer::new(|stream, got, reply| match (stream, got) {
        (1, Got::Call) => {
            reply.head().message(b"first");
        }
        (3, Got::Call) => {
            reply.answer(&[b"first"]);
        }
        _ => {}
    });
    with_channel(Peers::one(server), async |mut channel, timer| {
        for (stream, expected) in [(1, Err(Code::DEADLINE_EXCEEDED)), (3, Ok(Some(blob(b"first"))))] {
            let request = Blob::default();
            let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request);
            let mut events = call.deadline(Duration::from_millis(50)).await.unwrap();
            sleep(timer, 100).await;
            let next = events.next().await.map_err(|status| status.code());
            assert_eq!(next, expected, "stream {stream}");
        }
    });
}

// Spec: grpc-deadline-client-cancelled, grpc-rst-cancel
#[test]
fn an_error_that_was_told_is_told_again_though_messages_have_come() {
    // A message that is no Blob, and good ones behind it; or good ones that come after the deadline.
    for (first, deadline, expected) in [
        (&[0xff][..], 10_000, Code::INTERNAL),
        (&frames::message(b"first")[5..], 50, Code::DEADLINE_EXCEEDED),
    ] {
        let first = [&[0, 0, 0, 0, first.len() as u8], first].concat();
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::Call {
                reply.head().octets(&first).message(b"second");
            }
        });
        with_channel(Peers::one(server), async |mut channel, timer| {
            let request = Blob::default();
            let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request);
            let mut events = call.deadline(Duration::from_millis(deadline)).await.unwrap();
            sleep(timer, 100).await;
            for _ in 0..3 {
                assert_eq!(code(events.next().await), expected);
            }
            assert_eq!(code(events.next_large(&[], &mut []).await.map(drop)), expected);
        });
    }
}

#[test]
fn a_cancel_by_the_server_after_the_deadline_is_deadline_exceeded_and_stays_what_it_was_told() {
    for (late, expected) in [(true, Code::DEADLINE_EXCEEDED), (false, Code::CANCELLED)] {
        let server = StreamServer::new(|_, got, reply| {
            if got == Got::End {
                reply.raw(&frames::rst(1, CANCEL));
            }
        });
        with_channel(Peers::one(server), async |mut channel, timer| {
            let request = Blob::default();
            let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request);
            let mut events = call.deadline(Duration::from_millis(50)).await.unwrap();
            sleep(timer, if late { 60 } else { 10 }).await;
            for _ in 0..3 {
                assert_eq!(code(events.next().await), expected);
                sleep(timer, 60).await;
            }
        });
    }
}

// Spec: grpc-early-trailers-client
#[test]
fn a_server_that_ends_early_stops_the_sender_and_the_receiver_has_its_answer() {
    for (status, expected) in [(0, Code::CANCELLED), (8, Code::RESOURCE_EXHAUSTED)] {
        let server = StreamServer::new(move |_, got, reply| {
            if let Got::Message(_) = got {
                reply.head().message(b"enough").trailers(status);
            }
        });
        let log = server.log.clone();
        with_channel(Peers::one(server), async |channel, timer| {
            let (mut sender, mut receiver) = chat(channel).await.unwrap();
            sender.send(&blob(b"one")).await.unwrap();
            sleep(timer, 1).await;
            assert_eq!(code(sender.send(&blob(b"two")).await), expected);
            let finished = sender.finish().await.map_err(|status| status.code());
            assert_eq!(finished, if status == 0 { Ok(()) } else { Err(expected) });
            assert_eq!(receiver.next().await, Ok(Some(blob(b"enough"))));
            let end = receiver.next().await.map_err(|status| status.code());
            assert_eq!(end, if status == 0 { Ok(None) } else { Err(expected) });
            sleep(timer, 1).await;
        });
        // RFC 9113 section 8.1: the rest of the request is not wanted.
        assert_eq!(resets(&log, 1), [NO_ERROR]);
    }
}

#[test]
fn an_upload_that_the_server_ends_early_still_has_its_response() {
    let server = StreamServer::new(|_, got, reply| {
        if let Got::Message(_) = got {
            reply.answer(&[b"enough"]);
        }
    });
    with_channel(Peers::one(server), async |channel, _| {
        let mut call = upload(channel).await.unwrap();
        let refused = loop {
            if let Err(status) = call.send(&blob(&[0; 400])).await {
                break status;
            }
        };
        assert_eq!((refused.code(), refused.is_local()), (Code::CANCELLED, true));
        assert_eq!(call.finish().await, Ok(blob(b"enough")));
    });
}

#[test]
fn messages_that_came_before_an_error_are_given_first() {
    for lost in [false, true] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                reply.head().message(b"one").message(b"two");
                reply.octets(&frames::message(b"three")[..6]);
                if lost {
                    reply.close();
                } else {
                    reply.fields(&[("grpc-status", "10"), ("grpc-message", "changed")], true);
                }
            }
        });
        with_channel(Peers::one(server), async |channel, timer| {
            let mut events = feed(channel, b"").await.unwrap();
            sleep(timer, 1).await;
            assert_eq!(events.next().await, Ok(Some(blob(b"one"))));
            assert_eq!(events.next().await, Ok(Some(blob(b"two"))));
            for _ in 0..2 {
                let (code, text) = error(events.next().await);
                let expected = if lost { Code::UNAVAILABLE } else { Code::ABORTED };
                assert_eq!((code, lost || text == "changed"), (expected, true), "{text}");
            }
        });
    }
}
