//! What an endpoint has said, and what a peer makes of it.

use hpack_lite::{Decoder, Limits};

use crate::suite::{Fault, Verdict, check};
use crate::wire::{self, Fields, Frame, FrameReader};

/// All frames of one connection, those that were not looked at yet, and the state of HPACK.
#[derive(Debug, Default)]
pub struct Heard {
    reader: FrameReader,
    /// Made at the first header block.
    decoder: Option<Decoder<'static>>,
    /// All frames since the beginning.
    pub frames: Vec<Frame>,
    seen: usize,
    sent: FrameReader,
    /// Octets of the preface that the peer has still to send, if it is a client.
    preface_left: usize,
    /// Octets of DATA that the peer has sent, padding included.
    pub data_sent: u64,
    /// All octets that it has sent.
    pub octets_sent: u64,
}

impl Heard {
    /// What a client hears, that has sent nothing yet.
    #[must_use]
    pub fn by_client() -> Self {
        Self {
            preface_left: wire::PREFACE.len(),
            ..Self::default()
        }
    }

    /// The peer sends octets: their DATA may be credited.
    pub fn note_sent(&mut self, octets: &[u8]) {
        self.octets_sent += octets.len() as u64;
        let preface = octets.len().min(self.preface_left);
        self.preface_left -= preface;
        let frames = self.sent.push(&octets[preface..]);
        let data = frames.iter().filter(|frame| frame.kind == wire::DATA);
        self.data_sent += data.map(|frame| frame.payload.len() as u64).sum::<u64>();
    }

    /// The frames since the last look, but for the connection's credit: it may come with anything, as long as it gives
    /// back no more than was sent. Spec: RFC 9113 section 6.9.
    pub fn look_beside_credit(&mut self) -> Vec<Frame> {
        let is_credit = |frame: &Frame| frame.kind == wire::WINDOW_UPDATE && frame.stream == 0;
        let credits = self.frames.iter().filter(|frame| is_credit(frame));
        let credited: u64 = credits.filter_map(|frame| frame.u32_at(0)).map(u64::from).sum();
        let earned = credited <= self.data_sent;
        let mut frames = self.look();
        frames.retain(|frame| !earned || !is_credit(frame));
        frames
    }

    /// Takes octets.
    ///
    /// # Panics
    /// On a header block that is not whole, or does not decode: such an endpoint fails its case.
    pub fn push(&mut self, octets: &[u8]) {
        for mut frame in self.reader.push(octets) {
            if frame.kind == wire::HEADERS {
                frame.fields = self.decode(&frame);
            }
            self.frames.push(frame);
        }
    }

    /// The frames since the last look.
    pub fn look(&mut self) -> Vec<Frame> {
        let new = self.frames[self.seen..].to_vec();
        self.seen = self.frames.len();
        new
    }

    fn decode(&mut self, frame: &Frame) -> Fields {
        assert!(
            frame.has(wire::END_HEADERS),
            "a block that is not whole: {frame:?}"
        );
        let mut fields = Fields::new();
        let mut block = &frame.payload[..];
        let decoder = self.decoder.get_or_insert_with(new_decoder);
        loop {
            match decoder.decode(&mut block) {
                Ok(Some(field)) => {
                    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
                    fields.push((text(field.name), text(field.value)));
                }
                Ok(None) => break,
                Err(error) => panic!("{error:?} in the header block of {frame:?}"),
            }
        }
        if let Err(error) = decoder.finish() {
            panic!("{error:?} in the header block of {frame:?}");
        }
        fields
    }
}

/// A decoder borrows its memory for ever: a test's process is short.
fn new_decoder() -> Decoder<'static> {
    let limits = Limits {
        max_list_size: 1 << 20,
        max_fields: 1_000,
    };
    let (table, scratch) = (vec![0; 4_096].leak(), vec![0; 4_096].leak());
    Decoder::new(table, scratch, limits)
}

/// What came on one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The first section.
    pub headers: Fields,
    /// The last section, if there were two.
    pub trailers: Fields,
    /// DATA in sequence.
    pub content: Vec<u8>,
    /// END_STREAM came.
    pub ended: bool,
    /// The code of RST_STREAM.
    pub reset: Option<u32>,
    /// Lengths of the DATA frames.
    pub pieces: Vec<usize>,
}

impl Answer {
    /// Everything among `frames` that concerns `stream`, in order.
    ///
    /// # Errors
    /// Frames after END_STREAM (RST_STREAM aside); DATA that is empty and ends nothing; frames that no stream of a gRPC
    /// peer carries.
    pub fn of(frames: &[Frame], stream: u32) -> Result<Self, Fault> {
        let mut answer = Self::default();
        for frame in frames.iter().filter(|frame| frame.stream == stream) {
            answer.note(frame)?;
        }
        Ok(answer)
    }

    /// A field of the trailers, or of a Trailers-Only response.
    #[must_use]
    pub fn trailer(&self, name: &str) -> Option<&str> {
        let fields = if self.trailers.is_empty() {
            &self.headers
        } else {
            &self.trailers
        };
        find(fields, name)
    }

    /// A field of the first section.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The whole and good answer of the echo to one request of `content`.
    ///
    /// # Errors
    /// Anything else.
    pub fn expect_echo(&self, content: &[u8]) -> Verdict {
        let good = self.header(":status") == Some("200")
            && wire::contents(&self.content).as_deref() == Some(&[content.to_vec()])
            && find(&self.trailers, "grpc-status") == Some("0")
            && self.ended
            && self.reset.is_none();
        check(good, || {
            format!("no good answer to {} octets: {self:?}", content.len())
        })
    }

    fn note(&mut self, frame: &Frame) -> Verdict {
        let late = self.reset.is_some() || (self.ended && frame.kind != wire::RST_STREAM);
        check(!late, || format!("{frame:?} after the end of its stream"))?;
        match frame.kind {
            wire::DATA => {
                check(!frame.payload.is_empty() || frame.has(wire::END_STREAM), || {
                    format!("an empty DATA frame that ends nothing: {frame:?}")
                })?;
                self.content.extend(&frame.payload);
                self.pieces.push(frame.payload.len());
            }
            wire::HEADERS if self.headers.is_empty() => self.headers.clone_from(&frame.fields),
            wire::HEADERS => self.trailers.clone_from(&frame.fields),
            wire::RST_STREAM => self.reset = frame.u32_at(0),
            wire::WINDOW_UPDATE => {}
            _ => return Err(Fault(format!("{frame:?} on a stream"))),
        }
        if matches!(frame.kind, wire::DATA | wire::HEADERS) {
            self.ended = frame.has(wire::END_STREAM);
        }
        Ok(())
    }
}

fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.as_str())
}
