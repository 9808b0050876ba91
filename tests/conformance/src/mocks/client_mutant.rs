//! Our client with one thing wrong, as [`Mutant`](super::Mutant) is our server.

use crate::endpoint::{Call, Client, Endpoint, Outcome, Work};
use crate::ours::OurClient;
use crate::wire::{self, Frame, FrameReader, code};

/// The one thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFlaw {
    /// Nothing: to show that what is found is found by the flaw.
    None,
    /// Each GOAWAY says PROTOCOL_ERROR.
    GoAwayCodeIsLost,
    /// Each GOAWAY is sent twice.
    GoAwayIsRepeated,
    /// The transport stays open after GOAWAY.
    NeverCloses,
    /// Each RST_STREAM says PROTOCOL_ERROR.
    ResetCodeIsLost,
    /// No RST_STREAM is sent.
    ResetIsSwallowed,
    /// Each RST_STREAM is sent twice.
    ResetIsRepeated,
    /// Acknowledgements of PING are all zeros.
    PingPayloadIsLost,
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
    /// GOAWAY is not obeyed.
    GoAwayIsNotObeyed,
    /// PUSH_PROMISE is taken.
    PushIsTaken,
    /// Frames of unknown types are taken everywhere.
    UnknownIsTakenInsideBlocks,
    /// PRIORITY is taken, whatever it says and wherever it stands.
    PriorityIsNotChecked,
    /// HEADERS on streams that are over are forgotten, and not decoded.
    LateBlocksAreNotDecoded,
    /// Every failure is reported as UNKNOWN.
    StatusIsLost,
    /// Failed calls are reported as good.
    FailureIsLost,
}

/// All flaws, and cases that must notice them, by name.
#[rustfmt::skip]
pub const CLIENT_FLAWS: [(ClientFlaw, &[&str]); 21] = [
    (ClientFlaw::None, &[]),
    (ClientFlaw::GoAwayCodeIsLost, &[
        "settings/acknowledgement_with_a_payload_is_a_frame_size_error",
        "settings/an_initial_window_above_the_maximum_is_a_flow_control_error",
        "field_block/index_0_is_a_compression_error",
    ]),
    (ClientFlaw::GoAwayIsRepeated, &["states/data_on_an_idle_stream_is_a_protocol_error"]),
    (ClientFlaw::NeverCloses, &[
        "states/an_invalid_ping_closes_the_connection",
        "states/an_invalid_ping_is_told_by_goaway",
    ]),
    (ClientFlaw::ResetCodeIsLost, &[
        "calls/one_dropped_later_resets_its_stream",
        "framing/data_larger_than_the_maximum_is_a_frame_size_error_of_its_stream",
        "flow_control/data_beyond_the_streams_window_is_a_flow_control_error_of_the_stream",
        "response/that_ends_before_the_request_is_good_and_ends_it",
    ]),
    (ClientFlaw::ResetIsSwallowed, &[
        "response/without_status_is_malformed",
        "calls/a_deadline_resets_the_stream_and_late_trailers_change_nothing",
        "states/frames_on_a_stream_that_the_client_cancelled_are_dropped",
    ]),
    (ClientFlaw::ResetIsRepeated, &["response/trailers_without_end_stream_are_malformed"]),
    (ClientFlaw::PingPayloadIsLost, &["ping/is_answered_with_its_octets"]),
    (ClientFlaw::SettingsAreNotAcknowledged, &["settings/are_acknowledged_at_once_each"]),
    (ClientFlaw::SettingsAreNotApplied, &[
        "flow_control/nothing_is_sent_beyond_a_streams_window",
        "flow_control/a_window_may_become_negative_and_must_be_made_good",
        "limits/no_stream_at_all_while_the_server_allows_none",
        "limits/a_header_table_of_0_is_obeyed_and_announced",
        "limits/a_request_above_the_servers_header_list_is_not_sent",
    ]),
    (ClientFlaw::CreditIsNotGiven, &[
        "flow_control/padding_is_credited_back",
        "states/data_dropped_on_closed_streams_is_credited_back",
    ]),
    (ClientFlaw::CreditIsDoubled, &[
        "flow_control/padding_is_credited_back",
        "states/data_dropped_on_closed_streams_is_credited_back",
    ]),
    (ClientFlaw::CreditIsNotUsed, &[
        "flow_control/nothing_is_sent_beyond_a_streams_window",
        "flow_control/nothing_is_sent_beyond_the_connections_window",
    ]),
    (ClientFlaw::ResetIsNotObeyed, &[
        "status/each_code_of_rst_stream_has_its_own",
        "status/a_refused_stream_is_tried_once_more_and_then_unavailable",
    ]),
    (ClientFlaw::GoAwayIsNotObeyed, &[
        "goaway/streams_up_to_the_last_go_on_and_new_calls_connect_anew",
        "goaway/streams_above_the_last_are_tried_again_elsewhere",
    ]),
    (ClientFlaw::PushIsTaken, &["push_promise/is_a_protocol_error"]),
    (ClientFlaw::UnknownIsTakenInsideBlocks, &[
        "field_block/any_frame_inside_is_a_protocol_error_on_any_stream",
    ]),
    (ClientFlaw::PriorityIsNotChecked, &[
        "priority/on_stream_0_is_a_protocol_error",
        "priority/of_another_length_than_5_is_a_frame_size_error_of_its_stream",
        "field_block/priority_inside_is_a_protocol_error",
    ]),
    (ClientFlaw::LateBlocksAreNotDecoded, &[
        "field_block/of_a_closed_stream_still_feeds_the_table",
        "field_block/that_does_not_decode_is_a_compression_error_on_a_closed_stream_too",
    ]),
    (ClientFlaw::StatusIsLost, &[
        "status/each_http_status_has_its_own",
        "status/each_grpc_status_is_reported",
        "status/a_message_over_the_limit_is_resource_exhausted",
    ]),
    (ClientFlaw::FailureIsLost, &[
        "response/whose_content_is_shorter_than_content_length_is_malformed",
        "status/the_end_without_grpc_status_is_unknown",
        "calls/those_of_a_lost_connection_are_unavailable",
    ]),
];

/// Our client, and what is wrong with it.
#[derive(Debug)]
pub struct ClientMutant {
    flaw: ClientFlaw,
    client: OurClient,
    /// The connection to which the readers belong.
    connection: usize,
    preface_left: usize,
    heard: FrameReader,
    said: FrameReader,
    /// Streams that the server has ended.
    over: Vec<u32>,
}

impl ClientMutant {
    /// An ordinary client with this flaw.
    #[must_use]
    pub fn new(flaw: ClientFlaw) -> Self {
        Self {
            flaw,
            client: OurClient::default(),
            connection: 0,
            preface_left: 0,
            heard: FrameReader::default(),
            said: FrameReader::default(),
            over: Vec::new(),
        }
    }

    /// A new connection begins with a preface, and whole frames.
    fn note_connection(&mut self) {
        if self.client.connections() != self.connection {
            self.connection = self.client.connections();
            self.preface_left = wire::PREFACE.len();
            self.heard = FrameReader::default();
            self.said = FrameReader::default();
            self.over.clear();
        }
    }

    /// True if frames reach the client only when they are whole, one by one.
    fn hears_frames(&self) -> bool {
        matches!(
            self.flaw,
            ClientFlaw::SettingsAreNotApplied
                | ClientFlaw::CreditIsNotUsed
                | ClientFlaw::ResetIsNotObeyed
                | ClientFlaw::GoAwayIsNotObeyed
                | ClientFlaw::PushIsTaken
                | ClientFlaw::UnknownIsTakenInsideBlocks
                | ClientFlaw::PriorityIsNotChecked
                | ClientFlaw::LateBlocksAreNotDecoded
        )
    }

    /// What the client gets to see of a frame.
    fn hear(&mut self, frame: &Frame) -> Vec<u8> {
        let late = self.over.contains(&frame.stream);
        let carries_end = matches!(frame.kind, wire::DATA | wire::HEADERS) && frame.has(wire::END_STREAM);
        if carries_end || frame.kind == wire::RST_STREAM {
            self.over.push(frame.stream);
        }
        match (self.flaw, frame.kind) {
            (ClientFlaw::SettingsAreNotApplied, wire::SETTINGS) if !frame.has(wire::ACK) => {
                wire::settings(&[])
            }
            (ClientFlaw::CreditIsNotUsed, wire::WINDOW_UPDATE)
            | (ClientFlaw::ResetIsNotObeyed, wire::RST_STREAM)
            | (ClientFlaw::GoAwayIsNotObeyed, wire::GOAWAY)
            | (ClientFlaw::PushIsTaken, wire::PUSH_PROMISE)
            | (ClientFlaw::UnknownIsTakenInsideBlocks, 0x0a..)
            | (ClientFlaw::PriorityIsNotChecked, wire::PRIORITY) => Vec::new(),
            (ClientFlaw::LateBlocksAreNotDecoded, wire::HEADERS) if late => Vec::new(),
            _ => frame.encoded(),
        }
    }

    /// What goes out instead of a frame.
    fn say(&self, mut frame: Frame) -> Vec<u8> {
        let ack = frame.has(wire::ACK);
        match (self.flaw, frame.kind) {
            (ClientFlaw::GoAwayCodeIsLost, wire::GOAWAY) => frame.put_u32(4, code::PROTOCOL_ERROR),
            (ClientFlaw::ResetCodeIsLost, wire::RST_STREAM) => frame.put_u32(0, code::PROTOCOL_ERROR),
            (ClientFlaw::GoAwayIsRepeated, wire::GOAWAY)
            | (ClientFlaw::ResetIsRepeated, wire::RST_STREAM) => return frame.encoded().repeat(2),
            (ClientFlaw::ResetIsSwallowed, wire::RST_STREAM)
            | (ClientFlaw::CreditIsNotGiven, wire::WINDOW_UPDATE) => return Vec::new(),
            (ClientFlaw::SettingsAreNotAcknowledged, wire::SETTINGS) if ack => return Vec::new(),
            (ClientFlaw::PingPayloadIsLost, wire::PING) if ack => frame.payload.fill(0),
            (ClientFlaw::CreditIsDoubled, wire::WINDOW_UPDATE) => {
                let octets = frame.u32_at(0).unwrap_or_default();
                frame.put_u32(0, octets * 2);
            }
            _ => {}
        }
        frame.encoded()
    }
}

impl Endpoint for ClientMutant {
    fn send(&mut self, octets: &[u8]) {
        self.note_connection();
        if !self.hears_frames() {
            return self.client.send(octets);
        }
        for frame in self.heard.push(octets) {
            let heard = self.hear(&frame);
            self.client.send(&heard);
        }
    }

    fn receive(&mut self) -> Vec<u8> {
        self.note_connection();
        let octets = self.client.receive();
        let (preface, frames) = octets.split_at(octets.len().min(self.preface_left));
        self.preface_left -= preface.len();
        let mut out = preface.to_vec();
        for frame in self.said.push(frames) {
            out.extend(self.say(frame));
        }
        out
    }

    fn pass(&mut self, ms: u64) {
        self.client.pass(ms);
    }

    fn hang_up(&mut self) {
        self.client.hang_up();
    }

    fn is_closed(&self) -> bool {
        self.flaw != ClientFlaw::NeverCloses && self.client.is_closed()
    }

    fn set_capacity(&mut self, capacity: Option<usize>) {
        self.client.set_capacity(capacity);
    }

    fn work(&self) -> Work {
        self.client.work()
    }
}

impl Client for ClientMutant {
    fn call(&mut self, call: Call) -> usize {
        self.client.call(call)
    }

    fn outcome(&mut self, call: usize) -> Option<Outcome> {
        let mut outcome = self.client.outcome(call)?;
        match self.flaw {
            ClientFlaw::StatusIsLost if outcome.code != 0 => outcome.code = 2,
            ClientFlaw::FailureIsLost => outcome.code = 0,
            _ => {}
        }
        Some(outcome)
    }

    fn cancel(&mut self, call: usize) {
        self.client.cancel(call);
    }

    fn connections(&self) -> usize {
        self.client.connections()
    }
}
