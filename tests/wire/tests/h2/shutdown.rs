//! PING, GOAWAY, errors, timeouts: RFC 9113 sections 5.4, 6.5.3, 6.7 and 6.8.

use h2_lite::{ErrorCode, Origin, Role, UseError};

use crate::support::frames::*;
use crate::support::{Ev, Setup, client, ok};

// Spec: h2-6.7-answer
#[test]
fn ping_is_answered_with_its_payload_6_7() {
    client(|s| {
        s.feed(&ping(*b"abcdefgh"));
        s.expect(&[]);
        s.expect_frames(&[ping_ack(*b"abcdefgh")]);
    });
}

// Spec: h2-6.7-ack-not-answered
#[test]
fn ping_ack_is_never_answered_and_unasked_ones_are_ignored_6_7() {
    client(|s| {
        s.feed(&ping_ack([1; 8]));
        s.expect(&[]);
        s.expect_frames(&[]);
        s.conn.send_ping([2; 8]).unwrap();
        assert_eq!(s.conn.send_ping([3; 8]), Err(UseError::WrongState));
        s.feed(&ping_ack([2; 8]));
        s.expect(&[]);
        s.expect_frames(&[ping([2; 8])]);
        s.feed(&ping_ack([9; 8]));
        s.feed(&ping_ack([2; 8]));
        s.feed(&ping_ack([2; 8]));
        s.expect(&[Ev::PingAck([2; 8])]);
        s.conn.send_ping([3; 8]).unwrap();
        s.expect_frames(&[ping([3; 8])]);
    });
}

// Spec: h2-6.7-before-others
#[test]
fn ping_ack_goes_before_other_frames_6_7() {
    Setup::client().script(|s| {
        s.output();
        s.feed(&settings(&[]));
        s.feed(&settings_ack());
        s.feed(&ping([1; 8]));
        s.events();
        s.expect_frames(&[ping_ack([1; 8]), settings_ack()]);
    });
}

// Spec: h2-5.2.2-keeps-reading
#[test]
fn control_frames_are_read_while_windows_are_shut_5_2_2() {
    Setup::client().script(|s| {
        s.handshake_with(&[(4, 0)]);
        let stream = s.request(0, false);
        assert_eq!(s.conn.data_room(stream), Ok(0));
        s.feed(&ping([5; 8]));
        s.expect_frames(&[ping_ack([5; 8])]);
        s.feed(&rst_stream(1, 8));
        s.expect(&[Ev::Reset(1, ErrorCode::CANCEL, Origin::Peer)]);
    });
}

// Spec: h2-6.8-no-new-streams, h2-6.8-lower-go-on
#[test]
fn go_away_refuses_the_streams_above_its_last_6_8() {
    client(|s| {
        let low = s.request(0, true);
        s.request(1, true);
        let high = s.request(2, false);
        s.feed(&go_away(1, 0, b"going down for maintenance"));
        s.expect(&[
            Ev::GoAway(1, ErrorCode::NO_ERROR),
            Ev::Reset(3, ErrorCode::REFUSED_STREAM, Origin::GoAway),
            Ev::Reset(5, ErrorCode::REFUSED_STREAM, Origin::GoAway),
        ]);
        assert!(s.conn.is_free(1) && s.conn.is_free(2) && !s.conn.is_free(0));
        assert_eq!(s.conn.can_open(), Err(UseError::GoingAway));
        assert_eq!(s.try_request(1, true), Err(UseError::GoingAway));
        assert_eq!(s.send_data(high, b"x", true), Err(UseError::WrongState));
        let _ = low;
        // Streams up to the last one go on.
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
        s.expect_frames(&[]);
    });
}

// Spec: h2-6.8-second-goaway
#[test]
fn second_go_away_may_lower_the_last_stream_never_raise_it_6_8() {
    client(|s| {
        s.request(0, true);
        s.request(1, true);
        s.request(2, true);
        s.feed(&go_away(0x7fff_ffff, 0, b""));
        s.expect(&[Ev::GoAway(0x7fff_ffff, ErrorCode::NO_ERROR)]);
        s.feed(&go_away(3, 0, b""));
        s.expect(&[
            Ev::GoAway(3, ErrorCode::NO_ERROR),
            Ev::Reset(5, ErrorCode::REFUSED_STREAM, Origin::GoAway),
        ]);
        s.feed(&go_away(5, 0, b""));
        s.expect(&[Ev::GoAway(3, ErrorCode::NO_ERROR)]);
    });
}

#[test]
fn go_away_gives_the_first_piece_of_its_debug_data_6_8() {
    use h2_lite::Event;
    Setup::client().script_whole(|s| {
        s.handshake();
        let octets = go_away(7, 11, b"too_many_pings");
        let mut input = &octets[..];
        let event = s.conn.handle_input(&mut input, s.now).unwrap();
        assert!(matches!(
            event,
            Some(Event::GoAway {
                code: ErrorCode::ENHANCE_YOUR_CALM,
                debug: b"too_many_pings",
                ..
            })
        ));
        let mut first = &octets[..20];
        let event = s.conn.handle_input(&mut first, s.now).unwrap();
        assert!(matches!(event, Some(Event::GoAway { debug: b"too", .. })));
        let mut second = &octets[20..];
        assert_eq!(s.conn.handle_input(&mut second, s.now), Ok(None));
    });
}

#[test]
fn blocks_of_streams_refused_by_go_away_keep_the_table_in_step_6_8() {
    client(|s| {
        s.request(0, true);
        s.request(1, true);
        s.feed(&go_away(1, 0, b""));
        s.events();
        s.feed(&headers(
            3,
            &[&[0x88, 0x40, 1][..], b"x", &[1], b"y"].concat(),
            END_HEADERS | END_STREAM,
        ));
        s.expect(&[]);
        s.feed(&headers(1, &[0x88, 0xbe], END_HEADERS | END_STREAM));
        assert_eq!(s.events().len(), 3);
    });
}

// Spec: h2-6.8-no-new-streams, h2-6.8-lower-go-on, h2-6.8-never-raised
#[test]
fn our_go_away_ends_the_connection_after_its_streams_6_8() {
    client(|s| {
        s.request(0, true);
        s.conn.go_away(ErrorCode::NO_ERROR, s.now);
        s.conn.go_away(ErrorCode::NO_ERROR, s.now);
        assert_eq!(s.conn.can_open(), Err(UseError::GoingAway));
        s.expect_frames(&[go_away(0, 0, b"")]);
        assert!(!s.conn.is_closed());
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
        assert!(s.conn.is_closed());
    });
}

// Spec: h2-5.4.1-goaway, h2-5.4.1-close
#[test]
fn connection_error_is_go_away_then_closed_5_4_1() {
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&ping([1; 8]));
        s.feed(&data(0, b"", 0));
        let events = s.events();
        assert!(matches!(
            events[..],
            [Ev::Error(ErrorCode::PROTOCOL_ERROR, "DATA on stream 0")]
        ));
        assert!(!s.conn.is_closed(), "the GOAWAY is still to be written");
        assert_eq!(s.send_data(stream, b"x", false), Err(UseError::Closed));
        assert_eq!(s.try_request(1, true), Err(UseError::Closed));
        assert_eq!(s.conn.send_ping([0; 8]), Err(UseError::Closed));
        s.expect_frames(&[go_away(0, 1, b"")]);
        assert!(s.conn.is_closed());
    });
}

#[test]
fn missing_settings_time_out_3_4() {
    Setup::client().script(|s| {
        s.output();
        s.advance(9_999);
        s.expect(&[]);
        s.advance(1);
        s.expect(&[Ev::Error(
            ErrorCode::SETTINGS_TIMEOUT,
            "peer sent no SETTINGS in time",
        )]);
        s.expect_frames(&[go_away(0, 4, b"")]);
        assert!(s.conn.is_closed());
        assert_eq!(s.conn.poll_timeout(), None);
    });
}

#[test]
fn settings_that_came_before_ours_were_written_are_not_missed_3_4() {
    for setup in [Setup::client(), Setup::server()] {
        setup.script(|s| {
            if setup.role == Role::Server {
                s.feed(PREFACE);
            }
            s.feed(&settings(&[]));
            s.expect(&[Ev::Settings]);
            s.output();
            s.feed(&settings_ack());
            assert_eq!(s.conn.poll_timeout(), None);
            s.advance(10_000);
            s.expect(&[]);
        });
    }
}

#[test]
fn missing_settings_acknowledgement_is_settings_timeout_6_5_3() {
    Setup::client().script(|s| {
        s.output();
        s.feed(&settings(&[]));
        s.expect(&[Ev::Settings]);
        s.output();
        s.advance(10_000);
        s.expect(&[Ev::Error(
            ErrorCode::SETTINGS_TIMEOUT,
            "peer did not acknowledge SETTINGS in time",
        )]);
    });
}

#[test]
fn connected_and_idle_waits_for_nothing() {
    client(|s| {
        assert_eq!(s.conn.poll_timeout(), None);
        s.advance(1_000_000);
        s.expect(&[]);
    });
}

#[test]
fn unfinished_header_block_times_out_10_5() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, 0));
        s.events();
        s.advance(9_999);
        s.feed(&continuation(1, b"", 0));
        s.expect(&[]);
        s.advance(1);
        s.expect(&[Ev::Error(
            ErrorCode::ENHANCE_YOUR_CALM,
            "peer did not end a header block in time",
        )]);
    });
}

#[test]
fn finished_header_block_is_waited_for_no_more_10_5() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, 0));
        assert!(s.conn.poll_timeout().is_some());
        s.feed(&continuation(1, b"", END_HEADERS));
        assert_eq!(s.conn.poll_timeout(), None);
        s.expect(&ok(1, false));
    });
}

// Spec: threat-13
#[test]
fn write_stall_ends_the_connection_10_5() {
    client(|s| {
        s.request(0, true);
        s.feed(&ping([0; 8]));
        let transmit = s.conn.take_transmit(s.now).unwrap();
        s.advance(19_000);
        // Progress, however small, starts the time anew.
        s.conn.give_back(transmit, 1, s.now);
        s.advance(19_000);
        s.expect(&[]);
        s.advance(1_000);
        s.expect(&[Ev::Error(
            ErrorCode::INTERNAL_ERROR,
            "the transport accepts no output",
        )]);
        assert!(s.conn.is_closed());
        assert_eq!(s.conn.poll_timeout(), None);
    });
}

// Spec: h2-5.4.1-close
#[test]
fn go_away_that_cannot_be_written_does_not_keep_the_connection_open_5_4_1() {
    client(|s| {
        s.feed(&data(0, b"", 0));
        s.events();
        assert!(!s.conn.is_closed());
        assert!(s.conn.poll_timeout().is_some());
        s.advance(20_000);
        assert!(s.conn.is_closed());
        assert_eq!(
            s.conn.error().map(|error| error.code),
            Some(ErrorCode::PROTOCOL_ERROR),
            "the first error stays"
        );
        assert_eq!(s.conn.take_transmit(s.now).map(|_| ()), None);
        s.events();
    });
}
