//! PRIORITY: deprecated, checked, and forgotten. Spec: RFC 9113 sections 5.3 and 6.3; RFC 7540 section 5.3.1.

use crate::cases::server::kit::{
    UNARY, completed, each, echoes, expect_handlers, fails, half_closed, ignores, last_data, resets,
};
use crate::peer::{Client, request};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-6.3-any-state
    Case::new("priority/of_any_weight_dependency_and_exclusiveness_is_taken", any_content),
    // Spec: h2-6.3-any-state, h2-5.1.1-decreasing
    Case::new("priority/on_an_idle_stream_does_not_open_it_or_close_lower_ones", on_idle),
    // Spec: h2-6.3-any-state
    Case::new("priority/on_a_closed_stream_is_taken", on_closed),
    // Spec: h2-6.3-any-state
    Case::new("priority/on_a_stream_of_the_servers_is_taken", on_even),
    // Spec: h2-6.3-stream-0
    Case::new("priority/on_stream_0_is_a_protocol_error", on_stream_0),
    // Spec: h2-6.3-length
    Case::new("priority/of_another_length_than_5_resets_an_open_stream", wrong_length),
    // Spec: h2-6.3-length, h2-6.4-never-on-idle
    Case::new("priority/of_another_length_than_5_on_an_idle_stream_is_a_frame_size_error", wrong_length_on_idle),
    // Spec: h2-6.3-length
    Case::new("priority/of_another_length_than_5_on_a_closed_stream_is_a_frame_size_error", wrong_length_on_closed),
    // Spec: RFC 7540 section 5.3.1
    Case::new("priority/headers_that_depend_on_themselves_reset_the_stream", headers_on_themselves),
    // Spec: RFC 7540 section 5.3.1
    Case::new("priority/of_a_stream_on_itself_resets_the_stream", on_itself),
    // Spec: h2-6.4-never-on-idle
    Case::new("priority/of_an_idle_stream_on_itself_is_a_protocol_error", idle_on_itself),
];

fn any_content(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for weight in [0, 1, 15, 254, 255] {
        for dependency in [0, 3, 5, 0x7fff_ffff, 0x8000_0000, 0x8000_0003] {
            let payload = [&u32::to_be_bytes(dependency)[..], &[weight]].concat();
            client.send(&wire::frame(wire::PRIORITY, 0, 1, &payload));
        }
    }
    client.expect_ignored()
}

fn on_idle(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            wire::priority(stream + 100, stream),
            wire::priority(stream, 0),
            wire::headers(stream, &request(UNARY), 0),
            last_data(stream, b"lower"),
        ]
        .concat()
    };
    echoes(client, octets, b"lower")
}

fn on_closed(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = completed(client)?;
    client.send(&wire::priority(stream, 0));
    client.send(&wire::priority(stream, 1));
    // Nothing can be reset any more.
    client.send(&wire::priority(stream, stream));
    client.expect_ignored()
}

fn on_even(client: &mut Client) -> Verdict {
    ignores(
        client,
        &[wire::priority(2, 0), wire::priority(0x7fff_fffe, 1)].concat(),
    )
}

fn on_stream_0(client: &mut Client) -> Verdict {
    fails(client, &wire::priority(0, 1), code::PROTOCOL_ERROR)
}

fn wrong_length(client: &mut Client) -> Verdict {
    each(client, [0, 4, 6, 16_384], |client, len| {
        client.open_with_innocent()?;
        let stream = half_closed(client)?;
        client.send(&wire::frame(wire::PRIORITY, 0, stream, &vec![0; *len]));
        expect_handlers(client, 1)?;
        client.expect_stream_error(stream, code::FRAME_SIZE_ERROR)
    })
}

fn wrong_length_on_idle(client: &mut Client) -> Verdict {
    // RST_STREAM must not be sent on an idle stream, so the error reaches the connection.
    each(client, [0, 4, 6], |client, len| {
        fails(
            client,
            &wire::frame(wire::PRIORITY, 0, 3, &vec![0; *len]),
            code::FRAME_SIZE_ERROR,
        )
    })
}

fn wrong_length_on_closed(client: &mut Client) -> Verdict {
    // Nothing may be sent on a closed stream, and no time makes the length right.
    client.open_with_innocent()?;
    let stream = completed(client)?;
    client.send(&wire::frame(wire::PRIORITY, 0, stream, &[0; 4]));
    client.expect_connection_error(stream, code::FRAME_SIZE_ERROR)
}

fn headers_on_themselves(client: &mut Client) -> Verdict {
    let octets = |stream: u32| {
        let payload = [&stream.to_be_bytes()[..], &[15], &wire::block(&request(UNARY))].concat();
        wire::frame(
            wire::HEADERS,
            wire::PRIORITY_FLAG | wire::END_HEADERS,
            stream,
            &payload,
        )
    };
    resets(client, octets, code::PROTOCOL_ERROR)
}

fn on_itself(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = half_closed(client)?;
    client.send(&wire::priority(stream, stream));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::PROTOCOL_ERROR)
}

fn idle_on_itself(client: &mut Client) -> Verdict {
    fails(client, &wire::priority(3, 3), code::PROTOCOL_ERROR)
}
