//! Waiting for the peer's flow-control window.
//!
//! A peer may open its window octet by octet, and would get a frame of ten octets for each. So a small piece, one that is
//! small for want of a window, is not followed by another at once: that waits for a worthwhile part of the window. For a
//! while only, since some peers give credit for no more than they want next. (TCP's senders do the same: RFC 1122 section
//! 4.2.3.4.)

use h2_lite::{Instant, StreamKey, UseError};

use crate::link::{Link, SendError, find};
use crate::slot::SlotKey;
use crate::turns::Turn;

/// What a slot knows of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Credit {
    /// It was large enough for what was sent.
    #[default]
    Open,
    /// It was, and is used up: whatever comes may be sent.
    Shut,
    /// A small piece has been sent, and the window has not been large since then.
    Dribble,
    /// Another waits for a larger window, but not for long.
    TooLittle,
    /// After a small piece there is no window at all.
    ShutAgain,
}

impl Turn {
    /// When the wait ends, whatever the window is.
    fn alarm(&self, timeout_ms: Option<u64>) -> Option<Instant> {
        let after = match self.credit {
            Credit::Open | Credit::Dribble => None,
            Credit::TooLittle => Some(PATIENCE_MS),
            Credit::Shut | Credit::ShutAgain => timeout_ms,
        };
        Some(self.since.saturating_add_millis(after?))
    }

    const fn has_not_dribbled(&self) -> bool {
        matches!(self.credit, Credit::Open | Credit::Shut)
    }

    /// Whether a piece, for which this window is too small, waits for a larger one. `now`: the time.
    fn waits(&mut self, window: usize, now: Instant) -> bool {
        let first = self.has_not_dribbled();
        let patient = now.millis_since(self.since) < PATIENCE_MS;
        match (window, first) {
            (0, true) => {
                if self.credit == Credit::Open {
                    self.since = now;
                }
                self.credit = Credit::Shut;
            }
            (0, false) => self.credit = Credit::ShutAgain,
            (_, false) if patient => self.credit = Credit::TooLittle,
            _ => {
                self.credit = Credit::Open;
                return false;
            }
        }
        true
    }
}

impl<H> Link<'_, H> {
    /// Whether a piece of `left` octets waits for the peer to open its window further.
    ///
    /// # Errors
    /// The stream is over; or there has been no window for as long as `window_timeout_ms` says.
    pub(crate) fn awaits_window(
        &mut self,
        key: SlotKey,
        stream: StreamKey,
        left: usize,
        now: Instant,
    ) -> Result<bool, SendError> {
        let window = self.conn.send_window(stream)?;
        let (enough, half) = (self.enough(left), self.half_window());
        let timeout = self.window_timeout_ms;
        let turn = &mut find(self.slots, key).ok_or(SendError::Over)?.turn;
        if window >= enough {
            let large = window >= half.min(LARGE_WINDOW) || turn.has_not_dribbled();
            turn.credit = if large { Credit::Open } else { Credit::Dribble };
            return Ok(false);
        }
        let before = turn.alarm(timeout);
        if !turn.waits(window, now) {
            return Ok(false);
        }
        if window == 0 && timeout.is_some_and(|timeout| now.millis_since(turn.since) >= timeout) {
            return Err(SendError::NoWindow);
        }
        if turn.alarm(timeout) != before {
            self.wake_driver();
        }
        Ok(true)
    }

    /// A piece of `len` octets was sent, and `left` octets of its message were not.
    pub(crate) fn note_window(
        &mut self,
        key: SlotKey,
        window: Result<usize, UseError>,
        (len, left): (usize, usize),
        now: Instant,
    ) {
        let small = len < self.enough(len.saturating_add(left));
        if let (Ok(0), Some(slot)) = (window, find(self.slots, key))
            && (small || !slot.turn.has_not_dribbled())
        {
            slot.turn.credit = Credit::Dribble;
            slot.turn.since = now;
        }
    }

    /// When [`Self::end_waiting`] is due.
    pub(crate) fn credit_alarm(&self) -> Option<Instant> {
        let turns = self.slots.iter().map(|slot| slot.turn);
        turns.filter_map(|turn| turn.alarm(self.window_timeout_ms)).min()
    }

    /// Calls that have waited long enough for a larger window look again.
    pub(crate) fn end_waiting(&mut self, now: Instant) {
        for slot in self.slots.iter_mut() {
            let turn = &mut slot.turn;
            if turn
                .alarm(self.window_timeout_ms)
                .is_some_and(|alarm| alarm <= now)
            {
                // Whoever asks again begins where it was; whoever does not is not waited for.
                turn.credit = Credit::Dribble;
                slot.wake();
            }
        }
    }

    /// Of `left` octets, what is worth a frame.
    fn enough(&self, left: usize) -> usize {
        left.min(SMALL_DATA).min(self.half_window())
    }

    /// Receivers give credit at half of their window, if not before.
    fn half_window(&self) -> usize {
        let initial = self.conn.peer_settings().initial_window_size;
        usize::try_from(initial / 2).unwrap_or(usize::MAX).max(1)
    }
}

/// A DATA frame below this many octets is small, as h2 and tonic count.
pub(crate) const SMALL_DATA: usize = 256;
/// A window of so many octets has not come one by one.
const LARGE_WINDOW: usize = SMALL_DATA + 1;
/// How long a small piece waits. RFC 1122 has 0.1 to 1 seconds.
const PATIENCE_MS: u64 = 100;
