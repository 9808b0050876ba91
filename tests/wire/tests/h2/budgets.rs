//! Attacks: RFC 9113 section 10.5. Each is ended by ENHANCE_YOUR_CALM, or costs nothing; memory cannot grow, since all
//! of it is lent.

use h2_lite::{Config, ErrorCode, Origin};

use crate::support::frames::*;
use crate::support::{Ev, REQUEST, Session, Setup, ok};

/// Feeds `octets` up to `limit` times; how often until the connection failed.
fn until_failure(
    setup: &Setup,
    limit: usize,
    octets: &[u8],
    prepare: impl Fn(&mut Session<'_, '_>),
) -> Option<usize> {
    let count = std::cell::Cell::new(None);
    setup.script_whole(|s| {
        s.handshake();
        prepare(s);
        s.events();
        for turn in 1..=limit {
            s.feed(octets);
            s.output();
            if let Some(error) = s.conn.error() {
                assert_eq!(error.code, ErrorCode::ENHANCE_YOUR_CALM, "{error}");
                count.set(Some(turn));
                return;
            }
        }
    });
    count.get()
}

fn request(s: &mut Session<'_, '_>) {
    s.request(0, false);
    s.feed(&headers(1, STATUS_200, END_HEADERS));
}

#[test]
fn ping_flood_is_ended_10_5() {
    assert_eq!(
        until_failure(&Setup::client(), 1_000, &ping([0; 8]), |_| {}),
        Some(101)
    );
}

#[test]
fn settings_flood_is_ended_10_5() {
    assert_eq!(
        until_failure(&Setup::client(), 1_000, &settings(&[]), |_| {}),
        Some(100)
    );
    let many = settings(&[(0x99, 0); 2_000]);
    let turns = until_failure(&Setup::client(), 1_000, &many, |_| {}).unwrap();
    assert!(turns <= 2, "{turns}");
}

#[test]
fn control_frame_floods_are_ended_10_5() {
    for octets in [
        window_update(0, 1),
        window_update(1, 1),
        priority(1, 0),
        frame(0x55, 0, 0, b""),
        rst_stream(3, 8),
    ] {
        let turns = until_failure(&Setup::client(), 1_000, &octets, |s| {
            s.request(0, false);
            let other = s.request(1, false);
            s.conn.reset_stream(other, ErrorCode::CANCEL);
        });
        assert!(turns.is_some_and(|turns| turns <= 203), "{octets:?} {turns:?}");
    }
}

#[test]
fn go_away_storm_is_ended_10_5() {
    assert!(until_failure(&Setup::client(), 1_000, &go_away(0, 0, b"x"), |_| {}).is_some());
}

#[test]
fn empty_data_flood_is_ended_10_5() {
    assert_eq!(
        until_failure(&Setup::client(), 1_000, &data(1, b"", 0), request),
        Some(101)
    );
    assert_eq!(
        until_failure(&Setup::client(), 1_000, &frame(0, PADDED, 1, &[0]), request),
        Some(101)
    );
}

// Spec: threat-06
#[test]
fn small_data_that_nobody_reads_is_ended_10_5() {
    // 4,096 octets of window; 64 x 4,096 octets of overhead at 255 a frame.
    let turns = until_failure(&Setup::client(), 5_000, &data(1, b"x", 0), request);
    assert_eq!(turns, Some(64 * 4_096 / 255 + 1));
}

// Spec: threat-06
#[test]
fn small_data_that_is_read_is_no_attack_10_5() {
    Setup::client().script_whole(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        let stream = crate::support::key(0, 1);
        for _ in 0..62_834 {
            s.feed(&data(1, b"12345", 0));
            s.conn.release_capacity(stream, 5);
            s.output();
        }
        s.events();
        assert_eq!(s.conn.error(), None);
    });
}

#[test]
fn overhead_is_forgiven_when_pieces_are_read_as_they_arrive_10_5() {
    // Released before the frame has ended: nothing may add up over a long life.
    Setup::client().script_octets(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        let stream = crate::support::key(0, 1);
        for _ in 0..3_000 {
            let small = data(1, &[0; 100], 0);
            s.feed(&small[..50]);
            s.conn.release_capacity(stream, 41);
            s.feed(&small[50..]);
            s.conn.release_capacity(stream, 59);
            s.output();
        }
        s.events();
        assert_eq!(s.conn.error(), None);
    });
}

#[test]
fn pings_and_window_updates_are_paid_for_by_useful_frames_10_5() {
    Setup::client().script_whole(|s| {
        s.handshake();
        let stream = s.request(0, false);
        for _ in 0..5_000 {
            s.send_data(stream, b"payload", false).unwrap();
            s.output();
            s.feed(&ping([0; 8]));
            s.feed(&window_update(0, 7));
            s.feed(&window_update(1, 7));
            s.output();
        }
        s.events();
        assert_eq!(s.conn.error(), None);
    });
}

#[test]
fn budgets_refill_with_time_10_5() {
    Setup::client().script_whole(|s| {
        s.handshake();
        for _ in 0..2_000 {
            s.feed(&ping([0; 8]));
            s.output();
            s.advance(50);
        }
        assert_eq!(s.conn.error(), None);
    });
}

#[test]
fn continuation_flood_is_ended_6_10_and_10_5() {
    for octets in [&b""[..], &block(&[("a", "b")])] {
        let turns = until_failure(&Setup::client(), 100, &continuation(1, octets, 0), |s| {
            s.request(0, true);
            s.feed(&headers(1, STATUS_200, 0));
        });
        assert_eq!(turns, Some(9));
    }
}

#[test]
fn encoded_header_block_is_bounded_10_5_1() {
    // A name that never ends, in frames of the largest size: 64 KiB, then the end.
    let mut octets = vec![0; 16_384];
    octets[..4].copy_from_slice(&[0x00, 0x7f, 0xff, 0xff]);
    octets[4] = 0x7f;
    let turns = until_failure(&Setup::client(), 100, &continuation(1, &[b'a'; 16_384], 0), |s| {
        s.request(0, true);
        s.feed(&headers(1, &octets, 0));
    });
    assert_eq!(turns, Some(4));
}

// Spec: threat-04
#[test]
fn header_bomb_is_ended_10_5_1() {
    // One entry of about 150 octets, indexed again and again: 32 KiB decoded are four times the limit.
    let value = "v".repeat(100);
    let mut bomb = [&[0x88, 0x40, 1][..], b"x", &[100], value.as_bytes()].concat();
    bomb.extend([0xbe; 300]);
    Setup::client().script_whole(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, &bomb, END_HEADERS));
        s.expect_failure(ErrorCode::ENHANCE_YOUR_CALM, 0);
    });
}

// Spec: threat-04
#[test]
fn long_block_below_four_times_the_limit_is_skipped_10_5_1() {
    let value = "v".repeat(100);
    let mut long = [&[0x88, 0x40, 1][..], b"x", &[100], value.as_bytes()].concat();
    long.extend([0xbe; 200]);
    Setup::client().script_whole(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(1, &long, END_HEADERS | END_STREAM));
        let skipped = match s.events().last() {
            Some(Ev::End { skipped, .. }) => *skipped,
            other => panic!("{other:?}"),
        };
        assert!(skipped >= 138, "{skipped}");
    });
}

#[test]
fn interim_storm_is_ended_8_1_and_10_5() {
    let interim = headers(1, &block(&[(":status", "102")]), END_HEADERS);
    let turns = until_failure(&Setup::client(), 1_000, &interim, |s| {
        s.request(0, true);
    });
    assert_eq!(turns, Some(201));
}

#[test]
fn errors_that_make_us_reset_are_counted_10_5() {
    // MadeYouReset, seen from a client: every response is malformed.
    Setup::client().script_whole(|s| {
        s.handshake();
        for turn in 0.. {
            let stream = s.request(0, true);
            s.feed(&headers(
                stream.id.value(),
                &block(&[("no", "status")]),
                END_HEADERS | END_STREAM,
            ));
            s.output();
            if let Some(error) = s.conn.error() {
                assert_eq!((error.code, turn), (ErrorCode::ENHANCE_YOUR_CALM, 100));
                break;
            }
        }
        s.events();
    });
}

#[test]
fn flood_on_streams_that_are_over_is_ended_10_5() {
    for octets in [data(1, b"x", 0), headers(1, STATUS_200, END_HEADERS)] {
        let turns = until_failure(&Setup::client(), 5_000, &octets, |s| {
            let stream = s.request(0, true);
            s.conn.reset_stream(stream, ErrorCode::CANCEL);
        });
        assert_eq!(turns, Some(1_001));
    }
}

#[test]
fn rapid_reset_is_ended_10_5() {
    let setup = Setup::server();
    setup.script_whole(|s| {
        s.output();
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        s.feed(&settings_ack());
        let request = block(&[
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "a"),
        ]);
        for turn in 0_u32.. {
            s.feed(&headers(turn * 2 + 1, &request, END_HEADERS | END_STREAM));
            s.feed(&rst_stream(turn * 2 + 1, 8));
            s.output();
            if let Some(error) = s.conn.error() {
                assert_eq!((error.code, turn), (ErrorCode::ENHANCE_YOUR_CALM, 100));
                break;
            }
        }
        s.events();
    });
}

const OK: [(&str, &str); 1] = [(":status", "200")];

/// Opens streams 1, 3, 5... and resets each, after `answer`; how many until the connection failed.
fn resets_until_failure(limit: u32, answer: impl Fn(&mut Session<'_, '_>, u32)) -> Option<u32> {
    let count = std::cell::Cell::new(None);
    Setup::server().script_whole(|s| {
        s.accept();
        for turn in 0..limit {
            let id = turn * 2 + 1;
            s.feed(&headers(id, &block(&REQUEST), END_HEADERS));
            answer(s, id);
            s.feed(&rst_stream(id, 8));
            s.output();
            if s.conn.error().is_some() {
                count.set(Some(turn));
                break;
            }
        }
        s.events();
    });
    count.get()
}

// Spec: threat-01
#[test]
fn resets_of_streams_whose_answer_has_begun_are_not_counted_10_5() {
    let begin = |s: &mut Session<'_, '_>, id| s.respond(crate::support::key(0, id), &OK, false).unwrap();
    assert_eq!(resets_until_failure(1_000, begin), None);
}

// Spec: threat-01
#[test]
fn each_answer_pays_for_a_reset_10_5() {
    let every_third = |s: &mut Session<'_, '_>, id: u32| {
        if id % 6 == 1 {
            s.respond(crate::support::key(0, id), &OK, true).unwrap();
        }
    };
    // Two resets a round, and one comes back, but for the first, when nothing is missing.
    assert_eq!(resets_until_failure(1_000, every_third), Some(299));
    let every_second = |s: &mut Session<'_, '_>, id: u32| {
        if id % 4 == 1 {
            s.respond(crate::support::key(0, id), &OK, true).unwrap();
        }
    };
    assert_eq!(resets_until_failure(1_000, every_second), None);
}

// Spec: threat-07
#[test]
fn window_updates_are_paid_for_by_the_octets_that_they_let_through_10_5() {
    for (increment, survives) in [(4, true), (1, false)] {
        Setup::client().script_whole(|s| {
            s.handshake();
            let stream = s.request(0, false);
            for _ in 0..50 {
                let len = 256.min(s.conn.data_room(stream).unwrap());
                s.send_data(stream, &vec![0; len], false).unwrap();
                s.output();
                for _ in 0..256 / increment {
                    s.feed(&window_update(1, increment));
                    s.feed(&window_update(0, increment));
                }
                if s.conn.error().is_some() {
                    break;
                }
            }
            assert_eq!(s.conn.error().is_none(), survives, "{increment} octets at a time");
            s.events();
        });
    }
}

#[test]
fn after_an_attack_below_the_budget_an_innocent_stream_completes_10_5() {
    Setup::client().script_whole(|s| {
        s.handshake();
        let victim = s.request(0, false);
        s.request(1, true);
        for _ in 0..90 {
            s.feed(&[ping([0; 8]), window_update(1, 1), priority(1, 0), data(3, b"", 0)].concat()[..13 + 17]);
            s.output();
        }
        s.feed(&window_update(1, 0));
        s.feed(&headers(3, STATUS_200, END_HEADERS | END_STREAM));
        let events = s.events();
        assert!(events.contains(&Ev::Reset(1, ErrorCode::PROTOCOL_ERROR, Origin::Local)));
        assert!(events.ends_with(&ok(3, true)));
        s.output();
        assert!((0..4).all(|slot| s.conn.is_free(slot)));
        let _ = victim;
    });
}

#[test]
fn the_security_policy_names_the_default_budgets() {
    let policy = include_str!("../../../../SECURITY.md");
    // Name, what it counts, and one or two figures, of each row of a table.
    let row = |name: &str| {
        let begin = format!("| `{name}` |");
        let row = policy.lines().find(|line| line.starts_with(&begin));
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().replace(',', "")).collect();
        cells[3..cells.len() - 1].to_vec()
    };
    let Config {
        budgets: default,
        max_header_list_size,
        ..
    } = Config::default();
    for (name, budget) in [
        ("peer_resets", default.peer_resets),
        ("glitches", default.glitches),
        ("pings", default.pings),
        ("settings", default.settings),
        ("control", default.control),
        ("discarded", default.discarded),
    ] {
        let wanted = [budget.burst.to_string(), budget.per_second.to_string()];
        assert_eq!(row(name), wanted, "{name}");
    }
    for (name, bound) in [
        ("continuations", u32::from(default.continuations)),
        ("header_block_size", default.header_block_size),
        ("max_header_list_size", max_header_list_size),
    ] {
        assert_eq!(row(name), [bound.to_string()], "{name}");
    }
    assert_eq!(
        default.data_overhead, 0,
        "of which the policy says what it stands for"
    );
}
