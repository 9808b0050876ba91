//! How a server says goodbye: RFC 9113 section 6.8.

use h2_lite::{ErrorCode, Section};

use crate::support::frames::*;
use crate::support::{Ev, REQUEST, Session, client, key, section, server};

const GOODBYE: [u8; 8] = *b"goodbye!";

fn request(id: u32) -> Vec<u8> {
    headers(id, &block(&REQUEST), END_HEADERS | END_STREAM)
}

fn answer(s: &mut Session<'_, '_>, slot: u8, id: u32) {
    s.respond(key(slot, id), &[(":status", "200")], true).unwrap();
}

// Spec: h2-6.8-graceful, h2-6.8-accounting, h2-6.8-last-stream-covers
#[test]
fn graceful_shutdown_takes_what_was_on_its_way_6_8() {
    server(|s| {
        s.feed(&request(1));
        s.events();
        s.conn.shut_down(s.now);
        s.conn.shut_down(s.now);
        s.expect_frames(&[go_away(0x7fff_ffff, 0, b""), ping(GOODBYE)]);
        // Sent before the client read our GOAWAY.
        s.feed(&request(3));
        s.expect(&section(3, &REQUEST, Section::Headers, true));
        answer(s, 0, 1);
        s.output();
        s.feed(&ping_ack(GOODBYE));
        s.expect(&[]);
        s.expect_frames(&[go_away(3, 0, b"")]);
        // Sent in spite of it: ignored, but HPACK and windows stay in step.
        let insert = [&block(&REQUEST)[..], &[0x40, 1], b"x", &[1], b"y"].concat();
        s.feed(&headers(5, &insert, END_HEADERS));
        s.feed(&data(5, b"x", 0));
        s.feed(&headers(5, &[0xbe], END_HEADERS | END_STREAM));
        s.feed(&window_update(5, 1));
        s.feed(&rst_stream(5, 8));
        s.expect(&[]);
        s.expect_frames(&[]);
        assert!(!s.conn.is_closed());
        answer(s, 1, 3);
        assert!(!s.conn.is_closed(), "the response is still to be written");
        s.output();
        assert!(s.conn.is_closed());
        assert_eq!(s.conn.error(), None);
        // The last stream is not above itself: on it the usual rule holds.
        s.feed(&data(3, b"x", 0));
        s.expect_failure(ErrorCode::STREAM_CLOSED, 3);
    });
}

// Spec: h2-6.8-graceful
#[test]
fn shutdown_does_not_wait_for_ever_for_its_ping_6_8() {
    server(|s| {
        s.conn.shut_down(s.now);
        s.output();
        s.feed(&ping_ack([7; 8]));
        s.advance(9_999);
        s.expect_frames(&[]);
        assert!(!s.conn.is_closed());
        s.advance(1);
        s.expect_frames(&[go_away(0, 0, b"")]);
        assert!(s.conn.is_closed());
        s.expect(&[]);
        assert_eq!(s.conn.poll_timeout(), None);
    });
}

#[test]
fn shutdown_and_the_application_s_ping_do_not_mix_6_8() {
    server(|s| {
        s.conn.send_ping([1; 8]).unwrap();
        s.conn.shut_down(s.now);
        let sent = split(&s.output());
        assert!(sent.contains(&ping([1; 8])) && sent.contains(&ping(GOODBYE)));
        s.feed(&ping_ack([1; 8]));
        s.expect(&[Ev::PingAck([1; 8])]);
        s.expect_frames(&[]);
        s.feed(&ping_ack(GOODBYE));
        s.expect(&[]);
        s.expect_frames(&[go_away(0, 0, b"")]);
    });
    // Nobody asked: not ours.
    server(|s| {
        s.feed(&ping_ack(GOODBYE));
        s.expect(&[]);
        s.expect_frames(&[]);
    });
}

// Spec: h2-6.8-graceful
#[test]
fn ping_of_the_shutdown_follows_its_go_away_6_8() {
    server(|s| {
        s.conn.send_ping([1; 8]).unwrap();
        let transmit = s.conn.take_transmit(s.now).unwrap();
        s.conn.shut_down(s.now);
        let written = transmit.bytes().len();
        s.conn.give_back(transmit, written, s.now);
        s.expect_frames(&[go_away(0x7fff_ffff, 0, b""), ping(GOODBYE)]);
    });
}

#[test]
fn go_away_at_once_ends_a_graceful_shutdown_6_8() {
    server(|s| {
        s.feed(&request(1));
        s.events();
        s.conn.shut_down(s.now);
        s.output();
        s.conn.go_away(ErrorCode::ENHANCE_YOUR_CALM, s.now);
        s.expect_frames(&[go_away(1, 11, b"")]);
        s.feed(&ping_ack(GOODBYE));
        s.feed(&request(3));
        s.expect(&[]);
        s.expect_frames(&[]);
        answer(s, 0, 1);
        s.output();
        assert!(s.conn.is_closed());
    });
}

// Spec: h2-6.8-never-raised
#[test]
fn last_stream_of_our_go_away_is_never_raised_6_8() {
    server(|s| {
        s.feed(&request(1));
        s.events();
        s.conn.go_away(ErrorCode::NO_ERROR, s.now);
        s.expect_frames(&[go_away(1, 0, b"")]);
        s.feed(&request(3));
        s.feed(&data(0, b"", 0));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 1);
    });
}

// Spec: h2-5.4.1-last-stream, h2-6.8-last-stream-covers
#[test]
fn error_during_a_graceful_shutdown_names_the_last_stream_5_4_1() {
    server(|s| {
        s.conn.shut_down(s.now);
        s.feed(&request(7));
        s.feed(&data(0, b"", 0));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 7);
    });
}

// Spec: h2-5.4.1-last-stream
#[test]
fn go_away_names_the_highest_stream_processed_5_4_1() {
    server(|s| {
        s.feed(&request(5));
        s.feed(&data(0, b"", 0));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 5);
    });
}

#[test]
fn client_s_go_away_leaves_its_requests_alone_6_8() {
    server(|s| {
        s.feed(&request(1));
        s.feed(&go_away(0, 0, b""));
        s.expect(
            &[
                section(1, &REQUEST, Section::Headers, true),
                vec![Ev::GoAway(0, ErrorCode::NO_ERROR)],
            ]
            .concat(),
        );
        answer(s, 0, 1);
        s.expect_frames(&[headers(1, STATUS_200, END_HEADERS | END_STREAM)]);
    });
}

#[test]
fn client_needs_one_go_away_only_6_8() {
    client(|s| {
        s.conn.shut_down(s.now);
        s.expect_frames(&[go_away(0, 0, b"")]);
        assert!(s.conn.is_closed());
    });
}

#[test]
fn reset_connection_knows_nothing_of_its_shutdown_3_4() {
    server(|s| {
        s.feed(&request(1));
        s.events();
        s.conn.reset_stream(key(0, 1), ErrorCode::CANCEL);
        s.conn.shut_down(s.now);
        s.feed(&ping_ack(GOODBYE));
        s.output();
        s.conn.reset(s.now);
        s.accept();
        s.feed(&request(3));
        s.expect(&section(3, &REQUEST, Section::Headers, true));
        // Stream 1 of this connection was never reset: it was passed over.
        s.feed(&data(1, b"x", 0));
        s.expect_failure(ErrorCode::STREAM_CLOSED, 3);
    });
}
