//! SETTINGS. Spec: RFC 9113 section 6.5.

use super::with_call;
use crate::endpoint::Call;
use crate::peer::Server;
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new(
        "settings/acknowledgement_with_a_payload_is_a_frame_size_error",
        ack_with_payload,
    ),
    Case::new("settings/on_a_stream_are_a_protocol_error", on_stream),
    Case::new(
        "settings/of_a_length_that_is_no_multiple_of_6_are_a_frame_size_error",
        length,
    ),
    Case::new(
        "settings/an_initial_window_above_the_maximum_is_a_flow_control_error",
        window_too_large,
    ),
    Case::new(
        "settings/a_maximum_frame_size_below_16384_is_a_protocol_error",
        frame_size_too_small,
    ),
    Case::new(
        "settings/a_maximum_frame_size_above_its_maximum_is_a_protocol_error",
        frame_size_too_large,
    ),
    Case::new("settings/extreme_values_are_taken", extremes),
    Case::new("settings/unknown_identifiers_are_ignored", unknown_identifiers),
    Case::new(
        "settings/enable_push_of_a_server_is_a_protocol_error",
        enable_push,
    ),
    Case::new("settings/enable_push_of_0_is_taken", enable_push_0),
    Case::new("settings/are_acknowledged_at_once_each", acknowledged),
    Case::new("settings/of_no_entries_are_acknowledged", empty),
    Case::new(
        "settings/acknowledgements_nobody_asked_for_are_ignored",
        unsolicited_acks,
    ),
    Case::new(
        "settings/a_bad_value_behind_good_ones_is_still_an_error",
        bad_value_last,
    ),
];

const ENABLE_PUSH: u16 = 2;
const WINDOW: u16 = 4;
const FRAME_SIZE: u16 = 5;

fn fails(server: &mut Server, octets: &[u8], code: u32) -> Verdict {
    if server.client.connections() == 0 {
        server.open()?;
    }
    server.send(octets);
    server.expect_connection_error(code)
}

/// These settings are acknowledged by one frame, and no other comes.
fn taken(server: &mut Server, settings: &[(u16, u32)]) -> Verdict {
    server.send(&wire::settings(settings));
    let frames = server.look();
    let exact = matches!(&frames[..], [ack] if ack.kind == wire::SETTINGS
        && ack.flags == wire::ACK && ack.stream == 0 && ack.payload.is_empty());
    check(exact, || {
        format!("one acknowledgement of {settings:?}, not {frames:?}")
    })
}

// Spec: h2-6.5-ack-payload
fn ack_with_payload(server: &mut Server) -> Verdict {
    fails(
        server,
        &wire::frame(wire::SETTINGS, wire::ACK, 0, &[0]),
        code::FRAME_SIZE_ERROR,
    )?;
    fails(
        server,
        &wire::frame(wire::SETTINGS, wire::ACK, 0, &[0, 3, 0, 0, 0, 1]),
        code::FRAME_SIZE_ERROR,
    )
}

// Spec: h2-6.5-stream
fn on_stream(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    for stream in [request.stream, 1, 99, 2] {
        let entry = [0, 3, 0, 0, 0, 100];
        fails(
            server,
            &wire::frame(wire::SETTINGS, 0, stream, &entry),
            code::PROTOCOL_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.5-length
fn length(server: &mut Server) -> Verdict {
    for len in [1, 3, 5, 7, 11] {
        fails(
            server,
            &wire::frame(wire::SETTINGS, 0, 0, &vec![0; len]),
            code::FRAME_SIZE_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.5.2-initial-window-size
fn window_too_large(server: &mut Server) -> Verdict {
    for value in [0x8000_0000, u32::MAX] {
        fails(
            server,
            &wire::settings(&[(WINDOW, value)]),
            code::FLOW_CONTROL_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.5.2-max-frame-size
fn frame_size_too_small(server: &mut Server) -> Verdict {
    for value in [0, 16_383] {
        fails(
            server,
            &wire::settings(&[(FRAME_SIZE, value)]),
            code::PROTOCOL_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.5.2-max-frame-size
fn frame_size_too_large(server: &mut Server) -> Verdict {
    for value in [0x0100_0000, u32::MAX] {
        fails(
            server,
            &wire::settings(&[(FRAME_SIZE, value)]),
            code::PROTOCOL_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.5.2-max-frame-size, h2-6.5.2-initial-window-size
fn extremes(server: &mut Server) -> Verdict {
    server.open()?;
    for settings in [
        [(FRAME_SIZE, 16_384), (WINDOW, 0x7fff_ffff)],
        [(FRAME_SIZE, 0x00ff_ffff), (WINDOW, 65_535)],
        [(1, 0), (6, u32::MAX)],
        [(1, u32::MAX), (3, u32::MAX)],
    ] {
        taken(server, &settings)?;
        server.expect_call()?;
    }
    server.expect_alive()
}

// Spec: h2-6.5.2-unknown-id
fn unknown_identifiers(server: &mut Server) -> Verdict {
    server.open()?;
    taken(server, &[(0xff, 7), (0, 1), (0xffff, u32::MAX), (0x10, 0)])?;
    server.expect_alive()
}

// Spec: h2-6.5.2-push-from-server, h2-6.5.2-enable-push-value
fn enable_push(server: &mut Server) -> Verdict {
    for value in [1, 2, u32::MAX] {
        fails(
            server,
            &wire::settings(&[(ENABLE_PUSH, value)]),
            code::PROTOCOL_ERROR,
        )?;
    }
    Ok(())
}

// Spec: h2-6.5.2-enable-push-value
fn enable_push_0(server: &mut Server) -> Verdict {
    server.open()?;
    taken(server, &[(ENABLE_PUSH, 0)])?;
    server.expect_alive()
}

// Spec: h2-6.5.3-ack
fn acknowledged(server: &mut Server) -> Verdict {
    server.open()?;
    let request = server.request(Call::Unary(3))?;
    for value in [1, 0, 3, 100] {
        taken(server, &[(3, value)])?;
    }
    let three = [wire::settings(&[]), wire::settings(&[]), wire::settings(&[])];
    server.send(&three.concat());
    let frames = server.look();
    let acks = frames
        .iter()
        .filter(|frame| frame.kind == wire::SETTINGS && frame.flags == wire::ACK);
    check(acks.count() == 3 && frames.len() == 3, || {
        format!("three acknowledgements, not {frames:?}")
    })?;
    server.respond(request.stream, b"still");
    server.expect_outcome(request.call, 0, b"still")?;
    server.expect_ignored()
}

// Spec: h2-6.5.3-ack
fn empty(server: &mut Server) -> Verdict {
    server.open()?;
    taken(server, &[])?;
    server.expect_alive()
}

// Spec: threat-37
fn unsolicited_acks(server: &mut Server) -> Verdict {
    server.open()?;
    for _ in 0..5 {
        server.send(&wire::settings_ack());
    }
    server.expect_ignored()
}

// Spec: h2-6.5.3-order, h2-6.5.2-max-frame-size
fn bad_value_last(server: &mut Server) -> Verdict {
    fails(
        server,
        &wire::settings(&[(3, 5), (WINDOW, 10), (0x77, 1), (FRAME_SIZE, 5)]),
        code::PROTOCOL_ERROR,
    )
}
