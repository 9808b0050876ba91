//! The server role, as far as it exists: requests in, responses out.

use h2_lite::{ErrorCode, Section, UseError};

use crate::support::frames::*;
use crate::support::{Ev, Session, Setup, key, section};

const REQUEST: [(&str, &str); 4] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/s/m"),
    (":authority", "a"),
];

/// A server that has seen a client's preface, its SETTINGS, and its acknowledgement.
fn server(script: impl Fn(&mut Session<'_, '_>)) {
    Setup::server().script(|s| {
        let ours = settings(&[(1, 4_096), (3, 4), (4, 4_096), (6, 8_192)]);
        s.expect_frames(&[ours]);
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        s.feed(&settings_ack());
        s.expect(&[Ev::Settings]);
        s.expect_frames(&[settings_ack()]);
        script(s);
    });
}

#[test]
fn wrong_preface_is_protocol_error_3_4() {
    for text in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r",
    ] {
        Setup::server().script(|s| {
            s.output();
            s.feed(text);
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
}

#[test]
fn request_and_response_free_the_slot_8_1() {
    server(|s| {
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS | END_STREAM));
        s.expect(&section(1, &REQUEST, Section::Headers, true));
        let stream = key(0, 1);
        s.respond(stream, &[(":status", "200")], false).unwrap();
        s.send_data(stream, b"body", false).unwrap();
        s.trailers(stream, &[("grpc-status", "0")]).unwrap();
        assert!(s.conn.is_free(0));
        let sent = split(&s.output());
        assert_eq!(sent[0], headers(1, STATUS_200, END_HEADERS));
        assert_eq!(sent[1], data(1, b"body", 0));
        assert_eq!(sent[2][3..9], [1, END_HEADERS | END_STREAM, 0, 0, 0, 1]);
        assert_eq!(s.conn.can_open(), Err(UseError::WrongState));
    });
}

#[test]
fn request_without_a_slot_is_refused_and_its_block_decoded_5_1_2() {
    server(|s| {
        for id in [1, 3, 5, 7] {
            s.feed(&headers(id, &block(&REQUEST), END_HEADERS));
        }
        s.events();
        let insert = [&block(&REQUEST)[..], &[0x40, 1], b"x", &[1], b"y"].concat();
        s.feed(&headers(9, &insert, END_HEADERS | END_STREAM));
        s.expect(&[]);
        s.expect_frames(&[rst_stream(9, 7)]);
        s.feed(&rst_stream(1, 8));
        s.events();
        s.feed(&headers(
            11,
            &[&block(&REQUEST)[..], &[0xbe]].concat(),
            END_HEADERS | END_STREAM,
        ));
        let mut expected = REQUEST.to_vec();
        expected.push(("x", "y"));
        s.expect(&section(11, &expected, Section::Headers, true));
    });
}

#[test]
fn client_may_use_the_default_window_before_it_acknowledges_6_9_3() {
    Setup::server().script_octets(|s| {
        s.output();
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        s.events();
        s.feed(&data(1, &[0; 10_000], 0));
        assert_eq!(s.events().len(), 1);
        // The acknowledgement shifts the window to 4,096 - 10,000: nothing more may come.
        s.feed(&settings_ack());
        s.feed(&data(1, &[0; 1], 0));
        s.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR);
    });
}

#[test]
fn push_promise_from_a_client_is_protocol_error_8_4() {
    server(|s| {
        s.feed(&push_promise(1, 2, STATUS_200));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

#[test]
fn even_and_decreasing_streams_are_not_opened_5_1_1() {
    server(|s| {
        s.feed(&headers(2, &block(&REQUEST), END_HEADERS));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

#[test]
fn go_away_names_the_highest_stream_processed_5_4_1() {
    server(|s| {
        s.feed(&headers(5, &block(&REQUEST), END_HEADERS | END_STREAM));
        s.feed(&data(0, b"", 0));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 5);
    });
}
