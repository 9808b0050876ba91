//! A server that does everything a real one may do, and much that it may not, by the dice of one seed. It also
//! judges: a client that breaks a window, a limit or the rules of stream ids fails the test.

use std::collections::{BTreeMap, VecDeque};

use super::chaos::{Rng, World};
use super::frames::{self, Frame, FrameReader};
use super::server::HEAD;

/// What comes back on a link.
pub enum Item {
    Octets(Vec<u8>),
    Close,
    Break,
}

/// Each with the milliseconds until it arrives.
pub type Out = Vec<(u64, Item)>;

struct Request {
    body: Vec<u8>,
    window: i64,
    /// END_STREAM came.
    ended: bool,
    /// We ended our side.
    answered: bool,
}

/// The server's side of one connection.
pub struct ChaosServer {
    good: bool,
    reader: FrameReader,
    requests: BTreeMap<u32, Request>,
    last_id: u32,
    window: i64,
    initial_window: i64,
    max_streams: u32,
    /// Settings that bind the client from its ACK on.
    unacknowledged: VecDeque<(i64, u32)>,
    gone: bool,
    /// When the requests of a good server are answered, at the earliest.
    answer_times: Vec<u64>,
}

impl ChaosServer {
    pub fn new(good: bool, rng: &Rng) -> Self {
        let plain = good || rng.chance(40);
        Self {
            good,
            reader: FrameReader::default(),
            requests: BTreeMap::new(),
            last_id: 0,
            window: 65_535,
            initial_window: if plain {
                65_535
            } else {
                rng.pick(&[0, 1, 7, 64, 300])
            },
            max_streams: if plain { 100 } else { rng.pick(&[0, 1, 1, 2, 3]) },
            unacknowledged: VecDeque::new(),
            gone: false,
            answer_times: Vec::new(),
        }
    }

    pub fn begin(&mut self, rng: &Rng, out: &mut Out) {
        let settings = self.settings();
        if self.good {
            out.push((0, Item::Octets(settings)));
            return;
        }
        match rng.below(20) {
            0 => {} // Never a word.
            1 => out.push((0, Item::Octets(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()))),
            2 => {
                let cut = rng.below(settings.len() as u64) as usize;
                out.push((0, Item::Octets(settings[..cut].to_vec())));
                out.push((rng.below(30), Item::Close));
            }
            3 => {
                out.push((0, Item::Octets(settings)));
                out.push((0, Item::Octets(frames::goaway(0, 0))));
            }
            _ => out.push((rng.below(30), Item::Octets(settings))),
        }
    }

    fn settings(&mut self) -> Vec<u8> {
        self.unacknowledged
            .push_back((self.initial_window, self.max_streams));
        frames::settings(&[(3, self.max_streams), (4, self.initial_window as u32)])
    }

    pub fn receive(&mut self, octets: &[u8], world: &World<'_>, out: &mut Out) {
        for frame in self.reader.push(octets) {
            assert!(
                frame.payload.len() <= 16_384,
                "a frame above the server's MAX_FRAME_SIZE"
            );
            if !self.gone {
                self.frame(&frame, world, out);
            }
        }
    }

    fn frame(&mut self, frame: &Frame, world: &World<'_>, out: &mut Out) {
        let rng = &world.rng;
        match frame.kind {
            frames::SETTINGS if frame.flags & frames::ACK == 0 => {
                let kept = if self.good || rng.chance(97) { 1 } else { 0 };
                out.extend((0..kept).map(|_| (0, Item::Octets(frames::settings_ack()))));
            }
            frames::SETTINGS => {
                self.unacknowledged
                    .pop_front()
                    .expect("an ACK for SETTINGS that were never sent");
            }
            frames::PING if frame.flags & frames::ACK == 0 => {
                let answer = frames::frame(frames::PING, frames::ACK, 0, &frame.payload);
                out.push((0, Item::Octets(answer)));
            }
            frames::HEADERS => self.headers(frame, world, out),
            frames::DATA => self.data(frame, world, out),
            frames::RST_STREAM => {
                assert!(frame.stream <= self.last_id, "RST_STREAM on an idle stream");
                self.requests.remove(&frame.stream);
            }
            _ => {}
        }
    }

    fn headers(&mut self, frame: &Frame, world: &World<'_>, out: &mut Out) {
        assert!(frame.stream % 2 == 1 && frame.stream > self.last_id);
        self.last_id = frame.stream;
        let limit = self
            .unacknowledged
            .iter()
            .map(|(_, max)| *max)
            .chain([self.max_streams])
            .max();
        // Until its ACK of a lower limit the client may count by an earlier one.
        if self.unacknowledged.is_empty() {
            assert!(
                self.requests.len() < limit.unwrap_or(0) as usize,
                "more streams than MAX_CONCURRENT_STREAMS"
            );
        }
        self.requests.insert(
            frame.stream,
            Request {
                body: Vec::new(),
                window: self.initial_window,
                ended: false,
                answered: false,
            },
        );
        if self.good {
            let now = world.timer.now_ms();
            self.answer_times.retain(|at| *at > now);
            self.answer_times.push(now + GOOD_DELAY_MS);
            world.peak.set(world.peak.get().max(self.answer_times.len()));
        } else if world.rng.chance(6) {
            self.misbehave(frame.stream, &world.rng, out);
        }
        self.grant(frame.stream, world, out);
    }

    fn data(&mut self, frame: &Frame, world: &World<'_>, out: &mut Out) {
        let len = frame.payload.len() as i64;
        self.window -= len;
        assert!(self.window >= 0, "DATA beyond the connection's window");
        if len > 0 {
            out.push((0, Item::Octets(window_update(0, len))));
            self.window += len;
        }
        let Some(request) = self.requests.get_mut(&frame.stream) else {
            return;
        };
        assert!(!request.ended, "DATA after END_STREAM");
        request.window -= len;
        if self.unacknowledged.is_empty() {
            assert!(len == 0 || request.window >= 0, "DATA beyond the stream's window");
        }
        request.body.extend(&frame.payload);
        if frame.flags & frames::END_STREAM != 0 {
            request.ended = true;
            self.ended(frame.stream, world, out);
        } else {
            self.grant(frame.stream, world, out);
        }
    }

    /// Gives the window back in pieces.
    fn grant(&mut self, stream: u32, world: &World<'_>, out: &mut Out) {
        let (rng, good) = (&world.rng, self.good);
        let Some(request) = self.requests.get_mut(&stream) else {
            return;
        };
        let target = if good { 65_535 } else { self.initial_window.max(5) };
        let mut delay = 0;
        while request.window < target {
            let step = if good {
                target - request.window
            } else {
                1 + rng.below((target - request.window) as u64) as i64
            };
            request.window += step;
            delay += if good { 0 } else { rng.below(40) };
            out.push((delay, Item::Octets(window_update(stream, step))));
        }
    }
}

// What it answers.
impl ChaosServer {
    /// The request is whole.
    fn ended(&mut self, stream: u32, world: &World<'_>, out: &mut Out) {
        let rng = &world.rng;
        let Some(request) = self.requests.get(&stream) else {
            return;
        };
        if request.answered {
            self.requests.remove(&stream);
            return;
        }
        let content = content_of(&request.body);
        if self.good {
            let answer = plain_answer(stream, &content, HEAD);
            out.push((GOOD_DELAY_MS, Item::Octets(answer)));
            self.requests.remove(&stream);
            return;
        }
        if rng.chance(35) {
            self.misbehave(stream, rng, out);
            return;
        }
        self.requests.remove(&stream);
        let answer = self.odd_answer(stream, &content, rng);
        let delay = rng.pick(&[0, 0, 1, 30, 400, 3_000]);
        if rng.chance(10) {
            let cut = rng.below(answer.len() as u64) as usize;
            out.push((delay, Item::Octets(answer[..cut].to_vec())));
            out.push((delay, if rng.chance(50) { Item::Close } else { Item::Break }));
            return;
        }
        // In pieces that arrive one after the other.
        let cut = rng.below(answer.len() as u64) as usize;
        out.push((delay, Item::Octets(answer[..cut].to_vec())));
        out.push((delay + rng.below(50), Item::Octets(answer[cut..].to_vec())));
    }

    /// A right answer in a form that not every server would choose.
    fn odd_answer(&mut self, stream: u32, content: &[u8], rng: &Rng) -> Vec<u8> {
        let mut out = Vec::new();
        if rng.chance(10) {
            out.extend(frames::headers(
                stream,
                &[(":status", "103"), ("link", "x")],
                false,
            ));
        }
        let long = "v".repeat(rng.below(200) as usize);
        let mut head = HEAD.to_vec();
        if rng.chance(30) {
            head.push(("x-initial", &long));
        }
        let mut block = frames::block(&head);
        // Without indexing, never indexed, or with a place in the table.
        block[0] = rng.pick(&[0x00, 0x10, 0x40]);
        let cut = rng.below(block.len() as u64) as usize;
        if rng.chance(30) {
            out.extend(frames::frame(frames::HEADERS, 0, stream, &block[..cut]));
            let rest = frames::frame(frames::CONTINUATION, frames::END_HEADERS, stream, &block[cut..]);
            out.extend(rest);
        } else {
            out.extend(frames::frame(
                frames::HEADERS,
                frames::END_HEADERS,
                stream,
                &block,
            ));
        }
        let message = frames::message(&answer_to(content));
        let mut spare = 261 - message.len();
        let mut rest = &message[..];
        while !rest.is_empty() {
            self.interleave(rng, &mut out);
            let (piece, after) = rest.split_at(1 + rng.below(rest.len() as u64) as usize);
            let padding = rng.below(9) as usize;
            if rng.chance(30) && padding < spare {
                spare -= padding + 1;
                let payload = [&[padding as u8][..], piece, &vec![0; padding]].concat();
                out.extend(frames::frame(frames::DATA, frames::PADDED, stream, &payload));
            } else {
                out.extend(frames::data(stream, piece, false));
            }
            rest = after;
        }
        self.interleave(rng, &mut out);
        let nonce = nonce_of(content);
        out.extend(frames::headers(
            stream,
            &[("grpc-status", "0"), ("x-nonce", &nonce)],
            true,
        ));
        if rng.chance(10) {
            out.extend(frames::rst(stream, 0));
        }
        out
    }

    fn interleave(&mut self, rng: &Rng, out: &mut Vec<u8>) {
        match rng.below(12) {
            0 => {
                for _ in 0..=rng.below(4) {
                    out.extend(frames::frame(
                        frames::PING,
                        0,
                        0,
                        &rng.below(u64::MAX).to_be_bytes(),
                    ));
                }
            }
            1 => {
                let before = self.initial_window;
                self.initial_window = rng.pick(&[0, 5, 300, 65_535]);
                self.max_streams = rng.pick(&[0, 1, 2, 100]);
                for request in self.requests.values_mut() {
                    request.window += self.initial_window - before;
                }
                out.extend(self.settings());
            }
            2 => out.extend(frames::frame(0x77, 0xff, 0, b"unknown")),
            3 => out.extend(frames::frame(2, 0, 1, &[0, 0, 0, 0, 7])),
            _ => {}
        }
    }

    /// Anything but the right answer.
    fn misbehave(&mut self, stream: u32, rng: &Rng, out: &mut Out) {
        let delay = rng.pick(&[0, 0, 2, 100, 2_500]);
        let mut say = |octets: Vec<u8>| out.push((delay, Item::Octets(octets)));
        let ended = self.requests.get(&stream).is_some_and(|request| request.ended);
        if ended {
            self.requests.remove(&stream);
        } else if let Some(request) = self.requests.get_mut(&stream) {
            request.answered = true;
        }
        match rng.below(12) {
            0 | 1 => {
                let code = rng.below(20).to_string();
                let fields = [
                    HEAD,
                    &[("grpc-status", &code[..]), ("grpc-message", "%E2%98%BA no")],
                ]
                .concat();
                say(frames::headers(stream, &fields, true));
                if !ended && rng.chance(50) {
                    say(frames::rst(stream, 0));
                    self.requests.remove(&stream);
                }
            }
            2 => {
                say(frames::rst(stream, rng.below(16) as u32));
                self.requests.remove(&stream);
            }
            3 => {
                say(frames::rst(stream, 7));
                self.requests.remove(&stream);
            }
            4 | 5 => {
                let last = rng.pick(&[0, stream.saturating_sub(2), stream, 0x7fff_ffff]);
                say(frames::goaway(last, rng.below(14) as u32));
                self.requests.retain(|id, _| *id <= last);
                match rng.below(3) {
                    0 => out.push((delay + rng.below(100), Item::Close)),
                    1 => self.gone = true,
                    _ => {}
                }
            }
            6 => out.push((delay, Item::Break)),
            7 => {} // Never an answer.
            case => self.lie(case, stream, delay, rng, out),
        }
    }

    /// Octets that no server should send.
    fn lie(&mut self, case: u64, stream: u32, delay: u64, rng: &Rng, out: &mut Out) {
        let mut say = |octets: Vec<u8>| out.push((delay, Item::Octets(octets)));
        let ended = !self.requests.contains_key(&stream);
        match case {
            8 => {
                self.gone = true;
                say((0..rng.below(200)).map(|_| rng.below(256) as u8).collect());
            }
            9 => {
                say(frames::headers(stream, HEAD, false));
                say(frames::data(stream, &frames::message(&[7; 900])[..261], false));
            }
            10 => {
                say(frames::headers(stream, HEAD, false));
                say(frames::data(stream, &[0, 0, 0, 0, 9, 1], true));
                if !ended {
                    say(frames::rst(stream, 0));
                    self.requests.remove(&stream);
                }
            }
            _ => say(frames::headers(
                stream,
                &[(":status", "503"), ("content-type", "text/html")],
                true,
            )),
        }
    }
}

/// What a good server answers to a message with this content.
pub fn answer_to(content: &[u8]) -> Vec<u8> {
    content.iter().rev().take(200).map(|octet| octet ^ 0x5a).collect()
}

/// What it puts into the trailers.
pub fn nonce_of(content: &[u8]) -> String {
    content
        .iter()
        .take(8)
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

fn plain_answer(stream: u32, content: &[u8], head: &[(&str, &str)]) -> Vec<u8> {
    let mut out = frames::headers(stream, head, false);
    out.extend(frames::data(stream, &frames::message(&answer_to(content)), false));
    let nonce = nonce_of(content);
    out.extend(frames::headers(
        stream,
        &[("grpc-status", "0"), ("x-nonce", &nonce)],
        true,
    ));
    out
}

/// The content of a framed message, which must be whole.
fn content_of(framed: &[u8]) -> Vec<u8> {
    let len = u32::from_be_bytes(framed[1..5].try_into().unwrap()) as usize;
    assert_eq!((framed[0], framed.len()), (0, len + 5), "the request's prefix");
    let head = 6 + framed[6..].iter().take_while(|octet| **octet >= 0x80).count() + 1;
    framed[head..].to_vec()
}

fn window_update(stream: u32, increment: i64) -> Vec<u8> {
    frames::window_update(stream, increment as u32)
}

/// Long enough for other calls to begin, however slow the link is.
const GOOD_DELAY_MS: u64 = 1_000;
