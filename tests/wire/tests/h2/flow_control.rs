//! Flow control both ways: RFC 9113 sections 5.2, 6.1 and 6.9.

use h2_lite::{ErrorCode, Origin, UseError};

use crate::support::frames::*;
use crate::support::{Ev, Setup, client, ok};

/// A client whose stream windows are 100 octets.
fn small() -> Setup {
    Setup::client().config(|c| c.initial_window_size = 100)
}

// Spec: h2-6.9.1-both-windows
#[test]
fn data_is_sent_only_within_the_stream_window_6_9_1() {
    Setup::client().script(|s| {
        s.handshake_with(&[(4, 10)]);
        let stream = s.request(0, false);
        assert_eq!(s.conn.data_room(stream), Ok(10));
        assert_eq!(s.send_data(stream, &[0; 11], false), Err(UseError::NoRoom));
        s.send_data(stream, &[0; 10], false).unwrap();
        assert_eq!(s.conn.data_room(stream), Ok(0));
        s.feed(&window_update(1, 3));
        s.expect(&[Ev::Window(1)]);
        assert_eq!(s.conn.data_room(stream), Ok(3));
    });
}

// Spec: h2-6.9.1-both-windows
#[test]
fn data_is_sent_only_within_the_connection_window_6_9_1() {
    Setup {
        send: 70_000,
        ..Setup::client()
    }
    .script(|s| {
        s.handshake_with(&[(4, 100_000), (5, 1_000_000)]);
        let stream = s.request(0, false);
        assert_eq!(s.conn.data_room(stream), Ok(65_535));
        s.send_data(stream, &[0; 65_535], false).unwrap();
        s.output();
        assert_eq!(s.conn.data_room(stream), Ok(0));
        s.feed(&window_update(1, 50));
        assert_eq!(s.conn.data_room(stream), Ok(0));
        s.feed(&window_update(0, 20));
        s.expect(&[Ev::Window(1), Ev::Window(0)]);
        assert_eq!(s.conn.data_room(stream), Ok(20));
    });
}

// Spec: h2-4.2-sends-within
#[test]
fn data_stays_below_the_peers_max_frame_size_4_2() {
    Setup {
        send: 40_000,
        ..Setup::client()
    }
    .script(|s| {
        s.handshake();
        let stream = s.request(0, false);
        assert_eq!(s.conn.data_room(stream), Ok(16_384));
        s.feed(&settings(&[(5, 20_000)]));
        s.events();
        s.output();
        assert_eq!(s.conn.data_room(stream), Ok(20_000));
    });
}

// Spec: h2-6.9.1-empty-end
#[test]
fn empty_end_stream_needs_no_window_6_9_1() {
    Setup::client().script(|s| {
        s.handshake_with(&[(4, 0)]);
        let stream = s.request(0, false);
        assert_eq!(s.conn.data_room(stream), Ok(0));
        assert_eq!(s.send_data(stream, b"x", true), Err(UseError::NoRoom));
        s.send_data(stream, b"", true).unwrap();
        s.expect_frames(&[data(1, b"", END_STREAM)]);
    });
}

// Spec: h2-6.9.2-shift, h2-6.9.2-negative
#[test]
fn smaller_initial_window_makes_the_window_negative_6_9_2() {
    Setup::client().script(|s| {
        s.handshake_with(&[(4, 100)]);
        let stream = s.request(0, false);
        s.send_data(stream, &[0; 60], false).unwrap();
        s.output();
        s.feed(&settings(&[(4, 10)]));
        s.expect(&[Ev::Settings]);
        assert_eq!(s.conn.data_room(stream), Ok(0), "window is -50");
        s.feed(&window_update(1, 50));
        assert_eq!(s.conn.data_room(stream), Ok(0));
        s.feed(&window_update(1, 1));
        assert_eq!(s.conn.data_room(stream), Ok(1));
        s.feed(&settings(&[(4, 20)]));
        s.expect(&[Ev::Window(1), Ev::Window(1), Ev::Settings]);
        assert_eq!(s.conn.data_room(stream), Ok(11));
    });
}

// Spec: h2-6.9.2-not-connection
#[test]
fn initial_window_size_does_not_move_the_connection_window_6_9_2() {
    Setup {
        send: 70_000,
        ..Setup::client()
    }
    .script(|s| {
        s.handshake_with(&[(4, 0x7fff_ffff), (5, 0xff_ffff)]);
        let stream = s.request(0, false);
        assert_eq!(s.conn.data_room(stream), Ok(65_535));
    });
}

// Spec: h2-6.9.1-overflow-connection
#[test]
fn window_update_beyond_2_31_on_the_connection_is_flow_control_error_6_9_1() {
    client(|s| {
        s.feed(&window_update(0, 0x7fff_ffff - 65_535));
        s.expect(&[Ev::Window(0)]);
        s.feed(&window_update(0, 1));
        s.expect_failure(ErrorCode::FLOW_CONTROL_ERROR, 0);
    });
}

// Spec: h2-6.9.1-overflow-stream
#[test]
fn window_update_beyond_2_31_on_a_stream_is_a_stream_error_6_9_1() {
    client(|s| {
        s.request(0, false);
        s.feed(&window_update(1, 0x7fff_ffff - 65_535));
        s.expect(&[Ev::Window(1)]);
        s.feed(&window_update(1, 1));
        s.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR);
    });
}

// Spec: h2-6.9.2-overflow
#[test]
fn settings_that_overflow_a_window_are_a_connection_error_6_9_2() {
    client(|s| {
        s.request(0, false);
        s.feed(&window_update(1, 0x7fff_ffff - 65_535));
        s.events();
        s.feed(&settings(&[(4, 65_536)]));
        s.expect_failure(ErrorCode::FLOW_CONTROL_ERROR, 0);
    });
}

// Spec: h2-6.9-zero-stream, h2-6.9-zero-connection
#[test]
fn window_update_of_0_is_protocol_error_6_9() {
    client(|s| {
        s.request(0, false);
        s.feed(&window_update(1, 0));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
        s.feed(&window_update(0, 0));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

// Spec: h2-6.9.1-exceeded
#[test]
fn data_beyond_the_stream_window_is_a_stream_error_6_9_1() {
    small().script(|s| {
        s.handshake();
        s.request(0, true);
        s.request(1, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&headers(3, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[1; 100], 0));
        s.feed(&data(1, &[2; 1], 0));
        let mut expected = [ok(1, false), ok(3, false)].concat();
        expected.push(Ev::Data(1, vec![1; 100], false));
        expected.push(Ev::Reset(1, ErrorCode::FLOW_CONTROL_ERROR, Origin::Local));
        s.expect(&expected);
        s.expect_frames(&[rst_stream(1, 3)]);
        // An innocent stream lives on.
        s.feed(&data(3, &[3; 100], END_STREAM));
        s.expect(&[Ev::Data(3, vec![3; 100], true)]);
    });
}

#[test]
fn small_window_binds_a_client_s_peer_before_the_settings_ack_6_5_3() {
    small().script(|s| {
        s.output();
        s.feed(&settings(&[]));
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.events();
        s.feed(&data(1, &[1; 101], 0));
        s.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR);
    });
}

// Spec: h2-6.9.1-exceeded
#[test]
fn data_beyond_the_connection_window_is_a_connection_error_6_9_1() {
    Setup {
        slots: 1,
        ..Setup::client()
    }
    .config(|c| c.initial_window_size = 65_535)
    .script_octets(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        // Credit is owed, but not yet sent: the peer has no right to it.
        for _ in 0..3 {
            s.feed(&data(1, &[0; 16_384], 0));
        }
        s.feed(&data(1, &[0; 16_383], 0));
        s.feed(&data(1, &[0; 1], 0));
        s.expect_failure(ErrorCode::FLOW_CONTROL_ERROR, 0);
    });
}

#[test]
fn stream_credit_returns_once_half_the_window_is_consumed_5_2() {
    small().script(|s| {
        s.handshake();
        let stream = s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[0; 100], 0));
        s.events();
        s.conn.release_capacity(stream, 49);
        s.expect_frames(&[]);
        s.conn.release_capacity(stream, 1);
        s.expect_frames(&[window_update(1, 50)]);
        s.feed(&data(1, &[0; 50], 0));
        s.conn.release_capacity(stream, 1_000);
        s.expect_frames(&[window_update(1, 100)]);
        s.events();
    });
}

#[test]
fn stream_credit_returns_at_once_when_the_message_needs_it_5_2() {
    small().script(|s| {
        s.handshake();
        let stream = s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[0; 90], 0));
        s.events();
        s.conn.release_capacity(stream, 20);
        s.conn.require_capacity(stream, 10);
        s.expect_frames(&[]);
        s.conn.require_capacity(stream, 11);
        s.expect_frames(&[window_update(1, 20)]);
        // Nothing released, nothing to give: memory is bounded.
        s.conn.require_capacity(stream, 5_000);
        s.expect_frames(&[]);
    });
}

#[test]
fn stream_credit_rides_with_other_output_5_2() {
    small().script(|s| {
        s.handshake();
        let stream = s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[0; 90], 0));
        s.events();
        s.conn.release_capacity(stream, 25);
        s.expect_frames(&[]);
        s.feed(&ping([1; 8]));
        s.expect_frames(&[ping_ack([1; 8]), window_update(1, 25)]);
    });
}

#[test]
fn no_credit_for_a_stream_whose_peer_has_ended_5_1() {
    small().script(|s| {
        s.handshake();
        let stream = s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[0; 100], END_STREAM));
        s.events();
        s.conn.release_capacity(stream, 100);
        s.expect_frames(&[]);
    });
}

// Spec: h2-6.9.1-padding-counts, h2-6.1-padded-received
#[test]
fn padding_counts_and_is_credited_6_1() {
    small().script(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        // 5 + 1 + 94 = 100 octets of window, of which 95 are padding that nobody will consume.
        s.feed(&padded_data(1, b"hello", 94, 0));
        s.expect(&[ok(1, false), vec![Ev::Data(1, b"hello".to_vec(), false)]].concat());
        s.expect_frames(&[window_update(1, 95)]);
        s.feed(&padded_data(1, b"", 95, 0));
        s.expect(&[Ev::Reset(1, ErrorCode::FLOW_CONTROL_ERROR, Origin::Local)]);
    });
}

#[test]
fn connection_credit_returns_on_receipt_in_batches_5_2() {
    Setup {
        slots: 1,
        ..Setup::client()
    }
    .config(|c| c.initial_window_size = 65_535)
    .script_octets(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[0; 16_384], 0));
        s.expect_frames(&[]);
        s.feed(&data(1, &[0; 16_383], 0));
        s.expect_frames(&[window_update(0, 32_767)]);
        s.events();
    });
}

// Spec: h2-6.9-counts-all, h2-5.1-closed-arrivals
#[test]
fn data_of_streams_that_are_over_is_charged_and_credited_6_9() {
    // A leak of one octet a frame would wedge the connection.
    let log = Setup {
        slots: 2,
        ..Setup::client()
    }
    .script_whole(|s| {
        s.handshake();
        let stream = s.request(0, true);
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        s.expect_frames(&[rst_stream(1, 8)]);
        for _ in 0..10_000 {
            s.feed(&padded_data(1, &[0; 300], 10, 0));
            s.output();
        }
        s.expect(&[]);
        s.request(0, true);
        s.feed(&headers(3, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(3, true));
    });
    let credit: u32 = split(&log.output)
        .iter()
        .filter(|frame| frame[3] == 8)
        .map(|frame| u32::from_be_bytes(frame[9..13].try_into().unwrap()))
        .sum();
    assert!((10_000 * 311 - credit) < 32_768, "credited {credit}");
}

#[test]
fn peer_is_never_given_more_than_the_window_6_9() {
    small().script(|s| {
        s.handshake();
        let stream = s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.events();
        // More released than received.
        s.conn.release_capacity(stream, u32::MAX);
        s.expect_frames(&[]);
        s.feed(&data(1, &[0; 60], 0));
        s.conn.release_capacity(stream, u32::MAX);
        s.expect_frames(&[window_update(1, 60)]);
        s.events();
    });
}

// Spec: h2-6.9.1-empty-end, h2-6.9.2-negative
#[test]
fn empty_end_stream_goes_out_under_a_negative_window_6_9_1_and_6_9_2() {
    Setup::client().script(|s| {
        s.handshake_with(&[(4, 100)]);
        let stream = s.request(0, false);
        s.send_data(stream, &[0; 60], false).unwrap();
        s.output();
        s.feed(&settings(&[(4, 0)]));
        s.expect(&[Ev::Settings]);
        assert_eq!(s.send_data(stream, b"x", true), Err(UseError::NoRoom));
        s.send_data(stream, b"", true).unwrap();
        s.expect_frames(&[settings_ack(), data(1, b"", END_STREAM)]);
    });
}

// Spec: h2-6.9.2-shift, h2-6.9.2-negative
#[test]
fn settings_storm_while_data_is_half_sent_moves_the_window_by_the_sum_6_9_2() {
    Setup::client().script(|s| {
        s.handshake_with(&[(4, 1_000)]);
        let stream = s.request(0, false);
        s.send_data(stream, &[0; 300], false).unwrap();
        let transmit = s.conn.take_transmit(s.now).unwrap();
        // The first half of DATA is on the wire when the windows shut, open and shut again.
        let bytes = transmit.bytes()[..100].to_vec();
        s.conn.give_back(transmit, 100, s.now);
        s.wrote(&bytes);
        for window in [0, 5_000, 200, 0x7fff_ffff, 299] {
            s.feed(&settings(&[(4, window)]));
            let room = s.conn.data_room(stream).unwrap();
            assert_eq!(room > 0, window > 300, "{window}");
        }
        s.feed(&settings(&[(4, 301)]));
        assert_eq!(s.conn.data_room(stream), Ok(1));
        s.send_data(stream, b"x", true).unwrap();
        s.events();
        let sent = split(&s.output());
        assert_eq!(sent[0], data(1, &[0; 300], 0), "the frame is whole");
        assert!(sent.contains(&data(1, b"x", END_STREAM)));
    });
}

// Spec: h2-6.9-counts-all
#[test]
fn data_of_streams_refused_by_go_away_is_charged_and_credited_6_8() {
    small().script_whole(|s| {
        s.handshake();
        s.request(0, true);
        s.request(1, true);
        s.feed(&go_away(1, 0, b""));
        s.events();
        for _ in 0..10 {
            s.feed(&data(3, &[0; 3_277], 0));
        }
        s.expect(&[]);
        s.expect_frames(&[window_update(0, 32_770)]);
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
    });
}

#[test]
fn credit_is_given_once_however_often_it_is_asked_for_6_9() {
    small().script(|s| {
        s.handshake();
        let stream = s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[0; 60], 0));
        s.events();
        s.conn.release_capacity(stream, 60);
        s.conn.require_capacity(stream, 100);
        s.conn.require_capacity(stream, 100);
        s.conn.release_capacity(stream, 60);
        s.expect_frames(&[window_update(1, 60)]);
        s.conn.require_capacity(stream, 101);
        s.conn.release_capacity(stream, 60);
        s.expect_frames(&[]);
        // The whole window is the peer's again, and not an octet more.
        s.feed(&data(1, &[0; 100], 0));
        s.events();
        s.feed(&data(1, &[0; 1], 0));
        s.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR);
    });
}
