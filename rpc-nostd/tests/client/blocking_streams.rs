//! Streams, large messages and credentials on the blocking client: the same core, driven by the call itself.

use std::time::Duration;

use crate::support::client::{CHAT, FEED, Memory, UPLOAD, blob};
use crate::support::frames;
use crate::support::streams::{Got, StreamServer, body, resets};
use crate::support::wire::{Ticking, Wire};
use crate::support::{Blob, ECHO, Peer};
use rpc_nostd::blocking::{Client, Polled, Transport};
use rpc_nostd::client::{BidiStreaming, ClientStreaming, ServerStreaming, Unary};
use rpc_nostd::{CallCredentials, Code, Config, MetadataEntry, Method, ReceivedMetadata, Status};

type Line<'r> = Client<'r, Polled<Wire>>;

/// A client of `server`, over a link that moves `piece` octets a call.
fn with_client(server: impl Peer + 'static, piece: usize, test: impl FnOnce(&mut Line<'_>)) {
    let clock = Ticking::default();
    let mut memory = Memory::new();
    let wire = Polled(Wire::new(server, piece));
    let mut client = Client::new(&mut memory, wire, &clock, Config::new("test.local")).unwrap();
    test(&mut client);
}

fn echo<T: Transport>(client: &mut Client<'_, T>, octets: &[u8]) -> Result<Blob, Status> {
    Unary::<_, _, Blob>::new(client, &ECHO, &blob(octets)).call()
}

/// Echoes message by message; `/Feed` and others alike.
fn echoing() -> StreamServer {
    StreamServer::new(|_, got, reply| match got {
        Got::Call => {
            reply.fields(
                &[
                    (":status", "200"),
                    ("content-type", "application/grpc"),
                    ("x-initial", "1"),
                ],
                false,
            );
        }
        Got::Message(message) => {
            let prefix = [&[0][..], &(message.len() as u32).to_be_bytes()].concat();
            reply.octets(&[prefix, message].concat());
        }
        Got::End => {
            reply.fields(&[("grpc-status", "0"), ("x-trailing", "2")], true);
        }
        Got::Reset(_) => {}
    })
}

#[test]
fn a_server_stream_gives_its_messages_in_pieces_of_every_size() {
    for piece in (1..30).chain([usize::MAX]) {
        let server = StreamServer::new(|_, got, reply| {
            if got == Got::End {
                reply.answer(&[&[1; 250], &[2; 250], b"", &[3; 9]]);
            }
        });
        with_client(server, piece, |client| {
            let request = blob(b"topic");
            let call = ServerStreaming::<_, _, Blob>::new(client, &FEED, &request);
            let mut events = call.call().unwrap();
            let mut sizes = Vec::new();
            while let Some(event) = events.next().unwrap() {
                sizes.push(event.0.len());
            }
            assert_eq!(sizes, [250, 250, 0, 9], "pieces of {piece}");
            assert_eq!(events.next(), Ok(None));
        });
    }
}

#[test]
fn an_upload_returns_the_one_response_and_its_metadata() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.head().message(b"sum");
            reply.fields(&[("grpc-status", "0"), ("x-trailing", "2")], true);
        }
    });
    let log = server.log.clone();
    with_client(server, 50, |client| {
        let mut call = ClientStreaming::<_, Blob, Blob>::new(client, &UPLOAD)
            .call()
            .unwrap();
        call.send(&blob(b"a")).unwrap();
        let mut writer = call.send_large(&blob(b""), &[1], 1_000).unwrap();
        writer.write(&[7; 400]).unwrap();
        writer.write(&[7; 600]).unwrap();
        assert_eq!(writer.write(b"x").unwrap_err().code(), Code::INTERNAL);
        writer.finish().unwrap();
        let mut memory = [0; 100];
        let mut received = ReceivedMetadata::new(&mut memory);
        assert_eq!(call.finish_into(&mut received), Ok(blob(b"sum")));
        assert_eq!(received.trailing("x-trailing").next(), Some(&b"2"[..]));
    });
    let log = log.borrow();
    assert_eq!(log[1], (1, Got::Message(body(b"a"))));
    assert!(matches!(&log[2], (1, Got::Message(message)) if message.len() == 1_005));
    assert_eq!(log[3..], [(1, Got::End)]);
}

#[test]
fn an_exchange_goes_both_ways() {
    with_client(echoing(), 40, |client| {
        let mut call = BidiStreaming::<_, Blob, Blob>::new(client, &CHAT).call().unwrap();
        call.headers().unwrap();
        for round in 0..20u8 {
            call.send(&blob(&[round; 100])).unwrap();
            assert_eq!(call.next(), Ok(Some(blob(&[round; 100]))));
        }
        call.finish_sending().unwrap();
        call.finish_sending().unwrap();
        assert_eq!(call.send(&blob(b"")).unwrap_err().code(), Code::INTERNAL);
        assert_eq!(call.next(), Ok(None));
        let mut memory = [0; 100];
        let mut received = ReceivedMetadata::new(&mut memory);
        call.metadata(&mut received);
        assert_eq!(received.initial("x-initial").next(), Some(&b"1"[..]));
        assert_eq!(received.trailing("x-trailing").next(), Some(&b"2"[..]));
    });
}

#[test]
fn dropping_a_call_cancels_it_at_once_and_the_client_goes_on() {
    let server = StreamServer::new(|stream, got, reply| {
        if stream > 9 && got == Got::End {
            reply.answer(&[b"here"]);
        }
    });
    let log = server.log.clone();
    with_client(server, usize::MAX, |client| {
        let request = blob(b"x");
        drop(
            ServerStreaming::<_, _, Blob>::new(client, &FEED, &request)
                .call()
                .unwrap(),
        );
        assert_eq!(resets(&log, 1), [8]);
        let mut call = ClientStreaming::<_, Blob, Blob>::new(client, &UPLOAD)
            .call()
            .unwrap();
        call.send(&blob(b"x")).unwrap();
        drop(call);
        assert_eq!(resets(&log, 3), [8]);
        let mut call = BidiStreaming::<_, Blob, Blob>::new(client, &CHAT).call().unwrap();
        drop(call.send_large(&blob(b""), &[1], 10).unwrap());
        assert_eq!(resets(&log, 5), [8]);
        assert_eq!(call.next().unwrap_err().code(), Code::CANCELLED);
        drop(call);
        let call = Unary::<_, _, Blob>::new(client, &ECHO, &request).with_large_field(&[1], 9);
        assert_eq!(
            call.call().unwrap().finish().err().unwrap().code(),
            Code::CANCELLED
        );
        assert_eq!(resets(&log, 7), [8]);
        let call = Unary::<_, _, Blob>::new(client, &ECHO, &request).with_large_field(&[1], 9);
        drop(call.call().unwrap());
        assert_eq!(resets(&log, 9), [8]);
        assert_eq!(echo(client, b""), Ok(blob(b"here")));
    });
}

#[test]
fn a_deadline_ends_every_wait() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::Call {
            reply.hang();
        }
    })
    .settings(&[(4, 10)]);
    let log = server.log.clone();
    with_client(server, 100, |client| {
        let deadline = Duration::from_millis(500);
        let long = blob(&[0; 100]);
        let call = ServerStreaming::<_, _, Blob>::new(client, &FEED, &long).deadline(deadline);
        assert_eq!(call.call().err().unwrap().code(), Code::DEADLINE_EXCEEDED);
        let call = ClientStreaming::<_, Blob, Blob>::new(client, &UPLOAD).deadline(deadline);
        let mut call = call.call().unwrap();
        assert_eq!(call.send(&long).unwrap_err().code(), Code::DEADLINE_EXCEEDED);
        assert_eq!(call.finish().unwrap_err().code(), Code::DEADLINE_EXCEEDED);
        let call = BidiStreaming::<_, Blob, Blob>::new(client, &CHAT).deadline(deadline);
        let mut call = call.call().unwrap();
        assert_eq!(call.next().unwrap_err().code(), Code::DEADLINE_EXCEEDED);
        assert_eq!(call.send(&long).unwrap_err().code(), Code::DEADLINE_EXCEEDED);
    });
    for stream in [1, 3, 5] {
        assert_eq!(resets(&log, stream), [8]);
    }
}

#[test]
fn a_connection_that_is_lost_ends_the_call_with_what_had_come() {
    let server = StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.head().message(b"one").close();
        }
    });
    with_client(server, 100, |client| {
        let request = blob(b"");
        let mut events = ServerStreaming::<_, _, Blob>::new(client, &FEED, &request)
            .call()
            .unwrap();
        assert_eq!(events.next(), Ok(Some(blob(b"one"))));
        assert_eq!(events.next().unwrap_err().code(), Code::UNAVAILABLE);
        drop(events);
        let call = ServerStreaming::<_, _, Blob>::new(client, &FEED, &request).call();
        assert_eq!(call.err().unwrap().code(), Code::UNAVAILABLE);
        client.reconnect(Polled(Wire::new(echoing(), 100)));
        assert_eq!(echo(client, b"again"), Ok(blob(b"again")));
    });
}

#[test]
fn a_message_larger_than_memory_passes_both_ways() {
    const REQUEST: usize = 271_828;
    const RESPONSE: usize = 314_159;
    let server = StreamServer::new(|_, got, reply| {
        if let Got::Message(message) = got {
            assert_eq!(message.len(), REQUEST + 2 + 4);
            reply.head().octets(&frames::message(&[5; RESPONSE])).trailers(0);
        }
    });
    with_client(server, usize::MAX, |client| {
        let request = blob(b"");
        let call = Unary::<_, _, Blob>::new(client, &ECHO, &request).with_large_field(&[1], REQUEST);
        let mut writer = call.call().unwrap();
        for piece in [9; REQUEST].chunks(500) {
            writer.write(piece).unwrap();
        }
        let mut receiver = writer.finish().unwrap();
        let mut reader = receiver.next_large(&[1], &mut []).unwrap().unwrap();
        let (mut total, mut to) = (0, [0; 500]);
        loop {
            match reader.read(&mut to).unwrap() {
                0 => break,
                len => total += len,
            }
            assert!(to.iter().all(|octet| *octet == 5 || *octet == 0));
        }
        assert_eq!((total, reader.content_len()), (RESPONSE, Some(RESPONSE as u32)));
        assert_eq!(reader.finish::<Blob>(), Ok(Blob::default()));
        assert_eq!(receiver.next(), Ok(None));
    });
}

struct Bearer(&'static str);

impl CallCredentials for Bearer {
    fn emit(&self, _: &Method, push: &mut dyn FnMut(MetadataEntry<'_>)) {
        push(MetadataEntry::ascii("authorization", self.0));
    }
}

#[test]
fn credentials_go_out_or_fail_the_call() {
    with_client(echoing(), 100, |client| {
        let request = blob(b"x");
        let good = Unary::<_, _, Blob>::new(client, &ECHO, &request).credentials(&Bearer("Bearer x"));
        assert_eq!(good.call(), Ok(blob(b"x")));
        let bad = ServerStreaming::<_, _, Blob>::new(client, &FEED, &request).credentials(&Bearer("\n"));
        assert_eq!(bad.call().err().unwrap().code(), Code::INTERNAL);
        assert_eq!(echo(client, b"y"), Ok(blob(b"y")));
    });
}
