//! Frames as octets, written and read without the code under test.

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend([kind, flags]);
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

pub fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = values
        .iter()
        .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(SETTINGS, 0, 0, &payload)
}

pub fn settings_ack() -> Vec<u8> {
    frame(SETTINGS, ACK, 0, &[])
}

/// A header block of literals without indexing and without Huffman coding.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, value) in fields {
        octets.push(0);
        for text in [name, value] {
            string(text, &mut octets);
        }
    }
    octets
}

fn string(text: &str, octets: &mut Vec<u8>) {
    let mut len = text.len();
    if len < 127 {
        octets.push(len as u8);
    } else {
        octets.push(127);
        len -= 127;
        while len >= 128 {
            octets.push((len % 128) as u8 | 128);
            len /= 128;
        }
        octets.push(len as u8);
    }
    octets.extend(text.as_bytes());
}

pub fn headers(stream: u32, fields: &[(&str, &str)], end_stream: bool) -> Vec<u8> {
    let flags = END_HEADERS | if end_stream { END_STREAM } else { 0 };
    frame(HEADERS, flags, stream, &block(fields))
}

pub fn data(stream: u32, payload: &[u8], end_stream: bool) -> Vec<u8> {
    frame(DATA, if end_stream { END_STREAM } else { 0 }, stream, payload)
}

pub fn rst(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

/// A gRPC message of one `bytes` field, with its prefix.
pub fn message(octets: &[u8]) -> Vec<u8> {
    let mut body = vec![0x0a];
    let mut len = octets.len();
    while len >= 128 {
        body.push((len % 128) as u8 | 128);
        len /= 128;
    }
    body.push(len as u8);
    body.extend(octets);
    let mut framed = vec![0];
    framed.extend((body.len() as u32).to_be_bytes());
    framed.extend(body);
    framed
}

/// Cuts the client's octets into the preface and frames.
#[derive(Default)]
pub struct FrameReader {
    octets: Vec<u8>,
    preface: bool,
}

impl FrameReader {
    pub fn push(&mut self, octets: &[u8]) -> Vec<Frame> {
        self.octets.extend(octets);
        if !self.preface {
            const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
            if self.octets.len() < PREFACE.len() {
                return Vec::new();
            }
            assert_eq!(&self.octets[..PREFACE.len()], PREFACE);
            self.octets.drain(..PREFACE.len());
            self.preface = true;
        }
        let mut frames = Vec::new();
        while self.octets.len() >= 9 {
            let len = u32::from_be_bytes([0, self.octets[0], self.octets[1], self.octets[2]]) as usize;
            if self.octets.len() < 9 + len {
                break;
            }
            let stream = u32::from_be_bytes(self.octets[5..9].try_into().unwrap());
            frames.push(Frame {
                kind: self.octets[3],
                flags: self.octets[4],
                stream,
                payload: self.octets[9..9 + len].to_vec(),
            });
            self.octets.drain(..9 + len);
        }
        frames
    }
}
