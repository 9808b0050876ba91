//! When a connection has been there long enough: idle, old, silent, or shut down.
//!
//! Spec: gRFC A9 (server-side connection management), gRPC `keepalive.md`.

use core::time::Duration;

use h2_lite::Instant;

use crate::deadline::whole_millis;
use crate::server::config::ServerConfig;

/// The clocks of one connection.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    idle_ms: Option<u64>,
    age_ms: Option<u64>,
    age_grace_ms: u64,
    shutdown_grace_ms: u64,
    keepalive_ms: Option<u64>,
    keepalive_timeout_ms: u64,
    idle_at: Option<Instant>,
    old_at: Option<Instant>,
    /// When the PING is due, or, once it is sent, when its answer is too late.
    silent_at: Option<Instant>,
    asked: bool,
    give_up_at: Option<Instant>,
    pub(crate) reason: &'static str,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Ask the client whether it is there.
    Ping,
    /// Begin the graceful end.
    GoAway,
    /// End it now.
    GiveUp,
}

impl Lifecycle {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        let optional = |time: Option<Duration>| time.map(whole_millis);
        Self {
            idle_ms: optional(config.max_connection_idle),
            age_ms: optional(config.max_connection_age),
            age_grace_ms: whole_millis(config.max_connection_age_grace),
            shutdown_grace_ms: whole_millis(config.shutdown_grace),
            keepalive_ms: optional(config.keepalive_time),
            keepalive_timeout_ms: whole_millis(config.keepalive_timeout),
            idle_at: None,
            old_at: None,
            silent_at: None,
            asked: false,
            give_up_at: None,
            reason: "",
        }
    }

    /// A connection begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.give_up_at = None;
        self.reason = "the connection was shut down";
        self.idle_at = after(now, self.idle_ms);
        self.old_at = after(now, self.age_ms.map(|age| jittered(age, now)));
        self.heard(now);
    }

    /// Octets came from the client.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.asked = false;
        self.silent_at = after(now, self.keepalive_ms);
    }

    /// Whether there are calls.
    pub(crate) fn set_busy(&mut self, busy: bool, now: Instant) {
        if busy {
            self.idle_at = None;
        } else if self.idle_at.is_none() {
            self.idle_at = after(now, self.idle_ms);
        }
    }

    /// The server is shut down.
    pub(crate) fn shut_down(&mut self, now: Instant) {
        self.drain(self.shutdown_grace_ms, now);
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let drains = self.give_up_at.is_some();
        let clocks = [self.idle_at, self.old_at].map(|at| at.filter(|_| !drains));
        let [idle, old] = clocks;
        [idle, old, self.silent_at, self.give_up_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// What is due at `now`; each thing once.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let passed = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        if passed(self.give_up_at) {
            return Due::GiveUp;
        }
        if passed(self.silent_at) {
            // Spec: grpc-lost-keepalive
            if self.asked {
                self.reason = "the client did not answer a PING in keepalive_timeout";
                self.give_up_at = Some(now);
                return Due::GiveUp;
            }
            self.asked = true;
            self.silent_at = after(now, Some(self.keepalive_timeout_ms));
            return Due::Ping;
        }
        let draining = self.give_up_at.is_some();
        if !draining && (passed(self.idle_at) || passed(self.old_at)) {
            self.drain(self.age_grace_ms, now);
            return Due::GoAway;
        }
        Due::Nothing
    }

    fn drain(&mut self, grace_ms: u64, now: Instant) {
        let at = now.saturating_add_millis(grace_ms);
        self.give_up_at = Some(self.give_up_at.map_or(at, |earlier| earlier.min(at)));
    }
}

fn after(now: Instant, ms: Option<u64>) -> Option<Instant> {
    ms.map(|ms| now.saturating_add_millis(ms))
}

/// Between 90 % and 110 %, so that clients which came together do not leave together.
fn jittered(ms: u64, now: Instant) -> u64 {
    // Fibonacci hashing of the moment of connection: any spread will do.
    let hash = now.as_millis().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let percent = 90u64.saturating_add(hash % 21);
    (ms / 100).saturating_mul(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn lifecycle() -> Lifecycle {
        let seconds = |s| Some(Duration::from_secs(s));
        let config = ServerConfig {
            max_connection_idle: seconds(60),
            max_connection_age: seconds(1_000),
            keepalive_time: seconds(20),
            ..ServerConfig::new()
        };
        let mut lifecycle = Lifecycle::new(&config);
        lifecycle.begin(at(0));
        lifecycle
    }

    #[test]
    fn a_silent_client_is_asked_and_then_given_up() {
        let mut lifecycle = lifecycle();
        assert_eq!(lifecycle.next(), Some(at(20_000)));
        assert_eq!(lifecycle.due(at(19_999)), Due::Nothing);
        assert_eq!(lifecycle.due(at(20_000)), Due::Ping);
        assert_eq!(lifecycle.next(), Some(at(40_000)));
        lifecycle.heard(at(39_999));
        assert_eq!(lifecycle.due(at(40_000)), Due::Nothing);
        assert_eq!(lifecycle.due(at(59_999)), Due::Ping);
        lifecycle.set_busy(true, at(59_999));
        assert_eq!(lifecycle.due(at(79_999)), Due::GiveUp);
    }

    #[test]
    fn an_idle_connection_is_ended_and_a_busy_one_is_not_until_it_is_old() {
        let mut lifecycle = lifecycle();
        lifecycle.heard(at(59_000));
        assert_eq!(lifecycle.due(at(60_000)), Due::GoAway);
        assert_eq!(lifecycle.due(at(60_001)), Due::Nothing);
        lifecycle.heard(at(69_000));
        assert_eq!(lifecycle.due(at(70_000)), Due::GiveUp);

        lifecycle.begin(at(100_000));
        lifecycle.set_busy(true, at(100_001));
        lifecycle.heard(at(900_000));
        lifecycle.heard(at(990_000));
        assert_eq!(lifecycle.due(at(990_000)), Due::Nothing);
        lifecycle.heard(at(1_200_000));
        assert_eq!(lifecycle.due(at(1_200_001)), Due::GoAway);
    }

    #[test]
    fn the_jitter_of_the_age_is_at_most_a_tenth() {
        for ms in 0..1_000 {
            let age = jittered(100_000, at(ms));
            assert!((90_000..=110_000).contains(&age), "{age}");
        }
    }
}
