//! A strict but honest peer, in a model of its own: whatever the application does, and however octets and buffers are
//! cut, the peer never sees a window, a table size or a state violated, and everything returns to its start.
//!
//! RFC 9113 sections 4.3.1, 5.1, 5.2, 6.5.3 and 6.9.

use std::collections::{BTreeMap, VecDeque};

use h2_lite::hpack_lite::{Decoder, Limits};
use h2_lite::{Budget, ErrorCode, Field, StreamKey, Transmit};
use proptest::prelude::*;

use crate::support::frames::*;
use crate::support::{Session, Setup, key};

/// Our SETTINGS_INITIAL_WINDOW_SIZE.
const WINDOW: i64 = 2_000;

#[derive(Debug)]
struct PeerStream {
    /// What we may still send, as the peer counts it.
    ours: i64,
    /// What the peer may still send.
    theirs: i64,
    ended_by_us: bool,
    responded: bool,
    ended_by_peer: bool,
}

/// The other end.
struct Peer<'d> {
    /// Octets on their way to the connection under test.
    pipe: VecDeque<u8>,
    /// Octets of ours that are no whole frame yet.
    inbox: Vec<u8>,
    streams: BTreeMap<u32, PeerStream>,
    last_id: u32,
    ours: i64,
    theirs: i64,
    initial: i64,
    /// SETTINGS sent and not yet acknowledged: window and table size.
    unacknowledged: VecDeque<(u32, u32)>,
    decoder: Decoder<'d>,
    preface_seen: bool,
}

impl Peer<'_> {
    fn reset(&mut self) {
        self.pipe.clear();
        self.inbox.clear();
        self.streams.clear();
        self.last_id = 0;
        (self.ours, self.theirs, self.initial) = (65_535, 65_535, 65_535);
        self.unacknowledged = VecDeque::from([(65_535, 4_096)]);
        self.decoder.reset();
        self.preface_seen = false;
        self.pipe.extend(settings(&[]));
        self.pipe.extend(settings_ack());
    }

    /// Reads what the connection wrote, as strictly as the RFC allows.
    fn read(&mut self, octets: &[u8]) {
        self.inbox.extend(octets);
        if !self.preface_seen {
            if self.inbox.len() < PREFACE.len() {
                assert!(PREFACE.starts_with(&self.inbox));
                return;
            }
            assert!(self.inbox.starts_with(PREFACE), "{:?}", self.inbox);
            self.inbox.drain(..PREFACE.len());
            self.preface_seen = true;
        }
        while self.inbox.len() >= 9 {
            let len = usize::from(self.inbox[1]) << 8 | usize::from(self.inbox[2]);
            assert!(self.inbox[0] == 0 && len <= 16_384, "4.2: {:?}", self.inbox);
            if self.inbox.len() < 9 + len {
                return;
            }
            let frame: Vec<u8> = self.inbox.drain(..9 + len).collect();
            let id = u32::from_be_bytes(frame[5..9].try_into().unwrap());
            self.frame(frame[3], frame[4], id, &frame[9..]);
        }
    }

    fn frame(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) {
        match kind {
            0 => {
                let len = payload.len() as i64;
                self.ours -= len;
                assert!(self.ours >= 0, "connection window violated");
                assert!(id <= self.last_id, "DATA on an idle stream");
                if let Some(stream) = self.streams.get_mut(&id) {
                    assert!(!stream.ended_by_us, "DATA after END_STREAM");
                    stream.ours -= len;
                    assert!(len == 0 || stream.ours >= 0, "window of {id}: {}", stream.ours);
                    stream.ended_by_us = flags & END_STREAM != 0;
                }
            }
            1 => {
                assert!(id % 2 == 1 && id > self.last_id && flags & END_HEADERS != 0);
                self.last_id = id;
                let mut fragment = payload;
                while self
                    .decoder
                    .decode(&mut fragment)
                    .expect("HPACK in step")
                    .is_some()
                {}
                assert_eq!(self.decoder.finish().unwrap().fields, 5);
                let stream = PeerStream {
                    ours: self.initial,
                    theirs: WINDOW,
                    ended_by_us: flags & END_STREAM != 0,
                    responded: false,
                    ended_by_peer: false,
                };
                self.streams.insert(id, stream);
            }
            3 => {
                assert!(id <= self.last_id, "RST_STREAM on an idle stream");
                self.streams.remove(&id);
            }
            4 if flags & ACK != 0 => {
                let (window, table) = self.unacknowledged.pop_front().expect("an ACK too many");
                for stream in self.streams.values_mut() {
                    stream.ours += i64::from(window) - self.initial;
                }
                self.initial = i64::from(window);
                self.decoder.set_max_table_size(table);
            }
            8 => {
                let increment = i64::from(u32::from_be_bytes(payload.try_into().unwrap()));
                assert!(increment > 0);
                if id == 0 {
                    self.theirs += increment;
                    assert!(self.theirs <= 65_535, "connection credit {}", self.theirs);
                } else if let Some(stream) = self.streams.get_mut(&id) {
                    stream.theirs += increment;
                    assert!(stream.theirs <= WINDOW, "credit of {id}: {}", stream.theirs);
                }
            }
            4 | 6 => {}
            _ => panic!("frame of type {kind}"),
        }
        self.streams
            .retain(|_, stream| !(stream.ended_by_us && stream.ended_by_peer));
    }

    fn respond(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id)
            && !stream.responded
        {
            stream.responded = true;
            self.pipe.extend(headers(id, STATUS_200, END_HEADERS));
        }
    }

    /// DATA of up to `amount` octets and some padding, as the windows allow.
    fn data(&mut self, id: u32, amount: usize) -> Option<usize> {
        let stream = self.streams.get_mut(&id)?;
        let room = stream.theirs.min(self.theirs).max(0) as usize;
        let pad = if amount.is_multiple_of(3) { amount % 256 } else { 0 };
        let overhead = if pad > 0 { pad + 1 } else { 0 };
        if !stream.responded || stream.ended_by_peer || room <= overhead {
            return None;
        }
        let len = (amount % 997 + 1).min(room - overhead);
        let end = amount.is_multiple_of(41);
        let flags = if end { END_STREAM } else { 0 };
        stream.theirs -= (len + overhead) as i64;
        self.theirs -= (len + overhead) as i64;
        stream.ended_by_peer = end;
        self.pipe.extend(if pad > 0 {
            padded_data(id, &vec![9; len], pad as u8, flags)
        } else {
            data(id, &vec![9; len], flags)
        });
        Some(len)
    }

    fn window_update(&mut self, id: u32, amount: usize) {
        if amount.is_multiple_of(3) {
            self.ours += amount as i64 + 1;
            self.pipe.extend(window_update(0, amount as u32 + 1));
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.ours += amount as i64 + 1;
            self.pipe.extend(window_update(id, amount as u32 + 1));
        }
    }

    fn settings(&mut self, amount: usize) {
        let (window, table) = (amount as u32 % 2_500, amount as u32 % 3 * 200);
        if self.unacknowledged.len() < 20 {
            self.unacknowledged.push_back((window, table));
            self.pipe.extend(settings(&[(4, window), (1, table)]));
        }
    }
}

fn request<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/s/m"),
        (":authority", "a"),
        ("user", "agent"),
    ] {
        push(Field::Indexable {
            name: name.as_bytes(),
            value: value.as_bytes(),
        });
    }
}

/// One application, one peer, one pipe each way.
struct World<'s, 'c, 'm, 'd> {
    s: &'s mut Session<'c, 'm>,
    peer: Peer<'d>,
    out: Option<(Transmit<'m>, bool)>,
    keys: [Option<StreamKey>; 3],
}

impl World<'_, '_, '_, '_> {
    fn open(&mut self, slot: u8, amount: usize) {
        if let Ok(key) = self
            .s
            .conn
            .send_request(slot, &request, amount.is_multiple_of(2), self.s.now)
        {
            self.keys[usize::from(slot)] = Some(key);
        }
    }

    fn give_back(&mut self, amount: usize) {
        if let Some((transmit, stale)) = self.out.take() {
            let written = transmit.bytes().len().min(amount);
            let bytes = transmit.bytes()[..written].to_vec();
            self.s.conn.give_back(transmit, written, self.s.now);
            if !stale {
                self.peer.read(&bytes);
            }
        }
    }

    fn take(&mut self) {
        if self.out.is_none() {
            let wants = self.s.conn.wants_transmit();
            self.out = self
                .s
                .conn
                .take_transmit(self.s.now)
                .map(|transmit| (transmit, false));
            assert_eq!(wants, self.out.is_some(), "wants_transmit");
        }
    }

    /// Up to `amount` octets of the pipe arrive.
    fn deliver(&mut self, amount: usize) {
        let octets: Vec<u8> = self.peer.pipe.iter().copied().take(amount).collect();
        let mut input = &octets[..];
        while self
            .s
            .conn
            .handle_input(&mut input, self.s.now)
            .expect("an honest peer makes no error")
            .is_some()
        {}
        assert!(input.is_empty() || !self.s.conn.wants_input());
        self.peer.pipe.drain(..octets.len() - input.len());
    }

    fn step(&mut self, what: u8, slot: u8, amount: usize) {
        let id = self.keys[usize::from(slot)].map_or(0, |key| key.id.value());
        let stream = self.keys[usize::from(slot)].unwrap_or(key(slot, 0x7fff_ffff));
        match what {
            0 => self.open(slot, amount),
            1 | 2 => {
                let room = self.s.conn.data_room(stream).unwrap_or(0);
                let len = room.min(amount);
                if len > 0 {
                    let sent = self.s.send_data(stream, &vec![7; len], amount.is_multiple_of(29));
                    assert_eq!(sent, Ok(()), "data_room said {room}");
                }
            }
            3 => self.s.conn.release_capacity(stream, amount as u32),
            4 => self.s.conn.require_capacity(stream, amount as u32),
            5 if amount.is_multiple_of(4) => {
                self.s.conn.reset_stream(stream, ErrorCode::CANCEL);
            }
            6 | 7 => self.peer.respond(id),
            8..=10 => drop(self.peer.data(id, amount)),
            11 => self.peer.window_update(id, amount),
            12 => self.peer.settings(amount),
            13 => self.peer.pipe.extend(ping([slot; 8])),
            14 if amount.is_multiple_of(4) => {
                self.peer.streams.remove(&id);
                if id > 0 && id <= self.peer.last_id {
                    self.peer.pipe.extend(rst_stream(id, 8));
                }
            }
            15 | 16 => self.take(),
            17 | 18 => self.give_back(amount * 4),
            19..=22 => self.deliver(if amount.is_multiple_of(2) {
                amount % 30
            } else {
                amount
            }),
            23 if amount.is_multiple_of(6) => {
                self.s.conn.reset(self.s.now);
                self.peer.reset();
                self.keys = [None; 3];
                if let Some((_, stale)) = &mut self.out {
                    *stale = true;
                }
            }
            24..=26 => self.settle(),
            27 => {
                self.peer.respond(id);
                for turn in 0..amount % 50 {
                    self.receive(slot, amount + turn);
                    self.step(1, slot, 1_999 - turn);
                    self.peer.window_update(id, amount);
                }
            }
            _ => {
                self.s.now = self.s.now.saturating_add_millis(amount as u64);
                if self.s.conn.poll_timeout().is_some_and(|at| at <= self.s.now) {
                    self.s.conn.handle_timeout(self.s.now).unwrap();
                    assert!(self.s.conn.poll_timeout().is_none_or(|at| at > self.s.now));
                }
            }
        }
    }

    /// DATA of the peer comes and is consumed.
    fn receive(&mut self, slot: u8, amount: usize) -> bool {
        let Some(key) = self.keys[usize::from(slot)] else {
            return false;
        };
        let sent = self.peer.data(key.id.value(), amount);
        self.settle();
        self.s
            .conn
            .release_capacity(key, sent.map_or(0, |len| len as u32));
        self.settle();
        sent.is_some()
    }

    /// Both pipes run dry.
    fn settle(&mut self) {
        loop {
            self.give_back(usize::MAX);
            self.take();
            if self.out.is_none() && self.peer.pipe.is_empty() {
                return;
            }
            self.give_back(usize::MAX);
            self.deliver(usize::MAX);
        }
    }

    fn finish(&mut self) {
        self.settle();
        for stream in self.keys.iter().flatten() {
            self.s.conn.reset_stream(*stream, ErrorCode::CANCEL);
        }
        self.settle();
        assert!((0..3).all(|slot| self.s.conn.is_free(slot)), "slots come back");
        assert!(self.peer.theirs > 32_767, "the connection's credit comes back");
        assert!(
            self.peer.unacknowledged.is_empty(),
            "every SETTINGS is acknowledged"
        );
        self.open(0, 0);
        self.settle();
        let id = self.keys[0].unwrap().id.value();
        self.peer.respond(id);
        // More than all windows hold, so that credit that leaked anywhere stops it.
        for turn in 0..100 {
            let amount = if turn == 99 { 41 } else { 999 };
            assert!(self.receive(0, amount), "an innocent stream goes on, {turn}");
        }
        assert!(self.s.conn.is_free(0), "an innocent stream completes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strict_honest_peer_finds_no_fault_and_is_found_none_5_2_and_6_5_3(
        send in 220_usize..600,
        entries in 0_usize..6,
        warm in any::<bool>(),
        steps in prop::collection::vec((0_u8..29, 0_u8..3, 0_usize..2_000), 1..400),
    ) {
        let setup = Setup { send, encoder_entries: entries, slots: 3, ..Setup::client() }.config(|c| {
            c.initial_window_size = WINDOW as u32;
            c.write_stall_ms = u32::MAX;
            c.settings_timeout_ms = u32::MAX;
            c.header_block_timeout_ms = u32::MAX;
            c.budgets.data_overhead = u32::MAX;
            c.budgets.control = Budget::new(u16::MAX, u16::MAX);
            (c.budgets.pings, c.budgets.settings) = (c.budgets.control, c.budgets.control);
        });
        setup.script_whole(|s| {
            let (mut table, mut scratch) = (vec![0; 4_096], vec![0; 256]);
            let limits = Limits { max_list_size: u32::MAX, max_fields: u16::MAX };
            let mut peer = Peer {
                pipe: VecDeque::new(),
                inbox: Vec::new(),
                streams: BTreeMap::new(),
                last_id: 0,
                ours: 0,
                theirs: 0,
                initial: 0,
                unacknowledged: VecDeque::new(),
                decoder: Decoder::new(&mut table, &mut scratch, limits),
                preface_seen: false,
            };
            peer.reset();
            let mut world = World { s, peer, out: None, keys: [None; 3] };
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
