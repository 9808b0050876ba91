//! Reads what an endpoint sends, and holds it to the rules that bind a sender.

use h2_lite::{ErrorCode, Role};

/// All output of one connection so far.
pub(crate) struct Sent {
    role: Role,
    hash: u64,
    preface: u8,
    header: [u8; 9],
    have: usize,
    payload: usize,
    streams: [Stream; MAX_STREAMS],
    used: usize,
    frames: u32,
    requests: u32,
    /// Streams that ended with HEADERS after DATA.
    answered: usize,
    /// The last four octets of payload.
    word: u32,
    goodbye: Option<u32>,
    data: u64,
    credit: u64,
    highest: u32,
}

#[derive(Clone, Copy, PartialEq)]
struct Stream {
    id: u32,
    begun: bool,
    content: bool,
    over: bool,
}

impl Stream {
    const fn new(id: u32) -> Self {
        Self {
            id,
            begun: false,
            content: false,
            over: false,
        }
    }
}

impl Sent {
    pub(crate) fn new(role: Role) -> Self {
        Self {
            role,
            hash: 0xcbf2_9ce4_8422_2325,
            preface: if role == Role::Client { 24 } else { 0 },
            header: [0; 9],
            have: 0,
            payload: 0,
            streams: [Stream::new(0); MAX_STREAMS],
            used: 0,
            frames: 0,
            requests: 0,
            answered: 0,
            word: 0,
            goodbye: None,
            data: 0,
            credit: 0,
            highest: 0,
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// HEADERS that a client sent.
    pub(crate) fn requests(&self) -> u32 {
        self.requests
    }

    /// Streams that ended with trailers after content.
    pub(crate) fn answered(&self) -> usize {
        self.answered
    }

    /// Octets of DATA.
    pub(crate) fn data(&self) -> u64 {
        self.data
    }

    /// Octets that the connection's window was given back.
    pub(crate) fn credit(&self) -> u64 {
        self.credit
    }

    pub(crate) fn take(&mut self, mut octets: &[u8]) {
        for octet in octets {
            self.hash = (self.hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
        while self.preface > 0 && !octets.is_empty() {
            let at = PREFACE.len() - usize::from(self.preface);
            assert_eq!(octets[0], PREFACE[at], "the preface");
            self.preface -= 1;
            octets = &octets[1..];
        }
        while !octets.is_empty() {
            if self.have < 9 {
                let len = octets.len().min(9 - self.have);
                self.header[self.have..self.have + len].copy_from_slice(&octets[..len]);
                self.have += len;
                octets = &octets[len..];
                if self.have == 9 {
                    self.frame();
                }
            } else {
                let len = octets.len().min(self.payload);
                self.payload -= len;
                self.payload_octets(&octets[..len]);
                octets = &octets[len..];
            }
            if self.have == 9 && self.payload == 0 {
                self.have = 0;
            }
        }
    }

    /// What WINDOW_UPDATE and GOAWAY say last is a number of four octets.
    fn payload_octets(&mut self, octets: &[u8]) {
        for octet in &octets[octets.len().saturating_sub(4)..] {
            self.word = self.word << 8 | u32::from(*octet);
        }
        if self.payload == 0 {
            match (self.header[3], &self.header[5..]) {
                (7, _) => self.goodbye = Some(self.word),
                (8, [0, 0, 0, 0]) => self.credit += u64::from(self.word),
                _ => {}
            }
        }
    }

    fn frame(&mut self) {
        let [a, b, c, kind, flags, d, e, f, g] = self.header;
        let (len, id) = (u32::from_be_bytes([0, a, b, c]), u32::from_be_bytes([d, e, f, g]));
        self.payload = len as usize;
        self.frames += 1;
        assert!(len <= 16_384, "a frame that the peer never allowed");
        assert_eq!(
            self.frames == 1,
            kind == 4 && self.frames == 1,
            "SETTINGS come first"
        );
        assert!(id < 1 << 31, "the reserved bit is 0");
        assert_eq!(id == 0, matches!(kind, 4 | 6 | 7) || (kind == 8 && id == 0));
        match kind {
            0 => {
                assert!(len > 0 || flags == 1, "empty DATA that ends nothing");
                assert!(flags <= 1);
                self.data += u64::from(len);
                let stream = self.stream(id);
                assert!(stream.begun && !stream.over, "DATA on stream {id}");
                stream.over = flags == 1;
                stream.content = true;
            }
            1 => self.headers(id, flags),
            3 => {
                assert_eq!((len, flags), (4, 0));
                let stream = self.stream(id);
                stream.begun = true;
                stream.over = true;
            }
            4 => assert!(len % 6 == 0 && (flags == 0 || (flags, len) == (1, 0))),
            6 => assert!(len == 8 && flags <= 1),
            7 => assert!(len == 8 && flags == 0),
            8 => assert!(len == 4 && flags == 0),
            _ => panic!("a frame of type {kind}"),
        }
    }

    fn headers(&mut self, id: u32, flags: u8) {
        assert!(flags == 4 || flags == 5, "END_HEADERS, perhaps END_STREAM");
        let (role, highest) = (self.role, self.highest);
        let stream = self.stream(id);
        assert!(!stream.over, "HEADERS on stream {id}");
        if role == Role::Client {
            assert!(!stream.begun && id % 2 == 1 && id > highest);
        } else {
            assert!(!stream.begun || flags == 5, "two answers on stream {id}");
        }
        stream.begun = true;
        stream.over = flags == 5;
        let answered = stream.over && stream.content;
        self.answered += usize::from(answered);
        self.requests += 1;
        self.highest = highest.max(id);
    }

    fn stream(&mut self, id: u32) -> &mut Stream {
        let known = self.streams[..self.used]
            .iter()
            .position(|stream| stream.id == id);
        let at = known.unwrap_or_else(|| {
            // One that is over is forgotten first.
            if self.used == MAX_STREAMS {
                let at = self.streams.iter().position(|stream| stream.over).unwrap_or(0);
                self.streams.copy_within(at + 1.., at);
                self.used -= 1;
            }
            self.streams[self.used] = Stream::new(id);
            self.used += 1;
            self.used - 1
        });
        &mut self.streams[at]
    }

    /// All frames are whole; a connection that failed said so, and last.
    pub(crate) fn check_goodbye(&self, error: Option<ErrorCode>) {
        assert!(self.have == 0 && self.payload == 0, "a frame was cut off");
        if let Some(error) = error {
            assert_eq!(self.header[3], 7, "GOAWAY is the last frame");
            assert_eq!(self.goodbye, Some(error.0));
        }
    }
}

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Streams that are remembered.
const MAX_STREAMS: usize = 64;
