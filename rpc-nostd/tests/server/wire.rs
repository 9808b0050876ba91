//! A scripted client's view of one connection: octets out, frames and whole answers in.

use rpc_nostd::Code;

use crate::net::Socket;
use crate::support::frames::{self, Frame, FrameReader};

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The fields of a sound request to `path`.
pub fn request(path: &str) -> Vec<(&str, &str)> {
    vec![
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "test.local"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
}

/// The same with more fields behind, or others in place of those of the same name.
pub fn request_with<'a>(path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = request(path);
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let at = |name: &str| if name.starts_with(':') { 0 } else { usize::MAX };
    for field in more {
        fields.insert(at(field.0).min(fields.len()), *field);
    }
    fields
}

/// What came on one stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Answer {
    pub headers: Vec<(String, String)>,
    pub content: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    pub ended: bool,
    pub reset: Option<u32>,
    /// Lengths of the DATA frames.
    pub pieces: Vec<usize>,
    /// Names of the frames, in order; a final one has an exclamation mark.
    pub frames: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name).or_else(|| self.header(name).filter(|_| self.trailers.is_empty()))
    }

    /// The code of the call, if it ended properly.
    pub fn code(&self) -> Option<Code> {
        let code = self.trailer("grpc-status")?.parse().ok()?;
        self.ended.then_some(Code::from_u32(code))
    }

    /// The messages' one field each, in order.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let mut rest = &self.content[..];
        let mut messages = Vec::new();
        while !rest.is_empty() {
            let len = u32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize;
            let (message, after) = rest[5..].split_at(len);
            let varint = 1 + message[1..].iter().take_while(|octet| **octet >= 128).count() + 1;
            messages.push(message[varint..].to_vec());
            rest = after;
        }
        messages
    }
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}

/// A connection as its client drives it.
pub struct Wire {
    pub socket: Socket,
    reader: FrameReader,
    decoder: hpack_lite::Decoder<'static>,
    /// All frames since the beginning; those from `seen` on are new.
    pub frames: Vec<Frame>,
    seen: usize,
}

impl Wire {
    pub fn new(socket: Socket) -> Self {
        let mut reader = FrameReader::default();
        // The reader expects a client; a server sends no preface.
        reader.push(PREFACE);
        let limits = hpack_lite::Limits {
            max_list_size: 1 << 20,
            max_fields: 1_000,
        };
        let (table, scratch) = (vec![0; 4_096].leak(), vec![0; 4_096].leak());
        Self {
            socket,
            reader,
            decoder: hpack_lite::Decoder::new(table, scratch, limits),
            frames: Vec::new(),
            seen: 0,
        }
    }

    pub fn send(&self, octets: &[u8]) {
        self.socket.send(octets);
    }

    /// A call with these messages, and its end.
    pub fn call(&self, stream: u32, path: &str, messages: &[&[u8]]) {
        let mut octets = frames::headers(stream, &request(path), false);
        for message in messages {
            octets.extend(frames::data(stream, &frames::message(message), false));
        }
        octets.extend(frames::data(stream, &[], true));
        self.send(&octets);
    }

    /// Reads what is there, for the next look.
    pub fn read(&mut self) {
        self.frames.extend(self.reader.push(&self.socket.receive()));
    }

    /// The frames that have come since the last look.
    pub fn look(&mut self) -> Vec<Frame> {
        self.read();
        let new = self.frames[self.seen..].to_vec();
        self.seen = self.frames.len();
        new
    }

    /// The frames of one kind that have come since the last look.
    pub fn look_for(&mut self, kind: u8) -> Vec<Frame> {
        let mut new = self.look();
        new.retain(|frame| frame.kind == kind);
        new
    }

    /// What has come on the streams since the last look, by stream.
    pub fn answers(&mut self) -> Vec<(u32, Answer)> {
        let mut answers: Vec<(u32, Answer)> = Vec::new();
        for frame in self.look() {
            if frame.stream == 0 {
                continue;
            }
            let fields = self.fields(&frame);
            let index = answers.iter().position(|(stream, _)| *stream == frame.stream);
            let index = index.unwrap_or_else(|| {
                answers.push((frame.stream, Answer::default()));
                answers.len() - 1
            });
            note(&mut answers[index].1, &frame, fields);
        }
        answers
    }

    /// What has come on one stream since the last look; what came on others is forgotten.
    pub fn answer(&mut self, stream: u32) -> Answer {
        self.answers()
            .into_iter()
            .find(|(id, _)| *id == stream)
            .map(|(_, answer)| answer)
            .unwrap_or_default()
    }

    fn fields(&mut self, frame: &Frame) -> Vec<(String, String)> {
        if frame.kind != frames::HEADERS {
            return Vec::new();
        }
        assert_eq!(frame.flags & frames::END_HEADERS, frames::END_HEADERS);
        let mut fields = Vec::new();
        let mut block = &frame.payload[..];
        while let Some(field) = self.decoder.decode(&mut block).expect("the block is sound") {
            let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
            fields.push((text(field.name), text(field.value)));
        }
        self.decoder.finish().expect("the block is whole");
        fields
    }
}

fn note(answer: &mut Answer, frame: &Frame, fields: Vec<(String, String)>) {
    assert!(
        !answer.ended || frame.kind == frames::RST_STREAM,
        "nothing follows END_STREAM: {frame:?}"
    );
    let name = match frame.kind {
        frames::DATA => {
            assert!(
                !frame.payload.is_empty() || frame.flags & frames::END_STREAM != 0,
                "an empty DATA frame that ends nothing"
            );
            answer.content.extend(&frame.payload);
            answer.pieces.push(frame.payload.len());
            "D"
        }
        frames::HEADERS => {
            if answer.headers.is_empty() && fields.iter().any(|(name, _)| name == ":status") {
                answer.headers = fields;
            } else {
                answer.trailers = fields;
            }
            "H"
        }
        frames::RST_STREAM => {
            answer.reset = Some(u32::from_be_bytes(frame.payload[..].try_into().unwrap()));
            "R"
        }
        frames::WINDOW_UPDATE => "W",
        other => panic!("frame type {other} on a stream"),
    };
    answer.frames.push_str(name);
    if matches!(frame.kind, frames::DATA | frames::HEADERS) && frame.flags & frames::END_STREAM != 0 {
        answer.ended = true;
        answer.frames.push('!');
    }
}
