//! Stream states and identifiers: RFC 9113 sections 5.1 and 5.4.2.

use h2_lite::{ErrorCode, Origin, Section, UseError};

use crate::support::frames::*;
use crate::support::{Ev, client, key, ok, section};

// Spec: h2-5.1.1-client-ids
#[test]
fn client_streams_are_odd_and_increase_5_1_1() {
    client(|s| {
        for (slot, id) in [(2, 1), (0, 3), (1, 5)] {
            assert_eq!(s.request(slot, true), key(slot, id));
        }
        assert_eq!(s.try_request(2, true), Err(UseError::SlotBusy));
        assert_eq!(s.try_request(200, true), Err(UseError::SlotBusy));
    });
}

#[test]
fn unary_exchange_ends_with_a_free_slot_5_1() {
    client(|s| {
        let stream = s.request(0, false);
        s.send_data(stream, b"hello", true).unwrap();
        s.expect_frames(&[data(1, b"hello", END_STREAM)]);
        assert!(!s.conn.is_free(0));
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, b"world", 0));
        s.feed(&headers(
            1,
            &block(&[("grpc-status", "0")]),
            END_HEADERS | END_STREAM,
        ));
        let mut expected = ok(1, false);
        expected.push(Ev::Data(1, b"world".to_vec(), false));
        expected.extend(section(1, &[("grpc-status", "0")], Section::Trailers, true));
        s.expect(&expected);
        assert!(s.conn.is_free(0));
        s.expect_frames(&[]);
        assert_eq!(s.conn.data_room(stream), Err(UseError::WrongState));
    });
}

// Spec: h2-5.1-idle, h2-6.4-idle, h2-5.1-idle-server-id
#[test]
fn frames_on_an_idle_stream_are_protocol_errors_5_1() {
    for id in [1, 3, 2, 0x7fff_ffff] {
        for octets in [
            data(id, b"x", 0),
            headers(id, STATUS_200, END_HEADERS),
            rst_stream(id, 8),
            window_update(id, 1),
        ] {
            client(|s| {
                s.feed(&octets);
                s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
            });
        }
    }
}

// Spec: h2-5.1-idle-server-id
#[test]
fn headers_on_a_server_stream_are_a_protocol_error_for_a_client_5_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(2, STATUS_200, END_HEADERS));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

// Spec: h2-6.6-push-refused
#[test]
fn push_promise_is_a_protocol_error_6_5_2_and_8_4() {
    client(|s| {
        s.request(0, true);
        s.feed(&push_promise(1, 2, STATUS_200));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

// Spec: h2-5.1-half-closed, h2-6.1-state
#[test]
fn data_and_headers_after_end_stream_are_stream_closed_5_1() {
    for octets in [
        data(1, b"x", 0),
        data(1, b"", END_STREAM),
        headers(1, STATUS_200, END_HEADERS | END_STREAM),
    ] {
        client(|s| {
            s.request(0, false);
            s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
            s.events();
            s.feed(&octets);
            s.expect_stream_error(1, ErrorCode::STREAM_CLOSED);
            assert!(s.conn.is_free(0));
        });
    }
}

// Spec: h2-5.1-half-closed-allowed, h2-6.9-closed
#[test]
fn half_closed_remote_takes_window_update_priority_and_rst_stream_5_1() {
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.feed(&window_update(1, 5));
        s.feed(&priority(1, 0));
        s.expect(&[ok(1, true), vec![Ev::Window(1)]].concat());
        assert!(s.conn.data_room(stream).unwrap() > 0);
        s.feed(&rst_stream(1, 8));
        s.expect(&[Ev::Reset(1, ErrorCode::CANCEL, Origin::Peer)]);
        s.expect_frames(&[]);
    });
}

// Spec: h2-5.1-closed-silence, h2-5.1-closed-arrivals, h2-6.9-closed
#[test]
fn frames_on_closed_streams_are_dropped_5_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
        s.feed(&data(1, b"late", 0));
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.feed(&window_update(1, 0x7fff_ffff));
        s.feed(&window_update(1, 0x7fff_ffff));
        s.feed(&window_update(1, 0));
        s.feed(&rst_stream(1, 1));
        s.feed(&priority(1, 1));
        s.expect(&[]);
        s.expect_frames(&[]);
        s.request(0, true);
        s.feed(&headers(3, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(3, true));
    });
}

// Spec: h2-5.4.2-in-flight, h2-5.4.2-last-frame
#[test]
fn frames_sent_before_our_reset_arrived_are_dropped_5_4_2() {
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.expect(&ok(1, false));
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        s.conn.reset_stream(stream, ErrorCode::PROTOCOL_ERROR);
        assert!(s.conn.is_free(0), "free once RST_STREAM is in the send buffer");
        s.expect_frames(&[rst_stream(1, 8)]);
        s.feed(&data(1, b"on its way", 0));
        s.feed(&headers(
            1,
            &block(&[("grpc-status", "0")]),
            END_HEADERS | END_STREAM,
        ));
        s.expect(&[]);
        s.expect_frames(&[]);
        assert_eq!(s.send_data(stream, b"x", false), Err(UseError::WrongState));
    });
}

// Spec: h2-5.4.2-no-answer, h2-6.4-silence
#[test]
fn rst_stream_is_never_answered_and_ends_sending_5_4_2_and_6_4() {
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&rst_stream(1, 7));
        s.expect(&[Ev::Reset(1, ErrorCode::REFUSED_STREAM, Origin::Peer)]);
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        s.expect_frames(&[]);
        assert_eq!(s.send_data(stream, b"x", true), Err(UseError::WrongState));
        assert!(s.conn.is_free(0));
    });
}

// Spec: h2-5.4.2-no-answer
#[test]
fn rst_stream_that_crosses_ours_frees_the_slot_without_another_5_4_2() {
    client(|s| {
        let stream = s.request(0, false);
        // The buffer is out, so our RST_STREAM must wait; the peer's comes first.
        s.conn.send_ping([9; 8]).unwrap();
        let transmit = s.conn.take_transmit(s.now).unwrap();
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        assert!(!s.conn.is_free(0));
        s.feed(&rst_stream(1, 2));
        s.expect(&[]);
        assert!(s.conn.is_free(0));
        let written = transmit.bytes().len();
        s.conn.give_back(transmit, written, s.now);
        s.expect_frames(&[]);
    });
}

// Spec: h2-7-unknown-codes
#[test]
fn unknown_error_codes_are_harmless_7() {
    client(|s| {
        s.request(0, true);
        s.feed(&rst_stream(1, 0xdead_beef));
        s.expect(&[Ev::Reset(1, ErrorCode(0xdead_beef), Origin::Peer)]);
        s.feed(&go_away(0, 0xffff_ffff, b""));
        s.expect(&[Ev::GoAway(0, ErrorCode(0xffff_ffff))]);
    });
}

// Spec: h2-8.1-no-error-reset
#[test]
fn no_error_reset_after_a_complete_response_is_no_event_8_1() {
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.feed(&rst_stream(1, 0));
        s.expect(&ok(1, true));
        assert!(s.conn.is_free(0));
        assert_eq!(s.conn.data_room(stream), Err(UseError::WrongState));
    });
    // Before its end, the same code ends the response.
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&rst_stream(1, 0));
        s.expect(
            &[
                ok(1, false),
                vec![Ev::Reset(1, ErrorCode::NO_ERROR, Origin::Peer)],
            ]
            .concat(),
        );
    });
}

#[test]
fn request_that_is_not_needed_any_more_is_reset_with_no_error_8_1() {
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
        s.conn.reset_stream(stream, ErrorCode::NO_ERROR);
        s.expect_frames(&[rst_stream(1, 0)]);
        assert!(s.conn.is_free(0));
    });
}

#[test]
fn stale_key_touches_nothing_5_1_1() {
    client(|s| {
        let old = s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.events();
        let new = s.request(0, false);
        assert_eq!((old.slot, new.slot), (0, 0));
        s.conn.reset_stream(old, ErrorCode::CANCEL);
        s.conn.release_capacity(old, 100);
        s.conn.require_capacity(old, 100);
        s.expect_frames(&[]);
        assert_eq!(s.conn.data_room(old), Err(UseError::WrongState));
        assert!(s.conn.data_room(new).is_ok());
    });
}

// Spec: h2-5.1-closed-silence
#[test]
fn nothing_is_sent_on_a_stream_after_our_end_stream_5_1() {
    client(|s| {
        let stream = s.request(0, true);
        assert_eq!(s.send_data(stream, b"x", true), Err(UseError::WrongState));
        assert_eq!(s.conn.data_room(stream), Err(UseError::WrongState));
        let stream = s.request(1, false);
        s.send_data(stream, b"", true).unwrap();
        s.expect_frames(&[data(3, b"", END_STREAM)]);
        assert_eq!(s.send_data(stream, b"", true), Err(UseError::WrongState));
    });
}

#[test]
fn late_frames_of_an_old_stream_do_not_touch_the_slot_s_new_one_5_1() {
    client(|s| {
        let old = s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.events();
        s.conn.reset_stream(old, ErrorCode::CANCEL);
        let new = s.request(0, false);
        assert_eq!((new.slot, new.id.value()), (0, 3));
        let room = s.conn.data_room(new);
        s.feed(&data(1, &[0; 4_096], 0));
        s.feed(&window_update(1, 1_000));
        s.feed(&headers(
            1,
            &block(&[("grpc-status", "0")]),
            END_HEADERS | END_STREAM,
        ));
        s.feed(&rst_stream(1, 8));
        s.expect(&[]);
        assert_eq!(s.conn.data_room(new), room);
        s.feed(&headers(3, STATUS_200, END_HEADERS));
        s.feed(&data(3, &[1; 4_096], END_STREAM));
        s.expect(&[ok(3, false), vec![Ev::Data(3, vec![1; 4_096], true)]].concat());
        s.conn.release_capacity(old, 4_096);
        s.send_data(new, b"", true).unwrap();
        assert!(s.conn.is_free(0));
    });
}

// Spec: h2-6.4-never-on-idle, h2-5.1.1-dropped-after
#[test]
fn reset_follows_headers_that_are_still_in_the_buffer_5_1() {
    // Never RST_STREAM on an idle stream: HEADERS are committed, so HPACK has moved on, and both go out in order.
    client(|s| {
        let stream = s.try_request(0, false).unwrap();
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        let sent = split(&s.output());
        assert_eq!(sent.len(), 2);
        assert_eq!((sent[0][3], &sent[1]), (1, &rst_stream(1, 8)));
        assert!(s.conn.is_free(0));
    });
}
