//! Whether calls may go out, and when the next attempt to connect is due.
//!
//! Spec: gRPC `connectivity-semantics-and-api.md`, `connection-backoff.md`, `wait-for-ready.md`.

use h2_lite::{ErrorCode, Instant};

use crate::status::{Code, Status};

/// What a channel is doing, in gRPC's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ConnectivityState {
    /// No connection, and no call that wants one.
    Idle,
    /// A connection is being made; calls wait.
    Connecting,
    /// The server's SETTINGS have come; calls go out.
    Ready,
    /// The last attempt failed and the next is not yet due; calls fail at once, unless they wait for ready.
    TransientFailure,
    /// The channel was shut down; calls fail.
    Shutdown,
}

/// Whether a call may send its HEADERS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Go,
    Wait,
    Fail(Status),
}

/// The pause before the next attempt to connect.
///
/// Spec: gRPC `connection-backoff.md`: 1 s, times 1.6, at most 120 s, with 20 % jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Milliseconds before the second attempt, at least 1.
    pub initial_ms: u32,
    /// Milliseconds at most.
    pub max_ms: u32,
    /// Seeds the jitter, so that devices which lost the same server do not return together: give each device
    /// a number of its own, such as its serial number.
    pub seed: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial_ms: 1_000,
            max_ms: 120_000,
            seed: 0x9e37_79b9,
        }
    }
}

/// What a driver without a connection should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    Connect,
    Wait,
    WaitUntil(Instant),
    Stop,
}

#[derive(Debug)]
pub(crate) struct Connectivity {
    state: ConnectivityState,
    reason: &'static str,
    /// Of this connection: a GOAWAY has come, or stream ids have run out.
    draining: bool,
    /// When a connection that is going away is given up, once calls wait for another.
    pub(crate) drain_until: Option<Instant>,
    complaint: Option<&'static str>,
    /// A response has come on this connection.
    answered: bool,
    /// The last connection was ready, but ended without any response.
    fruitless: bool,
    backoff: Backoff,
    base_ms: u32,
    random: u32,
    retry_at: Instant,
}

impl Connectivity {
    pub(crate) fn new(backoff: Backoff) -> Self {
        // Without any pause a server that is away would keep the driver busy for ever.
        let backoff = Backoff {
            initial_ms: backoff.initial_ms.max(1),
            ..backoff
        };
        Self {
            state: ConnectivityState::Idle,
            reason: "",
            draining: false,
            drain_until: None,
            complaint: None,
            answered: false,
            fruitless: false,
            backoff,
            base_ms: backoff.initial_ms,
            random: backoff.seed | 1,
            retry_at: Instant::from_millis(0),
        }
    }

    pub(crate) fn state(&self) -> ConnectivityState {
        self.state
    }

    /// The driver begins an attempt.
    pub(crate) fn connecting(&mut self) {
        self.state = ConnectivityState::Connecting;
    }

    pub(crate) fn transport_up(&mut self) {
        self.draining = self.state == ConnectivityState::Shutdown;
        self.drain_until = None;
        self.complaint = None;
        self.answered = false;
    }

    /// A response has begun.
    pub(crate) fn answered(&mut self) {
        self.answered = true;
    }

    /// The server speaks HTTP/2: the attempt has succeeded, and the next backoff starts small again.
    pub(crate) fn settings_received(&mut self) {
        if self.state == ConnectivityState::Connecting {
            self.state = ConnectivityState::Ready;
        }
        self.base_ms = self.backoff.initial_ms;
    }

    /// A connection that was ready falls back to idle; one that never was counts as a failed attempt, and so does
    /// the second in a row that brought no response: a server that lets in and goes away would be called without
    /// a pause.
    pub(crate) fn transport_down(&mut self, reason: &'static str, now: Instant) {
        if self.state == ConnectivityState::Shutdown {
            return;
        }
        self.reason = reason;
        if self.state == ConnectivityState::Ready {
            let failed = self.fruitless && !self.answered;
            self.fruitless = !self.answered;
            if !failed {
                self.state = ConnectivityState::Idle;
                return;
            }
        }
        self.state = ConnectivityState::TransientFailure;
        let pause = self.jittered();
        self.retry_at = now.saturating_add_millis(u64::from(pause));
        let grown = u64::from(self.base_ms).saturating_mul(8).div_ceil(5);
        self.base_ms = u32::try_from(grown).unwrap_or(u32::MAX).min(self.backoff.max_ms);
    }

    pub(crate) fn shut_down(&mut self, reason: &'static str) {
        if self.state != ConnectivityState::Shutdown {
            self.state = ConnectivityState::Shutdown;
            self.reason = reason;
        }
    }

    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    /// GOAWAY has come. One that is no mere farewell says why this connection ends, whatever ends it then.
    pub(crate) fn told_to_go(&mut self, code: ErrorCode) {
        self.drain();
        self.complaint = match code {
            ErrorCode::NO_ERROR => self.complaint,
            ErrorCode::ENHANCE_YOUR_CALM => Some(TOO_MUCH),
            _ => Some("the server ended the connection: this client broke a rule of HTTP/2"),
        };
    }

    /// What the server had against this connection, if it said so.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        self.complaint
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    /// What comes next where there is no connection. `wanted`: a call waits for one.
    pub(crate) fn demand(&mut self, wanted: bool, now: Instant) -> Demand {
        match self.state {
            ConnectivityState::Shutdown => Demand::Stop,
            ConnectivityState::TransientFailure if now < self.retry_at => Demand::WaitUntil(self.retry_at),
            _ if wanted => {
                self.connecting();
                Demand::Connect
            }
            _ => {
                self.state = ConnectivityState::Idle;
                Demand::Wait
            }
        }
    }

    pub(crate) fn gate(&self, wait_for_ready: bool) -> Gate {
        match self.state {
            ConnectivityState::Ready if !self.draining => Gate::Go,
            // Spec: grpc-code-shutdown
            ConnectivityState::Shutdown => Gate::Fail(Status::new(Code::UNAVAILABLE, self.reason)),
            ConnectivityState::TransientFailure if !wait_for_ready => {
                Gate::Fail(Status::new(Code::UNAVAILABLE, self.reason))
            }
            _ => Gate::Wait,
        }
    }

    /// Between 80 % and 120 % of the base.
    fn jittered(&mut self) -> u32 {
        // xorshift32: the jitter needs no better randomness.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        let percent = 80u64.saturating_add(u64::from(self.random % 41));
        let pause = u64::from(self.base_ms).saturating_mul(percent) / 100;
        u32::try_from(pause).unwrap_or(u32::MAX).max(1)
    }
}

const TOO_MUCH: &str = "the server ended the connection (ENHANCE_YOUR_CALM): too many calls were cancelled, or too many PINGs \
                        sent, in a short time";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn backoff_grows_by_a_factor_of_1_6_up_to_its_limit_and_starts_anew_after_settings() {
        let mut connectivity = Connectivity::new(Backoff::default());
        let mut base = 1_000.0f64;
        for _ in 0..15 {
            connectivity.connecting();
            connectivity.transport_down("refused", at(0));
            let Demand::WaitUntil(retry) = connectivity.demand(true, at(0)) else {
                panic!("no pause")
            };
            let pause = retry.as_millis() as f64;
            assert!(
                pause >= base * 0.79 && pause <= base * 1.21,
                "{pause} for a base of {base}"
            );
            base = (base * 1.6).min(120_000.0);
        }
        connectivity.connecting();
        connectivity.settings_received();
        connectivity.transport_down("lost", at(5));
        assert_eq!(connectivity.state(), ConnectivityState::Idle);
        assert_eq!(connectivity.demand(true, at(5)), Demand::Connect);
        connectivity.transport_down("refused", at(5));
        assert_eq!(connectivity.demand(true, at(1_205)), Demand::Connect);
    }

    #[test]
    fn a_backoff_that_starts_at_zero_still_pauses_and_grows() {
        let zero = Backoff {
            initial_ms: 0,
            ..Backoff::default()
        };
        let mut connectivity = Connectivity::new(zero);
        let mut last = 0;
        for _ in 0..20 {
            connectivity.transport_down("refused", at(0));
            let Demand::WaitUntil(retry) = connectivity.demand(true, at(0)) else {
                panic!("no pause")
            };
            last = retry.as_millis();
        }
        assert!(last > 1_000, "{last}");
    }

    #[test]
    fn calls_fail_fast_in_transient_failure_unless_they_wait_for_ready() {
        let mut connectivity = Connectivity::new(Backoff::default());
        assert_eq!(connectivity.gate(false), Gate::Wait);
        connectivity.transport_down("refused", at(0));
        assert!(matches!(connectivity.gate(false), Gate::Fail(status) if status.message() == "refused"));
        assert_eq!(connectivity.gate(true), Gate::Wait);
        connectivity.connecting();
        connectivity.transport_up();
        assert_eq!(connectivity.gate(false), Gate::Wait);
        connectivity.settings_received();
        assert_eq!(connectivity.gate(false), Gate::Go);
        connectivity.drain();
        assert_eq!(connectivity.gate(false), Gate::Wait);
        connectivity.shut_down("over");
        assert!(matches!(connectivity.gate(true), Gate::Fail(_)));
    }
}
