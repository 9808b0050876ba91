//! What the connection reports, on its way to the slot that it is for.

use h2_lite::{ErrorCode, Event, Instant, Origin, Section, StreamKey};

use crate::link::of_stream;
use crate::server::request::{Phase, Request};
use crate::server::service::Lookup;
use crate::slot::{Slot, SlotState};

/// What the connection must be told in answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    None,
    /// So many octets that nobody wants.
    Discard(StreamKey, u32),
    Reset(StreamKey, ErrorCode),
    /// GOAWAY from the client.
    ClientLeaves,
    /// A worker must have its turn before more is read.
    Pause,
    /// The same; and the client has reset its call no earlier than it said, which is nothing to hold against it.
    Overdue,
}

/// Gives an event to the slot that it is for.
pub(crate) fn handle<'r>(
    slots: &mut [Slot<'r, Request<'r>>],
    lookup: Lookup,
    event: &Event<'_>,
    now: Instant,
) -> Reaction {
    match *event {
        Event::HeaderField {
            stream,
            section: Section::Headers,
            field,
        } => {
            let Some(slot) = claim(slots, stream) else {
                return Reaction::Reset(stream, ErrorCode::REFUSED_STREAM);
            };
            if !field.truncated {
                slot.head
                    .recv_field(field.name, field.value, lookup, &mut slot.store);
            }
            Reaction::None
        }
        Event::HeadersEnd {
            stream,
            section,
            end_stream,
            skipped,
        } => headers_end(slots, stream, section, (end_stream, skipped), now),
        Event::Data {
            stream,
            bytes,
            end_stream,
        } => data(slots, stream, bytes, end_stream),
        Event::Reset { stream, origin, .. } => match of_stream(slots, stream) {
            Some(slot) if origin == Origin::Peer && slot.head.deadline.is_past(now) => {
                cancel(slot);
                Reaction::Overdue
            }
            Some(slot) if slot.head.phase == Phase::Running => {
                cancel(slot);
                Reaction::Pause
            }
            Some(slot) => {
                cancel(slot);
                Reaction::None
            }
            None => Reaction::None,
        },
        Event::GoAway { .. } => Reaction::ClientLeaves,
        // Request trailers mean nothing in gRPC.
        Event::HeaderField { .. } | Event::Settings | Event::WindowUpdate { .. } | Event::PingAck { .. } => {
            Reaction::None
        }
    }
}

/// Ends the call in a slot: its handler is dropped by its worker; one that no handler has is gone.
pub(crate) fn cancel(slot: &mut Slot<'_, Request<'_>>) {
    if slot.stream().is_none() {
        return;
    }
    // Spec: grpc-cancel-handler, grpc-lost-server
    slot.head.cancelled = true;
    if slot.head.phase != Phase::Running {
        slot.state = SlotState::Free;
    }
    slot.head.wake();
}

/// The slot of a stream whose header section is arriving.
fn claim<'s, 'r>(
    slots: &'s mut [Slot<'r, Request<'r>>],
    stream: StreamKey,
) -> Option<&'s mut Slot<'r, Request<'r>>> {
    let slot = slots.get_mut(usize::from(stream.slot))?;
    if slot.state == SlotState::Open(stream) {
        return Some(slot);
    }
    if slot.stream().is_some() {
        return None;
    }
    slot.state = SlotState::Open(stream);
    slot.generation = slot.generation.wrapping_add(1);
    slot.head.begin();
    slot.recv.clear();
    slot.store.clear();
    Some(slot)
}

fn headers_end<'r>(
    slots: &mut [Slot<'r, Request<'r>>],
    stream: StreamKey,
    section: Section,
    (end_stream, skipped): (bool, u32),
    now: Instant,
) -> Reaction {
    if section == Section::Trailers {
        if let Some(slot) = of_stream(slots, stream) {
            slot.head.ended |= end_stream;
        }
        return Reaction::None;
    }
    // With every field skipped there was no field to claim the slot.
    let Some(slot) = claim(slots, stream) else {
        return Reaction::Reset(stream, ErrorCode::REFUSED_STREAM);
    };
    if skipped > 0 {
        slot.store.mark_overflow();
    }
    slot.head.recv_headers_end(skipped > 0, now);
    slot.head.ended = end_stream;
    slot.head.wake();
    if slot.head.is_foreign {
        Reaction::Pause
    } else {
        Reaction::None
    }
}

fn data<'r>(
    slots: &mut [Slot<'r, Request<'r>>],
    stream: StreamKey,
    bytes: &[u8],
    end_stream: bool,
) -> Reaction {
    let octets = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let Some(slot) = of_stream(slots, stream) else {
        return Reaction::Discard(stream, octets);
    };
    slot.head.ended |= end_stream;
    if slot.head.discards {
        return Reaction::Discard(stream, octets);
    }
    if !slot.recv.append(bytes) {
        cancel(slot);
        return Reaction::Reset(stream, ErrorCode::FLOW_CONTROL_ERROR);
    }
    Reaction::None
}
