//! Our server with one thing wrong: what a suite must notice that looks at more than whether a connection ends.

use crate::endpoint::{Endpoint, Server, Work};
use crate::ours::OurServer;
use crate::wire::{self, Frame, FrameReader, code};

/// The one thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing: to show that what is found is found by the flaw.
    None,
    /// Each GOAWAY says PROTOCOL_ERROR.
    GoAwayCodeIsLost,
    /// Each GOAWAY names stream 0.
    LastStreamIsZero,
    /// Each GOAWAY names two more than the last stream.
    LastStreamIsTooHigh,
    /// Each GOAWAY is sent twice.
    GoAwayIsRepeated,
    /// The transport stays open after GOAWAY.
    NeverCloses,
    /// Each RST_STREAM says PROTOCOL_ERROR.
    ResetCodeIsLost,
    /// Each stream error is one of the connection.
    ResetBecomesGoAway,
    /// No RST_STREAM is sent.
    ResetIsSwallowed,
    /// Each RST_STREAM is sent twice.
    ResetIsRepeated,
    /// After a stream error no other stream gets anything.
    ResetStallsOthers,
    /// Acknowledgements of PING are all zeros.
    PingPayloadIsLost,
    /// Acknowledgements of PING are acknowledged.
    PingAckIsAnswered,
    /// SETTINGS are not acknowledged.
    SettingsAreNotAcknowledged,
    /// SETTINGS are acknowledged and not applied.
    SettingsAreNotApplied,
    /// No credit is given.
    CreditIsNotGiven,
    /// Twice the credit is given.
    CreditIsDoubled,
    /// Credit is not used.
    CreditIsNotUsed,
    /// RST_STREAM is not obeyed.
    ResetIsNotObeyed,
    /// Handlers are never dropped before they end.
    HandlersAreLeaked,
    /// An empty frame comes before each frame of DATA.
    DataIsPrecededByNothing,
    /// The prefix of a message has a frame of its own.
    DataIsCutAtThePrefix,
    /// Frames of unknown types are taken everywhere.
    UnknownIsTakenInsideBlocks,
    /// PRIORITY is taken, whatever it says and wherever it stands.
    PriorityIsNotChecked,
    /// CONTINUATION of any stream is taken for that of the open block.
    ContinuationIsOfAnyStream,
}

/// All flaws, and cases that must notice them, by name.
#[rustfmt::skip]
pub const FLAWS: [(Flaw, &[&str]); 25] = [
    (Flaw::None, &[]),
    (Flaw::GoAwayCodeIsLost, &[
        "settings/acknowledgement_with_a_payload_is_a_frame_size_error",
        "settings/initial_window_size_above_the_largest_window_is_a_flow_control_error",
        "states/data_on_a_completed_stream_is_stream_closed",
        "hpack_errors/index_0_is_a_compression_error",
        "goaway/a_graceful_end_names_the_last_stream_after_the_round_trip",
        "preface/settings_that_do_not_come_in_time_are_a_settings_timeout",
    ]),
    (Flaw::LastStreamIsZero, &[
        "states/data_on_an_idle_stream_is_a_protocol_error",
        "blocks/priority_inside_a_block_is_a_protocol_error",
        "goaway/a_graceful_end_begins_with_the_highest_identifier_and_a_ping",
        "goaway/an_error_after_a_graceful_end_does_not_raise_the_last_stream",
    ]),
    (Flaw::LastStreamIsTooHigh, &[
        "preface/a_wrong_octet_anywhere_is_a_protocol_error",
        "states/data_on_an_idle_stream_is_a_protocol_error",
        "frames/headers_of_16385_octets_are_a_frame_size_error_of_the_connection",
        "goaway/a_graceful_end_names_the_last_stream_after_the_round_trip",
    ]),
    (Flaw::GoAwayIsRepeated, &[
        "ping/of_another_length_than_8_is_a_frame_size_error",
        "goaway/a_graceful_end_begins_with_the_highest_identifier_and_a_ping",
    ]),
    (Flaw::NeverCloses, &[
        "ping/of_another_length_than_8_is_a_frame_size_error",
        "goaway/a_graceful_end_lets_calls_complete_and_closes",
        "goaway/of_the_client_lets_its_calls_complete_and_then_ends_the_connection",
        "calls/a_client_that_answers_no_ping_is_lost",
    ]),
    (Flaw::ResetCodeIsLost, &[
        "states/data_on_a_half_closed_stream_resets_it",
        "streams/one_above_the_limit_is_refused",
        "priority/of_another_length_than_5_resets_an_open_stream",
        "send_window/a_streams_window_may_be_the_largest_and_no_larger",
        "receive_window/of_a_stream_takes_what_it_says_and_not_one_octet_more",
        "answers/trailers_before_the_end_of_the_request_are_followed_by_no_error",
        "calls/a_deadline_drops_the_handler_and_resets_the_stream",
    ]),
    (Flaw::ResetBecomesGoAway, &[
        "fields/an_upper_case_name_is_malformed",
        "pseudo/without_method_is_malformed",
        "states/data_on_a_half_closed_stream_resets_it",
        "frames/data_of_16385_octets_resets_its_stream",
        "content_length/that_differs_from_one_frame_is_malformed",
        "answers/trailers_before_the_end_of_the_request_are_followed_by_no_error",
    ]),
    (Flaw::ResetIsSwallowed, &[
        "fields/te_other_than_trailers_is_malformed",
        "streams/one_above_the_limit_is_refused",
        "answers/trailers_before_the_end_of_the_request_are_followed_by_no_error",
        "answers/a_client_that_does_not_end_what_is_not_grpc_is_told_to_stop_after_a_second",
        "calls/a_deadline_drops_the_handler_and_resets_the_stream",
    ]),
    (Flaw::ResetIsRepeated, &[
        "fields/an_upper_case_name_is_malformed",
        "streams/one_above_the_limit_is_refused",
    ]),
    (Flaw::ResetStallsOthers, &[
        "fields/te_other_than_trailers_is_malformed",
        "states/what_was_on_its_way_to_a_stream_that_the_server_reset_is_dropped",
        "streams/one_above_the_limit_is_refused",
        "answers/trailers_before_the_end_of_the_request_are_followed_by_no_error",
        "calls/a_deadline_drops_the_handler_and_resets_the_stream",
    ]),
    (Flaw::PingPayloadIsLost, &[
        "ping/is_answered_with_the_same_octets",
        "ping/several_at_once_are_all_answered_in_order",
    ]),
    (Flaw::PingAckIsAnswered, &[
        "ping/an_acknowledgement_is_never_answered",
        "goaway/a_graceful_end_names_the_last_stream_after_the_round_trip",
        "calls/a_client_that_answers_pings_is_kept",
    ]),
    (Flaw::SettingsAreNotAcknowledged, &[
        "preface/settings_come_first_then_the_acknowledgement",
        "settings/are_acknowledged_at_once",
    ]),
    (Flaw::SettingsAreNotApplied, &[
        "settings/the_last_of_several_values_holds",
        "settings/the_first_response_obeys_a_header_table_of_0",
        "settings/a_smaller_header_table_is_announced_in_the_next_block",
        "send_window/a_negative_window_is_silent_until_it_is_positive",
        "send_window/a_change_shifts_the_windows_of_all_streams",
    ]),
    (Flaw::CreditIsNotGiven, &[
        "receive_window/credit_lets_a_client_send_for_ever_in_worthwhile_amounts",
        "receive_window/credit_comes_when_the_rest_of_a_message_needs_it",
        "receive_window/padding_is_credited",
        "receive_window/data_on_a_reset_stream_is_credited_to_the_connection",
        "receive_window/data_that_nobody_read_is_credited_to_the_connection",
        "goaway/data_of_streams_above_the_last_is_credited",
    ]),
    (Flaw::CreditIsDoubled, &[
        "receive_window/credit_lets_a_client_send_for_ever_in_worthwhile_amounts",
    ]),
    (Flaw::CreditIsNotUsed, &[
        "states/half_closed_stream_takes_window_updates",
        "send_window/octets_of_credit_one_by_one_send_it_all",
        "send_window/the_connections_window_may_be_the_largest_and_no_larger",
    ]),
    (Flaw::ResetIsNotObeyed, &[
        "states/half_closed_stream_takes_rst_stream",
        "rst_stream/drops_the_handler_and_has_no_answer",
        "streams/each_way_to_end_a_stream_makes_room_for_another",
    ]),
    (Flaw::HandlersAreLeaked, &[
        "rst_stream/drops_the_handler_and_has_no_answer",
        "ping/of_another_length_than_8_is_a_frame_size_error",
        "calls/a_lost_connection_drops_all_handlers",
        "calls/a_deadline_drops_the_handler_and_resets_the_stream",
    ]),
    (Flaw::DataIsPrecededByNothing, &[
        "calls/a_small_answer_is_headers_one_data_frame_and_trailers",
        "send_window/one_octet_of_credit_sends_one_octet",
    ]),
    (Flaw::DataIsCutAtThePrefix, &[
        "calls/a_small_answer_is_headers_one_data_frame_and_trailers",
        "calls/several_requests_in_one_frame_are_all_answered",
    ]),
    (Flaw::UnknownIsTakenInsideBlocks, &[
        "blocks/an_unknown_frame_inside_a_block_is_a_protocol_error",
        "blocks/any_frame_of_any_stream_inside_a_block_is_a_protocol_error",
        "preface/a_first_frame_other_than_settings_is_a_protocol_error",
    ]),
    (Flaw::PriorityIsNotChecked, &[
        "blocks/priority_inside_a_block_is_a_protocol_error",
        "priority/on_stream_0_is_a_protocol_error",
        "priority/of_another_length_than_5_resets_an_open_stream",
        "priority/of_a_stream_on_itself_resets_the_stream",
    ]),
    (Flaw::ContinuationIsOfAnyStream, &[
        "blocks/continuation_of_another_stream_is_a_protocol_error",
        "blocks/continuation_on_stream_0_is_a_protocol_error",
    ]),
];

/// Our server, and what is wrong with it.
#[derive(Debug)]
pub struct Mutant {
    flaw: Flaw,
    server: OurServer,
    preface_left: usize,
    heard: FrameReader,
    said: FrameReader,
    /// The stream of the newest HEADERS that came.
    block: u32,
    /// What goes out beside the server's own frames.
    out: Vec<u8>,
    stalled: bool,
    closed: bool,
    most_handlers: usize,
}

impl Mutant {
    /// An ordinary server with this flaw.
    #[must_use]
    pub fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            server: OurServer::default(),
            preface_left: wire::PREFACE.len(),
            heard: FrameReader::default(),
            said: FrameReader::default(),
            block: 0,
            out: Vec::new(),
            stalled: false,
            closed: false,
            most_handlers: 0,
        }
    }

    /// True if frames reach the server only when they are whole, one by one.
    fn hears_frames(&self) -> bool {
        matches!(
            self.flaw,
            Flaw::CreditIsNotUsed
                | Flaw::ResetIsNotObeyed
                | Flaw::PriorityIsNotChecked
                | Flaw::UnknownIsTakenInsideBlocks
                | Flaw::SettingsAreNotApplied
                | Flaw::PingAckIsAnswered
                | Flaw::ContinuationIsOfAnyStream
        )
    }

    /// What the server gets to see of a frame.
    fn hear(&mut self, frame: &Frame) -> Vec<u8> {
        let same = wire::frame(frame.kind, frame.flags, frame.stream, &frame.payload);
        let ack = frame.has(wire::ACK);
        match (self.flaw, frame.kind) {
            (Flaw::CreditIsNotUsed, wire::WINDOW_UPDATE)
            | (Flaw::ResetIsNotObeyed, wire::RST_STREAM)
            | (Flaw::PriorityIsNotChecked, wire::PRIORITY)
            | (Flaw::UnknownIsTakenInsideBlocks, 0x0a..) => Vec::new(),
            (Flaw::SettingsAreNotApplied, wire::SETTINGS) if !ack => wire::settings(&[]),
            (Flaw::PingAckIsAnswered, wire::PING) if ack => {
                self.out.extend(&same);
                same
            }
            (Flaw::ContinuationIsOfAnyStream, wire::HEADERS) => {
                self.block = frame.stream;
                same
            }
            (Flaw::ContinuationIsOfAnyStream, wire::CONTINUATION) => {
                wire::continuation(self.block, &frame.payload, frame.flags)
            }
            _ => same,
        }
    }

    /// What goes out instead of a frame.
    fn say(&mut self, mut frame: Frame) -> Vec<u8> {
        let twice = |frame: &Frame| frame.encoded().repeat(2);
        match (self.flaw, frame.kind) {
            _ if self.closed => return Vec::new(),
            (Flaw::GoAwayCodeIsLost, wire::GOAWAY) => frame.put_u32(4, code::PROTOCOL_ERROR),
            (Flaw::LastStreamIsZero, wire::GOAWAY) => frame.put_u32(0, 0),
            (Flaw::LastStreamIsTooHigh, wire::GOAWAY) => {
                let last = frame.u32_at(0).unwrap_or_default();
                frame.put_u32(0, last.saturating_add(2).min(0x7fff_ffff));
            }
            (Flaw::ResetCodeIsLost, wire::RST_STREAM) => frame.put_u32(0, code::PROTOCOL_ERROR),
            (Flaw::ResetBecomesGoAway, wire::RST_STREAM) => {
                self.closed = true;
                self.server.hang_up();
                return wire::goaway(frame.stream, frame.u32_at(0).unwrap_or_default());
            }
            (Flaw::GoAwayIsRepeated, wire::GOAWAY) | (Flaw::ResetIsRepeated, wire::RST_STREAM) => {
                return twice(&frame);
            }
            (Flaw::ResetIsSwallowed, wire::RST_STREAM) | (Flaw::CreditIsNotGiven, wire::WINDOW_UPDATE) => {
                return Vec::new();
            }
            (Flaw::ResetStallsOthers, wire::RST_STREAM) => self.stalled = true,
            (Flaw::ResetStallsOthers, wire::DATA | wire::HEADERS) if self.stalled => return Vec::new(),
            (Flaw::PingPayloadIsLost, wire::PING) if frame.has(wire::ACK) => frame.payload.fill(0),
            (Flaw::SettingsAreNotAcknowledged, wire::SETTINGS) if frame.has(wire::ACK) => return Vec::new(),
            (Flaw::CreditIsDoubled, wire::WINDOW_UPDATE) => {
                let octets = frame.u32_at(0).unwrap_or_default();
                frame.put_u32(0, octets * 2);
            }
            (Flaw::DataIsPrecededByNothing, wire::DATA) => {
                return [wire::data(frame.stream, &[], 0), frame.encoded()].concat();
            }
            (Flaw::DataIsCutAtThePrefix, wire::DATA) if frame.payload.len() > 5 => {
                let (prefix, rest) = frame.payload.split_at(5);
                return [
                    wire::data(frame.stream, prefix, 0),
                    wire::data(frame.stream, rest, frame.flags),
                ]
                .concat();
            }
            _ => {}
        }
        frame.encoded()
    }
}

impl Endpoint for Mutant {
    fn send(&mut self, octets: &[u8]) {
        let as_they_come = if self.hears_frames() {
            self.preface_left
        } else {
            octets.len()
        };
        let (octets, frames) = octets.split_at(octets.len().min(as_they_come));
        self.preface_left = self.preface_left.saturating_sub(octets.len());
        if !octets.is_empty() {
            self.server.send(octets);
        }
        for frame in self.heard.push(frames) {
            let heard = self.hear(&frame);
            self.server.send(&heard);
        }
        self.most_handlers = self.most_handlers.max(self.server.handlers());
    }

    fn receive(&mut self) -> Vec<u8> {
        let octets = self.server.receive();
        let mut out = std::mem::take(&mut self.out);
        for frame in self.said.push(&octets) {
            out.extend(self.say(frame));
        }
        out
    }

    fn pass(&mut self, ms: u64) {
        self.server.pass(ms);
    }

    fn hang_up(&mut self) {
        self.server.hang_up();
    }

    fn is_closed(&self) -> bool {
        self.flaw != Flaw::NeverCloses && (self.closed || self.server.is_closed())
    }

    fn set_capacity(&mut self, capacity: Option<usize>) {
        self.server.set_capacity(capacity);
    }

    fn work(&self) -> Work {
        self.server.work()
    }
}

impl Server for Mutant {
    fn handlers(&self) -> usize {
        match self.flaw {
            Flaw::HandlersAreLeaked => self.most_handlers,
            _ => self.server.handlers(),
        }
    }

    fn reconnect(&mut self) {
        *self = Self::new(self.flaw);
    }

    fn shut_down(&mut self) {
        self.server.shut_down();
    }
}
