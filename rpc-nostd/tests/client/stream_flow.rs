//! Flow control, and calls side by side: a stream that is not read holds up itself alone.

use crate::support::client::{FEED, blob, both, chat, echo, feed, sleep, upload, with_channel};
use crate::support::frames;
use crate::support::streams::{Got, StreamServer};
use crate::support::{Blob, Peers};
use rpc_nostd::client::ServerStreaming;
use rpc_nostd::{Code, MetadataEntry, ReceivedMetadata};

const FLOOD: usize = 100;

/// Floods `/Feed`, echoes anything else message by message.
fn flood_or_echo() -> StreamServer {
    let mut floods = 1;
    StreamServer::new(move |stream, got, reply| match got {
        Got::Call if stream != floods => {
            reply.head();
        }
        Got::Message(message) if stream != floods => {
            reply.octets(&[&[0, 0, 0, 0, message.len() as u8][..], &message].concat());
        }
        Got::End if stream == floods => {
            floods = 0;
            reply.head();
            for number in 0..FLOOD {
                reply.message(&[number as u8; 100]);
            }
            reply.trailers(0);
        }
        Got::End => {
            reply.trailers(0);
        }
        _ => {}
    })
}

#[test]
fn a_receiver_that_takes_nothing_holds_up_its_own_stream_alone() {
    with_channel(Peers::one(flood_or_echo()), async |channel, timer| {
        let mut events = feed(channel, b"").await.unwrap();
        for round in 0..50u8 {
            assert_eq!(echo(channel, &[round; 120]).await, Ok(blob(&[round; 120])));
        }
        assert_eq!(timer.now_ms(), 0, "nobody had to wait");
        for number in 0..FLOOD {
            assert_eq!(events.next().await, Ok(Some(blob(&[number as u8; 100]))));
            assert_eq!(echo(channel, b"between").await, Ok(blob(b"between")));
        }
        assert_eq!(events.next().await, Ok(None));
    });
}

#[test]
fn a_stream_that_is_not_read_gets_no_more_than_its_window() {
    let server = flood_or_echo();
    let frames = server.frames.clone();
    with_channel(Peers::one(server), async |channel, timer| {
        let mut events = feed(channel, b"").await.unwrap();
        sleep(timer, 100).await;
        let credit = |frames: &[frames::Frame]| {
            let updates = frames
                .iter()
                .filter(|frame| frame.kind == frames::WINDOW_UPDATE && frame.stream == 1);
            updates.count()
        };
        assert_eq!(credit(&frames.borrow()), 0);
        assert_eq!(events.next().await, Ok(Some(blob(&[0; 100]))));
        assert_eq!(events.next().await, Ok(Some(blob(&[1; 100]))));
        sleep(timer, 1).await;
        assert_eq!(credit(&frames.borrow()), 1, "half of the window was free");
    });
}

// Spec: grpc-message-boundaries
#[test]
fn messages_of_every_size_that_fits_come_through_whatever_the_frames() {
    for frame_size in [5, 7, 100, 16_384] {
        let mut server = StreamServer::new(|_, got, reply| {
            if got == Got::End {
                reply.head();
                // RECV is 300: prefix, tag and length take 8 of a message of over 127 octets.
                for len in (0..293).step_by(3) {
                    reply.message(&vec![len as u8; len]);
                }
                reply.trailers(0);
            }
        });
        server.frame_size = frame_size;
        with_channel(Peers::one(server), async |channel, _| {
            let mut events = feed(channel, b"").await.unwrap();
            for len in (0..293).step_by(3) {
                assert_eq!(
                    events.next().await,
                    Ok(Some(Blob(vec![len as u8; len]))),
                    "frames of {frame_size}"
                );
            }
            assert_eq!(events.next().await, Ok(None));
        });
    }
}

#[test]
fn an_upload_obeys_a_small_window_and_loses_nothing() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"done"]);
        }
    })
    .settings(&[(4, 10)]);
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        let mut call = upload(channel).await.unwrap();
        for len in [0, 1, 50, 500] {
            call.send(&blob(&vec![3; len])).await.unwrap();
        }
        assert_eq!(call.finish().await, Ok(blob(b"done")));
    });
    let log = log.borrow();
    let sizes = log.iter().filter_map(|(_, got)| match got {
        Got::Message(message) => Some(message.len()),
        _ => None,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [2, 3, 52, 503]);
}

#[test]
fn two_conversations_and_unary_calls_share_a_connection() {
    let echoes = StreamServer::new(|_, got, reply| match got {
        Got::Call => {
            reply.head();
        }
        Got::Message(message) => {
            reply.octets(&frames::message(&message[2..]));
        }
        Got::End => {
            reply.trailers(0);
        }
        Got::Reset(code) => panic!("reset with {code}"),
    });
    with_channel(Peers::one(echoes), async |channel, timer| {
        let talk = async |seed: u8| {
            let (mut sender, mut receiver) = chat(channel).await.unwrap();
            let sending = async {
                for round in 0..60 {
                    sender.send(&blob(&[seed ^ round; 90])).await.unwrap();
                }
                sender.finish().await.unwrap();
            };
            let receiving = async {
                for round in 0..60 {
                    assert_eq!(receiver.next().await, Ok(Some(blob(&[seed ^ round; 90]))));
                }
                assert_eq!(receiver.next().await, Ok(None));
            };
            both(sending, receiving).await;
        };
        let unary = async {
            for round in 0..20u8 {
                assert_eq!(echo(channel, &[round]).await, Ok(blob(&[round])));
            }
        };
        // There are two slots: of the three one always waits its turn.
        both(both(talk(0x40), talk(0x80)), unary).await;
        assert_eq!(timer.now_ms(), 0);
    });
}

// Spec: grpc-metadata-delivered
#[test]
fn initial_metadata_is_there_before_any_message_and_trailing_after_the_end() {
    let server = StreamServer::new(|_, got, reply| match got {
        Got::Call => {
            let head = [
                (":status", "200"),
                ("content-type", "application/grpc"),
                ("x-initial", "early"),
            ];
            reply.fields(&head, false);
        }
        Got::End => {
            let trailers = [
                ("grpc-status", "9"),
                ("x-trailing-bin", "q6ur"),
                ("grpc-status-details-bin", "CAUSAA"),
            ];
            reply.message(b"one").fields(&trailers, true);
        }
        _ => {}
    });
    with_channel(Peers::one(server), async |channel, _| {
        let (sender, mut receiver) = chat(channel).await.unwrap();
        receiver.headers().await.unwrap();
        let mut memory = [0; 200];
        let mut received = ReceivedMetadata::new(&mut memory);
        receiver.metadata(&mut received);
        assert_eq!(received.initial("x-initial").next(), Some(&b"early"[..]));
        assert_eq!(received.trailing("x-trailing-bin").next(), None);
        sender.finish().await.unwrap();
        assert_eq!(receiver.next().await, Ok(Some(blob(b"one"))));
        assert_eq!(
            receiver.next().await.unwrap_err().code(),
            Code::FAILED_PRECONDITION
        );
        receiver.metadata(&mut received);
        assert_eq!(received.initial("x-initial").next(), Some(&b"early"[..]));
        assert_eq!(received.trailing("x-trailing-bin").next(), Some(&[0xab; 3][..]));
        assert_eq!(received.status_details(), Some(&[8, 5, 18, 0][..]));
    });
}

#[test]
fn metadata_of_an_upload_comes_with_its_response_and_with_its_error() {
    for code in [0, 5] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                let status = code.to_string();
                reply.head().message(b"done");
                reply.fields(&[("grpc-status", &status), ("x-trailing", "bye")], true);
            }
        });
        with_channel(Peers::one(server), async |channel, _| {
            let mut memory = [0; 200];
            let mut received = ReceivedMetadata::new(&mut memory);
            let call = upload(channel).await.unwrap();
            let result = call
                .finish_into(&mut received)
                .await
                .map_err(|status| status.code());
            assert_eq!(
                result,
                if code == 0 {
                    Ok(blob(b"done"))
                } else {
                    Err(Code::NOT_FOUND)
                }
            );
            assert_eq!(received.trailing("x-trailing").next(), Some(&b"bye"[..]));
        });
    }
}

// Spec: grpc-trailers-only
#[test]
fn metadata_of_a_trailers_only_response_is_trailing() {
    for code in [0, 5] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::End {
                let status = code.to_string();
                let head = [(":status", "200"), ("content-type", "application/grpc")];
                let last = [("grpc-status", status.as_str()), ("x-why", "because")];
                reply.fields(&[&head[..], &last[..]].concat(), true);
            }
        });
        with_channel(Peers::one(server), async |channel, _| {
            let mut memory = [0; 200];
            let mut received = ReceivedMetadata::new(&mut memory);
            let mut events = feed(channel, b"topic").await.unwrap();
            assert_eq!(events.next().await.is_ok(), code == 0);
            events.metadata(&mut received);
            assert_eq!(received.trailing("x-why").next(), Some(&b"because"[..]));
            assert_eq!(received.all_initial().count(), 0);
        });
    }
}

#[test]
fn headers_of_a_call_that_ends_without_any_are_its_status() {
    for (code, expected) in [(0, Ok(())), (12, Err(Code::UNIMPLEMENTED))] {
        let server = StreamServer::new(move |_, got, reply| {
            if got == Got::Call {
                let status = code.to_string();
                let fields = [
                    (":status", "200"),
                    ("content-type", "application/grpc"),
                    ("grpc-status", &status),
                ];
                reply.fields(&fields, true);
            }
        });
        with_channel(Peers::one(server), async |channel, _| {
            let (_sender, mut receiver) = chat(channel).await.unwrap();
            let headers = receiver.headers().await.map_err(|status| status.code());
            assert_eq!(headers, expected);
        });
    }
}

#[test]
fn headers_of_an_http_error_page_are_its_status() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::Call {
            reply.fields(&[(":status", "503"), ("content-type", "text/html")], false);
            // What looks like a message is none.
            reply.octets(&frames::message(b"<html>"));
        }
    });
    with_channel(Peers::one(server), async |channel, _| {
        let (_sender, mut receiver) = chat(channel).await.unwrap();
        assert_eq!(receiver.headers().await.unwrap_err().code(), Code::UNAVAILABLE);
        assert_eq!(receiver.next().await.unwrap_err().code(), Code::UNAVAILABLE);
    });
}

#[test]
fn request_metadata_goes_out_with_a_stream_and_an_illegal_one_fails_it_unsent() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[]);
        }
    });
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let request = Blob::default();
        let entries = [MetadataEntry::ascii("te", "gzip")];
        let call = ServerStreaming::<_, _, Blob>::new(&mut channel, &FEED, &request).metadata(&entries);
        assert_eq!(call.await.err().unwrap().code(), Code::INTERNAL);
    });
    assert!(log.borrow().is_empty());
}
