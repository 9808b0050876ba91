//! Messages that borrow, each from the same buffer, which holds something else for each.

use crate::support::client::{CHAT, Memory, UPLOAD, blob, with_channel};
use crate::support::streams::{Got, StreamServer, body};
use crate::support::wire::{Ticking, Wire};
use crate::support::{Blob, Note, Peers};
use rpc_nostd::Config;
use rpc_nostd::blocking::{Client, Polled};
use rpc_nostd::client::{BidiStreaming, ClientStreaming};

/// Answers once the requests have ended.
fn at_the_end() -> StreamServer {
    StreamServer::new(|_, got, reply| {
        if got == Got::End {
            reply.answer(&[b"sum"]);
        }
    })
}

fn parts(log: &[(u32, Got)]) -> Vec<(u32, Got)> {
    let messages = log.iter().filter(|(_, got)| matches!(got, Got::Message(_)));
    messages.cloned().collect()
}

fn expected() -> Vec<(u32, Got)> {
    (0..5u8)
        .map(|round| (1, Got::Message(body(&[round; 3]))))
        .collect()
}

#[test]
fn upload_sends_what_one_buffer_held_each_time() {
    let server = at_the_end();
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let mut upload = ClientStreaming::<_, Note<'_>, Blob>::new(&mut channel, &UPLOAD)
            .await
            .unwrap();
        let mut buffer = [0; 3];
        for round in 0..5 {
            buffer.fill(round);
            upload.send_borrowed(&Note(&buffer)).await.unwrap();
        }
        assert_eq!(upload.finish().await, Ok(blob(b"sum")));
    });
    assert_eq!(parts(&log.borrow()), expected());
}

#[test]
fn sending_half_sends_what_one_buffer_held_each_time() {
    let server = at_the_end();
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let call = BidiStreaming::<_, Note<'_>, Blob>::new(&mut channel, &CHAT);
        let (mut sender, mut receiver) = call.await.unwrap();
        let mut buffer = [0; 3];
        for round in 0..5 {
            buffer.fill(round);
            sender.send_borrowed(&Note(&buffer)).await.unwrap();
        }
        sender.finish().await.unwrap();
        assert_eq!(receiver.next().await, Ok(Some(blob(b"sum"))));
    });
    assert_eq!(parts(&log.borrow()), expected());
}

fn with_client(test: impl FnOnce(&mut Client<'_, Polled<Wire>>)) -> Vec<(u32, Got)> {
    let (clock, mut memory) = (Ticking::default(), Memory::new());
    let server = at_the_end();
    let log = server.log.clone();
    let wire = Polled(Wire::new(server, usize::MAX));
    let mut client = Client::new(&mut memory, wire, &clock, Config::new("test.local")).unwrap();
    test(&mut client);
    parts(&log.borrow())
}

#[test]
fn blocking_upload_sends_what_one_buffer_held_each_time() {
    let parts = with_client(|client| {
        let mut upload = ClientStreaming::<_, Note<'_>, Blob>::new(client, &UPLOAD)
            .call()
            .unwrap();
        let mut buffer = [0; 3];
        for round in 0..5 {
            buffer.fill(round);
            upload.send_borrowed(&Note(&buffer)).unwrap();
        }
        assert_eq!(upload.finish(), Ok(blob(b"sum")));
    });
    assert_eq!(parts, expected());
}

#[test]
fn exchange_sends_what_one_buffer_held_each_time() {
    let parts = with_client(|client| {
        let mut exchange = BidiStreaming::<_, Note<'_>, Blob>::new(client, &CHAT)
            .call()
            .unwrap();
        let mut buffer = [0; 3];
        for round in 0..5 {
            buffer.fill(round);
            exchange.send_borrowed(&Note(&buffer)).unwrap();
        }
        exchange.finish_sending().unwrap();
        assert_eq!(exchange.next(), Ok(Some(blob(b"sum"))));
    });
    assert_eq!(parts, expected());
}
