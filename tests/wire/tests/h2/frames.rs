//! Frame format, sizes and stream numbers: RFC 9113 sections 4, 5.5 and 6.

use h2_lite::ErrorCode;

use crate::support::frames::*;
use crate::support::{Ev, client, ok};

// Spec: h2-4.1-unknown-type
#[test]
fn unknown_frame_types_are_discarded_4_1_and_5_5() {
    client(|s| {
        s.request(0, true);
        for kind in [0x0a, 0x10, 0xff] {
            s.feed(&frame(kind, 0xff, 0, b"whatever"));
            s.feed(&frame(kind, 0xff, 1, &[]));
            s.feed(&frame(kind, 0, 7, b"idle stream"));
        }
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
        s.expect_frames(&[]);
    });
}

// Spec: h2-4.1-undefined-flags, h2-4.1-reserved-bit
#[test]
fn undefined_flags_and_reserved_bits_are_ignored_4_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&frame(6, 0xfe, 0x8000_0000, &[7; 8]));
        s.expect_frames(&[ping_ack([7; 8])]);
        s.feed(&frame(8, 0xff, 0x8000_0000, &[0x80, 0, 0, 1]));
        s.expect(&[Ev::Window(0)]);
        s.feed(&frame(1, END_HEADERS | 0xc2, 0x8000_0001, STATUS_200));
        s.feed(&frame(0, 0xf7, 0x8000_0001, b""));
        s.expect(&[ok(1, false), vec![Ev::Data(1, vec![], true)]].concat());
    });
}

// Spec: h2-4.2-receives-16384
#[test]
fn payload_of_16384_octets_is_taken_4_2() {
    crate::support::Setup {
        slots: 1,
        ..crate::support::Setup::client()
    }
    .config(|c| c.initial_window_size = 65_535)
    .script_octets(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[b'x'; 16_384], END_STREAM));
        s.expect(&[ok(1, false), vec![Ev::Data(1, vec![b'x'; 16_384], true)]].concat());
    });
}

// Spec: h2-4.2-too-large-connection, h2-4.2-too-large-stream
#[test]
fn frame_above_max_frame_size_is_frame_size_error_4_2() {
    // The header alone decides; the payload need not come.
    let oversized = |kind: u8, flags: u8, stream: u32| {
        let mut octets = frame(kind, flags, stream, &[]);
        octets[1] = 0x40;
        octets[2] = 0x01;
        octets
    };
    // Carries headers, is SETTINGS (6 x 2731 = 16,386), or is on stream 0: the connection.
    for octets in [
        oversized(1, END_HEADERS, 1),
        oversized(9, 0, 1),
        oversized(0x42, 0, 0),
    ] {
        client(|s| {
            s.request(0, false);
            s.feed(&octets);
            s.expect_failure(ErrorCode::FRAME_SIZE_ERROR, 0);
        });
    }
    let mut octets = oversized(4, 0, 0);
    octets[2] = 0x02;
    client(|s| {
        s.feed(&octets);
        s.expect_failure(ErrorCode::FRAME_SIZE_ERROR, 0);
    });
    // DATA and unknown types: the stream.
    for kind in [0, 0x42] {
        client(|s| {
            s.request(0, false);
            s.request(1, true);
            s.feed(&headers(1, STATUS_200, END_HEADERS));
            s.events();
            s.feed(&[oversized(kind, 0, 1), vec![0; 0x4001]].concat()[..40]);
            s.expect_stream_error(1, ErrorCode::FRAME_SIZE_ERROR);
        });
    }
}

// Spec: h2-4.2-too-large-stream, h2-6.9-counts-all
#[test]
fn oversized_data_is_read_over_and_credited_4_2_and_6_9() {
    crate::support::Setup::client().script_octets(|s| {
        s.handshake();
        s.request(0, false);
        s.request(1, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.events();
        let huge = frame(0, 0, 1, &[0; 40_000]);
        s.feed(&huge);
        s.feed(&headers(3, STATUS_200, END_HEADERS | END_STREAM));
        let mut expected = vec![Ev::Reset(1, ErrorCode::FRAME_SIZE_ERROR, h2_lite::Origin::Local)];
        expected.extend(ok(3, true));
        s.expect(&expected);
        s.expect_frames(&[rst_stream(1, 6), window_update(0, 40_000)]);
    });
}

// Spec: h2-6.9-counts-all
#[test]
fn oversized_data_counts_against_the_connection_window_6_9() {
    client(|s| {
        s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&frame(0, 0, 1, &vec![0; 65_536])[..9]);
        s.expect_failure(ErrorCode::FLOW_CONTROL_ERROR, 0);
    });
}

// Spec: h2-6.1-stream-0, h2-6.2-stream-0, h2-6.3-stream-0, h2-6.4-stream-0, h2-6.7-stream, h2-6.8-stream
// Spec: h2-6.10-stream-0
#[test]
fn frames_on_the_wrong_stream_are_protocol_errors_6() {
    let wrong = [
        data(0, b"x", 0),
        headers(0, STATUS_200, END_HEADERS),
        frame(2, 0, 0, &[0; 5]),
        rst_stream(0, 8),
        push_promise(0, 2, STATUS_200),
        frame(6, 0, 1, &[0; 8]),
        frame(7, 0, 1, &[0; 8]),
        continuation(0, STATUS_200, END_HEADERS),
    ];
    for octets in wrong {
        client(|s| {
            s.request(0, true);
            s.feed(&octets);
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
}

// Spec: h2-6.4-length, h2-6.7-length, h2-6.8-length, h2-6.9-length, h2-4.2-too-short-padded
// Spec: h2-4.2-too-short-priority
#[test]
fn fixed_sizes_other_than_specified_are_frame_size_errors_6() {
    let wrong = [
        frame(3, 0, 1, &[0; 3]),
        frame(3, 0, 1, &[0; 5]),
        frame(6, 0, 0, &[0; 7]),
        frame(6, 0, 0, &[0; 9]),
        frame(7, 0, 0, &[0; 7]),
        frame(7, 0, 0, &vec![0; 16_385])[..9].to_vec(),
        frame(5, END_HEADERS, 1, &[0; 3]),
        frame(5, END_HEADERS | PADDED, 1, &[0; 4]),
        frame(8, 0, 0, &[0; 3]),
        frame(8, 0, 1, &[0; 5]),
        frame(1, END_HEADERS | PADDED, 1, &[]),
        frame(1, END_HEADERS | PRIORITY, 1, &[0; 4]),
        frame(1, END_HEADERS | PRIORITY | PADDED, 1, &[0; 5]),
    ];
    for octets in wrong {
        client(|s| {
            s.request(0, true);
            s.feed(&octets);
            s.expect_failure(ErrorCode::FRAME_SIZE_ERROR, 0);
        });
    }
}

// Spec: h2-4.2-too-short-padded
#[test]
fn data_too_short_for_its_pad_length_is_a_stream_error_4_2() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&frame(0, PADDED, 1, &[]));
        s.expect_stream_error(1, ErrorCode::FRAME_SIZE_ERROR);
    });
}

// Spec: h2-6.1-padding, h2-6.2-padding
#[test]
fn padding_as_long_as_the_payload_is_protocol_error_6_1_and_6_2() {
    let wrong = [
        frame(0, PADDED, 1, &[1]),
        frame(0, PADDED, 1, &[5, 0, 0, 0, 0]),
        frame(1, END_HEADERS | PADDED, 1, &[2, 0x88]),
        frame(1, END_HEADERS | PADDED | PRIORITY, 1, &[1, 0, 0, 0, 0, 0]),
    ];
    for octets in wrong {
        client(|s| {
            s.request(0, true);
            if octets[3] == 0 {
                s.feed(&headers(1, STATUS_200, END_HEADERS));
            }
            s.feed(&octets);
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
}

// Spec: h2-6.1-padded-received, h2-6.2-padded-received
#[test]
fn padding_may_fill_the_frame_6_1_and_6_2() {
    client(|s| {
        s.request(0, true);
        s.feed(&frame(1, END_HEADERS | PADDED, 1, &[2, 0x88, 0, 0]));
        s.feed(&frame(0, PADDED, 1, &[4, 0, 0, 0, 0]));
        s.feed(&frame(0, PADDED | END_STREAM, 1, &[1, b'x', 0]));
        s.expect(&[ok(1, false), vec![Ev::Data(1, b"x".to_vec(), true)]].concat());
    });
}

// Spec: h2-6.3-any-state, h2-6.2-padded-received
#[test]
fn priority_is_accepted_in_any_state_6_3() {
    client(|s| {
        s.request(0, true);
        s.feed(&priority(1, 0));
        s.feed(&priority(9, 1));
        s.feed(&priority(4, 2));
        s.feed(&frame(1, END_HEADERS | PRIORITY, 1, &[0x80, 0, 0, 3, 255, 0x88]));
        s.feed(&data(1, b"", END_STREAM));
        s.feed(&priority(1, 0));
        s.expect(&[ok(1, false), vec![Ev::Data(1, vec![], true)]].concat());
        s.expect_frames(&[]);
    });
}

// Spec: h2-6.3-length
#[test]
fn priority_of_another_length_is_a_stream_error_6_3() {
    for len in [4, 6] {
        client(|s| {
            s.request(0, true);
            s.feed(&frame(2, 0, 1, &vec![0; len]));
            s.expect_stream_error(1, ErrorCode::FRAME_SIZE_ERROR);
        });
    }
}

// Spec: h2-6.4-never-on-idle
#[test]
fn error_on_an_idle_stream_reaches_the_connection_5_1() {
    client(|s| {
        s.feed(&frame(2, 0, 5, &[0; 4]));
        s.expect_failure(ErrorCode::FRAME_SIZE_ERROR, 0);
    });
}

#[test]
fn wrong_size_on_a_closed_stream_reaches_the_connection_5_1() {
    for octets in [frame(2, 0, 1, &[0; 4]), frame(0, PADDED, 1, &[])] {
        client(|s| {
            s.request(0, true);
            s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
            s.feed(&octets);
            s.expect_failure(ErrorCode::FRAME_SIZE_ERROR, 0);
        });
    }
}

#[test]
fn self_dependency_is_a_stream_error_rfc_7540_5_3_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&priority(1, 1));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
    client(|s| {
        s.request(0, true);
        s.feed(&frame(1, END_HEADERS | PRIORITY, 1, &[0, 0, 0, 1, 15, 0x88]));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}
