//! What is owed to the peer, and how it gets into the send buffer. No queue: flags, one slot each, and counters.

use crate::config::Role;
use crate::connection::Connection;
use crate::event::StreamKey;
use crate::frame::{ErrorCode, FrameHeader, GoAway, Ping, RstStream, Settings, StreamId, WindowUpdate};
use crate::stream::{DEFAULT_WINDOW, Flag, Stream};

/// Control frames that wait for room in the send buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    /// Preface and SETTINGS: before everything else.
    pub(super) preface: bool,
    /// The payload of the peer's PING.
    pub(super) ping_ack: Option<[u8; 8]>,
    pub(super) settings_ack: bool,
    /// A stream that has no slot and must be refused.
    pub(super) stray_reset: Option<(StreamId, ErrorCode)>,
    pub(super) go_away: Option<GoAway>,
    /// The PING between the two GOAWAY of a graceful shutdown.
    pub(super) round_trip: RoundTrip,
    /// Our own PING, kept until it is answered.
    pub(super) ping: Option<[u8; 8]>,
    pub(super) ping_sent: bool,
}

impl Owed {
    /// What a fresh connection owes.
    pub(super) const PREFACE: Self = Self {
        preface: true,
        ping_ack: None,
        settings_ack: false,
        stray_reset: None,
        go_away: None,
        round_trip: RoundTrip::None,
        ping: None,
        ping_sent: false,
    };
}

/// How far the PING of a graceful shutdown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoundTrip {
    /// None is wanted.
    None,
    /// It follows the first GOAWAY.
    Owed,
    /// Its acknowledgement is the time for the second GOAWAY.
    Sent,
}

impl RoundTrip {
    /// What it carries, so that it is not mistaken for the application's.
    pub(super) const PAYLOAD: [u8; 8] = *b"goodbye!";
}

impl Connection<'_> {
    /// Encodes what is owed, as far as there is room.
    pub(super) fn flush_owed(&mut self) {
        if self.send.is_out() || self.closed {
            return;
        }
        // Spec: h2-3.4-client-preface, h2-3.4-server-preface, h2-3.4-ack-after-preface
        if self.owed.preface {
            if !self.push_preface() {
                return;
            }
            self.owed.preface = false;
        }
        if self.error.is_some() {
            self.flush_go_away();
            return;
        }
        // Spec: h2-6.7-before-others
        if let Some(payload) = self.owed.ping_ack
            && self.send.push(&Ping { ack: true, payload }.encode())
        {
            self.owed.ping_ack = None;
        }
        if self.owed.settings_ack && self.send.push(&Settings { length: 0, ack: true }.encode()) {
            self.owed.settings_ack = false;
        }
        self.flush_resets();
        self.flush_go_away();
        if let (Some(payload), false) = (self.owed.ping, self.owed.ping_sent) {
            self.owed.ping_sent = self.send.push(&Ping { ack: false, payload }.encode());
        }
        self.flush_round_trip();
        self.flush_credit();
    }

    /// True if `flush_owed` has something to encode.
    pub(super) fn owes_output(&self) -> bool {
        if self.owed.preface || self.owed.go_away.is_some() {
            return true;
        }
        if self.error.is_some() {
            return false;
        }
        self.owed.ping_ack.is_some()
            || self.owed.settings_ack
            || self.owed.stray_reset.is_some()
            || self.owed.round_trip == RoundTrip::Owed
            || (self.owed.ping.is_some() && !self.owed.ping_sent)
            || self.is_connection_credit_due(CONNECTION_CREDIT_DUE)
            || self
                .store
                .iter()
                .any(|(_, stream)| stream.has(Flag::ResetOwed) || is_credit_due(stream, u32::MAX))
    }

    /// Upper bound of the octets that `flush_owed` would encode now, `preface` aside.
    pub(super) fn owed_len(&self) -> usize {
        let quarter = self.credit_quarter();
        let streams = self
            .store
            .iter()
            .filter(|(_, stream)| stream.has(Flag::ResetOwed) || is_credit_due(stream, quarter));
        let connection_credit = self.is_connection_credit_due(CONNECTION_CREDIT_DUE / 2);
        let owed = [
            (self.owed.ping_ack.is_some(), Ping::LEN),
            (self.owed.settings_ack, FrameHeader::LEN),
            (self.owed.stray_reset.is_some(), RstStream::LEN),
            (self.owed.go_away.is_some(), GoAway::LEN),
            (self.owed.round_trip == RoundTrip::Owed, Ping::LEN),
            (self.owed.ping.is_some() && !self.owed.ping_sent, Ping::LEN),
            (connection_credit, WindowUpdate::LEN),
        ];
        let fixed = owed
            .into_iter()
            .filter(|(is_owed, _)| *is_owed)
            .map(|(_, len)| len);
        let streams = streams.map(|_| RstStream::LEN);
        fixed.chain(streams).fold(0, usize::saturating_add)
    }

    /// RST_STREAM frees the slot: it is the last frame that we send on the stream (5.4.2).
    fn flush_resets(&mut self) {
        if let Some((stream_id, code)) = self.owed.stray_reset
            && self.send.push(&RstStream { stream_id, code }.encode())
        {
            self.owed.stray_reset = None;
        }
        while let Some((key, code)) = self.next_reset() {
            if !self.send.push(
                &RstStream {
                    stream_id: key.id,
                    code,
                }
                .encode(),
            ) {
                return;
            }
            // Spec: h2-5.4.2-last-frame
            self.own_resets.remember(key.id);
            self.release_slot(key);
        }
    }

    fn next_reset(&self) -> Option<(StreamKey, ErrorCode)> {
        let (key, stream) = self
            .store
            .iter()
            .find(|(_, stream)| stream.has(Flag::ResetOwed))?;
        Some((key, stream.reset_code))
    }

    /// Released octets of a stream whose credit rides with other output.
    fn credit_quarter(&self) -> u32 {
        self.config.initial_window_size.checked_div(4).unwrap_or(0).max(1)
    }

    fn flush_go_away(&mut self) {
        if let Some(frame) = self.owed.go_away
            && self.send.push(&frame.encode())
        {
            self.owed.go_away = None;
        }
    }

    /// Not before the GOAWAY whose arrival it proves.
    fn flush_round_trip(&mut self) {
        let ping = Ping {
            ack: false,
            payload: RoundTrip::PAYLOAD,
        };
        if self.owed.round_trip == RoundTrip::Owed
            && self.owed.go_away.is_none()
            && self.send.push(&ping.encode())
        {
            self.owed.round_trip = RoundTrip::Sent;
        }
    }

    /// True if the connection's credit goes back once `enough` octets are received. A server gives none before its
    /// SETTINGS are acknowledged: until then each stream has the default window, whatever its buffer (6.9.3), and the
    /// connection's window is what bounds them together.
    fn is_connection_credit_due(&self, enough: u32) -> bool {
        self.uncredited >= enough && (self.role == Role::Client || self.local.acked)
    }

    /// WINDOW_UPDATE alone where it is due, and a quarter of a window early where other output takes it along.
    fn flush_credit(&mut self) {
        let rides = !self.send.is_empty();
        let due = if rides {
            CONNECTION_CREDIT_DUE / 2
        } else {
            CONNECTION_CREDIT_DUE
        };
        if self.is_connection_credit_due(due) {
            let frame = WindowUpdate {
                stream_id: StreamId::CONNECTION,
                increment: self.uncredited,
            };
            if !self.send.push(&frame.encode()) {
                return;
            }
            self.receive_window.give_back(self.uncredited);
            self.uncredited = 0;
        }
        let quarter = self.credit_quarter();
        for (key, stream) in self.store.iter_mut() {
            if !is_credit_due(stream, if rides { quarter } else { u32::MAX }) {
                continue;
            }
            let frame = WindowUpdate {
                stream_id: key.id,
                increment: stream.released,
            };
            if !self.send.push(&frame.encode()) {
                return;
            }
            stream.receive_window.give_back(stream.released);
            stream.released = 0;
            stream.clear(Flag::CreditDue);
        }
    }
}

/// True if the stream's credit goes back now: it was asked for, or `enough` octets are released. Only a peer that may
/// still send has a use for it (5.1).
const fn is_credit_due(stream: &Stream, enough: u32) -> bool {
    let asked = stream.has(Flag::CreditDue) && stream.released > 0;
    (asked || stream.released >= enough) && stream.is_live() && stream.state.can_receive()
}

/// Octets after which the connection's credit is returned by a frame of its own.
const CONNECTION_CREDIT_DUE: u32 = DEFAULT_WINDOW / 2;
