//! Frames as octets; header blocks are octets as well, because many of these scripts are about them.

use rpc_nostd_test_frames as wire;
pub use wire::{
    ACK, END_HEADERS, END_STREAM, PADDED, PREFACE, PRIORITY_FLAG as PRIORITY, block, continuation, data,
    frame, literal, padded_data, ping, ping_ack, priority, rst_stream, settings, settings_ack, window_update,
};

pub fn headers(stream: u32, block: &[u8], flags: u8) -> Vec<u8> {
    frame(wire::HEADERS, flags, stream, block)
}

pub fn push_promise(stream: u32, promised: u32, block: &[u8]) -> Vec<u8> {
    let payload = [&promised.to_be_bytes()[..], block].concat();
    frame(wire::PUSH_PROMISE, END_HEADERS, stream, &payload)
}

pub fn go_away(last: u32, code: u32, debug: &[u8]) -> Vec<u8> {
    let payload = [&last.to_be_bytes()[..], &code.to_be_bytes(), debug].concat();
    frame(wire::GOAWAY, 0, 0, &payload)
}

/// `:status: 200`, as one index of the static table.
pub const STATUS_200: &[u8] = &[0x88];

/// Octets cut into whole frames.
pub fn split(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    if let Some(rest) = octets.strip_prefix(PREFACE) {
        frames.push(PREFACE.to_vec());
        octets = rest;
    }
    while !octets.is_empty() {
        let len = 9 + (usize::from(octets[0]) << 16 | usize::from(octets[1]) << 8 | usize::from(octets[2]));
        frames.push(octets[..len].to_vec());
        octets = &octets[len..];
    }
    frames
}
