//! Which of our cases restate those of h2specd (v2.2.1), and ask for more: the exact frame, code, last stream, and that
//! everything else lives on. An identifier is the section of its group and the number in it.

use crate::cases::assert_restated;

/// Pairs of h2specd's case and ours. A case of ours may stand for several.
const RESTATED: [(&str, &str); 57] = [
    ("1/1", "preface/the_servers_settings_are_acknowledged"),
    ("4.1/1", "framing/a_frame_of_unknown_type_is_ignored"),
    ("4.1/2", "framing/undefined_flags_of_ping_are_ignored"),
    ("4.1/3", "framing/the_reserved_bit_is_ignored"),
    (
        "4.2/1",
        "framing/data_of_16384_octets_offends_the_window_and_not_the_size",
    ),
    (
        "4.2/2",
        "framing/data_larger_than_the_maximum_is_a_frame_size_error_of_its_stream",
    ),
    (
        "4.2/3",
        "framing/headers_larger_than_the_maximum_are_a_frame_size_error",
    ),
    ("4.3/1", "field_block/that_does_not_decode_is_a_compression_error"),
    ("5.1/1", "states/data_on_an_idle_stream_is_a_protocol_error"),
    ("5.1/2", "states/rst_stream_on_an_idle_stream_is_a_protocol_error"),
    (
        "5.1/3",
        "states/window_update_on_an_idle_stream_is_a_protocol_error",
    ),
    (
        "5.1/4",
        "states/continuation_on_an_idle_stream_is_a_protocol_error",
    ),
    ("5.1/5", "states/data_after_the_servers_rst_stream_is_dropped"),
    ("5.1/6", "states/headers_after_the_servers_rst_stream_are_dropped"),
    (
        "5.1/7",
        "states/continuation_after_the_servers_rst_stream_is_a_protocol_error",
    ),
    ("5.1/8", "states/data_after_end_stream_is_dropped"),
    ("5.1/9", "states/headers_after_end_stream_are_dropped"),
    (
        "5.1/10",
        "states/continuation_after_end_stream_is_a_protocol_error",
    ),
    ("5.1.1/1", "states/headers_on_an_idle_stream_are_a_protocol_error"),
    ("5.4.1/1", "states/an_invalid_ping_closes_the_connection"),
    ("5.4.1/2", "states/an_invalid_ping_is_told_by_goaway"),
    ("5.5/1", "framing/unknown_types_are_ignored_on_every_stream"),
    ("6.1/1", "data/on_stream_0_is_a_protocol_error"),
    ("6.1/2", "states/data_on_a_stream_that_is_over_is_dropped"),
    (
        "6.1/3",
        "data/with_padding_as_long_as_the_payload_is_a_protocol_error",
    ),
    ("6.2/1", "field_block/priority_inside_is_a_protocol_error"),
    ("6.2/2", "headers/on_stream_0_are_a_protocol_error"),
    (
        "6.2/3",
        "headers/with_padding_longer_than_the_payload_are_a_protocol_error",
    ),
    ("6.3/1", "priority/on_stream_0_is_a_protocol_error"),
    (
        "6.3/2",
        "priority/of_another_length_than_5_is_a_frame_size_error_of_its_stream",
    ),
    ("6.4/1", "rst_stream/on_stream_0_is_a_protocol_error"),
    ("6.4/2", "rst_stream/on_an_idle_stream_is_a_protocol_error"),
    (
        "6.4/3",
        "rst_stream/of_another_length_than_4_is_a_frame_size_error",
    ),
    (
        "6.5/1",
        "settings/acknowledgement_with_a_payload_is_a_frame_size_error",
    ),
    ("6.5/2", "settings/on_a_stream_are_a_protocol_error"),
    (
        "6.5/3",
        "settings/of_a_length_that_is_no_multiple_of_6_are_a_frame_size_error",
    ),
    (
        "6.5.2/1",
        "settings/an_initial_window_above_the_maximum_is_a_flow_control_error",
    ),
    (
        "6.5.2/2",
        "settings/a_maximum_frame_size_below_16384_is_a_protocol_error",
    ),
    (
        "6.5.2/3",
        "settings/a_maximum_frame_size_above_its_maximum_is_a_protocol_error",
    ),
    ("6.5.2/4", "settings/unknown_identifiers_are_ignored"),
    ("6.5.3/1", "settings/are_acknowledged_at_once_each"),
    ("6.7/1", "ping/is_answered_with_its_octets"),
    ("6.7/2", "ping/with_ack_is_not_answered"),
    ("6.7/3", "ping/on_a_stream_is_a_protocol_error"),
    ("6.7/4", "ping/of_another_length_than_8_is_a_frame_size_error"),
    ("6.8/1", "goaway/on_a_stream_is_a_protocol_error"),
    (
        "6.9/1",
        "flow_control/an_increment_of_0_on_the_connection_is_a_protocol_error",
    ),
    (
        "6.9/2",
        "flow_control/an_increment_of_0_on_a_stream_is_a_protocol_error_of_the_stream",
    ),
    (
        "6.9/3",
        "flow_control/window_update_of_another_length_than_4_is_a_frame_size_error",
    ),
    (
        "6.9.1/1",
        "flow_control/the_connections_window_above_its_maximum_is_a_flow_control_error",
    ),
    (
        "6.9.1/2",
        "flow_control/a_streams_window_above_its_maximum_is_a_flow_control_error_of_the_stream",
    ),
    ("6.10/1", "field_block/in_many_continuation_frames_is_taken"),
    ("6.10/2", "field_block/data_inside_is_a_protocol_error"),
    (
        "6.10/3",
        "field_block/continuation_on_stream_0_is_a_protocol_error",
    ),
    (
        "6.10/4",
        "field_block/continuation_after_end_headers_is_a_protocol_error",
    ),
    (
        "6.10/5",
        "field_block/continuation_after_the_last_continuation_is_a_protocol_error",
    ),
    ("6.10/6", "field_block/data_inside_is_a_protocol_error"),
];

/// h2specd's groups, and how many cases each has.
const GROUPS: [(&str, usize); 20] = [
    ("1", 1),
    ("4.1", 3),
    ("4.2", 3),
    ("4.3", 1),
    ("5.1", 10),
    ("5.1.1", 1),
    ("5.4.1", 2),
    ("5.5", 1),
    ("6.1", 3),
    ("6.2", 3),
    ("6.3", 2),
    ("6.4", 3),
    ("6.5", 3),
    ("6.5.2", 4),
    ("6.5.3", 1),
    ("6.7", 4),
    ("6.8", 1),
    ("6.9", 3),
    ("6.9.1", 2),
    ("6.10", 6),
];

#[test]
fn each_case_of_h2specd_is_restated_by_a_case_that_exists() {
    assert_restated(&GROUPS, &RESTATED, &crate::cases::for_clients());
}
