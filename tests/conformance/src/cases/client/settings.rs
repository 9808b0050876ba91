//! SETTINGS. Spec: RFC 9113 section 6.5.

use crate::endpoint::Call;
use crate::peer::Server;
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case {
        name: "settings/acknowledgement_with_a_payload_is_a_frame_size_error",
        run: ack_with_payload,
    },
    Case {
        name: "settings/data_of_length_zero_window_update_resets_the_stream",
        run: zero_window_update,
    },
];

// Spec: RFC 9113 section 6.5
fn ack_with_payload(server: &mut Server) -> Verdict {
    server.open()?;
    server.send(&wire::frame(wire::SETTINGS, wire::ACK, 0, &[0]));
    server.expect_connection_error(code::FRAME_SIZE_ERROR)
}

// Spec: RFC 9113 section 6.9
fn zero_window_update(server: &mut Server) -> Verdict {
    server.open()?;
    let request = server.request(Call::Unary(3))?;
    server.send(&wire::window_update(request.stream, 0));
    server.expect_stream_error(request, code::PROTOCOL_ERROR, 13)
}
