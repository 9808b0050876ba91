//! A strict but honest client, in a model of its own, against the server role: whatever the application does, the client
//! sees no rule broken, is accused of nothing, and everything returns to its start.
//!
//! RFC 9113 sections 5.1, 5.2, 6.5.3, 6.8, 6.9.

use std::collections::{BTreeMap, VecDeque};

use h2_lite::{Budget, ErrorCode, Event, StreamKey, Transmit};
use proptest::prelude::*;

use crate::support::frames::*;
use crate::support::{REQUEST, Session, Setup, key};

/// Our SETTINGS_INITIAL_WINDOW_SIZE.
const WINDOW: i64 = 2_000;
const SLOTS: u8 = 3;

#[derive(Debug)]
struct Exchange {
    /// What the server may still send.
    ours: i64,
    /// What the client may still send.
    theirs: i64,
    ended_by_client: bool,
    headers_seen: bool,
    ended_by_server: bool,
}

struct Client {
    pipe: VecDeque<u8>,
    inbox: Vec<u8>,
    streams: BTreeMap<u32, Exchange>,
    next_id: u32,
    ours: i64,
    theirs: i64,
    /// What new streams start with, either way.
    initial_ours: i64,
    initial_theirs: i64,
    /// Unlimited until our SETTINGS are read.
    most_streams: usize,
    unacknowledged: VecDeque<u32>,
    go_away: Option<u32>,
}

impl Client {
    fn new() -> Self {
        Self {
            pipe: [PREFACE, &settings(&[])].concat().into(),
            inbox: Vec::new(),
            streams: BTreeMap::new(),
            next_id: 1,
            ours: 65_535,
            theirs: 65_535,
            initial_ours: 65_535,
            initial_theirs: 65_535,
            most_streams: 6,
            unacknowledged: VecDeque::from([65_535]),
            go_away: None,
        }
    }

    fn read(&mut self, octets: &[u8]) {
        self.inbox.extend(octets);
        while self.inbox.len() >= 9 {
            let len = usize::from(self.inbox[1]) << 8 | usize::from(self.inbox[2]);
            assert!(self.inbox[0] == 0 && len <= 16_384, "4.2: {:?}", self.inbox);
            if self.inbox.len() < 9 + len {
                return;
            }
            let frame: Vec<u8> = self.inbox.drain(..9 + len).collect();
            let id = u32::from_be_bytes(frame[5..9].try_into().unwrap());
            assert!(id < self.next_id, "frame on an idle stream: {frame:?}");
            self.frame(frame[3], frame[4], id, &frame[9..]);
        }
    }

    fn frame(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) {
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        let len = payload.len() as i64;
        match (kind, self.streams.get_mut(&id)) {
            (0, stream) => {
                self.ours -= len;
                assert!(self.ours >= 0, "connection window violated");
                if let Some(stream) = stream {
                    assert!(stream.headers_seen && !stream.ended_by_server, "8.1");
                    stream.ours -= len;
                    assert!(len == 0 || stream.ours >= 0, "window of {id}: {}", stream.ours);
                    stream.ended_by_server = flags & END_STREAM != 0;
                }
            }
            (1, Some(stream)) => {
                assert!(!stream.ended_by_server && (!stream.headers_seen || flags & END_STREAM != 0));
                stream.headers_seen = true;
                stream.ended_by_server = flags & END_STREAM != 0;
            }
            (3, _) => drop(self.streams.remove(&id)),
            (4, _) if flags & ACK != 0 => {
                let window = i64::from(self.unacknowledged.pop_front().expect("an ACK too many"));
                for stream in self.streams.values_mut() {
                    stream.ours += window - self.initial_ours;
                }
                self.initial_ours = window;
            }
            (4, _) => {
                for stream in self.streams.values_mut() {
                    stream.theirs += WINDOW - self.initial_theirs;
                }
                self.initial_theirs = WINDOW;
                self.most_streams = usize::from(SLOTS);
                self.pipe.extend(settings_ack());
            }
            (6, _) if flags & ACK == 0 => self.pipe.extend(ping_ack(payload.try_into().unwrap())),
            (7, _) => {
                assert_eq!(number(4), 0, "GOAWAY with an error");
                assert!(self.go_away.is_none_or(|last| number(0) <= last), "raised");
                self.go_away = Some(number(0));
                self.streams.retain(|id, _| *id <= number(0));
            }
            (8, _) if id == 0 => {
                self.theirs += i64::from(number(0));
                assert!(self.theirs <= 65_535, "connection credit {}", self.theirs);
            }
            (8, Some(stream)) => {
                stream.theirs += i64::from(number(0));
                assert!(stream.theirs <= self.initial_theirs, "credit {}", stream.theirs);
            }
            _ => {}
        }
        self.streams
            .retain(|_, stream| !(stream.ended_by_client && stream.ended_by_server));
    }

    fn open(&mut self, end_stream: bool) {
        if self.go_away.is_some() || self.streams.len() >= self.most_streams {
            return;
        }
        let flags = if end_stream {
            END_HEADERS | END_STREAM
        } else {
            END_HEADERS
        };
        self.pipe.extend(headers(self.next_id, &block(&REQUEST), flags));
        let exchange = Exchange {
            ours: self.initial_ours,
            theirs: self.initial_theirs,
            ended_by_client: end_stream,
            headers_seen: false,
            ended_by_server: false,
        };
        self.streams.insert(self.next_id, exchange);
        self.next_id += 2;
    }

    /// The stream that `choice` stands for.
    fn choose(&self, choice: usize) -> u32 {
        let count = self.streams.len().max(1);
        self.streams.keys().nth(choice % count).copied().unwrap_or(0)
    }

    fn data(&mut self, id: u32, amount: usize) -> Option<usize> {
        let stream = self.streams.get_mut(&id)?;
        let room = stream.theirs.min(self.theirs).max(0) as usize;
        let pad = if amount.is_multiple_of(3) { amount % 256 } else { 0 };
        let overhead = if pad > 0 { pad + 1 } else { 0 };
        if stream.ended_by_client || room <= overhead {
            return None;
        }
        let len = (amount % 997 + 1).min(room - overhead);
        let end = amount.is_multiple_of(41);
        stream.theirs -= (len + overhead) as i64;
        self.theirs -= (len + overhead) as i64;
        stream.ended_by_client = end;
        let flags = if end { END_STREAM } else { 0 };
        self.pipe.extend(if pad > 0 {
            padded_data(id, &vec![9; len], pad as u8, flags)
        } else {
            data(id, &vec![9; len], flags)
        });
        Some(len)
    }

    fn window_update(&mut self, id: u32, amount: usize) {
        let increment = amount as u32 + 1;
        self.ours += i64::from(increment);
        self.pipe.extend(window_update(0, increment));
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.ours += i64::from(increment);
            self.pipe.extend(window_update(id, increment));
        }
    }

    fn settings(&mut self, amount: usize) {
        if self.unacknowledged.len() < 20 {
            self.unacknowledged.push_back(amount as u32);
            self.pipe.extend(settings(&[(4, amount as u32)]));
        }
    }

    fn reset(&mut self, id: u32) {
        if self.streams.remove(&id).is_some() {
            self.pipe.extend(rst_stream(id, 8));
        }
    }
}

struct World<'s, 'c, 'm> {
    s: &'s mut Session<'c, 'm>,
    client: Client,
    out: Option<Transmit<'m>>,
    keys: [Option<StreamKey>; SLOTS as usize],
    /// Octets of each slot's stream that the application has not consumed.
    unread: [u32; SLOTS as usize],
}

impl World<'_, '_, '_> {
    fn give_back(&mut self, amount: usize) {
        if let Some(transmit) = self.out.take() {
            let written = transmit.bytes().len().min(amount);
            let bytes = transmit.bytes()[..written].to_vec();
            self.s.conn.give_back(transmit, written, self.s.now);
            self.client.read(&bytes);
        }
    }

    fn take(&mut self) {
        if self.out.is_none() {
            let wants = self.s.conn.wants_transmit();
            self.out = self.s.conn.take_transmit(self.s.now);
            assert_eq!(wants, self.out.is_some(), "wants_transmit");
        }
    }

    fn deliver(&mut self, amount: usize) {
        let octets: Vec<u8> = self.client.pipe.iter().copied().take(amount).collect();
        let mut input = &octets[..];
        loop {
            let event = self.s.conn.handle_input(&mut input, self.s.now);
            match event.expect("an honest client makes no error") {
                None => break,
                Some(Event::HeadersEnd { stream, .. }) => {
                    let at = usize::from(stream.slot);
                    if self.keys[at] != Some(stream) {
                        (self.keys[at], self.unread[at]) = (Some(stream), 0);
                    }
                }
                Some(Event::Data { stream, bytes, .. }) => {
                    assert_eq!(self.keys[usize::from(stream.slot)], Some(stream));
                    self.unread[usize::from(stream.slot)] += bytes.len() as u32;
                }
                Some(Event::Reset { stream, .. }) => self.keys[usize::from(stream.slot)] = None,
                Some(_) => {}
            }
        }
        assert!(input.is_empty() || !self.s.conn.wants_input());
        if !self.s.conn.settings_acknowledged() {
            let live = (0..usize::from(SLOTS)).filter(|slot| self.keys[*slot].is_some());
            assert!(live.map(|slot| self.unread[slot]).sum::<u32>() <= 65_535);
        }
        self.client.pipe.drain(..octets.len() - input.len());
    }

    fn release(&mut self, slot: u8, amount: u32) {
        let at = usize::from(slot);
        if let Some(stream) = self.keys[at] {
            let octets = self.unread[at].min(amount);
            self.unread[at] -= octets;
            self.s.conn.release_capacity(stream, octets);
        }
    }

    fn step(&mut self, what: u8, slot: u8, amount: usize) {
        let stream = self.keys[usize::from(slot)].unwrap_or(key(slot, 0x7fff_ffff));
        let id = self.client.choose(amount);
        match what {
            0..=2 => self.client.open(amount.is_multiple_of(2)),
            3 | 4 => {
                let room = self.s.conn.data_room(stream).unwrap_or(0);
                let len = room.min(amount);
                if len > 0 {
                    let sent = self.s.send_data(stream, &vec![7; len], amount.is_multiple_of(29));
                    assert_eq!(sent, Ok(()), "data_room said {room}");
                }
            }
            5 => drop(
                self.s
                    .respond(stream, &[(":status", "200")], amount.is_multiple_of(17)),
            ),
            6 => drop(self.s.trailers(stream, &[("grpc-status", "0")])),
            7 => self.release(slot, amount as u32),
            8 => self.s.conn.require_capacity(stream, amount as u32),
            9 if amount.is_multiple_of(3) => {
                self.s.conn.reset_stream(stream, ErrorCode::NO_ERROR);
            }
            10..=12 => drop(self.client.data(id, amount)),
            13 => self.client.window_update(id, amount),
            14 => self.client.settings(amount),
            15 => self.client.pipe.extend(ping([slot; 8])),
            16 if amount.is_multiple_of(4) => self.client.reset(id),
            17 | 18 => self.take(),
            19 | 20 => self.give_back(amount * 2),
            21..=23 => self.deliver(if amount.is_multiple_of(2) {
                amount % 30
            } else {
                amount
            }),
            24 => self.s.conn.reserve_slot(slot, amount.is_multiple_of(2)),
            25 if amount.is_multiple_of(30) => self.s.conn.shut_down(self.s.now),
            26 => self.settle(),
            27 => {
                for turn in 0..amount % 50 {
                    let _ = self.client.data(id, amount + turn);
                    self.settle();
                    (0..SLOTS).for_each(|slot| self.release(slot, u32::MAX));
                    self.step(3, slot, 1_999 - turn);
                }
            }
            _ => self.s.advance(amount as u64),
        }
    }

    fn settle(&mut self) {
        loop {
            self.give_back(usize::MAX);
            self.take();
            if self.out.is_none() && self.client.pipe.is_empty() {
                return;
            }
            self.give_back(usize::MAX);
            self.deliver(usize::MAX);
        }
    }

    fn finish(&mut self) {
        self.settle();
        for slot in 0..SLOTS {
            self.s.conn.reserve_slot(slot, false);
            if let Some(stream) = self.keys[usize::from(slot)] {
                self.s.conn.reset_stream(stream, ErrorCode::CANCEL);
            }
        }
        self.settle();
        assert!(
            (0..SLOTS).all(|slot| self.s.conn.is_free(slot)),
            "slots come back"
        );
        assert!(self.client.theirs > 32_767, "the connection's credit comes back");
        assert!(self.client.unacknowledged.is_empty());
        if self.client.go_away.is_some() {
            assert!(self.s.conn.is_closed(), "a shutdown comes to its end");
            return;
        }
        self.client.streams.clear();
        let id = self.client.next_id;
        self.client.open(false);
        self.settle();
        for turn in 0..100 {
            let amount = if turn == 99 { 41 } else { 999 };
            assert!(self.client.data(id, amount).is_some(), "goes on, {turn}");
            self.settle();
            self.release(0, u32::MAX);
            self.settle();
        }
        let stream = self.keys[0].unwrap();
        self.s.respond(stream, &[(":status", "200")], true).unwrap();
        self.settle();
        assert!(self.s.conn.is_free(0), "an innocent stream completes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strict_honest_client_finds_no_fault_and_is_found_none_5_1_and_6_9_3(
        send in 160_usize..600,
        warm in any::<bool>(),
        steps in prop::collection::vec((0_u8..29, 0_u8..SLOTS, 0_usize..2_000), 1..400),
    ) {
        let much = Budget::new(u16::MAX, u16::MAX);
        let setup = Setup { send, slots: usize::from(SLOTS), ..Setup::server() }.config(|c| {
            c.initial_window_size = WINDOW as u32;
            c.write_stall_ms = u32::MAX;
            c.settings_timeout_ms = u32::MAX;
            c.header_block_timeout_ms = u32::MAX;
            c.budgets.data_overhead = u32::MAX;
            (c.budgets.peer_resets, c.budgets.discarded, c.budgets.control) = (much, much, much);
            (c.budgets.pings, c.budgets.settings) = (much, much);
        });
        setup.script_whole(|s| {
            let (keys, unread) = ([None; SLOTS as usize], [0; SLOTS as usize]);
            let mut world = World { s, client: Client::new(), out: None, keys, unread };
            if warm {
                world.settle();
            }
            for (what, slot, amount) in &steps {
                world.step(*what, *slot, *amount);
            }
            world.finish();
        });
    }
}
