//! HTTP/2 frames and gRPC messages as octets, written and read without the code under test, which would agree with
//! itself. Spec: RFC 9113 section 4.
#![forbid(unsafe_code)]

/// A frame as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The type octet.
    pub kind: u8,
    /// The flags octet.
    pub flags: u8,
    /// The stream identifier, without the reserved bit.
    pub stream: u32,
    /// What follows the header.
    pub payload: Vec<u8>,
    /// What the header block of HEADERS says, where a peer has decoded it.
    pub fields: Fields,
}

/// Fields of a section, in order.
pub type Fields = Vec<(String, String)>;

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = NAMES.get(usize::from(self.kind)).copied().unwrap_or("UNKNOWN");
        let shown = &self.payload[..self.payload.len().min(24)];
        let (flags, stream, len) = (self.flags, self.stream, self.payload.len());
        write!(
            f,
            "{name}(stream {stream}, flags {flags:#x}, {len} octets {shown:02x?})"
        )
    }
}

impl Frame {
    /// The 32-bit integer that begins at this octet of the payload.
    #[must_use]
    pub fn u32_at(&self, at: usize) -> Option<u32> {
        let octets = self.payload.get(at..at + 4)?;
        octets.try_into().ok().map(u32::from_be_bytes)
    }

    /// Puts an integer where [`Self::u32_at`] would find it; a payload that ends before is left as it is.
    pub fn put_u32(&mut self, at: usize, value: u32) {
        if let Some(place) = self.payload.get_mut(at..at + 4) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    }

    /// As it goes on the wire.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        frame(self.kind, self.flags, self.stream, &self.payload)
    }

    /// All of these flags are set.
    #[must_use]
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

/// The client's connection preface.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const NAMES: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];

/// Frame types.
pub const DATA: u8 = 0;
/// Opens a stream, or ends one.
pub const HEADERS: u8 = 1;
/// Deprecated, and still checked.
pub const PRIORITY: u8 = 2;
/// Ends a stream.
pub const RST_STREAM: u8 = 3;
/// Parameters of the connection.
pub const SETTINGS: u8 = 4;
/// Never allowed to or from us.
pub const PUSH_PROMISE: u8 = 5;
/// A round trip.
pub const PING: u8 = 6;
/// The end of a connection.
pub const GOAWAY: u8 = 7;
/// Credit.
pub const WINDOW_UPDATE: u8 = 8;
/// More of a header block.
pub const CONTINUATION: u8 = 9;

/// Flag of DATA and HEADERS.
pub const END_STREAM: u8 = 0x1;
/// Flag of SETTINGS and PING.
pub const ACK: u8 = 0x1;
/// Flag of HEADERS and CONTINUATION.
pub const END_HEADERS: u8 = 0x4;
/// Flag of DATA and HEADERS.
pub const PADDED: u8 = 0x8;
/// Flag of HEADERS.
pub const PRIORITY_FLAG: u8 = 0x20;

/// Error codes. Spec: RFC 9113 section 7.
pub mod code {
    #![allow(missing_docs, reason = "the RFC's names say it")]
    pub const NO_ERROR: u32 = 0x0;
    pub const PROTOCOL_ERROR: u32 = 0x1;
    pub const INTERNAL_ERROR: u32 = 0x2;
    pub const FLOW_CONTROL_ERROR: u32 = 0x3;
    pub const SETTINGS_TIMEOUT: u32 = 0x4;
    pub const STREAM_CLOSED: u32 = 0x5;
    pub const FRAME_SIZE_ERROR: u32 = 0x6;
    pub const REFUSED_STREAM: u32 = 0x7;
    pub const CANCEL: u32 = 0x8;
    pub const COMPRESSION_ERROR: u32 = 0x9;
    pub const ENHANCE_YOUR_CALM: u32 = 0xb;
}

/// Any frame.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend([kind, flags]);
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

/// DATA.
#[must_use]
pub fn data(stream: u32, payload: &[u8], flags: u8) -> Vec<u8> {
    frame(DATA, flags, stream, payload)
}

/// DATA with so many octets of padding.
#[must_use]
pub fn padded_data(stream: u32, payload: &[u8], pad: u8, flags: u8) -> Vec<u8> {
    let padded = [&[pad][..], payload, &vec![0; usize::from(pad)]].concat();
    frame(DATA, flags | PADDED, stream, &padded)
}

/// HEADERS with a whole header block of literals.
#[must_use]
pub fn headers(stream: u32, fields: &[(&str, &str)], flags: u8) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, &block(fields))
}

/// PRIORITY.
#[must_use]
pub fn priority(stream: u32, dependency: u32) -> Vec<u8> {
    frame(
        PRIORITY,
        0,
        stream,
        &[&dependency.to_be_bytes()[..], &[15]].concat(),
    )
}

/// RST_STREAM.
#[must_use]
pub fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// SETTINGS.
#[must_use]
pub fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let entry = |(id, value): &(u16, u32)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    let payload: Vec<u8> = entries.iter().flat_map(entry).collect();
    frame(SETTINGS, 0, 0, &payload)
}

/// The acknowledgement of SETTINGS.
#[must_use]
pub fn settings_ack() -> Vec<u8> {
    frame(SETTINGS, ACK, 0, &[])
}

/// PUSH_PROMISE.
#[must_use]
pub fn push_promise(stream: u32, promised: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let payload = [&promised.to_be_bytes()[..], &block(fields)].concat();
    frame(PUSH_PROMISE, END_HEADERS, stream, &payload)
}

/// PING.
#[must_use]
pub fn ping(payload: [u8; 8]) -> Vec<u8> {
    frame(PING, 0, 0, &payload)
}

/// The acknowledgement of PING.
#[must_use]
pub fn ping_ack(payload: [u8; 8]) -> Vec<u8> {
    frame(PING, ACK, 0, &payload)
}

/// GOAWAY without debug data.
#[must_use]
pub fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

/// WINDOW_UPDATE.
#[must_use]
pub fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// CONTINUATION.
#[must_use]
pub fn continuation(stream: u32, block: &[u8], flags: u8) -> Vec<u8> {
    frame(CONTINUATION, flags, stream, block)
}

/// A header block of literals without indexing and without Huffman coding. Spec: RFC 7541 section 6.2.2.
#[must_use]
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let field = |(name, value): &(&str, &str)| literal(name.as_bytes(), value.as_bytes());
    fields.iter().flat_map(field).collect()
}

/// A literal without indexing, of any octets.
#[must_use]
pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut octets = vec![0];
    for text in [name, value] {
        octets.extend(integer(text.len()));
        octets.extend(text);
    }
    octets
}

/// An integer with a 7-bit prefix. Spec: RFC 7541 section 5.1.
#[must_use]
pub fn integer(mut value: usize) -> Vec<u8> {
    if value < 127 {
        return vec![value as u8];
    }
    let mut octets = vec![127];
    value -= 127;
    while value >= 128 {
        octets.push((value % 128) as u8 | 0x80);
        value /= 128;
    }
    octets.push(value as u8);
    octets
}

/// A gRPC message of one `bytes` field, number 1, with its 5-octet prefix.
#[must_use]
pub fn message(content: &[u8]) -> Vec<u8> {
    // Protobuf's varint is the same as an integer without a prefix.
    let mut body = vec![0x0a];
    let mut len = content.len();
    while len >= 128 {
        body.push((len % 128) as u8 | 0x80);
        len /= 128;
    }
    body.push(len as u8);
    body.extend(content);
    let mut framed = vec![0];
    framed.extend((body.len() as u32).to_be_bytes());
    framed.extend(body);
    framed
}

/// The contents of whole messages as [`message`] makes them. `None`: octets that are no such message.
#[must_use]
pub fn contents(mut octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut contents = Vec::new();
    while !octets.is_empty() {
        let len = u32::from_be_bytes(octets.get(1..5)?.try_into().ok()?) as usize;
        let (body, rest) = octets.get(5..)?.split_at_checked(len)?;
        let body = body.strip_prefix(&[0x0a])?;
        let varint = body.iter().take_while(|octet| **octet >= 128).count() + 1;
        contents.push(body.get(varint..)?.to_vec());
        octets = rest;
    }
    Some(contents)
}

/// Cuts octets into frames.
#[derive(Clone, Debug, Default)]
pub struct FrameReader {
    octets: Vec<u8>,
}

impl FrameReader {
    /// The frames that are whole now.
    pub fn push(&mut self, octets: &[u8]) -> Vec<Frame> {
        self.octets.extend(octets);
        let mut frames = Vec::new();
        let mut read = 0;
        while let [a, b, c, kind, flags, d, e, f, g, rest @ ..] = &self.octets[read..] {
            let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let Some(payload) = rest.get(..len) else { break };
            frames.push(Frame {
                kind: *kind,
                flags: *flags,
                stream: u32::from_be_bytes([*d, *e, *f, *g]) & 0x7fff_ffff,
                payload: payload.to_vec(),
                fields: Fields::new(),
            });
            read += 9 + len;
        }
        self.octets.drain(..read);
        frames
    }

    /// Octets of a frame that is not whole.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.octets.len()
    }
}
