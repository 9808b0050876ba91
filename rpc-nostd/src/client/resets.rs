//! How often this client resets streams: servers count, and take too many for an attack.

use h2_lite::Instant;

/// The recent RST_STREAM of a connection, and whether a call waits until there are fewer.
///
/// A burst of [`BURST`] is free, then one in [`REFILL_MS`]. Servers in the field end a connection at 20 in a burst (h2) or 200
/// in 30 seconds (Netty); a call that is cancelled before its HEADERS are sent costs none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resets {
    recent: u16,
    /// When `recent` was last made smaller.
    since: Option<Instant>,
    /// When a call that waits may go on.
    pub(crate) wait_until: Option<Instant>,
}

impl Resets {
    /// A stream was reset.
    pub(crate) fn note(&mut self) {
        self.recent = self.recent.saturating_add(1);
    }

    /// Whether a call that might be reset must wait. It is woken at `wait_until`.
    pub(crate) fn must_wait(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.as_millis().saturating_sub(since.as_millis());
        let forgotten = elapsed.checked_div(REFILL_MS).unwrap_or(0);
        let recent = u64::from(self.recent).saturating_sub(forgotten);
        self.recent = u16::try_from(recent).unwrap_or(u16::MAX);
        let since = match recent {
            0 => now,
            _ => since.saturating_add_millis(forgotten.saturating_mul(REFILL_MS)),
        };
        self.since = Some(since);
        let must_wait = self.recent >= BURST;
        self.wait_until = must_wait.then(|| since.saturating_add_millis(REFILL_MS));
        must_wait
    }
}

/// Resets that a connection may have in a burst.
const BURST: u16 = 16;
/// Milliseconds after which one more is forgotten.
const REFILL_MS: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_one_comes_back_every_fifth_of_a_second() {
        let mut resets = Resets::default();
        let at = Instant::from_millis;
        for _ in 0..BURST {
            assert!(!resets.must_wait(at(1_000)));
            resets.note();
        }
        assert!(resets.must_wait(at(1_000)));
        assert_eq!(resets.wait_until, Some(at(1_200)));
        assert!(resets.must_wait(at(1_199)));
        assert!(!resets.must_wait(at(1_200)));
        resets.note();
        assert!(resets.must_wait(at(1_399)));
        assert!(!resets.must_wait(at(100_000)));
        for _ in 0..BURST {
            resets.note();
        }
        assert!(resets.must_wait(at(100_001)));
    }
}
