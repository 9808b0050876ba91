//! gRPC's negative HTTP/2 interop cases, by their official names: servers that reset, ping, pad, go away or allow
//! little. Spec: gRPC `http2-interop-test-descriptions.md`.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use crate::support::client::{echo, with_channel};
use crate::support::frames::{self, Frame};
use crate::support::server::{HEAD, Server, ok};
use crate::support::{Blob, Peers};
use rpc_nostd::Code;

/// Every reset that a server may choose, and what it must never become: OK.
const RESETS: [u32; 5] = [0, 1, 2, 7, 8];

/// Answers the first request with `begin` and a reset, every later one well.
fn resets(begin: impl Fn(u32) -> Vec<u8> + 'static, code: u32) -> Server {
    let mut first = true;
    Server::answering(move |stream| {
        if !std::mem::replace(&mut first, false) {
            return ok(stream, b"good");
        }
        let mut out = begin(stream);
        out.extend(frames::rst(stream, code));
        out
    })
}

/// The call fails, and the connection carries the next one.
fn fails(begin: impl Fn(u32) -> Vec<u8> + Clone + 'static) {
    for code in RESETS {
        let peers = Peers::one(resets(begin.clone(), code));
        let attempts = peers.attempts.clone();
        with_channel(peers, async |channel, timer| {
            let status = echo(channel, b"x").await.expect_err("a reset is never OK");
            assert_ne!(status.code(), Code::OK);
            assert_ne!(
                status.code(),
                Code::DEADLINE_EXCEEDED,
                "RST_STREAM {code} went unseen"
            );
            assert_eq!(timer.now_ms(), 0);
            assert_eq!(echo(channel, b"x").await, Ok(Blob(b"good".to_vec())));
        });
        assert_eq!(attempts.get(), 1, "the connection must live on");
    }
}

#[test]
fn rst_after_header() {
    fails(|stream| frames::headers(stream, HEAD, false));
}

#[test]
fn rst_during_data() {
    fails(|stream| {
        let message = frames::message(&[7; 100]);
        let mut out = frames::headers(stream, HEAD, false);
        out.extend(frames::data(stream, &message[..50], false));
        out
    });
}

#[test]
fn rst_after_data() {
    fails(|stream| {
        let mut out = frames::headers(stream, HEAD, false);
        out.extend(frames::data(stream, &frames::message(&[7; 100]), false));
        out
    });
}

// Spec: grpc-goaway-above, h2-6.8-lower-go-on, h2-6.8-no-new-streams
#[test]
fn goaway() {
    // GOAWAY comes with the first response, and names its stream: the second call goes to a new connection, unseen.
    let first = Server::answering(|stream| {
        let mut out = frames::goaway(stream, 0);
        out.extend(ok(stream, b"first"));
        out
    });
    let second = Server::answering(|stream| ok(stream, b"second"));
    let peers = Peers::new(vec![Some(Box::new(first)), Some(Box::new(second))]);
    let attempts = peers.attempts.clone();
    with_channel(peers, async |channel, timer| {
        assert_eq!(echo(channel, b"x").await, Ok(Blob(b"first".to_vec())));
        assert_eq!(echo(channel, b"x").await, Ok(Blob(b"second".to_vec())));
        assert_eq!(timer.now_ms(), 0, "no backoff after a connection that served");
    });
    assert_eq!(attempts.get(), 2);
}

/// A server that has had enough says why; the call that pays for it does, too.
#[test]
fn goaway_enhance_your_calm() {
    let mut first = true;
    let server = Server::new(move |frame, out| {
        if frame.kind == frames::DATA && frame.flags & frames::END_STREAM != 0 {
            if std::mem::replace(&mut first, false) {
                out.extend(frames::headers(frame.stream, HEAD, false));
                out.extend(frames::goaway(frame.stream, 11));
                return false;
            }
            out.extend(ok(frame.stream, b"calm"));
        }
        true
    });
    with_channel(Peers::one(server), async |channel, _| {
        let status = echo(channel, b"x").await.expect_err("the connection is over");
        assert_eq!(status.code(), Code::UNAVAILABLE);
        assert!(status.message().contains("ENHANCE_YOUR_CALM"), "{status}");
    });
}

// Spec: h2-6.7-answer
#[test]
fn ping() {
    // A PING before, between and after the parts of the response: each comes back with its octets.
    let sent: Vec<[u8; 8]> = (0..4u8).map(|n| [n, 1, 2, 3, 4, 5, 6, 7]).collect();
    let answered: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
    let (pings, seen) = (sent.clone(), answered.clone());
    let server = Server::new(move |frame: &Frame, out: &mut Vec<u8>| {
        if frame.kind == frames::PING && frame.flags & frames::ACK != 0 {
            seen.borrow_mut().push(frame.payload.clone());
        }
        if frame.kind == frames::DATA && frame.flags & frames::END_STREAM != 0 {
            let message = frames::message(b"pong");
            let mut parts = [
                frames::headers(frame.stream, HEAD, false),
                frames::data(frame.stream, &message[..3], false),
                frames::data(frame.stream, &message[3..], false),
                frames::headers(frame.stream, &[("grpc-status", "0")], true),
            ]
            .into_iter();
            for payload in &pings {
                out.extend(frames::frame(frames::PING, 0, 0, payload));
                out.extend(parts.next().unwrap_or_default());
            }
        }
        true
    });
    with_channel(Peers::one(server), async |channel, timer| {
        assert_eq!(echo(channel, b"x").await, Ok(Blob(b"pong".to_vec())));
        timer.pass(1);
        assert!(
            echo(channel, b"x").await.is_ok(),
            "time for the last answer to leave"
        );
    });
    let answered = answered.borrow();
    assert_eq!(
        answered[..4],
        sent.iter().map(|ping| ping.to_vec()).collect::<Vec<_>>()
    );
}

// Spec: h2-5.1.2-obeys-limit
#[test]
fn max_streams() {
    // Two slots and eight in the queue: ten calls at once, one stream at a time.
    let open = Rc::new(RefCell::new((0u32, 0u32)));
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
        // SETTINGS first, as the official case has it.
        echo(channel, b"first").await.unwrap();
        let mut calls: Vec<_> = (0..10).map(|_| Box::pin(echo(channel, b"y"))).collect();
        std::future::poll_fn(|cx| {
            calls.retain_mut(|call| call.as_mut().poll(cx).map(|result| result.unwrap()).is_pending());
            if calls.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    });
    assert_eq!(*open.borrow(), (0, 1));
}

/// 5 octets of data and 255 of padding in each frame, on a connection whose window the padding alone uses up many times.
// Spec: h2-6.9.1-padding-counts, h2-6.1-padded-received
#[test]
fn data_frame_padding() {
    let granted = Rc::new(RefCell::new((65_535i64, 0i64)));
    let windows = granted.clone();
    let server = Server::new(move |frame, out| {
        let mut windows = windows.borrow_mut();
        if frame.kind == frames::WINDOW_UPDATE && frame.stream == 0 {
            windows.0 += i64::from(u32::from_be_bytes(frame.payload[..4].try_into().unwrap()));
        }
        if frame.kind == frames::DATA && frame.flags & frames::END_STREAM != 0 {
            let message = frames::message(&[7]);
            let mut padded = vec![255];
            padded.extend(&message);
            padded.extend([0; 255]);
            windows.1 += padded.len() as i64;
            assert!(windows.1 <= windows.0, "the client gives no credit for padding");
            out.extend(frames::headers(frame.stream, HEAD, false));
            out.extend(frames::frame(frames::DATA, frames::PADDED, frame.stream, &padded));
            out.extend(frames::headers(frame.stream, &[("grpc-status", "0")], true));
        }
        true
    });
    with_channel(Peers::one(server), async |channel, _| {
        for _ in 0..2_000 {
            assert_eq!(echo(channel, b"x").await, Ok(Blob(vec![7])));
        }
    });
    assert!(granted.borrow().1 > 500_000);
}
