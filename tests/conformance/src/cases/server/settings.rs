//! SETTINGS. Spec: RFC 9113 section 6.5.

use crate::peer::Client;
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

pub(super) const CASES: &[Case<Client>] = &[
    Case {
        name: "settings/acknowledgement_with_a_payload_is_a_frame_size_error",
        run: ack_with_payload,
    },
    Case {
        name: "settings/unknown_identifiers_are_ignored",
        run: unknown_identifiers,
    },
];

// Spec: RFC 9113 section 6.5
fn ack_with_payload(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::frame(wire::SETTINGS, wire::ACK, 0, &[0]));
    client.expect_connection_error(1, code::FRAME_SIZE_ERROR)
}

// Spec: RFC 9113 section 6.5.2
fn unknown_identifiers(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    client.send(&wire::settings(&[(0xfff, 7)]));
    let frames = client.look();
    crate::suite::check(
        matches!(&frames[..], [ack] if ack.kind == wire::SETTINGS && ack.flags == wire::ACK),
        || format!("the acknowledgement expected, not {frames:?}"),
    )?;
    client.expect_alive()
}
