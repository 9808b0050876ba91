//! How a connection ends: errors, GOAWAY both ways. Spec: RFC 9113 sections 5.4 and 6.8.

use crate::config::Role;
use crate::connection::outbound::RoundTrip;
use crate::connection::{Connection, role};
use crate::error::{ConnectionError, Origin};
use crate::event::Event;
use crate::frame::{ErrorCode, FrameError, GoAway, Scope, StreamId};
use crate::stream::Flag;
use crate::time::Instant;

impl Connection<'_> {
    /// The one place where what the peer got wrong becomes RST_STREAM or GOAWAY.
    pub(super) fn answer_error<'i>(
        &mut self,
        error: FrameError,
        now: Instant,
    ) -> Result<Option<Event<'i>>, ConnectionError> {
        // RST_STREAM must not be sent on an idle stream (5.1, 6.4): the error then reaches the connection.
        let id = match error.scope {
            // Spec: h2-6.4-never-on-idle
            Scope::Stream(id) if !self.is_idle(id) => id,
            _ => return Err(self.fail(error.code, error.reason)),
        };
        if let Err(flood) = self.charge_glitch(now) {
            return Err(self.fail(flood.code, flood.reason));
        }
        // Spec: h2-5.1-closed-silence, h2-6.9-closed
        let Some(key) = self.store.find(id) else {
            // Nothing may be sent on a closed stream (5.1). What came too late is dropped, but no time makes a frame of a
            // wrong size right.
            if error.code == ErrorCode::FRAME_SIZE_ERROR {
                return Err(self.fail(error.code, error.reason));
            }
            return Ok(None);
        };
        let Some(stream) = self.store.get_mut(key).filter(|stream| stream.is_live()) else {
            return Ok(None);
        };
        stream.owe_reset(error.code);
        self.forgive_unread(key);
        Ok(Some(Event::Reset {
            stream: key,
            code: error.code,
            origin: Origin::Local,
        }))
    }

    /// A connection error: GOAWAY becomes the last output, and the error stays (5.4.1).
    pub(super) fn fail(&mut self, code: ErrorCode, reason: &'static str) -> ConnectionError {
        let error = ConnectionError {
            code,
            reason,
            origin: Origin::Local,
        };
        match self.error {
            Some(first) => first,
            None => {
                self.error = Some(error);
                // Spec: h2-5.4.1-goaway
                self.owe_last_go_away(code);
                error
            }
        }
    }

    /// The peer's GOAWAY. A later one may lower the last stream, never raise it.
    pub(super) fn receive_go_away(&mut self, frame: GoAway) -> GoAway {
        let last = match self.peer_going_away {
            // Spec: h2-6.8-second-goaway
            Some(earlier) => earlier.min(frame.last_stream_id),
            None => frame.last_stream_id,
        };
        self.peer_going_away = Some(last);
        let role = self.role;
        for (key, stream) in self.store.iter_mut() {
            // Spec: h2-6.8-lower-go-on
            if role::is_local(role, key.id) && key.id > last && stream.is_live() {
                stream.set(Flag::Refused);
            }
        }
        GoAway {
            last_stream_id: last,
            code: frame.code,
        }
    }

    /// The next stream that the peer's GOAWAY left unprocessed; its slot is free when this returns. Not before
    /// GOAWAY itself has been reported.
    pub(super) fn next_refused<'i>(&mut self) -> Option<Event<'i>> {
        self.peer_going_away?;
        if self.go_away_code.is_some() {
            return None;
        }
        let (stream, _) = self.store.iter().find(|(_, stream)| stream.has(Flag::Refused))?;
        self.release_slot(stream);
        Some(Event::Reset {
            stream,
            code: ErrorCode::REFUSED_STREAM,
            origin: Origin::GoAway,
        })
    }

    /// Our own GOAWAY, without an error of the peer: from now on no stream is opened or accepted.
    pub(super) fn announce_shutdown(&mut self, code: ErrorCode, now: Instant) {
        if self.error.is_some() || self.going_away {
            return;
        }
        self.owe_last_go_away(code);
        self.flush_goodbye(now);
    }

    /// The graceful way: a server "SHOULD send an initial GOAWAY frame with the last stream identifier set to 2^31-1 and
    /// a NO_ERROR code ... After allowing time for any in-flight stream creation (at least one round-trip time), the
    /// server MAY send another GOAWAY frame with an updated last stream identifier" (6.8).
    pub(super) fn begin_shutdown(&mut self, now: Instant) {
        if self.role == Role::Client {
            return self.announce_shutdown(ErrorCode::NO_ERROR, now);
        }
        if self.error.is_some() || self.going_away || self.owed.round_trip != RoundTrip::None {
            return;
        }
        self.owed.go_away = Some(GoAway {
            // Spec: h2-6.8-graceful
            last_stream_id: StreamId::MAX,
            code: ErrorCode::NO_ERROR,
        });
        self.owed.round_trip = RoundTrip::Owed;
        self.timers.shutdown_begun(now, self.config.shutdown_timeout_ms);
        self.flush_goodbye(now);
    }

    fn flush_goodbye(&mut self, now: Instant) {
        self.flush_owed();
        if !self.send.is_empty() {
            self.timers.output_pending(now, self.config.write_stall_ms);
        }
    }

    /// The GOAWAY after which no stream is accepted: it names the highest stream of the peer that we may have processed,
    /// and whatever comes later on this connection names no higher one (6.8).
    fn owe_last_go_away(&mut self, code: ErrorCode) {
        // Spec: h2-6.8-never-raised, h2-6.8-last-stream-covers, h2-5.4.1-last-stream
        let last_stream_id = *self.own_last.get_or_insert(self.highest_peer_id);
        self.going_away = true;
        self.owed.go_away = Some(GoAway { last_stream_id, code });
        self.owed.round_trip = RoundTrip::None;
        self.timers.shutdown_done();
    }

    /// After output was written: a failed connection whose GOAWAY is out is closed.
    pub(super) fn note_goodbye(&mut self) {
        if self.error.is_some() && self.owed.go_away.is_none() && self.send.is_empty() && !self.send.is_out()
        {
            // Spec: h2-5.4.1-close
            self.closed = true;
        }
    }

    /// We said goodbye, the last stream has ended, everything is written.
    pub(super) fn has_wound_down(&self) -> bool {
        self.going_away
            && self.error.is_none()
            && self.store.active() == 0
            && !self.send.is_out()
            && self.send.is_empty()
            && !self.owes_output()
    }

    /// True if no frame but HEADERS and PRIORITY may come on `id`: it was never opened (5.1).
    pub(super) fn is_idle(&self, id: StreamId) -> bool {
        if role::is_local(self.role, id) {
            id.value() >= self.next_id
        } else {
            id > self.highest_peer_id
        }
    }
}
