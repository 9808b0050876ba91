//! A cell's frame as octets.

use super::cell::UNKNOWN;
use super::{Cell, Length};
use crate::wire::{
    self, ACK, CONTINUATION, DATA, GOAWAY, HEADERS, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, code,
};

/// The frame, on this stream. `content` is what DATA or HEADERS carry where that is right.
pub(super) fn frame(cell: &Cell, stream: u32, content: &[u8]) -> Vec<u8> {
    wire::frame(cell.kind, cell.flags, stream, &payload(cell, stream, content))
}

fn payload(cell: &Cell, stream: u32, content: &[u8]) -> Vec<u8> {
    match cell.length {
        Length::Right => right(cell, content),
        Length::Forbidden => forbidden(cell, stream, content),
        Length::TooShort => vec![0; too_short(cell)],
        Length::TooLong => vec![0; too_long(cell)],
        Length::Overpadded => {
            let mut payload = right(cell, content);
            payload.truncate(200);
            payload[0] = payload.len() as u8;
            payload
        }
    }
}

fn right(cell: &Cell, content: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    if cell.is_padded() {
        payload.push(PADDING);
    }
    if cell.has_priority() {
        payload.extend([0x80, 0, 0, 0, 15]);
    }
    match cell.kind {
        DATA | HEADERS => payload.extend(content),
        CONTINUATION => payload.extend(wire::block(&[("x-more", "1")])),
        PRIORITY => payload.extend([0, 0, 0, 0, 15]),
        RST_STREAM => payload.extend(code::CANCEL.to_be_bytes()),
        SETTINGS if cell.has(ACK) => {}
        // SETTINGS_MAX_CONCURRENT_STREAMS.
        SETTINGS => payload.extend([0, 3, 0, 0, 0, 100]),
        PUSH_PROMISE => {
            payload.extend([0, 0, 0, 4]);
            payload.extend(wire::block(&[(":method", "GET")]));
        }
        PING => payload.extend(PING_OCTETS),
        // The first of the two that end a connection gracefully.
        GOAWAY => payload.extend([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        WINDOW_UPDATE => payload.extend([0, 0, 0, 1]),
        _ => payload.extend(b"whatever"),
    }
    if cell.is_padded() {
        payload.extend([0; PADDING as usize]);
    }
    payload
}

/// As long as what is right, with the one value that makes it wrong.
fn forbidden(cell: &Cell, stream: u32, content: &[u8]) -> Vec<u8> {
    let mut payload = right(cell, content);
    let (at, value): (usize, &[u8]) = match cell.kind {
        WINDOW_UPDATE => (0, &[0; 4]),
        SETTINGS => (0, &[0, 2, 0, 0, 0, 2]),
        // The stream depends on itself.
        _ => (usize::from(cell.is_padded()), &stream.to_be_bytes()),
    };
    payload[at..at + value.len()].copy_from_slice(value);
    payload
}

fn too_short(cell: &Cell) -> usize {
    let padded = usize::from(cell.is_padded());
    match cell.kind {
        DATA => 0,
        // Without its whole priority, or without its pad length.
        HEADERS if cell.has_priority() => padded + 4,
        HEADERS => 0,
        PUSH_PROMISE => padded + 3,
        PRIORITY => 4,
        RST_STREAM | WINDOW_UPDATE => 3,
        SETTINGS => 5,
        _ => 7,
    }
}

fn too_long(cell: &Cell) -> usize {
    match cell.kind {
        PRIORITY => 6,
        RST_STREAM | WINDOW_UPDATE => 5,
        SETTINGS if cell.has(ACK) => 6,
        // A multiple of 6.
        SETTINGS => 16_386,
        PING => 9,
        DATA | HEADERS | PUSH_PROMISE | GOAWAY | CONTINUATION | UNKNOWN => LARGEST + 1,
        _ => LARGEST,
    }
}

/// What a PING of the table carries.
pub(super) const PING_OCTETS: &[u8; 8] = b"of table";
const PADDING: u8 = 3;
/// SETTINGS_MAX_FRAME_SIZE, which nobody changes.
const LARGEST: usize = 16_384;
