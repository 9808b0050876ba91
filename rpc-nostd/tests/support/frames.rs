//! Frames as octets, in the forms that calls need.

use rpc_nostd_test_frames as wire;
#[allow(unused_imports, reason = "not every test program needs all of them")]
pub use wire::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PADDED, PING, PUSH_PROMISE,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame, goaway, message, rst_stream as rst, settings,
    settings_ack, window_update,
};

pub fn headers(stream: u32, fields: &[(&str, &str)], end_stream: bool) -> Vec<u8> {
    wire::headers(stream, fields, flags(end_stream))
}

pub fn data(stream: u32, payload: &[u8], end_stream: bool) -> Vec<u8> {
    wire::data(stream, payload, flags(end_stream))
}

fn flags(end_stream: bool) -> u8 {
    if end_stream { END_STREAM } else { 0 }
}

/// Cuts the client's octets into the preface and frames.
#[derive(Default)]
pub struct FrameReader {
    /// Octets of the preface that came.
    preface: usize,
    frames: wire::FrameReader,
}

impl FrameReader {
    pub fn push(&mut self, octets: &[u8]) -> Vec<Frame> {
        let missing = &wire::PREFACE[self.preface..];
        let (preface, frames) = octets.split_at(missing.len().min(octets.len()));
        assert!(missing.starts_with(preface), "not a preface: {preface:02x?}");
        self.preface += preface.len();
        self.frames.push(frames)
    }
}
