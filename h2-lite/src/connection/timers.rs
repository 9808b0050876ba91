//! Deadlines: the peer's first SETTINGS, its acknowledgement of ours, the end of a header block, progress of output.

use crate::connection::Connection;
use crate::error::ConnectionError;
use crate::frame::ErrorCode;
use crate::time::Instant;

/// One deadline a concern; `None` is not running.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    settings: Option<Instant>,
    settings_ack: Option<Instant>,
    header_block: Option<Instant>,
    write_stall: Option<Instant>,
    /// Of a graceful shutdown's round trip.
    shutdown: Option<Instant>,
    handshake_started: bool,
}

impl Timers {
    pub(super) const NONE: Self = Self {
        settings: None,
        settings_ack: None,
        header_block: None,
        write_stall: None,
        shutdown: None,
        handshake_started: false,
    };

    /// Our SETTINGS are on their way: theirs, unless they are here already, and the acknowledgement of ours are due. Once a
    /// connection.
    pub(super) const fn start_handshake(&mut self, now: Instant, timeout_ms: u32, settings_received: bool) {
        if !self.handshake_started {
            self.handshake_started = true;
            let deadline = Some(now.saturating_add_millis(timeout_ms as u64));
            self.settings = if settings_received { None } else { deadline };
            self.settings_ack = deadline;
        }
    }

    pub(super) const fn settings_received(&mut self) {
        self.settings = None;
    }

    pub(super) const fn settings_acknowledged(&mut self) {
        self.settings_ack = None;
    }

    pub(super) const fn header_block_begun(&mut self, now: Instant, timeout_ms: u32) {
        self.header_block = Some(now.saturating_add_millis(timeout_ms as u64));
    }

    pub(super) const fn header_block_done(&mut self) {
        self.header_block = None;
    }

    /// Output waits since `now`, unless it waited already.
    pub(super) const fn output_pending(&mut self, now: Instant, timeout_ms: u32) {
        if self.write_stall.is_none() {
            self.write_stall = Some(now.saturating_add_millis(timeout_ms as u64));
        }
    }

    pub(super) const fn output_done(&mut self) {
        self.write_stall = None;
    }

    pub(super) const fn shutdown_begun(&mut self, now: Instant, timeout_ms: u32) {
        self.shutdown = Some(now.saturating_add_millis(timeout_ms as u64));
    }

    pub(super) const fn shutdown_done(&mut self) {
        self.shutdown = None;
    }

    /// The earliest deadline; once the connection failed only output matters.
    pub(super) fn next(&self, failed: bool) -> Option<Instant> {
        if failed {
            return self.write_stall;
        }
        [
            self.settings,
            self.settings_ack,
            self.header_block,
            self.write_stall,
            self.shutdown,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

impl Connection<'_> {
    pub(super) fn check_timers(&mut self, now: Instant) -> Result<(), ConnectionError> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if passed(self.timers.write_stall) {
            // Nothing can be written, so there is no use in waiting for a GOAWAY to leave.
            let error = self.fail(ErrorCode::INTERNAL_ERROR, "the transport accepts no output");
            self.closed = true;
            return Err(error);
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        if passed(self.timers.shutdown) {
            // The peer had its time: what it opens from now on is ignored.
            self.announce_shutdown(ErrorCode::NO_ERROR, now);
        }
        let missed = if passed(self.timers.settings) {
            (ErrorCode::SETTINGS_TIMEOUT, "peer sent no SETTINGS in time")
        } else if passed(self.timers.settings_ack) {
            (
                ErrorCode::SETTINGS_TIMEOUT,
                "peer did not acknowledge SETTINGS in time",
            )
        } else if passed(self.timers.header_block) {
            (
                ErrorCode::ENHANCE_YOUR_CALM,
                "peer did not end a header block in time",
            )
        } else {
            return Ok(());
        };
        let error = self.fail(missed.0, missed.1);
        self.timers.output_pending(now, self.config.write_stall_ms);
        Err(error)
    }
}
