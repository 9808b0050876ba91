//! Endpoints that break the rules: a suite that they pass has no teeth.

mod client_mutant;
mod mutant;

pub use client_mutant::{CLIENT_FLAWS, ClientFlaw, ClientMutant};
pub use mutant::{FLAWS, Flaw, Mutant};

use crate::endpoint::{Call, Client, Endpoint, Outcome, Server, Work};
use crate::wire::{self, Frame, FrameReader};

/// How a mock treats what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Acknowledges SETTINGS and PING, closes the transport at anything else.
    Slams,
    /// Answers all but its peer's SETTINGS by GOAWAY(PROTOCOL_ERROR) and closes the transport.
    AlwaysProtocolError,
    /// Says its preface and nothing more, whatever comes.
    Ignores,
}

/// All manners.
pub const MANNERS: [Manner; 3] = [Manner::Slams, Manner::AlwaysProtocolError, Manner::Ignores];

/// A mock of either role.
#[derive(Debug)]
pub struct Mock {
    manner: Manner,
    client: bool,
    preface_left: usize,
    reader: FrameReader,
    out: Vec<u8>,
    closed: bool,
    calls: usize,
}

impl Mock {
    /// A mock server.
    #[must_use]
    pub fn server(manner: Manner) -> Self {
        Self {
            manner,
            client: false,
            preface_left: wire::PREFACE.len(),
            reader: FrameReader::default(),
            out: wire::settings(&[]),
            closed: false,
            calls: 0,
        }
    }

    /// A mock client: it sends requests, and treats what comes in its manner.
    #[must_use]
    pub fn client(manner: Manner) -> Self {
        Self {
            client: true,
            preface_left: 0,
            out: [wire::PREFACE, &wire::settings(&[])].concat(),
            ..Self::server(manner)
        }
    }

    fn take(&mut self, frame: &Frame) {
        let ack = frame.has(wire::ACK);
        match (self.manner, frame.kind) {
            (Manner::Ignores, _) => {}
            (_, wire::SETTINGS) if ack => {}
            (_, wire::SETTINGS) => self.out.extend(wire::settings_ack()),
            (Manner::Slams, wire::PING) if !ack => {
                self.out
                    .extend(wire::frame(wire::PING, wire::ACK, 0, &frame.payload));
            }
            (Manner::Slams, _) => self.closed = true,
            (Manner::AlwaysProtocolError, _) => {
                self.out.extend(wire::goaway(0, wire::code::PROTOCOL_ERROR));
                self.closed = true;
            }
        }
    }
}

impl Endpoint for Mock {
    fn send(&mut self, octets: &[u8]) {
        let preface = octets.len().min(self.preface_left);
        self.preface_left -= preface;
        for frame in self.reader.push(&octets[preface..]) {
            if !self.closed {
                self.take(&frame);
            }
        }
    }

    fn receive(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn pass(&mut self, _: u64) {}

    fn hang_up(&mut self) {
        self.closed = true;
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn set_capacity(&mut self, _: Option<usize>) {}

    fn work(&self) -> Work {
        Work::default()
    }
}

impl Server for Mock {
    fn handlers(&self) -> usize {
        0
    }

    fn reconnect(&mut self) {
        *self = Self::server(self.manner);
    }

    fn shut_down(&mut self) {}
}

impl Client for Mock {
    fn call(&mut self, _: Call) -> usize {
        debug_assert!(self.client);
        if self.closed {
            *self = Self {
                calls: self.calls,
                ..Self::client(self.manner)
            };
        }
        let stream = self.calls as u32 * 2 + 1;
        let fields = crate::peer::request("/test.Echo/Unary");
        self.out.extend(wire::headers(stream, &fields, 0));
        self.out
            .extend(wire::data(stream, &wire::message(b"mock"), wire::END_STREAM));
        self.calls += 1;
        self.calls - 1
    }

    fn outcome(&mut self, _: usize) -> Option<Outcome> {
        self.closed.then(|| Outcome {
            code: 14,
            message: String::new(),
            replies: Vec::new(),
        })
    }

    fn cancel(&mut self, _: usize) {}

    fn connections(&self) -> usize {
        1
    }
}
