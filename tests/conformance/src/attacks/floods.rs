//! Threats 1, 2, 8, 9, 10, 11, 14, 37: frames that cost us a little each, without end.

use rpc_nostd::Budgets;

use crate::attacks::Attack;
use crate::attacks::flood::Flood;
use crate::attacks::restored::opened_and_reset;
use crate::peer::request_with;
use crate::suite::Verdict;
use crate::wire;

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_01_rapid_reset/server",
        run: rapid_reset,
    },
    Attack {
        name: "threat_02_frames_that_make_us_reset/server",
        run: made_you_reset,
    },
    // Spec: threat-08
    Attack {
        name: "threat_08_ping_flood/server",
        run: || PINGS.against_a_server(),
    },
    // Spec: threat-08
    Attack {
        name: "threat_08_ping_flood/client",
        run: || PINGS.against_a_client(),
    },
    // Spec: threat-09
    Attack {
        name: "threat_09_priority_storm/server",
        run: || PRIORITIES.against_a_server(),
    },
    // Spec: threat-09
    Attack {
        name: "threat_09_priority_storm/client",
        run: || PRIORITIES.against_a_client(),
    },
    Attack {
        name: "threat_10_invalid_requests/server",
        run: invalid_requests,
    },
    // Spec: threat-11
    Attack {
        name: "threat_11_settings_flood/server",
        run: || SETTINGS.against_a_server(),
    },
    // Spec: threat-11
    Attack {
        name: "threat_11_settings_flood/client",
        run: || SETTINGS.against_a_client(),
    },
    Attack {
        name: "threat_14_empty_data/server",
        run: empty_data,
    },
    Attack {
        name: "threat_37_acknowledgements_nobody_asked_for/server",
        run: unsolicited_on_server,
    },
    Attack {
        name: "threat_37_acknowledgements_nobody_asked_for/client",
        run: unsolicited_on_client,
    },
    Attack {
        name: "threat_07_window_updates_nobody_needs/server",
        run: updates_on_server,
    },
    Attack {
        name: "threat_07_window_updates_nobody_needs/client",
        run: updates_on_client,
    },
];

/// The stream of a round, where each has its own.
fn stream(round: u32) -> u32 {
    3 + 2 * round
}

/// The last of them.
fn last_stream(rounds: u32) -> u32 {
    stream(rounds - 1)
}

const GLITCHES: Flood = Flood {
    round: |_| Vec::new(),
    allowed: 100,
    last: last_stream,
    budget: |budgets: &mut Budgets| &mut budgets.glitches,
    reason: "too many errors of the peer",
};

const PINGS: Flood = Flood {
    round: |round| wire::ping(u64::from(round).to_be_bytes()),
    allowed: 100,
    last: |_| 1,
    budget: |budgets| &mut budgets.pings,
    reason: "flood of PING frames",
};

const CONTROL: Flood = Flood {
    round: |_| Vec::new(),
    allowed: 200,
    last: |_| 1,
    budget: |budgets| &mut budgets.control,
    reason: "flood of control frames",
};

/// A tree that is turned over with each frame, in circles, of streams that nobody has opened.
const PRIORITIES: Flood = Flood {
    round: |round| wire::priority(10_001 + 2 * (round % 50), 10_001 + 2 * ((round + 7) % 50)),
    ..CONTROL
};

const SETTINGS: Flood = Flood {
    round: |round| wire::settings(&[(3, 100), (4, 65_535 + round % 2), (0x99, 1)]),
    allowed: 100,
    last: |_| 1,
    budget: |budgets| &mut budgets.settings,
    reason: "flood of SETTINGS",
};

// Spec: threat-01
fn rapid_reset() -> Verdict {
    let flood = Flood {
        round: |round| opened_and_reset(stream(round)),
        allowed: 100,
        last: last_stream,
        budget: |budgets| &mut budgets.peer_resets,
        reason: "peer opens and resets streams",
    };
    flood.against_a_server()
}

/// A sound request, and a fault of this kind on its stream.
fn opened_and(round: u32, fault: fn(u32) -> Vec<u8>) -> Vec<u8> {
    let request = wire::headers(stream(round), &request_with(&[]), 0);
    [request, fault(stream(round))].concat()
}

// Spec: threat-02
fn made_you_reset() -> Verdict {
    let faults: [fn(u32) -> Vec<u8>; 6] = [
        |round| opened_and(round, |stream| wire::window_update(stream, 0)),
        |round| opened_and(round, |stream| wire::window_update(stream, 0x7fff_ffff)),
        |round| opened_and(round, |stream| wire::priority(stream, stream)),
        |round| opened_and(round, |stream| wire::frame(wire::PRIORITY, 0, stream, &[0; 4])),
        |round| {
            opened_and(round, |stream| {
                wire::headers(stream, &[("trailer", "that ends nothing")], 0)
            })
        },
        |round| {
            opened_and(round, |stream| {
                [
                    wire::data(stream, b"\0", wire::END_STREAM),
                    wire::data(stream, b"x", 0),
                ]
                .concat()
            })
        },
    ];
    for round in faults {
        Flood { round, ..GLITCHES }.against_a_server()?;
    }
    Ok(())
}

// Spec: threat-10
fn invalid_requests() -> Verdict {
    let requests: [fn(u32) -> Vec<u8>; 3] = [
        |round| wire::headers(stream(round), &request_with(&[("Upper", "case")]), 0),
        |round| wire::headers(stream(round), &[("no", "pseudo-header fields")], wire::END_STREAM),
        |round| wire::headers(stream(round), &request_with(&[("connection", "close")]), 0),
    ];
    for round in requests {
        Flood { round, ..GLITCHES }.against_a_server()?;
    }
    Ok(())
}

// Spec: threat-14
fn empty_data() -> Verdict {
    let flood = Flood {
        round: |_| wire::data(1, &[], 0),
        last: |_| 1,
        ..GLITCHES
    };
    flood.against_a_server()?;
    // Nothing but padding: that uses the window, and cannot go on for long.
    let padded = Flood {
        round: |_| wire::padded_data(1, &[], 0, 0),
        ..flood
    };
    padded.server_within()?;
    padded.server_over()
}

fn unsolicited() -> [Flood; 3] {
    let pong = |_| wire::frame(wire::PING, wire::ACK, 0, b"not ours");
    [
        Flood { round: pong, ..PINGS },
        Flood {
            round: |_| wire::settings_ack(),
            ..CONTROL
        },
        Flood {
            round: |round| wire::frame(0x40 | round as u8, 0xff, round, b"unknown"),
            ..CONTROL
        },
    ]
}

// Spec: threat-37
fn unsolicited_on_server() -> Verdict {
    unsolicited().iter().try_for_each(Flood::against_a_server)
}

// Spec: threat-37
fn unsolicited_on_client() -> Verdict {
    unsolicited().iter().try_for_each(Flood::against_a_client)
}

fn updates() -> [Flood; 2] {
    [
        Flood {
            round: |_| wire::window_update(0, 1),
            ..CONTROL
        },
        Flood {
            round: |_| wire::window_update(1, 1),
            ..CONTROL
        },
    ]
}

// Spec: threat-07
fn updates_on_server() -> Verdict {
    updates().iter().try_for_each(Flood::against_a_server)
}

// Spec: threat-07
fn updates_on_client() -> Verdict {
    updates().iter().try_for_each(Flood::against_a_client)
}
