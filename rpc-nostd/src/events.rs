//! What the connection reports, on its way to the slot that it is for.

use h2_lite::{Event, Section, StreamKey};

use crate::connectivity::Connectivity;
use crate::framing::PREFIX_LEN;
use crate::response::Outcome;
use crate::slot::{Slot, SlotState};
use crate::status::Code;

/// Gives an event to the slot that it is for. Returns the stream if the rest of its response is of no use.
pub(crate) fn handle(
    slots: &mut [Slot<'_>],
    connectivity: &mut Connectivity,
    event: &Event<'_>,
) -> Option<StreamKey> {
    match *event {
        Event::Settings => {
            connectivity.settings_received();
            None
        }
        Event::GoAway { .. } => {
            connectivity.drain();
            None
        }
        Event::HeaderField {
            stream,
            section,
            field,
        } => {
            let slot = of_stream(slots, stream)?;
            slot.response
                .recv_field(section, field.name, field.value, &mut slot.store);
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
            if section == Section::Headers && !end_stream {
                slot.store.forget_status();
            }
            slot.response
                .recv_headers_end(section, end_stream, slot.recv.octets())
                .then_some(stream)
        }
        Event::Data {
            stream,
            bytes,
            end_stream,
        } => {
            let slot = of_stream(slots, stream)?;
            recv_data(slot, bytes, end_stream).then_some(stream)
        }
        Event::Reset { stream, code, origin } => {
            of_stream(slots, stream)?.response.recv_reset(code, origin);
            None
        }
        Event::WindowUpdate { .. } | Event::PingAck { .. } => None,
    }
}

/// Octets of the response message. Returns whether the rest of the response is of no use.
fn recv_data(slot: &mut Slot<'_>, bytes: &[u8], end_stream: bool) -> bool {
    if slot.response.outcome().is_none() && !slot.recv.append(bytes) {
        slot.response.end(Outcome::Local(
            Code::INTERNAL,
            "the server overran the stream's flow-control window",
        ));
        return true;
    }
    let limit = slot.recv.capacity().saturating_sub(PREFIX_LEN);
    slot.response.recv_data(slot.recv.octets(), limit, end_stream)
}

fn of_stream<'s, 'r>(slots: &'s mut [Slot<'r>], stream: StreamKey) -> Option<&'s mut Slot<'r>> {
    slots
        .get_mut(usize::from(stream.slot))
        .filter(|slot| slot.state == SlotState::Open(stream))
}
