//! What the connection reports, on its way to the slot that it is for.

use h2_lite::{ErrorCode, Event, HeaderField, Section, StreamKey};

use crate::client::connectivity::Connectivity;
use crate::client::response::{Outcome, Response};
use crate::link::of_stream;
use crate::slot::Slot;
use crate::status::Code;

/// Gives an event to the slot that it is for. Returns a stream that is of no more use, and the code to reset it with: the
/// response is complete, and so the rest of the request is not wanted, or the rest of the response is of no use.
pub(crate) fn handle(
    slots: &mut [Slot<'_, Response>],
    connectivity: &mut Connectivity,
    event: &Event<'_>,
) -> Option<(StreamKey, ErrorCode)> {
    match *event {
        Event::Settings => {
            connectivity.settings_received();
            None
        }
        Event::GoAway { code, .. } => {
            connectivity.told_to_go(code);
            None
        }
        Event::HeaderField {
            stream,
            section,
            field,
        } => {
            recv_field(of_stream(slots, stream)?, section, &field);
            None
        }
        Event::HeadersEnd {
            stream,
            section,
            end_stream,
            skipped,
        } => {
            connectivity.answered();
            let slot = of_stream(slots, stream)?;
            if skipped > 0 {
                slot.store.mark_overflow();
            }
            match (section, end_stream) {
                (Section::Headers, false) => slot.store.forget_status(),
                // Trailers-Only: HTTP-Status Content-Type Trailers.
                (Section::Headers, true) => slot.store.mark_trailers_only(),
                _ => {}
            }
            let useless = slot.head.recv_headers_end(section, end_stream);
            reset(stream, end_stream, useless)
        }
        Event::Data {
            stream,
            bytes,
            end_stream,
        } => {
            let slot = of_stream(slots, stream)?;
            let useless = recv_data(slot, bytes, end_stream);
            reset(stream, end_stream, useless)
        }
        Event::Reset { stream, code, origin } => {
            of_stream(slots, stream)?.head.recv_reset(code, origin);
            None
        }
        Event::WindowUpdate { .. } | Event::PingAck { .. } => None,
    }
}

fn recv_field(slot: &mut Slot<'_, Response>, section: Section, field: &HeaderField<'_>) {
    if !field.truncated {
        slot.head
            .recv_field(section, field.name, field.value, &mut slot.store);
    } else if field.name == b"grpc-message" {
        // Half a text is worth more than none.
        // Spec: threat-34
        slot.store.store_message(field.value, true);
    }
}

/// Spec: RFC 9113 section 8.1: NO_ERROR where a complete response came before the end of the request. It does nothing to
/// a stream that is over.
fn reset(stream: StreamKey, end_stream: bool, useless: bool) -> Option<(StreamKey, ErrorCode)> {
    // Spec: grpc-early-trailers-client
    let code = if useless {
        ErrorCode::CANCEL
    } else {
        ErrorCode::NO_ERROR
    };
    (end_stream || useless).then_some((stream, code))
}

/// Octets of the response message. Returns whether the rest of the response is of no use.
fn recv_data(slot: &mut Slot<'_, Response>, bytes: &[u8], end_stream: bool) -> bool {
    slot.head.begin_data();
    if slot.head.outcome().is_none() && !slot.recv.append(bytes) {
        slot.head.end(Outcome::Local(
            Code::INTERNAL,
            "the server overran the stream's flow-control window",
        ));
        return true;
    }
    slot.head.recv_data(end_stream)
}
