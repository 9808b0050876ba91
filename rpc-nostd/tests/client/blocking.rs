//! The blocking client: the same core, driven by the call itself.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::frames;
use crate::support::server::{Server, ok};
use crate::support::wire::{Ticking, Wire};
use crate::support::{Blob, ECHO};
use rpc_nostd::blocking::{Client, Polled, Timed, Transport};
use rpc_nostd::client::Unary;
use rpc_nostd::{Code, Config, Resources, Status};

type Memory<'r> = Resources<'r, 2, 300, 512, 256>;

fn echo<T: Transport>(client: &mut Client<'_, T>, body: &[u8]) -> Result<Blob, Status> {
    Unary::<_, _, Blob>::new(client, &ECHO, &Blob(body.to_vec())).call()
}

#[test]
fn calls_work_over_ready_and_over_timed_transports_in_pieces_of_every_size() {
    for piece in (1..30).chain([usize::MAX]) {
        let clock = Ticking::default();
        let mut memory = Memory::new();
        let wire = Wire::new(Server::answering(|stream| ok(stream, &[3; 250])), piece);
        let mut client = Client::new(&mut memory, Polled(wire), &clock, Config::new("test.local")).unwrap();
        for _ in 0..3 {
            assert_eq!(
                echo(&mut client, &[1; 100]),
                Ok(Blob(vec![3; 250])),
                "pieces of {piece}"
            );
        }
        let mut memory = Memory::new();
        let mut wire = Wire::new(Server::answering(|stream| ok(stream, &[4; 250])), piece);
        wire.unready_reads = true;
        let mut client = Client::new(&mut memory, Timed(wire), &clock, Config::new("test.local")).unwrap();
        assert_eq!(
            echo(&mut client, &[1; 100]),
            Ok(Blob(vec![4; 250])),
            "pieces of {piece}"
        );
    }
}

#[test]
fn a_deadline_holds_against_a_silent_server_and_the_client_goes_on() {
    let clock = Ticking::default();
    let mut memory = Memory::new();
    let server = Server::new(|frame, out| {
        if frame.kind == frames::DATA && frame.stream == 3 {
            out.extend(ok(3, b"second"));
        }
        true
    });
    let log = server.log.clone();
    let mut client = Client::new(
        &mut memory,
        Polled(Wire::new(server, 100)),
        &clock,
        Config::new("test.local"),
    )
    .unwrap();
    let request = Blob::default();
    let call = Unary::<_, _, Blob>::new(&mut client, &ECHO, &request).deadline(Duration::from_millis(300));
    assert_eq!(call.call().unwrap_err().code(), Code::DEADLINE_EXCEEDED);
    assert_eq!(echo(&mut client, b""), Ok(Blob(b"second".to_vec())));
    assert!(
        log.borrow()
            .iter()
            .any(|frame| frame.kind == frames::RST_STREAM && frame.stream == 1)
    );
}

#[test]
fn a_lost_connection_is_unavailable_until_reconnect() {
    let clock = Ticking::default();
    let mut memory = Memory::new();
    let closing = Server::new(|frame, _| frame.kind != frames::DATA);
    let mut client = Client::new(
        &mut memory,
        Polled(Wire::new(closing, 100)),
        &clock,
        Config::new("test.local"),
    )
    .unwrap();
    for _ in 0..2 {
        assert_eq!(echo(&mut client, b"").unwrap_err().code(), Code::UNAVAILABLE);
        assert!(!client.is_connected());
        assert_eq!(client.poll().unwrap_err().code(), Code::UNAVAILABLE);
    }
    client.reconnect(Polled(Wire::new(
        Server::answering(|stream| ok(stream, b"back")),
        100,
    )));
    assert_eq!(echo(&mut client, b""), Ok(Blob(b"back".to_vec())));
}

#[test]
fn poll_answers_the_servers_ping_between_calls() {
    let clock = Ticking::default();
    let mut memory = Memory::new();
    let answered = Rc::new(RefCell::new(Vec::new()));
    let seen = answered.clone();
    let server = Server::new(move |frame, out| {
        if frame.kind == frames::DATA {
            out.extend(ok(frame.stream, b"x"));
            out.extend(frames::frame(frames::PING, 0, 0, b"pingping"));
        }
        if frame.kind == frames::PING {
            seen.borrow_mut().push((frame.flags, frame.payload.clone()));
        }
        true
    });
    let mut client = Client::new(
        &mut memory,
        Polled(Wire::new(server, 100)),
        &clock,
        Config::new("test.local"),
    )
    .unwrap();
    echo(&mut client, b"").unwrap();
    client.poll().unwrap();
    assert_eq!(*answered.borrow(), [(frames::ACK, b"pingping".to_vec())]);
}

#[test]
fn a_server_that_is_not_http2_gives_a_named_error() {
    let clock = Ticking::default();
    let mut memory = Memory::new();
    let peer = |_: &[u8], out: &mut Vec<u8>| {
        out.extend(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        true
    };
    let mut client = Client::new(
        &mut memory,
        Polled(Wire::new(peer, 100)),
        &clock,
        Config::new("test.local"),
    )
    .unwrap();
    let status = echo(&mut client, b"").unwrap_err();
    assert_eq!(status.code(), Code::UNAVAILABLE);
    assert!(
        status.message().contains("HTTP/2") || status.message().contains("SETTINGS"),
        "{status}"
    );
}

#[test]
fn a_link_that_takes_a_few_octets_at_a_time_makes_no_small_data_frames() {
    let clock = Ticking::default();
    let mut memory = Memory::new();
    let server = Server::answering(|stream| ok(stream, b"x"));
    let log = server.log.clone();
    let transport = Polled(Wire::new(server, 16));
    let mut client = Client::new(&mut memory, transport, &clock, Config::new("test.local")).unwrap();
    echo(&mut client, &[5; 3_000]).unwrap();
    let log = log.borrow();
    let unfinished = log
        .iter()
        .filter(|frame| frame.kind == frames::DATA && frame.flags == 0);
    let small = unfinished.filter(|frame| frame.payload.len() < 256).count();
    // The first one may share the buffer with HEADERS.
    assert!(small <= 1, "{small} small frames");
}
