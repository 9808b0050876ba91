//! Servers that break, lie or stall: each call ends with a named error within its deadline, and the channel
//! works again with the next server.

use std::cell::RefCell;
use std::rc::Rc;

use crate::support::frames::{self, FrameReader};
use crate::support::server::{HEAD, Server, ok};
use crate::support::{Blob, ECHO, Peer, Peers, VirtualTimer, run};
use rpc_nostd::client::Unary;
use rpc_nostd::{Channel, Code, Config, Resources, Status};

/// Calls `bad` once, then a good server. Returns how the first call ended, and at what virtual time.
fn call_bad(bad: impl Peer + 'static) -> (Result<Blob, Status>, u64) {
    call_bad_on(bad, usize::MAX)
}

/// The same on a link that takes `stuck_after` octets and then no more.
fn call_bad_on(bad: impl Peer + 'static, stuck_after: usize) -> (Result<Blob, Status>, u64) {
    let good = Server::answering(|stream| ok(stream, b"good"));
    let timer = VirtualTimer::default();
    let mut memory: Resources<2, 300, 512, 256> = Resources::new();
    // A good server for every attempt after the first.
    let mut list: Vec<Option<Box<dyn Peer>>> = vec![Some(Box::new(bad)), Some(Box::new(good))];
    list.push(Some(Box::new(Server::answering(|stream| ok(stream, b"good")))));
    let mut peers = Peers::new(list);
    peers.stuck_after = stuck_after;
    let (mut channel, runner) =
        Channel::new(&mut memory, peers, &timer, Config::new("test.local:1")).unwrap();
    let mut outcome = None;
    let test = async {
        let request = Blob(vec![1; 20]);
        let result = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).await;
        assert!(timer.now_ms() <= 20_000, "the call outlived its deadline");
        outcome = Some((result, timer.now_ms()));
        // Whatever is left of the first connection may take one more call with it.
        let mut last = None;
        for _ in 0..3 {
            let again = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request).wait_for_ready();
            last = Some(again.await);
            if last == Some(Ok(Blob(b"good".to_vec()))) {
                return;
            }
        }
        panic!("the channel did not recover: {last:?}");
    };
    run(&timer, test, vec![Box::pin(runner.run())]);
    outcome.unwrap()
}

fn code(result: &Result<Blob, Status>) -> Code {
    result.as_ref().expect_err("the call must fail").code()
}

/// Sends these octets at once, whatever the client says.
fn blurt(octets: Vec<u8>) -> impl Peer {
    let mut sent = false;
    move |_: &[u8], out: &mut Vec<u8>| {
        if !std::mem::replace(&mut sent, true) {
            out.extend(&octets);
        }
        true
    }
}

/// Answers the first request with these octets, and every later one on the same connection well.
fn answer_once(answer: impl FnOnce(u32) -> Vec<u8> + 'static) -> Server {
    let mut answer = Some(answer);
    Server::answering(move |stream| match answer.take() {
        Some(answer) => answer(stream),
        None => ok(stream, b"good"),
    })
}

#[test]
fn a_server_that_is_not_http2_gives_unavailable() {
    for text in [
        &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        &[0x15, 3, 1, 0, 2, 2, 70],
        &[0; 64],
        &[0xff; 64],
    ] {
        let (result, _) = call_bad(blurt(text.to_vec()));
        assert_eq!(code(&result), Code::UNAVAILABLE, "{text:?}");
    }
}

#[test]
fn a_server_that_sends_nothing_gives_an_error_in_time() {
    let (result, at) = call_bad(|_: &[u8], _: &mut Vec<u8>| true);
    assert!([Code::UNAVAILABLE, Code::DEADLINE_EXCEEDED].contains(&code(&result)));
    assert!(at <= 20_000);
}

// Spec: grpc-lost-client
#[test]
fn a_server_that_closes_at_any_octet_gives_unavailable() {
    let mut whole = frames::settings(&[(3, 100)]);
    whole.extend(frames::settings_ack());
    let first_answer = whole.len();
    whole.extend(ok(1, b"half"));
    for cut in 0..whole.len() {
        let octets = whole[..cut].to_vec();
        let mut sent = 0;
        // SETTINGS at once; the answer when the request is there.
        let bad = move |input: &[u8], out: &mut Vec<u8>| {
            let asked = input.len() > 24;
            let until = if asked {
                octets.len()
            } else {
                octets.len().min(first_answer)
            };
            out.extend(&octets[sent.min(until)..until]);
            sent = sent.max(until);
            sent < octets.len()
        };
        let (result, _) = call_bad(bad);
        if cut <= first_answer && result.is_ok() {
            // Ready, then closed before the request went out: it went to the next server.
            assert_eq!(result, Ok(Blob(b"good".to_vec())));
            continue;
        }
        assert_eq!(code(&result), Code::UNAVAILABLE, "closed after {cut} octets");
    }
}

// Spec: h2-5.1-idle-server-id
#[test]
fn an_answer_on_a_stream_nobody_opened_ends_the_connection() {
    for stream in [2, 3, 99] {
        let (result, _) = call_bad(answer_once(move |_| ok(stream, b"lost")));
        assert_eq!(code(&result), Code::UNAVAILABLE, "stream {stream}");
    }
}

#[test]
fn oversized_frames_give_a_named_error() {
    for kind in [frames::DATA, frames::HEADERS, frames::SETTINGS, frames::GOAWAY] {
        let (result, _) = call_bad(answer_once(move |stream| {
            let stream = if kind >= frames::SETTINGS { 0 } else { stream };
            let mut out = frames::headers(1, HEAD, false);
            out.extend(frames::frame(kind, 0, stream, &vec![0; 16_385]));
            out
        }));
        assert!(
            [Code::UNAVAILABLE, Code::INTERNAL].contains(&code(&result)),
            "{kind}: {result:?}"
        );
    }
}

#[test]
fn data_beyond_the_window_is_refused() {
    let (result, _) = call_bad(answer_once(|stream| {
        let mut out = frames::headers(stream, HEAD, false);
        out.extend(frames::data(stream, &[0; 4_000], false));
        out
    }));
    assert!(
        [Code::UNAVAILABLE, Code::INTERNAL, Code::UNIMPLEMENTED].contains(&code(&result)),
        "{result:?}"
    );
}

#[test]
fn a_header_bomb_fails_the_call_or_the_connection_and_nothing_else() {
    // One table entry of 150 octets, named thousands of times.
    let (result, _) = call_bad(answer_once(|stream| {
        let mut block = frames::block(HEAD);
        block.extend([0x40, 1, b'a', 0x7f, 23]);
        block.extend([b'x'; 150]);
        block.extend([0xbe; 8_000]);
        frames::frame(frames::HEADERS, frames::END_HEADERS, stream, &block)
    }));
    assert!(
        [Code::UNAVAILABLE, Code::INTERNAL, Code::UNKNOWN].contains(&code(&result)),
        "{result:?}"
    );
}

#[test]
fn endless_continuation_ends_the_connection() {
    let (result, _) = call_bad(answer_once(|stream| {
        let mut out = frames::frame(frames::HEADERS, 0, stream, &frames::block(HEAD));
        for _ in 0..10_000 {
            out.extend(frames::frame(frames::CONTINUATION, 0, stream, &[]));
        }
        out
    }));
    assert_eq!(code(&result), Code::UNAVAILABLE);
}

// Spec: grpc-response-parse
#[test]
fn garbage_protobuf_is_internal_on_this_call_alone() {
    let (result, at) = call_bad(answer_once(|stream| {
        let mut out = frames::headers(stream, HEAD, false);
        out.extend(frames::data(
            stream,
            &[0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff],
            false,
        ));
        out.extend(frames::headers(stream, &[("grpc-status", "0")], true));
        out
    }));
    assert_eq!((code(&result), at), (Code::INTERNAL, 0));
}

// Spec: grpc-response-too-large
#[test]
fn a_response_over_the_limit_is_resource_exhausted_and_names_it() {
    let (result, _) = call_bad(answer_once(|stream| first_window(stream, &[7; 600])));
    let status = result.unwrap_err();
    assert_eq!(status.code(), Code::RESOURCE_EXHAUSTED);
    assert!(status.message().contains("raise RECV of Resources"), "{status}");
}

/// As much of a response as the stream's window of 300 octets takes.
fn first_window(stream: u32, body: &[u8]) -> Vec<u8> {
    let mut out = frames::headers(stream, HEAD, false);
    out.extend(frames::data(stream, &frames::message(body)[..300], false));
    out
}

// Spec: grpc-response-too-large
#[test]
fn the_largest_response_that_fits_is_taken() {
    // RECV 300: prefix 5, tag 1, length 2.
    let (result, _) = call_bad(answer_once(|stream| ok(stream, &[7; 292])));
    assert_eq!(result, Ok(Blob(vec![7; 292])));
    let (result, _) = call_bad(answer_once(|stream| first_window(stream, &[7; 293])));
    assert_eq!(code(&result), Code::RESOURCE_EXHAUSTED);
}

// Spec: h2-8.1.1-client-refuses
#[test]
fn malformed_responses_are_internal_on_this_call_alone_rfc_9113_8_1_1() {
    let cases: &[&[(&str, &str)]] = &[
        &[("content-type", "application/grpc")],
        &[(":status", "200"), ("Content-Type", "application/grpc")],
        &[(":status", "200"), ("connection", "close")],
        &[(":status", "200"), (":status", "200")],
        &[("x", "y"), (":status", "200")],
        &[(":status", "200"), ("x", "a\nb")],
    ];
    for fields in cases {
        let (result, at) = call_bad(answer_once(move |stream| frames::headers(stream, fields, false)));
        assert_eq!((code(&result), at), (Code::INTERNAL, 0), "{fields:?}");
    }
}

// Spec: h2-6.6-push-refused
#[test]
fn a_push_promise_ends_the_connection_rfc_9113_8_4() {
    let (result, _) = call_bad(answer_once(|stream| {
        let payload = [&2u32.to_be_bytes()[..], &frames::block(&[(":path", "/x")])].concat();
        frames::frame(frames::PUSH_PROMISE, frames::END_HEADERS, stream, &payload)
    }));
    assert_eq!(code(&result), Code::UNAVAILABLE);
}

// Spec: grpc-odd-status, grpc-odd-content-type, grpc-http-404, grpc-http-429-502-503-504, grpc-http-other
#[test]
fn an_http_error_page_becomes_its_grpc_code() {
    for (http, expected) in [
        ("503", Code::UNAVAILABLE),
        ("404", Code::UNIMPLEMENTED),
        ("200", Code::UNKNOWN),
    ] {
        let (result, _) = call_bad(answer_once(move |stream| {
            let mut out = frames::headers(stream, &[(":status", http), ("content-type", "text/html")], false);
            out.extend(frames::data(stream, b"<html>no</html>", true));
            out
        }));
        assert_eq!(code(&result), expected, "{http}");
    }
}

// Spec: grpc-status-wins, grpc-odd-status, grpc-odd-content-type
#[test]
fn a_status_in_the_trailers_of_an_http_error_page_without_content_is_the_calls_status() {
    for head in [
        &[(":status", "503"), ("content-type", "text/html")][..],
        &[(":status", "200")],
    ] {
        let (result, _) = call_bad(answer_once(move |stream| {
            let mut out = frames::headers(stream, head, false);
            out.extend(frames::headers(stream, &[("grpc-status", "9")], true));
            out
        }));
        assert_eq!(code(&result), Code::FAILED_PRECONDITION, "{head:?}");
    }
}

// Spec: h2-6.9.1-overflow-stream, grpc-odd-content-type
#[test]
fn a_response_that_is_not_grpc_is_no_reason_to_reset_its_stream_before_content_or_an_error() {
    let resets = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&resets);
    let mut reader = FrameReader::default();
    let (result, _) = call_bad(move |octets: &[u8], out: &mut Vec<u8>| {
        for frame in reader.push(octets) {
            match (frame.kind, frame.flags) {
                (frames::SETTINGS, 0) => out.extend([frames::settings(&[]), frames::settings_ack()].concat()),
                (frames::DATA, frames::END_STREAM) => {
                    out.extend(frames::headers(frame.stream, &[(":status", "200")], false));
                    out.extend(frames::frame(frames::PING, 0, 0, &[0; 8]));
                }
                // The client has had its say about the response.
                (frames::PING, frames::ACK) => {
                    let increment = 0x7fff_ffffu32.to_be_bytes();
                    out.extend(frames::frame(frames::WINDOW_UPDATE, 0, 1, &increment).repeat(2));
                }
                (frames::RST_STREAM, _) => log.borrow_mut().push(frame.payload),
                _ => {}
            }
        }
        log.borrow().is_empty()
    });
    assert_eq!(code(&result), Code::INTERNAL);
    assert_eq!(*resets.borrow(), [FLOW_CONTROL_ERROR]);
}

#[test]
fn a_link_that_takes_no_more_octets_ends_the_call_in_time_and_the_connection_too() {
    for stuck_after in 0..200 {
        let (result, at) = call_bad_on(Server::answering(|stream| ok(stream, b"good")), stuck_after);
        if result.is_err() {
            let expected = [Code::UNAVAILABLE, Code::DEADLINE_EXCEEDED];
            assert!(
                expected.contains(&code(&result)) && at <= 20_000,
                "stuck after {stuck_after}: {result:?}"
            );
        }
    }
}

#[test]
fn a_status_before_the_message_never_counts_not_even_its_text() {
    let (result, _) = call_bad(answer_once(|stream| {
        let early = [
            HEAD,
            &[
                ("grpc-status", "0"),
                ("grpc-message", "early"),
                ("x-a", "b"),
                ("grpc-status-details-bin", "CAE"),
            ],
        ]
        .concat();
        let mut out = frames::headers(stream, &early, false);
        out.extend(frames::data(stream, &frames::message(b"x"), false));
        let late = [("grpc-status", "9"), ("grpc-message", "late")];
        out.extend(frames::headers(stream, &late, true));
        out
    }));
    let status = result.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::FAILED_PRECONDITION, "late")
    );
}

const FLOW_CONTROL_ERROR: [u8; 4] = [0, 0, 0, 3];
