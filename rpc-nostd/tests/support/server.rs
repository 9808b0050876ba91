//! A scripted server: it reads frames and answers as the test says.

use std::cell::RefCell;
use std::rc::Rc;

use super::Peer;
use super::frames::{self, Frame, FrameReader};

/// What a test's script gets for each frame of the client.
pub type Script = Box<dyn FnMut(&Frame, &mut Vec<u8>) -> bool>;

/// Sends SETTINGS at once, acknowledges the client's, and lets the script do the rest.
pub struct Server {
    reader: FrameReader,
    settings: Vec<u8>,
    script: Script,
    pub log: Rc<RefCell<Vec<Frame>>>,
    begun: bool,
}

impl Server {
    pub fn new(script: impl FnMut(&Frame, &mut Vec<u8>) -> bool + 'static) -> Self {
        Self {
            reader: FrameReader::default(),
            settings: frames::settings(&[]),
            script: Box::new(script),
            log: Rc::default(),
            begun: false,
        }
    }

    pub fn settings(mut self, values: &[(u16, u32)]) -> Self {
        self.settings = frames::settings(values);
        self
    }

    /// Answers each request, when it has ended, with what `answer` gives for its stream.
    pub fn answering(mut answer: impl FnMut(u32) -> Vec<u8> + 'static) -> Self {
        Self::new(move |frame, out| {
            if matches!(frame.kind, frames::DATA | frames::HEADERS) && frame.flags & frames::END_STREAM != 0 {
                out.extend(answer(frame.stream));
            }
            true
        })
    }
}

impl Peer for Server {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.begun {
            self.begun = true;
            out.extend(&self.settings);
        }
        for frame in self.reader.push(octets) {
            self.log.borrow_mut().push(frame.clone());
            if frame.kind == frames::SETTINGS && frame.flags & frames::ACK == 0 {
                out.extend(frames::settings_ack());
            }
            if frame.kind == frames::PING && frame.flags & frames::ACK == 0 {
                out.extend(frames::frame(frames::PING, frames::ACK, 0, &frame.payload));
            }
            if !(self.script)(&frame, out) {
                return false;
            }
        }
        true
    }
}

pub const HEAD: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/grpc")];

/// A whole good response.
pub fn ok(stream: u32, body: &[u8]) -> Vec<u8> {
    let mut out = frames::headers(stream, HEAD, false);
    out.extend(frames::data(stream, &frames::message(body), false));
    out.extend(frames::headers(stream, &[("grpc-status", "0")], true));
    out
}
