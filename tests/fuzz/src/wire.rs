//! Builds what a peer sends from an input: mostly plausible frames, for octets alone would hardly pass the preface.

/// Octets on their way to the endpoint under test.
pub(crate) struct Wire {
    octets: [u8; Wire::CAPACITY],
    len: usize,
    /// Places at which the peer waits for a request.
    marks: [usize; Wire::MAX_MARKS],
    marked: usize,
}

impl Wire {
    const CAPACITY: usize = 4_096;
    const MAX_MARKS: usize = 4;

    /// `greeting`, and then what the instructions in `script` make, with `blocks` as header blocks.
    ///
    /// An instruction is an octet and its operands; where the script ends, operands are 0. What does not fit is left out.
    pub(crate) fn build(script: &[u8], blocks: &[&[u8]], greeting: &[u8]) -> Self {
        let mut wire = Self {
            octets: [0; Self::CAPACITY],
            len: 0,
            marks: [0; Self::MAX_MARKS],
            marked: 0,
        };
        wire.push(greeting);
        let mut script = Script(script);
        while !script.0.is_empty() {
            wire.instruction(&mut script, blocks);
        }
        wire
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }

    pub(crate) fn marks(&self) -> &[usize] {
        &self.marks[..self.marked]
    }

    /// The same, and `octets` behind it.
    pub(crate) fn and(mut self, octets: &[u8]) -> Self {
        self.push(octets);
        self
    }

    fn instruction(&mut self, script: &mut Script<'_>, blocks: &[&[u8]]) {
        let what = script.octet();
        match what & 0x0f {
            0 => {
                let raw = script.octets();
                self.push(raw);
            }
            1 => {
                let (stream, flags, len) = (script.stream(), script.octet(), script.octet());
                // Larger than a small window, where the high bits say so.
                if what & 0x20 == 0 {
                    let len = usize::from(len) << (what >> 6);
                    self.frame(0, flags & 0x01, stream, &FILL[..len.min(FILL.len())]);
                } else {
                    self.message(flags & 0x01, stream, len & 0x7f);
                }
            }
            2 => {
                let (stream, flags, block) = (script.stream(), script.octet(), script.pick(blocks));
                self.frame(1, 0x04 | flags & 0x01, stream, block);
            }
            3 => {
                let (stream, flags) = (script.stream(), script.octet());
                self.frame(1, flags, stream, script.octets());
            }
            4 => {
                let (stream, flags) = (script.stream(), script.octet());
                self.frame(9, flags, stream, script.octets());
            }
            5 => {
                let increment = u32::from(script.octet()) << (what >> 4 << 1);
                self.frame(8, 0, script.stream(), &increment.to_be_bytes());
            }
            6 => {
                let value = u32::from(script.octet()) << (what >> 4 << 1);
                let [a, b, c, d] = value.to_be_bytes();
                self.frame(4, 0, 0, &[0, script.octet() % 8, a, b, c, d]);
            }
            7 if what & 0x70 == 0x70 => {
                if let Some(mark) = self.marks.get_mut(self.marked) {
                    *mark = self.len;
                    self.marked += 1;
                }
            }
            7 => self.frame(4, what >> 7 ^ 1, 0, &[]),
            8 => self.frame(6, what >> 7, 0, &[what; 8]),
            other => self.rare_instruction(other, what, script, blocks),
        }
    }

    fn rare_instruction(&mut self, kind: u8, what: u8, script: &mut Script<'_>, blocks: &[&[u8]]) {
        match kind {
            9 => {
                let last = script.stream().to_be_bytes();
                let code = [0, 0, 0, script.octet()];
                self.frame(7, 0, 0, [last, code].as_flattened());
            }
            10 => self.frame(3, 0, script.stream(), &[0, 0, 0, what >> 4]),
            11 => {
                let [a, b, c, d] = script.stream().to_be_bytes();
                self.frame(2, 0, script.stream(), &[a, b, c, d, what]);
            }
            12 => {
                let (kind, flags, stream) = (script.octet(), script.octet(), script.stream());
                self.frame(kind, flags, stream, script.octets());
            }
            13 => {
                let (stream, block, at) = (script.stream(), script.pick(blocks), script.octet());
                let (first, rest) = block.split_at(usize::from(at) % (block.len() + 1));
                self.frame(1, what >> 7, stream, first);
                self.frame(9, 0x04, stream, rest);
            }
            14 => self.padded(script, blocks, what),
            _ => {
                // The same again, as floods do.
                let (start, times) = (self.len, script.octet() % 32);
                self.instruction_of(script.octet() % 15, script, blocks);
                let (again, len) = (start..self.len, self.len - start);
                for _ in 0..times {
                    if self.len + len > Self::CAPACITY {
                        break;
                    }
                    self.octets.copy_within(again.clone(), self.len);
                    self.len += len;
                }
            }
        }
    }

    fn instruction_of(&mut self, what: u8, script: &mut Script<'_>, blocks: &[&[u8]]) {
        let mut one = [0; 8];
        one[0] = what;
        for octet in &mut one[1..] {
            *octet = script.octet();
        }
        self.instruction(&mut Script(&one), blocks);
    }

    /// DATA with a gRPC message of one field of `len` octets.
    fn message(&mut self, flags: u8, stream: u32, len: u8) {
        let mut payload = [b'm'; 7 + 0x7f];
        payload[..7].copy_from_slice(&[0, 0, 0, 0, len + 2, 0x0a, len]);
        self.frame(0, flags, stream, &payload[..7 + usize::from(len)]);
    }

    /// DATA or HEADERS with padding, of which there may be too much.
    fn padded(&mut self, script: &mut Script<'_>, blocks: &[&[u8]], what: u8) {
        let (stream, pad, flags) = (script.stream(), script.octet(), script.octet());
        let mut payload = [0; 512];
        payload[0] = pad;
        let (kind, content) = if what & 0x80 == 0 {
            (0, script.octets())
        } else {
            (1, script.pick(blocks))
        };
        let content = &content[..content.len().min(200)];
        payload[1..=content.len()].copy_from_slice(content);
        let len = 1 + content.len() + usize::from(pad) - usize::from(what >> 4 & 1).min(usize::from(pad));
        self.frame(kind, 0x0c | flags & 0x01, stream, &payload[..len]);
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let [_, _, high, low] = (payload.len() as u32).to_be_bytes();
        let [a, b, c, d] = stream.to_be_bytes();
        if self.len + 9 + payload.len() <= Self::CAPACITY {
            self.push(&[0, high, low, kind, flags, a, b, c, d]);
            self.push(payload);
        }
    }

    fn push(&mut self, octets: &[u8]) {
        if let Some(room) = self.octets[self.len..].get_mut(..octets.len()) {
            room.copy_from_slice(octets);
            self.len += octets.len();
        }
    }
}

/// The rest of the instructions.
struct Script<'s>(&'s [u8]);

impl<'s> Script<'s> {
    fn octet(&mut self) -> u8 {
        let (octet, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *octet
    }

    /// A length and so many octets.
    fn octets(&mut self) -> &'s [u8] {
        let len = usize::from(self.octet() & 0x3f).min(self.0.len());
        let (octets, rest) = self.0.split_at(len);
        self.0 = rest;
        octets
    }

    fn stream(&mut self) -> u32 {
        STREAMS[usize::from(self.octet() & 0x0f)]
    }

    fn pick<'b>(&mut self, blocks: &[&'b [u8]]) -> &'b [u8] {
        blocks[usize::from(self.octet()) % blocks.len()]
    }
}

/// Stream identifiers that meet each other often.
const STREAMS: [u32; 16] = [1, 3, 5, 7, 9, 11, 13, 0, 1, 3, 1, 2, 4, 101, 0x7fff_ffff, 1];

const FILL: [u8; 1_024] = [0; 1_024];

/// The client's preface, empty SETTINGS and the acknowledgement of the server's.
pub(crate) const CLIENT_GREETING: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0";

/// Empty SETTINGS and the acknowledgement of the client's.
pub(crate) const SERVER_GREETING: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0";
