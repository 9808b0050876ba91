//! DATA that is ready together shares a frame.

use crate::support::frames::*;
use crate::support::{Setup, client};

// Spec: manners-small-messages, manners-no-empty-data
#[test]
fn data_of_one_stream_that_is_ready_together_shares_a_frame() {
    client(|s| {
        let stream = s.request(0, false);
        for octets in [&b"one"[..], b"two", b"three"] {
            s.send_data(stream, octets, false).unwrap();
        }
        s.expect_frames(&[data(1, b"onetwothree", 0)]);
        s.send_data(stream, b"four", false).unwrap();
        s.send_data(stream, &[], true).unwrap();
        s.expect_frames(&[data(1, b"four", END_STREAM)]);
    });
}

#[test]
fn an_end_without_data_of_its_own_before_it_is_an_empty_frame() {
    client(|s| {
        let stream = s.request(0, false);
        s.send_data(stream, b"out", false).unwrap();
        s.expect_frames(&[data(1, b"out", 0)]);
        s.send_data(stream, &[], true).unwrap();
        s.expect_frames(&[data(1, &[], END_STREAM)]);
    });
}

#[test]
fn data_of_other_streams_and_control_frames_keep_frames_apart() {
    client(|s| {
        let (first, second) = (s.request(0, false), s.request(1, false));
        s.send_data(first, b"a", false).unwrap();
        s.send_data(second, b"b", false).unwrap();
        s.send_data(first, b"c", false).unwrap();
        s.feed(&ping([1; 8]));
        s.events();
        s.send_data(first, b"d", false).unwrap();
        let third = s.try_request(2, false).unwrap();
        s.send_data(first, b"e", true).unwrap();
        s.send_data(third, b"f", true).unwrap();
        let sent = s.output();
        let frames = split(&sent);
        let kinds: Vec<(u8, u8)> = frames.iter().map(|frame| (frame[3], frame[8])).collect();
        assert_eq!(
            kinds,
            [(0, 1), (0, 3), (0, 1), (6, 0), (0, 1), (1, 5), (0, 1), (0, 5)]
        );
        assert!(
            frames
                .iter()
                .filter(|frame| frame[3] == 0)
                .all(|frame| frame.len() == 10)
        );
    });
}

#[test]
fn a_frame_that_is_out_to_be_written_does_not_grow() {
    client(|s| {
        let stream = s.request(0, false);
        s.send_data(stream, b"abcdef", false).unwrap();
        let transmit = s.conn.take_transmit(s.now).unwrap();
        let written = transmit.bytes()[..4].to_vec();
        s.conn.give_back(transmit, 4, s.now);
        s.wrote(&written);
        s.send_data(stream, b"gh", false).unwrap();
        s.expect_frames(&[data(1, b"abcdef", 0), data(1, b"gh", 0)]);
    });
}

// Spec: h2-4.2-sends-within
#[test]
fn a_shared_frame_stays_within_the_peers_max_frame_size() {
    Setup {
        send: 40_000,
        ..Setup::client()
    }
    .script(|s| {
        s.handshake();
        let stream = s.request(0, false);
        s.send_data(stream, &[1; 16_000], false).unwrap();
        s.send_data(stream, &[2; 384], false).unwrap();
        s.send_data(stream, &[3; 1], false).unwrap();
        s.expect_frames(&[
            data(1, &[vec![1; 16_000], vec![2; 384]].concat(), 0),
            data(1, &[3], 0),
        ]);
    });
}

// Spec: h2-6.9.1-both-windows
#[test]
fn octets_in_a_shared_frame_count_in_the_windows_once() {
    client(|s| {
        let stream = s.request(0, false);
        let before = s.conn.data_room(stream).unwrap();
        s.send_data(stream, &[0; 10], false).unwrap();
        s.send_data(stream, &[0; 10], false).unwrap();
        s.output();
        s.feed(&settings(&[(4, 25)]));
        s.events();
        s.output();
        assert!(before > 25);
        assert_eq!(s.conn.data_room(stream), Ok(5));
    });
}
