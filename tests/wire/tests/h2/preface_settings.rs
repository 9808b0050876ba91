//! Connection preface and SETTINGS: RFC 9113 sections 3.4 and 6.5.

use h2_lite::{ConfigError, ErrorCode, UseError};

use crate::support::frames::*;
use crate::support::{Ev, Setup, client, ok};

// Spec: h2-3.3-prior-knowledge, h2-3.4-client-preface, h2-6.5.2-client-disables-push, grpc-header-limit-told
#[test]
fn client_sends_preface_then_settings_3_4() {
    Setup::client().script(|s| {
        let ours = settings(&[(1, 256), (2, 0), (4, 4_096), (6, 8_192)]);
        s.expect_frames(&[PREFACE.to_vec(), ours]);
    });
}

// Spec: h2-3.4-client-preface, h2-6.5.2-client-disables-push
#[test]
fn preface_leaves_before_the_request_in_one_write_3_4() {
    Setup::client().script(|s| {
        s.try_request(0, true).unwrap();
        let sent = split(&s.output());
        assert_eq!(sent.len(), 3);
        assert_eq!((&sent[0][..], sent[1][3], sent[2][3]), (PREFACE, 4, 1));
    });
}

// Spec: h2-3.4-first-frame
#[test]
fn first_frame_must_be_settings_3_4() {
    let others = [
        ping([1; 8]),
        settings_ack(),
        window_update(0, 1),
        go_away(0, 0, b""),
        headers(1, STATUS_200, END_HEADERS),
        data(1, b"x", 0),
        frame(0x77, 0, 0, b"unknown"),
        frame(4, 0, 1, &[]),
    ];
    for other in others {
        Setup::client().script(|s| {
            s.output();
            s.feed(&other);
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
}

#[test]
fn peer_that_is_not_http2_is_named_3_4() {
    for text in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\x15\x03\x01\x00\x02\x02\x46 tls",
    ] {
        Setup::client().script(|s| {
            s.output();
            s.feed(text.as_bytes());
            let reason = "peer is not HTTP/2: first frame is not SETTINGS";
            s.expect(&[Ev::Error(ErrorCode::PROTOCOL_ERROR, reason)]);
        });
    }
}

// Spec: h2-6.5.3-ack, h2-6.5.2-unknown-id
#[test]
fn settings_are_acknowledged_6_5_3() {
    Setup::client().script(|s| {
        s.output();
        assert!(!s.conn.settings_received());
        s.feed(&settings(&[(3, 7), (4, 1_000), (5, 20_000), (6, 500), (0x99, 1)]));
        s.expect(&[Ev::Settings]);
        s.expect_frames(&[settings_ack()]);
        assert!(s.conn.settings_received());
        let peer = s.conn.peer_settings();
        assert_eq!(peer.max_concurrent_streams, 7);
        assert_eq!(peer.initial_window_size, 1_000);
        assert_eq!(peer.max_frame_size, 20_000);
        assert_eq!(peer.max_header_list_size, 500);
    });
}

#[test]
fn settings_acknowledgement_is_never_acknowledged_6_5_3() {
    client(|s| {
        s.feed(&settings_ack());
        s.expect(&[]);
        s.expect_frames(&[]);
    });
}

#[test]
fn second_settings_waits_for_the_first_acknowledgement_6_5_3() {
    client(|s| {
        // The slot of the acknowledgement is taken: reading stops until it is written, then goes on.
        let mut input = &[settings(&[]), settings(&[]), settings(&[])].concat()[..];
        assert_eq!(
            s.conn.handle_input(&mut input, s.now),
            Ok(Some(h2_lite::Event::Settings))
        );
        let transmit = s.conn.take_transmit(s.now).unwrap();
        assert_eq!(
            s.conn.handle_input(&mut input, s.now),
            Ok(Some(h2_lite::Event::Settings))
        );
        assert_eq!(s.conn.handle_input(&mut input, s.now), Ok(None));
        assert!(!s.conn.wants_input());
        let left = input.len();
        assert_eq!(s.conn.handle_input(&mut input, s.now), Ok(None));
        assert_eq!(input.len(), left);
        let written = transmit.bytes().len();
        s.conn.give_back(transmit, written, s.now);
        assert!(s.conn.wants_input());
        assert_eq!(
            s.conn.handle_input(&mut input, s.now),
            Ok(Some(h2_lite::Event::Settings))
        );
    });
}

// Spec: h2-6.5-stream
#[test]
fn settings_off_stream_0_is_protocol_error_6_5() {
    client(|s| {
        s.feed(&frame(4, 0, 1, &[]));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

// Spec: h2-6.5-length
#[test]
fn settings_length_not_multiple_of_6_is_frame_size_error_6_5() {
    for len in [1, 5, 7, 11] {
        client(|s| {
            s.feed(&frame(4, 0, 0, &vec![0; len]));
            s.expect_failure(ErrorCode::FRAME_SIZE_ERROR, 0);
        });
    }
}

// Spec: h2-6.5-ack-payload
#[test]
fn settings_ack_with_payload_is_frame_size_error_6_5() {
    client(|s| {
        s.feed(&frame(4, ACK, 0, &[0; 6]));
        s.expect_failure(ErrorCode::FRAME_SIZE_ERROR, 0);
    });
}

// Spec: h2-6.5.2-enable-push-value, h2-6.5.2-push-from-server
#[test]
fn enable_push_1_or_more_is_protocol_error_for_a_client_6_5_2() {
    for value in [1, 2, u32::MAX] {
        client(|s| {
            s.feed(&settings(&[(2, value)]));
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
    client(|s| {
        s.feed(&settings(&[(2, 0)]));
        s.expect(&[Ev::Settings]);
    });
}

// Spec: h2-6.5.2-initial-window-size
#[test]
fn initial_window_size_above_2_31_is_flow_control_error_6_5_2() {
    client(|s| {
        s.feed(&settings(&[(4, 0x7fff_ffff)]));
        s.expect(&[Ev::Settings]);
        s.feed(&settings(&[(4, 0x8000_0000)]));
        s.expect_failure(ErrorCode::FLOW_CONTROL_ERROR, 0);
    });
}

// Spec: h2-6.5.2-max-frame-size
#[test]
fn max_frame_size_out_of_range_is_protocol_error_6_5_2() {
    for value in [0, 16_383, 0x100_0000, u32::MAX] {
        client(|s| {
            s.feed(&settings(&[(5, value)]));
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
    client(|s| {
        s.feed(&settings(&[(5, 16_384), (5, 0xff_ffff)]));
        s.expect(&[Ev::Settings]);
        assert_eq!(s.conn.peer_settings().max_frame_size, 0xff_ffff);
    });
}

// Spec: h2-6.5.3-order
#[test]
fn settings_values_apply_in_order_6_5_3() {
    client(|s| {
        s.feed(&settings(&[(4, 10), (3, 1), (4, 20), (3, 2)]));
        s.expect(&[Ev::Settings]);
        assert_eq!(s.conn.peer_settings().initial_window_size, 20);
        assert_eq!(s.conn.peer_settings().max_concurrent_streams, 2);
    });
}

// Spec: h2-4.3.1-encoder-update
#[test]
fn smaller_header_table_size_starts_the_next_block_with_a_size_update_4_3_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&settings(&[(1, 0)]));
        s.expect(&[Ev::Settings]);
        s.try_request(1, true).unwrap();
        let sent = split(&s.output());
        assert_eq!(sent[0], settings_ack());
        assert_eq!(sent[1][9], 0x20, "dynamic table size update to 0");
        s.try_request(2, true).unwrap();
        assert_ne!(split(&s.output())[0][9], 0x20, "once");
    });
}

// Spec: h2-6.5.3-order, h2-6.5.3-ack
#[test]
fn nothing_is_sent_between_two_values_of_settings_6_5_3() {
    Setup::client().script_whole(|s| {
        s.handshake_with(&[(4, 10), (1, 0)]);
        let stream = s.request(0, false);
        let larger = settings(&[(4, 100), (1, 4_096), (3, 7)]);
        // Cut everywhere: new values are obeyed, and used, from our acknowledgement on.
        let (first, last) = larger.split_at(larger.len() - 1);
        for octet in first {
            let opened = s.conn.data_room(stream).unwrap();
            assert!(opened <= 10, "{opened}");
            s.feed(&[*octet]);
        }
        assert_eq!(s.conn.data_room(stream), Ok(0));
        assert_eq!(s.try_request(1, true), Err(UseError::NoRoom));
        s.send_data(stream, b"", true).unwrap();
        s.expect_frames(&[data(1, b"", END_STREAM)]);
        s.feed(last);
        s.expect(&[Ev::Settings]);
        s.try_request(1, true).unwrap();
        let sent = split(&s.output());
        assert_eq!((&sent[0], sent[1][3]), (&settings_ack(), 1));
    });
}

// Spec: h2-5.1.2-obeys-limit
#[test]
fn max_concurrent_streams_is_obeyed_6_5_2_and_5_1_2() {
    client(|s| {
        s.feed(&settings(&[(3, 1)]));
        s.expect(&[Ev::Settings]);
        s.request(0, true);
        assert_eq!(s.conn.can_open(), Err(UseError::TooManyStreams));
        assert_eq!(s.try_request(1, true), Err(UseError::TooManyStreams));
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
        assert_eq!(s.try_request(1, true).unwrap().id.value(), 3);
    });
}

// Spec: h2-6.5.2-zero-streams
#[test]
fn max_concurrent_streams_0_is_legal_and_queues_6_5_2() {
    client(|s| {
        s.feed(&settings(&[(3, 0)]));
        s.expect(&[Ev::Settings]);
        assert_eq!(s.conn.can_open(), Err(UseError::TooManyStreams));
        s.feed(&settings(&[(3, 1)]));
        s.expect(&[Ev::Settings]);
        assert_eq!(s.conn.can_open(), Ok(()));
    });
}

#[test]
fn connection_starts_over_after_reset_3_4() {
    client(|s| {
        let old = s.request(0, false);
        s.feed(&go_away(0, 0, b""));
        s.events();
        s.conn.reset(s.now);
        assert!(!s.conn.settings_received());
        assert_eq!(s.conn.data_room(old), Err(UseError::WrongState));
        s.handshake();
        assert_eq!(s.request(0, false).id.value(), 1);
    });
}

#[test]
fn config_errors_name_the_limit_and_what_would_work() {
    use h2_lite::{Config, Connection, Memory, Role, Stream};
    let build = |slots: usize, send: usize, window: u32| -> Result<(), ConfigError> {
        let mut streams: Vec<Stream> = (0..slots).map(|_| Stream::new()).collect();
        let memory = Memory {
            streams: &mut streams,
            send: &mut vec![0; send],
            decoder_table: &mut [],
            encoder_table: &mut [],
            scratch: &mut [],
        };
        let config = Config {
            initial_window_size: window,
            ..Config::default()
        };
        Connection::new(Role::Client, config, memory).map(|_| ())
    };
    assert_eq!(build(4, 256, 4_096), Ok(()));
    assert_eq!(build(0, 256, 4_096).unwrap_err().limit, "stream slots");
    assert_eq!(build(256, 256, 1).unwrap_err().limit, "stream slots");
    assert_eq!(build(1, 127, 4_096).unwrap_err().needed, 128);
    assert_eq!(build(4, 256, 0).unwrap_err().limit, "initial_window_size");
    assert_eq!(build(4, 256, 16_384).unwrap_err().needed, 16_383);
    assert_eq!(build(1, 128, 65_535), Ok(()));
}
