//! What the peer has spent of its budgets. Spec: RFC 9113 section 10.5.

use crate::config::{Budget, Config};
use crate::connection::Connection;
use crate::frame::{ErrorCode, FrameError};
use crate::time::Instant;

/// DATA frames below this many octets count as overhead.
const SMALL_DATA: u32 = 256;
/// Octets of DATA for which one WINDOW_UPDATE of the peer is paid.
const OCTETS_PER_CREDIT: u32 = 2;

/// A token bucket's state, in thousandths of a token.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: u32,
    /// Low 32 bits of the time of the last refill, in milliseconds.
    refilled_ms: u32,
    /// `refilled_ms` has been set.
    started: bool,
}

impl Bucket {
    const fn new(budget: Budget) -> Self {
        Self {
            level: full(budget),
            refilled_ms: 0,
            started: false,
        }
    }

    /// Takes one token; false if there is none.
    fn spend(&mut self, budget: Budget, now: Instant) -> bool {
        let now_ms = u32::try_from(now.as_millis() & 0xffff_ffff).unwrap_or(0);
        if self.started {
            let elapsed = now_ms.wrapping_sub(self.refilled_ms);
            let refill = elapsed.saturating_mul(u32::from(budget.per_second));
            self.level = self.level.saturating_add(refill).min(full(budget));
        }
        self.started = true;
        self.refilled_ms = now_ms;
        let Some(level) = self.level.checked_sub(1_000) else {
            return false;
        };
        self.level = level;
        true
    }

    fn refund(&mut self, budget: Budget, tokens: u32) {
        self.level = self
            .level
            .saturating_add(tokens.saturating_mul(1_000))
            .min(full(budget));
    }
}

/// All budgets of a connection.
#[derive(Debug)]
pub(super) struct Ledger {
    peer_resets: Bucket,
    glitches: Bucket,
    pings: Bucket,
    settings: Bucket,
    control: Bucket,
    discarded: Bucket,
    /// Octets by which unread DATA frames fall short.
    overhead: u32,
    overhead_limit: u32,
    /// Octets of DATA that the application has not released, over all streams.
    unread: u32,
}

impl Ledger {
    pub(super) fn new(config: &Config) -> Self {
        let budgets = &config.budgets;
        let overhead_limit = match budgets.data_overhead {
            0 => config.initial_window_size.saturating_mul(64).max(25_600),
            limit => limit,
        };
        Self {
            peer_resets: Bucket::new(budgets.peer_resets),
            glitches: Bucket::new(budgets.glitches),
            pings: Bucket::new(budgets.pings),
            settings: Bucket::new(budgets.settings),
            control: Bucket::new(budgets.control),
            discarded: Bucket::new(budgets.discarded),
            overhead: 0,
            overhead_limit,
            unread: 0,
        }
    }

    /// The application consumed, or a stream's end discarded, `octets` of unread DATA: their share of the overhead
    /// is forgiven.
    pub(super) fn forgive(&mut self, octets: u32) {
        let octets = octets.min(self.unread);
        let share = u64::from(self.overhead).saturating_mul(u64::from(octets));
        let share = share.checked_div(u64::from(self.unread)).unwrap_or(0);
        self.overhead = self
            .overhead
            .saturating_sub(u32::try_from(share).unwrap_or(u32::MAX));
        self.unread = self.unread.saturating_sub(octets);
    }
}

impl Connection<'_> {
    /// DATA of `length` octets begins on a live stream; they count as unread until released.
    pub(super) fn charge_data(&mut self, length: u32, end_stream: bool) -> Result<(), FrameError> {
        self.ledger.unread = self.ledger.unread.saturating_add(length);
        if length < SMALL_DATA && !end_stream {
            self.ledger.overhead = self
                .ledger
                .overhead
                .saturating_add(SMALL_DATA.saturating_sub(length));
            if self.ledger.overhead > self.ledger.overhead_limit {
                return Err(calm_down("flood of small DATA frames"));
            }
        }
        Ok(())
    }

    /// DATA of `octets`, padding aside, has ended on a live stream.
    pub(super) fn charge_content(&mut self, octets: u32, now: Instant) -> Result<(), FrameError> {
        if octets == 0 {
            return self.charge_glitch(now);
        }
        self.credit_useful_frame();
        Ok(())
    }

    /// A frame that moved a message on, in either direction, pays for two control frames.
    pub(super) fn credit_useful_frame(&mut self) {
        let budgets = &self.config.budgets;
        self.ledger.pings.refund(budgets.pings, 2);
        self.ledger.settings.refund(budgets.settings, 2);
        self.ledger.control.refund(budgets.control, 2);
    }

    /// DATA of `octets` was sent: credit for it will come back.
    pub(super) fn credit_sent_data(&mut self, octets: u32) {
        let tokens = octets.checked_div(OCTETS_PER_CREDIT).unwrap_or(0);
        self.ledger.control.refund(self.config.budgets.control, tokens);
    }

    /// A response of ours has ended: its stream came to something.
    pub(super) fn credit_answered(&mut self) {
        self.ledger.peer_resets.refund(self.config.budgets.peer_resets, 1);
    }

    pub(super) fn charge_ping(&mut self, now: Instant) -> Result<(), FrameError> {
        let within = self.ledger.pings.spend(self.config.budgets.pings, now);
        check(within, "flood of PING frames")
    }

    pub(super) fn charge_settings(&mut self, now: Instant) -> Result<(), FrameError> {
        let within = self.ledger.settings.spend(self.config.budgets.settings, now);
        check(within, "flood of SETTINGS")
    }

    pub(super) fn charge_control(&mut self, now: Instant) -> Result<(), FrameError> {
        let within = self.ledger.control.spend(self.config.budgets.control, now);
        check(within, "flood of control frames")
    }

    pub(super) fn charge_glitch(&mut self, now: Instant) -> Result<(), FrameError> {
        let within = self.ledger.glitches.spend(self.config.budgets.glitches, now);
        check(within, "too many errors of the peer")
    }

    pub(super) fn charge_peer_reset(&mut self, now: Instant) -> Result<(), FrameError> {
        let within = self
            .ledger
            .peer_resets
            .spend(self.config.budgets.peer_resets, now);
        check(within, "peer opens and resets streams")
    }

    pub(super) fn charge_discarded(&mut self, octets: u32, now: Instant) -> Result<(), FrameError> {
        if octets >= SMALL_DATA {
            return Ok(());
        }
        let within = self.ledger.discarded.spend(self.config.budgets.discarded, now);
        check(within, "flood of frames on streams that are over")
    }
}

fn check(within: bool, reason: &'static str) -> Result<(), FrameError> {
    if within { Ok(()) } else { Err(calm_down(reason)) }
}

const fn calm_down(reason: &'static str) -> FrameError {
    FrameError::connection(ErrorCode::ENHANCE_YOUR_CALM, reason)
}

const fn full(budget: Budget) -> u32 {
    (budget.burst as u32).saturating_mul(1_000)
}
